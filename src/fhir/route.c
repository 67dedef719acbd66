/* route.c - https://hl7.org/fhir/R4/http.html#summary */
#include "fhir/route.h"

#include "model/reference.h"

enum { PATH_SEGMENTS = 5 };

typedef struct segments {
    med_str at[PATH_SEGMENTS];
    size_t n;
} segments;

static bool split_path(med_arena *a, med_str path, segments *out, med_err *err)
{
    if (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    med_str rest = path;
    while (rest.len > 0) {
        med_str raw = med_str_cut(rest, '/', &rest);
        if (out->n == PATH_SEGMENTS)
            return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                            "the path has more parts than any interaction");
        if (!med_percent_decode(a, raw, false, &out->at[out->n], err))
            return false;
        if (out->at[out->n].len == 0)
            return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "the path has an empty part ('//')");
        out->n++;
    }
    return true;
}

bool med_route_nearest_types(med_arena *a, const med_pack *p, med_str name, med_str *out)
{
    size_t n;
    const med_type *types = med_pack_resources(p, &n);
    med_str *names = MED_TAKE(a, n, med_str);
    if (names == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        names[i] = med_type_name(p, types[i]);
    *out = med_str_nearest(name, names, n);
    return true;
}

static bool unknown_type(med_call *call, med_str name, med_err *err)
{
    med_str nearest;
    if (!med_route_nearest_types(call->arena, call->fhir->pack, name, &nearest))
        return MED_FAIL_MEMORY(err);
    if (nearest.len == 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                        "the path starts with neither a resource type of FHIR R4 nor an operation");
    return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                    "there is no such resource type in FHIR R4; nearest: %.*s",
                    MED_STR_ARG(nearest));
}

static bool is_operation(med_str segment)
{
    return segment.len > 0 && (segment.ptr[0] == '$' || segment.ptr[0] == '_');
}

static bool take_system(med_call *call, const segments *s)
{
    med_fhir_request *r = &call->request;
    r->level = MED_LEVEL_SYSTEM;
    if (s->n == 0)
        return true;
    if (s->n > 1 || (!is_operation(s->at[0]) && !med_str_eqz(s->at[0], "metadata")))
        return false;
    r->operation = s->at[0];
    return true;
}

static bool take_id(med_fhir_request *r, med_str id, med_err *err)
{
    if (!med_id_is_valid(id))
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "a resource id is 1 to 64 letters, digits, '-' or '.'");
    r->id = id;
    return true;
}

/* Patient/1/Observation, with "*" for all types, and its _search */
static bool take_compartment(med_call *call, const segments *s, med_err *err)
{
    med_fhir_request *r = &call->request;
    const med_pack *p = call->fhir->pack;
    r->level = MED_LEVEL_COMPARTMENT;
    r->operation = s->n == 4 ? s->at[3] : MED_STR_EMPTY;
    if (med_str_eqz(s->at[2], "*"))
        return true;
    r->member = med_pack_type(p, s->at[2]);
    return r->member != MED_TYPE_NONE && med_type_kind_of(p, r->member) == MED_TYPE_RESOURCE
                   && !med_type_is_abstract(p, r->member)
               ? true
               : unknown_type(call, s->at[2], err);
}

/* Patient/1, Patient/1/$op, Patient/1/_history, Patient/1/_history/2 */
static bool take_instance(med_call *call, const segments *s, med_err *err)
{
    med_fhir_request *r = &call->request;
    r->level = MED_LEVEL_INSTANCE;
    if (!take_id(r, s->at[1], err))
        return false;
    if (s->n == 2)
        return true;
    if (s->n == 4 && med_str_eqz(s->at[2], "_history")) {
        r->level = MED_LEVEL_VERSION;
        r->version = s->at[3];
        return true;
    }
    if (s->n == 5 && med_str_eqz(s->at[2], "_history") && is_operation(s->at[4])) {
        r->level = MED_LEVEL_VERSION;
        r->version = s->at[3];
        r->operation = s->at[4];
        return true;
    }
    if (s->n <= 4 && !is_operation(s->at[2]))
        return take_compartment(call, s, err);
    if (s->n != 3)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "no interaction has such a path behind an id");
    r->operation = s->at[2];
    return true;
}

