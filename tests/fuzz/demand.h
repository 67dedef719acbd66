/* demand.h - what a fuzz target includes: the entry's prototype, and a check that aborts. */
#ifndef MED_TESTS_DEMAND_H
#define MED_TESTS_DEMAND_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline med_str input_str(const uint8_t *data, size_t size)
{
    return size == 0 ? MED_STR_EMPTY : (med_str){(const char *)data, size};
}

#endif
