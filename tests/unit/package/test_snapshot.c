/* The rules of snapshots, each on a profile of its own: what an element becomes, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "package/packages.h"
#include "package/snapshot.h"
#include "package/text.h"

#define SD "http://hl7.org/fhir/StructureDefinition/"

static const struct {
    const char *what, *type, *differential; /* elements, with ' for " */
    const char *id;                         /* of an element of the snapshot that must hold: */
    const char *holds;   /* a piece of it, with ' for "; NULL: it must not be there */
    const char *refused; /* or: a piece of the reason */
} rules[] = {
    {"a value replaces", "Patient", "{'path':'Patient.gender','min':1,'short':'x'}",
     "Patient.gender", "'short':'x'", NULL},
    {"what is not said stays", "Patient", "{'path':'Patient.gender','min':1}", "Patient.gender",
     "'max':'1','base':{'path':'Patient.gender','min':0,'max':'1'}", NULL},
    {"constraints gather", "Patient",
     "{'path':'Patient.contact','constraint':[{'key':'x-1','severity':'error','human':'x'}]}",
     "Patient.contact", "{'key':'x-1','severity':'error','human':'x'}]", NULL},
    {"children of a type are unfolded", "Patient", "{'path':'Patient.name.family','min':1}",
     "Patient.name.family", "'min':1,'max':'1','base':{'path':'HumanName.family'", NULL},
    {"only where the differential goes", "Patient", "{'path':'Patient.name.family','min':1}",
     "Patient.address.city", NULL, NULL},
    {"a slice has what it is sliced of", "Observation",
     "{'path':'Observation.component','slicing':{'rules':'open'}},"
     "{'path':'Observation.component','sliceName':'a'},"
     "{'path':'Observation.component.code','mustSupport':true}",
     "Observation.component:a.code", "'min':1,'max':'1'", NULL},
    {"its minimum is its own", "Observation",
     "{'path':'Observation.category','min':1,'slicing':{'rules':'open'}},"
     "{'path':'Observation.category','sliceName':'a'}",
     "Observation.category:a", "'min':0,'max':'*'", NULL},
    {"a slice of a slice", "Observation",
     "{'path':'Observation.category','slicing':{'rules':'open'}},"
     "{'path':'Observation.category','sliceName':'a','max':'3'},"
     "{'path':'Observation.category','sliceName':'b'},"
     "{'path':'Observation.category','sliceName':'a/b'}",
     "Observation.category:a/b", "'max':'3'", NULL},
    {"a short name of a choice", "Observation",
     "{'path':'Observation.valueQuantity'},{'path':'Observation.valueQuantity.unit','min':1}",
     "Observation.value[x]:valueQuantity.unit", "'min':1,'max':'1','base':{'path':'Quantity.unit'",
     NULL},
    {"leaves it no other type", "Observation", "{'path':'Observation.valueQuantity'}",
     "Observation.value[x]", "'type':[{'code':'Quantity'}]", NULL},
    {"a slice of a choice does not", "Observation",
     "{'path':'Observation.value[x]','sliceName':'valueQuantity'}", "Observation.value[x]",
     "{'code':'CodeableConcept'}", NULL},
    {"what a content reference stands for", "Observation",
     "{'path':'Observation.component.referenceRange.low','min':1}",
     "Observation.component.referenceRange.low", "'min':1", NULL},
    {"extensions are sliced by url", "Patient",
     "{'path':'Patient.extension','sliceName':'p','min':1,'type':[{'code':'Extension','profile':["
     "'" SD "patient-birthPlace']}]}",
     "Patient.extension", "{'type':'value','path':'url'}", NULL},
    {"and as many must be there", "Patient",
     "{'path':'Patient.extension','sliceName':'p','min':1,'type':[{'code':'Extension','profile':["
     "'" SD "patient-birthPlace']}]}",
     "Patient.extension", "'min':1", NULL},
    {"the profile of a type is what is unfolded", "Patient",
     "{'path':'Patient.extension','sliceName':'p','type':[{'code':'Extension','profile':["
     "'" SD "patient-birthPlace']}]},{'path':'Patient.extension.value[x]','min':1}",
     "Patient.extension:p.value[x]", "'type':[{'code':'Address'}]", NULL},
    {"a fixed value of another type replaces", "Observation",
     "{'path':'Observation.status','fixedCode':'final'},"
     "{'path':'Observation.status','fixedString':'final'}",
     "Observation.status", "'fixedString':'final'", NULL},
    {"no wider", "Patient", "{'path':'Patient.gender','max':'*'}", NULL, NULL, "max is wider"},
    {"no less", "Observation", "{'path':'Observation.code','min':0}", NULL, NULL, "min is 0"},
    {"no contradiction", "Patient", "{'path':'Patient.name','min':3,'max':'2'}", NULL, NULL,
     "min is 3 and max 2"},
    {"no other type", "Patient", "{'path':'Patient.active','type':[{'code':'string'}]}", NULL, NULL,
     "the type string is not one"},
    {"a type that is derived is one", "Extension",
     "{'path':'Extension.value[x]','type':[{'code':'Age'}]}", "Extension.value[x]",
     "'type':[{'code':'Age'}]", NULL},
    {"nothing that is not there", "Patient", "{'path':'Patient.contact.nmae'}", NULL, NULL,
     "nearest: name"},
    {"nothing below a primitive's value", "Patient", "{'path':'Patient.id.x'}", NULL, NULL,
     "it has no element x"},
    {"nothing of another type", "Patient", "{'path':'Group.name'}", NULL, NULL,
     "begins with the type: Patient"},
};

