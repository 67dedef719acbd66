/* The official examples, the US Core examples and Synthea's bundles are structurally legal, but
 * for the few that are really faulty. */
#include "validate/structure.h"

#include <bzlib.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"

#define MEMORY ((size_t)1 << 30)

/* Examples that break the specification, and how. */
static const struct {
    const char *file, *expression, *reason;
} faulty[] = {
    {"DeviceMetric-example.json", "DeviceMetric.parent",
     "names a DeviceDefinition where a Device belongs"},
    {"DeviceUseStatement-example.json", "DeviceUseStatement.reasonReference[0]",
     "names a Procedure, which is no target"},
    {"MedicationRequest-medrx0301.json", "MedicationRequest.dispenseRequest.performer",
     "names a Practitioner where an Organization belongs"},
    {"Observation-clinical-gender.json", "Observation.performer[0]",
     "names an Encounter as performer"},
    {"Questionnaire-qs1.json", "Questionnaire.item[0].item[0]",
     "items without the required linkId"},
    {"ImplementationGuide-fhir.json", "ImplementationGuide.manifest.resource[11904].reference",
     "an id of more than 64 characters, and neither name nor status"},
    {"ig-r4.json", "ImplementationGuide.manifest.resource[11904].reference", "the same guide"},
    {"diagnosticreport-cbc.json", "DiagnosticReport.text", "a narrative without its required div"},
    {"package.json", "Resource.resourceType", "no resource at all"},
};

/* What all that base R4 says finds beyond structure, and what it is. */
static const struct {
    const char *file, *reason;
} misfits[] = {
    {"Basic-referral.json", "modifier extensions of example.org that nobody defines"},
    {"Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json", "a fullUrl with another id"},
    {"Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe.json", "a fullUrl with another id"},
    {"Bundle-hla-1.json", "a part 'uri' of an extension whose definition calls it 'url'"},
    {"Bundle-lri-example.json", "a fullUrl with another id"},
    {"DiagnosticReport-example-pgx.json", "a hash of hexadecimal digits, in base64"},
    {"ActivityDefinition-blood-tubes-supply.json", "a narrative without content"},
    {"ActivityDefinition-heart-valve-replacement.json", "a narrative without content"},
    {"CapabilityStatement-example.json", "a uuid in capitals"},
    {"EventDefinition-example.json", "a narrative without content"},
    {"Questionnaire-zika-virus-exposure-assessment.json", "a narrative without content"},
    {"TerminologyCapabilities-example.json", "a uuid in capitals"},
    {"Library-zika-virus-intervention-logic.json", "an oid that is none"},
};

static bool is_misfit(const char *file)
{
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        if (strcmp(misfits[i].file, file) == 0)
            return true;
    }
    return false;
}

static size_t faulty_row(const char *file)
{
    size_t i = 0;
    while (i < sizeof faulty / sizeof faulty[0] && strcmp(faulty[i].file, file) != 0)
        i++;
    return i;
}

struct tally {
    size_t files, faults, misfits;
    med_rules *rules;
};

/* Legal by structure: then by all that base R4 says, too. */
static void check_base(struct tally *t, med_arena *a, const char *file, const med_json *j)
{
    med_err err = {0};
    med_type type;
    med_problems list = {0};
    med_structure_options options = {
        .base = MED_STR_EMPTY, .rules = t->rules, .quiet = true, .strict = true};
    assert_true(med_structure_check_with(a, med_pack_core(), j, 0, &options, &type, &list, &err));
    if ((list.n > 0) != is_misfit(file))
        fail_msg("%s: %.*s: %.*s", file,
                 MED_STR_ARG(list.n > 0 ? list.at[0].expression : MED_STR("?")),
                 MED_STR_ARG(list.n > 0 ? list.at[0].text : MED_STR("legal")));
    t->misfits += list.n > 0;
}

