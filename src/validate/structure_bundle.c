/* structure_bundle.c - https://hl7.org/fhir/R4/bundle.html#bundle-unique
 * https://hl7.org/fhir/R4/documents.html https://hl7.org/fhir/R4/messaging.html
 *
 * What its invariants do not say: that an entry's address is one, and that of the resource in
 * it; and that a document or message brings along what its head refers to. */
#include <stdlib.h>

#include "model/reference.h"
#include "model/walk.h"
#include "validate/structure_check.h"

/* An address, and `Type/id` of the resource, under which an entry can be meant. */
struct addresses {
    med_str *at;
    size_t n;
};

struct head {
    med_check *c;
    const struct addresses *known;
};

static med_str text_of(med_check *c, uint32_t object, med_str key, uint32_t *node)
{
    med_str text = MED_STR_EMPTY;
    *node = med_json_member(c->j, object, key);
    if (*node == 0 || med_json_kind_at(c->j, *node) != MED_JSON_STRING)
        return MED_STR_EMPTY;
    if (!med_json_string(c->a, c->j, *node, &text))
        c->out_of_memory = true;
    return text;
}

/* ---- addresses ---- */

/* "https://host/fhir/Patient/1": a resource's address must end with its type and id. */
static void check_address(med_check *c, uint32_t node, med_str url, med_str type, med_str id)
{
    med_reference r;
    med_err err = {0};
    if (med_str_find(url, ':', 0) == url.len) {
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE,
                          "the fullUrl of an entry is absolute: https://..., or urn:uuid:...");
        return;
    }
    if (!med_str_starts(url, MED_STR("http")) || id.len == 0
        || !med_reference_parse(c->p, url, MED_STR_EMPTY, &r, &err) || r.type.len == 0)
        return;
    if (!med_str_eq(r.id, id) || !med_str_eq(r.type, type))
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE,
                          "the fullUrl does not end with the type and the id of the resource");
}

static void check_entry(med_check *c, uint32_t entry, bool must_have)
{
    uint32_t node, unused;
    med_str url = text_of(c, entry, MED_STR("fullUrl"), &node);
    uint32_t resource = med_json_member(c->j, entry, MED_STR("resource"));
    bool is_object = resource != 0 && med_json_kind_at(c->j, resource) == MED_JSON_OBJECT;
    if (must_have && node == 0)
        med_check_problem(c, entry, "fullUrl", MED_ISSUE_REQUIRED,
                          "an entry of a document or message needs its fullUrl");
    if (must_have && !is_object)
        med_check_problem(c, entry, "resource", MED_ISSUE_REQUIRED,
                          "an entry of a document or message is a resource");
    if (url.len > 0 && is_object)
        check_address(c, node, url, text_of(c, resource, MED_STR("resourceType"), &unused),
                      text_of(c, resource, MED_STR("id"), &unused));
}

/* ---- documents and messages ---- */

static int by_text(const void *a, const void *b)
{
    return med_str_compare(*(const med_str *)a, *(const med_str *)b);
}

static bool gather(med_check *c, uint32_t list, struct addresses *out)
{
    const med_json_node *nodes = c->j->nodes;
    uint32_t unused;
    *out = (struct addresses){MED_TAKE(c->a, (size_t)nodes[list].count * 2, med_str), 0};
    if (out->at == NULL)
        return false;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        if (med_json_kind_at(c->j, e) != MED_JSON_OBJECT)
            continue;
        out->at[out->n++] = text_of(c, e, MED_STR("fullUrl"), &unused);
        uint32_t resource = med_json_member(c->j, e, MED_STR("resource"));
        if (resource == 0)
            continue;
        med_str id = text_of(c, resource, MED_STR("id"), &unused);
        med_str type = text_of(c, resource, MED_STR("resourceType"), &unused);
        med_str local = med_arena_printf(c->a, "%.*s/%.*s", MED_STR_ARG(type), MED_STR_ARG(id));
        out->at[out->n++] = local;
        if (local.len == 0)
            return false;
    }
    qsort(out->at, out->n, sizeof *out->at, by_text);
    return true;
}

/* An address of elsewhere need not come along. */
static bool look_for(void *arg, const med_reference_walk *at, uint32_t reference, uint32_t text,
                     med_err *err)
{
    struct head *h = arg;
    med_check *c = h->c;
    med_reference r;
    med_err why = {0};
    med_str url = MED_STR_EMPTY;
    (void)at;
    (void)err;
    if (med_json_kind_at(c->j, text) != MED_JSON_STRING)
        return true;
    if (!med_json_string(c->a, c->j, text, &url)) {
        c->out_of_memory = true;
        return true;
    }
    if (!med_reference_parse(c->p, url, MED_STR_EMPTY, &r, &why)
        || (r.kind != MED_REFERENCE_LOCAL && r.kind != MED_REFERENCE_URN))
        return true;
    med_str whole = url;
    if (r.kind == MED_REFERENCE_LOCAL && r.version.len > 0)
        whole = med_arena_printf(c->a, "%.*s/%.*s", MED_STR_ARG(r.type), MED_STR_ARG(r.id));
    if (bsearch(&whole, h->known->at, h->known->n, sizeof whole, by_text) == NULL)
        med_check_problem(c, reference, NULL, MED_ISSUE_NOT_FOUND,
                          "a document or message brings along what its first resource refers to; "
                          "no entry has this address");
    return true;
}

static void check_whole(med_check *c, uint32_t list)
{
    struct addresses known;
    med_err err = {0};
    med_value head;
    const med_json_node *nodes = c->j->nodes;
    if (nodes[list].count == 0 || med_json_kind_at(c->j, list + 1) != MED_JSON_OBJECT)
        return;
    uint32_t resource = med_json_member(c->j, list + 1, MED_STR("resource"));
    if (resource == 0 || !med_value_of_resource(c->p, c->j, resource, &head, &err))
        return;
    if (!gather(c, list, &known)) {
        c->out_of_memory = true;
        return;
    }
    struct head h = {c, &known};
    if (!med_walk_references(c->p, c->j, resource, head.type, look_for, &h, &err))
        c->out_of_memory = true;
}

/* ---- links ---- */

static void check_links(med_check *c, uint32_t bundle)
{
    const med_json_node *nodes = c->j->nodes;
    uint32_t list = med_json_member(c->j, bundle, MED_STR("link"));
    static const char *const once[] = {"self", "first", "last", "previous", "prev", "next"};
    unsigned seen = 0;
    if (list == 0 || med_json_kind_at(c->j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        uint32_t node;
        med_str relation = text_of(c, e, MED_STR("relation"), &node);
        for (unsigned i = 0; i < sizeof once / sizeof *once; i++) {
            if (!med_str_eqz(relation, once[i]))
                continue;
            if ((seen >> i & 1) != 0)
                med_check_problem(c, e, NULL, MED_ISSUE_VALUE, "a second link '%s'", once[i]);
            seen |= 1U << i;
        }
    }
}

void med_check_bundle(med_check *c, const med_check_frame *f)
{
    const med_json_node *nodes = c->j->nodes;
    uint32_t node;
    med_str type = text_of(c, f->node, MED_STR("type"), &node);
    bool is_whole = med_str_eqz(type, "document") || med_str_eqz(type, "message");
    uint32_t list = med_json_member(c->j, f->node, MED_STR("entry"));
    check_links(c, f->node);
    if (list == 0 || med_json_kind_at(c->j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        if (med_json_kind_at(c->j, e) == MED_JSON_OBJECT)
            check_entry(c, e, is_whole);
    }
    if (is_whole)
        check_whole(c, list);
}
