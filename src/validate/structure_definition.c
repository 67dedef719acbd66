/* structure_definition.c - https://hl7.org/fhir/R4/structuredefinition.html
 *
 * What a StructureDefinition has to keep beside its invariants: paths that are in its type,
 * bindings where there can be codes, discriminators that lead somewhere, profiles of the type that
 * they stand at. Errors for who asks for all, warnings on writes (structure_conformance.c). */
#include "validate/profile_impl.h"
#include "validate/structure_check.h"

/* ---- the types that a path may have ---- */

enum { TYPES = 64 };

/* `open`: others are possible, about which nothing is known here. */
typedef struct types {
    med_type at[TYPES];
    size_t n;
    bool open;
} types;

static void add_type(types *to, med_type type)
{
    for (size_t i = 0; i < to->n; i++) {
        if (to->at[i] == type)
            return;
    }
    if (type == MED_TYPE_NONE || to->n == TYPES)
        to->open = true;
    else
        to->at[to->n++] = type;
}

/* What the child `name` of these types may be: also "value[x]", "valueQuantity". */
static types child_of(const med_pack *p, const types *from, med_str name)
{
    types out = {.open = from->open};
    if (med_str_ends(name, MED_STR("[x]")))
        name = med_str_sub(name, 0, name.len - 3);
    for (size_t i = 0; i < from->n; i++) {
        med_property one;
        size_t first = 0, element = med_type_find_element(p, from->at[i], name);
        size_t n =
            element == SIZE_MAX ? 0 : med_element_properties(p, from->at[i], element, &first);
        for (size_t k = 0; k < n; k++) {
            med_type_property_at(p, from->at[i], first + k, &one);
            add_type(&out, one.type);
        }
        if (n == 0 && med_type_property(p, from->at[i], name, &one))
            add_type(&out, one.type);
        out.open = out.open || med_type_is_abstract(p, from->at[i]);
    }
    return out;
}

static types named_types(const med_check *c, uint32_t element)
{
    const med_json *j = c->j;
    types out = {.n = 0};
    uint32_t list = med_check_list(j, element, "type");
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next)
        add_type(&out, med_pack_type(c->p, med_check_raw(j, e, "code")));
    return out;
}

/* What the element says itself, else what R4 says of its path. */
static types types_of(const med_check *c, uint32_t element)
{
    types out = named_types(c, element);
    if (out.n > 0 || out.open)
        return out;
    med_str rest, name = med_str_cut(med_check_raw(c->j, element, "path"), '.', &rest);
    add_type(&out, med_pack_type(c->p, name));
    while (rest.len > 0 && out.n > 0) {
        name = med_str_cut(rest, '.', &rest);
        out = child_of(c->p, &out, name);
    }
    return out;
}

/* ---- elements ---- */

static med_str last_part(med_str type)
{
    for (size_t i = type.len; i > 0; i--) {
        if (type.ptr[i - 1] == '/')
            return med_str_skip(type, i);
    }
    return type;
}

static void check_path(med_check *c, uint32_t element, med_str type)
{
    med_str path = med_check_raw(c->j, element, "path");
    if (path.len > 0 && type.len > 0
        && (!med_str_starts(path, type) || (path.len > type.len && path.ptr[type.len] != '.')))
        med_check_voice(c)(c, element, NULL, MED_ISSUE_INVARIANT,
                           "the path of an element begins with the type of the definition");
}

/* eld-11 means this; its expression in R4 lets everything pass. */
static void check_binding(med_check *c, uint32_t element, const types *of)
{
    static const char *const bound[] = {"code",     "Coding", "CodeableConcept",
                                        "Quantity", "string", "uri"};
    if (med_json_member(c->j, element, MED_STR("binding")) == 0 || of->open || of->n == 0)
        return;
    for (size_t i = 0; i < of->n; i++) {
        for (size_t k = 0; k < sizeof bound / sizeof *bound; k++) {
            if (med_type_is_a(c->p, of->at[i], med_pack_type(c->p, med_str_from(bound[k]))))
                return;
        }
    }
    med_check_voice(c)(c, element, NULL, MED_ISSUE_INVARIANT,
                       "a binding stands only at what can be coded, a string or a uri (eld-11); "
                       "this is of the type %.*s",
                       MED_STR_ARG(med_type_name(c->p, of->at[0])));
}

