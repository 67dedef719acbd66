/* pack_format.h - the bytes of a pack. Private to model/ and its compiler.
 *
 * A header, then sections of fixed rows, each aligned to 8. A med_pack *is* its header: rows
 * are found by offset from it, so that opening costs no memory and a pack may be shared
 * between processes. Numbers are in the byte order of the machine (a pack is made where it is
 * used; the header tells). Everything here is checked by med_pack_open before use.
 *
 * Names are looked up in hash tables (pack_table): a power of two of uint16 slots, at most
 * half of them filled, each the number of a row within its owner's range; linear probing. */
#ifndef MED_MODEL_PACK_FORMAT_H
#define MED_MODEL_PACK_FORMAT_H

#include "model/name_hash.h"
#include "model/pack.h"

enum {
    PACK_FORMAT = 5,
    PACK_BYTE_ORDER = 0x01020304,
    PACK_DEPTH = 32,     /* of a search path */
    PACK_ELEMENTS = 128, /* of one type */
    PACK_NAME = 96,      /* bytes of a type or property name */
    PACK_EMPTY_SLOT = 0xFFFF,
};
#define PACK_NONE 0xFFFFFFFFU

enum pack_section_id {
    PACK_STRINGS, /* bytes */
    PACK_TYPES,
    PACK_ELEMENT_ROWS,
    PACK_PROPERTIES,
    PACK_SLOTS,     /* uint16, of all tables */
    PACK_TYPE_LIST, /* med_type: reference targets, resources */
    PACK_REQUIRED,  /* uint16: elements with min > 0 */
    PACK_INVARIANTS,
    PACK_VALUE_SETS,
    PACK_CODES,
    PACK_PARAMS,
    PACK_COMPONENTS,
    PACK_PARAM_LIST, /* uint32: parameters by type, emissions */
    PACK_NODES,
    PACK_EDGES,
    PACK_BRANCHES,
    PACK_FILTERS,
    PACK_ROOTS,
    PACK_EXTENSIONS,      /* sorted by url */
    PACK_EXTENSION_PARTS, /* extensions inside a complex one, in definition order */
    PACK_CONTEXTS,        /* struct pack_str: where an extension may stand */
    PACK_SECTIONS
};

struct pack_str {
    uint32_t at, len; /* in PACK_STRINGS; a NUL follows */
};

struct pack_range {
    uint32_t first, n;
};

/* A string that is looked up, with what compares it (name_hash.h). */
struct pack_name {
    uint64_t head, tail;
    struct pack_str text;
};

struct pack_table {
    uint32_t first, mask; /* in PACK_SLOTS; mask + 1 slots */
};

struct pack_section {
    uint32_t at, n; /* offset from the header; rows */
};

struct med_pack {
    char magic[8]; /* "MEDPACK" and a NUL */
    uint32_t byte_order;
    uint32_t format;
    uint64_t size;     /* of the whole pack */
    uint64_t checksum; /* SipHash of everything behind this field */
    struct pack_str version;
    struct pack_table type_names;
    struct pack_range resources; /* in PACK_TYPE_LIST */
    med_type resource_type, reference_type, extension_type, reserved;
    struct pack_section sections[PACK_SECTIONS];
};

enum pack_type_flags { PACK_TYPE_ABSTRACT = 1 };

struct pack_type {
    struct pack_str name;
    uint16_t base;
    uint8_t kind;      /* enum med_type_kind */
    uint8_t primitive; /* enum med_primitive */
    uint16_t flags;
    uint16_t n_elements;
    uint32_t first_element;
    struct pack_range properties;
    struct pack_table property_names;
    struct pack_range required;
    struct pack_range invariants; /* on the type itself */
    struct pack_range params;     /* in PACK_PARAM_LIST, sorted by code */
    struct pack_range rest;       /* of these the ones for FHIRPath */
    struct pack_range compartments[MED_COMPARTMENTS];
    uint32_t root; /* branch with which a walk begins, or PACK_NONE */
};

enum pack_element_flags {
    PACK_ELEMENT_CHOICE = 1,
    PACK_ELEMENT_MODIFIER = 2,
    PACK_ELEMENT_SUMMARY = 4,
    PACK_ELEMENT_ARRAY = 8,
};

struct pack_element {
    struct pack_str name, path, value_set;
    uint16_t min, max;
    uint8_t flags, binding;
    uint16_t n_properties;
    uint32_t first_property;
    struct pack_range targets;
    struct pack_range invariants;
    uint32_t codes; /* row of PACK_VALUE_SETS, or PACK_NONE */
    uint32_t bound; /* the same for a required or extensible binding of concepts */
    struct pack_str max_value_set;
};

struct pack_property {
    struct pack_name name;
    uint16_t type;
    uint16_t element;
    uint16_t is_array;
    uint16_t primitive; /* enum med_primitive of the type */
};

struct pack_invariant {
    struct pack_str key, human, expression, path;
    uint32_t is_warning;
};

struct pack_value_set {
    struct pack_str url;
    struct pack_range codes; /* sorted */
};

struct pack_code {
    struct pack_str code, system;
};

struct pack_param {
    struct pack_str code, url, expression, why_not;
    struct pack_range targets;          /* in PACK_TYPE_LIST */
    struct pack_range components;       /* in PACK_COMPONENTS */
    struct pack_range component_params; /* the same as rows, in PACK_PARAM_LIST */
    uint32_t type;                      /* enum med_param_type */
    uint32_t compiled;
};

