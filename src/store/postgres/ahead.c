/* ahead.c - asks for several resources at a time, because each question is a round trip.
 *
 * Who walks along a cursor reads or probes one resource after another: those of the cursor's next
 * rows are fetched with the first of them, more each time. What is fetched belongs to the view's
 * snapshot and ends with it, so it can not differ from what a question of its own would bring. */
#include "base/mem.h"
#include "store/postgres/postgres_impl.h"

enum {
    FIRST_WINDOW = 24,
    BACK = 4, /* hits of a merged stream that others overtook */
    FEW = 32, /* of so many the texts come with the rows: most of them will be on the page */
};

/* Both kinds may have come in one result. */
static void forget_set(struct ahead *a, enum ahead_kind kind)
{
    struct ahead_set *set = &a->of[kind];
    if (a->of[kind == AHEAD_TEXTS ? AHEAD_ROWS : AHEAD_TEXTS].rows != set->rows)
        PQclear(set->rows);
    set->rows = NULL;
    set->n = 0;
}

void med_pg_ahead_forget(struct pg_view *v)
{
    if (v->ahead == NULL)
        return;
    for (size_t i = 0; i < AHEAD_KINDS; i++)
        forget_set(v->ahead, (enum ahead_kind)i);
    for (size_t i = 0; i < AHEAD_PROBES; i++)
        v->ahead->probes[i].n = 0;
    v->ahead->n_expected = 0;
    v->ahead->window = 0;
    v->ahead->n_numbers = 0;
    while (v->ahead->n_lists > 0)
        PQclear(v->ahead->lists[--v->ahead->n_lists].result);
}

void med_pg_ahead_free(struct pg_view *v)
{
    med_pg_ahead_forget(v);
    med_free(v->ahead);
    v->ahead = NULL;
}

static struct ahead *ahead_of(struct pg_view *v)
{
    if (v->ahead == NULL && !v->writer)
        v->ahead = MED_NEW(1, struct ahead);
    return v->ahead; /* without one, each is asked for alone */
}

/* ---- which come next ---- */

/* Where the cursor gave out `rid` just now; -1 when it did not. */
static int place_in(const struct pg_cursor *c, med_rid rid)
{
    if (c->page == NULL)
        return -1;
    for (int i = c->at - 1; i >= 0 && i >= c->at - BACK; i--) {
        if ((med_rid)med_pg_int_at(c->page, i, 0) == rid)
            return i;
    }
    return -1;
}

/* The next of a cursor that is at `rid`: more of them each time. */
static size_t next_of_cursor(struct pg_view *v, med_rid rid, size_t most, med_rid *out)
{
    for (const struct pg_cursor *c = v->cursors; c != NULL; c = c->next) {
        int at = place_in(c, rid);
        size_t n = 0;
        for (; at >= 0 && at < PQntuples(c->page) && n < most; at++)
            out[n++] = (med_rid)med_pg_int_at(c->page, at, 0);
        if (n > 0)
            return n;
    }
    return 0;
}

static size_t next_of_expected(const struct ahead *a, med_rid rid, med_rid *out)
{
    for (size_t i = 0; i < a->n_expected; i++) {
        if (a->expected[i] != rid)
            continue;
        memcpy(out, a->expected + i, (a->n_expected - i) * sizeof *out);
        return a->n_expected - i;
    }
    return 0;
}

static size_t first_window(const struct pg_view *v)
{
    size_t wanted = v->cursors == NULL ? 0 : v->cursors->scan.wanted;
    return wanted == 0 ? FIRST_WINDOW : wanted < AHEAD_MAX ? wanted : AHEAD_MAX;
}

/* `rid` and those that will probably be asked for behind it. */
static size_t list_next(struct pg_view *v, med_rid rid, med_rid out[AHEAD_MAX])
{
    struct ahead *a = v->ahead;
    size_t n = next_of_expected(a, rid, out);
    if (n == 0) {
        size_t most = a->window == 0 ? first_window(v) : a->window;
        n = next_of_cursor(v, rid, most, out);
        if (n == most)
            a->window = most < AHEAD_MAX / 2 ? most * 2 : AHEAD_MAX;
    }
    if (n == 0)
        out[n++] = rid;
    return n;
}

static bool array_of(const med_rid *rids, size_t n, struct pg_array *out, struct pg_parameters *p,
                     med_err *err)
{
    med_pg_array_init(out, PG_INT);
    for (size_t i = 0; i < n; i++)
        med_pg_array_int(out, (int64_t)rids[i]);
    return med_pg_add_array(p, out) || MED_FAIL_MEMORY(err);
}

