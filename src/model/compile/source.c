/* source.c - see source.h. */
#include "model/compile/source.h"

#include <stdio.h>

static bool read_stream(med_arena *a, FILE *file, const char *path, med_str *out, med_err *err)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "%s: can not tell its size", path);
    char *bytes = MED_TAKE(a, (size_t)size + 1, char);
    if (bytes == NULL)
        return MED_FAIL_MEMORY(err);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "%s: can not be read", path);
    *out = (med_str){bytes, (size_t)size};
    return true;
}

bool med_source_read(med_arena *a, const char *path, med_str *out, med_err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "%s: can not be opened", path);
    bool ok = read_stream(a, file, path, out, err);
    (void)!fclose(file); /* only read */
    return ok;
}

static bool load_one(med_arena *a, const char *folder, const char *name, med_json *out,
                     med_err *err)
{
    med_str path = med_arena_printf(a, "%s/%s", folder, name);
    med_str text = MED_STR_EMPTY;
    if (!med_source_read(a, path.ptr, &text, err))
        return false;
    med_json_error where;
    if (!med_json_parse(a, text, out, &where, err))
        return MED_FAIL(err, MED_ISSUE_INVALID, "%s:%zu:%zu: no JSON", name, where.line,
                        where.column);
    return true;
}

bool med_source_load(med_arena *a, const char *folder, med_source *out, med_err *err)
{
    return load_one(a, folder, "Bundle-types.json", &out->types, err)
           && load_one(a, folder, "Bundle-resources.json", &out->resources, err)
           && load_one(a, folder, "Bundle-searchParams.json", &out->params, err)
           && load_one(a, folder, "Bundle-valueset-expansions.json", &out->expansions, err)
           && load_one(a, folder, "Bundle-extensions.json", &out->extensions, err);
}

static med_str text_of(med_arena *a, const med_json *j, uint32_t node)
{
    med_str text = MED_STR_EMPTY;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING
        || !med_json_string(a, j, node, &text))
        return MED_STR_EMPTY;
    return text;
}

med_str med_source_text(med_arena *a, const med_json *j, uint32_t object, const char *key)
{
    return text_of(a, j, med_json_member(j, object, med_str_from(key)));
}

med_str med_source_path(med_arena *a, const med_json *j, uint32_t object, const char *dotted)
{
    return text_of(a, j, med_json_path(j, object, dotted));
}

bool med_source_true(const med_json *j, uint32_t object, const char *key)
{
    uint32_t node = med_json_member(j, object, med_str_from(key));
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_TRUE;
}

uint32_t med_source_first(const med_json *j, uint32_t object, const char *key, uint32_t *end)
{
    uint32_t node = med_json_member(j, object, med_str_from(key));
    *end = 0;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_ARRAY)
        return 1;
    *end = j->nodes[node].next;
    return node + 1;
}

uint32_t med_source_next(const med_json *bundle, uint32_t *entry)
{
    uint32_t list = med_json_member(bundle, 0, MED_STR("entry"));
    if (list == 0)
        return 0;
    *entry = *entry == 0 ? list + 1 : bundle->nodes[*entry].next;
    return *entry < bundle->nodes[list].next ? med_json_member(bundle, *entry, MED_STR("resource"))
                                             : 0;
}
