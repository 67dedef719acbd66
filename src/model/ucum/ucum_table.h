/* ucum_table.h - the units and prefixes of UCUM, made at build time by make_table.py.
 *
 * Both arrays are sorted by code (memcmp order). */
#ifndef MED_MODEL_UCUM_TABLE_H
#define MED_MODEL_UCUM_TABLE_H

#include "base/decimal.h"

/* Exponents stand in the order C K cd g m mol rad s, the alphabetical one. */
enum { MED_UCUM_BASES = 8 };

enum {
    MED_UCUM_METRIC = 1,  /* takes prefixes */
    MED_UCUM_SPECIAL = 2, /* defined by a function; means nothing inside a product */
};

struct med_ucum_atom {
    med_str code;
    unsigned flags;
    const char *own; /* code of an arbitrary unit or scale that is its own base, or NULL */
    int8_t exponents[MED_UCUM_BASES];
    med_decimal factor, divisor, offset; /* as in med_unit */
};

struct med_ucum_prefix {
    med_str code;
    med_decimal factor;
};

extern const struct med_ucum_atom med_ucum_atoms[];
extern const size_t med_ucum_atom_count;
extern const struct med_ucum_prefix med_ucum_prefixes[];
extern const size_t med_ucum_prefix_count;

#endif
