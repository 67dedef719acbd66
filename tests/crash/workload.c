/* workload.c - see workload.h. */
#include "workload.h"

#include <pthread.h>

static uint64_t roll(uint64_t *seed, uint64_t n)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (*seed >> 11) % n;
}

/* Numbers are given in order of asking, so these are constant for every store. */
enum { TYPE = 1, TOKEN = 1, NAME = 2, DATE = 3, LINK = 4 };

static bool intern(med_store *s, med_err *err)
{
    static const med_str type = MED_LIT("Patient");
    static const med_str params[] = {MED_LIT("Patient.token"), MED_LIT("Patient.name"),
                                     MED_LIT("Patient.date"), MED_LIT("Patient.link")};
    uint32_t numbers[4];
    return med_store_intern(s, MED_NAME_TYPE, &type, 1, numbers, err) && numbers[0] == TYPE
           && med_store_intern(s, MED_NAME_PARAM, params, 4, numbers, err) && numbers[3] == LINK;
}

static med_store *open_store(const med_sqlite_options *o)
{
    med_err err = {0};
    med_store *s = med_sqlite_open(o, &err);
    if (s != NULL && intern(s, &err))
        return s;
    (void)fprintf(stderr, "open: %s\n", err.text);
    med_store_close(s);
    return NULL;
}

static med_sqlite_options options(const char *data, size_t wal_bound)
{
    return (med_sqlite_options){.data = med_str_from(data),
                                .create = true,
                                .readers = 1,
                                .wal_serving = wal_bound,
                                .deferred = 300, /* so that kills meet merges */
                                .cache_writer = 1 << 20};
}

med_store *load_open(const char *data, const char *vfs, size_t wal_bound)
{
    med_sqlite_options o = options(data, wal_bound);
    o.vfs = vfs;
    return open_store(&o);
}

med_store *load_open_newer(const char *data, size_t wal_bound, const char *const *further,
                           unsigned n)
{
    med_sqlite_options o = options(data, wal_bound);
    o.further = further;
    o.n_further = n;
    return open_store(&o);
}

struct writer {
    struct load *load;
    unsigned thread;
    uint64_t seed;
    uint32_t nonce;
    med_arena *arena;
};

static med_str part_id(med_arena *a, unsigned thread, unsigned group, unsigned part)
{
    return med_arena_printf(a, "t%u-g%u-p%u", thread, group, part);
}

/* A long base64 value, one of a few that many resources have: the store keeps it once. */
static med_str long_value(struct writer *w)
{
    enum { LENGTH = 5600, VALUES = 6 };
    char *to = MED_TAKE(w->arena, LENGTH + 1, char);
    uint64_t seed = roll(&w->seed, VALUES) + 1;
    for (size_t i = 0; to != NULL && i < LENGTH; i++)
        to[i] = (char)('A' + roll(&seed, 26));
    return to == NULL ? MED_STR_EMPTY : (med_str){to, LENGTH};
}

static med_str part_text(struct writer *w, med_str id, uint32_t nonce)
{
    enum { MOST = 6000 };
    char filler[MOST];
    med_str value = roll(&w->seed, 10) == 0 ? long_value(w) : MED_STR_EMPTY;
    size_t n = (size_t)roll(&w->seed, roll(&w->seed, 10) == 0 ? MOST : 400);
    for (size_t i = 0; i < n; i++)
        filler[i] = (char)('a' + roll(&w->seed, 26));
    return med_arena_printf(
        w->arena,
        "{\"resourceType\":\"Patient\",\"id\":\"%.*s\",\"nonce\":%u,\"x\":\"%.*s\",\"v\":\"%.*s\"}",
        MED_STR_ARG(id), nonce, (int)n, filler, MED_STR_ARG(value));
}

