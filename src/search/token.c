/* token.c - https://hl7.org/fhir/R4/search.html#token
 *
 * Rows: hash(system|code). What identifies (Identifier, ContactPoint, id, plain strings) has a
 * second row, hash(value), because its values are too many for a dictionary; what classifies
 * (Coding, CodeableConcept, code, boolean) is in the dictionary, which knows every system a
 * code occurs with. */
#include "base/unicode.h"
#include "search/extract.h"
#include "search/param_path.h"
#include "search/query.h"

static uint64_t hash_of(const med_extraction *x, med_str system, med_str code)
{
    return med_store_hash2(x->schema->store, system, '|', code);
}

static bool add_coded(med_extraction *x, const med_extract_value *v, med_str system, med_str code,
                      med_str text)
{
    uint64_t hash = hash_of(x, system, code);
    med_str folded = MED_STR_EMPTY;
    if (code.len == 0 && system.len == 0)
        return true;
    if (text.len > 0 && !med_fold(x->arena, text, &folded))
        return false;
    return med_rows_add_token(x, (med_token_row){v->number, v->places, hash})
           && med_rows_add_code(x, (med_code_row){hash, v->number, system, code, folded});
}

static bool add_identifying(med_extraction *x, const med_extract_value *v, med_str system,
                            med_str value)
{
    if (value.len == 0)
        return true;
    uint64_t bare = med_store_hash(x->schema->store, value);
    /* the system alone is decided on the resource only */
    if (x->whole
        && !med_rows_add_code(
            x, (med_code_row){hash_of(x, system, value), v->number, system, value, MED_STR_EMPTY}))
        return false;
    return med_rows_add_token(x, (med_token_row){v->number, v->places, hash_of(x, system, value)})
           && med_rows_add_token(x, (med_token_row){v->number, v->places, bare});
}

/* What :text searches: texts and displays, decided on the resource only. */
static bool add_text(med_extraction *x, const med_extract_value *v, med_str text)
{
    med_str folded;
    if (!x->whole || x->raw || text.len == 0)
        return true;
    return med_fold(x->arena, text, &folded)
           && (folded.len == 0 || med_rows_add_string(x, (med_string_row){v->number, folded}));
}

static uint64_t of_type_hash(const med_store *s, med_str system, med_str code, uint64_t value)
{
    uint64_t parts[] = {med_store_hash2(s, system, '|', code), value};
    return med_store_hash(s, (med_str){(const char *)parts, sizeof parts});
}

/* Identifier.type: its text, and for :of-type each of its codes together with the value. */
static bool add_identifier_type(med_extraction *x, const med_extract_value *v, med_str value)
{
    const med_store *s = x->schema->store;
    uint32_t type = med_json_member(x->j, v->at->node, MED_STR("type"));
    med_str text, system, code;
    if (!x->whole || type == 0 || med_json_kind_at(x->j, type) != MED_JSON_OBJECT)
        return true;
    if (!med_extract_member(x, type, MED_STR("text"), &text) || !add_text(x, v, text))
        return false;
    uint32_t list = med_json_member(x->j, type, MED_STR("coding"));
    if (list == 0 || med_json_kind_at(x->j, list) != MED_JSON_ARRAY)
        return true;
    for (uint32_t e = list + 1; e < x->j->nodes[list].next; e = x->j->nodes[e].next) {
        if (med_json_kind_at(x->j, e) != MED_JSON_OBJECT)
            continue;
        if (!med_extract_member(x, e, MED_STR("system"), &system)
            || !med_extract_member(x, e, MED_STR("code"), &code))
            return false;
        uint64_t hash = of_type_hash(s, system, code, med_store_hash(s, value));
        if (!med_rows_add_token(x, (med_token_row){v->number, v->places, hash}))
            return false;
    }
    return true;
}

static bool extract_coding(med_extraction *x, const med_extract_value *v, uint32_t node)
{
    med_str system, code, display;
    return med_extract_member(x, node, MED_STR("system"), &system)
           && med_extract_member(x, node, MED_STR("code"), &code)
           && med_extract_member(x, node, MED_STR("display"), &display)
           && add_coded(x, v, system, code, display) && add_text(x, v, display);
}

static bool extract_concept(med_extraction *x, const med_extract_value *v)
{
    uint32_t list = med_json_member(x->j, v->at->node, MED_STR("coding"));
    med_str text;
    if (!med_extract_member(x, v->at->node, MED_STR("text"), &text) || !add_text(x, v, text))
        return false;
    if (list == 0 || med_json_kind_at(x->j, list) != MED_JSON_ARRAY)
        return true;
    for (uint32_t e = list + 1; e < x->j->nodes[list].next; e = x->j->nodes[e].next) {
        if (med_json_kind_at(x->j, e) == MED_JSON_OBJECT && !extract_coding(x, v, e))
            return false;
    }
    return true;
}

