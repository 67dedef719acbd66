/* test_snapshot_score.c - snapshots made here against those that were shipped: all profiles of R4,
 * of the published extensions, of the HL7 terminology and of IPS, and guides in the shared data.
 *
 * An element is compared by id, path, sliceName, min, max, types (codes, profiles and targets),
 * binding, fixed and pattern values, and the keys of its constraints. What differs must stand in
 * the list below, with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "package/definition_set.h"
#include "package/packages.h"
#include "package/text.h"

enum { FILES = 2048, PATH_BYTES = 2048, ELEMENTS = 8192 };

/* Older tools than today's made these, or these are at fault themselves. */
static const struct {
    const char *name, *why;
} known[] = {
    {"StructureDefinition-MetadataResource.json", "a model: the tool gave each new element ele-1"},
    {"StructureDefinition-bp.json",
     "the tool of 2019 put valueQuantity of a component into value[x] itself"},
    {"StructureDefinition-cholesterol.json",
     "the tool of 2019 repeated the constraints of SimpleQuantity"},
    {"StructureDefinition-hdlcholesterol.json",
     "the tool of 2019 repeated the constraints of SimpleQuantity"},
    {"StructureDefinition-ldlcholesterol.json",
     "the tool of 2019 repeated the constraints of SimpleQuantity"},
    {"StructureDefinition-codesystem-history.json",
     "it gives slices to an element that it forbids: refused here"},
    {"StructureDefinition-elementdefinition-de.json",
     "the tool of 2019 unfolded what extensions hold"},
    {"StructureDefinition-familymemberhistory-genetic.json",
     "it names a slice of an element that it does not slice"},
    {"StructureDefinition-provenance-relevant-history.json",
     "a slice keeps what is said of all: the tool copied the base"},
    {"StructureDefinition-structuredefinition-fhir-type.json",
     "the tool dropped the binding of a url"},
    {"StructureDefinition-Observation-results-laboratory-pathology-uv-ips.json",
     "a slice keeps what is said of all: the tool copied the base"},
    {"StructureDefinition-Observation-results-radiology-uv-ips.json",
     "a slice keeps what is said of all: the tool copied the base"},
};

static med_str read_file(med_arena *a, const char *path)
{
    FILE *f = fopen(path, "rbe");
    struct stat st;
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    char *bytes = MED_TAKE(a, (size_t)st.st_size + 1, char);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
    assert_int_equal(fclose(f), 0);
    return (med_str){bytes, (size_t)st.st_size};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_value(med_buf *out, const med_json *j, uint32_t element, const char *key)
{
    uint32_t at = med_json_member(j, element, med_str_from(key));
    med_buf_addc(out, '|');
    if (at != 0)
        med_json_write_min(out, j, at);
}

/* Sorted, so that the order of what has none does not matter. */
static void add_sorted(med_arena *a, med_buf *out, const char **texts, size_t n)
{
    (void)a;
    if (n > 0)
        qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n; i++) {
        med_buf_addz(out, texts[i]);
        med_buf_addc(out, ' ');
    }
}

/* Publishers pin canonicals to versions in a snapshot that the differential does not. */
static med_str unpinned(med_str canonical)
{
    return med_str_sub(canonical, 0, med_str_find(canonical, '|', 0));
}

static void add_types(med_arena *a, med_buf *out, const med_json *j, uint32_t element)
{
    static const char *const keys[] = {"profile", "targetProfile"};
    const char *texts[128];
    size_t n = 0;
    uint32_t end, inner;
    for (uint32_t t = med_package_first(j, element, "type", &end); t < end; t = j->nodes[t].next) {
        med_str code = med_package_text(a, j, t, "code");
        texts[n++] = med_arena_printf(a, "%.*s", MED_STR_ARG(code)).ptr;
        for (size_t k = 0; k < 2; k++) {
            for (uint32_t p = med_package_first(j, t, keys[k], &inner); p < inner;
                 p = j->nodes[p].next) {
                med_str url = unpinned(med_json_raw(j, p));
                assert_true(n < 127);
                texts[n++] =
                    med_arena_printf(a, "%.*s<%.*s>", MED_STR_ARG(code), MED_STR_ARG(url)).ptr;
            }
        }
    }
    med_buf_addc(out, '|');
    add_sorted(a, out, texts, n);
}

