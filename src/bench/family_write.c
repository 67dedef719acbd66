/* family_write.c - creates, updates with If-Match, deletes, transactions.
 * https://hl7.org/fhir/R4/http.html#create */
#include "base/mem.h"
#include "bench/reference.h"
#include "bench/run.h"

enum {
    RECORD_BYTES = 2048, /* of the disk's reference */
    OWN_UPDATES = 25,    /* resources that a connection updates in turn */
    DELETES_A_SECOND = 1500,
    BUNDLE_OBSERVATIONS = 99,
    BUNDLE_CONNECTIONS = 4,
    MAKERS = 16,
};
#define CREATE_RATE 5000
#define BUNDLE_RATE 8000

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

/* Where created resources are noted: only where they must go again. */
static med_made *noted(med_bench *b)
{
    return b->own ? NULL : &b->left;
}

/* The counts of a family, or the one the user wants. */
static size_t pick_connections(const med_bench *b, const unsigned **list, size_t n)
{
    if (b->options->connections == 0)
        return n;
    *list = &b->options->connections;
    return 1;
}

/* ---- create ---- */

static bool measure_creates(med_bench *b, unsigned connections, med_load_result *rounds,
                            double *disk, med_err *err)
{
    double disks[MED_BENCH_ROUNDS];
    med_create_work *w = med_create_work_new(&b->target, &b->maker, noted(b), 0);
    const med_load_work work = {med_create_work_next, med_create_work_done, w};
    bool ok = w != NULL ? true : MED_FAIL_MEMORY(err);
    ok = ok && med_bench_warm(b, &b->target, connections, &work, err);
    for (unsigned i = 0; ok && i < b->options->rounds; i++)
        ok = med_reference_append(b->folder, connections, RECORD_BYTES,
                                  b->options->seconds < 1 ? b->options->seconds : 1, &disks[i], err)
             && med_bench_load(b, &b->target, b->watched, connections, b->options->seconds, &work,
                               &rounds[i], err);
    *disk = ok ? med_median(disks, b->options->rounds) : 0;
    med_create_work_free(w);
    return ok;
}

bool med_bench_create(med_bench *b, med_err *err)
{
    static const unsigned counts[] = {1, 16, 64};
    const unsigned *connections = counts;
    size_t n = pick_connections(b, &connections, sizeof counts / sizeof *counts);
    med_load_result *rounds = MED_NEW(MED_BENCH_ROUNDS, med_load_result);
    bool ok = rounds != NULL ? true : MED_FAIL_MEMORY(err);
    for (size_t i = 0; ok && i < n; i++) {
        double disk;
        if (!measure_creates(b, connections[i], rounds, &disk, err)) {
            ok = false;
            break;
        }
        med_figure f = med_figure_of_rounds(rounds, b->options->rounds);
        f.family = "create";
        f.key = connections[i] == 1 ? "create-1" : connections[i] == 16 ? "create-16" : "create";
        f.connections = connections[i];
        f.name = med_arena_printf(b->arena, "durable create, %u client%s", connections[i],
                                  plural(connections[i]));
        f.reference = "/s append+fdatasync";
        f.reference_value = disk;
        f.note =
            med_arena_printf(b->arena, "reference: groups of %u records of 2 KB", connections[i]);
        if (connections[i] >= 64)
            f.goals[0] = (med_goal){MED_GOAL_VALUE, true, CREATE_RATE};
        ok = med_bench_add(b, &f, err);
    }
    med_free(rounds);
    return ok;
}

/* Makes `n` resources to work with. */
static bool make(med_bench *b, uint64_t n, med_made *made, med_err *err)
{
    med_load_result *r = MED_NEW(1, med_load_result);
    med_create_work *w = med_create_work_new(&b->target, &b->maker, made, n);
    const med_load_work work = {med_create_work_next, med_create_work_done, w};
    bool ok = r != NULL && w != NULL ? true : MED_FAIL_MEMORY(err);
    ok = ok && med_bench_load(b, &b->target, b->watched, MAKERS, 0, &work, r, err);
    if (ok && med_made_count(made) == 0)
        ok = MED_FAIL(err, MED_ISSUE_EXCEPTION, "the server created nothing (HTTP %d)",
                      r->bad_status);
    med_create_work_free(w);
    med_free(r);
    return ok;
}

/* What was made joins the list of what must go. */
static void hand_over(med_bench *b, med_made *made)
{
    if (!b->own)
        med_buf_add(&b->left.bytes, med_buf_str(&made->bytes));
    med_made_end(made);
}

