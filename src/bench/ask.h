/* ask.h - one request after another on one connection, waiting for each answer: what is asked
 * before and after a measurement. One thread at a time. */
#ifndef MED_BENCH_ASK_H
#define MED_BENCH_ASK_H

#include "bench/reply.h"
#include "bench/target.h"

typedef struct med_asker {
    const med_target *target;
    int fd;       /* -1: not connected */
    int patience; /* milliseconds for one answer */
    med_buf in, out;
    uint64_t asked; /* requests sent so far */
} med_asker;

void med_asker_init(med_asker *k, const med_target *target);
void med_asker_end(med_asker *k);
/* The reply lives until the next question. False when there is no answer (MED_ISSUE_TRANSIENT);
 * any status is an answer. A kept connection that the server has closed is opened again. */
bool med_ask(med_asker *k, const char *method, med_str path, med_str headers, med_str body,
             med_reply *out, med_err *err) MED_MUST_CHECK;

#endif
