/* inflate.h - undoing gzip from a stranger: bounded in size and in ratio.
 * https://www.rfc-editor.org/rfc/rfc1952 */
#ifndef MED_HTTP_INFLATE_H
#define MED_HTTP_INFLATE_H

#include "base/arena.h"
#include "base/err.h"

/* All members of `in`, one behind the other, into memory that ends with the arena. Past
 * `limit` bytes, or beyond 64 KiB past `ratio` times the input read so far:
 * MED_ISSUE_TOO_LONG (413). Damaged, cut off or followed by other bytes: MED_ISSUE_INVALID. */
bool med_inflate(med_arena *a, med_str in, size_t limit, uint32_t ratio, med_str *out,
                 med_err *err) MED_MUST_CHECK;

#endif
