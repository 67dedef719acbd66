/* loader_bundle.h - what an import runs as a request of its own, as over HTTP, instead of putting
 * it: transactions and batches, and documents, which are kept whole.
 *
 * The texts were read by the caller: call->request.json and root are the Bundle, and problems that
 * were found are in call->problems. Each blocks until it is committed; counts and refused entries
 * go to the tally. Worker threads. */
#ifndef MED_LOADER_BUNDLE_H
#define MED_LOADER_BUNDLE_H

#include "fhir/call.h"
#include "loader_tally.h"

typedef struct med_loader_bundle {
    med_loader_tally *tally;
    med_store *store;
    med_str source; /* for rejects */
    uint64_t line;
} med_loader_bundle;

enum med_loader_ran {
    MED_LOADER_RAN,
    MED_LOADER_REFUSED, /* *err says why */
    MED_LOADER_STOPPED  /* the store takes no writes: not the Bundle's fault, load it again later */
};

/* Is it a transaction or a batch? */
bool med_loader_is_request(const med_call *call);
enum med_loader_ran med_loader_run(const med_loader_bundle *b, med_call *call, med_err *err);

bool med_loader_is_document(const med_call *call);
/* call->request.id: its own, or empty. It may be known already, and what is sealed stays. */
enum med_loader_ran med_loader_keep_document(const med_loader_bundle *b, med_call *call,
                                             med_err *err);

#endif
