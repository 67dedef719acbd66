/* pack_open.c - is this a pack, and does every offset in it stay inside?
 *
 * A pack comes out of the binary or out of a file that an administrator installed. After
 * med_pack_open the readers trust it blindly, so each range, string, table and tree link is
 * looked at here once. */
#include "base/hash.h"
#include "model/pack_format.h"

static const size_t row_sizes[PACK_SECTIONS] = {
    [PACK_STRINGS] = 1,
    [PACK_TYPES] = sizeof(struct pack_type),
    [PACK_ELEMENT_ROWS] = sizeof(struct pack_element),
    [PACK_PROPERTIES] = sizeof(struct pack_property),
    [PACK_SLOTS] = sizeof(uint16_t),
    [PACK_TYPE_LIST] = sizeof(med_type),
    [PACK_REQUIRED] = sizeof(uint16_t),
    [PACK_INVARIANTS] = sizeof(struct pack_invariant),
    [PACK_VALUE_SETS] = sizeof(struct pack_value_set),
    [PACK_CODES] = sizeof(struct pack_code),
    [PACK_PARAMS] = sizeof(struct pack_param),
    [PACK_COMPONENTS] = sizeof(struct pack_component),
    [PACK_PARAM_LIST] = sizeof(uint32_t),
    [PACK_NODES] = sizeof(struct pack_node),
    [PACK_EDGES] = sizeof(struct pack_edge),
    [PACK_BRANCHES] = sizeof(struct pack_branch),
    [PACK_FILTERS] = sizeof(struct pack_filter),
    [PACK_ROOTS] = sizeof(struct pack_root),
    [PACK_EXTENSIONS] = sizeof(struct pack_extension),
    [PACK_EXTENSION_PARTS] = sizeof(struct pack_extension),
    [PACK_CONTEXTS] = sizeof(struct pack_str),
};

size_t med_pack_row_size(enum pack_section_id id)
{
    return row_sizes[id];
}

uint64_t med_pack_checksum(const med_pack *p)
{
    static const med_hash_key key = {0x6d6564756c6c6170U, 0x6b63617030303031U}; /* no secret */
    size_t skip = offsetof(struct med_pack, checksum) + sizeof p->checksum;
    return med_siphash(key, (med_str){(const char *)p + skip, p->size - skip});
}

static bool in_section(const med_pack *p, enum pack_section_id id, struct pack_range r)
{
    return r.first <= p->sections[id].n && r.n <= p->sections[id].n - r.first;
}

static bool is_row(const med_pack *p, enum pack_section_id id, uint32_t i)
{
    return i < p->sections[id].n;
}

static bool is_string(const med_pack *p, struct pack_str s)
{
    /* Less, not equal: a NUL follows each string. */
    return in_section(p, PACK_STRINGS, (struct pack_range){s.at, s.len})
           && s.len < p->sections[PACK_STRINGS].n - s.at;
}

static bool is_type(const med_pack *p, uint32_t t)
{
    return is_row(p, PACK_TYPES, t);
}

static bool is_type_or_none(const med_pack *p, uint32_t t)
{
    return t == MED_TYPE_NONE || is_type(p, t);
}

/* Slots name rows below `n`, the number of slots is a power of two, one at least is empty. */
static bool is_table(const med_pack *p, struct pack_table t, uint32_t n)
{
    if (t.mask == UINT32_MAX || ((t.mask + 1) & t.mask) != 0
        || !in_section(p, PACK_SLOTS, (struct pack_range){t.first, t.mask + 1}))
        return false;
    bool has_empty = false;
    for (uint32_t i = 0; i <= t.mask; i++) {
        uint16_t slot = *pack_slot_at(p, t.first + i);
        if (slot == PACK_EMPTY_SLOT)
            has_empty = true;
        else if (slot >= n)
            return false;
    }
    return has_empty;
}

static bool is_param_list(const med_pack *p, struct pack_range r)
{
    if (!in_section(p, PACK_PARAM_LIST, r))
        return false;
    for (uint32_t i = 0; i < r.n; i++) {
        if (!is_row(p, PACK_PARAMS, *pack_param_list_at(p, r.first + i)))
            return false;
    }
    return true;
}

