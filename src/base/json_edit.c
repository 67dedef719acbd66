/* json_edit.c - see json_edit.h.
 *
 * The edits are sorted by node, so that those of the value at hand are always the next ones.
 * A container that is gone into is remembered on a stack with its edits: what goes to its end
 * or behind it is written when the walk comes back. */
#include "base/json_edit.h"

#include <stdlib.h>

struct frame {
    uint32_t node;
    const med_json_edit *const *edits; /* those of `node` itself */
    size_t n;
};

struct walk {
    const med_json *j;
    med_json_writer w;
    const med_json_edit *const *next; /* sorted; what is before is done */
    const med_json_edit *const *end;
    struct frame frames[MED_JSON_DEPTH];
    int depth;
    med_err *err;
};

/* By node, then kind, then place in the list (the pointers are into the list). */
static int compare_edits(const void *x, const void *y)
{
    const med_json_edit *a = *(const med_json_edit *const *)x;
    const med_json_edit *b = *(const med_json_edit *const *)y;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a > b) - (a < b);
}

static bool is_container(const struct walk *s, uint32_t i)
{
    enum med_json_kind kind = med_json_kind_at(s->j, i);
    return kind == MED_JSON_OBJECT || kind == MED_JSON_ARRAY;
}

static bool in_object(const struct walk *s)
{
    return s->depth > 0 && med_json_kind_at(s->j, s->frames[s->depth - 1].node) == MED_JSON_OBJECT;
}

/* Writes JSON text without white space outside strings. */
static void write_text(struct walk *s, med_str text)
{
    med_json_raw_value(&s->w, MED_STR_EMPTY); /* the comma */
    size_t from = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && med_is_space(c)) {
            med_buf_add(s->w.out, med_str_sub(text, from, i));
            from = i + 1;
        }
    }
    med_buf_add(s->w.out, med_str_skip(text, from));
}

/* Writes what the edits of one kind insert into the container (an object or not) at hand. */
static bool insert(struct walk *s, const struct frame *of, enum med_json_edit_kind kind,
                   bool object)
{
    for (size_t i = 0; i < of->n; i++) {
        const med_json_edit *edit = of->edits[i];
        if (edit->kind != kind)
            continue;
        if (object && edit->key.len == 0)
            return MED_FAIL(s->err, MED_ISSUE_PROCESSING, "a member is inserted without a key");
        if (object)
            med_json_key(&s->w, edit->key);
        write_text(s, edit->text);
    }
    return true;
}

/* Takes the edits of node i off the list, and sees that they make sense together. *change is
 * the one that replaces or removes the value, or NULL. */
static bool take_edits(struct walk *s, uint32_t i, struct frame *of, const med_json_edit **change)
{
    *of = (struct frame){.node = i, .edits = s->next};
    *change = NULL;
    for (; s->next < s->end && (*s->next)->node == i; s->next++, of->n++) {
        const med_json_edit *edit = *s->next;
        bool inside = edit->kind == MED_JSON_INSERT_FIRST || edit->kind == MED_JSON_INSERT_LAST;
        bool beside = edit->kind == MED_JSON_INSERT_BEFORE || edit->kind == MED_JSON_INSERT_AFTER;
        if (s->depth == 0 && (beside || edit->kind == MED_JSON_REMOVE))
            return MED_FAIL(s->err, MED_ISSUE_PROCESSING,
                            "the whole document can not be removed and has no neighbours");
        if (inside && !is_container(s, i))
            return MED_FAIL(s->err, MED_ISSUE_PROCESSING,
                            "something is inserted into a value that is no object and no array");
        if (*change != NULL && !beside)
            return MED_FAIL(s->err, MED_ISSUE_PROCESSING, "a value is changed twice");
        if (!inside && !beside)
            *change = edit;
    }
    if (*change != NULL && s->next < s->end && (*s->next)->node < s->j->nodes[i].next)
        return MED_FAIL(s->err, MED_ISSUE_PROCESSING,
                        "something is changed inside a value that is removed or replaced");
    return true;
}

/* Goes into container i: its children are next. */
static bool enter(struct walk *s, const struct frame *of)
{
    bool object = med_json_kind_at(s->j, of->node) == MED_JSON_OBJECT;
    med_json_open(&s->w, object ? '{' : '[');
    s->frames[s->depth++] = *of;
    return insert(s, of, MED_JSON_INSERT_FIRST, object);
}

/* Comes back out of every container that ends before node i. */
static bool leave(struct walk *s, uint32_t i)
{
    while (s->depth > 0 && s->j->nodes[s->frames[s->depth - 1].node].next == i) {
        const struct frame of = s->frames[s->depth - 1];
        bool object = in_object(s);
        if (!insert(s, &of, MED_JSON_INSERT_LAST, object))
            return false;
        med_json_close(&s->w, object ? '}' : ']');
        s->depth--;
        if (!insert(s, &of, MED_JSON_INSERT_AFTER, in_object(s)))
            return false;
    }
    return true;
}

/* Writes value i with its key, if it has one, and its edits. Leaves in *i what comes next:
 * the first child of a container that is changed within, else what stands behind. */
static bool visit(struct walk *s, uint32_t *i)
{
    bool member = in_object(s);
    uint32_t value = *i + member;
    if (member && s->next < s->end && (*s->next)->node == *i)
        return MED_FAIL(s->err, MED_ISSUE_PROCESSING, "an edit names a key; name its value");
    struct frame of;
    const med_json_edit *change;
    if (!take_edits(s, value, &of, &change) || !insert(s, &of, MED_JSON_INSERT_BEFORE, member))
        return false;
    uint32_t behind = s->j->nodes[value].next;
    if (member && (change == NULL || change->kind == MED_JSON_REPLACE))
        med_json_raw_key(&s->w, med_json_span(s->j, value - 1));
    bool inside = s->next < s->end && (*s->next)->node < behind;
    for (size_t k = 0; k < of.n; k++)
        inside |=
            of.edits[k]->kind == MED_JSON_INSERT_FIRST || of.edits[k]->kind == MED_JSON_INSERT_LAST;
    if (inside) {
        *i = value + 1;
        return enter(s, &of);
    }
    *i = behind;
    if (change == NULL)
        med_json_value(&s->w, s->j, value);
    else if (change->kind == MED_JSON_REPLACE)
        write_text(s, change->text);
    return insert(s, &of, MED_JSON_INSERT_AFTER, member);
}

static bool run(struct walk *s, uint32_t root)
{
    uint32_t i = root;
    do {
        if (!visit(s, &i) || !leave(s, i))
            return false;
    } while (s->depth > 0);
    return true;
}

bool med_json_edit_apply(med_arena *a, const med_json *j, uint32_t root, const med_json_edit *edits,
                         size_t n, med_buf *out, med_err *err)
{
    const med_json_edit **sorted = MED_TAKE(a, n, const med_json_edit *);
    if (sorted == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &edits[i];
    qsort(sorted, n, sizeof(const med_json_edit *), compare_edits);
    if (n > 0 && (sorted[0]->node < root || sorted[n - 1]->node >= j->nodes[root].next))
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "an edit lies outside the document");
    struct walk s = {
        .j = j, .w = med_json_writer_to(out), .next = sorted, .end = sorted + n, .err = err};
    size_t before = out->len;
    bool good = run(&s, root);
    if (good && out->failed)
        good = MED_FAIL_MEMORY(err);
    if (!good)
        out->len = before;
    return good;
}
