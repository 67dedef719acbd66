/* image_tree.c - the hierarchy of a code system as intervals of preorder numbers.
 *
 * Each concept hangs in a spanning tree below its first parent and gets its number in preorder;
 * all below it in the tree are then one interval. What it has below it through other parents is
 * added: its intervals are those of all its children and its own, merged. (R. Agrawal, A. Borgida,
 * H. V. Jagadish: Efficient management of transitive relationships, 1989.) */
#include <stdlib.h>

#include "base/mem.h"
#include "terminology/image_builder_impl.h"

#define AT(list, i) ROW(list, uint32_t, i)

static bool push(row_list *l, uint32_t c)
{
    uint32_t *row = med_row_add(l);
    if (row != NULL)
        *row = c;
    return row != NULL;
}

typedef struct work {
    med_image_builder *b;
    uint32_t n;
    built_tree *t;
    row_list size;       /* concepts of the subtree */
    row_list waiting;    /* children whose intervals are not made yet */
    row_list ready;      /* a stack */
    row_list start, len; /* of each concept's intervals in `made` */
    row_list made;       /* struct image_interval, in the order they were made */
    row_list scratch;
} work;

/* Parents and children as lists by concept; pairs that came twice are left out. */
static bool link_concepts(const med_image_builder *b, built_tree *t)
{
    uint32_t n = (uint32_t)b->codes.n;
    row_list place = {0};
    if (!med_builder_group(n, &b->parents, offsetof(struct built_parent, child), &t->parent_first,
                           &place)
        || !med_row_resize(&t->parents, b->parents.n, 4)) {
        med_row_free(&place);
        return false;
    }
    for (size_t i = 0; i < b->parents.n; i++)
        AT(t->parents, AT(place, i)) = ROW(b->parents, struct built_parent, i).parent;
    uint32_t to = 0, from = 0;
    for (uint32_t c = 0; c < n; c++) {
        uint32_t end = AT(t->parent_first, c + 1), own = to;
        for (; from < end; from++) {
            bool twice = false;
            for (uint32_t k = own; k < to; k++)
                twice = twice || AT(t->parents, k) == AT(t->parents, from);
            if (!twice)
                AT(t->parents, to++) = AT(t->parents, from);
        }
        AT(t->parent_first, c + 1) = to;
    }
    t->parents.n = to;
    bool ok = med_builder_group(n, &t->parents, 0, &t->child_first, &place)
              && med_row_resize(&t->children, to, 4);
    for (uint32_t c = 0; ok && c < n; c++) {
        for (uint32_t k = AT(t->parent_first, c); k < AT(t->parent_first, c + 1); k++)
            AT(t->children, AT(place, k)) = c;
    }
    med_row_free(&place);
    return ok;
}

/* The tree below `root` in preorder, without recursion: children are put on the stack backwards. */
static bool number_below(work *w, uint32_t root, uint32_t *next, uint8_t *seen)
{
    built_tree *t = w->t;
    if (!push(&w->ready, root))
        return false;
    while (w->ready.n > 0) {
        uint32_t c = AT(w->ready, --w->ready.n);
        if (seen[c])
            continue;
        seen[c] = 1;
        AT(t->pre, c) = *next;
        AT(t->order, (*next)++) = c;
        for (uint32_t k = AT(t->child_first, c + 1); k > AT(t->child_first, c); k--) {
            uint32_t child = AT(t->children, k - 1);
            if (seen[child] || AT(t->parents, AT(t->parent_first, child)) != c)
                continue;
            if (!push(&w->ready, child))
                return false;
        }
    }
    return true;
}

static bool number_all(work *w)
{
    built_tree *t = w->t;
    uint8_t *seen = MED_NEW(w->n + 1, uint8_t);
    uint32_t next = 0;
    bool ok =
        seen != NULL && med_row_resize(&t->pre, w->n, 4) && med_row_resize(&t->order, w->n, 4);
    for (uint32_t c = 0; ok && c < w->n; c++) {
        if (AT(t->parent_first, c) == AT(t->parent_first, c + 1))
            ok = number_below(w, c, &next, seen);
    }
    for (uint32_t c = 0; ok && c < w->n; c++) /* concepts in a circle have no root */
        ok = seen[c] || number_below(w, c, &next, seen);
    med_free(seen);
    return ok;
}

/* Sizes of subtrees: in preorder a concept comes before all that hangs below it. */
static bool measure(work *w)
{
    built_tree *t = w->t;
    if (!med_row_resize(&w->size, w->n, 4))
        return false;
    for (uint32_t i = w->n; i > 0; i--) {
        uint32_t c = AT(t->order, i - 1);
        AT(w->size, c)++;
        if (AT(t->parent_first, c) == AT(t->parent_first, c + 1))
            continue;
        uint32_t parent = AT(t->parents, AT(t->parent_first, c));
        if (AT(t->pre, parent) < AT(t->pre, c)) /* not so where a circle was cut */
            AT(w->size, parent) += AT(w->size, c);
    }
    return true;
}

