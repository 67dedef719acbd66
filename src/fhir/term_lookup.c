/* term_lookup.c - CodeSystem/$lookup and $subsumes.
 * https://hl7.org/fhir/R4/codesystem-operation-lookup.html
 * https://hl7.org/fhir/R4/codesystem-operation-subsumes.html */
#include "fhir/interactions.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"
#include "terminology/ecl.h"

static const char *const lookup_known[] = {
    "code",     "system",      "version",       "coding",         "date",     "displayLanguage",
    "property", "tx-resource", "useSupplement", "system-version", "cache-id", NULL};

typedef struct coding {
    med_str system, version, code;
} coding;

static bool read_coding(const med_term_call *t, const char *name, coding *out, med_err *err)
{
    const med_term_param *p = med_term_param_at(t, name, 0);
    if (p == NULL || p->node == 0 || med_json_kind_at(t->json, p->node) != MED_JSON_OBJECT)
        return true;
    med_arena *a = t->call->arena;
    return med_json_text(a, t->json, p->node, "system", &out->system)
                   && med_json_text(a, t->json, p->node, "version", &out->version)
                   && med_json_text(a, t->json, p->node, "code", &out->code)
               ? true
               : MED_FAIL_MEMORY(err);
}

static bool refuse(med_err *err, int status)
{
    return med_err_status(err, status);
}

static bool find_system(med_term_call *t, const coding *c, const med_system **s, med_err *err)
{
    if (!med_term_system(&t->x, c->system, c->version, s, err))
        return false;
    if (*s != NULL)
        return true;
    (void)MED_FAIL(
        err, MED_ISSUE_NOT_FOUND, "A definition for CodeSystem '%.*s' could not be found; %.*s",
        MED_STR_ARG(c->system), MED_STR_ARG(med_term_hint(MED_TERM_CODE_SYSTEM, c->system)));
    return refuse(err, 404);
}

/* ---- the answer of $lookup ---- */

static bool wants(const med_term_call *t, const char *code)
{
    const med_term_param *p = med_term_param_at(t, "property", 0);
    for (size_t i = 0; p != NULL; p = med_term_param_at(t, "property", ++i)) {
        if (med_str_eqz(p->value, code) || med_str_eqz(p->value, "*"))
            return true;
    }
    return med_term_param_at(t, "property", 0) == NULL;
}

static bool wants_str(const med_term_call *t, med_str code)
{
    const med_term_param *p = med_term_param_at(t, "property", 0);
    for (size_t i = 0; p != NULL; p = med_term_param_at(t, "property", ++i)) {
        if (med_str_eq(p->value, code) || med_str_eqz(p->value, "*"))
            return true;
    }
    return med_term_param_at(t, "property", 0) == NULL;
}

static void part(med_json_writer *w, const char *name, const char *type, med_str value)
{
    med_term_write_text(w, name, type, value);
}

static void open_parts(med_json_writer *w, const char *name)
{
    med_json_open(w, '{');
    med_json_pair(w, "name", med_str_from(name));
    med_json_key(w, MED_STR("part"));
    med_json_open(w, '[');
}

static void close_parts(med_json_writer *w)
{
    med_json_close(w, ']');
    med_json_close(w, '}');
}

/* The display, too, is one of the names, in the language of the system. */
static void write_own(med_json_writer *w, const med_image *m, med_concept c)
{
    med_str display = med_concept_display(m, c);
    if (display.len == 0 || med_image_language(m).len == 0)
        return;
    open_parts(w, "designation");
    part(w, "language", "valueCode", med_image_language(m));
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("use"));
    med_json_key(w, MED_STR("valueCoding"));
    med_term_write_coding(w, MED_STR("http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra"),
                          MED_STR_EMPTY, MED_STR("preferredForLanguage"),
                          MED_STR("Preferred For Language"));
    med_json_close(w, '}');
    part(w, "value", "valueString", display);
    close_parts(w);
}

static void write_designations(med_json_writer *w, const med_image *m, med_concept c,
                               med_str source)
{
    med_designation d;
    for (size_t i = 0; med_concept_designation(m, c, i, &d); i++) {
        open_parts(w, "designation");
        part(w, "language", "valueCode", d.language);
        part(w, "source", "valueCanonical", source);
        if (d.use_code.len > 0) {
            med_json_open(w, '{');
            med_json_pair(w, "name", MED_STR("use"));
            med_json_key(w, MED_STR("valueCoding"));
            med_term_write_coding(w, d.use_system, MED_STR_EMPTY, d.use_code, d.use_display);
            med_json_close(w, '}');
        }
        part(w, "value", "valueString", d.value);
        close_parts(w);
    }
}

