/* nation.c - generating a nation for tests. */
#include "nation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/datetime.h"
#include "base/decimal.h"

static int person_of(med_str id)
{
    int64_t n = 0;
    if (id.len < 7 || id.ptr[0] != 'p')
        return -1;
    med_str rest;
    med_str number = med_str_cut(med_str_skip(id, 1), '-', &rest);
    return med_str_to_int64(number, &n) ? (int)n - 1 : -1;
}

static bool keep(void *self, med_str type, med_str id, med_str json, med_err *err)
{
    nation *t = self;
    assert_true(t->n < t->room);
    nation_resource *r = &t->all[t->n++];
    med_str copy;
    assert_true(med_arena_copy(t->arena, type, &r->type));
    assert_true(med_arena_copy(t->arena, id, &r->id));
    assert_true(med_arena_copy(t->arena, json, &copy));
    if (!med_json_parse(t->arena, copy, &r->json, NULL, err))
        fail_msg("%.*s: %s", MED_STR_ARG(id), err->text);
    r->person = person_of(id);
    return true;
}

nation nation_generate(uint32_t people, uint64_t seed)
{
    nation t = {.arena = med_arena_new((size_t)1 << 30)};
    assert_non_null(t.arena);
    t.room = (size_t)people * MED_DEMO_MAX_PER_PERSON + 4000;
    t.all = MED_TAKE(t.arena, t.room, nation_resource);
    assert_non_null(t.all);
    med_demo_options options = {people, seed, NATION_TODAY};
    med_err err = {0};
    assert_true(med_demo_generate(&options, keep, &t, &err));
    return t;
}

void nation_free(nation *t)
{
    med_arena_free(t->arena);
}

/* One step: "coding" or "coding[1]". */
static uint32_t step(const med_json *j, uint32_t at, med_str name)
{
    med_str rest;
    med_str key = med_str_cut(name, '[', &rest);
    at = med_json_member(j, at, key);
    if (at == 0 || rest.len == 0)
        return at;
    int64_t index = 0;
    if (!med_str_to_int64(med_str_sub(rest, 0, rest.len - 1), &index)
        || index >= (int64_t)j->nodes[at].count)
        return 0;
    uint32_t element = at + 1;
    for (; index > 0; index--)
        element = j->nodes[element].next;
    return element;
}

med_str nation_get(const nation_resource *r, const char *path)
{
    med_str rest = med_str_from(path);
    uint32_t at = 0;
    while (rest.len > 0) {
        at = step(&r->json, at, med_str_cut(rest, '.', &rest));
        if (at == 0)
            return MED_STR_EMPTY;
    }
    return med_json_raw(&r->json, at);
}

int64_t nation_thousandths(const nation_resource *r, const char *path)
{
    med_decimal d;
    med_str text = nation_get(r, path);
    if (text.len == 0 || !med_decimal_parse(text, &d))
        return INT64_MIN;
    return (int64_t)(med_decimal_to_double(&d) * 1000);
}

int64_t nation_day(const nation_resource *r, const char *path)
{
    med_datetime d;
    med_str text = nation_get(r, path);
    if (text.len == 0)
        return INT64_MIN;
    if (!med_datetime_parse(text, MED_KIND_DATETIME, 0, &d))
        fail_msg("%.*s %s: no dateTime", MED_STR_ARG(r->id), path);
    return med_days_from_civil(d.year, d.month, d.day);
}
