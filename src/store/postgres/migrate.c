/* migrate.c - makes the tables, or brings older ones to the format of this program (only when asked
 * to, by `medulla upgrade`), one numbered file a step.
 *
 * All steps are one transaction with the new format's number in it, under a lock that lets one
 * process in at a time. A newer format is refused: an older program would write rows that the
 * newer one can not find. */
#include "0001_first_postgres_tables_embedded.h"
#include "0002_postgres_notes_embedded.h"
#include "0003_postgres_fulltext_embedded.h"
#include "0004_postgres_parts_embedded.h"
#include "0005_postgres_hubs_embedded.h"
#include "0006_postgres_note_files_embedded.h"
#include "0007_postgres_pairs_embedded.h"
#include "0008_postgres_hidden_embedded.h"
#include "base/mem.h"
#include "store/postgres/postgres_impl.h"

static med_str (*const migrations[MED_POSTGRES_FORMAT])(void) = {
    med_embedded_0001_first_postgres_tables, med_embedded_0002_postgres_notes,
    med_embedded_0003_postgres_fulltext,     med_embedded_0004_postgres_parts,
    med_embedded_0005_postgres_hubs,         med_embedded_0006_postgres_note_files,
    med_embedded_0007_postgres_pairs,        med_embedded_0008_postgres_hidden,
};

/* 0x4d45444c: "MEDL" */
static const char begin[] =
    "BEGIN; SELECT pg_advisory_xact_lock(1296385100); CREATE SCHEMA IF NOT EXISTS medulla;"
    "CREATE TABLE IF NOT EXISTS medulla.format ("
    " number int4 PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())";

/* Outside of the pipeline, as text: the tables may not be there yet. */
static bool read_format(struct pg_connection *c, bool *exists, unsigned *format, med_err *err)
{
    static const char sql[] = "SELECT coalesce(max(number), 0) FROM medulla.format";
    static const char look[] = "SELECT to_regclass('medulla.format') IS NOT NULL";
    bool pipeline = PQpipelineStatus(c->pg) != PQ_PIPELINE_OFF;
    if (pipeline && PQexitPipelineMode(c->pg) != 1)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the connection is in use");
    PGresult *r = PQexec(c->pg, look);
    bool good = PQresultStatus(r) == PGRES_TUPLES_OK;
    *exists = good && PQgetvalue(r, 0, 0)[0] == 't';
    *format = 0;
    PQclear(r);
    if (*exists) {
        int64_t number = 0;
        r = PQexec(c->pg, sql);
        good = PQresultStatus(r) == PGRES_TUPLES_OK
               && med_str_to_int64(med_str_from(PQgetvalue(r, 0, 0)), &number);
        *format = (unsigned)number;
        PQclear(r);
    }
    if (!good)
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT,
                       "the store's format can not be read: the user needs all rights on the "
                       "schema medulla");
    return (!pipeline || PQenterPipelineMode(c->pg) == 1) && good;
}

static bool is_known(unsigned now, unsigned format, med_err *err)
{
    return now <= format
           || MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "this store has format %u, this program knows formats up to %u: use a "
                       "newer medulla (nothing was changed)",
                       now, format);
}

static bool step(struct pg_connection *c, unsigned to, med_err *err)
{
    char number[96];
    (void)snprintf(number, sizeof number, "INSERT INTO medulla.format (number) VALUES (%u)", to);
    return med_pg_script(c, "SET LOCAL search_path = medulla, pg_catalog", err)
           && med_pg_script(c, migrations[to - 1]().ptr, err) && med_pg_script(c, number, err);
}

/* Somebody else may have come first: what counts is what stands under the lock. */
static bool make_steps(struct pg_connection *c, unsigned format, med_err *err)
{
    unsigned now = 0;
    bool exists = false;
    bool good = med_pg_script(c, begin, err) && read_format(c, &exists, &now, err)
                && is_known(now, format, err);
    for (unsigned to = now + 1; good && to <= format; to++)
        good = step(c, to, err);
    med_err ignored = {0};
    return med_pg_script(c, good ? "COMMIT" : "ROLLBACK", good ? err : &ignored) && good;
}

bool med_pg_migrate(struct pg_connection *c, unsigned format, bool create, med_err *err)
{
    unsigned now = 0;
    bool exists = false;
    if (!read_format(c, &exists, &now, err) || !is_known(now, format, err))
        return false;
    if (now == format)
        return true;
    if (now != 0)
        return MED_FAIL(err, MED_ISSUE_EXPIRED,
                        "this store has format %u, this program works on format %u: make a backup "
                        "with PostgreSQL's own tools, stop all servers of the store and run "
                        "`medulla upgrade` (nothing was changed)",
                        now, format);
    return create ? make_steps(c, format, err)
                  : MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no store in the database");
}

/* ---- medulla upgrade ---- */

/* An older program that is running would go on writing its own form. */
static bool is_alone(struct pg_connection *c, med_err *err)
{
    int64_t others = 0;
    bool counted = false;
    PGresult *r = med_pg_ask(c, STATEMENT_OTHERS, NULL, err);
    if (r != NULL) {
        counted = PQntuples(r) == 1;
        others = med_pg_int_at(r, 0, 0);
    }
    PQclear(r);
    return counted
           && (others == 0
               || MED_FAIL(err, MED_ISSUE_LOCK_ERROR,
                           "other processes of medulla have %lld connections to this database",
                           (long long)others));
}

static bool upgrade(struct pg_connection *c, unsigned *from, unsigned to, med_err *err)
{
    bool exists = false;
    if (!med_pg_connect(c, err) || !read_format(c, &exists, from, err) || !is_known(*from, to, err))
        return false;
    if (*from == 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no store in the database");
    if (*from == to)
        return MED_FAIL(err, MED_ISSUE_INFORMATIONAL, "the store has format %u: nothing to do", to);
    return is_alone(c, err) && make_steps(c, to, err);
}

bool med_postgres_upgrade(const med_postgres_options *o, unsigned *from, unsigned *to, med_err *err)
{
    struct pg_connection c = {0};
    char *conninfo = med_alloc_copy(o->conninfo);
    *from = 0;
    *to = o->format != 0 ? o->format : MED_POSTGRES_FORMAT;
    if (conninfo == NULL)
        return MED_FAIL_MEMORY(err);
    c.conninfo = conninfo;
    bool good = med_pg_check_conninfo(conninfo, err) && upgrade(&c, from, *to, err);
    med_pg_disconnect(&c);
    explicit_bzero(conninfo, strlen(conninfo)); /* it may hold a password */
    med_free(conninfo);
    return good;
}
