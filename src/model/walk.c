/* walk.c - see walk.h.
 *
 * An explicit stack of two kinds of frames: an object whose keys are looked up in a node of
 * the trie, and the values of one property (one, or a JSON array), each offered to the
 * branches of its edge. Values that nothing leads into need no frame: they are emitted on the
 * spot. The trie is at most PACK_DEPTH deep, so the stack has a fixed size. */
#include "model/walk.h"

#include "model/pack_format.h"
#include "model/reference.h"

enum { STACK = 2 * PACK_DEPTH + 2, SHORT_TEXT = 512 };

/* The values of a property: the present one, and what stands behind the last. */
struct values {
    const struct pack_edge *edge;
    uint32_t at, end;
    uint32_t index;                    /* of the present one */
    uint32_t extension, extension_end; /* the `_property` beside the present one, if any */
    uint32_t next_branch;
};

struct object {
    const struct pack_node *wanted;
    uint32_t node;
    uint32_t at, end;    /* next key */
    bool has_extensions; /* a key begins with '_' */
    bool knows_extensions;
};

struct frame {
    bool is_object;
    union {
        struct object object;
        struct values values;
    } is;
};

struct walk {
    const med_pack *p;
    const med_json *j;
    uint32_t root;
    med_walk_emit emit;
    void *arg;
    med_err *err;
    int depth;
    struct frame stack[STACK];
};

/* ---- looking up ---- */

static inline const struct pack_edge *find_edge_named(const med_pack *p,
                                                      const struct pack_node *node,
                                                      struct med_name name, const char *text)
{
    const uint16_t *slots = pack_slot_at(p, node->names.first);
    const struct pack_edge *edges = pack_edge_at(p, node->edges.first);
    uint32_t mask = node->names.mask;
    for (uint32_t at = med_name_hash(name) & mask; slots[at] != PACK_EMPTY_SLOT;
         at = (at + 1) & mask) {
        const struct pack_edge *e = &edges[slots[at]];
        if (pack_name_is(p, &e->name, name, text))
            return e;
    }
    return NULL;
}

/* A key with escapes (nobody writes such keys, but they are legal) or at the text's very end.
 * Kept out of line, since the buffer would be cleared for each key. */
static __attribute__((noinline)) const struct pack_edge *
find_edge_slowly(const struct walk *w, const struct pack_node *node, uint32_t key)
{
    char buffer[PACK_NAME * 2];
    med_str name;
    if (!med_json_string_into(w->j, key, buffer, sizeof buffer, &name))
        return NULL;
    return find_edge_named(w->p, node, med_name_of(name), name.ptr);
}

static inline const struct pack_edge *find_edge(const struct walk *w, const struct pack_node *node,
                                                uint32_t key)
{
    const med_json_node *k = &w->j->nodes[key];
    med_str name = med_json_raw(w->j, key);
    if (k->escaped || k->at + sizeof(uint64_t) > w->j->text.len)
        return find_edge_slowly(w, node, key);
    return find_edge_named(w->p, node, med_name_of_padded(name), name.ptr);
}

/* The `_property` beside `key` in the object of a frame, or 0. */
static uint32_t find_extension(const struct walk *w, struct object *o, uint32_t key)
{
    const med_json_node *nodes = w->j->nodes;
    uint32_t end = o->end;
    if (!o->knows_extensions) {
        o->knows_extensions = true;
        for (uint32_t k = o->node + 1; k < end && !o->has_extensions; k = nodes[k + 1].next)
            o->has_extensions = nodes[k].len > 0 && w->j->text.ptr[nodes[k].at] == '_';
    }
    if (!o->has_extensions)
        return 0;
    med_str name = med_json_raw(w->j, key);
    for (uint32_t k = o->node + 1; k < end; k = nodes[k + 1].next) {
        med_str other = med_json_raw(w->j, k);
        if (other.len == name.len + 1 && other.ptr[0] == '_'
            && memcmp(other.ptr + 1, name.ptr, name.len) == 0)
            return k + 1;
    }
    return 0;
}

