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
};

/* Both kinds may have come in one result. */
static void forget_set(struct ahead *a, enum ahead_kind kind)
{
    struct ahead_set *set = &a->of[kind];
    if (!set->kept && a->of[kind == AHEAD_TEXTS ? AHEAD_ROWS : AHEAD_TEXTS].rows != set->rows)
        PQclear(set->rows);
    set->rows = NULL;
    set->n = 0;
    set->kept = false;
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
    while (v->ahead->n_pages > 0)
        PQclear(v->ahead->pages[--v->ahead->n_pages].page.result);
}

void med_pg_ahead_free(struct pg_view *v)
{
    med_pg_ahead_forget(v);
    med_free(v->ahead);
    v->ahead = NULL;
}

struct ahead *med_pg_ahead(struct pg_view *v)
{
    if (v->ahead == NULL && !v->writer)
        v->ahead = MED_NEW(1, struct ahead);
    return v->ahead; /* without one, each is asked for alone */
}

/* ---- which come next ---- */

static med_rid rid_at(const struct pg_page *p, int i)
{
    return (med_rid)med_pg_int_at(p->result, i, p->first);
}

/* Where the cursor gave out `rid` just now; -1 when it did not. */
static int place_in(const struct pg_cursor *c, med_rid rid)
{
    for (int i = c->at - 1; i >= 0 && i >= c->at - BACK; i--) {
        if (rid_at(&c->page, i) == rid)
            return i;
    }
    return -1;
}

static size_t take_rids(const struct pg_cursor *c, int from, size_t most, med_rid *out)
{
    size_t n = 0;
    for (int at = from < 0 ? 0 : from; at < c->page.n && n < most; at++)
        out[n++] = rid_at(&c->page, at);
    return n;
}

static bool are_merged(const struct pg_cursor *a, const struct pg_cursor *b)
{
    return a->scan.index == b->scan.index && a->scan.param == b->scan.param
           && a->scan.descending == b->scan.descending;
}

/* The next of a cursor that is at `rid`, from `at` on: more of them each time. Where it is one of
 * several that are merged, those of the others come in between: some of each. */
static size_t next_of_merged(struct pg_view *v, const struct pg_cursor *c, int at, size_t most,
                             med_rid *out)
{
    enum { LEAST = 4 };
    size_t cursors = 0, n = 0;
    for (const struct pg_cursor *o = v->cursors; o != NULL; o = o->next)
        cursors += are_merged(o, c) && o->at < o->page.n;
    size_t each = cursors < 2 ? most : most / cursors > LEAST ? most / cursors : LEAST;
    n = take_rids(c, at, each, out);
    for (const struct pg_cursor *o = v->cursors; o != NULL && n < most; o = o->next) {
        if (o != c && are_merged(o, c))
            n += take_rids(o, o->at - 1, each < most - n ? each : most - n, out + n);
    }
    return n;
}

