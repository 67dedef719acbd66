/* idempotency.c - a commit with the key of an earlier one gets the earlier one's outcomes. */
#include "store/sqlite/sqlite_impl.h"

enum { OUTCOME_BYTES = 16 }; /* outcome, 3 bytes 0, version (4), rid (8); little-endian */
static const int64_t keep_for = INT64_C(7) * 86400 * 1000000;

static void put_number(char *to, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (char)(n >> (8 * i));
}

static uint64_t get_number(const char *from, unsigned bytes)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < bytes; i++)
        n |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return n;
}

static void restore_outcomes(med_commit *c, med_str bytes)
{
    for (size_t i = 0; i < c->n_writes && (i + 1) * OUTCOME_BYTES <= bytes.len; i++) {
        const char *from = bytes.ptr + i * OUTCOME_BYTES;
        c->writes[i].outcome = (enum med_outcome)get_number(from, 1);
        c->writes[i].version = (uint32_t)get_number(from + 4, 4);
        c->writes[i].rid = get_number(from + 8, 8);
    }
}

enum replay med_idempotency_find(struct sqlite_store *s, med_commit *c, med_err *err)
{
    if (c->idempotency == 0)
        return REPLAY_NEW;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_IDEMPOTENCY, err);
    if (stmt == NULL)
        return REPLAY_BROKEN;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)c->idempotency);
    int rc = sqlite3_step(stmt);
    enum replay found = rc == SQLITE_DONE ? REPLAY_NEW : REPLAY_FOUND;
    if (rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) != (int64_t)c->request_hash) {
        (void)MED_FAIL(err, MED_ISSUE_BUSINESS_RULE,
                       "this idempotency key was used for another request");
        found = REPLAY_REFUSED;
    } else if (rc == SQLITE_ROW) {
        c->t = sqlite3_column_int64(stmt, 1);
        c->updated = sqlite3_column_int64(stmt, 2);
        restore_outcomes(c, med_statement_str(stmt, 3));
    } else if (rc != SQLITE_DONE) {
        (void)med_connection_fail(&s->writer, rc, "looking up an idempotency key", err);
        found = REPLAY_BROKEN;
    }
    (void)sqlite3_reset(stmt);
    return found;
}

static bool expire(struct sqlite_store *s, int64_t now, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_EXPIRE_IDEMPOTENCY, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, now - keep_for);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "expiring keys", err);
}

bool med_idempotency_write(struct sqlite_store *s, const med_commit *c, med_err *err)
{
    if (c->idempotency == 0)
        return true;
    char *bytes = MED_TAKE(s->scratch, c->n_writes * OUTCOME_BYTES, char);
    if (bytes == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < c->n_writes; i++) {
        char *to = bytes + i * OUTCOME_BYTES;
        put_number(to, c->writes[i].outcome, 1);
        put_number(to + 4, c->writes[i].version, 4);
        put_number(to + 8, c->writes[i].rid, 8);
    }
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_IDEMPOTENCY, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)c->idempotency);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)c->request_hash);
    (void)sqlite3_bind_int64(stmt, 3, med_now(s->clock));
    (void)sqlite3_bind_int64(stmt, 4, c->t);
    (void)sqlite3_bind_int64(stmt, 5, c->updated);
    if (!med_statement_bind_blob(stmt, 6, (med_str){bytes, c->n_writes * OUTCOME_BYTES}))
        return MED_FAIL_MEMORY(err);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_DONE)
        return med_connection_fail(&s->writer, rc, "keeping an idempotency key", err);
    return expire(s, med_now(s->clock), err);
}
