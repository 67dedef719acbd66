/* filter.c - the filters of a value set, each as one bit a concept.
 * https://hl7.org/fhir/R4/valueset-filter-operator.html */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "terminology/ecl.h"
#include "terminology/value_set.h"

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_KIB = 1024, PATTERN_BYTES = 1000 };

typedef struct filter {
    const med_term_context *x;
    const med_system *sys;
    const med_image *m;
    med_str property, op, value;
    uint64_t *bits;
    med_str *broken;
    med_str in_coding[2]; /* the value as the code and as the display of a Coding's JSON */
} filter;

static bool broken(filter *f, const char *what, med_err *err)
{
    *f->broken = med_arena_printf(
        f->x->arena, "The system %.*s filter with property = %.*s, op = %.*s %s",
        MED_STR_ARG(f->sys->url), MED_STR_ARG(f->property), MED_STR_ARG(f->op), what);
    return f->broken->len > 0 ? true : MED_FAIL_MEMORY(err);
}

static bool is_concept(med_str property)
{
    return med_str_eqz(property, "concept") || med_str_eqz(property, "code");
}

static void invert(filter *f)
{
    for (med_concept c = 0; c < med_image_count(f->m); c++)
        f->bits[c / 64] ^= (uint64_t)1 << (c % 64);
}

/* ---- hierarchy ---- */

static bool by_hierarchy(filter *f, med_str op, med_err *err)
{
    med_concept c = med_image_find(f->m, f->value);
    if (c == MED_CONCEPT_NONE)
        return broken(f, "names a code that the system does not have", err);
    size_t n;
    const med_concept *children = med_concept_children(f->m, c, &n);
    if (med_str_eqz(op, "generalizes"))
        return med_image_add_above(f->m, f->x->arena, c, f->bits) ? true : MED_FAIL_MEMORY(err);
    if (med_str_eqz(op, "child-of")) {
        for (size_t i = 0; i < n; i++)
            med_bit_set(f->bits, children[i]);
        return true;
    }
    med_image_add_below(f->m, c, f->bits);
    if (med_str_eqz(op, "is-not-a"))
        invert(f);
    if (med_str_eqz(op, "descendent-of") || med_str_eqz(op, "descendent-leaf"))
        f->bits[c / 64] &= ~((uint64_t)1 << (c % 64));
    if (med_str_eqz(op, "descendent-leaf")) {
        for (med_concept at = 0; at < med_image_count(f->m); at++) {
            (void)med_concept_children(f->m, at, &n);
            if (n > 0)
                f->bits[at / 64] &= ~((uint64_t)1 << (at % 64));
        }
    }
    return true;
}

/* ---- values ---- */

typedef bool (*test)(const filter *f, med_str value, const void *how);

/* Case counts where it does in the system's codes. */
static bool same(const filter *f, med_str a, med_str b)
{
    return med_image_case_sensitive(f->m) ? med_str_eq(a, b) : med_str_eq_ignore_case(a, b);
}

/* Does the text hold it, with the quotes around it? */
static bool holds_text(const filter *f, med_str text, med_str wanted)
{
    for (size_t at = 0; wanted.len > 0 && at + wanted.len <= text.len; at++) {
        if (same(f, med_str_sub(text, at, at + wanted.len), wanted))
            return true;
    }
    return false;
}

/* A Coding is kept as its JSON: its code counts, and its display where case does not. */
static bool test_equal(const filter *f, med_str value, const void *how)
{
    (void)how;
    if (same(f, value, f->value))
        return true;
    return value.len > 0 && value.ptr[0] == '{'
           && (holds_text(f, value, f->in_coding[0]) || holds_text(f, value, f->in_coding[1]));
}

/* One of the values of a list "a,b". */
static bool test_listed(const filter *f, med_str value, const void *how)
{
    med_str list = f->value;
    (void)how;
    while (list.len > 0) {
        if (same(f, med_str_trim(med_str_cut(list, ',', &list)), value))
            return true;
    }
    return false;
}

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static bool test_pattern(const filter *f, med_str value, const void *how)
{
    const struct pattern *p = how;
    (void)f;
    return pcre2_match(p->code, (PCRE2_SPTR)value.ptr, value.len, 0, 0, p->data, p->limits) >= 0;
}

