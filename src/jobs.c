/* jobs.c - see jobs.h. */
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "fhir/outcome.h"
#include "fhir/perform.h"
#include "fhir/route.h"
#include "job_output.h"

enum {
    SECOND = 1000000,
    LEASE_SECONDS = 120,
    LEAST_PRIORITY = 19,
    VIEW_SECONDS = 10,
    ARENA = 96 << 20,
    PAGE_ARENA = 256 << 20,
    PATH = 4200,
};
#define PREFIX "job:"

typedef struct job_thread {
    med_jobs *jobs;
    unsigned slot;
    pthread_t id;
} job_thread;

struct med_jobs {
    med_editions *editions;
    const med_fhir *base;
    char directory[PATH];
    char node[MED_UUID_LEN]; /* of this data directory: who has the files */
    job_thread *threads;
    unsigned n_threads;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    size_t running; /* ids of jobs that a thread of ours is at */
    char at[8][MED_UUID_LEN];
};

typedef struct job {
    med_str name, id;
    uint64_t revision;
    med_str path, query, node, state; /* state: waiting, done */
    int64_t status, created, done, bytes;
    int64_t lease; /* until when it is its node's; then another may take it over */
    bool lenient;
} job;

/* ---- notes ---- */

static bool text_of(med_arena *a, const med_json *j, const char *name, med_str *out)
{
    uint32_t node = med_json_member(j, 0, med_str_from(name));
    *out = MED_STR_EMPTY;
    return node == 0 || med_json_string(a, j, node, out);
}

static int64_t number_of(const med_json *j, const char *name)
{
    int64_t n = 0;
    uint32_t node = med_json_member(j, 0, med_str_from(name));
    return node != 0 && med_str_to_int64(med_json_raw(j, node), &n) ? n : 0;
}

static bool read_job(med_arena *a, const med_note *note, job *out, med_err *err)
{
    med_json j;
    if (!med_json_parse(a, note->text, &j, NULL, err))
        return false;
    *out = (job){.name = note->name,
                 .id = med_str_skip(note->name, sizeof PREFIX - 1),
                 .revision = note->revision,
                 .status = number_of(&j, "status"),
                 .created = number_of(&j, "created"),
                 .lease = number_of(&j, "lease"),
                 .done = number_of(&j, "done"),
                 .bytes = number_of(&j, "bytes"),
                 .lenient = number_of(&j, "lenient") != 0};
    return (text_of(a, &j, "path", &out->path) && text_of(a, &j, "query", &out->query)
            && text_of(a, &j, "node", &out->node) && text_of(a, &j, "state", &out->state))
           || MED_FAIL_MEMORY(err);
}

static void number(med_json_writer *w, const char *name, int64_t n)
{
    med_json_key(w, med_str_from(name));
    med_json_int(w, n);
}

static bool write_job(med_jobs *j, job *b, med_err *err)
{
    med_buf out;
    b->lease = med_now(j->base->clock) + LEASE_SECONDS * (int64_t)SECOND;
    med_buf_init(&out, MED_NOTE_BYTES);
    med_json_writer w = med_json_writer_to(&out);
    med_json_open(&w, '{');
    med_json_pair(&w, "path", b->path);
    med_json_pair(&w, "query", b->query);
    med_json_pair(&w, "node", b->node);
    med_json_pair(&w, "state", b->state);
    number(&w, "status", b->status);
    number(&w, "created", b->created);
    number(&w, "lease", b->lease);
    number(&w, "done", b->done);
    number(&w, "bytes", b->bytes);
    number(&w, "lenient", b->lenient);
    med_json_close(&w, '}');
    const med_note_change change = {b->name, b->revision, med_buf_str(&out)};
    bool ok = out.failed ? MED_FAIL_MEMORY(err) : med_store_note(j->base->store, &change, err);
    med_buf_free(&out);
    b->revision += ok;
    return ok;
}

static void result_path(const med_jobs *j, med_str id, const char *end, char out[PATH])
{
    (void)snprintf(out, PATH, "%.4096s/%.*s%s", j->directory, (int)(id.len < 64 ? id.len : 64),
                   id.ptr, end);
}

static bool drop_job(med_jobs *j, const job *b, med_err *err)
{
    char path[PATH];
    const med_note_change change = {b->name, b->revision, MED_STR_EMPTY};
    bool ok = med_store_note(j->base->store, &change, err);
    result_path(j, b->id, ".json", path);
    if (ok)
        (void)unlink(path);
    return ok;
}

