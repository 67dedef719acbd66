/* structure_conformance.c - https://hl7.org/fhir/R4/conformance-module.html
 *
 * What Questionnaires and CodeSystems have to keep beside their invariants: addresses that can be
 * found, questions that are there; ValueSets and StructureDefinitions have files of their own.
 * Errors for who asks for all, warnings on writes: a definition in the making may be stored. */
#include <stdlib.h>

#include "validate/structure_check.h"

med_check_say *med_check_voice(const med_check *c)
{
    return c->options->strict ? med_check_problem : med_check_warning;
}

bool med_check_is_absolute(med_str url)
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
        med_check_voice(c)(c, item, NULL, MED_ISSUE_VALUE,
                           "enableWhen names a question that this Questionnaire does not have");
    else if (asked->node >= item && asked->node < c->j->nodes[item].next)
        med_check_voice(c)(c, item, NULL, MED_ISSUE_INVARIANT,
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
            med_check_voice(c)(
                c, all[i].node, NULL, MED_ISSUE_INVARIANT,
                "If there are more than one enableWhen, enableBehavior must be specified "
                "(que-12)");
    }
}

/* ---- CodeSystem ---- */

void med_check_url(med_check *c, uint32_t root)
{
    uint32_t node = med_json_member(c->j, root, MED_STR("url"));
    if (node != 0 && med_json_kind_at(c->j, node) == MED_JSON_STRING
        && !med_check_is_absolute(med_json_raw(c->j, node)))
        med_check_voice(c)(c, node, NULL, MED_ISSUE_VALUE,
                           "a canonical url is absolute: https://...");
}

static void check_code_system(med_check *c, uint32_t root)
{
    uint32_t concepts = med_check_list(c->j, root, "concept");
    med_check_url(c, root);
    if (concepts != 0 && c->j->nodes[concepts].count > 0
        && med_str_eqz(med_check_raw(c->j, root, "content"), "not-present"))
        med_check_voice(c)(c, concepts + 1, NULL, MED_ISSUE_INVARIANT,
                           "content is 'not-present', so there are no concepts");
}

void med_check_conformance(med_check *c, const med_check_frame *f)
{
    static const struct {
        const char *type;
        void (*check)(med_check *, uint32_t);
    } all[] = {{"Questionnaire", check_questionnaire},
               {"ValueSet", med_check_value_set},
               {"CodeSystem", check_code_system},
               {"StructureDefinition", med_check_definition},
               {"MeasureReport", med_check_measure_report}};
    med_str type = med_type_name(c->p, f->type);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (med_str_eqz(type, all[i].type))
            all[i].check(c, f->node);
    }
}
