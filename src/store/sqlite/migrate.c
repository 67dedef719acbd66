/* migrate.c - brings a store to the format of this program, one numbered file a step.
 *
 * All steps are one transaction with the new format's number in it (user_version), so a crash
 * leaves the old form or the new one. A newer format is refused: an older program would write
 * rows that the newer one can not find. */
#include "0001_first_tables_embedded.h"
#include "0002_notes_embedded.h"
#include "0003_fulltext_embedded.h"
#include "0004_deferred_rows_embedded.h"
#include "0005_parts_embedded.h"
#include "0006_hubs_embedded.h"
#include "0007_pairs_embedded.h"
#include "0008_hidden_embedded.h"
#include "store/sqlite/sqlite_impl.h"

enum { APPLICATION_ID = 0x4d45444c }; /* "MEDL" */

static med_str (*const migrations[MED_SQLITE_FORMAT])(void) = {
    med_embedded_0001_first_tables,  med_embedded_0002_notes,  med_embedded_0003_fulltext,
    med_embedded_0004_deferred_rows, med_embedded_0005_parts,  med_embedded_0006_hubs,
    med_embedded_0007_pairs,         med_embedded_0008_hidden,
};

static bool read_pragma(struct connection *c, const char *sql, int64_t *out, med_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_ROW || med_connection_fail(c, rc, "reading its format", err);
}

bool med_sqlite_read_format(struct connection *c, unsigned *format, med_err *err)
{
    int64_t version = 0;
    int64_t application = 0;
    if (!read_pragma(c, "PRAGMA user_version", &version, err)
        || !read_pragma(c, "PRAGMA application_id", &application, err))
        return false;
    if (version < 0 || version > UINT16_MAX || (version > 0 && application != APPLICATION_ID))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "medulla.db is not a store of this program");
    *format = (unsigned)version;
    return true;
}

static bool run(struct connection *c, const char *sql, med_err *err)
{
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK || med_connection_fail(c, rc, "changing its format", err);
}

static const char *sql_of(const med_sqlite_options *o, unsigned to)
{
    return to <= MED_SQLITE_FORMAT ? migrations[to - 1]().ptr
                                   : o->further[to - 1 - MED_SQLITE_FORMAT];
}

static bool steps(struct connection *c, const med_sqlite_options *o, unsigned now, unsigned newest,
                  med_err *err)
{
    char number[96];
    (void)snprintf(number, sizeof number, "PRAGMA application_id = %d; PRAGMA user_version = %u",
                   APPLICATION_ID, newest);
    for (unsigned to = now + 1; to <= newest; to++) {
        if (!run(c, sql_of(o, to), err))
            return false;
    }
    return run(c, number, err) && run(c, "COMMIT", err);
}

static bool change(struct connection *c, const med_sqlite_options *o, unsigned now, unsigned newest,
                   med_err *err)
{
    bool good = run(c, "BEGIN IMMEDIATE", err) && steps(c, o, now, newest, err);
    if (!good)
        (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return good;
}

unsigned med_sqlite_newest(const med_sqlite_options *o)
{
    return o->format != 0 ? o->format : MED_SQLITE_FORMAT + o->n_further;
}

bool med_sqlite_migrate(struct connection *writer, const med_sqlite_options *o, med_err *err)
{
    unsigned now = 0;
    unsigned newest = med_sqlite_newest(o);
    if (!med_sqlite_read_format(writer, &now, err))
        return false;
    if (now > newest)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "this store has format %u, this program knows formats up to %u: use a "
                        "newer medulla (nothing was changed)",
                        now, newest);
    if (now != 0 && now < newest && !o->upgrade)
        return MED_FAIL(err, MED_ISSUE_EXPIRED,
                        "this store has format %u, this program works on format %u: run `medulla "
                        "upgrade --data %.*s`, which keeps a copy (nothing was changed)",
                        now, newest, MED_STR_ARG(med_str_sub(o->data, 0, 80)));
    return now == newest || change(writer, o, now, newest, err);
}
