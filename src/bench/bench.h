/* bench.h - `medulla bench`: measures a server, beside what the machine itself can do.
 *
 * Without a URL it starts a server of its own (this program) on a temporary folder and a loopback
 * port, fills it, measures, and removes everything. With a URL it measures any FHIR R4 server,
 * reading only, unless writing was allowed; what it writes there carries a tag and is deleted
 * at the end. How each figure is taken: bench/README.md. */
#ifndef MED_BENCH_BENCH_H
#define MED_BENCH_BENCH_H

#include "base/arena.h"
#include "base/err.h"

enum { MED_BENCH_SIZES = 8 };

typedef struct med_bench_options {
    med_str url;   /* FHIR base; empty: a server of our own */
    med_str token; /* bearer token for `url` */
    bool write;    /* with `url`: may create and delete */
    int64_t pid;   /* with `url`: the server's process, when it is local; 0: not known */
    double seconds;
    unsigned rounds;
    unsigned connections;  /* 0: those of each family */
    const uint32_t *sizes; /* people of the demo nation; several are a ladder */
    size_t n_sizes;
    bool ladder;
    med_str data;        /* files to import instead of the demo nation; empty: none */
    med_str work;        /* where the temporary folder is made */
    med_str config;      /* settings file for our own server; empty: none */
    size_t bundle_bytes; /* of the large Bundle that `isolation` posts */
    const med_str *families;
    size_t n_families; /* 0: all that may be run */
    med_str json;      /* file for the figures; empty: none */
    /* Transaction Bundles of `data`, for `bundle`; NULL: made ones. Texts live in the arena. */
    bool (*read_bundles)(med_arena *a, med_str path, med_str **out, size_t *n, med_err *err);
} med_bench_options;

enum med_bench_end {
    MED_BENCH_GOOD,    /* every target met */
    MED_BENCH_PARTLY,  /* measured; a target was missed, or requests failed */
    MED_BENCH_FAILED,  /* could not be measured; *err */
    MED_BENCH_USAGE,   /* *err says what is wrong with the options */
    MED_BENCH_REFUSED, /* would write where it was not allowed to; *err */
};

enum med_bench_end med_bench_run(med_arena *a, const med_bench_options *options, med_err *err);

/* Names and one line each, for the help. */
void med_bench_list_families(void);

#endif
