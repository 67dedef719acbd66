/* terms.c - see terms.h. https://hl7.org/fhir/R4/terminology-service.html */
#include "fhir/terms.h"

#include "fhir/change.h"
#include "fhir/meta.h"
#include "fhir/respond.h"
#include "fhir/term_element.h"
#include "fhir/term_store.h"
#include "terminology/code_system_json.h"

enum { ANSWER_BYTES = 64 << 20 };

/* ---- parameters ---- */

static bool is_value(med_str key)
{
    return med_str_starts(key, MED_STR("value")) && key.len > 5;
}

static bool read_one(med_term_call *t, uint32_t e, med_term_param *out)
{
    const med_json *j = t->json;
    med_arena *a = t->call->arena;
    out->value = MED_STR_EMPTY;
    if (!med_json_text(a, j, e, "name", &out->name))
        return false;
    out->node = med_json_member(j, e, MED_STR("resource"));
    for (uint32_t k = e + 1; k < j->nodes[e].next; k = j->nodes[k + 1].next) {
        if (!is_value(med_json_raw(j, k)))
            continue;
        out->node = k + 1;
        if (med_json_kind_at(j, k + 1) == MED_JSON_STRING)
            return med_json_string(a, j, k + 1, &out->value);
        if (med_json_kind_at(j, k + 1) != MED_JSON_OBJECT)
            out->value = med_json_raw(j, k + 1);
    }
    if (out->node == 0)
        out->node = med_json_member(j, e, MED_STR("part"));
    return true;
}

static bool read_body(med_term_call *t, med_term_param *params, size_t *n)
{
    const med_json *j = t->json;
    uint32_t list = j == NULL ? 0 : med_json_member(j, t->call->request.root, MED_STR("parameter"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT && !read_one(t, e, &params[(*n)++]))
            return false;
    }
    return true;
}

static bool check_names(const med_term_call *t, const char *const *known, med_err *err)
{
    enum { NAMES = 64 };
    med_str names[NAMES];
    size_t n = 0;
    for (; n < NAMES && known[n] != NULL; n++)
        names[n] = med_str_from(known[n]);
    for (size_t i = 0; i < t->n_params; i++) {
        med_str name = t->params[i].name;
        bool found = name.len > 0 && name.ptr[0] == '_';
        for (size_t k = 0; k < n && !found; k++)
            found = med_str_eq(name, names[k]);
        if (found || !t->call->request.strict || t->params[i].node != 0)
            continue;
        med_str nearest = med_str_nearest(name, names, n);
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "this operation has no such parameter%s%.*s",
                       nearest.len > 0 ? "; nearest: " : "", MED_STR_ARG(nearest));
        return med_err_status(err, 400);
    }
    return true;
}

const med_term_param *med_term_param_at(const med_term_call *t, const char *name, size_t index)
{
    for (size_t i = 0; i < t->n_params; i++) {
        if (med_str_eqz(t->params[i].name, name) && index-- == 0)
            return &t->params[i];
    }
    return NULL;
}

med_str med_term_param_text(const med_term_call *t, const char *name)
{
    const med_term_param *p = med_term_param_at(t, name, 0);
    return p == NULL ? MED_STR_EMPTY : p->value;
}

bool med_term_param_is(const med_term_call *t, const char *name, bool otherwise)
{
    const med_term_param *p = med_term_param_at(t, name, 0);
    return p == NULL ? otherwise : med_str_eqz(p->value, "true");
}

/* ---- the context ---- */

static bool choose_versions(med_term_call *t)
{
    static const struct {
        const char *name;
        enum med_choice how;
    } kinds[] = {{"force-system-version", MED_CHOICE_FORCE},
                 {"check-system-version", MED_CHOICE_CHECK},
                 {"system-version", MED_CHOICE_DEFAULT},
                 {"default-valueset-version", MED_CHOICE_VALUE_SET}};
    med_version_choice *at = MED_TAKE(t->call->arena, t->n_params, med_version_choice);
    if (at == NULL)
        return false;
    t->x.choices = at;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; i < t->n_params; i++) {
            if (!med_str_eqz(t->params[i].name, kinds[k].name))
                continue;
            med_version_choice *c = &at[t->x.n_choices++];
            med_canonical_split(t->params[i].value, &c->url, &c->version);
            c->how = kinds[k].how;
        }
    }
    return true;
}

