/* add.h - packages out of their .tgz: read, checked, compiled, and put into the folder.
 *
 * All that are given are checked before the first is put there, those that others depend on
 * first; what is refused changes nothing. A refusal names the package, the file in it, the
 * element, and what would mend it. */
#ifndef MED_PACKAGE_ADD_H
#define MED_PACKAGE_ADD_H

#include "package/packages.h"

enum { MED_PACKAGE_ADD_MAX = 32 };

typedef struct med_package_file {
    const char *name; /* for messages */
    med_str bytes;    /* the .tgz */
} med_package_file;

typedef struct med_package_add_options {
    const char *folder;     /* DATA/packages */
    const med_str *without; /* dependencies that may be missing */
    size_t n_without;
    int64_t now;                                                 /* microseconds */
    bool (*progress)(void *arg, double fraction, uint64_t done); /* false: stop. May be NULL */
    void *arg;
} med_package_add_options;

/* Puts `n` packages (at most MED_PACKAGE_ADD_MAX) into the folder. out[i] is what file i held, in
 * the arena. */
bool med_package_add(med_arena *a, const med_package_file *files, size_t n,
                     const med_package_add_options *options, med_package_info *out,
                     med_err *err) MED_MUST_CHECK;
/* Takes one out; without a version all of that name. Refused (MED_ISSUE_CONFLICT) while another
 * depends on it. *n is how many there were. */
bool med_package_drop(med_arena *a, const char *folder, med_str name, med_str version, size_t *n,
                      med_err *err) MED_MUST_CHECK;

#endif
