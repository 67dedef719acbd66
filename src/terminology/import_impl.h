/* import_impl.h - what the importers share. Private to import*.c and table.c. */
#ifndef MED_TERMINOLOGY_IMPORT_IMPL_H
#define MED_TERMINOLOGY_IMPORT_IMPL_H

#include "terminology/import.h"

/* A file of rows, mapped. */
enum { MED_TABLE_COLUMNS = 256 };
typedef struct med_table {
    const char *path;
    const char *name; /* without folders, for messages */
    void *map;
    size_t size;
    med_str text; /* what is left */
    size_t line;  /* of the row read last; from 1 */
    char separator;
    bool quoted;
    med_str fields[MED_TABLE_COLUMNS];
    size_t n;
    med_str header[MED_TABLE_COLUMNS];
    size_t n_header;
    med_arena *header_arena;
    med_buf scratch; /* quoted fields of a row, undone */
} med_table;

/* Maps the file and reads its header row. */
bool med_table_open(med_arena *a, const char *path, char separator, bool quoted, med_table *out,
                    med_err *err) MED_MUST_CHECK;
void med_table_close(med_table *t);
/* *more is false at the end. A row must have as many fields as the header. Fields are good until
 * the next row. */
bool med_table_next(med_table *t, bool *more, med_err *err) MED_MUST_CHECK;
/* SIZE_MAX when there is no such column. */
size_t med_table_column(const med_table *t, const char *name);
bool med_table_fault(const med_table *t, med_err *err, const char *what);
/* A whole file, mapped read only; ended with med_table_unmap. */
bool med_file_map(const char *path, void **at, size_t *size, med_err *err) MED_MUST_CHECK;
void med_file_unmap(void *at, size_t size);
/* Without folders, for messages. */
const char *med_file_name(const char *path);

typedef struct med_importer {
    const med_import *o;
    med_arena *arena;
    med_image_builder *b;
    med_image_head head;
    uint64_t done;
    const char *linked_by;      /* the file of the hierarchy; NULL: the one of the import */
    size_t bytes, bytes_before; /* of all files; of those read before this one */
} med_importer;

/* A code of a row, as a concept that no earlier row has. */
bool med_importer_code(med_importer *i, const med_table *t, med_str code, med_concept *out,
                       med_err *err) MED_MUST_CHECK;
/* One concept below another, as the row says. */
bool med_importer_parent(med_importer *i, const med_table *t, med_concept child, med_concept parent,
                         med_err *err) MED_MUST_CHECK;
/* Shows progress; false when the caller wants to stop. */
bool med_importer_step(med_importer *i, const med_table *t, med_err *err) MED_MUST_CHECK;

/* ---- a release that is a folder ---- */

enum { MED_RELEASE_FILES = 256, MED_RELEASE_OTHER = -1 };
typedef struct med_release_file {
    const char *path;
    int kind; /* as the format counts them */
    size_t size;
} med_release_file;
typedef struct med_release {
    med_release_file files[MED_RELEASE_FILES];
    size_t n;
} med_release;
/* What a file is by its name; MED_RELEASE_OTHER: not read. */
typedef int (*med_release_kind)(med_str name);
typedef struct med_release_table {
    char separator;
    bool quoted;
    bool (*header)(const med_table *t, void *arg, med_err *err);
    bool (*row)(const med_table *t, void *arg, med_err *err);
} med_release_table;

/* The files in the folder of the import and in the folders inside of it; links are not followed.
 * Their sizes are added to i->bytes. */
bool med_release_find(med_importer *i, med_release_kind kind_of, med_release *out,
                      med_err *err) MED_MUST_CHECK;
bool med_release_has(const med_release *r, int kind);
/* Each row of one file; a last row without an end is an error. */
bool med_release_read(med_importer *i, const med_release_file *f, const med_release_table *how,
                      void *arg, med_err *err) MED_MUST_CHECK;

bool med_import_snomed(med_importer *i, med_err *err) MED_MUST_CHECK;
/* Loinc.csv, or the folder of a release */
bool med_import_loinc(med_importer *i, med_err *err) MED_MUST_CHECK;
bool med_import_claml(med_importer *i, med_err *err) MED_MUST_CHECK;
/* MED_IMPORT_ICD10, _ATC, _CSV */
bool med_import_csv(med_importer *i, med_err *err) MED_MUST_CHECK;

#endif
