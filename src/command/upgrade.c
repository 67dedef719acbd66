/* upgrade.c - `medulla upgrade`: a store of an earlier format brought to this program's.
 *
 * First all of it is copied beside the data directory, as a way back to the older program; a store
 * in PostgreSQL is copied with its own tools. */
#include <stdio.h>

#include "base/datetime.h"
#include "command/command.h"

/* DIR-format-N is not known yet, so the copy is named by its moment: DIR-before-20260131T120000. */
static med_str snapshot_path(const med_arguments *args)
{
    char now[MED_INSTANT_LEN];
    char name[MED_INSTANT_LEN];
    size_t n = 0;
    med_str data = med_config_text(args->config, "store.data");
    while (data.len > 1 && data.ptr[data.len - 1] == '/')
        data.len--;
    med_instant_format(med_now(&med_clock_system), now);
    for (size_t i = 0; i < sizeof now && now[i] != '.'; i++) {
        if (med_is_alnum(now[i]))
            name[n++] = now[i];
    }
    return med_arena_printf(args->arena, "%.*s-before-%.*s", MED_STR_ARG(data), (int)n, name);
}

static enum med_exit tell_failure(const med_err *err, med_str snapshot, bool unchanged)
{
    if (err->issue == MED_ISSUE_INFORMATIONAL) {
        puts(err->text);
        return MED_EXIT_OK;
    }
    if (err->issue == MED_ISSUE_LOCK_ERROR)
        return med_command_fail(MED_EXIT_REFUSED, "%s; stop all servers first", err->text);
    if (err->issue == MED_ISSUE_NOT_SUPPORTED)
        return med_command_fail(MED_EXIT_REFUSED, "%s", err->text);
    if (unchanged && snapshot.len == 0)
        puts("the store is as it was");
    else if (unchanged)
        printf("the store is as it was; the copy of it in %.*s can be removed\n",
               MED_STR_ARG(snapshot));
    return med_command_fail(MED_EXIT_FAILED, "%s", err->text);
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
    unsigned from, to;
    bool unchanged;
    if (args->n != 0)
        return med_command_fail(MED_EXIT_USAGE,
                                "upgrade takes no words; --data DIR names the store");
    med_str snapshot = snapshot_path(args);
    if (!med_app_upgrade(args->config, &snapshot, &from, &to, &unchanged, &err))
        return tell_failure(&err, snapshot, unchanged);
    printf("upgraded from format %u to format %u\n", from, to);
    if (snapshot.len == 0)
        return MED_EXIT_OK;
    printf(
        "The store as it was, with its key, is in %.*s. Remove it when you are sure, or go back\n"
        "to the older program with: medulla restore --data NEW-DIR %.*s\n",
        MED_STR_ARG(snapshot), MED_STR_ARG(snapshot));
    return MED_EXIT_OK;
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_upgrade = {
    .name = "upgrade",
    .usage = "[--data DIR] [--store URL]",
    .summary = "bring a store of an earlier version forward; keeps a copy beside it",
    .examples = "  medulla upgrade --data DIR\n",
    .options = options,
    .run = run,
};