static bool leads_somewhere(const med_check *c, const types *from, const med_discriminator *by)
{
    types at = *from;
    for (size_t i = 0; i < by->n && !at.open; i++) {
        const med_profile_step *s = &by->steps[i];
        types next = {.n = 0};
        if (s->kind == MED_STEP_RESOLVE)
            return true;
        if (s->kind == MED_STEP_NAME)
            next = child_of(c->p, &at, s->text);
        else
            add_type(&next, s->kind == MED_STEP_EXTENSION ? c->extension : s->type);
        if (next.n == 0 && !next.open)
            return false;
        at = next;
    }
    return true;
}

static void check_discriminators(med_check *c, uint32_t element, const types *of)
{
    const med_json *j = c->j;
    uint32_t slicing = med_json_member(j, element, MED_STR("slicing"));
    uint32_t list = slicing == 0 || med_json_kind_at(j, slicing) != MED_JSON_OBJECT
                        ? 0
                        : med_check_list(j, slicing, "discriminator");
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_discriminator by = {.n = 0};
        med_str path = MED_STR_EMPTY;
        uint32_t at = med_json_member(j, e, MED_STR("path"));
        if (at == 0 || med_json_kind_at(j, at) != MED_JSON_STRING)
            continue;
        if (!med_json_string(c->a, j, at, &path)
            || !med_discriminator_read(c->a, c->p, med_check_raw(j, e, "type"), path, &by)) {
            c->out_of_memory = true;
            return;
        }
        if (path.len == 0 || (by.usable && (of->n == 0 || leads_somewhere(c, of, &by))))
            continue;
        med_check_voice(c)(c, e, NULL, MED_ISSUE_INVARIANT,
                           by.usable ? "the path of this discriminator leads to no element"
                                     : "a discriminator is a path of names, extension('url'), "
                                       "resolve(), ofType(Type) and $this");
    }
}

/* A profile is one of the type that it stands at; of resources also of one below that. */
static void check_type_profiles(med_check *c, uint32_t node)
{
    const med_json *j = c->j;
    med_type type = med_pack_type(c->p, med_check_raw(j, node, "code"));
    uint32_t list = med_check_list(j, node, "profile");
    if (type == MED_TYPE_NONE || c->profiles == NULL)
        return;
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next && !c->failed;
         e = j->nodes[e].next) {
        const med_profile *p = NULL;
        if (!med_profile_set_find(c->profiles, c->options->profiles, med_json_raw(j, e), &p,
                                  c->err))
            c->failed = true;
        if (p == NULL || p->broken.len > 0 || p->type == type
            || (med_type_kind_of(c->p, type) == MED_TYPE_RESOURCE
                && med_type_is_a(c->p, p->type, type)))
            continue;
        med_check_voice(c)(
            c, e, NULL, MED_ISSUE_INVARIANT, "this is a profile of %.*s; the type here is %.*s",
            MED_STR_ARG(med_type_name(c->p, p->type)), MED_STR_ARG(med_type_name(c->p, type)));
    }
}

static void check_element(med_check *c, uint32_t element, med_str type)
{
    const med_json *j = c->j;
    uint32_t list = med_check_list(j, element, "type");
    types of = types_of(c, element);
    check_path(c, element, type);
    check_binding(c, element, &of);
    check_discriminators(c, element, &of);
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT)
            check_type_profiles(c, e);
    }
}

/* The type of a logical model is a url, whose end begins its paths. */
static void check_elements(med_check *c, uint32_t root, const char *part)
{
    const med_json *j = c->j;
    med_str type = last_part(med_check_raw(j, root, "type"));
    uint32_t object = med_json_member(j, root, med_str_from(part));
    uint32_t list = object == 0 || med_json_kind_at(j, object) != MED_JSON_OBJECT
                        ? 0
                        : med_check_list(j, object, "element");
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT)
            check_element(c, e, type);
    }
}

/* What is specialised becomes a type of its own. */
static void check_derivation(med_check *c, uint32_t root)
{
    med_str type = med_check_raw(c->j, root, "type"),
            base = med_check_raw(c->j, root, "baseDefinition"),
            prefix = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    if (type.len > 0 && med_str_eqz(med_check_raw(c->j, root, "derivation"), "specialization")
        && (med_str_eq(type, base)
            || (med_str_starts(base, prefix) && med_str_eq(med_str_skip(base, prefix.len), type))))
        med_check_voice(c)(c, root, NULL, MED_ISSUE_INVARIANT,
                           "a specialization has a type of its own, not that of its base");
}

void med_check_definition(med_check *c, uint32_t root)
{
    med_check_url(c, root);
    check_derivation(c, root);
    check_elements(c, root, "differential");
    check_elements(c, root, "snapshot");
}
