/* everything_all.c - $everything of all patients.
 * https://hl7.org/fhir/R4/patient-operation-everything.html
 *
 * One patient's after the other, by their last update. A page holds whole patients as far as
 * _count goes, and a part of one that has more; its link names the patient and the place within. */
#include "fhir/everything.h"
#include "fhir/searchset.h"

enum { PATIENTS_A_PAGE = 100 };

/* Where a page begins: behind this patient, or within him when there is an inner place. */
typedef struct place {
    int64_t updated;
    med_rid rid;
    bool within;
} place;

typedef struct pages {
    med_call *call;
    const med_pairs *given;
    med_search_result result;
    med_search_entry *entries;
    size_t n, matches, room, wanted;
    place at;
    med_str inner;
    bool more;
} pages;

static const med_str bound = MED_LIT("Patient/$everything");

static bool read_place(pages *p, med_str page, med_err *err)
{
    med_str bytes;
    p->inner = MED_STR_EMPTY;
    if (page.len == 0)
        return true;
    if (!med_store_unseal(p->call->fhir->store, p->call->arena, page, bound, &bytes, err))
        return false;
    if (bytes.len < sizeof p->at)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a page link of another kind");
    memcpy(&p->at, bytes.ptr, sizeof p->at);
    p->inner = med_str_skip(bytes, sizeof p->at);
    return true;
}

static bool write_place(pages *p, med_str *out, med_err *err)
{
    med_str plain =
        med_arena_printf(p->call->arena, "%*s%.*s", (int)sizeof p->at, "", MED_STR_ARG(p->inner));
    char *bytes = (char *)(uintptr_t)plain.ptr;
    if (plain.len < sizeof p->at)
        return MED_FAIL_MEMORY(err);
    memcpy(bytes, &p->at, sizeof p->at);
    return med_store_seal(p->call->fhir->store, p->call->arena, plain, bound, out, err);
}

/* ---- one patient ---- */

static bool is_there(const pages *p, med_rid rid)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->entries[i].resource.rid == rid)
            return true;
    }
    return false;
}

/* What several patients share is on a page once. */
static bool add_all(pages *p, const med_search_result *r, med_err *err)
{
    if (p->n + r->n > p->room) {
        size_t room = 2 * (p->n + r->n);
        med_search_entry *more = MED_TAKE(p->call->arena, room, med_search_entry);
        if (more == NULL)
            return MED_FAIL_MEMORY(err);
        if (p->n > 0)
            memcpy(more, p->entries, p->n * sizeof *more);
        p->entries = more;
        p->room = room;
    }
    for (size_t i = 0; i < r->n; i++) {
        if (is_there(p, r->entries[i].resource.rid))
            continue;
        p->matches += r->entries[i].mode == MED_ENTRY_MATCH;
        p->entries[p->n++] = r->entries[i];
    }
    p->result.includes_cut = p->result.includes_cut || r->includes_cut;
    return true;
}

static bool query_of(pages *p, med_str id, med_search_scope *scope, const med_query **q,
                     med_err *err)
{
    med_pairs pairs;
    med_call *call = p->call;
    *scope = (med_search_scope){call->request.type, id, MED_STR_EMPTY, MED_STR_EMPTY};
    med_search_options options = med_searchset_options(call);
    options.scope = scope;
    return med_everything_translate(call, p->given, &pairs, scope, err)
           && med_query_parse_search(call->fhir->schema, call->arena, MED_TYPE_NONE, &pairs, false,
                                     &options, q, err);
}

static bool add_patient(pages *p, med_rid rid, med_err *err)
{
    med_stored s;
    const med_query *q;
    med_search_scope scope;
    med_search_result r = {0};
    med_call *call = p->call;
    med_str inner = p->inner;
    p->inner = MED_STR_EMPTY;
    enum med_found found = med_view_by_rid(call->view, call->arena, rid, &s, err);
    if (found != MED_FOUND || s.change == MED_DELETED)
        return found != MED_FAILED;
    if (!query_of(p, s.id, &scope, &q, err)
        || !med_search_run(call->fhir->schema, call->view, call->arena, q, inner, &r, err)
        || !add_all(p, &r, err))
        return false;
    p->at.within = r.next.len > 0;
    p->inner = r.next;
    return true;
}

/* ---- a page ---- */

static bool fill(pages *p, med_err *err)
{
    const med_fhir *f = p->call->fhir;
    const med_scan scan = {.index = MED_INDEX_UPDATED,
                           .param = med_schema_type(f->schema, p->call->request.type),
                           .low_int = p->at.rid != 0 ? p->at.updated : INT64_MIN,
                           .high_int = INT64_MAX,
                           .after_int = p->at.updated,
                           .after_rid = p->at.rid};
    med_hit hit;
    size_t patients = 0;
    enum med_found found = MED_ABSENT;
    bool ok = !p->at.within || add_patient(p, p->at.rid, err);
    med_cursor *c = ok ? med_view_scan(p->call->view, &scan, err) : NULL;
    ok = c != NULL;
    while (ok && !p->at.within && p->matches < p->wanted && patients++ < PATIENTS_A_PAGE
           && (found = med_cursor_next(c, &hit, err)) == MED_FOUND) {
        p->at = (place){.updated = hit.value, .rid = hit.rid};
        ok = add_patient(p, hit.rid, err);
    }
    p->more = p->at.within || (ok && found != MED_ABSENT)
              || (ok && (p->matches >= p->wanted || patients > PATIENTS_A_PAGE));
    if (ok && p->more && !p->at.within) /* is there another? */
        p->more = (found = med_cursor_next(c, &hit, err)) == MED_FOUND;
    med_cursor_close(c);
    return ok && found != MED_FAILED;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    med_pairs given;
    med_str page = MED_STR_EMPTY;
    const med_query *q;
    med_search_scope scope;
    pages p = {.call = call, .given = &given, .inner = MED_STR_EMPTY};
    p.result.next = MED_STR_EMPTY;
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    if (!med_searchset_parameters(call, &given, &page, err)
        || !query_of(&p, MED_STR("x"), &scope, &q, err)
        || !read_place(&p, med_searchset_place(page), err))
        return MED_STEP_FAILED;
    med_query_view view = med_query_describe(q);
    p.wanted = view.count;
    if (!fill(&p, err) || (p.more && !write_place(&p, &p.result.next, err)))
        return MED_STEP_FAILED;
    p.result.entries = p.entries;
    p.result.n = p.n;
    call->request.query = given;
    return med_searchset_write(call, MED_STR("Patient/$everything"),
                               med_searchset_encode(call->arena, &given), page, &view, &p.result,
                               err)
               ? MED_STEP_OK
               : MED_STEP_FAILED;
}

const med_interaction med_interaction_everything_all = {
    .name = "everything",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "$everything",
    .types = "Patient",
    .prepare = prepare,
};

const med_interaction med_interaction_everything_all_post = {
    .name = "everything",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "$everything",
    .types = "Patient",
    .prepare = prepare,
};
