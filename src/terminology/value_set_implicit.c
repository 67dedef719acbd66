/* value_set_implicit.c - value sets that systems define by themselves: SNOMED CT and LOINC.
 *
 * Each becomes a ValueSet with one include, which is compiled like any other. */
#include "base/url.h"
#include "terminology/value_set.h"

#define SNOMED "http://snomed.info/sct"
#define LOINC "http://loinc.org"

/* ---- the ValueSet ---- */

typedef struct draft {
    med_buf text;
    med_json_writer w;
} draft;

/* Up to the members of the include behind its system. Empty fields are left out. */
static void begin(draft *d, med_str url, med_str title, const char *system, med_str version)
{
    med_buf_init(&d->text, 1 << 24);
    d->w = med_json_writer_to(&d->text);
    med_json_open(&d->w, '{');
    med_json_pair(&d->w, "resourceType", MED_STR("ValueSet"));
    med_json_pair(&d->w, "url", url);
    if (title.len > 0)
        med_json_pair(&d->w, "title", title);
    med_json_pair(&d->w, "status", MED_STR("active"));
    med_json_key(&d->w, MED_STR("compose"));
    med_json_open(&d->w, '{');
    med_json_key(&d->w, MED_STR("include"));
    med_json_open(&d->w, '[');
    med_json_open(&d->w, '{');
    med_json_pair(&d->w, "system", med_str_from(system));
    if (version.len > 0)
        med_json_pair(&d->w, "version", version);
}

/* {"property":property,"op":op,"value":value} as the only filter. */
static void filter(draft *d, const char *property, const char *op, med_str value)
{
    med_json_key(&d->w, MED_STR("filter"));
    med_json_open(&d->w, '[');
    med_json_open(&d->w, '{');
    med_json_pair(&d->w, "property", med_str_from(property));
    med_json_pair(&d->w, "op", med_str_from(op));
    med_json_pair(&d->w, "value", value);
    med_json_close(&d->w, '}');
    med_json_close(&d->w, ']');
}

/* Ends the draft, and compiles it if `wanted`. */
static bool compile(const med_term_context *x, draft *d, bool wanted, const med_value_set **out,
                    med_err *err)
{
    med_str text = MED_STR_EMPTY;
    med_json *j = MED_TAKE(x->arena, 1, med_json);
    med_json_close(&d->w, '}');
    med_json_close(&d->w, ']');
    med_json_close(&d->w, '}');
    med_json_close(&d->w, '}');
    bool ok =
        j != NULL && !d->text.failed && med_arena_copy(x->arena, med_buf_str(&d->text), &text);
    med_buf_free(&d->text);
    if (!ok)
        return MED_FAIL_MEMORY(err);
    return !wanted
           || (med_json_parse(x->arena, text, j, NULL, err)
               && med_value_set_compile(x, j, 0, out, err));
}

/* ---- SNOMED CT ---- */

static bool is_plain_code(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_alnum(s.ptr[i]) && s.ptr[i] != '-')
            return false;
    }
    return s.len > 0;
}

/* What stands behind "fhir_vs". False when that is no form of it. */
static bool snomed_filter(draft *d, med_str what)
{
    med_str isa = MED_STR("=isa/"), refset = MED_STR("=refset/"), ecl = MED_STR("=ecl/");
    if (what.len == 0)
        return true;
    if (med_str_starts(what, isa) && is_plain_code(med_str_skip(what, isa.len)))
        filter(d, "concept", "is-a", med_str_skip(what, isa.len));
    else if (med_str_starts(what, refset) && is_plain_code(med_str_skip(what, refset.len)))
        filter(d, "refset", "=", med_str_skip(what, refset.len));
    else if (med_str_starts(what, ecl) && what.len > ecl.len)
        filter(d, "constraint", "=", med_str_skip(what, ecl.len));
    else
        return false;
    return true;
}

/* http://snomed.info/sct?fhir_vs, =isa/ID, =refset/ID, =ecl/EXPRESSION, also below an edition's
 * URI. https://hl7.org/fhir/R4/snomedct.html#implicit */
static bool snomed_set(const med_term_context *x, med_str url, const med_value_set **out,
                       med_err *err)
{
    draft d;
    med_str what, edition = med_str_cut(url, '?', &what);
    if (!med_percent_decode(x->arena, med_str_skip(what, MED_STR("fhir_vs").len), false, &what,
                            err))
        return false;
    begin(&d, url, MED_STR_EMPTY, SNOMED, med_str_eqz(edition, SNOMED) ? MED_STR_EMPTY : edition);
    bool is_one = snomed_filter(&d, what);
    return compile(x, &d, is_one, out, err);
}

/* ---- LOINC ---- */

/* The answers of a list, in its order. False when it has none here: others define it. */
static bool answers(draft *d, const med_image *m, med_concept list)
{
    bool any = false;
    med_concept_property p;
    med_json_key(&d->w, MED_STR("concept"));
    med_json_open(&d->w, '[');
    for (size_t i = 0; med_concept_property_at(m, list, i, &p); i++) {
        if (!med_str_eqz(p.code, "answer"))
            continue;
        any = true;
        med_json_open(&d->w, '{');
        med_json_pair(&d->w, "code", p.value);
        med_json_close(&d->w, '}');
    }
    med_json_close(&d->w, ']');
    return any;
}

/* http://loinc.org/vs: all codes; /LL...: an answer list; /LP...: what is below a part in the
 * hierarchy. https://hl7.org/fhir/R4/loinc.html */
static bool loinc_set(const med_term_context *x, med_str url, med_str version,
                      const med_value_set **out, med_err *err)
{
    draft d;
    const med_system *sys;
    med_str all = MED_STR(LOINC "/vs"), title = MED_STR_EMPTY;
    med_str id = url.len > all.len ? med_str_skip(url, all.len + 1) : MED_STR_EMPTY;
    if (!med_term_system(x, MED_STR(LOINC), version, &sys, err))
        return false;
    const med_image *m = sys == NULL ? NULL : sys->image;
    med_concept c = m == NULL || id.len == 0 ? MED_CONCEPT_NONE : med_image_find(m, id);
    if (c != MED_CONCEPT_NONE)
        title = med_concept_display(m, c);
    begin(&d, url, title, LOINC, version);
    bool is_one = id.len == 0;
    if (c != MED_CONCEPT_NONE && med_str_starts(med_concept_code(m, c), MED_STR("LL"))) {
        is_one = answers(&d, m, c);
    } else if (c != MED_CONCEPT_NONE && med_str_starts(med_concept_code(m, c), MED_STR("LP"))) {
        filter(&d, "ancestor", "=", id);
        is_one = true;
    }
    return compile(x, &d, is_one, out, err);
}

bool med_value_set_implicit(const med_term_context *x, med_str url, med_str version,
                            const med_value_set **out, med_err *err)
{
    *out = NULL;
    if (med_str_starts(url, MED_STR(SNOMED))
        && med_str_search(url, MED_STR("?fhir_vs"), 0) < url.len) {
        /* what looks like a version is the term of an expression: "ecl/<< 1 |Name|" */
        med_str whole = version.len == 0 ? url
                                         : med_arena_printf(x->arena, "%.*s|%.*s", MED_STR_ARG(url),
                                                            MED_STR_ARG(version));
        return whole.len > 0 ? snomed_set(x, whole, out, err) : MED_FAIL_MEMORY(err);
    }
    if (med_str_eqz(url, LOINC "/vs") || med_str_starts(url, MED_STR(LOINC "/vs/")))
        return loinc_set(x, url, version, out, err);
    return true;
}
