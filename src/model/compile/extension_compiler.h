/* extension_compiler.h - definitions of extensions -> where they may stand and what they hold.
 * https://hl7.org/fhir/R4/defining-extensions.html */
#ifndef MED_MODEL_COMPILE_EXTENSION_COMPILER_H
#define MED_MODEL_COMPILE_EXTENSION_COMPILER_H

#include "model/compile/pack_writer.h"
#include "model/compile/source.h"

/* Adds every extension of the bundle. `pack` is what was compiled so far: its types. */
bool med_extensions_compile(med_pack_writer *w, const med_pack *pack, const med_source *source,
                            med_err *err) MED_MUST_CHECK;

#endif
