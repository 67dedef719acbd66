/* uri.c - https://hl7.org/fhir/R4/search.html#uri
 *
 * Rows: the URI as it stands, compared byte by byte; a canonical also without its version. */
#include "search/extract.h"
#include "search/query.h"

bool med_extract_uri(med_extraction *x, const med_extract_value *v, med_err *err)
{
    med_str text;
    if (med_json_kind_at(x->j, v->at->node) != MED_JSON_STRING)
        return true;
    if (!med_json_string(x->arena, x->j, v->at->node, &text))
        return MED_FAIL_MEMORY(err);
    bool canonical = med_type_primitive(x->schema->pack, v->at->type) == MED_PRIMITIVE_CANONICAL;
    med_str url = canonical ? med_str_sub(text, 0, med_str_find(text, '|', 0)) : text;
    bool ok = (text.len == 0 || med_rows_add_uri(x, (med_uri_row){v->number, text}))
              && (url.len == text.len || url.len == 0
                  || med_rows_add_uri(x, (med_uri_row){v->number, url}));
    return ok ? true : MED_FAIL_MEMORY(err);
}

bool med_term_uri(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    if (!med_unescape(s->arena, value, &t->text))
        return MED_FAIL_MEMORY(err);
    return t->text.len > 0 ? true : MED_FAIL(err, MED_ISSUE_VALUE, "a URI must not be empty");
}
