/* verify_index.c - the index says what the resources say, and nothing more.
 *
 * Forward: each row a resource should have is there, and (with `extract`) these are the rows
 * its text gives. Backward: each row in a table belongs to a resource that has it. Then the
 * counters against the rows. */
#include "store/prepare_rows.h"
#include "store/sqlite/table.h"
#include "store/sqlite/verify.h"

struct expected {
    struct stored_row row;
    med_stored stored;
    struct index_row *rows;
    size_t n;
};

static med_str name_of(struct verifying *x, const med_stored *stored)
{
    return med_arena_printf(x->a, "%.*s/%.*s",
                            MED_STR_ARG(med_names_type(&x->s->names, stored->type)),
                            MED_STR_ARG(stored->id));
}

static bool has_row(struct verifying *x, const struct index_row *row, bool *has)
{
    const struct table_shape *shape = med_table_shape((enum table)row->table);
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, shape->has, x->err);
    if (stmt == NULL)
        return false;
    med_table_bind(stmt, shape, row);
    int rc = sqlite3_step(stmt);
    *has = rc == SQLITE_ROW;
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE
           || med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
}

static bool check_rows(struct verifying *x, const struct expected *e)
{
    for (size_t i = 0; i < e->n; i++) {
        bool has = false;
        if (!has_row(x, &e->rows[i], &has))
            return false;
        if (!has)
            med_verify_fault(x, "index", name_of(x, &e->stored),
                             med_arena_printf(x->a, "a row of the table %s is missing",
                                              med_table_shape((enum table)e->rows[i].table)->name)
                                 .ptr);
    }
    struct index_row updated = {.table = TABLE_UPDATED,
                                .a = e->row.type,
                                .b = e->row.updated,
                                .rid = e->row.rid,
                                .text = MED_STR_EMPTY};
    bool has = false;
    if (!has_row(x, &updated, &has))
        return false;
    if (has != (e->row.change != MED_DELETED))
        med_verify_fault(x, "index", name_of(x, &e->stored),
                         has ? "a deleted resource is listed" : "the resource is not listed");
    return true;
}

/* rid of an ident hash, 0 when there is none. */
static bool find_rid(struct verifying *x, uint64_t hash, med_rid *rid)
{
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_IDENT, x->err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)hash);
    int rc = sqlite3_step(stmt);
    *rid = rc == SQLITE_ROW ? (med_rid)sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE
           || med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
}

static bool check_ident(struct verifying *x, const struct expected *e)
{
    med_rid rid = 0;
    med_str type = med_names_type(&x->s->names, e->stored.type);
    if (!find_rid(x, med_store_ident(&x->s->base, type, e->stored.id), &rid))
        return false;
    if (rid != e->stored.rid)
        med_verify_fault(x, "index", name_of(x, &e->stored), "its id leads to another resource");
    return true;
}

/* ---- against extraction ---- */

static bool resolve(struct verifying *x, const med_rows *rows, int64_t updated, struct rowset *out)
{
    med_rid *patients = MED_TAKE(x->a, rows->n_patients, med_rid);
    med_reference_row *references = MED_TAKE(x->a, rows->n_references, med_reference_row);
    med_rid *targets = MED_TAKE(x->a, rows->n_targets, med_rid);
    if (patients == NULL || references == NULL || targets == NULL)
        return MED_FAIL_MEMORY(x->err);
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
    for (size_t i = 0; i < rows->n_patients; i++) {
        if (!find_rid(x, rows->patients[i], &patients[i]))
            return false;
    }
    for (size_t i = 0; i < rows->n_references; i++) {
        references[i].param = rows->references[i].param;
        if (!find_rid(x, rows->references[i].target, &references[i].target))
            return false;
    }
    for (size_t i = 0; i < rows->n_targets; i++) {
        med_rid rid = 0;
        if (!find_rid(x, rows->targets[i].ident, &rid))
            return false;
        bool covered = false;
        for (size_t k = 0; k < rows->n_references && !covered; k++)
            covered = references[k].target == rid;
        if (!covered)
            targets[out->n_targets++] = rid;
    }
    return true;
}

static bool same_rows(const struct expected *e, const struct index_row *rows, size_t n)
{
    bool same = n == e->n;
    for (size_t i = 0; same && i < n; i++)
        same = med_index_row_compare(&rows[i], &e->rows[i]) == 0;
    return same;
}

