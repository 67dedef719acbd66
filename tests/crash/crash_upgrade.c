/* crash_upgrade.c - kill -9 in the middle of an upgrade.
 *
 *     crash_upgrade DIRECTORY KILLS SEED           D10: the old format or the new one, whole
 *     crash_upgrade DIRECTORY KILLS SEED control   with steps that commit in between: must be seen
 *
 * A store full of history is brought two formats forward by a child that is killed at a random
 * moment: while it copies, while it changes, while it commits. What is then there is compared with
 * what was written, and the next upgrade must come to its end. A copy with its own name is whole.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim_vfs.h"
#include "store/sqlite/connection.h"
#include "workload.h"

enum { WAL_BOUND = 1 << 20, COMMITS = 1500, VERIFY_EVERY = 8, STEPS = 2 };

/* Each makes more pages than fit into one write, and what the second leaves can be counted. */
#define FIRST                                                                                      \
    "CREATE TABLE later AS SELECT rid, body, NULL AS n FROM resource;"                             \
    "CREATE TABLE later_version AS SELECT * FROM version;"                                         \
    "CREATE UNIQUE INDEX later_rid ON later (rid)"
#define SECOND "UPDATE later SET n = (SELECT count(*) FROM later_version v WHERE v.rid = later.rid)"
static const char *const steps[STEPS] = {FIRST, SECOND};
static const char *const leaky_steps[STEPS] = {FIRST "; COMMIT; BEGIN IMMEDIATE", SECOND};

#define NEVER UINT64_MAX
#define WHILE_COPYING (UINT64_MAX - 1)

static struct upgrades {
    char pristine[1024], data[1024], copy[1024], partial[1100];
    const char *const *steps;
    pthread_mutex_t lock; /* of the ledger */
    struct ledger ledger;
    struct load *load;
    struct findings findings;
    uint64_t seed, took; /* microseconds of an upgrade that nobody kills */
    unsigned old, newest;
    unsigned torn, cut_copies, stayed_old, became_new, ended;
} u = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t roll(uint64_t n)
{
    u.seed ^= u.seed << 13;
    u.seed ^= u.seed >> 7;
    u.seed ^= u.seed << 17;
    return (u.seed >> 11) % n;
}

static uint64_t now(void)
{
    return (uint64_t)med_monotonic(&med_clock_system);
}

static void pause_for(uint64_t microseconds)
{
    struct timespec t = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
    (void)nanosleep(&t, NULL);
}

static void slow_down(enum shim_call call, bool main_file)
{
    (void)main_file;
    pause_for(call == SHIM_SYNC ? 2000 : 20);
}

/* ---- files ---- */

