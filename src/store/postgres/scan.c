/* scan.c - cursors over one range of one index table, and single probes.
 *
 * A cursor asks for a page at a time, small at first: most questions end early. Each page starts
 * behind the last row of the one before; the snapshot makes that the same as one long scan. */
#include "base/mem.h"
#include "store/postgres/postgres_impl.h"

enum { FIRST_PAGE = 64, LARGEST_PAGE = 2048 };
enum { END_BYTES = MED_URI_KEY + 8 }; /* longer than every key */

static enum statement statement_for(const med_scan *q)
{
    bool down = q->descending;
    switch (q->index) {
    case MED_INDEX_TOKEN:
        return down ? STATEMENT_TOKEN_DOWN : STATEMENT_TOKEN_UP;
    case MED_INDEX_REFERENCE:
        return down ? STATEMENT_REFERENCE_DOWN : STATEMENT_REFERENCE_UP;
    case MED_INDEX_DATE:
        return down ? STATEMENT_DATE_DOWN : STATEMENT_DATE_UP;
    case MED_INDEX_STRING:
        return down ? STATEMENT_STRING_DOWN : STATEMENT_STRING_UP;
    case MED_INDEX_QUANTITY:
        return down ? STATEMENT_QUANTITY_DOWN : STATEMENT_QUANTITY_UP;
    case MED_INDEX_URI:
        return down ? STATEMENT_URI_DOWN : STATEMENT_URI_UP;
    case MED_INDEX_UPDATED:
        return down ? STATEMENT_UPDATED_DOWN : STATEMENT_UPDATED_UP;
    case MED_INDEX_PATIENT:
        if (q->type == 0)
            return down ? STATEMENT_PATIENT_ALL_DOWN : STATEMENT_PATIENT_ALL_UP;
        return down ? STATEMENT_PATIENT_DOWN : STATEMENT_PATIENT_UP;
    case MED_INDEX_PATIENT_TOKEN:
        break;
    }
    return down ? STATEMENT_PTOK_DOWN : STATEMENT_PTOK_UP;
}

/* The end of all that begins with `low`: bytes compare as bytes, so it need not be UTF-8. */
static med_str prefix_end(med_str low, char room[END_BYTES])
{
    while (low.len > 0 && (unsigned char)low.ptr[low.len - 1] == 0xff)
        low.len--;
    if (low.len == 0 || low.len > END_BYTES) {
        memset(room, 0xff, END_BYTES);
        return (med_str){room, END_BYTES};
    }
    memcpy(room, low.ptr, low.len);
    room[low.len - 1] = (char)((unsigned char)room[low.len - 1] + 1);
    return (med_str){room, low.len};
}

static void bind_texts(struct pg_parameters *p, const med_scan *q, int64_t limit,
                       char room[END_BYTES])
{
    med_str end = q->high_text.len == 0 ? prefix_end(q->low_text, room) : q->high_text;
    bool after = q->after_rid != 0;
    med_pg_int(p, q->param);
    med_pg_bytes(p, after ? q->after_text : q->descending ? end : q->low_text);
    med_pg_int(p, after ? (int64_t)q->after_rid : 0); /* the end itself is outside */
    med_pg_bytes(p, q->descending ? q->low_text : end);
    med_pg_int(p, limit);
}

static void bind_reals(struct pg_parameters *p, const med_scan *q, int64_t limit)
{
    bool after = q->after_rid != 0;
    med_pg_int(p, q->param);
    med_pg_int(p, (int64_t)q->key);
    med_pg_real(p, after ? q->after_real : q->descending ? q->high_real : q->low_real);
    med_pg_int(p, after ? (int64_t)q->after_rid : q->descending ? INT64_MAX : 0);
    med_pg_real(p, q->descending ? q->low_real : q->high_real);
    med_pg_int(p, limit);
}

static void bind_rids(struct pg_parameters *p, const med_scan *q, int64_t limit)
{
    med_pg_int(p, q->param);
    med_pg_int(p, (int64_t)q->key);
    med_pg_int(p, q->after_rid != 0 ? (int64_t)q->after_rid : q->descending ? INT64_MAX : 0);
    med_pg_int(p, limit);
}

