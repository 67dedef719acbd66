/* arena.c - a chain of growing blocks.
 *
 * Two sums are kept under the limit: bytes handed out and bytes of all blocks. Blocks double
 * from 8 KiB to 1 MiB; what is larger than a quarter of a block gets one of its own, so that
 * little is lost at a block's end. Under AddressSanitizer what was not handed out is poisoned
 * and a gap lies between objects. */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

/* A block hangs on its arena's list as soon as it is made; the analyzer loses it there. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define MED_ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MED_ARENA_ASAN 1
#endif
#endif

#ifdef MED_ARENA_ASAN
#include <sanitizer/asan_interface.h>
enum { ARENA_GAP = 8 };
#define HIDE(ptr, n) ASAN_POISON_MEMORY_REGION((ptr), (n))
#define SHOW(ptr, n) ASAN_UNPOISON_MEMORY_REGION((ptr), (n))
#else
enum { ARENA_GAP = 0 };
#define HIDE(ptr, n) ((void)(ptr), (void)(n))
#define SHOW(ptr, n) ((void)(ptr), (void)(n))
#endif

enum { FIRST_BLOCK = 8 << 10, LARGEST_BLOCK = 1 << 20 };

struct block {
    struct block *previous;
    size_t size; /* bytes in data */
    size_t at;   /* of these handed out */
    _Alignas(max_align_t) char data[];
};

struct cleanup {
    struct cleanup *previous;
    void (*run)(void *);
    void *arg;
};

struct med_arena {
    struct block *current; /* the newest; the chain ends at the first */
    struct block *first;
    struct cleanup *cleanups;
    size_t limit;      /* of held: what the machine pays */
    size_t wanted;     /* see med_arena_wanted */
    size_t used_limit; /* of used: exact, so that a test can fail any single allocation */
    size_t used;
    size_t held;
    size_t next_size;
    bool exhausted;
};

static struct block *block_new(size_t size)
{
    struct block *b = size > PTRDIFF_MAX - sizeof *b
                          ? NULL
                          : (struct block *)med_realloc(NULL, 1, sizeof *b + size);
    if (b == NULL)
        return NULL;
    b->previous = NULL;
    b->size = size;
    b->at = 0;
    HIDE(b->data, size);
    return b;
}

static void block_free(struct block *b)
{
    SHOW(b->data, b->size);
    med_free(b);
}

med_arena *med_arena_new(size_t limit)
{
    med_arena *a = MED_NEW(1, med_arena);
    if (a == NULL)
        return NULL;
    a->first = a->current = block_new(FIRST_BLOCK);
    if (a->first == NULL) {
        med_free(a);
        return NULL;
    }
    a->limit = a->used_limit = limit;
    a->held = FIRST_BLOCK;
    a->next_size = 2 * (size_t)FIRST_BLOCK;
    return a;
}

/* A clean-up may register another one, so the list is taken from the front each time. */
static void run_cleanups(med_arena *a)
{
    while (a->cleanups != NULL) {
        struct cleanup *c = a->cleanups;
        a->cleanups = c->previous;
        c->run(c->arg);
    }
}

static void free_blocks_above_first(med_arena *a)
{
    struct block *b = a->current;
    while (b != NULL) {
        struct block *previous = b->previous;
        if (b != a->first)
            block_free(b);
        b = previous;
    }
}

void med_arena_free(med_arena *a)
{
    if (a == NULL)
        return;
    run_cleanups(a);
    free_blocks_above_first(a);
    block_free(a->first);
    med_free(a);
}

void med_arena_reset(med_arena *a)
{
    run_cleanups(a);
    free_blocks_above_first(a);
    a->current = a->first;
    a->first->previous = NULL;
    HIDE(a->first->data, a->first->size);
    a->first->at = 0;
    a->used = 0;
    a->held = a->first->size;
    a->next_size = 2 * (size_t)FIRST_BLOCK;
    a->exhausted = false;
}

size_t med_arena_used(const med_arena *a)
{
    return a->used;
}
void med_arena_set_limit(med_arena *a, size_t limit)
{
    a->used_limit = limit;
}
size_t med_arena_wanted(const med_arena *a)
{
    return a->exhausted ? a->wanted : 0;
}
bool med_arena_exhausted(const med_arena *a)
{
    return a->exhausted;
}

