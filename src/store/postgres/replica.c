/* replica.c - reading from streaming standbys: docs/decisions/0018.
 *
 * Commits are made one at a time, so `t` says how far a copy of the database is: whoever shows t
 * shows every commit up to it. A thread asks the primary for its t every now and then and notes
 * when it asked; what a replica must show so as not to be older than the bound is then the t of the
 * oldest note that is younger. That is compared within the snapshot that answers, so no clock of
 * another machine and no delay of ours can make an answer older than it may be. */
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"
#include "store/postgres/postgres_impl.h"

enum { BOUND = 2000000, EVERY_MOST = 500000, EVERY_LEAST = 20000, PATIENCE = 2000000 };

static int64_t now(const struct pg_replicas *rs)
{
    return med_monotonic(rs->store->clock);
}

/* ---- what has to be shown ---- */

/* With the lock. The i-th newest. */
static const struct pg_sample *sample(const struct pg_replicas *rs, uint64_t i)
{
    return &rs->samples[(rs->n_samples - 1 - i) % PG_SAMPLES];
}

/* They are to reach back further than the bound: the newest is replaced while it is too near to the
 * one before. */
static void note_sample(struct pg_replicas *rs, int64_t at, int64_t t)
{
    enum { IN_BOUND = PG_SAMPLES / 2 };
    pthread_mutex_lock(&rs->lock);
    if (rs->n_samples > 1 && sample(rs, 0)->at - sample(rs, 1)->at < rs->bound / IN_BOUND)
        rs->n_samples--;
    rs->samples[rs->n_samples++ % PG_SAMPLES] = (struct pg_sample){at, t};
    pthread_mutex_unlock(&rs->lock);
}

static uint64_t samples(const struct pg_replicas *rs)
{
    return rs->n_samples < PG_SAMPLES ? rs->n_samples : PG_SAMPLES;
}

/* The t that shows everything committed before `moment`; INT64_MAX when that is not known. */
static int64_t t_of_moment(struct pg_replicas *rs, int64_t moment)
{
    int64_t t = INT64_MAX;
    pthread_mutex_lock(&rs->lock);
    for (uint64_t i = 0; i < samples(rs) && sample(rs, i)->at >= moment; i++)
        t = sample(rs, i)->t;
    pthread_mutex_unlock(&rs->lock);
    return t;
}

/* With the lock. How old is a copy that shows t? At most so much; -1: older than any note. */
static int64_t age_of(const struct pg_replicas *rs, int64_t t)
{
    for (uint64_t i = 0; i < samples(rs); i++) {
        if (sample(rs, i)->t <= t)
            return now(rs) - sample(rs, i)->at;
    }
    return -1;
}

/* With the lock. It showed a commit that the primary did not have when it was asked later: of a
 * history that was given up in a failover. */
static bool is_ahead(const struct pg_replica *r)
{
    const struct pg_replicas *rs = r->of;
    return r->at != 0 && rs->n_samples > 0 && sample(rs, 0)->at > r->at && sample(rs, 0)->t < r->t;
}

/* ---- looking ---- */

static void say(const struct pg_replica *r, bool used, const char *why)
{
    char text[sizeof r->told.name + sizeof r->told.why + 4];
    (void)snprintf(text, sizeof text, "%s%s%s", r->told.name, why[0] == '\0' ? "" : ": ", why);
    med_pg_log(r->of->store, used ? MED_LOG_INFO : MED_LOG_WARN,
               used ? "a replica is read from" : "a replica is not read from", text);
}

/* `told` is what was said last: a reader that lost its connection does not change it. */
static void judge(struct pg_replica *r, int64_t behind, const char *why)
{
    bool used = why[0] == '\0';
    pthread_mutex_lock(&r->of->lock);
    bool news = r->told.used != used || (!used && strcmp(r->told.why, why) != 0);
    r->told.used = used;
    r->told.behind = behind;
    (void)snprintf(r->told.why, sizeof r->told.why, "%s", why);
    pthread_mutex_unlock(&r->of->lock);
    r->used = used;
    if (news)
        say(r, used, why);
}

