/* import_snomed.c - SNOMED CT, the snapshot of a release in RF2.
 * https://confluence.ihtsdotools.org/display/DOCRELFMT
 *
 * Concepts, descriptions, is-a relationships; the language reference sets choose the preferred
 * terms; members of simple reference sets become the property `refset`, so that the value sets
 * http://snomed.info/sct?fhir_vs=refset/ID work; targets of associations and maps become
 * properties named by the reference set, for http://snomed.info/sct?fhir_cm=ID; all other
 * relationships become properties in groups (ecl.h). */
#include <stdio.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "terminology/ecl.h"
#include "terminology/import_impl.h"

#define FSN "900000000000003001"
#define PREFERRED "900000000000548007"
#define IS_A "116680003"
#define DEFINED "900000000000073002"
#define CORE_MODULE "900000000000207008"

/* In the order in which they are read. */
enum kind {
    CONCEPTS,
    LANGUAGES,
    DESCRIPTIONS,
    RELATIONSHIPS,
    CONCRETE_VALUES,
    MEMBERS,
    ASSOCIATIONS,
    SIMPLE_MAPS,
    EXTENDED_MAPS,
    KINDS
};

/* A relationship that is no is-a. */
typedef struct attribute {
    med_concept source, type, value; /* MED_CONCEPT_NONE: a value of its own */
    uint32_t group;
    med_str text;
} attribute;

enum { ATTRIBUTES = 64 << 20 };

typedef struct release {
    med_importer *i;
    med_release found;
    enum kind reading;
    uint64_t *preferred; /* ids of descriptions, open addressing, 0 = free */
    size_t n_preferred, room_preferred;
    attribute *attributes;
    size_t n_attributes, room_attributes;
    med_str map_uri; /* of the map of the row before */
    med_concept first_of_file;
    med_str newest; /* effectiveTime */
    char newest_text[16];
} release;

/* ---- the files ---- */

static int kind_of(med_str name)
{
    static const struct {
        const char *start, *part;
        enum kind kind;
    } rows[] = {{"sct2_Concept_", "Snapshot", CONCEPTS},
                {"sct2_Description_", "Snapshot", DESCRIPTIONS},
                {"sct2_Relationship_", "Snapshot", RELATIONSHIPS},
                {"der2_cRefset_Language", "Snapshot", LANGUAGES},
                {"sct2_RelationshipConcreteValues_", "Snapshot", CONCRETE_VALUES},
                {"der2_Refset_Simple", "Snapshot", MEMBERS},
                {"der2_cRefset_Association", "Snapshot", ASSOCIATIONS},
                {"der2_sRefset_SimpleMap", "Snapshot", SIMPLE_MAPS},
                {"der2_iisssccRefset_ExtendedMap", "Snapshot", EXTENDED_MAPS}};
    if (med_str_starts(name, MED_STR("x")))
        name = med_str_skip(name, 1);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        if (med_str_starts(name, med_str_from(rows[k].start))
            && med_str_search(name, med_str_from(rows[k].part), 0) < name.len
            && med_str_ends(name, MED_STR(".txt")))
            return (int)rows[k].kind;
    }
    return MED_RELEASE_OTHER;
}

static bool find_files(release *r, med_err *err)
{
    if (!med_release_find(r->i, kind_of, &r->found, err))
        return false;
    if (!med_release_has(&r->found, CONCEPTS) || !med_release_has(&r->found, DESCRIPTIONS)
        || !med_release_has(&r->found, RELATIONSHIPS))
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                        "the folder holds no RF2 snapshot: sct2_Concept_*Snapshot*.txt, "
                        "sct2_Description_*Snapshot*.txt and sct2_Relationship_*Snapshot*.txt are "
                        "needed");
    return true;
}

/* ---- rows ---- */

static bool is_active(const med_table *t)
{
    return med_str_eqz(t->fields[2], "1");
}

static void put(release *r, med_concept c, med_str name, enum med_property_type type, med_str value)
{
    uint16_t def =
        med_image_builder_property_def(r->i->b, name, MED_STR_EMPTY, MED_STR_EMPTY, type);
    med_image_builder_property(r->i->b, c, def, type, value);
}

