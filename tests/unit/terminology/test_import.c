/* Importing code systems: what each format gives, and what is refused, with the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "terminology/folder.h"
#include "terminology/import.h"

static char folder[] = "/tmp/medulla-import-XXXXXX";

static const char *put(const char *name, const char *text)
{
    static char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
    return path;
}

static bool run(enum med_import_format format, const char *path, const char *system, med_buf *out,
                med_err *err)
{
    med_arena *a = med_arena_new((size_t)1 << 26);
    med_import o = {.format = format,
                    .path = path,
                    .system = med_str_from(system),
                    .version = MED_STR("1"),
                    .language = MED_STR_EMPTY};
    med_buf_init(out, (size_t)1 << 26);
    *err = (med_err){0};
    bool ok = med_term_import(a, &o, out, err);
    med_arena_free(a);
    return ok;
}

static const med_image *good(enum med_import_format format, const char *path, const char *system,
                             med_buf *out)
{
    med_err err;
    const med_image *m;
    if (!run(format, path, system, out, &err))
        fail_msg("%s", err.text);
    assert_true(med_image_open(med_buf_str(out), &m, &err));
    return m;
}

static void bad(enum med_import_format format, const char *path, const char *says)
{
    med_err err;
    med_buf out;
    assert_false(run(format, path, "urn:x", &out, &err));
    if (strstr(err.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
    med_buf_free(&out);
}

static bool is_a(const med_image *m, const char *below, const char *above)
{
    return med_concept_is_a(m, med_image_find(m, med_str_from(below)),
                            med_image_find(m, med_str_from(above)));
}

static void test_csv(void **state)
{
    (void)state;
    med_buf out;
    const med_image *m = good(MED_IMPORT_CSV,
                              put("a.csv", "code,display,parent,display@de,colour\r\n"
                                           "a,\"Apple, \"\"red\"\"\",f,Apfel,red\r\n"
                                           "f,Fruit,,,\r\n"),
                              "urn:fruit", &out);
    med_concept a = med_image_find(m, MED_STR("a"));
    med_designation d;
    med_concept_property p;
    assert_int_equal(med_image_count(m), 2);
    assert_true(med_str_eqz(med_concept_display(m, a), "Apple, \"red\""));
    assert_true(is_a(m, "a", "f"));
    assert_true(med_concept_designation(m, a, 0, &d) && med_str_eqz(d.value, "Apfel"));
    assert_true(med_concept_property_at(m, a, 0, &p) && med_str_eqz(p.value, "red"));
    med_buf_free(&out);
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\na,A\nb\n"), "b.csv, line 3");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\na,\"A\n"), "cut short");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\na,A\na,B\n"), "line 3");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display,parent\na,A,z\n"), "line 2: the parent");
    bad(MED_IMPORT_CSV, put("b.csv", "kod,display\n"), "line 1");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\n"), "no codes");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\na,A\nb,\xE4pfel\n"),
        "line 3: the row is not UTF-8");
}

static void test_code_shapes(void **state)
{
    (void)state;
    med_buf out;
    const med_image *m =
        good(MED_IMPORT_ICD10, put("i.csv", "code,title\nE11,Type 2\nE11.9,Without\nE11.91,More\n"),
             "", &out);
    assert_true(med_str_eqz(med_image_url(m), "http://hl7.org/fhir/sid/icd-10"));
    assert_true(is_a(m, "E11.91", "E11") && is_a(m, "E11.91", "E11.9"));
    assert_false(is_a(m, "E11", "E11.9"));
    med_buf_free(&out);
    m = good(MED_IMPORT_ATC,
             put("t.csv", "ATC code,ATC level name\nA,ALIMENTARY\nA10,DIABETES\nA10BA02,metformin\n"
                          "A10BA02,metformin\n"),
             "", &out);
    assert_true(is_a(m, "A10BA02", "A10") && is_a(m, "A10", "A"));
    med_buf_free(&out);
    m = good(MED_IMPORT_LOINC,
             put("Loinc.csv", "\"LOINC_NUM\",\"COMPONENT\",\"LONG_COMMON_NAME\",\"STATUS\"\n"
                              "\"1-8\",\"Acyclovir\",\"Acyclovir [Susceptibility]\",\"ACTIVE\"\n"),
             "", &out);
    assert_true(med_str_eqz(med_image_url(m), "http://loinc.org"));
    assert_int_not_equal(med_image_find(m, MED_STR("1-8")), MED_CONCEPT_NONE);
    med_buf_free(&out);
}

static void test_claml(void **state)
{
    (void)state;
    med_buf out;
    static const char text[] =
        "<?xml version=\"1.0\"?><!DOCTYPE ClaML SYSTEM \"ClaML.dtd\"><ClaML version=\"2.0.0\">"
        "<Class code=\"IV\" kind=\"chapter\"><SubClass code=\"E11\"/><Rubric kind=\"preferred\">"
        "<Label xml:lang=\"en\">Endocrine</Label></Rubric></Class>"
        "<Class code=\"E11\" kind=\"category\"><SuperClass code=\"IV\"/><Rubric kind=\"preferred\">"
        "<Label>Type 2\n  diabetes</Label></Rubric><Rubric kind=\"inclusion\"><Label>NIDDM</Label>"
        "</Rubric></Class></ClaML>";
    const med_image *m = good(MED_IMPORT_CLAML, put("c.xml", text), "", &out);
    med_concept c = med_image_find(m, MED_STR("E11"));
    assert_true(med_str_eqz(med_concept_display(m, c), "Type 2 diabetes"));
    assert_true(is_a(m, "E11", "IV"));
    assert_int_equal(med_concept_flags(m, med_image_find(m, MED_STR("IV"))), MED_CONCEPT_ABSTRACT);
    med_buf_free(&out);
    bad(MED_IMPORT_CLAML, put("d.xml", "<ClaML>\n<Class code=\"a\" kind=\"x\">\n"),
        "d.xml, line 2: the XML");
    bad(MED_IMPORT_CLAML, put("d.xml", "<other/>"), "no ClaML");
}

static void test_json(void **state)
{
    (void)state;
    bad(MED_IMPORT_JSON,
        put("j.json", "{\"resourceType\":\"CodeSystem\",\n\"url\":\"urn:j\",\"con"),
        "j.json: line 2");
    bad(MED_IMPORT_JSON, put("j.json", "{\"resourceType\":\"ValueSet\"}"), "no CodeSystem");
    bad(MED_IMPORT_JSON,
        put("j.json",
            "{\"resourceType\":\"CodeSystem\",\"url\":\"urn:j\",\"concpet\":[{\"code\":\"a\"}]}"),
        "j.json: it holds no codes (concept); nothing was changed");
    bad(MED_IMPORT_JSON,
        put("j.json", "{\"resourceType\":\"CodeSystem\",\"concept\":[{\"code\":\"a\"}]}"),
        "no url");
}

#define CONCEPT_HEAD "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n"
#define DESCRIPTION_HEAD                                                                           \
    "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\t"                 \
    "caseSignificanceId\r\n"
#define RELATIONSHIP_HEAD                                                                          \
    "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\t"    \
    "characteristicTypeId\tmodifierId\r\n"

static void test_snomed(void **state)
{
    (void)state;
    med_buf out;
    (void)put("sct2_Concept_Snapshot_X.txt", CONCEPT_HEAD "101\t20240101\t1\t9\t9\r\n"
                                                          "102\t20250101\t1\t9\t9\r\n"
                                                          "103\t20240101\t0\t9\t9\r\n");
    (void)put("sct2_Description_Snapshot-en_X.txt",
              DESCRIPTION_HEAD "1\t20240101\t1\t9\t102\ten\t900000000000003001\tPear (fruit)\t9\r\n"
                               "2\t20240101\t1\t9\t102\ten\t900000000000013009\tPearish\t9\r\n"
                               "3\t20240101\t1\t9\t102\ten\t900000000000013009\tPear\t9\r\n"
                               "4\t20240101\t1\t9\t102\tde\t900000000000013009\tBirne\t9\r\n");
    (void)put("sct2_Relationship_Snapshot_X.txt",
              RELATIONSHIP_HEAD "7\t20240101\t1\t9\t102\t101\t0\t116680003\t9\t9\r\n");
    (void)put("der2_cRefset_LanguageSnapshot-en_X.txt",
              "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\t"
              "acceptabilityId\r\nu\t20240101\t1\t9\t8\t3\t900000000000548007\r\n");
    (void)put("der2_Refset_SimpleSnapshot_X.txt",
              "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\r\n"
              "u\t20240101\t1\t9\t555\t102\r\n");
    const med_image *m = good(MED_IMPORT_SNOMED, folder, "", &out);
    med_concept pear = med_image_find(m, MED_STR("102"));
    med_concept_property p;
    assert_int_equal(med_image_count(m), 3);
    assert_true(med_str_eqz(med_concept_display(m, pear), "Pear"));
    assert_true(is_a(m, "102", "101"));
    assert_true(med_concept_property_at(m, pear, 2, &p) && med_str_eqz(p.value, "555"));
    assert_int_equal(med_concept_flags(m, med_image_find(m, MED_STR("103"))), MED_CONCEPT_INACTIVE);
    med_buf_free(&out);
    (void)put("sct2_Relationship_Snapshot_X.txt",
              RELATIONSHIP_HEAD "7\t20240101\t1\t9\t102\t101\t0\t1166");
    bad(MED_IMPORT_SNOMED, folder, "sct2_Relationship_Snapshot_X.txt, line 2: the file ends");
    (void)put("sct2_Relationship_Snapshot_X.txt",
              RELATIONSHIP_HEAD "7\t20240101\t1\t9\t102\t999\t0\t116680003\t9\t9\r\n");
    bad(MED_IMPORT_SNOMED, folder, "line 2");
    (void)put("sct2_Relationship_Snapshot_X.txt",
              RELATIONSHIP_HEAD "7\t20240101\t1\t9\t102\t101\t0\t116680003\t9\t9\r\n"
                                "8\t20240101\t1\t9\t101\t102\t0\t116680003\t9\t9\r\n");
    bad(MED_IMPORT_SNOMED, folder,
        "sct2_Relationship_Snapshot_X.txt, line 3: the hierarchy goes in a circle: ");
    (void)put("sct2_Concept_Snapshot_X.txt", CONCEPT_HEAD "101\t20240101\t1\t9\t9\r\n"
                                                          "101\t20250101\t1\t9\t9\r\n");
    bad(MED_IMPORT_SNOMED, folder, "sct2_Concept_Snapshot_X.txt, line 3: the concept stood");
    (void)put("sct2_Concept_Snapshot_X.txt", CONCEPT_HEAD "abc\t20240101\t1\t9\t9\r\n");
    bad(MED_IMPORT_SNOMED, folder, "line 2: the id of a concept");
    (void)put("sct2_Concept_Snapshot_X.txt", CONCEPT_HEAD "101\t20240101\t1\t9\t\xE4\r\n");
    bad(MED_IMPORT_SNOMED, folder, "line 2: the row is not UTF-8");
    (void)put("sct2_Concept_Snapshot_X.txt", "101\t20240101\t1\t9\t9\r\n");
    bad(MED_IMPORT_SNOMED, folder, "line 1: this is no header of RF2");
}

/* Each file is refused with the place of what is wrong with it. */
static void test_circles(void **state)
{
    (void)state;
    bad(MED_IMPORT_CSV, put("b.csv", "code,display,parent\na,A,c\nb,B,a\nc,C,b\nd,D,a\n"),
        "b.csv, line 4: the hierarchy goes in a circle: ");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display,parent\nr,R,\na,A,r;b\nb,B,r;a\n"),
        "line 4: the hierarchy goes in a circle: ");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display,parent\na,A,a\n"),
        "line 2: the code is its own parent");
    bad(MED_IMPORT_JSON,
        put("j.json",
            "{\"resourceType\":\"CodeSystem\",\"url\":\"urn:j\",\"concept\":["
            "{\"code\":\"a\",\"property\":[{\"code\":\"parent\",\"valueCode\":\"b\"}]},"
            "{\"code\":\"b\",\"property\":[{\"code\":\"parent\",\"valueCode\":\"a\"}]}]}"),
        "j.json: the hierarchy goes in a circle: ");
    bad(MED_IMPORT_CLAML,
        put("c.xml", "<ClaML version=\"2.0.0\">\n<Class code=\"a\" kind=\"x\">\n<SuperClass "
                     "code=\"b\"/></Class>\n<Class code=\"b\" kind=\"x\">\n<SuperClass code=\"a\"/>"
                     "</Class></ClaML>"),
        "c.xml, line 5: the hierarchy goes in a circle: ");
}