static void bind_ints(struct pg_parameters *p, const med_scan *q, int64_t limit)
{
    bool patient = q->index == MED_INDEX_PATIENT || q->index == MED_INDEX_PATIENT_TOKEN;
    bool after = q->after_rid != 0;
    med_pg_int(p, patient ? (int64_t)q->key : q->param);
    med_pg_int(p, q->index == MED_INDEX_DATE      ? (int64_t)q->key
                  : q->index == MED_INDEX_PATIENT ? q->type
                                                  : q->param);
    med_pg_int(p, after ? q->after_int : q->descending ? q->high_int : q->low_int);
    med_pg_int(p, after ? (int64_t)q->after_rid : q->descending ? INT64_MAX : 0);
    med_pg_int(p, q->descending ? q->low_int : q->high_int);
    med_pg_int(p, limit);
    if (q->index == MED_INDEX_PATIENT_TOKEN)
        med_pg_int(p, (int64_t)q->key2);
}

static void bind(struct pg_parameters *p, const med_scan *q, int64_t limit, char room[END_BYTES])
{
    switch (q->index) {
    case MED_INDEX_TOKEN:
    case MED_INDEX_REFERENCE:
        bind_rids(p, q, limit);
        return;
    case MED_INDEX_STRING:
    case MED_INDEX_URI:
        bind_texts(p, q, limit, room);
        return;
    case MED_INDEX_QUANTITY:
        bind_reals(p, q, limit);
        return;
    case MED_INDEX_DATE:
    case MED_INDEX_UPDATED:
    case MED_INDEX_PATIENT:
    case MED_INDEX_PATIENT_TOKEN:
        break;
    }
    bind_ints(p, q, limit);
}

/* Little more than what is wanted, when that is known: who takes a hit may look at the next one
 * first, which must not cost a page. */
int64_t med_pg_first_page(const med_scan *q)
{
    return q->wanted > 0 && q->wanted < LARGEST_PAGE ? (int64_t)q->wanted + 1 : FIRST_PAGE;
}

enum statement med_pg_scan_question(const med_scan *q, struct pg_parameters *p)
{
    char room[END_BYTES];
    bind(p, q, med_pg_first_page(q), room);
    return statement_for(q);
}

/* The caller's texts may go before the cursor does. */
static bool copy_texts(struct pg_cursor *c, const med_scan *q)
{
    const med_str from[] = {q->low_text, q->high_text, q->after_text};
    med_str *const to[] = {&c->scan.low_text, &c->scan.high_text, &c->scan.after_text};
    for (size_t i = 0; i < 3; i++) {
        if (from[i].ptr != NULL)
            med_buf_add(&c->texts, from[i]);
    }
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        *to[i] = (med_str){c->texts.ptr + at, from[i].ptr == NULL ? 0 : from[i].len};
        at += to[i]->len;
    }
    return !c->texts.failed;
}

