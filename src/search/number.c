/* number.c - https://hl7.org/fhir/R4/search.html#number
 *
 * Rows: the nearest double, for finding candidates; queries are decided on the decimal's text. */
#include "search/extract.h"

bool med_extract_number(med_extraction *x, const med_extract_value *v, med_err *err)
{
    med_decimal d;
    if (med_json_kind_at(x->j, v->at->node) != MED_JSON_NUMBER
        || !med_decimal_parse(med_json_raw(x->j, v->at->node), &d))
        return true;
    return med_extract_plain_number(x, v, &d) ? true : MED_FAIL_MEMORY(err);
}