static PGresult *look(struct pg_replica *r, enum statement id, med_err *err)
{
    struct pg_connection *c = &r->connection;
    if (c->pg == NULL && !med_pg_connect(c, err))
        return NULL;
    c->until = med_monotonic(&med_clock_system) + PATIENCE;
    PGresult *got = med_pg_ask(c, id, NULL, err);
    if (got != NULL && PQntuples(got) == 1)
        return got;
    if (got != NULL)
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "there is no store in it");
    PQclear(got);
    med_pg_disconnect(c);
    return NULL;
}

static void look_at_primary(struct pg_replica *r)
{
    med_err ignored = {0};
    int64_t at = now(r->of);
    PGresult *got = look(r, STATEMENT_POSITION, &ignored);
    if (got != NULL)
        note_sample(r->of, at, med_pg_int_at(got, 0, 0));
    PQclear(got);
}

enum { STANDBY_T, STANDBY_IS, STANDBY_PROOF };

/* NULL when it is a standby of ours. */
static const char *is_foreign(const struct pg_store *s, const PGresult *got)
{
    if (med_pg_int_at(got, 0, STANDBY_PROOF) != med_pg_key_proof(s))
        return "it holds another store than the primary";
    if (med_pg_int_at(got, 0, STANDBY_IS) == 0)
        return "it is no standby (any longer): nothing says that it is up to date";
    return NULL;
}

static void judge_answer(struct pg_replica *r, const PGresult *got)
{
    const char *why = "";
    struct pg_replicas *rs = r->of;
    const char *foreign = is_foreign(rs->store, got);
    pthread_mutex_lock(&rs->lock);
    bool compared = rs->n_samples > 0;
    bool ahead = is_ahead(r);
    r->t = med_pg_int_at(got, 0, STANDBY_T);
    r->at = now(rs);
    int64_t behind = age_of(rs, r->t);
    bool heard = compared && now(rs) - sample(rs, 0)->at <= rs->bound;
    pthread_mutex_unlock(&rs->lock);
    if (!compared)
        return; /* the server has just started */
    if (foreign != NULL)
        why = foreign;
    else if (ahead)
        why = "it has commits that the primary lacks: rebuild it with pg_basebackup";
    else if (!heard)
        why = "the primary does not answer, and nobody else says how old it is";
    else if (behind < 0 || behind > rs->bound)
        why = "it is further behind the primary than store.replica_lag";
    judge(r, behind, why);
}

static void look_at_replica(struct pg_replica *r)
{
    med_err err = {0};
    PGresult *got = look(r, STATEMENT_STANDBY, &err);
    r->answers = got != NULL;
    if (got != NULL)
        judge_answer(r, got);
    else
        judge(r, -1, err.text);
    PQclear(got);
}

static void pause_until_next(struct pg_replicas *rs)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    int64_t nanoseconds = until.tv_nsec + rs->every * 1000;
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    if (!rs->stopping)
        (void)pthread_cond_timedwait(&rs->wake, &rs->lock, &until);
}

static void *watch(void *arg)
{
    struct pg_replica *r = arg;
    struct pg_replicas *rs = r->of;
    med_thread_name("replica", (int)(r - rs->at));
    pthread_mutex_lock(&rs->lock);
    while (!rs->stopping) {
        pthread_mutex_unlock(&rs->lock);
        if (r->conninfo == NULL)
            look_at_primary(r);
        else
            look_at_replica(r);
        pthread_mutex_lock(&rs->lock);
        pause_until_next(rs);
    }
    pthread_mutex_unlock(&rs->lock);
    med_pg_disconnect(&r->connection);
    return NULL;
}

/* ---- beginning and end ---- */

