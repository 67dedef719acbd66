/* gzip.h - gzip (RFC 1952) in and out, within bounds. https://www.rfc-editor.org/rfc/rfc1952
 *
 * What is inflated comes from strangers: output and its ratio to the input have ceilings, every
 * step must make progress, and whatever is cut short, damaged or followed by something else
 * than another member is an error. Faults are MED_ISSUE_INVALID, passed ceilings
 * MED_ISSUE_TOO_LONG, no memory MED_ISSUE_TRANSIENT. A stream belongs to one thread at a time. */
#ifndef MED_BASE_GZIP_H
#define MED_BASE_GZIP_H

#include "base/buf.h"
#include "base/err.h"

typedef struct med_gunzip_limits {
    uint64_t max_bytes; /* of output, all members together */
    uint32_t max_ratio; /* output / input, once output has passed MED_GZIP_RATIO_FREE; 0: any */
} med_gunzip_limits;
enum { MED_GZIP_RATIO_FREE = 64 << 10 };

/* Appends to `out`, whose own ceiling holds, too (MED_ISSUE_TOO_LONG). What was appended before
 * a failure stays there. */
bool med_gunzip_all(med_str compressed, const med_gunzip_limits *limits, med_buf *out,
                    med_err *err) MED_MUST_CHECK;
/* Appends one member; level 1 (quick) to 9 (small). */
bool med_gzip_all(med_str bytes, int level, med_buf *out, med_err *err) MED_MUST_CHECK;

/* ---- streams ---- */
typedef struct med_gunzip med_gunzip;
med_gunzip *med_gunzip_new(const med_gunzip_limits *limits); /* NULL without memory */
void med_gunzip_free(med_gunzip *g);                         /* NULL is fine */
/* Takes from the front of *in and writes up to `room` bytes. When *written is less than `room`,
 * all of *in was taken; when it is `room`, there may be more, also without more input. */
bool med_gunzip_read(med_gunzip *g, med_str *in, char *to, size_t room, size_t *written,
                     med_err *err) MED_MUST_CHECK;
/* To be asked when there is no more input: false if the stream was cut short. */
bool med_gunzip_end(const med_gunzip *g, med_err *err) MED_MUST_CHECK;

typedef struct med_gzip med_gzip;
med_gzip *med_gzip_new(int level); /* NULL without memory */
void med_gzip_free(med_gzip *z);   /* NULL is fine */
/* Compresses all of `bytes`; appends what is ready. False when `out` is full. */
bool med_gzip_add(med_gzip *z, med_str bytes, med_buf *out, med_err *err) MED_MUST_CHECK;
/* Appends the end of the stream. */
bool med_gzip_end(med_gzip *z, med_buf *out, med_err *err) MED_MUST_CHECK;

#endif