med_cursor *med_pg_scan(med_view *view, const med_scan *q, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct pg_cursor *c = MED_NEW(1, struct pg_cursor);
    if (c == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    *c = (struct pg_cursor){.base.view = view,
                            .scan = *q,
                            .size = med_pg_first_page(q),
                            .open_span = q->key == MED_SPAN_CLASSES - 1,
                            .next = v->cursors};
    med_buf_init(&c->texts, 64 << 10);
    v->cursors = c;
    if (copy_texts(c, q))
        return &c->base;
    (void)MED_FAIL_MEMORY(err);
    med_pg_cursor_close(&c->base);
    return NULL;
}

static void fill_hit(const struct pg_cursor *c, med_hit *out)
{
    const PGresult *r = c->page.result;
    int first = c->page.first;
    *out = (med_hit){.rid = (med_rid)med_pg_int_at(r, c->at, first), .text = MED_STR_EMPTY};
    switch (c->scan.index) {
    case MED_INDEX_TOKEN:
    case MED_INDEX_REFERENCE:
        return;
    case MED_INDEX_STRING:
    case MED_INDEX_URI:
        out->text = med_pg_bytes_at(r, c->at, first + 1);
        return;
    case MED_INDEX_QUANTITY:
        out->real = med_pg_real_at(r, c->at, first + 1);
        out->real_high = med_pg_real_at(r, c->at, first + 2);
        return;
    case MED_INDEX_DATE:
        out->value = med_pg_int_at(r, c->at, first + 1);
        out->value_high = med_pg_int_at(r, c->at, first + 2);
        if (!c->open_span) /* the last class keeps its end, not its length */
            out->value_high += out->value;
        return;
    case MED_INDEX_UPDATED:
    case MED_INDEX_PATIENT:
    case MED_INDEX_PATIENT_TOKEN:
        break;
    }
    out->value = out->value_high = med_pg_int_at(r, c->at, first + 1);
}

/* The next page begins behind the last hit of this one. */
static bool note_place(struct pg_cursor *c, med_err *err)
{
    med_hit last;
    c->at = c->page.n - 1;
    fill_hit(c, &last);
    c->scan.after_rid = last.rid;
    c->scan.after_int = last.value;
    c->scan.after_real = last.real;
    med_buf_clear(&c->texts);
    med_scan q = c->scan;
    char low[MED_URI_KEY + 1], high[MED_URI_KEY + 1];
    if (q.low_text.len > MED_URI_KEY || q.high_text.len > MED_URI_KEY)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a key has at most %d bytes", (int)MED_URI_KEY);
    memcpy(low, q.low_text.ptr, q.low_text.len);
    memcpy(high, q.high_text.ptr, q.high_text.len);
    q.low_text.ptr = low;
    q.high_text.ptr = high;
    q.after_text = last.text;
    return copy_texts(c, &q) || MED_FAIL_MEMORY(err);
}

static void end_page(struct pg_cursor *c)
{
    if (!c->page.kept)
        PQclear(c->page.result);
    c->page = (struct pg_page){0};
}

static void take_page(struct pg_cursor *c, struct pg_page page)
{
    end_page(c);
    c->page = page;
    c->at = 0;
    c->last = page.n < c->size;
    c->size = c->size < LARGEST_PAGE ? c->size * 4 : c->size;
}

/* Cursors that are merged are opened one behind the other, before the first is read. */
enum { TOGETHER = 32 };
static size_t list_unread(struct pg_cursor *c, struct pg_cursor *out[TOGETHER])
{
    struct pg_view *v = med_pg_of_view(c->base.view);
    size_t n = 0;
    out[n++] = c;
    for (struct pg_cursor *o = v->cursors; o != NULL && n < TOGETHER; o = o->next) {
        if (o != c && o->page.result == NULL && o->scan.index == c->scan.index
            && med_pg_ahead_kept_page(v, &o->scan) == NULL)
            out[n++] = o;
    }
    return n;
}

/* The first pages of all that are still unread, in one round trip. */
static bool first_pages(struct pg_cursor *c, med_err *err)
{
    struct pg_view *v = med_pg_of_view(c->base.view);
    struct pg_cursor *cursors[TOGETHER];
    struct pg_parameters p[TOGETHER] = {{0}};
    struct pg_question q[TOGETHER];
    char room[TOGETHER][END_BYTES];
    bool read = med_pg_ahead_may_read(v, &c->scan);
    size_t n = list_unread(c, cursors);
    for (size_t i = 0; i < n; i++) {
        bind(&p[i], &cursors[i]->scan, cursors[i]->size, room[i]);
        q[i] = (struct pg_question){.id = statement_for(&cursors[i]->scan), .p = &p[i]};
    }
    if (read) /* with the resources that it names */
        q[0].id = (enum statement)(q[0].id + 1);
    if (!med_pg_view_ask_all(v, q, n, err))
        return false;
    take_page(c, med_pg_ahead_take_page(v, &c->scan, q[0].result, read));
    for (size_t i = 1; i < n; i++)
        take_page(cursors[i], med_pg_ahead_take_page(v, &cursors[i]->scan, q[i].result, false));
    return true;
}

static bool next_page(struct pg_cursor *c, med_err *err)
{
    char room[END_BYTES];
    struct pg_parameters p = {0};
    struct pg_view *v = med_pg_of_view(c->base.view);
    if (c->page.result == NULL) {
        const struct pg_page *kept = med_pg_ahead_kept_page(v, &c->scan);
        if (kept == NULL)
            return first_pages(c, err);
        take_page(c, *kept);
        return true;
    }
    if (!note_place(c, err))
        return false;
    bind(&p, &c->scan, c->size, room);
    PGresult *r = med_pg_view_ask(v, statement_for(&c->scan), &p, err);
    if (r != NULL)
        take_page(c, med_pg_ahead_take_page(v, &c->scan, r, false));
    return r != NULL;
}

enum med_found med_pg_next(med_cursor *cursor, med_hit *out, med_err *err)
{
    struct pg_cursor *c = (struct pg_cursor *)cursor;
    if (c->page.result != NULL && c->at >= c->page.n && c->last)
        return MED_ABSENT;
    if (c->at >= c->page.n && !next_page(c, err))
        return MED_FAILED;
    if (c->page.n == 0)
        return MED_ABSENT;
    fill_hit(c, out);
    c->at++;
    return MED_FOUND;
}

void med_pg_cursor_close(med_cursor *cursor)
{
    struct pg_cursor *c = (struct pg_cursor *)cursor;
    struct pg_cursor **at = &med_pg_of_view(cursor->view)->cursors;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    end_page(c);
    med_buf_free(&c->texts);
    med_free(c);
}

/* A patient row is found by its time, which the caller does not know: ask the resource. */
static bool probe_patient(struct pg_view *v, uint64_t key, med_rid rid, bool *out, med_err *err)
{
    struct ahead_row at;
    struct stored_row row = {0};
    *out = false;
    enum med_found found = med_pg_ahead_row(v, AHEAD_ROWS, rid, &at, err);
    if (found != MED_FOUND)
        return found == MED_ABSENT;
    bool good = med_pg_row(at.result, at.at, &row) || med_pg_damaged(v, &row, err) == MED_FOUND;
    if (good && row.change != MED_DELETED) {
        const med_hash_key *check = med_keyring_check(&v->store->keys, row.key);
        med_str rowset = med_pg_bytes_at(at.result, at.at, COLUMN_ROWSET);
        good =
            (check != NULL && med_rowset_has_patient(rowset, *check, key, out))
            || MED_FAIL(err, MED_ISSUE_EXCEPTION, "the list of a resource's index rows is damaged");
    }
    med_pg_ahead_row_end(&at);
    return good;
}

bool med_pg_probe(med_view *view, enum med_index index, uint32_t param, uint64_t key, med_rid rid,
                  bool *out, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    if (index == MED_INDEX_PATIENT)
        return probe_patient(v, key, rid, out, err);
    if (index != MED_INDEX_TOKEN && index != MED_INDEX_REFERENCE)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "only token, reference and patient rows can be probed");
    return med_pg_ahead_probe(v, index == MED_INDEX_TOKEN, param, key, rid, out, err);
}

