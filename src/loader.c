/* loader.c - see loader.h. */
#include "loader.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/worker_pool.h"
#include "fhir/interactions.h"
#include "fhir/perform.h"
#include "fhir/write.h"

enum {
    CHUNK_TEXTS = 1000,
    CHUNK_BYTES = 2 << 20,
    CHUNKS_IN_FLIGHT = 24,
    BATCH_WRITES = 10000, /* handed to the store at once: sorted, they share pages */
    BATCH_CHUNKS = 10,    /* or so many chunks, when their resources are large */
    TYPES = 512,
    BUNDLE_BYTES = 64 << 10, /* a larger text is a chunk of its own */
};
#define CHUNK_ARENA ((size_t)2 << 30)

typedef struct item {
    size_t from, len; /* in the chunk's bytes */
    uint64_t line;
} item;

/* Texts on their way: filled by the caller, prepared by a worker, committed by the store. */
typedef struct chunk {
    med_loader *loader;
    med_arena *arena;
    med_buf bytes;
    item items[CHUNK_TEXTS];
    size_t n;
    med_str source;
    med_changeset change;
    med_commit commit;
    uint64_t number; /* in the order of coming, which is that of the commits */
    struct chunk *next;
} chunk;

struct med_loader {
    med_app *app;
    med_loader_options options;
    unsigned threads;
    med_worker_pool *pool;
    med_arena **scratch; /* one a thread: what is needed for one text only */
    chunk *filling;
    pthread_mutex_t lock;
    pthread_cond_t room;
    unsigned in_flight;
    chunk *ready; /* prepared, by number; none before `next` will come any more */
    uint64_t sent, next;
    bool flushing; /* no more texts will come soon: do not wait for a batch */
    bool failed;
    med_err err;
    med_loader_counts counts;
    med_loader_type types[TYPES]; /* by number in the store */
};

/* ---- counting ---- */

static void count_write(med_loader *l, const med_write *w)
{
    med_loader_type *t = &l->types[w->type < TYPES ? w->type : 0];
    t->created += w->outcome == MED_OUTCOME_CREATED;
    t->updated += w->outcome == MED_OUTCOME_UPDATED;
    t->unchanged += w->outcome == MED_OUTCOME_UNCHANGED;
    l->counts.resources++;
}

static void count_writes(med_loader *l, const med_changeset *c)
{
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < c->n; i++)
        count_write(l, &c->writes[i]);
    pthread_mutex_unlock(&l->lock);
}

static void reject(chunk *c, const item *it, med_str reason, uint32_t type)
{
    med_loader *l = c->loader;
    pthread_mutex_lock(&l->lock);
    l->counts.rejected++;
    l->types[type < TYPES ? type : 0].rejected++;
    if (l->options.reject != NULL)
        l->options.reject(l->options.arg, c->source, it->line, reason,
                          med_str_sub(med_buf_str(&c->bytes), it->from, it->from + it->len));
    pthread_mutex_unlock(&l->lock);
}

static void stop(med_loader *l, const med_err *err)
{
    pthread_mutex_lock(&l->lock);
    if (!l->failed)
        l->err = *err;
    l->failed = true;
    pthread_mutex_unlock(&l->lock);
}

/* ---- a chunk's end ---- */

static void give_room(med_loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->in_flight--;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
}

static void chunk_free(chunk *c)
{
    med_loader *l = c->loader;
    med_buf_free(&c->bytes);
    med_arena_free(c->arena);
    med_free(c);
    give_room(l);
}

static void commit_done(med_commit *commit)
{
    chunk *c = commit->arg;
    if (commit->state == MED_COMMIT_DONE)
        count_writes(c->loader, &c->change);
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

static bool take_id(med_call *call, med_err *err)
{
    med_fhir_request *r = &call->request;
    uint32_t node = med_json_member(r->json, r->root, MED_STR("id"));
    r->id = MED_STR_EMPTY;
    if (node != 0 && med_json_kind_at(r->json, node) == MED_JSON_STRING)
        r->id = med_json_raw(r->json, node);
    return r->id.len > 0 || med_write_new_id(call, err);
}

static bool prepare_resource(med_call *call, med_err *err)
{
    med_write *w;
    size_t before = call->change->n;
    if (find_type(call, &call->request, err) && take_id(call, err)
        && med_change_put(call, call->request.id, NULL, &w, err))
        return true;
    call->change->n = before; /* a half-made write is none */
    return false;
}

/* POST of a transaction or batch, as over HTTP; blocks until it is committed. */
static bool run_bundle(chunk *c, med_call *call, unsigned worker, med_err *err)
{
    med_call post;
    med_call_init(&post, call->fhir, call->arena);
    post.interaction = &med_interaction_bundle;
    post.request = call->request;
    post.request.method = MED_POST;
    post.request.level = MED_LEVEL_SYSTEM;
    post.request.prefer = MED_RETURN_MINIMAL;
    post.request.type = MED_TYPE_NONE;
    med_perform(&post, c->loader->app->loops + worker);
    call->problems = post.problems;
    if (post.response.status != 200)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the Bundle was refused with status %d",
                        post.response.status);
    pthread_mutex_lock(&c->loader->lock);
    uint32_t list = med_json_member(call->request.json, call->request.root, MED_STR("entry"));
    c->loader->counts.resources += list == 0 ? 0 : call->request.json->nodes[list].count;
    pthread_mutex_unlock(&c->loader->lock);
    return true;
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
        call->problems = (med_problems){0};
        if (!prepare_resource(call, &err))
            reject(c, it, first_reason(call, &err),
                   med_schema_type(call->fhir->schema, call->request.type));
    }
}

