/* composite.c - https://hl7.org/fhir/R4/search.html#combining
 *
 * The parts of one alternative must hold of one element: each element the composite names is
 * taken apart, and each part's rows are made as if it were a parameter of its own. */
#include "search/run.h"

typedef struct element {
    med_run *run;
    const med_clause *clause;
    const med_candidate *at;
    med_extraction parts; /* rows of part k have the number k + 1 */
    size_t part;
    enum med_param_type kind;
    bool yes;
} element;

static bool take_part(void *arg, const med_walk_value *value, med_err *err)
{
    element *e = arg;
    return med_extract_one(&e->parts, e->kind, (uint32_t)e->part + 1, value, err);
}

static bool alternative_matches(const element *e, const med_clause *parts)
{
    for (size_t k = 0; k < e->clause->n_parts; k++) {
        med_clause part = parts[k];
        part.number = (uint32_t)k + 1;
        if (!med_clause_matches(&part, &e->parts.rows))
            return false;
    }
    return true;
}

static bool take_element(void *arg, const med_walk_value *value, med_err *err)
{
    element *e = arg;
    const med_search_schema *s = e->run->q->schema;
    if (value->param != e->clause->row || e->yes)
        return true;
    e->parts = (med_extraction){.schema = s,
                                .arena = e->run->scratch,
                                .j = e->at->j,
                                .root = e->at->root,
                                .type = e->at->type,
                                .base = e->run->q->base,
                                .whole = true};
    med_param composite, part;
    med_pack_param(s->pack, e->clause->row, &composite);
    for (e->part = 0; e->part < e->clause->n_parts; e->part++) {
        med_pack_param(s->pack, composite.components[e->part], &part);
        e->kind = part.type;
        if (!med_walk_component(s->pack, e->at->j, e->at->root, e->at->type, value, e->part,
                                take_part, e, err))
            return false;
    }
    for (size_t i = 0; i < e->clause->n && !e->yes; i++)
        e->yes = alternative_matches(e, &e->clause->parts[i * e->clause->n_parts]);
    return true;
}

bool med_composite_matches(med_run *r, const med_clause *c, const med_candidate *at, bool *yes,
                           med_err *err)
{
    element e = {.run = r, .clause = c, .at = at};
    if (!med_walk(r->q->schema->pack, at->j, at->root, at->type, take_element, &e, err))
        return false;
    *yes = e.yes;
    return true;
}
