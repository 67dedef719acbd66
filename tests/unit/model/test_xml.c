/* JSON -> XML -> JSON and XML -> JSON -> XML -> JSON keep every value; bad XML is refused with
 * its line. */
#include "model/xml.h"

#include <dirent.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MEMORY ((size_t)1 << 30)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool read_file(const char *path, med_buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    med_buf_clear(out);
    char part[65536];
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;)
        med_buf_add(out, (med_str){part, n});
    return fclose(file) == 0;
}

/* ---- comparing: a narrative is the same when it is the same as canonical XML ---- */

static med_str canonical(med_arena *a, med_str markup)
{
    xmlChar *text = NULL;
    med_str out = markup;
    xmlDocPtr doc = xmlReadMemory(markup.ptr, (int)markup.len, NULL, "UTF-8",
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc != NULL && xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &text) > 0)
        assert_true(med_arena_copy(a, med_str_from((const char *)text), &out));
    xmlFree(text);
    xmlFreeDoc(doc);
    return out;
}

static bool is_div(const med_json *j, uint32_t key)
{
    return med_json_string_is(j, key, MED_STR("div"))
           && med_json_kind_at(j, key + 1) == MED_JSON_STRING;
}

/* The document again, its narratives in canonical form. */
static void normalize(med_arena *a, const med_json *j, uint32_t i, med_json_writer *w)
{
    if (med_json_kind_at(j, i) == MED_JSON_OBJECT) {
        med_json_open(w, '{');
        for (uint32_t k = i + 1; k < j->nodes[i].next; k = j->nodes[k + 1].next) {
            med_str text;
            med_json_key(w, med_json_raw(j, k));
            if (is_div(j, k)) {
                assert_true(med_json_string(a, j, k + 1, &text));
                med_json_str(w, canonical(a, text));
            } else {
                normalize(a, j, k + 1, w);
            }
        }
        med_json_close(w, '}');
    } else if (med_json_kind_at(j, i) == MED_JSON_ARRAY) {
        med_json_open(w, '[');
        for (uint32_t e = i + 1; e < j->nodes[i].next; e = j->nodes[e].next)
            normalize(a, j, e, w);
        med_json_close(w, ']');
    } else {
        med_json_value(w, j, i);
    }
}

static bool normal(med_arena *a, med_str text, med_json *out)
{
    med_err err = {0};
    med_json j;
    med_buf buf;
    if (!med_json_parse(a, text, &j, NULL, &err)) {
        print_message("%s\n", err.text);
        return false;
    }
    med_buf_init(&buf, MEMORY);
    med_json_writer w = med_json_writer_to(&buf);
    normalize(a, &j, 0, &w);
    med_str kept;
    bool good =
        med_arena_copy(a, med_buf_str(&buf), &kept) && med_json_parse(a, kept, out, NULL, &err);
    med_buf_free(&buf);
    return good;
}

static bool same(med_arena *a, med_str x, med_str y)
{
    med_json p, q;
    return normal(a, x, &p) && normal(a, y, &q) && med_json_equal(&p, 0, &q, 0);
}

/* ---- the two directions ---- */

static bool to_xml(med_arena *a, med_str json, med_buf *out, med_err *err)
{
    med_json j;
    med_buf_clear(out);
    return med_json_parse(a, json, &j, NULL, err)
           && med_xml_write(med_pack_core(), &j, 0, out, err);
}

static bool to_json(med_arena *a, med_str xml, med_buf *out, med_err *err)
{
    med_buf_clear(out);
    return med_xml_read(med_pack_core(), a, xml, out, err);
}

struct tally {
    size_t files, skipped, faults;
};

static void fault(struct tally *t, const char *file, const char *what, const med_err *err)
{
    t->faults++;
    print_message("%s: %s %s %s\n", file, what, err->text, err->expr);
}

