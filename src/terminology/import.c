/* import.c - see import.h. */
#include "terminology/code_system_json.h"
#include "terminology/import_impl.h"

#include <stdio.h>
#include <sys/stat.h>

static const char *const names[MED_IMPORT_FORMATS] = {
    [MED_IMPORT_SNOMED] = "snomed", [MED_IMPORT_LOINC] = "loinc", [MED_IMPORT_CLAML] = "claml",
    [MED_IMPORT_ICD10] = "icd10",   [MED_IMPORT_ATC] = "atc",     [MED_IMPORT_CSV] = "csv",
    [MED_IMPORT_JSON] = "json",
};

bool med_import_format_named(med_str name, enum med_import_format *out, med_str *nearest)
{
    med_str all[MED_IMPORT_FORMATS];
    for (int i = 0; i < MED_IMPORT_FORMATS; i++) {
        all[i] = med_str_from(names[i]);
        if (med_str_eq(name, all[i])) {
            *out = (enum med_import_format)i;
            return true;
        }
    }
    *nearest = med_str_nearest(name, all, MED_IMPORT_FORMATS);
    return false;
}

static bool holds(const char *folder, const char *file)
{
    struct stat st;
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", folder, file);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0;
}

bool med_import_format_of(const char *path, enum med_import_format *out)
{
    struct stat st;
    med_str p = med_str_from(path);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        *out = holds(path, "LoincTable/Loinc.csv") || holds(path, "Loinc.csv") ? MED_IMPORT_LOINC
                                                                               : MED_IMPORT_SNOMED;
    else if (med_str_ends(p, MED_STR(".json")))
        *out = MED_IMPORT_JSON;
    else if (med_str_ends(p, MED_STR(".xml")))
        *out = MED_IMPORT_CLAML;
    else if (med_str_ends(p, MED_STR("Loinc.csv")))
        *out = MED_IMPORT_LOINC;
    else
        return false;
    return true;
}

const char *med_import_licence(enum med_import_format format)
{
    switch (format) {
    case MED_IMPORT_SNOMED:
        return "SNOMED CT is licensed by SNOMED International: use needs an affiliate licence, "
               "which member countries give for free (https://www.snomed.org/get-snomed).";
    case MED_IMPORT_LOINC:
        return "LOINC is copyright Regenstrief Institute, Inc. and the LOINC Committee, free of "
               "charge under the licence at https://loinc.org/license.";
    case MED_IMPORT_CLAML:
    case MED_IMPORT_ICD10:
        return "ICD-10 is copyright the World Health Organization; national editions belong to "
               "their publishers. Check that your licence covers this use.";
    case MED_IMPORT_ATC:
        return "ATC is copyright the WHO Collaborating Centre for Drug Statistics Methodology, "
               "Oslo: use needs its permission for commercial purposes.";
    case MED_IMPORT_CSV:
    case MED_IMPORT_JSON:
        break;
    }
    return "Check that you may use this code system: the file says nothing that a program could "
           "judge.";
}

bool med_importer_step(med_importer *i, const med_table *t, med_err *err)
{
    enum { EVERY = 4096 };
    i->done++;
    if (i->done % EVERY != 0 || i->o->progress == NULL)
        return true;
    size_t read = i->bytes_before + (t->size - t->text.len);
    size_t whole = i->bytes > t->size ? i->bytes : t->size;
    if (i->o->progress(i->o->progress_arg, (double)read / (double)whole * 0.9, i->done))
        return true;
    return MED_FAIL(err, MED_ISSUE_INCOMPLETE, "stopped; nothing was changed");
}

static bool is_code(med_str s)
{
    for (size_t k = 0; k < s.len; k++) {
        if ((unsigned char)s.ptr[k] < ' ')
            return false;
    }
    return s.len > 0;
}

bool med_importer_code(med_importer *i, const med_table *t, med_str code, med_concept *out,
                       med_err *err)
{
    bool is_new;
    if (!is_code(code))
        return med_table_fault(
            t, err, code.len == 0 ? "the row has no code" : "the code has a control character");
    *out = med_image_builder_concept(i->b, code, &is_new);
    if (!is_new && *out != MED_CONCEPT_NONE)
        return med_table_fault(t, err, "the code stood in an earlier row");
    return true;
}

bool med_importer_parent(med_importer *i, const med_table *t, med_concept child, med_concept parent,
                         med_err *err)
{
    if (child == parent)
        return med_table_fault(t, err, "the code is its own parent");
    med_image_builder_mark(i->b, (uint32_t)t->line);
    i->linked_by = t->name;
    med_image_builder_parent(i->b, child, parent);
    return true;
}