/* All jobs; expired ones only for the sweep. */
static bool list_jobs(med_view *v, med_arena *a, job **out, size_t *n, med_err *err)
{
    size_t all;
    med_note *notes;
    *n = 0;
    if (!med_view_notes(v, a, &notes, &all, err))
        return false;
    *out = MED_TAKE(a, all + 1, job);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < all; i++) {
        if (med_str_starts(notes[i].name, MED_STR(PREFIX))
            && !read_job(a, &notes[i], &(*out)[(*n)++], err))
            return false;
    }
    return true;
}

/* ---- from a request ---- */

bool med_jobs_takes(const med_call *call)
{
    static const char *const names[] = {
        "search-type",    "search-system", "search-compartment", "history-instance", "history-type",
        "history-system", "lastn",         "everything"};
    const med_fhir_request *r = &call->request;
    if (!r->respond_async || call->interaction == NULL || r->in_bundle)
        return false;
    if (r->method == MED_POST && !med_str_eqz(r->operation, "_search") && r->body.len > 0)
        return false; /* a Parameters resource */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(call->interaction->name, names[i]) == 0)
            return true;
    }
    return false;
}

/* The same question as a GET: the form's parameters go into the query. */
static bool as_get(const med_call *call, med_str *path, med_str *query)
{
    med_str end = MED_STR("/_search"), form = call->request.body;
    if (med_str_eqz(*path, "_search"))
        *path = MED_STR_EMPTY;
    else if (med_str_ends(*path, end))
        *path = med_str_sub(*path, 0, path->len - end.len);
    if (call->request.method == MED_POST && form.len > 0)
        *query = med_arena_printf(call->arena, "%.*s%s%.*s", MED_STR_ARG(*query),
                                  query->len > 0 ? "&" : "", MED_STR_ARG(form));
    return query->len <= MED_JOB_QUERY;
}

bool med_jobs_begin(med_jobs *j, med_call *call, med_str path, med_str query, med_str *id,
                    med_err *err)
{
    job *all;
    size_t n;
    char uuid[MED_UUID_LEN];
    if (!as_get(call, &path, &query))
        return MED_FAIL(err, MED_ISSUE_TOO_LONG,
                        "a question that is answered later has at most %d "
                        "bytes",
                        MED_JOB_QUERY);
    if (!list_jobs(call->view, call->arena, &all, &n, err))
        return false;
    if (n >= MED_JOBS_MAX) {
        (void)MED_FAIL(err, MED_ISSUE_THROTTLED,
                       "%d questions are kept already: delete the status of those whose answers "
                       "you have, or wait",
                       MED_JOBS_MAX);
        return med_err_status(err, 429);
    }
    med_random_uuid(j->base->random, uuid);
    if (!med_arena_copy(call->arena, (med_str){uuid, sizeof uuid}, id))
        return MED_FAIL_MEMORY(err);
    job b = {.name = med_arena_printf(call->arena, PREFIX "%.*s", MED_STR_ARG(*id)),
             .path = path,
             .query = query,
             .node = {j->node, sizeof j->node},
             .state = MED_STR("waiting"),
             .created = med_now(j->base->clock),
             .lenient = !call->request.strict};
    if (!write_job(j, &b, err))
        return false;
    pthread_mutex_lock(&j->lock);
    pthread_cond_broadcast(&j->wake);
    pthread_mutex_unlock(&j->lock);
    return true;
}

static bool find_job(med_call *call, med_str id, job *out, med_err *err)
{
    job *all;
    size_t n;
    if (!list_jobs(call->view, call->arena, &all, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        *out = all[i];
        if (med_str_eq(all[i].id, id))
            return true;
    }
    return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                    "there is no such status: it was deleted, or its day is over");
}

typedef struct mapping {
    void *at;
    size_t len;
} mapping;

static void unmap(void *arg)
{
    const mapping *m = arg;
    (void)munmap(m->at, m->len);
}

/* From another process: into a file that nobody else sees. */
static int fetch_result(med_jobs *j, const job *b, med_err *err)
{
    char path[PATH];
    char uuid[MED_UUID_LEN];
    med_random_uuid(j->base->random, uuid);
    result_path(j, (med_str){uuid, sizeof uuid}, ".fetched", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || unlink(path) != 0
        || med_store_get_note_file(j->base->store, b->name, fd, err) != MED_FOUND) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    return fd;
}

