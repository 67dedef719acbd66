/* search_parameter.c - https://hl7.org/fhir/R4/searchparameter.html */
#include "fhir/search_parameter.h"

#include "fhir/change.h"
#include "model/fhirpath.h"

static const struct {
    const char *name;
    enum med_param_type type;
} param_types[] = {
    {"number", MED_PARAM_NUMBER},
    {"date", MED_PARAM_DATE},
    {"string", MED_PARAM_STRING},
    {"token", MED_PARAM_TOKEN},
    {"reference", MED_PARAM_REFERENCE},
    {"quantity", MED_PARAM_QUANTITY},
    {"uri", MED_PARAM_URI},
};

static bool refuse_at(med_err *err, const char *element)
{
    return med_err_at(err, med_str_from(element)) || med_err_status(err, 422);
}

static bool member(med_arena *a, const med_json *j, uint32_t root, const char *name, med_str *out)
{
    uint32_t node = med_json_member(j, root, med_str_from(name));
    *out = MED_STR_EMPTY;
    return node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING
           || med_json_string(a, j, node, out);
}

/* ---- code and type ---- */

static bool is_word(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '_')))
            return false;
    }
    return s.len > 0 && s.len <= 64;
}

static bool read_code(const med_pack_param_extra *p, med_err *err)
{
    if (is_word(p->code))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_VALUE,
                   "the code of a search parameter of this server has 1 to 64 letters, digits, '-' "
                   "and '_', the first of which is a letter");
    return refuse_at(err, "SearchParameter.code");
}

static bool read_param_type(med_str name, enum med_param_type *out, med_err *err)
{
    for (size_t i = 0; i < sizeof param_types / sizeof *param_types; i++) {
        *out = param_types[i].type;
        if (med_str_eqz(name, param_types[i].name))
            return true;
    }
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "a search parameter of this server has one of the types number, date, string, "
                   "token, reference, quantity, uri; composite and special ones are not possible");
    return refuse_at(err, "SearchParameter.type");
}

/* ---- bases and targets ---- */

static bool is_abstract_base(med_str name)
{
    return med_str_eqz(name, "Resource") || med_str_eqz(name, "DomainResource");
}

static bool add_type(med_type *list, size_t *n, med_type t)
{
    for (size_t i = 0; i < *n; i++) {
        if (list[i] == t)
            return true;
    }
    list[(*n)++] = t;
    return true;
}

/* The resource types that an array of names means; Resource means all. */
static bool read_types(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                       const char *element, const med_type **out, size_t *n, med_err *err)
{
    size_t all = 0;
    const med_type *resources = med_pack_resources(p, &all);
    uint32_t list = med_json_member(j, root, med_str_from(element));
    med_type *types = MED_TAKE(a, all, med_type);
    *n = 0;
    *out = types;
    if (types == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t i = list + 1; list != 0 && i < j->nodes[list].next; i = j->nodes[i].next) {
        med_str name = med_json_raw(j, i);
        med_type t = med_pack_type(p, name);
        bool resource = t != MED_TYPE_NONE && med_type_kind_of(p, t) == MED_TYPE_RESOURCE;
        if (!resource) {
            med_str nearest = med_pack_nearest_resource(p, name);
            (void)MED_FAIL(err, MED_ISSUE_VALUE, "this is no resource type of R4%s%.*s",
                           nearest.len > 0 ? "; nearest: " : "", MED_STR_ARG(nearest));
            return refuse_at(err, med_arena_printf(a, "SearchParameter.%s", element).ptr);
        }
        for (size_t k = 0; k < all; k++) {
            if (resources[k] == t || (is_abstract_base(name) && med_type_is_a(p, resources[k], t)))
                (void)add_type(types, n, resources[k]);
        }
    }
    return true;
}

