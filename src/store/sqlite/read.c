/* read.c - single versions, by id or rid. */
#include "store/rowset.h"
#include "store/sqlite/sqlite_impl.h"

/* The row a statement with one parameter finds. MED_FOUND leaves the statement on the row. */
static enum med_found find(struct sqlite_view *v, enum statement id, uint64_t key, int64_t key2,
                           sqlite3_stmt **out, struct stored_row *row, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, id, err);
    if (stmt == NULL)
        return MED_FAILED;
    *out = stmt;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)key);
    if (key2 >= 0)
        (void)sqlite3_bind_int64(stmt, 2, key2);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_DONE)
        return MED_ABSENT;
    if (rc != SQLITE_ROW) {
        (void)med_sqlite_read_failed(v, rc, err);
        return MED_FAILED;
    }
    if (med_sqlite_row(stmt, row))
        return MED_FOUND;
    atomic_fetch_add(&v->store->damaged, 1);
    (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "a stored version is damaged (internal id %llu)",
                   (unsigned long long)row->rid);
    return MED_FAILED;
}

/* A row found by hash that has another id: the hash never collides by chance, so the row or the
 * map is damaged. */
static enum med_found check_id(struct sqlite_view *v, const struct stored_row *row, uint32_t type,
                               med_str id, med_err *err)
{
    struct packed_id packed;
    if (row->type == type && med_id_pack(id, &packed) && packed.uuid == row->id_is_uuid
        && packed.len == row->id_len && memcmp(packed.bytes, row->id, packed.len) == 0)
        return MED_FOUND;
    atomic_fetch_add(&v->store->damaged, 1);
    (void)MED_FAIL(err, MED_ISSUE_EXCEPTION,
                   "a stored version is damaged: internal id %llu has another id than it is "
                   "filed under",
                   (unsigned long long)row->rid);
    return MED_FAILED;
}

static uint64_t ident_of(struct sqlite_view *v, uint32_t type, med_str id)
{
    return med_store_ident(&v->store->base, med_names_type(&v->store->names, type), id);
}

/* The current row of the id with that hash; its number may be among what is deferred. */
static enum med_found find_current(struct sqlite_view *v, uint64_t ident, sqlite3_stmt **out,
                                   struct stored_row *row, med_err *err)
{
    enum med_found found = find(v, STATEMENT_READ, ident, -1, out, row, err);
    if (found != MED_ABSENT)
        return found;
    const struct overlay *over = med_sqlite_overlay(v, err);
    if (over == NULL)
        return MED_FAILED;
    med_rid rid = med_overlay_ident(over, ident);
    if (rid == 0)
        return MED_ABSENT;
    (void)sqlite3_reset(*out);
    return find(v, STATEMENT_READ_RID, rid, -1, out, row, err);
}

static enum med_found read_current(struct sqlite_view *v, med_arena *a, uint32_t type, med_str id,
                                   med_stored *out, med_err *err)
{
    sqlite3_stmt *stmt = NULL;
    struct stored_row row;
    enum med_found found = find_current(v, ident_of(v, type, id), &stmt, &row, err);
    if (found == MED_FOUND)
        found = check_id(v, &row, type, id, err);
    if (found == MED_FOUND)
        found = med_sqlite_row_read(v, a, stmt, &row, true, out, err);
    (void)sqlite3_reset(stmt);
    return found;
}

enum med_found med_sqlite_read(med_view *view, med_arena *a, uint32_t type, med_str id,
                               med_stored *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (!med_sqlite_enter(v, err))
        return MED_FAILED;
    enum med_found found = read_current(v, a, type, id, out, err);
    med_sqlite_leave(v);
    return found;
}

enum med_found med_sqlite_latest(med_view *view, med_arena *a, uint32_t type, med_str id,
                                 med_stored *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    uint64_t ident = ident_of(v, type, id);
    if (med_recent_find(&v->store->recent, ident, type, id, a, out))
        return MED_FOUND;
    enum med_found found = med_sqlite_read(view, a, type, id, out, err);
    if (found == MED_FOUND && !view->apart)
        med_recent_keep(&v->store->recent, ident, out, v->epoch);
    return found;
}

static enum med_found read_version(struct sqlite_view *v, med_arena *a, uint32_t type, med_str id,
                                   uint32_t version, med_stored *out, med_err *err)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3_stmt *old = NULL;
    struct stored_row row;
    enum med_found found = find_current(v, ident_of(v, type, id), &stmt, &row, err);
    if (found == MED_FOUND)
        found = check_id(v, &row, type, id, err);
    if (found == MED_FOUND && row.version == version) {
        found = med_sqlite_row_read(v, a, stmt, &row, true, out, err);
    } else if (found == MED_FOUND) {
        found = find(v, STATEMENT_READ_VERSION, row.rid, version, &old, &row, err);
        if (found == MED_FOUND)
            found = med_sqlite_row_read(v, a, old, &row, true, out, err);
    }
    (void)sqlite3_reset(stmt);
    (void)sqlite3_reset(old);
    return found;
}