static void test_hostile(void **state)
{
    (void)state;
    med_buf out;
    const med_image *m = good(MED_IMPORT_CSV,
                              put("a.csv", "\xEF\xBB\xBF"
                                           "code,display\r\n\xC3\xA9,\xC3\x89\r\n"),
                              "urn:bom", &out);
    assert_int_not_equal(med_image_find(m, MED_STR("\xC3\xA9")), MED_CONCEPT_NONE);
    med_buf_free(&out);
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\na,\na,\n"), "line 3: the code stood");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\na\001,A\n"), "line 2: the code has a control");
    bad(MED_IMPORT_CSV, put("b.csv", "code,display\n\"a\"b,A\n"), "line 2: something stands");
    bad(MED_IMPORT_CSV,
        put("b.csv", "\xFF\xFE"
                     "c"),
        "line 1: the row is not UTF-8");
    bad(MED_IMPORT_CLAML,
        put("d.xml", "<!DOCTYPE ClaML [<!ENTITY a \"aaaa\">]><ClaML version=\"2.0.0\"/>"),
        "declares entities");
    bad(MED_IMPORT_CLAML,
        put("d.xml",
            "<ClaML>\n<Class code=\"a\" kind=\"x\"/>\n<Class code=\"a\" kind=\"x\"/></ClaML>"),
        "d.xml, line 3: the class stood there before");
    bad(MED_IMPORT_CLAML,
        put("d.xml",
            "<ClaML>\n<Class code=\"a\" kind=\"x\"><SuperClass code=\"z\"/></Class></ClaML>"),
        "d.xml, line 2: the class above");
    bad(MED_IMPORT_CLAML, put("d.xml", "<ClaML>\n<Class code=\"\xE4\" kind=\"x\"/></ClaML>"),
        "d.xml, line 2: the XML");
    bad(MED_IMPORT_JSON, put("j.json", "{\"resourceType\":\"CodeSystem\",\n\"url\":\"\xE4\"}"),
        "j.json: line 2");
}

