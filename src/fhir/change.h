/* change.h - collecting the writes of one commit, and the conditions they rest on.
 *
 * A condition ("this query matches nothing", "it matches just Patient/1") is evaluated while
 * preparing and again inside the commit. So nothing races: when it no longer holds there, the
 * commit is refused and the driver prepares anew. https://hl7.org/fhir/R4/http.html#cond-update */
#ifndef MED_FHIR_CHANGE_H
#define MED_FHIR_CHANGE_H

#include "fhir/call.h"
#include "model/reference.h"

/* A zeroed write at the end of call->change; sets call->write at the first and counts them in
 * call->n_writes. NULL past the arena's ceiling. */
med_write *med_change_add(med_call *call);

/* Parses the query of a conditional interaction for `type` and finds its matches now (at most
 * `limit`), remembering the condition in the change. */
bool med_change_condition(med_call *call, med_type type, const med_pairs *query, size_t limit,
                          med_match **matches, size_t *n, med_err *err) MED_MUST_CHECK;

/* Structure, stored text, index rows, packing: everything of a PUT that needs no commit. The
 * resource is at call->request.root of call->request.json. `meta` as in
 * med_resource_store_text. */
bool med_change_put(med_call *call, med_str id, const med_str *meta, med_write **out,
                    med_err *err) MED_MUST_CHECK;

/* A write that follows from another one: `s` has the type, id, text and version that is expected;
 * the text is one that was stored, changed by us, so it is not validated. */
bool med_change_put_text(med_call *call, const med_stored *s, med_err *err) MED_MUST_CHECK;

/* The commit's guard over a med_changeset: checks its conditions. */
bool med_change_guard(void *change, med_view *view, med_err *err);
/* The guard needs the schema and an arena for one run. */
typedef struct med_change_guard_arg {
    const med_fhir *fhir;
    med_changeset *change;
} med_change_guard_arg;

/* Keys the conditions depend on, for stores with several nodes. */
bool med_change_lock_keys(med_arena *a, const med_fhir *fhir, const med_changeset *change,
                          const uint64_t **keys, size_t *n, med_err *err) MED_MUST_CHECK;

/* Empties the change for another try. */
void med_change_reset(med_changeset *change);

#endif
