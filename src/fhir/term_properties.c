/* term_properties.c - see term_properties.h. */
#include "fhir/term_properties.h"

static void open_list(med_json_writer *w, bool *opened)
{
    if (!*opened) {
        med_json_key(w, MED_STR("property"));
        med_json_open(w, '[');
    }
    *opened = true;
}

/* What concepts say of themselves in extensions is told whether it was asked for or not: each of
 * these once it is there. https://hl7.org/fhir/R5/codesystem.html#defined-props */
static const char *const told_always[MED_TOLD_ALWAYS] = {"order", "label", "itemWeight", "status"};

static bool is_told_always(const med_concept_property *p, size_t *which)
{
    med_str standard = MED_STR("http://hl7.org/fhir/concept-properties#");
    if (!med_str_starts(p->uri, standard))
        return false;
    for (*which = 0; *which < MED_TOLD_ALWAYS; (*which)++) {
        if (med_str_eqz(med_str_skip(p->uri, standard.len), told_always[*which]))
            return true;
    }
    return false;
}

/* What a value set says in extensions of a code that it lists takes the place of what the system
 * says. 0 when it says nothing. */
enum { SAID_BY_LISTS = 3 };
static const char *const codes[SAID_BY_LISTS] = {"order", "label", "weight"};
static uint32_t said_by_list(const med_code_hit *h, size_t which)
{
    static const struct {
        size_t which;
        const char *url, *value;
    } known[] = {{0, "valueset-conceptOrder", "valueInteger"},
                 {1, "valueset-label", "valueString"},
                 {2, "itemWeight", "valueDecimal"},
                 {2, "ordinalValue", "valueDecimal"}};
    med_str start = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    const med_json *j = h->set == NULL || h->listed == NULL ? NULL : h->set->json;
    uint32_t list = j == NULL ? 0 : med_json_member(j, h->listed->node, MED_STR("extension"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t url = med_json_member(j, e, MED_STR("url"));
        med_str text = url == 0 ? MED_STR_EMPTY : med_json_raw(j, url);
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (known[i].which == which && med_str_starts(text, start)
                && med_str_eqz(med_str_skip(text, start.len), known[i].url))
                return med_json_member(j, e, med_str_from(known[i].value));
        }
    }
    return 0;
}

static bool wants_property(const med_term_told *l, med_str code)
{
    const med_term_param *p;
    for (size_t i = 0; (p = med_term_param_at(l->t, "property", i)) != NULL; i++) {
        if (med_str_eq(p->value, code) || med_str_eqz(p->value, "*"))
            return true;
    }
    return false;
}

static bool system_property(const med_system *s, med_str code, med_concept_property *out)
{
    for (size_t i = 0; s->image != NULL && med_image_property_def(s->image, i, out); i++) {
        if (med_str_eq(out->code, code))
            return true;
    }
    for (size_t k = 0; k < s->n_supplements; k++) {
        for (size_t i = 0; med_image_property_def(s->supplements[k], i, out); i++) {
            if (med_str_eq(out->code, code))
                return true;
        }
    }
    return false;
}

static void property_def(med_json_writer *w, med_str code, med_str uri)
{
    med_json_open(w, '{');
    med_json_pair(w, "code", code);
    med_json_pair(w, "uri", uri);
    med_json_close(w, '}');
}

static bool defines_told(const med_system *s)
{
    med_concept_property p;
    size_t which;
    for (size_t i = 0; s->image != NULL && med_image_property_def(s->image, i, &p); i++) {
        if (is_told_always(&p, &which))
            return true;
    }
    for (size_t k = 0; k < s->n_supplements; k++) {
        for (size_t i = 0; med_image_property_def(s->supplements[k], i, &p); i++) {
            if (is_told_always(&p, &which))
                return true;
        }
    }
    return false;
}

static void look_for_told(med_term_told *l, const med_image *m, med_concept c)
{
    med_concept_property p;
    size_t which;
    for (size_t i = 0; med_concept_property_at(m, c, i, &p); i++) {
        if (is_told_always(&p, &which) && l->codes[which].len == 0)
            l->codes[which] = p.code;
    }
}

/* Which of these properties the codes of this answer have, and what they are called. */
void med_term_told_find(med_term_told *l)
{
    const med_system *last = NULL;
    bool defined = false;
    for (size_t i = 0; i < MED_TOLD_ALWAYS; i++)
        l->codes[i] = MED_STR_EMPTY;
    for (size_t i = 0; i < l->all->n; i++) {
        const med_code_hit *h = &l->all->at[i];
        for (size_t k = 0; h->listed != NULL && k < SAID_BY_LISTS; k++) {
            if (l->codes[k].len == 0 && said_by_list(h, k) != 0)
                l->codes[k] = med_str_from(codes[k]);
        }
        if (h->sys == NULL || h->sys->image == NULL || h->concept == MED_CONCEPT_NONE)
            continue;
        if (h->sys != last)
            defined = defines_told(h->sys);
        last = h->sys;
        if (!defined)
            continue;
        look_for_told(l, h->sys->image, h->concept);
        for (size_t k = 0; k < h->sys->n_supplements; k++)
            look_for_told(l, h->sys->supplements[k],
                          med_image_find(h->sys->supplements[k], h->code));
    }
}

