/* figure.h - what was measured, what was wanted, and how both are shown. */
#ifndef MED_BENCH_FIGURE_H
#define MED_BENCH_FIGURE_H

#include <stdio.h>

#include "base/arena.h"
#include "bench/load.h"

enum med_goal_of { MED_GOAL_NONE, MED_GOAL_VALUE, MED_GOAL_RATIO, MED_GOAL_P99 };

typedef struct med_goal {
    enum med_goal_of of;
    bool least;   /* at least `limit`; else at most */
    double limit; /* of a p99: milliseconds */
} med_goal;

enum med_verdict {
    MED_VERDICT_NONE, /* nothing was wanted */
    MED_VERDICT_MET,
    MED_VERDICT_MISSED,
    MED_VERDICT_ERRORS, /* some requests failed, so the figure is not to be believed */
    MED_VERDICT_ABSENT, /* could not be measured; the note says why */
};

enum { MED_GOALS = 2 };

typedef struct med_figure {
    const char *family; /* "read" */
    const char *key;    /* "c64", or a search family's */
    med_str name;
    uint32_t people; /* of the demo nation at that time; 0: other data */
    bool measured;
    double value;
    const char *unit;
    const char *reference; /* what the value is compared with; NULL: nothing */
    double reference_value;
    med_goal goals[MED_GOALS];
    med_str note;
    /* Of a load: medians of the rounds, in milliseconds; the maximum is the greatest of all. */
    bool is_load;
    unsigned connections, rounds;
    double p50, p90, p99, max, low, high; /* low, high: least and greatest rate of the rounds */
    double server_cpu_us;                 /* a good request; 0: not known */
    double own_cpu_us;                    /* what the load itself costs, a request */
    uint64_t sent, good, errors;
    int bad_status;
} med_figure;

typedef struct med_figures {
    med_arena *arena;
    med_figure *at;
    size_t n, room;
} med_figures;

/* A copy is kept; NULL without memory. */
med_figure *med_figures_add(med_figures *f, const med_figure *one);

/* The rounds of one load become one figure: medians of rate and percentiles, sums of counts. */
med_figure med_figure_of_rounds(const med_load_result *rounds, unsigned n);
double med_median(const double *values, size_t n); /* at most 64 */

enum med_verdict med_figure_verdict(const med_figure *f);
/* True when nothing was missed, failed or left out. */
bool med_figures_good(const med_figures *f);

/* `sizes`: each row says how many people there were. */
void med_figures_print(const med_figures *f, bool sizes, FILE *to);
/* The ladder: a row a family, a column a size, and the growth from the first to the last. */
void med_figures_print_ladder(const med_figures *f, const uint32_t *sizes, size_t n, FILE *to);
/* One line while the run goes on. */
void med_figure_print_line(const med_figure *f, FILE *to);

/* What was measured with, for the head of the table and of the JSON. */
typedef struct med_figures_about {
    med_str server; /* base URL */
    med_str data;   /* "demo nation of 1000 people" */
    unsigned cores;
    double seconds;
    unsigned rounds;
    uint64_t requests; /* all that were sent, those before and between the measurements too */
} med_figures_about;
bool med_figures_json(const med_figures *f, const med_figures_about *about,
                      med_buf *out) MED_MUST_CHECK;

#endif
