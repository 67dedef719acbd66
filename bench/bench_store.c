/* bench_store.c - how fast does the store alone take and give resources, beside append + sync?
 *
 *     build/bench/bench_store [DIRECTORY [RESOURCES [PHASE...]]]
 *
 * Fills a new store in DIRECTORY (default: a temporary one under /var/tmp) with RESOURCES
 * (default 200,000) made-up Observations of some 850 bytes and eight to nine index rows, then
 * measures durable writes and reads on it; PHASE (bundles, creates, reads) runs only those. One
 * thread prepares (packs, hashes), the commit thread writes. "cpu" is processor time of all threads
 * for each resource. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"

enum { PEOPLE_SHARE = 200, CODES = 500, TEXT = 2048, BATCH = 10000, BUNDLE = 200 };

struct bench {
    med_store *store;
    uint64_t random;
    uint32_t patient, observation;
    uint32_t code, category, status, subject, encounter, date, value;
    uint64_t people;
    uint64_t made; /* observations so far */
};

/* What one resource is made of; lives as long as its commit. */
struct material {
    char text[TEXT];
    char id[40], person[40], visit[40], code[24];
    med_token_row tokens[4];
    med_code_row codes[3];
    med_reference_row references[2];
    med_date_row date;
    med_quantity_row value;
    med_target_row targets[2];
    uint64_t patient;
};

static uint64_t next_random(struct bench *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return b->random;
}

static double now(void)
{
    return (double)med_monotonic(&med_clock_system) / 1e6;
}

static double cpu(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec)
           + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what, const med_err *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

/* The same number gives the same id; the digits look as random as a UUID's. */
static void name_id(char out[40], uint64_t kind, uint64_t number)
{
    med_hash_key key = {kind, 7};
    uint8_t h[16];
    med_siphash128(key, (med_str){(const char *)&number, sizeof number}, h);
    (void)snprintf(out, 40,
                   "%02x%02x%02x%02x-%02x%02x-4%01x%02x-a%01x%02x-%02x%02x%02x%02x%02x%02x", h[0],
                   h[1], h[2], h[3], h[4], h[5], h[6] & 15, h[7], h[8] & 15, h[9], h[10], h[11],
                   h[12], h[13], h[14], h[15]);
}

static med_str id_str(const char id[40])
{
    return (med_str){id, 36};
}

static void fill_text(struct bench *b, struct material *m, double value, int64_t day)
{
    (void)snprintf(
        m->text, sizeof m->text,
        "{\"resourceType\":\"Observation\",\"id\":\"%s\",\"meta\":{\"profile\":[\"http://hl7.org/"
        "fhir/"
        "StructureDefinition/"
        "vitalsigns\"]},\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"vital-signs\","
        "\"display\":\"vital-signs\"}]}],\"code\":{\"coding\":[{\"system\":\"http://"
        "loinc.org\",\"code\":"
        "\"%s\",\"display\":\"Measurement %s of something\"}],\"text\":\"Measurement %s of "
        "something\"},"
        "\"subject\":{\"reference\":\"Patient/%s\"},\"encounter\":{\"reference\":\"Encounter/%s\"},"
        "\"effectiveDateTime\":\"20%02u-%02u-%02uT%02u:%02u:%02u+01:00\",\"issued\":\"20%02u-%02u-%"
        "02uT%"
        "02u:%02u:%02u.%03u+01:00\",\"valueQuantity\":{\"value\":%.4f,\"unit\":\"mm[Hg]\","
        "\"system\":"
        "\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}}",
        m->id, m->code, m->code, m->code, m->person, m->visit, (unsigned)(day / 366 % 30),
        (unsigned)(day / 30 % 12 + 1), (unsigned)(day % 28 + 1), (unsigned)(next_random(b) % 24),
        (unsigned)(next_random(b) % 60), (unsigned)(next_random(b) % 60),
        (unsigned)(day / 366 % 30), (unsigned)(day / 30 % 12 + 1), (unsigned)(day % 28 + 1),
        (unsigned)(next_random(b) % 24), (unsigned)(next_random(b) % 60),
        (unsigned)(next_random(b) % 60), (unsigned)(next_random(b) % 1000), value);
}

