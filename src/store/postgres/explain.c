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

/* ---- asking: EXPLAIN EXECUTE takes no parameters, only what stands in its text ---- */

enum { INT = PG_INT, REAL = PG_REAL, BYTES = PG_BYTES };
enum { INTS = 1016, REALS = 1022, BYTES_ARRAY = 1001 }; /* the types' OIDs */

static uint64_t number_in(const char *bytes, size_t len)
{
    uint64_t n = 0;
    for (size_t i = 0; i < len; i++)
        n = n << 8 | (unsigned char)bytes[i];
    return n;
}

static void add_value(med_buf *sql, unsigned type, const char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t bits = type == BYTES ? 0 : number_in(bytes, len);
    double real = 0;
    switch (type) {
    case INT:
        med_buf_printf(sql, "%lld", (long long)(int64_t)bits);
        return;
    case REAL:
        memcpy(&real, &bits, sizeof real);
        med_buf_printf(sql, "%.17g", real);
        return;
    default:
        med_buf_add(sql, MED_STR("\\x"));
        for (size_t i = 0; i < len; i++) {
            med_buf_addc(sql, digits[(unsigned char)bytes[i] >> 4]);
            med_buf_addc(sql, digits[(unsigned char)bytes[i] & 15]);
        }
    }
}

/* As med_pg_add_array made it. */
static void add_values(med_buf *sql, const char *bytes, size_t len)
{
    enum { HEADER = 20 };
    unsigned type = (unsigned)number_in(bytes + 8, 4);
    med_buf_addc(sql, '{');
    for (size_t at = HEADER; at + 4 <= len;) {
        size_t n = (size_t)number_in(bytes + at, 4);
        if (at > HEADER)
            med_buf_addc(sql, ',');
        at += 4;
        if (n == UINT32_MAX) { /* none */
            med_buf_add(sql, MED_STR("NULL"));
            continue;
        }
        med_buf_add(sql, type == BYTES ? MED_STR("\"\\") : MED_STR_EMPTY);
        add_value(sql, type, bytes + at, n);
        med_buf_add(sql, type == BYTES ? MED_STR("\"") : MED_STR_EMPTY);
        at += n;
    }
    med_buf_addc(sql, '}');
}

/* Of the plan that the server keeps for the statement and has just used: with the values at hand
 * it would make another. They stand in the text as digits only. */
PGresult *med_pg_ask_plan(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                          med_err *err)
{
    PGresult *types = med_pg_describe(c, id, err), *r = NULL;
    if (types == NULL)
        return NULL;
    med_buf sql;
    med_buf_init(&sql, 16 << 20);
    med_buf_printf(&sql, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE \"%s\"", med_pg_name(id));
    for (int i = 0; p != NULL && i < p->n; i++) {
        unsigned type = (unsigned)PQparamtype(types, i);
        med_buf_add(&sql, i == 0 ? MED_STR("('") : MED_STR(", '"));
        if (type == INTS || type == REALS || type == BYTES_ARRAY)
            add_values(&sql, p->values[i], (size_t)p->lengths[i]);
        else
            add_value(&sql, type, p->values[i], (size_t)p->lengths[i]);
        med_buf_add(&sql, i + 1 == p->n ? MED_STR("')") : MED_STR("'"));
    }
    med_buf_addc(&sql, '\0');
    PQclear(types);
    if (!sql.failed)
        r = med_pg_ask_text(c, sql.ptr, err);
    else
        (void)MED_FAIL_MEMORY(err);
    med_buf_free(&sql);
    return r;
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