static void round_trip_json(struct tally *t, med_arena *a, const char *file, med_str json)
{
    med_err err = {0};
    med_buf xml, back;
    med_buf_init(&xml, MEMORY);
    med_buf_init(&back, MEMORY);
    if (!to_xml(a, json, &xml, &err))
        fault(t, file, "to XML:", &err);
    else if (!to_json(a, med_buf_str(&xml), &back, &err))
        fault(t, file, "and back:", &err);
    else if (!same(a, json, med_buf_str(&back)))
        fault(t, file, "came back as another", &err);
    t->files++;
    med_buf_free(&xml);
    med_buf_free(&back);
}

/* The JSON beside these was made by a tool that writes decimals its own way, or is another text. */
static const char *const other_twin[] = {"observation-decimal.xml", "observation-example.xml",
                                         "bundle-signed-good.xml"};

static bool has_other_twin(const char *file)
{
    for (size_t i = 0; i < COUNT(other_twin); i++) {
        if (strcmp(file, other_twin[i]) == 0)
            return true;
    }
    return false;
}

static void round_trip_xml(struct tally *t, med_arena *a, const char *file, med_str xml,
                           const char *twin)
{
    med_err err = {0};
    med_buf json, given;
    med_buf_init(&json, MEMORY);
    med_buf_init(&given, MEMORY);
    if (!to_json(a, xml, &json, &err)) {
        fault(t, file, "to JSON:", &err);
    } else {
        round_trip_json(t, a, file, med_buf_str(&json));
        if (!has_other_twin(file) && read_file(twin, &given)
            && !same(a, med_buf_str(&json), med_buf_str(&given)))
            fault(t, file, "is not the JSON beside it", &err);
    }
    med_buf_free(&json);
    med_buf_free(&given);
}

/* Files that are no resource, or that the definitions themselves call faulty; */
static const char *const no_resource[] = {
    "package.json",
    "profiles-types.json",
    ".index.json",
    "ImplementationGuide-fhir.json",
    "ig-r4.json",
    "manifest.json",
    "tests-fhir-r4.xml",
    /* made to be refused: no JSON, no XML, or no elements of R4; */
    "json-comments.json",
    "json-comments-1.json",
    "json-no-quotes-2.json",
    "xml-bad-entities.json",
    "xml-fail.xml",
    "japanese-utf8-ok.xml",
    "bundle-dual-subject.xml",
    "bundle-sig-2.json",
    "toplevel-maxvalueduration-profile.json",
    "toplevel-minvalueduration-profile.json",
    /* and nulls at the end of lists, which say nothing and come back as many as there are values.
     */
    "patient-name-extensions.json",
    "patient-hs-1.json",
};

static bool is_left_out(const char *name)
{
    for (size_t i = 0; i < COUNT(no_resource); i++) {
        if (strcmp(name, no_resource[i]) == 0)
            return true;
    }
    return false;
}

static void run_folder(struct tally *t, const char *folder, size_t most_bytes)
{
    DIR *dir = opendir(folder);
    med_arena *a = med_arena_new(MEMORY);
    med_buf text;
    med_buf_init(&text, MEMORY);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        med_str name = med_str_from(e->d_name);
        char path[1024], twin[1024];
        bool xml = med_str_ends(name, MED_STR(".xml"));
        if (!xml && !med_str_ends(name, MED_STR(".json")))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        (void)snprintf(twin, sizeof twin, "%s/%.*s.json", folder, (int)name.len - 4, e->d_name);
        if (is_left_out(e->d_name) || !read_file(path, &text) || text.len > most_bytes)
            t->skipped++;
        else if (xml)
            round_trip_xml(t, a, e->d_name, med_buf_str(&text), twin);
        else
            round_trip_json(t, a, e->d_name, med_buf_str(&text));
        med_arena_reset(a);
    }
    if (dir != NULL)
        closedir(dir);
    med_buf_free(&text);
    med_arena_free(a);
}

static void official_examples_come_back(void **state)
{
    (void)state;
    struct tally t = {0};
    char folder[512];
    const char *root = getenv("MEDULLA_DEFINITIONS");
    assert_non_null(root);
    (void)snprintf(folder, sizeof folder, "%s/hl7.fhir.r4.examples", root);
    run_folder(&t, folder, 4 << 20);
    print_message("%zu files there and back, %zu left out\n", t.files, t.skipped);
    assert_true(t.files > 3000);
    assert_int_equal(t.faults, 0);
}

