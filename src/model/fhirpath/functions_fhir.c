/* functions_fhir.c - https://hl7.org/fhir/R4/fhirpath.html#functions */
#include "model/fhirpath/functions.h"
#include "model/fhirpath/values.h"
#include "model/xhtml.h"

/* ---- extensions and values ---- */

/* Keeps on the stack those extensions of `from` that have this URL. */
static bool push_extensions(med_fp_run *r, const med_value *from, med_str url)
{
    const struct med_fp_step step = {.name = MED_STR("extension")};
    size_t first = r->n;
    if (from->kind != MED_VALUE_NODE || !med_fp_step_from(r, &step, from))
        return from->kind != MED_VALUE_NODE;
    size_t kept = first;
    for (size_t i = first; i < r->n; i++) {
        uint32_t node = med_fp_member(&r->values[i], "url");
        if (node != 0 && med_json_kind_at(r->values[i].json, node) == MED_JSON_STRING
            && med_json_string_is(r->values[i].json, node, url))
            r->values[kept++] = r->values[i];
    }
    r->n = kept;
    return true;
}

bool med_fp_call_extension(med_fp_run *r, size_t argc)
{
    med_str url;
    bool found = false;
    if (!med_fp_single_string(r, med_fp_operand(r, 0), &found, &url))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    med_fp_drop(r, 1);
    size_t first = r->marks[r->n_marks - 1];
    size_t end = r->n;
    for (size_t i = first; i < end; i++) {
        med_value item = r->values[i];
        if (!med_fp_spend(r, 1) || !push_extensions(r, &item, url))
            return false;
    }
    memmove(r->values + first, r->values + end, (r->n - end) * sizeof *r->values);
    r->n -= end - first;
    return true;
}

bool med_fp_call_has_extension(med_fp_run *r, size_t argc)
{
    return med_fp_call_extension(r, argc) && med_fp_result_bool(r, 0, med_fp_operand(r, 0).n > 0);
}

/* A single primitive that has a value, not only extensions. */
static bool value_of(med_fp_run *r, bool *found, med_value *out)
{
    med_values items = med_fp_operand(r, 0);
    *found = false;
    if (items.n != 1 || med_fp_is_absent(items.at))
        return true;
    if (!med_fp_system(r, items.at, out))
        return false;
    *found = out->kind != MED_VALUE_NODE;
    return true;
}

bool med_fp_call_has_value(med_fp_run *r, size_t argc)
{
    bool found = false;
    med_value v;
    return value_of(r, &found, &v) && med_fp_result_bool(r, argc, found);
}

bool med_fp_call_get_value(med_fp_run *r, size_t argc)
{
    bool found = false;
    med_value v;
    if (!value_of(r, &found, &v))
        return false;
    return found ? med_fp_result(r, argc, &v) : med_fp_result_empty(r, argc);
}

/* ---- references ---- */

/* What a Reference, uri or canonical says; false on memory only. */
static bool reference_text(med_fp_run *r, const med_value *v, bool *found, med_str *out)
{
    uint32_t node = med_fp_is_absent(v) ? 0 : med_fp_member(v, "reference");
    med_value system;
    *found = false;
    if (node != 0 && med_json_kind_at(v->json, node) == MED_JSON_STRING) {
        *found = true;
        return med_json_string(r->a, v->json, node, out) || MED_FAIL_MEMORY(r->err);
    }
    if (!med_fp_system(r, v, &system))
        return false;
    *found = system.kind == MED_VALUE_STRING;
    *out = system.text;
    return true;
}

static bool find_contained(const med_fp_run *r, med_str id, med_value *out)
{
    const med_value *root = r->root;
    if (root->kind != MED_VALUE_NODE || root->json == NULL)
        return false;
    if (id.len == 0) {
        *out = *root;
        return true;
    }
    const med_json *j = root->json;
    uint32_t list = med_fp_member(root, "contained");
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return false;
    for (uint32_t i = list + 1; i < j->nodes[list].next; i = j->nodes[i].next) {
        uint32_t node =
            med_json_kind_at(j, i) == MED_JSON_OBJECT ? med_json_member(j, i, MED_STR("id")) : 0;
        if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING
            || !med_json_string_is(j, node, id))
            continue;
        *out = med_fp_node(r->p, j, i, 0, MED_TYPE_NONE);
        return true;
    }
    return false;
}

/* Does the full URL of an entry answer the reference? A relative one matches its end. */
static bool url_answers(med_str full, med_str reference)
{
    if (med_str_eq(full, reference))
        return true;
    return full.len > reference.len && med_str_ends(full, reference)
           && full.ptr[full.len - reference.len - 1] == '/'
           && med_str_search(reference, MED_STR("://"), 0) == reference.len;
}