static bool collect_extra(med_term_call *t)
{
    uint32_t *extra = MED_TAKE(t->call->arena, t->n_params, uint32_t);
    med_str *supplements = MED_TAKE(t->call->arena, t->n_params, med_str);
    if (extra == NULL || supplements == NULL)
        return false;
    t->x.extra_json = t->json;
    t->x.extra = extra;
    t->x.supplements = supplements;
    for (size_t i = 0; i < t->n_params; i++) {
        const med_term_param *p = &t->params[i];
        if (med_str_eqz(p->name, "tx-resource") && p->node != 0)
            extra[t->x.n_extra++] = p->node;
        if (med_str_eqz(p->name, "useSupplement"))
            supplements[t->x.n_supplements++] = p->value;
    }
    return true;
}

bool med_term_refuse(med_term_call *t, int status, const med_term_issues *issues, med_err *err)
{
    med_buf b;
    med_call *call = t->call;
    med_buf_init(&b, 1 << 20);
    med_json_writer w = med_json_writer_to(&b);
    med_term_issues_write(&w, issues);
    bool ok = !b.failed && med_arena_copy(call->arena, med_buf_str(&b), &call->response.body);
    med_buf_free(&b);
    call->response.status = status;
    call->response.is_outcome = true;
    t->refused = true;
    return ok ? true : MED_FAIL_MEMORY(err);
}

bool med_term_refuse_one(med_term_call *t, int status, const char *code, const char *tx_code,
                         const char *id, med_str at, med_str text, med_err *err)
{
    med_term_issues *l = MED_TAKE(t->call->arena, 1, med_term_issues);
    if (l == NULL)
        return MED_FAIL_MEMORY(err);
    l->arena = t->call->arena;
    l->hint = MED_STR_EMPTY;
    med_term_issue_add(l, MED_TERM_ERROR, code, tx_code, id, at, "%.*s", MED_STR_ARG(text));
    return med_term_refuse(t, status, l, err);
}

/* A supplement that the caller asks for must be there. */
static bool check_supplements(med_term_call *t, med_err *err)
{
    for (size_t i = 0; i < t->x.n_supplements; i++) {
        med_str url, version, text;
        med_canonical_split(t->x.supplements[i], &url, &version);
        if (!med_term_text(&t->x, MED_TERM_CODE_SYSTEM, url, version, &text, err))
            return false;
        if (text.len == 0)
            return med_term_refuse_one(
                t, 404, "not-found", "not-found", "VALUESET_SUPPLEMENT_MISSING", MED_STR_EMPTY,
                med_arena_printf(t->call->arena, "Required supplement not found: %.*s",
                                 MED_STR_ARG(t->x.supplements[i])),
                err);
    }
    return true;
}

bool med_term_call_begin(med_call *call, const char *const *known, med_term_call *out, med_err *err)
{
    const med_fhir_request *r = &call->request;
    uint32_t list = 0;
    *out = (med_term_call){.call = call, .json = r->method == MED_POST ? r->json : NULL};
    if (out->json != NULL)
        list = med_json_member(out->json, r->root, MED_STR("parameter"));
    size_t room = r->query.n + (list == 0 ? 0 : out->json->nodes[list].count);
    med_term_param *params = MED_TAKE(call->arena, room, med_term_param);
    if (params == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < r->query.n; i++)
        params[out->n_params++] = (med_term_param){r->query.at[i].name, r->query.at[i].value, 0};
    if (!read_body(out, params, &out->n_params))
        return MED_FAIL_MEMORY(err);
    out->params = params;
    if (!check_names(out, known, err))
        return false;
    if (!med_term_store_of(call, &out->source, err))
        return false;
    med_terminology_source *source = MED_TAKE(call->arena, 1, med_terminology_source);
    med_term_scope *scope = MED_TAKE(call->arena, 1, med_term_scope);
    if (source == NULL || scope == NULL)
        return MED_FAIL_MEMORY(err);
    *source = out->source;
    *scope = (med_term_scope){call->fhir->terminology, source};
    out->x = med_term_context_of(scope, call->arena);
    if (!choose_versions(out) || !collect_extra(out))
        return MED_FAIL_MEMORY(err);
    out->language = med_term_param_text(out, "displayLanguage");
    if (out->language.len == 0)
        out->language = r->accept_language;
    if (med_str_eqz(med_str_trim(out->language), "*"))
        out->language = MED_STR_EMPTY;
    return check_supplements(out, err);
}

