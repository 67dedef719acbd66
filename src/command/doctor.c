/* doctor.c - `medulla doctor`: what is wrong here, and the command that mends it. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "command/task.h"
#include "command/terminal.h"

enum { FREE_MIB = 1024, FILES_WANTED = 4096 };

typedef struct checkup {
    const med_arguments *args;
    med_str data;
    int faults;
} checkup;

static void good(const char *what, const char *fmt, const char *detail)
{
    printf("ok    %-18s ", what);
    printf("%s%s\n", fmt, detail);
}

/* One fault: what is wrong, and what mends it. */
static void bad(checkup *c, const char *what, const char *wrong, const char *mend)
{
    c->faults++;
    printf("FAULT %-18s %s\n      %-18s mend it with: %s\n", what, wrong, "", mend);
}

static void check_data(checkup *c)
{
    struct stat st;
    med_str mend =
        med_arena_printf(c->args->arena, "medulla serve --data %s --auth off", c->data.ptr);
    if (stat(c->data.ptr, &st) != 0)
        bad(c, "data directory", strerrordesc_np(errno), mend.ptr);
    else if (!S_ISDIR(st.st_mode))
        bad(c, "data directory", "it is no directory", "choose another with --data DIR");
    else if ((st.st_mode & 077) != 0)
        bad(c, "data directory", "other users may look into it",
            med_arena_printf(c->args->arena, "chmod 700 %s", c->data.ptr).ptr);
    else
        good("data directory", c->data.ptr, "");
}

static void check_space(checkup *c)
{
    struct statvfs v;
    if (statvfs(c->data.ptr, &v) != 0)
        return;
    uint64_t mib = (uint64_t)v.f_bavail * v.f_frsize >> 20;
    med_str text = med_arena_printf(c->args->arena, "%lu MiB free", (unsigned long)mib);
    if (mib < FREE_MIB)
        bad(c, "disk space", text.ptr,
            "free at least 1 GiB on that file system, or move the data directory");
    else
        good("disk space", text.ptr, "");
}

static void check_key(checkup *c)
{
    struct stat st;
    med_str path = med_arena_printf(c->args->arena, "%s/key", c->data.ptr);
    if (stat(path.ptr, &st) != 0)
        return; /* there is no store yet */
    if ((st.st_mode & 077) != 0)
        bad(c, "key", "other users may read it",
            med_arena_printf(c->args->arena, "chmod 600 %s", path.ptr).ptr);
    else
        good("key", path.ptr, "");
}

/* Why the store of a stopped server does not open. */
static void tell_closed(checkup *c, const med_err *err)
{
    if (err->issue == MED_ISSUE_NOT_FOUND)
        return; /* told with the data directory, or there is no store yet */
    bad(c, "store", err->text,
        err->issue == MED_ISSUE_NOT_SUPPORTED ? "a newer version of medulla: that one made it"
        : err->issue == MED_ISSUE_EXPIRED     ? "medulla upgrade, with the same settings"
        : err->issue == MED_ISSUE_LOCK_ERROR  ? "wait for that process, or stop it"
        : err->issue == MED_ISSUE_TRANSIENT   ? "what it says, at the database; then once more"
                                              : "medulla restore --data NEW-DIR BACKUP");
}

typedef struct ground {
    med_host *host;
    bool good;
} ground;

static void tell_finding(void *arg, const char *what, const char *text, const char *mend)
{
    ground *g = arg;
    bool good = mend[0] == '\0';
    g->good = g->good && good;
    med_host_sayf(g->host, "%s %-18s %s", good ? "ok   " : "FAULT", what, text);
    if (!good)
        med_host_sayf(g->host, "      %-18s mend it with: %s", "", mend);
}

/* What the store stands on: a database server. */
static bool tell_ground(med_task *t)
{
    med_err err = {0};
    ground g = {t->host, true};
    if (!med_store_check(t->app->store, tell_finding, &g, &err))
        tell_finding(&g, "database", err.text, "what it says, at the database; then once more");
    return g.good;
}

/* Runs where the store is open: here, or in its server. */
static enum med_exit task(med_task *t, med_err *err)
{
    med_store_stats s;
    (void)err;
    med_store_count(t->app->store, &s);
    bool told = tell_ground(t);
    if (s.failed || !s.writable || s.damaged > 0) {
        med_host_sayf(t->host, "FAULT %-18s %s", "store",
                      s.failed ? "an I/O error at a commit: it takes no writes"
                      : !s.writable
                          ? (s.why[0] != '\0' ? s.why : "the disk is full: it takes no writes")
                          : "stored versions were found damaged");
        med_host_sayf(t->host, "      %-18s mend it with: %s", "",
                      s.failed      ? "look at the disk, then start the server again"
                      : !s.writable ? (s.why[0] != '\0' ? "what it says; writing goes on by itself"
                                                        : "free space; writing goes on by itself")
                                    : "medulla verify tells which; restore from a backup");
        return MED_EXIT_PARTLY;
    }
    med_host_sayf(t->host, "ok    %-18s %lu resources, %lu versions, commit %ld, %lu MiB", "store",
                  (unsigned long)s.resources, (unsigned long)s.versions, (long)s.last_t,
                  (unsigned long)((s.bytes_database + s.bytes_wal) >> 20));
    if (t->app->serving)
        med_host_sayf(t->host, "ok    %-18s medulla %s, process %ld, %lu commits since its start",
                      "server", MED_VERSION, (long)getpid(), (unsigned long)s.commits);
    return told ? MED_EXIT_OK : MED_EXIT_PARTLY;
}

static void check_store(checkup *c)
{
    med_err err = {0};
    med_terminal terminal;
    med_message request;
    bool ok = med_terminal_init(&terminal, &err)
              && med_task_request(c->args, &med_command_doctor, &request, &err);
    if (!ok) {
        bad(c, "store", err.text, "a machine with more memory");
        return;
    }
    (void)fflush(stdout);
    enum med_exit code = med_task_try(c->args, &med_command_doctor, &request, &terminal.host, &err);
    c->faults += code == MED_EXIT_PARTLY;
    if (code != MED_EXIT_PARTLY && code != MED_EXIT_OK)
        tell_closed(c, &err);
    med_terminal_free(&terminal);
}

static void check_files(checkup *c)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    med_str text = med_arena_printf(c->args->arena, "%lu", (unsigned long)limit.rlim_max);
    if (limit.rlim_max < FILES_WANTED)
        bad(c, "open files", text.ptr,
            "raise it: ulimit -n 65536, or LimitNOFILE= in the service unit");
    else
        good("open files", text.ptr, "");
}

static enum med_exit run(const med_arguments *args)
{
    checkup c = {.args = args};
    if (!med_arena_copy(args->arena, med_config_text(args->config, "store.data"), &c.data))
        return med_command_fail(MED_EXIT_FAILED, "no memory");
    check_data(&c);
    check_space(&c);
    check_key(&c);
    check_store(&c);
    check_files(&c);
    if (c.faults > 0)
        printf("%d to mend\n", c.faults);
    return c.faults > 0 ? MED_EXIT_FAILED : MED_EXIT_OK;
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {"replica", "CONNINFO", "store.replica", "with PostgreSQL: a standby to look at, too"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_doctor = {
    .name = "doctor",
    .usage = "[--data DIR]",
    .summary = "tell what is wrong and the command that mends it",
    .examples = "  medulla doctor --data DIR\n",
    .options = options,
    .run = run,
    .task = task,
    .quick = true,
};