/* Order, label and weight may come from extensions: then they are no properties of the system,
 * though expansions can be asked for them. */
static bool is_declared(const med_term_call *t, const med_image *m, med_str code)
{
    med_json j;
    med_err ignored;
    med_arena *a = t->call->arena;
    if (!med_str_eqz(code, "order") && !med_str_eqz(code, "label") && !med_str_eqz(code, "weight"))
        return true;
    if (!med_json_parse(a, med_image_meta(m), &j, NULL, &ignored))
        return true;
    uint32_t list = med_json_member(&j, 0, MED_STR("property"));
    for (uint32_t e = list + 1; list != 0 && e < j.nodes[list].next; e = j.nodes[e].next) {
        med_str declared;
        if (med_json_text(a, &j, e, "code", &declared) && med_str_eq(declared, code))
            return true;
    }
    return false;
}

/* A property, or a part of one. What a code of the same system means is told with it. */
static void write_property(med_json_writer *w, const med_image *m, const char *name,
                           const med_concept_property *p, bool explain)
{
    med_concept value =
        explain && p->type == MED_PROPERTY_CODE ? med_image_find(m, p->value) : MED_CONCEPT_NONE;
    open_parts(w, name);
    part(w, "code", "valueCode", p->code);
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("value"));
    med_term_write_value(w, p);
    med_json_close(w, '}');
    if (value != MED_CONCEPT_NONE)
        part(w, "description", "valueString", med_concept_display(m, value));
    close_parts(w);
}

/* Of SNOMED CT: a group of relationships is one property with the relationships as its parts. Its
 * group 0 is none. */
static void write_properties(med_json_writer *w, const med_term_call *t, const med_image *m,
                             med_concept c)
{
    med_concept_property p;
    bool is_asked_for = med_term_param_at(t, "property", 0) != NULL;
    bool is_snomed = med_str_eqz(med_image_url(m), "http://snomed.info/sct");
    bool groups = is_snomed && wants(t, MED_ECL_GROUP), inside = false;
    for (size_t i = 0; med_concept_property_at(m, c, i, &p); i++) {
        if (is_snomed && med_str_eqz(p.code, MED_ECL_GROUP)) {
            if (inside)
                close_parts(w);
            inside = groups && !med_str_eqz(p.value, "0");
            if (inside) {
                open_parts(w, "property");
                part(w, "code", "valueCode", p.code);
            }
        } else if (inside) {
            write_property(w, m, "subproperty", &p, true);
        } else if (wants_str(t, p.code) && !med_property_is_extension(&p)
                   && (is_asked_for || is_declared(t, m, p.code))) {
            write_property(w, m, "property", &p, is_snomed);
        }
    }
    if (inside)
        close_parts(w);
}

static void write_relatives(med_json_writer *w, const med_image *m, med_concept c, const char *kind)
{
    size_t n;
    const med_concept *at = strcmp(kind, "parent") == 0 ? med_concept_parents(m, c, &n)
                                                        : med_concept_children(m, c, &n);
    for (size_t i = 0; i < n; i++) {
        open_parts(w, "property");
        part(w, "code", "valueCode", med_str_from(kind));
        part(w, "value", "valueCode", med_concept_code(m, at[i]));
        part(w, "description", "valueString", med_concept_display(m, at[i]));
        close_parts(w);
    }
}

/* The standard facts of a concept, also where the system does not list them as properties. */
static void write_facts(med_json_writer *w, const med_term_call *t, const med_image *m,
                        med_concept c)
{
    if (!wants(t, "inactive"))
        return;
    open_parts(w, "property");
    part(w, "code", "valueCode", MED_STR("inactive"));
    med_term_write_bool(w, "value", (med_concept_flags(m, c) & MED_CONCEPT_INACTIVE) != 0);
    close_parts(w);
}

static med_str canonical_of(const med_term_call *t, const med_image *m)
{
    return med_arena_printf(t->call->arena, "%.*s%s%.*s", MED_STR_ARG(med_image_url(m)),
                            med_image_version(m).len > 0 ? "|" : "",
                            MED_STR_ARG(med_image_version(m)));
}

