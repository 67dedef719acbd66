/* structure_binding.c - https://hl7.org/fhir/R4/terminologies.html#strength
 *
 * Concepts against the value sets of their elements: with the codes of the pack where it holds
 * them, else by asking the terminology (codes.h). Of a required binding a concept needs one code
 * of the value set; an extensible one is advised. What is not known here is told, never passed. */
#include "validate/structure_check.h"

/* How a concept stands to its binding. */
struct finding {
    bool any;       /* it has a code at all */
    bool in;        /* one of them is in the value set */
    bool undecided; /* of one it can not be told */
    uint32_t node;  /* the first that is not: its code */
    med_str code, near, missing, hint;
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

static med_coded coded_at(med_check *c, uint32_t coding, uint32_t *code)
{
    uint32_t unused;
    return (med_coded){
        .value_set = MED_STR_EMPTY,
        .system = text_of(c, coding, MED_STR("system"), &unused),
        .version = text_of(c, coding, MED_STR("version"), &unused),
        .code = text_of(c, coding, MED_STR("code"), code),
        .display = MED_STR_EMPTY,
    };
}

static bool ask(med_check *c, const med_coded *q, med_coded_answer *out)
{
    const med_coded_lookup *codes = c->options->codes;
    return !c->out_of_memory && !c->failed
           && (codes->ask(codes->self, c->a, q, out, c->err) || !(c->failed = true));
}

/* ---- one code against a value set ---- */

/* The codes of the pack, else what the terminology says. */
static bool is_in(med_check *c, const med_bound *b, med_coded *q, struct finding *out)
{
    med_coded_answer answer;
    if (b->codes.n > 0) {
        bool any_system = q->system.len == 0 && b->any_system;
        bool has = any_system ? med_codes_have(c->p, b->codes, q->code)
                              : med_codes_have_in(c->p, b->codes, q->system, q->code);
        if (!has)
            out->near = med_codes_nearest(c->p, b->codes, q->code);
        return has;
    }
    q->value_set = b->value_set;
    if (!ask(c, q, &answer) || answer.verdict == MED_CODED_IN)
        return true;
    out->near = answer.nearest;
    if (answer.verdict == MED_CODED_NO_VALUE_SET || answer.verdict == MED_CODED_NO_SYSTEM) {
        out->undecided = true;
        out->missing = answer.missing;
        out->hint = answer.hint;
    }
    return false;
}

static void look_at_code(med_check *c, const med_bound *b, med_coded *q, uint32_t node,
                         struct finding *out)
{
    struct finding one = {.near = MED_STR_EMPTY};
    out->any = true;
    if (is_in(c, b, q, &one)) {
        out->in = true;
    } else if (out->node == 0 || (one.undecided && !out->undecided)) {
        *out = one;
        out->any = true;
        out->node = node;
        out->code = q->code;
    }
}

static void look_at(med_check *c, const med_bound *b, uint32_t coding, struct finding *out)
{
    uint32_t at;
    if (med_json_kind_at(c->j, coding) != MED_JSON_OBJECT)
        return;
    med_coded q = coded_at(c, coding, &at);
    if (q.code.len == 0)
        return;
    if (q.system.len == 0 && b->codes.n == 0) { /* a code of no system is in no value set */
        if (out->node == 0)
            out->node = at;
        out->any = true;
        return;
    }
    look_at_code(c, b, &q, at, out);
}

static void look_at_all(med_check *c, const med_bound *b, uint32_t concept, struct finding *out)
{
    const med_json_node *nodes = c->j->nodes;
    uint32_t list = med_json_member(c->j, concept, MED_STR("coding"));
    if (list == 0 || med_json_kind_at(c->j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < nodes[list].next && !out->in; e = nodes[e].next)
        look_at(c, b, e, out);
}

static const char *strength(const med_bound *b)
{
    return b->is_required ? "which is required here" : "which should be used if one fits";
}

static void report(med_check *c, const med_bound *b, const struct finding *found)
{
    const char *hint = found->near.len == 0                   ? ""
                       : med_str_eq(found->near, found->code) ? "; it has this code in another "
                                                                "system: "
                                                              : "; nearest: ";
    void (*say)(med_check *, uint32_t, const char *, enum med_issue, const char *, ...) =
        b->is_required ? med_check_problem : med_check_warning;
    say(c, found->node, NULL, MED_ISSUE_CODE_INVALID, "not a code of %.*s, %s%s%.*s",
        MED_STR_ARG(b->value_set), strength(b), hint, MED_STR_ARG(found->near));
}

/* Never passed in silence, but no error of the resource either, except for who asks for all. */
static void report_undecided(med_check *c, const med_bound *b, const struct finding *found)
{
    bool is_set = med_str_eq(found->missing, b->value_set);
    void (*say)(med_check *, uint32_t, const char *, enum med_issue, const char *, ...) =
        b->is_required && c->options->strict ? med_check_problem : med_check_warning;
    say(c, found->node, NULL, MED_ISSUE_NOT_FOUND,
        "it can not be told whether this is a code of %.*s, %s: %.*s%s%.*s",
        MED_STR_ARG(b->value_set), strength(b),
        MED_STR_ARG(is_set ? MED_STR("it") : found->missing),
        found->missing.len > 0 ? " is not known here; " : "", MED_STR_ARG(found->hint));
}

static void conclude(med_check *c, const med_bound *b, uint32_t node, const struct finding *found)
{
    if (found->in || c->out_of_memory || c->failed)
        return;
    /* Only extensions say why there is no code. */
    if (!found->any) {
        if (b->is_required && med_json_member(c->j, node, MED_STR("extension")) == 0)
            med_check_problem(c, node, NULL, MED_ISSUE_CODE_INVALID,
                              "a code of %.*s is required here", MED_STR_ARG(b->value_set));
    } else if (found->undecided) {
        report_undecided(c, b, found);
    } else {
        report(c, b, found);
    }
}

static bool can_tell(const med_check *c, const med_bound *b)
{
    return (b->codes.n > 0 || (c->options->codes != NULL && b->value_set.len > 0))
           && (b->is_required || !c->options->quiet);
}

void med_check_bound_concept(med_check *c, const med_bound *b, uint32_t node)
{
    struct finding found = {.near = MED_STR_EMPTY};
    if (!can_tell(c, b))
        return;
    look_at_all(c, b, node, &found);
    conclude(c, b, node, &found);
}

void med_check_bound_coding(med_check *c, const med_bound *b, uint32_t node)
{
    struct finding found = {.near = MED_STR_EMPTY};
    if (!can_tell(c, b))
        return;
    look_at(c, b, node, &found);
    if (b->is_quantity)
        found.node = node;
    conclude(c, b, node, &found);
}

void med_check_bound_code(med_check *c, const med_bound *b, uint32_t node, med_str code)
{
    struct finding found = {.near = MED_STR_EMPTY};
    med_coded q = {MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY, code, MED_STR_EMPTY};
    med_bound any = *b;
    any.any_system = true;
    if (!can_tell(c, b))
        return;
    look_at_code(c, &any, &q, node, &found);
    conclude(c, &any, node, &found);
}

/* ---- the bindings of R4 itself ---- */

static med_bound bound_of(const med_check *c, med_type owner, uint16_t element)
{
    med_element e;
    med_type_element(c->p, owner, element, &e);
    med_str url = med_str_sub(e.value_set, 0, med_str_find(e.value_set, '|', 0));
    bool binds = e.binding == MED_BINDING_REQUIRED || e.binding == MED_BINDING_EXTENSIBLE;
    return (med_bound){
        .value_set = binds ? url : MED_STR_EMPTY,
        .codes = med_element_bound(c->p, owner, element),
        .is_required = e.binding == MED_BINDING_REQUIRED,
    };
}

/* Is the Coding one of a CodeableConcept whose binding speaks of its codes? */
static bool is_bound_above(const med_check *c, const med_check_frame *f)
{
    enum { LEVELS = 3 }; /* the concept, its list, the Coding */
    if (f->owner != c->concept || c->depth < LEVELS)
        return false;
    const med_check_frame *above = &c->stack[c->depth - LEVELS];
    return above->owner != MED_TYPE_NONE && above->type == c->concept
           && bound_of(c, above->owner, above->owner_element).value_set.len > 0;
}

/* What its own system says of a Coding: is the display right, is it still in use? */
static void look_in_system(med_check *c, const med_check_frame *f, bool is_bound)
{
    uint32_t at, display;
    med_coded_answer answer;
    med_coded q = coded_at(c, f->node, &at);
    q.display = text_of(c, f->node, MED_STR("display"), &display);
    if (q.system.len == 0 || q.code.len == 0 || !ask(c, &q, &answer))
        return;
    /* An error for who asks for all; on writes real data is taken as it is. */
    void (*say)(med_check *, uint32_t, const char *, enum med_issue, const char *, ...) =
        c->options->strict ? med_check_problem : med_check_warning;
    if (answer.verdict == MED_CODED_NO_SUCH_CODE && !is_bound)
        say(c, at, NULL, MED_ISSUE_CODE_INVALID, "its system has no such code%s%.*s",
            answer.nearest.len > 0 ? "; nearest: " : "", MED_STR_ARG(answer.nearest));
    if (answer.is_supplement)
        say(c, med_json_member(c->j, f->node, MED_STR("system")), NULL, MED_ISSUE_CODE_INVALID,
            "this is a supplement, which adds to the codes of another system and has none itself");
    if (answer.verdict != MED_CODED_IN)
        return;
    if (answer.display_wrong)
        say(c, display, NULL, MED_ISSUE_INVALID, "not a display of this code; the right one: %.*s",
            MED_STR_ARG(answer.display));
    if (answer.inactive)
        med_check_warning(c, at, NULL, MED_ISSUE_BUSINESS_RULE,
                          "the code is inactive: its use should be reviewed");
}

void med_check_binding(med_check *c, const med_check_frame *f)
{
    bool is_concept = f->type == c->concept, is_coding = f->type == c->coding;
    if (f->owner == MED_TYPE_NONE
        || (!is_concept && !is_coding && !med_type_is_a(c->p, f->type, c->quantity)))
        return;
    if (c->options->quiet && c->options->codes == NULL
        && med_element_bound(c->p, f->owner, f->owner_element).n == 0)
        return;
    med_bound b = bound_of(c, f->owner, f->owner_element);
    if (is_concept) {
        med_check_bound_concept(c, &b, f->node);
    } else if (b.value_set.len > 0) {
        b.is_quantity = !is_coding;
        med_check_bound_coding(c, &b, f->node);
    }
    if (is_coding && !c->options->quiet && c->options->codes != NULL)
        look_in_system(c, f, b.value_set.len > 0 || is_bound_above(c, f));
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
    else if (e.binding == MED_BINDING_REQUIRED && med_str_ends(e.value_set, MED_STR("/currencies"))
             && !is_currency(code))
        med_check_problem(c, node, NULL, MED_ISSUE_CODE_INVALID,
                          "expected a currency (ISO 4217), like \"NOK\"");
    else if ((e.binding == MED_BINDING_REQUIRED && med_str_ends(e.value_set, MED_STR("/mimetypes")))
             || med_str_search(most, MED_STR("bcp13"), 0) < most.len) {
        if (!is_media_type(code))
            med_check_problem(c, node, NULL, MED_ISSUE_CODE_INVALID,
                              "expected a media type (BCP 13), like \"application/pdf\"");
    } else if (most.len == 0
               && (e.binding == MED_BINDING_REQUIRED || e.binding == MED_BINDING_EXTENSIBLE)) {
        med_bound b = bound_of(c, owner, element);
        med_check_bound_code(c, &b, node, code);
    }
}
