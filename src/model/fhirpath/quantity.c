/* quantity.c - see quantity.h.
 *
 * Weeks, days and what is shorter have a definite length and are the UCUM units of that name;
 * years and months are calendar units, comparable only with each other (12 months = 1 year).
 * A FHIR quantity whose UCUM code is 'a' or 'mo' may be read either way. */
#include "model/fhirpath/quantity.h"
#include "model/fhirpath/values.h"
#include "model/ucum.h"

enum { DIVIDE_DIGITS = 28 };

struct duration {
    const char *calendar, *plural, *ucum;
    int months; /* years and months */
};

static const struct duration durations[] = {
    {"year", "years", "a", 12},    {"month", "months", "mo", 1},
    {"week", "weeks", "wk", 0},    {"day", "days", "d", 0},
    {"hour", "hours", "h", 0},     {"minute", "minutes", "min", 0},
    {"second", "seconds", "s", 0}, {"millisecond", "milliseconds", "ms", 0},
};

static const struct duration *calendar(med_str unit)
{
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
        if (med_str_eqz(unit, durations[i].calendar) || med_str_eqz(unit, durations[i].plural))
            return &durations[i];
    return NULL;
}

static const struct duration *ucum_duration(med_str unit)
{
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
        if (med_str_eqz(unit, durations[i].ucum))
            return &durations[i];
    return NULL;
}

bool med_fp_unit_is_calendar(med_str unit)
{
    return calendar(unit) != NULL;
}

/* The unit as UCUM; calendar units of definite length become it. */
static bool parse_unit(med_fp_run *r, med_str unit, med_unit *out)
{
    const struct duration *d = calendar(unit);
    med_err ignored;
    return med_ucum_parse(r->a, d == NULL ? unit : med_str_from(d->ucum), out, &ignored);
}

bool med_fp_unit_is_known(med_fp_run *r, med_str unit)
{
    med_unit ignored;
    return parse_unit(r, unit, &ignored);
}

med_str med_fp_calendar_unit(const med_value *quantity)
{
    const struct duration *d = ucum_duration(quantity->unit);
    return quantity->type == MED_TYPE_NONE || d == NULL ? quantity->unit
                                                        : med_str_from(d->calendar);
}

/* Months a unit stands for when it is read as a calendar unit; 0 if it can not be. */
static int months_of(const med_value *v, bool loose)
{
    const struct duration *d = calendar(v->unit);
    if (d == NULL && (loose || v->type != MED_TYPE_NONE))
        d = ucum_duration(v->unit);
    return d == NULL ? 0 : d->months;
}

static bool is_calendar_months(const med_value *v)
{
    const struct duration *d = calendar(v->unit);
    return d != NULL && d->months > 0;
}

/* A calendar unit beside a UCUM year or month: nobody knows how many days it has. */
static bool is_unclear(const med_value *a, const med_value *b, bool loose)
{
    const struct duration *p = calendar(a->unit);
    const struct duration *q = calendar(b->unit);
    const struct duration *u = p == NULL ? ucum_duration(a->unit) : ucum_duration(b->unit);
    if ((p == NULL) == (q == NULL) || u == NULL)
        return false;
    bool mapped = loose || (p == NULL ? a : b)->type != MED_TYPE_NONE;
    const struct duration *word = p == NULL ? q : p;
    return (u->months > 0) != (word->months > 0) || (u->months > 0 && !mapped);
}

/* The length of a calendar unit where years and months meet days: 365 and 30 of them. */
static med_decimal milliseconds_of(const struct duration *d)
{
    static const int64_t sizes[] = {31536000000, 2592000000, 604800000, 86400000,
                                    3600000,     60000,      1000,      1};
    return med_decimal_from_int(sizes[d - durations]);
}