bool med_term_call_resource(med_term_call *t, const med_json **j, uint32_t *node, med_err *err)
{
    med_stored s;
    med_json *parsed = MED_TAKE(t->call->arena, 1, med_json);
    if (parsed == NULL)
        return MED_FAIL_MEMORY(err);
    *j = parsed;
    *node = 0;
    return med_find_current(t->call, &s, err)
           && med_json_parse(t->call->arena, s.text, parsed, NULL, err);
}

bool med_term_call_set(med_term_call *t, const med_value_set **out, med_str *canonical,
                       med_err *err)
{
    const med_term_param *p = med_term_param_at(t, "valueSet", 0);
    med_str url, version;
    *canonical = med_term_param_text(t, "url");
    *out = NULL;
    if (t->call->request.level == MED_LEVEL_INSTANCE) {
        const med_json *j;
        uint32_t node;
        return med_term_call_resource(t, &j, &node, err)
               && med_json_text(t->call->arena, j, node, "url", canonical)
               && med_value_set_compile(&t->x, j, node, out, err);
    }
    if (p != NULL && p->node != 0 && med_json_kind_at(t->json, p->node) == MED_JSON_OBJECT) {
        if (!med_json_text(t->call->arena, t->json, p->node, "url", canonical))
            return MED_FAIL_MEMORY(err);
        return med_value_set_compile(&t->x, t->json, p->node, out, err);
    }
    med_str context = med_term_param_text(t, "context");
    if (canonical->len == 0 && context.len > 0 && !med_term_element_set(t, context, canonical, err))
        return false;
    if (canonical->len == 0) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                       "name the value set: parameter url (a canonical), valueSet, or context (the "
                       "element that is bound to it)");
        return med_err_status(err, 400);
    }
    med_canonical_split(*canonical, &url, &version);
    if (version.len == 0)
        version = med_term_param_text(t, "valueSetVersion");
    return med_term_value_set(&t->x, url, version, out, err);
}

bool med_term_use_own_language(med_term_call *t, const med_value_set *vs)
{
    med_arena *a = t->call->arena;
    if (vs == NULL || t->language.len > 0)
        return true;
    uint32_t compose = med_json_member(vs->json, vs->node, MED_STR("compose"));
    return med_value_set_parameter(a, vs->json, compose, "displayLanguage", &t->language)
           && (t->language.len > 0
               || med_json_text(a, vs->json, vs->node, "language", &t->language));
}

/* ---- answers ---- */

void med_term_write_begin(med_buf *b, med_json_writer *w)
{
    med_buf_init(b, ANSWER_BYTES);
    *w = med_json_writer_to(b);
    med_json_open(w, '{');
    med_json_pair(w, "resourceType", MED_STR("Parameters"));
    med_json_key(w, MED_STR("parameter"));
    med_json_open(w, '[');
}

bool med_term_write_end(med_call *call, med_buf *b, med_json_writer *w, med_err *err)
{
    med_json_close(w, ']');
    med_json_close(w, '}');
    bool ok = !b->failed && med_arena_copy(call->arena, med_buf_str(b), &call->response.body);
    med_buf_free(b);
    call->response.status = 200;
    return ok ? true : MED_FAIL_MEMORY(err);
}

void med_term_write_text(med_json_writer *w, const char *name, const char *type, med_str value)
{
    if (value.len == 0)
        return;
    med_json_open(w, '{');
    med_json_pair(w, "name", med_str_from(name));
    med_json_pair(w, type, value);
    med_json_close(w, '}');
}

void med_term_write_bool(med_json_writer *w, const char *name, bool value)
{
    med_json_open(w, '{');
    med_json_pair(w, "name", med_str_from(name));
    med_json_key(w, MED_STR("valueBoolean"));
    med_json_bool(w, value);
    med_json_close(w, '}');
}

