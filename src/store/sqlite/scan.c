/* scan.c - cursors over one range of one index table, and single probes. */
#include "base/mem.h"
#include "store/sqlite/sqlite_impl.h"

enum { IDLE_CURSORS = 256 }; /* of a view, kept for the next question */

static enum statement statement_for(const med_scan *q)
{
    bool down = q->descending;
    switch (q->index) {
    case MED_INDEX_TOKEN:
        return down ? STATEMENT_TOKEN_DOWN : STATEMENT_TOKEN_UP;
    case MED_INDEX_REFERENCE:
        return down ? STATEMENT_REFERENCE_DOWN : STATEMENT_REFERENCE_UP;
    case MED_INDEX_DATE:
        return down ? STATEMENT_DATE_DOWN : STATEMENT_DATE_UP;
    case MED_INDEX_STRING:
        return down ? STATEMENT_STRING_DOWN : STATEMENT_STRING_UP;
    case MED_INDEX_QUANTITY:
        return down ? STATEMENT_QUANTITY_DOWN : STATEMENT_QUANTITY_UP;
    case MED_INDEX_URI:
        return down ? STATEMENT_URI_DOWN : STATEMENT_URI_UP;
    case MED_INDEX_UPDATED:
        return down ? STATEMENT_UPDATED_DOWN : STATEMENT_UPDATED_UP;
    case MED_INDEX_PATIENT:
        if (q->type == 0)
            return down ? STATEMENT_PATIENT_ALL_DOWN : STATEMENT_PATIENT_ALL_UP;
        return down ? STATEMENT_PATIENT_DOWN : STATEMENT_PATIENT_UP;
    case MED_INDEX_PATIENT_TOKEN:
        break;
    }
    return down ? STATEMENT_PTOK_DOWN : STATEMENT_PTOK_UP;
}

static struct sqlite_cursor *take_cursor(struct sqlite_view *v, enum statement id, med_err *err)
{
    struct sqlite_cursor *c = v->idle[id];
    if (c != NULL) {
        v->idle[id] = c->next;
        v->n_idle--;
        return c;
    }
    sqlite3_stmt *stmt = med_connection_prepare(v->connection, id, err);
    if (stmt == NULL)
        return NULL;
    c = MED_NEW(1, struct sqlite_cursor);
    if (c == NULL) {
        (void)sqlite3_finalize(stmt);
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    *c = (struct sqlite_cursor){.base.view = &v->base, .stmt = stmt, .id = id};
    return c;
}

/* The start of a text range; the end of an ascending one: `high`, or behind all that begins
 * with `low`. Bytes compare as bytes, so the end need not be UTF-8. */
static bool bind_prefix_end(sqlite3_stmt *stmt, int at, med_str low)
{
    while (low.len > 0 && (unsigned char)low.ptr[low.len - 1] == 0xff)
        low.len--;
    if (low.len == 0) /* a blob is greater than every text */
        return sqlite3_bind_zeroblob(stmt, at, 0) == SQLITE_OK;
    char *end = sqlite3_malloc64(low.len);
    if (end == NULL)
        return false;
    memcpy(end, low.ptr, low.len);
    end[low.len - 1] = (char)((unsigned char)end[low.len - 1] + 1);
    return sqlite3_bind_text64(stmt, at, end, low.len, sqlite3_free, SQLITE_UTF8) == SQLITE_OK;
}

static bool bind_text_start(sqlite3_stmt *stmt, int at, med_str s)
{
    return sqlite3_bind_text64(stmt, at, s.ptr, s.len, SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK;
}

static bool bind_text_end(sqlite3_stmt *stmt, int at, const med_scan *q)
{
    return q->high_text.len == 0 ? bind_prefix_end(stmt, at, q->low_text)
                                 : bind_text_start(stmt, at, q->high_text);
}

static bool bind_texts(sqlite3_stmt *stmt, const med_scan *q)
{
    bool good = sqlite3_bind_int64(stmt, 1, q->param) == SQLITE_OK;
    if (q->after_rid != 0)
        good = good && bind_text_start(stmt, 3, q->after_text)
               && sqlite3_bind_int64(stmt, 4, (int64_t)q->after_rid) == SQLITE_OK;
    else if (q->descending) /* below (end, 0): the end itself is outside */
        good = good && bind_text_end(stmt, 3, q) && sqlite3_bind_int64(stmt, 4, 0) == SQLITE_OK;
    else
        good = good && bind_text_start(stmt, 3, q->low_text)
               && sqlite3_bind_int64(stmt, 4, 0) == SQLITE_OK;
    return good
           && (q->descending ? bind_text_start(stmt, 5, q->low_text) : bind_text_end(stmt, 5, q));
}

static bool bind_reals(sqlite3_stmt *stmt, const med_scan *q)
{
    double start = q->descending ? q->high_real : q->low_real;
    double end = q->descending ? q->low_real : q->high_real;
    int64_t rid = q->descending ? INT64_MAX : 0;
    return sqlite3_bind_int64(stmt, 1, q->param) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 2, (int64_t)q->key) == SQLITE_OK
           && sqlite3_bind_double(stmt, 3, q->after_rid != 0 ? q->after_real : start) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 4, q->after_rid != 0 ? (int64_t)q->after_rid : rid)
                  == SQLITE_OK
           && sqlite3_bind_double(stmt, 5, end) == SQLITE_OK;
}

