/* import_loinc.c - LOINC: Loinc.csv alone, or the folder of a release.
 * https://hl7.org/fhir/R4/loinc.html
 *
 * Of a release also the parts and their links (the axes of a term as Codings), answer lists with
 * their answers, the hierarchy by component and system, and the names in other languages. */
#include <sys/stat.h>

#include "base/json.h"
#include "terminology/import_impl.h"

#define LOINC "http://loinc.org"

/* In the order in which they are read. */
enum kind { TERMS, PARTS, PART_LINKS, ANSWERS, ANSWER_LINKS, HIERARCHY, VARIANTS, KINDS };
enum { COLUMNS = 6 };

typedef struct release {
    med_importer *i;
    med_release found;
    enum kind reading;
    size_t at[COLUMNS]; /* of the columns of this kind; SIZE_MAX: not there */
    med_str language;   /* of this variant */
} release;

/* ---- rows ---- */

static med_str field(const med_table *t, size_t column)
{
    return column < t->n ? med_str_trim(t->fields[column]) : MED_STR_EMPTY;
}

/* A part, answer or list, at its first mention. */
static bool named(release *r, const med_table *t, med_str code, med_str display, med_concept *out,
                  med_err *err)
{
    *out = med_image_builder_find(r->i->b, code);
    if (*out == MED_CONCEPT_NONE && !med_importer_code(r->i, t, code, out, err))
        return false;
    if (!med_image_builder_has_display(r->i->b, *out))
        med_image_builder_display(r->i->b, *out, display);
    return true;
}

/* A term that a row is about: Loinc.csv has it. */
static bool known(release *r, const med_table *t, med_str code, med_concept *out, med_err *err)
{
    *out = med_image_builder_find(r->i->b, code);
    if (*out != MED_CONCEPT_NONE)
        return true;
    return med_table_fault(t, err, "the row is about a code that Loinc.csv does not have");
}

static void put(release *r, med_concept c, med_str name, enum med_property_type type, med_str value)
{
    static const char base[] = LOINC "/property/";
    char uri[160] = LOINC "/property/";
    med_str known_by = MED_STR_EMPTY;
    if (name.len < sizeof uri - sizeof base) {
        memcpy(uri + sizeof base - 1, name.ptr, name.len);
        known_by = (med_str){uri, sizeof base - 1 + name.len};
    }
    uint16_t def = med_image_builder_property_def(r->i->b, name, known_by, MED_STR_EMPTY, type);
    med_image_builder_property(r->i->b, c, def, type, value);
}

static void name_it(release *r, med_concept c, med_str language, const char *use, med_str value)
{
    med_designation d = {language,
                         use[0] != '\0' ? MED_STR(LOINC) : MED_STR_EMPTY,
                         med_str_from(use),
                         MED_STR_EMPTY,
                         value,
                         MED_STR_EMPTY};
    if (value.len > 0)
        med_image_builder_designation(r->i->b, c, &d);
}

/* An axis that a link to a part says better. */
static bool is_axis(med_str name)
{
    static const char *const axes[] = {"COMPONENT", "PROPERTY",  "TIME_ASPCT",
                                       "SYSTEM",    "SCALE_TYP", "METHOD_TYP"};
    for (size_t k = 0; k < sizeof axes / sizeof *axes; k++) {
        if (med_str_eqz(name, axes[k]))
            return true;
    }
    return false;
}

static bool add_term(release *r, const med_table *t, med_err *err)
{
    enum { CODE, DISPLAY, SHORT, SHOWN, DEFINITION, STATUS };
    med_concept c;
    bool linked = med_release_has(&r->found, PART_LINKS);
    if (!med_importer_code(r->i, t, field(t, r->at[CODE]), &c, err))
        return false;
    med_image_builder_display(r->i->b, c, field(t, r->at[DISPLAY]));
    med_image_builder_definition(r->i->b, c, field(t, r->at[DEFINITION]));
    name_it(r, c, r->i->head.language, "SHORTNAME", field(t, r->at[SHORT]));
    name_it(r, c, r->i->head.language, "DisplayName", field(t, r->at[SHOWN]));
    if (med_str_eqz(field(t, r->at[STATUS]), "DEPRECATED"))
        med_image_builder_flags(r->i->b, c, MED_CONCEPT_INACTIVE);
    for (size_t k = 0; k < t->n; k++) {
        bool told = k == r->at[STATUS]; /* a property, too */
        for (size_t n = 0; n < COLUMNS && !told; n++)
            told = k == r->at[n];
        med_str value = med_str_trim(t->fields[k]);
        if (value.len > 0 && (k == r->at[STATUS] || !told) && !(linked && is_axis(t->header[k])))
            put(r, c, t->header[k], MED_PROPERTY_STRING, value);
    }
    return true;
}