static void add_constraints(med_arena *a, med_buf *out, const med_json *j, uint32_t element)
{
    const char *texts[128];
    size_t n = 0;
    uint32_t end;
    for (uint32_t c = med_package_first(j, element, "constraint", &end); c < end && n < 128;
         c = j->nodes[c].next)
        texts[n++] = med_arena_printf(a, "%.*s", MED_STR_ARG(med_package_text(a, j, c, "key"))).ptr;
    med_buf_addc(out, '|');
    add_sorted(a, out, texts, n);
}

static void add_fixed(med_buf *out, const med_json *j, uint32_t element)
{
    for (uint32_t k = element + 1; k < j->nodes[element].next; k = j->nodes[k + 1].next) {
        med_str key = med_json_raw(j, k);
        if (!med_str_starts(key, MED_STR("fixed")) && !med_str_starts(key, MED_STR("pattern")))
            continue;
        med_buf_addc(out, ' ');
        med_buf_add(out, key);
        med_json_write_min(out, j, k + 1);
    }
}

static med_str facets(med_arena *a, const med_json *j, uint32_t element, bool min)
{
    med_buf out;
    med_str text;
    uint32_t binding = med_package_member(j, element, "binding", MED_JSON_OBJECT);
    med_buf_init(&out, 1 << 20);
    add_value(&out, j, element, "id");
    add_value(&out, j, element, "path");
    add_value(&out, j, element, "sliceName");
    if (min)
        add_value(&out, j, element, "min");
    add_value(&out, j, element, "max");
    add_types(a, &out, j, element);
    if (binding != 0) {
        add_value(&out, j, binding, "strength");
        med_buf_addc(&out, '|');
        med_buf_add(&out, unpinned(med_package_text(a, j, binding, "valueSet")));
    }
    add_fixed(&out, j, element);
    add_constraints(a, &out, j, element);
    assert_false(out.failed);
    assert_true(med_arena_copy(a, med_buf_str(&out), &text));
    med_buf_free(&out);
    return text;
}

static size_t lines(med_arena *a, const med_json *j, bool min, med_str *out)
{
    size_t n = 0;
    uint32_t end, snapshot = med_package_member(j, 0, "snapshot", MED_JSON_OBJECT);
    for (uint32_t e = med_package_first(j, snapshot, "element", &end); e < end;
         e = j->nodes[e].next) {
        assert_true(n < ELEMENTS);
        out[n++] = facets(a, j, e, min);
    }
    return n;
}

static void show(const char *what, med_str line)
{
    print_message("    %s %.*s\n", what, MED_STR_ARG(line));
}

/* How many elements differ; the first few are shown. */
static size_t differences(med_arena *a, const med_json *made, const med_json *shipped, bool min)
{
    med_str *x = MED_TAKE(a, ELEMENTS, med_str), *y = MED_TAKE(a, ELEMENTS, med_str);
    size_t n = lines(a, made, min, x), m = lines(a, shipped, min, y), wrong = 0, room = 3;
    if (getenv("MEDULLA_SHOW") == NULL)
        room = 0;
    for (size_t i = 0, k = 0; i < n || k < m;) {
        if (i < n && k < m && med_str_eq(x[i], y[k])) {
            i++, k++;
            continue;
        }
        wrong++;
        if (wrong <= room) {
            show("made   ", i < n ? x[i] : MED_STR("-"));
            show("shipped", k < m ? y[k] : MED_STR("-"));
        }
        /* Find the way back: the next line whose id is the same. */
        med_str a_id = i < n ? med_str_sub(x[i], 0, med_str_find(x[i], '|', 1)) : MED_STR("-");
        med_str b_id = k < m ? med_str_sub(y[k], 0, med_str_find(y[k], '|', 1)) : MED_STR("=");
        if (med_str_eq(a_id, b_id)) {
            i++, k++;
            continue;
        }
        bool later = false;
        for (size_t l = k; l < m && !later; l++)
            later = med_str_eq(a_id, med_str_sub(y[l], 0, med_str_find(y[l], '|', 1)));
        if (later || i >= n)
            k++;
        else
            i++;
    }
    return wrong;
}

typedef struct tally {
    size_t same, all;
    size_t min_only; /* equal but for the min of an element that is sliced */
    size_t known;    /* listed above */
    size_t unknown;
} tally;

static const char *known_reason(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0)
            return known[i].why;
    }
    return NULL;
}

