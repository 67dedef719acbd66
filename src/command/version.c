/* version.c - `medulla version`. */
#include <sqlite3.h>
#include <stdio.h>

#include "command/command.h"

static enum med_exit run(const med_arguments *args)
{
    (void)args;
    med_str pack = med_pack_version(med_pack_core());
    printf("medulla %s\nFHIR 4.0.1, definitions %.*s\nSQLite %s\n", MED_VERSION, MED_STR_ARG(pack),
           sqlite3_libversion());
    return MED_EXIT_OK;
}

const med_command med_command_version = {
    .name = "version",
    .usage = "",
    .summary = "print the versions of the program and of what it is built with",
    .examples = "  medulla version\n",
    .run = run,
};