static bool add_part(release *r, const med_table *t, med_err *err)
{
    enum { CODE, KIND, NAME, DISPLAY, STATUS };
    med_concept c;
    if (!med_importer_code(r->i, t, field(t, r->at[CODE]), &c, err))
        return false;
    med_str shown = field(t, r->at[DISPLAY]), name = field(t, r->at[NAME]);
    med_image_builder_display(r->i->b, c, shown.len > 0 ? shown : name);
    if (!med_str_eq(shown, name) && shown.len > 0)
        name_it(r, c, r->i->head.language, "", name);
    if (med_str_eqz(field(t, r->at[STATUS]), "DEPRECATED"))
        med_image_builder_flags(r->i->b, c, MED_CONCEPT_INACTIVE);
    if (field(t, r->at[KIND]).len > 0)
        put(r, c, MED_STR("PartTypeName"), MED_PROPERTY_STRING, field(t, r->at[KIND]));
    return true;
}

/* The axis of a term: http://loinc.org/property/COMPONENT is COMPONENT. */
static bool add_part_link(release *r, const med_table *t, med_err *err)
{
    enum { TERM, PART, NAME, PROPERTY };
    med_concept term, part;
    med_str property = field(t, r->at[PROPERTY]), code = field(t, r->at[PART]);
    med_str base = MED_STR(LOINC "/property/");
    if (med_str_starts(property, base))
        property = med_str_skip(property, base.len);
    if (property.len == 0)
        return med_table_fault(t, err, "the link names no property");
    if (!known(r, t, field(t, r->at[TERM]), &term, err)
        || !named(r, t, code, field(t, r->at[NAME]), &part, err))
        return false;
    med_buf b;
    med_buf_init(&b, 1 << 16);
    med_json_writer w = med_json_writer_to(&b);
    med_json_open(&w, '{');
    med_json_pair(&w, "system", MED_STR(LOINC));
    med_json_pair(&w, "code", code);
    med_json_pair(&w, "display", field(t, r->at[NAME]));
    med_json_close(&w, '}');
    bool ok = !b.failed;
    if (ok)
        put(r, term, property, MED_PROPERTY_CODING, med_buf_str(&b));
    med_buf_free(&b);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* A list and one of its answers, in the order of the file; or who defines the list elsewhere. */
static bool add_answer(release *r, const med_table *t, med_err *err)
{
    enum { LIST, NAME, ANSWER, TEXT, DEFINED_BY };
    med_concept list, answer;
    med_str code = field(t, r->at[ANSWER]), by = field(t, r->at[DEFINED_BY]);
    if (!named(r, t, field(t, r->at[LIST]), field(t, r->at[NAME]), &list, err))
        return false;
    if (code.len == 0 && by.len > 0)
        put(r, list, MED_STR("answers-defined-by"), MED_PROPERTY_STRING, by);
    if (code.len == 0)
        return true;
    if (!named(r, t, code, field(t, r->at[TEXT]), &answer, err))
        return false;
    put(r, list, MED_STR("answer"), MED_PROPERTY_CODE, code);
    return true;
}

static bool add_answer_link(release *r, const med_table *t, med_err *err)
{
    enum { TERM, LIST, NAME };
    med_concept term, list;
    if (!known(r, t, field(t, r->at[TERM]), &term, err)
        || !named(r, t, field(t, r->at[LIST]), field(t, r->at[NAME]), &list, err))
        return false;
    put(r, term, MED_STR("answer-list"), MED_PROPERTY_CODE, field(t, r->at[LIST]));
    return true;
}

static bool add_place(release *r, const med_table *t, med_err *err)
{
    enum { PARENT, CODE, TEXT };
    med_concept child, parent;
    med_str above = field(t, r->at[PARENT]);
    if (!named(r, t, field(t, r->at[CODE]), field(t, r->at[TEXT]), &child, err))
        return false;
    if (above.len == 0)
        return true;
    parent = med_image_builder_find(r->i->b, above);
    if (parent == MED_CONCEPT_NONE)
        return med_table_fault(t, err, "the parent is no code of an earlier row or file");
    return med_importer_parent(r->i, t, child, parent, err);
}

static bool add_variant(release *r, const med_table *t, med_err *err)
{
    enum { CODE, LONG, SHOWN, SHORT };
    med_concept c;
    if (!known(r, t, field(t, r->at[CODE]), &c, err))
        return false;
    name_it(r, c, r->language, "", field(t, r->at[LONG]));
    name_it(r, c, r->language, "DisplayName", field(t, r->at[SHOWN]));
    name_it(r, c, r->language, "SHORTNAME", field(t, r->at[SHORT]));
    return true;
}

/* ---- files ---- */

static const struct {
    const char *columns[COLUMNS]; /* what begins with '?' may be missing */
    bool (*row)(release *r, const med_table *t, med_err *err);
} tables[KINDS] = {
    [TERMS] = {{"LOINC_NUM", "LONG_COMMON_NAME", "?SHORTNAME", "?DisplayName",
                "?DefinitionDescription", "?STATUS"},
               add_term},
    [PARTS] = {{"PartNumber", "PartTypeName", "PartName", "?PartDisplayName", "?Status"}, add_part},
    [PART_LINKS] = {{"LoincNumber", "PartNumber", "PartName", "Property"}, add_part_link},
    [ANSWERS] = {{"AnswerListId", "AnswerListName", "AnswerStringId", "DisplayText",
                  "?ExtDefinedAnswerListCodeSystem"},
                 add_answer},
    [ANSWER_LINKS] = {{"LoincNumber", "AnswerListId", "AnswerListName"}, add_answer_link},
    [HIERARCHY] = {{"IMMEDIATE_PARENT", "CODE", "CODE_TEXT"}, add_place},
    [VARIANTS] = {{"LOINC_NUM", "?LONG_COMMON_NAME", "?LinguisticVariantDisplayName", "?SHORTNAME"},
                  add_variant},
};

/* "deAT24LinguisticVariant.csv": the language and the country. */
static bool variant_language(med_str name, med_str *language, med_str *country)
{
    *language = med_str_sub(name, 0, 2);
    *country = med_str_sub(name, 2, 4);
    return name.len > 4 && med_str_ends(name, MED_STR("LinguisticVariant.csv"))
           && med_is_lower(name.ptr[0]) && med_is_lower(name.ptr[1]) && med_is_upper(name.ptr[2])
           && med_is_upper(name.ptr[3]);
}

static int kind_of(med_str name)
{
    static const struct {
        const char *name;
        enum kind kind;
    } files[] = {{"Loinc.csv", TERMS},
                 {"Part.csv", PARTS},
                 {"LoincPartLink_Primary.csv", PART_LINKS},
                 {"AnswerList.csv", ANSWERS},
                 {"LoincAnswerListLink.csv", ANSWER_LINKS},
                 {"ComponentHierarchyBySystem.csv", HIERARCHY},
                 {"MultiAxialHierarchy.csv", HIERARCHY}};
    med_str language, country;
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        if (med_str_eqz(name, files[k].name))
            return (int)files[k].kind;
    }
    return variant_language(name, &language, &country) ? VARIANTS : MED_RELEASE_OTHER;
}