/* Swapped whole: what was asked before keeps its file, the next question has the new one. */
static void test_folder(void **state)
{
    (void)state;
    char place[4096];
    med_term_folder *f;
    med_err err = {0};
    med_buf out;
    const med_image *m;
    size_t n;
    (void)snprintf(place, sizeof place, "%s/terminology", folder);
    (void)good(MED_IMPORT_CSV, put("a.csv", "code,display\na,A\n"), "urn:f", &out);
    assert_true(med_term_folder_put(place, med_buf_str(&out), &err));
    med_buf_free(&out);
    assert_true(med_term_folder_open(place, &f, &err));
    med_arena *a = med_arena_new(1 << 20);
    assert_true(med_term_folder_find(f, a, MED_STR("urn:f"), MED_STR_EMPTY, &m, &err));
    assert_int_equal(med_image_count(m), 1);
    (void)good(MED_IMPORT_CSV, put("a.csv", "code,display\na,A\nb,B\n"), "urn:f", &out);
    assert_true(med_term_folder_put(place, med_buf_str(&out), &err));
    med_buf_free(&out);
    uint64_t before = med_term_folder_epoch(f);
    for (int i = 0; i < 40 && med_term_folder_epoch(f) == before; i++)
        (void)usleep(50000);
    const med_image *next;
    assert_true(med_term_folder_find(f, a, MED_STR("urn:f"), MED_STR_EMPTY, &next, &err));
    assert_int_equal(med_image_count(next), 2);
    assert_int_equal(med_image_count(m), 1);
    med_arena_free(a);
    med_term_folder_free(f);
    assert_true(med_term_folder_remove(place, MED_STR("urn:f"), MED_STR_EMPTY, &n, &err));
    assert_int_equal(n, 1);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int drop_folder(void **state)
{
    char command[4200];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),     cmocka_unit_test(test_code_shapes),
        cmocka_unit_test(test_claml),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_snomed),  cmocka_unit_test(test_folder),
        cmocka_unit_test(test_circles), cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
