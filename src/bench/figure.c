/* figure.c - see figure.h. */
#include "bench/figure.h"

enum { MEDIAN_MOST = 64, FIRST_ROOM = 64 };
#define MS 1e6 /* nanoseconds */

med_figure *med_figures_add(med_figures *f, const med_figure *one)
{
    med_figure *more = MED_GROW(f->arena, f->at, f->n, &f->room, FIRST_ROOM);
    if (more == NULL)
        return NULL;
    f->at = more;
    f->at[f->n] = *one;
    return &f->at[f->n++];
}

/* ---- rounds ---- */

double med_median(const double *values, size_t n)
{
    double sorted[MEDIAN_MOST];
    if (n > MEDIAN_MOST)
        n = MEDIAN_MOST;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        for (; k > 0 && sorted[k - 1] > values[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = values[i];
    }
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double median_percentile(const med_load_result *rounds, unsigned n, double share)
{
    double values[MEDIAN_MOST];
    unsigned used = 0;
    for (unsigned i = 0; i < n && used < MEDIAN_MOST; i++) {
        if (rounds[i].good > 0)
            values[used++] = (double)med_histogram_percentile(&rounds[i].time, share) / MS;
    }
    return med_median(values, used);
}

static void add_round(med_figure *f, const med_load_result *r, double *cpu, double *own)
{
    double rate = med_load_rate(r);
    f->sent += r->sent;
    f->good += r->good;
    f->errors += med_load_errors(r);
    f->bad_status = f->bad_status == 0 ? r->bad_status : f->bad_status;
    f->max = (double)r->time.max / MS > f->max ? (double)r->time.max / MS : f->max;
    f->low = rate < f->low ? rate : f->low;
    f->high = rate > f->high ? rate : f->high;
    *cpu += r->server_cpu;
    *own += r->own_cpu;
}

med_figure med_figure_of_rounds(const med_load_result *rounds, unsigned n)
{
    double rates[MEDIAN_MOST] = {0}, cpu = 0, own = 0;
    med_figure f = {.is_load = true, .measured = n > 0, .unit = "/s", .rounds = n};
    if (n > MEDIAN_MOST)
        n = MEDIAN_MOST;
    f.low = n > 0 ? med_load_rate(&rounds[0]) : 0;
    for (unsigned i = 0; i < n; i++) {
        rates[i] = med_load_rate(&rounds[i]);
        add_round(&f, &rounds[i], &cpu, &own);
    }
    f.value = med_median(rates, n);
    f.p50 = median_percentile(rounds, n, 0.5);
    f.p90 = median_percentile(rounds, n, 0.9);
    f.p99 = median_percentile(rounds, n, 0.99);
    f.own_cpu_us = f.sent > 0 ? own * 1e6 / (double)f.sent : 0;
    f.server_cpu_us = f.good > 0 ? cpu * 1e6 / (double)f.good : 0;
    return f;
}

/* ---- verdicts ---- */

static double ratio_of(const med_figure *f)
{
    return f->reference != NULL && f->reference_value > 0 ? f->value / f->reference_value : 0;
}

static bool is_kept(const med_figure *f, const med_goal *g)
{
    double value = g->of == MED_GOAL_RATIO ? ratio_of(f)
                   : g->of == MED_GOAL_P99 ? f->p99
                                           : f->value;
    return g->of == MED_GOAL_NONE || (g->least ? value >= g->limit : value <= g->limit);
}

enum med_verdict med_figure_verdict(const med_figure *f)
{
    bool wanted = false, kept = true;
    if (!f->measured)
        return MED_VERDICT_ABSENT;
    if (f->errors > 0)
        return MED_VERDICT_ERRORS;
    for (size_t i = 0; i < MED_GOALS; i++) {
        wanted = wanted || f->goals[i].of != MED_GOAL_NONE;
        kept = kept && is_kept(f, &f->goals[i]);
    }
    return !wanted ? MED_VERDICT_NONE : kept ? MED_VERDICT_MET : MED_VERDICT_MISSED;
}

static const char *verdict_text(enum med_verdict v)
{
    switch (v) {
    case MED_VERDICT_NONE:
        return "-";
    case MED_VERDICT_MET:
        return "met";
    case MED_VERDICT_MISSED:
        return "MISSED";
    case MED_VERDICT_ERRORS:
        return "ERRORS";
    case MED_VERDICT_ABSENT:
        return "not measured";
    }
    return "";
}

bool med_figures_good(const med_figures *f)
{
    for (size_t i = 0; i < f->n; i++) {
        enum med_verdict v = med_figure_verdict(&f->at[i]);
        if (v != MED_VERDICT_NONE && v != MED_VERDICT_MET)
            return false;
    }
    return true;
}

/* ---- text ---- */

/* 12345.6 -> "12,346"; below 100 with two digits behind the point. */
static const char *number_text(double value, char *to, size_t room)
{
    char digits[32];
    size_t n = 0;
    if (value < 100) {
        (void)snprintf(to, room, value < 10 ? "%.3f" : "%.1f", value);
        return to;
    }
    (void)snprintf(digits, sizeof digits, "%.0f", value);
    size_t len = strlen(digits);
    for (size_t i = 0; i < len && n + 2 < room; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            to[n++] = ',';
        to[n++] = digits[i];
    }
    to[n] = '\0';
    return to;
}

/* "value >= 12,000/s, p99 <= 15 ms" */
static void print_goals(const med_figure *f, char *to, size_t room)
{
    char number[40];
    size_t n = 0;
    to[0] = '\0';
    for (size_t i = 0; i < MED_GOALS; i++) {
        const med_goal *g = &f->goals[i];
        if (g->of == MED_GOAL_NONE)
            continue;
        if (g->limit < 100)
            (void)snprintf(number, sizeof number, "%g", g->limit);
        else
            (void)number_text(g->limit, number, sizeof number);
        int wrote = snprintf(to + n, room - n, "%s%s%s %s%s", n > 0 ? ", " : "",
                             g->of == MED_GOAL_P99     ? "p99 "
                             : g->of == MED_GOAL_RATIO ? "ratio "
                                                       : "",
                             g->least ? ">=" : "<=", number,
                             g->of == MED_GOAL_P99     ? " ms"
                             : g->of == MED_GOAL_VALUE ? f->unit
                                                       : "");
        if (wrote < 0 || (size_t)wrote >= room - n)
            return;
        n += (size_t)wrote;
    }
}

/* Of a ladder the name alone would stand there once for each size. */
static const char *title(const med_figure *f, bool sizes, char *to, size_t room)
{
    if (sizes && f->people > 0)
        (void)snprintf(to, room, "%7u: %.*s", f->people, MED_STR_ARG(f->name));
    else
        (void)snprintf(to, room, "%.*s", MED_STR_ARG(f->name));
    return to;
}

static void print_row(const med_figure *f, bool sizes, FILE *to)
{
    char name[120], value[64], number[40], goals[80], reference[80] = "", ratio[24] = "";
    (void)snprintf(value, sizeof value, "%s%s", number_text(f->value, number, sizeof number),
                   f->unit);
    print_goals(f, goals, sizeof goals);
    if (f->reference != NULL && f->measured) {
        (void)snprintf(reference, sizeof reference, "%s %s",
                       number_text(f->reference_value, number, sizeof number), f->reference);
        (void)snprintf(ratio, sizeof ratio, "%.3f", ratio_of(f));
    }
    (void)fprintf(to, "%-56s %14s  %-28s %-30s %7s  %s\n", title(f, sizes, name, sizeof name),
                  f->measured ? value : "-", goals, reference, ratio,
                  verdict_text(med_figure_verdict(f)));
    if (f->note.len > 0)
        (void)fprintf(to, "    %.*s\n", MED_STR_ARG(f->note));
}

static void print_load(const med_figure *f, bool sizes, FILE *to)
{
    char name[120], rate[40];
    (void)fprintf(to, "%-56s %5u %10s %9.3f %9.3f %9.3f %9.2f %8.1f %9lu %7lu",
                  title(f, sizes, name, sizeof name), f->connections,
                  number_text(f->value, rate, sizeof rate), f->p50, f->p90, f->p99, f->max,
                  f->server_cpu_us, (unsigned long)f->sent, (unsigned long)f->errors);
    if (f->bad_status > 0)
        (void)fprintf(to, " (HTTP %d)", f->bad_status);
    (void)fputc('\n', to);
}

void med_figures_print(const med_figures *f, bool sizes, FILE *to)
{
    bool loads = false;
    (void)fprintf(to, "\n%-56s %14s  %-28s %-30s %7s  %s\n", "figure", "measured", "target",
                  "physical reference", "ratio", "");
    for (size_t i = 0; i < f->n; i++) {
        print_row(&f->at[i], sizes, to);
        loads = loads || f->at[i].is_load;
    }
    if (!loads)
        return;
    (void)fprintf(to, "\n%-56s %5s %10s %9s %9s %9s %9s %8s %9s %7s\n", "load", "conn.", "rate/s",
                  "p50 ms", "p90 ms", "p99 ms", "max ms", "CPU us", "requests", "errors");
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].is_load && f->at[i].measured)
            print_load(&f->at[i], sizes, to);
    }
}