static int open_result(med_jobs *j, const job *b, med_err *err)
{
    char path[PATH];
    if (med_store_is_shared(j->base->store))
        return fetch_result(j, b, err);
    result_path(j, b->id, ".json", path);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static bool map_result(med_jobs *j, med_call *call, const job *b, med_str *out, med_err *err)
{
    struct stat info;
    mapping *m = MED_TAKE(call->arena, 1, mapping);
    int fd = open_result(j, b, err);
    bool ok = m != NULL && fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0
              && (b->bytes == 0 || info.st_size == b->bytes);
    if (ok) {
        m->len = (size_t)info.st_size;
        m->at = mmap(NULL, m->len, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = m->at != MAP_FAILED && med_arena_defer(call->arena, unmap, m);
    }
    if (fd >= 0)
        (void)close(fd);
    if (!ok && err->issue != MED_ISSUE_NONE)
        return false;
    if (!ok)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "the result is not here any more: ask again");
    *out = (med_str){m->at, m->len};
    return true;
}

bool med_jobs_look(med_jobs *j, med_call *call, med_str id, med_job_view *out, med_err *err)
{
    job b;
    if (!find_job(call, id, &b, err))
        return false;
    *out = (med_job_view){.done = med_str_eqz(b.state, "done"),
                          .status = (int)b.status,
                          .body = MED_STR_EMPTY,
                          .expires = b.created + MED_JOB_SECONDS * (int64_t)SECOND};
    out->progress = med_arena_printf(call->arena, "%ld resources so far", (long)b.done);
    return !out->done || map_result(j, call, &b, &out->body, err);
}

bool med_jobs_drop(med_jobs *j, med_call *call, med_str id, med_err *err)
{
    enum { TRIES = 5 };
    bool ok = false;
    for (int i = 0; i < TRIES && !ok; i++) { /* it may write how far it is meanwhile */
        job b;
        *err = (med_err){0};
        if (!find_job(call, id, &b, err))
            return false;
        b.revision += (uint64_t)i;
        ok = drop_job(j, &b, err);
        if (!ok && err->issue != MED_ISSUE_CONFLICT)
            return false;
    }
    return ok;
}

/* ---- the work ---- */

static med_str link_of(const med_json *j, const char *relation)
{
    uint32_t list = med_json_member(j, 0, MED_STR("link"));
    for (uint32_t i = list + 1; list != 0 && i < j->nodes[list].next; i = j->nodes[i].next) {
        uint32_t name = med_json_member(j, i, MED_STR("relation"));
        uint32_t url = med_json_member(j, i, MED_STR("url"));
        if (name != 0 && url != 0 && med_str_eqz(med_json_raw(j, name), relation))
            return med_json_raw(j, url);
    }
    return MED_STR_EMPTY;
}

static bool begin_bundle(med_job_output *o, const med_json *j, med_str id, med_err *err)
{
    char head[400];
    med_str self = link_of(j, "self");
    uint32_t type = med_json_member(j, 0, MED_STR("type"));
    uint32_t time = med_json_member(j, 0, MED_STR("timestamp"));
    (void)snprintf(head, sizeof head,
                   "{\"resourceType\":\"Bundle\",\"id\":\"%.*s\",\"type\":\"%.*s\","
                   "\"timestamp\":\"%.*s\",\"link\":[{\"relation\":\"self\",\"url\":\"",
                   MED_STR_ARG(id),
                   MED_STR_ARG(type == 0 ? MED_STR("searchset") : med_json_raw(j, type)),
                   MED_STR_ARG(time == 0 ? MED_STR_EMPTY : med_json_raw(j, time)));
    return med_job_output_put(o, med_str_from(head), err) && med_job_output_put(o, self, err)
           && med_job_output_put(o, MED_STR("\"}],\"entry\":["), err);
}

/* "_count" is ours: pages as large as they may be. */
static bool whole_pages(med_call *call, med_err *err)
{
    const med_pairs *q = &call->request.query;
    med_pair *at = MED_TAKE(call->arena, q->n + 1, med_pair);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (!med_str_eqz(q->at[i].name, "_count"))
            at[n++] = q->at[i];
    }
    at[n++] =
        (med_pair){MED_STR("_count"), med_arena_printf(call->arena, "%u", call->fhir->max_count)};
    call->request.query = (med_pairs){at, n};
    return true;
}

