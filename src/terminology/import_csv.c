/* import_csv.c - code systems in comma-separated files: ICD-10, ATC, and plain ones. */
#include "terminology/import_impl.h"

typedef struct columns {
    size_t code, display, definition, parent, status;
} columns;

static med_str field(const med_table *t, size_t column)
{
    return column < t->n ? med_str_trim(t->fields[column]) : MED_STR_EMPTY;
}

static size_t first_column(const med_table *t, const char *const *wanted)
{
    size_t found = SIZE_MAX;
    for (; *wanted != NULL && found == SIZE_MAX; wanted++)
        found = med_table_column(t, *wanted);
    return found;
}

static bool find_columns(const med_table *t, columns *c, med_err *err)
{
    static const char *const codes[] = {"code",     "ATC code", "atc_code", "icd10",
                                        "icd_code", "kode",     NULL};
    static const char *const displays[] = {"display", "ATC level name", "atc_name", "name",
                                           "title",   "description",    NULL};
    static const char *const definitions[] = {"definition", NULL};
    static const char *const parents[] = {"parent", "parents", NULL};
    static const char *const statuses[] = {"status", NULL};
    *c = (columns){first_column(t, codes), first_column(t, displays), first_column(t, definitions),
                   first_column(t, parents), first_column(t, statuses)};
    if (c->code == SIZE_MAX)
        return med_table_fault(t, err, "the header names no column for the code (\"code\")");
    if (c->display == SIZE_MAX)
        return med_table_fault(t, err, "the header names no column for the display (\"display\")");
    return true;
}

static unsigned flags_of(med_str status)
{
    if (med_str_eq_ignore_case(status, MED_STR("deprecated")))
        return MED_CONCEPT_DEPRECATED;
    if (med_str_eq_ignore_case(status, MED_STR("retired"))
        || med_str_eq_ignore_case(status, MED_STR("inactive")))
        return MED_CONCEPT_INACTIVE;
    return 0;
}

/* What is in no column of its own: display@de is a designation, all else a property. */
static void add_rest(med_importer *i, const med_table *t, const columns *c, med_concept concept)
{
    for (size_t k = 0; k < t->n; k++) {
        med_str value = med_str_trim(t->fields[k]), language;
        if (value.len == 0 || k == c->code || k == c->display || k == c->definition
            || k == c->parent)
            continue;
        med_str name = med_str_cut(t->header[k], '@', &language);
        if (language.len > 0 && med_str_eq_ignore_case(name, MED_STR("display"))) {
            med_designation d = {language,      MED_STR_EMPTY, MED_STR_EMPTY,
                                 MED_STR_EMPTY, value,         MED_STR_EMPTY};
            med_image_builder_designation(i->b, concept, &d);
            continue;
        }
        uint16_t def = med_image_builder_property_def(i->b, t->header[k], MED_STR_EMPTY,
                                                      MED_STR_EMPTY, MED_PROPERTY_STRING);
        med_image_builder_property(i->b, concept, def, MED_PROPERTY_STRING, value);
    }
}

static bool add_row(med_importer *i, const med_table *t, const columns *c, med_err *err)
{
    med_str code = field(t, c->code);
    med_concept concept;
    if (i->o->format == MED_IMPORT_ATC /* a row for each dose of a substance */
        && med_image_builder_find(i->b, code) != MED_CONCEPT_NONE)
        return true;
    if (!med_importer_code(i, t, code, &concept, err))
        return false;
    med_image_builder_display(i->b, concept, field(t, c->display));
    med_image_builder_definition(i->b, concept, field(t, c->definition));
    med_image_builder_flags(i->b, concept, flags_of(field(t, c->status)));
    add_rest(i, t, c, concept);
    return true;
}

/* ---- parents ---- */

/* The code above by its shape: "A10BA02" is below "A10BA", "E11.9" below "E11". */
static med_str above(enum med_import_format format, med_str code)
{
    static const size_t levels[] = {5, 4, 3, 1};
    if (format == MED_IMPORT_ICD10) {
        size_t dot = med_str_find(code, '.', 0);
        if (dot == code.len)
            return MED_STR_EMPTY;
        return med_str_sub(code, 0, code.len - dot <= 2 ? dot : code.len - 1);
    }
    for (size_t k = 0; k < sizeof levels / sizeof *levels; k++) {
        if (code.len > levels[k])
            return med_str_sub(code, 0, levels[k]);
    }
    return MED_STR_EMPTY;
}

/* Of a row with a parent column: one code, or several with ';' between. */
static bool link_row(med_importer *i, const med_table *t, const columns *c, med_err *err)
{
    med_str code = field(t, c->code), parents = field(t, c->parent);
    med_concept child = med_image_builder_find(i->b, code);
    if (c->parent == SIZE_MAX) {
        med_concept parent = MED_CONCEPT_NONE;
        if (i->o->format == MED_IMPORT_CSV)
            return true;
        for (med_str up = above(i->o->format, code); parent == MED_CONCEPT_NONE && up.len > 0;
             up = above(i->o->format, up))
            parent = med_image_builder_find(i->b, up);
        if (parent != MED_CONCEPT_NONE)
            return med_importer_parent(i, t, child, parent, err);
        return true;
    }
    while (parents.len > 0) {
        med_str one = med_str_trim(med_str_cut(parents, ';', &parents));
        med_concept parent = one.len == 0 ? MED_CONCEPT_NONE : med_image_builder_find(i->b, one);
        if (one.len > 0 && parent == MED_CONCEPT_NONE)
            return med_table_fault(t, err, "the parent is no code of this file");
        if (one.len > 0 && !med_importer_parent(i, t, child, parent, err))
            return false;
    }
    return true;
}

static bool read_rows(med_importer *i, bool linking, med_err *err)
{
    med_table t;
    columns c;
    bool more = true;
    if (!med_table_open(i->arena, i->o->path, ',', true, &t, err))
        return false;
    i->bytes = 2 * t.size;
    i->bytes_before = linking ? t.size : 0;
    bool ok = find_columns(&t, &c, err);
    while (ok && more) {
        ok = med_table_next(&t, &more, err);
        if (ok && more)
            ok = (linking ? link_row(i, &t, &c, err) : add_row(i, &t, &c, err))
                 && med_importer_step(i, &t, err);
    }
    med_table_close(&t);
    return ok;
}

bool med_import_csv(med_importer *i, med_err *err)
{
    if (i->head.url.len == 0 && i->o->format == MED_IMPORT_ICD10)
        i->head.url = MED_STR("http://hl7.org/fhir/sid/icd-10");
    if (i->head.url.len == 0 && i->o->format == MED_IMPORT_ATC)
        i->head.url = MED_STR("http://www.whocc.no/atc");
    return read_rows(i, false, err) && read_rows(i, true, err);
}