/* A counter as this view sees it: the commit thread's has not written its changes yet. */
static bool counter(struct pg_view *v, int64_t param, uint64_t hash, bool *has, uint64_t *out,
                    med_err *err)
{
    const int64_t keys[] = {param, (int64_t)hash};
    int64_t n = 0;
    if (!med_pg_view_number(v, STATEMENT_COUNTER, keys, 2, has, &n, err))
        return false;
    if (v->writer)
        n += med_tallies_delta(&v->store->tallies, param, hash);
    *out = n > 0 ? (uint64_t)n : 0;
    return true;
}

bool med_pg_count_type(med_view *view, uint32_t type, uint64_t *out, med_err *err)
{
    bool has = false;
    return counter(med_pg_of_view(view), MED_TALLY_TYPE, type, &has, out, err);
}

bool med_pg_count_token(med_view *view, uint32_t param, uint64_t hash, uint64_t *out, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    bool has = false;
    if (!v->writer) {
        const int64_t of[] = {param, (int64_t)hash};
        int64_t both = 0;
        bool good = med_pg_view_number(v, STATEMENT_COUNT_TOKEN, of, 2, &has, &both, err);
        *out = both > 0 ? (uint64_t)both : 0;
        return good;
    }
    if (!counter(v, param, hash, &has, out, err))
        return false;
    if (has)
        return true;
    const int64_t keys[] = {param, (int64_t)hash}; /* identifiers: few rows each, not counted */
    int64_t n = 0;
    bool good = med_pg_view_number(v, STATEMENT_TOKEN_COUNT, keys, 2, &has, &n, err);
    *out = (uint64_t)n;
    return good;
}

