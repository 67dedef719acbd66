/* term_find.c - https://hl7.org/fhir/R4/codesystem-operation-find-matches.html
 *
 * Concepts that have the properties given: all of them, or, where there is no such concept, as
 * many as any has; then each match names the properties that it lacks. With `exact` (a machine
 * asks) values are equal; for people the words of a text begin words of the concept's. */
#include "base/unicode.h"
#include "fhir/interactions.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"
#include "terminology/ecl.h"

enum { MOST_WANTED = 32, MOST_PARTS = 16 };

static const char *const known[] = {"system", "version",     "property", "exact", "compositional",
                                    "date",   "tx-resource", "cache-id", NULL};

/* `parts`: of a property that is a group of others; then it has no value of its own. */
typedef struct wanted {
    med_str code, value, folded;
    struct wanted *parts;
    size_t n_parts;
} wanted;

typedef struct match {
    med_concept concept;
    uint32_t has; /* one bit a wanted property */
} match;

typedef struct search {
    med_term_call t;
    const med_system *sys;
    wanted wanted[MOST_WANTED];
    size_t n_wanted;
    bool exact;
    match matches[MED_FIND_MATCHES];
    size_t n;
    int best; /* how many properties each match has */
    bool more;
} search;

static bool fail(med_err *err, const char *text)
{
    (void)MED_FAIL(err, MED_ISSUE_INVALID, "%s", text);
    return med_err_status(err, 400);
}

/* ---- the question ---- */

static med_str value_of(const search *s, uint32_t part)
{
    const med_json *j = s->t.json;
    med_str text = MED_STR_EMPTY;
    for (uint32_t k = part + 1; k < j->nodes[part].next; k = j->nodes[k + 1].next) {
        uint32_t v = k + 1;
        if (!med_str_starts(med_json_raw(j, k), MED_STR("value")))
            continue;
        if (med_json_kind_at(j, v) == MED_JSON_OBJECT)
            return med_json_text(s->t.call->arena, j, v, "code", &text) ? text : MED_STR_EMPTY;
        if (med_json_kind_at(j, v) != MED_JSON_STRING)
            return med_json_raw(j, v);
        return med_json_string(s->t.call->arena, j, v, &text) ? text : MED_STR_EMPTY;
    }
    return text;
}

static bool is_named(const search *s, uint32_t part, const char *name)
{
    uint32_t at = med_json_member(s->t.json, part, MED_STR("name"));
    return at != 0 && med_json_string_is(s->t.json, at, med_str_from(name));
}

/* part: [{name: code}, {name: value}] */
static bool read_value(search *s, uint32_t parameter, wanted *w, med_err *err)
{
    const med_json *j = s->t.json;
    uint32_t list = med_json_member(j, parameter, MED_STR("part"));
    *w = (wanted){.code = MED_STR_EMPTY, .value = MED_STR_EMPTY};
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (is_named(s, e, "code"))
            w->code = value_of(s, e);
        else if (is_named(s, e, "value"))
            w->value = value_of(s, e);
    }
    return med_fold(s->t.call->arena, w->value, &w->folded) ? true : MED_FAIL_MEMORY(err);
}

/* part: [{name: subproperty, part: [code, value]}, ...] */
static bool read_parts(search *s, uint32_t parameter, wanted *w, med_err *err)
{
    const med_json *j = s->t.json;
    uint32_t list = med_json_member(j, parameter, MED_STR("part"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (!is_named(s, e, "subproperty"))
            continue;
        if (w->parts == NULL)
            w->parts = MED_TAKE(s->t.call->arena, MOST_PARTS, wanted);
        if (w->parts == NULL)
            return MED_FAIL_MEMORY(err);
        if (w->n_parts == MOST_PARTS)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "at most %d subproperties", MOST_PARTS);
        wanted *part = &w->parts[w->n_parts++];
        if (!read_value(s, e, part, err))
            return false;
        if (part->code.len == 0 || part->value.len == 0)
            return fail(err, "a subproperty has the parts code and value");
    }
    if (w->n_parts > 0 && (w->value.len > 0 || !med_str_eqz(w->code, MED_ECL_GROUP)))
        return fail(err, "only the property " MED_ECL_GROUP " (Role group of SNOMED CT) has "
                         "subproperties, and then no value");
    return true;
}

