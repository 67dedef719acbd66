/* definitions.h - where a StructureDefinition with a snapshot comes from.
 *
 * What is asked for by canonical may stand in the definitions of R4 (built in), in an installed
 * package, or in the store. Whoever needs one (the validator, snapshot generation) asks a source
 * and does not know which. A source belongs to one thread at a time; what it gives belongs to
 * the arena, or to the source's owner, which the arena then holds. */
#ifndef MED_MODEL_DEFINITIONS_H
#define MED_MODEL_DEFINITIONS_H

#include "base/json.h"

typedef struct med_definition {
    med_json json;   /* the StructureDefinition is its root; its snapshot is there, never empty */
    med_str url;     /* without version */
    med_str version; /* or empty */
    med_str package; /* "hl7.fhir.uv.ips#2.0.0"; "" of one that a user stored */
} med_definition;

typedef struct med_definition_source {
    void *self;
    /* Moves on when anything that `find` could give has changed: what was compiled from it is
     * then to be compiled anew. Cheap. */
    uint64_t (*epoch)(void *self);
    /* "url" or "url|version"; a version may be cut short ("4.0" fits 4.0.1). Without one the
     * newest. *out is NULL when there is none. False only for faults (no memory, a store that
     * fails, a definition whose snapshot can not be made; *err names the element). */
    bool (*find)(void *self, med_arena *a, med_str canonical, const med_definition **out,
                 med_err *err);
} med_definition_source;

static inline bool med_definition_find(const med_definition_source *s, med_arena *a,
                                       med_str canonical, const med_definition **out, med_err *err)
{
    *out = NULL;
    return s == NULL || s->find == NULL || s->find(s->self, a, canonical, out, err);
}

#endif
