/* verify_index.c - the index says what the resources say, and nothing more.
 *
 * Forward: each row a resource should have is there, and (with `extract`) these are the rows
 * its text gives. Backward: each row in a table belongs to a resource that has it. Then the
 * counters against the rows. */
#include "store/postgres/verify.h"
#include "store/prepare_rows.h"

struct expected {
    struct stored_row row;
    med_stored stored;
    struct index_row *rows; /* without that of TABLE_UPDATED */
    size_t n;
    bool known; /* false: it is damaged, and its fault was told */
};

static med_str name_of(struct verifying *x, const med_stored *stored)
{
    return med_arena_printf(x->a, "%.*s/%.*s",
                            MED_STR_ARG(med_names_type(&x->s->names, stored->type)),
                            MED_STR_ARG(stored->id));
}

static med_str rid_name(struct verifying *x, med_rid rid)
{
    return med_arena_printf(x->a, "internal id %llu", (unsigned long long)rid);
}

/* What a row of resource says of its index rows. */
static bool expect(struct verifying *x, const PGresult *r, int i, bool text, struct expected *e)
{
    med_err err = {0};
    struct rowset set;
    *e = (struct expected){.stored.id = MED_STR("?")};
    if (!med_pg_row(r, i, &e->row)) {
        med_pg_fault(x, "version", MED_STR("?"), "a row of the table resource is damaged");
        return true;
    }
    med_str where = rid_name(x, e->row.rid);
    const med_hash_key *key = med_keyring_check(&x->s->keys, e->row.key);
    med_str bytes =
        e->row.change == MED_DELETED ? MED_STR_EMPTY : med_pg_bytes_at(r, i, COLUMN_ROWSET);
    if (med_pg_row_read(x->v, x->a, r, i, &e->row, text, &e->stored, &err) != MED_FOUND)
        return med_pg_fault_or_fail(x, "version", where, &err);
    if (!med_arena_copy(x->a, bytes, &bytes))
        return MED_FAIL_MEMORY(x->err);
    if (key == NULL)
        return true;
    if (!med_rowset_read(&set, x->a, bytes, *key, &err)
        || !med_rowset_expand(&set, e->row.rid, e->row.type, x->a, &e->rows, &e->n, &err))
        return med_pg_fault_or_fail(x, "index", where, &err);
    e->known = true;
    return true;
}

static bool expect_all(struct verifying *x, const PGresult *r, bool text, struct expected **out)
{
    size_t n = (size_t)PQntuples(r);
    *out = MED_TAKE(x->a, n, struct expected);
    if (*out == NULL)
        return MED_FAIL_MEMORY(x->err);
    for (size_t i = 0; i < n; i++) {
        if (!expect(x, r, (int)i, text, &(*out)[i]))
            return false;
    }
    return true;
}

/* ---- ids ---- */

struct id_map {
    uint64_t *hash;
    med_rid *rid;
    size_t n;
};

static med_rid rid_of(const struct id_map *m, uint64_t hash)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->hash[i] == hash)
            return m->rid[i];
    }
    return 0;
}

static bool ask_ids(struct verifying *x, struct pg_array *hashes, struct id_map *out)
{
    struct pg_parameters p = {0};
    PGresult *r = med_pg_add_array(&p, hashes)
                      ? med_pg_view_ask(x->v, STATEMENT_SOME_IDENTS, &p, x->err)
                      : NULL;
    med_pg_array_free(hashes);
    if (r == NULL)
        return x->err->issue != MED_ISSUE_NONE ? false : MED_FAIL_MEMORY(x->err);
    out->n = (size_t)PQntuples(r);
    out->hash = MED_TAKE(x->a, out->n, uint64_t);
    out->rid = MED_TAKE(x->a, out->n, med_rid);
    bool good = (out->hash != NULL && out->rid != NULL) || MED_FAIL_MEMORY(x->err);
    for (size_t i = 0; good && i < out->n; i++) {
        out->hash[i] = (uint64_t)med_pg_int_at(r, (int)i, 0);
        out->rid[i] = (med_rid)med_pg_int_at(r, (int)i, 1);
    }
    PQclear(r);
    return good;
}

static uint64_t ident_of(struct verifying *x, const struct expected *e)
{
    return med_store_ident(&x->s->base, med_names_type(&x->s->names, e->stored.type), e->stored.id);
}

static bool check_idents(struct verifying *x, const struct expected *e, size_t n)
{
    struct pg_array hashes;
    struct id_map map;
    med_pg_array_init(&hashes, PG_INT);
    for (size_t i = 0; i < n; i++)
        med_pg_array_int(&hashes, e[i].known ? (int64_t)ident_of(x, &e[i]) : 0);
    if (!ask_ids(x, &hashes, &map))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (e[i].known && rid_of(&map, ident_of(x, &e[i])) != e[i].stored.rid)
            med_pg_fault(x, "index", name_of(x, &e[i].stored), "its id leads to another resource");
    }
    return true;
}

