/* structure_conformance.c - https://hl7.org/fhir/R4/conformance-module.html
 *
 * What Questionnaires, ValueSets, CodeSystems and StructureDefinitions have to keep beside their
 * invariants: addresses that can be found, questions that are there, filters that can be
 * answered, paths that are in the type. Errors for who asks for all, warnings on writes: a
 * definition in the making may be stored. */
#include <stdlib.h>

#include "validate/structure_check.h"

typedef void say_fn(med_check *, uint32_t, const char *, enum med_issue, const char *, ...);

static say_fn *voice_of(const med_check *c)
{
    return c->options->strict ? med_check_problem : med_check_warning;
}

static bool is_absolute(med_str url)
{
    return med_str_find(url, ':', 0) < url.len;
}

/* ---- Questionnaire ---- */

struct question {
    med_str link;
    uint32_t node;
};

static int by_link(const void *a, const void *b)
{
    return med_str_compare(((const struct question *)a)->link, ((const struct question *)b)->link);
}

/* All items: the objects in lists that are called `item`. */
static bool gather_questions(med_check *c, uint32_t root, struct question **out, size_t *n)
{
    const med_json_node *nodes = c->j->nodes;
    size_t room = 0;
    for (uint32_t i = root + 1; i < nodes[root].next; i++)
        room += nodes[i].kind == MED_JSON_OBJECT;
    *n = 0;
    *out = MED_TAKE(c->a, room + 1, struct question);
    if (*out == NULL)
        return !(c->out_of_memory = true);
    for (uint32_t i = root + 1; i < nodes[root].next; i++) {
        med_str link =
            nodes[i].kind == MED_JSON_OBJECT ? med_check_raw(c->j, i, "linkId") : MED_STR_EMPTY;
        if (link.len > 0)
            (*out)[(*n)++] = (struct question){link, i};
    }
    qsort(*out, *n, sizeof **out, by_link);
    return true;
}

static void check_condition(med_check *c, const struct question *all, size_t n, uint32_t item,
                            uint32_t when)
{
    const struct question key = {med_check_raw(c->j, when, "question"), 0};
    if (key.link.len == 0)
        return;
    const struct question *asked = bsearch(&key, all, n, sizeof *all, by_link);
    if (asked == NULL)
        voice_of(c)(c, item, NULL, MED_ISSUE_VALUE,
                    "enableWhen names a question that this Questionnaire does not have");
    else if (asked->node >= item && asked->node < c->j->nodes[item].next)
        voice_of(c)(c, item, NULL, MED_ISSUE_INVARIANT,
                    "enableWhen asks for the item itself, or for one inside it");
}

static void check_questionnaire(med_check *c, uint32_t root)
{
    const med_json *j = c->j;
    struct question *all;
    size_t n;
    if (!gather_questions(c, root, &all, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        uint32_t list = med_check_list(j, all[i].node, "enableWhen");
        for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next)
            check_condition(c, all, n, all[i].node, e);
        /* The expression of que-12 says more than two; its words, and R5, say more than one. */
        if (list != 0 && j->nodes[list].count == 2
            && med_check_raw(j, all[i].node, "enableBehavior").len == 0)
            voice_of(c)(c, all[i].node, NULL, MED_ISSUE_INVARIANT,
                        "If there are more than one enableWhen, enableBehavior must be specified "
                        "(que-12)");
    }
}

/* ---- ValueSet, CodeSystem ---- */

static void check_url(med_check *c, uint32_t root)
{
    uint32_t node = med_json_member(c->j, root, MED_STR("url"));
    if (node != 0 && med_json_kind_at(c->j, node) == MED_JSON_STRING
        && !is_absolute(med_json_raw(c->j, node)))
        voice_of(c)(c, node, NULL, MED_ISSUE_VALUE, "a canonical url is absolute: https://...");
}

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
static bool is_no_code(med_check *c, med_str system, med_str version, uint32_t value)
{
    med_coded q = {MED_STR_EMPTY, system, version, MED_STR_EMPTY, MED_STR_EMPTY};
    med_coded_answer answer;
    if (c->options->codes == NULL || c->failed)
        return false;
    if (!med_json_string(c->a, c->j, value, &q.code)) {
        c->out_of_memory = true;
        return false;
    }
    if (!c->options->codes->ask(c->options->codes->self, c->a, &q, &answer, c->err)) {
        c->failed = true;
        return false;
    }
    return answer.verdict == MED_CODED_NO_SUCH_CODE;
}

