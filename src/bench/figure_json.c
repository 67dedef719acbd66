/* figure_json.c - the figures for machines. */
#include "base/json.h"
#include "bench/figure.h"

static void pair_number(med_json_writer *w, const char *key, double value)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.6g", value);
    med_json_key(w, med_str_from(key));
    med_json_raw_value(w, med_str_from(text));
}

static void pair_count(med_json_writer *w, const char *key, uint64_t value)
{
    med_json_key(w, med_str_from(key));
    med_json_int(w, (int64_t)value);
}

static const char *verdict_word(enum med_verdict v)
{
    switch (v) {
    case MED_VERDICT_NONE:
        return "none";
    case MED_VERDICT_MET:
        return "met";
    case MED_VERDICT_MISSED:
        return "missed";
    case MED_VERDICT_ERRORS:
        return "errors";
    case MED_VERDICT_ABSENT:
        return "not measured";
    }
    return "";
}

static void write_goals(med_json_writer *w, const med_figure *f)
{
    static const char *const names[] = {"", "value", "ratio", "p99_ms"};
    med_json_key(w, MED_STR("targets"));
    med_json_open(w, '[');
    for (size_t i = 0; i < MED_GOALS; i++) {
        const med_goal *g = &f->goals[i];
        if (g->of == MED_GOAL_NONE)
            continue;
        med_json_open(w, '{');
        med_json_pair(w, "of", med_str_from(names[g->of]));
        pair_number(w, g->least ? "at_least" : "at_most", g->limit);
        med_json_close(w, '}');
    }
    med_json_close(w, ']');
}

static void write_load(med_json_writer *w, const med_figure *f)
{
    pair_count(w, "connections", f->connections);
    pair_count(w, "rounds", f->rounds);
    pair_count(w, "sent", f->sent);
    pair_count(w, "good", f->good);
    pair_count(w, "errors", f->errors);
    if (f->bad_status > 0)
        pair_count(w, "first_bad_status", (uint64_t)f->bad_status);
    pair_number(w, "rate_low", f->low);
    pair_number(w, "rate_high", f->high);
    pair_number(w, "p50_ms", f->p50);
    pair_number(w, "p90_ms", f->p90);
    pair_number(w, "p99_ms", f->p99);
    pair_number(w, "max_ms", f->max);
    if (f->server_cpu_us > 0)
        pair_number(w, "server_cpu_us", f->server_cpu_us);
    pair_number(w, "generator_cpu_us", f->own_cpu_us);
}

static void write_figure(med_json_writer *w, const med_figure *f)
{
    med_json_open(w, '{');
    med_json_pair(w, "family", med_str_from(f->family));
    med_json_pair(w, "key", med_str_from(f->key));
    med_json_pair(w, "name", f->name);
    if (f->people > 0)
        pair_count(w, "people", f->people);
    if (f->measured) {
        pair_number(w, "value", f->value);
        med_json_pair(w, "unit", med_str_from(f->unit));
    }
    if (f->measured && f->reference != NULL) {
        med_json_pair(w, "reference", med_str_from(f->reference));
        pair_number(w, "reference_value", f->reference_value);
        if (f->reference_value > 0)
            pair_number(w, "ratio", f->value / f->reference_value);
    }
    write_goals(w, f);
    med_json_pair(w, "verdict", med_str_from(verdict_word(med_figure_verdict(f))));
    med_json_pair(w, "note", f->note);
    if (f->is_load && f->measured)
        write_load(w, f);
    med_json_close(w, '}');
}

bool med_figures_json(const med_figures *f, const med_figures_about *about, med_buf *out)
{
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_pair(&w, "version", MED_STR(MED_VERSION));
    med_json_pair(&w, "server", about->server);
    med_json_pair(&w, "data", about->data);
    pair_count(&w, "cores", about->cores);
    pair_number(&w, "seconds", about->seconds);
    pair_count(&w, "rounds", about->rounds);
    pair_count(&w, "requests", about->requests);
    med_json_key(&w, MED_STR("figures"));
    med_json_open(&w, '[');
    for (size_t i = 0; i < f->n; i++)
        write_figure(&w, &f->at[i]);
    med_json_close(&w, ']');
    med_json_close(&w, '}');
    med_buf_addc(out, '\n');
    return !out->failed;
}
