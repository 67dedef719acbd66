/* run.h - private to search/: a query bound to a view, its candidates and their verification. */
#ifndef MED_SEARCH_RUN_H
#define MED_SEARCH_RUN_H

#include "search/extract.h"
#include "search/query.h"

/* A clause with its keys as this view knows them. */
typedef struct med_bound {
    const med_clause *clause;
    const uint64_t *keys; /* TOKEN: hashes; REFERENCE, ID: rids that exist */
    size_t n_keys;
    uint64_t estimate; /* rows, exact below MED_PROBE_ROWS */
    bool can_drive;    /* its rows in the index include all that match */
    bool can_probe;    /* a probe per candidate decides it */
    bool needs_body;   /* only the resource decides it */
} med_bound;

typedef struct med_run {
    const med_query *q;
    med_view *view;
    med_arena *arena; /* the caller's: for results */
    med_bound bound[MED_CLAUSES];
    size_t driver;     /* index of the driving clause; SIZE_MAX: the type's list */
    uint64_t examined; /* candidates so far */
} med_run;

/* Rows counted by looking at them; more are an estimate. */
enum { MED_PROBE_ROWS = 64 };

bool med_run_bind(med_run *r, med_err *err) MED_MUST_CHECK;

/* ---- stream: candidates in the driver's order, newest (highest) first ---- */
typedef struct med_stream med_stream;
typedef struct med_position {
    int64_t value;
    double real;
    med_str text;
    med_rid rid; /* 0 = from the start */
} med_position;

med_stream *med_stream_open(med_run *r, size_t driver, const med_position *after,
                            med_err *err) MED_MUST_CHECK;
enum med_found med_stream_next(med_stream *s, med_position *out, med_err *err);
void med_stream_close(med_stream *s);
/* Does one resource come up several times in this stream (several names, several dates)? */
bool med_stream_repeats(const med_run *r, size_t driver);

/* ---- verification ---- */
/* Does the candidate match all clauses (probes first, then the body if any clause needs it)?
 * The body is read into *out when it was needed or `want_body`. `at` is its place in the
 * stream, for the rule that a resource counts at its first place only. */
bool med_run_check(med_run *r, med_arena *scratch, const med_position *at, bool want_body,
                   med_stored *out, bool *matches, med_err *err) MED_MUST_CHECK;

#endif