static bool find_entry(med_fp_run *r, med_str reference, med_value *out)
{
    const med_value *root = r->root;
    uint32_t list = root->kind == MED_VALUE_NODE ? med_fp_member(root, "entry") : 0;
    if (list == 0 || med_json_kind_at(root->json, list) != MED_JSON_ARRAY)
        return false;
    const med_json *j = root->json;
    for (uint32_t i = list + 1; i < j->nodes[list].next; i = j->nodes[i].next) {
        if (med_json_kind_at(j, i) != MED_JSON_OBJECT)
            continue;
        uint32_t url = med_json_member(j, i, MED_STR("fullUrl"));
        uint32_t resource = med_json_member(j, i, MED_STR("resource"));
        r->steps++;
        if (url == 0 || resource == 0 || med_json_kind_at(j, resource) != MED_JSON_OBJECT
            || med_json_kind_at(j, url) != MED_JSON_STRING
            || !url_answers(med_json_raw(j, url), reference))
            continue;
        *out = med_fp_node(r->p, j, resource, 0, MED_TYPE_NONE);
        return true;
    }
    return false;
}

static bool find_resource(med_fp_run *r, med_str text, med_value *out)
{
    if (text.len > 0 && text.ptr[0] == '#')
        return find_contained(r, med_str_skip(text, 1), out);
    if (find_entry(r, text, out))
        return true;
    return r->env != NULL && r->env->resolve != NULL
           && r->env->resolve(r->env->arg, r->a, text, out);
}

bool med_fp_call_resolve(med_fp_run *r, size_t argc)
{
    size_t first = r->marks[r->n_marks - 1];
    size_t kept = first;
    (void)argc;
    for (size_t i = first; i < r->n; i++) {
        bool found = false;
        med_str text;
        med_value item = r->values[i];
        if (!med_fp_spend(r, 1) || !reference_text(r, &item, &found, &text))
            return false;
        if (found && find_resource(r, text, &item))
            r->values[kept++] = item;
    }
    r->n = kept;
    return true;
}

/* The type named in Type/id, .../Type/id/_history/n. */
static med_type type_in_text(const med_pack *p, med_str text)
{
    med_str parts[3] = {MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY};
    text = med_str_sub(text, 0, med_str_search(text, MED_STR("/_history/"), 0));
    for (med_str rest = text; rest.len > 0;) {
        parts[0] = parts[1];
        parts[1] = med_str_cut(rest, '/', &rest);
    }
    med_type t = parts[0].len == 0 ? MED_TYPE_NONE : med_pack_type(p, parts[0]);
    return t != MED_TYPE_NONE && med_type_kind_of(p, t) == MED_TYPE_RESOURCE ? t : MED_TYPE_NONE;
}

/* Reference.type, else what the text of the reference names. */
static med_type type_of_reference(const med_fp_run *r, const med_value *v, med_str text)
{
    uint32_t node = med_fp_is_absent(v) ? 0 : med_fp_member(v, "type");
    med_type t = type_in_text(r->p, text);
    if (t == MED_TYPE_NONE && node != 0 && med_json_kind_at(v->json, node) == MED_JSON_STRING)
        t = med_pack_type(r->p, med_json_raw(v->json, node));
    return t;
}

bool med_fp_resolve_is(med_fp_run *r, const struct med_fp_type_test *test)
{
    med_values items = med_fp_operand(r, 0);
    bool found = false;
    med_str text = MED_STR_EMPTY;
    med_value target;
    if (items.n == 0)
        return true;
    if (items.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "'is' takes one item, not several");
    if (!reference_text(r, items.at, &found, &text))
        return false;
    med_type named = found ? type_of_reference(r, items.at, text) : MED_TYPE_NONE;
    if (named != MED_TYPE_NONE)
        return med_fp_result_bool(
            r, 0, test->fhir != MED_TYPE_NONE && med_type_is_a(r->p, named, test->fhir));
    if (!found || !find_resource(r, text, &target))
        return med_fp_result_empty(r, 0);
    return med_fp_result_bool(r, 0, med_fp_is_of(r, &target, test));
}

/* ---- terminology and profiles ---- */

bool med_fp_call_member_of(med_fp_run *r, size_t argc)
{
    med_str url;
    bool found = false;
    bool member = false;
    med_values items = med_fp_operand(r, argc);
    if (!med_fp_single_string(r, med_fp_operand(r, 0), &found, &url))
        return false;
    if (items.n == 0 || !found)
        return med_fp_result_empty(r, argc);
    if (items.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "memberOf() takes one item, not several");
    if (r->env == NULL || r->env->member_of == NULL)
        return med_fp_fail(r, MED_ISSUE_NOT_SUPPORTED, "memberOf() needs a terminology service");
    if (!r->env->member_of(r->env->arg, items.at, url, &member))
        return med_fp_result_empty(r, argc); /* nobody knows */
    return med_fp_result_bool(r, argc, member);
}

/* Of a base definition of R4 the type says it, where nobody is there to check the resource. */
static bool conforms_to_base(const med_fp_run *r, const med_value *v, med_str url, bool *out)
{
    static const char base[] = "http://hl7.org/fhir/StructureDefinition/";
    if (!med_str_starts(url, MED_STR("http://hl7.org/fhir/StructureDefinition/")))
        return false;
    med_type type = med_pack_type(r->p, med_str_skip(url, sizeof base - 1));
    if (type == MED_TYPE_NONE)
        return false;
    *out =
        v->kind == MED_VALUE_NODE && v->type != MED_TYPE_NONE && med_type_is_a(r->p, v->type, type);
    return true;
}

