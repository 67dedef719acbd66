/* pack_writer.c - see pack_writer.h. */
#include "model/compile/pack_writer.h"

#include "base/hash.h"

enum {
    FIRST_STRING_SLOTS = 1 << 14,
    EXTRACTION = 1, /* to be raised when the walk takes other values by the same trie */
};
#define SECTION_LIMIT ((size_t)64 << 20)

static const med_hash_key pool_key = {1, 2}; /* a compiler has no enemy inside */

void med_pack_writer_init(med_pack_writer *w, med_arena *a)
{
    *w = (med_pack_writer){.arena = a};
    for (int id = 0; id < PACK_SECTIONS; id++)
        med_buf_init(&w->sections[id], SECTION_LIMIT);
    w->n_string_slots = FIRST_STRING_SLOTS;
    w->strings = MED_TAKE(a, w->n_string_slots, struct pack_str);
    w->failed = w->strings == NULL;
    med_buf_addc(&w->sections[PACK_STRINGS], '\0'); /* offset 0 is the empty string */
}

void med_pack_writer_free(med_pack_writer *w)
{
    for (int id = 0; id < PACK_SECTIONS; id++)
        med_buf_free(&w->sections[id]);
}

uint32_t med_pack_writer_count(const med_pack_writer *w, enum pack_section_id id)
{
    return (uint32_t)(w->sections[id].len / med_pack_row_size(id));
}

uint32_t med_pack_writer_add(med_pack_writer *w, enum pack_section_id id, const void *row,
                             size_t size)
{
    uint32_t n = med_pack_writer_count(w, id);
    med_buf_add(&w->sections[id], (med_str){row, size});
    w->failed = w->failed || w->sections[id].failed;
    return n;
}

void *med_pack_writer_row(med_pack_writer *w, enum pack_section_id id, uint32_t i)
{
    return w->sections[id].ptr + i * med_pack_row_size(id);
}

/* ---- strings ---- */

med_str med_pack_writer_text(const med_pack_writer *w, struct pack_str s)
{
    return (med_str){w->sections[PACK_STRINGS].ptr + s.at, s.len};
}

/* The slot where s is or belongs. */
static struct pack_str *string_slot(const med_pack_writer *w, med_str s)
{
    size_t mask = w->n_string_slots - 1;
    size_t at = med_siphash(pool_key, s) & mask;
    while (w->strings[at].at != 0 && !med_str_eq(med_pack_writer_text(w, w->strings[at]), s))
        at = (at + 1) & mask;
    return &w->strings[at];
}

static bool grow_strings(med_pack_writer *w)
{
    struct pack_str *old = w->strings;
    size_t n_old = w->n_string_slots;
    struct pack_str *fresh = MED_TAKE(w->arena, n_old * 2, struct pack_str);
    if (fresh == NULL)
        return false;
    w->strings = fresh;
    w->n_string_slots = n_old * 2;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].at != 0)
            *string_slot(w, med_pack_writer_text(w, old[i])) = old[i];
    }
    return true;
}

struct pack_str med_pack_writer_string(med_pack_writer *w, med_str s)
{
    struct pack_str none = {0, 0};
    if (s.len == 0 || w->failed)
        return none;
    struct pack_str *slot = string_slot(w, s);
    if (slot->at != 0)
        return *slot;
    med_buf *pool = &w->sections[PACK_STRINGS];
    struct pack_str fresh = {(uint32_t)pool->len, (uint32_t)s.len};
    med_buf_add(pool, s);
    med_buf_addc(pool, '\0');
    *slot = fresh;
    w->failed = pool->failed || (++w->n_strings * 2 > w->n_string_slots && !grow_strings(w));
    return w->failed ? none : fresh;
}

struct pack_name med_pack_writer_name(med_pack_writer *w, med_str s)
{
    struct med_name name = med_name_of(s);
    return (struct pack_name){name.head, name.tail, med_pack_writer_string(w, s)};
}

/* ---- tables ---- */

struct pack_table med_pack_writer_table(med_pack_writer *w, const med_str *names, size_t n)
{
    size_t slots = 2;
    while (slots < n * 2)
        slots *= 2;
    struct pack_table table = {med_pack_writer_count(w, PACK_SLOTS), (uint32_t)slots - 1};
    uint16_t *at = MED_TAKE(w->arena, slots, uint16_t);
    if (at == NULL || n >= PACK_EMPTY_SLOT) {
        w->failed = true;
        return table;
    }
    memset(at, 0xFF, slots * sizeof *at);
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = med_name_hash(med_name_of(names[i])) & table.mask;
        while (at[slot] != PACK_EMPTY_SLOT)
            slot = (slot + 1) & table.mask;
        at[slot] = (uint16_t)i;
    }
    (void)med_pack_writer_add(w, PACK_SLOTS, at, slots * sizeof *at);
    return table;
}

/* ---- the whole ---- */

static void hash_text(med_pack_writer *w, med_hasher *h, struct pack_str s)
{
    med_hasher_add(h, med_pack_writer_text(w, s));
    med_hasher_add(h, MED_STR("\n"));
}

