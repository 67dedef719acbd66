/* foresee.c - numbers, codes and the first page that a search will ask for: in one round trip,
 * where its shape says what they will be.
 *
 * What is foreseen wrongly costs its question and changes nothing: an answer is taken only by who
 * asks exactly that. Counters by which only the plan is chosen are remembered for some seconds,
 * beyond the snapshot; never a zero, which would hide what came since. */
#include "store/postgres/postgres_impl.h"

/* ---- numbers: counters and ids, which planning and running both ask for ---- */

static bool is_same_number(const struct ahead_number *a, enum statement id, const int64_t *keys,
                           int n)
{
    return a->id == id && a->n_keys == n
           && (n == 0 || memcmp(a->keys, keys, (size_t)n * sizeof *keys) == 0);
}

const struct ahead_number *med_pg_ahead_number(const struct pg_view *v, enum statement id,
                                               const int64_t *keys, int n)
{
    for (size_t i = 0; v->ahead != NULL && i < v->ahead->n_numbers; i++) {
        if (is_same_number(&v->ahead->numbers[i], id, keys, n))
            return &v->ahead->numbers[i];
    }
    return NULL;
}

struct ahead_number *med_pg_ahead_keep_number(struct pg_view *v, enum statement id,
                                              const int64_t *keys, int n, bool has, int64_t value)
{
    struct ahead *a = med_pg_ahead(v);
    if (a == NULL || n > AHEAD_KEYS || a->n_numbers == AHEAD_NUMBERS)
        return NULL;
    struct ahead_number *number = &a->numbers[a->n_numbers++];
    *number = (struct ahead_number){.id = id, .n_keys = n, .has = has, .value = value};
    if (n > 0)
        memcpy(number->keys, keys, (size_t)n * sizeof *keys);
    return number;
}

const PGresult *med_pg_ahead_list(const struct pg_view *v, const uint64_t of[2])
{
    for (size_t i = 0; v->ahead != NULL && i < v->ahead->n_lists; i++) {
        const struct ahead_codes *list = &v->ahead->lists[i];
        if (list->of[0] == of[0] && list->of[1] == of[1])
            return list->result;
    }
    return NULL;
}

bool med_pg_ahead_keep_list(struct pg_view *v, const uint64_t of[2], PGresult *r)
{
    struct ahead *a = med_pg_ahead(v);
    if (r == NULL || a == NULL || a->n_lists == AHEAD_LISTS)
        return false;
    a->lists[a->n_lists++] = (struct ahead_codes){{of[0], of[1]}, r};
    return true;
}

bool med_pg_expect_idents(med_view *view, const uint64_t *idents, size_t n, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct pg_array hashes;
    struct pg_parameters p = {0};
    PGresult *r = NULL;
    if (med_pg_ahead(v) == NULL || n == 0)
        return true;
    n = n < AHEAD_MAX ? n : AHEAD_MAX;
    if (med_pg_array_of(idents, n, &hashes, &p, err))
        r = med_pg_view_ask(v, STATEMENT_SOME_IDENTS, &p, err);
    med_pg_array_free(&hashes);
    for (int i = 0; r != NULL && i < PQntuples(r); i++) {
        const int64_t hash = med_pg_int_at(r, i, 0);
        (void)med_pg_ahead_keep_number(v, STATEMENT_IDENT, &hash, 1, true, med_pg_int_at(r, i, 1));
    }
    PQclear(r);
    return r != NULL;
}

static enum statement asks(const med_lookup *l, int64_t keys[2], int *n)
{
    keys[0] = l->kind == MED_LOOKUP_TYPE ? MED_TALLY_TYPE : l->param;
    keys[1] = (int64_t)l->key;
    *n = 2;
    switch (l->kind) {
    case MED_LOOKUP_TYPE:
        return STATEMENT_COUNTER;
    case MED_LOOKUP_TOKEN:
        return STATEMENT_COUNT_TOKEN;
    case MED_LOOKUP_RID:
        break;
    }
    keys[0] = keys[1];
    *n = 1;
    return STATEMENT_IDENT;
}

/* ---- counters of earlier snapshots ---- */

enum { REMEMBER_SECONDS = 5 };

static struct ahead_remembered *place_of(struct ahead *a, const int64_t keys[2])
{
    uint64_t mixed = ((uint64_t)keys[0] * UINT64_C(0x9e3779b97f4a7c15)) ^ (uint64_t)keys[1];
    return &a->remembered[(mixed ^ mixed >> 32) % AHEAD_REMEMBERED];
}

