/* structure_binding.c - https://hl7.org/fhir/R4/terminologies.html#strength
 *
 * Concepts against the value sets of their elements, as far as the pack holds the codes. Of a
 * required binding a concept needs one code of the value set; an extensible one is advised. */
#include "validate/structure_check.h"

struct binding {
    med_codes codes;
    bool is_required;
    med_str value_set;
};

/* How a concept stands to its binding. */
struct finding {
    bool any;      /* it has a code at all */
    bool in;       /* one of them is in the value set */
    uint32_t node; /* the first that is not: its code */
    med_str code;
};

/* A string member; short, or it is in no value set. */
static med_str text_of(med_check *c, uint32_t object, med_str key, uint32_t *node)
{
    med_str text = MED_STR_EMPTY;
    *node = med_json_member(c->j, object, key);
    if (*node == 0 || med_json_kind_at(c->j, *node) != MED_JSON_STRING)
        return MED_STR_EMPTY;
    if (!med_json_string(c->a, c->j, *node, &text))
        c->out_of_memory = true;
    return text;
}

static void look_at(med_check *c, const struct binding *b, uint32_t coding, struct finding *out)
{
    uint32_t at, unused;
    if (med_json_kind_at(c->j, coding) != MED_JSON_OBJECT)
        return;
    med_str code = text_of(c, coding, MED_STR("code"), &at);
    if (code.len == 0)
        return;
    med_str system = text_of(c, coding, MED_STR("system"), &unused);
    out->any = true;
    if (med_codes_have_in(c->p, b->codes, system, code)) {
        out->in = true;
    } else if (out->node == 0) {
        out->node = at;
        out->code = code;
    }
}

static void look_at_all(med_check *c, const struct binding *b, uint32_t concept,
                        struct finding *out)
{
    const med_json_node *nodes = c->j->nodes;
    uint32_t list = med_json_member(c->j, concept, MED_STR("coding"));
    if (list == 0 || med_json_kind_at(c->j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < nodes[list].next && !out->in; e = nodes[e].next)
        look_at(c, b, e, out);
}

static void report(med_check *c, const struct binding *b, const med_check_frame *f,
                   const struct finding *found)
{
    if (!found->any) {
        med_check_problem(c, f->node, NULL, MED_ISSUE_CODE_INVALID,
                          "a code of %.*s is required here", MED_STR_ARG(b->value_set));
        return;
    }
    med_str near = med_codes_nearest(c->p, b->codes, found->code);
    const char *hint = near.len == 0                   ? ""
                       : med_str_eq(near, found->code) ? "; it has this code in another system: "
                                                       : "; nearest: ";
    if (b->is_required)
        med_check_problem(c, found->node, NULL, MED_ISSUE_CODE_INVALID,
                          "not a code of %.*s, which is required here%s%.*s",
                          MED_STR_ARG(b->value_set), hint, MED_STR_ARG(near));
    else
        med_check_warning(c, found->node, NULL, MED_ISSUE_CODE_INVALID,
                          "not a code of %.*s, which should be used if one fits%s%.*s",
                          MED_STR_ARG(b->value_set), hint, MED_STR_ARG(near));
}

/* Only extensions say why there is no code. */
static bool is_excused(const med_check *c, const med_check_frame *f)
{
    return med_json_member(c->j, f->node, MED_STR("extension")) != 0;
}

void med_check_binding(med_check *c, const med_check_frame *f)
{
    bool is_concept = f->type == c->concept;
    if (f->owner == MED_TYPE_NONE
        || (!is_concept && f->type != c->coding && !med_type_is_a(c->p, f->type, c->quantity)))
        return;
    struct binding b = {.codes = med_element_bound(c->p, f->owner, f->owner_element)};
    struct finding found = {.code = MED_STR_EMPTY};
    med_element e;
    if (b.codes.n == 0)
        return;
    med_type_element(c->p, f->owner, f->owner_element, &e);
    b.is_required = e.binding == 4;
    b.value_set = e.value_set;
    if (!b.is_required && c->options->quiet)
        return;
    if (is_concept)
        look_at_all(c, &b, f->node, &found);
    else
        look_at(c, &b, f->node, &found);
    if (!found.in && (found.any || (b.is_required && !is_excused(c, f))))
        report(c, &b, f, &found);
}

/* ---- codes that are no list ---- */

/* Parts of 1 to 8 letters and digits, the first of letters. https://www.rfc-editor.org/rfc/rfc5646
 */
static bool is_language(med_str code)
{
    enum { PART = 8 };
    bool first = true;
    while (code.len > 0) {
        med_str part = med_str_cut(code, '-', &code);
        if (part.len == 0 || part.len > PART)
            return false;
        for (size_t i = 0; i < part.len; i++) {
            if (first ? !med_is_alpha(part.ptr[i]) : !med_is_alnum(part.ptr[i]))
                return false;
        }
        if (first && part.len == 1 && part.ptr[0] != 'x' && part.ptr[0] != 'i')
            return false;
        first = false;
    }
    return !first;
}

static bool is_token(med_str s)
{
    static const char others[] = "!#$&-^_.+";
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_alnum(s.ptr[i]) && memchr(others, s.ptr[i], sizeof others - 1) == NULL)
            return false;
    }
    return s.len > 0;
}

/* type/subtype, perhaps with parameters; R4 allows "xml", "json" and "ttl" in places. */
static bool is_media_type(med_str code)
{
    med_str rest, subtype;
    med_str type = med_str_cut(code, ';', &rest);
    type = med_str_trim(type);
    if (med_str_eqz(type, "xml") || med_str_eqz(type, "json") || med_str_eqz(type, "ttl"))
        return true;
    type = med_str_cut(type, '/', &subtype);
    return is_token(type) && is_token(subtype);
}

static bool is_currency(med_str code)
{
    enum { LETTERS = 3 };
    for (size_t i = 0; i < code.len; i++) {
        if (!med_is_upper(code.ptr[i]))
            return false;
    }
    return code.len == LETTERS;
}

void med_check_code_grammar(med_check *c, med_type owner, uint16_t element, uint32_t node,
                            med_str code)
{
    med_element e;
    med_type_element(c->p, owner, element, &e);
    med_str most = med_element_max_value_set(c->p, owner, element);
    if (med_str_ends(most, MED_STR("/all-languages")) && !is_language(code))
        med_check_problem(c, node, NULL, MED_ISSUE_CODE_INVALID,
                          "expected a language tag (BCP 47), like \"nb-NO\"");
    else if (e.binding == 4 && med_str_ends(e.value_set, MED_STR("/currencies"))
             && !is_currency(code))
        med_check_problem(c, node, NULL, MED_ISSUE_CODE_INVALID,
                          "expected a currency (ISO 4217), like \"NOK\"");
    else if ((e.binding == 4 && med_str_ends(e.value_set, MED_STR("/mimetypes")))
             || med_str_search(most, MED_STR("bcp13"), 0) < most.len) {
        if (!is_media_type(code))
            med_check_problem(c, node, NULL, MED_ISSUE_CODE_INVALID,
                              "expected a media type (BCP 13), like \"application/pdf\"");
    }
}
