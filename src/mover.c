/* mover.c - see mover.h. */
#include "mover.h"

#include <pthread.h>

#include "search/search.h"

enum {
    PAGE = 1000,         /* versions that are read at a time */
    PAGE_MOST = 1 << 20, /* when one commit has more than a page */
    BATCHES = 2,         /* one is prepared while the other is committed */
    READ_FOR = 60000000, /* microseconds */
    BATCH_BYTES = 1 << 30,
};

static bool read_history(const med_app *app, med_arena *a, const med_history *q, med_stored **out,
                         size_t *n, med_err *err)
{
    int64_t deadline = med_monotonic(&med_clock_system) + READ_FOR;
    med_view *v = med_store_view(app->store, med_app_task_slot(app, 0), deadline, err);
    bool good = v != NULL && med_view_history(v, a, q, out, n, err);
    if (v != NULL)
        med_view_end(v);
    return good;
}

static med_history from_start(size_t limit)
{
    return (med_history){.since = MED_TIME_MIN,
                         .until = MED_TIME_MAX,
                         .oldest_first = true,
                         .text = true,
                         .limit = limit};
}

static int64_t last_t(const med_app *app)
{
    med_store_stats stats;
    med_store_count(app->store, &stats);
    return stats.last_t;
}

static uint64_t versions_of(const med_app *app)
{
    med_store_stats stats;
    med_store_count(app->store, &stats);
    return stats.versions;
}

static bool tell(const med_mover *m, uint64_t done, uint64_t total, med_err *err)
{
    return m->progress == NULL || m->progress(m->arg, done, total)
           || MED_FAIL(err, MED_ISSUE_INCOMPLETE,
                       "cancelled; the same command goes on where it stands");
}

/* ---- one version in both ---- */

static med_type type_in(const med_app *app, const med_stored *s)
{
    return med_schema_pack_type(app->fhir.schema, s->type);
}

static bool is_same(const med_mover *m, const med_stored *a, const med_stored *b)
{
    return type_in(m->from, a) == type_in(m->to, b) && med_str_eq(a->id, b->id)
           && a->version == b->version && a->t == b->t && a->updated == b->updated
           && a->change == b->change && med_str_eq(a->text, b->text);
}

static bool differs(const med_mover *m, const med_stored *s, med_err *err)
{
    med_str type = med_type_name(m->from->fhir.pack, type_in(m->from, s));
    return MED_FAIL(
        err, MED_ISSUE_CONFLICT,
        "the stores differ at commit %lld: version %u of a %.*s is not the same in both",
        (long long)s->t, s->version, MED_STR_ARG(type));
}

/* ---- batches of commits ---- */

typedef struct batch {
    struct move *move;
    med_arena *arena;
    med_stored *versions;
    med_write *writes;
    size_t n;
    size_t open; /* commits that are not done; under the move's lock */
    bool failed;
    med_err err;
} batch;

typedef struct move {
    med_mover *m;
    pthread_mutex_t lock;
    pthread_cond_t done;
    batch batches[BATCHES];
    int64_t t, updated;  /* of the last version that was handed over */
    med_portion portion; /* of versions that are read at a time */
    uint64_t total;
} move;

static void commit_done(med_commit *c)
{
    batch *b = c->arg;
    pthread_mutex_lock(&b->move->lock);
    if (c->state != MED_COMMIT_DONE && !b->failed) {
        b->failed = true;
        b->err = c->err;
    }
    b->open--;
    pthread_cond_signal(&b->move->done);
    pthread_mutex_unlock(&b->move->lock);
}

/* Waits for a batch and looks at what became of it. */
static bool finish(batch *b, med_err *err)
{
    move *mv = b->move;
    pthread_mutex_lock(&mv->lock);
    while (b->open > 0)
        pthread_cond_wait(&mv->done, &mv->lock);
    pthread_mutex_unlock(&mv->lock);
    if (b->failed) {
        *err = b->err;
        return false;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (b->writes[i].version != b->versions[i].version)
            return differs(mv->m, &b->versions[i], err);
    }
    mv->m->versions += b->n;
    b->n = 0;
    return true;
}