/* ---- rows ---- */

static size_t find_asked(const struct ahead_set *set, med_rid rid)
{
    for (size_t i = 0; i < set->n; i++) {
        size_t at = (set->at + i) % set->n; /* mostly the next */
        if (set->rids[at] == rid)
            return at;
    }
    return SIZE_MAX;
}

/* Rows come in the order of the question, without those that are not there. */
static void match_rows(struct ahead_set *set)
{
    int row = 0;
    int n = PQntuples(set->rows);
    for (size_t i = 0; i < set->n; i++) {
        int tried = 0;
        while (tried < n && (med_rid)med_pg_int_at(set->rows, row, 0) != set->rids[i]) {
            row = row + 1 == n ? 0 : row + 1;
            tried++;
        }
        set->row_of[i] = tried < n ? row : -1;
    }
    set->at = 0;
}

/* The texts that came with the rows. */
static void share(struct ahead *a)
{
    forget_set(a, AHEAD_TEXTS);
    a->of[AHEAD_TEXTS] = a->of[AHEAD_ROWS];
}

static bool is_fresh(const struct ahead *a)
{
    return a->of[AHEAD_ROWS].rows == NULL && a->of[AHEAD_TEXTS].rows == NULL;
}

static bool fetch(struct pg_view *v, enum ahead_kind kind, med_rid rid, med_err *err)
{
    struct ahead_set *set = &v->ahead->of[kind];
    struct pg_array rids;
    struct pg_parameters p = {0};
    bool fresh = is_fresh(v->ahead);
    forget_set(v->ahead, kind);
    size_t n = list_next(v, rid, set->rids);
    bool both = kind == AHEAD_ROWS && fresh && n <= FEW;
    enum statement ask = kind == AHEAD_TEXTS ? STATEMENT_READ_RIDS
                         : both              ? STATEMENT_READ_RIDS_BOTH
                                             : STATEMENT_READ_RIDS_ROWS;
    if (array_of(set->rids, n, &rids, &p, err))
        set->rows = med_pg_view_ask(v, ask, &p, err);
    med_pg_array_free(&rids);
    if (set->rows == NULL)
        return false;
    set->n = n;
    match_rows(set);
    if (both)
        share(v->ahead);
    return true;
}

/* The one row of a view that looks ahead for nobody. */
static enum med_found ask_alone(struct pg_view *v, enum ahead_kind kind, med_rid rid,
                                struct ahead_row *out, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)rid);
    out->own = med_pg_view_ask(
        v, kind == AHEAD_TEXTS ? STATEMENT_READ_RID : STATEMENT_READ_RID_ROWS, &p, err);
    out->result = out->own;
    out->at = 0;
    return out->own == NULL ? MED_FAILED : PQntuples(out->own) > 0 ? MED_FOUND : MED_ABSENT;
}

enum med_found med_pg_ahead_row(struct pg_view *v, enum ahead_kind kind, med_rid rid,
                                struct ahead_row *out, med_err *err)
{
    *out = (struct ahead_row){0};
    if (ahead_of(v) == NULL)
        return ask_alone(v, kind, rid, out, err);
    struct ahead_set *set = &v->ahead->of[kind];
    size_t at = find_asked(set, rid);
    if (at == SIZE_MAX) {
        if (!fetch(v, kind, rid, err))
            return MED_FAILED;
        at = 0;
    }
    set->at = at + 1;
    out->result = set->rows;
    out->at = set->row_of[at];
    return out->at < 0 ? MED_ABSENT : MED_FOUND;
}

void med_pg_ahead_row_end(struct ahead_row *row)
{
    PQclear(row->own);
    *row = (struct ahead_row){0};
}

/* ---- pages of cursors ---- */

static void keep_page(struct ahead *a, const PGresult *page, PGresult *rows, size_t wanted)
{
    struct ahead_set *set = &a->of[AHEAD_ROWS];
    size_t n = (size_t)PQntuples(page);
    for (size_t i = 0; i < n; i++)
        set->rids[i] = (med_rid)med_pg_int_at(page, (int)i, 0);
    set->rows = rows;
    set->n = n;
    match_rows(set);
    share(a);
    if (n > wanted) /* it goes on */
        a->window = 2 * n;
}

