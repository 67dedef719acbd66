/* flush.c - writes what a group has collected: each table in one statement, in the order of its
 * keys, all of them in one round trip. */
#include "store/postgres/postgres_impl.h"

/* ---- index rows ---- */

/* So many new rows of a table go by COPY, which is a round trip of its own. */
enum { COPY_FROM = 1000 };

/* Where the rows of a COPY are gathered, NULL when `n` are not worth one. */
static med_buf *copy_of(struct pg_store *s, unsigned what, size_t n)
{
    if (!s->copied[what] && n < COPY_FROM)
        return NULL;
    if (!s->copied[what])
        med_pg_copy_init(&s->copies[what]);
    s->copied[what] = true;
    return &s->copies[what];
}

static void come(struct pg_store *s, enum table table, struct table_arrays *few,
                 const struct index_row *row)
{
    med_buf *copy = copy_of(s, table, s->pending.tables[table].n);
    if (copy != NULL)
        med_pg_copy_add(copy, row);
    else
        med_pg_arrays_add(few, row);
}

static void drop_copies(struct pg_store *s)
{
    for (unsigned i = 0; i < COPIES; i++) {
        if (s->copied[i])
            med_buf_free(&s->copies[i]);
        s->copied[i] = false;
    }
}

/* Behind what was sent: rows of the same key may have to go first. */
static bool send_copies(struct pg_store *s, med_err *err)
{
    bool any = false;
    for (unsigned i = 0; i < COPIES; i++)
        any = any || s->copied[i];
    if (!any)
        return true;
    bool good = med_pg_sync(&s->writer, err) && med_pg_drain(&s->writer, err);
    for (unsigned i = 0; good && i < COPIES; i++) {
        if (s->copied[i])
            good = med_pg_copy_send(&s->writer, i, &s->copies[i], err);
    }
    return good;
}

/* Several words on one row: what the first says of the table, and what the last says. */
static bool flush_index(struct pg_store *s, enum table table, med_err *err)
{
    struct pending_rows *rows = &s->pending.tables[table];
    struct table_arrays few, go;
    if (rows->n == 0)
        return true;
    if (!med_pending_sort(rows))
        return MED_FAIL_MEMORY(err);
    med_pg_arrays_init(&few, table);
    med_pg_arrays_init(&go, table);
    for (size_t i = 0, end = 0; i < rows->n; i = end) {
        for (end = i + 1;
             end < rows->n && med_index_row_compare(&rows->at[i], &rows->at[end]) == 0;)
            end++;
        bool was_there = rows->at[i].cut;
        bool stays = !rows->at[end - 1].cut;
        if (!was_there && stays)
            come(s, table, &few, &rows->at[i]);
        else if (was_there && !stays)
            med_pg_arrays_add(&go, &rows->at[i]);
    }
    const struct table_shape *shape = med_pg_shape(table);
    bool good = !s->bulk || go.at[0].n == 0
                || (med_pg_sync(&s->writer, err) && med_pg_drain(&s->writer, err)
                    && med_pg_end_bulk(s, err));
    good = good && med_pg_arrays_send(&s->writer, shape->cut, &go, err)
           && med_pg_arrays_send(&s->writer, shape->add, &few, err);
    med_pg_arrays_free(&few);
    med_pg_arrays_free(&go);
    return good;
}

/* ---- tables that are not indexes: their columns, one array each ---- */

enum { COLUMNS_MAX = 13 };
struct columns {
    struct pg_array at[COLUMNS_MAX];
    size_t n;
    med_buf *copy; /* not NULL: rows go there instead, field by field */
};

/* One letter a column: i = integers, b = bytes. */
static void columns_init(struct columns *c, const char *kinds)
{
    c->copy = NULL;
    for (c->n = 0; kinds[c->n] != '\0'; c->n++)
        med_pg_array_init(&c->at[c->n], kinds[c->n] == 'b' ? PG_BYTES : PG_INT);
}

/* Sends them if there are any, and ends them. */
static bool columns_send(struct pg_store *s, enum statement id, struct columns *c, med_err *err)
{
    struct pg_parameters p = {0};
    bool good = true;
    for (size_t i = 0; i < c->n; i++)
        good = good && med_pg_add_array(&p, &c->at[i]);
    if (!good)
        (void)MED_FAIL_MEMORY(err);
    good = good && (c->at[0].n == 0 || med_pg_send(&s->writer, id, &p, err));
    for (size_t i = 0; i < c->n; i++)
        med_pg_array_free(&c->at[i]);
    return good;
}