static bool make_write(const move *mv, batch *b, size_t i, med_err *err)
{
    const med_app *to = mv->m->to;
    const med_stored *s = &b->versions[i];
    med_write *w = &b->writes[i];
    med_search_verify extract = {to->fhir.schema, to->fhir.base};
    med_type type = type_in(mv->m->from, s);
    if (type == MED_TYPE_NONE)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "commit %lld has a resource of a type that the definitions lack",
                        (long long)s->t);
    *w = (med_write){.kind = s->change == MED_DELETED ? MED_WRITE_DELETE : MED_WRITE_PUT,
                     .type = med_schema_type(to->fhir.schema, type),
                     .id = s->id,
                     .text = s->text,
                     .packed = MED_STR_EMPTY,
                     .always_new_version = true};
    return (s->change == MED_DELETED
            || med_search_extract_for_verify(&extract, b->arena, w->type, s->id, s->text, &w->rows,
                                             err))
           && med_store_prepare(to->store, b->arena, w, err);
}

/* ---- commits as they were ---- */

typedef struct chain {
    med_commit *first, *last;
    size_t n;
} chain;

static bool add_commit(batch *b, chain *c, const med_commit *commit, med_err *err)
{
    med_commit *kept = MED_TAKE(b->arena, 1, med_commit);
    if (kept == NULL)
        return MED_FAIL_MEMORY(err);
    *kept = *commit;
    kept->bulk = true;
    kept->done = commit_done;
    kept->arg = b;
    if (c->last == NULL)
        c->first = kept;
    else
        c->last->next = kept;
    c->last = kept;
    c->n++;
    return true;
}

/* What was purged has left its places: the feed has no holes. */
static bool fill_to(move *mv, batch *b, chain *c, int64_t t, med_err *err)
{
    while (mv->t + 1 < t) {
        const med_commit empty = {.at_t = ++mv->t, .at_updated = mv->updated};
        if (!add_commit(b, c, &empty, err))
            return false;
    }
    return true;
}

static bool make_commits(move *mv, batch *b, chain *c, med_err *err)
{
    for (size_t i = 0, end = 0; i < b->n; i = end) {
        const med_stored *s = &b->versions[i];
        for (end = i; end < b->n && b->versions[end].t == s->t; end++) {
            if (!make_write(mv, b, end, err))
                return false;
        }
        const med_commit commit = {
            .writes = &b->writes[i], .n_writes = end - i, .at_t = s->t, .at_updated = s->updated};
        if (!fill_to(mv, b, c, s->t, err) || !add_commit(b, c, &commit, err))
            return false;
        mv->t = s->t;
        mv->updated = s->updated;
    }
    return true;
}

/* Cuts off the first of a list; *n is how many. */
static med_commit *cut_behind(med_commit *first, size_t most, size_t *n)
{
    med_commit *last = first;
    for (*n = 1; last->next != NULL && *n < most; ++*n)
        last = last->next;
    med_commit *rest = last->next;
    last->next = NULL;
    return rest;
}

/* A queue takes only so many commits at once, and has only so much room. */
static bool hand_over(batch *b, const chain *c, med_err *err)
{
    enum { AT_ONCE = 512, WAITING = 1024 };
    move *mv = b->move;
    size_t n;
    for (med_commit *first = c->first, *rest; first != NULL; first = rest) {
        rest = cut_behind(first, AT_ONCE, &n);
        pthread_mutex_lock(&mv->lock);
        while (mv->batches[0].open + mv->batches[1].open > WAITING)
            pthread_cond_wait(&mv->done, &mv->lock);
        b->open += n;
        pthread_mutex_unlock(&mv->lock);
        if (med_store_commit_all(mv->m->to->store, first, err))
            continue;
        pthread_mutex_lock(&mv->lock);
        b->open -= n;
        pthread_mutex_unlock(&mv->lock);
        return false;
    }
    return true;
}