/* Who wants a few hits reads what they name: it comes in the same round trip. */
PGresult *med_pg_ahead_page(struct pg_view *v, enum statement id, const struct pg_parameters *p,
                            size_t wanted, med_err *err)
{
    PGresult *rows = NULL;
    bool few = wanted > 0 && wanted < FEW;
    if (!few || ahead_of(v) == NULL || !is_fresh(v->ahead))
        return med_pg_view_ask(v, id, p, err);
    PGresult *page = med_pg_view_ask_two(v, id, p, (enum statement)(id + 1), p, &rows, err);
    if (page != NULL && PQntuples(page) > 0)
        keep_page(v->ahead, page, rows, wanted);
    else
        PQclear(rows);
    return page;
}

/* ---- probes ---- */

static struct ahead_probes *probes_of(struct ahead *a, enum statement id, uint32_t param,
                                      uint64_t key)
{
    for (size_t i = 0; i < AHEAD_PROBES; i++) {
        struct ahead_probes *p = &a->probes[i];
        if (p->n > 0 && p->id == id && p->param == param && p->key == key)
            return p;
    }
    struct ahead_probes *taken = &a->probes[a->next_probes++ % AHEAD_PROBES];
    *taken = (struct ahead_probes){.id = id, .param = param, .key = key};
    return taken;
}

/* Asks for probes; what passes them is read next, so that the first few come in the same round
 * trip. */
static PGresult *ask_probes(struct pg_view *v, const struct ahead_probes *set, size_t n,
                            med_err *err)
{
    struct ahead_set *rows = &v->ahead->of[AHEAD_ROWS];
    struct pg_array rids;
    struct pg_parameters p = {0}, both = {0};
    PGresult *r = NULL;
    med_pg_int(&p, set->param);
    med_pg_int(&p, (int64_t)set->key);
    if (!array_of(set->rids, n, &rids, &p, err)) {
        med_pg_array_free(&rids);
        return NULL;
    }
    if (n > FEW || !is_fresh(v->ahead) || !med_pg_add_array(&both, &rids)) {
        r = med_pg_view_ask(v, set->id, &p, err);
        med_pg_array_free(&rids);
        return r;
    }
    r = med_pg_view_ask_two(v, set->id, &p, STATEMENT_READ_RIDS_BOTH, &both, &rows->rows, err);
    med_pg_array_free(&rids);
    if (r != NULL) {
        memcpy(rows->rids, set->rids, n * sizeof *rows->rids);
        rows->n = n;
        match_rows(rows);
        share(v->ahead);
    }
    return r;
}

static bool fetch_probes(struct pg_view *v, struct ahead_probes *set, med_rid rid, med_err *err)
{
    set->n = 0;
    size_t n = list_next(v, rid, set->rids);
    PGresult *r = ask_probes(v, set, n, err);
    if (r == NULL)
        return false;
    memset(set->has, 0, sizeof set->has);
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t ordinal = med_pg_int_at(r, i, 0);
        if (ordinal >= 1 && ordinal <= (int64_t)n)
            set->has[ordinal - 1] = true;
    }
    PQclear(r);
    set->n = n;
    return true;
}

bool med_pg_ahead_probe(struct pg_view *v, bool token, uint32_t param, uint64_t key, med_rid rid,
                        bool *out, med_err *err)
{
    if (ahead_of(v) == NULL) {
        const int64_t keys[] = {param, (int64_t)key, (int64_t)rid};
        int64_t ignored = 0;
        return med_pg_view_number(v, token ? STATEMENT_HAS_TOKEN : STATEMENT_HAS_REFERENCE, keys, 3,
                                  out, &ignored, err);
    }
    struct ahead_probes *set =
        probes_of(v->ahead, token ? STATEMENT_HAVE_TOKEN : STATEMENT_HAVE_REFERENCE, param, key);
    size_t at = 0;
    while (at < set->n && set->rids[at] != rid)
        at++;
    if (at == set->n) {
        if (!fetch_probes(v, set, rid, err))
            return false;
        at = 0;
    }
    *out = set->has[at];
    return true;
}

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

void med_pg_ahead_keep_number(struct pg_view *v, enum statement id, const int64_t *keys, int n,
                              bool has, int64_t value)
{
    struct ahead *a = ahead_of(v);
    if (a == NULL || n > AHEAD_KEYS || a->n_numbers == AHEAD_NUMBERS)
        return;
    struct ahead_number *number = &a->numbers[a->n_numbers++];
    *number = (struct ahead_number){.id = id, .n_keys = n, .has = has, .value = value};
    if (n > 0)
        memcpy(number->keys, keys, (size_t)n * sizeof *keys);
}

