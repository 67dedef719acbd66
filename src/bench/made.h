/* made.h - resources that the bench writes: their bodies, and which ones the server took. */
#ifndef MED_BENCH_MADE_H
#define MED_BENCH_MADE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bench/load.h"
#include "bench/queries.h"

/* One resource on the server: "Observation/1" and its version. */
typedef struct med_made_one {
    char path[100], version[27];
    bool gone;
} med_made_one;

/* Grows under a lock, so that all threads of a load may add; read it when no load is running. */
typedef struct med_made {
    pthread_mutex_t lock;
    med_buf bytes;
} med_made;

bool med_made_init(med_made *m);
void med_made_end(med_made *m);
size_t med_made_count(const med_made *m);
med_made_one *med_made_at(const med_made *m, size_t i);
/* Takes Location (or Content-Location) and ETag of an answer; `base` is the target's. */
void med_made_take(med_made *m, med_str base, med_str location, med_str etag);

/* What bodies are made of. Thread safe. */
typedef struct med_maker {
    const med_samples *samples; /* whose Patients are the subjects */
    char tag[40];               /* of this run; in every resource's meta.tag */
    atomic_uint_fast64_t made;
} med_maker;

#define MED_BENCH_TAG "https://medulla.example/bench"

/* A new Observation of about 1.7 KB; `id` empty: the server gives one. */
void med_maker_observation(med_maker *m, med_str id, med_buf *out);
/* A transaction of one Patient and `observations` of that Patient; `padding` bytes of text more in
 * each Observation. */
void med_maker_bundle(med_maker *m, unsigned observations, size_t padding, med_buf *out);

/* Creates Observations; `made` (may be NULL) gets what was created. */
typedef struct med_create_work {
    const med_target *target;
    med_maker *maker;
    med_made *made;
    uint64_t most; /* 0: any number */
    atomic_uint_fast64_t begun;
    med_buf body[MED_LOAD_CONNECTIONS];
} med_create_work;
med_create_work *med_create_work_new(const med_target *target, med_maker *maker, med_made *made,
                                     uint64_t most);
void med_create_work_free(med_create_work *w);
bool med_create_work_next(void *self, unsigned connection, med_buf *out);
void med_create_work_done(void *self, unsigned connection, const med_reply *reply);

#endif
