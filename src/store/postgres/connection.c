/* connection.c - see connection.h. */
#include "store/postgres/connection.h"

#include <poll.h>

#include "base/clock.h"

static const struct {
    const char *name, *sql;
} statements[] = {
#define STATEMENT_ROW(name, sql) {#name, sql},
    STATEMENTS(STATEMENT_ROW)
#undef STATEMENT_ROW
};

/* Plans follow from the shape of a statement, never from statistics, which may be old: each
 * statement has one index to go by, and with these settings nothing but it is taken. Commits wait
 * for the disk whatever the server's configuration says. */
static const char session[] =
    "SET search_path = medulla, pg_catalog; SET plan_cache_mode = force_generic_plan;"
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    "SET enable_bitmapscan = off; SET enable_material = off; SET enable_memoize = off;"
    "SET seq_page_cost = 0.001; SET random_page_cost = 0.001; SET cpu_operator_cost = 0.00001;"
    "SET cpu_index_tuple_cost = 0.0001;"
    "SET jit = off; SET max_parallel_workers_per_gather = 0; SET bytea_output = hex;"
    "SET client_min_messages = warning; SET statement_timeout = '60s'; SET lock_timeout = '20s';"
    "SET idle_in_transaction_session_timeout = '60s';"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local')";

enum { EXPECT_PREPARE = 1, EXPECT_RESULT, EXPECT_SYNC };

/* ---- what went wrong ---- */

static enum trouble trouble_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum trouble trouble;
    } known[] = {
        {"08", TROUBLE_LOST},
        {"57P", TROUBLE_LOST},
        {"53300", TROUBLE_LOST},
        {"25P03", TROUBLE_LOST},
        {"28", TROUBLE_RIGHTS},
        {"3D", TROUBLE_RIGHTS},
        {"42501", TROUBLE_RIGHTS},
        {"25006", TROUBLE_READ_ONLY},
        {"57014", TROUBLE_TIMEOUT},
        {"40", TROUBLE_AGAIN},
        {"55P03", TROUBLE_AGAIN},
        {"53100", TROUBLE_FULL},
        {"0A000", TROUBLE_READ_ONLY} /* READ WRITE of a standby */,
        {"XX001", TROUBLE_DAMAGED},
        {"XX002", TROUBLE_DAMAGED},
        {"58030", TROUBLE_DAMAGED},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(state, known[i].prefix, strlen(known[i].prefix)) == 0)
            return known[i].trouble;
    }
    return TROUBLE_OTHER;
}

static bool tell(enum trouble trouble, const char *state, med_err *err)
{
    switch (trouble) {
    case TROUBLE_NONE:
    case TROUBLE_LOST:
        return MED_FAIL(err, MED_ISSUE_TRANSIENT,
                        "the connection to the database was lost (%s); it is tried again", state);
    case TROUBLE_AGAIN:
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "the database is busy (%s): try again", state);
    case TROUBLE_FULL:
        return MED_FAIL(err, MED_ISSUE_NO_STORE,
                        "the database's disk is full (%s); reading goes on", state);
    case TROUBLE_READ_ONLY:
        return MED_FAIL(err, MED_ISSUE_TRANSIENT,
                        "the database is read-only (%s): a standby? Name the primary, or several "
                        "hosts with target_session_attrs=read-write",
                        state);
    case TROUBLE_TIMEOUT:
        return MED_FAIL(err, MED_ISSUE_TIMEOUT,
                        "reading took longer than it may: ask for less, or in pages");
    case TROUBLE_RIGHTS:
        return MED_FAIL(err, MED_ISSUE_TRANSIENT,
                        "the database refuses the store's user (%s): it must own the schema "
                        "medulla",
                        state);
    case TROUBLE_DAMAGED:
        return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                        "the database found damage on its disk (%s): restore from a backup", state);
    case TROUBLE_OTHER:
        break;
    }
    return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the database refused a statement (SQLSTATE %s)",
                    state);
}

static bool fail(struct pg_connection *c, const PGresult *r, med_err *err)
{
    const char *state = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (state == NULL)
        state = "";
    (void)snprintf(c->state, sizeof c->state, "%s", state);
    /* Without a SQLSTATE it is not the server that refused: what was sent did not reach it. */
    bool lost = c->pg == NULL || PQstatus(c->pg) != CONNECTION_OK || state[0] == '\0';
    c->trouble = lost ? TROUBLE_LOST : trouble_of(state);
    return tell(c->trouble, c->state, err);
}

/* ---- connecting ---- */

