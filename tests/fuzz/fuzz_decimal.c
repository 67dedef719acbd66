/* fuzz_decimal.c - decimal arithmetic keeps its laws. Input: two decimals with a blank between. */
#include "base/decimal.h"
#include "demand.h"

static void check_one(const med_decimal *d)
{
    DEMAND(med_decimal_compare(d, d) == 0);
    DEMAND(d->precision >= 1 && d->precision <= MED_DECIMAL_DIGITS);
    char text[MED_DECIMAL_TEXT];
    size_t len = med_decimal_format(d, text);
    DEMAND(len < sizeof text);
    med_decimal again;
    /* a digit more before the point can carry the exponent over its bound */
    if (med_decimal_parse((med_str){text, len}, &again))
        DEMAND(med_decimal_compare(d, &again) == 0);
    else
        DEMAND(d->exponent > 9000 || d->exponent < -9000);
    med_decimal low;
    med_decimal high;
    if (med_decimal_implicit_range(d, &low, &high)) {
        DEMAND(med_decimal_compare(&low, d) < 0);
        DEMAND(med_decimal_compare(d, &high) < 0);
    }
}

static void check_sums(const med_decimal *a, const med_decimal *b)
{
    med_decimal sum;
    med_decimal back;
    if (med_decimal_add(a, b, &sum)) {
        med_decimal turned;
        DEMAND(med_decimal_add(b, a, &turned) && med_decimal_compare(&sum, &turned) == 0);
        if (med_decimal_subtract(&sum, b, &back))
            DEMAND(med_decimal_compare(&back, a) == 0);
    }
    if (med_decimal_subtract(a, b, &sum)) {
        int order = med_decimal_compare(a, b);
        DEMAND(med_decimal_is_zero(&sum) ? order == 0 : order == (sum.negative ? -1 : 1));
    }
}

static void check_products(const med_decimal *a, const med_decimal *b)
{
    med_decimal product;
    med_decimal quotient;
    med_decimal back;
    if (med_decimal_multiply(a, b, &product) && !med_decimal_is_zero(b)
        && med_decimal_divide(&product, b, 28, &back) && a->precision <= 28)
        DEMAND(med_decimal_compare(&back, a) == 0);
    if (med_decimal_divide(a, b, 28, &quotient)) {
        DEMAND(!med_decimal_is_zero(b));
        DEMAND(med_decimal_is_zero(&quotient) == med_decimal_is_zero(a));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str second = MED_STR_EMPTY;
    med_str first = med_str_cut(input_str(data, size), ' ', &second);
    med_decimal a;
    med_decimal b;
    if (!med_decimal_parse(first, &a))
        return 0;
    check_one(&a);
    (void)med_decimal_to_double(&a);
    if (!med_decimal_parse(second, &b))
        return 0;
    DEMAND(med_decimal_compare(&a, &b) == -med_decimal_compare(&b, &a));
    double x = med_decimal_to_double(&a);
    double y = med_decimal_to_double(&b);
    DEMAND(x <= y || med_decimal_compare(&a, &b) > 0);
    check_sums(&a, &b);
    check_products(&a, &b);
    return 0;
}