static void write_image(med_json_writer *w, const med_term_call *t, const med_code_hit *h)
{
    const med_image *m = h->sys->image;
    part(w, "definition", "valueString", med_concept_definition(m, h->concept));
    med_term_write_bool(w, "abstract",
                        (med_concept_flags(m, h->concept) & MED_CONCEPT_ABSTRACT) != 0);
    if (wants(t, "designation")) {
        write_own(w, m, h->concept);
        write_designations(w, m, h->concept, MED_STR_EMPTY);
    }
    write_facts(w, t, m, h->concept);
    write_properties(w, t, m, h->concept);
    if (wants(t, "parent"))
        write_relatives(w, m, h->concept, "parent");
    if (wants(t, "child"))
        write_relatives(w, m, h->concept, "child");
    for (size_t i = 0; i < h->sys->n_supplements; i++) {
        const med_image *s = h->sys->supplements[i];
        med_str name = canonical_of(t, s);
        part(w, "used-supplement", "valueCanonical", name);
        if (wants(t, "designation"))
            write_designations(w, s, med_image_find(s, h->code), name);
        write_properties(w, t, s, med_image_find(s, h->code));
    }
}

static med_str name_of(med_term_call *t, const med_system *s)
{
    static const char *const rules[] = {[MED_RULE_NONE] = "",
                                        [MED_RULE_UCUM] = "UCUM",
                                        [MED_RULE_LANGUAGE] = "BCP-47",
                                        [MED_RULE_MIME] = "Media types",
                                        [MED_RULE_URI] = "URI"};
    med_json j;
    med_err ignored;
    med_str name = MED_STR_EMPTY;
    if (s->image == NULL)
        return med_str_from(rules[s->rule]);
    if (med_json_parse(t->call->arena, med_image_meta(s->image), &j, NULL, &ignored)) {
        (void)med_json_text(t->call->arena, &j, 0, "name", &name);
        if (name.len == 0)
            (void)med_json_text(t->call->arena, &j, 0, "title", &name);
    }
    return name.len > 0 ? name : s->url;
}

static bool answer_lookup(med_term_call *t, const med_code_hit *h, med_err *err)
{
    med_buf b;
    med_json_writer w;
    bool has;
    med_term_write_begin(&b, &w);
    part(&w, "name", "valueString", name_of(t, h->sys));
    part(&w, "code", "valueCode", h->code);
    part(&w, "system", "valueUri", h->sys->url);
    part(&w, "version", "valueString", h->sys->version);
    part(&w, "display", "valueString", med_term_display_in(h, t->language, &has, NULL));
    if (h->sys->image != NULL)
        write_image(&w, t, h);
    return med_term_write_end(t->call, &b, &w, err);
}

static enum med_step prepare_lookup(med_call *call, med_err *err)
{
    med_term_call t;
    coding c;
    const med_system *s;
    if (!med_term_call_begin(call, lookup_known, &t, err))
        return MED_STEP_FAILED;
    if (t.refused)
        return MED_STEP_OK;
    c = (coding){med_term_param_text(&t, "system"), med_term_param_text(&t, "version"),
                 med_term_param_text(&t, "code")};
    if (!read_coding(&t, "coding", &c, err))
        return MED_STEP_FAILED;
    if (c.code.len == 0 || c.system.len == 0) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED, "$lookup needs code and system, or a coding");
        (void)refuse(err, 400);
        return MED_STEP_FAILED;
    }
    if (!find_system(&t, &c, &s, err))
        return MED_STEP_FAILED;
    med_code_hit h = {.sys = s,
                      .concept =
                          s->image != NULL ? med_image_find(s->image, c.code) : MED_CONCEPT_NONE,
                      .system = s->url,
                      .code = c.code,
                      .rule_display = MED_STR_EMPTY};
    if (h.concept == MED_CONCEPT_NONE
        && (s->image != NULL || !med_rule_has(s->rule, call->arena, c.code, &h.rule_display))) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "Unable to find code '%.*s' in %.*s version '%.*s'", MED_STR_ARG(c.code),
                       MED_STR_ARG(c.system), MED_STR_ARG(s->version));
        (void)refuse(err, 404);
        return MED_STEP_FAILED;
    }
    if (s->image != NULL)
        h.code = med_concept_code(s->image, h.concept);
    return answer_lookup(&t, &h, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

/* ---- $subsumes ---- */

static const char *const subsumes_known[] = {
    "codeA", "codeB", "system", "version", "codingA", "codingB", "tx-resource", "cache-id", NULL};

static bool answer_subsumes(med_call *call, const char *outcome, med_err *err)
{
    med_buf b;
    med_json_writer w;
    med_term_write_begin(&b, &w);
    med_term_write_text(&w, "outcome", "valueCode", med_str_from(outcome));
    return med_term_write_end(call, &b, &w, err);
}

static bool fail_subsumes(enum med_subsumption how, const coding *a, const coding *b, med_err *err)
{
    const coding *c = how == MED_SUBSUMES_UNKNOWN_B ? b : a;
    if (how == MED_SUBSUMES_UNKNOWN_SYSTEM)
        (void)MED_FAIL(
            err, MED_ISSUE_NOT_FOUND, "A definition for CodeSystem '%.*s' could not be found; %.*s",
            MED_STR_ARG(a->system), MED_STR_ARG(med_term_hint(MED_TERM_CODE_SYSTEM, a->system)));
    else
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND, "Unable to find code '%.*s' in %.*s",
                       MED_STR_ARG(c->code), MED_STR_ARG(c->system));
    return refuse(err, 404);
}

