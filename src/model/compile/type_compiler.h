/* type_compiler.h - StructureDefinitions -> types, elements, properties, invariants, codes.
 * https://hl7.org/fhir/R4/structuredefinition.html */
#ifndef MED_MODEL_COMPILE_TYPE_COMPILER_H
#define MED_MODEL_COMPILE_TYPE_COMPILER_H

#include "model/compile/pack_writer.h"
#include "model/compile/source.h"

/* Adds every base type (no profile, no logical model) of the two bundles, and the value sets
 * that their required bindings of codes name. */
bool med_types_compile(med_pack_writer *w, const med_source *source, med_err *err) MED_MUST_CHECK;

#endif
