/* bench_model.c - what a write pays before it reaches the store: parse, validation, walk.
 *
 *     build/bench/bench_model [FOLDER]
 *
 * FOLDER holds .json or .json.bz2 files: bundles, whose entries are taken as resources, or
 * resources. Without it: Synthea's bundles of the shared data, else the official examples.
 * Each resource is minified first, as it would be stored. Time is the thread's own processor
 * time, so that a busy machine disturbs little; each figure is the best of several rounds. */
#include <bzlib.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/walk.h"
#include "validate/structure.h"

enum { ROUNDS = 5, RESOURCES_MAX = 200000, FILE_MAX = 64 << 20 };
#define MEMORY ((size_t)4 << 30)

struct resource {
    med_str text;
    med_json tape;
    med_type type;
};

struct bench {
    const med_pack *p;
    med_rules *rules;
    med_arena *arena;
    struct resource *at;
    size_t n;
    med_arena *scratch;
    size_t check;
};

/* ---- loading ---- */

static void add_resource(struct bench *b, const med_json *j, uint32_t node)
{
    struct resource *r = &b->at[b->n];
    med_buf out;
    med_err err = {0};
    med_problems problems = {0};
    med_buf_init(&out, FILE_MAX);
    med_json_write_min(&out, j, node);
    bool ok = b->n < RESOURCES_MAX && med_arena_copy(b->arena, med_buf_str(&out), &r->text)
              && med_json_parse(b->arena, r->text, &r->tape, NULL, &err)
              && med_structure_check(b->arena, b->p, &r->tape, 0, &r->type, &problems, &err)
              && r->type != MED_TYPE_NONE;
    med_buf_free(&out);
    b->n += ok;
}

static void add_document(struct bench *b, med_str text)
{
    med_arena *a = med_arena_new(MEMORY);
    med_json j;
    med_err err = {0};
    if (a == NULL || !med_json_parse(a, text, &j, NULL, &err)) {
        med_arena_free(a);
        return;
    }
    uint32_t entries = med_json_member(&j, 0, MED_STR("entry"));
    if (entries == 0)
        add_resource(b, &j, 0);
    for (uint32_t e = entries + 1; entries != 0 && e < j.nodes[entries].next; e = j.nodes[e].next) {
        uint32_t resource = med_json_member(&j, e, MED_STR("resource"));
        if (resource != 0)
            add_resource(b, &j, resource);
    }
    med_arena_free(a);
}

/* The whole file, as far as FILE_MAX bytes. */
static size_t read_any(const char *path, bool is_bzip2, char *to)
{
    if (!is_bzip2) {
        FILE *file = fopen(path, "rb");
        size_t n = file == NULL ? 0 : fread(to, 1, FILE_MAX, file);
        if (file != NULL)
            (void)fclose(file);
        return n;
    }
    BZFILE *file = BZ2_bzopen(path, "rb");
    size_t len = 0;
    for (int n = 0; file != NULL && (n = BZ2_bzread(file, to + len, FILE_MAX - (int)len)) > 0;)
        len += (size_t)n;
    if (file != NULL)
        BZ2_bzclose(file);
    return len;
}

static bool load_folder(struct bench *b, const char *folder)
{
    DIR *dir = opendir(folder);
    char *bytes = dir == NULL ? NULL : MED_TAKE(b->arena, FILE_MAX, char);
    if (bytes == NULL)
        return false;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        med_str name = med_str_from(e->d_name);
        bool is_bzip2 = med_str_ends(name, MED_STR(".json.bz2"));
        if (!is_bzip2 && !med_str_ends(name, MED_STR(".json")))
            continue;
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        add_document(b, (med_str){bytes, read_any(path, is_bzip2, bytes)});
    }
    (void)closedir(dir);
    return b->n > 0;
}

/* ---- what is measured ---- */

static bool count_value(void *arg, const med_walk_value *v, med_err *err)
{
    (void)err;
    *(size_t *)arg += v->node;
    return true;
}

static bool count_reference(void *arg, const med_reference_walk *at, uint32_t reference,
                            uint32_t property, med_err *err)
{
    (void)at;
    (void)err;
    (void)reference;
    *(size_t *)arg += property;
    return true;
}

static void run_parse(struct bench *b, const struct resource *r)
{
    med_json j;
    med_err err;
    if (!med_json_parse(b->scratch, r->text, &j, NULL, &err))
        abort();
    b->check += j.n;
}

