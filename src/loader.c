/* loader.c - see loader.h. */
#include "loader.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker_pool.h"
#include "fhir/change.h"
#include "fhir/write.h"
#include "loader_bundle.h"

enum {
    CHUNK_TEXTS = 1000,
    CHUNK_BYTES = 2 << 20,
    CHUNKS_IN_FLIGHT = 24,
    BATCH_WRITES = 10000,    /* handed to the store at once: sorted, they share pages */
    BATCH_CHUNKS = 10,       /* or so many chunks, when their resources are large */
    MARKS = 64,              /* chunks from the oldest not yet settled to the newest */
    BUNDLE_BYTES = 64 << 10, /* a larger text is a chunk of its own */
};
#define CHUNK_ARENA ((size_t)2 << 30)

typedef struct item {
    size_t from, len; /* in the chunk's bytes */
    uint64_t line, end;
} item;

/* Texts on their way: filled by the caller, prepared by a worker, committed by the store. */
typedef struct chunk {
    med_loader *loader;
    med_arena *arena;
    med_buf bytes;
    item items[CHUNK_TEXTS];
    size_t n;
    med_str source, identity;
    uint32_t file;
    bool whole;
    med_changeset change;
    med_commit commit;
    uint64_t epoch;  /* of the oldest edition that made its rows */
    uint64_t number; /* in the order of coming, which is that of the commits */
    struct chunk *next;
} chunk;

/* Chunks end in nearly any order; places are settled in order. */
typedef struct mark {
    bool ended;
    uint32_t file;
    uint64_t end, line;
} mark;

struct med_loader {
    med_app *app;
    med_loader_options options;
    unsigned threads;
    med_worker_pool *pool;
    med_arena **scratch; /* one a thread: what is needed for one text only */
    chunk *filling;
    med_loader_tally tally; /* its lock is that of all that follows */
    pthread_cond_t room;
    unsigned in_flight;
    chunk *ready; /* prepared, by number; none before `next` will come any more */
    uint64_t sent, next;
    uint64_t next_settled;
    mark marks[MARKS];  /* by number of the chunk */
    bool flushing;      /* no more texts will come soon: do not wait for a batch */
    atomic_bool failed; /* threads look at it between two texts */
    med_err err;
};

static void reject(chunk *c, const item *it, med_str reason, uint32_t type)
{
    med_str text = med_str_sub(med_buf_str(&c->bytes), it->from, it->from + it->len);
    med_tally_reject(&c->loader->tally, c->source, it->line, reason, type, text);
}

static void stop(med_loader *l, const med_err *err)
{
    pthread_mutex_lock(&l->tally.lock);
    if (!l->failed)
        l->err = *err;
    l->failed = true;
    pthread_mutex_unlock(&l->tally.lock);
}

/* ---- a chunk's end ---- */

static void give_room(med_loader *l)
{
    pthread_mutex_lock(&l->tally.lock);
    l->in_flight--;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->tally.lock);
}

/* With the lock held. */
static void settle(med_loader *l, const chunk *c)
{
    const item *last = &c->items[c->n - 1];
    l->marks[c->number % MARKS] = (mark){true, c->file, last->end, last->line};
    for (mark *m; (m = &l->marks[l->next_settled % MARKS])->ended; l->next_settled++) {
        m->ended = false;
        if (l->options.settled != NULL)
            l->options.settled(l->options.arg, m->file, m->end, m->line);
    }
}

static void chunk_free(chunk *c)
{
    med_loader *l = c->loader;
    pthread_mutex_lock(&l->tally.lock);
    if (!l->failed && c->n > 0)
        settle(l, c);
    pthread_mutex_unlock(&l->tally.lock);
    med_buf_free(&c->bytes);
    med_arena_free(c->arena);
    med_free(c);
    give_room(l);
}

static void commit_done(med_commit *commit)
{
    chunk *c = commit->arg;
    if (commit->state == MED_COMMIT_DONE)
        med_tally_writes(&c->loader->tally, &c->change);
    else
        stop(c->loader, &commit->err);
    chunk_free(c);
}

