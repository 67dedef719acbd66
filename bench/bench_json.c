/* bench_json.c - how fast is the JSON tape, beside memcpy in the same run?
 *
 *     build/bench/bench_json [FILE...]
 *
 * Without files: a 1.7 KB Observation, minified and pretty. Each figure is the median of
 * several rounds; one document is parsed (everything checked, duplicate keys too), minified and
 * compared with itself over and over, on one core. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "bench/reference.h"

enum { ROUNDS = 9, ROUND_MICROSECONDS = 60000, BATCH_BYTES = 200000, LIMIT = 1 << 30 };

struct bench {
    med_str text;
    med_arena *arena;
    med_json tape;
    med_buf out;
    size_t check; /* what the work left, so that none of it is left out */
};

static void run_memcpy(struct bench *s)
{
    memcpy(s->out.ptr, s->text.ptr, s->text.len);
    __asm__ volatile("" : : "r"(s->out.ptr) : "memory");
}

static void run_parse(struct bench *s)
{
    med_json j;
    med_err err;
    med_arena_reset(s->arena);
    if (!med_json_parse(s->arena, s->text, &j, NULL, &err))
        abort();
    s->check += j.n;
}

static void run_min(struct bench *s)
{
    med_buf_clear(&s->out);
    med_json_write_min(&s->out, &s->tape, 0);
    s->check += s->out.len;
}

static void run_pretty(struct bench *s)
{
    med_buf_clear(&s->out);
    med_json_write_pretty(&s->out, &s->tape, 0);
    s->check += s->out.len;
}

static void run_equal(struct bench *s)
{
    s->check += med_json_equal(&s->tape, 0, &s->tape, 0);
}

static const struct {
    const char *name;
    void (*run)(struct bench *);
} columns[] = {{"memcpy", run_memcpy},
               {"parse", run_parse},
               {"minify", run_min},
               {"pretty", run_pretty},
               {"equal", run_equal}};

static int compare_doubles(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Megabytes (10^6) of text a second. */
static double rate(struct bench *s, void (*run)(struct bench *))
{
    double rates[ROUNDS];
    size_t batch = BATCH_BYTES / s->text.len + 1;
    for (size_t r = 0; r < ROUNDS; r++) {
        size_t times = 0;
        int64_t start = med_monotonic(&med_clock_system), now;
        do {
            for (size_t i = 0; i < batch; i++)
                run(s);
            times += batch;
            now = med_monotonic(&med_clock_system);
        } while (now - start < ROUND_MICROSECONDS);
        rates[r] = (double)(times * s->text.len) / (double)(now - start);
    }
    qsort(rates, ROUNDS, sizeof *rates, compare_doubles);
    return rates[ROUNDS / 2];
}

static bool measure(const char *name, med_str text)
{
    struct bench s = {.text = text, .arena = med_arena_new(LIMIT)};
    med_arena *keep = med_arena_new(LIMIT);
    med_err err = {0};
    med_buf_init(&s.out, LIMIT);
    bool good = s.arena != NULL && keep != NULL && med_buf_reserve(&s.out, text.len * 4)
                && med_json_parse(keep, text, &s.tape, NULL, &err);
    if (good) {
        printf("%-28.28s %9zu %7u", name, text.len, s.tape.n);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            printf(" %8.0f", rate(&s, columns[i].run));
        printf("\n");
    } else {
        fprintf(stderr, "%s: %s\n", name, err.text);
    }
    med_buf_free(&s.out);
    med_arena_free(keep);
    med_arena_free(s.arena);
    return good;
}

static bool measure_pretty_observation(void)
{
    med_arena *a = med_arena_new(LIMIT);
    med_buf pretty;
    med_buf_init(&pretty, LIMIT);
    med_json j;
    med_err err;
    bool good = a != NULL && med_json_parse(a, med_reference_observation(), &j, NULL, &err);
    if (good) {
        med_json_write_pretty(&pretty, &j, 0);
        good = measure("Observation, pretty", med_buf_str(&pretty));
    }
    med_buf_free(&pretty);
    med_arena_free(a);
    return good;
}

static bool measure_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return false;
    }
    med_buf text;
    med_buf_init(&text, LIMIT);
    size_t n = 1;
    while (n > 0 && med_buf_reserve(&text, 1 << 16)) {
        n = fread(text.ptr + text.len, 1, 1 << 16, f);
        text.len += n;
    }
    (void)fclose(f);
    const char *slash = strrchr(path, '/');
    bool good = measure(slash == NULL ? path : slash + 1, med_buf_str(&text));
    med_buf_free(&text);
    return good;
}

int main(int argc, char **argv)
{
    printf("%-28s %9s %7s", "MB/s of text, one core", "bytes", "nodes");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        printf(" %8s", columns[i].name);
    printf("\n");
    bool good = true;
    if (argc == 1)
        good = measure("Observation", med_reference_observation()) && measure_pretty_observation();
    for (int i = 1; i < argc; i++)
        good &= measure_file(argv[i]);
    return good ? 0 : 1;
}