static bool add_concept(release *r, const med_table *t, med_err *err)
{
    bool is_new;
    if (t->n < 5)
        return med_table_fault(t, err, "a concept has five columns");
    int64_t id;
    if (!med_str_to_int64(t->fields[0], &id) || id <= 0)
        return med_table_fault(t, err, "the id of a concept is a number");
    med_concept c = med_image_builder_concept(r->i->b, t->fields[0], &is_new);
    if (!is_new && c != MED_CONCEPT_NONE && c >= r->first_of_file)
        return med_table_fault(t, err, "the concept stood in an earlier row");
    if (!is_active(t))
        med_image_builder_flags(r->i->b, c, MED_CONCEPT_INACTIVE);
    put(r, c, MED_STR("moduleId"), MED_PROPERTY_CODE, t->fields[3]);
    put(r, c, MED_STR("sufficientlyDefined"), MED_PROPERTY_BOOLEAN,
        med_str_eqz(t->fields[4], DEFINED) ? MED_STR("true") : MED_STR("false"));
    if (med_str_compare(t->fields[1], r->newest) > 0 && t->fields[1].len < sizeof r->newest_text) {
        memcpy(r->newest_text, t->fields[1].ptr, t->fields[1].len);
        r->newest = (med_str){r->newest_text, t->fields[1].len};
    }
    return true;
}

static bool grow_preferred(release *r)
{
    size_t room = r->room_preferred == 0 ? 1 << 16 : 2 * r->room_preferred;
    uint64_t *next = MED_NEW(room, uint64_t);
    if (next == NULL)
        return false;
    for (size_t k = 0; k < r->room_preferred; k++) {
        uint64_t id = r->preferred[k];
        size_t at = (id * 0x9E3779B97F4A7C15U >> 20) & (room - 1);
        while (id != 0 && next[at] != 0)
            at = (at + 1) & (room - 1);
        if (id != 0)
            next[at] = id;
    }
    med_free(r->preferred);
    r->preferred = next;
    r->room_preferred = room;
    return true;
}

static size_t preferred_slot(const release *r, uint64_t id)
{
    size_t at = (id * 0x9E3779B97F4A7C15U >> 20) & (r->room_preferred - 1);
    while (r->preferred[at] != 0 && r->preferred[at] != id)
        at = (at + 1) & (r->room_preferred - 1);
    return at;
}

static bool add_language(release *r, const med_table *t, med_err *err)
{
    int64_t id;
    if (t->n < 7 || !med_str_to_int64(t->fields[5], &id))
        return med_table_fault(t, err, "a member of a language reference set has seven columns");
    if (!is_active(t) || !med_str_eqz(t->fields[6], PREFERRED))
        return true;
    if (2 * r->n_preferred >= r->room_preferred && !grow_preferred(r))
        return MED_FAIL_MEMORY(err);
    size_t at = preferred_slot(r, (uint64_t)id);
    r->n_preferred += r->preferred[at] == 0 ? 1 : 0;
    r->preferred[at] = (uint64_t)id;
    return true;
}

static bool is_preferred(const release *r, med_str id)
{
    int64_t n;
    return r->room_preferred > 0 && med_str_to_int64(id, &n)
           && r->preferred[preferred_slot(r, (uint64_t)n)] != 0;
}

/* The display is the preferred synonym in the language of the import, else any synonym. */
static bool add_description(release *r, const med_table *t, med_err *err)
{
    if (t->n < 9)
        return med_table_fault(t, err, "a description has nine columns");
    if (!is_active(t))
        return true;
    med_concept c = med_image_builder_find(r->i->b, t->fields[4]);
    if (c == MED_CONCEPT_NONE)
        return med_table_fault(t, err, "the description is of a concept that is in no file");
    bool fsn = med_str_eqz(t->fields[6], FSN);
    bool own = med_str_eq_ignore_case(t->fields[5], r->i->head.language);
    bool preferred = is_preferred(r, t->fields[0]);
    if (own && !fsn && (preferred || !med_image_builder_has_display(r->i->b, c)))
        med_image_builder_display(r->i->b, c, t->fields[7]);
    med_designation d = {t->fields[5],
                         MED_STR("http://snomed.info/sct"),
                         fsn         ? MED_STR("900000000000003001")
                         : preferred ? MED_STR("preferredForLanguage")
                                     : MED_STR("900000000000013009"),
                         fsn         ? MED_STR("Fully specified name")
                         : preferred ? MED_STR("Preferred For Language")
                                     : MED_STR("Synonym"),
                         t->fields[7],
                         MED_STR_EMPTY};
    if (!fsn && preferred)
        d.use_system = MED_STR("http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra");
    med_image_builder_designation(r->i->b, c, &d);
    return true;
}