/* A second, unless there is news. */
static void pause_a_while(med_jobs *j)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&j->lock);
    if (!j->stopping)
        (void)pthread_cond_timedwait(&j->wake, &j->lock, &until);
    pthread_mutex_unlock(&j->lock);
}

static bool is_stopping(med_jobs *j)
{
    pthread_mutex_lock(&j->lock);
    bool stopping = j->stopping;
    pthread_mutex_unlock(&j->lock);
    return stopping;
}

/* Runs the call of one page. A long read may be ended in the middle, as it is in the way of the
 * store's log: then it is asked again. */
static bool perform(med_jobs *j, const job *b, unsigned slot, const med_fhir *f, bool first,
                    med_str query, med_arena *a, med_call *call, med_err *err)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        med_call_init(call, f, a);
        call->request.strict = !b->lenient;
        call->request.background = true;
        if (!med_route(call, MED_GET, b->path, query, err) || (first && !whole_pages(call, err)))
            return false;
        med_perform(call, slot);
        if (call->response.failed != MED_ISSUE_TIMEOUT || is_stopping(j))
            return true;
        pause_a_while(j);
    }
    return true;
}

/* One page; *next is the query of the next, in `keep`, or empty. */
static bool run_page(med_jobs *j, const job *b, unsigned slot, bool first, med_str query,
                     med_job_output *o, med_arena *keep, med_str *next, int *status, med_err *err)
{
    med_json bundle;
    med_call call;
    med_arena *a = med_arena_new(PAGE_ARENA);
    const med_fhir *f = a == NULL ? NULL : med_editions_hold(j->editions, a);
    bool ok = f != NULL || MED_FAIL_MEMORY(err);
    *next = MED_STR_EMPTY;
    ok = ok && perform(j, b, slot, f, first, query, a, &call, err);
    if (ok) {
        *status = call.response.status;
        ok = *status == 200 && !call.response.is_outcome
             && med_json_parse(a, call.response.body, &bundle, NULL, err);
        if (!ok && *status != 200) /* what would have been answered at once */
            med_job_output_replace(o, call.response.body);
        else if (ok)
            ok = (!first || begin_bundle(o, &bundle, b->id, err))
                 && med_job_output_page(o, &bundle, err);
    }
    if (ok) {
        med_str link = link_of(&bundle, "next"), rest;
        (void)med_str_cut(link, '?', &rest);
        ok = med_arena_copy(keep, rest, next) || MED_FAIL_MEMORY(err);
    }
    med_arena_free(a);
    return ok;
}

static bool run_pages(med_jobs *j, job *b, unsigned slot, med_job_output *o, int *status,
                      bool *over, med_err *err)
{
    bool ok = true, first = true;
    med_str query = b->query;
    int64_t next_save = med_monotonic(j->base->clock) + 2 * (int64_t)SECOND;
    med_arena *keep = med_arena_new(ARENA);
    if (keep == NULL)
        return MED_FAIL_MEMORY(err);
    do {
        med_str next;
        ok = run_page(j, b, slot, first, query, o, keep, &next, status, err);
        query = next;
        first = false;
        b->done = (int64_t)o->entries;
        if (ok && query.len > 0 && med_monotonic(j->base->clock) >= next_save) {
            *over = !write_job(j, b, err); /* deleted meanwhile */
            next_save = med_monotonic(j->base->clock) + 2 * (int64_t)SECOND;
        }
        *over = *over || is_stopping(j);
    } while (ok && !*over && query.len > 0);
    med_arena_free(keep);
    return ok;
}

static void put_failure(med_job_output *o, const med_err *why)
{
    med_arena *a = med_arena_new(ARENA);
    if (a != NULL)
        med_job_output_replace(o, med_outcome_text(a, why, NULL));
    med_arena_free(a);
}

/* The result where whoever is asked finds it: in the store, or under its name. */
static bool keep_result(med_jobs *j, const job *b, FILE *file, const char *part, const char *path,
                        med_err *err)
{
    if (fflush(file) != 0)
        return false;
    if (!med_store_is_shared(j->base->store))
        return fsync(fileno(file)) == 0 && rename(part, path) == 0;
    bool ok = med_store_put_note_file(j->base->store, b->name, fileno(file), err);
    (void)unlink(part);
    return ok;
}