/* ---- update ---- */

typedef struct update_work {
    med_bench *b;
    med_made made;
    size_t share;                    /* resources of each connection */
    size_t at[MED_LOAD_CONNECTIONS]; /* which of its own is being updated */
    med_buf body[MED_LOAD_CONNECTIONS];
} update_work;

static med_made_one *current(update_work *w, unsigned connection)
{
    return med_made_at(&w->made, connection * w->share + w->at[connection]);
}

static bool next_update(void *self, unsigned connection, med_buf *out)
{
    char match[64];
    update_work *w = self;
    med_buf *body = &w->body[connection];
    const med_made_one *one = current(w, connection);
    med_str id;
    (void)med_str_cut(med_str_from(one->path), '/', &id);
    (void)snprintf(match, sizeof match, "If-Match: W/\"%s\"\r\n", one->version);
    med_buf_clear(body);
    med_maker_observation(&w->b->maker, id, body);
    med_target_request(&w->b->target, "PUT", med_str_from(one->path), med_str_from(match),
                       med_buf_str(body), out);
    return true;
}

static void updated(void *self, unsigned connection, const med_reply *reply)
{
    update_work *w = self;
    med_made_one *one = current(w, connection);
    med_str version, etag = med_reply_header(reply->head, "ETag");
    (void)med_str_cut(etag, '"', &version);
    version = med_str_cut(version, '"', &etag);
    if (reply->status / 100 == 2 && version.len > 0 && version.len < sizeof one->version) {
        memcpy(one->version, version.ptr, version.len);
        one->version[version.len] = '\0';
    }
    w->at[connection] = (w->at[connection] + 1) % w->share;
}

static bool measure_updates(med_bench *b, update_work *w, unsigned connections,
                            med_load_result *rounds, med_err *err)
{
    const med_load_work work = {next_update, updated, w};
    if (!make(b, (uint64_t)connections * OWN_UPDATES, &w->made, err))
        return false;
    w->share = med_made_count(&w->made) / connections;
    if (w->share == 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "too few resources were created to update them");
    bool ok = med_bench_warm(b, &b->target, connections, &work, err);
    for (unsigned i = 0; ok && i < b->options->rounds; i++)
        ok = med_bench_load(b, &b->target, b->watched, connections, b->options->seconds, &work,
                            &rounds[i], err);
    return ok;
}

static bool update_with(med_bench *b, unsigned connections, med_load_result *rounds, med_err *err)
{
    update_work *w = MED_NEW(1, update_work);
    if (w == NULL || !med_made_init(&w->made)) {
        med_free(w);
        return MED_FAIL_MEMORY(err);
    }
    w->b = b;
    for (unsigned i = 0; i < MED_LOAD_CONNECTIONS; i++)
        med_buf_init(&w->body[i], 1 << 20);
    bool ok = measure_updates(b, w, connections, rounds, err);
    for (unsigned i = 0; i < MED_LOAD_CONNECTIONS; i++)
        med_buf_free(&w->body[i]);
    hand_over(b, &w->made);
    med_free(w);
    return ok;
}

/* ---- delete ---- */

typedef struct delete_work {
    const med_target *target;
    med_made *made;
    atomic_uint_fast64_t next;
    size_t at[MED_LOAD_CONNECTIONS];
} delete_work;

/* Each once; what is gone already is passed over. */
static bool next_delete(void *self, unsigned connection, med_buf *out)
{
    delete_work *w = self;
    size_t n = med_made_count(w->made), i;
    do {
        i = atomic_fetch_add(&w->next, 1);
    } while (i < n && med_made_at(w->made, i)->gone);
    if (i >= n)
        return false;
    w->at[connection] = i;
    med_target_request(w->target, "DELETE", med_str_from(med_made_at(w->made, i)->path),
                       MED_STR_EMPTY, MED_STR_EMPTY, out);
    return true;
}

static void deleted(void *self, unsigned connection, const med_reply *reply)
{
    delete_work *w = self;
    if (reply->status / 100 == 2 || reply->status == 404 || reply->status == 410)
        med_made_at(w->made, w->at[connection])->gone = true;
}