static __attribute__((noinline)) med_type own_type(const struct walk *w, med_type type,
                                                   uint32_t value)
{
    uint32_t name = med_json_member(w->j, value, MED_STR("resourceType"));
    if (name == 0 || med_json_kind_at(w->j, name) != MED_JSON_STRING)
        return type;
    med_type own = med_pack_type(w->p, med_json_raw(w->j, name));
    return own == MED_TYPE_NONE ? type : own;
}

/* The type of a value: its own word for it where the element only says "a resource". */
static inline med_type type_of_value(const struct walk *w, med_type type, uint32_t value)
{
    return type == w->p->resource_type ? own_type(w, type, value) : type;
}

static inline bool fits_type(const struct walk *w, const struct pack_edge *e, uint32_t value)
{
    enum med_json_kind kind = med_json_kind_at(w->j, value);
    if ((e->flags & PACK_EDGE_PRIMITIVE) == 0)
        return kind == MED_JSON_OBJECT;
    return kind != MED_JSON_OBJECT && kind != MED_JSON_ARRAY && kind != MED_JSON_NULL;
}

/* ---- filters ---- */

/* The type of the contained resource with that id, or MED_TYPE_NONE. */
static med_type type_of_contained(const struct walk *w, med_str id)
{
    uint32_t list = med_json_member(w->j, w->root, MED_STR("contained"));
    if (list == 0 || id.len == 0 || med_json_kind_at(w->j, list) != MED_JSON_ARRAY)
        return MED_TYPE_NONE;
    for (uint32_t e = list + 1; e < w->j->nodes[list].next; e = w->j->nodes[e].next) {
        uint32_t own = med_json_member(w->j, e, MED_STR("id"));
        if (own != 0 && med_json_kind_at(w->j, own) == MED_JSON_STRING
            && med_json_string_is(w->j, own, id))
            return type_of_value(w, w->p->resource_type, e);
    }
    return MED_TYPE_NONE;
}

static med_type type_of_reference(const struct walk *w, med_str text)
{
    if (text.len > 0 && text.ptr[0] == '#')
        return type_of_contained(w, med_str_skip(text, 1));
    return med_reference_type(w->p, text);
}

/* "Patient\/1": some writers escape every slash. */
static __attribute__((noinline)) med_type type_of_escaped(const struct walk *w, uint32_t text)
{
    char buffer[SHORT_TEXT];
    med_str s;
    return med_json_string_into(w->j, text, buffer, sizeof buffer, &s) ? type_of_reference(w, s)
                                                                       : MED_TYPE_NONE;
}

/* What a reference says of the type of what it names. */
static bool resolves_to(const struct walk *w, uint32_t value, med_type wanted)
{
    uint32_t text = value;
    if (med_json_kind_at(w->j, value) == MED_JSON_OBJECT)
        text = med_json_member(w->j, value, MED_STR("reference"));
    med_type type = MED_TYPE_NONE;
    if (text != 0 && med_json_kind_at(w->j, text) == MED_JSON_STRING)
        type = w->j->nodes[text].escaped ? type_of_escaped(w, text)
                                         : type_of_reference(w, med_json_raw(w->j, text));
    if (type != MED_TYPE_NONE || med_json_kind_at(w->j, value) != MED_JSON_OBJECT)
        return type == wanted;
    uint32_t said = med_json_member(w->j, value, MED_STR("type"));
    return said != 0 && med_json_kind_at(w->j, said) == MED_JSON_STRING
           && med_json_string_is(w->j, said, med_type_name(w->p, wanted));
}

static bool passes(const struct walk *w, const struct pack_filter *f, uint32_t value)
{
    switch ((enum pack_filter_kind)f->kind) {
    case PACK_FILTER_RESOLVES_TO:
        return resolves_to(w, value, (med_type)f->type);
    case PACK_FILTER_RESOURCE_IS:
        return med_type_is_a(w->p, type_of_value(w, w->p->resource_type, value), (med_type)f->type);
    case PACK_FILTER_EQUALS: {
        uint32_t member = med_json_member(w->j, value, pack_string(w->p, f->key));
        return member != 0 && med_json_kind_at(w->j, member) == MED_JSON_STRING
               && med_json_string_is(w->j, member, pack_string(w->p, f->value));
    }
    }
    return false;
}