static void remember(struct pg_view *v, const int64_t keys[2], int64_t value)
{
    struct ahead *a = med_pg_ahead(v);
    if (a != NULL && value > 0)
        *place_of(a, keys) =
            (struct ahead_remembered){{keys[0], keys[1]}, value, med_monotonic(v->store->clock)};
}

static bool recall(struct pg_view *v, enum statement id, const int64_t keys[2])
{
    const struct ahead_remembered *at = place_of(v->ahead, keys);
    int64_t oldest = med_monotonic(v->store->clock) - REMEMBER_SECONDS * INT64_C(1000000);
    if (at->value == 0 || at->keys[0] != keys[0] || at->keys[1] != keys[1] || at->at < oldest)
        return false;
    struct ahead_number *number = med_pg_ahead_keep_number(v, id, keys, 2, true, at->value);
    if (number != NULL)
        number->about = true;
    return number != NULL;
}

/* Who needs a counter as it is must not find one that was recalled. */
static void forget_recalled(struct ahead *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_numbers; i++) {
        if (!a->numbers[i].about)
            a->numbers[n++] = a->numbers[i];
    }
    a->n_numbers = n;
}

/* ---- what is foreseen ---- */

/* Does the first page of the scan tell it? */
static bool is_told_by(const med_lookup *l, const med_foreseen *f)
{
    if (f->scan == NULL)
        return false;
    return l->kind == MED_LOOKUP_RID
               ? f->of_ident && l->key == f->scan->key
               : l->kind == MED_LOOKUP_TOKEN && f->scan->index == MED_INDEX_TOKEN
                     && l->param == f->scan->param && l->key == f->scan->key;
}

/* Those that this snapshot was not asked for yet. */
static size_t list_unknown(struct pg_view *v, const med_foreseen *f,
                           const med_lookup *out[MED_LOOKUPS])
{
    size_t unknown = 0;
    for (size_t i = 0; i < f->n && unknown < MED_LOOKUPS; i++) {
        int64_t keys[2];
        int n_keys = 0;
        const med_lookup *l = &f->lookups[i];
        enum statement id = asks(l, keys, &n_keys);
        if (!is_told_by(l, f) && med_pg_ahead_number(v, id, keys, n_keys) == NULL
            && !(l->about && recall(v, id, keys)))
            out[unknown++] = l;
    }
    return unknown;
}

struct lookup_arrays {
    struct pg_array columns[3];
    struct pg_parameters p;
};

static bool fill_lookups(struct lookup_arrays *to, const med_lookup *const *at, size_t n,
                         med_err *err)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        med_pg_array_int(&to->columns[0], at[i]->kind);
        med_pg_array_int(&to->columns[1],
                         at[i]->kind == MED_LOOKUP_TYPE ? MED_TALLY_TYPE : at[i]->param);
        med_pg_array_int(&to->columns[2], (int64_t)at[i]->key);
    }
    for (size_t i = 0; i < 3; i++)
        good = med_pg_add_array(&to->p, &to->columns[i]) && good;
    return good || MED_FAIL_MEMORY(err);
}

static void keep_lookups(struct pg_view *v, const med_lookup *const *at, size_t n,
                         const PGresult *r)
{
    for (size_t i = 0; i < n && i < (size_t)PQntuples(r); i++) {
        int64_t keys[2];
        int n_keys = 0;
        enum statement id = asks(at[i], keys, &n_keys);
        bool has = PQgetisnull(r, (int)i, 0) == 0;
        int64_t value = med_pg_int_at(r, (int)i, 0);
        (void)med_pg_ahead_keep_number(v, id, keys, n_keys, has, value);
        if (n_keys == 2 && has)
            remember(v, keys, value);
    }
}

/* A page that is not full says how many there are; that of a patient says which number it has. */
static void keep_scan(struct pg_view *v, const med_foreseen *f, bool read, PGresult *r)
{
    med_scan scan = *f->scan;
    int limit = (int)med_pg_first_page(&scan);
    if (f->of_ident) {
        const int64_t ident = (int64_t)scan.key;
        bool has = PQntuples(r) > 0;
        scan.key = has ? (uint64_t)med_pg_int_at(r, 0, COLUMN_PAGE + 2) : 0;
        (void)med_pg_ahead_keep_number(v, STATEMENT_IDENT, &ident, 1, has, (int64_t)scan.key);
    }
    struct pg_page page = med_pg_ahead_keep_page(v, &scan, r, read);
    if (scan.index == MED_INDEX_TOKEN && page.n < limit) {
        const int64_t keys[] = {scan.param, (int64_t)scan.key};
        (void)med_pg_ahead_keep_number(v, STATEMENT_COUNT_TOKEN, keys, 2, true, page.n);
    }
}