/* Whole commits only: what is cut off at the end is read again. */
static bool read_batch(move *mv, batch *b, bool *over, med_err *err)
{
    for (size_t page = mv->portion.n;; page *= 4) {
        med_history q = from_start(page);
        q.after_t = mv->t;
        q.after_rid = mv->t == 0 ? 0 : INT64_MAX;
        med_arena_reset(b->arena);
        if (!read_history(mv->m->from, b->arena, &q, &b->versions, &b->n, err))
            return false;
        *over = b->n < page;
        int64_t last = b->n == 0 ? 0 : b->versions[b->n - 1].t;
        while (!*over && b->n > 0 && b->versions[b->n - 1].t == last)
            b->n--;
        if (*over || b->n > 0)
            return true;
        if (page > PAGE_MOST)
            return MED_FAIL(err, MED_ISSUE_TOO_LONG, "commit %lld is too large to be moved",
                            (long long)last);
    }
}

static bool fill_batch(move *mv, batch *b, bool *over, chain *c, med_err *err)
{
    if (!read_batch(mv, b, over, err))
        return false;
    b->writes = MED_TAKE(b->arena, b->n, med_write);
    if (b->writes == NULL)
        return MED_FAIL_MEMORY(err);
    return make_commits(mv, b, c, err)
           && (!*over || fill_to(mv, b, c, last_t(mv->m->from) + 1, err));
}

static bool try_batch(move *mv, batch *b, bool *over, med_err *err)
{
    chain c = {0};
    if (!finish(b, err) || !tell(mv->m, mv->m->before + mv->m->versions, mv->total, err))
        return false;
    bool good = fill_batch(mv, b, over, &c, err) && hand_over(b, &c, err);
    if (!good)
        b->n = 0; /* what finish looks at */
    return good;
}

/* Of large resources fewer are read at a time, down to a commit. */
static bool run_batch(move *mv, batch *b, bool *over, med_err *err)
{
    for (;;) {
        int64_t t = mv->t, updated = mv->updated;
        if (try_batch(mv, b, over, err)) {
            med_portion_grow(&mv->portion);
            return true;
        }
        if (!med_portion_shrink(&mv->portion, err))
            return false;
        *err = (med_err){0};
        mv->t = t;
        mv->updated = updated;
    }
}

static bool run_batches(move *mv, med_err *err)
{
    bool good = true, over = false;
    for (size_t i = 0; good && !over; i++)
        good = run_batch(mv, &mv->batches[i % BATCHES], &over, err);
    for (size_t i = 0; i < BATCHES; i++) {
        med_err late = {0};
        if (!finish(&mv->batches[i], &late) && good) {
            *err = late;
            good = false;
        }
    }
    return good;
}

/* ---- where it stands ---- */

/* The newest version up to t; *n is 0 when there is none. */
static bool newest(const med_app *app, med_arena *a, int64_t t, med_stored **out, size_t *n,
                   med_err *err)
{
    med_history q = from_start(1);
    q.oldest_first = false;
    q.after_t = t + 1;
    return read_history(app, a, &q, out, n, err);
}

/* A target that is not empty must have come from this very source. */
static bool find_place(move *mv, med_arena *a, med_err *err)
{
    med_mover *m = mv->m;
    med_stored *from, *to;
    size_t n_from, n_to;
    mv->t = last_t(m->to);
    m->before = versions_of(m->to);
    mv->total = versions_of(m->from);
    if (mv->t == 0)
        return true;
    if (mv->t > last_t(m->from))
        return MED_FAIL(err, MED_ISSUE_CONFLICT,
                        "the target is further than the source: it was written to since, or holds "
                        "something else");
    if (!newest(m->from, a, mv->t, &from, &n_from, err)
        || !newest(m->to, a, mv->t, &to, &n_to, err))
        return false;
    if (n_from != n_to || (n_to > 0 && !is_same(m, from, to)))
        return MED_FAIL(err, MED_ISSUE_CONFLICT,
                        "the target is not empty, and what it holds did not come from the source");
    mv->updated = n_to > 0 ? to->updated : 0;
    return true;
}

/* ---- notes ---- */

static bool read_notes(const med_app *app, med_arena *a, med_note **out, size_t *n, med_err *err)
{
    int64_t deadline = med_monotonic(&med_clock_system) + READ_FOR;
    med_view *v = med_store_view(app->store, med_app_task_slot(app, 0), deadline, err);
    bool good = v != NULL && med_view_notes(v, a, out, n, err);
    if (v != NULL)
        med_view_end(v);
    return good;
}