static bool refuse(struct pg_connection *c, med_err *err)
{
    med_str first = MED_STR_EMPTY;
    med_str said = med_str_cut(med_str_from(PQerrorMessage(c->pg)), '\n', &first);
    c->trouble = TROUBLE_LOST;
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "the database can not be reached: %.*s",
                   (int)(said.len < 180 ? said.len : 180), said.ptr);
    med_pg_disconnect(c);
    return false;
}

static bool prepare_session(struct pg_connection *c, med_err *err)
{
    if (PQserverVersion(c->pg) < 150000) { /* perhaps another host of several, for a while */
        c->trouble = TROUBLE_LOST;
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "PostgreSQL %d is too old: 15 or newer is needed",
                       PQserverVersion(c->pg) / 10000);
        med_pg_disconnect(c);
        return false;
    }
    return (med_pg_script(c, session, err) && PQenterPipelineMode(c->pg) == 1) || refuse(c, err);
}

static void be_quiet(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

bool med_pg_connect(struct pg_connection *c, med_err *err)
{
    static const char *const keywords[] = {
        "connect_timeout",  "keepalives_idle",  "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "client_encoding",
        "application_name", "dbname",           NULL};
    const char *const values[] = {
        "3",    "10",      "5",         "3", "15000",
        "UTF8", "medulla", c->conninfo, NULL}; /* what stands in conninfo counts more */
    med_pg_disconnect(c);
    c->pg = PQconnectdbParams(keywords, values, 1);
    if (c->pg == NULL)
        return MED_FAIL_MEMORY(err);
    (void)PQsetNoticeProcessor(c->pg, be_quiet, NULL);
    if (PQstatus(c->pg) != CONNECTION_OK)
        return refuse(c, err);
    return prepare_session(c, err);
}

void med_pg_disconnect(struct pg_connection *c)
{
    if (c->pg != NULL)
        PQfinish(c->pg);
    c->pg = NULL;
    c->n_expected = 0;
    c->timeout = 0;
    c->position = 0;
    memset(c->prepared, 0, sizeof c->prepared);
}

/* ---- parameters ---- */

static uint64_t big_endian(uint64_t n)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(n >> (56 - 8 * i));
    memcpy(&n, bytes, sizeof n);
    return n;
}

static void add(struct pg_parameters *p, const char *value, size_t len)
{
    p->values[p->n] = value;
    p->lengths[p->n++] = (int)len;
}

void med_pg_int(struct pg_parameters *p, int64_t value)
{
    p->room[p->n] = big_endian((uint64_t)value);
    add(p, (const char *)&p->room[p->n], 8);
}

void med_pg_real(struct pg_parameters *p, double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    med_pg_int(p, (int64_t)bits);
}

void med_pg_bytes(struct pg_parameters *p, med_str bytes)
{
    add(p, bytes.ptr, bytes.len);
}

enum { ARRAY_HEADER = 20, ARRAY_LIMIT = 1 << 30 };

static void put32(char *to, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (char)(unsigned char)(n >> (24 - 8 * i));
}

void med_pg_array_init(struct pg_array *a, enum pg_element of)
{
    *a = (struct pg_array){.of = of};
    med_buf_init(&a->bytes, ARRAY_LIMIT);
    med_pg_array_clear(a);
}

void med_pg_array_free(struct pg_array *a)
{
    med_buf_free(&a->bytes);
}

void med_pg_array_clear(struct pg_array *a)
{
    static const char header[ARRAY_HEADER];
    a->n = 0;
    med_buf_clear(&a->bytes);
    med_buf_add(&a->bytes, (med_str){header, sizeof header});
}

static void add_element(struct pg_array *a, const char *bytes, size_t len)
{
    char head[4];
    put32(head, (uint32_t)len);
    med_buf_add(&a->bytes, (med_str){head, 4});
    med_buf_add(&a->bytes, (med_str){bytes, len});
    a->n++;
}

void med_pg_array_int(struct pg_array *a, int64_t value)
{
    uint64_t n = big_endian((uint64_t)value);
    add_element(a, (const char *)&n, 8);
}

void med_pg_array_real(struct pg_array *a, double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    med_pg_array_int(a, (int64_t)bits);
}

void med_pg_array_bytes(struct pg_array *a, med_str bytes)
{
    add_element(a, bytes.ptr, bytes.len);
}

void med_pg_array_null(struct pg_array *a)
{
    med_buf_add(&a->bytes, MED_STR("\xff\xff\xff\xff"));
    a->n++;
}

bool med_pg_add_array(struct pg_parameters *p, struct pg_array *a)
{
    if (a->bytes.failed)
        return false;
    put32(a->bytes.ptr, a->n > 0 ? 1 : 0);
    put32(a->bytes.ptr + 4, 1); /* there may be NULLs */
    put32(a->bytes.ptr + 8, (uint32_t)a->of);
    put32(a->bytes.ptr + 12, a->n);
    put32(a->bytes.ptr + 16, 1);
    add(p, a->bytes.ptr, a->n > 0 ? a->bytes.len : 12);
    return true;
}

