/* functions_utility.c - http://hl7.org/fhirpath/N1/#utility-functions, the tree, types,
 * boundaries and parts of dates */
#include "model/fhirpath/functions.h"
#include "model/fhirpath/quantity.h"
#include "model/fhirpath/values.h"

enum { DECIMAL_SCALE = 8, SCALE_MAX = 28 };

/* ---- tree ---- */

/* The children of each item replace it; with `all` also theirs, breadth first. */
static bool unfold(med_fp_run *r, bool all)
{
    size_t first = r->marks[r->n_marks - 1];
    size_t end = r->n;
    for (size_t i = first; i < (all ? r->n : end); i++) {
        med_value item = r->values[i];
        if (!med_fp_push_children(r, &item))
            return false;
    }
    memmove(r->values + first, r->values + end, (r->n - end) * sizeof *r->values);
    r->n -= end - first;
    return true;
}

bool med_fp_call_children(med_fp_run *r, size_t argc)
{
    (void)argc;
    return unfold(r, false);
}

bool med_fp_call_descendants(med_fp_run *r, size_t argc)
{
    (void)argc;
    return unfold(r, true);
}

/* ---- now ---- */

static bool result_date(med_fp_run *r, size_t argc, const struct med_fp_date *d)
{
    med_value v;
    return med_fp_date(r, d, &v) && med_fp_result(r, argc, &v);
}

static struct med_fp_date now_of(const med_fp_run *r)
{
    struct med_fp_date d;
    med_fp_date_from_instant(r->env == NULL ? 0 : r->env->now, &d);
    return d;
}

bool med_fp_call_now(med_fp_run *r, size_t argc)
{
    struct med_fp_date d = now_of(r);
    return result_date(r, argc, &d);
}

bool med_fp_call_today(med_fp_run *r, size_t argc)
{
    struct med_fp_date d = now_of(r);
    d.kind = MED_VALUE_DATE;
    d.precision = MED_DATE_DAY;
    return result_date(r, argc, &d);
}

bool med_fp_call_time_of_day(med_fp_run *r, size_t argc)
{
    struct med_fp_date d = now_of(r);
    d.kind = MED_VALUE_TIME;
    d.has_zone = false;
    return result_date(r, argc, &d);
}

/* ---- boundaries ---- */

/* Cuts to `scale` digits, towards the lower or the higher number. */
static bool cut(const med_decimal *d, int scale, bool high, med_decimal *out)
{
    med_u128 digits = d->digits;
    bool rest = false;
    int exponent = d->exponent;
    for (; exponent < -scale; exponent++) {
        rest = rest || digits % 10 != 0;
        digits /= 10;
    }
    if (rest && high != d->negative)
        digits++;
    med_decimal whole = *d;
    whole.digits = digits;
    whole.exponent = exponent;
    return med_fp_round(&whole, scale, out);
}

static bool number_boundary(const med_decimal *d, int64_t scale, bool high, med_decimal *out)
{
    int own = d->exponent < 0 ? -d->exponent : 0;
    med_decimal half = {.digits = 5, .exponent = -own - 1, .precision = 1, .scale = own + 1};
    med_decimal kept;
    if (scale < 0 || scale > SCALE_MAX)
        return false;
    /* of 0.0034 nothing is left at one digit: it counts as 0 */
    if (scale < own && cut(d, (int)scale, d->negative, &kept) && med_decimal_is_zero(&kept)
        && !med_decimal_is_zero(d)) {
        *out = kept;
        return true;
    }
    return (high ? med_decimal_add(d, &half, &kept) : med_decimal_subtract(d, &half, &kept))
           && cut(&kept, (int)scale, high, out);
}

