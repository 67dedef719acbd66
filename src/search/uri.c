/* uri.c - https://hl7.org/fhir/R4/search.html#uri
 *
 * Rows: the URI as it stands; compared byte by byte. */
#include "search/extract.h"

bool med_extract_uri(med_extraction *x, const med_extract_value *v, med_err *err)
{
    med_str text;
    if (med_json_kind_at(x->j, v->at->node) != MED_JSON_STRING)
        return true;
    if (!med_json_string(x->arena, x->j, v->at->node, &text))
        return MED_FAIL_MEMORY(err);
    return text.len == 0 || med_rows_add_uri(x, (med_uri_row){v->number, text}) ? true
                                                                                 : MED_FAIL_MEMORY(err);
}
