/* trie.c - see trie.h. */
#include "model/compile/trie.h"

#include <stdlib.h>

enum { FILTERS_MAX = 4, STEPS_MAX = PACK_DEPTH * 3, NODES_MAX = 4096 };

struct emit {
    struct emit *next;
    uint32_t param;
};

struct branch {
    struct branch *next; /* of the same edge */
    const med_step *filters[FILTERS_MAX];
    size_t n_filters;
    uint32_t index;
    struct emit *emits, *last_emit;
    struct node *child;
};

struct med_trie_branch {
    struct branch branch;
};

struct edge {
    struct edge *next; /* of the same node */
    med_str name;
    med_type type;
    struct branch *branches, *last_branch;
    size_t n_branches;
};

struct node {
    struct edge *edges;
    size_t n_edges;
    uint32_t depth;
};

bool med_trie_init(med_trie *t, med_arena *a, med_err *err)
{
    t->arena = a;
    t->root = MED_TAKE(a, 1, struct med_trie_branch);
    if (t->root == NULL)
        return MED_FAIL_MEMORY(err);
    t->root->branch.index = PACK_NONE;
    return true;
}

bool med_trie_is_empty(const med_trie *t)
{
    return t->root->branch.child == NULL && t->root->branch.emits == NULL;
}

/* ---- adding ---- */

static struct edge *edge_of(med_trie *t, struct node *n, const med_step *step)
{
    for (struct edge *e = n->edges; e != NULL; e = e->next) {
        if (med_str_eq(e->name, step->name))
            return e;
    }
    struct edge *e = MED_TAKE(t->arena, 1, struct edge);
    if (e == NULL)
        return NULL;
    *e = (struct edge){.next = n->edges, .name = step->name, .type = step->type};
    n->edges = e;
    n->n_edges++;
    return e;
}

static bool same_filter(const med_step *a, const med_step *b)
{
    return a->kind == b->kind && a->type == b->type && med_str_eq(a->name, b->name)
           && med_str_eq(a->value, b->value);
}

static bool same_branch(const struct branch *a, const struct branch *b)
{
    if (a->index != b->index || a->n_filters != b->n_filters)
        return false;
    for (size_t i = 0; i < a->n_filters; i++) {
        if (!same_filter(a->filters[i], b->filters[i]))
            return false;
    }
    return true;
}

static struct branch *branch_of(med_trie *t, struct edge *e, const struct branch *wanted)
{
    for (struct branch *b = e->branches; b != NULL; b = b->next) {
        if (same_branch(b, wanted))
            return b;
    }
    struct branch *b = MED_TAKE(t->arena, 1, struct branch);
    if (b == NULL)
        return NULL;
    *b = *wanted;
    if (e->branches == NULL)
        e->branches = b;
    else
        e->last_branch->next = b;
    e->last_branch = b;
    e->n_branches++;
    return b;
}

static bool add_emit(med_trie *t, struct branch *b, uint32_t param, med_err *err)
{
    for (const struct emit *e = b->emits; e != NULL; e = e->next) {
        if (e->param == param)
            return true; /* `A | A` says it once */
    }
    struct emit *e = MED_TAKE(t->arena, 1, struct emit);
    if (e == NULL)
        return MED_FAIL_MEMORY(err);
    e->param = param;
    if (b->emits == NULL)
        b->emits = e;
    else
        b->last_emit->next = e;
    b->last_emit = e;
    return true;
}

static struct node *child_of(med_trie *t, struct branch *b, uint32_t depth)
{
    if (b->child == NULL) {
        b->child = MED_TAKE(t->arena, 1, struct node);
        if (b->child != NULL)
            b->child->depth = depth;
    }
    return b->child;
}

/* Index and filters that stand behind the property at steps[*i]; leaves *i at the last. */
static bool take_conditions(const med_step *const *steps, size_t n, size_t *i, struct branch *out,
                            med_err *err)
{
    while (*i + 1 < n && steps[*i + 1]->kind != MED_STEP_PROPERTY) {
        const med_step *step = steps[++*i];
        bool is_index = step->kind == MED_STEP_INDEX;
        if (out->n_filters == FILTERS_MAX || (is_index && out->n_filters > 0))
            return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "no path: too many filters");
        if (is_index)
            out->index = step->index;
        else
            out->filters[out->n_filters++] = step;
    }
    return true;
}

static bool spread(const med_path *path, const med_step **steps, size_t *n, med_err *err)
{
    *n = 0;
    for (const med_step *s = path->last; s != NULL; s = s->before)
        ++*n;
    if (*n > STEPS_MAX)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "no path: longer than %d", STEPS_MAX);
    size_t i = *n;
    for (const med_step *s = path->last; s != NULL; s = s->before)
        steps[--i] = s;
    return true;
}

bool med_trie_add(med_trie *t, const med_path *path, uint32_t param, med_err *err)
{
    const med_step *steps[STEPS_MAX] = {NULL};
    size_t n = 0;
    if (!spread(path, steps, &n, err))
        return false;
    struct branch *at = &t->root->branch;
    uint32_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (depth + 1 >= PACK_DEPTH)
            return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "no path: deeper than %d", PACK_DEPTH);
        struct node *node = child_of(t, at, depth++);
        struct edge *edge = node == NULL ? NULL : edge_of(t, node, steps[i]);
        struct branch wanted = {.index = PACK_NONE};
        if (!take_conditions(steps, n, &i, &wanted, err))
            return false;
        at = edge == NULL ? NULL : branch_of(t, edge, &wanted);
        if (at == NULL)
            return MED_FAIL_MEMORY(err);
    }
    return add_emit(t, at, param, err);
}