static bool any_property(const filter *f, med_concept c, test t, const void *how, bool *has)
{
    med_concept_property p;
    bool found = false;
    *has = false;
    for (size_t i = 0; med_concept_property_at(f->m, c, i, &p); i++) {
        if (!med_str_eq(p.code, f->property))
            continue;
        *has = true;
        found = found || t(f, p.value, how);
    }
    for (size_t s = 0; s < f->sys->n_supplements; s++) {
        const med_image *m = f->sys->supplements[s];
        med_concept other = med_image_find(m, med_concept_code(f->m, c));
        for (size_t i = 0; med_concept_property_at(m, other, i, &p); i++) {
            if (!med_str_eq(p.code, f->property))
                continue;
            *has = true;
            found = found || t(f, p.value, how);
        }
    }
    return found;
}

static bool by_links(const filter *f, med_concept c, bool up, test t, const void *how, bool *has)
{
    size_t n;
    const med_concept *at =
        up ? med_concept_parents(f->m, c, &n) : med_concept_children(f->m, c, &n);
    *has = n > 0;
    for (size_t i = 0; i < n; i++) {
        if (t(f, med_concept_code(f->m, at[i]), how))
            return true;
    }
    return false;
}

static bool holds(const filter *f, med_concept c, test t, const void *how, bool *has)
{
    *has = true;
    if (is_concept(f->property))
        return t(f, med_concept_code(f->m, c), how);
    if (any_property(f, c, t, how, has))
        return true;
    if (*has)
        return false;
    if (med_str_eqz(f->property, "display")) {
        *has = true;
        return t(f, med_concept_display(f->m, c), how);
    }
    if (med_str_eqz(f->property, "definition"))
        return t(f, med_concept_definition(f->m, c), how);
    if (med_str_eqz(f->property, "parent"))
        return by_links(f, c, true, t, how, has);
    if (med_str_eqz(f->property, "child"))
        return by_links(f, c, false, t, how, has);
    return false;
}

static bool by_value(filter *f, test t, const void *how, bool inverted)
{
    for (med_concept c = 0; c < med_image_count(f->m); c++) {
        bool has;
        if (holds(f, c, t, how, &has) != inverted)
            med_bit_set(f->bits, c);
    }
    return true;
}

static bool by_existence(filter *f)
{
    bool wanted = med_str_eqz(f->value, "true");
    for (med_concept c = 0; c < med_image_count(f->m); c++) {
        bool has;
        (void)holds(f, c, test_equal, NULL, &has);
        if (has == wanted)
            med_bit_set(f->bits, c);
    }
    return true;
}

