/* term_display.c - is a display one of a code's?
 * https://hl7.org/fhir/R4/valueset-operation-validate-code.html */
#include "fhir/terms.h"
#include "terminology/code_system_json.h"

typedef struct check {
    const med_term_call *t;
    const med_code_hit *hit;
} check;

static void list_choice(const check *k, med_str value, med_str language, med_str *out, size_t *n)
{
    med_str quoted = med_arena_printf(k->t->call->arena, "'%.*s'", MED_STR_ARG(value));
    if (value.len == 0 || *n >= 20 || med_str_search(*out, quoted, 0) < out->len)
        return;
    *out = med_arena_printf(k->t->call->arena, "%.*s%s%.*s%s%.*s%s", MED_STR_ARG(*out),
                            *n > 0 ? " or " : "", MED_STR_ARG(quoted), language.len > 0 ? " (" : "",
                            MED_STR_ARG(language), language.len > 0 ? ")" : "");
    (*n)++;
}

/* A designation with another use and in no language is a remark, not a display. */
static void list_choices(const check *k, const med_image *m, med_concept c, med_str *out, size_t *n)
{
    med_designation d;
    med_str wanted = k->t->language;
    for (size_t i = 0; med_concept_designation(m, c, i, &d); i++) {
        bool fits = wanted.len == 0 ? d.language.len > 0 || d.use_code.len == 0
                                    : med_term_language_fits(d.language, wanted);
        if (fits && !med_designation_is_withdrawn(&d))
            list_choice(k, d.value, d.language, out, n);
    }
}

static med_str choices_of(const check *k, size_t *n)
{
    const med_code_hit *h = k->hit;
    const med_image *m = h->sys == NULL ? NULL : h->sys->image;
    med_str out = MED_STR_EMPTY, wanted = k->t->language;
    *n = 0;
    if (h->listed != NULL)
        list_choice(k, h->listed->display, MED_STR_EMPTY, &out, n);
    if (m != NULL && h->concept != MED_CONCEPT_NONE) {
        if (wanted.len == 0 || med_term_language_fits(med_image_language(m), wanted))
            list_choice(k, med_concept_display(m, h->concept), med_image_language(m), &out, n);
        list_choices(k, m, h->concept, &out, n);
        for (size_t i = 0; i < h->sys->n_supplements; i++) {
            const med_image *s = h->sys->supplements[i];
            list_choices(k, s, med_image_find(s, h->code), &out, n);
        }
    }
    if (*n == 0 && wanted.len == 0)
        list_choice(k, med_code_hit_display(h), MED_STR_EMPTY, &out, n);
    return out;
}

/* Is it a name that the code had once? */
static bool was_named(const med_image *m, med_concept c, med_str display)
{
    med_designation d;
    for (size_t i = 0; med_concept_designation(m, c, i, &d); i++) {
        if (med_str_eq_ignore_case(d.value, display) && med_designation_is_withdrawn(&d))
            return true;
    }
    return false;
}

static bool is_old_name(const check *k, med_str display)
{
    const med_code_hit *h = k->hit;
    if (h->sys == NULL || h->sys->image == NULL || h->concept == MED_CONCEPT_NONE
        || med_str_eq_ignore_case(med_code_hit_display(h), display))
        return false;
    bool found = was_named(h->sys->image, h->concept, display);
    for (size_t i = 0; !found && i < h->sys->n_supplements; i++) {
        const med_image *m = h->sys->supplements[i];
        found = was_named(m, med_image_find(m, h->code), display);
    }
    return found;
}

static bool same_but_space(med_str a, med_str b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.len && med_is_space(a.ptr[i]))
            i++;
        while (k < b.len && med_is_space(b.ptr[k]))
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (a.ptr[i++] != b.ptr[k++])
            return false;
    }
}

void med_term_check_display(const med_term_call *t, const med_code_hit *hit,
                            const med_term_named *c, med_term_issues *issues, bool *failed)
{
    const check whole = {t, hit}, *k = &whole;
    size_t n;
    bool lenient = med_term_param_is(k->t, "lenient-display-validation", false);
    enum med_term_severity severity = lenient ? MED_TERM_WARNING : MED_TERM_ERROR;
    med_str language = k->t->language, where = c->at;
    if (is_old_name(k, c->display)) {
        med_term_issue_add(
            issues, MED_TERM_WARNING, "invalid", "display-comment", "INACTIVE_DISPLAY_FOUND", where,
            "'%.*s' is no longer considered a correct display for code '%.*s' (status = "
            "deprecated). The correct display is one of \"%.*s\".",
            MED_STR_ARG(c->display), MED_STR_ARG(c->code),
            MED_STR_ARG(med_code_hit_display(k->hit)));
        return;
    }
    /* of a list of languages ("de,it;q=0.5") the choices are what fits */
    bool is_one = med_str_find(language, ',', 0) == language.len
                  && med_str_find(language, ';', 0) == language.len;
    bool named = med_code_hit_is_named(k->hit, c->display, is_one ? language : MED_STR_EMPTY);
    med_str choices = choices_of(k, &n);
    if (n == 0 && !named) /* nothing in that language: any of its displays will do */
        named = med_code_hit_is_named(k->hit, c->display, MED_STR_EMPTY);
    med_str shown = language.len > 0 ? language : MED_STR("--");
    if (n == 0 && named) {
        med_term_issue_add(issues, MED_TERM_NOTE, "invalid", "invalid-display",
                           "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK", where,
                           "There are no valid display names found for the code %.*s for "
                           "language(s) '%.*s'. The display is '%.*s' which is a valid display "
                           "for the default language",
                           MED_STR_ARG(c->name), MED_STR_ARG(shown), MED_STR_ARG(c->display));
        return;
    }
    bool in_language =
        named
        && (language.len == 0
            || med_str_search(
                   choices, med_arena_printf(k->t->call->arena, "'%.*s'", MED_STR_ARG(c->display)),
                   0)
                   < choices.len);
    if (in_language || (named && language.len == 0))
        return;
    *failed = severity == MED_TERM_ERROR;
    if (n == 0) {
        med_term_issue_add(issues, severity, "invalid", "invalid-display",
                           "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR", where,
                           "Wrong Display Name '%.*s' for %.*s. There are no valid display names "
                           "found for language(s) '%.*s'. Default display is '%.*s'",
                           MED_STR_ARG(c->display), MED_STR_ARG(c->name), MED_STR_ARG(shown),
                           MED_STR_ARG(med_code_hit_display(k->hit)));
        return;
    }
    bool space = same_but_space(c->display, med_code_hit_display(k->hit));
    med_str count =
        n == 1 ? MED_STR_EMPTY : med_arena_printf(k->t->call->arena, "one of %zu choices: ", n);
    med_term_issue_add(issues, severity, "invalid", "invalid-display",
                       space ? "Display_Name_WS_for__should_be_one_of__instead_of"
                             : "Display_Name_for__should_be_one_of__instead_of",
                       where,
                       "Wrong %s '%.*s' for %.*s. Valid display is %.*s%.*s (for the language(s) "
                       "'%.*s')",
                       space ? "whitespace in Display Name" : "Display Name",
                       MED_STR_ARG(c->display), MED_STR_ARG(c->name), MED_STR_ARG(count),
                       MED_STR_ARG(choices), MED_STR_ARG(shown));
}