static bool bind_rids(sqlite3_stmt *stmt, const med_scan *q)
{
    int64_t start = q->descending ? INT64_MAX : 0;
    return sqlite3_bind_int64(stmt, 1, q->param) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 2, (int64_t)q->key) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 3, q->after_rid != 0 ? (int64_t)q->after_rid : start)
                  == SQLITE_OK;
}

static bool bind_ints(sqlite3_stmt *stmt, const med_scan *q)
{
    bool patient = q->index == MED_INDEX_PATIENT || q->index == MED_INDEX_PATIENT_TOKEN;
    int64_t first = patient ? (int64_t)q->key : q->param;
    int64_t second = q->index == MED_INDEX_DATE      ? (int64_t)q->key
                     : q->index == MED_INDEX_PATIENT ? q->type
                                                     : q->param;
    int64_t start = q->descending ? q->high_int : q->low_int;
    int64_t rid = q->descending ? INT64_MAX : 0;
    bool good =
        sqlite3_bind_int64(stmt, 1, first) == SQLITE_OK
        && sqlite3_bind_int64(stmt, 3, q->after_rid != 0 ? q->after_int : start) == SQLITE_OK
        && sqlite3_bind_int64(stmt, 4, q->after_rid != 0 ? (int64_t)q->after_rid : rid) == SQLITE_OK
        && sqlite3_bind_int64(stmt, 5, q->descending ? q->low_int : q->high_int) == SQLITE_OK;
    if (q->index != MED_INDEX_UPDATED && !(q->index == MED_INDEX_PATIENT && q->type == 0))
        good = good && sqlite3_bind_int64(stmt, 2, second) == SQLITE_OK;
    if (q->index == MED_INDEX_PATIENT_TOKEN)
        good = good && sqlite3_bind_int64(stmt, 6, (int64_t)q->key2) == SQLITE_OK;
    return good;
}

static bool bind(sqlite3_stmt *stmt, const med_scan *q)
{
    switch (q->index) {
    case MED_INDEX_TOKEN:
    case MED_INDEX_REFERENCE:
        return bind_rids(stmt, q);
    case MED_INDEX_STRING:
    case MED_INDEX_URI:
        return bind_texts(stmt, q);
    case MED_INDEX_QUANTITY:
        return bind_reals(stmt, q);
    case MED_INDEX_DATE:
    case MED_INDEX_UPDATED:
    case MED_INDEX_PATIENT:
    case MED_INDEX_PATIENT_TOKEN:
        break;
    }
    return bind_ints(stmt, q);
}