static void check_text(struct tally *t, const char *file, med_str text)
{
    med_arena *a = med_arena_new(MEMORY);
    med_json j;
    med_err err = {0};
    med_type type = MED_TYPE_NONE;
    med_problems list = {0};
    if (!med_json_parse(a, text, &j, NULL, &err))
        fail_msg("%s: %s", file, err.text);
    assert_true(med_structure_check(a, med_pack_core(), &j, 0, &type, &list, &err));
    size_t row = faulty_row(file);
    if (row < sizeof faulty / sizeof faulty[0]) {
        if (list.n == 0 || !med_str_eqz(list.at[0].expression, faulty[row].expression))
            fail_msg("%s: expected a problem at %s", file, faulty[row].expression);
        t->faults++;
    } else if (list.n > 0) {
        fail_msg("%s: %.*s: %.*s", file, MED_STR_ARG(list.at[0].expression),
                 MED_STR_ARG(list.at[0].text));
    } else {
        check_base(t, a, file, &j);
    }
    t->files++;
    med_arena_free(a);
}

static void check_plain(struct tally *t, const char *path, const char *file)
{
    med_arena *a = med_arena_new(MEMORY);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    size_t len = (size_t)ftell(in);
    rewind(in);
    char *bytes = MED_TAKE(a, len + 1, char);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, len, in), len);
    assert_int_equal(fclose(in), 0);
    check_text(t, file, (med_str){bytes, len});
    med_arena_free(a);
}

static void check_bzip2(struct tally *t, const char *path, const char *file)
{
    enum { ROOM = 16 << 20 };
    med_arena *a = med_arena_new(MEMORY);
    char *bytes = MED_TAKE(a, ROOM, char);
    BZFILE *in = BZ2_bzopen(path, "rb");
    assert_non_null(in);
    int len = 0;
    for (int n = 0; (n = BZ2_bzread(in, bytes + len, ROOM - len)) > 0;)
        len += n;
    BZ2_bzclose(in);
    assert_in_range(len, 1, ROOM - 1);
    check_text(t, file, (med_str){bytes, (size_t)len});
    med_arena_free(a);
}

/* Definitions and the collections of them have tests of their own: they are what the pack is
 * made of. */
static bool is_definition(const char *file)
{
    static const char *const prefixes[] = {
        "SearchParameter-", "ValueSet-",          "CodeSystem-",        "StructureDefinition-",
        "ConceptMap-",      "Bundle-resources",   "Bundle-dataelement", "Bundle-valueset",
        "Bundle-v2-",       "Bundle-v3-",         "Bundle-profiles",    "Bundle-extensions",
        "Bundle-types",     "Bundle-searchParams"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncmp(file, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

static bool ends_with(const char *file, const char *suffix)
{
    return med_str_ends(med_str_from(file), med_str_from(suffix));
}

/* False when the folder is not there. */
static bool check_folder(struct tally *t, const char *folder)
{
    med_err err = {0};
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return false;
    assert_true(med_rules_new(med_pack_core(), &t->rules, &err));
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (ends_with(e->d_name, ".json") && !is_definition(e->d_name))
            check_plain(t, path, e->d_name);
        else if (ends_with(e->d_name, ".json.bz2"))
            check_bzip2(t, path, e->d_name);
    }
    assert_int_equal(closedir(dir), 0);
    med_rules_free(t->rules);
    return true;
}

static void check_shared(const char *folder, size_t files, size_t faults)
{
    const char *root = getenv("MEDULLA_SHARED");
    char path[1024];
    struct tally t = {0};
    (void)snprintf(path, sizeof path, "%s/data/%s", root == NULL ? "../shared" : root, folder);
    if (!check_folder(&t, path)) {
        print_message("skipped: shared data absent\n");
        skip();
    }
    assert_int_equal(t.files, files);
    assert_int_equal(t.faults, faults);
}

static void test_official(void **state)
{
    (void)state;
    struct tally t = {0};
    const char *folder = getenv("MEDULLA_DEFINITIONS");
    assert_non_null(folder);
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/hl7.fhir.r4.examples", folder);
    assert_true(check_folder(&t, path));
    assert_int_equal(t.files, 784);
    assert_int_equal(t.faults, 8);
    assert_int_equal(t.misfits, sizeof misfits / sizeof misfits[0]);
}

static void test_us_core(void **state)
{
    (void)state;
    check_shared("us-core-examples", 230, 1);
}

static void test_synthea(void **state)
{
    (void)state;
    check_shared("synthea-r4-48", 48, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_official),
        cmocka_unit_test(test_us_core),
        cmocka_unit_test(test_synthea),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