struct pack_component {
    uint32_t param;
    struct pack_str expression;
    struct pack_range roots; /* in PACK_ROOTS: one for each type of the composite's element */
};

enum pack_extension_flags {
    PACK_EXTENSION_MODIFIER = 1,
    PACK_EXTENSION_VALUE = 2, /* a value may stand in it */
    PACK_EXTENSION_PARTS_TOO = 4,
};

/* An extension that the definitions know, or a part of one. */
struct pack_extension {
    struct pack_str url;
    struct pack_range contexts; /* in PACK_CONTEXTS; of a part none */
    struct pack_range types;    /* of the value, in PACK_TYPE_LIST; none: any */
    struct pack_range parts;    /* in PACK_EXTENSION_PARTS */
    uint16_t min, max;          /* of a part */
    uint32_t flags;
};

/* ---- the trie of search paths ---- */

/* An object on the way: which of its properties are wanted. */
struct pack_node {
    struct pack_range edges;
    struct pack_table names;
    uint32_t depth; /* a child's depth is its parent's + 1, so there are no cycles */
};

enum pack_edge_flags {
    PACK_EDGE_PRIMITIVE = 1, /* its type is one */
    PACK_EDGE_INNER = 2,     /* a branch leads on into the value */
    PACK_EDGE_EMITS = 4,     /* a branch emits */
};

struct pack_edge {
    struct pack_name name;
    uint16_t type;
    uint16_t flags;
    struct pack_range branches;
};

/* What happens to each value of a property that passes the filters. */
struct pack_branch {
    struct pack_range filters;
    struct pack_range emits; /* in PACK_PARAM_LIST */
    uint32_t index;          /* only this element, or PACK_NONE */
    uint32_t child;          /* node, or PACK_NONE */
};

enum pack_filter_kind {
    PACK_FILTER_RESOLVES_TO, /* where(resolve() is T): what a Reference names */
    PACK_FILTER_RESOURCE_IS, /* ofType(T) of an abstract resource */
    PACK_FILTER_EQUALS,      /* where(key = 'value') */
};

struct pack_filter {
    uint32_t kind;
    uint32_t type;
    struct pack_str key, value;
};

/* Where the walk of a component begins: at the composite's element of that type, or (for
 * %resource) at the resource of that type. */
struct pack_root {
    uint32_t type;
    uint32_t branch;
    uint32_t from_resource;
};

/* ---- reading ---- */

static inline const void *pack_rows(const med_pack *p, enum pack_section_id id)
{
    return (const char *)p + p->sections[id].at;
}

#define PACK_READER(name, row, id)                                                                 \
    static inline const row *name(const med_pack *p, size_t i)                                     \
    {                                                                                              \
        return (const row *)pack_rows(p, id) + i;                                                  \
    }
PACK_READER(pack_bytes_at, char, PACK_STRINGS)
PACK_READER(pack_type_at, struct pack_type, PACK_TYPES)
PACK_READER(pack_element_at, struct pack_element, PACK_ELEMENT_ROWS)
PACK_READER(pack_property_at, struct pack_property, PACK_PROPERTIES)
PACK_READER(pack_slot_at, uint16_t, PACK_SLOTS)
PACK_READER(pack_type_list_at, med_type, PACK_TYPE_LIST)
PACK_READER(pack_required_at, uint16_t, PACK_REQUIRED)
PACK_READER(pack_invariant_at, struct pack_invariant, PACK_INVARIANTS)
PACK_READER(pack_value_set_at, struct pack_value_set, PACK_VALUE_SETS)
PACK_READER(pack_code_at, struct pack_code, PACK_CODES)
PACK_READER(pack_param_at, struct pack_param, PACK_PARAMS)
PACK_READER(pack_component_at, struct pack_component, PACK_COMPONENTS)
PACK_READER(pack_param_list_at, uint32_t, PACK_PARAM_LIST)
PACK_READER(pack_node_at, struct pack_node, PACK_NODES)
PACK_READER(pack_edge_at, struct pack_edge, PACK_EDGES)
PACK_READER(pack_branch_at, struct pack_branch, PACK_BRANCHES)
PACK_READER(pack_filter_at, struct pack_filter, PACK_FILTERS)
PACK_READER(pack_root_at, struct pack_root, PACK_ROOTS)
PACK_READER(pack_extension_at, struct pack_extension, PACK_EXTENSIONS)
PACK_READER(pack_extension_part_at, struct pack_extension, PACK_EXTENSION_PARTS)
PACK_READER(pack_context_at, struct pack_str, PACK_CONTEXTS)
#undef PACK_READER

static inline med_str pack_string(const med_pack *p, struct pack_str s)
{
    return (med_str){pack_bytes_at(p, s.at), s.len};
}

static inline bool pack_name_is(const med_pack *p, const struct pack_name *row, struct med_name n,
                                const char *text)
{
    return row->head == n.head && row->tail == n.tail && row->text.len == n.len
           && (n.len <= 16
               || memcmp(pack_bytes_at(p, row->text.at + 8), text + 8, n.len - 16) == 0);
}

/* Bytes of one row of a section, for the writer and for med_pack_open. */
size_t med_pack_row_size(enum pack_section_id id);
/* The checksum that belongs into the header. */
uint64_t med_pack_checksum(const med_pack *p);

extern const med_str med_compartment_names[MED_COMPARTMENTS];

#endif