/* ---- questions and answers ---- */

const char *med_pg_session(void)
{
    return session;
}

const char *med_pg_name(enum statement id)
{
    return statements[id].name;
}

static bool expect(struct pg_connection *c, unsigned char what, int sent, med_err *err)
{
    if (sent != 1 || c->n_expected == EXPECTED_MAX)
        return fail(c, NULL, err);
    c->expected[c->n_expected++] = what;
    return true;
}

static const int binary[PARAMETERS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static bool prepare(struct pg_connection *c, enum statement id, med_err *err)
{
    if (c->pg == NULL)
        return fail(c, NULL, err);
    const char *name = statements[id].name;
    if (!c->prepared[id]
        && !expect(c, EXPECT_PREPARE, PQsendPrepare(c->pg, name, statements[id].sql, 0, NULL), err))
        return false;
    c->prepared[id] = true;
    return true;
}

bool med_pg_send(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                 med_err *err)
{
    return prepare(c, id, err)
           && expect(c, EXPECT_RESULT,
                     PQsendQueryPrepared(c->pg, statements[id].name, p == NULL ? 0 : p->n,
                                         p == NULL ? NULL : p->values,
                                         p == NULL ? NULL : p->lengths, binary, 1),
                     err);
}

bool med_pg_sync(struct pg_connection *c, med_err *err)
{
    return c->pg == NULL ? fail(c, NULL, err) : expect(c, EXPECT_SYNC, PQpipelineSync(c->pg), err);
}

static unsigned char take_expected(struct pg_connection *c)
{
    unsigned char what = c->expected[0];
    c->n_expected--;
    memmove(c->expected, c->expected + 1, c->n_expected);
    return what;
}

/* Waits for the next result of a server that may never give one: the machine stands still, or the
 * way to it is cut. False when it came too late. */
static bool await(struct pg_connection *c)
{
    enum { LOOK_EVERY = 50 }; /* milliseconds */
    if (c->until == 0 && c->answers == NULL)
        return true;
    while (PQisBusy(c->pg) != 0) {
        struct pollfd at = {.fd = PQsocket(c->pg), .events = POLLIN};
        if ((c->until != 0 && med_monotonic(&med_clock_system) > c->until)
            || (c->answers != NULL && !*c->answers))
            return false;
        if (poll(&at, 1, LOOK_EVERY) > 0 && PQconsumeInput(c->pg) == 0)
            return true; /* the result says why */
    }
    return true;
}

/* The result of the command at hand, and the NULL behind it; NULL when the connection broke. */
static PGresult *take(struct pg_connection *c, unsigned char what)
{
    PGresult *r = await(c) ? PQgetResult(c->pg) : NULL;
    if (r == NULL || what == EXPECT_SYNC)
        return r;
    for (PGresult *more = NULL; (more = PQgetResult(c->pg)) != NULL;)
        PQclear(more);
    return r;
}

static bool is_good(const PGresult *r, unsigned char what)
{
    ExecStatusType status = r == NULL ? PGRES_FATAL_ERROR : PQresultStatus(r);
    return what == EXPECT_SYNC ? status == PGRES_PIPELINE_SYNC
                               : status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* What was to be prepared behind a failure is not: all of it is prepared anew when needed. */
static void give_up(struct pg_connection *c)
{
    while (c->n_expected > 0 && PQstatus(c->pg) == CONNECTION_OK) {
        unsigned char what = take_expected(c);
        PGresult *r = take(c, what);
        PQclear(r);
    }
    c->n_expected = 0;
}

static bool failed(struct pg_connection *c, PGresult *r, unsigned char what, med_err *err)
{
    bool had_prepares = what == EXPECT_PREPARE;
    for (size_t i = 0; i < c->n_expected; i++)
        had_prepares = had_prepares || c->expected[i] == EXPECT_PREPARE;
    (void)fail(c, r, err);
    PQclear(r);
    give_up(c);
    /* Some of them are prepared and some are not: a new connection knows which. */
    if (c->trouble == TROUBLE_LOST || had_prepares)
        med_pg_disconnect(c);
    return false;
}

PGresult *med_pg_result(struct pg_connection *c, med_err *err)
{
    while (c->pg != NULL && c->n_expected > 0) {
        unsigned char what = take_expected(c);
        PGresult *r = take(c, what);
        if (!is_good(r, what)) {
            (void)failed(c, r, what, err);
            return NULL;
        }
        if (what == EXPECT_RESULT)
            return r;
        PQclear(r);
    }
    (void)fail(c, NULL, err);
    return NULL;
}

bool med_pg_drain(struct pg_connection *c, med_err *err)
{
    while (c->pg != NULL && c->n_expected > 0) {
        unsigned char what = take_expected(c);
        PGresult *r = take(c, what);
        if (!is_good(r, what))
            return failed(c, r, what, err);
        PQclear(r);
    }
    return c->pg != NULL || fail(c, NULL, err);
}

/* The one answer to what was sent. */
static PGresult *answer_of(struct pg_connection *c, bool sent, med_err *err)
{
    if (!sent || !med_pg_sync(c, err)) {
        med_pg_disconnect(c);
        return NULL;
    }
    PGresult *r = med_pg_result(c, err);
    if (r != NULL && !med_pg_drain(c, err)) {
        PQclear(r);
        return NULL;
    }
    return r;
}

PGresult *med_pg_ask(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                     med_err *err)
{
    return answer_of(c, med_pg_send(c, id, p, err), err);
}

PGresult *med_pg_describe(struct pg_connection *c, enum statement id, med_err *err)
{
    bool sent =
        prepare(c, id, err)
        && expect(c, EXPECT_RESULT, PQsendDescribePrepared(c->pg, statements[id].name), err);
    return answer_of(c, sent, err);
}

PGresult *med_pg_ask_text(struct pg_connection *c, const char *sql, med_err *err)
{
    bool sent = (c->pg != NULL || fail(c, NULL, err))
                && expect(c, EXPECT_RESULT,
                          PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1), err);
    return answer_of(c, sent, err);
}

bool med_pg_run(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                med_err *err)
{
    PGresult *r = med_pg_ask(c, id, p, err);
    PQclear(r);
    return r != NULL;
}

int64_t med_pg_int_at(const PGresult *r, int row, int column)
{
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(r, row, column);
    int len = PQgetlength(r, row, column);
    if (len == 0 || PQgetisnull(r, row, column) != 0)
        return 0;
    uint64_t n = (bytes[0] & 0x80) != 0 && len > 1 ? UINT64_MAX : 0;
    for (int i = 0; i < len; i++)
        n = n << 8 | bytes[i];
    return (int64_t)n;
}

double med_pg_real_at(const PGresult *r, int row, int column)
{
    int64_t bits = med_pg_int_at(r, row, column);
    double d = 0;
    memcpy(&d, &bits, sizeof d);
    return d;
}

med_str med_pg_bytes_at(const PGresult *r, int row, int column)
{
    return (med_str){PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column)};
}