static bool find_columns(const med_table *t, void *arg, med_err *err)
{
    release *r = arg;
    med_str language, country;
    for (size_t k = 0; k < COLUMNS; k++) {
        const char *name = tables[r->reading].columns[k];
        bool optional = name != NULL && name[0] == '?';
        r->at[k] = name == NULL ? SIZE_MAX : med_table_column(t, name + (optional ? 1 : 0));
        if (name != NULL && !optional && r->at[k] == SIZE_MAX)
            return med_table_fault(
                t, err, med_arena_printf(r->i->arena, "the header names no column %s", name).ptr);
    }
    r->language = MED_STR_EMPTY;
    if (r->reading == VARIANTS && variant_language(med_str_from(t->name), &language, &country))
        r->language =
            med_arena_printf(r->i->arena, "%.*s-%.*s", MED_STR_ARG(language), MED_STR_ARG(country));
    return true;
}

static bool add_row(const med_table *t, void *arg, med_err *err)
{
    release *r = arg;
    return tables[r->reading].row(r, t, err);
}

/* "Loinc_2.78" somewhere in the path. */
static med_str version_of(const char *path)
{
    med_str p = med_str_from(path), mark = MED_STR("Loinc_");
    size_t at = med_str_search(p, mark, 0);
    p = med_str_skip(p, at < p.len ? at + mark.len : p.len);
    size_t n = 0;
    while (n < p.len && (med_is_digit(p.ptr[n]) || p.ptr[n] == '.'))
        n++;
    return med_str_sub(p, 0, n);
}

static bool find_files(release *r, med_err *err)
{
    struct stat st;
    const char *path = r->i->o->path;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        r->found.files[r->found.n++] = (med_release_file){path, TERMS, (size_t)st.st_size};
        r->i->bytes = (size_t)st.st_size;
        return true;
    }
    if (!med_release_find(r->i, kind_of, &r->found, err))
        return false;
    return med_release_has(&r->found, TERMS)
               ? true
               : MED_FAIL(err, MED_ISSUE_NOT_FOUND, "the folder holds no Loinc.csv");
}

bool med_import_loinc(med_importer *i, med_err *err)
{
    static const med_release_table how = {',', true, find_columns, add_row};
    release *r = MED_TAKE(i->arena, 1, release);
    if (r == NULL)
        return MED_FAIL_MEMORY(err);
    r->i = i;
    if (i->head.url.len == 0)
        i->head.url = MED_STR(LOINC);
    if (i->head.version.len == 0)
        i->head.version = version_of(i->o->path);
    i->head.case_sensitive = false;
    bool ok = find_files(r, err);
    for (r->reading = TERMS; ok && r->reading < KINDS; r->reading++) {
        for (size_t f = 0; ok && f < r->found.n; f++) {
            if (r->found.files[f].kind == (int)r->reading)
                ok = med_release_read(i, &r->found.files[f], &how, r, err);
        }
    }
    return ok;
}
