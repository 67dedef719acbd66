/* json_text.h - the content of strings as the tape holds it: escapes undone, compared, hashed.
 *
 * Inside base/json_*.c only. The functions trust what the parser has checked: every escape is
 * whole and known, every surrogate has its partner. */
#ifndef MED_BASE_JSON_TEXT_H
#define MED_BASE_JSON_TEXT_H

#include "base/hash.h"
#include "base/json.h"

enum { MED_JSON_CHAR_MAX = 4 };

/* Undoes the escape at p (a backslash) into out[]; leaves *n bytes there and returns what is
 * behind the escape. */
const char *med_json_text_unescape(const char *p, char out[MED_JSON_CHAR_MAX], size_t *n);
/* Undoes all escapes of s into `to`, which has room for s.len bytes; returns the length. */
size_t med_json_text_copy(med_str s, char *to);
/* Compares two contents, each with or without escapes. */
bool med_json_text_eq(med_str a, bool a_escaped, med_str b, bool b_escaped);
uint64_t med_json_text_hash(med_hash_key key, med_str s, bool escaped);

#endif
