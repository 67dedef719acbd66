/* structure_measure.c - https://hl7.org/fhir/R4/measurereport.html
 *
 * A MeasureReport against its Measure: groups, populations and stratifiers that it has, each once,
 * and subjects only where the report lists them. A group, population or stratifier of the report
 * belongs to the one of the Measure with the same code; where each side has one and no code, these
 * belong together. */
#include "validate/structure_check.h"

/* A list of the report and the list of the Measure that it answers. */
struct pair {
    const char *list;            /* "group" */
    uint32_t measured, reported; /* objects that hold the lists */
};

struct report {
    med_check *c;
    const med_json *m; /* the Measure's tape */
    bool lists_subjects;
};

/* `code` of both; of stratifiers the report may have several. */
static uint32_t code_of(const med_json *j, uint32_t object)
{
    uint32_t code = med_json_member(j, object, MED_STR("code"));
    bool is_list = code != 0 && med_json_kind_at(j, code) == MED_JSON_ARRAY;
    if (is_list)
        code = j->nodes[code].count == 0 ? 0 : code + 1;
    return code != 0 && med_json_kind_at(j, code) == MED_JSON_OBJECT ? code : 0;
}

/* The same text, or a coding in common. */
static bool is_same_code(const med_json *x, uint32_t a, const med_json *y, uint32_t b)
{
    uint32_t of_a = med_check_list(x, a, "coding"), of_b = med_check_list(y, b, "coding");
    for (uint32_t e = of_a + 1; of_a != 0 && e < x->nodes[of_a].next; e = x->nodes[e].next) {
        for (uint32_t f = of_b + 1; of_b != 0 && f < y->nodes[of_b].next; f = y->nodes[f].next) {
            if (med_json_kind_at(x, e) == MED_JSON_OBJECT
                && med_json_kind_at(y, f) == MED_JSON_OBJECT
                && med_str_eq(med_check_raw(x, e, "code"), med_check_raw(y, f, "code"))
                && med_str_eq(med_check_raw(x, e, "system"), med_check_raw(y, f, "system")))
                return true;
        }
    }
    med_str text = med_check_raw(x, a, "text");
    return text.len > 0 && med_str_eq(text, med_check_raw(y, b, "text"));
}

/* What of the Measure's list it answers; 0 when nothing. */
static uint32_t find(const struct report *r, uint32_t list, uint32_t reported, uint32_t n_reported)
{
    const med_json *m = r->m;
    uint32_t code = code_of(r->c->j, reported);
    uint32_t only = m->nodes[list].count == 1 && n_reported == 1 ? list + 1 : 0;
    for (uint32_t e = list + 1; code != 0 && e < m->nodes[list].next; e = m->nodes[e].next) {
        uint32_t wanted = med_json_kind_at(m, e) == MED_JSON_OBJECT ? code_of(m, e) : 0;
        if (wanted != 0 && is_same_code(m, wanted, r->c->j, code))
            return e;
    }
    return only != 0 && (code == 0 || code_of(m, only) == 0) ? only : 0;
}

static void check_missing(const struct report *r, const struct pair *p, uint32_t wanted,
                          uint32_t given)
{
    const med_json *j = r->c->j;
    uint32_t n = given == 0 ? 0 : j->nodes[given].count;
    for (uint32_t e = given + 1; given != 0 && e < j->nodes[given].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT
            && find(r, med_json_member(r->m, p->measured, med_str_from(p->list)), e, n) == wanted)
            return;
    }
    med_check_problem(r->c, p->reported, NULL, MED_ISSUE_REQUIRED,
                      "the Measure has a %s here that the report does not have", p->list);
}

static void check_subjects(const struct report *r, uint32_t population)
{
    if (!r->lists_subjects && med_json_member(r->c->j, population, MED_STR("subjectResults")) != 0)
        med_check_problem(r->c, population, NULL, MED_ISSUE_VALUE,
                          "only a report of type subject-list lists subjects");
}

/* NOLINTBEGIN(misc-no-recursion): two levels, groups and what is in them */
static void check_pair(const struct report *r, const struct pair *p)
{
    static const char *const inside[] = {"population", "stratifier"};
    const med_json *j = r->c->j, *m = r->m;
    bool is_group = med_str_eqz(med_str_from(p->list), "group");
    uint32_t wanted = med_check_list(m, p->measured, p->list),
             given = med_check_list(j, p->reported, p->list);
    uint32_t n = given == 0 ? 0 : j->nodes[given].count;
    for (uint32_t e = given + 1; given != 0 && e < j->nodes[given].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT)
            continue;
        uint32_t found = wanted == 0 ? 0 : find(r, wanted, e, n);
        if (found == 0)
            med_check_problem(r->c, e, NULL, MED_ISSUE_VALUE,
                              "the Measure has no %s of this code: it tells which one is meant",
                              p->list);
        check_subjects(r, e);
        for (size_t i = 0; found != 0 && is_group && i < 2; i++)
            check_pair(r, &(struct pair){inside[i], found, e});
    }
    for (uint32_t e = wanted + 1; wanted != 0 && e < m->nodes[wanted].next; e = m->nodes[e].next) {
        if (med_json_kind_at(m, e) == MED_JSON_OBJECT)
            check_missing(r, p, e, given);
    }
}
/* NOLINTEND(misc-no-recursion) */

void med_check_measure_report(med_check *c, uint32_t root)
{
    struct report r = {.c = c};
    uint32_t measure, at = med_json_member(c->j, root, MED_STR("measure"));
    if (!c->options->strict || c->options->find == NULL || at == 0
        || med_json_kind_at(c->j, at) != MED_JSON_STRING)
        return;
    if (!c->options->find(c->options->arg, "Measure", med_json_raw(c->j, at), &r.m, &measure)) {
        med_check_warning(c, at, NULL, MED_ISSUE_NOT_FOUND,
                          "this Measure is not known here: the report was not checked against it");
        return;
    }
    r.lists_subjects = med_str_eqz(med_check_raw(c->j, root, "type"), "subject-list");
    if (!med_str_eqz(med_check_raw(c->j, root, "type"), "data-collection")
        && med_str_eqz(med_check_raw(c->j, root, "status"), "complete"))
        check_pair(&r, &(struct pair){"group", measure, root});
}