static bool boundary_of(med_fp_run *r, size_t argc, const med_value *v, bool has_digits,
                        int64_t digits, bool high)
{
    med_decimal d;
    struct med_fp_date date;
    med_value out = *v;
    if (v->kind == MED_VALUE_QUANTITY || med_fp_number(v, &d)) {
        if (v->kind == MED_VALUE_QUANTITY && !med_decimal_parse(v->text, &d))
            return med_fp_result_empty(r, argc);
        if (!number_boundary(&d, has_digits ? digits : DECIMAL_SCALE, high, &d))
            return med_fp_result_empty(r, argc);
        if (!med_fp_decimal(r, &d, &out))
            return false;
        out.kind = v->kind == MED_VALUE_QUANTITY ? MED_VALUE_QUANTITY : MED_VALUE_DECIMAL;
        out.unit = v->unit;
        return med_fp_result(r, argc, &out);
    }
    int most = v->kind == MED_VALUE_DATE ? 8 : v->kind == MED_VALUE_TIME ? 9 : 17;
    if (!has_digits)
        digits = most;
    if (v->kind < MED_VALUE_DATE || v->kind > MED_VALUE_TIME || digits < 0 || digits > most
        || !med_fp_date_parse(v->kind, v->text, &date)
        || !med_fp_date_boundary(&date, (int)digits, high))
        return med_fp_result_empty(r, argc);
    return result_date(r, argc, &date);
}

static bool boundary(med_fp_run *r, size_t argc, bool high)
{
    bool found = false;
    bool has_digits = false;
    bool is_quantity = false;
    int64_t digits = 0;
    med_value v;
    if (!med_fp_single(r, med_fp_operand(r, argc), &found, &v)
        || (argc == 1 && !med_fp_single_integer(r, med_fp_operand(r, 0), &has_digits, &digits)))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    if (v.kind == MED_VALUE_NODE && !med_fp_quantity(r, &v, &is_quantity, &v))
        return false;
    return boundary_of(r, argc, &v, has_digits, digits, high);
}

bool med_fp_call_low_boundary(med_fp_run *r, size_t argc)
{
    return boundary(r, argc, false);
}

bool med_fp_call_high_boundary(med_fp_run *r, size_t argc)
{
    return boundary(r, argc, true);
}

bool med_fp_call_precision(med_fp_run *r, size_t argc)
{
    bool found = false;
    med_value v;
    med_decimal d;
    struct med_fp_date date;
    if (!med_fp_single(r, med_fp_operand(r, argc), &found, &v))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    if (med_fp_number(&v, &d))
        return med_fp_result_integer(r, argc, d.exponent < 0 ? -d.exponent : 0);
    if (v.kind < MED_VALUE_DATE || v.kind > MED_VALUE_TIME
        || !med_fp_date_parse(v.kind, v.text, &date))
        return med_fp_result_empty(r, argc);
    return med_fp_result_integer(r, argc, med_fp_date_digits(&date));
}

bool med_fp_call_comparable(med_fp_run *r, size_t argc)
{
    med_value v[2];
    bool found[2];
    bool good[2] = {false, false};
    bool comparable = false;
    int order = 0;
    for (size_t i = 0; i < 2; i++)
        if (!med_fp_single(r, med_fp_operand(r, argc - i), &found[i], &v[i])
            || (found[i] && !med_fp_number_or_quantity(r, &v[i], &good[i], &v[i])))
            return false;
    if (!found[0] || !found[1])
        return med_fp_result_empty(r, argc);
    if (good[0] && good[1] && !med_fp_quantity_compare(r, &v[0], &v[1], false, &comparable, &order))
        return false;
    return med_fp_result_bool(r, argc, comparable);
}

/* ---- types ---- */

