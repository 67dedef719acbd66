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
    CHUNKS_IN_FLIGHT = 16,
    TYPES = 512,
    DEFAULT_THREADS = 2,
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
} chunk;

struct med_loader {
    med_app *app;
    med_loader_options options;
    unsigned threads;
    med_worker_pool *pool;
    chunk *filling;
    pthread_mutex_t lock;
    pthread_cond_t room;
    unsigned in_flight;
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

static void chunk_free(chunk *c)
{
    med_loader *l = c->loader;
    med_buf_free(&c->bytes);
    med_arena_free(c->arena);
    med_free(c);
    pthread_mutex_lock(&l->lock);
    l->in_flight--;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
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
    med_call call;
    med_call_init(&call, &c->loader->app->fhir, c->arena);
    call.change = &c->change;
    med_json *j = MED_TAKE(c->arena, 1, med_json);
    med_str text = med_str_sub(med_buf_str(&c->bytes), it->from, it->from + it->len);
    bool ok = j != NULL && med_json_parse(c->arena, text, j, NULL, &err);
    call.request.type = MED_TYPE_NONE;
    call.request.json = j;
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

static void prepare_chunk(void *arg, unsigned worker)
{
    chunk *c = arg;
    med_err err = {0};
    for (size_t i = 0; i < c->n && !c->loader->failed; i++)
        prepare_item(c, &c->items[i], worker);
    if (c->change.n == 0) {
        chunk_free(c);
        return;
    }
    c->commit = (med_commit){.writes = c->change.writes,
                             .n_writes = c->change.n,
                             .bulk = true,
                             .trace = MED_STR_EMPTY,
                             .done = commit_done,
                             .arg = c};
    if (med_store_commit(c->loader->app->store, &c->commit, &err))
        return;
    stop(c->loader, &err);
    chunk_free(c);
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
    }
    c = l->filling;
    if (c == NULL)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to load with");
    c->items[c->n++] = (item){c->bytes.len, text.len, line};
    med_buf_add(&c->bytes, text);
    l->counts.bytes += text.len;
    if (c->bytes.failed)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource is larger than 1 GiB");
    return text.len < BUNDLE_BYTES || send(l, err);
}

bool med_loader_flush(med_loader *l, med_err *err)
{
    bool ok = send(l, err);
    pthread_mutex_lock(&l->lock);
    while (l->in_flight > 0)
        pthread_cond_wait(&l->room, &l->lock);
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

med_loader *med_loader_new(med_app *app, const med_loader_options *o, med_err *err)
{
    med_loader *l = med_alloc(1, sizeof *l);
    if (l == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to load with");
        return NULL;
    }
    l->app = app;
    l->options = *o;
    l->threads = o->threads > 0 ? o->threads : DEFAULT_THREADS;
    if (l->threads > app->workers)
        l->threads = app->workers;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->room, NULL);
    name_types(l);
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
    pthread_cond_destroy(&l->room);
    pthread_mutex_destroy(&l->lock);
    med_free(l);
}
