/* crash_full.c - a real filesystem runs full while writing, and gets room again.
 *
 *     crash_full DIRECTORY CYCLES SEED     DIRECTORY is on a filesystem of some 16 MiB
 *
 * D07: writes are refused with 507, reads go on, writing resumes by itself within 5 s of the
 * room, and nothing acknowledged is lost. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.h"

enum { WAL_BOUND = 1 << 20, FILLER = 5 << 20 };

static struct full {
    char data[1024], filler[1100];
    struct ledger ledger;
    struct findings findings;
    pthread_mutex_t lock;
    uint64_t acknowledged, refused, read_failures, stuck;
    double slowest;
} f = {.lock = PTHREAD_MUTEX_INITIALIZER};

static double now(void)
{
    return (double)med_monotonic(&med_clock_system) / 1e6;
}

static void note_ack(void *arg, unsigned thread, unsigned group, uint32_t nonce)
{
    (void)arg;
    pthread_mutex_lock(&f.lock);
    ledger_add(&f.ledger, thread, group, nonce);
    f.acknowledged++;
    pthread_mutex_unlock(&f.lock);
}

static uint64_t acknowledged(void)
{
    pthread_mutex_lock(&f.lock);
    uint64_t n = f.acknowledged;
    pthread_mutex_unlock(&f.lock);
    return n;
}

static bool make_filler(void)
{
    int fd = open(f.filler, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool good = fd >= 0 && posix_fallocate(fd, 0, FILLER) == 0 && fsync(fd) == 0;
    (void)close(fd);
    return good;
}

static void remove_store(void)
{
    static const char *const names[] = {"medulla.db", "medulla.db-wal", "medulla.db-shm", "key",
                                        "lock"};
    char path[1200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f.data, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(f.data);
    (void)unlink(f.filler);
}

static void pause_for(long milliseconds)
{
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

static void try_reading(med_store *s)
{
    med_err err = {0};
    med_arena *a = med_arena_new(1 << 20);
    med_view *v = med_store_view(s, 0, med_monotonic(&med_clock_system) + 2000000, &err);
    med_stored stored;
    if (v == NULL || med_view_read(v, a, 1, MED_STR("t0-g0-p0"), &stored, &err) == MED_FAILED)
        f.read_failures++;
    med_view_end(v);
    med_arena_free(a);
}

static void *run_load(void *load)
{
    (void)load_run(load);
    return NULL;
}

/* Fills the disk, frees it, and sees writing go on. */
static bool watch(struct load *load)
{
    double start = now();
    while (atomic_load(&load->full) == 0) {
        if (now() - start > 60 || atomic_load(&load->unknown) + atomic_load(&load->refused) > 0)
            return false;
        pause_for(5);
    }
    for (int i = 0; i < 50; i++) {
        try_reading(load->store);
        pause_for(5);
    }
    uint64_t before = acknowledged();
    start = now();
    (void)unlink(f.filler);
    while (acknowledged() == before && now() - start < 30)
        pause_for(5);
    double seconds = now() - start;
    f.slowest = seconds > f.slowest ? seconds : f.slowest;
    f.stuck += seconds >= 5;
    pause_for(100);
    return true;
}

static bool cycle(uint64_t seed)
{
    remove_store();
    f.ledger = (struct ledger){0};
    if (!make_filler())
        return false;
    struct load load = {.seed = seed, .first_nonce = 1, .acknowledge = note_ack};
    load.store = load_open(f.data, NULL, WAL_BOUND);
    pthread_t thread;
    if (load.store == NULL || pthread_create(&thread, NULL, run_load, &load) != 0)
        return false;
    bool good = watch(&load);
    atomic_store(&load.stop, true);
    (void)pthread_join(thread, NULL);
    f.refused += load.full;
    med_store_close(load.store);
    load.store = load_open(f.data, NULL, WAL_BOUND);
    if (load.store == NULL)
        return false;
    ledger_compare(&f.ledger, load.store, true, &f.findings);
    med_store_close(load.store);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: crash_full DIRECTORY CYCLES SEED\n");
        return 2;
    }
    unsigned cycles = (unsigned)strtoul(argv[2], NULL, 10);
    uint64_t seed = strtoull(argv[3], NULL, 10);
    (void)snprintf(f.data, sizeof f.data, "%s/store", argv[1]);
    (void)snprintf(f.filler, sizeof f.filler, "%s/filler", argv[1]);
    unsigned done = 0;
    while (done < cycles && cycle(seed + done) && !findings_bad(&f.findings))
        done++;
    bool good = done == cycles && f.read_failures + f.stuck == 0 && f.refused > 0;
    printf("D07 %s %u full disks, %llu acknowledged, %llu refused with 507, lost %llu, torn %llu, "
           "faults %llu, failed reads %llu, slowest resumption %.2f s seed %llu\n",
           good ? "pass" : "fail", done, (unsigned long long)f.acknowledged,
           (unsigned long long)f.refused, (unsigned long long)f.findings.lost,
           (unsigned long long)f.findings.torn, (unsigned long long)f.findings.faults,
           (unsigned long long)f.read_failures, f.slowest, (unsigned long long)seed);
    remove_store();
    return good ? 0 : 1;
}