static bool passes_all(const struct walk *w, const struct pack_branch *b, uint32_t value)
{
    for (uint32_t i = 0; i < b->filters.n; i++) {
        if (!passes(w, pack_filter_at(w->p, b->filters.first + i), value))
            return false;
    }
    return true;
}

/* ---- walking ---- */

static inline bool emit_all(struct walk *w, const struct pack_branch *b, uint32_t value,
                            uint32_t extension, med_type type)
{
    med_walk_value v = {0, value, extension, type_of_value(w, type, value)};
    const uint32_t *params = pack_param_list_at(w->p, b->emits.first);
    for (uint32_t i = 0; i < b->emits.n; i++) {
        v.param = params[i];
        if (!w->emit(w->arg, &v, w->err))
            return false;
    }
    return true;
}

static inline void enter(struct walk *w, const struct pack_branch *b, uint32_t value)
{
    struct frame *f = &w->stack[w->depth++];
    f->is_object = true;
    f->is.object.wanted = pack_node_at(w->p, b->child);
    f->is.object.node = value;
    f->is.object.at = value + 1;
    f->is.object.end = w->j->nodes[value].next;
    f->is.object.has_extensions = f->is.object.knows_extensions = false;
}

/* Offers a value to a branch: emits it, and goes into it if something inside is wanted. */
static inline bool take_branch(struct walk *w, const struct pack_branch *b, uint32_t value,
                               uint32_t extension, med_type type)
{
    if (b->filters.n > 0 && !passes_all(w, b, value))
        return true;
    if (b->emits.n > 0 && !emit_all(w, b, value, extension, type))
        return false;
    if (b->child != PACK_NONE && med_json_kind_at(w->j, value) == MED_JSON_OBJECT)
        enter(w, b, value);
    return true;
}

static struct values values_of(const struct walk *w, struct object *o, uint32_t key,
                               const struct pack_edge *e)
{
    uint32_t value = key + 1;
    bool is_array = med_json_kind_at(w->j, value) == MED_JSON_ARRAY;
    struct values v = {
        .edge = e, .at = is_array ? value + 1 : value, .end = w->j->nodes[value].next};
    if ((e->flags & PACK_EDGE_PRIMITIVE) == 0 || (e->flags & PACK_EDGE_EMITS) == 0)
        return v;
    uint32_t extension = find_extension(w, o, key);
    if (extension != 0 && (med_json_kind_at(w->j, extension) == MED_JSON_ARRAY) == is_array) {
        v.extension = is_array ? extension + 1 : extension;
        v.extension_end = w->j->nodes[extension].next;
    }
    return v;
}

static uint32_t extension_of(const struct walk *w, const struct values *v)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): frames are filled first */
    bool has =
        v->extension < v->extension_end && med_json_kind_at(w->j, v->extension) == MED_JSON_OBJECT;
    return has ? v->extension : 0;
}

static void next_value(const struct walk *w, struct values *v)
{
    v->next_branch = 0;
    v->index++;
    v->at = w->j->nodes[v->at].next;
    if (v->extension < v->extension_end)
        v->extension = w->j->nodes[v->extension].next;
}

/* The present value to the next branch, or on to the next value. */
static bool step_values(struct walk *w, struct values *v)
{
    const struct pack_edge *e = v->edge;
    if (v->next_branch == e->branches.n || !fits_type(w, e, v->at)) {
        next_value(w, v);
        return true;
    }
    const struct pack_branch *b = pack_branch_at(w->p, e->branches.first + v->next_branch++);
    if (b->index != PACK_NONE && b->index != v->index)
        return true;
    return take_branch(w, b, v->at, extension_of(w, v), e->type);
}