bool med_fp_call_type(med_fp_run *r, size_t argc)
{
    static const char *const names[] = {
        [MED_VALUE_NODE] = "Any",          [MED_VALUE_BOOLEAN] = "Boolean",
        [MED_VALUE_INTEGER] = "Integer",   [MED_VALUE_DECIMAL] = "Decimal",
        [MED_VALUE_STRING] = "String",     [MED_VALUE_DATE] = "Date",
        [MED_VALUE_DATETIME] = "DateTime", [MED_VALUE_TIME] = "Time",
        [MED_VALUE_QUANTITY] = "Quantity", [MED_VALUE_TYPE] = "SimpleTypeInfo",
    };
    (void)argc;
    for (size_t i = r->marks[r->n_marks - 1]; i < r->n; i++) {
        const med_value *v = &r->values[i];
        med_value type = med_fp_string(MED_STR_EMPTY);
        med_value system;
        type.kind = MED_VALUE_TYPE;
        if (v->kind == MED_VALUE_NODE && v->type != MED_TYPE_NONE) {
            type.text = med_type_name(r->p, v->type);
            type.unit = MED_STR("FHIR");
        } else {
            if (!med_fp_system(r, v, &system))
                return false;
            type.text = med_str_from(names[system.kind]);
            type.unit = MED_STR("System");
        }
        r->values[i] = type;
    }
    return true;
}

/* ---- parts of dates ---- */

static bool take_date(med_fp_run *r, size_t argc, enum med_date_precision least, bool *go,
                      struct med_fp_date *d)
{
    med_value v;
    if (!med_fp_single(r, med_fp_operand(r, argc), go, &v))
        return false;
    *go = *go && v.kind >= MED_VALUE_DATE && v.kind <= MED_VALUE_TIME
          && med_fp_date_parse(v.kind, v.text, d) && d->precision >= least
          && (d->kind != MED_VALUE_TIME || least >= MED_DATE_HOUR);
    return true;
}

#define PART(name, least, field)                                                                   \
    bool med_fp_call_##name(med_fp_run *r, size_t argc)                                            \
    {                                                                                              \
        struct med_fp_date d = {0};                                                                \
        bool go = false;                                                                           \
        if (!take_date(r, argc, least, &go, &d))                                                   \
            return false;                                                                          \
        return go ? med_fp_result_integer(r, argc, d.field) : med_fp_result_empty(r, argc);        \
    }

PART(year_of, MED_DATE_YEAR, year)
PART(month_of, MED_DATE_MONTH, month)
PART(day_of, MED_DATE_DAY, day)
PART(hour_of, MED_DATE_HOUR, hour)
PART(minute_of, MED_DATE_MINUTE, minute)
PART(second_of, MED_DATE_SECOND, second)
PART(millisecond_of, MED_DATE_FRACTION, microsecond / 1000)

bool med_fp_call_timezone_offset_of(med_fp_run *r, size_t argc)
{
    struct med_fp_date d;
    bool go = false;
    if (!take_date(r, argc, MED_DATE_HOUR, &go, &d))
        return false;
    if (!go || !d.has_zone)
        return med_fp_result_empty(r, argc);
    med_decimal minutes = med_decimal_from_int(d.zone_minutes);
    med_decimal sixty = med_decimal_from_int(60);
    med_value v;
    med_decimal tenths = {.exponent = -1, .precision = 1, .scale = 1};
    return med_decimal_divide(&minutes, &sixty, 4, &minutes)
           && med_decimal_add(&minutes, &tenths, &minutes) && med_fp_decimal(r, &minutes, &v)
           && med_fp_result(r, argc, &v);
}

bool med_fp_call_date_of(med_fp_run *r, size_t argc)
{
    struct med_fp_date d;
    bool go = false;
    if (!take_date(r, argc, MED_DATE_YEAR, &go, &d))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    d.kind = MED_VALUE_DATE;
    if (d.precision > MED_DATE_DAY)
        d.precision = MED_DATE_DAY;
    return result_date(r, argc, &d);
}

bool med_fp_call_time_of(med_fp_run *r, size_t argc)
{
    struct med_fp_date d;
    bool go = false;
    if (!take_date(r, argc, MED_DATE_HOUR, &go, &d))
        return false;
    if (!go || d.kind != MED_VALUE_DATETIME)
        return med_fp_result_empty(r, argc);
    d.kind = MED_VALUE_TIME;
    d.has_zone = false;
    return result_date(r, argc, &d);
}