med_cursor *med_sqlite_scan(med_view *view, const med_scan *q, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (!med_sqlite_enter(v, err))
        return NULL;
    struct sqlite_cursor *c = take_cursor(v, statement_for(q), err);
    if (c != NULL) {
        c->index = q->index;
        c->open_span = q->key == MED_SPAN_CLASSES - 1;
        c->next = v->cursors;
        v->cursors = c;
    }
    const struct overlay *over = c == NULL ? NULL : med_sqlite_overlay(v, err);
    bool good = over != NULL && (bind(c->stmt, q) || MED_FAIL_MEMORY(err))
                && med_sqlite_cursor_begin(c, q, over, err);
    med_sqlite_leave(v);
    if (c != NULL && !good)
        med_sqlite_cursor_close(&c->base);
    return good ? &c->base : NULL;
}

static bool keep_text(struct sqlite_cursor *c, med_str text, med_str *out)
{
    if (text.len > c->text_cap) {
        char *bigger = med_realloc(c->text, text.len, 1);
        if (bigger == NULL)
            return false;
        c->text = bigger;
        c->text_cap = text.len;
    }
    if (text.len == 0) {
        *out = MED_STR_EMPTY;
        return true;
    }
    memcpy(c->text, text.ptr, text.len);
    *out = (med_str){c->text, text.len};
    return true;
}

static bool fill_hit(struct sqlite_cursor *c, const struct index_row *row, med_hit *out)
{
    *out = (med_hit){.rid = row->rid, .text = MED_STR_EMPTY};
    switch (c->index) {
    case MED_INDEX_TOKEN:
    case MED_INDEX_REFERENCE:
        return true;
    case MED_INDEX_STRING:
    case MED_INDEX_URI:
        return keep_text(c, row->text, &out->text);
    case MED_INDEX_QUANTITY:
        out->real = med_double_from_key(row->c);
        out->real_high = med_double_from_key(row->d);
        return true;
    case MED_INDEX_DATE: /* the last class keeps its end, not its length */
        out->value = row->c;
        out->value_high = c->open_span ? row->d : row->c + row->d;
        return true;
    case MED_INDEX_UPDATED:
        out->value = row->b;
        break;
    case MED_INDEX_PATIENT:
        out->value = row->c;
        break;
    case MED_INDEX_PATIENT_TOKEN:
        out->value = row->d;
        break;
    }
    out->value_high = out->value;
    return true;
}

enum med_found med_sqlite_next(med_cursor *cursor, med_hit *out, med_err *err)
{
    struct sqlite_cursor *c = (struct sqlite_cursor *)cursor;
    struct sqlite_view *v = med_sqlite_of_view(cursor->view);
    struct index_row row;
    if (!med_sqlite_enter(v, err))
        return MED_FAILED;
    enum med_found found = med_sqlite_cursor_next(c, &row, err);
    if (found == MED_FOUND && !fill_hit(c, &row, out)) {
        (void)MED_FAIL_MEMORY(err);
        found = MED_FAILED;
    }
    med_sqlite_leave(v);
    return found;
}

void med_sqlite_cursor_close(med_cursor *cursor)
{
    struct sqlite_cursor *c = (struct sqlite_cursor *)cursor;
    struct sqlite_view *v = med_sqlite_of_view(cursor->view);
    pthread_mutex_lock(&v->lock);
    struct sqlite_cursor **at = &v->cursors;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    (void)sqlite3_reset(c->stmt);
    (void)sqlite3_clear_bindings(c->stmt);
    med_sqlite_cursor_end(c);
    c->next = v->idle[c->id];
    v->idle[c->id] = c;
    v->n_idle++;
    bool crowded = v->n_idle > IDLE_CURSORS;
    if (crowded) /* a question with a thousand branches must not cost memory for ever */
        med_sqlite_free_idle(v);
    pthread_mutex_unlock(&v->lock);
}

