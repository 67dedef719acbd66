/* structure_value_set.c - https://hl7.org/fhir/R4/valueset.html
 *
 * What a ValueSet has to keep beside its invariants: addresses that can be found, filters that can
 * be answered. Errors for who asks for all, warnings on writes (structure_conformance.c). */
#include "base/datetime.h"
#include "base/decimal.h"
#include "terminology/ecl.h"
#include "validate/structure_check.h"

struct filter {
    med_str system, version, property, op, value;
};

static bool takes_a_code(med_str op)
{
    static const char *const ops[] = {"is-a", "is-not-a", "descendent-of", "generalizes"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (med_str_eqz(op, ops[i]))
            return true;
    }
    return false;
}

/* Does a system that is known whole lack that code? */
static bool is_no_code(med_check *c, med_str system, med_str version, med_str code)
{
    med_coded q = {MED_STR_EMPTY, system, version, code, MED_STR_EMPTY};
    med_coded_answer answer;
    if (c->options->codes == NULL || c->failed)
        return false;
    if (!c->options->codes->ask(c->options->codes->self, c->a, &q, &answer, c->err)) {
        c->failed = true;
        return false;
    }
    return answer.verdict == MED_CODED_NO_SUCH_CODE;
}

/* ---- the properties that a system defines ---- */

static uint32_t property_of(const med_json *j, uint32_t system, med_str code)
{
    uint32_t list = med_check_list(j, system, "property");
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT
            && med_str_eq(med_check_raw(j, e, "code"), code))
            return e;
    }
    return 0;
}

/* "system#code", also "system|version#code". */
static bool is_coding(med_check *c, med_str text, const char **wanted)
{
    med_str code, version, system = med_str_cut(text, '#', &code);
    system = med_str_cut(system, '|', &version);
    *wanted = code.len == 0 || !med_check_is_absolute(system) ? "system#code"
                                                              : "a code that its system has";
    return code.len > 0 && med_check_is_absolute(system) && !is_no_code(c, system, version, code);
}

/* The value that `=` compares a property with: of the property's type. */
static bool fits_type(med_check *c, const struct filter *f, med_str type, const char **wanted)
{
    med_datetime time;
    med_decimal number;
    *wanted = "";
    if (med_str_eqz(type, "Coding"))
        return is_coding(c, f->value, wanted);
    if (med_str_eqz(type, "code")) {
        *wanted = "a code of the system";
        return !is_no_code(c, f->system, f->version, f->value);
    }
    if (med_str_eqz(type, "dateTime")) {
        *wanted = "a date, or a date with time";
        return med_datetime_parse(f->value, MED_KIND_DATETIME, 0, &time);
    }
    if (med_str_eqz(type, "boolean")) {
        *wanted = "true or false";
        return med_str_eqz(f->value, "true") || med_str_eqz(f->value, "false");
    }
    return !med_str_eqz(type, "decimal") || med_decimal_parse(f->value, &number);
}

static void check_property(med_check *c, uint32_t node, const struct filter *f)
{
    const med_json *j;
    uint32_t root;
    const char *wanted;
    if (c->options->find == NULL || !med_str_eqz(f->op, "=")
        || !c->options->find(c->options->arg, "CodeSystem", f->system, &j, &root))
        return;
    uint32_t property = property_of(j, root, f->property);
    if (property != 0 && !fits_type(c, f, med_check_raw(j, property, "type"), &wanted))
        med_check_voice(c)(c, node, NULL, MED_ISSUE_VALUE,
                           "not a value that the property of this filter has; expected %s",
                           wanted[0] != '\0' ? wanted : "a number");
}

/* ---- filters ---- */

static bool is_flag(med_str property)
{
    return med_str_eqz(property, "notSelectable") || med_str_eqz(property, "inactive");
}

/* https://hl7.org/fhir/R4/snomedct.html */
static bool is_snomed_constraint(const struct filter *f)
{
    return med_str_eqz(f->system, "http://snomed.info/sct")
           && med_str_eqz(f->property, "constraint") && med_str_eqz(f->op, "=");
}

static void check_constraint(med_check *c, uint32_t node, const struct filter *f)
{
    med_str broken;
    if (!med_ecl_check(c->a, f->value, &broken, c->err))
        c->failed = true;
    else if (broken.len > 0)
        med_check_voice(c)(c, node, NULL, MED_ISSUE_VALUE, "%.*s", MED_STR_ARG(broken));
}

static void check_filter(med_check *c, uint32_t node, med_str system, med_str version)
{
    uint32_t value = med_json_member(c->j, node, MED_STR("value"));
    struct filter f = {system, version, med_check_raw(c->j, node, "property"),
                       med_check_raw(c->j, node, "op"), MED_STR_EMPTY};
    if (value == 0 || med_json_kind_at(c->j, value) != MED_JSON_STRING)
        return;
    if (!med_json_string(c->a, c->j, value, &f.value)) {
        c->out_of_memory = true;
        return;
    }
    bool exists = med_str_eqz(f.op, "exists");
    if ((exists || (is_flag(f.property) && med_str_eqz(f.op, "="))) && !med_str_eqz(f.value, "true")
        && !med_str_eqz(f.value, "false"))
        med_check_voice(c)(c, node, NULL, MED_ISSUE_VALUE,
                           "the value of this filter is true or false");
    else if (is_snomed_constraint(&f))
        check_constraint(c, node, &f);
    else if (takes_a_code(f.op) && is_no_code(c, system, version, f.value))
        med_check_voice(c)(c, node, NULL, MED_ISSUE_CODE_INVALID,
                           "the value of this filter is no code of %.*s", MED_STR_ARG(system));
    else
        check_property(c, node, &f);
}

static void check_part(med_check *c, uint32_t part)
{
    const med_json *j = c->j;
    med_str system = med_check_raw(j, part, "system"), version = med_check_raw(j, part, "version");
    uint32_t filters = med_check_list(j, part, "filter");
    if (system.len > 0 && !med_check_is_absolute(system))
        med_check_voice(c)(c, part, NULL, MED_ISSUE_VALUE,
                           "the system is named by its url, which is absolute; also one that is "
                           "contained");
    for (uint32_t e = filters + 1; filters != 0 && e < j->nodes[filters].next;
         e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT)
            check_filter(c, e, system, version);
    }
}

void med_check_value_set(med_check *c, uint32_t root)
{
    static const char *const lists[] = {"include", "exclude"};
    const med_json *j = c->j;
    uint32_t compose = med_json_member(j, root, MED_STR("compose"));
    med_check_url(c, root);
    if (compose == 0 || med_json_kind_at(j, compose) != MED_JSON_OBJECT)
        return;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        uint32_t list = med_check_list(j, compose, lists[i]);
        for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
            if (med_json_kind_at(j, e) == MED_JSON_OBJECT)
                check_part(c, e);
        }
    }
}
