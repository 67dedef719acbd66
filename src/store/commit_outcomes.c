/* commit_outcomes.c - a commit with the key of an earlier one gets the earlier one's outcomes. */
#include "store/commit_rules.h"

enum { OUTCOME_BYTES = 16 }; /* outcome, 3 bytes 0, version (4), rid (8); little-endian */

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

enum replay med_outcomes_replay(med_commit *c, uint64_t request, int64_t t, int64_t updated,
                                med_str outcomes, med_err *err)
{
    if (request != c->request_hash) {
        (void)MED_FAIL(err, MED_ISSUE_BUSINESS_RULE,
                       "this idempotency key was used for another request");
        return REPLAY_REFUSED;
    }
    c->t = t;
    c->updated = updated;
    restore_outcomes(c, outcomes);
    return REPLAY_FOUND;
}

bool med_outcomes_pack(med_arena *a, const med_commit *c, med_str *out, med_err *err)
{
    char *bytes = MED_TAKE(a, c->n_writes * OUTCOME_BYTES, char);
    if (bytes == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < c->n_writes; i++) {
        char *to = bytes + i * OUTCOME_BYTES;
        put_number(to, c->writes[i].outcome, 1);
        put_number(to + 4, c->writes[i].version, 4);
        put_number(to + 8, c->writes[i].rid, 8);
    }
    *out = (med_str){bytes, c->n_writes * OUTCOME_BYTES};
    return true;
}
