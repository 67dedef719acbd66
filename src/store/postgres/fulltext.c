/* fulltext.c - the lists behind full-text search, in the table `posting`: runs of rids in blocks
 * (posting_block.h), as with SQLite.
 *
 * They are written on a connection of their own, so that no commit waits for them, in slices of a
 * transaction each. `posted` is its lock: a purge takes it in its commit, behind the lock of
 * `state`, and whoever makes lists takes no other. A slice costs four round trips: which block each
 * posting belongs to (five, where lists change in their middle), those blocks, what becomes of
 * them, and the end. */
#include <stdlib.h>

#include "store/postgres/postgres_impl.h"
#include "store/posting_block.h"
#include "store/purge_terms.h"

enum {
    SLICE = 20000, /* postings */
    SLICE_MEMORY = 64 << 20,
    RUN_MEMORY = 256 << 20, /* of one block's rids, before and after */
    ROWS_GONE = 50000,      /* of lists in another form, at a time */
    PAGE_BLOCKS = 500,
};

/* ---- a slice of postings, sorted, on a connection inside of a transaction ---- */

/* Those that belong to one block: what begins at `first`, or a new one before all others (0). */
struct run {
    const med_posting *at;
    size_t n;
    med_rid first;
};

struct slice {
    struct pg_connection *c;
    med_arena *arena, *one;
    struct run *runs;
    size_t n_runs;
    struct pg_array cut[3], put[4];
};

static void add_key(struct pg_array *to, const med_posting *p, med_rid rid)
{
    med_pg_array_int(&to[0], (int64_t)p->list);
    med_pg_array_bytes(&to[1], p->term);
    med_pg_array_int(&to[2], (int64_t)rid);
}

static void arrays_init(struct pg_array *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        med_pg_array_init(&a[i], i % 2 == 0 ? PG_INT : PG_BYTES);
}

static void arrays_free(struct pg_array *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        med_pg_array_free(&a[i]);
}

static bool bind(struct pg_parameters *p, struct pg_array *a, size_t n, med_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!med_pg_add_array(p, &a[i]))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

/* A question about n keys that has n rows for an answer. */
static PGresult *ask_keys(struct slice *s, enum statement id, struct pg_array keys[3], size_t n,
                          med_err *err)
{
    struct pg_parameters p = {0};
    PGresult *r = bind(&p, keys, 3, err) ? med_pg_ask(s->c, id, &p, err) : NULL;
    arrays_free(keys, 3);
    if (r == NULL || (size_t)PQntuples(r) == n)
        return r;
    PQclear(r);
    (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the database answered other keys than were asked");
    return NULL;
}

static bool same_list(const med_posting *a, const med_posting *b)
{
    return a->list == b->list && med_str_eq(a->term, b->term);
}

/* first[i], for each i of `which`: where at[i] belongs. */
static bool ask_firsts(struct slice *s, const med_posting *at, const size_t *which, size_t n,
                       med_rid *first, med_err *err)
{
    struct pg_array keys[3];
    arrays_init(keys, 3);
    for (size_t i = 0; i < n; i++)
        add_key(keys, &at[which[i]], at[which[i]].rid);
    PGresult *r = ask_keys(s, STATEMENT_BLOCK_FIRSTS, keys, n, err);
    for (size_t i = 0; r != NULL && i < n; i++)
        first[which[i]] = (med_rid)med_pg_int_at(r, (int)i, 0);
    PQclear(r);
    return r != NULL;
}

/* Lists grow at their end: the block of a list's last posting is nearly always that of the others,
 * and only what stands before it is asked for one by one. */
static bool find_firsts(struct slice *s, const med_posting *at, size_t n, med_rid *first,
                        med_err *err)
{
    size_t *which = MED_TAKE(s->arena, n, size_t);
    size_t asked = 0;
    if (which == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 == n || !same_list(&at[i], &at[i + 1]))
            which[asked++] = i;
    }
    if (!ask_firsts(s, at, which, asked, first, err))
        return false;
    asked = 0;
    for (size_t i = n, last = n; i-- > 0;) {
        if (last == n || !same_list(&at[i], &at[last]))
            last = i;
        else if (at[i].rid >= first[last])
            first[i] = first[last];
        else
            which[asked++] = i;
    }
    return asked == 0 || ask_firsts(s, at, which, asked, first, err);
}

