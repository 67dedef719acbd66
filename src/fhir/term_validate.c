/* term_validate.c - $validate-code of CodeSystem and ValueSet.
 * https://hl7.org/fhir/R4/valueset-operation-validate-code.html
 * https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
 *
 * The answer is what the terminology ecosystem agreed on: result, the code as found, and an
 * OperationOutcome in `issues` whose first texts are also the `message`. */
#include "fhir/interactions.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"

static const char *const known[] = {"url",
                                    "context",
                                    "valueSet",
                                    "valueSetVersion",
                                    "codeSystem",
                                    "code",
                                    "system",
                                    "systemVersion",
                                    "version",
                                    "display",
                                    "coding",
                                    "codeableConcept",
                                    "date",
                                    "abstract",
                                    "displayLanguage",
                                    "inferSystem",
                                    "lenient-display-validation",
                                    "activeOnly",
                                    "valueset-membership-only",
                                    "default-to-latest-version",
                                    "system-version",
                                    "check-system-version",
                                    "force-system-version",
                                    "default-valueset-version",
                                    "tx-resource",
                                    "useSupplement",
                                    "cache-id",
                                    "diagnostics",
                                    NULL};

typedef struct coding {
    med_str system, version, code, display;
    med_str path; /* "", "Coding", "CodeableConcept.coding[0]" */
    bool bare;    /* a code parameter */
} coding;

typedef struct question {
    med_term_call t;
    coding *codings;
    size_t n;
    const med_json *concept_json; /* of a codeableConcept */
    uint32_t concept;
    const med_value_set *vs; /* NULL: of a system */
    med_str canonical;       /* of the value set as named */
    med_term_issues issues;
    /* the coding that is answered with */
    const coding *found;
    med_code_answer answer;
    med_code_hit hit;
    bool is_in, failed_display;
    med_str normalized, unknown_system;
} question;

static bool fail(med_err *err, const char *text)
{
    (void)MED_FAIL(err, MED_ISSUE_INVALID, "%s", text);
    return med_err_status(err, 400);
}

/* ---- what is asked ---- */

static bool read_coding(question *q, const med_json *j, uint32_t node, med_str path, coding *out)
{
    med_arena *a = q->t.call->arena;
    *out = (coding){.path = path};
    return med_json_text(a, j, node, "system", &out->system)
           && med_json_text(a, j, node, "version", &out->version)
           && med_json_text(a, j, node, "code", &out->code)
           && med_json_text(a, j, node, "display", &out->display);
}

static bool read_concept(question *q, uint32_t node)
{
    const med_json *j = q->t.json;
    uint32_t list = med_json_member(j, node, MED_STR("coding"));
    size_t room = list == 0 ? 0 : j->nodes[list].count;
    q->codings = MED_TAKE(q->t.call->arena, room, coding);
    q->concept_json = j;
    q->concept = node;
    if (q->codings == NULL)
        return false;
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str path = med_arena_printf(q->t.call->arena, "CodeableConcept.coding[%zu]", q->n);
        if (!read_coding(q, j, e, path, &q->codings[q->n++]))
            return false;
    }
    return true;
}

static bool read_codings(question *q, bool of_system, med_err *err)
{
    const med_term_call *t = &q->t;
    const med_term_param *one = med_term_param_at(t, "coding", 0);
    const med_term_param *many = med_term_param_at(t, "codeableConcept", 0);
    if (many != NULL && many->node != 0)
        return read_concept(q, many->node) ? true : MED_FAIL_MEMORY(err);
    q->codings = MED_TAKE(t->call->arena, 1, coding);
    if (q->codings == NULL)
        return MED_FAIL_MEMORY(err);
    q->n = 1;
    if (one != NULL && one->node != 0)
        return read_coding(q, t->json, one->node, MED_STR("Coding"), &q->codings[0])
                   ? true
                   : MED_FAIL_MEMORY(err);
    q->codings[0] = (coding){med_term_param_text(t, of_system ? "url" : "system"),
                             med_term_param_text(t, of_system ? "version" : "systemVersion"),
                             med_term_param_text(t, "code"),
                             med_term_param_text(t, "display"),
                             MED_STR_EMPTY,
                             true};
    if (of_system && q->codings[0].system.len == 0)
        q->codings[0].system = med_term_param_text(t, "system");
    if (q->codings[0].code.len == 0)
        return fail(err, "Unable to find code to validate (looked for coding | codeableConcept | "
                         "code+system | code+inferSystem in parameters");
    if (!of_system && q->codings[0].system.len == 0
        && !med_term_param_is(t, "inferSystem", t->json == NULL))
        return fail(err, "Unable to find code to validate (looked for coding | codeableConcept | "
                         "code+system | code+inferSystem in parameters");
    return true;
}

