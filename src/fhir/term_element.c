/* term_element.c - https://hl7.org/fhir/R4/valueset-operation-expand.html
 *
 * A context is "StructureDefinition#element": the element's id or path, which may lead on into
 * the types of elements ("Patient#Patient.name.use"). */
#include "fhir/term_element.h"

#include "fhir/definitions.h"
#include "terminology/code_system_json.h"

typedef struct finder {
    med_term_call *t;
    med_arena *arena;
    med_definition_source source;
    const med_json *j;
    uint32_t list; /* snapshot.element */
} finder;

static bool refuse(med_err *err, int status)
{
    return med_err_status(err, status);
}

static med_str text(const finder *f, uint32_t object, const char *key)
{
    med_str out;
    return med_json_text(f->arena, f->j, object, key, &out) ? out : MED_STR_EMPTY;
}

static bool load(finder *f, med_str canonical, med_err *err)
{
    const med_definition *d;
    if (!med_definition_find(&f->source, f->arena, canonical, &d, err))
        return false;
    if (d == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "the StructureDefinition '%.*s' could not be found; store it, or install "
                       "the package that has it",
                       MED_STR_ARG(canonical));
        return refuse(err, 404);
    }
    f->j = &d->json;
    uint32_t snapshot = med_json_member(f->j, 0, MED_STR("snapshot"));
    f->list = snapshot == 0 ? 0 : med_json_member(f->j, snapshot, MED_STR("element"));
    return true;
}

/* Is the element's name that one: "value[x]" is also "valueCodeableConcept". */
static bool is_named(med_str have, med_str wanted)
{
    if (med_str_eq(have, wanted))
        return true;
    if (!med_str_ends(have, MED_STR("[x]")))
        return false;
    med_str stem = med_str_sub(have, 0, have.len - 3);
    return med_str_starts(wanted, stem) && wanted.len > stem.len
           && med_is_upper(wanted.ptr[stem.len])
           && med_str_find(wanted, '.', stem.len) == wanted.len;
}

/* By its id, else by its path; 0 when there is none. */
static uint32_t element_at(const finder *f, med_str name)
{
    static const char *const keys[] = {"id", "path"};
    for (size_t k = 0; k < 2; k++) {
        for (uint32_t e = f->list + 1; f->list != 0 && e < f->j->nodes[f->list].next;
             e = f->j->nodes[e].next) {
            if (is_named(text(f, e, keys[k]), name))
                return e;
        }
    }
    return 0;
}

static med_str type_of(const finder *f, uint32_t element)
{
    uint32_t list = med_json_member(f->j, element, MED_STR("type"));
    return list == 0 || f->j->nodes[list].count == 0 ? MED_STR_EMPTY : text(f, list + 1, "code");
}

/* The element, or, where it stands in the type of one that is there, that one (never the root):
 * *rest is what is left to go. */
static uint32_t nearest_above(const finder *f, med_str name, med_str *rest)
{
    uint32_t e = element_at(f, name);
    *rest = MED_STR_EMPTY;
    for (size_t end = name.len; e == 0 && end > 0;) {
        while (end > 0 && name.ptr[--end] != '.') {
        }
        med_str above = med_str_sub(name, 0, end);
        e = med_str_find(above, '.', 0) == above.len ? 0 : element_at(f, above);
        *rest = med_str_skip(name, end + 1);
    }
    return e;
}

static med_str binding_of(const finder *f, uint32_t element)
{
    uint32_t binding = med_json_member(f->j, element, MED_STR("binding"));
    return binding == 0 ? MED_STR_EMPTY : text(f, binding, "valueSet");
}

static bool no_element(med_str name, med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                   "the definition has no element '%.*s' (an id or a path of its snapshot)",
                   MED_STR_ARG(name));
    return refuse(err, 404);
}

static bool find_binding(finder *f, med_str name, med_str *out, med_err *err)
{
    med_str whole = name, rest;
    for (;;) { /* each turn takes at least one step of the name away */
        uint32_t e = nearest_above(f, name, &rest);
        med_str type = e == 0 ? MED_STR_EMPTY : type_of(f, e);
        if (e == 0 || (rest.len > 0 && type.len == 0))
            return no_element(whole, err);
        if (rest.len == 0) {
            *out = binding_of(f, e);
            break;
        }
        name = med_arena_printf(f->arena, "%.*s.%.*s", MED_STR_ARG(type), MED_STR_ARG(rest));
        if (!load(f,
                  med_arena_printf(f->arena, "http://hl7.org/fhir/StructureDefinition/%.*s",
                                   MED_STR_ARG(type)),
                  err))
            return false;
    }
    if (out->len > 0)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_INVALID, "the element '%.*s' is bound to no value set",
                   MED_STR_ARG(whole));
    return refuse(err, 422);
}

/* Without an element: the one that is bound, if it is one. */
static bool find_only_binding(const finder *f, med_str *out, med_err *err)
{
    size_t n = 0;
    for (uint32_t e = f->list + 1; f->list != 0 && e < f->j->nodes[f->list].next;
         e = f->j->nodes[e].next) {
        med_str set = binding_of(f, e);
        if (set.len == 0)
            continue;
        *out = set;
        n++;
    }
    if (n == 1)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_VALUE,
                   "%zu elements of this definition have a value set: name one as "
                   "\"definition#element\"",
                   n);
    return refuse(err, 400);
}

bool med_term_element_set(med_term_call *t, med_str context, med_str *out, med_err *err)
{
    finder f = {.t = t, .arena = t->call->arena};
    med_str name, canonical = med_str_cut(context, '#', &name);
    med_str direction = med_term_param_text(t, "contextDirection");
    if (direction.len > 0 && !med_str_eqz(direction, "incoming")
        && !med_str_eqz(direction, "outgoing")) {
        (void)MED_FAIL(err, MED_ISSUE_VALUE,
                       "contextDirection is incoming or outgoing: what is "
                       "written and what is read have the same value set");
        return refuse(err, 400);
    }
    if (med_str_find(canonical, ':', 0) == canonical.len) { /* "Patient.gender" */
        med_str type = med_str_sub(canonical, 0, med_str_find(canonical, '.', 0));
        name = name.len > 0 ? name : type.len < canonical.len ? canonical : MED_STR_EMPTY;
        canonical = med_arena_printf(f.arena, "http://hl7.org/fhir/StructureDefinition/%.*s",
                                     MED_STR_ARG(type));
    }
    if (!med_definition_source_of(t->call, &f.source, err) || !load(&f, canonical, err))
        return false;
    return name.len > 0 ? find_binding(&f, name, out, err) : find_only_binding(&f, out, err);
}
