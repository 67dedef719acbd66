/* content.c - https://hl7.org/fhir/R4/http.html#general */
#include "fhir/content.h"

#include "base/datetime.h"
#include "fhir/binary.h"
#include "model/element_names.h"
#include "model/xml.h"

/* ---- header fields ---- */

static bool read_return(med_str value, enum med_return *out)
{
    if (med_str_eqz(value, "minimal"))
        *out = MED_RETURN_MINIMAL;
    else if (med_str_eqz(value, "representation"))
        *out = MED_RETURN_REPRESENTATION;
    else if (med_str_eqz(value, "OperationOutcome"))
        *out = MED_RETURN_OUTCOME;
    else
        return false;
    return true;
}

/* One preference of RFC 7240: name[=value][;parameters]. Unknown ones are to be ignored. */
static bool read_preference(med_fhir_request *r, med_str one, med_err *err)
{
    med_str value;
    one = med_str_trim(med_str_cut(one, ';', &value));
    med_str name = med_str_trim(med_str_cut(one, '=', &value));
    value = med_str_trim(value);
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = med_str_sub(value, 1, value.len - 1);
    if (med_str_eq_ignore_case(name, MED_STR("respond-async")))
        r->respond_async = true;
    if (med_str_eq_ignore_case(name, MED_STR("return")) && !read_return(value, &r->prefer))
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "Prefer: return must be minimal, representation or OperationOutcome");
    if (med_str_eq_ignore_case(name, MED_STR("handling"))) {
        r->strict = !med_str_eqz(value, "lenient");
        if (r->strict && !med_str_eqz(value, "strict"))
            return MED_FAIL(err, MED_ISSUE_INVALID, "Prefer: handling must be strict or lenient");
    }
    return true;
}

static bool read_preferences(med_fhir_request *r, const med_request *http, med_err *err)
{
    for (size_t i = 0; i < http->n_headers; i++) {
        if (!med_str_eq_ignore_case(http->headers[i].name, MED_STR("Prefer")))
            continue;
        med_str rest = http->headers[i].value;
        while (rest.len > 0) {
            if (!read_preference(r, med_str_cut(rest, ',', &rest), err))
                return false;
        }
    }
    return true;
}

enum { IDEMPOTENCY_KEY_BYTES = 255 };

/* An empty condition is none, and what was meant to depend on it must not be done. */
static bool refuse_empty(const med_request *http, med_err *err)
{
    static const char *const names[] = {"If-Match", "If-None-Match", "If-None-Exist",
                                        "Idempotency-Key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_request_has_header(http, names[i]) && med_request_header(http, names[i]).len == 0)
            return MED_FAIL(err, MED_ISSUE_INVALID, "%s is empty: say what it is, or leave it out",
                            names[i]);
    }
    return true;
}

bool med_content_headers(med_call *call, const med_request *http, med_err *err)
{
    med_fhir_request *r = &call->request;
    r->strict = true;
    r->content_type = med_request_header(http, "Content-Type");
    r->accept = med_request_header(http, "Accept");
    r->accept_language = med_request_header(http, "Accept-Language");
    r->if_match = med_request_header(http, "If-Match");
    r->if_none_match = med_request_header(http, "If-None-Match");
    r->if_none_exist = med_request_header(http, "If-None-Exist");
    r->if_modified_since = med_request_header(http, "If-Modified-Since");
    r->security_context = med_request_header(http, "X-Security-Context");
    r->idempotency_key = med_request_header(http, "Idempotency-Key");
    if (r->idempotency_key.len > IDEMPOTENCY_KEY_BYTES)
        return MED_FAIL(err, MED_ISSUE_INVALID, "Idempotency-Key is longer than %d bytes",
                        IDEMPOTENCY_KEY_BYTES);
    return refuse_empty(http, err) && read_preferences(r, http, err);
}

/* ---- media types ---- */

static med_str media_type(med_str field)
{
    med_str parameters;
    return med_str_trim(med_str_cut(field, ';', &parameters));
}

/* The format a media type (or the short names of _format) stands for. */
static enum med_format format_of(med_str type)
{
    static const struct {
        med_str name;
        enum med_format format;
    } names[] = {
        {MED_LIT("application/fhir+json"), MED_FORMAT_JSON},
        {MED_LIT("application/json"), MED_FORMAT_JSON},
        {MED_LIT("text/json"), MED_FORMAT_JSON},
        {MED_LIT("application/json+fhir"), MED_FORMAT_JSON},
        {MED_LIT("application/fhir+xml"), MED_FORMAT_XML},
        {MED_LIT("application/xml"), MED_FORMAT_XML},
        {MED_LIT("text/xml"), MED_FORMAT_XML},
        {MED_LIT("application/xml+fhir"), MED_FORMAT_XML},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_str_eq_ignore_case(type, names[i].name))
            return names[i].format;
    }
    return MED_FORMAT_NONE;
}

