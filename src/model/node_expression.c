/* node_expression.c - the FHIRPath of a node, for messages. See walk.h.
 *
 * Goes down from the root: at each level the one child whose subtree holds the node. */
#include "base/buf.h"
#include "model/pack_format.h"
#include "model/walk.h"

enum { EXPRESSION_MAX = 1 << 16 };

struct place {
    const med_pack *p;
    const med_json *j;
    med_type type; /* of the present object; MED_TYPE_NONE when unknown */
    uint32_t node;
    med_buf text;
};

static bool holds(const med_json *j, uint32_t at, uint32_t node)
{
    return node >= at && node < j->nodes[at].next;
}

static med_type own_type(const struct place *at)
{
    if (at->type != at->p->resource_type && at->type != MED_TYPE_NONE)
        return at->type;
    uint32_t name = med_json_member(at->j, at->node, MED_STR("resourceType"));
    if (name == 0 || med_json_kind_at(at->j, name) != MED_JSON_STRING)
        return at->type;
    return med_pack_type(at->p, med_json_raw(at->j, name));
}

/* `_birthDate` and `birthDate` are one element, and so is each type of a choice. */
static void add_name(struct place *at, uint32_t key)
{
    char buffer[PACK_NAME * 2];
    med_str name = med_json_raw(at->j, key);
    if (at->j->nodes[key].escaped
        && !med_json_string_into(at->j, key, buffer, sizeof buffer, &name))
        name = MED_STR("");
    med_str bare = name.len > 0 && name.ptr[0] == '_' ? med_str_skip(name, 1) : name;
    med_property property;
    med_buf_addc(&at->text, '.');
    if (at->type != MED_TYPE_NONE && med_type_property(at->p, at->type, bare, &property)) {
        med_element element;
        med_type_element(at->p, at->type, property.element, &element);
        med_buf_add(&at->text, element.name);
        at->type = property.type;
    } else {
        med_buf_add(&at->text, med_str_sub(name, 0, PACK_NAME));
        at->type = MED_TYPE_NONE;
    }
}

/* The member or element that holds `node`. False when the node is none of these. */
static bool go_down(struct place *at, uint32_t node)
{
    const med_json_node *nodes = at->j->nodes;
    uint32_t end = nodes[at->node].next;
    if (med_json_kind_at(at->j, at->node) == MED_JSON_OBJECT) {
        at->type = own_type(at);
        for (uint32_t k = at->node + 1; k < end; k = nodes[k + 1].next) {
            if (node != k && !holds(at->j, k + 1, node))
                continue;
            add_name(at, k);
            at->node = k + 1;
            return node != k; /* a key stands for what it names */
        }
        return false;
    }
    size_t index = 0;
    for (uint32_t e = at->node + 1; e < end; e = nodes[e].next, index++) {
        if (!holds(at->j, e, node))
            continue;
        med_buf_addc(&at->text, '[');
        med_buf_add_u64(&at->text, index);
        med_buf_addc(&at->text, ']');
        at->node = e;
        return true;
    }
    return false;
}

bool med_node_expression(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                         uint32_t node, med_str *out)
{
    struct place at = {.p = p, .j = j, .type = p->resource_type, .node = root};
    med_buf_init(&at.text, EXPRESSION_MAX);
    med_type type = own_type(&at);
    at.type = type == MED_TYPE_NONE ? at.type : type;
    med_buf_add(&at.text, type == MED_TYPE_NONE ? MED_STR("Resource") : med_type_name(p, type));
    while (at.node != node && go_down(&at, node)) {
    }
    bool ok = !at.text.failed && med_arena_copy(a, med_buf_str(&at.text), out);
    med_buf_free(&at.text);
    return ok;
}