static int by_low(const void *a, const void *b)
{
    const struct image_interval *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

static bool add_interval(row_list *l, struct image_interval i)
{
    struct image_interval *row = med_row_add(l);
    if (row != NULL)
        *row = i;
    return row != NULL;
}

/* Merges what is in `scratch` into the intervals of concept c. */
static bool settle(work *w, uint32_t c)
{
    struct image_interval *in = (struct image_interval *)(void *)w->scratch.at;
    size_t n = w->scratch.n;
    qsort(in, n, sizeof *in, by_low);
    AT(w->start, c) = (uint32_t)w->made.n;
    struct image_interval now = in[0];
    for (size_t i = 1; i < n; i++) {
        if (in[i].low <= now.high + 1) {
            now.high = in[i].high > now.high ? in[i].high : now.high;
            continue;
        }
        if (!add_interval(&w->made, now))
            return false;
        now = in[i];
    }
    if (!add_interval(&w->made, now))
        return false;
    AT(w->len, c) = (uint32_t)(w->made.n - AT(w->start, c));
    return w->made.n < UINT32_MAX;
}

static bool make_one(work *w, uint32_t c)
{
    built_tree *t = w->t;
    uint32_t low = AT(t->pre, c);
    w->scratch.n = 0;
    if (!add_interval(&w->scratch, (struct image_interval){low, low + AT(w->size, c) - 1}))
        return false;
    for (uint32_t k = AT(t->child_first, c); k < AT(t->child_first, c + 1); k++) {
        uint32_t child = AT(t->children, k);
        for (uint32_t i = 0; i < AT(w->len, child); i++) {
            struct image_interval iv = ROW(w->made, struct image_interval, AT(w->start, child) + i);
            if (!add_interval(&w->scratch, iv))
                return false;
        }
    }
    return settle(w, c);
}

/* Concepts without intervals yet stand in a circle or above one, so each has a child without: going
 * down by these leads into a circle. After as many steps as there are concepts one is inside. */
static void find_circle(work *w, uint32_t c)
{
    built_tree *t = w->t;
    med_image_builder *b = w->b;
    uint32_t first = MED_CONCEPT_NONE;
    for (uint32_t step = 0; step < w->n || c != first; step++) {
        uint32_t k = AT(t->child_first, c);
        while (AT(w->len, AT(t->children, k)) > 0)
            k++;
        if (step >= w->n && b->n_circle < MED_CIRCLE)
            b->circle[b->n_circle++] = c;
        if (step == w->n)
            first = c;
        c = AT(t->children, k);
    }
}

/* Children before parents. Whatever stands in a circle, or above one, comes last as it is. */
static bool make_intervals(work *w)
{
    built_tree *t = w->t;
    uint32_t done = 0;
    if (!med_row_resize(&w->waiting, w->n, 4) || !med_row_resize(&w->start, w->n, 4)
        || !med_row_resize(&w->len, w->n, 4))
        return false;
    w->ready.n = 0;
    for (uint32_t c = 0; c < w->n; c++) {
        AT(w->waiting, c) = AT(t->child_first, c + 1) - AT(t->child_first, c);
        if (AT(w->waiting, c) == 0 && !push(&w->ready, c))
            return false;
    }
    while (w->ready.n > 0) {
        uint32_t c = AT(w->ready, --w->ready.n);
        if (!make_one(w, c))
            return false;
        done++;
        for (uint32_t k = AT(t->parent_first, c); k < AT(t->parent_first, c + 1); k++) {
            uint32_t parent = AT(t->parents, k);
            if (--AT(w->waiting, parent) == 0 && !push(&w->ready, parent))
                return false;
        }
    }
    for (uint32_t i = w->n; i > 0 && done < w->n; i--) {
        if (w->b->n_circle == 0 && AT(w->len, AT(t->order, i - 1)) == 0)
            find_circle(w, AT(t->order, i - 1));
        uint32_t c = AT(t->order, i - 1);
        if (AT(w->len, c) == 0 && !make_one(w, c))
            return false;
    }
    return true;
}

static bool place_intervals(work *w)
{
    built_tree *t = w->t;
    size_t n = 0;
    for (uint32_t c = 0; c < w->n; c++)
        n += AT(w->len, c);
    if (!med_row_resize(&t->interval_first, (size_t)w->n + 1, 4)
        || !med_row_resize(&t->intervals, n, sizeof(struct image_interval)))
        return false;
    uint32_t to = 0;
    for (uint32_t c = 0; c < w->n; c++) {
        uint32_t len = AT(w->len, c);
        memcpy(&ROW(t->intervals, struct image_interval, to),
               &ROW(w->made, struct image_interval, AT(w->start, c)),
               len * sizeof(struct image_interval));
        to += len;
        AT(t->interval_first, c + 1) = to;
    }
    return true;
}

bool med_builder_tree(med_image_builder *b, built_tree *out)
{
    *out = (built_tree){.any = b->parents.n > 0};
    if (!out->any)
        return true;
    work w = {.b = b, .n = (uint32_t)b->codes.n, .t = out};
    w.ready.size = 4;
    w.made.size = w.scratch.size = sizeof(struct image_interval);
    bool ok = link_concepts(b, out) && number_all(&w) && measure(&w) && make_intervals(&w)
              && place_intervals(&w);
    row_list *all[] = {&w.size, &w.waiting, &w.ready, &w.start, &w.len, &w.made, &w.scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        med_row_free(all[i]);
    if (!ok)
        med_builder_fail_memory(b);
    return ok;
}

void med_built_tree_free(built_tree *t)
{
    row_list *all[] = {&t->parent_first, &t->parents, &t->child_first,    &t->children,
                       &t->pre,          &t->order,   &t->interval_first, &t->intervals};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        med_row_free(all[i]);
}
