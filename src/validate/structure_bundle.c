/* structure_bundle.c - https://hl7.org/fhir/R4/bundle.html#bundle-unique
 * https://hl7.org/fhir/R4/documents.html https://hl7.org/fhir/R4/messaging.html
 *
 * What its invariants do not say: that an entry's address is one, and that of the resource in
 * it; and that a document or message brings along what its head refers to. */
#include <stdlib.h>

#include "model/reference.h"
#include "model/walk.h"
#include "validate/structure_check.h"

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
static void check_address(med_check *c, uint32_t entry, med_str url, med_str type, med_str id,
                          bool may_lack_id)
{
    med_reference r;
    med_err err = {0};
    if (med_str_find(url, ':', 0) == url.len) {
        med_check_problem(c, entry, NULL, MED_ISSUE_VALUE,
                          "the fullUrl of an entry is absolute: https://..., or urn:uuid:...");
        return;
    }
    if (!med_str_starts(url, MED_STR("http")) || (id.len == 0 && may_lack_id)
        || !med_reference_parse(c->p, url, MED_STR_EMPTY, &r, &err) || r.type.len == 0)
        return;
    if (!med_str_eq(r.id, id) || !med_str_eq(r.type, type))
        med_check_problem(c, entry, NULL, MED_ISSUE_VALUE,
                          "the fullUrl does not end with the type and the id of the resource");
}

/* What the type of a Bundle says of its entries. */
struct kind {
    bool is_whole;    /* a document or message */
    bool may_lack_id; /* its resources are on their way to get one */
    bool is_found;    /* by a search */
};

static void check_entry(med_check *c, uint32_t entry, const struct kind *kind)
{
    uint32_t node, unused;
    med_str url = text_of(c, entry, MED_STR("fullUrl"), &node);
    uint32_t resource = med_json_member(c->j, entry, MED_STR("resource"));
    bool is_object = resource != 0 && med_json_kind_at(c->j, resource) == MED_JSON_OBJECT;
    med_str type = MED_STR_EMPTY, id = MED_STR_EMPTY;
    if (is_object) {
        type = text_of(c, resource, MED_STR("resourceType"), &unused);
        id = text_of(c, resource, MED_STR("id"), &unused);
    }
    if (kind->is_whole && node == 0)
        med_check_problem(c, entry, NULL, MED_ISSUE_REQUIRED,
                          "an entry of a document or message needs its fullUrl");
    if (kind->is_whole && !is_object)
        med_check_problem(c, entry, NULL, MED_ISSUE_REQUIRED,
                          "an entry of a document or message is a resource");
    if (url.len > 0 && is_object)
        check_address(c, entry, url, type, id, kind->may_lack_id);
    if (kind->is_found && is_object && id.len == 0 && !med_str_eqz(type, "OperationOutcome"))
        med_check_problem(c, resource, NULL, MED_ISSUE_REQUIRED,
                          "a resource that a search has found has an id");
}

/* ---- what an entry is meant by ---- */

/* One that holds a resource. */
typedef struct med_entry {
    med_str url, type, id, version;
    uint32_t node, resource;
    size_t group; /* of entries that refer to each other, as a tree: its own number is the root */
} entry;

/* Its fullUrl, or "Type/id". */
typedef struct med_entry_key {
    med_str text;
    size_t entry;
} key;

struct med_bundle_index {
    entry *entries;
    key *keys;
    size_t n, n_keys;
};

