/* extension_compiler.c - see extension_compiler.h. */
#include "model/compile/extension_compiler.h"

#include <stdlib.h>

enum { EXTENSIONS_MAX = 4096, PARTS_MAX = 64 };

struct definition {
    med_str url;
    uint32_t node; /* the StructureDefinition */
};

struct compiler {
    med_pack_writer *w;
    med_arena *a;
    const med_pack *pack;
    const med_json *j;
    struct definition *all;
    size_t n;
};

static int by_url(const void *left, const void *right)
{
    const struct definition *a = left, *b = right;
    return med_str_compare(a->url, b->url);
}

static bool collect(struct compiler *c)
{
    uint32_t entry = 0;
    c->all = MED_TAKE(c->a, EXTENSIONS_MAX, struct definition);
    for (uint32_t r; c->all != NULL && (r = med_source_next(c->j, &entry)) != 0;) {
        med_str url = med_source_text(c->a, c->j, r, "url");
        if (url.len > 0 && med_str_eqz(med_source_text(c->a, c->j, r, "type"), "Extension")
            && c->n < EXTENSIONS_MAX)
            c->all[c->n++] = (struct definition){url, r};
    }
    if (c->all != NULL)
        qsort(c->all, c->n, sizeof *c->all, by_url);
    return c->all != NULL;
}

static uint16_t number(const struct compiler *c, uint32_t element, const char *key)
{
    uint32_t node = med_json_member(c->j, element, med_str_from(key));
    int64_t n = 0;
    if (node == 0)
        return 0;
    return med_str_to_int64(med_json_raw(c->j, node), &n) ? (uint16_t)n : MED_MAX_UNBOUNDED;
}

static struct pack_range contexts_of(struct compiler *c, uint32_t definition)
{
    struct pack_range range = {med_pack_writer_count(c->w, PACK_CONTEXTS), 0};
    uint32_t end = 0;
    for (uint32_t i = med_source_first(c->j, definition, "context", &end); i < end;
         i = c->j->nodes[i].next) {
        struct pack_str text =
            med_pack_writer_string(c->w, med_source_text(c->a, c->j, i, "expression"));
        (void)MED_PACK_ADD(c->w, PACK_CONTEXTS, &text);
        range.n++;
    }
    return range;
}

/* Types of a value[x]; none when it may be any. */
static struct pack_range types_of(struct compiler *c, uint32_t element)
{
    enum { ALL_TYPES = 20 }; /* more than that, and it is "any" */
    struct pack_range range = {med_pack_writer_count(c->w, PACK_TYPE_LIST), 0};
    uint32_t end = 0;
    uint32_t list = med_json_member(c->j, element, MED_STR("type"));
    if (list == 0 || c->j->nodes[list].count > ALL_TYPES)
        return range;
    for (uint32_t i = med_source_first(c->j, element, "type", &end); i < end;
         i = c->j->nodes[i].next) {
        med_type type = med_pack_type(c->pack, med_source_text(c->a, c->j, i, "code"));
        if (type == MED_TYPE_NONE)
            continue;
        (void)MED_PACK_ADD(c->w, PACK_TYPE_LIST, &type);
        range.n++;
    }
    return range;
}

/* What a value[x] element says of its extension. */
static void read_value(struct compiler *c, uint32_t element, struct pack_extension *out)
{
    if (number(c, element, "max") == 0)
        return;
    out->flags |= PACK_EXTENSION_VALUE;
    out->types = types_of(c, element);
}

/* The elements of a snapshot stand in order: those of a part follow its slice. */
static void read_elements(struct compiler *c, uint32_t snapshot, struct pack_extension *row,
                          struct pack_extension *parts, size_t *n_parts)
{
    uint32_t end = 0;
    for (uint32_t i = med_source_first(c->j, snapshot, "element", &end); i < end;
         i = c->j->nodes[i].next) {
        med_str path = med_source_text(c->a, c->j, i, "path");
        med_str slice = med_source_text(c->a, c->j, i, "sliceName");
        if (med_str_eqz(path, "Extension") && med_source_true(c->j, i, "isModifier"))
            row->flags |= PACK_EXTENSION_MODIFIER;
        else if (med_str_eqz(path, "Extension.value[x]"))
            read_value(c, i, row);
        else if (med_str_eqz(path, "Extension.extension") && slice.len == 0)
            row->flags |= number(c, i, "max") == 0 ? 0 : PACK_EXTENSION_PARTS_TOO;
        else if (med_str_eqz(path, "Extension.extension") && *n_parts < PARTS_MAX)
            parts[(*n_parts)++] = (struct pack_extension){
                .url = med_pack_writer_string(c->w, slice),
                .min = number(c, i, "min"),
                .max = number(c, i, "max"),
            };
        else if (*n_parts > 0 && med_str_eqz(path, "Extension.extension.value[x]"))
            read_value(c, i, &parts[*n_parts - 1]);
        else if (*n_parts > 0 && med_str_eqz(path, "Extension.extension.extension")
                 && number(c, i, "max") > 0)
            parts[*n_parts - 1].flags |= PACK_EXTENSION_PARTS_TOO;
        else if (*n_parts > 0 && med_str_eqz(path, "Extension.extension.url"))
            parts[*n_parts - 1].url =
                med_pack_writer_string(c->w, med_source_text(c->a, c->j, i, "fixedUri"));
    }
}

static bool add_extension(struct compiler *c, const struct definition *d, med_err *err)
{
    struct pack_extension parts[PARTS_MAX];
    size_t n_parts = 0;
    struct pack_extension row = {
        .url = med_pack_writer_string(c->w, d->url),
        .contexts = contexts_of(c, d->node),
        .max = MED_MAX_UNBOUNDED,
    };
    uint32_t snapshot = med_json_member(c->j, d->node, MED_STR("snapshot"));
    if (snapshot == 0)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE, "%.*s has no snapshot", MED_STR_ARG(d->url));
    read_elements(c, snapshot, &row, parts, &n_parts);
    row.parts =
        (struct pack_range){med_pack_writer_count(c->w, PACK_EXTENSION_PARTS), (uint32_t)n_parts};
    for (size_t i = 0; i < n_parts; i++)
        (void)MED_PACK_ADD(c->w, PACK_EXTENSION_PARTS, &parts[i]);
    (void)MED_PACK_ADD(c->w, PACK_EXTENSIONS, &row);
    return true;
}

bool med_extensions_compile(med_pack_writer *w, const med_pack *pack, const med_source *source,
                            med_err *err)
{
    struct compiler c = {.w = w, .a = w->arena, .pack = pack, .j = &source->extensions};
    if (!collect(&c))
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < c.n; i++) {
        if (!add_extension(&c, &c.all[i], err))
            return false;
    }
    return true;
}