static void shared_files_come_back(void **state)
{
    (void)state;
    static const char *const folders[] = {
        "fhir-test-cases-r4-examples", "us-core-examples",  "eu-laboratory", "fhirpath-official",
        "validator-open/de-address",   "validator-open/no", "validator-open"};
    struct tally t = {0};
    const char *root = getenv("MEDULLA_SHARED");
    for (size_t i = 0; root != NULL && i < COUNT(folders); i++) {
        char folder[1024];
        (void)snprintf(folder, sizeof folder, "%s/data/%s", root, folders[i]);
        run_folder(&t, folder, 16 << 20);
    }
    if (t.files == 0) {
        print_message("skipped: shared data absent\n");
        skip();
    }
    print_message("%zu files there and back, %zu left out\n", t.files, t.skipped);
    assert_int_equal(t.faults, 0);
}

/* ---- by hand ---- */

#define ROOT(inside) "<Patient xmlns=\"http://hl7.org/fhir\">" inside "</Patient>"
#define DIV(inside) "<div xmlns=\"http://www.w3.org/1999/xhtml\">" inside "</div>"

static void what_json_says_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *json;
    } table[] = {
        {"<Patient xmlns=\"http://hl7.org/fhir\"/>", "{\"resourceType\":\"Patient\"}"},
        {"\xEF\xBB\xBF<?xml version=\"1.0\"?><!-- x --><Patient xmlns=\"http://hl7.org/fhir\" />",
         "{\"resourceType\":\"Patient\"}"},
        {ROOT("<id value=\"a\"/><active value=\"true\"/>"),
         "{\"resourceType\":\"Patient\",\"id\":\"a\",\"active\":true}"},
        {ROOT("<name id=\"n\"><given value=\"A\"/><given id=\"x\"/><given value=\"B\">"
              "<extension url=\"u\"><valueInteger value=\"1\"/></extension></given></name>"),
         "{\"resourceType\":\"Patient\",\"name\":[{\"id\":\"n\",\"given\":[\"A\",null,\"B\"],"
         "\"_given\":[null,{\"id\":\"x\"},{\"extension\":[{\"url\":\"u\",\"valueInteger\":1}]}]}]"
         "}"},
        {ROOT("<birthDate><extension url=\"u\"><valueCode value=\"x\"/></extension></birthDate>"),
         "{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":"
         "[{\"url\":\"u\",\"valueCode\":\"x\"}]}}"},
        {ROOT("<birthDate value=\"2000\"><!-- nothing --></birthDate><gender value=\"male\"/>"),
         "{\"resourceType\":\"Patient\",\"birthDate\":\"2000\",\"gender\":\"male\"}"},
        {ROOT("<contained><Basic><id value=\"b\"/></Basic></contained>"),
         "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"b\"}]"
         "}"},
        {ROOT("<name><text value=\"a&#10;b&#9;&quot;&lt;&#x10C;\"/></name>"),
         "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"a\\nb\\t\\\"<\xC4\x8C\"}]}"},
        {ROOT("<text><status value=\"empty\"/>" DIV("a<b>b</b>") "</text>"),
         "{\"resourceType\":\"Patient\",\"text\":{\"status\":\"empty\",\"div\":\""
         "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">a<b>b</b></div>\"}}"},
        {ROOT("<text>" DIV("a<![CDATA[<i>&]]><?pi x?><!-- c --><br/><p></p>&#233;&gt;<a "
                           "href=\"?a=1&amp;b=&quot;\"/>") "</text>"),
         "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div "
         "xmlns=\\\"http://www.w3.org/1999/xhtml\\\">"
         "a&lt;i&gt;&amp;<!-- c --><br/><p></p>\xC3\xA9&gt;<a "
         "href=\\\"?a=1&amp;b=&quot;\\\"/></div>\"}}"},
        {"<f:Patient xmlns:f=\"http://hl7.org/fhir\"><f:text><h:div lang=\"de\" "
         "xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:b>x</h:b></h:div></f:text><f:active "
         "value=\"true\"/></f:Patient>",
         "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div "
         "xmlns=\\\"http://www.w3.org/1999/xhtml\\\" "
         "lang=\\\"de\\\"><b>x</b></div>\"},\"active\":true}"},
        {"<Observation xmlns=\"http://hl7.org/fhir\"><valueQuantity><value value=\"1.00\"/>"
         "</valueQuantity></Observation>",
         "{\"resourceType\":\"Observation\",\"valueQuantity\":{\"value\":1.00}}"},
        /* what is wrong is left for the structure check to name */
        {ROOT("<active value=\"yes\"/>"), "{\"resourceType\":\"Patient\",\"active\":\"yes\"}"},
        {ROOT("<foo value=\"1\"/>"), "{\"resourceType\":\"Patient\",\"foo\":{\"value\":\"1\"}}"},
        {ROOT("<multipleBirthInteger value=\"01\"/>"),
         "{\"resourceType\":\"Patient\",\"multipleBirthInteger\":\"01\"}"},
    };
    med_arena *a = med_arena_new(MEMORY);
    med_buf out;
    med_buf_init(&out, MEMORY);
    for (size_t i = 0; i < COUNT(table); i++) {
        med_err err = {0};
        if (!to_json(a, med_str_from(table[i].xml), &out, &err))
            fail_msg("%s: %s", table[i].xml, err.text);
        if (!med_str_eqz(med_buf_str(&out), table[i].json))
            fail_msg("%s: %.*s", table[i].xml, (int)out.len, out.ptr);
    }
    med_buf_free(&out);
    med_arena_free(a);
}