static bool is_type_list(const med_pack *p, struct pack_range r)
{
    if (!in_section(p, PACK_TYPE_LIST, r))
        return false;
    for (uint32_t i = 0; i < r.n; i++) {
        if (!is_type(p, *pack_type_list_at(p, r.first + i)))
            return false;
    }
    return true;
}

/* ---- rows ---- */

static bool is_required_list(const med_pack *p, const struct pack_type *t)
{
    if (!in_section(p, PACK_REQUIRED, t->required))
        return false;
    for (uint32_t i = 0; i < t->required.n; i++) {
        if (*pack_required_at(p, t->required.first + i) >= t->n_elements)
            return false;
    }
    return true;
}

static bool element_is_good(const med_pack *p, const struct pack_type *t,
                            const struct pack_element *e)
{
    struct pack_range properties = {e->first_property, e->n_properties};
    return is_string(p, e->name) && is_string(p, e->path) && is_string(p, e->value_set)
           && is_type_list(p, e->targets) && in_section(p, PACK_INVARIANTS, e->invariants)
           && (e->codes == PACK_NONE || is_row(p, PACK_VALUE_SETS, e->codes))
           && (e->bound == PACK_NONE || is_row(p, PACK_VALUE_SETS, e->bound))
           && is_string(p, e->max_value_set) && properties.first >= t->properties.first
           && properties.first - t->properties.first <= t->properties.n
           && properties.n <= t->properties.n - (properties.first - t->properties.first);
}

static bool property_is_good(const med_pack *p, const struct pack_type *t,
                             const struct pack_property *r)
{
    return r->name.text.len <= PACK_NAME && is_string(p, r->name.text) && is_type(p, r->type)
           && r->element < t->n_elements && r->primitive == pack_type_at(p, r->type)->primitive;
}

static bool are_compartments(const med_pack *p, const struct pack_type *t)
{
    for (size_t i = 0; i < MED_COMPARTMENTS; i++) {
        if (!is_param_list(p, t->compartments[i]))
            return false;
    }
    return true;
}

static bool type_ranges_are_good(const med_pack *p, const struct pack_type *t)
{
    struct pack_range elements = {t->first_element, t->n_elements};
    return is_string(p, t->name) && t->name.len <= PACK_NAME && is_type_or_none(p, t->base)
           && t->kind <= MED_TYPE_RESOURCE && t->primitive <= MED_PRIMITIVE_FHIRPATH_STRING
           && t->n_elements <= PACK_ELEMENTS && in_section(p, PACK_ELEMENT_ROWS, elements)
           && in_section(p, PACK_PROPERTIES, t->properties)
           && is_table(p, t->property_names, t->properties.n) && is_required_list(p, t)
           && in_section(p, PACK_INVARIANTS, t->invariants) && is_param_list(p, t->params)
           && is_param_list(p, t->rest) && are_compartments(p, t)
           && (t->root == PACK_NONE || is_row(p, PACK_BRANCHES, t->root));
}

static bool type_is_good(const med_pack *p, const struct pack_type *t)
{
    if (!type_ranges_are_good(p, t))
        return false;
    for (uint32_t i = 0; i < t->n_elements; i++) {
        if (!element_is_good(p, t, pack_element_at(p, t->first_element + i)))
            return false;
    }
    for (uint32_t i = 0; i < t->properties.n; i++) {
        if (!property_is_good(p, t, pack_property_at(p, t->properties.first + i)))
            return false;
    }
    return true;
}

/* Bases end: no chain is longer than there are types. */
static bool bases_end(const med_pack *p)
{
    for (uint32_t i = 0; i < p->sections[PACK_TYPES].n; i++) {
        uint32_t steps = 0;
        for (med_type t = (med_type)i; t != MED_TYPE_NONE; t = pack_type_at(p, t)->base) {
            if (++steps > PACK_DEPTH)
                return false;
        }
    }
    return true;
}