static size_t next_of_cursor(struct pg_view *v, med_rid rid, size_t most, med_rid *out)
{
    for (const struct pg_cursor *c = v->cursors; c != NULL; c = c->next) {
        int at = place_in(c, rid);
        if (at >= 0)
            return next_of_merged(v, c, at, most, out);
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

bool med_pg_array_of(const med_rid *rids, size_t n, struct pg_array *out, struct pg_parameters *p,
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
    bool both = kind == AHEAD_ROWS && fresh && n <= AHEAD_FEW;
    enum statement ask = kind == AHEAD_TEXTS ? STATEMENT_READ_RIDS
                         : both              ? STATEMENT_READ_RIDS_BOTH
                                             : STATEMENT_READ_RIDS_ROWS;
    if (med_pg_array_of(set->rids, n, &rids, &p, err))
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
    if (med_pg_ahead(v) == NULL)
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

/* Only what needs no text. */
static bool is_same_scan(const med_scan *a, const med_scan *b)
{
    return a->index != MED_INDEX_STRING && a->index != MED_INDEX_URI && a->index == b->index
           && a->param == b->param && a->type == b->type && a->key == b->key && a->key2 == b->key2
           && a->low_int == b->low_int && a->high_int == b->high_int && a->low_real == b->low_real
           && a->high_real == b->high_real && a->descending == b->descending
           && a->after_rid == b->after_rid && a->wanted == b->wanted;
}

bool med_pg_ahead_may_read(struct pg_view *v, const med_scan *scan)
{
    return scan->wanted > 0 && scan->wanted < AHEAD_FEW && scan->after_rid == 0
           && med_pg_ahead(v) != NULL && is_fresh(v->ahead) && v->ahead->n_pages < AHEAD_PAGES;
}

static void take_resources(struct ahead *a, const struct pg_page *page, size_t wanted)
{
    struct ahead_set *set = &a->of[AHEAD_ROWS];
    set->n = (size_t)page->n;
    for (int i = 0; i < page->n; i++) {
        set->rids[i] = rid_at(page, i);
        set->row_of[i] = PQgetisnull(page->result, i, 0) != 0 ? -1 : i;
    }
    set->rows = page->result;
    set->at = 0;
    set->kept = true;
    share(a);
    if (set->n > wanted) /* it goes on */
        a->window = 2 * set->n;
}

struct pg_page med_pg_ahead_keep_page(struct pg_view *v, const med_scan *scan, PGresult *result,
                                      bool read)
{
    struct ahead *a = v->ahead;
    int first = read ? COLUMN_PAGE : 0;
    struct pg_page page = {.result = result, .first = first, .n = PQntuples(result), .kept = true};
    if (page.n == 1 && PQgetisnull(result, 0, first) != 0)
        page.n = 0;
    if (read && page.n > 0)
        take_resources(a, &page, scan->wanted);
    a->pages[a->n_pages++] = (struct ahead_page){*scan, page};
    return page;
}

const struct pg_page *med_pg_ahead_kept_page(const struct pg_view *v, const med_scan *scan)
{
    for (size_t i = 0; v->ahead != NULL && i < v->ahead->n_pages; i++) {
        if (is_same_scan(&v->ahead->pages[i].scan, scan))
            return &v->ahead->pages[i].page;
    }
    return NULL;
}

struct pg_page med_pg_ahead_take_page(struct pg_view *v, const med_scan *scan, PGresult *result,
                                      bool read)
{
    return read ? med_pg_ahead_keep_page(v, scan, result, true)
                : (struct pg_page){.result = result, .n = PQntuples(result)};
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
    med_pg_int(&p, set->param);
    med_pg_int(&p, (int64_t)set->key);
    if (!med_pg_array_of(set->rids, n, &rids, &p, err)) {
        med_pg_array_free(&rids);
        return NULL;
    }
    if (n > AHEAD_FEW || !is_fresh(v->ahead) || !med_pg_add_array(&both, &rids)) {
        PGresult *r = med_pg_view_ask(v, set->id, &p, err);
        med_pg_array_free(&rids);
        return r;
    }
    struct pg_question q[] = {{.id = set->id, .p = &p},
                              {.id = STATEMENT_READ_RIDS_BOTH, .p = &both}};
    bool good = med_pg_view_ask_all(v, q, 2, err);
    med_pg_array_free(&rids);
    if (!good)
        return NULL;
    memcpy(rows->rids, set->rids, n * sizeof *rows->rids);
    rows->rows = q[1].result;
    rows->n = n;
    match_rows(rows);
    share(v->ahead);
    return q[0].result;
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
    if (med_pg_ahead(v) == NULL) {
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

/* ---- what the caller knows ---- */

void med_pg_expect(med_view *view, const med_rid *rids, size_t n)
{
    struct ahead *a = med_pg_ahead(med_pg_of_view(view));
    if (a == NULL)
        return;
    a->n_expected = n < AHEAD_MAX ? n : AHEAD_MAX;
    if (n > 0)
        memcpy(a->expected, rids, a->n_expected * sizeof *rids);
}
