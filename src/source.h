/* source.h - a file, perhaps compressed, as one stream of bytes: plain, .gz, .zst or .bz2 by
 * its name; "-" is standard input. */
#ifndef MED_SOURCE_H
#define MED_SOURCE_H

#include "base/err.h"

typedef struct med_source med_source;

med_source *med_source_open(med_str path, med_err *err) MED_MUST_CHECK;
/* The same of a descriptor that is open, which is the source's from now on, also on failure;
 * `name` tells how it is compressed. `stop` (or NULL) is asked while a pipe has nothing to say;
 * true ends the reading with MED_ISSUE_INCOMPLETE. */
med_source *med_source_of(med_str name, int fd, bool (*stop)(void *arg), void *arg,
                          med_err *err) MED_MUST_CHECK;
/* Up to `room` bytes; 0 at the end. False on damage or an I/O error. */
bool med_source_read(med_source *s, char *to, size_t room, size_t *n, med_err *err) MED_MUST_CHECK;
/* Bytes of the file itself read so far, and its size (0 when unknown): for progress. */
uint64_t med_source_position(const med_source *s);
uint64_t med_source_size(const med_source *s);
void med_source_close(med_source *s);

#endif
