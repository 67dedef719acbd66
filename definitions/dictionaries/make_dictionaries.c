/* make_dictionaries.c - a file of zstd dictionaries out of examples and made-up people.
 *
 *     build/definitions/dictionaries/make_dictionaries VERSION EXAMPLES OUT
 *     build/definitions/dictionaries/make_dictionaries inputs EXAMPLES
 *
 * EXAMPLES is the folder of hl7.fhir.r4.examples; the rest of the samples are resources of the
 * demo generator with a fixed seed. No other input, so that no living person is in it. The same
 * samples and the same zstd give the same bytes. `inputs` prints the SHA-256 of the samples. The
 * form of OUT: src/store/dictionary.h; why so: docs/decisions/0007-dictionaries.md. */
#define ZDICT_STATIC_LINKING_ONLY
#include <dirent.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <zdict.h>
#include <zstd.h>

#include "base/json.h"
#include "base/mem.h"
#include "demo/demo.h"
#include "fhir/resource_text.h"

enum {
    TYPES = 256,
    SAMPLE_BYTES = 32 << 10, /* larger resources say little about others */
    OWN_BYTES = 8 << 10,     /* a dictionary of one type; more is no better */
    OTHER_BYTES = 16 << 10,
    OWN_SAMPLES = 8, /* fewer, or less text, make no dictionary of their own */
    OWN_TEXT = 16 << 10,
    OTHER_SAMPLES = 8,  /* of each type */
    DEMO_SAMPLES = 250, /* of each type, evenly taken */
    DEMO_PEOPLE = 200,
    DEMO_SEED = 2026,
    DEMO_TODAY = 20500, /* days since 1970 */
};

typedef struct samples {
    med_str type;
    med_str *at;
    size_t n, room;
    size_t n_examples;
} samples;

typedef struct maker {
    med_arena *arena; /* of texts and names */
    samples types[TYPES];
    size_t n;
} maker;

static _Noreturn void die(const char *what, const char *which)
{
    (void)fprintf(stderr, "make_dictionaries: %s: %s\n", what, which);
    exit(1);
}

/* ---- samples ---- */

static samples *samples_of(maker *m, med_str type)
{
    for (size_t i = 0; i < m->n; i++) {
        if (med_str_eq(m->types[i].type, type))
            return &m->types[i];
    }
    if (m->n == TYPES || !med_arena_copy(m->arena, type, &m->types[m->n].type))
        die("too many types", "");
    return &m->types[m->n++];
}

/* Binary holds what no two have in common; definitions are few in a store, and large. */
static bool is_left_out(med_str type)
{
    static const char *const out[] = {
        "Binary",
        "CapabilityStatement",
        "CodeSystem",
        "CompartmentDefinition",
        "ConceptMap",
        "GraphDefinition",
        "ImplementationGuide",
        "MessageDefinition",
        "NamingSystem",
        "OperationDefinition",
        "SearchParameter",
        "StructureDefinition",
        "StructureMap",
        "ValueSet",
        "ExampleScenario",
        "TestScript",
        "OperationOutcome",
    };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        if (med_str_eqz(type, out[i]))
            return true;
    }
    return type.len == 0;
}

static void add(samples *s, med_str text)
{
    if (s->n == s->room) {
        s->room = s->room == 0 ? 64 : s->room * 2;
        s->at = med_realloc(s->at, s->room, sizeof *s->at);
        if (s->at == NULL)
            die("no memory", "");
    }
    s->at[s->n++] = text;
}

/* The text as a store would keep it. False when it is no sample. */
static bool take(maker *m, med_str json)
{
    med_json j;
    med_str text;
    med_err err = {0};
    med_arena *a = med_arena_new((size_t)64 << 20);
    if (a == NULL || !med_json_parse(a, json, &j, NULL, &err))
        die("no JSON", err.text);
    uint32_t type = med_json_member(&j, 0, MED_STR("resourceType"));
    uint32_t id = med_json_member(&j, 0, MED_STR("id"));
    bool good = type != 0 && id != 0 && !is_left_out(med_json_raw(&j, type))
                && med_resource_store_text(m->arena, &j, 0, med_json_raw(&j, id), NULL, &text, &err)
                && text.len <= SAMPLE_BYTES;
    if (good)
        add(samples_of(m, med_json_raw(&j, type)), text);
    med_arena_free(a);
    return good;
}

static void read_example(maker *m, const char *folder, const char *name)
{
    char path[4096];
    med_buf text;
    med_buf_init(&text, (size_t)256 << 20);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        die("can not read", path);
    char bytes[1 << 16];
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        med_buf_add(&text, (med_str){bytes, n});
    (void)fclose(in);
    (void)take(m, med_buf_str(&text));
    med_buf_free(&text);
}

static int is_json(const struct dirent *e)
{
    med_str name = med_str_from(e->d_name);
    return med_str_ends(name, MED_STR(".json")) && name.ptr[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return med_str_compare(med_str_from((*a)->d_name), med_str_from((*b)->d_name));
}

static void read_examples(maker *m, const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, is_json, by_name);
    if (n <= 0)
        die("no examples in", folder);
    for (int i = 0; i < n; i++) {
        if (!med_str_starts(med_str_from(names[i]->d_name), MED_STR("Bundle-")))
            read_example(m, folder, names[i]->d_name);
        free(names[i]); /* scandir made it */
    }
    free(names); /* scandir made it */
}

static bool take_made(void *self, med_str type, med_str id, med_str json, med_err *err)
{
    (void)type;
    (void)id;
    (void)err;
    (void)take(self, json);
    return true;
}

