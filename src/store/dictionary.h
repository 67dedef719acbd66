/* dictionary.h - the zstd dictionaries that are part of the program. docs/decisions/0007
 *
 * A file of them (definitions/dictionaries/, one a version) is made once, by
 * definitions/dictionaries/make_dictionaries.c, and never changed: rows of a store name the
 * dictionary they were packed with, so every version that was ever released stays in the
 * program. Ids are 256 times the version, and the place in the file. */
#ifndef MED_STORE_DICTIONARY_H
#define MED_STORE_DICTIONARY_H

#include "base/arena.h"
#include "base/err.h"

/* A zstd dictionary for one resource type, or for all that have none of their own. The highest
 * id of a type packs, the others only unpack. */
typedef struct med_dictionary {
    uint32_t id;   /* not 0 */
    med_str type;  /* empty: for types without one of their own */
    med_str bytes; /* must outlive the store */
} med_dictionary;

/* All versions of this program; the list lives in `a`, the bytes for ever. */
bool med_dictionaries_shipped(med_arena *a, const med_dictionary **out, size_t *n,
                              med_err *err) MED_MUST_CHECK;

/* What one file holds. A text first, then the bytes of the dictionaries in its order:
 *
 *     medulla dictionaries <version>
 *     zstd <ZSTD_VERSION_NUMBER of the maker>
 *     inputs <SHA-256 of the samples, hexadecimal>
 *     <resource type, or "other"> <bytes>        a line each
 *     <an empty line>
 */
typedef struct med_dictionary_file {
    uint32_t version, zstd;
    med_str inputs;
    const med_dictionary *dictionaries;
    size_t n;
} med_dictionary_file;
bool med_dictionary_file_read(med_arena *a, med_str bytes, med_dictionary_file *out,
                              med_err *err) MED_MUST_CHECK;

#endif
