/* import_snomed.c - SNOMED CT, the snapshot of a release in RF2.
 * https://confluence.ihtsdotools.org/display/DOCRELFMT
 *
 * Concepts, descriptions, is-a relationships; the language reference sets choose the preferred
 * terms; members of simple reference sets become the property `refset`, so that the value sets
 * http://snomed.info/sct?fhir_vs=refset/ID work. */
#include "base/mem.h"
#include "terminology/import_impl.h"

#define FSN "900000000000003001"
#define PREFERRED "900000000000548007"
#define IS_A "116680003"
#define CORE_MODULE "900000000000207008"

/* In the order in which they are read. */
enum kind { CONCEPTS, LANGUAGES, DESCRIPTIONS, RELATIONSHIPS, MEMBERS, KINDS };

typedef struct release {
    med_importer *i;
    med_release found;
    enum kind reading;
    uint64_t *preferred; /* ids of descriptions, open addressing, 0 = free */
    size_t n_preferred, room_preferred;
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
                {"der2_Refset_Simple", "Snapshot", MEMBERS}};
    if (med_str_starts(name, MED_STR("x")))
        name = med_str_skip(name, 1);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        if (med_str_starts(name, med_str_from(rows[k].start))
            && med_str_search(name, med_str_from(rows[k].part), 0) < name.len
            && med_str_ends(name, MED_STR(".txt")))
            return rows[k].kind;
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

static bool add_relationship(release *r, const med_table *t, med_err *err)
{
    if (t->n < 10)
        return med_table_fault(t, err, "a relationship has ten columns");
    if (!is_active(t) || !med_str_eqz(t->fields[7], IS_A))
        return true;
    med_concept child = med_image_builder_find(r->i->b, t->fields[4]);
    med_concept parent = med_image_builder_find(r->i->b, t->fields[5]);
    if (child == MED_CONCEPT_NONE || parent == MED_CONCEPT_NONE)
        return med_table_fault(t, err, "the relationship is of a concept that is in no file");
    return med_importer_parent(r->i, t, child, parent, err);
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
    case MEMBERS:
        return add_member(r, t, err);
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
    r->newest = MED_STR_EMPTY;
    bool ok = find_files(r, err);
    for (r->reading = CONCEPTS; ok && r->reading < KINDS; r->reading++) {
        for (size_t f = 0; ok && f < r->found.n; f++) {
            if (r->found.files[f].kind == (int)r->reading)
                ok = med_release_read(i, &r->found.files[f], &how, r, err);
        }
    }
    med_free(r->preferred);
    if (i->head.url.len == 0)
        i->head.url = MED_STR("http://snomed.info/sct");
    if (ok && i->head.version.len == 0)
        i->head.version =
            med_arena_printf(i->arena, "http://snomed.info/sct/" CORE_MODULE "/version/%.*s",
                             MED_STR_ARG(r->newest));
    return ok;
}