static med_write make_observation(struct bench *b, struct material *m, uint64_t person)
{
    uint64_t visit = next_random(b) % (b->people * 8);
    double value = 50 + (double)(next_random(b) % 1000000) / 1e4;
    int64_t day = (int64_t)(next_random(b) % 11000);
    int64_t moment = day * INT64_C(86400000000) + (int64_t)(next_random(b) % 86400) * 1000000;
    name_id(m->id, 1, b->made++);
    name_id(m->person, 2, person);
    name_id(m->visit, 3, visit);
    (void)snprintf(m->code, sizeof m->code, "%d-%d", (int)(next_random(b) % CODES) + 1000, 4);
    fill_text(b, m, value, day);
    const med_store *s = b->store;
    med_str code = med_str_from(m->code);
    uint64_t hash = med_store_hash2(s, MED_STR("http://loinc.org"), '|', code);
    uint64_t category = med_store_hash(s, MED_STR("http://terminology.hl7.org/CodeSystem/"
                                                  "observation-category|vital-signs"));
    uint64_t status = med_store_hash(s, MED_STR("http://hl7.org/fhir/observation-status|final"));
    m->tokens[0] = (med_token_row){b->code, MED_ROW_GLOBAL | MED_ROW_PATIENT, hash};
    m->tokens[1] = (med_token_row){b->category, MED_ROW_PATIENT, category};
    m->tokens[2] = (med_token_row){b->status, 0, status};
    m->codes[0] = (med_code_row){hash, b->code, MED_STR("http://loinc.org"), code, MED_STR_EMPTY};
    m->patient = med_store_ident(s, MED_STR("Patient"), id_str(m->person));
    uint64_t encounter = med_store_ident(s, MED_STR("Encounter"), id_str(m->visit));
    m->references[0] = (med_reference_row){b->subject, m->patient};
    m->references[1] = (med_reference_row){b->encounter, encounter};
    m->date = (med_date_row){b->date, {moment, moment + 1000000}};
    m->value = (med_quantity_row){b->value, 4711, value, value, NULL, NULL};
    m->targets[0] =
        (med_target_row){b->patient, id_str(m->person), m->patient, MED_STR("Observation.subject")};
    return (med_write){.kind = MED_WRITE_PUT,
                       .type = b->observation,
                       .id = id_str(m->id),
                       .text = med_str_from(m->text),
                       .expect = MED_EXPECT_NEW,
                       .rows = {.tokens = m->tokens,
                                .n_tokens = 2,
                                .codes = m->codes,
                                .n_codes = 1,
                                .references = m->references,
                                .n_references = 2,
                                .dates = &m->date,
                                .n_dates = 1,
                                .quantities = &m->value,
                                .n_quantities = 1,
                                .targets = m->targets,
                                .n_targets = 1,
                                .patients = &m->patient,
                                .n_patients = 1,
                                .when = moment}};
}

static med_write make_patient(struct bench *b, struct material *m, uint64_t person)
{
    (void)b;
    name_id(m->id, 2, person);
    (void)snprintf(m->text, sizeof m->text,
                   "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"active\":true}", m->id);
    return (med_write){.kind = MED_WRITE_PUT,
                       .type = b->patient,
                       .id = id_str(m->id),
                       .text = med_str_from(m->text),
                       .rows.when = MED_TIME_MIN};
}

/* One commit in flight: its memory, and its place among the free ones. */
struct slot {
    med_commit commit;
    med_write *writes;
    struct material *material;
    med_arena *arena;
    struct flight *flight;
    struct slot *next;
    double started;
};

struct flight {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot *idle;
    size_t n_idle;
    double *latency;
    size_t n_latency, cap;
};

