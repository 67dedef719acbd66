/* queries.h - the questions of the search families, made out of resources that the server holds.
 *
 * A family is a template such as "Patient?family={name.0.family}&birthdate={birthDate}"; what is
 * in braces is a path into a sample of the family's type:
 *   {name.0.family}     numbers are elements of an array, '*' is the first that fits
 *   {birthDate~7}       the first seven characters
 *   {a.*.b=Practitioner/}   only a value that begins so
 *   {subject.reference>identifier.0.value}  in the sample that the reference names
 * Values are percent-encoded. A sample that lacks one of the values makes no query. */
#ifndef MED_BENCH_QUERIES_H
#define MED_BENCH_QUERIES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

typedef struct med_sample {
    med_str type, id;
    med_json json;
} med_sample;

typedef struct med_samples {
    med_arena *arena; /* owns the texts and tapes */
    med_sample *at;
    size_t n, room;
} med_samples;

/* Copies a resource and keeps it. False without memory or when it is no resource with an id. */
bool med_samples_add(med_samples *s, med_str text) MED_MUST_CHECK;

typedef struct med_query_family {
    const char *key;   /* as on the command line */
    const char *title; /* as in the table */
    const char *type;  /* of the samples */
    const char *query;
    bool population; /* asks over everybody; else it is bound to a patient or selects few */
    double p99_ms;   /* the target */
} med_query_family;

extern const med_query_family med_query_families[];
extern const size_t med_query_family_count;

/* The query of one sample; false when the sample lacks something. */
bool med_query_expand(med_arena *a, const med_samples *samples, const med_sample *sample,
                      const char *query, med_str *out) MED_MUST_CHECK;
/* Up to `most` different queries of a family. */
bool med_query_list(med_arena *a, const med_samples *samples, const med_query_family *family,
                    size_t most, med_str **out, size_t *n) MED_MUST_CHECK;

#endif
