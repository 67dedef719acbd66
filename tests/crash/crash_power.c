/* crash_power.c - power cuts: what was not synced is lost, half written, or torn.
 *
 *     crash_power DIRECTORY CUTS SEED           D03: nothing acknowledged may be lost
 *     crash_power DIRECTORY CUTS SEED control   the same with fsync taken out: must lose
 *
 * The disk is shim_vfs.c's. After each cut the store is opened from what that disk holds, with
 * the system's own VFS, compared with the ledger, and then the writers go on from there. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim_vfs.h"
#include "workload.h"

enum { WAL_BOUND = 128 << 10, FRESH_EVERY = 25, CALLS = 1500 };

static struct power {
    char data[1024], next[1024];
    struct ledger ledger;
    struct findings findings;
    pthread_mutex_t lock; /* of the ledger */
    uint64_t seed, acknowledged;
    _Atomic int64_t calls_left;
    uint64_t cut_seed;
    atomic_bool cut_good;
    uint64_t in_checkpoint;
} p = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t roll(uint64_t n)
{
    p.seed ^= p.seed << 13;
    p.seed ^= p.seed >> 7;
    p.seed ^= p.seed << 17;
    return (p.seed >> 11) % n;
}

static void cut_when_due(enum shim_call call, bool main_file)
{
    (void)call;
    if (atomic_fetch_sub(&p.calls_left, 1) == 1) {
        p.in_checkpoint += main_file;
        atomic_store(&p.cut_good, shim_cut(p.cut_seed, p.next));
    }
}

static void note_ack(void *arg, unsigned thread, unsigned group, uint32_t nonce)
{
    (void)arg;
    pthread_mutex_lock(&p.lock);
    ledger_add(&p.ledger, thread, group, nonce);
    p.acknowledged++;
    pthread_mutex_unlock(&p.lock);
}

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

/* The key was synced by its own code when the store was made; the VFS never sees it. */
static bool carry_key(void)
{
    char from[1200];
    char to[1200];
    char text[4096];
    (void)snprintf(from, sizeof from, "%s/key", p.data);
    (void)snprintf(to, sizeof to, "%s/key", p.next);
    int in = open(from, O_RDONLY);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t n = in < 0 ? -1 : read(in, text, sizeof text);
    bool good = n > 0 && out >= 0 && write(out, text, (size_t)n) == n;
    (void)close(in);
    (void)close(out);
    return good;
}

/* Writes until the power goes. */
static bool run_until_cut(unsigned cut, bool control)
{
    shim_reset();
    shim_track(true);
    (void)mkdir(p.next, 0700);
    med_store *s = load_open(p.data, SHIM_VFS_NAME, WAL_BOUND);
    if (s == NULL)
        return false;
    shim_ignore_syncs(control);
    p.cut_seed = roll(UINT64_MAX >> 11);
    atomic_store(&p.calls_left, 1 + (int64_t)roll(CALLS));
    shim_on_call(cut_when_due);
    struct load load = {.store = s,
                        .seed = roll(UINT64_MAX >> 11),
                        .first_nonce = (cut + 1) * 100000,
                        .acknowledge = note_ack};
    (void)load_run(&load);
    shim_on_call(NULL);
    med_store_close(s);
    return atomic_load(&p.cut_good) && carry_key();
}

/* Takes what the disk held as the store to go on with. */
static bool check(unsigned cut)
{
    remove_store(p.data);
    if (rename(p.next, p.data) != 0)
        return false;
    med_store *s = load_open(p.data, NULL, WAL_BOUND);
    if (s == NULL) {
        p.findings.torn++;
        return true;
    }
    ledger_compare(&p.ledger, s, cut % 4 == 0, &p.findings);
    med_store_close(s);
    return true;
}

/* A store that is whole before any power can go. */
static bool start_anew(void)
{
    remove_store(p.data);
    p.ledger = (struct ledger){0};
    med_store *s = load_open(p.data, NULL, WAL_BOUND);
    med_store_close(s);
    return s != NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: crash_power DIRECTORY CUTS SEED [control]\n");
        return 2;
    }
    unsigned cuts = (unsigned)strtoul(argv[2], NULL, 10);
    uint64_t seed = strtoull(argv[3], NULL, 10);
    bool control = argc > 4;
    (void)snprintf(p.data, sizeof p.data, "%s/store", argv[1]);
    (void)snprintf(p.next, sizeof p.next, "%s/next", argv[1]);
    p.seed = seed * 0x9e3779b97f4a7c15U + 1;
    if (!shim_register())
        return 2;
    unsigned done = 0;
    bool ran = true;
    for (; ran && done < cuts && !findings_bad(&p.findings); done++) {
        if (done % FRESH_EVERY == 0)
            ran = start_anew();
        ran = ran && run_until_cut(done, control) && check(done);
    }
    bool lost = findings_bad(&p.findings);
    bool good = ran && done > 0 && p.acknowledged > 0 && lost == control;
    printf(
        "D03%s %s %u power cuts (%llu in a checkpoint), %llu acknowledged, lost %llu, torn %llu, "
        "foreign %llu, faults %llu seed %llu\n",
        control ? "-control (fsync taken out, must lose)" : "", good ? "pass" : "fail", done,
        (unsigned long long)p.in_checkpoint, (unsigned long long)p.acknowledged,
        (unsigned long long)p.findings.lost, (unsigned long long)p.findings.torn,
        (unsigned long long)p.findings.foreign, (unsigned long long)p.findings.faults,
        (unsigned long long)seed);
    shim_reset();
    if (good) {
        remove_store(p.data);
        remove_store(p.next);
    }
    return good ? 0 : 1;
}