/* ---- where things are ---- */

static med_str at(const question *q, const coding *c, const char *element)
{
    if (c->bare)
        return med_str_from(element);
    return med_arena_printf(q->t.call->arena, "%.*s.%s", MED_STR_ARG(c->path), element);
}

static med_str set_name(const question *q)
{
    if (q->vs->url.len == 0)
        return MED_STR("(unidentified)");
    return q->vs->version.len == 0
               ? q->vs->url
               : med_arena_printf(q->t.call->arena, "%.*s|%.*s", MED_STR_ARG(q->vs->url),
                                  MED_STR_ARG(q->vs->version));
}

static med_str code_name(const question *q, const coding *c)
{
    return med_arena_printf(q->t.call->arena, "%.*s%s%.*s#%.*s", MED_STR_ARG(c->system),
                            c->version.len > 0 ? "|" : "", MED_STR_ARG(c->version),
                            MED_STR_ARG(c->code));
}

/* Of a display no version is told: it is compared with that of the version that was found. */
static med_str plain_name(const question *q, const coding *c)
{
    return med_arena_printf(q->t.call->arena, "%.*s#%.*s", MED_STR_ARG(c->system),
                            MED_STR_ARG(c->code));
}

/* The same with the display that was given. */
static med_str named_code(const question *q, const coding *c)
{
    med_str name = code_name(q, c);
    return c->display.len == 0 ? name
                               : med_arena_printf(q->t.call->arena, "%.*s ('%.*s')",
                                                  MED_STR_ARG(name), MED_STR_ARG(c->display));
}

static void check_display(question *q, const coding *c)
{
    const med_term_named named = {c->display, c->code, plain_name(q, c), at(q, c, "display")};
    if (c->display.len > 0)
        med_term_check_display(&q->t, &q->hit, &named, &q->issues, &q->failed_display);
}

/* ---- what is said of a code that was found ---- */

static med_str status_of(const med_code_hit *h)
{
    med_concept_property p;
    const med_image *m = h->sys == NULL ? NULL : h->sys->image;
    for (size_t i = 0; m != NULL && med_concept_property_at(m, h->concept, i, &p); i++) {
        if (med_str_eqz(p.code, "status"))
            return p.value;
    }
    return MED_STR_EMPTY;
}

static void comment_status(question *q, const coding *c)
{
    unsigned flags = med_code_hit_flags(&q->hit);
    med_str status = status_of(&q->hit);
    med_str where = c->bare ? MED_STR("code") : c->path;
    if ((flags & MED_CONCEPT_INACTIVE) != 0)
        med_term_issue_add(&q->issues, MED_TERM_WARNING, "business-rule", "code-comment",
                           "INACTIVE_CONCEPT_FOUND", where,
                           "The concept '%.*s' has a status of %.*s%sinactive and its use should "
                           "be reviewed",
                           MED_STR_ARG(c->code), MED_STR_ARG(status),
                           status.len > 0 ? " and " : "");
    else if ((flags & MED_CONCEPT_DEPRECATED) != 0)
        med_term_issue_add(&q->issues, MED_TERM_WARNING, "business-rule", "code-comment",
                           "DEPRECATED_CONCEPT_FOUND", where,
                           "The concept '%.*s' is deprecated and its use should be reviewed",
                           MED_STR_ARG(c->code));
}

