/* lastn.c - Observation/$lastn: the newest Observations of each code.
 * https://hl7.org/fhir/R4/observation-operation-lastn.html
 *
 * A search, newest first, of which each code keeps its first `max`. Two Observations are of one
 * code when they share a coding, or, without any, the text. */
#include "fhir/interactions.h"
#include "fhir/respond.h"
#include "fhir/searchset.h"

enum {
    LOOKED_AT = 10000, /* Observations of one question */
    PAGE = 500,
    MOST = 1000, /* of `max` */
    SLOTS = 4 * LOOKED_AT,
};

typedef struct lastn {
    med_call *call;
    size_t max;
    med_search_entry *entries; /* kept, in the order they came */
    size_t *group_of;
    size_t n, looked_at;
    uint64_t *keys; /* of codings: open addressing, 0 = free */
    size_t *values; /* the group of the key */
    size_t *counts; /* kept, by group */
    size_t n_groups;
} lastn;

/* ---- groups ---- */

static size_t slot_of(const lastn *l, uint64_t key)
{
    size_t at = (size_t)key % SLOTS;
    while (l->keys[at] != 0 && l->keys[at] != key)
        at = (at + 1) % SLOTS;
    return at;
}

static med_str text_of(const lastn *l, const med_json *j, uint32_t object, med_str key)
{
    med_str text = MED_STR_EMPTY;
    uint32_t node = med_json_member(j, object, key);
    if (node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING
        && !med_json_string(l->call->arena, j, node, &text))
        return MED_STR_EMPTY;
    return text;
}

enum { CODINGS = 32 };

static size_t codings_of(const lastn *l, med_str text, uint64_t keys[CODINGS], med_err *err)
{
    med_json j;
    size_t n = 0;
    const med_store *s = l->call->fhir->store;
    if (!med_json_parse(l->call->arena, text, &j, NULL, err))
        return SIZE_MAX;
    uint32_t code = med_json_member(&j, 0, MED_STR("code"));
    if (code == 0 || med_json_kind_at(&j, code) != MED_JSON_OBJECT)
        return 0;
    uint32_t list = med_json_member(&j, code, MED_STR("coding"));
    for (uint32_t i = list + 1; list != 0 && i < j.nodes[list].next && n < CODINGS;
         i = j.nodes[i].next)
        keys[n++] = med_store_hash2(s, text_of(l, &j, i, MED_STR("system")), '|',
                                    text_of(l, &j, i, MED_STR("code")))
                    | 1;
    if (n == 0)
        keys[n++] = med_store_hash(s, text_of(l, &j, code, MED_STR("text"))) | 1;
    return n;
}

/* The group of the first coding that has one, or a new one; all codings then lead to it. */
static size_t group_of_keys(lastn *l, const uint64_t *keys, size_t n)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < n && found == SIZE_MAX; i++) {
        size_t at = slot_of(l, keys[i]);
        if (l->keys[at] != 0)
            found = l->values[at];
    }
    if (found == SIZE_MAX)
        found = l->n_groups++;
    for (size_t i = 0; i < n; i++) {
        size_t at = slot_of(l, keys[i]);
        if (l->keys[at] == 0) {
            l->keys[at] = keys[i];
            l->values[at] = found;
        }
    }
    return found;
}

static bool take(lastn *l, const med_search_entry *e, med_err *err)
{
    uint64_t keys[CODINGS];
    size_t n = codings_of(l, e->resource.text, keys, err);
    if (n == SIZE_MAX)
        return false;
    size_t g = group_of_keys(l, keys, n);
    if (l->counts[g] == l->max)
        return true;
    l->counts[g]++;
    l->group_of[l->n] = g;
    l->entries[l->n++] = *e;
    return true;
}

static bool take_all(lastn *l, const med_query *q, med_err *err)
{
    med_str page = MED_STR_EMPTY;
    med_call *call = l->call;
    do {
        med_search_result r;
        if (!med_search_run(call->fhir->schema, call->view, call->arena, q, page, &r, err))
            return false;
        l->looked_at += r.n;
        if (l->looked_at > LOOKED_AT - PAGE && r.next.len > 0)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                            "more than %d Observations match; name a patient, a code or a date",
                            LOOKED_AT - PAGE);
        for (size_t i = 0; i < r.n; i++) {
            if (!take(l, &r.entries[i], err))
                return false;
        }
        page = r.next;
    } while (page.len > 0);
    return true;
}

/* ---- parameters ---- */