/* The next field of a row: a number of so many bytes. */
static void add_int(struct columns *c, size_t column, unsigned width, int64_t value)
{
    if (c->copy != NULL)
        med_pg_copy_int(c->copy, value, width);
    else
        med_pg_array_int(&c->at[column], value);
}

static void add_null(struct columns *c, size_t column)
{
    if (c->copy != NULL)
        med_pg_copy_null(c->copy);
    else
        med_pg_array_null(&c->at[column]);
}

static void add_bytes(struct columns *c, size_t column, med_str bytes)
{
    if (c->copy != NULL)
        med_pg_copy_bytes(c->copy, bytes);
    else
        med_pg_array_bytes(&c->at[column], bytes);
}

static void add_version(struct columns *c, const struct current *of)
{
    const struct stored_row *row = &of->row;
    add_int(c, 0, 8, (int64_t)row->rid);
    add_int(c, 1, 4, row->version);
    add_int(c, 2, 8, row->t);
    add_int(c, 3, 8, row->updated);
    add_int(c, 4, 4, row->change);
    if (row->patient == 0)
        add_null(c, 5);
    else
        add_int(c, 5, 8, (int64_t)row->patient);
    add_int(c, 6, 4, row->key);
    add_int(c, 7, 4, row->dictionary);
    add_bytes(c, 8, (med_str){(const char *)&row->hash, sizeof row->hash});
    if (row->change == MED_DELETED)
        add_null(c, 9);
    else
        add_bytes(c, 9, of->packed);
}

static void add_rowset(struct columns *c, const struct current *of)
{
    if (of->rowset.len == 0)
        add_null(c, 10);
    else
        add_bytes(c, 10, of->rowset);
}

static void add_resource(struct columns *c, const struct current *of)
{
    char id[MED_ID_BYTES + 1] = {0}; /* a UUID has a byte 0 in front */
    size_t head = of->row.id_is_uuid ? 1 : 0;
    memcpy(id + head, of->row.id, of->row.id_len);
    if (c->copy != NULL)
        med_pg_copy_row(c->copy, COLUMNS_MAX + 1);
    add_version(c, of);
    add_rowset(c, of);
    add_int(c, 11, 4, of->row.type);
    add_bytes(c, 12, (med_str){id, head + of->row.id_len});
    if (c->copy != NULL) /* a statement makes it of the rid */
        med_pg_copy_int(c->copy, (int64_t)(of->row.rid & (MED_SHARDS - 1)), 2);
}

static void change_resource(struct columns *c, const struct current *of)
{
    add_version(c, of);
    add_rowset(c, of);
}

static int by_rid(const void *a, const void *b)
{
    med_rid x = (*(struct current *const *)a)->row.rid;
    med_rid y = (*(struct current *const *)b)->row.rid;
    return (x > y) - (x < y);
}

static bool sort_dirty(struct pg_store *s, struct current ***out, size_t *n, med_err *err)
{
    *n = 0;
    for (size_t i = 0; i < s->current_cap; i++)
        *n += s->current[i].dirty;
    *out = MED_TAKE(s->scratch, *n, struct current *);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    *n = 0;
    for (size_t i = 0; i < s->current_cap; i++) {
        if (s->current[i].dirty)
            (*out)[(*n)++] = &s->current[i];
    }
    if (*n > 1)
        qsort(*out, *n, sizeof **out, by_rid);
    return true;
}

static bool flush_resources(struct pg_store *s, med_err *err)
{
    struct current **dirty = NULL;
    size_t n = 0;
    struct columns kept, versions, new, old;
    if (!sort_dirty(s, &dirty, &n, err))
        return false;
    columns_init(&kept, "i");
    columns_init(&versions, "iiiiiiiibb");
    columns_init(&new, "iiiiiiiibbbib");
    columns_init(&old, "iiiiiiiibbb");
    size_t n_new = 0;
    for (size_t i = 0; i < n; i++)
        n_new += !dirty[i]->in_db;
    new.copy = copy_of(s, COPY_RESOURCE, n_new);
    for (size_t i = 0; i < n; i++) {
        if (dirty[i]->kept)
            med_pg_array_int(&kept.at[0], (int64_t)dirty[i]->row.rid);
        if (dirty[i]->in_db)
            change_resource(&old, dirty[i]);
        else
            add_resource(&new, dirty[i]);
        dirty[i]->in_db = true;
        dirty[i]->dirty = dirty[i]->kept = false;
    }
    for (const struct pending_version *v = s->versions; v != NULL; v = v->next)
        add_version(&versions, &v->of);
    s->versions = NULL;
    s->packed_bytes = 0;
    bool good = columns_send(s, STATEMENT_KEEP_VERSIONS, &kept, err);
    good = columns_send(s, STATEMENT_ADD_VERSIONS, &versions, err) && good;
    good = columns_send(s, STATEMENT_SET_RESOURCES, &old, err) && good;
    return columns_send(s, STATEMENT_ADD_RESOURCES, &new, err) && good;
}

