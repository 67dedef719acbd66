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

static void check_xhtml(med_check *c, uint32_t node, med_str text)
{
    char why[MED_XHTML_TEXT];
    if (!med_xhtml_check(text, why))
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE, "the narrative is no legal XHTML: %s",
                          why);
}

/* Text without escapes can not hold control characters: then only its length matters. */
static bool is_free_text(enum med_primitive primitive)
{
    return primitive == MED_PRIMITIVE_STRING || primitive == MED_PRIMITIVE_MARKDOWN;
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