/* Both as numbers of one unit. */
static bool common(med_fp_run *r, const med_value *a, const med_value *b, bool loose,
                   bool *comparable, med_decimal *x, med_decimal *y)
{
    *comparable = med_decimal_parse(a->text, x) && med_decimal_parse(b->text, y);
    if (!*comparable || med_str_eq(a->unit, b->unit))
        return true;
    if (is_unclear(a, b, loose)) {
        *comparable = false;
        return true;
    }
    if (is_calendar_months(a) != is_calendar_months(b) && calendar(a->unit) != NULL
        && calendar(b->unit) != NULL) {
        med_decimal p = milliseconds_of(calendar(a->unit));
        med_decimal q = milliseconds_of(calendar(b->unit));
        *comparable = med_decimal_multiply(x, &p, x) && med_decimal_multiply(y, &q, y);
        return true;
    }
    if (is_calendar_months(a) || is_calendar_months(b)) {
        med_decimal p = med_decimal_from_int(months_of(a, loose));
        med_decimal q = med_decimal_from_int(months_of(b, loose));
        *comparable = !med_decimal_is_zero(&p) && !med_decimal_is_zero(&q)
                      && med_decimal_multiply(x, &p, x) && med_decimal_multiply(y, &q, y);
        return true;
    }
    med_unit u;
    med_unit v;
    *comparable = parse_unit(r, a->unit, &u) && parse_unit(r, b->unit, &v)
                  && med_ucum_comparable(&u, &v) && med_ucum_canonical(&u, x, x)
                  && med_ucum_canonical(&v, y, y);
    return !med_arena_exhausted(r->a) || MED_FAIL_MEMORY(r->err);
}

bool med_fp_quantity_compare(med_fp_run *r, const med_value *a, const med_value *b, bool loose,
                             bool *comparable, int *order)
{
    med_decimal x;
    med_decimal y;
    *order = 0;
    if (!common(r, a, b, loose, comparable, &x, &y))
        return false;
    if (*comparable)
        *order = med_decimal_compare(&x, &y);
    return true;
}

static med_decimal power_of_ten(int exponent)
{
    return (med_decimal){.digits = 1, .exponent = exponent, .precision = 1, .scale = -exponent};
}

bool med_fp_round(const med_decimal *d, int scale, med_decimal *out)
{
    med_u128 digits = d->digits;
    int exponent = d->exponent;
    bool up = false;
    for (; exponent < -scale && digits != 0; exponent++) {
        up = digits % 10 >= 5;
        digits /= 10;
    }
    if (exponent < -scale)
        exponent = -scale;
    med_decimal one_more = power_of_ten(exponent);
    med_decimal cut = {.digits = digits, .exponent = exponent, .precision = 1, .scale = -exponent};
    if (up && !med_decimal_add(&cut, &one_more, &cut))
        return false;
    /* widen to the scale that was asked for: 1.5 at 3 is 1.500 */
    med_decimal zero = {.exponent = -scale, .precision = 1, .scale = scale};
    if (!med_decimal_add(&cut, &zero, &cut))
        return false;
    while (cut.exponent > -scale && cut.digits != 0 && cut.digits < (med_u128)1 << 120) {
        cut.digits *= 10;
        cut.exponent--;
    }
    cut.exponent = cut.digits == 0 ? -scale : cut.exponent;
    cut.scale = scale;
    cut.negative = d->negative && cut.digits != 0;
    *out = cut;
    return true;
}

/* Digits behind the point that count: trailing zeros do not. */
static int significant_scale(const med_decimal *d)
{
    med_u128 digits = d->digits;
    int scale = -d->exponent;
    for (; scale > 0 && digits % 10 == 0; scale--)
        digits /= 10;
    return scale;
}

bool med_fp_decimals_equivalent(const med_decimal *a, const med_decimal *b)
{
    int x_scale = significant_scale(a);
    int y_scale = significant_scale(b);
    int scale = x_scale < y_scale ? x_scale : y_scale;
    med_decimal x;
    med_decimal y;
    if (!med_fp_round(a, scale, &x) || !med_fp_round(b, scale, &y))
        return med_decimal_compare(a, b) == 0;
    return med_decimal_compare(&x, &y) == 0;
}

/* How many of `to` one of `from` is, for units without a shifted zero. */
static bool ratio(const med_unit *from, const med_unit *to, med_decimal *out)
{
    med_decimal over;
    med_decimal under;
    return med_decimal_multiply(&from->factor, &to->divisor, &over)
           && med_decimal_multiply(&to->factor, &from->divisor, &under)
           && med_decimal_divide(&over, &under, DIVIDE_DIGITS, out);
}