void med_term_write_coding(med_json_writer *w, med_str system, med_str version, med_str code,
                           med_str display)
{
    med_json_open(w, '{');
    med_json_pair(w, "system", system);
    med_json_pair(w, "version", version);
    med_json_pair(w, "code", code);
    med_json_pair(w, "display", display);
    med_json_close(w, '}');
}

/* ---- languages ---- */

bool med_term_language_fits(med_str have, med_str wanted)
{
    while (wanted.len > 0) {
        med_str rest, range = med_str_trim(med_str_cut(wanted, ',', &wanted));
        range = med_str_trim(med_str_cut(range, ';', &rest));
        if (range.len == 0 || med_str_eqz(range, "*") || have.len == 0)
            continue;
        if (med_str_eq_ignore_case(have, range)
            || (have.len > range.len && have.ptr[range.len] == '-'
                && med_str_eq_ignore_case(med_str_sub(have, 0, range.len), range)))
            return true;
    }
    return false;
}

bool med_term_language_only(med_str languages)
{
    while (languages.len > 0) {
        med_str weight, range = med_str_cut(languages, ',', &languages);
        range = med_str_trim(med_str_cut(range, ';', &weight));
        weight = med_str_trim(weight);
        if (!med_str_eqz(range, "*") || !med_str_starts(weight, MED_STR("q=0")))
            continue;
        weight = med_str_skip(weight, 3);
        while (weight.len > 0 && (weight.ptr[0] == '.' || weight.ptr[0] == '0'))
            weight = med_str_skip(weight, 1);
        if (weight.len == 0)
            return true;
    }
    return false;
}

static bool designation_in(const med_image *m, med_concept c, med_str range, med_str *out,
                           med_str *language)
{
    med_designation d;
    bool found = false;
    for (size_t i = 0; med_concept_designation(m, c, i, &d); i++) {
        if (!med_term_language_fits(d.language, range) || med_designation_is_withdrawn(&d))
            continue;
        bool preferred = med_str_eqz(d.use_code, "display")
                         || med_str_eqz(d.use_code, "preferredForLanguage") || d.use_code.len == 0;
        if (!found || preferred) {
            *out = d.value;
            *language = d.language;
        }
        if (preferred)
            return true;
        found = true;
    }
    return found;
}

static bool listed_in(const med_code_hit *h, med_str range, med_str *out, med_str *in)
{
    const med_json *j = h->set == NULL ? NULL : h->set->json;
    if (j == NULL || h->listed == NULL)
        return false;
    uint32_t list = med_json_member(j, h->listed->node, MED_STR("designation"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t language = med_json_member(j, e, MED_STR("language"));
        uint32_t value = med_json_member(j, e, MED_STR("value"));
        if (language != 0 && value != 0
            && med_term_language_fits(med_json_raw(j, language), range)) {
            *out = med_json_raw(j, value);
            *in = med_json_raw(j, language);
            return true;
        }
    }
    return false;
}

med_str med_term_display_in(const med_code_hit *h, med_str language, bool *has,
                            med_str *language_of)
{
    med_str out = med_code_hit_display(h), ranges = language;
    const med_image *m = h->sys == NULL ? NULL : h->sys->image;
    med_str own = m == NULL ? MED_STR_EMPTY : med_image_language(m);
    med_str of = own;
    *has = language.len == 0;
    while (ranges.len > 0 && !*has) {
        med_str range = med_str_cut(ranges, ',', &ranges);
        if (listed_in(h, range, &out, &of)) {
            *has = true;
        } else if (m != NULL && med_term_language_fits(own, range)) {
            *has = true;
        } else if (m != NULL && h->concept != MED_CONCEPT_NONE) {
            *has = designation_in(m, h->concept, range, &out, &of);
            for (size_t i = 0; !*has && i < h->sys->n_supplements; i++) {
                const med_image *s = h->sys->supplements[i];
                *has = designation_in(s, med_image_find(s, h->code), range, &out, &of);
            }
        }
    }
    if (language_of != NULL)
        *language_of = of;
    return out;
}
