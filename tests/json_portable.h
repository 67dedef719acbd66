/* json_portable.h - the parser a second time, compiled as a machine without SSE2 gets it, and
 * with its key comparisons counted. Include it first, in one source of a program. */
#ifndef MED_TESTS_JSON_PORTABLE_H
#define MED_TESTS_JSON_PORTABLE_H

#include "base/json.h"

static size_t json_steps; /* comparisons of keys, slots of hash tables */

bool med_json_parse_portable(med_arena *a, med_str text, med_json *out, med_json_error *where,
                             med_err *err);

#define MED_JSON_PORTABLE 1
#define MED_JSON_COUNT_STEP() (json_steps++)
#define med_json_parse med_json_parse_portable
#include "base/json_keys.c"
#include "base/json_parse.c"
#undef med_json_parse

#endif