static bool check_extraction(struct verifying *x, const struct expected *e)
{
    med_rows rows = {0};
    med_err err = {0};
    if (e->stored.type < x->to->n_uncompared && x->to->uncompared[e->stored.type])
        return true;
    if (x->to->extract == NULL || e->row.change == MED_DELETED)
        return true;
    if (!x->to->extract(x->to->arg, x->a, e->stored.type, e->stored.id, e->stored.text, &rows,
                        &err)) {
        if (err.issue == MED_ISSUE_TOO_COSTLY) { /* nothing wrong with the resource */
            *x->err = err;
            return false;
        }
        med_verify_fault(x, "index", name_of(x, &e->stored),
                         "its index rows can not be made again");
        return true;
    }
    struct rowset set;
    struct index_row *fresh = NULL;
    size_t n = 0;
    if (!med_rows_prepare(x->a, &rows, x->err) || !resolve(x, &rows, e->row.updated, &set)
        || !med_rowset_expand(&set, e->row.rid, e->row.type, x->a, &fresh, &n, x->err))
        return false;
    if (!same_rows(e, fresh, n))
        med_verify_fault(x, "index", name_of(x, &e->stored),
                         "its index rows are not those its text gives: reindex");
    return true;
}

/* ---- for the full-text lists ---- */

static bool take_lists(struct verifying *x, const struct expected *e)
{
    med_err err = {0};
    bool ends = false;
    if (med_list_check_take(x->lists, &e->stored, &ends, &err)) {
        x->window_ends = x->window_ends || ends;
        return true;
    }
    return med_verify_failed(x, "lists", name_of(x, &e->stored), &err);
}

/* ---- forward ---- */

/* What the row under the statement says of its index rows. *known is false when it is damaged;
 * then the fault was told. */
static bool expect(struct verifying *x, sqlite3_stmt *stmt, struct expected *e, bool text,
                   bool *known)
{
    med_err err = {0};
    struct rowset set;
    *known = false;
    *e = (struct expected){.stored.id = MED_STR("?")};
    if (!med_sqlite_row(stmt, &e->row)) {
        med_verify_fault(x, "version", MED_STR("?"), "a row of the table resource is damaged");
        return true;
    }
    med_str where = med_arena_printf(x->a, "internal id %llu", (unsigned long long)e->row.rid);
    const med_hash_key *key = med_keyring_check(&x->s->keys, e->row.key);
    med_str bytes = med_statement_str(stmt, e->row.body_column + 1);
    if (e->row.change == MED_DELETED)
        bytes = MED_STR_EMPTY;
    if (med_sqlite_row_read(x->v, x->a, stmt, &e->row, text, &e->stored, &err) != MED_FOUND)
        return med_verify_failed(x, "version", where, &err);
    if (key == NULL || !med_arena_copy(x->a, bytes, &bytes))
        return key == NULL || MED_FAIL_MEMORY(x->err);
    if (!med_rowset_read(&set, x->a, bytes, *key, &err)
        || !med_rowset_expand(&set, e->row.rid, e->row.type, x->a, &e->rows, &e->n, &err))
        return med_verify_failed(x, "index", where, &err);
    *known = true;
    return true;
}

static bool resource_page(struct verifying *x, void *arg, bool *more)
{
    med_rid *at = arg;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt =
        med_connection_statement(x->v->connection, STATEMENT_ALL_RESOURCES, x->err);
    bool good = stmt != NULL;
    int rc = SQLITE_DONE;
    *more = false;
    if (good)
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)*at);
    bool text = x->to->extract != NULL || med_list_check_is_on(x->lists);
    while (good && !x->window_ends && med_verify_step(x, stmt, &rc)) {
        struct expected e;
        bool known = false;
        good = expect(x, stmt, &e, text, &known)
               && (!known
                   || (check_ident(x, &e) && check_rows(x, &e) && check_extraction(x, &e)
                       && take_lists(x, &e)));
        if (good)
            *at = (med_rid)sqlite3_column_int64(stmt, 0);
        *more = true;
    }
    *more = *more && !x->window_ends;
    (void)sqlite3_reset(stmt);
    if (good && rc != SQLITE_DONE && rc != SQLITE_ROW)
        good = med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
    med_sqlite_leave(x->v);
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

static bool belongs(const struct expected *e, const struct index_row *row)
{
    if (e->row.rid != row->rid || e->row.change == MED_DELETED)
        return false;
    if (row->table == TABLE_UPDATED)
        return row->a == e->row.type && row->b == e->row.updated;
    return e->n > 0 && bsearch(row, e->rows, e->n, sizeof *row, by_order) != NULL;
}

