/* store.c - hands each call to the back end that was opened, and hashes keys. */
#include <pthread.h>

#include "store/store_impl.h"

const int64_t med_span_class_bound[MED_SPAN_CLASSES] = {
    INT64_C(86400000000),
    32 * INT64_C(86400000000),
    366 * INT64_C(86400000000),
    INT64_MAX,
};

bool med_store_intern(med_store *s, enum med_name_kind kind, const med_str *names, size_t n,
                      uint32_t *numbers, med_err *err)
{
    return s->ops->intern(s, kind, names, n, numbers, err);
}

/* SQLite's integers are signed, so the top bit stays free. */
uint64_t med_store_hash(const med_store *s, med_str value)
{
    return med_siphash(s->index_key, value) & INT64_MAX;
}

uint64_t med_store_hash2(const med_store *s, med_str a, char separator, med_str b)
{
    char joined[160];
    size_t len = a.len + 1 + b.len;
    if (a.len < sizeof joined && b.len < sizeof joined && len <= sizeof joined) {
        memcpy(joined, a.ptr, a.len);
        joined[a.len] = separator;
        memcpy(joined + a.len + 1, b.ptr, b.len);
        return med_store_hash(s, (med_str){joined, len});
    }
    med_hasher h;
    med_hasher_begin(&h, s->index_key);
    med_hasher_add(&h, a);
    med_hasher_add(&h, (med_str){&separator, 1});
    med_hasher_add(&h, b);
    return med_hasher_end(&h) & INT64_MAX;
}

med_view *med_store_view(med_store *s, unsigned slot, int64_t deadline, med_err *err)
{
    return s->ops->view(s, slot, deadline, err);
}

void med_view_end(med_view *v)
{
    if (v != NULL)
        v->store->ops->view_end(v);
}

const med_store *med_view_store(const med_view *v)
{
    return v->store;
}

bool med_store_lags(const med_store *s)
{
    return s->ops->lags != NULL && s->ops->lags(s);
}

bool med_store_follow(med_store *s, med_err *err)
{
    return !med_store_lags(s) || s->ops->follow(s, err);
}

void med_view_may_lag(med_view *v, int64_t least_t, int64_t since)
{
    if (med_store_lags(v->store))
        v->store->ops->may_lag(v, least_t, since);
}

bool med_view_was_cut(const med_view *v)
{
    return med_store_lags(v->store) && v->store->ops->was_cut(v);
}

int64_t med_store_position(const med_store *s)
{
    return s->ops->position == NULL ? 0 : s->ops->position(s);
}

void med_store_replicas(med_store *s, med_replicas *out)
{
    *out = (med_replicas){0};
    if (med_store_lags(s))
        s->ops->replicas(s, out);
}

enum med_found med_view_read(med_view *v, med_arena *a, uint32_t type, med_str id, med_stored *out,
                             med_err *err)
{
    return v->store->ops->read(v, a, type, id, out, err);
}

enum med_found med_view_latest(med_view *v, med_arena *a, uint32_t type, med_str id,
                               med_stored *out, med_err *err)
{
    return v->store->ops->latest(v, a, type, id, out, err);
}

enum med_found med_view_version(med_view *v, med_arena *a, uint32_t type, med_str id,
                                uint32_t version, med_stored *out, med_err *err)
{
    return v->store->ops->version(v, a, type, id, version, out, err);
}

enum med_found med_view_by_rid(med_view *v, med_arena *a, med_rid rid, med_stored *out,
                               med_err *err)
{
    return v->store->ops->by_rid(v, a, rid, out, err);
}

enum med_found med_view_apart(med_view *v, med_arena *a, uint32_t type, med_str id,
                              uint32_t version, med_stored *out, med_err *err)
{
    v->apart = true;
    enum med_found found = version == 0 ? v->store->ops->latest(v, a, type, id, out, err)
                                        : v->store->ops->version(v, a, type, id, version, out, err);
    v->apart = false;
    return found;
}