/* One number of one row. `has` may be NULL when there always is a row. */
static bool ask(struct sqlite_view *v, enum statement id, const int64_t *keys, int n, bool *has,
                int64_t *out, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, id, err);
    if (stmt == NULL)
        return false;
    for (int i = 0; i < n; i++)
        (void)sqlite3_bind_int64(stmt, i + 1, keys[i]);
    int rc = sqlite3_step(stmt);
    *has = rc == SQLITE_ROW;
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return true;
    (void)med_sqlite_read_failed(v, rc, err);
    return false;
}

/* A patient row is found by its time, which the caller does not know: ask the resource. */
static bool probe_patient(struct sqlite_view *v, uint64_t key, med_rid rid, bool *out, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_READ_RID, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
    int rc = sqlite3_step(stmt);
    struct stored_row row;
    bool good = rc == SQLITE_DONE || (rc == SQLITE_ROW && med_sqlite_row(stmt, &row));
    *out = false;
    if (good && rc == SQLITE_ROW && row.change != MED_DELETED) {
        const med_hash_key *check = med_keyring_check(&v->store->keys, row.key);
        good = check != NULL
               && med_rowset_has_patient(med_statement_str(stmt, row.body_column + 1), *check, key,
                                         out);
    }
    (void)sqlite3_reset(stmt);
    if (!good && rc != SQLITE_ROW)
        (void)med_sqlite_read_failed(v, rc, err);
    else if (!good)
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the list of a resource's index rows is damaged");
    return good;
}

static bool probe_key(struct sqlite_view *v, enum med_index index, uint32_t param, uint64_t key,
                      med_rid rid, bool *out, med_err *err)
{
    bool token = index == MED_INDEX_TOKEN;
    const int64_t keys[] = {param, (int64_t)key, (int64_t)rid};
    const struct index_row row = {.table = token ? TABLE_TOKEN : TABLE_REFERENCE,
                                  .a = token ? keys[0] : keys[1],
                                  .b = token ? keys[1] : keys[0],
                                  .rid = rid,
                                  .text = MED_STR_EMPTY};
    const struct overlay *over = med_sqlite_overlay(v, err);
    if (over == NULL)
        return false;
    const struct index_row *deferred = med_overlay_at(over, &row);
    if (deferred != NULL) {
        *out = !deferred->cut;
        return true;
    }
    int64_t ignored = 0;
    return ask(v, token ? STATEMENT_HAS_TOKEN : STATEMENT_HAS_REFERENCE, keys, 3, out, &ignored,
               err);
}

bool med_sqlite_probe(med_view *view, enum med_index index, uint32_t param, uint64_t key,
                      med_rid rid, bool *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (index != MED_INDEX_TOKEN && index != MED_INDEX_REFERENCE && index != MED_INDEX_PATIENT)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "only token, reference and patient rows can be probed");
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = false;
    if (index == MED_INDEX_PATIENT) {
        good = probe_patient(v, key, rid, out, err);
    } else {
        good = probe_key(v, index, param, key, rid, out, err);
    }
    med_sqlite_leave(v);
    return good;
}

/* A counter as this view sees it: the commit thread's has not written its changes yet. */
static bool counter(struct sqlite_view *v, int64_t param, uint64_t hash, bool *has, uint64_t *out,
                    med_err *err)
{
    const int64_t keys[] = {param, (int64_t)hash};
    int64_t n = 0;
    if (!ask(v, STATEMENT_COUNTER, keys, 2, has, &n, err))
        return false;
    if (v->writer)
        n += med_tallies_delta(&v->store->tallies, param, hash);
    *out = n > 0 ? (uint64_t)n : 0;
    return true;
}

bool med_sqlite_count_type(med_view *view, uint32_t type, uint64_t *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    bool has = false;
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = counter(v, MED_TALLY_TYPE, type, &has, out, err);
    med_sqlite_leave(v);
    return good;
}