/* Its host, or what else tells it from others. */
static void take_name(struct pg_replica *r, size_t number)
{
    PQconninfoOption *options = PQconninfoParse(r->conninfo, NULL);
    const char *host = NULL, *port = NULL;
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (o->val == NULL || o->val[0] == '\0')
            continue;
        if (strcmp(o->keyword, "port") == 0)
            port = o->val;
        else if (strcmp(o->keyword, "host") == 0
                 || (host == NULL && strcmp(o->keyword, "hostaddr") == 0))
            host = o->val;
    }
    if (host == NULL)
        (void)snprintf(r->told.name, sizeof r->told.name, "replica %zu", number);
    else
        (void)snprintf(r->told.name, sizeof r->told.name, "%.50s%s%.8s", host,
                       port == NULL ? "" : ":", port == NULL ? "" : port);
    PQconninfoFree(options);
}

static bool take_replica(struct pg_replicas *rs, med_str conninfo, med_err *err)
{
    struct pg_replica *r = &rs->at[rs->n];
    r->conninfo = med_alloc_copy(conninfo);
    if (r->conninfo == NULL)
        return MED_FAIL_MEMORY(err);
    rs->n++; /* so that its end is seen to */
    if (!med_pg_check_conninfo(r->conninfo, err))
        return false;
    r->connection.conninfo = r->conninfo;
    r->told.behind = -1;
    take_name(r, rs->n);
    return true;
}

bool med_pg_replicas_init(struct pg_store *s, const med_postgres_options *o, med_err *err)
{
    struct pg_replicas *rs = &s->replicas;
    if (o->n_replicas == 0)
        return true;
    if (o->n_replicas > MED_REPLICAS)
        return MED_FAIL(err, MED_ISSUE_VALUE, "at most %d replicas", (int)MED_REPLICAS);
    rs->store = s;
    rs->bound = o->replica_lag != 0 ? o->replica_lag : BOUND;
    rs->every = rs->bound / 4 > EVERY_MOST    ? EVERY_MOST
                : rs->bound / 4 < EVERY_LEAST ? EVERY_LEAST
                                              : rs->bound / 4;
    rs->at = MED_NEW(o->n_replicas + 1, struct pg_replica);
    if (rs->at == NULL)
        return MED_FAIL_MEMORY(err);
    if (pthread_mutex_init(&rs->lock, NULL) != 0 || pthread_cond_init(&rs->wake, NULL) != 0)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no locks for the replicas");
    for (size_t i = 0; i < o->n_replicas; i++) {
        if (!take_replica(rs, o->replicas[i], err))
            return false;
    }
    rs->at[rs->n].connection.conninfo = s->conninfo;
    for (size_t i = 0; i <= rs->n; i++)
        rs->at[i].of = rs;
    return true;
}

bool med_pg_follow(med_store *store, med_err *err)
{
    struct pg_replicas *rs = &med_pg_of(store)->replicas;
    for (size_t i = 0; i <= rs->n; i++) {
        struct pg_replica *r = &rs->at[i];
        r->runs = r->runs || pthread_create(&r->thread, NULL, watch, r) == 0;
        if (!r->runs)
            return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no thread to look at replicas");
    }
    return true;
}

void med_pg_replicas_stop(struct pg_store *s)
{
    struct pg_replicas *rs = &s->replicas;
    if (rs->at == NULL)
        return;
    pthread_mutex_lock(&rs->lock);
    rs->stopping = true;
    (void)pthread_cond_broadcast(&rs->wake);
    pthread_mutex_unlock(&rs->lock);
    for (size_t i = 0; i <= rs->n; i++) {
        if (rs->at[i].runs)
            (void)pthread_join(rs->at[i].thread, NULL);
    }
}

void med_pg_replicas_free(struct pg_store *s)
{
    struct pg_replicas *rs = &s->replicas;
    if (rs->at == NULL)
        return;
    for (size_t i = 0; i < rs->n; i++)
        med_free(rs->at[i].conninfo);
    med_free(rs->at);
    (void)pthread_cond_destroy(&rs->wake);
    (void)pthread_mutex_destroy(&rs->lock);
    *rs = (struct pg_replicas){0};
}