static bool make_part(struct writer *w, unsigned group, unsigned part, uint32_t nonce,
                      med_write *out, med_err *err)
{
    med_arena *a = w->arena;
    const med_store *s = w->load->store;
    med_str id = part_id(a, w->thread, group, part);
    med_str next = part_id(a, w->thread, group, (part + 1) % PARTS);
    uint64_t ident = med_store_ident(s, MED_STR("Patient"), next);
    med_token_row *token = MED_TAKE(a, 1, med_token_row);
    med_code_row *code = MED_TAKE(a, 1, med_code_row);
    med_string_row *name = MED_TAKE(a, 1, med_string_row);
    med_date_row *date = MED_TAKE(a, 1, med_date_row);
    med_reference_row *link = MED_TAKE(a, 1, med_reference_row);
    med_target_row *target = MED_TAKE(a, 1, med_target_row);
    med_str word = med_arena_printf(a, "code%u", nonce % 50);
    *token = (med_token_row){TOKEN, MED_ROW_GLOBAL | MED_ROW_PATIENT, med_store_hash(s, word)};
    *code = (med_code_row){token->hash, TOKEN, MED_STR("urn:s"), word, MED_STR("some text")};
    *name = (med_string_row){NAME, med_arena_printf(a, "name %u", nonce % 97)};
    *date = (med_date_row){DATE, {nonce, nonce + 10}};
    *link = (med_reference_row){LINK, ident};
    *target = (med_target_row){TYPE, next, ident, MED_STR("Patient.link")};
    *out = (med_write){.kind = nonce == DELETED ? MED_WRITE_DELETE : MED_WRITE_PUT,
                       .type = TYPE,
                       .id = id,
                       .text = nonce == DELETED ? MED_STR_EMPTY : part_text(w, id, nonce)};
    if (nonce != DELETED)
        out->rows = (med_rows){.tokens = token,
                               .n_tokens = 1,
                               .codes = code,
                               .n_codes = 1,
                               .strings = name,
                               .n_strings = 1,
                               .dates = date,
                               .n_dates = 1,
                               .references = link,
                               .n_references = 1,
                               .targets = target,
                               .n_targets = 1,
                               .patients = &link->target,
                               .n_patients = 1,
                               .when = nonce};
    return med_store_prepare(s, a, out, err);
}

/* False when this writer should end. */
static bool write_group(struct writer *w)
{
    struct load *l = w->load;
    med_err err = {0};
    med_write parts[PARTS];
    unsigned group = (unsigned)roll(&w->seed, GROUPS);
    uint32_t nonce = roll(&w->seed, 10) == 0 ? DELETED : ++w->nonce;
    med_arena_reset(w->arena);
    for (unsigned part = 0; part < PARTS; part++) {
        if (!make_part(w, group, part, nonce, &parts[part], &err))
            return false;
    }
    med_commit c = {.writes = parts,
                    .n_writes = PARTS,
                    .check_references = true,
                    .trace = MED_STR("who did what"),
                    .state = MED_COMMIT_REFUSED};
    bool done = med_store_commit_wait(l->store, &c, &err);
    if (done && parts[0].outcome != MED_OUTCOME_WAS_ABSENT)
        l->acknowledge(l->arg, w->thread, group, nonce);
    if (done)
        return true;
    if (c.state == MED_COMMIT_UNKNOWN) {
        atomic_fetch_add(&l->unknown, 1);
    } else if (med_err_http_status(&err) == 507) {
        atomic_fetch_add(&l->full, 1);
        struct timespec pause = {0, 20000000};
        (void)nanosleep(&pause, NULL);
        return true;
    } else {
        atomic_fetch_add(&l->refused, 1);
    }
    return false;
}

static void *run_writer(void *arg)
{
    struct writer *w = arg;
    while (!atomic_load(&w->load->stop) && write_group(w)) {
    }
    return NULL;
}

bool load_run(struct load *l)
{
    struct writer writers[THREADS];
    pthread_t threads[THREADS];
    unsigned started = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.load = l,
                                     .thread = i,
                                     .seed = (l->seed + i + 1) * 0x9e3779b97f4a7c15U,
                                     .nonce = l->first_nonce,
                                     .arena = med_arena_new((size_t)16 << 20)};
        if (pthread_create(&threads[i], NULL, run_writer, &writers[i]) != 0)
            break;
        started++;
    }
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
        med_arena_free(writers[i].arena);
    }
    return started == THREADS;
}

