/* bulk.c - filling an empty store: its index is made at the end, in one pass over each table, which
 * costs a fifth of keeping it up to date row by row; and statistics are taken.
 *
 * While it is missing every question is answered right, but slowly. Whoever opens the store makes
 * what is missing: so a process that dies in the middle leaves nothing to be mended by hand. */
#include "store/postgres/postgres_impl.h"

static const char drop[] = "DROP INDEX IF EXISTS token_key, reference_key, date_key, string_key,"
                           " quantity_key, uri_key, updated_key, patient_key, ptok_key, target_key,"
                           " feed_type, feed_rid";

/* As the first migration made them. */
static const char make[] =
    "SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '256MB';"
    "SET LOCAL min_parallel_table_scan_size = '1MB';"
    "CREATE INDEX IF NOT EXISTS feed_type ON feed (type, t, rid);"
    "CREATE INDEX IF NOT EXISTS feed_rid ON feed (rid);"
    "CREATE INDEX IF NOT EXISTS token_key ON token (param, hash, rid);"
    "CREATE INDEX IF NOT EXISTS reference_key ON reference (target, param, rid);"
    "CREATE INDEX IF NOT EXISTS date_key ON date (param, class, low, rid, span);"
    "CREATE INDEX IF NOT EXISTS string_key ON string (param, folded, rid);"
    "CREATE INDEX IF NOT EXISTS quantity_key ON quantity (param, unit, low, rid, high);"
    "CREATE INDEX IF NOT EXISTS uri_key ON uri (param, uri, rid);"
    "CREATE INDEX IF NOT EXISTS updated_key ON updated (type, updated, rid);"
    "CREATE INDEX IF NOT EXISTS patient_key ON patient (patient, type, moment, rid);"
    "CREATE INDEX IF NOT EXISTS ptok_key ON ptok (patient, param, hash, moment, rid);"
    "CREATE INDEX IF NOT EXISTS target_key ON target (target, rid)";

/* Plans do not follow from them (statement.h), so a small sample will do. */
static const char *const analyze[] = {
    "SET statement_timeout = 0", "SET default_statistics_target = 10",
    "ANALYZE resource, version, feed, ident, token, reference, date,"
    " string, quantity, uri, updated, patient, ptok, target, code,"
    " counter",
    "SET statement_timeout = '60s'"};

/* One number of a statement without parameters. */
static bool number_of(struct pg_connection *c, enum statement id, int64_t *out, med_err *err)
{
    PGresult *r = med_pg_ask(c, id, NULL, err);
    *out = r != NULL && PQntuples(r) == 1 ? med_pg_int_at(r, 0, 0) : 0;
    PQclear(r);
    return r != NULL;
}

/* Under the lock of all commits. */
static bool change(struct pg_connection *c, enum statement look, const char *sql, bool *changed,
                   med_err *err)
{
    int64_t n = 0;
    med_err ignored = {0};
    *changed = false;
    if (!med_pg_run(c, STATEMENT_BEGIN_WRITE, NULL, err))
        return false;
    bool good = med_pg_run(c, STATEMENT_LOCK_STATE, NULL, err) && number_of(c, look, &n, err)
                && (n == 0 || med_pg_script(c, sql, err))
                && med_pg_run(c, STATEMENT_COMMIT, NULL, err);
    if (!good && c->pg != NULL && !med_pg_run(c, STATEMENT_ROLLBACK, NULL, &ignored))
        med_pg_disconnect(c);
    *changed = good && n > 0;
    return good;
}

bool med_pg_make_indexes(struct pg_connection *c, med_err *err)
{
    int64_t missing = 0;
    bool changed = false;
    return number_of(c, STATEMENT_MISSING_INDEXES, &missing, err)
           && (missing == 0 || change(c, STATEMENT_MISSING_INDEXES, make, &changed, err));
}

bool med_pg_end_bulk(struct pg_store *s, med_err *err)
{
    s->bulk = false;
    return med_pg_script(&s->writer, make, err);
}

struct bulk_job {
    struct job job;
    bool begin, good;
    med_err *err;
};

static void run_bulk(struct job *job)
{
    struct bulk_job *j = (struct bulk_job *)job;
    struct pg_store *s = job->store;
    j->good = med_pg_writer(s, j->err);
    if (j->begin) {
        j->good = j->good && change(&s->writer, STATEMENT_IS_EMPTY, drop, &s->bulk, j->err);
        return;
    }
    s->bulk = false;
    j->good = j->good && med_pg_make_indexes(&s->writer, j->err);
    for (size_t i = 0; j->good && i < sizeof analyze / sizeof *analyze; i++)
        j->good = med_pg_script(&s->writer, analyze[i], j->err);
}

bool med_pg_bulk(med_store *store, bool begin, med_err *err)
{
    struct bulk_job job = {.job.run = run_bulk, .begin = begin, .err = err};
    return med_queue_run_job(&med_pg_of(store)->queue, &job.job, err) && job.good;
}
