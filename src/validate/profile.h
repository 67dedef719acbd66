/* profile.h - does a resource keep a profile? https://hl7.org/fhir/R4/profiling.html
 *
 * A StructureDefinition with a snapshot is compiled once into a tree of what it asks for beyond
 * the base type (whatever is the same as in R4 itself is left out: the base check sees to it),
 * kept in a cache for all threads, and compiled anew when the definitions change. The check goes
 * through the resource beside that tree with a list of work, never by recursion on the input.
 *
 * It is part of the structure check (structure.h): who puts a med_profile_use into the options
 * gets the profiles' problems into the same list, each with the canonical of its profile.
 *
 * The cache is thread safe; a use belongs to one thread, and what it gave out is good until its
 * arena ends. Past MED_PROFILE_CACHE_BYTES the cache begins anew. */
#ifndef MED_VALIDATE_PROFILE_H
#define MED_VALIDATE_PROFILE_H

#include "model/definitions.h"
#include "model/fhirpath.h"

#define MED_PROFILE_CACHE_BYTES ((size_t)128 << 20)
enum { MED_PROFILE_DEPTH = 16 }; /* profiles that are asked for while another is being decided */

typedef struct med_profiles med_profiles;
typedef struct med_profile_set med_profile_set;

/* The pack must outlive it. */
bool med_profiles_new(const med_pack *p, med_profiles **out, med_err *err) MED_MUST_CHECK;
void med_profiles_free(med_profiles *c); /* NULL is fine; nobody uses it any more */

/* What one check uses. */
typedef struct med_profile_use {
    med_profiles *cache; /* NULL: profiles are not looked at */
    const med_definition_source *source;
    const med_str *canonicals; /* of the resource that is checked */
    size_t n;
    const med_str *listed; /* of all resources: each is checked with those of its type */
    size_t n_listed;
    bool claimed;      /* those in meta.profile, of each resource inside, too */
    bool need_claimed; /* one that is claimed and not known is an error, not a warning */
    /* NULL: a profile that nobody asked for yet is compiled now, which may take milliseconds.
     * Else the check fails at it, and says so here: run it anew where there is time. */
    bool *unmade;
    struct med_profile_targets *targets; /* of the check around this one; NULL: there is none */
} med_profile_use;

/* Holds the profiles of now until the arena ends. NULL with *err. */
med_profile_set *med_profile_set_hold(const med_profile_use *use, med_arena *a, med_err *err);

#endif