/* The value of `name=` among a media type's parameters, without quotes; empty if none. */
static med_str media_parameter(med_str field, med_str name)
{
    med_str rest;
    (void)med_str_cut(field, ';', &rest);
    while (rest.len > 0) {
        med_str value, one = med_str_cut(rest, ';', &rest);
        med_str key = med_str_trim(med_str_cut(one, '=', &value));
        value = med_str_trim(value);
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = med_str_sub(value, 1, value.len - 1);
        if (med_str_eq_ignore_case(key, name))
            return value;
    }
    return MED_STR_EMPTY;
}

static bool version_is_ours(med_str field)
{
    med_str version = media_parameter(field, MED_STR("fhirVersion"));
    return version.len == 0 || med_str_eqz(version, "4.0") || med_str_eqz(version, "4.0.1");
}

/* "0.75" -> 750. What is no quality counts as 1, as if it were not there. */
static int quality(med_str range)
{
    med_str q = media_parameter(range, MED_STR("q"));
    bool fraction = q.len > 1 && q.ptr[1] == '.';
    if (q.len == 0 || q.len > 5 || (q.len > 1 && !fraction) || q.ptr[0] != '0')
        return 1000;
    int thousandths = 0;
    for (size_t i = 2, weight = 100; i < q.len; i++, weight /= 10) {
        if (!med_is_digit(q.ptr[i]))
            return 1000;
        thousandths += (int)weight * (q.ptr[i] - '0');
    }
    return thousandths;
}

static med_str query_value(const med_call *call, const char *name)
{
    for (size_t i = 0; i < call->request.query.n; i++) {
        if (med_str_eqz(call->request.query.at[i].name, name))
            return call->request.query.at[i].value;
    }
    return MED_STR_EMPTY;
}

static bool not_acceptable(med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "this server answers in application/fhir+json and application/fhir+xml; "
                   "fhirVersion=4.0");
    return med_err_status(err, 406);
}

/* A Binary may be asked for in its own media type, so its Accept is not judged here. */
static bool may_be_native(const med_call *call)
{
    return call->request.type != MED_TYPE_NONE && med_str_eqz(call->request.type_name, "Binary")
           && (call->request.level == MED_LEVEL_INSTANCE
               || call->request.level == MED_LEVEL_VERSION);
}

/* A '+' that was not escaped arrives as a space. */
static enum med_format format_of_name(med_str name)
{
    bool json =
        med_str_eqz(name, "json") || med_str_eq_ignore_case(name, MED_STR("application/fhir json"));
    bool xml =
        med_str_eqz(name, "xml") || med_str_eq_ignore_case(name, MED_STR("application/fhir xml"));
    return json ? MED_FORMAT_JSON : xml ? MED_FORMAT_XML : format_of(name);
}

/* The best of an Accept field; the first of equals. Whoever takes anything gets JSON. */
static enum med_format preferred(med_str accept)
{
    enum med_format best = MED_FORMAT_NONE;
    int best_quality = 0;
    while (accept.len > 0) {
        med_str range = med_str_cut(accept, ',', &accept);
        med_str type = media_type(range);
        bool any = med_str_eqz(type, "*/*") || med_str_eqz(type, "application/*");
        enum med_format format = any ? MED_FORMAT_JSON : format_of(type);
        if (format == MED_FORMAT_NONE || !version_is_ours(range) || quality(range) <= best_quality)
            continue;
        best = format;
        best_quality = quality(range);
    }
    return best;
}

bool med_content_negotiate(med_call *call, med_err *err)
{
    med_fhir_request *r = &call->request;
    med_str asked = query_value(call, "_format");
    if (asked.len > 0)
        r->answer = version_is_ours(asked) ? format_of_name(media_type(asked)) : MED_FORMAT_NONE;
    else
        r->answer = r->accept.len == 0 ? MED_FORMAT_JSON : preferred(r->accept);
    if (r->answer != MED_FORMAT_NONE)
        return true;
    r->answer = MED_FORMAT_JSON;
    return (asked.len == 0 && may_be_native(call)) || not_acceptable(err);
}

