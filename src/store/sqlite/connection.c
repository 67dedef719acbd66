/* connection.c - opening with the settings the store depends on. https://www.sqlite.org/pragma.html
 */
#include "store/sqlite/connection.h"

#include <time.h>

#include "base/buf.h"
#include "store/sqlite/page_check.h"
#include "store/sqlite/sqlite.h"

enum { BUSY_NAPS = 50000 }; /* of 100 us */

static const char *const sql_texts[STATEMENT_COUNT] = {
#define STATEMENT_TEXT(name, sql) [STATEMENT_##name] = (sql),
    STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

/* 3.7.0 to 3.51.2 have it; 3.44.6 and 3.50.7 carry the fix. sqlite.org/changes.html */
bool med_sqlite_has_wal_race(int version_number)
{
    return version_number < 3051003 && !(version_number >= 3050007 && version_number < 3051000)
           && !(version_number >= 3044006 && version_number < 3045000);
}

bool med_connection_fail(const struct connection *c, int rc, const char *doing, med_err *err)
{
    int extended = c->db == NULL ? rc : sqlite3_extended_errcode(c->db);
    enum med_issue issue = MED_ISSUE_EXCEPTION;
    if ((rc & 0xff) == SQLITE_FULL)
        issue = MED_ISSUE_NO_STORE;
    else if ((rc & 0xff) == SQLITE_INTERRUPT)
        issue = MED_ISSUE_TIMEOUT;
    else if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED)
        issue = MED_ISSUE_LOCK_ERROR;
    else if ((rc & 0xff) == SQLITE_NOMEM)
        issue = MED_ISSUE_TRANSIENT;
    return MED_FAIL(err, issue, "the store failed while %s: %s (%d)", doing, sqlite3_errstr(rc),
                    extended);
}

static bool run_text(struct connection *c, const char *sql, med_err *err)
{
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK || med_connection_fail(c, rc, "setting up a connection", err);
}

/* Settings by configuration call, which a damaged or hostile file can not undo. */
static bool configure(struct connection *c, med_err *err)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        int now = -1;
        int rc = sqlite3_db_config(c->db, options[i].option, options[i].value, &now);
        if (rc != SQLITE_OK || now != options[i].value)
            return med_connection_fail(c, rc == SQLITE_OK ? SQLITE_MISUSE : rc,
                                       "hardening a connection", err);
    }
    (void)sqlite3_extended_result_codes(c->db, 1);
    (void)sqlite3_limit(c->db, SQLITE_LIMIT_SQL_LENGTH, 64 << 10);
    (void)sqlite3_limit(c->db, SQLITE_LIMIT_ATTACHED, 0);
    return true;
}

static bool set_cache(struct connection *c, size_t cache, med_err *err)
{
    med_buf sql;
    med_buf_init(&sql, 256);
    med_buf_printf(&sql, "PRAGMA cache_size = -%zu; PRAGMA cache_spill = 32768", cache >> 10);
    med_buf_addc(&sql, '\0');
    bool good = !sql.failed && run_text(c, sql.ptr, err);
    med_buf_free(&sql);
    return good;
}

/* Room for the page's check value; only has an effect on a file that is still empty. */
static bool reserve(struct connection *c, med_err *err)
{
    int reserved = MED_PAGE_RESERVED;
    int rc = sqlite3_file_control(c->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    return rc == SQLITE_OK || med_connection_fail(c, rc, "setting up a connection", err);
}

static bool prepare_file(struct connection *c, med_err *err)
{
    if (c->role == CONNECTION_READER)
        return run_text(c,
                        "PRAGMA query_only = ON; PRAGMA mmap_size = 0;"
                        "PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 0;"
                        "PRAGMA temp_store = MEMORY",
                        err);
    return reserve(c, err)
           && run_text(c,
                       "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;"
                       "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                       "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
                       "PRAGMA secure_delete = ON; PRAGMA foreign_keys = OFF;"
                       "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = -1",
                       err);
}

/* The one-connection rule this version of SQLite may need: readers that can not checkpoint. */
static bool is_harmless(struct connection *c, med_err *err)
{
    if (c->role == CONNECTION_WRITER || sqlite3_db_readonly(c->db, "main") == 1)
        return true;
    return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                    "a reader's connection could checkpoint: with SQLite %s that may lose commits",
                    sqlite3_libversion());
}

bool med_connection_open(struct connection *c, const char *file, const char *vfs,
                         enum connection_role role, size_t cache, med_err *err)
{
    char checked[MED_PAGE_CHECK_NAME];
    *c = (struct connection){.role = role};
    if (!med_page_check_vfs(vfs, checked, err))
        return false;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE
                | (role == CONNECTION_WRITER ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int rc = sqlite3_open_v2(file, &c->db, flags, checked);
    if (rc != SQLITE_OK) {
        (void)med_connection_fail(c, rc, "opening its file", err);
    } else if (configure(c, err) && set_cache(c, cache, err) && prepare_file(c, err)
               && is_harmless(c, err)) {
        return true;
    }
    med_connection_close(c);
    return false;
}

void med_connection_close(struct connection *c)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(c->statements[i]);
    (void)sqlite3_close_v2(c->db);
    *c = (struct connection){0};
}

sqlite3_stmt *med_connection_prepare(struct connection *c, enum statement id, med_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(c->db, sql_texts[id], -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc == SQLITE_OK)
        return stmt;
    (void)med_connection_fail(c, rc, "preparing a statement", err);
    return NULL;
}

sqlite3_stmt *med_connection_statement(struct connection *c, enum statement id, med_err *err)
{
    if (c->statements[id] == NULL)
        c->statements[id] = med_connection_prepare(c, id, err);
    return c->statements[id];
}

int med_connection_run(struct connection *c, enum statement id)
{
    med_err err = {0};
    sqlite3_stmt *stmt = med_connection_statement(c, id, &err);
    if (stmt == NULL)
        return sqlite3_errcode(c->db);
    int rc = sqlite3_step(stmt);
    int reset = sqlite3_reset(stmt);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : reset != SQLITE_OK ? reset : rc;
}

int med_connection_begin_write(struct connection *c)
{
    const struct timespec nap = {.tv_nsec = 100000};
    int rc = med_connection_run(c, STATEMENT_BEGIN_WRITE);
    for (int i = 0; i < BUSY_NAPS && (rc & 0xff) == SQLITE_BUSY; i++) {
        (void)nanosleep(&nap, NULL);
        rc = med_connection_run(c, STATEMENT_BEGIN_WRITE);
    }
    return rc;
}