static bool is_free(const med_pack *core, const med_pack_param_extra *p, med_err *err)
{
    med_param known;
    for (size_t i = 0; i < p->n_bases; i++) {
        if (!med_pack_find_param(core, p->bases[i], p->code, &known))
            continue;
        (void)MED_FAIL(err, MED_ISSUE_DUPLICATE,
                       "%.*s has a search parameter '%.*s' already (%.*s): give this one another "
                       "code",
                       MED_STR_ARG(med_type_name(core, p->bases[i])), MED_STR_ARG(p->code),
                       MED_STR_ARG(med_str_sub(known.url, 0, 80)));
        return med_err_at(err, MED_STR("SearchParameter.code"));
    }
    return true;
}

/* ---- the expression ---- */

/* The next alternative of "A.x | B.y": bars inside of quotes and parentheses do not count. */
static med_str cut_part(med_str *rest)
{
    char quote = '\0';
    int depth = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (quote != '\0' && c == '\\')
            i++;
        else if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '\'' || c == '`')
            quote = c;
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        else if (c == '|' && depth <= 0) {
            med_str part = med_str_sub(*rest, 0, i);
            *rest = med_str_skip(*rest, i + 1);
            return part;
        }
    }
    med_str part = *rest;
    *rest = MED_STR_EMPTY;
    return part;
}

/* The type a part begins with: "Patient" of "Patient.name" and of "(Patient.name as X)". */
static med_type type_of_part(const med_pack *p, med_str part)
{
    size_t n = 0;
    part = med_str_trim(part);
    while (part.len > 0 && part.ptr[0] == '(')
        part = med_str_trim(med_str_skip(part, 1));
    while (n < part.len && is_word(med_str_sub(part, 0, n + 1)))
        n++;
    med_type t = med_pack_type(p, med_str_sub(part, 0, n));
    return t != MED_TYPE_NONE && med_type_kind_of(p, t) == MED_TYPE_RESOURCE ? t : MED_TYPE_NONE;
}

static bool compile(med_arena *a, const med_pack *p, med_str expression, med_type context,
                    med_err *err)
{
    const med_fhirpath *program;
    if (med_fhirpath_compile(a, p, expression, context, &program, err))
        return true;
    err->issue = err->issue == MED_ISSUE_TOO_COSTLY ? err->issue : MED_ISSUE_INVALID;
    return refuse_at(err, "SearchParameter.expression");
}

/* Each part with the type it is about, so that elements that type does not have are found. */
static bool check_parts(med_arena *a, const med_pack *core, const med_pack_param_extra *p,
                        bool *about, med_err *err)
{
    med_str rest = p->expression;
    while (rest.len > 0) {
        med_str part = cut_part(&rest);
        med_type t = type_of_part(core, part);
        if (t != MED_TYPE_NONE && !med_type_is_abstract(core, t) && !compile(a, core, part, t, err))
            return false;
        for (size_t i = 0; i < p->n_bases; i++)
            about[i] = about[i] || t == MED_TYPE_NONE || med_type_is_a(core, p->bases[i], t);
    }
    return true;
}

static bool check_expression(med_arena *a, const med_pack *core, const med_pack_param_extra *p,
                             med_err *err)
{
    bool *about = MED_TAKE(a, p->n_bases, bool);
    if (about == NULL)
        return MED_FAIL_MEMORY(err);
    if (p->expression.len == 0 || p->expression.len > MED_ADDED_EXPRESSION) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                       "an active search parameter needs a FHIRPath expression (of at most %d "
                       "bytes) that gives the values to search for",
                       MED_ADDED_EXPRESSION);
        return refuse_at(err, "SearchParameter.expression");
    }
    if (!compile(a, core, p->expression, MED_TYPE_NONE, err)
        || !check_parts(a, core, p, about, err))
        return false;
    for (size_t i = 0; i < p->n_bases; i++) {
        if (about[i])
            continue;
        (void)MED_FAIL(err, MED_ISSUE_VALUE,
                       "nothing in the expression is about %.*s, which is one of the bases",
                       MED_STR_ARG(med_type_name(core, p->bases[i])));
        return refuse_at(err, "SearchParameter.expression");
    }
    return true;
}

/* ---- the whole ---- */