/* {name: property, part: [...]} */
static bool read_property(search *s, uint32_t parameter, med_err *err)
{
    wanted w;
    if (!read_value(s, parameter, &w, err) || !read_parts(s, parameter, &w, err))
        return false;
    if (w.code.len == 0 || (w.value.len == 0 && w.n_parts == 0))
        return fail(err, "a property has the parts code and value");
    if (s->n_wanted == MOST_WANTED)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "at most %d properties at once", MOST_WANTED);
    s->wanted[s->n_wanted++] = w;
    return true;
}

static bool read_question(search *s, med_err *err)
{
    const med_json *j = s->t.json;
    uint32_t root = s->t.call->request.root;
    uint32_t list = j == NULL ? 0 : med_json_member(j, root, MED_STR("parameter"));
    s->exact = med_term_param_is(&s->t, "exact", false);
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (is_named(s, e, "property") && !read_property(s, e, err))
            return false;
    }
    med_str system = med_term_param_text(&s->t, "system");
    if (system.len == 0 || s->n_wanted == 0)
        return fail(err, "$find-matches needs system and at least one property (parts code and "
                         "value), by POST");
    if (!med_term_system(&s->t.x, system, med_term_param_text(&s->t, "version"), &s->sys, err))
        return false;
    if (s->sys != NULL && s->sys->image != NULL)
        return true;
    if (s->sys != NULL)
        return fail(err, "a system that is a grammar (units, languages, media types) has no "
                         "properties");
    (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                   "A definition for CodeSystem '%.*s' could not be found; %.*s",
                   MED_STR_ARG(system), MED_STR_ARG(med_term_hint(MED_TERM_CODE_SYSTEM, system)));
    return med_err_status(err, 404);
}

/* ---- the concepts ---- */

static bool text_fits(search *s, const wanted *w, med_str text)
{
    med_str folded;
    if (med_str_eq(text, w->value))
        return true;
    return !s->exact && med_fold(s->t.call->arena, text, &folded)
           && med_words_begin(w->folded, folded);
}

static bool designation_fits(search *s, const wanted *w, med_concept c)
{
    med_designation d;
    for (size_t i = 0; med_concept_designation(s->sys->image, c, i, &d); i++) {
        if (text_fits(s, w, d.value))
            return true;
    }
    return false;
}

static bool relative_fits(const search *s, const wanted *w, const med_concept *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq(med_concept_code(s->sys->image, at[i]), w->value))
            return true;
    }
    return false;
}

static bool value_fits(search *s, const wanted *w, const med_concept_property *p)
{
    if (!med_str_eq(p->code, w->code))
        return false;
    if (p->type == MED_PROPERTY_STRING ? text_fits(s, w, p->value) : med_str_eq(p->value, w->value))
        return true;
    med_str quoted =
        p->type == MED_PROPERTY_CODING
            ? med_arena_printf(s->t.call->arena, "\"code\":\"%.*s\"", MED_STR_ARG(w->value))
            : MED_STR_EMPTY;
    return quoted.len > 0 && med_str_search(p->value, quoted, 0) < p->value.len;
}

static bool property_fits(search *s, const wanted *w, const med_image *m, med_concept c)
{
    med_concept_property p;
    for (size_t i = 0; c != MED_CONCEPT_NONE && med_concept_property_at(m, c, i, &p); i++) {
        if (value_fits(s, w, &p))
            return true;
    }
    return false;
}

/* Has one group of the concept all of the parts? Group 0 is none. */
static bool group_fits(search *s, const wanted *w, const med_image *m, med_concept c)
{
    med_concept_property p;
    uint32_t all = ((uint32_t)1 << w->n_parts) - 1, has = 0;
    bool inside = false;
    for (size_t i = 0; has != all && med_concept_property_at(m, c, i, &p); i++) {
        if (med_str_eqz(p.code, MED_ECL_GROUP)) {
            inside = !med_str_eqz(p.value, "0");
            has = 0;
            continue;
        }
        for (size_t k = 0; inside && k < w->n_parts; k++)
            has |= value_fits(s, &w->parts[k], &p) ? (uint32_t)1 << k : 0;
    }
    return has == all;
}

