/* functions.h - the table of FHIRPath functions: the compiler reads their forms, the machine
 * calls them. Private to model/fhirpath/. */
#ifndef MED_MODEL_FHIRPATH_FUNCTIONS_H
#define MED_MODEL_FHIRPATH_FUNCTIONS_H

#include "model/fhirpath/run.h"

/* How arguments are compiled. */
enum med_fp_form {
    MED_FP_FORM_VALUES, /* arguments are evaluated once, with the $this around the call */
    MED_FP_FORM_LOOP,   /* one argument, evaluated for each item; kind is in `loop` */
    MED_FP_FORM_TYPE,   /* one argument, a type: is, as, ofType */
    MED_FP_FORM_EXISTS, /* a LOOP when there is an argument */
    MED_FP_FORM_IIF,
    MED_FP_FORM_TRACE,
    MED_FP_FORM_DEFINE,
    MED_FP_FORM_SORT,
    MED_FP_FORM_AGGREGATE,
};

enum med_fp_result_shape {
    MED_FP_SHAPE_SAME,
    MED_FP_SHAPE_ANY,
    MED_FP_SHAPE_UNION, /* of the input and the first argument */
    MED_FP_SHAPE_BOOLEAN,
    MED_FP_SHAPE_INTEGER,
    MED_FP_SHAPE_DECIMAL,
    MED_FP_SHAPE_STRING,
    MED_FP_SHAPE_DATE,
    MED_FP_SHAPE_DATETIME,
    MED_FP_SHAPE_TIME,
    MED_FP_SHAPE_QUANTITY,
    MED_FP_SHAPE_TYPE,
    MED_FP_SHAPE_EXTENSION,
};

struct med_fp_function {
    const char *name;
    bool (*call)(med_fp_run *r, size_t argc); /* VALUES only */
    enum med_fp_form form;
    enum med_fp_result_shape result;
    uint8_t least, most; /* arguments */
    uint8_t loop;        /* enum med_fp_loop */
    bool of_strings;     /* a complex input is an error */
};

extern const struct med_fp_function med_fp_functions[];
extern const size_t med_fp_function_count;

/* clang-format 14 wraps such a list another way each time it is asked. */
/* clang-format off */
#define MED_FP_CALL_LIST(X)                                                                        \
    X(empty) X(exists) X(not) X(all_true) X(any_true) X(all_false) X(any_false) X(subset_of)       \
    X(superset_of) X(count) X(distinct) X(is_distinct) X(single) X(first) X(last) X(tail)          \
    X(skip) X(take) X(intersect) X(exclude) X(union) X(combine) X(to_boolean) X(to_integer)        \
    X(to_long) X(to_decimal) X(to_string) X(to_date) X(to_datetime) X(to_time) X(to_quantity)      \
    X(converts_to_boolean) X(converts_to_integer) X(converts_to_long) X(converts_to_decimal)       \
    X(converts_to_string) X(converts_to_date) X(converts_to_datetime) X(converts_to_time)          \
    X(converts_to_quantity) X(index_of) X(last_index_of) X(substring) X(starts_with)               \
    X(ends_with) X(contains) X(upper) X(lower) X(replace) X(matches) X(matches_full)               \
    X(replace_matches) X(length) X(to_chars) X(trim) X(split) X(join) X(encode) X(decode)          \
    X(escape) X(unescape) X(abs) X(ceiling) X(exp) X(floor) X(ln) X(log) X(power) X(round)         \
    X(sqrt) X(truncate) X(sum) X(min) X(max) X(avg) X(children) X(descendants) X(now) X(today)     \
    X(time_of_day) X(low_boundary) X(high_boundary) X(precision) X(comparable) X(type)             \
    X(year_of) X(month_of) X(day_of) X(hour_of) X(minute_of) X(second_of) X(millisecond_of)        \
    X(timezone_offset_of) X(date_of) X(time_of) X(extension) X(has_extension) X(has_value)         \
    X(get_value) X(resolve) X(member_of) X(html_checks) X(conforms_to)  \
    X(check_modifiers) X(subsumes) X(subsumed_by) X(element_definition) X(slice)
/* clang-format on */

#define MED_FP_CALL_DECLARE(name) bool med_fp_call_##name(med_fp_run *r, size_t argc);
MED_FP_CALL_LIST(MED_FP_CALL_DECLARE)
#undef MED_FP_CALL_DECLARE

#endif