/* ---- writing ---- */

struct writer {
    med_pack_writer *w;
    const struct node **queue; /* node i of this trie is row first + i */
    size_t n, done;
    uint32_t first;
    med_err *err;
};

static uint32_t enqueue(struct writer *q, const struct node *n)
{
    if (n == NULL)
        return PACK_NONE;
    if (q->n == NODES_MAX) {
        q->w->failed = true;
        return PACK_NONE;
    }
    q->queue[q->n] = n;
    return q->first + (uint32_t)q->n++;
}

static struct pack_range write_filters(struct writer *q, const struct branch *b)
{
    struct pack_range range = {med_pack_writer_count(q->w, PACK_FILTERS), (uint32_t)b->n_filters};
    static const enum pack_filter_kind kinds[] = {
        [MED_STEP_RESOLVES_TO] = PACK_FILTER_RESOLVES_TO,
        [MED_STEP_RESOURCE_IS] = PACK_FILTER_RESOURCE_IS,
        [MED_STEP_EQUALS] = PACK_FILTER_EQUALS,
    };
    for (size_t i = 0; i < b->n_filters; i++) {
        const med_step *s = b->filters[i];
        struct pack_filter row = {
            .kind = kinds[s->kind],
            .type = s->type,
            .key = med_pack_writer_string(q->w, s->name),
            .value = med_pack_writer_string(q->w, s->value),
        };
        (void)MED_PACK_ADD(q->w, PACK_FILTERS, &row);
    }
    return range;
}

static struct pack_range write_emits(struct writer *q, const struct branch *b)
{
    struct pack_range range = {med_pack_writer_count(q->w, PACK_PARAM_LIST), 0};
    for (const struct emit *e = b->emits; e != NULL; e = e->next) {
        (void)MED_PACK_ADD(q->w, PACK_PARAM_LIST, &e->param);
        range.n++;
    }
    return range;
}

static uint32_t write_branch(struct writer *q, const struct branch *b)
{
    struct pack_branch row = {
        .filters = write_filters(q, b),
        .emits = write_emits(q, b),
        .index = b->index,
        .child = enqueue(q, b->child),
    };
    return MED_PACK_ADD(q->w, PACK_BRANCHES, &row);
}

static int by_name(const void *a, const void *b)
{
    return med_str_compare((*(const struct edge *const *)a)->name,
                           (*(const struct edge *const *)b)->name);
}

static uint16_t edge_flags(const struct writer *q, const struct edge *e)
{
    const struct pack_type *type = med_pack_writer_row(q->w, PACK_TYPES, e->type);
    unsigned flags = type->kind == MED_TYPE_PRIMITIVE ? PACK_EDGE_PRIMITIVE : 0;
    for (const struct branch *b = e->branches; b != NULL; b = b->next) {
        flags |= b->child != NULL ? PACK_EDGE_INNER : 0;
        flags |= b->emits != NULL ? PACK_EDGE_EMITS : 0;
    }
    return (uint16_t)flags;
}

static struct pack_edge edge_row(struct writer *q, const struct edge *e)
{
    struct pack_edge row = {
        .name = med_pack_writer_name(q->w, e->name),
        .type = e->type,
        .flags = edge_flags(q, e),
        .branches = {med_pack_writer_count(q->w, PACK_BRANCHES), (uint32_t)e->n_branches},
    };
    for (const struct branch *b = e->branches; b != NULL; b = b->next)
        (void)write_branch(q, b);
    return row;
}

static bool write_node(struct writer *q, const struct node *n)
{
    const struct edge **edges = MED_TAKE(q->w->arena, n->n_edges, const struct edge *);
    struct pack_edge *rows = MED_TAKE(q->w->arena, n->n_edges, struct pack_edge);
    med_str *names = MED_TAKE(q->w->arena, n->n_edges, med_str);
    if (edges == NULL || rows == NULL || names == NULL)
        return MED_FAIL_MEMORY(q->err);
    size_t k = 0;
    for (const struct edge *e = n->edges; e != NULL; e = e->next)
        edges[k++] = e;
    qsort(edges, k, sizeof(const struct edge *), by_name);
    for (size_t i = 0; i < k; i++) {
        names[i] = edges[i]->name;
        rows[i] = edge_row(q, edges[i]);
    }
    struct pack_node row = {
        .edges = {med_pack_writer_count(q->w, PACK_EDGES), (uint32_t)k},
        .names = med_pack_writer_table(q->w, names, k),
        .depth = n->depth,
    };
    for (size_t i = 0; i < k; i++)
        (void)MED_PACK_ADD(q->w, PACK_EDGES, &rows[i]);
    (void)MED_PACK_ADD(q->w, PACK_NODES, &row);
    return true;
}

bool med_trie_write(const med_trie *t, med_pack_writer *w, uint32_t *root, med_err *err)
{
    struct writer q = {.w = w, .first = med_pack_writer_count(w, PACK_NODES), .err = err};
    q.queue = MED_TAKE(w->arena, NODES_MAX, const struct node *);
    if (q.queue == NULL)
        return MED_FAIL_MEMORY(err);
    *root = write_branch(&q, &t->root->branch);
    while (q.done < q.n) { /* in the order of their numbers */
        if (!write_node(&q, q.queue[q.done++]))
            return false;
    }
    return true;
}
