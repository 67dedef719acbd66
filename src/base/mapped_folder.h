/* mapped_folder.h - a folder of files of one kind, each mapped into memory as it stands: imported
 * code systems, installed packages.
 *
 * A file is written beside its place and moved there by rename (med_file_replace), so that readers
 * see the old or the new one, whole. A change of the folder is noticed within a second: its epoch
 * moves on. Files that are still in use stay mapped until the last question ends. Thread safe. */
#ifndef MED_BASE_MAPPED_FOLDER_H
#define MED_BASE_MAPPED_FOLDER_H

#include "base/arena.h"
#include "base/err.h"

enum { MED_MAPPED_NAME = 256 };

typedef struct med_mapped_file {
    char name[MED_MAPPED_NAME]; /* without the suffix */
    med_str bytes;
    const void *image; /* what `open` made of the bytes */
} med_mapped_file;

typedef struct med_mapped_kind {
    const char *suffix; /* ".package"; other names, and hidden ones, are not looked at */
    const char *what;   /* "package file", in errors */
    const char *mend;   /* "add the package again" */
    size_t most;        /* files; those beyond are not seen */
    bool (*open)(med_str bytes, const void **image, med_err *err);
    int (*order)(const med_mapped_file *a, const med_mapped_file *b); /* NULL: any */
} med_mapped_kind;

typedef struct med_mapped_folder med_mapped_folder;

/* The folder need not exist; NULL: there is none, ever. A damaged file is an error that names it;
 * one that comes later is left out. `kind` outlives it. */
bool med_mapped_folder_open(const med_mapped_kind *kind, const char *path, med_mapped_folder **out,
                            med_err *err) MED_MUST_CHECK;
void med_mapped_folder_free(med_mapped_folder *f); /* NULL is fine */
uint64_t med_mapped_folder_epoch(med_mapped_folder *f);
/* Asks `pick` about each file, in order; the last one it takes is *out until the arena ends, NULL
 * when it took none. It runs under the folder's lock: short. */
bool med_mapped_folder_hold(med_mapped_folder *f, med_arena *a,
                            bool (*pick)(void *arg, const med_mapped_file *file), void *arg,
                            const med_mapped_file **out, med_err *err) MED_MUST_CHECK;
/* The file at that place of the order; NULL behind the last, and past the arena's ceiling. */
const med_mapped_file *med_mapped_folder_at(med_mapped_folder *f, med_arena *a, size_t index);

#endif