static void write_asked_defs(const med_term_told *l, med_json_writer *w, bool *opened)
{
    const med_term_param *p;
    for (size_t i = 0; (p = med_term_param_at(l->t, "property", i)) != NULL; i++) {
        med_concept_property def = {.uri = MED_STR_EMPTY};
        bool told = false;
        if (med_str_eqz(p->value, "definition"))
            def.uri = MED_STR("http://hl7.org/fhir/concept-properties#definition");
        for (size_t k = 0; def.uri.len == 0 && k < l->vs->n_includes; k++) {
            const med_system *s = l->vs->includes[k].sys;
            if (s != NULL)
                (void)system_property(s, p->value, &def);
        }
        for (size_t k = 0; k < MED_TOLD_ALWAYS; k++)
            told = told || med_str_eq(l->codes[k], p->value);
        if (told)
            continue;
        open_list(w, opened);
        property_def(w, p->value, def.uri);
    }
}

void med_term_told_write_defs(const med_term_told *l, med_json_writer *w)
{
    bool opened = false;
    for (size_t k = 0; k < MED_TOLD_ALWAYS; k++) {
        if (l->codes[k].len == 0)
            continue;
        open_list(w, &opened);
        property_def(w, l->codes[k],
                     med_arena_printf(l->t->call->arena,
                                      "http://hl7.org/fhir/concept-properties#%s", told_always[k]));
    }
    write_asked_defs(l, w, &opened);
    if (opened)
        med_json_close(w, ']');
}

static const char *const value_names[MED_PROPERTY_TYPES] = {
    "valueCode",    "valueString",   "valueCoding", "valueInteger",
    "valueBoolean", "valueDateTime", "valueDecimal"};

void med_term_write_value(med_json_writer *w, const med_concept_property *p)
{
    bool raw = p->type == MED_PROPERTY_CODING || p->type == MED_PROPERTY_INTEGER
               || p->type == MED_PROPERTY_BOOLEAN || p->type == MED_PROPERTY_DECIMAL;
    med_json_key(w, med_str_from(value_names[p->type]));
    if (raw)
        med_json_raw_value(w, p->value);
    else
        med_json_str(w, p->value);
}

static void write_listed(const med_term_told *l, med_json_writer *w, const med_code_hit *h,
                         bool *opened)
{
    static const char *const keys[SAID_BY_LISTS] = {"valueDecimal", "valueString", "valueDecimal"};
    for (size_t k = 0; h->listed != NULL && k < SAID_BY_LISTS; k++) {
        uint32_t value = said_by_list(h, k);
        if (value == 0)
            continue;
        open_list(w, opened);
        med_json_open(w, '{');
        med_json_pair(w, "code", l->codes[k]);
        med_json_key(w, med_str_from(keys[k]));
        med_json_value(w, h->set->json, value);
        med_json_close(w, '}');
    }
}

static void write_properties_of(const med_term_told *l, med_json_writer *w, const med_image *m,
                                med_concept c, const med_code_hit *h, bool *opened)
{
    med_concept_property p;
    size_t which;
    for (size_t i = 0; med_concept_property_at(m, c, i, &p); i++) {
        if (med_property_is_extension(&p)
            || (!is_told_always(&p, &which) && !wants_property(l, p.code))
            || (is_told_always(&p, &which) && said_by_list(h, which) != 0))
            continue;
        open_list(w, opened);
        med_json_open(w, '{');
        med_json_pair(w, "code", p.code);
        med_term_write_value(w, &p);
        med_json_close(w, '}');
    }
}

void med_term_told_write(const med_term_told *l, med_json_writer *w, const med_code_hit *h)
{
    bool opened = false;
    const med_image *m = h->sys == NULL ? NULL : h->sys->image;
    bool told = false;
    for (size_t k = 0; k < MED_TOLD_ALWAYS; k++)
        told = told || l->codes[k].len > 0;
    if (!told && med_term_param_at(l->t, "property", 0) == NULL)
        return;
    med_str definition = m == NULL ? MED_STR_EMPTY : med_concept_definition(m, h->concept);
    if (wants_property(l, MED_STR("definition")) && definition.len > 0) {
        open_list(w, &opened);
        med_json_open(w, '{');
        med_json_pair(w, "code", MED_STR("definition"));
        med_json_pair(w, "valueString", definition);
        med_json_close(w, '}');
    }
    write_listed(l, w, h, &opened);
    if (m != NULL)
        write_properties_of(l, w, m, h->concept, h, &opened);
    for (size_t i = 0; m != NULL && i < h->sys->n_supplements; i++) {
        const med_image *s = h->sys->supplements[i];
        write_properties_of(l, w, s, med_image_find(s, h->code), h, &opened);
    }
    if (opened)
        med_json_close(w, ']');
}