/* ---- body ---- */

static bool takes_resource(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    return (r->method == MED_POST || r->method == MED_PUT || r->method == MED_PATCH)
           && !med_str_eqz(r->operation, "_search");
}

static bool is_json_patch(const med_call *call)
{
    return call->request.method == MED_PATCH
           && med_str_eq_ignore_case(media_type(call->request.content_type),
                                     MED_STR("application/json-patch+json"));
}

/* The encoding of the two is part of FHIR; what says so, or says its part, is right. */
static bool is_utf8(med_str field)
{
    med_str charset = media_parameter(field, MED_STR("charset"));
    return charset.len == 0 || med_str_eq_ignore_case(charset, MED_STR("utf-8"))
           || med_str_eq_ignore_case(charset, MED_STR("utf8"))
           || med_str_eq_ignore_case(charset, MED_STR("us-ascii"));
}

static bool check_content_type(const med_call *call, enum med_format *format, med_err *err)
{
    const med_fhir_request *r = &call->request;
    *format = is_json_patch(call) ? MED_FORMAT_JSON : format_of(media_type(r->content_type));
    if (*format != MED_FORMAT_NONE && !is_utf8(r->content_type)) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "FHIR is UTF-8; the charset is another");
        return med_err_status(err, 415);
    }
    if (*format != MED_FORMAT_NONE && version_is_ours(r->content_type))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "the body must be application/fhir+json or application/fhir+xml%s; "
                   "Content-Type is %s",
                   r->method == MED_PATCH ? " (FHIRPath Patch), or application/json-patch+json"
                                          : "",
                   r->content_type.len == 0 ? "missing" : "another");
    return med_err_status(err, 415);
}

bool med_content_is_fhir(med_str field)
{
    return format_of(media_type(field)) != MED_FORMAT_NONE;
}

/* XML as JSON, in the call's arena. JSON is never twice as long. */
static bool read_xml(med_call *call, med_str xml, med_str *json, med_err *err)
{
    enum { SPARE = 64 << 10 };
    med_buf out;
    med_buf_init(&out, 2 * xml.len + SPARE);
    bool good = med_xml_read(call->fhir->pack, call->arena, xml, &out, err)
                && (med_arena_copy(call->arena, med_buf_str(&out), json) || MED_FAIL_MEMORY(err));
    med_buf_free(&out);
    return good;
}

bool med_content_read(med_call *call, med_err *err)
{
    med_fhir_request *r = &call->request;
    if (r->json != NULL || !takes_resource(call))
        return true;
    if (med_binary_is_native_body(call))
        return med_binary_read(call, err);
    if (r->body.len == 0 && r->operation.len > 0)
        return true; /* operations may be called without parameters */
    if (r->body.len == 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "the body is empty; a resource was expected");
    enum med_format format;
    med_str text = r->body;
    if (!check_content_type(call, &format, err)
        || (format == MED_FORMAT_XML && !read_xml(call, r->body, &text, err)))
        return false;
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_json_parse(call->arena, text, j, NULL, err))
        return false;
    r->json = j;
    r->root = 0;
    return true;
}

/* ---- shape of the answer ---- */

static bool read_summary(med_str value, enum med_summary *out)
{
    static const med_str names[] = {MED_LIT("false"), MED_LIT("true"), MED_LIT("text"),
                                    MED_LIT("data"), MED_LIT("count")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_str_eq(value, names[i])) {
            *out = (enum med_summary)i;
            return true;
        }
    }
    return false;
}

/* What the names of _elements can belong to: the type in the address where that is what is given
 * back, else any resource. */
static bool read_elements(const med_call *call, med_str list, med_shape *out, med_err *err)
{
    size_t n;
    med_element_names names;
    const med_fhir_request *r = &call->request;
    const med_pack *pack = call->fhir->pack;
    const med_type *types = med_pack_resources(pack, &n);
    const med_type *one = r->level == MED_LEVEL_COMPARTMENT ? &r->member : &r->type;
    bool itself = r->operation.len == 0 || r->operation.ptr[0] == '_'; /* no $operation */
    if (itself && *one != MED_TYPE_NONE) {
        types = one;
        n = 1;
    }
    if (!med_element_names_read(pack, call->arena, types, n, list, r->strict, &names, err))
        return false;
    out->elements = names.at;
    out->n_elements = names.n;
    return true;
}

