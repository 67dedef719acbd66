/* folder.h - commands whose first word says what is done with a folder of the data directory:
 * `medulla package add`, `medulla terminology import`. */
#ifndef MED_COMMAND_FOLDER_H
#define MED_COMMAND_FOLDER_H

#include "command/command.h"

enum { MED_FOLDER_VERBS = 3 };

typedef struct med_folder_command {
    const char *name;   /* of the command */
    const char *folder; /* below the data directory, which must be there; this need not */
    const char *does;   /* "add, list or remove" */
    struct {
        const char *name;
        enum med_exit (*run)(const med_arguments *args, const char *folder);
    } verbs[MED_FOLDER_VERBS];
} med_folder_command;

/* Runs the verb that the first word names, or says which there are and which is nearest. */
enum med_exit med_folder_command_run(const med_folder_command *c, const med_arguments *args);

#endif
