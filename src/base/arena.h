/* arena.h - memory that lives as long as one request (or one job), and ends all at once.
 *
 * An arena has a ceiling: past it MED_TAKE returns NULL, so a hostile request ends in an error
 * of that request and never in the out-of-memory killer. Not thread safe: an arena belongs to
 * one thread at a time (a request hands it on with itself).
 * Memory is zeroed, but for med_arena_room. `med_arena_defer` registers clean-up, run in reverse
 * order at the end. */
#ifndef MED_BASE_ARENA_H
#define MED_BASE_ARENA_H

#include "base/str.h"

typedef struct med_arena med_arena;

/* NULL only when the process has no memory. `limit` is in bytes of all blocks together. */
med_arena *med_arena_new(size_t limit);
void med_arena_free(med_arena *a); /* runs the clean-ups; NULL is fine */
/* Runs the clean-ups and makes the arena empty again, keeping its first block. */
void med_arena_reset(med_arena *a);
size_t med_arena_used(const med_arena *a);
/* For tests: the arena fails from now on once `limit` bytes are used. */
void med_arena_set_limit(med_arena *a, size_t limit);
/* For tests: the least limit that would have let the first refused allocation through; 0 while
 * none was refused. So a test can fail each single allocation, one after the other. */
size_t med_arena_wanted(const med_arena *a);
/* True once an allocation was refused: "out of memory" as opposed to another fault. */
bool med_arena_exhausted(const med_arena *a);

/* `n` zeroed objects of `type`, aligned, or NULL past the limit. n = 0 gives a valid pointer. */
#define MED_TAKE(a, n, type) ((type *)med_arena_take((a), (n), sizeof(type), _Alignof(type)))
void *med_arena_take(med_arena *a, size_t n, size_t size, size_t align) MED_MUST_CHECK
    __attribute__((alloc_size(2, 3)));

/* For an array that grows: itself while n < *room, else a copy with twice the room (`first` to
 * begin with), which *room then says. NULL past the limit; nothing has changed then. The old one
 * stays in the arena until its end. */
void *med_arena_double(med_arena *a, const void *array, size_t *room, size_t first,
                       size_t size) MED_MUST_CHECK;
#define MED_GROW(a, array, n, room, first)                                                         \
    ((__typeof__(array))med_arena_grow((a), (array), (n), (room), (first), sizeof *(array)))
static inline void *med_arena_grow(med_arena *a, const void *array, size_t n, size_t *room,
                                   size_t first, size_t size)
{
    return n < *room ? (void *)(uintptr_t)array : med_arena_double(a, array, room, first, size);
}

/* `n` bytes as they come, for a text that is written at once; NULL past the limit. */
char *med_arena_room(med_arena *a, size_t n) MED_MUST_CHECK __attribute__((alloc_size(2)));

/* Copies s (and a NUL behind it, not counted). False past the limit. */
bool med_arena_copy(med_arena *a, med_str s, med_str *out) MED_MUST_CHECK;
/* printf into the arena. The result is NUL-terminated. Empty slice past the limit. */
med_str med_arena_printf(med_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* False past the limit, and then `run` has been called at once. */
bool med_arena_defer(med_arena *a, void (*run)(void *), void *arg);

#endif
