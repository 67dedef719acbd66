/* run.h - what the files of bench/ share during a run. Not for others: bench.h is. */
#ifndef MED_BENCH_RUN_H
#define MED_BENCH_RUN_H

#include "bench/ask.h"
#include "bench/bench.h"
#include "bench/figure.h"
#include "bench/made.h"
#include "bench/queries.h"

enum {
    MED_BENCH_ROUNDS = 32,
    MED_BENCH_PATH = 512,
    MED_BENCH_QUERIES = 50,
    MED_BENCH_SEARCH_CONNECTIONS = 8,
};

typedef struct med_bench {
    const med_bench_options *options;
    med_arena *arena;
    bool own; /* the server is ours */
    med_target target;
    med_asker asker;
    pid_t server;        /* started by us */
    pid_t watched;       /* whose processor time is taken: that one, or the user's */
    med_target constant; /* the constant answer */
    pid_t constant_server;
    char folder[MED_BENCH_PATH], store[MED_BENCH_PATH], log[MED_BENCH_PATH];
    med_samples samples;
    med_str *reads; /* paths of resources */
    size_t n_reads;
    med_figures figures;
    uint32_t people;
    uint64_t resources;    /* that were imported */
    uint64_t stored_bytes; /* of their store, closed */
    uint64_t requests;     /* of loads */
    double import_seconds[MED_BENCH_ROUNDS], import_cpu;
    unsigned imports;
    med_maker maker;
    med_made left; /* on a foreign server: what must go at the end */
    atomic_bool stop;
} med_bench;

/* One load against a server; adds to b->requests and ends early when the run is stopped. */
bool med_bench_load(med_bench *b, const med_target *target, pid_t server, unsigned connections,
                    double seconds, const med_load_work *work, med_load_result *out,
                    med_err *err) MED_MUST_CHECK;
/* A short one whose result is dropped. */
bool med_bench_warm(med_bench *b, const med_target *target, unsigned connections,
                    const med_load_work *work, med_err *err) MED_MUST_CHECK;
bool med_bench_add(med_bench *b, const med_figure *f, med_err *err) MED_MUST_CHECK;
/* A figure that could not be taken, and why. */
bool med_bench_absent(med_bench *b, const char *group, const char *key, med_str name, med_str why,
                      med_err *err) MED_MUST_CHECK;
/* True when the user named it, or none. */
bool med_bench_wants(const med_bench *b, const char *name);

/* ---- server.c: a server of our own ---- */
bool med_bench_fill(med_bench *b, med_err *err) MED_MUST_CHECK; /* generates and imports */
/* Starts it; *took (may be NULL): seconds to the first 200 of /metadata. */
bool med_bench_start_server(med_bench *b, double *took, med_err *err) MED_MUST_CHECK;
void med_bench_stop_server(med_bench *b, int signal);
bool med_bench_start_constant(med_bench *b, med_err *err) MED_MUST_CHECK;

/* ---- discover.c: resources that are there ---- */
bool med_bench_discover(med_bench *b, med_err *err) MED_MUST_CHECK;

/* ---- work: paths asked in turn ---- */
typedef struct med_path_work {
    const med_target *target;
    const med_str *paths;
    size_t n;
    size_t at[MED_LOAD_CONNECTIONS];
} med_path_work;
void med_path_work_init(med_path_work *w, const med_target *target, const med_str *paths, size_t n,
                        unsigned connections);
bool med_path_work_next(void *self, unsigned connection, med_buf *out);

/* ---- the families; false is the end of the run ---- */
bool med_bench_import(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_bytes(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_start(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_memory(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_read(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_search(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_terminology(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_create(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_update(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_delete(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_bundle(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_isolation(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_recovery(med_bench *b, med_err *err) MED_MUST_CHECK;
bool med_bench_json(med_bench *b, med_err *err) MED_MUST_CHECK;
/* Deletes what was written on a foreign server; says how much could not be. */
bool med_bench_clean(med_bench *b, med_err *err) MED_MUST_CHECK;

#endif