static void landed(med_commit *c)
{
    struct slot *slot = c->arg;
    struct flight *f = slot->flight;
    if (c->state != MED_COMMIT_DONE)
        die("a commit", &c->err);
    pthread_mutex_lock(&f->lock);
    if (f->n_latency < f->cap)
        f->latency[f->n_latency++] = now() - slot->started;
    slot->next = f->idle;
    f->idle = slot;
    f->n_idle++;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static struct slot *take_slot(struct flight *f)
{
    pthread_mutex_lock(&f->lock);
    while (f->idle == NULL)
        pthread_cond_wait(&f->changed, &f->lock);
    struct slot *slot = f->idle;
    f->idle = slot->next;
    f->n_idle--;
    pthread_mutex_unlock(&f->lock);
    return slot;
}

static void wait_for_all(struct flight *f, size_t n)
{
    pthread_mutex_lock(&f->lock);
    while (f->n_idle < n)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void submit(struct bench *b, struct slot *slot, size_t writes, bool bulk, bool check,
                   bool people)
{
    med_err err = {0};
    med_arena_reset(slot->arena);
    uint64_t person = next_random(b) % b->people;
    for (size_t i = 0; i < writes; i++) {
        if (writes == 1 || i % 97 == 0)
            person =
                next_random(b) % b->people; /* a bundle is about one person, a batch about many */
        slot->writes[i] = people ? make_patient(b, &slot->material[i], b->made++)
                                 : make_observation(b, &slot->material[i], person);
        if (!med_store_prepare(b->store, slot->arena, &slot->writes[i], &err))
            die("prepare", &err);
    }
    slot->commit = (med_commit){.writes = slot->writes,
                                .n_writes = writes,
                                .bulk = bulk,
                                .check_references = check,
                                .trace = MED_STR_EMPTY,
                                .done = landed,
                                .arg = slot};
    slot->started = now();
    if (!med_store_commit(b->store, &slot->commit, &err))
        die("commit", &err);
}

/* `waiters` commits of `writes` resources always wait, until `total` are made. */
static void run_writes(struct bench *b, const char *name, size_t waiters, size_t writes,
                       uint64_t total, bool bulk, bool people)
{
    struct flight f = {.lock = PTHREAD_MUTEX_INITIALIZER,
                       .changed = PTHREAD_COND_INITIALIZER,
                       .cap = total / writes + 1};
    f.latency = calloc(f.cap, sizeof *f.latency);
    struct slot *slots = calloc(waiters, sizeof *slots);
    for (size_t i = 0; i < waiters; i++) {
        slots[i].writes = calloc(writes, sizeof *slots[i].writes);
        slots[i].material = calloc(writes, sizeof *slots[i].material);
        slots[i].arena = med_arena_new((size_t)1 << 30);
        slots[i].flight = &f;
        slots[i].next = f.idle;
        f.idle = &slots[i];
    }
    f.n_idle = waiters;
    med_store_stats before;
    med_store_count(b->store, &before);
    double start = now();
    double start_cpu = cpu();
    for (uint64_t n = 0; n < total; n += writes)
        submit(b, take_slot(&f), writes, bulk, !bulk, people);
    wait_for_all(&f, waiters);
    double seconds = now() - start;
    double used = cpu() - start_cpu;
    med_store_stats after;
    med_store_count(b->store, &after);
    qsort(f.latency, f.n_latency, sizeof *f.latency, by_size);
    printf("%-28s %9.0f /s %8.1f us cpu %8.2f ms p50 %8.2f ms p99 %8.2f ms max %7.1f a group\n",
           name, (double)total / seconds, used * 1e6 / (double)total,
           f.latency[f.n_latency / 2] * 1e3, f.latency[f.n_latency * 99 / 100] * 1e3,
           f.latency[f.n_latency - 1] * 1e3,
           (double)(total) / (double)(after.groups - before.groups));
    for (size_t i = 0; i < waiters; i++) {
        free(slots[i].writes);
        free(slots[i].material);
        med_arena_free(slots[i].arena);
    }
    free(slots);
    free(f.latency);
    (void)fflush(stdout);
}

static void run_reads(struct bench *b, bool one_view)
{
    enum { READS = 300000, BATCHED = 100 };
    med_err err = {0};
    med_arena *a = med_arena_new((size_t)1 << 20);
    double start = now();
    double start_cpu = cpu();
    for (unsigned i = 0; i < READS;) {
        med_view *v = med_store_view(b->store, 0, med_monotonic(&med_clock_system) + 5000000, &err);
        for (unsigned k = 0; k < (one_view ? BATCHED : 1); k++, i++) {
            char id[40];
            name_id(id, 1, next_random(b) % b->made);
            med_stored stored;
            med_arena_reset(a);
            if (med_view_read(v, a, b->observation, id_str(id), &stored, &err) == MED_FAILED)
                die("read", &err);
        }
        med_view_end(v);
    }
    printf("%-28s %9.0f /s %8.1f us cpu\n", one_view ? "reads by id, 100 a view" : "reads by id",
           READS / (now() - start), (cpu() - start_cpu) * 1e6 / READS);
    med_arena_free(a);
}

/* What the disk can do: `group` records of 1 KB appended, then synced. */
static void run_reference(const char *directory, size_t group)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/reference", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *record = calloc(group, 1024);
    size_t rounds = 0;
    double start = now();
    while (now() - start < 0.5) {
        if (write(fd, record, group * 1024) < 0 || fdatasync(fd) != 0)
            break;
        rounds++;
    }
    double seconds = now() - start;
    printf("append + fdatasync of %-6zu %9.0f /s (%.3f ms)\n", group,
           (double)(rounds * group) / seconds, seconds * 1e3 / (double)rounds);
    (void)close(fd);
    (void)unlink(path);
    free(record);
}

static uint32_t name(struct bench *b, enum med_name_kind kind, const char *text)
{
    med_err err = {0};
    med_str s = med_str_from(text);
    uint32_t number = 0;
    if (!med_store_intern(b->store, kind, &s, 1, &number, &err))
        die("intern", &err);
    return number;
}

static void open_store(struct bench *b, const char *directory, const med_dictionary *dictionary)
{
    med_err err = {0};
    med_sqlite_options o = {.data = med_str_from(directory),
                            .create = true,
                            .cache_writer = (size_t)256 << 20,
                            .cache_reader = (size_t)64 << 20,
                            .dictionaries = dictionary,
                            .n_dictionaries = 1};
    b->store = med_sqlite_open(&o, &err);
    if (b->store == NULL)
        die("open", &err);
    b->patient = name(b, MED_NAME_TYPE, "Patient");
    b->observation = name(b, MED_NAME_TYPE, "Observation");
    b->code = name(b, MED_NAME_PARAM, "Observation.code");
    b->category = name(b, MED_NAME_PARAM, "Observation.category");
    b->status = name(b, MED_NAME_PARAM, "Observation.status");
    b->subject = name(b, MED_NAME_PARAM, "Observation.subject");
    b->encounter = name(b, MED_NAME_PARAM, "Observation.encounter");
    b->date = name(b, MED_NAME_PARAM, "Observation.date");
    b->value = name(b, MED_NAME_PARAM, "Observation.value-quantity");
}

/* One sample with other values serves as a dictionary. */
static med_str sample(struct bench *b)
{
    static struct material m;
    b->people = 1;
    (void)snprintf(m.code, sizeof m.code, "9999-4");
    name_id(m.id, 5, 1);
    name_id(m.person, 5, 2);
    name_id(m.visit, 5, 3);
    fill_text(b, &m, 1, 1);
    return med_str_from(m.text);
}

/* All phases, or those named behind the size. */
static bool wanted(int argc, char **argv, const char *phase)
{
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], phase) == 0)
            return true;
    }
    return argc <= 3;
}