static bool types_are_good(const med_pack *p)
{
    uint32_t n = p->sections[PACK_TYPES].n;
    if (n >= MED_TYPE_NONE || !is_table(p, p->type_names, n) || !is_type_list(p, p->resources)
        || !is_type(p, p->resource_type) || !is_type(p, p->reference_type)
        || !is_type(p, p->extension_type))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!type_is_good(p, pack_type_at(p, i)))
            return false;
    }
    return bases_end(p);
}

static bool invariants_are_good(const med_pack *p)
{
    for (uint32_t i = 0; i < p->sections[PACK_INVARIANTS].n; i++) {
        const struct pack_invariant *r = pack_invariant_at(p, i);
        if (!is_string(p, r->key) || !is_string(p, r->human) || !is_string(p, r->expression)
            || !is_string(p, r->path))
            return false;
    }
    return true;
}

static bool codes_are_good(const med_pack *p)
{
    for (uint32_t i = 0; i < p->sections[PACK_VALUE_SETS].n; i++) {
        const struct pack_value_set *r = pack_value_set_at(p, i);
        if (!is_string(p, r->url) || !in_section(p, PACK_CODES, r->codes))
            return false;
    }
    for (uint32_t i = 0; i < p->sections[PACK_CODES].n; i++) {
        const struct pack_code *r = pack_code_at(p, i);
        if (!is_string(p, r->code) || !is_string(p, r->system))
            return false;
    }
    return true;
}

/* ---- extensions ---- */

static bool extension_is_good(const med_pack *p, const struct pack_extension *r)
{
    return is_string(p, r->url) && is_type_list(p, r->types)
           && in_section(p, PACK_CONTEXTS, r->contexts)
           && in_section(p, PACK_EXTENSION_PARTS, r->parts);
}

static bool extensions_are_good(const med_pack *p)
{
    for (uint32_t i = 0; i < p->sections[PACK_EXTENSIONS].n; i++) {
        if (!extension_is_good(p, pack_extension_at(p, i)))
            return false;
    }
    for (uint32_t i = 0; i < p->sections[PACK_EXTENSION_PARTS].n; i++) {
        if (!extension_is_good(p, pack_extension_part_at(p, i)))
            return false;
    }
    for (uint32_t i = 0; i < p->sections[PACK_CONTEXTS].n; i++) {
        if (!is_string(p, *pack_context_at(p, i)))
            return false;
    }
    return true;
}

/* ---- parameters and their trie ---- */

static bool param_is_good(const med_pack *p, const struct pack_param *r)
{
    return is_string(p, r->code) && is_string(p, r->url) && is_string(p, r->expression)
           && is_string(p, r->why_not) && is_type_list(p, r->targets)
           && r->type <= MED_PARAM_SPECIAL && in_section(p, PACK_COMPONENTS, r->components)
           && is_param_list(p, r->component_params) && r->component_params.n == r->components.n;
}

static bool component_is_good(const med_pack *p, const struct pack_component *r)
{
    return is_row(p, PACK_PARAMS, r->param) && is_string(p, r->expression)
           && in_section(p, PACK_ROOTS, r->roots);
}

static bool params_are_good(const med_pack *p)
{
    for (uint32_t i = 0; i < p->sections[PACK_PARAMS].n; i++) {
        if (!param_is_good(p, pack_param_at(p, i)))
            return false;
    }
    for (uint32_t i = 0; i < p->sections[PACK_COMPONENTS].n; i++) {
        if (!component_is_good(p, pack_component_at(p, i)))
            return false;
    }
    for (uint32_t i = 0; i < p->sections[PACK_ROOTS].n; i++) {
        const struct pack_root *r = pack_root_at(p, i);
        if (!is_type(p, r->type) || !is_row(p, PACK_BRANCHES, r->branch))
            return false;
    }
    return true;
}

static bool filter_is_good(const med_pack *p, const struct pack_filter *r)
{
    return r->kind <= PACK_FILTER_EQUALS && is_string(p, r->key) && is_string(p, r->value)
           && (r->kind == PACK_FILTER_EQUALS || is_type(p, r->type));
}

