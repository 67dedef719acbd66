/* connection.h - one connection to PostgreSQL, always in pipeline mode. Private to
 * store/postgres/.
 *
 * Statements are prepared at first use. Several are sent, then med_pg_sync, then the result of
 * each is taken in order; the first that fails makes the server skip the others up to the sync.
 * Not thread safe. Errors name the SQLSTATE and what to do, never a value.
 * https://www.postgresql.org/docs/15/libpq-pipeline-mode.html */
#ifndef MED_STORE_POSTGRES_CONNECTION_H
#define MED_STORE_POSTGRES_CONNECTION_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/postgres/statement.h"

/* What a failed statement or connection means for who asked. */
enum trouble {
    TROUBLE_NONE,
    TROUBLE_LOST,      /* the connection is gone, or never came */
    TROUBLE_AGAIN,     /* deadlock, lock timeout: the same again may work */
    TROUBLE_FULL,      /* no room on the server's disk */
    TROUBLE_READ_ONLY, /* a standby, or a database made read-only */
    TROUBLE_TIMEOUT,   /* statement_timeout */
    TROUBLE_RIGHTS,
    TROUBLE_DAMAGED, /* a page's check value, an index that is wrong */
    TROUBLE_OTHER,
};

enum { EXPECTED_MAX = 256 };

struct pg_connection {
    PGconn *pg;           /* NULL: not connected */
    const char *conninfo; /* must outlive it */
    bool prepared[STATEMENT_COUNT];
    unsigned char expected[EXPECTED_MAX]; /* results not yet taken, in order */
    size_t n_expected;
    int64_t timeout;  /* statement_timeout of the session in ms; 0: not known */
    int64_t position; /* a commit that was seen in it: whose effects any later question sees */
    int64_t until;    /* monotonic; an answer later than that is none. 0: any time */
    const _Atomic bool *answers; /* false: nor is one still to come; NULL: nobody says */
    enum trouble trouble;        /* of the last failure */
    char state[6];               /* its SQLSTATE, or "" */
};

bool med_pg_connect(struct pg_connection *c, med_err *err) MED_MUST_CHECK;
void med_pg_disconnect(struct pg_connection *c); /* a zeroed one is fine */

/* ---- parameters ---- */
enum { PARAMETERS_MAX = 16 };
struct pg_parameters {
    int n;
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX];
    uint64_t room[PARAMETERS_MAX];
};
void med_pg_int(struct pg_parameters *p, int64_t value);
void med_pg_real(struct pg_parameters *p, double value);
void med_pg_bytes(struct pg_parameters *p, med_str bytes); /* until it was sent */

/* An array as PostgreSQL's binary format has it. */
enum pg_element { PG_INT = 20, PG_REAL = 701, PG_BYTES = 17 }; /* the types' OIDs */
struct pg_array {
    med_buf bytes;
    enum pg_element of;
    uint32_t n;
};
void med_pg_array_init(struct pg_array *a, enum pg_element of);
void med_pg_array_free(struct pg_array *a);
void med_pg_array_clear(struct pg_array *a);
void med_pg_array_int(struct pg_array *a, int64_t value);
void med_pg_array_real(struct pg_array *a, double value);
void med_pg_array_bytes(struct pg_array *a, med_str bytes);
void med_pg_array_null(struct pg_array *a);
/* False when it ran out of memory on the way. */
bool med_pg_add_array(struct pg_parameters *p, struct pg_array *a);

/* ---- questions and answers ---- */
const char *med_pg_session(void);           /* its settings, as statements */
const char *med_pg_name(enum statement id); /* under which it is prepared */
/* `p` may be NULL. */
bool med_pg_send(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                 med_err *err);
bool med_pg_sync(struct pg_connection *c, med_err *err);
/* The next result, to be ended with PQclear; NULL with *err when it failed, and then nothing is
 * left to take. */
PGresult *med_pg_result(struct pg_connection *c, med_err *err);
/* Takes what is left; false with the first failure. */
bool med_pg_drain(struct pg_connection *c, med_err *err);
/* All of it for one statement. */
PGresult *med_pg_ask(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                     med_err *err);
bool med_pg_run(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                med_err *err);
/* PQparamtype of the result tells the types of its parameters. */
PGresult *med_pg_describe(struct pg_connection *c, enum statement id, med_err *err);
/* A statement that is none of ours. */
PGresult *med_pg_ask_text(struct pg_connection *c, const char *sql, med_err *err);

/* Values of a binary result. Integers of any width; 0 for NULL. */
int64_t med_pg_int_at(const PGresult *r, int row, int column);
double med_pg_real_at(const PGresult *r, int row, int column);
med_str med_pg_bytes_at(const PGresult *r, int row, int column);

/* COPY ... FROM STDIN, when nothing is expected any more. */
bool med_pg_copy(struct pg_connection *c, const char *sql, med_str bytes, med_err *err);

/* Several statements without parameters, outside of all pipelines: migrations. */
bool med_pg_script(struct pg_connection *c, const char *sql, med_err *err);

#endif
