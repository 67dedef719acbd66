/* move.c - `medulla move --from STORE --to STORE`: all of a store into one of another kind. */
#include <stdio.h>

#include "command/task.h"
#include "command/terminal.h"
#include "mover.h"

typedef struct moving {
    const med_arguments *args;
    med_terminal terminal;
    med_app from, to;
    bool from_open, to_open;
} moving;

static bool set(const med_arguments *args, const char *key, med_str value, const char *option,
                med_err *err)
{
    return med_config_set(args->config, med_str_from(key), value, MED_FROM_FLAG,
                          med_str_from(option), err);
}

/* "sqlite:DIR", or "postgres:CONNINFO" with its key in --data DIR. */
static bool name_store(const med_arguments *args, med_str url, med_str data, const char *option,
                       med_err *err)
{
    med_str sqlite = MED_STR("sqlite:");
    if (med_str_starts(url, sqlite) && url.len > sqlite.len)
        return set(args, "store.url", MED_STR("sqlite"), option, err)
               && set(args, "store.data", med_str_skip(url, sqlite.len), option, err);
    if (!med_str_starts(url, MED_STR("postgres")))
        return MED_FAIL(err, MED_ISSUE_INVALID, "%s is sqlite:DIR or postgres:CONNINFO", option);
    return set(args, "store.url", url, option, err) && set(args, "store.data", data, option, err);
}

static bool open_both(moving *m, med_str from, med_str to, med_err *err)
{
    const med_arguments *a = m->args;
    med_str data;
    if (!med_arena_copy(a->arena, med_config_text(a->config, "store.data"), &data))
        return MED_FAIL_MEMORY(err);
    m->from_open = name_store(a, from, data, "--from", err)
                   && med_app_open(&m->from, a->arena, a->config, false, err);
    m->to_open = m->from_open && name_store(a, to, data, "--to", err)
                 && med_app_open(&m->to, a->arena, a->config, true, err);
    return m->to_open;
}

static bool show(void *arg, uint64_t done, uint64_t total)
{
    return med_task_progress(arg, done, total);
}

static void fault(void *arg, const char *kind, med_str where, const char *what)
{
    med_host_sayf(arg, "%s: %.*s: %s", kind, MED_STR_ARG(where), what);
}

/* med_verify's arguments: what extracts, and who is told. */
typedef struct checking {
    med_search_verify search; /* first: it is what `extract` is called with */
    med_host *host;
} checking;

static void fault_of(void *arg, const char *kind, med_str where, const char *what)
{
    const checking *c = arg;
    fault(c->host, kind, where, what);
}

static bool show_of(void *arg, uint64_t done, uint64_t total)
{
    const checking *c = arg;
    return show(c->host, done, total);
}

/* Hashes and index rows of what has come out. */
static bool verify(moving *m, med_err *err)
{
    med_host *host = &m->terminal.host;
    checking c = {.search = {m->to.fhir.schema, m->to.fhir.base}, .host = host};
    med_verify v = {.extract = med_search_extract_for_verify,
                    .fault = fault_of,
                    .progress = show_of,
                    .arg = &c};
    host->begin(host, "verifying", "versions");
    bool good = med_store_verify(m->to.store, &v, err);
    host->end(host, v.versions, v.faults);
    return good
           && (v.faults == 0
               || MED_FAIL(err, MED_ISSUE_EXCEPTION, "%lu faults in what was moved",
                           (unsigned long)v.faults));
}

static bool move(moving *m, med_err *err)
{
    med_host *host = &m->terminal.host;
    med_mover mover = {.from = &m->from, .to = &m->to, .progress = show, .arg = host};
    host->begin(host, "moving", "versions");
    bool good = med_mover_copy(&mover, err);
    host->end(host, mover.before + mover.versions, 0);
    if (!good)
        return false;
    uint64_t moved = mover.versions;
    if (mover.before > 0)
        med_host_sayf(host, "%lu versions were there already", (unsigned long)mover.before);
    host->begin(host, "comparing", "versions");
    good = med_mover_compare(&mover, err);
    host->end(host, mover.versions, 0);
    if (!good || !verify(m, err))
        return false;
    med_host_sayf(host,
                  "%lu versions moved; all %lu are the same in both stores, in the same order",
                  (unsigned long)moved, (unsigned long)mover.versions);
    return true;
}

static enum med_exit tell(const med_err *err)
{
    bool unsafe = err->issue == MED_ISSUE_LOCK_ERROR || err->issue == MED_ISSUE_NOT_SUPPORTED
                  || err->issue == MED_ISSUE_EXPIRED;
    return med_command_fail(unsafe ? MED_EXIT_REFUSED : MED_EXIT_FAILED, "%s%s", err->text,
                            err->issue == MED_ISSUE_LOCK_ERROR ? "; stop the server first" : "");
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
    med_str from, to;
    moving m = {.args = args};
    if (args->n != 0 || !med_argument(args, "from", &from) || !med_argument(args, "to", &to))
        return med_command_fail(MED_EXIT_USAGE, "move needs --from STORE and --to STORE, where a "
                                                "store is sqlite:DIR or postgres:CONNINFO");
    if (!med_terminal_init(&m.terminal, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    bool good = open_both(&m, from, to, &err) && move(&m, &err);
    if (m.to_open)
        med_app_close(&m.to);
    if (m.from_open)
        med_app_close(&m.from);
    med_terminal_free(&m.terminal);
    return good ? MED_EXIT_OK : tell(&err);
}

static const med_option options[] = {
    {"from", "STORE", NULL, "where all is now: sqlite:DIR or postgres:CONNINFO"},
    {"to", "STORE", NULL, "where it goes: an empty store, or one that a move has begun"},
    {"data", "DIR", "store.data", "the key's directory of a PostgreSQL store (medulla-data)"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_move = {
    .name = "move",
    .usage = "--from STORE --to STORE [--data DIR]",
    .summary = "all of a store into one of another kind: history, feed, deletions; verified",
    .examples =
        "  medulla move --from sqlite:medulla-data --to 'postgres:dbname=medulla' --data DIR\n"
        "  medulla move --from 'postgres:dbname=medulla' --data DIR --to sqlite:NEW-DIR\n",
    .options = options,
    .run = run,
};
