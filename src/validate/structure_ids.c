/* structure_ids.c - https://hl7.org/fhir/R4/element.html#id
 *
 * The id of an element is "unique within the resource", so that it can be pointed at. Looked at
 * for who asks for all, in one pass over the tape. */
#include <stdlib.h>

#include "validate/structure_check.h"

struct element_id {
    med_str text;
    uint32_t node; /* the element that has it */
};

static int by_text(const void *a, const void *b)
{
    const struct element_id *x = a, *y = b;
    int order = med_str_compare(x->text, y->text);
    return order != 0 ? order : (x->node > y->node) - (x->node < y->node);
}

/* The id of an object that is an element; resources inside have names of their own. */
static med_str id_of(const med_json *j, uint32_t object)
{
    uint32_t id = med_json_member(j, object, MED_STR("id"));
    return id == 0 || med_json_kind_at(j, id) != MED_JSON_STRING
                   || med_json_member(j, object, MED_STR("resourceType")) != 0
               ? MED_STR_EMPTY
               : med_json_raw(j, id);
}

void med_check_ids(med_check *c, const med_check_frame *f)
{
    const med_json_node *nodes = c->j->nodes;
    uint32_t root = f->node;
    size_t n = 0, room = 0;
    struct element_id *all = NULL;
    /* The elements of a snapshot have the ids of those of the differential. */
    if (med_str_eqz(med_type_name(c->p, f->type), "StructureDefinition"))
        return;
    for (uint32_t i = root + 1; i < nodes[root].next; i++) {
        if (nodes[i].kind != MED_JSON_OBJECT)
            continue;
        if (med_json_member(c->j, i, MED_STR("resourceType")) != 0) { /* it is asked by itself */
            i = nodes[i].next - 1;
            continue;
        }
        med_str id = id_of(c->j, i);
        if (id.len == 0)
            continue;
        struct element_id *more = MED_GROW(c->a, all, n, &room, 16);
        if (more == NULL) {
            c->out_of_memory = true;
            return;
        }
        all = more;
        all[n++] = (struct element_id){id, i};
    }
    if (n > 1)
        qsort(all, n, sizeof *all, by_text);
    for (size_t i = 1; i < n; i++) {
        if (med_str_eq(all[i].text, all[i - 1].text))
            med_check_problem(c, all[i].node, NULL, MED_ISSUE_DUPLICATE,
                              "another element of this resource has the same id");
    }
}
