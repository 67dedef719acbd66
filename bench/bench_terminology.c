/* bench_terminology.c - what questions about a large code system cost.
 *
 *     build/bench/bench_terminology FOLDER SYSTEM
 *
 * FOLDER is DATA/terminology with SYSTEM imported (bench/README.md makes one of 400,000 codes).
 * Prints processor time a question, without HTTP. */
#include <stdio.h>
#include <time.h>

#include "terminology/expand.h"
#include "terminology/folder.h"

enum { ROUNDS = 20000 };

static uint32_t seed = 1;
static uint32_t below(uint32_t n)
{
    seed = seed * 1664525U + 1013904223U;
    return (uint32_t)(((uint64_t)(seed >> 8) * n) >> 24);
}

static double cpu(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef struct bench {
    med_term_scope scope;
    med_arena *arena;
    const med_image *image;
    med_str system;
    const med_value_set *all;
} bench;

static bool validate(bench *b, med_err *err)
{
    med_code_answer out;
    med_str code = med_concept_code(b->image, below(med_image_count(b->image)));
    med_code_question q = {MED_STR_EMPTY, b->system,     MED_STR_EMPTY,
                           code,          MED_STR_EMPTY, MED_STR_EMPTY};
    return med_term_validate(&b->scope, b->arena, &q, &out, err);
}

static bool subsumes(bench *b, med_err *err)
{
    enum med_subsumption out;
    uint32_t n = med_image_count(b->image);
    return med_term_subsumes(&b->scope, b->arena, b->system,
                             med_concept_code(b->image, below(n / 100 + 1)),
                             med_concept_code(b->image, below(n)), &out, err);
}

/* The first three letters of a word and the first four of the next one, a page of 20. */
static bool expand(bench *b, med_err *err)
{
    med_term_context x = med_term_context_of(&b->scope, b->arena);
    med_expansion out;
    med_str rest, display = med_concept_display(b->image, below(med_image_count(b->image)));
    med_str first = med_str_sub(med_str_cut(display, ' ', &rest), 0, 3);
    med_str text = med_arena_printf(b->arena, "%.*s %.*s", MED_STR_ARG(first),
                                    MED_STR_ARG(med_str_sub(rest, 0, 4)));
    med_expand e = {
        .filter = text, .language = MED_STR_EMPTY, .count = 20, .limit = MED_EXPAND_LIMIT};
    return med_term_expand(&x, b->all, &e, &out, err);
}

static bool measure(bench *b, const char *name, bool (*run)(bench *, med_err *), int rounds)
{
    med_err err = {0};
    double from = cpu();
    for (int i = 0; i < rounds; i++) {
        if (!run(b, &err)) {
            (void)fprintf(stderr, "%s: %s\n", name, err.text);
            return false;
        }
        med_arena_reset(b->arena);
    }
    double each = (cpu() - from) / rounds;
    (void)printf("%-16s %8.2f us  %10.0f/s of one core\n", name, each * 1e6, 1 / each);
    return true;
}

int main(int argc, char **argv)
{
    med_terminology *t;
    med_term_folder *f;
    med_err err = {0};
    med_arena *kept = med_arena_new((size_t)1 << 28);
    bench b = {.arena = med_arena_new((size_t)1 << 28)};
    if (argc != 3 || kept == NULL || b.arena == NULL)
        return 2;
    b.system = med_str_from(argv[2]);
    bool ok = med_terminology_open(argv[1], &t, &err) && med_term_folder_open(argv[1], &f, &err)
              && med_term_folder_find(f, kept, b.system, MED_STR_EMPTY, &b.image, &err);
    if (!ok || b.image == NULL) {
        (void)fprintf(stderr, "%s\n", ok ? "no such system" : err.text);
        return 1;
    }
    b.scope.terms = t;
    med_term_context x = med_term_context_of(&b.scope, kept);
    med_str set = med_arena_printf(kept,
                                   "{\"resourceType\":\"ValueSet\",\"compose\":{\"include\":[{"
                                   "\"system\":\"%.*s\"}]}}",
                                   MED_STR_ARG(b.system));
    med_json j;
    ok = med_json_parse(kept, set, &j, NULL, &err) && med_value_set_compile(&x, &j, 0, &b.all, &err)
         && measure(&b, "validate-code", validate, 10 * ROUNDS)
         && measure(&b, "subsumes", subsumes, 10 * ROUNDS)
         && measure(&b, "expand filter", expand, ROUNDS / 4);
    (void)printf("%u codes, %.1f MB mapped\n", med_image_count(b.image),
                 (double)med_image_size(b.image) / 1e6);
    med_arena_free(kept);
    med_arena_free(b.arena);
    med_term_folder_free(f);
    med_terminology_free(t);
    return ok ? 0 : 1;
}