static void check_filter(med_check *c, uint32_t filter, med_str system, med_str version)
{
    uint32_t value = med_json_member(c->j, filter, MED_STR("value"));
    med_str property = med_check_raw(c->j, filter, "property"),
            op = med_check_raw(c->j, filter, "op");
    med_str text = value == 0 ? MED_STR_EMPTY : med_json_raw(c->j, value);
    if (value == 0 || med_json_kind_at(c->j, value) != MED_JSON_STRING)
        return;
    bool equal = med_str_eqz(op, "=");
    if ((med_str_eqz(property, "notSelectable") || med_str_eqz(property, "inactive")
         || med_str_eqz(op, "exists"))
        && (equal || med_str_eqz(op, "exists")) && !med_str_eqz(text, "true")
        && !med_str_eqz(text, "false"))
        voice_of(c)(c, filter, NULL, MED_ISSUE_VALUE, "the value of this filter is true or false");
    else if (takes_a_code(op) && is_no_code(c, system, version, value))
        voice_of(c)(c, filter, NULL, MED_ISSUE_CODE_INVALID,
                    "the value of this filter is no code of %.*s", MED_STR_ARG(system));
}

static void check_part(med_check *c, uint32_t part)
{
    const med_json *j = c->j;
    med_str system = med_check_raw(j, part, "system"), version = med_check_raw(j, part, "version");
    uint32_t filters = med_check_list(j, part, "filter");
    if (system.len > 0 && !is_absolute(system))
        voice_of(c)(c, part, NULL, MED_ISSUE_VALUE,
                    "the system is named by its url, which is absolute; also one that is "
                    "contained");
    for (uint32_t e = filters + 1; filters != 0 && e < j->nodes[filters].next;
         e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT)
            check_filter(c, e, system, version);
    }
}

static void check_value_set(med_check *c, uint32_t root)
{
    static const char *const lists[] = {"include", "exclude"};
    const med_json *j = c->j;
    uint32_t compose = med_json_member(j, root, MED_STR("compose"));
    check_url(c, root);
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

static void check_code_system(med_check *c, uint32_t root)
{
    uint32_t concepts = med_check_list(c->j, root, "concept");
    check_url(c, root);
    if (concepts != 0 && c->j->nodes[concepts].count > 0
        && med_str_eqz(med_check_raw(c->j, root, "content"), "not-present"))
        voice_of(c)(c, concepts + 1, NULL, MED_ISSUE_INVARIANT,
                    "content is 'not-present', so there are no concepts");
}

/* ---- StructureDefinition ---- */

static med_str last_part(med_str type)
{
    for (size_t i = type.len; i > 0; i--) {
        if (type.ptr[i - 1] == '/')
            return med_str_skip(type, i);
    }
    return type;
}

/* The type of a logical model is a url, whose end begins its paths. */
static void check_paths(med_check *c, uint32_t root, const char *part)
{
    const med_json *j = c->j;
    med_str type = last_part(med_check_raw(j, root, "type"));
    uint32_t object = med_json_member(j, root, med_str_from(part));
    uint32_t list = object == 0 || med_json_kind_at(j, object) != MED_JSON_OBJECT
                        ? 0
                        : med_check_list(j, object, "element");
    for (uint32_t e = list + 1; list != 0 && type.len > 0 && e < j->nodes[list].next;
         e = j->nodes[e].next) {
        med_str path = med_check_raw(j, e, "path");
        if (path.len > 0
            && (!med_str_starts(path, type) || (path.len > type.len && path.ptr[type.len] != '.')))
            voice_of(c)(c, e, NULL, MED_ISSUE_INVARIANT,
                        "the path of an element begins with the type of the definition");
    }
}

static void check_definition(med_check *c, uint32_t root)
{
    check_url(c, root);
    check_paths(c, root, "differential");
    check_paths(c, root, "snapshot");
}

void med_check_conformance(med_check *c, const med_check_frame *f)
{
    static const struct {
        const char *type;
        void (*check)(med_check *, uint32_t);
    } all[] = {{"Questionnaire", check_questionnaire},
               {"ValueSet", check_value_set},
               {"CodeSystem", check_code_system},
               {"StructureDefinition", check_definition},
               {"MeasureReport", med_check_measure_report}};
    med_str type = med_type_name(c->p, f->type);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (med_str_eqz(type, all[i].type))
            all[i].check(c, f->node);
    }
}
