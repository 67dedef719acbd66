/* base64.h - base64 as FHIR writes it, and the URL-safe kind for tokens and cursors.
 * https://hl7.org/fhir/R4/datatypes.html#base64Binary, RFC 4648
 *
 * One byte string has one text: '=' stands only at the end, and the bits behind the last byte
 * are zero (RFC 4648 3.5). White space may stand between groups of four, as R4's expression
 * has it, and nowhere else. Nothing is larger than what it is read from. Thread safe. */
#ifndef MED_BASE_BASE64_H
#define MED_BASE_BASE64_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* True for a base64Binary; *bytes is the number of bytes it stands for. Needs no memory. On
 * failure *bytes is the offset of what is wrong. An empty text is none. */
bool med_base64_check(med_str text, size_t *bytes) MED_MUST_CHECK;
/* Decodes into the arena. MED_ISSUE_VALUE with the offset, or MED_ISSUE_TOO_COSTLY. */
bool med_base64_decode(med_arena *a, med_str text, med_str *out, med_err *err) MED_MUST_CHECK;
void med_base64_encode(med_buf *b, med_str bytes);

/* With '-' and '_', without padding and white space. An empty text stands for no bytes. */
bool med_base64url_decode(med_arena *a, med_str text, med_str *out, med_err *err) MED_MUST_CHECK;
void med_base64url_encode(med_buf *b, med_str bytes);

#endif
