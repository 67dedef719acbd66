/* bench.c - `medulla bench`: measures this server, or any other. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <dirent.h>

#include "base/buf.h"
#include "bench/bench.h"
#include "bench/reference.h"
#include "command/command.h"
#include "source.h"

enum {
    PEOPLE = 1000,
    PEOPLE_MOST = 1000000,
    CONNECTIONS_MOST = 4096,
    ROUNDS = 3,
    ROUNDS_MOST = 32,
    SECONDS_MOST = 3600,
    BUNDLE_MIB = 64,
    BUNDLES_BYTES = 128 << 20, /* of all Bundles that are posted */
    READ_BYTES = 256 << 10,
};
#define SECONDS 3.0

/* ---- the Bundles of --data ---- */

static bool read_whole(const char *path, med_buf *out, med_err *err)
{
    size_t n = 0;
    med_source *s = med_source_open(med_str_from(path), err);
    if (s == NULL)
        return false;
    bool ok = true;
    do {
        ok = med_buf_reserve(out, READ_BYTES)
                 ? med_source_read(s, out->ptr + out->len, READ_BYTES, &n, err)
                 : MED_FAIL(err, MED_ISSUE_TOO_LONG, "%s is too large", path);
        out->len += ok ? n : 0;
    } while (ok && n > 0);
    med_source_close(s);
    return ok;
}

static bool is_bundle_file(const struct dirent *e)
{
    med_str name = med_str_from(e->d_name);
    return med_str_search(name, MED_STR(".json"), 0) < name.len;
}

static int wants_file(const struct dirent *e)
{
    return is_bundle_file(e);
}

/* Keeps the file's text when it is a transaction. */
static bool add_bundle(med_arena *a, const char *path, med_str *out, size_t *n, size_t *bytes,
                       med_err *err)
{
    med_buf text;
    med_buf_init(&text, BUNDLES_BYTES);
    bool ok = read_whole(path, &text, err);
    med_str all = med_buf_str(&text);
    med_str start = med_str_sub(all, 0, 4096);
    if (ok && med_str_search(start, MED_STR("\"Bundle\""), 0) < start.len
        && med_str_search(start, MED_STR("\"transaction\""), 0) < start.len) {
        *bytes += all.len;
        ok = *bytes > BUNDLES_BYTES || med_arena_copy(a, all, &out[(*n)++]) ? true
                                                                            : MED_FAIL_MEMORY(err);
    }
    med_buf_free(&text);
    return ok;
}

/* The transactions directly in a folder, in the order of their names, 128 MiB at most. */
static bool read_bundles(med_arena *a, med_str path, med_str **out, size_t *n, med_err *err)
{
    struct dirent **names;
    med_str folder;
    size_t bytes = 0;
    *n = 0;
    *out = NULL;
    if (!med_arena_copy(a, path, &folder))
        return MED_FAIL_MEMORY(err);
    int found = scandir(folder.ptr, &names, wants_file, alphasort);
    if (found < 0)
        return true; /* a file: its resources were imported, there is nothing to post */
    *out = MED_TAKE(a, (size_t)found + 1, med_str);
    bool ok = *out != NULL ? true : MED_FAIL_MEMORY(err);
    for (int i = 0; i < found; i++) {
        med_str file = med_arena_printf(a, "%s/%s", folder.ptr, names[i]->d_name);
        if (ok && bytes <= BUNDLES_BYTES)
            ok = add_bundle(a, file.ptr, *out, n, &bytes, err);
        free(names[i]); /* scandir made it */
    }
    free(names); /* scandir made it */
    return ok;
}

/* ---- options ---- */

static bool take_count(const med_arguments *args, const char *name, int64_t low, int64_t high,
                       int64_t *out, med_err *err)
{
    med_str text;
    if (!med_argument(args, name, &text))
        return true;
    if (med_str_to_int64(text, out) && *out >= low && *out <= high)
        return true;
    return MED_FAIL(err, MED_ISSUE_VALUE, "--%s takes a whole number from %ld to %ld", name,
                    (long)low, (long)high);
}

