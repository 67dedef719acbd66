/* uri.c - https://hl7.org/fhir/R4/search.html#uri
 *
 * Rows: the URI as it stands, compared byte by byte; a canonical also without its version. */
#include "search/extract.h"
#include "search/query_parse.h"

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

/* ---- :above ---- */

/* "http://a/b/c" -> "http://a/b/", "http://a/b", "http://a/": what it is below of. */
static size_t above(med_str uri, med_term *out)
{
    size_t n = 0, host = med_str_search(uri, MED_STR("://"), 0);
    for (size_t i = uri.len; host < uri.len && i > host + 3; i--) {
        if (uri.ptr[i - 1] != '/' || i == uri.len)
            continue;
        for (size_t len = i; len + 1 >= i; len--) {
            if (out != NULL) {
                out[n] = (med_term){.text = med_str_sub(uri, 0, len),
                                    .system = MED_STR_EMPTY,
                                    .code = MED_STR_EMPTY,
                                    .folded = MED_STR_EMPTY};
            }
            n++;
        }
    }
    return n;
}

bool med_query_widen_uri(med_query_parser *p, med_clause *c, med_err *err)
{
    size_t n = c->n, at = c->n;
    for (size_t i = 0; i < c->n; i++)
        n += above(c->terms[i].text, NULL);
    if (n > MED_TERMS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the URIs have more than %d parts", MED_TERMS);
    med_term *terms = MED_TAKE(p->arena, n, med_term);
    if (terms == NULL)
        return MED_FAIL_MEMORY(err);
    memcpy(terms, c->terms, c->n * sizeof *terms);
    for (size_t i = 0; i < c->n; i++)
        at += above(c->terms[i].text, terms + at);
    c->terms = terms;
    c->n = at;
    c->modifier = MED_MODIFIER_NONE;
    return true;
}