static void run_check(struct bench *b, const struct resource *r)
{
    med_err err;
    med_type type;
    med_problems problems = {0};
    if (!med_structure_check(b->scratch, b->p, &r->tape, 0, &type, &problems, &err))
        abort();
    b->check += problems.n;
}

/* As deep as a write is checked by default, and as deep as $validate looks. */
static void run_base(struct bench *b, const struct resource *r, bool quiet)
{
    med_err err;
    med_type type;
    med_problems problems = {0};
    med_structure_options options = {
        .base = MED_STR_EMPTY, .rules = b->rules, .quiet = quiet, .strict = !quiet};
    if (!med_structure_check_with(b->scratch, b->p, &r->tape, 0, &options, &type, &problems, &err))
        abort();
    b->check += problems.n;
}

static void run_write(struct bench *b, const struct resource *r)
{
    run_base(b, r, true);
}

static void run_validate(struct bench *b, const struct resource *r)
{
    run_base(b, r, false);
}

static void run_walk(struct bench *b, const struct resource *r)
{
    med_err err;
    if (!med_walk(b->p, &r->tape, 0, r->type, count_value, &b->check, &err))
        abort();
}

static void run_references(struct bench *b, const struct resource *r)
{
    med_err err;
    if (!med_walk_references(b->p, &r->tape, 0, r->type, count_reference, &b->check, &err))
        abort();
}

static const struct {
    const char *name;
    void (*run)(struct bench *, const struct resource *);
} columns[] = {
    {"parse", run_parse},     {"structure", run_check}, {"base", run_write},
    {"advice", run_validate}, {"walk", run_walk},       {"references", run_references},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds a resource, over all resources of a type (MED_TYPE_NONE: of every type). */
static double measure(struct bench *b, size_t column, med_type type, size_t n)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (size_t i = 0; i < b->n; i++) {
            if (type != MED_TYPE_NONE && b->at[i].type != type)
                continue;
            columns[column].run(b, &b->at[i]);
            med_arena_reset(b->scratch);
        }
        double each = (now() - start) / (double)n;
        if (round == 0 || each < best)
            best = each;
    }
    return best;
}

static void print_row(struct bench *b, med_type type)
{
    size_t n = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (type == MED_TYPE_NONE || b->at[i].type == type) {
            n++;
            bytes += b->at[i].text.len;
        }
    }
    if (n == 0)
        return;
    med_str name = type == MED_TYPE_NONE ? MED_STR("all") : med_type_name(b->p, type);
    (void)printf("%-28.*s %7zu %8zu", MED_STR_ARG(name), n, bytes / n);
    for (size_t c = 0; c < COLUMNS; c++)
        (void)printf(" %10.0f", measure(b, c, type, n));
    (void)printf("\n");
}

static bool load(struct bench *b, int argc, char **argv)
{
    if (argc > 1)
        return load_folder(b, argv[1]);
    return load_folder(b, "../shared/data/synthea-r4-48")
           || load_folder(b, "definitions/node_modules/hl7.fhir.r4.examples");
}

int main(int argc, char **argv)
{
    struct bench b = {.p = med_pack_core(), .arena = med_arena_new(MEMORY)};
    med_err err = {0};
    b.scratch = med_arena_new(MEMORY);
    if (b.arena != NULL)
        b.at = MED_TAKE(b.arena, RESOURCES_MAX + 1, struct resource);
    if (b.at == NULL || b.scratch == NULL || !med_rules_new(b.p, &b.rules, &err)
        || !load(&b, argc, argv)) {
        (void)fprintf(stderr, "usage: bench_model [FOLDER of .json or .json.bz2 files]\n");
        return 2;
    }
    (void)printf("nanoseconds a resource\n%-28s %7s %8s", "type", "n", "bytes");
    for (size_t c = 0; c < COLUMNS; c++)
        (void)printf(" %10s", columns[c].name);
    (void)printf("\n");
    size_t n = 0;
    const med_type *types = med_pack_resources(b.p, &n);
    for (size_t i = 0; i < n; i++)
        print_row(&b, types[i]);
    print_row(&b, MED_TYPE_NONE);
    med_rules_free(b.rules);
    med_arena_free(b.scratch);
    med_arena_free(b.arena);
    return b.check == 0;
}