static bool delete_all(med_bench *b, med_made *made, unsigned connections, med_load_result *out,
                       med_err *err)
{
    delete_work *w = MED_NEW(1, delete_work);
    if (w == NULL)
        return MED_FAIL_MEMORY(err);
    w->target = &b->target;
    w->made = made;
    const med_load_work work = {next_delete, deleted, w};
    bool ok = med_bench_load(b, &b->target, b->watched, connections, 0, &work, out, err);
    med_free(w);
    return ok;
}

static bool delete_with(med_bench *b, unsigned connections, med_load_result *rounds, med_err *err)
{
    double share = connections == 1 ? 0.25 : 1;
    uint64_t n = (uint64_t)(b->options->seconds * DELETES_A_SECOND * share) + MAKERS;
    bool ok = true;
    for (unsigned i = 0; ok && i < b->options->rounds; i++) {
        med_made made;
        if (!med_made_init(&made))
            return MED_FAIL_MEMORY(err);
        ok = make(b, n, &made, err) && delete_all(b, &made, connections, &rounds[i], err);
        hand_over(b, &made);
    }
    return ok;
}

static bool one_and_eight(med_bench *b, const char *family, const char *const keys[2],
                          const char *what,
                          bool (*measure)(med_bench *, unsigned, med_load_result *, med_err *),
                          med_err *err)
{
    static const unsigned counts[] = {1, 8};
    const unsigned *connections = counts;
    size_t n = pick_connections(b, &connections, sizeof counts / sizeof *counts);
    med_load_result *rounds = MED_NEW(MED_BENCH_ROUNDS, med_load_result);
    bool ok = rounds != NULL ? true : MED_FAIL_MEMORY(err);
    for (size_t i = 0; ok && i < n; i++) {
        ok = measure(b, connections[i], rounds, err);
        if (!ok)
            break;
        med_figure f = med_figure_of_rounds(rounds, b->options->rounds);
        f.family = family;
        f.key = keys[connections[i] != 1];
        f.connections = connections[i];
        f.name = med_arena_printf(b->arena, "%s, %u client%s", what, connections[i],
                                  plural(connections[i]));
        ok = med_bench_add(b, &f, err);
    }
    med_free(rounds);
    return ok;
}

bool med_bench_update(med_bench *b, med_err *err)
{
    static const char *const keys[] = {"update-1", "update"};
    return one_and_eight(b, "update", keys, "update with If-Match", update_with, err);
}

bool med_bench_delete(med_bench *b, med_err *err)
{
    static const char *const keys[] = {"delete-1", "delete"};
    return one_and_eight(b, "delete", keys, "delete", delete_with, err);
}

/* ---- transactions ---- */

typedef struct bundle_work {
    med_bench *b;
    const med_str *texts; /* those of the user, each once a round; NULL: made ones */
    size_t n;
    atomic_uint_fast64_t next;
    atomic_uint_fast64_t resources; /* in answers that were 200 */
    med_buf body[MED_LOAD_CONNECTIONS];
} bundle_work;

static bool next_bundle(void *self, unsigned connection, med_buf *out)
{
    bundle_work *w = self;
    med_buf *body = &w->body[connection];
    med_str text;
    if (w->texts != NULL) {
        size_t i = atomic_fetch_add(&w->next, 1);
        if (i >= w->n)
            return false;
        text = w->texts[i];
    } else {
        med_buf_clear(body);
        med_maker_bundle(&w->b->maker, BUNDLE_OBSERVATIONS, 0, body);
        text = med_buf_str(body);
    }
    med_target_request(&w->b->target, "POST", MED_STR_EMPTY, MED_STR_EMPTY, text, out);
    return true;
}

/* Counts the entries that were done, and notes what must go. */
static void bundle_done(void *self, unsigned connection, const med_reply *reply)
{
    bundle_work *w = self;
    med_json j;
    med_err unused;
    med_str location, etag;
    (void)connection;
    med_arena *a = med_arena_new((size_t)1 << 30);
    if (a != NULL && reply->status == 200 && med_json_parse(a, reply->body, &j, NULL, &unused)) {
        uint32_t entries = med_json_member(&j, 0, MED_STR("entry"));
        atomic_fetch_add(&w->resources, entries > 0 ? j.nodes[entries].count : 0);
        for (uint32_t e = entries + 1; !w->b->own && entries > 0 && e < j.nodes[entries].next;
             e = j.nodes[e].next) {
            uint32_t at = med_json_path(&j, e, "response.location");
            uint32_t tag = med_json_path(&j, e, "response.etag");
            if (at > 0 && med_json_string(a, &j, at, &location)
                && (tag == 0 || med_json_string(a, &j, tag, &etag)))
                med_made_take(&w->b->left, w->b->target.base, location,
                              tag == 0 ? MED_STR_EMPTY : etag);
        }
    }
    med_arena_free(a);
}