bool med_pg_script(struct pg_connection *c, const char *sql, med_err *err)
{
    bool pipeline = PQpipelineStatus(c->pg) != PQ_PIPELINE_OFF;
    if (pipeline && PQexitPipelineMode(c->pg) != 1)
        return fail(c, NULL, err);
    PGresult *r = PQexec(c->pg, sql);
    ExecStatusType status = PQresultStatus(r);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || fail(c, r, err);
    PQclear(r);
    if (pipeline && PQenterPipelineMode(c->pg) != 1)
        return good && fail(c, NULL, err);
    return good;
}

/* Puts all of it and takes what the server says of it. */
static bool put_copy(struct pg_connection *c, med_str bytes, med_err *err)
{
    enum { PIECE = 1 << 20 };
    bool good = true;
    for (size_t at = 0; good && at < bytes.len; at += PIECE) {
        size_t n = bytes.len - at < PIECE ? bytes.len - at : PIECE;
        good = PQputCopyData(c->pg, bytes.ptr + at, (int)n) == 1;
    }
    good = good && PQputCopyEnd(c->pg, NULL) == 1;
    PGresult *r = PQgetResult(c->pg);
    good = (good && PQresultStatus(r) == PGRES_COMMAND_OK) || fail(c, r, err);
    while (r != NULL && PQresultStatus(r) != PGRES_COPY_IN) {
        PQclear(r);
        r = PQgetResult(c->pg);
    }
    PQclear(r);
    return good;
}

bool med_pg_copy(struct pg_connection *c, const char *sql, med_str bytes, med_err *err)
{
    if (c->pg == NULL || PQexitPipelineMode(c->pg) != 1)
        return fail(c, NULL, err);
    PGresult *r = PQexec(c->pg, sql);
    bool good = PQresultStatus(r) == PGRES_COPY_IN || fail(c, r, err);
    PQclear(r);
    good = good && put_copy(c, bytes, err);
    if (PQenterPipelineMode(c->pg) == 1)
        return good;
    if (good)
        (void)fail(c, NULL, err);
    med_pg_disconnect(c);
    return false;
}
