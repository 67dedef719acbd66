/* parts.c - long base64 values kept beside the bodies (store/part.h): written, found, dropped.
 *
 * A commit always writes the bytes of its parts, whether or not they are there already: else the
 * time it takes would tell a client that somebody has the same file. Which of them are there twice
 * is looked at when nothing waits, and all but the oldest go. Reading goes by the hash and takes
 * any. */
#include "store/part.h"
#include "store/sqlite/sqlite_impl.h"

enum { FOLD_BYTES = 64 << 20 }; /* of new parts, from which on looking at them must not wait */

static bool run(struct sqlite_store *s, sqlite3_stmt *stmt, const char *doing, med_err *err)
{
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, doing, err);
}

static med_str hash_of(const uint8_t hash[MED_PART_HASH])
{
    return (med_str){(const char *)hash, MED_PART_HASH};
}

/* ---- writing ---- */

static bool add_part(struct sqlite_store *s, const med_store_part *part, med_err *err)
{
    sqlite3_stmt *add = med_connection_statement(&s->writer, STATEMENT_ADD_PART, err);
    sqlite3_stmt *note = med_connection_statement(&s->writer, STATEMENT_ADD_NEW_PART, err);
    if (add == NULL || note == NULL)
        return false;
    if (!med_statement_bind_blob(add, 1, hash_of(part->hash))
        || !med_statement_bind_blob(add, 2, part->packed))
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a value is too large for the store");
    bool good = run(s, add, "writing a long value", err) && run(s, note, "writing", err);
    (void)sqlite3_clear_bindings(add);
    return good;
}

static bool add_use(struct sqlite_store *s, const struct stored_row *row,
                    const med_store_part *part, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_USE, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)row->rid);
    (void)sqlite3_bind_int64(stmt, 2, row->version);
    if (!med_statement_bind_blob(stmt, 3, hash_of(part->hash)))
        return MED_FAIL_MEMORY(err);
    bool good = run(s, stmt, "writing", err);
    (void)sqlite3_clear_bindings(stmt);
    return good;
}

bool med_sqlite_add_parts(struct sqlite_store *s, const struct stored_row *row, const med_write *w,
                          med_err *err)
{
    for (size_t i = 0; i < w->n_parts; i++) {
        if (!add_part(s, &w->parts[i], err) || !add_use(s, row, &w->parts[i], err))
            return false;
        s->parts_new = true;
        s->parts_new_bytes += w->parts[i].packed.len;
    }
    return true;
}

bool med_sqlite_drop_parts(struct sqlite_store *s, med_rid rid, med_err *err)
{
    static const enum statement drops[] = {STATEMENT_DROP_PARTS, STATEMENT_DROP_USES};
    for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++) {
        sqlite3_stmt *stmt = med_connection_statement(&s->writer, drops[i], err);
        if (stmt == NULL)
            return false;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
        if (!run(s, stmt, "removing long values", err))
            return false;
    }
    return true;
}

/* ---- reading ---- */

enum med_found med_sqlite_find_part(void *view, const uint8_t hash[MED_PART_HASH], med_str *packed,
                                    med_err *err)
{
    struct sqlite_view *v = view;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_READ_PART, err);
    if (stmt == NULL)
        return MED_FAILED;
    (void)sqlite3_reset(stmt);
    if (!med_statement_bind_blob(stmt, 1, hash_of(hash))) {
        (void)MED_FAIL_MEMORY(err);
        return MED_FAILED;
    }
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_DONE)
        return MED_ABSENT;
    if (rc != SQLITE_ROW)
        return med_sqlite_read_failed(v, rc, err);
    *packed = med_statement_str(stmt, 0);
    return MED_FOUND;
}

enum med_found med_sqlite_uses_are_sound(struct sqlite_view *v, med_arena *a, med_str body,
                                         const struct stored_row *row, med_err *err)
{
    struct part_list list;
    size_t n = 0;
    if (!med_part_list(body, &list))
        return med_sqlite_damaged(v, row, err);
    const uint8_t **hashes = med_part_hashes(a, &list, &n);
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_USES_OF, err);
    if (hashes == NULL || stmt == NULL) {
        if (hashes == NULL)
            (void)MED_FAIL_MEMORY(err);
        return MED_FAILED;
    }
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)row->rid);
    (void)sqlite3_bind_int64(stmt, 2, row->version);
    size_t found = 0;
    bool same = true;
    int rc = SQLITE_ROW;
    while (same && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        same = found < n && med_str_eq(med_statement_str(stmt, 0), hash_of(hashes[found]));
        found++;
    }
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return med_sqlite_read_failed(v, rc, err);
    return same && found == n ? MED_FOUND : med_sqlite_damaged(v, row, err);
}

/* ---- one of each ---- */

bool med_sqlite_load_parts(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_HAS_NEW_PARTS, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    s->parts_new = rc == SQLITE_ROW;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE
           || med_connection_fail(&s->writer, rc, "looking for new parts", err);
}

bool med_sqlite_fold_wanted(const struct sqlite_store *s)
{
    return s->parts_new && !s->failed && !s->full;
}

bool med_sqlite_fold_due(const struct sqlite_store *s)
{
    return med_sqlite_fold_wanted(s) && s->parts_new_bytes >= FOLD_BYTES;
}

static bool fold_some(struct sqlite_store *s, bool *more, med_err *err)
{
    sqlite3_stmt *fold = med_connection_statement(&s->writer, STATEMENT_FOLD_PARTS, err);
    sqlite3_stmt *forget = med_connection_statement(&s->writer, STATEMENT_FOLD_NEW, err);
    if (fold == NULL || forget == NULL || !run(s, fold, "keeping one of each value", err)
        || !run(s, forget, "keeping one of each value", err))
        return false;
    *more = sqlite3_changes(s->writer.db) > 0;
    return true;
}

bool med_sqlite_fold(struct sqlite_store *s, bool whole, med_err *err)
{
    bool more = true;
    int rc = med_connection_begin_write(&s->writer);
    bool good =
        rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "keeping one of each value", err);
    for (bool on = true; good && more && on; on = whole)
        good = fold_some(s, &more, err);
    if (good) {
        rc = med_connection_run(&s->writer, STATEMENT_COMMIT);
        good = rc == SQLITE_OK
               || med_connection_fail(&s->writer, rc, "keeping one of each value", err);
        if (!good && err->issue != MED_ISSUE_NO_STORE) {
            med_sqlite_stop_writing(s, err);
            return false;
        }
    }
    if (!good) {
        (void)med_connection_run(&s->writer, STATEMENT_ROLLBACK);
        return false;
    }
    s->parts_new = more;
    if (!more)
        s->parts_new_bytes = 0;
    return true;
}
