/* primitive.h - the formats of FHIR's primitive types. https://hl7.org/fhir/R4/datatypes.html
 *
 * Matchers by hand of the regular expressions in the specification, and what these can not
 * say: days that the calendar has, integers of 32 bits, strings of at most 1 MiB. Pure
 * functions; thread safe; linear in the text. xhtml has its own file. */
#ifndef MED_VALIDATE_PRIMITIVE_H
#define MED_VALIDATE_PRIMITIVE_H

#include "base/json.h"
#include "model/pack.h"

enum { MED_STRING_MAX = 1 << 20 };

/* The JSON kinds that hold this primitive: boolean true/false, numbers, else strings. */
bool med_primitive_kind_fits(enum med_primitive primitive, enum med_json_kind kind);
/* Does `text` (of a string: escapes undone) have the format? */
bool med_primitive_is_valid(enum med_primitive primitive, med_str text);
/* "a date: YYYY, YYYY-MM or YYYY-MM-DD, a day that the calendar has" */
const char *med_primitive_expected(enum med_primitive primitive);

#endif