static bool find_runs(struct slice *s, const med_posting *at, size_t n, med_err *err)
{
    med_rid *first = MED_TAKE(s->arena, n, med_rid);
    struct run *runs = MED_TAKE(s->arena, n, struct run);
    size_t n_runs = 0;
    if (first == NULL || runs == NULL)
        return MED_FAIL_MEMORY(err);
    if (!find_firsts(s, at, n, first, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct run *last = n_runs == 0 ? NULL : &runs[n_runs - 1];
        if (last != NULL && last->first == first[i] && same_list(last->at, &at[i]))
            last->n++;
        else
            runs[n_runs++] = (struct run){&at[i], 1, first[i]};
    }
    s->runs = runs;
    s->n_runs = n_runs;
    return true;
}

static PGresult *read_blocks(struct slice *s, med_err *err)
{
    struct pg_array keys[3];
    arrays_init(keys, 3);
    for (size_t i = 0; i < s->n_runs; i++)
        add_key(keys, s->runs[i].at, s->runs[i].first);
    return ask_keys(s, STATEMENT_BLOCKS, keys, s->n_runs, err);
}

static bool put_blocks(struct slice *s, const med_posting *p, const med_rids *rids, med_err *err)
{
    med_buf bytes;
    bool good = true;
    med_buf_init(&bytes, (size_t)2 * MED_BLOCK_BYTES);
    for (size_t i = 0; good && i < rids->n;) {
        med_buf_clear(&bytes);
        add_key(s->put, p, rids->at[i]);
        i += med_block_write(rids->at + i, rids->n - i, &bytes);
        good = !bytes.failed || MED_FAIL_MEMORY(err);
        if (good)
            med_pg_array_bytes(&s->put[3], med_buf_str(&bytes));
    }
    med_buf_free(&bytes);
    return good;
}

static bool is_same(const med_rids *a, const med_rids *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n * sizeof *a->at) == 0);
}

static bool change_block(struct slice *s, const struct run *run, med_str bytes, med_err *err)
{
    med_arena_reset(s->one);
    med_rids old = {.arena = s->one}, new = {.arena = s->one};
    if ((run->first != 0 && !med_block_read(run->first, bytes, &old, err))
        || !med_rids_merge(&old, run->at, run->n, &new, err))
        return false;
    if (is_same(&old, &new))
        return true;
    if (run->first != 0 && (new.n == 0 || new.at[0] != run->first))
        add_key(s->cut, run->at, run->first);
    return put_blocks(s, run->at, &new, err);
}

static bool send_blocks(struct slice *s, med_err *err)
{
    struct pg_parameters cut = {0}, put = {0};
    return bind(&cut, s->cut, 3, err) && bind(&put, s->put, 4, err)
           && (s->cut[0].n == 0 || med_pg_send(s->c, STATEMENT_CUT_BLOCKS, &cut, err))
           && (s->put[0].n == 0 || med_pg_send(s->c, STATEMENT_PUT_BLOCKS, &put, err))
           && med_pg_sync(s->c, err) && med_pg_drain(s->c, err);
}

static bool change_blocks(struct slice *s, const med_posting *at, size_t n, med_err *err)
{
    PGresult *blocks = find_runs(s, at, n, err) ? read_blocks(s, err) : NULL;
    if (blocks == NULL)
        return false;
    bool good = true;
    arrays_init(s->cut, 3);
    arrays_init(s->put, 4);
    for (size_t i = 0; good && i < s->n_runs; i++)
        good = change_block(s, &s->runs[i], med_pg_bytes_at(blocks, (int)i, 0), err);
    PQclear(blocks);
    good = good && send_blocks(s, err);
    arrays_free(s->cut, 3);
    arrays_free(s->put, 4);
    return good;
}

static bool change_lists(struct pg_connection *c, const med_posting *at, size_t n, med_err *err)
{
    struct slice s = {
        .c = c, .arena = med_arena_new(SLICE_MEMORY), .one = med_arena_new(RUN_MEMORY)};
    bool good = s.arena != NULL && s.one != NULL ? true : MED_FAIL_MEMORY(err);
    for (size_t i = 0; good && i < n; i += SLICE) {
        med_arena_reset(s.arena);
        good = change_blocks(&s, at + i, n - i < SLICE ? n - i : SLICE, err);
    }
    med_arena_free(s.arena);
    med_arena_free(s.one);
    return good;
}

/* ---- what the lists hold ---- */

static bool read_posted(const PGresult *r, med_posted *out, med_err *err)
{
    *out = (med_posted){0};
    if (r == NULL)
        return false;
    if (PQntuples(r) != 1)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the table posted has lost its row");
    *out = (med_posted){med_pg_int_at(r, 0, 0), (uint32_t)med_pg_int_at(r, 0, 1),
                        med_pg_int_at(r, 0, 2)};
    return true;
}