static bool take_type(med_call *call, const segments *s, med_err *err)
{
    med_fhir_request *r = &call->request;
    const med_pack *p = call->fhir->pack;
    r->type_name = s->at[0];
    r->type = med_pack_type(p, s->at[0]);
    if (r->type == MED_TYPE_NONE || med_type_kind_of(p, r->type) != MED_TYPE_RESOURCE
        || med_type_is_abstract(p, r->type))
        return unknown_type(call, s->at[0], err);
    r->type_name = med_type_name(p, r->type);
    r->level = MED_LEVEL_TYPE;
    if (s->n == 1)
        return true;
    if (s->n == 2 && is_operation(s->at[1])) {
        r->operation = s->at[1];
        return true;
    }
    return take_instance(call, s, err);
}

bool med_interaction_is_of(const med_interaction *i, med_str type)
{
    med_str types = i->types == NULL ? MED_STR_EMPTY : med_str_from(i->types);
    while (types.len > 0) {
        if (med_str_eq(med_str_cut(types, ' ', &types), type))
            return true;
    }
    return i->types == NULL;
}

static bool matches(const med_interaction *i, const med_fhir_request *r)
{
    return i->level == r->level && med_str_eqz(r->operation, i->operation)
           && med_interaction_is_of(i, r->type_name);
}

enum { OPERATIONS = 64, LISTED = 160 }; /* of one level and type, at most */

static bool refuse_operation(const med_call *call, med_err *err)
{
    med_str names[OPERATIONS], list = MED_STR_EMPTY;
    size_t n = 0;
    const med_fhir_request *r = &call->request;
    for (size_t i = 0; i < med_interaction_count && n < OPERATIONS; i++) {
        const med_interaction *at = med_interactions[i];
        med_str name = med_str_from(at->operation);
        if (at->level != r->level || !is_operation(name) || !med_interaction_is_of(at, r->type_name)
            || (n > 0 && med_str_eq(names[n - 1], name)))
            continue;
        if (list.len < LISTED) /* what a diagnostic has room for */
            list = med_arena_printf(call->arena, "%.*s%s%.*s", MED_STR_ARG(list), n > 0 ? ", " : "",
                                    MED_STR_ARG(name));
        names[n++] = name;
    }
    med_str nearest = med_str_nearest(r->operation, names, n);
    return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no such operation at this level; %s%.*s",
                    nearest.len > 0 ? "nearest: " : "possible: ",
                    MED_STR_ARG(nearest.len > 0 ? nearest : list));
}

static bool refuse_method(med_call *call, med_err *err)
{
    med_buf allow;
    med_buf_init(&allow, 256);
    for (size_t i = 0; i < med_interaction_count; i++) {
        if (!matches(med_interactions[i], &call->request))
            continue;
        med_str name = med_str_from(med_method_name(med_interactions[i]->method));
        if (med_str_search(med_buf_str(&allow), name, 0) < allow.len)
            continue;
        med_buf_addz(&allow, allow.len > 0 ? ", " : "");
        med_buf_add(&allow, name);
        if (med_interactions[i]->method == MED_GET)
            med_buf_addz(&allow, ", HEAD");
    }
    bool known = allow.len > 0;
    bool kept = med_arena_copy(call->arena, med_buf_str(&allow), &call->response.allow);
    med_buf_free(&allow);
    if (!kept)
        return MED_FAIL_MEMORY(err);
    if (!known)
        return refuse_operation(call, err);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "this method is not possible here; possible: %.*s",
                   MED_STR_ARG(call->response.allow));
    return med_err_status(err, 405);
}

static bool find_interaction(med_call *call, med_err *err)
{
    const med_fhir_request *r = &call->request;
    enum med_method method = r->method == MED_HEAD ? MED_GET : r->method;
    for (size_t i = 0; i < med_interaction_count; i++) {
        const med_interaction *at = med_interactions[i];
        if (at->method == method && matches(at, r)) {
            call->interaction = at;
            return true;
        }
    }
    return refuse_method(call, err);
}

bool med_route(med_call *call, enum med_method method, med_str path, med_str query, med_err *err)
{
    segments s = {0};
    call->request.method = method;
    call->request.type = call->request.member = MED_TYPE_NONE;
    call->write = SIZE_MAX;
    if (!split_path(call->arena, path, &s, err)
        || !med_query_parse(call->arena, query, &call->request.query, err))
        return false;
    if (!take_system(call, &s) && !take_type(call, &s, err))
        return false;
    return find_interaction(call, err);
}
