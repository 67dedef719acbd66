/* crash_kill.c - kill -9 at random moments, during checkpoints, and while a store is first made.
 *
 *     crash_kill DIRECTORY KILLS SEED            D01: writers killed after 20 to 150 ms
 *     crash_kill DIRECTORY KILLS SEED checkpoint D02: killed while a checkpoint runs
 *     crash_kill DIRECTORY KILLS SEED create     D02: killed while the store is made
 *
 * The writers run in a child that tells each acknowledged commit on a pipe. The page cache
 * survives a kill: this proves the logic; crash_power proves the syncs. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim_vfs.h"
#include "workload.h"

enum { WAL_BOUND = 256 << 10, FRESH_EVERY = 40, VERIFY_EVERY = 10 };
enum mode { AT_RANDOM, IN_CHECKPOINT, WHILE_CREATING };

struct ack {
    uint32_t thread, group, nonce;
};

struct kill_run {
    char data[1024];
    enum mode mode;
    uint64_t seed;
    struct ledger ledger;
    struct findings findings;
    double *recovery;
    size_t n_recovery;
    uint64_t in_checkpoint, acknowledged;
    atomic_bool *checkpointing; /* shared with the child */
};

static uint64_t roll(uint64_t *seed, uint64_t n)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (*seed >> 11) % n;
}

static double now(void)
{
    return (double)med_monotonic(&med_clock_system) / 1e6;
}

static void pause_for(uint64_t microseconds)
{
    struct timespec t = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
    (void)nanosleep(&t, NULL);
}

/* ---- the child ---- */

static atomic_bool *child_checkpointing;

static void note_checkpoint(enum shim_call call, bool main_file)
{
    (void)call;
    atomic_store(child_checkpointing, main_file);
    if (main_file)
        pause_for(200); /* makes a checkpoint long enough to be hit */
}

static void slow_down(enum shim_call call, bool main_file)
{
    (void)call;
    (void)main_file;
    pause_for(300);
}

static void tell(void *arg, unsigned thread, unsigned group, uint32_t nonce)
{
    struct ack ack = {thread, group, nonce};
    int fd = *(int *)arg;
    if (write(fd, &ack, sizeof ack) != (ssize_t)sizeof ack) /* whole: shorter than PIPE_BUF */
        _exit(3);
}

static void run_child(struct kill_run *r, int fd, uint32_t first_nonce)
{
    child_checkpointing = r->checkpointing;
    if (r->mode != AT_RANDOM) {
        (void)shim_register();
        shim_on_call(r->mode == IN_CHECKPOINT ? note_checkpoint : slow_down);
    }
    struct load load = {
        .seed = r->seed, .first_nonce = first_nonce, .acknowledge = tell, .arg = &fd};
    load.store = load_open(r->data, r->mode == AT_RANDOM ? NULL : SHIM_VFS_NAME, WAL_BOUND);
    if (load.store == NULL)
        _exit(2);
    (void)load_run(&load);
    _exit(1);
}

/* ---- the parent ---- */

