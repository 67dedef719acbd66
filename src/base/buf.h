/* buf.h - a growing buffer with a ceiling given at birth.
 *
 * Writing past the ceiling (or without memory) makes the buffer `failed`; later writes do
 * nothing, so a writer checks once, at the end. Owned by whoever called med_buf_init. */
#ifndef MED_BASE_BUF_H
#define MED_BASE_BUF_H

#include "base/str.h"

typedef struct med_buf {
    char *ptr; /* never NULL after med_buf_init; not NUL-terminated */
    size_t len;
    size_t cap;
    size_t limit;
    bool failed;
} med_buf;

void med_buf_init(med_buf *b, size_t limit);
void med_buf_free(med_buf *b);  /* leaves an empty buffer that may be used again */
void med_buf_clear(med_buf *b); /* length 0, not failed, memory kept */
bool med_buf_reserve(med_buf *b, size_t more);

void med_buf_add(med_buf *b, med_str s);
void med_buf_addz(med_buf *b, const char *z);
void med_buf_addc(med_buf *b, char c);
void med_buf_add_u64(med_buf *b, uint64_t n);
void med_buf_printf(med_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline med_str med_buf_str(const med_buf *b)
{
    return (med_str){b->ptr, b->len};
}

/* Gives the bytes away; the caller frees them with med_buf_release_free. */
char *med_buf_release(med_buf *b, size_t *len);
void med_buf_release_free(char *bytes);

#endif