static int by_text(const void *a, const void *b)
{
    const key *x = a, *y = b;
    int order = med_str_compare(x->text, y->text);
    return order != 0 ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

static entry entry_at(med_check *c, uint32_t node, uint32_t resource, size_t number)
{
    uint32_t unused;
    uint32_t meta = med_json_member(c->j, resource, MED_STR("meta"));
    bool has_meta = meta != 0 && med_json_kind_at(c->j, meta) == MED_JSON_OBJECT;
    return (entry){
        .url = text_of(c, node, MED_STR("fullUrl"), &unused),
        .type = text_of(c, resource, MED_STR("resourceType"), &unused),
        .id = text_of(c, resource, MED_STR("id"), &unused),
        .version = has_meta ? text_of(c, meta, MED_STR("versionId"), &unused) : MED_STR_EMPTY,
        .node = node,
        .resource = resource,
        .group = number,
    };
}

static bool add_keys(med_check *c, struct med_bundle_index *x, size_t number)
{
    const entry *e = &x->entries[number];
    if (e->url.len > 0)
        x->keys[x->n_keys++] = (key){e->url, number};
    if (e->type.len == 0 || e->id.len == 0)
        return true;
    med_str local = med_arena_printf(c->a, "%.*s/%.*s", MED_STR_ARG(e->type), MED_STR_ARG(e->id));
    x->keys[x->n_keys++] = (key){local, number};
    return local.len > 0;
}

/* NULL without memory. */
static struct med_bundle_index *index_of(med_check *c, uint32_t list)
{
    const med_json_node *nodes = c->j->nodes;
    struct med_bundle_index *x = MED_TAKE(c->a, 1, struct med_bundle_index);
    if (x == NULL)
        return NULL;
    *x = (struct med_bundle_index){.entries = MED_TAKE(c->a, nodes[list].count + 1, entry),
                                   .keys = MED_TAKE(c->a, 2 * (size_t)nodes[list].count + 1, key)};
    bool ok = x->entries != NULL && x->keys != NULL;
    for (uint32_t e = list + 1; ok && e < nodes[list].next; e = nodes[e].next) {
        uint32_t resource = med_json_kind_at(c->j, e) == MED_JSON_OBJECT
                                ? med_json_member(c->j, e, MED_STR("resource"))
                                : 0;
        if (resource == 0 || med_json_kind_at(c->j, resource) != MED_JSON_OBJECT)
            continue;
        x->entries[x->n] = entry_at(c, e, resource, x->n);
        ok = add_keys(c, x, x->n++);
    }
    if (!ok)
        return NULL;
    qsort(x->keys, x->n_keys, sizeof *x->keys, by_text);
    return x;
}

/* The entries under that address, with that version if it names one: the first, and how many. */
static size_t find(const struct med_bundle_index *x, med_str text, med_str version, entry **first)
{
    size_t low = 0, high = x->n_keys, n = 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (med_str_compare(x->keys[mid].text, text) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < x->n_keys && med_str_eq(x->keys[low].text, text); low++) {
        entry *e = &x->entries[x->keys[low].entry];
        if (version.len > 0 && e->version.len > 0 && !med_str_eq(e->version, version))
            continue;
        if (n++ == 0)
            *first = e;
    }
    return n;
}

/* "https://host/fhir/" of an entry at ".../fhir/Patient/1": what its relative references begin
 * with. */
static med_str root_of(const med_check *c, const entry *e)
{
    med_reference r;
    med_err err = {0};
    if (!med_str_starts(e->url, MED_STR("http"))
        || !med_reference_parse(c->p, e->url, MED_STR_EMPTY, &r, &err) || r.type.len == 0)
        return MED_STR_EMPTY;
    return med_str_sub(e->url, 0, e->url.len - (r.type.len + 1 + r.id.len));
}

/* Where a reference in `from` leads to in its Bundle.
 * https://hl7.org/fhir/R4/bundle.html#references `may_be_elsewhere` is false of what only an entry
 * can be meant by. */
static size_t follow(med_check *c, const struct med_bundle_index *x, const entry *from, med_str url,
                     entry **to, bool *may_be_elsewhere)
{
    med_reference r;
    med_err why = {0};
    *may_be_elsewhere = true;
    if (!med_reference_parse(c->p, url, MED_STR_EMPTY, &r, &why)
        || r.kind == MED_REFERENCE_FRAGMENT)
        return 0;
    med_str bare = med_str_sub(url, 0, med_str_search(url, MED_STR("/_history/"), 0));
    if (r.kind != MED_REFERENCE_LOCAL) {
        *may_be_elsewhere = r.kind != MED_REFERENCE_URN;
        return find(x, bare, r.version, to);
    }
    *may_be_elsewhere = false;
    med_str root = root_of(c, from);
    med_str whole = root.len == 0
                        ? MED_STR_EMPTY
                        : med_arena_printf(c->a, "%.*s%.*s", MED_STR_ARG(root), MED_STR_ARG(bare));
    size_t n = whole.len == 0 ? 0 : find(x, whole, r.version, to);
    return n > 0 ? n : find(x, bare, r.version, to);
}

uint32_t med_check_in_bundle(med_check *c, med_str urn)
{
    entry *to;
    if (c->index == NULL) {
        uint32_t list = med_json_member(c->j, c->root, MED_STR("entry"));
        if (list == 0 || med_json_kind_at(c->j, list) != MED_JSON_ARRAY)
            return 0;
        c->index = index_of(c, list);
    }
    if (c->index == NULL) {
        c->out_of_memory = true;
        return 0;
    }
    return find(c->index, urn, MED_STR_EMPTY, &to) == 1 ? to->resource : 0;
}

/* ---- documents and messages ---- */

struct whole {
    med_check *c;
    const struct med_bundle_index *index;
    entry *from;
    bool is_head;
};

static size_t group_of(const struct med_bundle_index *x, size_t number)
{
    while (x->entries[number].group != number)
        number = x->entries[number].group = x->entries[x->entries[number].group].group;
    return number;
}

/* What the first resource refers to comes along, and is one thing; an address of elsewhere need
 * not. */
static void check_link(struct whole *w, uint32_t reference, med_str url)
{
    med_check *c = w->c;
    entry *to = NULL;
    bool may_be_elsewhere;
    size_t n = follow(c, w->index, w->from, url, &to, &may_be_elsewhere);
    if (n > 0) {
        size_t own = group_of(w->index, (size_t)(w->from - w->index->entries));
        w->index->entries[own].group = group_of(w->index, (size_t)(to - w->index->entries));
    }
    if (n == 0 && w->is_head && !may_be_elsewhere)
        med_check_problem(c, reference, NULL, MED_ISSUE_NOT_FOUND,
                          "a document or message brings along what its first resource refers to; "
                          "no entry has this address");
    else if (n > 1 && c->options->strict)
        med_check_problem(c, reference, NULL, MED_ISSUE_MULTIPLE_MATCHES,
                          "%zu entries have this address: which of them is meant can not be told",
                          n);
}

static bool look_at_link(void *arg, const med_reference_walk *at, uint32_t reference, uint32_t text,
                         med_err *err)
{
    struct whole *w = arg;
    med_str url;
    (void)at;
    (void)err;
    if (med_json_kind_at(w->c->j, text) != MED_JSON_STRING)
        return true;
    if (med_json_string(w->c->a, w->c->j, text, &url))
        check_link(w, reference, url);
    else
        w->c->out_of_memory = true;
    return true;
}

static void walk_entry(struct whole *w, entry *from)
{
    med_value value;
    med_err err = {0};
    w->from = from;
    if (med_value_of_resource(w->c->p, w->c->j, from->resource, &value, &err)
        && !med_walk_references(w->c->p, w->c->j, from->resource, value.type, look_at_link, w,
                                &err))
        w->c->out_of_memory = true;
}

/* A stylesheet is referred to by a link of the Bundle. */
static void join_stylesheets(struct whole *w, uint32_t bundle)
{
    const med_json_node *nodes = w->c->j->nodes;
    uint32_t node, list = med_json_member(w->c->j, bundle, MED_STR("link"));
    if (list == 0 || med_json_kind_at(w->c->j, list) != MED_JSON_ARRAY)
        return;
    w->from = w->index->entries;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        if (med_json_kind_at(w->c->j, e) == MED_JSON_OBJECT
            && med_str_eqz(text_of(w->c, e, MED_STR("relation"), &node), "stylesheet"))
            check_link(w, e, text_of(w->c, e, MED_STR("url"), &node));
    }
}