static bool measure_bundles(med_bench *b, bundle_work *w, med_load_result *rounds, double *rate,
                            med_err *err)
{
    double rates[MED_BENCH_ROUNDS];
    unsigned connections =
        b->options->connections > 0 ? b->options->connections : BUNDLE_CONNECTIONS;
    const med_load_work work = {next_bundle, bundle_done, w};
    bool ok = true;
    for (unsigned i = 0; ok && i < b->options->rounds; i++) {
        atomic_store(&w->next, 0);
        atomic_store(&w->resources, 0);
        ok = med_bench_load(b, &b->target, b->watched, connections,
                            w->texts == NULL ? b->options->seconds : 0, &work, &rounds[i], err);
        rates[i] = ok && rounds[i].seconds > 0
                       ? (double)atomic_load(&w->resources) / rounds[i].seconds
                       : 0;
    }
    *rate = ok ? med_median(rates, b->options->rounds) : 0;
    return ok;
}

static bool add_bundles(med_bench *b, const bundle_work *w, const med_load_result *rounds,
                        double rate, med_err *err)
{
    med_figure f = med_figure_of_rounds(rounds, b->options->rounds);
    f.family = "bundle";
    f.key = "bundle";
    f.connections = b->options->connections > 0 ? b->options->connections : BUNDLE_CONNECTIONS;
    f.name = med_arena_printf(b->arena, "transaction Bundles, %u connections", f.connections);
    f.note = med_arena_printf(b->arena, "%.1f Bundles/s; %s", f.value,
                              w->texts != NULL ? "those of the data"
                                               : "each a Patient and 99 Observations");
    f.value = rate;
    f.unit = " res/s";
    f.goals[0] = (med_goal){MED_GOAL_VALUE, true, BUNDLE_RATE};
    return med_bench_add(b, &f, err);
}

static bool find_bundles(med_bench *b, bundle_work *w, med_err *err)
{
    med_str *texts;
    const med_bench_options *o = b->options;
    if (o->data.len == 0 || o->read_bundles == NULL)
        return true;
    if (!o->read_bundles(b->arena, o->data, &texts, &w->n, err))
        return false;
    w->texts = w->n > 0 ? texts : NULL;
    return true;
}

bool med_bench_bundle(med_bench *b, med_err *err)
{
    double rate;
    bundle_work *w = MED_NEW(1, bundle_work);
    med_load_result *rounds = MED_NEW(MED_BENCH_ROUNDS, med_load_result);
    if (w == NULL || rounds == NULL) {
        med_free(w);
        med_free(rounds);
        return MED_FAIL_MEMORY(err);
    }
    w->b = b;
    for (unsigned i = 0; i < MED_LOAD_CONNECTIONS; i++)
        med_buf_init(&w->body[i], 16 << 20);
    bool ok = find_bundles(b, w, err) && measure_bundles(b, w, rounds, &rate, err)
              && add_bundles(b, w, rounds, rate, err);
    for (unsigned i = 0; i < MED_LOAD_CONNECTIONS; i++)
        med_buf_free(&w->body[i]);
    med_free(rounds);
    med_free(w);
    return ok;
}

/* ---- the end, on a foreign server ---- */

static size_t count_left(const med_made *m)
{
    size_t left = 0;
    for (size_t i = 0; i < med_made_count(m); i++)
        left += !med_made_at(m, i)->gone;
    return left;
}

/* What is referenced may have to wait for what refers to it: hence twice. */
bool med_bench_clean(med_bench *b, med_err *err)
{
    size_t all = med_made_count(&b->left), left = all;
    med_load_result *r = MED_NEW(1, med_load_result);
    bool ok = r != NULL ? true : MED_FAIL_MEMORY(err);
    for (int pass = 0; ok && left > 0 && pass < 2; pass++) {
        ok = delete_all(b, &b->left, MED_BENCH_SEARCH_CONNECTIONS, r, err);
        left = count_left(&b->left);
    }
    med_free(r);
    if (all > 0)
        (void)fprintf(stderr, "deleted %zu of %zu test resources (tag %s|%s)\n", all - left, all,
                      MED_BENCH_TAG, b->maker.tag);
    if (ok && left > 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "%zu test resources could not be deleted", left);
    return ok;
}
