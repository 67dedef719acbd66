/* crash_fault.c - the n-th write, sync, truncation or read fails, for every n there is.
 *
 *     crash_fault DIRECTORY SEED [STRIDE]
 *
 * A script of commits, each with an idempotency key and an expectation, runs against a store
 * whose disk fails once (or from then on). What was not acknowledged is tried again as a client
 * would, after a restart where the store asks for one. At the end each resource must be there
 * exactly once: a second version is a duplicate, a missing one a false success. D06, D13. */
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim_vfs.h"
#include "workload.h"

enum { COMMITS = 24, WRITES = 3, WAL_BOUND = 96 << 10, TRIES = 8 };

struct fault {
    const char *name;
    enum shim_call call;
    int code;
    uint64_t times; /* after the first */
};

struct tally {
    uint64_t runs, fired, duplicates, false_successes, faults, stuck, unknown, refused;
};

struct script {
    char data[1024];
    med_store *store;
    med_arena *arena;
    bool acknowledged[COMMITS];
    struct tally *tally;
};

static void remove_store(const char *data)
{
    static const char *const names[] = {
        "medulla.db", "medulla.db-wal", "medulla.db-shm", "medulla.db-journal", "key", "lock"};
    char path[1200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", data, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(data);
}

static bool make_commit(struct script *s, unsigned i, med_write *writes, med_commit *c)
{
    med_err err = {0};
    med_arena_reset(s->arena);
    for (unsigned k = 0; k < WRITES; k++) {
        med_str id = med_arena_printf(s->arena, "c%u-%u", i, k);
        med_token_row *token = MED_TAKE(s->arena, 1, med_token_row);
        *token = (med_token_row){1, MED_ROW_GLOBAL, med_store_hash(s->store, id)};
        char filler[1500];
        for (size_t n = 0; n < sizeof filler; n++)
            filler[n] = (char)('a' + (n * n * (i + 7) + n * k) % 23);
        writes[k] = (med_write){.kind = MED_WRITE_PUT,
                                .type = 1,
                                .id = id,
                                .text = med_arena_printf(
                                    s->arena,
                                    "{\"resourceType\":\"Patient\",\"id\":\"%.*s\",\"x\":\"%.*s\"}",
                                    MED_STR_ARG(id), (int)sizeof filler, filler),
                                .expect = MED_EXPECT_NEW,
                                .rows = {.tokens = token, .n_tokens = 1, .when = MED_TIME_MIN}};
        if (!med_store_prepare(s->store, s->arena, &writes[k], &err))
            return false;
    }
    *c = (med_commit){.writes = writes,
                      .n_writes = WRITES,
                      .trace = MED_STR("who"),
                      .idempotency = i + 1,
                      .request_hash = i + 1};
    return true;
}

static bool reopen(struct script *s)
{
    med_store_close(s->store);
    s->store = load_open(s->data, SHIM_VFS_NAME, WAL_BOUND);
    return s->store != NULL;
}

static void heal(void)
{
    for (int call = 0; call < SHIM_CALLS; call++)
        shim_fail((enum shim_call)call, 0, 0, 0);
}

/* Tries until it is acknowledged. The fault is healed after the second try at the latest. */
static bool commit(struct script *s, unsigned i)
{
    for (unsigned n = 0; n < TRIES; n++) {
        med_err err = {0};
        med_write writes[WRITES];
        med_commit c;
        med_store_stats stats;
        if (n >= 2)
            heal();
        if (s->store == NULL && !reopen(s))
            continue;
        if (!make_commit(s, i, writes, &c))
            return false;
        s->acknowledged[i] = med_store_commit_wait(s->store, &c, &err);
        if (s->acknowledged[i])
            return true;
        s->tally->unknown += c.state == MED_COMMIT_UNKNOWN;
        s->tally->refused += c.state == MED_COMMIT_REFUSED;
        med_store_count(s->store, &stats);
        if (stats.failed && !reopen(s))
            continue;
        if (!stats.writable && !stats.failed)
            (void)usleep(300000); /* the disk was full: it resumes by itself */
    }
    return false;
}

static void check(struct script *s)
{
    med_err err = {0};
    shim_reset();
    med_store_close(s->store);
    s->store = load_open(s->data, NULL, WAL_BOUND);
    if (s->store == NULL) {
        s->tally->faults++;
        return;
    }
    med_arena_reset(s->arena);
    med_view *v = med_store_view(s->store, 0, INT64_MAX, &err);
    for (unsigned i = 0; i < COMMITS * WRITES; i++) {
        med_stored stored;
        med_str id = med_arena_printf(s->arena, "c%u-%u", i / WRITES, i % WRITES);
        switch (med_view_read(v, s->arena, 1, id, &stored, &err)) {
        case MED_FOUND:
            s->tally->duplicates += stored.version != 1;
            break;
        case MED_ABSENT:
            s->tally->false_successes += s->acknowledged[i / WRITES];
            break;
        case MED_FAILED:
            s->tally->faults++;
            break;
        }
    }
    med_view_end(v);
    med_verify verify = {0};
    if (!med_store_verify(s->store, &verify, &err))
        s->tally->faults++;
    s->tally->faults += verify.faults;
    med_store_close(s->store);
    s->store = NULL;
}

/* True when the fault fired: else n is beyond the last call. */
static bool run(struct script *s, const struct fault *f, uint64_t n)
{
    remove_store(s->data);
    shim_reset();
    shim_track(true); /* syncs need not reach the disk */
    s->store = NULL;
    memset(s->acknowledged, 0, sizeof s->acknowledged);
    shim_fail(f->call, n, f->times, f->code);
    s->tally->runs++;
    for (unsigned i = 0; i < COMMITS; i++)
        s->tally->stuck += !commit(s, i);
    med_store_close(s->store);
    s->store = NULL;
    bool fired = shim_count(f->call) >= n;
    s->tally->fired += fired;
    check(s);
    return fired;
}

int main(int argc, char **argv)
{
    static const struct fault faults[] = {
        {"write EIO", SHIM_WRITE, SQLITE_IOERR_WRITE, 0},
        {"write EIO from then on", SHIM_WRITE, SQLITE_IOERR_WRITE, 1000000},
        {"write ENOSPC", SHIM_WRITE, SQLITE_FULL, 0},
        {"write ENOSPC from then on", SHIM_WRITE, SQLITE_FULL, 1000000},
        {"sync EIO", SHIM_SYNC, SQLITE_IOERR_FSYNC, 0},
        {"sync EIO from then on", SHIM_SYNC, SQLITE_IOERR_FSYNC, 1000000},
        {"truncate EIO", SHIM_TRUNCATE, SQLITE_IOERR_TRUNCATE, 0},
        {"read EIO", SHIM_READ, SQLITE_IOERR_READ, 0},
    };
    if (argc < 3) {
        (void)fprintf(stderr, "usage: crash_fault DIRECTORY SEED [STRIDE]\n");
        return 2;
    }
    static struct script s;
    static struct tally t;
    uint64_t seed = strtoull(argv[2], NULL, 10);
    uint64_t stride = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    (void)snprintf(s.data, sizeof s.data, "%s/store", argv[1]);
    s.arena = med_arena_new((size_t)64 << 20);
    s.tally = &t;
    if (!shim_register())
        return 2;
    /* the store says on stderr what it could not do: that is what is asked for here */
    if (freopen("/dev/null", "w", stderr) == NULL)
        return 2;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint64_t n = 1 + (stride > 1 ? seed % stride : 0);
        while (run(&s, &faults[i], n))
            n += stride;
    }
    bool good = t.duplicates + t.false_successes + t.faults + t.stuck == 0 && t.fired > 20;
    printf("D06 %s %llu faults in %llu runs of %d commits: duplicates %llu, false successes %llu, "
           "damage %llu, never done %llu; answered unknown %llu, refused %llu seed %llu\n",
           good ? "pass" : "fail", (unsigned long long)t.fired, (unsigned long long)t.runs,
           (int)COMMITS, (unsigned long long)t.duplicates, (unsigned long long)t.false_successes,
           (unsigned long long)t.faults, (unsigned long long)t.stuck, (unsigned long long)t.unknown,
           (unsigned long long)t.refused, (unsigned long long)seed);
    med_arena_free(s.arena);
    remove_store(s.data);
    return good ? 0 : 1;
}