static bool read_max(lastn *l, med_str value, med_err *err)
{
    int64_t n;
    if (!med_str_to_int64(value, &n) || n < 1 || n > MOST) {
        (void)MED_FAIL(err, MED_ISSUE_VALUE, "max must be a whole number from 1 to %d", MOST);
        return med_err_status(err, 400);
    }
    l->max = (size_t)n;
    return true;
}

static bool translate(lastn *l, const med_pairs *given, med_pairs *out, med_err *err)
{
    med_pair *at = MED_TAKE(l->call->arena, given->n + 3, med_pair);
    bool named = false;
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    *out = (med_pairs){at, 0};
    for (size_t i = 0; i < given->n; i++) {
        med_str rest, name = med_str_cut(given->at[i].name, ':', &rest);
        if (med_str_eqz(name, "max")) {
            if (!read_max(l, given->at[i].value, err))
                return false;
            continue;
        }
        if (med_str_eqz(name, "_sort") || med_str_eqz(name, "_count")
            || med_str_eqz(name, "_include") || med_str_eqz(name, "_revinclude")) {
            (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "$lastn has no %.*s", MED_STR_ARG(name));
            return med_err_status(err, 400);
        }
        name = med_str_sub(name, 0, med_str_find(name, '.', 0));
        named = named || med_str_eqz(name, "patient") || med_str_eqz(name, "subject");
        at[out->n++] = given->at[i];
    }
    at[out->n++] = (med_pair){MED_STR("_sort"), MED_STR("-date")};
    at[out->n++] = (med_pair){MED_STR("_count"), MED_STR("500")};
    at[out->n++] = (med_pair){MED_STR("_total"), MED_STR("none")};
    if (named)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_REQUIRED, "$lastn needs a patient or a subject");
    return med_err_status(err, 400);
}

/* ---- the answer: code by code, newest first ---- */

static bool by_group(lastn *l, med_search_result *out, med_err *err)
{
    size_t n = 0;
    med_search_entry *entries = MED_TAKE(l->call->arena, l->n, med_search_entry);
    size_t *starts = MED_TAKE(l->call->arena, l->n_groups + 1, size_t);
    if (entries == NULL || starts == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t g = 0; g < l->n_groups; g++) {
        starts[g] = n;
        n += l->counts[g];
    }
    for (size_t i = 0; i < l->n; i++)
        entries[starts[l->group_of[i]]++] = l->entries[i];
    *out = (med_search_result){
        .entries = entries, .n = l->n, .has_total = true, .total = l->n, .next = MED_STR_EMPTY};
    return true;
}

static bool take_tables(lastn *l)
{
    med_arena *a = l->call->arena;
    l->entries = MED_TAKE(a, LOOKED_AT, med_search_entry);
    l->group_of = MED_TAKE(a, LOOKED_AT, size_t);
    l->counts = MED_TAKE(a, LOOKED_AT, size_t);
    l->keys = MED_TAKE(a, SLOTS, uint64_t);
    l->values = MED_TAKE(a, SLOTS, size_t);
    return l->entries != NULL && l->group_of != NULL && l->counts != NULL && l->keys != NULL
           && l->values != NULL;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    lastn l = {.call = call, .max = 1};
    med_search_options options = med_searchset_options(call);
    med_pairs given, pairs;
    med_str page = MED_STR_EMPTY;
    const med_query *q;
    med_search_result result;
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    options.max_count = PAGE;
    if (!med_searchset_parameters(call, &given, &page, err) || !translate(&l, &given, &pairs, err)
        || !med_query_parse_search(call->fhir->schema, call->arena, call->request.type, &pairs,
                                   false, &options, &q, err))
        return MED_STEP_FAILED;
    if (!take_tables(&l)) {
        (void)MED_FAIL_MEMORY(err);
        return MED_STEP_FAILED;
    }
    if (!take_all(&l, q, err) || !by_group(&l, &result, err))
        return MED_STEP_FAILED;
    med_query_view view = med_query_describe(q);
    call->request.query = given;
    return med_searchset_write(call, MED_STR("Observation/$lastn"),
                               med_searchset_encode(call->arena, &given), MED_STR_EMPTY, &view,
                               &result, err)
               ? MED_STEP_OK
               : MED_STEP_FAILED;
}

const med_interaction med_interaction_lastn = {
    .name = "lastn",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "$lastn",
    .types = "Observation",
    .prepare = prepare,
};

const med_interaction med_interaction_lastn_post = {
    .name = "lastn",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "$lastn",
    .types = "Observation",
    .prepare = prepare,
};