static bool copy_notes(const med_mover *m, med_arena *a, med_err *err)
{
    med_note *from, *to;
    size_t n_from, n_to;
    if (!read_notes(m->from, a, &from, &n_from, err) || !read_notes(m->to, a, &to, &n_to, err))
        return false;
    for (size_t i = 0; i < n_from; i++) {
        const med_note *there = NULL;
        for (size_t k = 0; k < n_to; k++)
            there = med_str_eq(to[k].name, from[i].name) ? &to[k] : there;
        const med_note_change change = {.name = from[i].name,
                                        .revision = there == NULL ? 0 : there->revision,
                                        .text = from[i].text};
        bool same = there != NULL && med_str_eq(there->text, from[i].text);
        if (!same && !med_store_note(m->to->store, &change, err))
            return false;
    }
    return true;
}

/* ---- all of it ---- */

bool med_mover_copy(med_mover *m, med_err *err)
{
    move mv = {.m = m,
               .lock = PTHREAD_MUTEX_INITIALIZER,
               .done = PTHREAD_COND_INITIALIZER,
               .portion = {PAGE, PAGE}};
    bool good = true;
    m->versions = 0;
    for (size_t i = 0; i < BATCHES; i++) {
        mv.batches[i] = (batch){.move = &mv, .arena = med_arena_new(BATCH_BYTES)};
        good = good && (mv.batches[i].arena != NULL || MED_FAIL_MEMORY(err));
    }
    good = good && find_place(&mv, mv.batches[0].arena, err) && run_batches(&mv, err)
           && copy_notes(m, mv.batches[0].arena, err);
    for (size_t i = 0; i < BATCHES; i++)
        med_arena_free(mv.batches[i].arena);
    (void)pthread_mutex_destroy(&mv.lock);
    (void)pthread_cond_destroy(&mv.done);
    return good;
}

/* One page of each, which must be the same; moves both places on. */
static bool compare_page(const med_mover *m, med_arena *a, med_history *from, med_history *to,
                         size_t *n, med_err *err)
{
    med_stored *x, *y;
    size_t n_to;
    if (!read_history(m->from, a, from, &x, n, err) || !read_history(m->to, a, to, &y, &n_to, err))
        return false;
    for (size_t i = 0; i < *n && i < n_to; i++) {
        if (!is_same(m, &x[i], &y[i]))
            return differs(m, &x[i], err);
    }
    if (*n != n_to)
        return MED_FAIL(err, MED_ISSUE_CONFLICT, "one store has more versions than the other");
    if (*n > 0) {
        from->after_t = x[*n - 1].t;
        from->after_rid = x[*n - 1].rid;
        to->after_t = y[*n - 1].t;
        to->after_rid = y[*n - 1].rid;
    }
    return true;
}

bool med_mover_compare(med_mover *m, med_err *err)
{
    med_history from = from_start(PAGE), to = from_start(PAGE);
    med_arena *a = med_arena_new(BATCH_BYTES);
    uint64_t total = versions_of(m->from);
    med_portion portion = {PAGE, PAGE};
    size_t n = 0;
    bool good = a != NULL || MED_FAIL_MEMORY(err);
    m->versions = 0;
    for (bool more = true; good && more;) {
        med_arena_reset(a);
        from.limit = to.limit = portion.n;
        good = compare_page(m, a, &from, &to, &n, err);
        more = good && n > 0;
        if (good) {
            m->versions += n;
            med_portion_grow(&portion);
        } else if (med_portion_shrink(&portion, err)) {
            *err = (med_err){0};
            good = more = true;
        }
        good = good && tell(m, m->versions, total, err);
    }
    med_arena_free(a);
    return good
           && (last_t(m->from) == last_t(m->to)
               || MED_FAIL(err, MED_ISSUE_CONFLICT,
                           "the feeds do not end at the same commit: %lld and %lld",
                           (long long)last_t(m->from), (long long)last_t(m->to)));
}