static void bad_xml_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *says;
    } table[] = {
        {"", "empty"},
        {"{\"resourceType\":\"Patient\"}", "line 1"},
        {ROOT("<id value=\"a\">"), "line 1: not well-formed"},
        {"<Patient xmlns=\"http://hl7.org/fhir\">\n<id value=\"a\"/>\n", "not well-formed"},
        {"<Patient xmlns=\"http://hl7.org/fhir\">\n\n<id value=\"a/></Patient>", "not well-formed"},
        {"<Patient/>", "namespace http://hl7.org/fhir"},
        {ROOT("<id xmlns=\"urn:x\" value=\"a\"/>"), "namespace http://hl7.org/fhir"},
        {ROOT("\n<id value=\"a\"/>\n<id value=\"b\"/>"), "line 3: an element that may stand once"},
        {ROOT("<name><given value=\"A\"/><family value=\"B\"/><given value=\"C\"/></name>"),
         "two places"},
        {ROOT("<id/>"), "without a value"},
        {ROOT("<id></id>"), "without a value"},
        {ROOT("<id value=\"a\" class=\"b\"/>"), "an attribute that this element does not have"},
        {ROOT("<name use=\"b\"/>"), "an attribute that this element does not have"},
        {ROOT("<name>text</name>"), "text between elements"},
        {ROOT("<name><![CDATA[text]]></name>"), "text between elements"},
        {ROOT("<contained/>"), "a resource was expected"},
        {ROOT("<contained><Basic/><Basic/></contained>"), "a second resource"},
        {ROOT("<text><div>x</div></text>"), "namespace http://www.w3.org/1999/xhtml"},
        {ROOT("<text>" DIV("<b xmlns=\"urn:x\"/>") "</text>"),
         "namespace http://www.w3.org/1999/xhtml"},
        {ROOT("<text>" DIV("<b>") "</text>"), "not well-formed"},
        {ROOT("<text>" DIV("&nbsp;") "</text>"), "not well-formed"},
        {"<!DOCTYPE Patient [<!ENTITY x \"y\">]>" ROOT("<id value=\"&x;\"/>"), "DOCTYPE"},
        {"<?xml version=\"1.0\"?> <!-- <?x?> --> <?a b?>\n<!DOCTYPE Patient SYSTEM "
         "\"file:///etc/p\">" ROOT(""),
         "DOCTYPE"},
        {ROOT("<id value=\"&x;\"/>"), "not well-formed"},
        {ROOT("<id value=\"\x01\"/>"), "not well-formed"},
        {ROOT("<id value=\"\xFF\"/>"), "not well-formed"},
        {"<?xml version=\"1.0\" encoding=\"UTF-16\"?>" ROOT("<id value=\"a\"/><x"),
         "not well-formed"},
        {"<a><b>", "namespace"},
        {ROOT("") ROOT(""), "not well-formed"},
    };
    med_arena *a = med_arena_new(MEMORY);
    med_buf out;
    med_buf_init(&out, MEMORY);
    for (size_t i = 0; i < COUNT(table); i++) {
        med_err err = {0};
        if (to_json(a, med_str_from(table[i].xml), &out, &err))
            fail_msg("taken: %s as %.*s", table[i].xml, (int)out.len, out.ptr);
        if (strstr(err.text, table[i].says) == NULL)
            fail_msg("%s: says '%s'", table[i].xml, err.text);
        assert_int_equal(med_err_http_status(&err), 400);
    }
    med_buf_free(&out);
    med_arena_free(a);
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    med_err err = {0};
    med_arena *a = med_arena_new(MEMORY);
    med_buf xml, out;
    med_buf_init(&xml, MEMORY);
    med_buf_init(&out, MEMORY);
    med_buf_addz(&xml, "<Patient xmlns=\"http://hl7.org/fhir\">");
    for (int i = 0; i < 100000; i++)
        med_buf_addz(&xml, "<extension url=\"u\">");
    assert_false(to_json(a, med_buf_str(&xml), &out, &err));
    assert_non_null(strstr(err.text, "too deep"));
    assert_int_equal(med_err_http_status(&err), 400);
    med_buf_clear(&xml);
    med_buf_addz(&xml, "<Patient xmlns=\"http://hl7.org/fhir\"><text>"
                       "<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    for (int i = 0; i < 300000; i++)
        med_buf_addz(&xml, "<b>");
    for (int i = 0; i < 300000; i++)
        med_buf_addz(&xml, "</b>");
    med_buf_addz(&xml, "</div></text></Patient>");
    err = (med_err){0};
    assert_false(to_json(a, med_buf_str(&xml), &out, &err));
    assert_non_null(strstr(err.text, "too deep"));
    med_buf_free(&out);

    med_buf_init(&out, 1000);
    med_buf_clear(&xml);
    med_buf_addz(&xml, "<Patient xmlns=\"http://hl7.org/fhir\">");
    for (int i = 0; i < 1000; i++)
        med_buf_addz(&xml, "<name><text value=\"abc\"/></name>");
    med_buf_addz(&xml, "</Patient>");
    assert_false(to_json(a, med_buf_str(&xml), &out, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    med_buf_free(&out);
    med_buf_free(&xml);
    med_arena_free(a);
}

static void what_xml_can_not_say_is_an_error(void **state)
{
    (void)state;
    static const char *const table[] = {
        "{\"resourceType\":\"Patient\",\"foo\":1}",
        "{\"resourceType\":\"Nothing\"}",
        "{\"id\":\"a\"}",
        "{\"resourceType\":\"Patient\",\"active\":[true]}",
        "{\"resourceType\":\"Patient\",\"active\":{\"a\":1}}",
        "{\"resourceType\":\"Patient\",\"name\":[1]}",
        "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"\\u0001\"}]}",
        "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"\\uFFFF\"}]}",
        "{\"resourceType\":\"Patient\",\"_name\":[{\"text\":\"a\"}]}",
        "{\"resourceType\":\"Patient\",\"contained\":[{\"id\":\"x\"}]}",
    };
    med_arena *a = med_arena_new(MEMORY);
    med_buf out;
    med_buf_init(&out, MEMORY);
    for (size_t i = 0; i < COUNT(table); i++) {
        med_err err = {0};
        if (to_xml(a, med_str_from(table[i]), &out, &err))
            fail_msg("%s: %.*s", table[i], (int)out.len, out.ptr);
        assert_int_equal(err.issue, MED_ISSUE_STRUCTURE);
    }
    med_buf_free(&out);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_json_says_otherwise),
        cmocka_unit_test(bad_xml_is_refused_with_its_line),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(what_xml_can_not_say_is_an_error),
        cmocka_unit_test(official_examples_come_back),
        cmocka_unit_test(shared_files_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