/* ---- against extraction ---- */

static bool map_rows(struct verifying *x, const med_rows *rows, struct id_map *map)
{
    struct pg_array hashes;
    med_pg_array_init(&hashes, PG_INT);
    for (size_t i = 0; i < rows->n_patients; i++)
        med_pg_array_int(&hashes, (int64_t)rows->patients[i]);
    for (size_t i = 0; i < rows->n_references; i++)
        med_pg_array_int(&hashes, (int64_t)rows->references[i].target);
    for (size_t i = 0; i < rows->n_targets; i++)
        med_pg_array_int(&hashes, (int64_t)rows->targets[i].ident);
    return ask_ids(x, &hashes, map);
}

static bool resolve(struct verifying *x, const med_rows *rows, int64_t updated, struct rowset *out)
{
    struct id_map map;
    med_rid *patients = MED_TAKE(x->a, rows->n_patients, med_rid);
    med_reference_row *references = MED_TAKE(x->a, rows->n_references, med_reference_row);
    med_rid *targets = MED_TAKE(x->a, rows->n_targets, med_rid);
    if (patients == NULL || references == NULL || targets == NULL)
        return MED_FAIL_MEMORY(x->err);
    if (!map_rows(x, rows, &map))
        return false;
    *out = (struct rowset){
        .when = rows->when == MED_TIME_MIN ? updated : rows->when,
        .patients = patients,
        .n_patients = rows->n_patients,
        .tokens = rows->tokens,
        .n_tokens = rows->n_tokens,
        .references = references,
        .n_references = rows->n_references,
        .dates = rows->dates,
        .n_dates = rows->n_dates,
        .strings = rows->strings,
        .n_strings = rows->n_strings,
        .quantities = rows->quantities,
        .n_quantities = rows->n_quantities,
        .uris = rows->uris,
        .n_uris = rows->n_uris,
        .targets = targets,
    };
    for (size_t i = 0; i < rows->n_patients; i++)
        patients[i] = rid_of(&map, rows->patients[i]);
    for (size_t i = 0; i < rows->n_references; i++)
        references[i] = (med_reference_row){rows->references[i].param,
                                            rid_of(&map, rows->references[i].target)};
    for (size_t i = 0; i < rows->n_targets; i++) {
        med_rid rid = rid_of(&map, rows->targets[i].ident);
        bool covered = false;
        for (size_t k = 0; k < rows->n_references && !covered; k++)
            covered = references[k].target == rid;
        if (!covered)
            targets[out->n_targets++] = rid;
    }
    return true;
}

static bool check_extraction(struct verifying *x, const struct expected *e)
{
    med_rows rows = {0};
    med_err err = {0};
    struct rowset set;
    struct index_row *fresh = NULL;
    size_t n = 0;
    if (e->stored.type < x->to->n_uncompared && x->to->uncompared[e->stored.type])
        return true;
    if (x->to->extract == NULL || !e->known || e->row.change == MED_DELETED)
        return true;
    if (!x->to->extract(x->to->arg, x->a, e->stored.type, e->stored.id, e->stored.text, &rows,
                        &err)) {
        if (err.issue == MED_ISSUE_TOO_COSTLY) { /* nothing wrong with the resource */
            *x->err = err;
            return false;
        }
        med_pg_fault(x, "index", name_of(x, &e->stored), "its index rows can not be made again");
        return true;
    }
    if (!med_rows_prepare(x->a, &rows, x->err) || !resolve(x, &rows, e->row.updated, &set)
        || !med_rowset_expand(&set, e->row.rid, e->row.type, x->a, &fresh, &n, x->err))
        return false;
    bool same = n == e->n;
    for (size_t i = 0; same && i < n; i++)
        same = med_index_row_compare(&fresh[i], &e->rows[i]) == 0;
    if (!same)
        med_pg_fault(x, "index", name_of(x, &e->stored),
                     "its index rows are not those its text gives: reindex");
    return true;
}

/* ---- for the full-text lists ---- */

static bool take_lists(struct verifying *x, const struct expected *e)
{
    med_err err = {0};
    if (!e->known || med_list_check_take(x->lists, &e->stored, &x->window_ends, &err))
        return true;
    return med_pg_fault_or_fail(x, "lists", name_of(x, &e->stored), &err);
}

/* ---- forward ---- */

static struct index_row updated_row(const struct expected *e)
{
    return (struct index_row){.table = TABLE_UPDATED,
                              .a = e->row.type,
                              .b = e->row.updated,
                              .rid = e->row.rid,
                              .text = MED_STR_EMPTY};
}