/* The question for the scan's first page: *form says which of its statements, 0 the plain one. */
static bool ask_scan(struct pg_view *v, const med_foreseen *f, struct pg_parameters *p, int *form,
                     struct pg_question *q)
{
    if (f->scan == NULL || v->ahead->n_pages == AHEAD_PAGES)
        return false;
    *form = f->of_ident ? 2 : 1;
    if (!med_pg_ahead_may_read(v, f->scan)) {
        *form = 0;
        if (f->of_ident)
            return false;
    }
    q->id = (enum statement)((int)med_pg_scan_question(f->scan, p) + *form);
    q->p = p;
    return true;
}

/* What is asked together. */
struct round {
    struct pg_question q[2 + MED_CODE_LOOKUPS];
    size_t n;
    struct pg_parameters page, codes[MED_CODE_LOOKUPS];
    const med_code_lookup *code[MED_CODE_LOOKUPS]; /* those of which the list is asked for */
    size_t n_codes;
    const med_lookup *unknown[MED_LOOKUPS];
    size_t n_unknown;
    bool scans;
    int form;
};

static void ask_codes(const struct pg_view *v, const med_foreseen *f, struct round *r)
{
    for (size_t i = 0; i < f->n_codes && i < MED_CODE_LOOKUPS; i++) {
        const med_code_lookup *l = &f->codes[i];
        if (med_pg_known_codes(v, l) != NULL)
            continue;
        struct pg_parameters *p = &r->codes[r->n_codes];
        r->q[r->n++] = (struct pg_question){.id = med_pg_codes_question(l, p), .p = p};
        r->code[r->n_codes++] = l;
    }
}

static void keep_answers(struct pg_view *v, const med_foreseen *f, struct round *r)
{
    const struct pg_question *q = r->q;
    if (r->scans)
        keep_scan(v, f, r->form > 0, (q++)->result);
    for (size_t i = 0; i < r->n_codes; i++, q++) {
        if (!med_pg_keep_codes(v, r->code[i], q->result))
            PQclear(q->result);
    }
    if (q < r->q + r->n) {
        keep_lookups(v, r->unknown, r->n_unknown, q->result);
        PQclear(q->result);
    }
}

/* One thing alone is asked for when it is needed, which costs the same, but for a scan. */
static bool ask_foreseen(struct pg_view *v, const med_foreseen *f, struct lookup_arrays *arrays,
                         med_err *err)
{
    struct round r;
    med_foreseen told = *f;
    r.n = r.n_codes = 0;
    r.form = 0;
    r.page = (struct pg_parameters){0};
    memset(r.codes, 0, sizeof r.codes);
    r.scans = ask_scan(v, f, &r.page, &r.form, &r.q[0]);
    r.n += r.scans;
    told.scan = r.scans ? f->scan : NULL;
    r.n_unknown = list_unknown(v, &told, r.unknown);
    ask_codes(v, f, &r);
    if (!r.scans && r.n_codes + r.n_unknown < 2)
        return true;
    if (r.n_unknown > 0) {
        if (!fill_lookups(arrays, r.unknown, r.n_unknown, err))
            return false;
        r.q[r.n++] = (struct pg_question){.id = STATEMENT_LOOKUPS, .p = &arrays->p};
    }
    if (!med_pg_view_ask_all(v, r.q, r.n, err))
        return false;
    keep_answers(v, f, &r);
    return true;
}

bool med_pg_foresee(med_view *view, const med_foreseen *f, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct lookup_arrays arrays = {.p = {0}};
    if (med_pg_ahead(v) == NULL)
        return true;
    for (size_t i = 0; i < f->n; i++) {
        if (!f->lookups[i].about && f->lookups[i].kind != MED_LOOKUP_RID) {
            forget_recalled(v->ahead);
            break;
        }
    }
    for (size_t i = 0; i < 3; i++)
        med_pg_array_init(&arrays.columns[i], PG_INT);
    bool good = ask_foreseen(v, f, &arrays, err);
    for (size_t i = 0; i < 3; i++)
        med_pg_array_free(&arrays.columns[i]);
    return good;
}