const PGresult *med_pg_ahead_list(const struct pg_view *v, enum statement id, const uint64_t of[2])
{
    for (size_t i = 0; v->ahead != NULL && i < v->ahead->n_lists; i++) {
        const struct ahead_codes *list = &v->ahead->lists[i];
        if (list->id == id && list->of[0] == of[0] && list->of[1] == of[1])
            return list->result;
    }
    return NULL;
}

bool med_pg_ahead_keep_list(struct pg_view *v, enum statement id, const uint64_t of[2], PGresult *r)
{
    struct ahead *a = ahead_of(v);
    if (r == NULL || a == NULL || a->n_lists == AHEAD_LISTS)
        return false;
    a->lists[a->n_lists++] = (struct ahead_codes){id, {of[0], of[1]}, r};
    return true;
}

/* ---- what the caller knows ---- */

void med_pg_expect(med_view *view, const med_rid *rids, size_t n)
{
    struct ahead *a = ahead_of(med_pg_of_view(view));
    if (a == NULL)
        return;
    a->n_expected = n < AHEAD_MAX ? n : AHEAD_MAX;
    if (n > 0)
        memcpy(a->expected, rids, a->n_expected * sizeof *rids);
}

bool med_pg_expect_idents(med_view *view, const uint64_t *idents, size_t n, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct pg_array hashes;
    struct pg_parameters p = {0};
    PGresult *r = NULL;
    if (ahead_of(v) == NULL || n == 0)
        return true;
    n = n < AHEAD_MAX ? n : AHEAD_MAX;
    if (array_of(idents, n, &hashes, &p, err))
        r = med_pg_view_ask(v, STATEMENT_SOME_IDENTS, &p, err);
    med_pg_array_free(&hashes);
    for (int i = 0; r != NULL && i < PQntuples(r); i++) {
        const int64_t hash = med_pg_int_at(r, i, 0);
        med_pg_ahead_keep_number(v, STATEMENT_IDENT, &hash, 1, true, med_pg_int_at(r, i, 1));
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

/* Those that this snapshot was not asked for yet. */
static size_t list_unknown(const struct pg_view *v, const med_lookup *at, size_t n,
                           const med_lookup *out[MED_LOOKUPS])
{
    size_t unknown = 0;
    for (size_t i = 0; i < n && unknown < MED_LOOKUPS; i++) {
        int64_t keys[2];
        int n_keys = 0;
        enum statement id = asks(&at[i], keys, &n_keys);
        if (med_pg_ahead_number(v, id, keys, n_keys) == NULL)
            out[unknown++] = &at[i];
    }
    return unknown;
}

static PGresult *ask_lookups(struct pg_view *v, const med_lookup *const *at, size_t n, med_err *err)
{
    struct pg_array columns[3];
    struct pg_parameters p = {0};
    for (size_t i = 0; i < 3; i++)
        med_pg_array_init(&columns[i], PG_INT);
    for (size_t i = 0; i < n; i++) {
        med_pg_array_int(&columns[0], at[i]->kind);
        med_pg_array_int(&columns[1],
                         at[i]->kind == MED_LOOKUP_TYPE ? MED_TALLY_TYPE : at[i]->param);
        med_pg_array_int(&columns[2], (int64_t)at[i]->key);
    }
    bool good = true;
    for (size_t i = 0; i < 3; i++)
        good = med_pg_add_array(&p, &columns[i]) && good;
    PGresult *r = good ? med_pg_view_ask(v, STATEMENT_LOOKUPS, &p, err) : NULL;
    if (!good)
        (void)MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < 3; i++)
        med_pg_array_free(&columns[i]);
    return r;
}

/* One alone is asked for when it is needed, which costs the same. */
bool med_pg_expect_lookups(med_view *view, const med_lookup *at, size_t n, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    const med_lookup *unknown[MED_LOOKUPS];
    if (ahead_of(v) == NULL)
        return true;
    n = list_unknown(v, at, n, unknown);
    if (n < 2)
        return true;
    PGresult *r = ask_lookups(v, unknown, n, err);
    for (size_t i = 0; r != NULL && i < n && i < (size_t)PQntuples(r); i++) {
        int64_t keys[2];
        int n_keys = 0;
        enum statement id = asks(unknown[i], keys, &n_keys);
        bool has = PQgetisnull(r, (int)i, 0) == 0;
        med_pg_ahead_keep_number(v, id, keys, n_keys, has, med_pg_int_at(r, (int)i, 0));
    }
    PQclear(r);
    return r != NULL;
}