static void hash_number(med_hasher *h, uint64_t n)
{
    med_hasher_add(h, (med_str){(const char *)&n, sizeof n});
}

/* Types and properties, by content: texts for people may change without a reindex. */
static void hash_types(med_pack_writer *w, med_hasher *h)
{
    for (uint32_t i = 0; i < med_pack_writer_count(w, PACK_TYPES); i++) {
        const struct pack_type *t = med_pack_writer_row(w, PACK_TYPES, i);
        hash_text(w, h, t->name);
        hash_number(h, t->base);
        for (uint32_t k = 0; k < t->properties.n; k++) {
            const struct pack_property *r =
                med_pack_writer_row(w, PACK_PROPERTIES, t->properties.first + k);
            hash_text(w, h, r->name.text);
            hash_number(h, (uint64_t)r->type << 1 | r->is_array);
        }
    }
}

static void hash_params(med_pack_writer *w, med_hasher *h)
{
    for (uint32_t i = 0; i < med_pack_writer_count(w, PACK_PARAMS); i++) {
        const struct pack_param *r = med_pack_writer_row(w, PACK_PARAMS, i);
        hash_text(w, h, r->url);
        hash_text(w, h, r->code);
        hash_text(w, h, r->expression);
        hash_number(h, (uint64_t)r->type << 1 | r->compiled);
        for (uint32_t k = 0; k < r->components.n; k++) {
            const struct pack_component *c =
                med_pack_writer_row(w, PACK_COMPONENTS, r->components.first + k);
            hash_text(w, h, c->expression);
        }
    }
}

/* The trie in the order of its rows; strings by content, since their places may move. */
static void hash_trie(med_pack_writer *w, med_hasher *h)
{
    for (uint32_t i = 0; i < med_pack_writer_count(w, PACK_NODES); i++) {
        const struct pack_node *n = med_pack_writer_row(w, PACK_NODES, i);
        hash_number(h, n->edges.n);
    }
    for (uint32_t i = 0; i < med_pack_writer_count(w, PACK_EDGES); i++) {
        const struct pack_edge *e = med_pack_writer_row(w, PACK_EDGES, i);
        hash_text(w, h, e->name.text);
        hash_number(h, (uint64_t)e->type << 32 | e->branches.n);
    }
    for (uint32_t i = 0; i < med_pack_writer_count(w, PACK_BRANCHES); i++) {
        const struct pack_branch *b = med_pack_writer_row(w, PACK_BRANCHES, i);
        hash_number(h, (uint64_t)b->filters.n << 32 | b->emits.n);
        hash_number(h, (uint64_t)b->index << 1 | (b->child == PACK_NONE));
    }
    for (uint32_t i = 0; i < med_pack_writer_count(w, PACK_FILTERS); i++) {
        const struct pack_filter *f = med_pack_writer_row(w, PACK_FILTERS, i);
        hash_number(h, (uint64_t)f->kind << 32 | f->type);
        hash_text(w, h, f->key);
        hash_text(w, h, f->value);
    }
    med_hasher_add(h, med_buf_str(&w->sections[PACK_PARAM_LIST]));
}

static struct pack_str version_of(med_pack_writer *w, med_str release)
{
    med_hasher h;
    med_hasher_begin(&h, pool_key);
    hash_number(&h, EXTRACTION);
    hash_types(w, &h);
    hash_params(w, &h);
    hash_trie(w, &h);
    med_str text = med_arena_printf(w->arena, "%.*s-%016llx", MED_STR_ARG(release),
                                    (unsigned long long)med_hasher_end(&h));
    return med_pack_writer_string(w, text);
}

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

bool med_pack_writer_finish(med_pack_writer *w, med_str release, med_str *out, med_err *err)
{
    w->header.version = version_of(w, release);
    size_t size = aligned(sizeof w->header);
    for (int id = 0; id < PACK_SECTIONS; id++)
        size += aligned(w->sections[id].len);
    uint64_t *bytes = MED_TAKE(w->arena, size / sizeof(uint64_t), uint64_t);
    if (w->failed || bytes == NULL)
        return MED_FAIL_MEMORY(err);
    struct med_pack *p = (struct med_pack *)bytes;
    *p = w->header;
    memcpy(p->magic, "MEDPACK", sizeof p->magic);
    p->byte_order = PACK_BYTE_ORDER;
    p->format = PACK_FORMAT;
    p->size = size;
    size_t at = aligned(sizeof *p);
    for (int id = 0; id < PACK_SECTIONS; id++) {
        med_str s = med_buf_str(&w->sections[id]);
        memcpy((char *)bytes + at, s.ptr, s.len);
        p->sections[id] =
            (struct pack_section){(uint32_t)at, med_pack_writer_count(w, (enum pack_section_id)id)};
        at += aligned(s.len);
    }
    p->checksum = med_pack_checksum(p);
    *out = (med_str){(const char *)bytes, size};
    return true;
}
