/* code_compiler.h - expansions of the value sets that required bindings of codes name.
 * https://hl7.org/fhir/R4/valueset.html */
#ifndef MED_MODEL_COMPILE_CODE_COMPILER_H
#define MED_MODEL_COMPILE_CODE_COMPILER_H

#include "model/compile/pack_writer.h"
#include "model/compile/source.h"

/* Adds the value sets called `urls` (sorted, no version), in their order, as far as their
 * official expansion is whole; rows[i] is where urls[i] went, or PACK_NONE. */
bool med_codes_compile(med_pack_writer *w, const med_json *expansions, const med_str *urls,
                       size_t n, uint32_t *rows, med_err *err) MED_MUST_CHECK;

#endif
