/* check.h - what every unit test of base/ includes: cmocka and its needs, in the order it
 * wants them, slices in assertions, and a heap that fails when told to. */
#ifndef MED_TESTS_CHECK_H
#define MED_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Says which row of a table is being looked at when an assertion fails. */
#define ROW(name, condition)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("row '%s': %s", (name), #condition);                                          \
    } while (0)

static inline void check_str(med_str got, const char *want, const char *file, int line)
{
    if (!med_str_eqz(got, want)) {
        print_error("got '%.*s', want '%s'\n", MED_STR_ARG(got), want);
        _fail(file, line);
    }
}
#define CHECK_STR(got, want) check_str((got), (want), __FILE__, __LINE__)

/* The heap below answers `heap_good` more requests and then has no memory until heap_heal().
 * Only for programs linked with heap_wrap (meson.build). */
extern long heap_good;
static inline void heap_fail_after(long n)
{
    heap_good = n;
}
static inline void heap_heal(void)
{
    heap_good = -1;
}

#endif
