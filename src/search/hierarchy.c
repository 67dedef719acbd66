/* hierarchy.c - :above and :below of a reference to what is part of its own kind: locations,
 * organizations, tasks. https://hl7.org/fhir/R4/search.html#recursive */
#include "search/query_parse.h"
#include "search/run.h"

enum { TREE_NODES = 10000 };

/* ---- the query ---- */

/* The parameter by which a type's resources are part of each other. */
static bool part_of(const med_pack *pack, med_type type, med_param *out)
{
    static const med_str codes[] = {MED_LIT("partof"), MED_LIT("part-of")};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (med_pack_find_param(pack, type, codes[i], out) && out->type == MED_PARAM_REFERENCE
            && med_param_may_target(out, type))
            return true;
    }
    return false;
}

bool med_query_read_tree(med_query_parser *p, const med_param *param, med_clause *c, med_err *err)
{
    const med_search_schema *s = p->q->schema;
    med_tree_edge *edges = MED_TAKE(p->arena, param->n_targets + 1, med_tree_edge);
    if (edges == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < param->n_targets && !c->only_patients; i++) {
        med_param up;
        if (!part_of(s->pack, param->targets[i], &up))
            continue;
        edges[c->n_edges++] = (med_tree_edge){
            param->targets[i], up.index, med_schema_info(s, param->targets[i], up.index)->number};
    }
    c->edges = edges;
    if (c->n_edges > 0)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "'%.*s' refers to nothing that is part of its own kind, as a Location is",
                   MED_STR_ARG(param->code));
    return med_err_status(err, 400);
}

/* ---- the tree, as far as it goes ---- */

typedef struct tree {
    med_run *run;
    const med_clause *clause;
    uint64_t *at; /* in the order they were found; at[0, done) have been followed */
    size_t n, done;
} tree;

static bool add_node(tree *t, med_rid rid, med_err *err)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->at[i] == rid)
            return true;
    }
    if (t->n == TREE_NODES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d resources in the hierarchy",
                        TREE_NODES);
    t->at[t->n++] = rid;
    return true;
}

static bool add_children(tree *t, med_rid of, uint32_t number, med_err *err)
{
    med_scan scan = {.index = MED_INDEX_REFERENCE,
                     .param = number,
                     .key = of,
                     .low_text = MED_STR_EMPTY,
                     .high_text = MED_STR_EMPTY,
                     .after_text = MED_STR_EMPTY};
    med_hit hit;
    enum med_found found = MED_FAILED;
    med_cursor *c = med_view_scan(t->run->view, &scan, err);
    while (c != NULL && (found = med_cursor_next(c, &hit, err)) == MED_FOUND) {
        if (!add_node(t, hit.rid, err)) {
            found = MED_FAILED;
            break;
        }
    }
    med_cursor_close(c);
    return found == MED_ABSENT;
}

static bool add_targets(tree *t, const med_rows *rows, uint32_t number, med_err *err)
{
    for (size_t i = 0; i < rows->n_references; i++) {
        med_rid rid;
        if (rows->references[i].param != number)
            continue;
        if (!med_view_rid(t->run->view, rows->references[i].target, &rid, err)
            || (rid != 0 && !add_node(t, rid, err)))
            return false;
    }
    return true;
}

static bool add_parents(tree *t, med_arena *scratch, med_rid of, med_err *err)
{
    med_stored stored;
    med_json j;
    med_rows rows;
    const med_search_schema *s = t->run->q->schema;
    enum med_found found = med_view_by_rid(t->run->view, scratch, of, &stored, err);
    if (found != MED_FOUND || stored.change == MED_DELETED)
        return found != MED_FAILED;
    med_type type = med_schema_pack_type(s, stored.type);
    for (size_t i = 0; i < t->clause->n_edges; i++) {
        if (t->clause->edges[i].type != type)
            continue;
        if (!med_json_parse(scratch, stored.text, &j, NULL, err)
            || !med_extract_whole(s, scratch, &j, 0, type, t->run->q->base, NULL, false, &rows, err)
            || !add_targets(t, &rows, t->clause->edges[i].number, err))
            return false;
    }
    return true;
}

static bool follow(tree *t, med_arena *scratch, med_err *err)
{
    while (t->done < t->n) {
        med_rid of = t->at[t->done++];
        if (t->clause->modifier == MED_MODIFIER_ABOVE && !add_parents(t, scratch, of, err))
            return false;
        for (size_t i = 0; t->clause->modifier == MED_MODIFIER_BELOW && i < t->clause->n_edges;
             i++) {
            if (!add_children(t, of, t->clause->edges[i].number, err))
                return false;
        }
        med_arena_reset(scratch);
    }
    return true;
}

bool med_bind_tree(med_run *r, med_bound *b, med_err *err)
{
    tree t = {.run = r, .clause = b->clause, .at = MED_TAKE(r->arena, TREE_NODES, uint64_t)};
    med_arena *scratch = med_scratch_take(r->q->schema);
    bool ok = t.at != NULL && scratch != NULL;
    if (!ok)
        (void)MED_FAIL_MEMORY(err);
    for (size_t i = 0; ok && i < b->n_keys; i++)
        ok = add_node(&t, b->keys[i], err);
    ok = ok && follow(&t, scratch, err);
    med_scratch_give(r->q->schema, scratch);
    med_rid_list list = {.arena = r->arena, .at = t.at, .n = t.n, .room = t.n};
    med_rid_list_finish(&list);
    b->keys = list.at;
    b->n_keys = list.n;
    return ok;
}