static void with_quotes(med_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        med_buf_addc(out, *text == '\'' ? '"' : *text);
}

static uint32_t element_of(med_arena *a, const med_json *j, const char *id)
{
    uint32_t end, snapshot = med_package_member(j, 0, "snapshot", MED_JSON_OBJECT);
    for (uint32_t e = med_package_first(j, snapshot, "element", &end); e < end;
         e = j->nodes[e].next) {
        if (med_str_eqz(med_package_text(a, j, e, "id"), id))
            return e;
    }
    return 0;
}

static bool make(med_arena *a, size_t i, med_json *out, med_err *err)
{
    med_buf text;
    med_json j;
    med_str made, source_text;
    med_definition_source source = med_packages_source(NULL);
    med_buf_init(&text, 1 << 20);
    med_buf_printf(&text,
                   "{\"type\":\"%s\",\"derivation\":\"constraint\",\"baseDefinition\":\"" SD
                   "%s\",\"differential\":{\"element\":[",
                   rules[i].type, rules[i].type);
    with_quotes(&text, rules[i].differential);
    med_buf_addz(&text, "]}}");
    assert_true(med_arena_copy(a, med_buf_str(&text), &source_text));
    med_buf_free(&text);
    assert_true(med_json_parse(a, source_text, &j, NULL, err));
    return med_snapshot_make(a, &j, 0, &source, &made, err)
           && med_json_parse(a, made, out, NULL, err);
}

static void check(size_t i)
{
    med_arena *a = med_arena_new((size_t)256 << 20);
    med_buf wanted;
    med_json made;
    med_err err = {0};
    bool ok = make(a, i, &made, &err);
    med_buf_init(&wanted, 4096);
    if (rules[i].refused != NULL) {
        if (ok || strstr(err.text, rules[i].refused) == NULL)
            fail_msg("%s: %s", rules[i].what, ok ? "not refused" : err.text);
    } else {
        if (!ok)
            fail_msg("%s: %s: %s", rules[i].what, err.expr, err.text);
        uint32_t e = element_of(a, &made, rules[i].id);
        with_quotes(&wanted, rules[i].holds == NULL ? "" : rules[i].holds);
        med_str span = e == 0 ? MED_STR_EMPTY : med_json_span(&made, e);
        if ((e == 0) != (rules[i].holds == NULL)
            || (e != 0 && med_str_search(span, med_buf_str(&wanted), 0) == span.len))
            fail_msg("%s: %.*s", rules[i].what, MED_STR_ARG(span));
    }
    med_buf_free(&wanted);
    med_arena_free(a);
}

static void each_rule_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        check(i);
}

/* Whatever memory there is: a snapshot, or a reason. */
static void memory_ends_anywhere(void **state)
{
    (void)state;
    for (size_t limit = 64 << 10; limit < (size_t)8 << 20; limit += 200 << 10) {
        med_arena *a = med_arena_new((size_t)256 << 20);
        med_definition_source source = med_packages_source(NULL);
        med_json j;
        med_err err = {0};
        med_str made;
        assert_true(med_json_parse(
            a,
            MED_STR(
                "{\"type\":\"Patient\",\"baseDefinition\":\"" SD
                "Patient\",\"differential\":{\"element\":[{\"path\":\"Patient.name.family\"}]}}"),
            &j, NULL, &err));
        med_arena_set_limit(a, limit);
        if (!med_snapshot_make(a, &j, 0, &source, &made, &err))
            assert_true(err.text[0] != '\0');
        med_arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_rule_holds),
                                       cmocka_unit_test(memory_ends_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