int main(int argc, char **argv)
{
    char directory[4096] = "/var/tmp/medulla-bench-XXXXXX";
    if (argc > 1)
        (void)snprintf(directory, sizeof directory, "%s", argv[1]);
    else if (mkdtemp(directory) == NULL)
        return 1;
    uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
    (void)mkdir(directory, 0700);
    char data[4200];
    (void)snprintf(data, sizeof data, "%s/store", directory);
    struct bench b = {.random = 88172645463325252U};
    med_dictionary dictionary = {1, MED_STR("Observation"), sample(&b)};
    open_store(&b, data, &dictionary);
    b.people = total / PEOPLE_SHARE + 64;

    static const size_t groups[] = {1, 16, 64, 256};
    for (size_t i = 0; i < 4; i++)
        run_reference(directory, groups[i]);
    run_writes(&b, "patients", 4, 1000, (b.people + 999) / 1000 * 1000, true, true);
    b.made = 0;
    run_writes(&b, "bulk, batches of 10,000", 3, BATCH, total, true, false);
    if (wanted(argc, argv, "bundles")) {
        run_writes(&b, "bundles of 200, one", 1, BUNDLE, 10000, false, false);
        run_writes(&b, "bundles of 200, four", 4, BUNDLE, 20000, false, false);
        run_writes(&b, "bundles of 200, sixteen", 16, BUNDLE, 40000, false, false);
    }
    if (wanted(argc, argv, "creates")) {
        run_writes(&b, "creates, 1 waiting", 1, 1, 1500, false, false);
        run_writes(&b, "creates, 16 waiting", 16, 1, 10000, false, false);
        run_writes(&b, "creates, 64 waiting", 64, 1, 30000, false, false);
        run_writes(&b, "creates, 256 waiting", 256, 1, 30000, false, false);
    }
    if (wanted(argc, argv, "reads")) {
        run_reads(&b, false);
        run_reads(&b, true);
    }
    med_store_close(b.store);
    struct stat info;
    (void)snprintf(data, sizeof data, "%s/store/medulla.db", directory);
    if (stat(data, &info) == 0)
        printf("%-28s %9.0f bytes a resource\n", "size",
               (double)info.st_size / (double)(b.made + b.people));
    printf("the store stays in %s\n", directory);
    return 0;
}