void med_figure_print_line(const med_figure *f, FILE *to)
{
    char number[40];
    if (!f->measured)
        (void)fprintf(to, "  %-50.*s not measured: %.*s\n", MED_STR_ARG(f->name),
                      MED_STR_ARG(f->note));
    else
        (void)fprintf(to, "  %-50.*s %s%s%s\n", MED_STR_ARG(f->name),
                      number_text(f->value, number, sizeof number), f->unit,
                      f->errors > 0 ? "  (with errors)" : "");
}

/* ---- the ladder ---- */

static const med_figure *find_rung(const med_figures *f, const char *key, uint32_t people)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].people == people && f->at[i].is_load && strcmp(f->at[i].key, key) == 0)
            return &f->at[i];
    }
    return NULL;
}

static void print_rungs(const med_figures *f, const med_figure *row, const uint32_t *sizes,
                        size_t n, FILE *to)
{
    (void)fprintf(to, "%-50.*s", MED_STR_ARG(row->name));
    const med_figure *last = NULL;
    for (size_t i = 0; i < n; i++) {
        last = find_rung(f, row->key, sizes[i]);
        if (last == NULL || !last->measured || last->good == 0)
            (void)fprintf(to, " |%9s%9s%9s", "-", "-", "-");
        else
            (void)fprintf(to, " |%9.3f%9.3f%9.1f", last->p50, last->p99, last->server_cpu_us);
    }
    if (last != NULL && row->p50 > 0)
        (void)fprintf(to, " | %.2f", last->p50 / row->p50);
    (void)fputc('\n', to);
}

void med_figures_print_ladder(const med_figures *f, const uint32_t *sizes, size_t n, FILE *to)
{
    (void)fprintf(to, "\n%-50s", "people");
    for (size_t i = 0; i < n; i++)
        (void)fprintf(to, " |%9u%18s", sizes[i], "");
    (void)fprintf(to, "\n%-50s", "");
    for (size_t i = 0; i < n; i++)
        (void)fprintf(to, " |%9s%9s%9s", "p50 ms", "p99 ms", "CPU us");
    (void)fprintf(to, " | growth of p50\n");
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].is_load && f->at[i].people == sizes[0])
            print_rungs(f, &f->at[i], sizes, n, to);
    }
}
