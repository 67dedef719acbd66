/* string.c - https://hl7.org/fhir/R4/search.html#string
 *
 * Rows: each part of a name or address, folded (base/unicode.h), so that the beginning of a
 * text is the beginning of its row. */
#include "base/unicode.h"
#include "search/extract.h"
#include "search/query.h"

static const med_str name_parts[] = {
    MED_LIT("family"), MED_LIT("given"), MED_LIT("prefix"), MED_LIT("suffix"), MED_LIT("text"),
};
static const med_str address_parts[] = {
    MED_LIT("text"),  MED_LIT("line"),       MED_LIT("city"),    MED_LIT("district"),
    MED_LIT("state"), MED_LIT("postalCode"), MED_LIT("country"),
};

/* Cut to MED_STRING_KEY bytes, not inside a character. */
static med_str cut_key(med_str s)
{
    if (s.len <= MED_STRING_KEY)
        return s;
    s.len = MED_STRING_KEY;
    while (s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xC0) == 0x80)
        s.len--;
    return s;
}

static bool add_text(med_extraction *x, const med_extract_value *v, uint32_t node)
{
    med_str text, folded;
    if (med_json_kind_at(x->j, node) != MED_JSON_STRING)
        return true;
    if (!med_json_string(x->arena, x->j, node, &text))
        return false;
    if (x->raw)
        return med_rows_add_string(x, (med_string_row){v->number, text});
    if (!med_fold(x->arena, text, &folded))
        return false;
    return folded.len == 0
           || med_rows_add_string(x,
                                  (med_string_row){v->number, x->whole ? folded : cut_key(folded)});
}

static bool add_part(med_extraction *x, const med_extract_value *v, med_str key)
{
    uint32_t node = med_json_member(x->j, v->at->node, key);
    if (node == 0)
        return true;
    if (med_json_kind_at(x->j, node) != MED_JSON_ARRAY)
        return add_text(x, v, node);
    for (uint32_t e = node + 1; e < x->j->nodes[node].next; e = x->j->nodes[e].next) {
        if (!add_text(x, v, e))
            return false;
    }
    return true;
}

static bool add_parts(med_extraction *x, const med_extract_value *v, const med_str *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!add_part(x, v, parts[i]))
            return false;
    }
    return true;
}

bool med_extract_string(med_extraction *x, const med_extract_value *v, med_err *err)
{
    const med_known_types *known = &x->schema->known;
    bool ok = true;
    if (v->at->type == known->human_name)
        ok = add_parts(x, v, name_parts, sizeof name_parts / sizeof *name_parts);
    else if (v->at->type == known->address)
        ok = add_parts(x, v, address_parts, sizeof address_parts / sizeof *address_parts);
    else
        ok = add_text(x, v, v->at->node);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* ---- query values ---- */

bool med_term_string(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    if (!med_unescape(s->arena, value, &t->text) || !med_fold(s->arena, t->text, &t->folded))
        return MED_FAIL_MEMORY(err);
    if (t->text.len == 0 || (t->folded.len == 0 && s->clause->modifier != MED_MODIFIER_EXACT))
        return MED_FAIL(err, MED_ISSUE_VALUE, "a string to search for needs a letter or a digit");
    return true;
}
