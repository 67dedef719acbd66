/* heap.c - stands before malloc and its kin in the programs linked with --wrap. */
#include "check.h"

long heap_good = -1;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static int answers(void)
{
    if (heap_good == 0)
        return 0;
    if (heap_good > 0)
        heap_good--;
    return 1;
}

void *__wrap_malloc(size_t n)
{
    return answers() ? __real_malloc(n) : NULL;
}
void *__wrap_calloc(size_t n, size_t size)
{
    return answers() ? __real_calloc(n, size) : NULL;
}
void *__wrap_realloc(void *p, size_t n)
{
    return answers() ? __real_realloc(p, n) : NULL;
}