static void remove_store(const char *data)
{
    static const char *const names[] = {"medulla.db", "medulla.db-wal", "medulla.db-shm", "key",
                                        "lock"};
    char path[1200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", data, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(data);
}

static bool copy_file(const char *from, const char *to, const char *name)
{
    char path[1200];
    char bytes[1 << 16];
    ssize_t n = -1;
    bool good = true;
    (void)snprintf(path, sizeof path, "%s/%s", from, name);
    int in = open(path, O_RDONLY);
    (void)snprintf(path, sizeof path, "%s/%s", to, name);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while (in >= 0 && out >= 0 && good && (n = read(in, bytes, sizeof bytes)) > 0)
        good = write(out, bytes, (size_t)n) == n;
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return good && n == 0;
}

static bool take_pristine(void)
{
    remove_store(u.data);
    remove_store(u.copy);
    remove_store(u.partial);
    return mkdir(u.data, 0700) == 0 && copy_file(u.pristine, u.data, "medulla.db")
           && copy_file(u.pristine, u.data, "key");
}

/* ---- the store that is upgraded ---- */

static void note_ack(void *arg, unsigned thread, unsigned group, uint32_t nonce)
{
    (void)arg;
    pthread_mutex_lock(&u.lock);
    ledger_add(&u.ledger, thread, group, nonce);
    if (u.ledger.total >= COMMITS)
        atomic_store(&u.load->stop, true);
    pthread_mutex_unlock(&u.lock);
}

static bool format_of(const char *data, unsigned *format)
{
    med_err err = {0};
    bool good = med_sqlite_format(med_str_from(data), format, &err);
    if (!good)
        (void)fprintf(stderr, "format: %s\n", err.text);
    return good;
}

static bool make_pristine(void)
{
    struct load load = {.seed = roll(UINT32_MAX), .first_nonce = 1, .acknowledge = note_ack};
    u.load = &load;
    load.store = load_open(u.pristine, NULL, WAL_BOUND);
    bool good = load.store != NULL && load_run(&load);
    med_store_close(load.store);
    u.newest = STEPS;
    good = good && format_of(u.pristine, &u.old);
    u.newest += u.old;
    return good;
}

/* ---- one upgrade ---- */

static bool upgrade(bool slow, med_err *err)
{
    med_sqlite_upgrade done;
    med_sqlite_options o = {.data = med_str_from(u.data),
                            .vfs = slow ? SHIM_VFS_NAME : NULL,
                            .further = u.steps,
                            .n_further = STEPS};
    return med_sqlite_upgrade_run(&o, med_str_from(u.copy), &done, err);
}

static void run_child(bool slow)
{
    med_err err = {0};
    if (slow)
        shim_on_call(slow_down);
    bool good = (!slow || shim_register()) && upgrade(slow, &err);
    if (!good)
        (void)fprintf(stderr, "upgrade: %s\n", err.text);
    _exit(good ? 0 : 1);
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* A copy is soon made: no random moment is sure to meet one. */
static void await_copy(pid_t child)
{
    siginfo_t ended = {0};
    while (!exists(u.partial)
           && waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) == 0
           && ended.si_pid == 0)
        pause_for(20);
}

/* Killed after that time, or as soon as there is a part of the copy. */
static bool run_and_kill(bool slow, uint64_t after)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        run_child(slow);
    if (after == WHILE_COPYING)
        await_copy(child);
    else if (after != NEVER)
        pause_for(after);
    if (after != NEVER)
        (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    u.ended += !WIFSIGNALED(status);
    return WIFSIGNALED(status) || WEXITSTATUS(status) == 0;
}

/* ---- what is there ---- */

static int64_t number(const char *data, const char *sql)
{
    char file[1200];
    struct connection c = {0};
    med_err err = {0};
    sqlite3_stmt *stmt = NULL;
    int64_t n = -1;
    (void)snprintf(file, sizeof file, "%s/medulla.db", data);
    if (med_connection_open(&c, file, NULL, CONNECTION_READER, 1 << 20, &err)
        && sqlite3_prepare_v2(c.db, sql, -1, &stmt, NULL) == SQLITE_OK
        && sqlite3_step(stmt) == SQLITE_ROW)
        n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    med_connection_close(&c);
    return n;
}

/* The new tables are all there, or there is nothing of them. */
static bool is_whole(unsigned format)
{
    static const char missing[] =
        "SELECT (SELECT count(*) FROM resource) - (SELECT count(n) FROM later)"
        " + (SELECT count(*) FROM version) - (SELECT count(*) FROM later_version)"
        " + (SELECT count(*) FROM version) - (SELECT sum(n) FROM later)";
    if (format == u.newest)
        return number(u.data, missing) == 0;
    return format == u.old
           && number(u.data, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'later%'") == 0;
}

static bool compare(const char *data, bool newer, bool verify)
{
    static struct ledger copy; /* comparing makes it what was found */
    copy = u.ledger;
    med_store *s =
        newer ? load_open_newer(data, WAL_BOUND, u.steps, STEPS) : load_open(data, NULL, WAL_BOUND);
    if (s == NULL)
        return false;
    ledger_compare(&copy, s, verify, &u.findings);
    med_store_close(s);
    return u.findings.unacknowledged == 0 && !findings_bad(&u.findings);
}

static bool check(bool verify)
{
    unsigned format = 0;
    med_err err = {0};
    if (!format_of(u.data, &format))
        return false;
    if (!is_whole(format)) {
        u.torn++;
        return false;
    }
    u.stayed_old += format == u.old;
    u.became_new += format == u.newest;
    u.cut_copies += exists(u.partial);
    bool copied = exists(u.copy);
    if (copied && !compare(u.copy, false, verify))
        return false;
    if (format == u.newest)
        return copied && compare(u.data, true, verify);
    if (!compare(u.data, false, false))
        return false;
    remove_store(u.copy); /* the next upgrade's has a name of its own */
    remove_store(u.partial);
    if (!upgrade(false, &err)) {
        (void)fprintf(stderr, "the next upgrade: %s\n", err.text);
        return false;
    }
    return format_of(u.data, &format) && format == u.newest && is_whole(format)
           && compare(u.data, true, verify);
}

static bool measure(bool slow)
{
    uint64_t start = now();
    bool good = take_pristine() && run_and_kill(slow, NEVER);
    u.took = now() - start;
    u.ended = 0;
    return good;
}

static int report(unsigned done, bool good, bool control, uint64_t seed)
{
    bool pass = done > 0 && (control ? u.torn > 0 : good);
    printf("D10%s %s %u kills in an upgrade: %u copies cut off, %u left the old format, %u the new "
           "one (%u ended before), %u neither, lost %llu, torn %llu, faults %llu seed %llu\n",
           control ? "-control (steps that commit, must be seen)" : "", pass ? "pass" : "fail",
           done, u.cut_copies, u.stayed_old, u.became_new, u.ended, u.torn,
           (unsigned long long)u.findings.lost, (unsigned long long)u.findings.torn,
           (unsigned long long)u.findings.faults, (unsigned long long)seed);
    return pass ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: crash_upgrade DIRECTORY KILLS SEED [control]\n");
        return 2;
    }
    unsigned kills = (unsigned)strtoul(argv[2], NULL, 10);
    uint64_t seed = strtoull(argv[3], NULL, 10);
    bool control = argc > 4;
    u.seed = seed * 0x9e3779b97f4a7c15U + 1;
    u.steps = control ? leaky_steps : steps;
    (void)snprintf(u.pristine, sizeof u.pristine, "%s/pristine", argv[1]);
    (void)snprintf(u.data, sizeof u.data, "%s/upgraded", argv[1]);
    (void)snprintf(u.copy, sizeof u.copy, "%s/copy", argv[1]);
    (void)snprintf(u.partial, sizeof u.partial, "%s.partial", u.copy);
    unsigned done = 0;
    bool good = make_pristine();
    for (; good && done < kills; done++) {
        bool slow = done >= kills / 4; /* its time is spent where the file is written */
        if (done == 0 || done == kills / 4)
            good = measure(slow);
        uint64_t moment = !slow && done % 2 == 1 ? WHILE_COPYING : roll(u.took + u.took / 20);
        good = good && take_pristine() && run_and_kill(slow, moment)
               && check(done % VERIFY_EVERY == 0);
    }
    if (!control && kills >= 20 && (u.cut_copies == 0 || u.became_new == 0))
        good = false; /* the moments were not spread over an upgrade */
    int code = report(done, good, control, seed);
    remove_store(u.pristine);
    (void)take_pristine();
    remove_store(u.data);
    return code;
}
