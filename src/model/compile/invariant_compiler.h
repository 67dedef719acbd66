/* invariant_compiler.h - does every invariant compile, and which of them are the standard's own
 * mistakes? https://hl7.org/fhir/R4/conformance-rules.html#constraints */
#ifndef MED_MODEL_COMPILE_INVARIANT_COMPILER_H
#define MED_MODEL_COMPILE_INVARIANT_COMPILER_H

#include "base/buf.h"
#include "model/compile/pack_writer.h"

typedef struct med_invariant_report {
    size_t n, n_listed;
    size_t n_faults; /* lines in `text`: what the list lacks or has too many */
    med_buf text;
} med_invariant_report;

/* Compiles each expression in `pack` and drops what `list` names (definitions/mistakes.txt) from
 * the writer's rows. The extensions must be there. */
bool med_invariants_compile(med_pack_writer *w, const med_pack *pack, med_str list,
                            med_invariant_report *report, med_err *err) MED_MUST_CHECK;

#endif