/* "The document bundle SHALL include only" what the Composition refers to, directly or not, and
 * what refers to that. https://hl7.org/fhir/R4/documents.html#content */
static void check_strangers(struct whole *w, uint32_t bundle)
{
    const struct med_bundle_index *x = w->index;
    w->is_head = false;
    for (size_t i = 1; i < x->n; i++)
        walk_entry(w, &x->entries[i]);
    join_stylesheets(w, bundle);
    for (size_t i = 1; i < x->n; i++) {
        if (group_of(x, i) != group_of(x, 0))
            med_check_problem(w->c, x->entries[i].node, NULL, MED_ISSUE_INVARIANT,
                              "nothing leads from the Composition to this entry, or from it to "
                              "what the Composition names: it does not belong to the document");
    }
}

static void check_whole(med_check *c, uint32_t bundle, uint32_t list, bool is_document)
{
    struct whole w = {.c = c, .index = index_of(c, list), .is_head = true};
    if (w.index == NULL) {
        c->out_of_memory = true;
        return;
    }
    if (w.index->n == 0 || w.index->entries[0].node != list + 1)
        return;
    walk_entry(&w, &w.index->entries[0]);
    if (is_document && c->options->strict)
        check_strangers(&w, bundle);
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
    bool is_document = med_str_eqz(type, "document");
    struct kind kind = {
        .is_whole = is_document || med_str_eqz(type, "message"),
        .may_lack_id = !c->options->strict || med_str_starts(type, MED_STR("transaction"))
                       || med_str_starts(type, MED_STR("batch")),
        .is_found = c->options->strict && med_str_eqz(type, "searchset"),
    };
    uint32_t list = med_json_member(c->j, f->node, MED_STR("entry"));
    check_links(c, f->node);
    if (list == 0 || med_json_kind_at(c->j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        if (med_json_kind_at(c->j, e) == MED_JSON_OBJECT)
            check_entry(c, e, &kind);
    }
    if (kind.is_whole)
        check_whole(c, f->node, list, is_document);
}