static bool add_attribute(release *r, attribute a)
{
    if (r->n_attributes == r->room_attributes) {
        size_t room = r->room_attributes == 0 ? 1 << 12 : 2 * r->room_attributes;
        attribute *next = room > ATTRIBUTES ? NULL : MED_NEW(room, attribute);
        if (next == NULL)
            return false;
        if (r->n_attributes > 0)
            memcpy(next, r->attributes, r->n_attributes * sizeof *next);
        med_free(r->attributes);
        r->attributes = next;
        r->room_attributes = room;
    }
    r->attributes[r->n_attributes++] = a;
    return true;
}

static bool read_group(const med_table *t, uint32_t *group, med_err *err)
{
    int64_t n;
    if (!med_str_to_int64(t->fields[6], &n) || n < 0 || n > UINT16_MAX)
        return med_table_fault(t, err, "the group of a relationship is a small number");
    *group = (uint32_t)n;
    return true;
}

static bool add_relationship(release *r, const med_table *t, med_err *err)
{
    attribute a = {.text = MED_STR_EMPTY};
    if (t->n < 10)
        return med_table_fault(t, err, "a relationship has ten columns");
    if (!is_active(t))
        return true;
    a.source = med_image_builder_find(r->i->b, t->fields[4]);
    a.value = med_image_builder_find(r->i->b, t->fields[5]);
    if (a.source == MED_CONCEPT_NONE || a.value == MED_CONCEPT_NONE)
        return med_table_fault(t, err, "the relationship is of a concept that is in no file");
    if (med_str_eqz(t->fields[7], IS_A))
        return med_importer_parent(r->i, t, a.source, a.value, err);
    a.type = med_image_builder_find(r->i->b, t->fields[7]);
    if (a.type == MED_CONCEPT_NONE)
        return med_table_fault(t, err, "the type of the relationship is in no file");
    if (!read_group(t, &a.group, err))
        return false;
    return add_attribute(r, a) ? true : MED_FAIL_MEMORY(err);
}

/* "#5" or "\"text\"" */
static bool add_concrete(release *r, const med_table *t, med_err *err)
{
    attribute a = {.value = MED_CONCEPT_NONE};
    med_decimal number;
    if (t->n < 10)
        return med_table_fault(t, err, "a concrete relationship has ten columns");
    if (!is_active(t))
        return true;
    a.source = med_image_builder_find(r->i->b, t->fields[4]);
    a.type = med_image_builder_find(r->i->b, t->fields[7]);
    if (a.source == MED_CONCEPT_NONE || a.type == MED_CONCEPT_NONE)
        return med_table_fault(t, err, "the relationship is of a concept that is in no file");
    med_str text = t->fields[5];
    bool is_number =
        med_str_starts(text, MED_STR("#")) && med_decimal_parse(med_str_skip(text, 1), &number);
    bool is_text = text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
    if (!is_number && !is_text)
        return med_table_fault(t, err, "a concrete value is #NUMBER or \"TEXT\"");
    if (!read_group(t, &a.group, err))
        return false;
    return med_arena_copy(r->i->arena, text, &a.text) && add_attribute(r, a) ? true
                                                                             : MED_FAIL_MEMORY(err);
}

