/* param_compiler.h - SearchParameters -> rows, and one trie of paths a resource type.
 * https://hl7.org/fhir/R4/searchparameter.html
 *
 * What can not be compiled must be named in a list (definitions/uncompiled.txt), one a line:
 *     none SearchParameter-id Type reason        the server does not extract it at all
 *     fhirpath SearchParameter-id Type reason    no path: FHIRPath evaluates it
 * `#` begins a comment. What fails and is not listed, or is listed and does not fail, is
 * reported and fails the compilation: the list is always the truth. */
#ifndef MED_MODEL_COMPILE_PARAM_COMPILER_H
#define MED_MODEL_COMPILE_PARAM_COMPILER_H

#include "model/compile/pack_writer.h"
#include "model/compile/source.h"

typedef struct med_param_report {
    size_t n_params, n_pairs;            /* rows; (parameter, resource type) pairs */
    size_t n_walked, n_fhirpath, n_none; /* of the pairs */
    size_t n_faults;                     /* unlisted or stale entries */
    med_buf text;                        /* a line a fault; freed by the caller */
} med_param_report;

/* Adds to `w` the parameters of source->params; `types` is the pack that `w` gave when it held
 * the types. False on a fault of the definitions; n_faults is for the caller to judge. */
bool med_params_compile(med_pack_writer *w, const med_pack *types, const med_source *source,
                        med_str list, med_param_report *report, med_err *err) MED_MUST_CHECK;

#endif