/* The commonest case: one value, not an array, that nothing leads into. */
static inline bool take_single(struct walk *w, struct object *o, uint32_t key,
                               const struct pack_edge *e)
{
    uint32_t extension = 0;
    if (!fits_type(w, e, key + 1))
        return true;
    if ((e->flags & PACK_EDGE_PRIMITIVE) != 0) {
        extension = find_extension(w, o, key);
        if (extension != 0 && med_json_kind_at(w->j, extension) != MED_JSON_OBJECT)
            extension = 0;
    }
    const struct pack_branch *b = pack_branch_at(w->p, e->branches.first);
    for (uint32_t i = 0; i < e->branches.n; i++, b++) {
        if (b->index != PACK_NONE && b->index != 0)
            continue;
        if ((b->filters.n == 0 || passes_all(w, b, key + 1))
            && !emit_all(w, b, key + 1, extension, e->type))
            return false;
    }
    return true;
}

/* Goes through the keys of an object up to one whose value has to be gone into; that becomes
 * a frame. */
static bool step_object(struct walk *w, struct object *o)
{
    while (o->at < o->end) {
        uint32_t key = o->at;
        o->at = w->j->nodes[key + 1].next;
        const struct pack_edge *e = find_edge(w, o->wanted, key);
        if (e == NULL)
            continue;
        if ((e->flags & PACK_EDGE_INNER) != 0) {
            struct frame *f = &w->stack[w->depth++];
            f->is_object = false;
            f->is.values = values_of(w, o, key, e);
            return true;
        }
        if (med_json_kind_at(w->j, key + 1) != MED_JSON_ARRAY) {
            if (!take_single(w, o, key, e))
                return false;
            continue;
        }
        struct values v = values_of(w, o, key, e);
        while (v.at < v.end) {
            if (!step_values(w, &v))
                return false;
        }
    }
    w->depth--;
    return true;
}

static bool run(struct walk *w)
{
    while (w->depth > 0) {
        struct frame *f = &w->stack[w->depth - 1];
        bool go_on = true;
        if (f->is_object)
            go_on = step_object(w, &f->is.object);
        else if (f->is.values.at < f->is.values.end)
            go_on = step_values(w, &f->is.values);
        else
            w->depth--;
        if (!go_on)
            return false;
    }
    return true;
}

static bool walk_from(const med_pack *p, const med_json *j, uint32_t root, uint32_t branch,
                      uint32_t start, med_type type, med_walk_emit emit, void *arg, med_err *err)
{
    struct walk w MED_UNINITIALIZED; /* frames are filled before they are read */
    w.p = p;
    w.j = j;
    w.root = root;
    w.emit = emit;
    w.arg = arg;
    w.err = err;
    w.depth = 0;
    return take_branch(&w, pack_branch_at(p, branch), start, 0, type) && run(&w);
}

bool med_walk(const med_pack *p, const med_json *j, uint32_t root, med_type resource,
              med_walk_emit emit, void *arg, med_err *err)
{
    uint32_t branch = pack_type_at(p, resource)->root;
    if (branch == PACK_NONE)
        return true;
    return walk_from(p, j, root, branch, root, resource, emit, arg, err);
}

bool med_walk_component(const med_pack *p, const med_json *j, uint32_t root, med_type resource,
                        const med_walk_value *composite, size_t component, med_walk_emit emit,
                        void *arg, med_err *err)
{
    struct pack_range parts = pack_param_at(p, composite->param)->components;
    if (component >= parts.n)
        return true;
    const struct pack_component *c = pack_component_at(p, parts.first + component);
    for (uint32_t i = 0; i < c->roots.n; i++) {
        const struct pack_root *r = pack_root_at(p, c->roots.first + i);
        uint32_t start = r->from_resource ? root : composite->node;
        med_type type = r->from_resource ? resource : composite->type;
        if (r->type == type)
            return walk_from(p, j, root, r->branch, start, type, emit, arg, err);
    }
    return true;
}

const uint32_t *med_walk_rest(const med_pack *p, med_type resource, size_t *n)
{
    struct pack_range rest = pack_type_at(p, resource)->rest;
    *n = rest.n;
    return pack_param_list_at(p, rest.first);
}