static void other(const char *name, tally *score)
{
    const char *why = known_reason(name);
    print_message("  %s: %s\n", name, why == NULL ? "NOT EXPECTED" : why);
    if (why == NULL)
        score->unknown++;
    else
        score->known++;
}

static void check_file(const med_definition_source *source, const char *path, const char *name,
                       tally *score)
{
    med_arena *a = med_arena_new((size_t)1 << 30);
    med_json shipped, made;
    med_err err = {0};
    med_str text;
    assert_true(med_json_parse(a, read_file(a, path), &shipped, NULL, &err));
    med_str derivation = med_package_text(a, &shipped, 0, "derivation");
    bool wanted =
        med_str_eqz(med_package_text(a, &shipped, 0, "resourceType"), "StructureDefinition")
        && med_json_member(&shipped, 0, MED_STR("snapshot")) != 0
        && med_json_member(&shipped, 0, MED_STR("differential")) != 0
        && med_json_member(&shipped, 0, MED_STR("baseDefinition")) != 0
        && (med_str_eqz(derivation, "constraint")
            || med_str_eqz(med_package_text(a, &shipped, 0, "kind"), "logical"));
    if (wanted) {
        score->all++;
        if (!med_snapshot_make(a, &shipped, 0, source, &text, &err)) {
            print_message("  %s: not made: %s: %s\n", name, err.expr, err.text);
            other(name, score);
        } else {
            assert_true(med_json_parse(a, text, &made, NULL, &err));
            if (differences(a, &made, &shipped, true) == 0)
                score->same++;
            else if (differences(a, &made, &shipped, false) == 0)
                score->min_only++;
            else
                other(name, score);
        }
    }
    med_arena_free(a);
}

static size_t check_folder(med_arena *a, med_definition_set *set, const char *folder, bool loose)
{
    char *names[FILES];
    size_t n = 0;
    tally score = {0};
    med_err err = {0};
    med_definition_source source = med_definition_set_source(set);
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        print_message("skipped: %s absent\n", folder);
        return 0;
    }
    for (struct dirent *e = readdir(dir); e != NULL && n < FILES; e = readdir(dir)) {
        med_str name = med_str_from(e->d_name);
        if (med_str_starts(name, MED_STR("StructureDefinition-"))
            && med_str_ends(name, MED_STR(".json")))
            names[n++] = strdup(e->d_name);
    }
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; loose && i < n; i++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (!med_definition_set_add(set, read_file(a, path), MED_STR("test"), &err))
            fail_msg("%s: %s", names[i], err.text);
    }
    for (size_t i = 0; i < n; i++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        const char *only = getenv("MEDULLA_ONLY");
        if (only == NULL || strstr(names[i], only) != NULL)
            check_file(&source, path, names[i], &score);
        free(names[i]);
    }
    (void)closedir(dir);
    print_message("%s: %zu of %zu equal; %zu but for the min of a sliced element; %zu of the list, "
                  "%zu unexpected\n",
                  strrchr(folder, '/') + 1, score.same, score.all, score.min_only, score.known,
                  score.unknown);
    return score.unknown;
}

static void snapshots_are_those_shipped(void **state)
{
    static const char *const folders[] = {"hl7.fhir.r4.examples", "hl7.fhir.uv.extensions.r4",
                                          "hl7.terminology.r4", "hl7.fhir.uv.ips"};
    const char *definitions = getenv("MEDULLA_DEFINITIONS");
    const char *shared = getenv("MEDULLA_SHARED");
    med_packages *packages;
    med_err err = {0};
    char folder[PATH_BYTES];
    (void)state;
    assert_non_null(definitions);
    assert_true(med_packages_open(NULL, &packages, &err));
    med_arena *a = med_arena_new((size_t)1 << 30);
    med_definition_source built_in = med_packages_source(packages);
    med_definition_set *set = med_definition_set_new(a, &built_in);
    assert_non_null(set);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        (void)snprintf(folder, sizeof folder, "%s/%s", definitions, folders[i]);
        assert_int_equal(check_folder(a, set, folder, i == 3), 0);
    }
    (void)snprintf(folder, sizeof folder, "%s/data/eu-laboratory", shared);
    (void)check_folder(a, set, folder, true); /* it leans on guides that are not there */
    med_arena_free(a);
    med_packages_free(packages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(snapshots_are_those_shipped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
