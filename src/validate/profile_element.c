/* profile_element.c - what an ElementDefinition says of the values. See profile_impl.h.
 * https://hl7.org/fhir/R4/elementdefinition.html */
#include "validate/profile_impl.h"

enum { TYPES = 64 };

/* Strings of a list; at most what is there. */
static bool read_strings(med_arena *a, const med_json *j, uint32_t at, const char *key,
                         const med_str **out, size_t *n)
{
    uint32_t end;
    uint32_t first = med_profile_first(j, at, key, &end);
    med_str *all = MED_TAKE(a, first == 0 ? 0 : j->nodes[first - 1].count, med_str);
    *n = 0;
    *out = all;
    if (all == NULL)
        return false;
    for (uint32_t e = first; e < end; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_STRING)
            continue;
        if (!med_json_string(a, j, e, &all[*n]) || !med_arena_copy(a, all[*n], &all[*n]))
            return false;
        ++*n;
    }
    return true;
}

/* ---- types ---- */

static uint8_t aggregation_of(const med_json *j, uint32_t at)
{
    uint32_t end;
    uint8_t all = 0;
    for (uint32_t e = med_profile_first(j, at, "aggregation", &end); e < end;
         e = j->nodes[e].next) {
        med_str text = med_json_raw(j, e);
        all |= med_str_eqz(text, "contained")    ? MED_AGGREGATION_CONTAINED
               : med_str_eqz(text, "referenced") ? MED_AGGREGATION_REFERENCED
               : med_str_eqz(text, "bundled")    ? MED_AGGREGATION_BUNDLED
                                                 : 0;
    }
    return all;
}

static bool read_type(med_arena *a, const med_pack *p, const med_json *j, uint32_t at,
                      med_profile_type *out)
{
    med_str versioning = med_profile_text(a, j, at, "versioning");
    out->code = med_profile_text(a, j, at, "code");
    out->type = med_pack_type(p, out->code);
    out->aggregation = aggregation_of(j, at);
    out->versioning = med_str_eqz(versioning, "specific")      ? MED_VERSIONING_SPECIFIC
                      : med_str_eqz(versioning, "independent") ? MED_VERSIONING_INDEPENDENT
                                                               : MED_VERSIONING_EITHER;
    return read_strings(a, j, at, "profile", &out->profiles, &out->n_profiles)
           && read_strings(a, j, at, "targetProfile", &out->targets, &out->n_targets);
}

static bool read_types(med_arena *a, const med_pack *p, const med_json *j, uint32_t at,
                       med_profile_node *n)
{
    uint32_t end;
    uint32_t first = med_profile_first(j, at, "type", &end);
    size_t count = first == 0 ? 0 : j->nodes[first - 1].count;
    med_profile_type *all = MED_TAKE(a, count, med_profile_type);
    if (all == NULL)
        return false;
    n->types = all;
    for (uint32_t e = first; e < end; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT && !read_type(a, p, j, e, &all[n->n_types++]))
            return false;
    }
    return true;
}

/* ---- fixed[x] and its like ---- */

/* A document of its own, since the definition's ends. */
static bool read_value(med_arena *a, const med_json *j, uint32_t node, med_type type,
                       med_profile_value *out)
{
    med_str text;
    med_err err = {0};
    med_json *copy = MED_TAKE(a, 1, med_json);
    if (copy == NULL || !med_arena_copy(a, med_json_span(j, node), &text)
        || !med_json_parse(a, text, copy, NULL, &err))
        return false;
    *out = (med_profile_value){copy, type};
    return true;
}

static bool read_values(med_arena *a, const med_pack *p, const med_json *j, uint32_t at,
                        med_profile_node *n)
{
    static const struct {
        const char *name;
        size_t offset;
    } all[] = {
        {"fixed", offsetof(med_profile_node, fixed)},
        {"pattern", offsetof(med_profile_node, pattern)},
        {"minValue", offsetof(med_profile_node, least)},
        {"maxValue", offsetof(med_profile_node, greatest)},
    };
    med_type definition = med_pack_type(p, MED_STR("ElementDefinition"));
    for (uint32_t k = at + 1; k < j->nodes[at].next; k = j->nodes[k + 1].next) {
        med_property property;
        med_str key = med_json_raw(j, k);
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            med_str prefix = med_str_from(all[i].name);
            if (!med_str_starts(key, prefix) || key.len == prefix.len
                || !med_type_property(p, definition, key, &property))
                continue;
            med_profile_value *to = (med_profile_value *)(void *)((char *)n + all[i].offset);
            if (!read_value(a, j, k + 1, property.type, to))
                return false;
        }
    }
    return true;
}