static void remove_store(const char *data)
{
    static const char *const names[] = {"medulla.db", "medulla.db-wal", "medulla.db-shm",    "key",
                                        "key.new",    "lock",           "medulla.db-journal"};
    char path[1200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", data, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(data);
}

static void wait_for_moment(struct kill_run *r)
{
    if (r->mode == WHILE_CREATING) {
        pause_for(roll(&r->seed, 25000));
        return;
    }
    pause_for(20000 + roll(&r->seed, 130000));
    for (unsigned i = 0; r->mode == IN_CHECKPOINT && i < 20000; i++) {
        if (atomic_load(r->checkpointing))
            break;
        pause_for(50);
    }
    if (r->mode == IN_CHECKPOINT && atomic_load(r->checkpointing))
        r->in_checkpoint++;
    pause_for(r->mode == IN_CHECKPOINT ? roll(&r->seed, 500) : 0);
}

static bool run_and_kill(struct kill_run *r, uint32_t first_nonce)
{
    int fds[2];
    if (pipe(fds) != 0)
        return false;
    (void)fcntl(fds[1], F_SETPIPE_SZ, 1 << 20); /* nobody reads until the end */
    atomic_store(r->checkpointing, false);
    pid_t child = fork();
    if (child == 0) {
        (void)close(fds[0]);
        run_child(r, fds[1], first_nonce);
    }
    (void)close(fds[1]);
    wait_for_moment(r);
    (void)kill(child, SIGKILL);
    int status = 0;
    (void)waitpid(child, &status, 0);
    struct ack ack;
    while (read(fds[0], &ack, sizeof ack) == (ssize_t)sizeof ack) {
        ledger_add(&r->ledger, ack.thread, ack.group, ack.nonce);
        r->acknowledged++;
    }
    (void)close(fds[0]);
    if (WIFSIGNALED(status))
        return true;
    (void)fprintf(stderr, "the writers ended by themselves (%d)\n", WEXITSTATUS(status));
    return false;
}

static bool check(struct kill_run *r, bool verify)
{
    double start = now();
    med_store *s = load_open(r->data, NULL, WAL_BOUND);
    if (s == NULL) {
        r->findings.torn++;
        return false;
    }
    r->recovery[r->n_recovery++] = now() - start;
    ledger_compare(&r->ledger, s, verify, &r->findings);
    med_store_close(s);
    return !findings_bad(&r->findings);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static int report(struct kill_run *r, const char *row, unsigned kills, uint64_t seed)
{
    qsort(r->recovery, r->n_recovery, sizeof *r->recovery, by_size);
    double slowest = r->n_recovery == 0 ? 0 : r->recovery[r->n_recovery - 1];
    bool good = !findings_bad(&r->findings) && slowest < 2.0 && kills > 0;
    static const char *const names[] = {"kills", "kills while checkpointing",
                                        "kills while creating"};
    printf("%s %s %u %s", row, good ? "pass" : "fail", kills, names[r->mode]);
    if (r->mode == IN_CHECKPOINT)
        printf(" (%llu hit one)", (unsigned long long)r->in_checkpoint);
    printf(", %llu acknowledged, lost %llu, torn %llu, foreign %llu, faults %llu, durable but "
           "untold %llu, recovery p99 %.0f ms worst %.0f ms seed %llu\n",
           (unsigned long long)r->acknowledged, (unsigned long long)r->findings.lost,
           (unsigned long long)r->findings.torn, (unsigned long long)r->findings.foreign,
           (unsigned long long)r->findings.faults, (unsigned long long)r->findings.unacknowledged,
           r->n_recovery == 0 ? 0 : r->recovery[r->n_recovery * 99 / 100] * 1e3, slowest * 1e3,
           (unsigned long long)seed);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct kill_run r;
    if (argc < 4) {
        (void)fprintf(stderr, "usage: crash_kill DIRECTORY KILLS SEED [checkpoint | create]\n");
        return 2;
    }
    unsigned kills = (unsigned)strtoul(argv[2], NULL, 10);
    uint64_t seed = strtoull(argv[3], NULL, 10);
    med_str mode = med_str_from(argc > 4 ? argv[4] : NULL);
    r.mode = med_str_eqz(mode, "checkpoint") ? IN_CHECKPOINT
             : med_str_eqz(mode, "create")   ? WHILE_CREATING
                                             : AT_RANDOM;
    r.seed = seed * 0x9e3779b97f4a7c15U + 1;
    r.recovery = calloc(kills + 1, sizeof *r.recovery);
    r.checkpointing = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)snprintf(r.data, sizeof r.data, "%s/store", argv[1]);
    unsigned done = 0;
    for (bool good = true; good && done < kills; done++) {
        if (done % FRESH_EVERY == 0 || r.mode == WHILE_CREATING) {
            remove_store(r.data);
            r.ledger = (struct ledger){0};
        }
        good = run_and_kill(&r, (done + 1) * 100000) && check(&r, done % VERIFY_EVERY == 0);
        if (!good && !findings_bad(&r.findings))
            r.findings.torn++;
    }
    int code = report(&r, r.mode == AT_RANDOM ? "D01" : "D02", done, seed);
    if (code == 0)
        remove_store(r.data);
    free(r.recovery);
    return code;
}