/* ---- preparing ---- */

static med_str first_reason(const med_call *call, const med_err *err)
{
    for (size_t i = 0; i < call->problems.n; i++) {
        const med_problem *p = &call->problems.at[i];
        if (!p->is_warning)
            return med_arena_printf(call->arena, "%.*s: %.*s", MED_STR_ARG(p->expression),
                                    MED_STR_ARG(p->text));
    }
    return med_arena_printf(call->arena, "%s", err->text);
}

static bool find_type(const med_call *call, med_fhir_request *r, med_err *err)
{
    uint32_t node = med_json_kind_at(r->json, r->root) == MED_JSON_OBJECT
                        ? med_json_member(r->json, r->root, MED_STR("resourceType"))
                        : 0;
    r->type =
        node == 0 ? MED_TYPE_NONE : med_pack_type(call->fhir->pack, med_json_raw(r->json, node));
    if (r->type == MED_TYPE_NONE || med_schema_type(call->fhir->schema, r->type) == 0)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE,
                        "resourceType is missing or no resource of FHIR R4");
    r->type_name = med_type_name(call->fhir->pack, r->type);
    return true;
}

/* The store's number of it. */
static uint32_t type_of(const med_call *call)
{
    return med_schema_type(call->fhir->schema, call->request.type);
}

static bool take_id(med_call *call, med_err *err)
{
    med_fhir_request *r = &call->request;
    uint32_t node = med_json_member(r->json, r->root, MED_STR("id"));
    r->id = MED_STR_EMPTY;
    if (node != 0 && med_json_kind_at(r->json, node) == MED_JSON_STRING)
        r->id = med_json_raw(r->json, node);
    return r->id.len > 0 || med_write_new_id(call, err);
}

/* Documents are known by another identifier than their id, and profiles may be stored: these are
 * looked for in the store. */
static bool open_view(med_call *call, med_err *err)
{
    enum { SECONDS = 60 };
    const med_fhir *f = call->fhir;
    bool profiles = f->policy.claimed || f->policy.n_listed > 0;
    if (!profiles && !med_str_eqz(call->request.type_name, "DocumentReference")
        && !med_str_eqz(call->request.type_name, "Bundle"))
        return true;
    call->view = med_store_view(f->store, call->slot,
                                med_monotonic(f->clock) + (int64_t)SECONDS * 1000000, err);
    return call->view != NULL;
}

static bool prepare_resource(med_call *call, med_err *err)
{
    med_write *w;
    size_t before = call->change->n;
    bool ok = find_type(call, &call->request, err) && take_id(call, err) && open_view(call, err)
              && med_change_put(call, call->request.id, NULL, &w, err);
    if (call->view != NULL)
        med_view_end(call->view);
    call->view = NULL;
    if (!ok)
        call->change->n = before; /* a half-made write is none */
    return ok;
}

