/* command.h - the commands of the program, each in its own file in this folder. */
#ifndef MED_COMMAND_COMMAND_H
#define MED_COMMAND_COMMAND_H

#include "app.h"

/* Exit codes, the same for every command. */
enum med_exit {
    MED_EXIT_OK = 0,
    MED_EXIT_FAILED = 1,
    MED_EXIT_USAGE = 2,
    MED_EXIT_PARTLY = 3,  /* done, but not all of it: see the report */
    MED_EXIT_REFUSED = 4, /* refused as unsafe; the text says what would make it safe */
};

/* What was on the command line, flags and settings already taken out. */
typedef struct med_arguments {
    med_arena *arena;
    med_config *config;
    const med_str *words; /* behind the command's name, without options */
    size_t n;
    const struct med_option_value *options; /* the command's own options that were given */
    size_t n_options;
} med_arguments;

typedef struct med_option {
    const char *name;    /* "people", given as --people 100 or --people=100 */
    const char *value;   /* what to show for the value in the help; NULL: takes none */
    const char *setting; /* the setting it sets (config.h), or NULL: the command reads it */
    const char *help;
} med_option;

typedef struct med_option_value {
    const med_option *option;
    med_str value;
} med_option_value;

struct med_task; /* task.h */

typedef struct med_command {
    const char *name;
    const char *usage;         /* "[--data DIR] PATH..." */
    const char *summary;       /* one line */
    const char *examples;      /* lines of text */
    const med_option *options; /* ends with a name of NULL; NULL: none */
    enum med_exit (*run)(const med_arguments *args);
    /* Its work on an open store, here or inside the server that has it; NULL: none. */
    enum med_exit (*task)(struct med_task *task, med_err *err);
    bool creates;                    /* makes the store when there is none */
    bool quick;                      /* needs no reader of its own: runs beside any number */
    const char *const *task_options; /* what `run` adds to the options; ends with NULL */
} med_command;

extern const med_command med_command_bench;       /* bench.c */
extern const med_command med_command_backup;      /* backup.c */
extern const med_command med_command_restore;     /* backup.c */
extern const med_command med_command_verify;      /* verify.c */
extern const med_command med_command_export;      /* export.c */
extern const med_command med_command_doctor;      /* doctor.c */
extern const med_command med_command_fhirpath;    /* fhirpath.c */
extern const med_command med_command_purge;       /* purge.c */
extern const med_command med_command_config;      /* config_show.c */
extern const med_command med_command_demo;        /* demo.c */
extern const med_command med_command_import;      /* import.c */
extern const med_command med_command_licenses;    /* licenses.c */
extern const med_command med_command_move;        /* move.c */
extern const med_command med_command_package;     /* package.c */
extern const med_command med_command_serve;       /* serve.c */
extern const med_command med_command_tasks;       /* tasks.c */
extern const med_command med_command_terminology; /* terminology.c */
extern const med_command med_command_upgrade;     /* upgrade.c */
extern const med_command med_command_validate;    /* validate.c */
extern const med_command med_command_version;     /* version.c */

/* The value of one of the command's own options; false when it was not given. */
bool med_argument(const med_arguments *args, const char *name, med_str *value);
/* "medulla: text" on standard error; returns the exit code. */
enum med_exit med_command_fail(enum med_exit code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
