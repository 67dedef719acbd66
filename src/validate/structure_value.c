/* structure_value.c - one value of a primitive element. See structure_check.h. */
#include "model/xhtml.h"
#include "validate/primitive.h"
#include "validate/structure_check.h"

static void check_code(med_check *c, med_type owner, uint16_t element, uint32_t node, med_str code)
{
    med_codes codes = med_element_codes(c->p, owner, element);
    if (codes.n == 0 && c->options->rules != NULL)
        med_check_code_grammar(c, owner, element, node, code);
    if (codes.n == 0 || med_codes_have(c->p, codes, code))
        return;
    med_element e;
    med_type_element(c->p, owner, element, &e);
    med_str near = med_codes_nearest(c->p, codes, code);
    med_check_problem(c, node, NULL, MED_ISSUE_CODE_INVALID, "not a code of %.*s%s%.*s",
                      MED_STR_ARG(e.value_set), near.len > 0 ? "; nearest: " : "",
                      MED_STR_ARG(near));
}

/* A warning on writes: the specification's own examples have such ones, and nothing is lost. */
static void say_empty(med_check *c, uint32_t node)
{
    void (*say)(med_check *, uint32_t, const char *, enum med_issue, const char *, ...) =
        c->options->strict ? med_check_problem : med_check_warning;
    say(c, node, NULL, MED_ISSUE_INVARIANT,
        "The narrative SHALL have some non-whitespace content (txt-2)");
}

static void check_xhtml(med_check *c, uint32_t node, med_str text)
{
    char why[MED_XHTML_TEXT];
    if (!med_xhtml_check(text, why))
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE, "the narrative is no legal XHTML: %s",
                          why);
    else if (c->options->rules != NULL && !med_xhtml_shows_something(text))
        say_empty(c, node);
    else if (c->options->rules != NULL && c->options->strict)
        med_check_narrative_links(c, node, text);
}

/* Text without escapes can not hold control characters: then only its length matters. */
static bool is_free_text(enum med_primitive primitive)
{
    return primitive == MED_PRIMITIVE_STRING || primitive == MED_PRIMITIVE_MARKDOWN;
}

/* Addresses that can lead nowhere: for who asks for all. */
static void check_address(med_check *c, enum med_primitive primitive, uint32_t node, med_str text)
{
    if (med_str_starts(text, MED_STR("urn:uuid:"))
        && !med_primitive_is_valid(MED_PRIMITIVE_UUID, text))
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE, "expected %s",
                          med_primitive_expected(MED_PRIMITIVE_UUID));
    else if (med_str_starts(text, MED_STR("urn:oid:"))
             && !med_primitive_is_valid(MED_PRIMITIVE_OID, text))
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE, "expected %s",
                          med_primitive_expected(MED_PRIMITIVE_OID));
    else if (primitive == MED_PRIMITIVE_CANONICAL && text.ptr[0] != '#'
             && med_str_find(text, ':', 0) == text.len)
        med_check_warning(c, node, NULL, MED_ISSUE_VALUE,
                          "a canonical is absolute, https://..., or names what is contained, #id");
}

static void check_format(med_check *c, med_type owner, const med_property *property, uint32_t node)
{
    enum med_primitive primitive = (enum med_primitive)property->primitive;
    const med_json_node *n = &c->j->nodes[node];
    med_str text = med_json_raw(c->j, node);
    if (!n->escaped && is_free_text(primitive) && text.len <= MED_STRING_MAX)
        return;
    if (n->escaped && !med_json_string(c->a, c->j, node, &text)) {
        c->out_of_memory = true;
        return;
    }
    if (primitive == MED_PRIMITIVE_XHTML)
        check_xhtml(c, node, text);
    else if (!med_primitive_is_valid(primitive, text))
        med_check_problem(c, node, NULL,
                          is_free_text(primitive) && text.len > MED_STRING_MAX ? MED_ISSUE_TOO_LONG
                                                                               : MED_ISSUE_VALUE,
                          "expected %s", med_primitive_expected(primitive));
    else if (c->options->strict && c->options->rules != NULL
             && (primitive == MED_PRIMITIVE_URI || primitive == MED_PRIMITIVE_CANONICAL
                 || primitive == MED_PRIMITIVE_URL))
        check_address(c, primitive, node, text);
    else if (primitive == MED_PRIMITIVE_CODE && !c->options->skip_codes)
        check_code(c, owner, property->element, node, text);
}

void med_check_primitive(med_check *c, med_type owner, const med_property *property, uint32_t node)
{
    enum med_json_kind kind = med_json_kind_at(c->j, node);
    if (!med_primitive_kind_fits((enum med_primitive)property->primitive, kind))
        med_check_problem(c, node, NULL, MED_ISSUE_STRUCTURE, "expected %s, found %s",
                          med_primitive_expected((enum med_primitive)property->primitive),
                          med_check_kind_name(kind));
    else if (kind == MED_JSON_STRING && c->j->nodes[node].len == 0)
        med_check_problem(c, node, NULL, MED_ISSUE_STRUCTURE,
                          "a string may not be empty: leave the element out");
    else
        check_format(c, owner, property, node);
}
