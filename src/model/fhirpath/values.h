/* values.h - items: System values out of nodes, paths through the tape, equality and order.
 *
 * Private to model/fhirpath/. */
#ifndef MED_MODEL_FHIRPATH_VALUES_H
#define MED_MODEL_FHIRPATH_VALUES_H

#include "model/fhirpath/dates.h"
#include "model/fhirpath/run.h"

/* ---- making values ---- */
med_value med_fp_string(med_str text);
med_value med_fp_integer(int64_t n);
med_value med_fp_boolean(bool value);
/* False past the arena's ceiling. */
bool med_fp_decimal(med_fp_run *r, const med_decimal *d, med_value *out);
bool med_fp_date(med_fp_run *r, const struct med_fp_date *d, med_value *out);

/* ---- nodes ---- */
/* A primitive of which only `_property` is there: it has extensions and no value. */
static inline bool med_fp_is_absent(const med_value *v)
{
    return v->kind == MED_VALUE_NODE && v->node == 0 && v->extension != 0;
}
/* The node as a value; of a resource the type is read from it. */
med_value med_fp_node(const med_pack *p, const med_json *j, uint32_t node, uint32_t extension,
                      med_type type);
/* A primitive node as the System value it stands for; anything else stays as it is. */
bool med_fp_system(med_fp_run *r, const med_value *v, med_value *out);
/* Gives a primitive node its text, escapes undone. */
bool med_fp_fill_text(med_fp_run *r, med_value *v);
/* Text of a System value, as toString() gives it; *good is false when it has none. */
bool med_fp_text(med_fp_run *r, const med_value *v, bool *good, med_str *out);
/* Is it a FHIR Quantity (Age, Duration, ...)? */
bool med_fp_is_quantity_node(const med_fp_run *r, const med_value *v);
/* A FHIR quantity to compare with another: its unit is "system|code", or the unit's text, when it
 * is no UCUM code; such units are comparable with themselves. */
bool med_fp_any_quantity(med_fp_run *r, const med_value *v, bool *good, med_value *out);
/* A System quantity of a FHIR one (value, UCUM code); *good is false when it is none. */
bool med_fp_quantity(med_fp_run *r, const med_value *v, bool *good, med_value *out);
/* The same, and a number is a quantity of unit 1. */
bool med_fp_number_or_quantity(med_fp_run *r, const med_value *v, bool *good, med_value *out);

/* ---- tape ---- */
/* Pushes what `step` finds in `from` onto the topmost operand. */
bool med_fp_step_from(med_fp_run *r, const struct med_fp_step *step, const med_value *from);
bool med_fp_push_children(med_fp_run *r, const med_value *from);
/* The member `name` of a node's object, or of a primitive's extension object; 0 if none. */
uint32_t med_fp_member(const med_value *v, const char *name);
bool med_fp_is_of(const med_fp_run *r, const med_value *v, const struct med_fp_type_test *test);

/* ---- comparison ---- */
enum med_fp_truth med_fp_equal(med_fp_run *r, const med_value *a, const med_value *b);
bool med_fp_equivalent(med_fp_run *r, const med_value *a, const med_value *b);
/* Whole collections. */
enum med_fp_truth med_fp_equal_all(med_fp_run *r, med_values a, med_values b);
bool med_fp_equivalent_all(med_fp_run *r, med_values a, med_values b);
/* *good is false when the two have no order at all (string and number: an error); UNORDERED is
 * "the answer is empty". */
enum med_fp_order med_fp_compare(med_fp_run *r, const med_value *a, const med_value *b, bool *good);
/* Numbers (INTEGER, DECIMAL) as decimals. */
bool med_fp_number(const med_value *v, med_decimal *out);

/* ---- operators (arithmetic.c) ---- */
/* Replaces the two operands on top. */
bool med_fp_binary(med_fp_run *r, enum med_fp_binary op);
/* The sign in front of the operand on top. */
bool med_fp_negate(med_fp_run *r, bool minus);
/* `resolve() is T` of the operand on top (functions_fhir.c). */
bool med_fp_resolve_is(med_fp_run *r, const struct med_fp_type_test *test);

#endif
