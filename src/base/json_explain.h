/* json_explain.h - says in words what json_parse.c found wrong. Inside base/json_*.c only.
 *
 * The parser only learns that a token is bad; these read it again, slowly, for the place and
 * the reason. They fill *err and *where (which may be NULL) and return false. */
#ifndef MED_BASE_JSON_EXPLAIN_H
#define MED_BASE_JSON_EXPLAIN_H

#include "base/json.h"

/* The text is wrong at `at`: `what` says what was expected there. */
bool med_json_explain(med_str text, const char *at, const char *what, med_json_error *where,
                      med_err *err) __attribute__((cold));
/* The string whose content begins at `at`. */
bool med_json_explain_string(med_str text, const char *at, med_json_error *where, med_err *err)
    __attribute__((cold));
/* The number, literal or whatever stands where a value is due. */
bool med_json_explain_value(med_str text, const char *at, med_json_error *where, med_err *err)
    __attribute__((cold));
/* What stands at `at`, where a key is due: the first of its object or one behind a comma. */
bool med_json_explain_key(med_str text, const char *at, bool first, med_json_error *where,
                          med_err *err) __attribute__((cold));
/* What stands at `at`, behind a member (in_object) or an element. */
bool med_json_explain_behind(med_str text, const char *at, bool in_object, med_json_error *where,
                             med_err *err) __attribute__((cold));

#endif