/* The result, then the note that says it is there. */
static void finish(med_jobs *j, job *b, med_job_output *o, int status, const char *part)
{
    char path[PATH];
    struct stat info;
    med_err err = {0};
    result_path(j, b->id, ".json", path);
    bool ok = keep_result(j, b, o->file, part, path, &err) && fstat(fileno(o->file), &info) == 0;
    if (err.issue == MED_ISSUE_TRANSIENT) { /* the database is away: it is done again */
        pause_a_while(j);
        return;
    }
    b->state = MED_STR("done");
    b->status = ok ? status : 507;
    b->bytes = ok ? (int64_t)info.st_size : 0;
    if (!write_job(j, b, &err)) /* deleted meanwhile */
        (void)unlink(path);
    MED_LOG(j->base->log, MED_LOG_INFO, "job ends", MED_LOG_INT("status", b->status),
            MED_LOG_INT("entries", b->done), MED_LOG_INT("bytes", b->bytes));
}

static void run_job(med_jobs *j, job *b, unsigned slot)
{
    char part[PATH], beside[PATH];
    med_err err = {0};
    int status = 0;
    bool over = false;
    result_path(j, b->id, ".part", part);
    result_path(j, b->id, ".included", beside);
    med_job_output o = {.limit = MED_JOB_BYTES};
    if (!med_job_output_open(&o, part, beside)) {
        med_job_output_close(&o);
        pause_a_while(j);
        return;
    }
    b->done = 0;
    bool ok = run_pages(j, b, slot, &o, &status, &over, &err);
    if (ok && !over)
        ok = med_job_output_included(&o, &err) && med_job_output_put(&o, MED_STR("]}"), &err);
    b->done = (int64_t)o.entries;
    if (!ok && err.issue != MED_ISSUE_NONE) {
        status = med_err_http_status(&err);
        put_failure(&o, &err);
    }
    if (over)
        (void)unlink(part);
    else
        finish(j, b, &o, status, part);
    med_job_output_close(&o);
}

/* ---- the threads ---- */

static bool take(med_jobs *j, med_str id)
{
    bool free_one = j->running < sizeof j->at / sizeof j->at[0];
    for (size_t i = 0; i < j->running; i++)
        free_one = free_one && !med_str_eq(id, (med_str){j->at[i], MED_UUID_LEN});
    if (free_one && id.len == MED_UUID_LEN)
        memcpy(j->at[j->running++], id.ptr, MED_UUID_LEN);
    return free_one && id.len == MED_UUID_LEN;
}

static void give_back(med_jobs *j, med_str id)
{
    for (size_t i = 0; i < j->running; i++) {
        if (med_str_eq(id, (med_str){j->at[i], MED_UUID_LEN}))
            memcpy(j->at[i], j->at[--j->running], MED_UUID_LEN);
    }
}

/* The jobs as they are now. */
static bool look(med_jobs *j, unsigned slot, med_arena *a, job **all, size_t *n, med_err *err)
{
    int64_t deadline = med_monotonic(j->base->clock) + VIEW_SECONDS * (int64_t)SECOND;
    med_view *v = med_store_view(j->base->store, slot, deadline, err);
    bool ok = v != NULL && list_jobs(v, a, all, n, err);
    med_view_end(v);
    return ok;
}

/* Another thread may have done the whole job between the look at the list and the taking. */
static bool still_waits(med_jobs *j, unsigned slot, med_arena *a, job *b)
{
    size_t n = 0;
    job *all = NULL;
    med_err err = {0};
    bool ok = look(j, slot, a, &all, &n, &err);
    for (size_t i = 0; ok && i < n; i++) {
        if (!med_str_eq(all[i].id, b->id))
            continue;
        *b = all[i];
        return med_str_eqz(b->state, "waiting");
    }
    return false;
}

static bool is_ours(const med_jobs *j, const job *b)
{
    return med_str_eq(b->node, (med_str){j->node, sizeof j->node});
}

/* Also one of a server that is gone, or has more to do than it can. */
static bool may_run(const med_jobs *j, const job *b, int64_t now)
{
    return med_str_eqz(b->state, "waiting") && (is_ours(j, b) || b->lease < now);
}

/* Whoever writes the note first has it; ours may be another's by now. */
static bool claim(med_jobs *j, job *b, int64_t now)
{
    med_err err = {0};
    bool was_ours = is_ours(j, b);
    if (was_ours && b->lease - now > LEASE_SECONDS / 2 * (int64_t)SECOND)
        return true;
    b->node = (med_str){j->node, sizeof j->node};
    if (!write_job(j, b, &err))
        return false;
    if (!was_ours)
        MED_LOG(j->base->log, MED_LOG_INFO, "a job of another server is taken over",
                MED_LOG_INT("entries", b->done));
    return true;
}

