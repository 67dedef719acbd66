/* functions_convert.c - http://hl7.org/fhirpath/N1/#conversion */
#include "model/fhirpath/functions.h"
#include "model/fhirpath/quantity.h"
#include "model/fhirpath/values.h"

/* *good is false when the value can not be converted. */
typedef bool (*converter)(med_fp_run *r, const med_value *v, bool *good, med_value *out);

/* The input converted; *found is false when there is none. */
static bool convert_input(med_fp_run *r, size_t argc, converter convert, bool *found, bool *good,
                          med_value *out)
{
    med_value v;
    *good = false;
    return med_fp_single(r, med_fp_operand(r, argc), found, &v)
           && (!*found || convert(r, &v, good, out));
}

static bool to(med_fp_run *r, size_t argc, converter convert)
{
    bool found = false;
    bool good = false;
    med_value out;
    if (!convert_input(r, argc, convert, &found, &good, &out))
        return false;
    return found && good ? med_fp_result(r, argc, &out) : med_fp_result_empty(r, argc);
}

static bool converts(med_fp_run *r, size_t argc, converter convert)
{
    bool found = false;
    bool good = false;
    med_value out;
    if (!convert_input(r, argc, convert, &found, &good, &out))
        return false;
    return found ? med_fp_result_bool(r, argc, good) : med_fp_result_empty(r, argc);
}

static bool boolean_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "1", "1.0"};
    static const char *const no[] = {"false", "f", "no", "n", "0", "0.0"};
    med_decimal d;
    (void)r;
    *good = v->kind == MED_VALUE_BOOLEAN;
    if (*good)
        *out = *v;
    for (size_t i = 0; i < 6 && v->kind == MED_VALUE_STRING && !*good; i++) {
        bool is_yes = med_str_eq_ignore_case(v->text, med_str_from(yes[i]));
        *good = is_yes || med_str_eq_ignore_case(v->text, med_str_from(no[i]));
        *out = med_fp_boolean(is_yes);
    }
    if (med_fp_number(v, &d)) {
        med_decimal one = med_decimal_from_int(1);
        bool is_one = med_decimal_compare(&d, &one) == 0;
        *good = is_one || med_decimal_is_zero(&d);
        *out = med_fp_boolean(is_one);
    }
    return true;
}

static bool long_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    int64_t n = v->integer;
    (void)r;
    *good = v->kind == MED_VALUE_INTEGER || v->kind == MED_VALUE_BOOLEAN;
    if (v->kind == MED_VALUE_STRING)
        *good = med_str_to_int64(v->text, &n);
    *out = med_fp_integer(n);
    return true;
}

static bool integer_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    if (!long_of(r, v, good, out))
        return false;
    *good = *good && out->integer >= INT32_MIN && out->integer <= INT32_MAX;
    return true;
}

/* (\+|-)?\d+(\.\d+)? */
static bool is_decimal_text(med_str s, med_str *number)
{
    med_decimal d;
    if (s.len > 0 && s.ptr[0] == '+')
        s = med_str_skip(s, 1);
    bool minus = s.len > 0 && s.ptr[0] == '-';
    while (!minus && s.len > 1 && s.ptr[0] == '0' && med_is_digit(s.ptr[1]))
        s = med_str_skip(s, 1);
    *number = s;
    return med_decimal_parse(s, &d) && med_str_find(s, 'e', 0) == s.len
           && med_str_find(s, 'E', 0) == s.len;
}

static bool decimal_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    *good = true;
    *out = *v;
    out->kind = MED_VALUE_DECIMAL;
    if (v->kind == MED_VALUE_DECIMAL)
        return true;
    if (v->kind == MED_VALUE_BOOLEAN)
        out->text = v->integer != 0 ? MED_STR("1.0") : MED_STR("0.0");
    else if (v->kind == MED_VALUE_INTEGER)
        return med_fp_text(r, v, good, &out->text);
    else
        *good = v->kind == MED_VALUE_STRING && is_decimal_text(v->text, &out->text);
    return true;
}

static bool string_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    med_value quantity;
    *out = med_fp_string(MED_STR_EMPTY);
    if (v->kind != MED_VALUE_NODE)
        return med_fp_text(r, v, good, &out->text);
    return med_fp_quantity(r, v, good, &quantity)
           && (!*good || med_fp_text(r, &quantity, good, &out->text));
}

