/* migrate.c - brings the tables to the format of this program, one numbered file a step.
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
#include "store/postgres/postgres_impl.h"

static med_str (*const migrations[MED_POSTGRES_FORMAT])(void) = {
    med_embedded_0001_first_postgres_tables, med_embedded_0002_postgres_notes,
    med_embedded_0003_postgres_fulltext,     med_embedded_0004_postgres_parts,
    med_embedded_0005_postgres_hubs,         med_embedded_0006_postgres_note_files,
    med_embedded_0007_postgres_pairs,
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

bool med_pg_migrate(struct pg_connection *c, unsigned format, bool create, med_err *err)
{
    unsigned now = 0;
    bool exists = false;
    if (!read_format(c, &exists, &now, err) || !is_known(now, format, err))
        return false;
    if (now == format)
        return true;
    if (now == 0 && !create)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no store in the database");
    /* Somebody else may have come first: what counts is what stands under the lock. */
    bool good = med_pg_script(c, begin, err) && read_format(c, &exists, &now, err)
                && is_known(now, format, err);
    for (unsigned to = now + 1; good && to <= format; to++)
        good = step(c, to, err);
    med_err ignored = {0};
    return med_pg_script(c, good ? "COMMIT" : "ROLLBACK", good ? err : &ignored) && good;
}
