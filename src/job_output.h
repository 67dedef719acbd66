/* job_output.h - the one Bundle that the pages of an answer become, in a file. Private to jobs.c.
 *
 * Pages come with what their matches need, so the same resource may be included by many, and be a
 * match of another. What is included is kept apart, and written behind all matches. */
#ifndef MED_JOB_OUTPUT_H
#define MED_JOB_OUTPUT_H

#include <stdio.h>

#include "base/json.h"

typedef struct med_job_included {
    uint64_t hash; /* of its fullUrl */
    long at;       /* in the file of what is included */
    size_t len;
} med_job_included;

typedef struct med_job_output {
    FILE *file, *includes;
    uint64_t entries, bytes, limit;
    uint64_t *seen; /* hashes of fullUrls; open addressing, 0 = free */
    size_t n_seen, places;
    med_job_included *list;
    size_t n_list, room;
} med_job_output;

/* `path` is the file, `beside` one that only this process sees. False: the disk does not let us. */
bool med_job_output_open(med_job_output *o, const char *path, const char *beside) MED_MUST_CHECK;
void med_job_output_close(med_job_output *o); /* a zeroed one is fine */
/* All of these fail with MED_ISSUE_TOO_COSTLY beyond `limit` bytes. */
bool med_job_output_put(med_job_output *o, med_str text, med_err *err) MED_MUST_CHECK;
/* This instead of all that was put: a failure. What the disk does not take is lost. */
void med_job_output_replace(med_job_output *o, med_str text);
/* The entries of a page. */
bool med_job_output_page(med_job_output *o, const med_json *j, med_err *err) MED_MUST_CHECK;
/* Behind the last page: what was included. */
bool med_job_output_included(med_job_output *o, med_err *err) MED_MUST_CHECK;

#endif
