/* walk_references.c - every Reference of a resource. See walk.h.
 *
 * Follows the types, since `reference` is also a plain uri in Expression, DetectedIssue and
 * Immunization.education. */
#include "base/buf.h"
#include "model/walk.h"

#include "model/pack_format.h"

enum { STACK = MED_JSON_DEPTH + 1, EXPRESSION_MAX = 1 << 16 };

struct frame {
    uint32_t at, end; /* next key of an object, next element of an array */
    uint32_t node;
    uint32_t key;  /* under which it stands in the frame below, if that is an object */
    uint32_t n;    /* of an array: elements seen, the present one included */
    med_type type; /* of the object, or of the array's elements */
    bool is_object;
};

struct med_reference_walk {
    const med_pack *p;
    const med_json *j;
    int depth;
    struct frame stack[STACK];
};

static med_type type_of_object(const struct med_reference_walk *w, med_type type, uint32_t object)
{
    if (type != w->p->resource_type)
        return type;
    uint32_t name = med_json_member(w->j, object, MED_STR("resourceType"));
    if (name == 0 || med_json_kind_at(w->j, name) != MED_JSON_STRING)
        return MED_TYPE_NONE;
    return med_pack_type(w->p, med_json_raw(w->j, name));
}

/* An object or an array becomes a frame; what can not hold a Reference does not. */
static void enter(struct med_reference_walk *w, uint32_t key, uint32_t value, med_type type)
{
    enum med_json_kind kind = med_json_kind_at(w->j, value);
    if ((kind != MED_JSON_OBJECT && kind != MED_JSON_ARRAY) || w->depth == STACK)
        return;
    bool is_object = kind == MED_JSON_OBJECT;
    if (is_object)
        type = type_of_object(w, type, value);
    if (type == MED_TYPE_NONE)
        return;
    w->stack[w->depth++] =
        (struct frame){value + 1, w->j->nodes[value].next, value, key, 0, type, is_object};
}

/* What stands at a key. `_birthDate` holds what every element has. */
static bool property_at_key(const struct med_reference_walk *w, med_type owner, uint32_t key,
                            med_property *out)
{
    char buffer[PACK_NAME * 2] MED_UNINITIALIZED;
    med_str name;
    if (!med_json_string_into(w->j, key, buffer, sizeof buffer, &name))
        return false;
    if (name.len > 0 && name.ptr[0] == '_')
        name = med_str_skip(name, 1);
    return med_type_property(w->p, owner, name, out);
}

static med_type type_at_key(const struct med_reference_walk *w, med_type owner, uint32_t key)
{
    med_property property;
    return property_at_key(w, owner, key, &property) ? property.type : MED_TYPE_NONE;
}

/* Only what has a property became a frame, so the names are the definitions' own. */
static void add_step(const struct med_reference_walk *w, int depth, med_buf *out)
{
    const struct frame *below = &w->stack[depth - 1];
    med_property property;
    med_element element;
    if (!below->is_object) {
        med_buf_addc(out, '[');
        med_buf_add_u64(out, below->n - 1);
        med_buf_addc(out, ']');
    } else if (property_at_key(w, below->type, w->stack[depth].key, &property)) {
        med_type_element(w->p, below->type, property.element, &element);
        med_buf_addc(out, '.');
        med_buf_add(out, element.name);
    }
}

bool med_reference_walk_expression(const med_reference_walk *at, med_arena *a, med_str *out)
{
    med_buf text;
    med_buf_init(&text, EXPRESSION_MAX);
    med_buf_add(&text, med_type_name(at->p, at->stack[0].type));
    for (int i = 1; i < at->depth; i++)
        add_step(at, i, &text);
    bool ok = !text.failed && med_arena_copy(a, med_buf_str(&text), out);
    med_buf_free(&text);
    return ok;
}

static bool is_fragment(const med_json *j, uint32_t text)
{
    return j->nodes[text].len > 0 && j->text.ptr[j->nodes[text].at] == '#';
}

bool med_walk_references(const med_pack *p, const med_json *j, uint32_t root, med_type resource,
                         med_reference_emit emit, void *arg, med_err *err)
{
    struct med_reference_walk w MED_UNINITIALIZED;
    w.p = p;
    w.j = j;
    w.depth = 0;
    enter(&w, 0, root, resource);
    while (w.depth > 0) {
        struct frame *f = &w.stack[w.depth - 1];
        if (f->at >= f->end) {
            w.depth--;
            continue;
        }
        uint32_t key = f->at;
        uint32_t value = f->is_object ? key + 1 : key;
        f->at = j->nodes[value].next;
        if (!f->is_object) {
            f->n++;
            enter(&w, 0, value, f->type);
        } else if (f->type == p->reference_type && med_json_kind_at(j, value) == MED_JSON_STRING
                   && med_json_string_is(j, key, MED_STR("reference"))) {
            if (!is_fragment(j, value) && !emit(arg, &w, f->node, value, err))
                return false;
        } else if (med_json_kind_at(j, value) >= MED_JSON_ARRAY) {
            enter(&w, key, value, type_at_key(&w, f->type, key));
        }
    }
    return true;
}