static enum med_step prepare_subsumes(med_call *call, med_err *err)
{
    static const char *const outcomes[] = {"equivalent", "subsumes", "subsumed-by", "not-subsumed"};
    med_term_call t;
    enum med_subsumption how;
    if (!med_term_call_begin(call, subsumes_known, &t, err))
        return MED_STEP_FAILED;
    med_str system = med_term_param_text(&t, "system"),
            version = med_term_param_text(&t, "version");
    coding a = {system, version, med_term_param_text(&t, "codeA")}, b = a;
    b.code = med_term_param_text(&t, "codeB");
    if (!read_coding(&t, "codingA", &a, err) || !read_coding(&t, "codingB", &b, err))
        return MED_STEP_FAILED;
    if (call->request.level == MED_LEVEL_INSTANCE) {
        const med_json *j;
        uint32_t node;
        if (!med_term_call_resource(&t, &j, &node, err)
            || !med_json_text(call->arena, j, node, "url", &a.system)
            || !med_json_text(call->arena, j, node, "version", &a.version))
            return MED_STEP_FAILED;
        b.system = a.system;
    }
    if (a.code.len == 0 || b.code.len == 0 || a.system.len == 0
        || !med_str_eq(a.system, b.system)) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                       "$subsumes needs codeA, codeB and system, or two codings of one system");
        (void)refuse(err, 400);
        return MED_STEP_FAILED;
    }
    med_str canonical = a.version.len == 0
                            ? a.system
                            : med_arena_printf(call->arena, "%.*s|%.*s", MED_STR_ARG(a.system),
                                               MED_STR_ARG(a.version));
    if (!med_term_subsumption(&t.x, canonical, a.code, b.code, &how, err))
        return MED_STEP_FAILED;
    if (how > MED_NOT_SUBSUMED) {
        (void)fail_subsumes(how, &a, &b, err);
        return MED_STEP_FAILED;
    }
    return answer_subsumes(call, outcomes[how], err) ? MED_STEP_OK : MED_STEP_FAILED;
}

#define OPERATION(variable, word, how, where, function)                                            \
    const med_interaction variable = {.name = (word),                                              \
                                      .method = (how),                                             \
                                      .level = (where),                                            \
                                      .operation = "$" word,                                       \
                                      .types = "CodeSystem",                                       \
                                      .prepare = (function)}
OPERATION(med_interaction_lookup, "lookup", MED_GET, MED_LEVEL_TYPE, prepare_lookup);
OPERATION(med_interaction_lookup_post, "lookup", MED_POST, MED_LEVEL_TYPE, prepare_lookup);
OPERATION(med_interaction_subsumes, "subsumes", MED_GET, MED_LEVEL_TYPE, prepare_subsumes);
OPERATION(med_interaction_subsumes_post, "subsumes", MED_POST, MED_LEVEL_TYPE, prepare_subsumes);
OPERATION(med_interaction_subsumes_instance, "subsumes", MED_GET, MED_LEVEL_INSTANCE,
          prepare_subsumes);