/* What deferred rows add to, or take from, the table's rows of a token. */
static bool count_deferred(struct sqlite_view *v, uint32_t param, uint64_t hash, int64_t *n,
                           med_err *err)
{
    const struct overlay *over = med_sqlite_overlay(v, err);
    if (over == NULL)
        return false;
    const struct index_row key = {
        .table = TABLE_TOKEN, .a = param, .b = (int64_t)hash, .text = MED_STR_EMPTY};
    struct overlay_walk walk;
    med_overlay_walk(&walk, over, &key, false);
    const struct index_row *row = NULL;
    while ((row = med_overlay_next(&walk)) != NULL && row->a == key.a && row->b == key.b) {
        const int64_t keys[] = {param, (int64_t)hash, (int64_t)row->rid};
        int64_t ignored = 0;
        bool has = false;
        if (!ask(v, STATEMENT_HAS_TOKEN, keys, 3, &has, &ignored, err))
            return false;
        *n += (row->cut ? 0 : 1) - (has ? 1 : 0);
    }
    return true;
}

static bool count_rows(struct sqlite_view *v, uint32_t param, uint64_t hash, int64_t *n,
                       med_err *err)
{
    const int64_t keys[] = {param, (int64_t)hash};
    bool has = false;
    return ask(v, STATEMENT_TOKEN_COUNT, keys, 2, &has, n, err)
           && count_deferred(v, param, hash, n, err);
}

bool med_sqlite_count_token(med_view *view, uint32_t param, uint64_t hash, uint64_t *out,
                            med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    bool has = false;
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = counter(v, param, hash, &has, out, err);
    if (good && !has) { /* identifiers and the like have no counter: few rows each */
        int64_t n = 0;
        good = count_rows(v, param, hash, &n, err);
        *out = n > 0 ? (uint64_t)n : 0;
    }
    med_sqlite_leave(v);
    return good;
}

/* All integers of the first column, into the arena. */
static bool collect(struct sqlite_view *v, med_arena *a, sqlite3_stmt *stmt, uint64_t **out,
                    size_t *n, med_err *err)
{
    size_t cap = 16;
    uint64_t *to = MED_TAKE(a, cap, uint64_t);
    *n = 0;
    int rc = SQLITE_ROW;
    while (to != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (*n == cap) {
            uint64_t *bigger = MED_TAKE(a, cap * 2, uint64_t);
            if (bigger != NULL)
                memcpy(bigger, to, cap * sizeof *to);
            to = bigger;
            cap *= 2;
        }
        if (to != NULL)
            to[(*n)++] = (uint64_t)sqlite3_column_int64(stmt, 0);
    }
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    *out = to;
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    if (rc != SQLITE_DONE)
        (void)med_sqlite_read_failed(v, rc, err);
    return rc == SQLITE_DONE;
}

static bool codes(struct sqlite_view *v, med_arena *a, uint32_t param, med_str system, med_str code,
                  uint64_t **hashes, size_t *n, med_err *err)
{
    enum statement id = system.len == 0 ? STATEMENT_CODES_BY_CODE
                        : code.len == 0 ? STATEMENT_CODES_BY_SYSTEM
                                        : STATEMENT_CODES_BY_BOTH;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, id, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, param);
    bool good = med_statement_bind_str(stmt, 2, code.len == 0 ? system : code);
    if (id == STATEMENT_CODES_BY_BOTH)
        good = good && med_statement_bind_str(stmt, 3, system);
    return good ? collect(v, a, stmt, hashes, n, err) : MED_FAIL_MEMORY(err);
}

bool med_sqlite_codes(med_view *view, med_arena *a, uint32_t param, med_str system, med_str code,
                      uint64_t **hashes, size_t *n, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = codes(v, a, param, system, code, hashes, n, err);
    med_sqlite_leave(v);
    return good;
}