/* A Bundle that is no request: its resources one by one. */
static void take_apart(chunk *c, med_call *call, const item *it)
{
    const med_json *j = call->request.json;
    uint32_t list = med_json_member(j, call->request.root, MED_STR("entry"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        med_err err = {0};
        uint32_t resource = med_json_member(j, e, MED_STR("resource"));
        if (resource == 0)
            continue;
        call->request.root = resource;
        call->request.source_entry++;
        call->problems = (med_problems){0};
        if (!prepare_resource(call, &err))
            reject(c, it, first_reason(call, &err), type_of(call));
    }
}

static enum med_loader_ran run(chunk *c, med_call *call, const item *it, bool document,
                               med_err *err)
{
    const med_fhir_request *r = &call->request;
    const med_loader_bundle b = {.tally = &c->loader->tally,
                                 .store = c->loader->app->store,
                                 .source = c->source,
                                 .line = it->line};
    if (!document)
        return med_loader_run(&b, call, err);
    if (med_json_member(r->json, r->root, MED_STR("id")) != 0 && !take_id(call, err))
        return MED_LOADER_REFUSED;
    return med_loader_keep_document(&b, call, err);
}

static void prepare_bundle(chunk *c, med_call *call, const item *it)
{
    med_err err = {0};
    bool document = med_loader_is_document(call);
    if (!document && !med_loader_is_request(call)) {
        take_apart(c, call, it);
        return;
    }
    switch (run(c, call, it, document, &err)) {
    case MED_LOADER_RAN:
        break;
    case MED_LOADER_REFUSED:
        if (!c->loader->failed)
            reject(c, it, first_reason(call, &err), document ? type_of(call) : 0);
        break;
    case MED_LOADER_STOPPED:
        stop(c->loader, &err);
        break;
    }
}

static void prepare_one(chunk *c, const item *it, unsigned worker, uint64_t *refusable)
{
    med_err err = {0};
    med_json j;
    med_call call;
    med_arena *scratch = c->loader->scratch[worker];
    const med_fhir *f = med_app_fhir(c->loader->app, c->arena);
    if (f == NULL) {
        (void)MED_FAIL_MEMORY(&err);
        reject(c, it, med_str_from(err.text), 0);
        return;
    }
    c->epoch = c->epoch == 0 || f->epoch < c->epoch ? f->epoch : c->epoch;
    med_call_init(&call, f, c->arena);
    call.on_worker = true;
    call.change = &c->change;
    call.slot = c->loader->options.slot + worker;
    if (c->loader->options.structure_only) {
        call.enforce = MED_ENFORCE_STRUCTURE;
        call.refusable = refusable;
    }
    med_arena_reset(scratch);
    med_str text = med_str_sub(med_buf_str(&c->bytes), it->from, it->from + it->len);
    bool ok = med_json_parse(scratch, text, &j, NULL, &err);
    call.request.type = MED_TYPE_NONE;
    call.request.json = &j;
    if (c->identity.len > 0)
        call.request.source = med_arena_printf(c->arena, "%.*s#%lu", MED_STR_ARG(c->identity),
                                               (unsigned long)it->end);
    if (ok && find_type(&call, &call.request, &err) && med_str_eqz(call.request.type_name, "Bundle")
        && (!c->whole || med_loader_is_document(&call)))
        prepare_bundle(c, &call, it);
    else if (!ok || err.issue != MED_ISSUE_NONE || !prepare_resource(&call, &err))
        reject(c, it, first_reason(&call, &err), type_of(&call));
}

static void prepare_item(chunk *c, const item *it, unsigned worker)
{
    uint64_t refusable = 0;
    prepare_one(c, it, worker, &refusable);
    if (refusable == 0)
        return;
    pthread_mutex_lock(&c->loader->tally.lock);
    c->loader->tally.counts.refusable += refusable;
    pthread_mutex_unlock(&c->loader->tally.lock);
}

/* ---- handing over ---- */

static void put_in_order(med_loader *l, chunk *c)
{
    chunk **at = &l->ready;
    while (*at != NULL && (*at)->number < c->number)
        at = &(*at)->next;
    c->next = *at;
    *at = c;
}

/* The chunks that may go now: all from `next` on, if they make a batch. With the lock held. */
static chunk *take_batch(med_loader *l)
{
    size_t writes = 0, n = 0;
    chunk **end = &l->ready;
    for (; *end != NULL && (*end)->number == l->next + n; n++) {
        writes += (*end)->change.n;
        end = &(*end)->next;
    }
    if (n == 0 || (writes < BATCH_WRITES && n < BATCH_CHUNKS && !l->flushing))
        return NULL;
    chunk *first = l->ready;
    l->ready = *end;
    *end = NULL;
    l->next += n;
    return first;
}

/* Links the commits of a batch; chunks without any go to `empty`. */
static med_commit *link_commits(chunk *batch, chunk **empty)
{
    med_commit *first = NULL, **last = &first;
    while (batch != NULL) {
        chunk *c = batch;
        batch = c->next;
        if (c->change.n == 0) {
            c->next = *empty;
            *empty = c;
            continue;
        }
        c->commit = (med_commit){.writes = c->change.writes,
                                 .n_writes = c->change.n,
                                 .bulk = true,
                                 .epoch = c->epoch,
                                 .trace = MED_STR_EMPTY,
                                 .done = commit_done,
                                 .arg = c};
        *last = &c->commit;
        last = &c->commit.next;
    }
    return first;
}

static void refuse_commits(med_loader *l, med_commit *first, const med_err *err)
{
    stop(l, err);
    while (first != NULL) {
        chunk *c = first->arg;
        first = first->next;
        chunk_free(c);
    }
}

/* Gives what is ready to the store; with the lock held throughout, so that batches keep their
 * order. `c` has just been prepared, or is NULL. */
static void hand_over(med_loader *l, chunk *c)
{
    chunk *empty = NULL;
    med_err err = {0};
    pthread_mutex_lock(&l->tally.lock);
    if (c != NULL)
        put_in_order(l, c);
    med_commit *first = link_commits(take_batch(l), &empty);
    bool taken = med_store_commit_all(l->app->store, first, &err);
    pthread_mutex_unlock(&l->tally.lock);
    if (!taken)
        refuse_commits(l, first, &err);
    while (empty != NULL) {
        chunk *next = empty->next;
        chunk_free(empty);
        empty = next;
    }
}

static void prepare_chunk(void *arg, unsigned worker)
{
    chunk *c = arg;
    for (size_t i = 0; i < c->n && !c->loader->failed; i++)
        prepare_item(c, &c->items[i], worker);
    hand_over(c->loader, c);
}

/* ---- filling ---- */

static chunk *chunk_new(med_loader *l, const med_loader_place *place)
{
    chunk *c = med_alloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->loader = l;
    c->arena = med_arena_new(CHUNK_ARENA);
    med_buf_init(&c->bytes, MED_JSON_MAX_BYTES);
    c->file = place->file;
    c->whole = place->whole;
    if (c->arena != NULL && med_arena_copy(c->arena, place->source, &c->source)
        && med_arena_copy(c->arena, place->identity, &c->identity))
        return c;
    med_arena_free(c->arena);
    med_buf_free(&c->bytes);
    med_free(c);
    return NULL;
}

static bool wait_for_room(med_loader *l, med_err *err)
{
    pthread_mutex_lock(&l->tally.lock);
    while (!l->failed && (l->in_flight >= CHUNKS_IN_FLIGHT || l->sent - l->next_settled >= MARKS))
        pthread_cond_wait(&l->room, &l->tally.lock);
    bool ok = !l->failed;
    if (ok)
        l->in_flight++;
    else
        *err = l->err;
    pthread_mutex_unlock(&l->tally.lock);
    return ok;
}

static bool send(med_loader *l, med_err *err)
{
    chunk *c = l->filling;
    l->filling = NULL;
    if (c == NULL)
        return true;
    c->number = l->sent++;
    if (med_worker_pool_submit(l->pool, prepare_chunk, c))
        return true;
    chunk_free(c);
    return MED_FAIL(err, MED_ISSUE_TRANSIENT, "the loader is stopping");
}

static chunk *chunk_for(med_loader *l, const med_loader_place *place, size_t len, med_err *err)
{
    const chunk *c = l->filling;
    bool full = c != NULL
                && (c->n == CHUNK_TEXTS || c->bytes.len + len > CHUNK_BYTES
                    || c->file != place->file || !med_str_eq(c->source, place->source));
    if (full && !send(l, err))
        return NULL;
    if (l->filling != NULL)
        return l->filling;
    if (!wait_for_room(l, err))
        return NULL;
    l->filling = chunk_new(l, place);
    if (l->filling != NULL)
        return l->filling;
    give_room(l);
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to load with");
    return NULL;
}

bool med_loader_add(med_loader *l, const med_loader_place *place, med_str text, med_err *err)
{
    chunk *c = chunk_for(l, place, text.len, err);
    if (c == NULL)
        return false;
    c->items[c->n++] = (item){c->bytes.len, text.len, place->line, place->end};
    med_buf_add(&c->bytes, text);
    l->tally.counts.bytes += text.len;
    if (c->bytes.failed)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource is larger than 1 GiB");
    return text.len < BUNDLE_BYTES || send(l, err);
}

static void start_flushing(med_loader *l)
{
    pthread_mutex_lock(&l->tally.lock);
    l->flushing = true;
    pthread_mutex_unlock(&l->tally.lock);
}

bool med_loader_flush(med_loader *l, med_err *err)
{
    bool ok = send(l, err);
    start_flushing(l);
    hand_over(l, NULL);
    pthread_mutex_lock(&l->tally.lock);
    while (l->in_flight > 0)
        pthread_cond_wait(&l->room, &l->tally.lock);
    l->flushing = false;
    if (ok && l->failed) {
        *err = l->err;
        ok = false;
    }
    pthread_mutex_unlock(&l->tally.lock);
    return ok;
}

/* ---- life ---- */

static void name_types(med_loader *l)
{
    const med_fhir *f = &l->app->fhir;
    for (uint32_t i = 0; i < MED_LOADER_TYPES; i++) {
        med_type t = med_schema_pack_type(f->schema, i);
        l->tally.types[i].type = t == MED_TYPE_NONE ? MED_STR_EMPTY : med_type_name(f->pack, t);
    }
}

static bool make_scratch(med_loader *l)
{
    bool all = true;
    l->scratch = MED_NEW(l->threads, med_arena *);
    for (unsigned i = 0; l->scratch != NULL && i < l->threads; i++) {
        l->scratch[i] = med_arena_new(CHUNK_ARENA);
        all = all && l->scratch[i] != NULL;
    }
    return all && l->scratch != NULL;
}

med_loader *med_loader_new(med_app *app, const med_loader_options *o, med_err *err)
{
    med_loader *l = med_alloc(1, sizeof *l);
    if (l == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to load with");
        return NULL;
    }
    l->app = app;
    l->options = *o;
    if (l->options.slot == 0)
        l->options.slot = app->quick;                         /* nobody serves: the workers' */
    unsigned most = app->far ? 2 * app->loops : app->workers; /* they compute */
    most = most < app->workers ? most : app->workers;
    l->threads = o->threads > 0 && o->threads < most ? o->threads : most;
    l->tally.reject = o->reject;
    l->tally.arg = o->arg;
    pthread_mutex_init(&l->tally.lock, NULL);
    pthread_cond_init(&l->room, NULL);
    name_types(l);
    bool room = make_scratch(l);
    if (!room)
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to load with");
    else
        l->pool = med_worker_pool_new(l->threads, CHUNKS_IN_FLIGHT, err);
    if (l->pool != NULL)
        return l;
    med_loader_free(l);
    return NULL;
}

void med_loader_count(med_loader *l, med_loader_counts *out)
{
    pthread_mutex_lock(&l->tally.lock);
    *out = l->tally.counts;
    pthread_mutex_unlock(&l->tally.lock);
}

const med_loader_type *med_loader_types(med_loader *l, size_t *n)
{
    *n = MED_LOADER_TYPES;
    return l->tally.types;
}

void med_loader_free(med_loader *l)
{
    med_err ignored = {0};
    if (l == NULL)
        return;
    if (l->pool != NULL) {
        (void)!med_loader_flush(l, &ignored);
        med_worker_pool_free(l->pool);
    }
    for (unsigned i = 0; l->scratch != NULL && i < l->threads; i++)
        med_arena_free(l->scratch[i]);
    med_free(l->scratch);
    pthread_cond_destroy(&l->room);
    pthread_mutex_destroy(&l->tally.lock);
    med_free(l);
}