bool med_fp_quantity_equivalent(med_fp_run *r, const med_value *a, const med_value *b, bool *out)
{
    med_decimal x;
    med_decimal y;
    bool comparable = false;
    med_unit u;
    med_unit v;
    med_decimal by;
    *out = false;
    bool calendars = is_calendar_months(a) || is_calendar_months(b);
    if (calendars || med_str_eq(a->unit, b->unit)) {
        if (!common(r, a, b, true, &comparable, &x, &y))
            return false;
        *out = comparable && med_fp_decimals_equivalent(&x, &y);
        return true;
    }
    if (!med_decimal_parse(a->text, &x) || !med_decimal_parse(b->text, &y)
        || !parse_unit(r, a->unit, &u) || !parse_unit(r, b->unit, &v)
        || !med_ucum_comparable(&u, &v) || !ratio(&u, &v, &by))
        return !med_arena_exhausted(r->a) || MED_FAIL_MEMORY(r->err);
    if (!med_decimal_is_zero(&u.offset) || !med_decimal_is_zero(&v.offset)) {
        *out = med_ucum_canonical(&u, &x, &x) && med_ucum_canonical(&v, &y, &y)
               && med_decimal_compare(&x, &y) == 0;
        return true;
    }
    /* in the larger of the two units, where fewer digits are significant */
    med_decimal one = med_decimal_from_int(1);
    bool first_is_smaller = med_decimal_compare(&by, &one) < 0;
    if (!first_is_smaller && !ratio(&v, &u, &by))
        return true;
    *out = med_decimal_multiply(first_is_smaller ? &x : &y, &by, first_is_smaller ? &x : &y)
           && med_fp_decimals_equivalent(&x, &y);
    return true;
}

static bool make(med_fp_run *r, const med_decimal *d, med_str unit, bool *good, med_value *out)
{
    *good = true;
    if (!med_fp_decimal(r, d, out))
        return false;
    out->kind = MED_VALUE_QUANTITY;
    out->unit = unit;
    return true;
}

/* After a conversion the number of digits says nothing: 1 wk is 7 d, not 7.00 d. */
static bool make_converted(med_fp_run *r, const med_decimal *d, med_str unit, bool *good,
                           med_value *out)
{
    med_decimal plain = *d;
    int scale = significant_scale(d);
    return make(r, med_fp_round(d, scale, &plain) ? &plain : d, unit, good, out);
}

static bool convert_calendar(med_fp_run *r, const med_value *v, med_str unit, bool *good,
                             med_value *out)
{
    const med_value target = {.unit = unit, .type = MED_TYPE_NONE};
    med_decimal x;
    med_decimal from = med_decimal_from_int(months_of(v, false));
    med_decimal to = med_decimal_from_int(months_of(&target, false));
    if (is_calendar_months(v) != is_calendar_months(&target) && calendar(v->unit) != NULL
        && calendar(unit) != NULL) {
        from = milliseconds_of(calendar(v->unit));
        to = milliseconds_of(calendar(unit));
    }
    if (!med_decimal_parse(v->text, &x) || med_decimal_is_zero(&from) || med_decimal_is_zero(&to)
        || !med_decimal_multiply(&x, &from, &x) || !med_decimal_divide(&x, &to, DIVIDE_DIGITS, &x))
        return true;
    return make_converted(r, &x, unit, good, out);
}

bool med_fp_quantity_convert(med_fp_run *r, const med_value *v, med_str unit, bool *good,
                             med_value *out)
{
    *good = false;
    med_unit from;
    med_unit to;
    med_decimal x;
    const med_value target = {.unit = unit, .type = MED_TYPE_NONE};
    if (med_str_eq(v->unit, unit)) {
        *out = *v;
        *good = true;
        return true;
    }
    if (is_unclear(v, &target, false))
        return true;
    if (is_calendar_months(v) || is_calendar_months(&target))
        return convert_calendar(r, v, unit, good, out);
    if (!med_decimal_parse(v->text, &x) || !parse_unit(r, v->unit, &from)
        || !parse_unit(r, unit, &to) || !med_ucum_comparable(&from, &to))
        return !med_arena_exhausted(r->a) || MED_FAIL_MEMORY(r->err);
    if (!med_ucum_canonical(&from, &x, &x) || !med_decimal_multiply(&x, &to.divisor, &x)
        || !med_decimal_subtract(&x, &to.offset, &x)
        || !med_decimal_divide(&x, &to.factor, DIVIDE_DIGITS, &x))
        return true;
    return make_converted(r, &x, unit, good, out);
}

