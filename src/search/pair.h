/* pair.h - private to search/: rows by a code and a value of one element, together.
 *
 * "Observations of this code with a value above that": where the bound lies above nearly all values
 * of the code, neither the code nor the value finds them at a price that stays. So each element
 * that a composite of a token and a quantity names has a row for each of its codes and units. It
 * stands among the numbers, which are ordered within a key: the parameter is the composite, the
 * unit names code and unit, the value is the value. A composite that is two others in one
 * (combo-code-value-quantity) has no rows of its own, and no more has combo-value-quantity. */
#ifndef MED_SEARCH_PAIR_H
#define MED_SEARCH_PAIR_H

#include "search/extract.h"
#include "search/run.h"

/* The unit of its rows. */
uint64_t med_pair_unit(const med_store *s, uint64_t token, uint64_t unit);

/* The rows of one element that the walk came by. */
bool med_extract_pairs(med_extraction *x, const med_walk_value *element,
                       med_err *err) MED_MUST_CHECK;

/* A key of a composite clause: a code of one of its alternatives, and a unit of its value. */
typedef struct med_pair_key {
    uint64_t unit;
    const med_clause *value; /* the alternative's part, of one term, */
    size_t measure;          /* of which this measure has the unit */
} med_pair_key;

enum { MED_PAIRS = 256 };
/* Sets b->pairs, unless there are more, or there are no such rows. */
bool med_bind_pairs(med_run *r, med_bound *b, med_err *err) MED_MUST_CHECK;
/* As med_measure_may_match. */
bool med_pair_may_match(const med_pair_key *p, double low, double high, bool *sure);

#endif