bool med_content_answer(med_call *call, med_err *err)
{
    med_json j;
    med_buf xml;
    med_buf_init(&xml, MED_JSON_MAX_BYTES);
    bool good = med_json_parse(call->arena, call->response.body, &j, NULL, err)
                && med_xml_write(call->fhir->pack, &j, 0, &xml, err)
                && (med_arena_copy(call->arena, med_buf_str(&xml), &call->response.body)
                    || MED_FAIL_MEMORY(err));
    med_buf_free(&xml);
    return good || med_err_status(err, 406);
}

bool med_content_shape(med_call *call, med_shape *out, med_err *err)
{
    med_str pretty = query_value(call, "_pretty");
    med_str summary = query_value(call, "_summary");
    med_str elements = query_value(call, "_elements");
    if (pretty.len > 0 && !med_str_eqz(pretty, "true") && !med_str_eqz(pretty, "false"))
        return MED_FAIL(err, MED_ISSUE_INVALID, "_pretty must be true or false");
    out->pretty = med_str_eqz(pretty, "true");
    if (summary.len > 0 && !read_summary(summary, &out->summary))
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "_summary must be true, text, data, count or false");
    if (elements.len > 0 && summary.len > 0 && out->summary != MED_SUMMARY_FALSE)
        return MED_FAIL(err, MED_ISSUE_INVALID, "_summary and _elements can not be used together");
    return elements.len == 0 || read_elements(call, elements, out, err);
}

/* Of two that differ none is obeyed. */
static bool shape_is_said_once(const med_call *call, med_err *err)
{
    static const char *const names[] = {"_format", "_pretty", "_summary", "_elements"};
    const med_pairs *query = &call->request.query;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        size_t before = 0; /* from 1 */
        for (size_t i = 0; i < query->n; i++) {
            if (!med_str_eqz(query->at[i].name, names[n]))
                continue;
            if (before > 0) {
                (void)MED_FAIL(err, MED_ISSUE_VALUE,
                               "parameter %zu, '%s': it was given before, as parameter %zu", i + 1,
                               names[n], before);
                return med_err_status(err, 400);
            }
            before = i + 1;
        }
    }
    return true;
}

enum { PARAMETERS = 8 }; /* of an interaction's URL, at most */

static bool refuse_parameter(const med_call *call, med_str name, const med_str *known, size_t n,
                             med_err *err)
{
    med_str nearest = med_str_nearest(name, known, n), list = known[0];
    for (size_t i = 1; i < n; i++)
        list =
            med_arena_printf(call->arena, "%.*s, %.*s", MED_STR_ARG(list), MED_STR_ARG(known[i]));
    return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                    "a parameter that %s does not know; %s%.*s%sknown: %.*s",
                    call->interaction->name, nearest.len > 0 ? "nearest: " : "",
                    MED_STR_ARG(nearest), nearest.len > 0 ? "; " : "", MED_STR_ARG(list));
}

static bool check_parameters(const med_call *call, med_err *err)
{
    med_str known[PARAMETERS] = {MED_LIT("_format"), MED_LIT("_pretty"), MED_LIT("_summary"),
                                 MED_LIT("_elements")};
    med_str more = med_str_from(call->interaction->parameters);
    size_t n = 4;
    while (more.len > 0 && n < PARAMETERS)
        known[n++] = med_str_cut(more, ' ', &more);
    for (size_t i = 0; i < call->request.query.n; i++) {
        med_str name = call->request.query.at[i].name;
        size_t k = 0;
        while (k < n && !med_str_eq(name, known[k]))
            k++;
        if (k == n)
            return refuse_parameter(call, name, known, n, err);
    }
    return true;
}

bool med_content_query(med_call *call, med_err *err)
{
    med_shape ignored = {0};
    if (call->request.query.n == 0)
        return true;
    return (call->interaction->parameters == NULL || !call->request.strict
            || check_parameters(call, err))
           && shape_is_said_once(call, err) && med_content_shape(call, &ignored, err);
}

uint64_t med_content_hash(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    uint64_t head = med_store_hash2(call->fhir->store, med_str_from(med_method_name(r->method)),
                                    ' ', r->type_name);
    /* of a create the id is ours and new each time */
    med_str id = r->level == MED_LEVEL_TYPE ? MED_STR_EMPTY : r->id;
    uint64_t what = med_store_hash2(call->fhir->store, id, ' ', r->if_none_exist);
    uint64_t body = med_store_hash(call->fhir->store, r->body);
    uint64_t parts[] = {head, what, body};
    return med_store_hash(call->fhir->store, (med_str){(const char *)parts, sizeof parts});
}