static bool is_standard(med_str url)
{
    return med_str_starts(url, MED_STR("http://hl7.org/fhir/SearchParameter/"));
}

bool med_search_parameter_read(med_arena *a, const med_pack *core, const med_json *j, uint32_t root,
                               bool *active, med_pack_param_extra *out, med_err *err)
{
    med_str status, type;
    *out = (med_pack_param_extra){0};
    if (!member(a, j, root, "status", &status) || !member(a, j, root, "type", &type)
        || !member(a, j, root, "code", &out->code) || !member(a, j, root, "url", &out->url)
        || !member(a, j, root, "expression", &out->expression))
        return MED_FAIL_MEMORY(err);
    *active = med_str_eqz(status, "active") && !is_standard(out->url);
    if (!*active)
        return true;
    return read_code(out, err) && read_param_type(type, &out->type, err)
           && read_types(a, core, j, root, "base", &out->bases, &out->n_bases, err)
           && read_types(a, core, j, root, "target", &out->targets, &out->n_targets, err)
           && is_free(core, out, err) && check_expression(a, core, out, err);
}

bool med_search_parameter_clash(const med_pack_param_extra *x, const med_pack_param_extra *y,
                                med_type *on)
{
    if (!med_str_eq(x->code, y->code))
        return false;
    for (size_t i = 0; i < x->n_bases; i++) {
        for (size_t k = 0; k < y->n_bases; k++) {
            *on = x->bases[i];
            if (x->bases[i] == y->bases[k])
                return true;
        }
    }
    return false;
}

/* ---- against the others ---- */

static bool compare(med_call *call, const med_pack_param_extra *p, const med_match *other,
                    med_err *err)
{
    med_json j;
    bool active = false;
    med_pack_param_extra q;
    med_stored stored;
    med_err ignored = {0};
    med_type on = MED_TYPE_NONE;
    const med_pack *core = med_pack_core();
    enum med_found found = med_view_by_rid(call->view, call->arena, other->rid, &stored, err);
    if (found == MED_FAILED)
        return false;
    if (found == MED_ABSENT || stored.change == MED_DELETED)
        return true;
    if (!med_json_parse(call->arena, stored.text, &j, NULL, err))
        return false;
    if (!med_search_parameter_read(call->arena, core, &j, 0, &active, &q, &ignored) || !active
        || !med_search_parameter_clash(p, &q, &on))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_DUPLICATE,
                   "SearchParameter/%.*s gives %.*s a search parameter '%.*s' already",
                   MED_STR_ARG(other->id), MED_STR_ARG(med_type_name(core, on)),
                   MED_STR_ARG(p->code));
    return med_err_at(err, MED_STR("SearchParameter.code"));
}

static bool is_among(const med_match *matches, size_t n, med_str id)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq(matches[i].id, id))
            return true;
    }
    return false;
}

bool med_search_parameter_check(med_call *call, med_str id, med_err *err)
{
    bool active;
    med_pack_param_extra p;
    med_match *others;
    size_t n;
    const med_fhir_request *r = &call->request;
    if (!med_search_parameter_read(call->arena, med_pack_core(), r->json, r->root, &active, &p,
                                   err))
        return false;
    if (!active)
        return true;
    if (call->view == NULL) /* an import: who was first is seen when the set is made */
        return true;
    med_pair pairs[] = {{MED_STR("code"), p.code}, {MED_STR("status"), MED_STR("active")}};
    const med_pairs query = {pairs, 2};
    if (!med_change_condition(call, r->type, &query, MED_ADDED_PARAMETERS, &others, &n, err))
        return false;
    size_t added = med_pack_param_count(call->fhir->pack) - med_pack_param_count(med_pack_core());
    if (added >= MED_ADDED_PARAMETERS && !is_among(others, n, id))
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                        "this server has %d search parameters of its own: retire one first",
                        MED_ADDED_PARAMETERS);
    for (size_t i = 0; i < n; i++) {
        if (!med_str_eq(others[i].id, id) && !compare(call, &p, &others[i], err))
            return false;
    }
    return true;
}