/* https://hl7.org/fhir/extensions/StructureDefinition-valueset-deprecated.html */
static void comment_listed(question *q, const coding *c)
{
    const med_code_hit *h = &q->hit;
    const med_json *j = h->set == NULL ? NULL : h->set->json;
    uint32_t list = j == NULL || h->listed == NULL
                        ? 0
                        : med_json_member(j, h->listed->node, MED_STR("extension"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t url = med_json_member(j, e, MED_STR("url"));
        uint32_t value = med_json_member(j, e, MED_STR("valueBoolean"));
        if (url == 0 || value == 0 || !med_str_eqz(med_json_raw(j, value), "true")
            || !med_json_string_is(
                j, url, MED_STR("http://hl7.org/fhir/StructureDefinition/valueset-deprecated")))
            continue;
        med_term_issue_add(&q->issues, MED_TERM_WARNING, "business-rule", "code-comment",
                           "CONCEPT_DEPRECATED_IN_VALUESET", at(q, c, "code"),
                           "The presence of the concept '%.*s' in the system '%.*s' in the value "
                           "set %.*s is marked with a status of deprecated and its use should be "
                           "reviewed",
                           MED_STR_ARG(c->code), MED_STR_ARG(h->system), MED_STR_ARG(set_name(q)));
    }
}

static void comment_case(question *q, const coding *c)
{
    const med_system *s = q->hit.sys;
    if (s == NULL || s->image == NULL || med_str_eq(q->hit.code, c->code))
        return;
    q->normalized = q->hit.code;
    med_term_issue_add(&q->issues, MED_TERM_NOTE, "business-rule", "code-rule",
                       "CODE_CASE_DIFFERENCE", at(q, c, "code"),
                       "The code '%.*s' differs from the correct code '%.*s' by case. Although the "
                       "code system '%.*s%s%.*s' is case insensitive, implementers are strongly "
                       "encouraged to use the correct case anyway",
                       MED_STR_ARG(c->code), MED_STR_ARG(q->hit.code), MED_STR_ARG(s->url),
                       s->version.len > 0 ? "|" : "", MED_STR_ARG(s->version));
}

static void not_in(question *q, const coding *c, bool alone)
{
    med_term_issue_add(&q->issues, alone ? MED_TERM_ERROR : MED_TERM_NOTE, "code-invalid",
                       alone ? "not-in-vs" : "this-code-not-in-vs",
                       "None_of_the_provided_codes_are_in_the_value_set_one", at(q, c, "code"),
                       "The provided code '%.*s' was not found in the value set '%.*s'",
                       MED_STR_ARG(named_code(q, c)), MED_STR_ARG(set_name(q)));
}

static bool settle_found(question *q, const coding *c, bool alone)
{
    unsigned flags = med_code_hit_flags(&q->hit);
    bool active_only = med_term_param_is(&q->t, "activeOnly", false);
    comment_status(q, c);
    comment_listed(q, c);
    comment_case(q, c);
    if ((flags & MED_CONCEPT_INACTIVE) != 0 && active_only && q->vs != NULL) {
        med_term_issue_add(&q->issues, MED_TERM_ERROR, "business-rule", "code-rule",
                           "STATUS_CODE_WARNING_CODE", at(q, c, "code"),
                           "The concept '%.*s' is valid but is not active", MED_STR_ARG(c->code));
        not_in(q, c, alone);
        return false;
    }
    if ((flags & MED_CONCEPT_ABSTRACT) != 0 && !med_term_param_is(&q->t, "abstract", true)) {
        med_term_issue_add(&q->issues, MED_TERM_ERROR, "business-rule", "code-rule",
                           "ABSTRACT_CODE_NOT_ALLOWED", at(q, c, "code"),
                           "Code '%.*s' is abstract, and not allowed in this context",
                           MED_STR_ARG(code_name(q, c)));
        if (q->vs != NULL)
            not_in(q, c, alone);
        return false;
    }
    check_display(q, c);
    return true;
}

/* ---- what is said of one that was not ---- */

/* The value set has codes of that very system, and nobody knows which. */
static bool is_undecided(const question *q, const coding *c)
{
    med_str url, version;
    med_canonical_split(q->vs->missing_system, &url, &version);
    return url.len > 0 && med_str_eq(url, c->system);
}

static void say_unknown(question *q, const coding *c)
{
    bool quoted =
        med_str_find(c->system, ':', 0) == c->system.len || (q->vs != NULL && is_undecided(q, c));
    const char *quote = quoted ? "'" : "";
    q->unknown_system = c->system;
    med_term_issue_add(&q->issues, MED_TERM_ERROR, "not-found", "not-found", "UNKNOWN_CODESYSTEM",
                       at(q, c, "system"),
                       "A definition for CodeSystem %s%.*s%s could not be found, so the code "
                       "cannot be validated",
                       quote, MED_STR_ARG(c->system), quote);
}

static bool unknown_system(question *q, const coding *c, med_err *err)
{
    med_str url, version, text, versions;
    med_canonical_split(c->system, &url, &version);
    if (!med_term_text(&q->t.x, MED_TERM_VALUE_SET, url, MED_STR_EMPTY, &text, err))
        return false;
    if (text.len > 0) {
        med_term_issue_add(&q->issues, MED_TERM_ERROR, "invalid", "invalid-data",
                           "Terminology_TX_System_ValueSet2", at(q, c, "system"),
                           "The Coding references a value set, not a code system ('%.*s')",
                           MED_STR_ARG(c->system));
        return true;
    }
    const med_system *s;
    if (!med_term_system(&q->t.x, url, c->version, &s, err))
        return false;
    if (s != NULL && s->image != NULL && med_image_content(s->image) == MED_CONTENT_SUPPLEMENT) {
        med_term_issue_add(&q->issues, MED_TERM_ERROR, "invalid", "invalid-data",
                           "CODESYSTEM_CS_NO_SUPPLEMENT", at(q, c, "system"),
                           "CodeSystem %.*s|%.*s is a supplement, so can't be used as a value in "
                           "Coding.system",
                           MED_STR_ARG(s->url), MED_STR_ARG(s->version));
        return true;
    }
    if (c->system.len > 0 && med_str_find(c->system, ':', 0) == c->system.len)
        med_term_issue_add(&q->issues, MED_TERM_ERROR, "invalid", "invalid-data",
                           "Terminology_TX_System_Relative", at(q, c, "system"),
                           "Coding.system must be an absolute reference, not a local reference");
    if (!med_term_versions(&q->t.x, MED_TERM_CODE_SYSTEM, url, &versions, err))
        return false;
    if (c->version.len > 0 && versions.len > 0)
        med_term_issue_add(&q->issues, MED_TERM_ERROR, "not-found", "not-found",
                           "UNKNOWN_CODESYSTEM_VERSION", at(q, c, "system"),
                           "A definition for CodeSystem '%.*s' version '%.*s' could not be found, "
                           "so the code cannot be validated. Valid versions: %.*s",
                           MED_STR_ARG(c->system), MED_STR_ARG(c->version), MED_STR_ARG(versions));
    else
        say_unknown(q, c);
    return true;
}

/* Those that the value set itself draws on. */
static med_str systems_of(const question *q)
{
    med_str out = MED_STR_EMPTY;
    for (size_t i = 0; i < q->vs->n_includes; i++) {
        med_str system = q->vs->includes[i].system;
        bool seen = system.len == 0;
        for (size_t k = 0; k < i; k++)
            seen = seen || med_str_eq(q->vs->includes[k].system, system);
        if (!seen)
            out = med_arena_printf(q->t.call->arena, "%.*s%s%.*s", MED_STR_ARG(out),
                                   out.len > 0 ? ", " : "", MED_STR_ARG(system));
    }
    return out;
}

static bool settle_absent(question *q, const coding *c, bool alone, med_err *err)
{
    med_code_question alone_in = {MED_STR_EMPTY, c->system,     c->version,
                                  c->code,       MED_STR_EMPTY, MED_STR_EMPTY};
    med_code_answer of_system = {.verdict = q->answer.verdict};
    const med_value_set *none;
    med_code_hit hit = {0};
    if (q->vs != NULL && !is_undecided(q, c))
        not_in(q, c, alone);
    if (c->system.len == 0) {
        if (!c->bare)
            med_term_issue_add(&q->issues, MED_TERM_WARNING, "invalid", "invalid-data",
                               "Coding_has_no_system__cannot_validate", c->path,
                               "Coding has no system. A code with no system has no defined "
                               "meaning, and it cannot be validated. A system should be provided");
        else if (q->vs != NULL)
            med_term_issue_add(&q->issues, MED_TERM_ERROR, "not-found", "cannot-infer",
                               "UNABLE_TO_INFER_CODESYSTEM", MED_STR("code"),
                               "The System URI could not be determined for the code '%.*s' in the "
                               "ValueSet '%.*s': none of its code systems has it: [%.*s]",
                               MED_STR_ARG(c->code), MED_STR_ARG(set_name(q)),
                               MED_STR_ARG(systems_of(q)));
        return true;
    }
    if (!med_term_ask(&q->t.x, &alone_in, &of_system, &hit, &none, err))
        return false;
    if (of_system.verdict == MED_CODE_UNKNOWN_SYSTEM)
        return unknown_system(q, c, err);
    if (q->vs != NULL && med_term_param_is(&q->t, "valueset-membership-only", false))
        return true;
    if (of_system.verdict == MED_CODE_VALID) {
        q->found = c;
        q->answer = of_system;
        q->hit = hit;
        check_display(q, c);
        return true;
    }
    q->answer.version = of_system.version;
    med_term_issue_add(&q->issues, MED_TERM_ERROR, "code-invalid", "invalid-code",
                       "Unknown_Code_in_Version", at(q, c, "code"),
                       "Unknown code '%.*s' in the CodeSystem '%.*s'%s%.*s%s", MED_STR_ARG(c->code),
                       MED_STR_ARG(c->system), of_system.version.len > 0 ? " version '" : "",
                       MED_STR_ARG(of_system.version), of_system.version.len > 0 ? "'" : "");
    return true;
}

/* ---- the question ---- */

/* A bare code that is in the set with two systems can not be told apart. */
static bool is_ambiguous(question *q, const coding *c)
{
    med_code_hit other;
    med_str systems = q->hit.system;
    if (!c->bare || c->system.len > 0 || q->vs == NULL)
        return false;
    for (size_t i = 0; i < q->vs->n_includes; i++) {
        const med_part *p = &q->vs->includes[i];
        if (p->system.len == 0 || med_str_eq(p->system, q->hit.system)
            || !med_value_set_has(q->vs, q->t.call->arena, p->system, MED_STR_EMPTY, c->code,
                                  &other))
            continue;
        systems = med_arena_printf(q->t.call->arena, "%.*s, %.*s", MED_STR_ARG(systems),
                                   MED_STR_ARG(p->system));
    }
    if (systems.len == q->hit.system.len)
        return false;
    not_in(q, c, true);
    med_term_issue_add(&q->issues, MED_TERM_ERROR, "not-found", "cannot-infer",
                       "Unable_to_resolve_system__value_set_has_multiple_matches", MED_STR("code"),
                       "The System URI could not be determined for the code '%.*s' in the ValueSet "
                       "'%.*s': value set expansion has multiple matches: [%.*s]",
                       MED_STR_ARG(c->code), MED_STR_ARG(set_name(q)), MED_STR_ARG(systems));
    return true;
}

/* A system in several versions, and none is named: the one that has the display. */
static void prefer_named(question *q, const coding *c)
{
    const med_value_set *vs = q->vs;
    if (vs == NULL || !vs->many_versions || c->display.len == 0 || c->version.len > 0
        || med_code_hit_is_named(&q->hit, c->display, MED_STR_EMPTY))
        return;
    for (size_t i = 0; i < vs->n_includes; i++) {
        const med_part *p = &vs->includes[i];
        med_code_hit other;
        if (p->sys != NULL && med_str_eq(p->system, q->hit.system)
            && med_value_set_has(vs, q->t.call->arena, p->system, p->sys->version, c->code, &other)
            && med_code_hit_is_named(&other, c->display, MED_STR_EMPTY)) {
            q->hit = other;
            return;
        }
    }
}

static bool ask_one(question *q, const coding *c, bool alone, med_err *err)
{
    q->answer = (med_code_answer){.version = MED_STR_EMPTY, .display = MED_STR_EMPTY};
    q->hit = (med_code_hit){.concept = MED_CONCEPT_NONE};
    if (q->vs == NULL) {
        med_code_question ask = {MED_STR_EMPTY, c->system,     c->version,
                                 c->code,       MED_STR_EMPTY, MED_STR_EMPTY};
        const med_value_set *none;
        if (!med_term_ask(&q->t.x, &ask, &q->answer, &q->hit, &none, err))
            return false;
        q->is_in = q->answer.verdict == MED_CODE_VALID;
    } else if (c->bare || c->system.len > 0) {
        q->is_in =
            med_value_set_has(q->vs, q->t.call->arena, c->system, c->version, c->code, &q->hit);
        if (q->is_in && is_ambiguous(q, c))
            return !(q->is_in = false);
    }
    if (!q->is_in)
        return settle_absent(q, c, alone, err);
    prefer_named(q, c);
    q->found = c;
    q->answer.verdict = MED_CODE_VALID;
    q->answer.system = q->hit.system;
    q->answer.version = q->hit.sys != NULL ? q->hit.sys->version : c->version;
    q->is_in = settle_found(q, c, alone);
    return true;
}

static bool ask_all(question *q, med_err *err)
{
    bool alone = q->concept_json == NULL, any = false;
    const coding *first = NULL;
    med_code_answer answer = {0};
    med_code_hit hit = {0};
    for (size_t i = 0; i < q->n; i++) {
        q->is_in = false;
        if (!ask_one(q, &q->codings[i], alone, err))
            return false;
        if (q->is_in && !any) {
            any = true;
            first = q->found;
            answer = q->answer;
            hit = q->hit;
        }
    }
    if (any) {
        q->is_in = true;
        q->found = first;
        q->answer = answer;
        q->hit = hit;
    } else if (!alone && q->vs != NULL) {
        med_term_issue_add(&q->issues, MED_TERM_ERROR, "code-invalid", "not-in-vs",
                           "TX_GENERAL_CC_ERROR_MESSAGE", MED_STR_EMPTY,
                           "No valid coding was found for the value set '%.*s'",
                           MED_STR_ARG(set_name(q)));
        /* the summary stands first */
        med_term_issue last = q->issues.at[q->issues.n - 1];
        memmove(q->issues.at + 1, q->issues.at, (q->issues.n - 1) * sizeof last);
        q->issues.at[0] = last;
    }
    return true;
}

/* ---- the answer ---- */

static void write_found(question *q, med_json_writer *w, const coding *c)
{
    bool has;
    med_str display = q->hit.code.len > 0 ? med_term_display_in(&q->hit, q->t.language, &has, NULL)
                                          : MED_STR_EMPTY;
    bool known_code = q->found != NULL;
    if (known_code)
        med_term_write_text(w, "display", "valueString", display);
    if (known_code && (med_code_hit_flags(&q->hit) & MED_CONCEPT_INACTIVE) != 0)
        med_term_write_bool(w, "inactive", true);
    (void)c;
}

static bool write_answer(question *q, med_err *err)
{
    med_buf b;
    med_json_writer w;
    const coding *c = q->found != NULL ? q->found : q->n > 0 ? &q->codings[0] : NULL;
    bool show = q->concept_json == NULL || q->found != NULL;
    med_term_write_begin(&b, &w);
    if (c != NULL && show)
        med_term_write_text(&w, "code", "valueCode", c->code);
    if (q->concept_json != NULL) {
        med_json_open(&w, '{');
        med_json_pair(&w, "name", MED_STR("codeableConcept"));
        med_json_key(&w, MED_STR("valueCodeableConcept"));
        med_json_value(&w, q->concept_json, q->concept);
        med_json_close(&w, '}');
    }
    if (c != NULL)
        write_found(q, &w, c);
    if (q->issues.n > 0) {
        med_json_open(&w, '{');
        med_json_pair(&w, "name", MED_STR("issues"));
        med_json_key(&w, MED_STR("resource"));
        med_term_issues_write(&w, &q->issues);
        med_json_close(&w, '}');
    }
    med_term_write_text(&w, "message", "valueString", med_term_issues_message(&q->issues));
    med_term_write_text(&w, "normalized-code", "valueCode", q->normalized);
    med_term_write_bool(&w, "result", q->is_in && !med_term_issues_fail(&q->issues));
    if (q->found != NULL
        && (med_code_hit_flags(&q->hit) & (MED_CONCEPT_INACTIVE | MED_CONCEPT_DEPRECATED)) != 0)
        med_term_write_text(&w, "status", "valueCode", status_of(&q->hit));
    if (c != NULL && show) {
        med_term_write_text(&w, "system", "valueUri",
                            c->system.len > 0 ? c->system : q->answer.system);
        med_term_write_text(&w, "version", "valueString", q->answer.version);
    }
    bool of_set = q->vs != NULL && c != NULL && is_undecided(q, c);
    med_term_write_text(&w, of_set ? "x-caused-by-unknown-system" : "x-unknown-system",
                        "valueCanonical", q->unknown_system);
    return med_term_write_end(q->t.call, &b, &w, err);
}

/* False when the value set can not answer; the issues say why. */
static bool is_usable(question *q, int *status)
{
    const med_value_set *vs = q->vs;
    med_term_issues *l = &q->issues;
    med_str missing = vs == NULL ? q->canonical : vs->missing;
    *status = 404;
    if (missing.len > 0) {
        med_str hint = med_term_hint(MED_TERM_VALUE_SET, missing);
        bool own = vs == NULL; /* of one that is included, too, the outcome tells how to load it */
        l->hint = own ? MED_STR_EMPTY : hint;
        med_term_issue_add(
            l, MED_TERM_ERROR, "not-found", "not-found", "Unable_to_resolve_value_Set_",
            MED_STR_EMPTY, "A definition for the value Set '%.*s' could not be found%s%.*s",
            MED_STR_ARG(missing), own ? "; " : "", MED_STR_ARG(own ? hint : MED_STR_EMPTY));
    } else if (vs != NULL && vs->missing_supplement.len > 0)
        med_term_issue_add(l, MED_TERM_ERROR, "not-found", "not-found",
                           "VALUESET_SUPPLEMENT_MISSING", MED_STR_EMPTY,
                           "Required supplement not found: %.*s",
                           MED_STR_ARG(vs->missing_supplement));
    else if (vs != NULL && vs->broken.len > 0) {
        *status = 422;
        med_term_issue_add(l, MED_TERM_ERROR, "invalid", "vs-invalid",
                           "UNABLE_TO_HANDLE_SYSTEM_FILTER_WITH_NO_VALUE",
                           MED_STR("ValueSet.compose.include[0].filter[0]"), "%.*s",
                           MED_STR_ARG(vs->broken));
    }
    return l->n == 0 || (vs != NULL && vs->missing.len > 0);
}

static question *begin(med_call *call, med_err *err)
{
    question *q = MED_TAKE(call->arena, 1, question);
    if (q == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    q->issues.arena = call->arena;
    q->issues.hint = MED_STR_EMPTY;
    q->normalized = q->unknown_system = MED_STR_EMPTY;
    return med_term_call_begin(call, known, &q->t, err) ? q : NULL;
}

static enum med_step prepare_set(med_call *call, med_err *err)
{
    int status;
    question *q = begin(call, err);
    if (q == NULL || !read_codings(q, false, err)
        || !med_term_call_set(&q->t, &q->vs, &q->canonical, err)
        || !med_term_use_own_language(&q->t, q->vs))
        return MED_STEP_FAILED;
    if (q->t.refused)
        return MED_STEP_OK;
    if (!is_usable(q, &status))
        return med_term_refuse(&q->t, status, &q->issues, err) ? MED_STEP_OK : MED_STEP_FAILED;
    if (q->issues.n > 0) /* a value set that it includes is not known: no answer is "valid" */
        return write_answer(q, err) ? MED_STEP_OK : MED_STEP_FAILED;
    return ask_all(q, err) && write_answer(q, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

static enum med_step prepare_system(med_call *call, med_err *err)
{
    question *q = begin(call, err);
    if (q == NULL || !read_codings(q, true, err))
        return MED_STEP_FAILED;
    if (call->request.level == MED_LEVEL_INSTANCE && q->n > 0 && q->codings[0].system.len == 0) {
        const med_json *j;
        uint32_t node;
        if (!med_term_call_resource(&q->t, &j, &node, err)
            || !med_json_text(call->arena, j, node, "url", &q->codings[0].system))
            return MED_STEP_FAILED;
    }
    if (q->t.refused)
        return MED_STEP_OK;
    return ask_all(q, err) && write_answer(q, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

#define VALIDATE(variable, type, how, where, function)                                             \
    const med_interaction variable = {.name = "validate-code",                                     \
                                      .method = (how),                                             \
                                      .level = (where),                                            \
                                      .operation = "$validate-code",                               \
                                      .types = (type),                                             \
                                      .prepare = (function)}
VALIDATE(med_interaction_validate_code, "ValueSet", MED_GET, MED_LEVEL_TYPE, prepare_set);
VALIDATE(med_interaction_validate_code_post, "ValueSet", MED_POST, MED_LEVEL_TYPE, prepare_set);
VALIDATE(med_interaction_validate_code_instance, "ValueSet", MED_GET, MED_LEVEL_INSTANCE,
         prepare_set);
VALIDATE(med_interaction_validate_code_instance_post, "ValueSet", MED_POST, MED_LEVEL_INSTANCE,
         prepare_set);
VALIDATE(med_interaction_validate_system, "CodeSystem", MED_GET, MED_LEVEL_TYPE, prepare_system);
VALIDATE(med_interaction_validate_system_post, "CodeSystem", MED_POST, MED_LEVEL_TYPE,
         prepare_system);
VALIDATE(med_interaction_validate_system_instance, "CodeSystem", MED_GET, MED_LEVEL_INSTANCE,
         prepare_system);
