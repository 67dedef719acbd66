/* links.h - what a Bundle's entries call each other, and what they are called once stored.
 * https://hl7.org/fhir/R4/http.html#trules https://hl7.org/fhir/R4/bundle.html#references
 *
 * A transaction gives ids; every reference, uri and narrative link that names another entry's
 * fullUrl is changed to Type/id, and conditional references to what they match. */
#ifndef MED_FHIR_LINKS_H
#define MED_FHIR_LINKS_H

#include "base/json.h"
#include "model/pack.h"

typedef struct med_links med_links;

/* Room for `n` names; lives in `a`. NULL past its ceiling. */
med_links *med_links_new(med_arena *a, size_t n);
/* False when the name is taken already. */
bool med_links_add(med_links *l, med_str full_url, med_str target);
/* Type/id, or NULL. */
const med_str *med_links_find(const med_links *l, med_str full_url);

/* Finds the one resource a conditional reference ("Patient?identifier=x") means. */
typedef bool (*med_link_resolve)(void *arg, med_str reference, med_str *target, med_err *err);

/* The resource at `root` with its links changed; *changed says whether any was (if not, *out is
 * left alone). `full_url` is the entry's own: relative references are resolved against its
 * base. */
bool med_links_rewrite(med_arena *a, const med_pack *p, const med_links *l, const med_json *j,
                       uint32_t root, med_str full_url, med_link_resolve resolve, void *arg,
                       med_str *out, bool *changed, med_err *err) MED_MUST_CHECK;

#endif