static bool by_regex(filter *f, med_err *err)
{
    int code;
    PCRE2_SIZE at;
    struct pattern p = {0};
    if (f->value.len > PATTERN_BYTES)
        return broken(f, "has a regular expression that is too long", err);
    p.code = pcre2_compile((PCRE2_SPTR)f->value.ptr, f->value.len,
                           PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code, &at, NULL);
    if (p.code == NULL)
        return broken(f, "has a regular expression that is none", err);
    p.data = pcre2_match_data_create(1, NULL);
    p.limits = pcre2_match_context_create(NULL);
    bool ok = p.data != NULL && p.limits != NULL;
    if (ok) {
        (void)pcre2_set_match_limit(p.limits, MATCH_LIMIT);
        (void)pcre2_set_depth_limit(p.limits, DEPTH_LIMIT);
        (void)pcre2_set_heap_limit(p.limits, HEAP_KIB);
        (void)by_value(f, test_pattern, &p, false);
    }
    pcre2_match_context_free(p.limits);
    pcre2_match_data_free(p.data);
    pcre2_code_free(p.code);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* The value in quotes, as it stands in a Coding. False without memory. */
static bool write_coding(filter *f)
{
    static const char *const keys[] = {"code", "display"};
    size_t n = med_image_case_sensitive(f->m) ? 1 : 2;
    med_buf b;
    med_buf_init(&b, 1 << 20);
    bool ok = true;
    for (size_t k = 0; ok && k < n; k++) {
        med_buf_clear(&b);
        med_json_writer w = med_json_writer_to(&b);
        med_json_open(&w, '{');
        med_json_pair(&w, keys[k], f->value);
        ok = !b.failed && b.len > 1
             && med_arena_copy(f->x->arena, med_str_skip(med_buf_str(&b), 1), &f->in_coding[k]);
    }
    med_buf_free(&b);
    return ok;
}

/* ---- LOINC: the properties that it adds ---- */

/* The answers of a list. */
static void add_answers(filter *f, med_str list)
{
    med_concept_property p;
    med_concept c = med_image_find(f->m, list);
    for (size_t i = 0; med_concept_property_at(f->m, c, i, &p); i++) {
        med_concept answer =
            med_str_eqz(p.code, "answer") ? med_image_find(f->m, p.value) : MED_CONCEPT_NONE;
        if (answer != MED_CONCEPT_NONE)
            med_bit_set(f->bits, answer);
    }
}

/* The answers of the lists that go with a term. */
static void add_answers_for(filter *f)
{
    med_concept_property p;
    med_concept c = med_image_find(f->m, f->value);
    for (size_t i = 0; med_concept_property_at(f->m, c, i, &p); i++) {
        if (med_str_eqz(p.code, "answer-list"))
            add_answers(f, p.value);
    }
}

/* LOINC: who else has a copyright is a property of the term. */
static bool by_copyright(filter *f, med_err *err)
{
    bool others = med_str_eqz(f->value, "3rdParty");
    if (!others && !med_str_eqz(f->value, "LOINC"))
        return broken(f, "has a value that is neither LOINC nor 3rdParty", err);
    f->property = MED_STR("EXTERNAL_COPYRIGHT_NOTICE");
    f->value = others ? MED_STR("true") : MED_STR("false");
    return by_existence(f);
}

/* https://hl7.org/fhir/R4/loinc.html; *done is false of a property that is like any other. */
static bool by_loinc(filter *f, bool *done, med_err *err)
{
    *done = true;
    if (med_str_eqz(f->property, "ancestor"))
        return by_hierarchy(f, MED_STR("descendent-of"), err);
    if (med_str_eqz(f->property, "copyright"))
        return by_copyright(f, err);
    if (med_str_eqz(f->property, "LIST"))
        add_answers(f, f->value);
    else if (med_str_eqz(f->property, "answers-for"))
        add_answers_for(f);
    else
        *done = false;
    return true;
}

bool med_filter_apply(const med_term_context *x, const med_system *sys, med_str property,
                      med_str op, med_str value,
                      uint64_t *bits, /* NOLINT(readability-non-const-parameter): filled */
                      med_str *out_broken, med_err *err)
{
    static const char *const hierarchical[] = {"is-a",        "is-not-a", "descendent-of",
                                               "generalizes", "child-of", "descendent-leaf"};
    filter f = {x, sys, sys->image, property, op, value, bits, out_broken, {{0}}};
    if (property.len == 0 || op.len == 0 || value.len == 0)
        return broken(&f,
                      property.len == 0 ? "has no property"
                      : op.len == 0     ? "has no operator"
                                        : "has no value",
                      err);
    if (med_str_eqz(sys->url, "http://snomed.info/sct")) {
        /* https://hl7.org/fhir/R4/snomedct.html: the filters of its own */
        if (med_str_eqz(property, "constraint") && med_str_eqz(op, "="))
            return med_ecl_apply(f.m, x->arena, value, bits, out_broken, err);
        if (med_str_eqz(property, "concept") && med_str_eqz(op, "in")) {
            med_ecl_add_members(f.m, value, bits);
            return true;
        }
    }
    if (med_str_eqz(sys->url, "http://loinc.org") && med_str_eqz(op, "=")) {
        bool done;
        bool ok = by_loinc(&f, &done, err);
        if (!ok || done)
            return ok;
    }
    for (size_t i = 0; i < sizeof hierarchical / sizeof *hierarchical; i++) {
        if (med_str_eqz(op, hierarchical[i]))
            return by_hierarchy(&f, op, err);
    }
    if (!write_coding(&f))
        return MED_FAIL_MEMORY(err);
    if (med_str_eqz(op, "="))
        return by_value(&f, test_equal, NULL, false);
    if (med_str_eqz(op, "in"))
        return by_value(&f, test_listed, NULL, false);
    if (med_str_eqz(op, "not-in"))
        return by_value(&f, test_listed, NULL, true);
    if (med_str_eqz(op, "exists"))
        return by_existence(&f);
    if (med_str_eqz(op, "regex"))
        return by_regex(&f, err);
    return broken(&f, "has an operator that FHIR R4 does not have", err);
}