enum med_found med_sqlite_version(med_view *view, med_arena *a, uint32_t type, med_str id,
                                  uint32_t version, med_stored *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (!med_sqlite_enter(v, err))
        return MED_FAILED;
    enum med_found found = read_version(v, a, type, id, version, out, err);
    med_sqlite_leave(v);
    return found;
}

void med_sqlite_leave_rows(struct sqlite_view *v)
{
    if (v->at_rows != 0)
        (void)sqlite3_reset(v->connection->statements[STATEMENT_READ_ROWS]);
    v->at_rows = 0;
}

/* A candidate's rows are read first, and its text next when they say that it matches: with `stay`
 * the statement is left on its row, so that one seek does for both. Not on the commit thread, whose
 * transaction would not end under an open statement. */
static enum med_found find_rid(struct sqlite_view *v, med_rid rid, bool stay, sqlite3_stmt **out,
                               struct stored_row *row, med_err *err)
{
    if (v->at_rows == rid && rid != 0) {
        *out = v->connection->statements[STATEMENT_READ_ROWS];
        (void)med_sqlite_row(*out, row); /* it was sound before */
        return MED_FOUND;
    }
    if (!stay || v->writer)
        return find(v, STATEMENT_READ_RID, rid, -1, out, row, err);
    med_sqlite_leave_rows(v);
    enum med_found found = find(v, STATEMENT_READ_ROWS, rid, -1, out, row, err);
    v->at_rows = found == MED_FOUND ? rid : 0;
    return found;
}

static void end_rid(const struct sqlite_view *v, sqlite3_stmt *stmt)
{
    if (v->at_rows == 0 || stmt != v->connection->statements[STATEMENT_READ_ROWS])
        (void)sqlite3_reset(stmt);
}

enum med_found med_sqlite_by_rid(med_view *view, med_arena *a, med_rid rid, med_stored *out,
                                 med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (!med_sqlite_enter(v, err))
        return MED_FAILED;
    sqlite3_stmt *stmt = NULL;
    struct stored_row row;
    enum med_found found = find_rid(v, rid, false, &stmt, &row, err);
    if (found == MED_FOUND)
        found = med_sqlite_row_read(v, a, stmt, &row, true, out, err);
    end_rid(v, stmt);
    med_sqlite_leave(v);
    return found;
}

/* Its strings are copied: those of the statement end with it. */
static enum med_found read_rows(struct sqlite_view *v, med_arena *a, sqlite3_stmt *stmt,
                                const struct stored_row *row, med_rows *out, med_err *err)
{
    struct rowset set;
    med_str bytes = MED_STR_EMPTY;
    const med_hash_key *key = med_keyring_check(&v->store->keys, row->key);
    if (!med_arena_copy(a, med_statement_str(stmt, row->body_column + 1), &bytes)) {
        (void)MED_FAIL_MEMORY(err);
        return MED_FAILED;
    }
    if (key == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the key of a stored version is missing");
        return MED_FAILED;
    }
    if (!med_rowset_read(&set, a, bytes, *key, err))
        return MED_FAILED;
    *out = med_rowset_rows(&set);
    return MED_FOUND;
}

enum med_found med_sqlite_rows(med_view *view, med_arena *a, med_rid rid, med_stored *out,
                               med_rows *rows, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (!med_sqlite_enter(v, err))
        return MED_FAILED;
    sqlite3_stmt *stmt = NULL;
    struct stored_row row;
    *rows = (med_rows){.when = MED_TIME_MIN};
    enum med_found found = find_rid(v, rid, true, &stmt, &row, err);
    if (found == MED_FOUND)
        found = med_sqlite_row_read(v, a, stmt, &row, false, out, err);
    if (found == MED_FOUND && out->change != MED_DELETED)
        found = read_rows(v, a, stmt, &row, rows, err);
    end_rid(v, stmt);
    med_sqlite_leave(v);
    return found;
}

bool med_sqlite_rid(med_view *view, uint64_t ident, med_rid *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    *out = 0;
    if (!med_sqlite_enter(v, err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_IDENT, err);
    int rc = SQLITE_ERROR;
    if (stmt != NULL) {
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)ident);
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW)
            *out = (med_rid)sqlite3_column_int64(stmt, 0);
        else if (rc != SQLITE_DONE)
            (void)med_sqlite_read_failed(v, rc, err);
        (void)sqlite3_reset(stmt);
    }
    bool good = rc == SQLITE_ROW || rc == SQLITE_DONE;
    const struct overlay *over = good && *out == 0 ? med_sqlite_overlay(v, err) : NULL;
    if (over != NULL)
        *out = med_overlay_ident(over, ident);
    good = good && (*out != 0 || over != NULL);
    med_sqlite_leave(v);
    return good;
}
