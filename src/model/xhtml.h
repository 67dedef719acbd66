/* xhtml.h - is a narrative well formed and harmless? https://hl7.org/fhir/R4/narrative.html
 *
 * One <div> of the XHTML namespace; the elements and attributes of chapters 7 to 11 and 15 of
 * HTML 4 that the specification allows; no scripts, forms, frames, event handlers, no address
 * that could run code, no style that fetches anything. Reads the text once, with a stack of
 * MED_XHTML_DEPTH names; allocates nothing; thread safe. */
#ifndef MED_MODEL_XHTML_H
#define MED_MODEL_XHTML_H

#include "base/str.h"

enum { MED_XHTML_DEPTH = 128, MED_XHTML_TEXT = 160 };

/* False: `why` (NUL-terminated) says what is wrong, and never holds what the text holds but
 * names of elements and attributes. */
bool med_xhtml_check(med_str text, char why[MED_XHTML_TEXT]) MED_MUST_CHECK;
/* Is there anything to see between the tags: a character, or an image (txt-2)? */
bool med_xhtml_shows_something(med_str xhtml);

#endif