/* Every k-th of the generated ones, so that all kinds of people are among them. */
static void thin_out(samples *s)
{
    size_t made = s->n - s->n_examples;
    size_t kept = made < DEMO_SAMPLES ? made : DEMO_SAMPLES;
    for (size_t i = 0; i < kept; i++)
        s->at[s->n_examples + i] = s->at[s->n_examples + i * made / kept];
    s->n = s->n_examples + kept;
}

static int by_type(const void *a, const void *b)
{
    return med_str_compare(((const samples *)a)->type, ((const samples *)b)->type);
}

static void gather(maker *m, const char *examples)
{
    med_err err = {0};
    med_demo_options demo = {DEMO_PEOPLE, DEMO_SEED, DEMO_TODAY};
    m->arena = med_arena_new((size_t)1 << 30);
    if (m->arena == NULL)
        die("no memory", "");
    read_examples(m, examples);
    for (size_t i = 0; i < m->n; i++)
        m->types[i].n_examples = m->types[i].n;
    if (!med_demo_generate(&demo, take_made, m, &err))
        die("the demo failed", err.text);
    for (size_t i = 0; i < m->n; i++)
        thin_out(&m->types[i]);
    qsort(m->types, m->n, sizeof *m->types, by_type);
}

static void print_inputs(const maker *m, char hex[65])
{
    unsigned char digest[32];
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool good = c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; good && i < m->n; i++) {
        for (size_t k = 0; good && k < m->types[i].n; k++) {
            med_str text = m->types[i].at[k];
            good =
                EVP_DigestUpdate(c, text.ptr, text.len) == 1 && EVP_DigestUpdate(c, "\n", 1) == 1;
        }
    }
    if (!good || EVP_DigestFinal_ex(c, digest, NULL) != 1)
        die("no SHA-256", "");
    EVP_MD_CTX_free(c);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* ---- training ---- */

typedef struct training {
    med_buf text;
    size_t *sizes;
    unsigned n;
} training;

static void begin(training *t)
{
    *t = (training){.sizes = MED_NEW(TYPES * DEMO_SAMPLES, size_t)};
    med_buf_init(&t->text, (size_t)1 << 30);
    if (t->sizes == NULL)
        die("no memory", "");
}

static void feed(training *t, const samples *s, size_t most)
{
    size_t n = s->n < most ? s->n : most;
    for (size_t i = 0; i < n; i++) {
        med_str text = s->at[i * s->n / n];
        med_buf_add(&t->text, text);
        t->sizes[t->n++] = text.len;
    }
}

static med_str train(maker *m, training *t, size_t room, const char *whose)
{
    ZDICT_fastCover_params_t p = {
        .d = 8, .f = 20, .accel = 1, .steps = 16, .nbThreads = 1, .splitPoint = 1.0};
    p.zParams.compressionLevel = 3;
    char *to = MED_TAKE(m->arena, room, char);
    if (to == NULL || t->text.failed)
        die("no memory", whose);
    size_t n = ZDICT_optimizeTrainFromBuffer_fastCover(to, room, t->text.ptr, t->sizes, t->n, &p);
    if (ZDICT_isError(n))
        die(whose, ZDICT_getErrorName(n));
    med_buf_free(&t->text);
    med_free(t->sizes);
    return (med_str){to, n};
}

static bool has_own(const samples *s)
{
    size_t text = 0;
    for (size_t i = 0; i < s->n; i++)
        text += s->at[i].len;
    return s->n >= OWN_SAMPLES && text >= OWN_TEXT;
}

static void train_all(maker *m, med_buf *list, med_buf *bytes)
{
    training all;
    begin(&all);
    for (size_t i = 0; i < m->n; i++)
        feed(&all, &m->types[i], OTHER_SAMPLES);
    med_str other = train(m, &all, OTHER_BYTES, "other");
    med_buf_printf(list, "other %zu\n", other.len);
    med_buf_add(bytes, other);
    for (size_t i = 0; i < m->n; i++) {
        const samples *s = &m->types[i];
        training own;
        if (!has_own(s))
            continue;
        begin(&own);
        feed(&own, s, s->n);
        med_str made = train(m, &own, OWN_BYTES, s->type.ptr);
        med_buf_printf(list, "%.*s %zu\n", MED_STR_ARG(s->type), made.len);
        med_buf_add(bytes, made);
    }
}

static void write_file(const char *path, const char *version, const char *inputs,
                       const med_buf *list, const med_buf *bytes)
{
    FILE *out = fopen(path, "we");
    if (out == NULL)
        die("can not write", path);
    (void)fprintf(out, "medulla dictionaries %s\nzstd %u\ninputs %s\n%.*s\n", version,
                  ZSTD_versionNumber(), inputs, (int)list->len, list->ptr);
    bool good = fwrite(bytes->ptr, 1, bytes->len, out) == bytes->len;
    if (fclose(out) != 0 || !good)
        die("can not write", path);
}

int main(int argc, char **argv)
{
    static maker m;
    char inputs[65];
    if (argc < 3 || (argc != 4 && !med_str_eqz(med_str_from(argv[1]), "inputs")))
        die("usage", "make_dictionaries VERSION EXAMPLES OUT, or inputs EXAMPLES");
    gather(&m, argv[2]);
    print_inputs(&m, inputs);
    if (argc == 4) {
        med_buf list, bytes;
        med_buf_init(&list, 1 << 20);
        med_buf_init(&bytes, (size_t)64 << 20);
        train_all(&m, &list, &bytes);
        write_file(argv[3], argv[1], inputs, &list, &bytes);
        med_buf_free(&list);
        med_buf_free(&bytes);
    } else {
        (void)printf("%s\n", inputs);
    }
    for (size_t i = 0; i < m.n; i++)
        med_free(m.types[i].at);
    med_arena_free(m.arena);
    return 0;
}