static int by_group(const void *x, const void *y)
{
    const attribute *a = x, *b = y;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

/* Behind all other properties, as ecl.h says. */
static void put_attributes(release *r)
{
    if (r->n_attributes > 0)
        qsort(r->attributes, r->n_attributes, sizeof *r->attributes, by_group);
    for (size_t k = 0; k < r->n_attributes; k++) {
        const attribute *a = &r->attributes[k];
        med_str type = med_image_builder_code(r->i->b, a->type);
        if (k == 0 || a->source != a[-1].source || a->group != a[-1].group) {
            char text[8];
            int n = snprintf(text, sizeof text, "%u", (unsigned)a->group);
            put(r, a->source, MED_STR(MED_ECL_GROUP), MED_PROPERTY_INTEGER,
                (med_str){text, (size_t)n});
        }
        if (a->value != MED_CONCEPT_NONE)
            put(r, a->source, type, MED_PROPERTY_CODE, med_image_builder_code(r->i->b, a->value));
        else if (a->text.ptr[0] == '#')
            put(r, a->source, type, MED_PROPERTY_DECIMAL, med_str_skip(a->text, 1));
        else
            put(r, a->source, type, MED_PROPERTY_STRING, med_str_sub(a->text, 1, a->text.len - 1));
    }
}

static bool add_member(release *r, const med_table *t, med_err *err)
{
    if (t->n < 6)
        return med_table_fault(t, err, "a member of a reference set has six columns");
    med_concept c = med_image_builder_find(r->i->b, t->fields[5]);
    if (!is_active(t) || c == MED_CONCEPT_NONE)
        return true;
    uint16_t def =
        med_image_builder_property_def(r->i->b, MED_STR("refset"), MED_STR_EMPTY,
                                       MED_STR("Reference sets of the concept"), MED_PROPERTY_CODE);
    med_image_builder_property(r->i->b, c, def, MED_PROPERTY_CODE, t->fields[4]);
    return true;
}

/* A target by the name of its reference set: a concept, or a code of another system. Of an extended
 * map what holds without a condition. Components that are no concepts are left out. */
static bool add_target(release *r, const med_table *t, med_err *err)
{
    size_t at = r->reading == EXTENDED_MAPS ? 10 : 6;
    if (t->n <= at)
        return med_table_fault(t, err, "the row has too few columns for a target");
    med_concept c = med_image_builder_find(r->i->b, t->fields[5]);
    if (!is_active(t) || c == MED_CONCEPT_NONE || t->fields[at].len == 0)
        return true;
    if (r->reading == EXTENDED_MAPS && !med_str_eqz(t->fields[8], "TRUE")
        && !med_str_eqz(t->fields[8], "OTHERWISE TRUE"))
        return true;
    enum med_property_type type =
        r->reading == ASSOCIATIONS ? MED_PROPERTY_CODE : MED_PROPERTY_STRING;
    med_str uri = r->map_uri;
    if (!med_str_ends(uri, t->fields[4]) || uri.len != MED_SNOMED_MAP.len + t->fields[4].len)
        uri = r->map_uri = med_arena_printf(r->i->arena, "%.*s%.*s", MED_STR_ARG(MED_SNOMED_MAP),
                                            MED_STR_ARG(t->fields[4]));
    uint16_t def = med_image_builder_property_def(r->i->b, t->fields[4], uri, MED_STR_EMPTY, type);
    med_image_builder_property(r->i->b, c, def, type, t->fields[at]);
    return true;
}

static bool add_row(const med_table *t, void *arg, med_err *err)
{
    release *r = arg;
    switch (r->reading) {
    case CONCEPTS:
        return add_concept(r, t, err);
    case DESCRIPTIONS:
        return add_description(r, t, err);
    case RELATIONSHIPS:
        return add_relationship(r, t, err);
    case LANGUAGES:
        return add_language(r, t, err);
    case CONCRETE_VALUES:
        return add_concrete(r, t, err);
    case MEMBERS:
        return add_member(r, t, err);
    case ASSOCIATIONS:
    case SIMPLE_MAPS:
    case EXTENDED_MAPS:
        return add_target(r, t, err);
    case KINDS:
        break;
    }
    return true;
}

static bool check_header(const med_table *t, void *arg, med_err *err)
{
    release *r = arg;
    r->first_of_file = med_image_builder_count(r->i->b);
    if (t->n_header >= 3 && med_str_eqz(t->header[0], "id") && med_str_eqz(t->header[2], "active"))
        return true;
    return med_table_fault(t, err, "this is no header of RF2 (id, effectiveTime, active, ...)");
}

bool med_import_snomed(med_importer *i, med_err *err)
{
    static const med_release_table how = {'\t', false, check_header, add_row};
    release *r = MED_TAKE(i->arena, 1, release);
    if (r == NULL)
        return MED_FAIL_MEMORY(err);
    r->i = i;
    r->newest = r->map_uri = MED_STR_EMPTY;
    bool ok = find_files(r, err);
    for (r->reading = CONCEPTS; ok && r->reading < KINDS; r->reading++) {
        for (size_t f = 0; ok && f < r->found.n; f++) {
            if (r->found.files[f].kind == (int)r->reading)
                ok = med_release_read(i, &r->found.files[f], &how, r, err);
        }
    }
    if (ok)
        put_attributes(r);
    med_free(r->preferred);
    med_free(r->attributes);
    if (i->head.url.len == 0)
        i->head.url = MED_STR("http://snomed.info/sct");
    if (ok && i->head.version.len == 0)
        i->head.version =
            med_arena_printf(i->arena, "http://snomed.info/sct/" CORE_MODULE "/version/%.*s",
                             MED_STR_ARG(r->newest));
    return ok;
}