/* "2" or "0.25" */
static bool take_seconds(const med_arguments *args, double *out, med_err *err)
{
    med_str text, fraction;
    int64_t whole = 0, part = 0;
    double scale = 1;
    *out = SECONDS;
    if (!med_argument(args, "seconds", &text))
        return true;
    med_str digits = med_str_cut(text, '.', &fraction);
    for (size_t i = 0; i < fraction.len; i++)
        scale *= 10;
    bool ok = med_str_to_int64(digits, &whole) && fraction.len <= 6 && whole >= 0
              && (fraction.len == 0
                  || (med_is_digit(fraction.ptr[0]) && med_str_to_int64(fraction, &part)));
    *out = (double)whole + (double)part / scale;
    return ok && *out > 0 && *out <= SECONDS_MOST
               ? true
               : MED_FAIL(err, MED_ISSUE_VALUE,
                          "--seconds takes a number above 0, such as 3 or 0.5");
}

static bool take_sizes(const med_arguments *args, uint32_t *sizes, med_bench_options *o,
                       med_err *err)
{
    static const uint32_t rungs[] = {1000, 4000, 16000, 64000};
    med_str text;
    int64_t people;
    o->sizes = sizes;
    if (!med_argument(args, "people", &text)) {
        o->n_sizes = o->ladder ? sizeof rungs / sizeof *rungs : 1;
        memcpy(sizes, rungs, sizeof rungs);
        return true;
    }
    while (text.len > 0 && o->n_sizes < MED_BENCH_SIZES) {
        if (!med_str_to_int64(med_str_cut(text, ',', &text), &people) || people < 1
            || people > PEOPLE_MOST)
            return MED_FAIL(err, MED_ISSUE_VALUE,
                            "--people takes 1 to %d, with --ladder several: "
                            "1000,4000",
                            PEOPLE_MOST);
        sizes[o->n_sizes++] = (uint32_t)people;
    }
    bool several = o->n_sizes > 1;
    return o->n_sizes > 0 && text.len == 0 && several == o->ladder
               ? true
               : MED_FAIL(err, MED_ISSUE_VALUE,
                          o->ladder ? "--ladder needs two to %d sizes: --people 1000,4000"
                                    : "--people takes one number, but with --ladder (%d at most)",
                          MED_BENCH_SIZES);
}

static bool take_flags(const med_arguments *args, med_bench_options *o, med_err *err)
{
    med_str unused;
    (void)med_argument(args, "url", &o->url);
    (void)med_argument(args, "token", &o->token);
    (void)med_argument(args, "data", &o->data);
    (void)med_argument(args, "work", &o->work);
    (void)med_argument(args, "json", &o->json);
    (void)med_argument(args, "config", &o->config);
    o->write = med_argument(args, "write", &unused);
    o->ladder = med_argument(args, "ladder", &unused);
    if (o->url.len > 0 && (o->data.len > 0 || o->ladder))
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "--data and --ladder fill a server of their own; they "
                        "do not go with --url");
    if (o->url.len == 0 && (o->token.len > 0 || o->write || med_argument(args, "pid", &unused)))
        return MED_FAIL(err, MED_ISSUE_VALUE, "--token, --write and --pid belong to --url");
    if (o->ladder && o->data.len > 0)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "--ladder makes its own data; it does not go with "
                        "--data");
    return true;
}

static bool take_options(const med_arguments *args, uint32_t *sizes, med_bench_options *o,
                         med_err *err)
{
    int64_t rounds = ROUNDS, connections = 0, mib = BUNDLE_MIB;
    if (!take_flags(args, o, err) || !take_sizes(args, sizes, o, err)
        || !take_seconds(args, &o->seconds, err)
        || !take_count(args, "rounds", 1, ROUNDS_MOST, &rounds, err)
        || !take_count(args, "connections", 1, CONNECTIONS_MOST, &connections, err)
        || !take_count(args, "pid", 1, INT32_MAX, &o->pid, err)
        || !take_count(args, "bundle-mib", 1, BUNDLE_MIB, &mib, err))
        return false;
    o->rounds = (unsigned)rounds;
    o->connections = (unsigned)connections;
    /* One byte too many and it would be refused: it stays a little below. */
    o->bundle_bytes = ((size_t)mib << 20) - (64 << 10);
    o->families = args->words;
    o->n_families = args->n;
    return true;
}