/* Bytes from b->at to the next multiple of align. */
static size_t padding(const struct block *b, size_t align)
{
    uintptr_t at = (uintptr_t)b->data + b->at;
    return (size_t)(-at & (align - 1));
}

static bool fits(const struct block *b, size_t bytes, size_t align)
{
    size_t left = b->size - b->at;
    size_t pad = padding(b, align);
    return pad <= left && bytes <= left - pad;
}

/* A block that holds `bytes`, charged to the limit; NULL past it or without memory. */
static struct block *grow(med_arena *a, size_t bytes, size_t align)
{
    size_t room = a->limit > a->held ? a->limit - a->held : 0;
    size_t need = bytes + (align > _Alignof(max_align_t) ? align : 0) + ARENA_GAP;
    bool alone = need > a->next_size / 4;
    size_t size = alone ? need : a->next_size;
    if (size > room)
        size = need; /* the last bytes under the ceiling are given out exactly */
    if (size > room + ARENA_GAP)
        return NULL;
    struct block *b = block_new(size);
    if (b == NULL)
        return NULL;
    a->held += size;
    if (alone) { /* goes below the current block, whose rest is still of use */
        b->previous = a->current->previous;
        a->current->previous = b;
    } else {
        b->previous = a->current;
        a->current = b;
        if (a->next_size < LARGEST_BLOCK)
            a->next_size *= 2;
    }
    return b;
}

static void *refuse(med_arena *a, size_t need)
{
    if (!a->exhausted && __builtin_add_overflow(a->used, need, &a->wanted))
        a->wanted = SIZE_MAX;
    a->exhausted = true;
    return NULL;
}

/* Blocks are as the heap gave them: who takes zeroed memory pays for what is taken, and a text
 * that is written at once is not written twice. */
static void *take(med_arena *a, size_t n, size_t size, size_t align)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX / 2)
        return refuse(a, SIZE_MAX);
    size_t need = bytes == 0 ? 1 : bytes;
    if (a->used > a->used_limit || need > a->used_limit - a->used)
        return refuse(a, need);
    struct block *b = a->current;
    if (!fits(b, need + ARENA_GAP, align)) {
        b = grow(a, need, align);
        if (b == NULL)
            return refuse(a, need);
        assert(fits(b, need + ARENA_GAP, align));
    }
    b->at += padding(b, align);
    char *ptr = b->data + b->at;
    b->at += need + ARENA_GAP;
    a->used += need;
    SHOW(ptr, bytes);
    return ptr;
}

void *med_arena_take(med_arena *a, size_t n, size_t size, size_t align)
{
    void *ptr = take(a, n, size, align);
    if (ptr != NULL)
        memset(ptr, 0, n * size);
    return ptr;
}

char *med_arena_room(med_arena *a, size_t n)
{
    return take(a, n, 1, 1);
}

void *med_arena_double(med_arena *a, const void *array, size_t *room, size_t first, size_t size)
{
    size_t wanted = *room == 0 ? first : 2 * *room;
    void *larger = med_arena_take(a, wanted, size, _Alignof(max_align_t));
    if (larger == NULL)
        return NULL;
    if (*room > 0)
        memcpy(larger, array, *room * size);
    *room = wanted;
    return larger;
}

bool med_arena_copy(med_arena *a, med_str s, med_str *out)
{
    char *to = med_arena_room(a, s.len + 1);
    if (to == NULL)
        return false;
    memcpy(to, s.ptr, s.len);
    to[s.len] = '\0';
    *out = (med_str){to, s.len};
    return true;
}

med_str med_arena_printf(med_arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *to = n < 0 ? NULL : med_arena_room(a, (size_t)n + 1);
    if (to == NULL)
        return MED_STR_EMPTY;
    va_start(args, fmt);
    (void)vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    return (med_str){to, (size_t)n};
}

bool med_arena_defer(med_arena *a, void (*run)(void *), void *arg)
{
    struct cleanup *c = MED_TAKE(a, 1, struct cleanup);
    if (c == NULL) {
        run(arg);
        return false;
    }
    *c = (struct cleanup){a->cleanups, run, arg};
    a->cleanups = c;
    return true;
}