/* Which rows of a table are missing, of all resources of a page. */
static bool check_table(struct verifying *x, enum table table, const struct expected *e, size_t n)
{
    struct table_arrays arrays;
    struct pg_parameters p = {0};
    med_pg_arrays_init(&arrays, table);
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += e[i].n + 1;
    const struct expected **owner = MED_TAKE(x->a, total, const struct expected *);
    size_t rows = 0;
    for (size_t i = 0; owner != NULL && i < n; i++) {
        struct index_row updated = updated_row(&e[i]);
        if (table == TABLE_UPDATED && e[i].known && e[i].row.change != MED_DELETED) {
            med_pg_arrays_add(&arrays, &updated);
            owner[rows++] = &e[i];
        }
        for (size_t k = 0; k < e[i].n; k++) {
            if (e[i].rows[k].table == table) {
                med_pg_arrays_add(&arrays, &e[i].rows[k]);
                owner[rows++] = &e[i];
            }
        }
    }
    PGresult *r = NULL;
    if (owner == NULL || !med_pg_arrays_bind(&p, &arrays))
        (void)MED_FAIL_MEMORY(x->err);
    else
        r = med_pg_view_ask(x->v, med_pg_shape(table)->missing, &p, x->err);
    for (int i = 0; r != NULL && i < PQntuples(r); i++)
        med_pg_fault(
            x, "index", name_of(x, &owner[med_pg_int_at(r, i, 0) - 1]->stored),
            med_arena_printf(x->a, "a row of the table %s is missing", med_pg_shape(table)->name)
                .ptr);
    PQclear(r);
    med_pg_arrays_free(&arrays);
    return r != NULL;
}

static bool resource_page(struct verifying *x, void *arg, bool *more)
{
    med_rid *at = arg;
    struct pg_parameters p = {0};
    struct expected *e = NULL;
    med_pg_int(&p, (int64_t)*at);
    med_pg_int(&p, (int64_t)x->rows.n);
    PGresult *r = med_pg_view_ask(x->v, STATEMENT_ALL_RESOURCES, &p, x->err);
    if (r == NULL)
        return false;
    size_t n = (size_t)PQntuples(r);
    bool text = x->to->extract != NULL || med_list_check_is_on(x->lists);
    bool good = expect_all(x, r, text, &e) && (n == 0 || check_idents(x, e, n));
    for (unsigned table = 0; good && n > 0 && table < TABLE_INDEXES; table++)
        good = check_table(x, (enum table)table, e, n);
    for (size_t i = 0; good && i < n; i++)
        good = check_extraction(x, &e[i]);
    size_t taken = 0;
    for (; good && taken < n && !x->window_ends; taken += good)
        good = take_lists(x, &e[taken]);
    *more = n > 0 && !x->window_ends;
    if (taken > 0)
        *at = (med_rid)med_pg_int_at(r, (int)taken - 1, 0);
    PQclear(r);
    return good;
}

/* ---- backward ---- */

struct table_at {
    enum table table;
    struct index_row row; /* the last one seen */
    char text_room[MED_URI_KEY];
};

static int by_order(const void *a, const void *b)
{
    return med_index_row_compare(a, b);
}

static int by_owner(const void *a, const void *b)
{
    med_rid x = ((const struct expected *)a)->row.rid;
    med_rid y = ((const struct expected *)b)->row.rid;
    return (x > y) - (x < y);
}

static bool belongs(const struct expected *e, const struct index_row *row)
{
    if (e == NULL || e->row.change == MED_DELETED)
        return false;
    if (!e->known)
        return true; /* its own fault was told */
    if (row->table == TABLE_UPDATED)
        return row->a == e->row.type && row->b == e->row.updated;
    return e->n > 0 && bsearch(row, e->rows, e->n, sizeof *row, by_order) != NULL;
}

static PGresult *ask_owners(struct verifying *x, const PGresult *r, enum table table)
{
    struct pg_array rids;
    struct pg_parameters p = {0};
    PGresult *owners = NULL;
    med_rid *list = MED_TAKE(x->a, (size_t)PQntuples(r), med_rid);
    med_pg_array_init(&rids, PG_INT);
    for (int i = 0; list != NULL && i < PQntuples(r); i++)
        list[i] = med_pg_table_row(r, i, table).rid;
    if (list != NULL)
        qsort(list, (size_t)PQntuples(r), sizeof *list, med_rid_compare);
    for (int i = 0; list != NULL && i < PQntuples(r); i++) {
        if (i == 0 || list[i] != list[i - 1])
            med_pg_array_int(&rids, (int64_t)list[i]);
    }
    if (list != NULL && med_pg_add_array(&p, &rids))
        owners = med_pg_view_ask(x->v, STATEMENT_SOME_RESOURCES, &p, x->err);
    else
        (void)MED_FAIL_MEMORY(x->err);
    med_pg_array_free(&rids);
    return owners;
}

