/* number.c - https://hl7.org/fhir/R4/search.html#number
 *
 * Rows: the nearest double, for finding candidates; queries are decided on the decimal's text. */
#include "base/decimal.h"
#include "search/extract.h"

bool med_extract_number(med_extraction *x, const med_extract_value *v, med_err *err)
{
    med_decimal d;
    if (med_json_kind_at(x->j, v->at->node) != MED_JSON_NUMBER
        || !med_decimal_parse(med_json_raw(x->j, v->at->node), &d))
        return true;
    double value = med_decimal_to_double(&d);
    return med_rows_add_quantity(x, (med_quantity_row){v->number, 0, value, value})
               ? true
               : MED_FAIL_MEMORY(err);
}
