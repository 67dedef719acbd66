/* load.h - the load: connections that each send a request, wait for its answer and send the next.
 *
 * A closed loop without pipelining: with N connections at most N requests are under way. Only an
 * answer of the class 2xx counts as done and enters the rate and the durations; everything else
 * is counted apart, so that `sent` is always the sum of all that came of it. */
#ifndef MED_BENCH_LOAD_H
#define MED_BENCH_LOAD_H

#include <stdatomic.h>
#include <sys/types.h>

#include "bench/histogram.h"
#include "bench/reply.h"
#include "bench/target.h"

enum { MED_LOAD_CONNECTIONS = 4096, MED_LOAD_THREADS = 16 };

/* What is sent. Both are called on the thread of the connection; a connection keeps its thread. */
typedef struct med_load_work {
    /* Appends the next request; false: this connection is done. */
    bool (*next)(void *self, unsigned connection, med_buf *out);
    /* Told of each answer, whatever its status; may be NULL. */
    void (*done)(void *self, unsigned connection, const med_reply *reply);
    void *self;
} med_load_work;

typedef struct med_load_options {
    const med_target *target;
    unsigned connections;
    unsigned threads;        /* 0: one for one connection, else two */
    double seconds;          /* no new request after that; 0: until the work says so */
    const atomic_bool *stop; /* the same when it becomes true; may be NULL */
    const atomic_bool *stop_too;
    pid_t server; /* whose processor time is taken; 0: nobody's */
} med_load_options;

typedef struct med_load_result {
    uint64_t sent, good;
    uint64_t refused[6];  /* answers by class of their status: [4] is 4xx; [2] is not used */
    uint64_t unreachable; /* no connection */
    uint64_t broken;      /* the connection ended before the answer did */
    uint64_t malformed;   /* an answer that is not HTTP */
    uint64_t late;        /* no answer in a minute */
    uint64_t bytes;       /* of good answers */
    int bad_status;       /* the first status that was not 2xx */
    double seconds;       /* until the last answer */
    double server_cpu;    /* seconds of processor time, user and system */
    double own_cpu;       /* the same of this process: what the load itself costs */
    med_histogram time;   /* of good answers */
} med_load_result;

/* Blocks until all is done. False only when it could not begin (memory, threads). */
bool med_load_run(const med_load_options *options, const med_load_work *work, med_load_result *out,
                  med_err *err) MED_MUST_CHECK;

uint64_t med_load_errors(const med_load_result *r);
/* Good answers a second. */
double med_load_rate(const med_load_result *r);

/* Nanoseconds of a clock that only goes on. */
uint64_t med_bench_now(void);
/* Processor time a process has used so far, in seconds; 0 when it can not be told. */
double med_bench_cpu(pid_t pid);

#endif
