/* pack_extend.c - see pack_extend.h. */
#include "model/pack_extend.h"

#include "base/buf.h"
#include "model/pack_format.h"

enum { SECTION_LIMIT = 64 << 20 };

struct extender {
    med_arena *a;
    const med_pack *base;
    med_buf sections[PACK_SECTIONS];
};

static size_t bytes_of(const med_pack *p, int id)
{
    return p->sections[id].n * med_pack_row_size((enum pack_section_id)id);
}

/* Sections that stay as they are cost no copy before the last. */
static bool grows(int id)
{
    return id == PACK_STRINGS || id == PACK_TYPES || id == PACK_TYPE_LIST || id == PACK_PARAMS
           || id == PACK_PARAM_LIST;
}

static void begin(struct extender *x)
{
    for (int id = 0; id < PACK_SECTIONS; id++) {
        med_buf_init(&x->sections[id], SECTION_LIMIT);
        if (grows(id))
            med_buf_add(&x->sections[id], (med_str){pack_rows(x->base, (enum pack_section_id)id),
                                                    bytes_of(x->base, id)});
    }
}

static void end(struct extender *x)
{
    for (int id = 0; id < PACK_SECTIONS; id++)
        med_buf_free(&x->sections[id]);
}

static uint32_t rows_of(const struct extender *x, enum pack_section_id id)
{
    return (uint32_t)(x->sections[id].len / med_pack_row_size(id));
}

static void add(struct extender *x, enum pack_section_id id, const void *row, size_t size)
{
    med_buf_add(&x->sections[id], (med_str){row, size});
}

static struct pack_str add_string(struct extender *x, med_str s)
{
    struct pack_str at = {(uint32_t)x->sections[PACK_STRINGS].len, (uint32_t)s.len};
    if (s.len == 0)
        return (struct pack_str){0, 0};
    med_buf_add(&x->sections[PACK_STRINGS], s);
    med_buf_addc(&x->sections[PACK_STRINGS], '\0');
    return at;
}

static void add_param(struct extender *x, const med_pack_param_extra *e)
{
    struct pack_param row = {
        .code = add_string(x, e->code),
        .url = add_string(x, e->url),
        .expression = add_string(x, e->expression),
        .targets = {rows_of(x, PACK_TYPE_LIST), (uint32_t)e->n_targets},
        .type = (uint32_t)e->type,
        .compiled = 1,
    };
    add(x, PACK_TYPE_LIST, e->targets, e->n_targets * sizeof *e->targets);
    add(x, PACK_PARAMS, &row, sizeof row);
}

static bool is_base(const med_pack_param_extra *e, med_type t)
{
    for (size_t i = 0; i < e->n_bases; i++) {
        if (e->bases[i] == t)
            return true;
    }
    return false;
}

static med_str code_of(const struct extender *x, const med_pack_param_extra *extra, uint32_t row)
{
    uint32_t first = x->base->sections[PACK_PARAMS].n;
    return row < first ? pack_string(x->base, pack_param_at(x->base, row)->code)
                       : extra[row - first].code;
}

/* A type's parameters with the new ones, by code. */
static bool extend_type(struct extender *x, const med_pack_param_extra *extra, size_t n, med_type t,
                        med_err *err)
{
    size_t n_all = 0, n_rest = 0, fresh = 0;
    const struct pack_type *old = pack_type_at(x->base, t);
    uint32_t first = x->base->sections[PACK_PARAMS].n;
    uint32_t *all = MED_TAKE(x->a, old->params.n + n, uint32_t);
    uint32_t *rest = MED_TAKE(x->a, old->rest.n + n, uint32_t);
    if (all == NULL || rest == NULL)
        return MED_FAIL_MEMORY(err);
    for (; n_all < old->params.n; n_all++)
        all[n_all] = *pack_param_list_at(x->base, old->params.first + n_all);
    for (; n_rest < old->rest.n; n_rest++)
        rest[n_rest] = *pack_param_list_at(x->base, old->rest.first + n_rest);
    for (uint32_t i = 0; i < n; i++) {
        if (!is_base(&extra[i], t))
            continue;
        size_t at = n_all++;
        for (; at > 0 && med_str_compare(code_of(x, extra, all[at - 1]), extra[i].code) > 0; at--)
            all[at] = all[at - 1];
        all[at] = rest[n_rest++] = first + i;
        fresh++;
    }
    if (fresh == 0 || x->sections[PACK_TYPES].failed)
        return true;
    struct pack_type *row = (struct pack_type *)(void *)x->sections[PACK_TYPES].ptr + t;
    row->params = (struct pack_range){rows_of(x, PACK_PARAM_LIST), (uint32_t)n_all};
    add(x, PACK_PARAM_LIST, all, n_all * sizeof *all);
    row->rest = (struct pack_range){rows_of(x, PACK_PARAM_LIST), (uint32_t)n_rest};
    add(x, PACK_PARAM_LIST, rest, n_rest * sizeof *rest);
    return true;
}

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static med_str section(const struct extender *x, int id)
{
    return grows(id)
               ? med_buf_str(&x->sections[id])
               : (med_str){pack_rows(x->base, (enum pack_section_id)id), bytes_of(x->base, id)};
}

static bool join(struct extender *x, med_str *out, med_err *err)
{
    size_t at = aligned(sizeof(struct med_pack)), size = at;
    for (int id = 0; id < PACK_SECTIONS; id++)
        size += aligned(section(x, id).len);
    uint64_t *bytes = MED_TAKE(x->a, size / sizeof(uint64_t), uint64_t);
    if (bytes == NULL)
        return MED_FAIL_MEMORY(err);
    struct med_pack *p = (struct med_pack *)bytes;
    *p = *x->base;
    p->size = size;
    for (int id = 0; id < PACK_SECTIONS; id++) {
        med_str s = section(x, id);
        memcpy((char *)bytes + at, s.ptr, s.len);
        p->sections[id] = (struct pack_section){
            (uint32_t)at, (uint32_t)(s.len / med_pack_row_size((enum pack_section_id)id))};
        at += aligned(s.len);
    }
    p->checksum = med_pack_checksum(p);
    *out = (med_str){(const char *)bytes, size};
    return true;
}

bool med_pack_extend(med_arena *a, const med_pack *base, const med_pack_param_extra *extra,
                     size_t n, const med_pack **out, med_err *err)
{
    struct extender x = {.a = a, .base = base};
    med_str bytes = MED_STR_EMPTY;
    size_t types;
    const med_type *resources = med_pack_resources(base, &types);
    begin(&x);
    for (size_t i = 0; i < n; i++)
        add_param(&x, &extra[i]);
    bool good = true;
    for (size_t i = 0; good && i < types; i++)
        good = extend_type(&x, extra, n, resources[i], err);
    for (int id = 0; good && id < PACK_SECTIONS; id++)
        good = !x.sections[id].failed || MED_FAIL_MEMORY(err);
    good = good && join(&x, &bytes, err);
    end(&x);
    return good && med_pack_open(bytes, out, err);
}
