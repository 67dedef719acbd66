/* validate.c - is this code one of them? And the sets of codes that searches ask for. */
#include "terminology/ask.h"
#include "terminology/code_system_json.h"

/* ---- nearest codes ---- */

struct near {
    med_str code;
    size_t distance;
};

static void consider(struct near *best, med_str wanted, med_str code)
{
    size_t d = med_str_eq_ignore_case(wanted, code) ? 0 : med_str_distance(wanted, code);
    size_t longest = wanted.len > code.len ? wanted.len : code.len;
    if (d > 1 + longest / 3)
        return;
    for (size_t i = 0; i < MED_CODE_NEAREST; i++) {
        if (best[i].code.len > 0 && best[i].distance <= d)
            continue;
        for (size_t k = MED_CODE_NEAREST - 1; k > i; k--)
            best[k] = best[k - 1];
        best[i] = (struct near){code, d};
        return;
    }
}

/* Only of what is small enough to be looked through. */
static void consider_part(struct near *best, const med_part *p, med_str wanted)
{
    enum { MOST = 3000 };
    for (size_t i = 0; i < p->n_listed && i < MOST; i++)
        consider(best, wanted, p->listed[i].code);
    const med_image *m = p->sys == NULL ? NULL : p->sys->image;
    if (m == NULL || med_image_count(m) > MOST
        || (p->kind != MED_PART_ALL && p->kind != MED_PART_BITS))
        return;
    for (med_concept c = 0; c < med_image_count(m); c++) {
        if (p->kind == MED_PART_ALL || med_bit(p->bits, c))
            consider(best, wanted, med_concept_code(m, c));
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): value sets nest MED_CONTEXT_DEPTH deep, no more */
static void consider_set(struct near *best, const med_value_set *vs, med_str wanted)
{
    for (size_t i = 0; i < vs->n_includes; i++) {
        consider_part(best, &vs->includes[i], wanted);
        for (size_t k = 0; k < vs->includes[i].n_sets; k++)
            consider_set(best, vs->includes[i].sets[k], wanted);
    }
}

static void tell_nearest(const struct near *best, const med_value_set *vs, med_arena *a,
                         med_code_answer *out)
{
    for (size_t i = 0; i < MED_CODE_NEAREST && best[i].code.len > 0; i++) {
        med_code_hit hit;
        if (vs == NULL
            || med_value_set_has(vs, a, MED_STR_EMPTY, MED_STR_EMPTY, best[i].code, &hit))
            out->nearest[out->n_nearest++] = best[i].code;
    }
}

/* ---- displays ---- */

static bool language_is(med_str have, med_str wanted)
{
    return wanted.len == 0 || have.len == 0 || med_str_eq_ignore_case(have, wanted)
           || (have.len > wanted.len && have.ptr[wanted.len] == '-'
               && med_str_eq_ignore_case(med_str_sub(have, 0, wanted.len), wanted))
           || (wanted.len > have.len && wanted.ptr[have.len] == '-'
               && med_str_eq_ignore_case(med_str_sub(wanted, 0, have.len), have));
}

/* Equal but for case and white space around it. */
static bool same_text(med_str a, med_str b)
{
    return med_str_eq_ignore_case(med_str_trim(a), med_str_trim(b));
}

static bool image_names(const med_image *m, med_concept c, med_str display, med_str language)
{
    med_designation d;
    if (c == MED_CONCEPT_NONE)
        return false;
    if (same_text(med_concept_display(m, c), display))
        return true;
    for (size_t i = 0; med_concept_designation(m, c, i, &d); i++) {
        if (language_is(d.language, language) && same_text(d.value, display))
            return true;
    }
    return false;
}

bool med_code_hit_is_named(const med_code_hit *h, med_str display, med_str language)
{
    if (same_text(med_code_hit_display(h), display))
        return true;
    if (h->sys == NULL || h->sys->image == NULL)
        return h->listed == NULL || h->listed->display.len == 0; /* nothing to compare with */
    if (image_names(h->sys->image, h->concept, display, language))
        return true;
    for (size_t i = 0; i < h->sys->n_supplements; i++) {
        const med_image *m = h->sys->supplements[i];
        if (image_names(m, med_image_find(m, h->code), display, language))
            return true;
    }
    return false;
}

/* ---- the question ---- */

static void tell_hit(const med_code_hit *h, const med_code_question *q, med_code_answer *out)
{
    unsigned flags = med_code_hit_flags(h);
    out->verdict = MED_CODE_VALID;
    out->system = h->system;
    out->version = h->sys != NULL ? h->sys->version : h->part->version;
    out->display = med_code_hit_display(h);
    out->inactive = (flags & MED_CONCEPT_INACTIVE) != 0;
    out->is_abstract = (flags & MED_CONCEPT_ABSTRACT) != 0;
    out->display_wrong = q->display.len > 0 && !med_code_hit_is_named(h, q->display, q->language);
}

/* Codes of a supplement are those of the system that it adds to. */
static bool is_supplement(const med_system *s)
{
    return s != NULL && s->image != NULL
           && (med_image_content(s->image) == MED_CONTENT_SUPPLEMENT
               || med_image_supplements(s->image).len > 0);
}

static bool in_system(const med_term_context *x, const med_code_question *q, med_code_answer *out,
                      med_code_hit *hit, med_err *err)
{
    const med_system *s;
    if (!med_term_system(x, q->system, q->version, &s, err))
        return false;
    med_part all = {.kind = MED_PART_ALL, .system = q->system, .version = q->version, .sys = s};
    *hit = (med_code_hit){.part = NULL};
    if (s == NULL
        || (s->image != NULL
            && (med_image_content(s->image) == MED_CONTENT_NOT_PRESENT || is_supplement(s)))) {
        out->verdict = MED_CODE_UNKNOWN_SYSTEM;
        out->is_supplement = is_supplement(s);
        out->missing = q->version.len == 0
                           ? q->system
                           : med_arena_printf(x->arena, "%.*s|%.*s", MED_STR_ARG(q->system),
                                              MED_STR_ARG(q->version));
        return true;
    }
    *hit = (med_code_hit){.sys = s,
                          .concept = s->image != NULL ? med_image_find(s->image, q->code)
                                                      : MED_CONCEPT_NONE,
                          .system = q->system,
                          .code = q->code,
                          .rule_display = MED_STR_EMPTY};
    if (hit->concept != MED_CONCEPT_NONE
        || (s->image == NULL && med_rule_has(s->rule, x->arena, q->code, &hit->rule_display))) {
        static const med_part none = {.version = {"", 0}};
        hit->part = &none;
        tell_hit(hit, q, out);
        return true;
    }
    struct near best[MED_CODE_NEAREST] = {0};
    bool all_known = s->image == NULL || med_image_content(s->image) == MED_CONTENT_COMPLETE;
    out->verdict = all_known ? MED_CODE_UNKNOWN_CODE : MED_CODE_UNKNOWN_SYSTEM;
    out->missing = all_known ? MED_STR_EMPTY : q->system;
    out->version = s->version;
    consider_part(best, &all, q->code);
    tell_nearest(best, NULL, x->arena, out);
    return true;
}

/* Not in the set: because there is no such code at all, or since something is not known? */
static bool tell_absent(const med_term_context *x, const med_value_set *vs,
                        const med_code_question *q, med_code_answer *out, med_err *err)
{
    med_code_hit hit;
    struct near best[MED_CODE_NEAREST] = {0};
    med_str missing_url, rest;
    med_canonical_split(vs->missing_system, &missing_url, &rest);
    if (vs->missing.len > 0) {
        out->verdict = MED_CODE_UNKNOWN_VALUE_SET;
        out->missing = vs->missing;
        return true;
    }
    if (missing_url.len > 0 && (q->system.len == 0 || med_str_eq(missing_url, q->system))) {
        out->verdict = MED_CODE_UNKNOWN_SYSTEM;
        out->missing = vs->missing_system;
        return true;
    }
    out->verdict = MED_CODE_NOT_IN;
    if (q->system.len > 0) {
        med_code_answer of_system = {.verdict = MED_CODE_NOT_IN};
        if (!in_system(x, q, &of_system, &hit, err))
            return false;
        if (of_system.verdict == MED_CODE_UNKNOWN_CODE)
            out->verdict = MED_CODE_UNKNOWN_CODE;
    }
    consider_set(best, vs, q->code);
    tell_nearest(best, vs, x->arena, out);
    return true;
}

bool med_term_ask(const med_term_context *x, const med_code_question *q, med_code_answer *out,
                  med_code_hit *hit, const med_value_set **set, med_err *err)
{
    med_str url, version;
    *out = (med_code_answer){.system = q->system,
                             .version = MED_STR_EMPTY,
                             .display = MED_STR_EMPTY,
                             .missing = MED_STR_EMPTY};
    *set = NULL;
    if (q->value_set.len == 0)
        return in_system(x, q, out, hit, err);
    med_canonical_split(q->value_set, &url, &version);
    if (!med_term_value_set(x, url, version, set, err))
        return false;
    if (*set == NULL) {
        out->verdict = MED_CODE_UNKNOWN_VALUE_SET;
        out->missing = q->value_set;
        return true;
    }
    if ((*set)->broken.len > 0)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the value set has a filter that is broken");
    if (med_value_set_has(*set, x->arena, q->system, q->version, q->code, hit)) {
        tell_hit(hit, q, out);
        return true;
    }
    return tell_absent(x, *set, q, out, err);
}

bool med_term_validate(const med_term_scope *s, med_arena *a, const med_code_question *q,
                       med_code_answer *out, med_err *err)
{
    med_term_context x = med_term_context_of(s, a);
    const med_value_set *set;
    med_code_hit hit;
    return med_term_ask(&x, q, out, &hit, &set, err);
}

med_str med_term_hint(enum med_term_kind kind, med_str canonical)
{
    if (kind == MED_TERM_VALUE_SET && med_str_starts(canonical, MED_STR("http://snomed.info/sct")))
        return MED_STR("of SNOMED CT's implicit value sets there are fhir_vs, fhir_vs=isa/ID, "
                       "fhir_vs=refset/ID and fhir_vs=ecl/EXPRESSION");
    if (kind == MED_TERM_VALUE_SET)
        return MED_STR("store the ValueSet (PUT /ValueSet/ID), or install the guide that defines "
                       "it");
    if (med_str_starts(canonical, MED_STR("http://snomed.info/sct")))
        return MED_STR("load it with: medulla terminology import --format snomed FOLDER");
    if (med_str_starts(canonical, MED_STR("http://loinc.org")))
        return MED_STR("load it with: medulla terminology import --format loinc Loinc.csv");
    return MED_STR("store the CodeSystem, or load it with: medulla terminology import FILE");
}

/* ---- hierarchy ---- */

bool med_term_subsumes(const med_term_scope *s, med_arena *a, med_str system, med_str code_a,
                       med_str code_b, enum med_subsumption *out, med_err *err)
{
    med_term_context x = med_term_context_of(s, a);
    return med_term_subsumption(&x, system, code_a, code_b, out, err);
}

bool med_term_subsumption(const med_term_context *x, med_str system, med_str code_a, med_str code_b,
                          enum med_subsumption *out, med_err *err)
{
    med_str url, version, display;
    const med_system *sys;
    med_canonical_split(system, &url, &version);
    if (!med_term_system(x, url, version, &sys, err))
        return false;
    if (sys == NULL) {
        *out = MED_SUBSUMES_UNKNOWN_SYSTEM;
        return true;
    }
    if (sys->image == NULL) {
        *out = !med_rule_has(sys->rule, x->arena, code_a, &display)   ? MED_SUBSUMES_UNKNOWN_A
               : !med_rule_has(sys->rule, x->arena, code_b, &display) ? MED_SUBSUMES_UNKNOWN_B
               : med_str_eq(code_a, code_b)                           ? MED_SUBSUMES_EQUIVALENT
                                                                      : MED_NOT_SUBSUMED;
        return true;
    }
    med_concept one = med_image_find(sys->image, code_a), two = med_image_find(sys->image, code_b);
    if (one == MED_CONCEPT_NONE || two == MED_CONCEPT_NONE)
        *out = one == MED_CONCEPT_NONE ? MED_SUBSUMES_UNKNOWN_A : MED_SUBSUMES_UNKNOWN_B;
    else if (one == two)
        *out = MED_SUBSUMES_EQUIVALENT;
    else if (med_concept_is_a(sys->image, two, one))
        *out = MED_SUBSUMES;
    else
        *out = med_concept_is_a(sys->image, one, two) ? MED_SUBSUMED_BY : MED_NOT_SUBSUMED;
    return true;
}

static bool bits_to_set(const med_term_context *x, const med_system *s, const uint64_t *bits,
                        size_t limit, med_code_set *out, med_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < med_image_words(s->image); i++)
        n += (size_t)__builtin_popcountll(bits[i]);
    if (n > limit)
        return MED_FAIL(
            err, MED_ISSUE_TOO_COSTLY,
            "the code stands for %zu codes, more than the %zu that a search may ask for", n, limit);
    struct med_code_key *at = MED_TAKE(x->arena, n, struct med_code_key);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    out->at = at;
    for (med_concept c = 0; c < med_image_count(s->image); c++) {
        if (med_bit(bits, c))
            at[out->n++] = (struct med_code_key){s->url, med_concept_code(s->image, c)};
    }
    return true;
}