/* Until the end of the transaction nobody else changes the lists. */
static bool lock_posted(struct pg_connection *c, med_posted *now, med_err *err)
{
    PGresult *r = med_pg_ask(c, STATEMENT_LOCK_POSTED, NULL, err);
    bool good = read_posted(r, now, err);
    PQclear(r);
    return good;
}

static bool set_posted(struct pg_connection *c, const med_posted *to, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, to->t);
    med_pg_int(&p, to->form);
    med_pg_int(&p, to->purges);
    return med_pg_run(c, STATEMENT_SET_POSTED, &p, err);
}

/* ---- making them ---- */

struct post {
    struct pg_connection *c;
    const med_posting *at;
    size_t n, next;
    med_posted now, to; /* now: as it must stand when the next slice begins */
};

/* Nobody looks at lists of form 0: so they can go in pieces. *all: nothing is left. */
static bool drop_some(struct post *p, bool *all, med_err *err)
{
    struct pg_parameters most = {0};
    p->now = (med_posted){0, 0, p->now.purges};
    med_pg_int(&most, ROWS_GONE);
    PGresult *r = med_pg_ask(p->c, STATEMENT_DROP_POSTINGS, &most, err);
    *all = r != NULL && med_pg_int_at(r, 0, 0) < ROWS_GONE;
    PQclear(r);
    if (*all)
        p->now.form = p->to.form;
    return r != NULL && set_posted(p->c, &p->now, err);
}

static bool write_slice(struct post *p, med_err *err)
{
    size_t n = p->n - p->next < SLICE ? p->n - p->next : SLICE;
    if (!change_lists(p->c, p->at + p->next, n, err))
        return false;
    p->next += n;
    if (p->next < p->n)
        return true;
    p->now = p->to;
    return set_posted(p->c, &p->now, err);
}

/* What a crash leaves half done is done again, to the same end: so it need not wait for the disk,
 * either. */
static bool run_slice(struct post *p, bool *done, med_err *err)
{
    med_posted now;
    bool ready = true;
    if (!med_pg_run(p->c, STATEMENT_BEGIN_WRITE, NULL, err)
        || !med_pg_run(p->c, STATEMENT_NO_WAIT, NULL, err) || !lock_posted(p->c, &now, err))
        return false;
    if (now.t != p->now.t || now.form != p->now.form || now.purges != p->now.purges)
        return MED_FAIL(err, MED_ISSUE_CONFLICT, "the full-text lists have changed meanwhile");
    if (now.form != p->to.form && !drop_some(p, &ready, err))
        return false;
    if (ready && !write_slice(p, err))
        return false;
    *done = ready && p->next == p->n;
    return med_pg_run(p->c, STATEMENT_COMMIT, NULL, err);
}

/* Its own connection, made when it is needed; what the session held is gone with the one before. */
static bool connect_poster(struct pg_store *s, med_err *err)
{
    s->poster.conninfo = s->conninfo;
    if (s->poster.pg != NULL && PQstatus(s->poster.pg) == CONNECTION_OK)
        return true;
    s->makes_lists = false;
    return med_pg_connect(&s->poster, err);
}

static void leave_off(struct pg_store *s)
{
    med_err ignored = {0};
    if (s->poster.pg != NULL && !med_pg_run(&s->poster, STATEMENT_ROLLBACK, NULL, &ignored))
        med_pg_disconnect(&s->poster);
    if (s->poster.trouble == TROUBLE_READ_ONLY) /* another host may be the primary now */
        med_pg_disconnect(&s->poster);
}

bool med_pg_post(med_store *store, const med_posting *at, size_t n, med_posted from, med_posted to,
                 med_err *err)
{
    struct pg_store *s = med_pg_of(store);
    struct post p = {.c = &s->poster, .n = n, .now = from, .to = to};
    med_arena *sorted = med_arena_new(2 * n * sizeof(med_posting) + (1 << 20));
    med_posting *copy = sorted == NULL ? NULL : MED_TAKE(sorted, n, med_posting);
    bool good = copy != NULL || MED_FAIL_MEMORY(err);
    bool done = false;
    p.to.purges = from.purges;
    p.at = copy;
    if (good && n > 0) {
        memcpy(copy, at, n * sizeof *copy);
        qsort(copy, n, sizeof *copy, med_posting_compare);
    }
    pthread_mutex_lock(&s->poster_lock);
    good = good && connect_poster(s, err);
    while (good && !done)
        good = run_slice(&p, &done, err);
    if (!good)
        leave_off(s);
    pthread_mutex_unlock(&s->poster_lock);
    med_arena_free(sorted);
    return good;
}