/* ---- views ---- */

static struct pg_replica *choose(struct pg_replicas *rs, size_t from)
{
    for (size_t i = 0; i < rs->n; i++) {
        struct pg_replica *r = &rs->at[(from + i) % rs->n];
        if (r->used)
            return r;
    }
    return NULL;
}

void med_pg_may_lag(med_view *view, int64_t least_t, int64_t since)
{
    struct pg_view *v = med_pg_of_view(view);
    struct pg_replicas *rs = &v->store->replicas;
    int64_t moment = now(rs) - rs->bound;
    if (v->writer || v->reading || !v->open)
        return;
    int64_t t = t_of_moment(rs, since > moment ? since : moment);
    v->least_t = least_t > t ? least_t : t;
    v->replica =
        v->least_t == INT64_MAX ? NULL : choose(rs, (size_t)(v - v->store->slots)); /* by slot */
    if (v->replica == NULL) {
        atomic_fetch_add(&rs->away, 1);
        return;
    }
    if (v->away_to != v->replica)
        med_pg_disconnect(&v->away);
    v->away_to = v->replica;
    v->away.conninfo = v->replica->conninfo;
    v->away.answers = &v->replica->answers;
    v->connection = &v->away;
}

bool med_pg_was_cut(const med_view *view)
{
    return ((const struct pg_view *)view)->was_cut;
}

/* ---- what is told ---- */

bool med_pg_lags(const med_store *store)
{
    return ((const struct pg_store *)store)->replicas.n > 0;
}

int64_t med_pg_position(const med_store *store)
{
    return ((const struct pg_store *)store)->position;
}

void med_pg_replicas(med_store *store, med_replicas *out)
{
    struct pg_replicas *rs = &med_pg_of(store)->replicas;
    *out = (med_replicas){.n = rs->n, .behind = rs->behind, .away = rs->away};
    pthread_mutex_lock(&rs->lock);
    for (size_t i = 0; i < rs->n; i++) {
        out->at[i] = rs->at[i].told;
        out->at[i].reads = rs->at[i].reads;
        if (rs->at[i].at == 0 && out->at[i].why[0] == '\0')
            (void)snprintf(out->at[i].why, sizeof out->at[i].why, "it was not looked at yet");
    }
    pthread_mutex_unlock(&rs->lock);
}

static int64_t primary_t(struct pg_store *s)
{
    med_err ignored = {0};
    struct pg_replica primary = {.connection.conninfo = s->conninfo};
    PGresult *got = look(&primary, STATEMENT_POSITION, &ignored);
    int64_t t = got == NULL ? -1 : med_pg_int_at(got, 0, 0);
    PQclear(got);
    med_pg_disconnect(&primary.connection);
    return t;
}

void med_pg_check_replicas(struct pg_store *s, med_store_finding tell, void *arg)
{
    for (size_t i = 0; i < s->replicas.n; i++) {
        med_err err = {0};
        struct pg_replica r = {.connection.conninfo = s->replicas.at[i].conninfo};
        char what[32], text[sizeof r.told.name + sizeof err.text + 64];
        const char *name = s->replicas.at[i].told.name;
        int64_t t = primary_t(s);
        PGresult *got = look(&r, STATEMENT_STANDBY, &err);
        const char *wrong = got == NULL ? err.text : is_foreign(s, got);
        int64_t missing = got == NULL ? 0 : t - med_pg_int_at(got, 0, STANDBY_T);
        if (wrong != NULL)
            (void)snprintf(text, sizeof text, "%s: %s", name, wrong);
        else
            (void)snprintf(text, sizeof text, "%s: a standby, %lld commits behind", name,
                           (long long)(missing > 0 ? missing : 0));
        (void)snprintf(what, sizeof what, "replica %zu", i + 1);
        tell(arg, what, text,
             wrong == NULL ? "" : "what it says; meanwhile reads go to the others or the primary");
        PQclear(got);
        med_pg_disconnect(&r.connection);
    }
}
