/* file.h - files that are there whole or not at all, also after a power cut: of the store, of
 * code systems, of packages. Errors name what failed; a full disk is MED_ISSUE_NO_STORE. */
#ifndef MED_BASE_FILE_H
#define MED_BASE_FILE_H

#include "base/err.h"

enum { MED_FILE_PATH = 4096 };

/* "directory/name" with a NUL. */
bool med_file_join(char out[MED_FILE_PATH], const char *directory, const char *name,
                   med_err *err) MED_MUST_CHECK;
/* A new file (0600) with these bytes, whole or not at all, on disk with its name when this
 * returns. Fails when it exists. */
bool med_file_create(const char *directory, const char *name, med_str bytes,
                     med_err *err) MED_MUST_CHECK;
/* The same in the place of what was there. The directory is made when it is missing. */
bool med_file_replace(const char *directory, const char *name, med_str bytes,
                      med_err *err) MED_MUST_CHECK;
/* Removes the drafts of processes that ended while they wrote. */
void med_file_clean(const char *directory);
/* All of it to an open file; `name` is for the error. */
bool med_file_write(int fd, med_str bytes, const char *name, med_err *err) MED_MUST_CHECK;
/* Makes names in a directory durable. */
bool med_file_sync_directory(const char *directory, med_err *err) MED_MUST_CHECK;
/* Makes a directory (0700) and its name durable; fine when it is there and `may_exist`. */
bool med_file_make_directory(const char *directory, bool may_exist, med_err *err) MED_MUST_CHECK;
/* Locks DIRECTORY/lock for this process until the descriptor is closed. */
bool med_file_lock(const char *directory, int *fd, med_err *err) MED_MUST_CHECK;

#endif