static bool fits(search *s, const wanted *w, med_concept c)
{
    const med_image *m = s->sys->image;
    size_t n;
    if (med_str_eqz(w->code, "code"))
        return med_str_eq(med_concept_code(m, c), w->value);
    if (med_str_eqz(w->code, "display"))
        return text_fits(s, w, med_concept_display(m, c)) || designation_fits(s, w, c);
    if (med_str_eqz(w->code, "definition"))
        return text_fits(s, w, med_concept_definition(m, c));
    if (med_str_eqz(w->code, "inactive"))
        return med_str_eqz(
            w->value, (med_concept_flags(m, c) & MED_CONCEPT_INACTIVE) != 0 ? "true" : "false");
    if (med_str_eqz(w->code, "parent")) {
        const med_concept *at = med_concept_parents(m, c, &n);
        return relative_fits(s, w, at, n);
    }
    if (med_str_eqz(w->code, "child")) {
        const med_concept *at = med_concept_children(m, c, &n);
        return relative_fits(s, w, at, n);
    }
    if (w->n_parts > 0)
        return group_fits(s, w, m, c);
    if (property_fits(s, w, m, c))
        return true;
    for (size_t i = 0; i < s->sys->n_supplements; i++) {
        const med_image *extra = s->sys->supplements[i];
        if (property_fits(s, w, extra, med_image_find(extra, med_concept_code(m, c))))
            return true;
    }
    return false;
}

static void look_at(search *s, med_concept c)
{
    uint32_t has = 0;
    for (size_t i = 0; i < s->n_wanted; i++)
        has |= fits(s, &s->wanted[i], c) ? (uint32_t)1 << i : 0;
    int n = __builtin_popcount(has);
    if (n == 0 || n < s->best)
        return;
    if (n > s->best) {
        s->n = 0;
        s->more = false;
    }
    s->best = n;
    if (s->n == MED_FIND_MATCHES)
        s->more = true;
    else
        s->matches[s->n++] = (match){c, has};
}

/* ---- the answer ---- */

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

static void write_match(const search *s, med_json_writer *w, const match *at)
{
    const med_image *m = s->sys->image;
    open_parts(w, "match");
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("code"));
    med_json_key(w, MED_STR("valueCoding"));
    med_term_write_coding(w, s->sys->url, s->sys->version, med_concept_code(m, at->concept),
                          med_concept_display(m, at->concept));
    med_json_close(w, '}');
    for (size_t i = 0; i < s->n_wanted; i++) {
        if ((at->has >> i & 1) != 0)
            continue;
        open_parts(w, "unmatched");
        med_term_write_text(w, "code", "valueCode", s->wanted[i].code);
        med_term_write_text(w, "value", "valueString", s->wanted[i].value);
        for (size_t k = 0; k < s->wanted[i].n_parts; k++) {
            open_parts(w, "subproperty");
            med_term_write_text(w, "code", "valueCode", s->wanted[i].parts[k].code);
            med_term_write_text(w, "value", "valueString", s->wanted[i].parts[k].value);
            close_parts(w);
        }
        close_parts(w);
    }
    if (s->more)
        med_term_write_text(
            w, "comment", "valueString",
            MED_STR("there are more matches than are listed: name more properties"));
    close_parts(w);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    med_buf b;
    med_json_writer w;
    search *s = MED_TAKE(call->arena, 1, search);
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    if (s == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_STEP_FAILED;
    }
    if (!med_term_call_begin(call, known, &s->t, err))
        return MED_STEP_FAILED;
    if (s->t.refused)
        return MED_STEP_OK;
    if (!read_question(s, err))
        return MED_STEP_FAILED;
    for (med_concept c = 0; c < med_image_count(s->sys->image); c++)
        look_at(s, c);
    if (med_arena_exhausted(call->arena)) {
        (void)MED_FAIL_MEMORY(err);
        return MED_STEP_FAILED;
    }
    med_term_write_begin(&b, &w);
    for (size_t i = 0; i < s->n; i++)
        write_match(s, &w, &s->matches[i]);
    return med_term_write_end(call, &b, &w, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

#define FIND(variable, how)                                                                        \
    const med_interaction variable = {.name = "find-matches",                                      \
                                      .method = (how),                                             \
                                      .level = MED_LEVEL_TYPE,                                     \
                                      .operation = "$find-matches",                                \
                                      .types = "CodeSystem",                                       \
                                      .prepare = prepare}
FIND(med_interaction_find_matches, MED_GET);
FIND(med_interaction_find_matches_post, MED_POST);