/* How long one of v's unit is compared with one of b's: the sum is given in the smaller unit. */
static bool is_smaller(med_fp_run *r, const med_value *a, const med_value *b, bool *out)
{
    med_value one = *a;
    med_value other = *b;
    bool comparable = false;
    int order = 0;
    one.text = MED_STR("1");
    other.text = MED_STR("1");
    if (!med_fp_quantity_compare(r, &one, &other, false, &comparable, &order))
        return false;
    *out = comparable && order < 0;
    return true;
}

static bool sum(med_fp_run *r, const med_value *a, const med_value *b, bool subtract, bool *good,
                med_value *out)
{
    med_decimal x;
    med_decimal y;
    *good = false;
    if (!med_decimal_parse(a->text, &x) || !med_decimal_parse(b->text, &y)
        || !(subtract ? med_decimal_subtract(&x, &y, &x) : med_decimal_add(&x, &y, &x)))
        return true;
    return make(r, &x, a->unit, good, out);
}

bool med_fp_quantity_add(med_fp_run *r, const med_value *a, const med_value *b, bool subtract,
                         bool *good, med_value *out)
{
    med_value x = *a;
    med_value y = *b;
    bool to_left = false;
    *good = false;
    if (med_str_eq(a->unit, b->unit))
        return sum(r, a, b, subtract, good, out);
    /* a FHIR quantity beside a calendar unit is read as one */
    if (med_fp_unit_is_calendar(b->unit))
        x.unit = med_fp_calendar_unit(a);
    if (med_fp_unit_is_calendar(a->unit))
        y.unit = med_fp_calendar_unit(b);
    if (!is_smaller(r, &x, &y, &to_left))
        return false;
    med_value *from = to_left ? &y : &x;
    med_str unit = to_left ? x.unit : y.unit;
    if (!med_fp_quantity_convert(r, from, unit, good, from))
        return false;
    return !*good || sum(r, &x, &y, subtract, good, out);
}

static bool is_one(med_str unit)
{
    return med_str_eqz(unit, "1") || unit.len == 0;
}

/* The unit of a product or quotient. */
static med_str combine_units(med_fp_run *r, med_str a, med_str b, bool divide)
{
    if (is_one(b))
        return a;
    if (divide && med_str_eq(a, b))
        return MED_STR("1");
    if (is_one(a) && !divide)
        return b;
    return med_arena_printf(r->a, divide ? "(%.*s)/(%.*s)" : "(%.*s).(%.*s)", MED_STR_ARG(a),
                            MED_STR_ARG(b));
}

bool med_fp_quantity_multiply(med_fp_run *r, const med_value *a, const med_value *b, bool divide,
                              bool *good, med_value *out)
{
    med_decimal x;
    med_decimal y;
    *good = false;
    /* a calendar unit has no size to multiply by */
    if ((calendar(a->unit) != NULL && !is_one(b->unit))
        || (calendar(b->unit) != NULL && (divide || !is_one(a->unit))))
        return true;
    if (!med_decimal_parse(a->text, &x) || !med_decimal_parse(b->text, &y)
        || !(divide ? med_decimal_divide(&x, &y, DIVIDE_DIGITS, &x)
                    : med_decimal_multiply(&x, &y, &x)))
        return true;
    med_str unit = combine_units(r, a->unit, b->unit, divide);
    if (unit.len == 0)
        return MED_FAIL_MEMORY(r->err);
    if (!make(r, &x, unit, good, out))
        return false;
    /* a multiple of a FHIR quantity still is one */
    if (is_one(b->unit))
        out->type = a->type;
    else if (is_one(a->unit) && !divide)
        out->type = b->type;
    return true;
}