static bool extract_identifier(med_extraction *x, const med_extract_value *v)
{
    med_str system, value;
    return med_extract_member(x, v->at->node, MED_STR("system"), &system)
           && med_extract_member(x, v->at->node, MED_STR("value"), &value)
           && add_identifying(x, v, system, value)
           && (v->at->type != x->schema->known.identifier || add_identifier_type(x, v, value));
}

/* R4: the system of a ContactPoint is the kind of contact ("phone"), so it is a token's system. */
static bool extract_contact(med_extraction *x, const med_extract_value *v)
{
    return extract_identifier(x, v);
}

static bool extract_primitive(med_extraction *x, const med_extract_value *v)
{
    enum med_json_kind kind = med_json_kind_at(x->j, v->at->node);
    enum med_primitive primitive = med_type_primitive(x->schema->pack, v->at->type);
    if (kind == MED_JSON_TRUE || kind == MED_JSON_FALSE)
        return add_coded(x, v, MED_STR_EMPTY,
                         kind == MED_JSON_TRUE ? MED_STR("true") : MED_STR("false"), MED_STR_EMPTY);
    if (kind == MED_JSON_NUMBER)
        return add_identifying(x, v, MED_STR_EMPTY, med_json_raw(x->j, v->at->node));
    med_str text;
    if (kind != MED_JSON_STRING)
        return true;
    if (!med_json_string(x->arena, x->j, v->at->node, &text))
        return false;
    if (primitive == MED_PRIMITIVE_CODE)
        return add_coded(x, v, MED_STR_EMPTY, text, MED_STR_EMPTY);
    return add_identifying(x, v, MED_STR_EMPTY, text);
}

bool med_extract_token_text(med_extraction *x, const med_extract_value *v, med_str text)
{
    return add_coded(x, v, MED_STR_EMPTY, text, MED_STR_EMPTY);
}