/* ---- binding ---- */

static med_str max_value_set(med_arena *a, const med_json *j, uint32_t binding)
{
    uint32_t end;
    for (uint32_t e = med_profile_first(j, binding, "extension", &end); e < end;
         e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT
            && med_str_eqz(med_profile_text(a, j, e, "url"),
                           "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"))
            return med_profile_text(a, j, e, "valueCanonical");
    }
    return MED_STR_EMPTY;
}

static void read_binding(med_arena *a, const med_json *j, uint32_t at, med_profile_node *n)
{
    static const char *const strengths[] = {"", "example", "preferred", "extensible", "required"};
    uint32_t binding = med_json_member(j, at, MED_STR("binding"));
    n->value_set = n->max_value_set = MED_STR_EMPTY;
    if (binding == 0 || med_json_kind_at(j, binding) != MED_JSON_OBJECT)
        return;
    med_str strength = med_profile_text(a, j, binding, "strength");
    for (size_t i = 1; i < sizeof strengths / sizeof *strengths; i++) {
        if (med_str_eqz(strength, strengths[i]))
            n->binding = (uint8_t)i;
    }
    n->value_set = med_profile_text(a, j, binding, "valueSet");
    n->max_value_set = max_value_set(a, j, binding);
}

/* https://hl7.org/fhir/R4/extension-minlength.html */
static uint32_t min_length(med_arena *a, const med_json *j, uint32_t at)
{
    uint32_t end;
    for (uint32_t e = med_profile_first(j, at, "extension", &end); e < end; e = j->nodes[e].next) {
        int64_t length = 0;
        uint32_t value = med_json_kind_at(j, e) == MED_JSON_OBJECT
                             ? med_json_member(j, e, MED_STR("valueInteger"))
                             : 0;
        if (value != 0
            && med_str_eqz(med_profile_text(a, j, e, "url"),
                           "http://hl7.org/fhir/StructureDefinition/minLength")
            && med_str_to_int64(med_json_raw(j, value), &length) && length > 0 && length < MED_MANY)
            return (uint32_t)length;
    }
    return 0;
}

/* https://hl7.org/fhir/extensions/StructureDefinition-narrative-language-control.html */
static bool read_languages(med_arena *a, const med_json *j, uint32_t at, med_profile_node *n)
{
    uint32_t end, first = med_profile_first(j, at, "extension", &end);
    med_str *all = NULL;
    size_t room = 0;
    for (uint32_t e = first; e < end; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT
            || !med_str_eqz(med_profile_text(a, j, e, "url"),
                            "http://hl7.org/fhir/StructureDefinition/narrative-language-control"))
            continue;
        med_str *more = MED_GROW(a, all, n->n_languages, &room, 4);
        if (more == NULL)
            return false;
        all = more;
        all[n->n_languages++] = med_profile_text(a, j, e, "valueCode");
    }
    n->languages = all;
    return true;
}

bool med_profile_element_read(med_arena *a, const med_pack *p, const med_json *j, uint32_t at,
                              med_profile_node *n)
{
    int64_t length = 0;
    uint32_t node = med_json_member(j, at, MED_STR("maxLength"));
    if (node != 0 && med_str_to_int64(med_json_raw(j, node), &length) && length > 0)
        n->max_length = length < MED_MANY ? (uint32_t)length : 0;
    n->min_length = min_length(a, j, at);
    read_binding(a, j, at, n);
    return read_languages(a, j, at, n) && read_types(a, p, j, at, n) && read_values(a, p, j, at, n)
           && !med_arena_exhausted(a);
}

/* ---- constraints ---- */

/* An expression that the type at hand does not allow may still be one where types are not known. */
bool med_profile_rule_read(med_arena *a, const med_pack *p, med_type context, med_str expression,
                           med_profile_rule *rule)
{
    med_err err = {0};
    if (!med_fhirpath_compile(a, p, expression, context, &rule->program, &err)
        && !med_fhirpath_compile(a, p, expression, MED_TYPE_NONE, &rule->program, &err)) {
        rule->program = NULL;
        rule->human = med_arena_printf(a, "%s", err.text);
    }
    return !med_arena_exhausted(a);
}
