/* recover.c - after a crash: the index rows that were deferred, made again.
 *
 * Which resources they belong to is in the feed, behind state.merged; what rows a resource has
 * is beside its body; what rows an earlier version had, that may be in the tables, is in
 * `unmerged`. All of those go and the current ones come, in one transaction: rows that are
 * there already stay as they are. */
#include "store/sqlite/sqlite_impl.h"

static bool push(struct sqlite_store *s, const struct index_row *row, bool cut, med_err *err)
{
    struct index_row pushed = *row;
    pushed.cut = cut;
    return med_pending_add(&s->pending, &pushed) || MED_FAIL_MEMORY(err);
}

struct owner {
    med_rid rid;
    uint32_t type, key;
    int64_t updated;
    bool cut;
};

/* What is damaged is told and passed over: one resource must not shut the store. */
static bool pass_over(struct sqlite_store *s, med_rid rid)
{
    atomic_fetch_add(&s->damaged, 1);
    med_sqlite_log(s, MED_LOG_ERROR,
                   "a stored version is damaged: what it is found by could not be made again",
                   (int64_t)rid);
    return true;
}

/* All rows of one list, which the statement may end. */
static bool push_list(struct sqlite_store *s, const struct owner *o, med_str bytes, med_err *err)
{
    struct rowset set;
    struct index_row *rows = NULL;
    size_t n = 0;
    const med_hash_key *key = med_keyring_check(&s->keys, o->key);
    if (key == NULL)
        return pass_over(s, o->rid);
    if (!med_arena_copy(s->scratch, bytes, &bytes))
        return MED_FAIL_MEMORY(err);
    if (!med_rowset_read(&set, s->scratch, bytes, *key, err))
        return med_arena_exhausted(s->scratch) ? false : pass_over(s, o->rid);
    if (!med_rowset_expand(&set, o->rid, o->type, s->scratch, &rows, &n, err))
        return false;
    const struct index_row updated = {.table = TABLE_UPDATED,
                                      .a = o->type,
                                      .b = o->updated,
                                      .rid = o->rid,
                                      .text = MED_STR_EMPTY};
    bool good = push(s, &updated, o->cut, err);
    for (size_t i = 0; good && i < n; i++)
        good = push(s, &rows[i], o->cut, err);
    return good;
}

static bool run_over(struct sqlite_store *s, enum statement id, bool cut, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, id, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, s->merged);
    bool good = true;
    int rc = SQLITE_ROW;
    while (good && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct owner o = {.rid = (med_rid)sqlite3_column_int64(stmt, 0),
                                .type = (uint32_t)sqlite3_column_int64(stmt, 1),
                                .updated = sqlite3_column_int64(stmt, 2),
                                .key = (uint32_t)sqlite3_column_int64(stmt, 3),
                                .cut = cut};
        good = push_list(s, &o, med_statement_str(stmt, 4), err);
    }
    (void)sqlite3_reset(stmt);
    return good
           && (rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "making its index", err));
}

/* The numbers of ids, which are deferred, too. */
static bool push_ident(struct sqlite_store *s, sqlite3_stmt *stmt, med_err *err)
{
    med_str bytes = med_statement_str(stmt, 2);
    const struct stored_row row = {.id = (const unsigned char *)bytes.ptr,
                                   .id_len = bytes.len,
                                   .id_is_uuid = sqlite3_column_type(stmt, 2) == SQLITE_BLOB};
    med_str id = MED_STR_EMPTY;
    med_str type = med_names_type(&s->names, (uint32_t)sqlite3_column_int64(stmt, 1));
    if (row.id_is_uuid ? row.id_len != 16 : row.id_len == 0 || row.id_len > MED_ID_BYTES)
        return pass_over(s, (med_rid)sqlite3_column_int64(stmt, 0));
    if (!med_row_id(s->scratch, &row, &id))
        return MED_FAIL_MEMORY(err);
    const struct index_row ident = {.table = TABLE_IDENT,
                                    .a = (int64_t)med_store_ident(&s->base, type, id),
                                    .rid = (med_rid)sqlite3_column_int64(stmt, 0),
                                    .text = MED_STR_EMPTY};
    return push(s, &ident, false, err);
}

static bool push_idents(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_UNMERGED_IDS, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, s->merged);
    bool good = true;
    int rc = SQLITE_ROW;
    while (good && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        good = push_ident(s, stmt, err);
    (void)sqlite3_reset(stmt);
    return good
           && (rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "making its index", err));
}

static bool recover(struct sqlite_store *s, med_err *err)
{
    /* what comes is pushed behind what goes, so it has the last word on a key */
    if (!run_over(s, STATEMENT_UNMERGED_OLD, true, err)
        || !run_over(s, STATEMENT_UNMERGED_NOW, false, err) || !push_idents(s, err)
        || !med_sqlite_write_pending(s, err))
        return false;
    s->merge.merged = s->t;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_DROP_UNMERGED, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, s->t);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return (rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "making its index", err))
           && med_sqlite_write_state(s, err);
}

bool med_sqlite_recover(struct sqlite_store *s, med_err *err)
{
    s->merge.merged = s->merged;
    if (s->merged >= s->t)
        return true;
    int rc = med_connection_begin_write(&s->writer);
    if (rc != SQLITE_OK)
        return med_connection_fail(&s->writer, rc, "making its index", err);
    bool good = recover(s, err);
    rc = med_connection_run(&s->writer, good ? STATEMENT_COMMIT : STATEMENT_ROLLBACK);
    med_pending_clear(&s->pending);
    med_arena_reset(s->scratch);
    if (!good)
        return false;
    s->merged = s->t;
    return rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "making its index", err);
}