static bool keep_place(struct verifying *x, struct table_at *at, const struct index_row *row)
{
    if (row->text.len > sizeof at->text_room)
        return MED_FAIL(x->err, MED_ISSUE_EXCEPTION, "an index row has a key that is too long");
    at->row = *row;
    memcpy(at->text_room, row->text.ptr, row->text.len);
    at->row.text = (med_str){at->text_room, row->text.len};
    return true;
}

static bool check_owners(struct verifying *x, const PGresult *r, enum table table)
{
    struct expected *e = NULL;
    PGresult *owners = ask_owners(x, r, table);
    bool good = owners != NULL && expect_all(x, owners, false, &e);
    size_t n = good ? (size_t)PQntuples(owners) : 0;
    if (n > 1)
        qsort(e, n, sizeof *e, by_owner);
    for (int i = 0; good && i < PQntuples(r); i++) {
        struct index_row row = med_pg_table_row(r, i, table);
        struct expected key = {.row.rid = row.rid};
        const struct expected *owner = n == 0 ? NULL : bsearch(&key, e, n, sizeof *e, by_owner);
        if (!belongs(owner, &row))
            med_pg_fault(x, "index", rid_name(x, row.rid),
                         med_arena_printf(x->a,
                                          "the table %s has a row that its resource does not have",
                                          med_pg_shape(table)->name)
                             .ptr);
    }
    PQclear(owners);
    return good;
}

static bool table_page(struct verifying *x, void *arg, bool *more)
{
    struct table_at *at = arg;
    struct pg_parameters p = {0};
    med_pg_bind_row(&p, at->table, &at->row);
    PGresult *r = med_pg_view_ask(x->v, med_pg_shape(at->table)->all, &p, x->err);
    if (r == NULL)
        return false;
    int n = PQntuples(r);
    *more = n > 0;
    bool good = n == 0 || check_owners(x, r, at->table);
    if (good && n > 0) {
        struct index_row last = med_pg_table_row(r, n - 1, at->table);
        good = keep_place(x, at, &last);
    }
    PQclear(r);
    return good;
}

/* ---- counters ---- */

struct counter_at {
    int64_t param, hash;
};

static bool count(struct verifying *x, int64_t param, int64_t hash, int64_t *n)
{
    bool has = false;
    const int64_t of_type[] = {hash};
    const int64_t of_versions[] = {0, INT64_MAX, hash};
    const int64_t of_token[] = {param, hash};
    if (param == MED_TALLY_TYPE)
        return med_pg_view_number(x->v, STATEMENT_UPDATED_COUNT, of_type, 1, &has, n, x->err);
    if (param == MED_TALLY_VERSIONS)
        return med_pg_view_number(x->v, STATEMENT_FEED_TYPE_COUNT, of_versions, 3, &has, n, x->err);
    return med_pg_view_number(x->v, STATEMENT_TOKEN_COUNT, of_token, 2, &has, n, x->err);
}

static bool counter_page(struct verifying *x, void *arg, bool *more)
{
    struct counter_at *at = arg;
    struct pg_parameters p = {0};
    med_pg_int(&p, at->param);
    med_pg_int(&p, at->hash);
    PGresult *r = med_pg_view_ask(x->v, STATEMENT_ALL_COUNTERS, &p, x->err);
    bool good = r != NULL;
    for (int i = 0; good && i < PQntuples(r); i++) {
        int64_t n = 0;
        *at = (struct counter_at){med_pg_int_at(r, i, 0), med_pg_int_at(r, i, 1)};
        good = count(x, at->param, at->hash, &n);
        if (good && n != med_pg_int_at(r, i, 2))
            med_pg_fault(x, "counter",
                         med_arena_printf(x->a, "parameter %lld", (long long)at->param),
                         "a counter is not the number of its rows");
        *more = true;
    }
    PQclear(r);
    return good;
}

bool med_pg_verify_all_rows(struct verifying *x)
{
    med_rid rid = 0;
    do {
        x->window_ends = false;
        if (!med_pg_begin_lists(x) || !med_pg_verify_pages(x, resource_page, &rid)
            || !med_pg_verify_lists(x))
            return false;
    } while (x->window_ends);
    for (unsigned table = 0; table < TABLE_INDEXES; table++) {
        struct table_at at = {.table = (enum table)table,
                              .row = {.a = INT64_MIN, .text = MED_STR_EMPTY}};
        if (!med_pg_verify_pages(x, table_page, &at))
            return false;
    }
    struct counter_at at = {INT64_MIN, 0};
    return med_pg_verify_pages(x, counter_page, &at);
}