static bool flush_feed(struct pg_store *s, med_err *err)
{
    const struct pending_rows *rows = &s->pending.tables[TABLE_FEED];
    struct columns c;
    med_buf *copy = copy_of(s, TABLE_FEED, rows->n);
    for (size_t i = 0; copy != NULL && i < rows->n; i++)
        med_pg_copy_add(copy, &rows->at[i]);
    if (copy != NULL)
        return true;
    columns_init(&c, "iiiiii");
    for (size_t i = 0; i < rows->n; i++) {
        const struct index_row *row = &rows->at[i];
        med_pg_array_int(&c.at[0], row->a);
        med_pg_array_int(&c.at[1], (int64_t)row->rid);
        med_pg_array_int(&c.at[2], row->b);
        med_pg_array_int(&c.at[3], row->c & 0xffffffff);
        med_pg_array_int(&c.at[4], row->c >> 32);
        med_pg_array_int(&c.at[5], row->d);
    }
    return columns_send(s, STATEMENT_ADD_FEED, &c, err);
}

static bool flush_idents(struct pg_store *s, med_err *err)
{
    size_t n = 0;
    const struct ident *idents = med_idents_take_pending(&s->idents, &n);
    struct columns c;
    med_buf *copy = copy_of(s, TABLE_IDENT, n);
    for (size_t i = 0; copy != NULL && i < n; i++) {
        const struct index_row row = {
            .table = TABLE_IDENT, .a = (int64_t)idents[i].hash, .rid = idents[i].rid};
        med_pg_copy_add(copy, &row);
    }
    if (copy != NULL)
        return true;
    columns_init(&c, "ii");
    for (size_t i = 0; i < n; i++) {
        med_pg_array_int(&c.at[0], (int64_t)idents[i].hash);
        med_pg_array_int(&c.at[1], (int64_t)idents[i].rid);
    }
    return columns_send(s, STATEMENT_ADD_IDENTS, &c, err);
}

/* ---- index rows made anew ---- */

/* Before what a later commit of the group makes of the same row. */
static bool flush_rowsets(struct pg_store *s, med_err *err)
{
    struct pg_array rids, rowsets;
    struct pg_parameters p = {0};
    if (s->rowsets == NULL)
        return true;
    med_pg_array_init(&rids, PG_INT);
    med_pg_array_init(&rowsets, PG_BYTES);
    for (const struct pending_rowset *r = s->rowsets; r != NULL; r = r->next) {
        med_pg_array_int(&rids, (int64_t)r->rid);
        med_pg_array_bytes(&rowsets, r->rowset);
    }
    s->rowsets = NULL;
    bool good =
        (med_pg_add_array(&p, &rids) && med_pg_add_array(&p, &rowsets)) || MED_FAIL_MEMORY(err);
    good = good && med_pg_send(&s->writer, STATEMENT_SET_ROWSETS, &p, err);
    med_pg_array_free(&rids);
    med_pg_array_free(&rowsets);
    return good;
}

/* ---- codes and counters ---- */

static bool flush_codes(struct pg_store *s, med_err *err)
{
    struct columns c;
    columns_init(&c, "iibbb");
    for (const struct pending_code *code = s->codes; code != NULL; code = code->next) {
        med_pg_array_int(&c.at[0], code->row->param);
        med_pg_array_int(&c.at[1], (int64_t)code->row->hash);
        med_pg_array_bytes(&c.at[2], code->row->system);
        med_pg_array_bytes(&c.at[3], code->row->code);
        med_pg_array_bytes(&c.at[4], code->row->text);
    }
    s->codes = NULL;
    return columns_send(s, STATEMENT_ADD_CODES, &c, err);
}