static bool is_request_bundle(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    uint32_t type = med_json_member(r->json, r->root, MED_STR("type"));
    med_str text = type == 0 ? MED_STR_EMPTY : med_json_raw(r->json, type);
    return med_str_eqz(text, "transaction") || med_str_eqz(text, "batch");
}

static void prepare_item(chunk *c, const item *it, unsigned worker)
{
    med_err err = {0};
    med_json j;
    med_call call;
    med_arena *scratch = c->loader->scratch[worker];
    med_call_init(&call, &c->loader->app->fhir, c->arena);
    call.change = &c->change;
    med_arena_reset(scratch);
    med_str text = med_str_sub(med_buf_str(&c->bytes), it->from, it->from + it->len);
    bool ok = med_json_parse(scratch, text, &j, NULL, &err);
    call.request.type = MED_TYPE_NONE;
    call.request.json = &j;
    if (ok && find_type(&call, &call.request, &err)
        && med_str_eqz(call.request.type_name, "Bundle")) {
        if (!is_request_bundle(&call))
            take_apart(c, &call, it);
        else if (!run_bundle(c, &call, worker, &err))
            reject(c, it, first_reason(&call, &err), 0);
        return;
    }
    if (!ok || err.issue != MED_ISSUE_NONE || !prepare_resource(&call, &err))
        reject(c, it, first_reason(&call, &err),
               med_schema_type(call.fhir->schema, call.request.type));
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
    pthread_mutex_lock(&l->lock);
    if (c != NULL)
        put_in_order(l, c);
    med_commit *first = link_commits(take_batch(l), &empty);
    bool taken = med_store_commit_all(l->app->store, first, &err);
    pthread_mutex_unlock(&l->lock);
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

static chunk *chunk_new(med_loader *l, med_str source)
{
    chunk *c = med_alloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->loader = l;
    c->arena = med_arena_new(CHUNK_ARENA);
    med_buf_init(&c->bytes, MED_JSON_MAX_BYTES);
    if (c->arena != NULL && med_arena_copy(c->arena, source, &c->source))
        return c;
    med_arena_free(c->arena);
    med_buf_free(&c->bytes);
    med_free(c);
    return NULL;
}

static bool wait_for_room(med_loader *l, med_err *err)
{
    pthread_mutex_lock(&l->lock);
    while (l->in_flight >= CHUNKS_IN_FLIGHT && !l->failed)
        pthread_cond_wait(&l->room, &l->lock);
    bool ok = !l->failed;
    if (ok)
        l->in_flight++;
    else
        *err = l->err;
    pthread_mutex_unlock(&l->lock);
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

bool med_loader_add(med_loader *l, med_str source, uint64_t line, med_str text, med_err *err)
{
    chunk *c = l->filling;
    bool full = c != NULL
                && (c->n == CHUNK_TEXTS || c->bytes.len + text.len > CHUNK_BYTES
                    || !med_str_eq(c->source, source));
    if (full && !send(l, err))
        return false;
    if (l->filling == NULL) {
        if (!wait_for_room(l, err))
            return false;
        l->filling = chunk_new(l, source);
        if (l->filling == NULL) {
            give_room(l);
            return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to load with");
        }
    }
    c = l->filling;
    c->items[c->n++] = (item){c->bytes.len, text.len, line};
    med_buf_add(&c->bytes, text);
    l->counts.bytes += text.len;
    if (c->bytes.failed)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource is larger than 1 GiB");
    return text.len < BUNDLE_BYTES || send(l, err);
}

static void start_flushing(med_loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->flushing = true;
    pthread_mutex_unlock(&l->lock);
}

bool med_loader_flush(med_loader *l, med_err *err)
{
    bool ok = send(l, err);
    start_flushing(l);
    hand_over(l, NULL);
    pthread_mutex_lock(&l->lock);
    while (l->in_flight > 0)
        pthread_cond_wait(&l->room, &l->lock);
    l->flushing = false;
    if (ok && l->failed) {
        *err = l->err;
        ok = false;
    }
    pthread_mutex_unlock(&l->lock);
    return ok;
}

/* ---- life ---- */

static void name_types(med_loader *l)
{
    const med_fhir *f = &l->app->fhir;
    for (uint32_t i = 0; i < TYPES; i++) {
        med_type t = med_schema_pack_type(f->schema, i);
        l->types[i].type = t == MED_TYPE_NONE ? MED_STR_EMPTY : med_type_name(f->pack, t);
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
    l->threads = o->threads > 0 && o->threads < app->workers ? o->threads : app->workers;
    pthread_mutex_init(&l->lock, NULL);
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
    pthread_mutex_lock(&l->lock);
    *out = l->counts;
    pthread_mutex_unlock(&l->lock);
}

const med_loader_type *med_loader_types(med_loader *l, size_t *n)
{
    *n = TYPES;
    return l->types;
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
    pthread_mutex_destroy(&l->lock);
    med_free(l);
}
