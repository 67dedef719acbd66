/* buf.c - see buf.h. Capacity doubles from 256 bytes up to the ceiling. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { FIRST_CAPACITY = 256 };

/* What ptr names while nothing is allocated: capacity 0, so nobody ever writes to it. */
static const char nothing[1] = "";

void med_buf_init(med_buf *b, size_t limit)
{
    *b = (med_buf){.ptr = (char *)(uintptr_t)nothing, .limit = limit};
}

void med_buf_free(med_buf *b)
{
    med_buf_release_free(b->ptr);
    med_buf_init(b, b->limit);
}

void med_buf_clear(med_buf *b)
{
    b->len = 0;
    b->failed = false;
}

static bool grow(med_buf *b, size_t need)
{
    size_t cap = b->cap < FIRST_CAPACITY ? FIRST_CAPACITY
                 : b->cap > SIZE_MAX / 2 ? need
                                         : 2 * b->cap;
    if (cap < need)
        cap = need;
    if (cap > b->limit)
        cap = b->limit;
    char *bigger = med_realloc(b->cap == 0 ? NULL : b->ptr, cap, 1);
    if (bigger == NULL)
        return false;
    b->ptr = bigger;
    b->cap = cap;
    return true;
}

bool med_buf_reserve(med_buf *b, size_t more)
{
    if (b->failed)
        return false;
    if (more <= b->cap - b->len)
        return true;
    if (b->len > b->limit || more > b->limit - b->len || !grow(b, b->len + more))
        b->failed = true;
    return !b->failed;
}

void med_buf_add(med_buf *b, med_str s)
{
    if (!med_buf_reserve(b, s.len))
        return;
    memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
}

void med_buf_addz(med_buf *b, const char *z)
{
    med_buf_add(b, med_str_from(z));
}

void med_buf_addc(med_buf *b, char c)
{
    if (!med_buf_reserve(b, 1))
        return;
    b->ptr[b->len++] = c;
}

void med_buf_add_u64(med_buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    med_buf_add(b, (med_str){digits + at, sizeof digits - at});
}

void med_buf_printf(med_buf *b, const char *fmt, ...)
{
    if (b->failed)
        return;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    /* vsnprintf ends with a NUL that is not ours: room for it is needed, also at the ceiling */
    if (n < 0 || (size_t)n > b->limit - b->len) {
        b->failed = true;
        return;
    }
    char small[512];
    char *to = (size_t)n < sizeof small ? small : (char *)med_realloc(NULL, (size_t)n + 1, 1);
    if (to == NULL) {
        b->failed = true;
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    med_buf_add(b, (med_str){to, (size_t)n});
    if (to != small)
        med_free(to);
}

char *med_buf_release(med_buf *b, size_t *len)
{
    char *bytes = b->ptr;
    *len = b->len;
    med_buf_init(b, b->limit);
    return bytes;
}

void med_buf_release_free(char *bytes)
{
    if (bytes != nothing)
        med_free(bytes);
}