static bool related(const med_term_scope *s, med_arena *a, med_str system, med_str code, bool below,
                    size_t limit, med_code_set *out, med_err *err)
{
    med_term_context x = med_term_context_of(s, a);
    const med_system *sys;
    *out = (med_code_set){.missing = MED_STR_EMPTY};
    if (!med_term_system(&x, system, MED_STR_EMPTY, &sys, err))
        return false;
    med_concept c =
        sys == NULL || sys->image == NULL ? MED_CONCEPT_NONE : med_image_find(sys->image, code);
    if (c == MED_CONCEPT_NONE) {
        out->unknown = true;
        out->missing = sys == NULL ? system : code;
        return true;
    }
    uint64_t *bits = MED_TAKE(a, med_image_words(sys->image) + 1, uint64_t);
    if (bits == NULL)
        return MED_FAIL_MEMORY(err);
    if (below)
        med_image_add_below(sys->image, c, bits);
    else if (!med_image_add_above(sys->image, a, c, bits))
        return MED_FAIL_MEMORY(err);
    return bits_to_set(&x, sys, bits, limit, out, err);
}

bool med_term_below(const med_term_scope *s, med_arena *a, med_str system, med_str code,
                    size_t limit, med_code_set *out, med_err *err)
{
    return related(s, a, system, code, true, limit, out, err);
}

bool med_term_above(const med_term_scope *s, med_arena *a, med_str system, med_str code,
                    size_t limit, med_code_set *out, med_err *err)
{
    return related(s, a, system, code, false, limit, out, err);
}