/* As many event loops as the server itself has. */
static unsigned loops(const med_config *config)
{
    int64_t set = med_config_int(config, "http.loops");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return (unsigned)(set > 0 ? set : cores > 0 ? cores : 1);
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
    med_str unused, listen;
    uint32_t sizes[MED_BENCH_SIZES] = {0};
    const char *temporary = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
    med_bench_options o = {.url = MED_STR_EMPTY,
                           .token = MED_STR_EMPTY,
                           .data = MED_STR_EMPTY,
                           .work = med_str_from(temporary != NULL ? temporary : "/var/tmp"),
                           .json = MED_STR_EMPTY,
                           .config = MED_STR_EMPTY,
                           .read_bundles = read_bundles};
    if (med_argument(args, "list", &unused)) {
        med_bench_list_families();
        return MED_EXIT_OK;
    }
    if (med_argument(args, "serve-constant", &listen)) {
        (void)med_reference_serve(listen, loops(args->config), &err);
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    }
    if (!take_options(args, sizes, &o, &err))
        return med_command_fail(MED_EXIT_USAGE, "%s", err.text);
    switch (med_bench_run(args->arena, &o, &err)) {
    case MED_BENCH_GOOD:
        return MED_EXIT_OK;
    case MED_BENCH_PARTLY:
        return MED_EXIT_PARTLY;
    case MED_BENCH_FAILED:
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    case MED_BENCH_USAGE:
        return med_command_fail(MED_EXIT_USAGE, "%s", err.text);
    case MED_BENCH_REFUSED:
        return med_command_fail(MED_EXIT_REFUSED, "%s", err.text);
    }
    return MED_EXIT_FAILED;
}

static const med_option options[] = {
    {"list", NULL, NULL, "name the families and end"},
    {"url", "BASE", NULL, "measure this FHIR R4 server (http://host/fhir), reading only"},
    {"token", "TOKEN", NULL, "bearer token for --url"},
    {"write", NULL, NULL, "with --url: may create, change and delete test resources"},
    {"pid", "N", NULL, "with --url: the server's process here, for its processor time"},
    {"seconds", "N", NULL, "length of a round (default 3)"},
    {"rounds", "N", NULL, "rounds of which the median is taken (default 3)"},
    {"connections", "N", NULL, "instead of each family's own numbers"},
    {"people", "N", NULL,
     "size of the demo nation (default 1000); with --ladder several: 1000,8000"},
    {"ladder", NULL, NULL, "read and search at 1000, 4000, 16000 and 64000 people"},
    {"data", "PATH", NULL, "import these files instead of the demo nation"},
    {"bundle-mib", "N", NULL, "size of the Bundle of isolation (default 64)"},
    {"work", "DIR", NULL, "where the temporary folder is made (default $TMPDIR or /var/tmp)"},
    {"json", "FILE", NULL, "write the figures there, too"},
    {"serve-constant", "HOST:PORT", NULL,
     "serve only the constant answer that reads are compared with"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_bench = {
    .name = "bench",
    .usage = "[--url BASE [--token T] [--write]] [--seconds N] [--rounds N] [FAMILY...]",
    .summary = "measure the server beside what the machine itself can do",
    .examples = "  medulla bench\n"
                "  medulla bench --people 10000 read selective create\n"
                "  medulla bench --ladder --people 1000,16000 patient-code\n"
                "  medulla bench --url http://127.0.0.1:8080/fhir --seconds 10 read search\n",
    .options = options,
    .run = run,
};
