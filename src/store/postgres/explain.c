/* explain.c - how PostgreSQL answers a question: its EXPLAIN, in a line.
 * https://www.postgresql.org/docs/15/using-explain.html */
#include "base/json.h"
#include "store/postgres/postgres_impl.h"

/* The whole part of a number; 0 when it is not there. */
static long number_of(const med_json *j, uint32_t node, const char *name)
{
    med_str whole = MED_STR_EMPTY;
    int64_t n = 0;
    uint32_t at = med_json_member(j, node, med_str_from(name));
    if (at != 0)
        whole = med_json_raw(j, at);
    whole.len = med_str_find(whole, '.', 0);
    return med_str_to_int64(whole, &n) ? (long)n : 0;
}

static med_str text_of(const med_json *j, uint32_t node, const char *name)
{
    uint32_t at = med_json_member(j, node, med_str_from(name));
    return at == 0 ? MED_STR_EMPTY : med_json_raw(j, at);
}

/* What reads rows, and what has to hold them all; the rest only passes them on, or never ran. */
static bool says_something(const med_json *j, uint32_t node)
{
    if (number_of(j, node, "Actual Loops") == 0)
        return false;
    med_str type = text_of(j, node, "Node Type");
    return text_of(j, node, "Relation Name").len > 0 || med_str_eqz(type, "Sort")
           || med_str_eqz(type, "Aggregate");
}

static void add_node(med_arena *a, const med_json *j, uint32_t node, med_str *line)
{
    med_str index = text_of(j, node, "Index Name");
    med_str from = index.len > 0 ? index : text_of(j, node, "Relation Name");
    long loops = number_of(j, node, "Actual Loops");
    med_str times = MED_STR_EMPTY, pages = MED_STR_EMPTY;
    if (loops > 1)
        times = med_arena_printf(a, " %ld times", loops);
    if (from.len > 0)
        pages = med_arena_printf(a, ", %ld pages in memory, %ld read",
                                 number_of(j, node, "Shared Hit Blocks"),
                                 number_of(j, node, "Shared Read Blocks"));
    *line = med_arena_printf(
        a, "%.*s%s%.*s%s%.*s%.*s: %ld rows (%ld expected)%.*s", MED_STR_ARG(*line),
        line->len > 0 ? "; " : "", MED_STR_ARG(text_of(j, node, "Node Type")),
        from.len > 0 ? " by " : "", MED_STR_ARG(from), MED_STR_ARG(times),
        number_of(j, node, "Actual Rows"), number_of(j, node, "Plan Rows"), MED_STR_ARG(pages));
}

bool med_pg_plan_of(struct pg_view *v, const struct pg_question *q, med_str *out, med_err *err)
{
    med_json j;
    PGresult *r = med_pg_ask_plan(v->connection, q->id, q->p, err);
    if (r == NULL)
        return false;
    bool good =
        PQntuples(r) == 1 && med_json_parse(v->explain, med_pg_bytes_at(r, 0, 0), &j, NULL, err);
    *out = MED_STR_EMPTY;
    for (uint32_t i = 0; good && i < j.n; i++) { /* in the order of the tree, without its depth */
        if (med_json_kind_at(&j, i) == MED_JSON_OBJECT && says_something(&j, i))
            add_node(v->explain, &j, i, out);
    }
    PQclear(r);
    return good;
}
