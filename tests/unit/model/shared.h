/* shared.h - cmocka, and files of the shared test data (which may be absent). */
#ifndef MED_TESTS_MODEL_SHARED_H
#define MED_TESTS_MODEL_SHARED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"

/* The whole file, or an empty slice when it is not there. The program runs in the build
 * folder or the repository; MEDULLA_SHARED names the data elsewhere. */
static inline med_str read_file(med_arena *a, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return MED_STR_EMPTY;
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
    rewind(file);
    char *bytes = size > 0 ? MED_TAKE(a, (size_t)size + 1, char) : NULL;
    size_t n = bytes == NULL ? 0 : fread(bytes, 1, (size_t)size, file);
    (void)fclose(file);
    return n == 0 ? MED_STR_EMPTY : (med_str){bytes, n};
}

static inline med_str read_shared(med_arena *a, const char *path)
{
    static const char *const roots[] = {"../shared", "../../shared"};
    const char *named = getenv("MEDULLA_SHARED");
    if (named != NULL)
        return read_file(a, med_arena_printf(a, "%s/%s", named, path).ptr);
    med_str found = MED_STR_EMPTY;
    for (size_t i = 0; i < sizeof roots / sizeof *roots && found.len == 0; i++)
        found = read_file(a, med_arena_printf(a, "%s/%s", roots[i], path).ptr);
    return found;
}

#endif