static bool branch_is_good(const med_pack *p, const struct pack_branch *r)
{
    if (!in_section(p, PACK_FILTERS, r->filters) || !is_param_list(p, r->emits))
        return false;
    for (uint32_t i = 0; i < r->filters.n; i++) {
        if (!filter_is_good(p, pack_filter_at(p, r->filters.first + i)))
            return false;
    }
    return r->child == PACK_NONE || is_row(p, PACK_NODES, r->child);
}

/* The children of a node lie one level deeper, so a walk ends after PACK_DEPTH levels. */
static bool edge_is_good(const med_pack *p, const struct pack_edge *r, uint32_t depth)
{
    if (r->name.text.len > PACK_NAME || !is_string(p, r->name.text) || !is_type(p, r->type)
        || !in_section(p, PACK_BRANCHES, r->branches))
        return false;
    for (uint32_t i = 0; i < r->branches.n; i++) {
        const struct pack_branch *b = pack_branch_at(p, r->branches.first + i);
        if (b->child != PACK_NONE
            && (!is_row(p, PACK_NODES, b->child) || pack_node_at(p, b->child)->depth != depth + 1))
            return false;
    }
    return true;
}

static bool node_is_good(const med_pack *p, const struct pack_node *r)
{
    if (r->depth >= PACK_DEPTH || !in_section(p, PACK_EDGES, r->edges)
        || !is_table(p, r->names, r->edges.n))
        return false;
    for (uint32_t i = 0; i < r->edges.n; i++) {
        if (!edge_is_good(p, pack_edge_at(p, r->edges.first + i), r->depth))
            return false;
    }
    return true;
}

static bool trie_is_good(const med_pack *p)
{
    for (uint32_t i = 0; i < p->sections[PACK_BRANCHES].n; i++) {
        if (!branch_is_good(p, pack_branch_at(p, i)))
            return false;
    }
    for (uint32_t i = 0; i < p->sections[PACK_NODES].n; i++) {
        if (!node_is_good(p, pack_node_at(p, i)))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool sections_are_good(const med_pack *p)
{
    for (int id = 0; id < PACK_SECTIONS; id++) {
        struct pack_section s = p->sections[id];
        if (s.at % 8 != 0 || s.at < sizeof *p || s.at > p->size
            || s.n > (p->size - s.at) / row_sizes[id])
            return false;
    }
    return true;
}

static bool header_is_good(med_str bytes, med_err *err)
{
    const med_pack *p = (const med_pack *)(const void *)bytes.ptr;
    if ((uintptr_t)bytes.ptr % 8 != 0 || bytes.len < sizeof *p
        || memcmp(p->magic, "MEDPACK", sizeof p->magic) != 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "this is no pack of definitions");
    if (p->byte_order != PACK_BYTE_ORDER)
        return MED_FAIL(err, MED_ISSUE_INVALID, "this pack was made on another kind of machine");
    if (p->format != PACK_FORMAT)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "pack format %u, expected %d", p->format,
                        PACK_FORMAT);
    if (p->size != bytes.len)
        return MED_FAIL(err, MED_ISSUE_INVALID, "the pack has %zu bytes and should have %llu",
                        bytes.len, (unsigned long long)p->size);
    if (p->checksum != med_pack_checksum(p))
        return MED_FAIL(err, MED_ISSUE_INVALID, "the pack is damaged: wrong checksum");
    return true;
}

bool med_pack_open(med_str bytes, const med_pack **out, med_err *err)
{
    if (!header_is_good(bytes, err))
        return false;
    const med_pack *p = (const med_pack *)(const void *)bytes.ptr;
    if (!sections_are_good(p) || !is_string(p, p->version) || !invariants_are_good(p)
        || !codes_are_good(p) || !params_are_good(p) || !trie_is_good(p) || !types_are_good(p)
        || !extensions_are_good(p))
        return MED_FAIL(err, MED_ISSUE_INVALID, "the pack is damaged: an offset leads outside");
    *out = p;
    return true;
}