bool med_fp_call_conforms_to(med_fp_run *r, size_t argc)
{
    med_str url;
    bool found = false;
    bool conforms = false;
    med_values items = med_fp_operand(r, argc);
    if (!med_fp_single_string(r, med_fp_operand(r, 0), &found, &url))
        return false;
    if (!found || items.n != 1)
        return med_fp_result_empty(r, argc);
    bool known = conforms_to_base(r, items.at, url, &conforms);
    if (!known && (r->env == NULL || r->env->conforms_to == NULL))
        return med_fp_fail(r, MED_ISSUE_NOT_SUPPORTED,
                           "conformsTo() knows the base definitions of R4 only");
    bool ask = !known
               || (conforms && r->env != NULL && r->env->conforms_to != NULL
                   && med_type_kind_of(r->p, items.at->type) == MED_TYPE_RESOURCE);
    if (ask && !r->env->conforms_to(r->env->arg, items.at, url, &conforms) && !known)
        return med_fp_fail(r, MED_ISSUE_NOT_SUPPORTED, "conformsTo() does not know that profile");
    return med_fp_result_bool(r, argc, conforms);
}

static bool subsumes(med_fp_run *r, size_t argc, bool above)
{
    bool is = false;
    med_values input = med_fp_operand(r, 1);
    med_values other = med_fp_operand(r, 0);
    if (input.n > 1 || other.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "one code was expected, not several");
    if (input.n == 0 || other.n == 0)
        return med_fp_result_empty(r, argc);
    if (r->env == NULL || r->env->subsumes == NULL)
        return med_fp_fail(r, MED_ISSUE_NOT_SUPPORTED,
                           "subsumes() and subsumedBy() need a terminology service");
    bool known = above ? r->env->subsumes(r->env->arg, input.at, other.at, &is)
                       : r->env->subsumes(r->env->arg, other.at, input.at, &is);
    return known ? med_fp_result_bool(r, argc, is) : med_fp_result_empty(r, argc);
}

bool med_fp_call_subsumes(med_fp_run *r, size_t argc)
{
    return subsumes(r, argc, true);
}

bool med_fp_call_subsumed_by(med_fp_run *r, size_t argc)
{
    return subsumes(r, argc, false);
}

/* The definition of an element, and slices by name, belong to a profile, which a run does not
 * have. R4 lets an engine say so. */
bool med_fp_call_element_definition(med_fp_run *r, size_t argc)
{
    (void)argc;
    return med_fp_fail(
        r, MED_ISSUE_NOT_SUPPORTED,
        "elementDefinition() is not supported: an expression runs without a profile");
}

bool med_fp_call_slice(med_fp_run *r, size_t argc)
{
    (void)argc;
    return med_fp_fail(r, MED_ISSUE_NOT_SUPPORTED,
                       "slice() is not supported: an expression runs without a profile");
}

static bool is_listed(const med_fp_run *r, size_t argc, const med_value *modifier)
{
    uint32_t node = med_fp_member(modifier, "url");
    if (node == 0 || med_json_kind_at(modifier->json, node) != MED_JSON_STRING)
        return false;
    for (size_t i = 0; i < argc; i++) {
        med_values known = med_fp_operand(r, i);
        for (size_t k = 0; k < known.n; k++)
            if (known.at[k].kind == MED_VALUE_STRING
                && med_json_string_is(modifier->json, node, known.at[k].text))
                return true;
    }
    return false;
}

/* The input, if it has no modifier extension but those listed; else an error. */
bool med_fp_call_check_modifiers(med_fp_run *r, size_t argc)
{
    const struct med_fp_step step = {.name = MED_STR("modifierExtension")};
    size_t start = r->marks[r->n_marks - 1 - argc];
    size_t end = argc == 0 ? r->n : r->marks[r->n_marks - argc];
    size_t top = r->n;
    for (size_t i = start; i < end; i++) {
        med_value item = r->values[i];
        if (!med_fp_spend(r, 1) || !med_fp_step_from(r, &step, &item))
            return false;
        for (size_t k = top; item.kind == MED_VALUE_NODE && k < r->n; k++)
            if (!is_listed(r, argc, &r->values[k]))
                return med_fp_fail(r, MED_ISSUE_PROCESSING,
                                   "there is a modifier extension that was not listed");
        r->n = top;
    }
    med_fp_drop(r, argc);
    return true;
}

/* Stands for txt-1 (only harmless formatting) and txt-2 (some content). */
bool med_fp_call_html_checks(med_fp_run *r, size_t argc)
{
    char why[MED_XHTML_TEXT];
    bool found = false;
    med_str text;
    if (!med_fp_single_string(r, med_fp_operand(r, 0), &found, &text))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    return med_fp_result_bool(r, argc,
                              med_xhtml_shows_something(text) && med_xhtml_check(text, why));
}