/* A lock of the session: it ends with this process. */
bool med_pg_claim_lists(med_store *store, bool *mine, med_err *err)
{
    struct pg_store *s = med_pg_of(store);
    pthread_mutex_lock(&s->poster_lock);
    bool good = connect_poster(s, err);
    if (good && !s->makes_lists) {
        PGresult *r = med_pg_ask(&s->poster, STATEMENT_CLAIM_LISTS, NULL, err);
        good = r != NULL;
        s->makes_lists = good && med_pg_int_at(r, 0, 0) != 0;
        PQclear(r);
    }
    *mine = good && s->makes_lists;
    pthread_mutex_unlock(&s->poster_lock);
    return good;
}

/* ---- purge: on the commit thread, in its transaction ---- */

static bool take_out(struct pg_store *s, med_rid rid, med_err *err)
{
    med_posting *at;
    size_t n;
    med_pg_view_begin(s->guard_view, INT64_MAX);
    bool good = med_purge_terms(&s->guard_view->base, s->scratch, rid, &at, &n, err);
    med_pg_view_close(s->guard_view);
    return good && change_lists(&s->writer, at, n, err);
}

bool med_pg_forget_terms(struct pg_store *s, med_rid rid, med_err *err)
{
    med_posted now;
    if (!lock_posted(&s->writer, &now, err))
        return false;
    const med_terms_known *known = s->base.terms;
    bool knows = known != NULL && now.form >= known->first_form && now.form <= known->last_form;
    now.purges++;
    if (knows)
        return take_out(s, rid, err) && set_posted(&s->writer, &now, err);
    now = (med_posted){0, 0, now.purges};
    return med_pg_run(&s->writer, STATEMENT_EMPTY_POSTING, NULL, err)
           && set_posted(&s->writer, &now, err);
}

/* ---- reading ---- */

bool med_pg_posted(med_view *view, med_posted *out, med_err *err)
{
    PGresult *r = med_pg_view_ask(med_pg_of_view(view), STATEMENT_POSTED, NULL, err);
    bool good = read_posted(r, out, err);
    PQclear(r);
    return good;
}

/* Behind the term itself, or behind all that begin with it. */
static med_str end_of(char room[MED_TERM_BYTES + 1], med_str term, bool prefix)
{
    memcpy(room, term.ptr, term.len);
    room[term.len] = prefix ? (char)0xff : '\0'; /* no text has the byte ff */
    return (med_str){room, term.len + 1};
}

struct place {
    char room[MED_TERM_BYTES];
    med_str term;
    int64_t first;
};

/* The next blocks; `at` moves behind them. */
static bool read_page(struct pg_view *v, uint64_t list, struct place *at, med_str end, bool *last,
                      med_rids *out, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)list);
    med_pg_bytes(&p, at->term);
    med_pg_int(&p, at->first);
    med_pg_bytes(&p, end);
    med_pg_int(&p, PAGE_BLOCKS);
    PGresult *r = med_pg_view_ask(v, STATEMENT_POSTINGS, &p, err);
    bool good = r != NULL;
    int n = good ? PQntuples(r) : 0;
    for (int i = 0; good && i < n; i++)
        good = med_block_read((med_rid)med_pg_int_at(r, i, 1), med_pg_bytes_at(r, i, 2), out, err);
    *last = n < PAGE_BLOCKS;
    if (good && n > 0) {
        med_str term = med_pg_bytes_at(r, n - 1, 0);
        good = term.len <= MED_TERM_BYTES
               || MED_FAIL(err, MED_ISSUE_EXCEPTION, "a list of the full-text index is damaged");
        at->term = (med_str){at->room, good ? term.len : 0};
        memcpy(at->room, term.ptr, at->term.len);
        at->first = med_pg_int_at(r, n - 1, 1);
    }
    PQclear(r);
    return good;
}

bool med_pg_postings(med_view *view, med_arena *a, uint64_t list, med_str term, bool prefix,
                     size_t limit, med_rid **out, size_t *n, bool *whole, med_err *err)
{
    char room[MED_TERM_BYTES + 1];
    struct place at = {.term = term, .first = INT64_MIN};
    med_rids rids = {.arena = a};
    bool good = true, last = false;
    if (term.len == 0 || term.len > MED_TERM_BYTES)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a term has 1 to %d bytes", (int)MED_TERM_BYTES);
    med_str end = end_of(room, term, prefix);
    while (good && !last && rids.n <= limit)
        good = read_page(med_pg_of_view(view), list, &at, end, &last, &rids, err);
    *whole = good && rids.n <= limit;
    med_rids_sort(&rids);
    *out = rids.at;
    *n = rids.n;
    return good;
}
