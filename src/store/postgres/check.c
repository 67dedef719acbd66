/* check.c - what is right and wrong with the database server, for `doctor` and `backup`. */
#include "store/postgres/postgres_impl.h"

/* Columns of the statement CHECK. */
enum {
    CHECK_VERSION,
    CHECK_STANDBY,
    CHECK_FSYNC,
    CHECK_FULL_PAGES,
    CHECK_CHECKSUMS,
    CHECK_ARCHIVES,
    CHECK_ARCHIVE_FAILS,
    CHECK_ARCHIVED, /* seconds ago; -1: never */
    CHECK_CONNECTIONS,
    CHECK_CONNECTED,
    CHECK_BARRED, /* tables on which a right is missing */
};

static PGresult *ask(struct pg_store *s, med_err *err)
{
    enum { WAIT = 5000000 };
    struct pg_view *v = &s->slots[s->n_slots - 1];
    pthread_mutex_lock(&s->own_slot_lock);
    med_pg_view_begin(v, med_monotonic(s->clock) + WAIT);
    PGresult *r = med_pg_view_ask_latest(v, STATEMENT_CHECK, NULL, err);
    med_pg_view_close(v);
    pthread_mutex_unlock(&s->own_slot_lock);
    if (r != NULL && PQntuples(r) != 1) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the server does not tell its settings");
        PQclear(r);
        return NULL;
    }
    return r;
}

/* What of its settings would lose what was acknowledged, or hide damage. */
static void tell_settings(const PGresult *r, med_store_finding tell, void *arg)
{
    static const struct {
        int column;
        const char *what, *wrong, *mend;
    } settings[] = {
        {CHECK_FSYNC, "fsync", "off: when the machine stops, acknowledged writes are lost",
         "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()"},
        {CHECK_FULL_PAGES, "full_page_writes", "off: when the machine stops, pages may be torn",
         "ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf()"},
        {CHECK_CHECKSUMS, "data_checksums", "off: damage on the disk stays unnoticed",
         "pg_checksums --enable, with the server stopped"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        bool good = med_pg_int_at(r, 0, settings[i].column) != 0;
        tell(arg, settings[i].what, good ? "on" : settings[i].wrong, good ? "" : settings[i].mend);
    }
}

static void tell_connections(const struct pg_store *s, const PGresult *r, med_store_finding tell,
                             void *arg)
{
    char text[160];
    int64_t most = med_pg_int_at(r, 0, CHECK_CONNECTIONS);
    int64_t own = (int64_t)s->n_slots + 2; /* who commits, who makes lists */
    (void)snprintf(text, sizeof text, "%lld of at most %lld; one process has up to %lld",
                   (long long)med_pg_int_at(r, 0, CHECK_CONNECTED), (long long)most,
                   (long long)own);
    tell(arg, "connections", text, own < most ? "" : "a larger max_connections, or fewer workers");
}

/* How WAL archiving stands; false when there is something to do. */
static bool archiving(const PGresult *r, char text[160])
{
    long long ago = (long long)med_pg_int_at(r, 0, CHECK_ARCHIVED);
    bool on = med_pg_int_at(r, 0, CHECK_ARCHIVES) != 0;
    bool fails = med_pg_int_at(r, 0, CHECK_ARCHIVE_FAILS) != 0;
    if (!on)
        (void)snprintf(text, 160, "WAL is not archived (archive_mode is off)");
    else if (fails)
        (void)snprintf(text, 160, "archiving WAL fails: see the server's log");
    else if (ago < 0)
        (void)snprintf(text, 160, "archive_mode is on, and nothing was archived yet");
    else
        (void)snprintf(text, 160, "WAL is archived, the last %lld s ago", ago);
    return on && !fails;
}

bool med_pg_check(med_store *store, med_store_finding tell, void *arg, med_err *err)
{
    struct pg_store *s = med_pg_of(store);
    char text[160];
    PGresult *r = ask(s, err);
    if (r == NULL)
        return false;
    long long version = (long long)med_pg_int_at(r, 0, CHECK_VERSION);
    bool standby = med_pg_int_at(r, 0, CHECK_STANDBY) != 0;
    (void)snprintf(text, sizeof text, "%lld.%lld, %s", version / 10000, version % 10000,
                   standby ? "a standby: it takes no writes" : "primary");
    tell(arg, "PostgreSQL", text,
         standby ? "the primary's name, or several hosts and target_session_attrs=read-write" : "");
    bool barred = med_pg_int_at(r, 0, CHECK_BARRED) != 0;
    tell(arg, "rights",
         barred ? "the store's user lacks rights on its tables" : "all that is needed",
         barred ? "that user owns the schema medulla and all in it, or is granted all on it" : "");
    tell_settings(r, tell, arg);
    tell_connections(s, r, tell, arg);
    med_pg_check_replicas(s, tell, arg);
    bool archives = archiving(r, text);
    bool fails = med_pg_int_at(r, 0, CHECK_ARCHIVE_FAILS) != 0;
    tell(arg, "backup", text, archives || !fails ? "" : "a working archive_command");
    PQclear(r);
    return true;
}

/* PostgreSQL has better tools than we could make; whether they were set up can be seen. */
bool med_pg_backup(med_store *store, int file, int key, med_progress progress, void *arg,
                   med_err *err)
{
    char text[160];
    (void)file;
    (void)key;
    (void)progress;
    (void)arg;
    PGresult *r = ask(med_pg_of(store), err);
    if (r == NULL)
        return false;
    bool archives = archiving(r, text);
    PQclear(r);
    return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                    "PostgreSQL's own tools do this: pg_basebackup or pgBackRest, and the file "
                    "`key` beside it. Here %s%s",
                    text,
                    archives ? "" : "; without it a backup only goes back to when it was made");
}