/* The counters that came with the codes: they are asked for next. */
static void keep_counters(struct pg_view *v, uint32_t param, const PGresult *codes)
{
    for (int i = 0; codes != NULL && i < PQntuples(codes); i++) {
        const int64_t keys[] = {param, med_pg_int_at(codes, i, 0)};
        if (PQgetisnull(codes, i, 1) == 0)
            (void)med_pg_ahead_keep_number(v, STATEMENT_COUNT_TOKEN, keys, 2, true,
                                           med_pg_int_at(codes, i, 1));
    }
}

/* All integers of the first column, into the arena. */
static bool collect(const PGresult *r, med_arena *a, uint64_t **out, size_t *n, med_err *err)
{
    if (r == NULL)
        return false;
    *n = (size_t)PQntuples(r);
    *out = MED_TAKE(a, *n, uint64_t);
    for (size_t i = 0; *out != NULL && i < *n; i++)
        (*out)[i] = (uint64_t)med_pg_int_at(r, (int)i, 0);
    return *out != NULL || MED_FAIL_MEMORY(err);
}

enum statement med_pg_codes_question(const med_code_lookup *l, struct pg_parameters *p)
{
    enum statement id = l->system.len == 0 ? STATEMENT_CODES_BY_CODE
                        : l->code.len == 0 ? STATEMENT_CODES_BY_SYSTEM
                                           : STATEMENT_CODES_BY_BOTH;
    med_pg_int(p, l->param);
    med_pg_bytes(p, l->code.len == 0 ? l->system : l->code);
    if (id == STATEMENT_CODES_BY_BOTH)
        med_pg_bytes(p, l->system);
    return id;
}

const PGresult *med_pg_known_codes(const struct pg_view *v, const med_code_lookup *l)
{
    uint64_t of[] = {l->param, med_store_hash2(&v->store->base, l->system, '|', l->code)};
    return med_pg_ahead_list(v, of);
}

bool med_pg_keep_codes(struct pg_view *v, const med_code_lookup *l, PGresult *r)
{
    uint64_t of[] = {l->param, med_store_hash2(&v->store->base, l->system, '|', l->code)};
    keep_counters(v, l->param, r);
    return med_pg_ahead_keep_list(v, of, r);
}

bool med_pg_codes(med_view *view, med_arena *a, uint32_t param, med_str system, med_str code,
                  uint64_t **hashes, size_t *n, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct pg_parameters p = {0};
    const med_code_lookup l = {param, system, code};
    const PGresult *known = med_pg_known_codes(v, &l);
    if (known != NULL)
        return collect(known, a, hashes, n, err);
    enum statement id = med_pg_codes_question(&l, &p);
    PGresult *r = med_pg_view_ask(v, id, &p, err);
    bool good = collect(r, a, hashes, n, err);
    if (!med_pg_keep_codes(v, &l, r))
        PQclear(r);
    return good;
}

bool med_pg_referrers(med_view *view, med_arena *a, med_rid rid, size_t limit, med_rid **out,
                      size_t *n, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)rid);
    med_pg_int(&p, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
    PGresult *r = med_pg_view_ask(med_pg_of_view(view), STATEMENT_REFERRERS, &p, err);
    bool good = collect(r, a, out, n, err);
    PQclear(r);
    return good;
}

/* Targets of references that are no current resources, a page of all targets at a time. */
bool med_pg_missing(med_view *view, med_arena *a, med_rid *after, med_rid **out, size_t *n,
                    bool *done, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)*after);
    *n = 0;
    PGresult *r = med_pg_view_ask(med_pg_of_view(view), STATEMENT_MISSING_TARGETS, &p, err);
    if (r == NULL)
        return false;
    *done = PQntuples(r) == 0;
    *out = MED_TAKE(a, (size_t)PQntuples(r), med_rid);
    for (int i = 0; *out != NULL && i < PQntuples(r); i++) {
        *after = (med_rid)med_pg_int_at(r, i, 0);
        if (med_pg_int_at(r, i, 1) != 0)
            (*out)[(*n)++] = *after;
    }
    PQclear(r);
    return *out != NULL || MED_FAIL_MEMORY(err);
}
