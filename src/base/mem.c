/* mem.c - see mem.h. */
#include "base/mem.h"

#include <stdlib.h>

/* The analyzer sees calloc inside med_alloc and med_alloc's own promise at once, and takes the
 * first for leaked. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

void med_free(void *ptr)
{
    free(ptr);
}

void *med_alloc(size_t n, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    return calloc(1, bytes == 0 ? 1 : bytes);
}

void *med_realloc(void *ptr, size_t n, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    return realloc(ptr, bytes == 0 ? 1 : bytes); /* realloc(p, 0) may free p: never ask that */
}

char *med_alloc_copy(med_str s)
{
    char *copy = s.len == SIZE_MAX ? NULL : med_alloc(s.len + 1, 1);
    if (copy != NULL)
        memcpy(copy, s.ptr, s.len);
    return copy;
}