/* A code that no row has any longer leaves the dictionary, too. */
static bool flush_counters(struct pg_store *s, med_err *err)
{
    size_t n = 0;
    const struct tally *changed = med_tallies_take(&s->tallies, &n);
    struct columns all, fewer;
    columns_init(&all, "iii");
    columns_init(&fewer, "ii");
    for (size_t i = 0; i < n; i++) {
        med_pg_array_int(&all.at[0], changed[i].param);
        med_pg_array_int(&all.at[1], (int64_t)changed[i].hash);
        med_pg_array_int(&all.at[2], changed[i].delta);
        if (changed[i].delta >= 0)
            continue;
        med_pg_array_int(&fewer.at[0], changed[i].param);
        med_pg_array_int(&fewer.at[1], (int64_t)changed[i].hash);
        struct tally *known = med_tallies_get(&s->tallies, changed[i].param, changed[i].hash);
        if (known != NULL)
            known->code = CODE_UNKNOWN;
    }
    bool good = columns_send(s, STATEMENT_ADD_COUNTERS, &all, err);
    return columns_send(s, STATEMENT_DROP_COUNTERS, &fewer, err) && good;
}

/* ---- the rest ---- */

static bool flush_traces(struct pg_store *s, med_err *err)
{
    struct columns c;
    const struct pending_trace *in_order = NULL;
    for (struct pending_trace *t = s->traces, *next = NULL; t != NULL; t = next) {
        next = t->next;
        t->next = (struct pending_trace *)(uintptr_t)in_order;
        in_order = t;
    }
    columns_init(&c, "ib");
    for (; in_order != NULL; in_order = in_order->next) {
        med_pg_array_int(&c.at[0], in_order->t);
        med_pg_array_bytes(&c.at[1], in_order->record);
    }
    s->traces = NULL;
    return columns_send(s, STATEMENT_ADD_TRACES, &c, err);
}

static bool flush_outcomes(struct pg_store *s, med_err *err)
{
    for (const struct pending_outcome *o = s->outcomes; o != NULL; o = o->next) {
        struct pg_parameters p = {0}, old = {0};
        med_pg_int(&p, (int64_t)o->key);
        med_pg_int(&p, (int64_t)o->request);
        med_pg_int(&p, o->at);
        med_pg_int(&p, o->t);
        med_pg_int(&p, o->updated);
        med_pg_bytes(&p, o->outcomes);
        med_pg_int(&old, o->at - MED_OUTCOMES_KEPT);
        if (s->writer.n_expected > EXPECTED_MAX / 2
            && (!med_pg_sync(&s->writer, err) || !med_pg_drain(&s->writer, err)))
            return false;
        if (!med_pg_send(&s->writer, STATEMENT_ADD_IDEMPOTENCY, &p, err)
            || !med_pg_send(&s->writer, STATEMENT_EXPIRE_IDEMPOTENCY, &old, err))
            return false;
    }
    s->outcomes = NULL;
    return true;
}

bool med_pg_drop_purged(struct pg_store *s, med_err *err)
{
    struct columns c;
    columns_init(&c, "ii");
    for (const struct purged *p = s->purged; p != NULL; p = p->next) {
        med_pg_array_int(&c.at[0], (int64_t)p->ident);
        med_pg_array_int(&c.at[1], (int64_t)p->rid);
    }
    s->purged = NULL;
    return columns_send(s, STATEMENT_DROP_IDENTS, &c, err);
}

static bool send_all(struct pg_store *s, med_err *err)
{
    if (!flush_rowsets(s, err) || !flush_idents(s, err) || !flush_resources(s, err)
        || !med_pg_flush_parts(s, err) || !flush_feed(s, err) || !flush_codes(s, err))
        return false;
    for (unsigned table = 0; table < TABLE_INDEXES; table++) {
        if (!flush_index(s, (enum table)table, err))
            return false;
    }
    med_pending_clear(&s->pending);
    return send_copies(s, err) && flush_counters(s, err) && flush_traces(s, err)
           && flush_outcomes(s, err);
}

bool med_pg_flush_send(struct pg_store *s, med_err *err)
{
    bool good = send_all(s, err);
    drop_copies(s);
    return good;
}

bool med_pg_flush(struct pg_store *s, med_err *err)
{
    return med_pg_flush_send(s, err) && med_pg_sync(&s->writer, err)
           && med_pg_drain(&s->writer, err);
}
