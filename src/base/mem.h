/* mem.h - the checked heap: the only door to malloc, for base/ itself and for structures that
 * outlive a request (registries, pools, connections). What belongs to a request is an arena's.
 *
 * Sizes are given as count and size, so that the product is checked and never wraps. Every
 * function gives NULL when there is no memory and leaves what it was given as it was. Thread
 * safe. */
#ifndef MED_BASE_MEM_H
#define MED_BASE_MEM_H

#include "base/str.h"

/* `n` zeroed objects of `type`, to be ended with med_free. n = 0 gives a valid pointer. */
#define MED_NEW(n, type) ((type *)med_alloc((n), sizeof(type)))

/* Tells gcc's analyzer who ends the object; clang does not know this form. */
#ifdef __clang__
#define MED_ENDED_BY(fn)
#else
#define MED_ENDED_BY(fn) malloc(fn, 1),
#endif

void med_free(void *ptr); /* NULL is fine */
void *med_alloc(size_t n, size_t size) MED_MUST_CHECK
    __attribute__((malloc, MED_ENDED_BY(med_free) alloc_size(1, 2)));
/* Room for n objects, the old ones kept, new ones not zeroed. On NULL `ptr` is still good, so
 * never write p = med_realloc(p, ...). */
void *med_realloc(void *ptr, size_t n, size_t size) MED_MUST_CHECK
    __attribute__((alloc_size(2, 3)));
/* A copy with a NUL behind it (not counted); NULL without memory. Ended with med_free. */
char *med_alloc_copy(med_str s) MED_MUST_CHECK;

#endif
