/* contained.c - _contained=true|both: resources inside of others.
 * https://hl7.org/fhir/R4/search.html#contained
 *
 * No index has them: a search for them asks every resource of the server whether one of those it
 * contains matches, so it is priced as such a walk. What it brings are the containers, in the order
 * of all types; _containedType=contained puts what matched in their place. */
#include "search/query_parse.h"
#include "search/run.h"

/* ---- the question ---- */

static bool refuse(med_err *err, const char *text)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "with _contained, %s", text);
    return med_err_status(err, 400);
}

/* Only what one contained resource says of itself can be asked of it. */
static bool check_question(const med_query_parser *p, med_err *err)
{
    const med_query *q = p->q;
    if (q->type == MED_TYPE_NONE || p->options->scope != NULL)
        return refuse(err, "only one type can be searched, and no compartment");
    if (q->n_includes > 0)
        return refuse(err, "nothing can be included");
    for (size_t i = 0; i < q->n_sort; i++) {
        if (q->sort[i].kind != MED_CLAUSE_UPDATED)
            return refuse(err, "only _lastUpdated can be sorted by");
    }
    if (p->contained_alone
        && (q->view.summary != MED_SUMMARY_FALSE || q->view.n_elements > 0
            || q->view.total == MED_TOTAL_ACCURATE))
        return refuse(err, "_containedType=contained gives whole resources, uncounted: leave out "
                           "_summary, _elements and _total");
    for (size_t i = 0; i < q->n; i++) {
        enum med_clause_kind kind = q->clauses[i].kind;
        if (kind == MED_CLAUSE_HAS || kind == MED_CLAUSE_ANY || kind == MED_CLAUSE_SPECIAL)
            return refuse(err, "_has, _list, _filter, _text, _content and near can not be asked");
    }
    return true;
}

bool med_query_close_contained(med_query_parser *p, med_err *err)
{
    const med_query *of = p->q;
    if (p->contained == MED_CONTAINED_NONE)
        return true;
    if (!check_question(p, err))
        return false;
    const med_query **subs = MED_TAKE(p->arena, 2, const med_query *);
    med_query *q = med_query_new(of->schema, p->arena, MED_TYPE_NONE, of->base);
    if (subs == NULL || q == NULL)
        return MED_FAIL_MEMORY(err);
    subs[0] = subs[1] = of;
    q->types = med_pack_resources(of->schema->pack, &q->n_types);
    q->clauses[q->n++] = (med_clause){.kind = MED_CLAUSE_ANY,
                                      .row = UINT32_MAX,
                                      .single = true,
                                      .subs = subs,
                                      .n_subs = p->contained == MED_CONTAINED_BOTH ? 2 : 1,
                                      .contained = p->contained};
    memcpy(q->sort, of->sort, sizeof q->sort);
    q->n_sort = of->n_sort;
    q->explain = of->explain;
    q->include_limit = of->include_limit;
    q->contained_alone = p->contained_alone;
    q->view = of->view;
    p->q = q;
    return true;
}

/* ---- the answer ---- */

/* An id inside of a resource is that resource's own. */
static bool id_matches(const med_clause *c, const med_json *j, uint32_t root)
{
    uint32_t id = med_json_member(j, root, MED_STR("id"));
    bool is_text = id != 0 && med_json_kind_at(j, id) == MED_JSON_STRING;
    if (c->modifier == MED_MODIFIER_MISSING)
        return is_text != c->missing;
    for (size_t i = 0; is_text && i < c->n; i++) {
        if (med_json_string_is(j, id, c->terms[i].text))
            return true;
    }
    return false;
}

/* It has no last update of its own. */
static bool updated_matches(const med_clause *c)
{
    return c->modifier == MED_MODIFIER_MISSING && c->missing;
}

