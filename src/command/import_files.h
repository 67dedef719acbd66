/* import_files.h - the files that an import was told to take, in order, one open at a time. */
#ifndef MED_COMMAND_IMPORT_FILES_H
#define MED_COMMAND_IMPORT_FILES_H

#include "admin/host.h"

typedef struct med_import_file {
    med_str path;
    uint64_t size;
    int64_t modified;
} med_import_file;

typedef struct med_import_files {
    med_arena *arena;
    med_import_file *at;
    size_t n, room;
    size_t next;
    uint64_t bytes; /* of all */
    bool xml;       /* take .xml in folders, too */
} med_import_files;

/* A file, "-", or a folder with all below it, in the order of their names. */
bool med_import_files_add(med_import_files *f, med_str path, med_err *err) MED_MUST_CHECK;
/* A med_terminal.next. */
bool med_import_files_next(void *files, med_arena *a, med_input *out, med_err *err);

#endif