/* Date and time out of each other or out of text. */
static bool date_like(enum med_value_kind kind, const med_value *v, bool *good, med_value *out)
{
    struct med_fp_date d;
    *out = *v;
    out->kind = kind;
    *good = v->kind == kind;
    if (*good)
        return true;
    if (v->kind == MED_VALUE_STRING) {
        bool lead = kind == MED_VALUE_TIME && med_str_starts(v->text, MED_STR("T"));
        out->text = med_str_skip(v->text, lead ? 1 : 0);
        *good = med_fp_date_parse(kind, out->text, &d);
    } else if (kind == MED_VALUE_DATETIME && v->kind == MED_VALUE_DATE) {
        *good = true;
    } else if (kind == MED_VALUE_DATE && v->kind == MED_VALUE_DATETIME) {
        *good = true;
        out->text = med_str_sub(v->text, 0, med_str_find(v->text, 'T', 0));
    }
    return true;
}

static bool date_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    (void)r;
    return date_like(MED_VALUE_DATE, v, good, out);
}

static bool datetime_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    (void)r;
    return date_like(MED_VALUE_DATETIME, v, good, out);
}

static bool time_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    (void)r;
    return date_like(MED_VALUE_TIME, v, good, out);
}

/* "4", "4 days", "4.5 'mg'" */
static bool quantity_text(med_fp_run *r, med_str s, med_value *out)
{
    size_t end = 0;
    while (end < s.len && !med_is_space(s.ptr[end]) && s.ptr[end] != '\'')
        end++;
    med_str unit = med_str_trim(med_str_skip(s, end));
    *out = med_fp_string(MED_STR_EMPTY);
    out->kind = MED_VALUE_QUANTITY;
    out->unit = MED_STR("1");
    if (!is_decimal_text(med_str_sub(s, 0, end), &out->text))
        return false;
    if (unit.len == 0)
        return end == s.len;
    bool quoted = unit.len > 2 && unit.ptr[0] == '\'' && unit.ptr[unit.len - 1] == '\'';
    out->unit = quoted ? med_str_sub(unit, 1, unit.len - 1) : unit;
    return quoted ? med_fp_unit_is_known(r, out->unit) : med_fp_unit_is_calendar(unit);
}

static bool quantity_of(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    if (v->kind == MED_VALUE_STRING) {
        *good = quantity_text(r, v->text, out);
        return true;
    }
    if (v->kind == MED_VALUE_NODE || v->kind == MED_VALUE_QUANTITY)
        return med_fp_quantity(r, v, good, out);
    if (!decimal_of(r, v, good, out))
        return false;
    *good = *good && v->kind != MED_VALUE_DATE;
    out->kind = MED_VALUE_QUANTITY;
    out->unit = MED_STR("1");
    return true;
}

/* The unit asked for in the argument of toQuantity(). */
static bool quantity_in(med_fp_run *r, size_t argc, bool *found, bool *good, med_value *out)
{
    med_str unit;
    bool has_unit = false;
    if (!convert_input(r, argc, quantity_of, found, good, out))
        return false;
    if (argc == 0 || !*good)
        return true;
    if (!med_fp_single_string(r, med_fp_operand(r, 0), &has_unit, &unit))
        return false;
    if (!has_unit)
        return true;
    med_value converted = *out;
    if (med_str_eqz(out->unit, "1") && !med_str_eqz(unit, "1"))
        *good = false;
    else if (!med_fp_quantity_convert(r, out, unit, good, &converted))
        return false;
    *out = converted;
    return true;
}

bool med_fp_call_to_quantity(med_fp_run *r, size_t argc)
{
    bool found = false;
    bool good = false;
    med_value out;
    if (!quantity_in(r, argc, &found, &good, &out))
        return false;
    return found && good ? med_fp_result(r, argc, &out) : med_fp_result_empty(r, argc);
}

bool med_fp_call_converts_to_quantity(med_fp_run *r, size_t argc)
{
    bool found = false;
    bool good = false;
    med_value out;
    if (!quantity_in(r, argc, &found, &good, &out))
        return false;
    return found ? med_fp_result_bool(r, argc, good) : med_fp_result_empty(r, argc);
}

#define CONVERSION(name, converter_name)                                                           \
    bool med_fp_call_to_##name(med_fp_run *r, size_t argc)                                         \
    {                                                                                              \
        return to(r, argc, converter_name);                                                        \
    }                                                                                              \
    bool med_fp_call_converts_to_##name(med_fp_run *r, size_t argc)                                \
    {                                                                                              \
        return converts(r, argc, converter_name);                                                  \
    }

CONVERSION(boolean, boolean_of)
CONVERSION(integer, integer_of)
CONVERSION(long, long_of)
CONVERSION(decimal, decimal_of)
CONVERSION(string, string_of)
CONVERSION(date, date_of)
CONVERSION(datetime, datetime_of)
CONVERSION(time, time_of)