enum med_found med_view_rows(med_view *v, med_arena *a, med_rid rid, med_stored *out,
                             med_rows *rows, med_err *err)
{
    return v->store->ops->rows(v, a, rid, out, rows, err);
}

bool med_view_rid(med_view *v, uint64_t ident, med_rid *out, med_err *err)
{
    return v->store->ops->rid(v, ident, out, err);
}

bool med_view_history(med_view *v, med_arena *a, const med_history *q, med_stored **out, size_t *n,
                      med_err *err)
{
    return v->store->ops->history(v, a, q, out, n, err);
}

bool med_view_history_count(med_view *v, const med_history *q, uint64_t *out, med_err *err)
{
    return v->store->ops->history_count(v, q, out, err);
}

med_cursor *med_view_scan(med_view *v, const med_scan *scan, med_err *err)
{
    return v->store->ops->scan(v, scan, err);
}

enum med_found med_cursor_next(med_cursor *c, med_hit *out, med_err *err)
{
    return c->view->store->ops->next(c, out, err);
}

void med_cursor_close(med_cursor *c)
{
    if (c != NULL)
        c->view->store->ops->cursor_close(c);
}

bool med_store_is_far(const med_store *s)
{
    return s->ops->expect != NULL;
}

bool med_view_is_far(const med_view *v)
{
    return med_store_is_far(v->store);
}

void med_view_expect(med_view *v, const med_rid *rids, size_t n)
{
    if (v->store->ops->expect != NULL)
        v->store->ops->expect(v, rids, n);
}

bool med_view_expect_idents(med_view *v, const uint64_t *idents, size_t n, med_err *err)
{
    return v->store->ops->expect_idents == NULL || v->store->ops->expect_idents(v, idents, n, err);
}

bool med_store_is_shared(const med_store *s)
{
    return s->ops->put_note_file != NULL;
}

bool med_store_put_note_file(med_store *s, med_str name, int fd, med_err *err)
{
    return s->ops->put_note_file(s, name, fd, err);
}

enum med_found med_store_get_note_file(med_store *s, med_str name, int fd, med_err *err)
{
    return s->ops->get_note_file(s, name, fd, err);
}

bool med_view_foresee(med_view *v, const med_foreseen *f, med_err *err)
{
    return v->store->ops->foresee == NULL || v->store->ops->foresee(v, f, err);
}

bool med_view_probe(med_view *v, enum med_index index, uint32_t param, uint64_t key, med_rid rid,
                    bool *out, med_err *err)
{
    return v->store->ops->probe(v, index, param, key, rid, out, err);
}

bool med_view_count_type(med_view *v, uint32_t type, uint64_t *out, med_err *err)
{
    return v->store->ops->count_type(v, type, out, err);
}

bool med_view_count_token(med_view *v, uint32_t param, uint64_t hash, uint64_t *out, med_err *err)
{
    return v->store->ops->count_token(v, param, hash, out, err);
}

bool med_view_codes(med_view *v, med_arena *a, uint32_t param, med_str system, med_str code,
                    uint64_t **hashes, size_t *n, med_err *err)
{
    return v->store->ops->codes(v, a, param, system, code, hashes, n, err);
}

bool med_view_referrers(med_view *v, med_arena *a, med_rid rid, size_t limit, med_rid **out,
                        size_t *n, med_err *err)
{
    return v->store->ops->referrers(v, a, rid, limit, out, n, err);
}

bool med_view_missing(med_view *v, med_arena *a, med_rid *after, med_rid **out, size_t *n,
                      bool *done, med_err *err)
{
    return v->store->ops->missing(v, a, after, out, n, done, err);
}

bool med_store_prepare(const med_store *s, med_arena *a, med_write *w, med_err *err)
{
    return s->ops->prepare(s, a, w, err);
}

bool med_store_commit(med_store *s, med_commit *c, med_err *err)
{
    c->next = NULL;
    return s->ops->commit(s, c, err);
}

bool med_store_commit_all(med_store *s, med_commit *first, med_err *err)
{
    return first == NULL || s->ops->commit(s, first, err);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
};