/* Rows of one resource often come one after another: `e` is the last one looked up. */
static bool check_owner(struct verifying *x, const struct index_row *row, struct expected *e)
{
    if (e->row.rid != row->rid) {
        sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_READ_RID, x->err);
        if (stmt == NULL)
            return false;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)row->rid);
        int rc = sqlite3_step(stmt);
        bool known = false;
        bool good = rc == SQLITE_DONE || (rc == SQLITE_ROW && expect(x, stmt, e, false, &known));
        (void)sqlite3_reset(stmt);
        if (rc == SQLITE_ROW && good && !known)
            return true; /* its own fault was told */
        if (!good)
            return rc != SQLITE_ROW && med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
        if (rc == SQLITE_DONE)
            *e = (struct expected){0};
    }
    if (!belongs(e, row))
        med_verify_fault(
            x, "index", med_arena_printf(x->a, "internal id %llu", (unsigned long long)row->rid),
            med_arena_printf(x->a, "the table %s has a row that its resource does not have",
                             med_table_shape((enum table)row->table)->name)
                .ptr);
    return true;
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

static bool table_page(struct verifying *x, void *arg, bool *more)
{
    struct table_at *at = arg;
    const struct table_shape *shape = med_table_shape(at->table);
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, shape->all, x->err);
    bool good = stmt != NULL;
    int rc = SQLITE_DONE;
    struct expected e = {0};
    struct index_row start = at->row;
    *more = false;
    if (good && !med_arena_copy(x->a, at->row.text, &start.text))
        good = MED_FAIL_MEMORY(x->err);
    if (good)
        med_table_bind(stmt, shape, &start);
    while (good && med_verify_step(x, stmt, &rc)) {
        struct index_row row = med_table_row(stmt, at->table);
        good = check_owner(x, &row, &e) && keep_place(x, at, &row);
        *more = true;
    }
    (void)sqlite3_reset(stmt);
    if (stmt != NULL)
        (void)sqlite3_clear_bindings(stmt);
    if (good && rc != SQLITE_DONE)
        good = med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
    med_sqlite_leave(x->v);
    return good;
}

/* ---- counters ---- */

static bool count(struct verifying *x, int64_t param, int64_t hash, int64_t *n)
{
    enum statement id = param == MED_TALLY_TYPE       ? STATEMENT_UPDATED_COUNT
                        : param == MED_TALLY_VERSIONS ? STATEMENT_FEED_TYPE_COUNT
                                                      : STATEMENT_TOKEN_COUNT;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, id, x->err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, param > 0 ? param : param == MED_TALLY_TYPE ? hash : 0);
    if (param != MED_TALLY_TYPE)
        (void)sqlite3_bind_int64(stmt, 2, param > 0 ? hash : INT64_MAX);
    if (param == MED_TALLY_VERSIONS)
        (void)sqlite3_bind_int64(stmt, 3, hash);
    int rc = sqlite3_step(stmt);
    *n = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
}

struct counter_at {
    int64_t param, hash;
};

static bool counter_page(struct verifying *x, void *arg, bool *more)
{
    struct counter_at *at = arg;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_ALL_COUNTERS, x->err);
    bool good = stmt != NULL;
    int rc = SQLITE_DONE;
    *more = false;
    if (good) {
        (void)sqlite3_bind_int64(stmt, 1, at->param);
        (void)sqlite3_bind_int64(stmt, 2, at->hash);
    }
    while (good && med_verify_step(x, stmt, &rc)) {
        struct counter_at here = {sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1)};
        int64_t n = 0;
        good = count(x, here.param, here.hash, &n);
        if (good && n != sqlite3_column_int64(stmt, 2))
            med_verify_fault(x, "counter",
                             med_arena_printf(x->a, "parameter %lld", (long long)here.param),
                             "a counter is not the number of its rows");
        if (good)
            *at = here;
        *more = true;
    }
    (void)sqlite3_reset(stmt);
    if (good && rc != SQLITE_DONE)
        good = med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
    med_sqlite_leave(x->v);
    return good;
}

bool med_verify_index(struct verifying *x)
{
    med_rid rid = 0;
    do {
        x->window_ends = false;
        if (!med_verify_begin_lists(x) || !med_verify_pages(x, resource_page, &rid)
            || !med_verify_lists(x))
            return false;
    } while (x->window_ends);
    for (unsigned table = 0; table < TABLE_INDEXES; table++) {
        struct table_at at = {.table = (enum table)table,
                              .row = {.a = INT64_MIN, .text = MED_STR_EMPTY}};
        if (!med_verify_pages(x, table_page, &at))
            return false;
    }
    struct counter_at at = {INT64_MIN, 0};
    return med_verify_pages(x, counter_page, &at);
}