static bool node_matches(med_run *sub, const med_json *j, uint32_t root, bool *yes, med_err *err)
{
    med_candidate c = {.j = j, .root = root, .type = sub->q->type};
    *yes = true;
    for (size_t i = 0; *yes && i < sub->q->n; i++) {
        const med_bound *b = &sub->bound[i];
        if (b->clause->kind == MED_CLAUSE_ID)
            *yes = id_matches(b->clause, j, root);
        else if (b->clause->kind == MED_CLAUSE_UPDATED)
            *yes = updated_matches(b->clause);
        else if (!med_clause_holds(sub, b, &c, yes, err))
            return false;
    }
    return true;
}

/* The next one of the type that is searched for: behind `*at`, which begins as 0. */
static bool next_contained(const med_run *sub, const med_json *j, uint32_t *at)
{
    uint32_t list = med_json_member(j, 0, MED_STR("contained"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return false;
    med_str name = med_type_name(sub->q->schema->pack, sub->q->type);
    uint32_t e = *at == 0 ? list + 1 : j->nodes[*at].next;
    for (; e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t type = med_json_kind_at(j, e) == MED_JSON_OBJECT
                            ? med_json_member(j, e, MED_STR("resourceType"))
                            : 0;
        if (type != 0 && med_json_kind_at(j, type) == MED_JSON_STRING
            && med_json_string_is(j, type, name)) {
            *at = e;
            return true;
        }
    }
    return false;
}

bool med_contained_matches(med_run *sub, const med_stored *container, bool *yes, med_err *err)
{
    med_json j;
    uint32_t at = 0;
    *yes = false;
    if (med_str_search(container->text, MED_STR("\"contained\""), 0) == container->text.len)
        return true;
    if (!med_json_parse(sub->scratch, container->text, &j, NULL, err))
        return false;
    while (!*yes && next_contained(sub, &j, &at)) {
        if (!node_matches(sub, &j, at, yes, err))
            return false;
    }
    return true;
}

/* ---- _containedType=contained ---- */

typedef struct growing {
    med_arena *arena;
    med_search_entry *at;
    size_t n, room;
} growing;

static bool add(growing *g, const med_search_entry *e, med_err *err)
{
    med_search_entry *more = MED_GROW(g->arena, g->at, g->n, &g->room, 8);
    if (more == NULL)
        return MED_FAIL_MEMORY(err);
    g->at = more;
    g->at[g->n++] = *e;
    return true;
}

static bool add_contained(med_run *sub, const med_search_entry *container, growing *to,
                          med_err *err)
{
    med_json j;
    uint32_t at = 0;
    if (!med_json_parse(to->arena, container->resource.text, &j, NULL, err))
        return false;
    while (next_contained(sub, &j, &at)) {
        bool yes;
        med_search_entry e = *container;
        med_contained *one = MED_TAKE(to->arena, 1, med_contained);
        uint32_t id = med_json_member(&j, at, MED_STR("id"));
        if (one == NULL)
            return MED_FAIL_MEMORY(err);
        if (!node_matches(sub, &j, at, &yes, err))
            return false;
        *one = (med_contained){MED_STR_EMPTY, med_json_span(&j, at)};
        if (id != 0 && med_json_kind_at(&j, id) == MED_JSON_STRING
            && !med_json_string(to->arena, &j, id, &one->id))
            return MED_FAIL_MEMORY(err);
        e.contained = one;
        if (yes && !add(to, &e, err))
            return false;
    }
    return true;
}

bool med_run_take_contained(med_run *r, med_search_result *out, med_err *err)
{
    const med_bound *b = &r->bound[0];
    if (!r->q->contained_alone || b->n_any == 0)
        return true;
    growing all = {.arena = r->arena};
    med_run *sub = b->any[0];
    sub->scratch = r->scratch;
    for (size_t i = 0; i < out->n; i++) {
        bool itself = false;
        const med_search_entry *e = &out->entries[i];
        if ((b->clause->contained == MED_CONTAINED_BOTH
             && !med_any_itself(b, &e->resource, r->scratch, &itself, err))
            || (itself && !add(&all, e, err)) || !add_contained(sub, e, &all, err))
            return false;
        med_arena_reset(r->scratch);
    }
    out->entries = all.at;
    out->n = all.n;
    out->has_total = out->has_total && out->next.len == 0;
    out->total = all.n;
    return true;
}