static void wake_waiter(med_commit *c)
{
    struct waiter *w = c->arg;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->over);
    pthread_mutex_unlock(&w->lock);
}

bool med_store_commit_wait(med_store *s, med_commit *c, med_err *err)
{
    struct waiter w = {.lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
    void (*done)(med_commit *) = c->done;
    void *arg = c->arg;
    c->done = wake_waiter;
    c->arg = &w;
    bool queued = med_store_commit(s, c, err);
    pthread_mutex_lock(&w.lock);
    while (queued && !w.done)
        pthread_cond_wait(&w.over, &w.lock);
    pthread_mutex_unlock(&w.lock);
    c->done = done;
    c->arg = arg;
    if (!queued)
        return false;
    if (c->state == MED_COMMIT_DONE || c->state == MED_COMMIT_REPLAYED)
        return true;
    *err = c->err;
    return false;
}

bool med_store_check(med_store *s, med_store_finding tell, void *arg, med_err *err)
{
    return s->ops->check == NULL || s->ops->check(s, tell, arg, err);
}

bool med_store_bulk(med_store *s, bool begin, med_err *err)
{
    return s->ops->bulk == NULL || s->ops->bulk(s, begin, err);
}

void med_store_count(med_store *s, med_store_stats *out)
{
    s->ops->count(s, out);
}

void med_store_glance(med_store *s, med_store_stats *out)
{
    if (s->ops->glance != NULL)
        s->ops->glance(s, out);
    else
        s->ops->count(s, out);
}

bool med_store_backup(med_store *s, int file, int key, med_progress progress, void *arg,
                      med_err *err)
{
    return s->ops->backup(s, file, key, progress, arg, err);
}

bool med_store_verify(med_store *s, med_verify *v, med_err *err)
{
    return s->ops->verify(s, v, err);
}

bool med_store_note(med_store *s, const med_note_change *change, med_err *err)
{
    if (change->text.len > MED_NOTE_BYTES || change->name.len == 0)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a note has a name and at most %d bytes",
                        MED_NOTE_BYTES);
    return s->ops->note(s, change, err);
}

bool med_view_notes(med_view *v, med_arena *a, med_note **out, size_t *n, med_err *err)
{
    return v->store->ops->notes(v, a, out, n, err);
}

void med_store_close(med_store *s)
{
    if (s != NULL)
        s->ops->close(s);
}

/* ---- full text ---- */

void med_store_set_terms(med_store *s, const med_terms_known *known)
{
    s->terms = known;
}

bool med_store_keeps_lists(const med_store *s)
{
    return s->ops->post != NULL;
}

bool med_view_posted(med_view *v, med_posted *out, med_err *err)
{
    *out = (med_posted){0};
    return v->store->ops->posted == NULL || v->store->ops->posted(v, out, err);
}

bool med_view_postings(med_view *v, med_arena *a, uint64_t list, med_str term, bool prefix,
                       size_t limit, med_rid **out, size_t *n, bool *whole, med_err *err)
{
    *n = 0;
    *whole = false;
    return v->store->ops->postings == NULL
           || v->store->ops->postings(v, a, list, term, prefix, limit, out, n, whole, err);
}

bool med_store_post(med_store *s, const med_posting *at, size_t n, med_posted from, med_posted to,
                    med_err *err)
{
    if (s->ops->post == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "this store keeps no full-text lists");
    return s->ops->post(s, at, n, from, to, err);
}

bool med_store_claim_lists(med_store *s, bool *mine, med_err *err)
{
    *mine = true;
    return s->ops->claim_lists == NULL || s->ops->claim_lists(s, mine, err);
}

/* ---- where the time goes ---- */

void med_view_asked(med_view *v, const med_asked **out, size_t *n)
{
    *out = NULL;
    *n = 0;
    if (v->store->ops->asked != NULL)
        v->store->ops->asked(v, out, n);
}

void med_view_explain(med_view *v, med_arena *a)
{
    if (v->store->ops->explain != NULL)
        v->store->ops->explain(v, a);
}