static bool import_json(med_arena *a, const med_import *o, med_buf *out, med_err *err)
{
    void *map;
    size_t size;
    med_json j;
    med_str type, url;
    const med_image *m;
    if (!med_file_map(o->path, &map, &size, err))
        return false;
    med_str text = {map, size};
    if (size >= 3 && memcmp(map, "\xEF\xBB\xBF", 3) == 0)
        text = med_str_skip(text, 3);
    bool ok = med_json_parse(a, text, &j, NULL, err);
    if (ok
        && !(med_json_text(a, &j, 0, "resourceType", &type)
             && med_json_text(a, &j, 0, "url", &url)))
        ok = MED_FAIL_MEMORY(err);
    if (ok && !med_str_eqz(type, "CodeSystem"))
        ok = MED_FAIL(err, MED_ISSUE_INVALID, "it holds no CodeSystem");
    if (ok && url.len == 0)
        ok = MED_FAIL(err, MED_ISSUE_REQUIRED, "the CodeSystem has no url, by which it is known");
    ok = ok && med_code_system_compile(a, &j, 0, MED_COMPILE_STRICT, out, err);
    if (ok && med_image_open(med_buf_str(out), &m, err) && med_image_count(m) == 0)
        ok = MED_FAIL(err, MED_ISSUE_INVALID, "it holds no codes (concept)");
    med_file_unmap(map, size);
    if (!ok) {
        med_err why = *err;
        (void)MED_FAIL(err, why.issue, "%.100s: %s; nothing was changed", med_file_name(o->path),
                       why.text);
    }
    return ok;
}

/* What a CodeSystem resource would say of it. */
static med_str meta_of(const med_importer *i, const char *name)
{
    return med_arena_printf(i->arena,
                            "{\"resourceType\":\"CodeSystem\",\"url\":\"%.*s\",\"version\":\"%.*s\""
                            ",\"name\":\"%s\",\"status\":\"active\",\"content\":\"complete\"}",
                            MED_STR_ARG(i->head.url), MED_STR_ARG(i->head.version), name);
}

static bool run(med_importer *i, med_err *err)
{
    switch (i->o->format) {
    case MED_IMPORT_SNOMED:
        return med_import_snomed(i, err);
    case MED_IMPORT_LOINC:
        return med_import_loinc(i, err);
    case MED_IMPORT_CLAML:
        return med_import_claml(i, err);
    case MED_IMPORT_ICD10:
    case MED_IMPORT_ATC:
    case MED_IMPORT_CSV:
    case MED_IMPORT_JSON:
        break;
    }
    return med_import_csv(i, err);
}

static bool is_plain(med_str s)
{
    for (size_t k = 0; k < s.len; k++) {
        if ((unsigned char)s.ptr[k] < ' ' || s.ptr[k] == '"' || s.ptr[k] == '\\')
            return false;
    }
    return true;
}

static bool check_hierarchy(const med_importer *i, med_err *err)
{
    med_concept at[MED_CIRCLE];
    size_t n;
    uint32_t mark;
    med_image_builder_circle(i->b, at, &n, &mark);
    return med_hierarchy_check(
        i->arena, i->b,
        med_arena_printf(i->arena, "%.100s, line %u: ",
                         i->linked_by == NULL ? med_file_name(i->o->path) : i->linked_by, mark),
        err);
}

bool med_term_import(med_arena *a, const med_import *o, med_buf *out, med_err *err)
{
    static const char *const titles[MED_IMPORT_FORMATS] = {
        [MED_IMPORT_SNOMED] = "SNOMED_CT", [MED_IMPORT_LOINC] = "LOINC", [MED_IMPORT_CLAML] = "ICD",
        [MED_IMPORT_ICD10] = "ICD_10",     [MED_IMPORT_ATC] = "ATC",     [MED_IMPORT_CSV] = "Codes",
        [MED_IMPORT_JSON] = "Codes",
    };
    med_importer i = {.o = o, .arena = a};
    if (o->format == MED_IMPORT_JSON)
        return import_json(a, o, out, err);
    i.head = (med_image_head){.url = o->system,
                              .version = o->version,
                              .language = o->language.len > 0 ? o->language : MED_STR("en"),
                              .supplements = MED_STR_EMPTY,
                              .case_sensitive = true,
                              .index_words = true};
    i.b = med_image_builder_new();
    if (i.b == NULL)
        return MED_FAIL_MEMORY(err);
    bool ok = run(&i, err);
    if (ok && (i.head.url.len == 0 || !is_plain(i.head.url) || !is_plain(i.head.version)))
        ok = MED_FAIL(err, MED_ISSUE_REQUIRED, "say which system this is: --system URL");
    if (ok && med_image_builder_count(i.b) == 0)
        ok = MED_FAIL(err, MED_ISSUE_INVALID, "the file holds no codes; nothing was changed");
    if (ok) {
        i.head.meta = meta_of(&i, titles[o->format]);
        ok = med_image_builder_finish(i.b, &i.head, out, err) && check_hierarchy(&i, err);
    }
    med_image_builder_free(i.b);
    return ok;
}