/* Runs one that waits, forgets those whose day is over. False: nothing to do. */
static bool work(med_jobs *j, unsigned slot)
{
    size_t n = 0;
    job *all = NULL;
    med_err err = {0};
    bool worked = false;
    med_arena *a = med_arena_new(ARENA);
    int64_t now = med_now(j->base->clock);
    bool ok = a != NULL && look(j, slot, a, &all, &n, &err);
    for (size_t i = 0; ok && !worked && i < n; i++) {
        if (all[i].created + MED_JOB_SECONDS * (int64_t)SECOND < now) {
            (void)drop_job(j, &all[i], &err);
            continue;
        }
        if (!may_run(j, &all[i], now))
            continue;
        pthread_mutex_lock(&j->lock);
        worked = take(j, all[i].id);
        pthread_mutex_unlock(&j->lock);
        if (!worked)
            continue;
        worked =
            still_waits(j, slot, a, &all[i]) && may_run(j, &all[i], now) && claim(j, &all[i], now);
        if (worked)
            run_job(j, &all[i], slot);
        pthread_mutex_lock(&j->lock);
        give_back(j, all[i].id);
        pthread_mutex_unlock(&j->lock);
    }
    med_arena_free(a);
    return worked;
}

static void *main_loop(void *arg)
{
    job_thread *t = arg;
    med_jobs *j = t->jobs;
    med_thread_name("job", (int)(t - j->threads));
    med_thread_step_back(LEAST_PRIORITY);
    while (!is_stopping(j)) {
        if (!work(j, t->slot))
            pause_a_while(j);
    }
    return NULL;
}

/* ---- life ---- */

/* Who has the files: the same after a restart. */
static bool name_node(med_jobs *j, med_err *err)
{
    char path[PATH + 8];
    (void)snprintf(path, sizeof path, "%s/node", j->directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    if (ok && read(fd, j->node, sizeof j->node) != (ssize_t)sizeof j->node) {
        med_random_uuid(j->base->random, j->node);
        ok = pwrite(fd, j->node, sizeof j->node, 0) == (ssize_t)sizeof j->node && fsync(fd) == 0;
    }
    if (fd >= 0)
        (void)close(fd);
    return ok || MED_FAIL(err, MED_ISSUE_EXCEPTION, "DATA/jobs can not be written");
}

static bool start_threads(med_jobs *j, unsigned slot, unsigned n, med_err *err)
{
    sigset_t all, before;
    j->threads = MED_NEW(n, job_thread);
    if (j->threads == NULL)
        return MED_FAIL_MEMORY(err);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = true;
    while (ok && j->n_threads < n) {
        job_thread *t = &j->threads[j->n_threads];
        *t = (job_thread){.jobs = j, .slot = slot + j->n_threads};
        ok = pthread_create(&t->id, NULL, main_loop, t) == 0;
        j->n_threads += ok;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok || MED_FAIL(err, MED_ISSUE_EXCEPTION, "no threads for jobs");
}

med_jobs *med_jobs_start(med_editions *editions, const med_fhir *base, unsigned slot, unsigned n,
                         med_str data, med_err *err)
{
    med_jobs *j = MED_NEW(1, med_jobs);
    if (j == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    j->editions = editions;
    j->base = base;
    (void)snprintf(j->directory, sizeof j->directory, "%.*s/jobs",
                   (int)(data.len < 4000 ? data.len : 4000), data.ptr);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->wake, NULL);
    bool ok = mkdir(j->directory, 0700) == 0 || errno == EEXIST
              || MED_FAIL(err, MED_ISSUE_EXCEPTION, "DATA/jobs can not be made");
    if (ok && name_node(j, err) && start_threads(j, slot, n, err))
        return j;
    med_jobs_stop(j);
    return NULL;
}

void med_jobs_stop(med_jobs *j)
{
    if (j == NULL)
        return;
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_broadcast(&j->wake);
    pthread_mutex_unlock(&j->lock);
    for (unsigned i = 0; i < j->n_threads; i++)
        pthread_join(j->threads[i].id, NULL);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->lock);
    med_free(j->threads);
    med_free(j);
}
