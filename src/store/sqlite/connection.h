/* connection.h - one SQLite connection with its prepared statements. Private to store/sqlite/.
 *
 * Not thread safe: opened NOMUTEX, so its owner lets one thread in at a time. */
#ifndef MED_STORE_SQLITE_CONNECTION_H
#define MED_STORE_SQLITE_CONNECTION_H

#include <sqlite3.h>

#include "base/err.h"
#include "store/sqlite/statement.h"

enum connection_role { CONNECTION_WRITER, CONNECTION_READER };

struct connection {
    sqlite3 *db;
    enum connection_role role;
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared at first use */
};

/* `cache` is in bytes. A writer sets the file up as WAL; a reader can not write at all. */
bool med_connection_open(struct connection *c, const char *file, const char *vfs,
                         enum connection_role role, size_t cache, med_err *err) MED_MUST_CHECK;
void med_connection_close(struct connection *c); /* a zeroed one is fine */

/* The statement, prepared and reset; NULL with *err. */
sqlite3_stmt *med_connection_statement(struct connection *c, enum statement id, med_err *err);
/* The same, for the caller to own (cursors); end with sqlite3_finalize. */
sqlite3_stmt *med_connection_prepare(struct connection *c, enum statement id, med_err *err);
/* Runs a statement that gives no rows; returns SQLite's result code. */
int med_connection_run(struct connection *c, enum statement id);
/* Begins the writer's transaction. Nobody else writes, but a reader that meets the header of
 * the WAL half written takes the write lock to read it again: SQLITE_BUSY, for microseconds. */
int med_connection_begin_write(struct connection *c);

/* *err of an SQLite result code; returns false. `doing` names the step, for a developer. */
bool med_connection_fail(const struct connection *c, int rc, const char *doing, med_err *err);

static inline bool med_statement_bind_str(sqlite3_stmt *stmt, int at, med_str s)
{
    return sqlite3_bind_text64(stmt, at, s.ptr, s.len, SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
}
static inline bool med_statement_bind_blob(sqlite3_stmt *stmt, int at, med_str s)
{
    return sqlite3_bind_blob64(stmt, at, s.ptr, s.len, SQLITE_STATIC) == SQLITE_OK;
}
/* Bytes of a text or blob column; good until the statement moves on. */
static inline med_str med_statement_str(sqlite3_stmt *stmt, int at)
{
    const char *ptr = sqlite3_column_blob(stmt, at);
    int len = sqlite3_column_bytes(stmt, at);
    return ptr == NULL ? MED_STR_EMPTY : (med_str){ptr, (size_t)len};
}

#endif
