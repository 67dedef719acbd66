#include "kit.h"

#include "../database.h"

#include <ftw.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t kit_now(void *self)
{
    return med_now(&med_clock_system) + ((struct kit *)self)->skew;
}

static int64_t kit_monotonic(void *self)
{
    struct kit *k = self;
    return med_monotonic(&med_clock_system) + atomic_fetch_add(&k->looks, k->look);
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
    (void)info;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static uint32_t name(struct kit *k, enum med_name_kind kind, const char *text)
{
    med_err err = {0};
    med_str s = med_str_from(text);
    uint32_t number = 0;
    if (!med_store_intern(k->store, kind, &s, 1, &number, &err))
        fail_msg("%s", err.text);
    return number;
}

med_store *kit_try_open(struct kit *k, med_err *err)
{
    *err = (med_err){0};
    if (!k->postgres)
        return med_sqlite_open(&k->options, err);
    const med_postgres_options options = {.conninfo = med_str_from(k->database),
                                          .keys = k->options.data,
                                          .create = k->options.create,
                                          .readers = k->options.readers,
                                          .clock = k->options.clock,
                                          .random = k->options.random,
                                          .log = k->options.log,
                                          .dictionaries = k->options.dictionaries,
                                          .n_dictionaries = k->options.n_dictionaries,
                                          .queue_limit = k->options.queue_limit};
    return med_postgres_open(&options, err);
}

void kit_open(struct kit *k)
{
    med_err err = {0};
    k->store = kit_try_open(k, &err);
    if (k->store == NULL)
        fail_msg("%s", err.text);
    k->patient = name(k, MED_NAME_TYPE, "Patient");
    k->observation = name(k, MED_NAME_TYPE, "Observation");
    k->code = name(k, MED_NAME_PARAM, "Observation.code");
    k->subject = name(k, MED_NAME_PARAM, "Observation.subject");
    k->date = name(k, MED_NAME_PARAM, "Observation.date");
    k->value = name(k, MED_NAME_PARAM, "Observation.value-quantity");
    k->name = name(k, MED_NAME_PARAM, "Patient.name");
    k->url = name(k, MED_NAME_PARAM, "Patient.url");
    k->identifier = name(k, MED_NAME_PARAM, "Patient.identifier");
}

void kit_close(struct kit *k)
{
    med_store_close(k->store);
    k->store = NULL;
}

void kit_reopen(struct kit *k)
{
    kit_close(k);
    kit_open(k);
}

void kit_sql(struct kit *k, const char *sql)
{
    char whole[1000];
    (void)snprintf(whole, sizeof whole, "SET search_path = medulla; %s", sql);
    test_database_run(k->database, whole);
}

int kit_setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    (void)snprintf(k->dir, sizeof k->dir, "/tmp/medulla-test-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    (void)snprintf(k->path, sizeof k->path, "%s/store", k->dir);
    k->clock = (med_clock){kit_now, kit_monotonic, k};
    k->options = (med_sqlite_options){.data = med_str_from(k->path),
                                      .create = true,
                                      .clock = &k->clock,
                                      .cache_writer = 4 << 20,
                                      .deferred = 40};
    k->arena = med_arena_new((size_t)1 << 30);
    k->postgres = test_store_is_postgres();
    if (k->postgres)
        test_database_make(k->dir, k->database);
    kit_open(k);
    *state = k;
    return 0;
}

int kit_teardown(void **state)
{
    struct kit *k = *state;
    kit_close(k);
    med_arena_free(k->arena);
    if (k->postgres)
        test_database_drop(k->dir);
    (void)nftw(k->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(k);
    return 0;
}

static const char *type_name(const struct kit *k, uint32_t type)
{
    return type == k->patient ? "Patient" : "Observation";
}

med_str kit_text(struct kit *k, uint32_t type, const char *id, const char *note)
{
    return med_arena_printf(k->arena, "{\"resourceType\":\"%s\",\"id\":\"%s\",\"note\":\"%s\"}",
                            type_name(k, type), id, note);
}

void kit_prepare(struct kit *k, med_write *w)
{
    med_err err = {0};
    if (!med_store_prepare(k->store, k->arena, w, &err))
        fail_msg("%s", err.text);
}

med_write kit_put(struct kit *k, uint32_t type, const char *id, const char *note)
{
    med_write w = {.kind = MED_WRITE_PUT,
                   .type = type,
                   .id = med_str_from(id),
                   .text = kit_text(k, type, id, note),
                   .rows.when = MED_TIME_MIN};
    kit_prepare(k, &w);
    return w;
}

uint64_t kit_hash(struct kit *k, const char *value)
{
    return med_store_hash(k->store, med_str_from(value));
}

#define TAKE_ROW(k, type, ...)                                                                     \
    (memcpy(MED_TAKE((k)->arena, 1, type), &(type){__VA_ARGS__}, sizeof(type)))

med_write kit_observation(struct kit *k, const char *id, const char *note, const char *patient,
                          const char *code, int64_t when, double value)
{
    uint64_t ident = med_store_ident(k->store, MED_STR("Patient"), med_str_from(patient));
    uint64_t hash = kit_hash(k, code);
    med_rows rows = {
        .tokens = TAKE_ROW(k, med_token_row, k->code, MED_ROW_GLOBAL | MED_ROW_PATIENT, hash),
        .n_tokens = 1,
        .codes = TAKE_ROW(k, med_code_row, hash, k->code, MED_STR("http://loinc.org"),
                          med_str_from(code), MED_STR("heart rate")),
        .n_codes = 1,
        .references = TAKE_ROW(k, med_reference_row, k->subject, ident),
        .n_references = 1,
        .dates = TAKE_ROW(k, med_date_row, k->date, {when, when + 1000000}),
        .n_dates = 1,
        .strings = TAKE_ROW(k, med_string_row, k->name, med_str_from(note)),
        .n_strings = 1,
        .quantities = TAKE_ROW(k, med_quantity_row, k->value, 77, value, value, NULL, NULL),
        .n_quantities = 1,
        .uris = TAKE_ROW(k, med_uri_row, k->url, med_str_from(code)),
        .n_uris = 1,
        .targets = TAKE_ROW(k, med_target_row, k->patient, med_str_from(patient), ident,
                            MED_STR("Observation.subject")),
        .n_targets = 1,
        .patients = TAKE_ROW(k, uint64_t, ident),
        .n_patients = 1,
        .when = when,
    };
    med_write w = {.kind = MED_WRITE_PUT,
                   .type = k->observation,
                   .id = med_str_from(id),
                   .text = kit_text(k, k->observation, id, note),
                   .rows = rows};
    kit_prepare(k, &w);
    return w;
}

med_write kit_delete(struct kit *k, enum med_write_kind kind, uint32_t type, const char *id)
{
    med_write w = {.kind = kind, .type = type, .id = med_str_from(id), .text = MED_STR_EMPTY};
    kit_prepare(k, &w);
    return w;
}

enum med_commit_state kit_commit(struct kit *k, med_commit *c)
{
    med_err err = {0};
    if (c->trace.ptr == NULL)
        c->trace = MED_STR_EMPTY;
    c->state = MED_COMMIT_REFUSED; /* also when the queue does not take it */
    if (!med_store_commit_wait(k->store, c, &err))
        c->err = err;
    return c->state;
}

enum med_commit_state kit_commit_one(struct kit *k, med_write *w)
{
    med_commit c = {.writes = w, .n_writes = 1};
    return kit_commit(k, &c);
}

static void count_done(med_commit *c)
{
    (void)sem_post(c->arg);
}

void kit_commit_group(struct kit *k, med_commit *commits, size_t n)
{
    med_err err = {0};
    sem_t done;
    (void)sem_init(&done, 0, 0);
    for (size_t i = 0; i < n; i++) {
        commits[i].trace = MED_STR_EMPTY;
        commits[i].done = count_done;
        commits[i].arg = &done;
        commits[i].next = i + 1 < n ? &commits[i + 1] : NULL;
    }
    if (!med_store_commit_all(k->store, commits, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n; i++)
        (void)sem_wait(&done);
    (void)sem_destroy(&done);
}

med_view *kit_view(struct kit *k)
{
    med_err err = {0};
    med_view *v = med_store_view(k->store, 0, med_monotonic(&med_clock_system) + 600000000, &err);
    if (v == NULL)
        fail_msg("%s", err.text);
    return v;
}

med_str kit_note(struct kit *k, uint32_t type, const char *id)
{
    med_view *v = kit_view(k);
    med_stored stored;
    med_err err = {0};
    enum med_found found = med_view_read(v, k->arena, type, med_str_from(id), &stored, &err);
    med_view_end(v);
    if (found == MED_FAILED)
        fail_msg("%s", err.text);
    if (found == MED_ABSENT)
        return MED_STR_EMPTY;
    if (stored.change == MED_DELETED)
        return MED_STR("-");
    size_t at = med_str_search(stored.text, MED_STR("\"note\":\""), 0) + 8;
    return med_str_sub(stored.text, at, stored.text.len - 2);
}

size_t kit_scan(struct kit *k, const med_scan *scan, med_rid *rids, size_t max)
{
    med_view *v = kit_view(k);
    med_err err = {0};
    med_scan q = *scan;
    if (q.low_text.ptr == NULL)
        q.low_text = MED_STR_EMPTY;
    if (q.high_text.ptr == NULL)
        q.high_text = MED_STR_EMPTY;
    med_cursor *c = med_view_scan(v, &q, &err);
    if (c == NULL)
        fail_msg("%s", err.text);
    size_t n = 0;
    med_hit hit;
    enum med_found found = MED_FOUND;
    while ((found = med_cursor_next(c, &hit, &err)) == MED_FOUND) {
        if (n < max)
            rids[n] = hit.rid;
        n++;
    }
    if (found == MED_FAILED)
        fail_msg("%s", err.text);
    med_cursor_close(c);
    med_view_end(v);
    return n;
}

med_rid kit_rid(struct kit *k, const char *type, const char *id)
{
    med_view *v = kit_view(k);
    med_err err = {0};
    med_rid rid = 0;
    assert_true(med_view_rid(v, med_store_ident(k->store, med_str_from(type), med_str_from(id)),
                             &rid, &err));
    med_view_end(v);
    return rid;
}

void kit_write_many(struct kit *k, const char *note)
{
    enum { MANY = 1100 };
    static med_write w[MANY];
    for (int i = 0; i < MANY; i++) {
        med_str id = med_arena_printf(k->arena, "o%d", i);
        w[i] = kit_observation(k, id.ptr, note, "p", i % 2 == 0 ? "c|even" : "c|odd",
                               INT64_C(1000000) * i, i);
    }
    med_commit c = {.writes = w, .n_writes = MANY, .bulk = true};
    if (kit_commit(k, &c) != MED_COMMIT_DONE)
        fail_msg("%s", c.err.text);
}