void ledger_add(struct ledger *l, unsigned thread, unsigned group, uint32_t nonce)
{
    size_t n = l->n[thread][group];
    if (n < EVENTS) {
        l->event[thread][group][n] = nonce;
        l->n[thread][group]++;
        l->total++;
    }
}

/* ---- comparing ---- */

struct events {
    uint32_t event[EVENTS];
    size_t n;
};

static bool nonce_of(const med_stored *v, uint32_t *out)
{
    *out = DELETED;
    if (v->change == MED_DELETED)
        return true;
    size_t at = med_str_search(v->text, MED_STR("\"nonce\":"), 0);
    med_str rest = MED_STR_EMPTY;
    int64_t n = 0;
    if (!med_str_to_int64(med_str_cut(med_str_skip(v->text, at + 8), ',', &rest), &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool read_part(med_store *s, med_view *v, med_arena *a, unsigned thread, unsigned group,
                      unsigned part, struct events *out)
{
    med_err err = {0};
    med_rid rid = 0;
    med_str id = part_id(a, thread, group, part);
    out->n = 0;
    if (!med_view_rid(v, med_store_ident(s, MED_STR("Patient"), id), &rid, &err))
        return false;
    if (rid == 0)
        return true;
    med_history q = {.rid = rid,
                     .since = MED_TIME_MIN,
                     .until = MED_TIME_MAX,
                     .oldest_first = true,
                     .text = true,
                     .limit = EVENTS};
    med_stored *all = NULL;
    size_t n = 0;
    if (!med_view_history(v, a, &q, &all, &n, &err)) {
        (void)fprintf(stderr, "history: %s\n", err.text);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!nonce_of(&all[i], &out->event[i]) || all[i].version != i + 1)
            return false;
    }
    out->n = n;
    return true;
}

static bool same_events(const struct events *a, const struct events *b)
{
    return a->n == b->n && memcmp(a->event, b->event, a->n * sizeof a->event[0]) == 0;
}

static void compare_group(struct ledger *l, unsigned thread, unsigned group,
                          const struct events *found, struct findings *out)
{
    size_t n = l->n[thread][group];
    const uint32_t *acknowledged = l->event[thread][group];
    size_t same = 0;
    while (same < n && same < found->n && acknowledged[same] == found->event[same])
        same++;
    out->lost += n - same;
    if (found->n > same) {
        out->unacknowledged += found->n - same;
        out->foreign += found->n - same > 1 ? found->n - same - 1 : 0;
    }
    memcpy(l->event[thread][group], found->event, found->n * sizeof found->event[0]);
    l->n[thread][group] = found->n;
}

static void say_fault(void *arg, const char *kind, med_str where, const char *what)
{
    (void)arg;
    (void)fprintf(stderr, "verify: %s: %.*s: %s\n", kind, MED_STR_ARG(where), what);
}

static void compare_all(struct ledger *l, med_store *s, med_view *v, med_arena *a,
                        struct findings *out)
{
    static struct events part[PARTS];
    for (unsigned thread = 0; thread < THREADS; thread++) {
        for (unsigned group = 0; group < GROUPS; group++) {
            bool whole = true;
            for (unsigned p = 0; p < PARTS; p++) {
                med_arena_reset(a);
                whole = read_part(s, v, a, thread, group, p, &part[p]) && whole;
                whole = whole && same_events(&part[p], &part[0]);
            }
            if (!whole)
                out->torn++;
            compare_group(l, thread, group, &part[0], out);
        }
    }
}

void ledger_compare(struct ledger *l, med_store *s, bool verify, struct findings *out)
{
    med_err err = {0};
    med_arena *a = med_arena_new((size_t)1 << 30);
    med_view *v = med_store_view(s, 0, INT64_MAX, &err);
    if (a == NULL || v == NULL) {
        out->torn++;
        return;
    }
    compare_all(l, s, v, a, out);
    med_view_end(v);
    med_arena_free(a);
    med_verify check = {.fault = say_fault};
    if (verify && !med_store_verify(s, &check, &err)) {
        (void)fprintf(stderr, "verify: %s\n", err.text);
        out->faults++;
    }
    out->faults += check.faults;
}
