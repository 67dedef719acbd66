/* reference.h - what the machine itself can do, taken in the same run as what is compared with it.
 *
 * - the constant answer: our http/ layer alone, with the same threads and headers, answering
 *   every request with the same 2 KB, in a process of its own;
 * - the disk: append and fdatasync, in groups;
 * - memory: memcpy of the text that is parsed. */
#ifndef MED_BENCH_REFERENCE_H
#define MED_BENCH_REFERENCE_H

#include "base/err.h"
#include "base/str.h"

enum { MED_REFERENCE_BODY = 2048 };

/* Serves the constant answer on HOST:PORT until the process is ended; comes back with false and
 * *err only when it can not start. */
bool med_reference_serve(med_str listen, unsigned loops, med_err *err);

/* Appends groups of `group` records of `bytes` to a new file in `folder` for `seconds`, each group
 * made durable by one fdatasync; gives records a second. */
bool med_reference_append(const char *folder, unsigned group, size_t bytes, double seconds,
                          double *rate, med_err *err) MED_MUST_CHECK;

/* Bytes a second, single core, of memcpy and of our parser over `text`. */
bool med_reference_json(med_str text, double seconds, double *copy, double *parse,
                        med_err *err) MED_MUST_CHECK;

/* An Observation of 1.7 KB, minified. */
med_str med_reference_observation(void);

#endif