bool med_extract_token(med_extraction *x, const med_extract_value *v, med_err *err)
{
    const med_known_types *known = &x->schema->known;
    med_type type = v->at->type;
    bool ok;
    if (med_json_kind_at(x->j, v->at->node) != MED_JSON_OBJECT)
        ok = extract_primitive(x, v);
    else if (type == known->codeable_concept)
        ok = extract_concept(x, v);
    else if (type == known->coding)
        ok = extract_coding(x, v, v->at->node);
    else if (type == known->identifier)
        ok = extract_identifier(x, v);
    else if (type == known->contact_point)
        ok = extract_contact(x, v);
    else
        return true;
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* ---- query values: system|code, |code, code, system| ---- */

static bool add_key(const med_term_source *s, med_term *t, uint64_t hash)
{
    uint64_t *keys = MED_TAKE(s->arena, t->n_keys + 1, uint64_t);
    if (keys == NULL)
        return false;
    if (t->n_keys > 0)
        memcpy(keys, t->keys, t->n_keys * sizeof *keys);
    keys[t->n_keys++] = hash;
    t->keys = keys;
    return true;
}

/* An element of type code has no system of its own, but that of the value set it is bound to:
 * status=http://hl7.org/fhir/observation-status|final. Rows have the bare code. */
static bool add_bound_codes(const med_term_source *s, const med_param_end *end, med_term *t)
{
    const med_pack *p = s->schema->pack;
    med_codes codes = med_element_codes(p, end->owner, end->element);
    for (size_t i = 0; i < codes.n; i++) {
        med_str code = med_codes_at(p, codes, i);
        if (med_str_eq(med_codes_system(p, codes, i), t->system)
            && (t->code.len == 0 || med_str_eq(code, t->code))
            && !add_key(s, t, med_store_hash2(s->schema->store, MED_STR_EMPTY, '|', code)))
            return false;
    }
    return true;
}

/* R4: "the implicit system for boolean values" */
static bool add_boolean(const med_term_source *s, med_term *t)
{
    static const med_str values[] = {MED_LIT("true"), MED_LIT("false")};
    for (size_t i = 0; i < 2; i++) {
        if ((t->code.len == 0 || med_str_eq(values[i], t->code))
            && !add_key(s, t, med_store_hash2(s->schema->store, MED_STR_EMPTY, '|', values[i])))
            return false;
    }
    return true;
}

static bool add_implicit(const med_term_source *s, med_term *t)
{
    const med_pack *p = s->schema->pack;
    bool special = med_str_eqz(t->system, "http://hl7.org/fhir/special-values");
    if (s->type == MED_TYPE_NONE || s->clause->modifier == MED_MODIFIER_IDENTIFIER)
        return true;
    if (special && s->schema->programs[s->param->index] != NULL)
        return add_boolean(s, t);
    med_param_end end;
    med_str expression = s->param->expression;
    while (med_param_end_next(p, s->type, &expression, &end)) {
        enum med_primitive kind =
            end.type == MED_TYPE_NONE ? MED_PRIMITIVE_NONE : med_type_primitive(p, end.type);
        if ((kind == MED_PRIMITIVE_CODE && !add_bound_codes(s, &end, t))
            || (special && kind == MED_PRIMITIVE_BOOLEAN && !add_boolean(s, t)))
            return false;
    }
    return true;
}

/* The rows a term can be found by. A code without system is looked up in the dictionary when
 * the search runs, beside the row of the bare value that identifying types have; a coded
 * element without a system of its own (type code) has the empty one. */
static bool find_keys(const med_term_source *s, med_term *t)
{
    med_store *store = s->schema->store;
    switch (t->match) {
    case MED_SYSTEM_ANY:
        t->needs_dictionary = true;
        return add_key(s, t, med_store_hash(store, t->code))
               && add_key(s, t, med_store_hash2(store, MED_STR_EMPTY, '|', t->code));
    case MED_SYSTEM_NONE:
        return add_key(s, t, med_store_hash2(store, MED_STR_EMPTY, '|', t->code));
    case MED_SYSTEM_IS:
        break;
    }
    t->needs_dictionary = t->code.len == 0;
    return (t->code.len == 0 || add_key(s, t, med_store_hash2(store, t->system, '|', t->code)))
           && add_implicit(s, t);
}

/* type-system|type-code|value: found by the value, decided with the type. */
static bool term_of_type(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    const med_store *store = s->schema->store;
    med_str system, code, text;
    size_t one = med_find_bare(value, '|', 0), two = med_find_bare(value, '|', one + 1);
    bool good = two < value.len && med_find_bare(value, '|', two + 1) == value.len && two > one + 1
                && two + 1 < value.len;
    if (!good)
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected type-system|type-code|value");
    if (!med_unescape(s->arena, med_str_sub(value, 0, one), &system)
        || !med_unescape(s->arena, med_str_sub(value, one + 1, two), &code)
        || !med_unescape(s->arena, med_str_skip(value, two + 1), &text))
        return MED_FAIL_MEMORY(err);
    uint64_t bare = med_store_hash(store, text);
    return add_key(s, t, bare) && add_key(s, t, of_type_hash(store, system, code, bare))
               ? true
               : MED_FAIL_MEMORY(err);
}

static bool has_bar_inside(med_str s)
{
    return s.len > 0 && memchr(s.ptr, '|', s.len) != NULL;
}

bool med_term_token(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    if (s->clause->modifier == MED_MODIFIER_OF_TYPE)
        return term_of_type(s, value, t, err);
    size_t bar = med_find_bare(value, '|', 0);
    bool has_bar = bar < value.len;
    if (value.len == 0 || (has_bar && value.len == 1))
        return MED_FAIL(err, MED_ISSUE_VALUE, "a token must name a code or a system");
    if (has_bar && med_find_bare(value, '|', bar + 1) < value.len)
        return MED_FAIL(err, MED_ISSUE_VALUE, "a token has more than one bare '|'");
    t->match = !has_bar ? MED_SYSTEM_ANY : bar == 0 ? MED_SYSTEM_NONE : MED_SYSTEM_IS;
    if (!med_unescape(s->arena, has_bar ? med_str_sub(value, 0, bar) : MED_STR_EMPTY, &t->system)
        || !med_unescape(s->arena, has_bar ? med_str_skip(value, bar + 1) : value, &t->code)
        || !find_keys(s, t))
        return MED_FAIL_MEMORY(err);
    bool identifier = s->clause->modifier == MED_MODIFIER_IDENTIFIER;
    t->barred = !identifier && (has_bar_inside(t->system) || has_bar_inside(t->code));
    s->clause->barred = s->clause->barred || t->barred;
    return true;
}

static bool is_key(const med_term *t, uint64_t hash)
{
    for (size_t i = 0; i < t->n_keys; i++) {
        if (t->keys[i] == hash)
            return true;
    }
    return false;
}

/* hash(a|b) is that of the code b in the system a, and of the code a|b. */
static bool is_barred_match(const med_term *t, const med_code_row *c)
{
    bool system = t->match == MED_SYSTEM_ANY || med_str_eq(c->system, t->system);
    bool code = med_str_eq(c->code, t->code) || (t->match == MED_SYSTEM_IS && t->code.len == 0);
    return system && code;
}

bool med_term_matches_token(const med_term *t, uint32_t number, const med_rows *rows)
{
    for (size_t i = 0; t->barred && i < rows->n_codes; i++) {
        if (rows->codes[i].param == number && is_barred_match(t, &rows->codes[i]))
            return true;
    }
    for (size_t i = 0; !t->barred && i < rows->n_tokens; i++) {
        if (rows->tokens[i].param == number && is_key(t, rows->tokens[i].hash))
            return true;
    }
    for (size_t i = 0; !t->barred && t->needs_dictionary && i < rows->n_codes; i++) {
        const med_code_row *c = &rows->codes[i];
        if (c->param == number
            && (t->match == MED_SYSTEM_ANY ? med_str_eq(c->code, t->code)
                                           : med_str_eq(c->system, t->system)))
            return true;
    }
    return false;
}
