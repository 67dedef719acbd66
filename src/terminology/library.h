/* library.h - the code systems of the library, one after the other: for what tells of them. */
#ifndef MED_TERMINOLOGY_LIBRARY_H
#define MED_TERMINOLOGY_LIBRARY_H

#include "terminology/terminology.h"

typedef struct med_library_system {
    med_str url, version;
    bool usable; /* codes can be looked up: neither a mere name nor a supplement */
} med_library_system;

/* The built-in ones, then the imported ones; *cursor begins at 0. False behind the last. The
 * slices live as long as the arena. Stored ones are not among them. */
bool med_library_next(const med_terminology *t, med_arena *a, size_t *cursor,
                      med_library_system *out);

/* The built-in concept maps, each in one version, whose text has that string in quotes; *cursor
 * begins at 0. False behind the last. */
bool med_library_next_map(size_t *cursor, med_str quoted, med_str *url, med_str *json);

#endif
