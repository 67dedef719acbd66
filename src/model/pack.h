/* pack.h - the compiled FHIR definitions: flat, offset-based, read-only tables.
 *
 * One compiler (model/compile/) turns npm packages into a pack, at build time for the core
 * (embedded in the binary, med_pack_core) and at run time for implementation guides. All rows
 * and strings live in the mapping and are valid as long as the pack. Numbers of rows (type,
 * property, parameter) are stable only within one pack: what is stored on disk is named by
 * text (store.h, med_store_intern). Thread safe: nothing changes after opening. */
#ifndef MED_MODEL_PACK_H
#define MED_MODEL_PACK_H

#include "base/err.h"
#include "base/str.h"

typedef struct med_pack med_pack;
typedef uint16_t med_type; /* row of the types table; MED_TYPE_NONE = none */
#define MED_TYPE_NONE ((med_type)0xFFFF)

/* The R4 4.0.1 core, embedded at build time (the compiler opened what it wrote). Costs a few
 * nanoseconds; aborts only if the binary is damaged. */
const med_pack *med_pack_core(void);
/* The bytes of the core, for `med_pack_open`, which checks them whole. */
med_str med_pack_core_bytes(void);
/* A pack from bytes that are aligned to 8 and stay valid; checks checksum and every offset, so
 * a damaged or hostile file ends in an error. */
bool med_pack_open(med_str bytes, const med_pack **out, med_err *err) MED_MUST_CHECK;
/* "4.0.1-9f86d081884c7d65": changes when a type or an extraction changes. */
med_str med_pack_version(const med_pack *p);

/* ---- types: resources, data types, primitives, and the backbone types inside them ---- */
enum med_type_kind {
    MED_TYPE_PRIMITIVE,
    MED_TYPE_COMPLEX,  /* data types, BackboneElement and Element */
    MED_TYPE_BACKBONE, /* "Patient.contact" */
    MED_TYPE_RESOURCE,
};

/* How a primitive is checked and read. */
enum med_primitive {
    MED_PRIMITIVE_NONE, /* not a primitive */
    MED_PRIMITIVE_BOOLEAN,
    MED_PRIMITIVE_INTEGER,
    MED_PRIMITIVE_UNSIGNED_INT,
    MED_PRIMITIVE_POSITIVE_INT,
    MED_PRIMITIVE_DECIMAL,
    MED_PRIMITIVE_STRING,
    MED_PRIMITIVE_MARKDOWN,
    MED_PRIMITIVE_CODE,
    MED_PRIMITIVE_ID,
    MED_PRIMITIVE_URI,
    MED_PRIMITIVE_URL,
    MED_PRIMITIVE_CANONICAL,
    MED_PRIMITIVE_OID,
    MED_PRIMITIVE_UUID,
    MED_PRIMITIVE_BASE64,
    MED_PRIMITIVE_DATE,
    MED_PRIMITIVE_DATETIME,
    MED_PRIMITIVE_INSTANT,
    MED_PRIMITIVE_TIME,
    MED_PRIMITIVE_XHTML,
    MED_PRIMITIVE_FHIRPATH_STRING, /* Element.id, Extension.url: System.String */
};

med_type med_pack_type(const med_pack *p, med_str name); /* MED_TYPE_NONE if unknown */
size_t med_pack_type_count(const med_pack *p);
med_str med_type_name(const med_pack *p, med_type t); /* "Patient", "Patient.contact", "Quantity" */
enum med_type_kind med_type_kind_of(const med_pack *p, med_type t);
enum med_primitive med_type_primitive(const med_pack *p, med_type t);
bool med_type_is_abstract(const med_pack *p, med_type t);
med_type med_type_base(const med_pack *p,
                       med_type t); /* Age -> Quantity; Patient -> DomainResource */
bool med_type_is_a(const med_pack *p, med_type t, med_type ancestor); /* true for t == ancestor */
/* Concrete resource types, sorted by name: the server's routes. */
const med_type *med_pack_resources(const med_pack *p, size_t *n);
/* The resource type of that name whose name is nearest to it, for messages; "" if none is. */
med_str med_pack_nearest_resource(const med_pack *p, med_str name);

/* ---- elements ---- */
enum { MED_MAX_UNBOUNDED = 0xFFFF };
enum { MED_BINDING_EXTENSIBLE = 3, MED_BINDING_REQUIRED = 4 }; /* med_element.binding */

typedef struct med_element {
    med_str name;      /* "value" for value[x], "contact" */
    med_str path;      /* "Observation.value[x]" */
    uint16_t min, max; /* max MED_MAX_UNBOUNDED = * */
    bool is_choice, is_modifier, is_summary;
    bool is_array;     /* JSON array: max of the base definition is not 1 */
    uint8_t binding;   /* 0 none, 1 example, 2 preferred, 3 extensible, 4 required */
    med_str value_set; /* canonical of the binding */
    uint32_t index;    /* position among the type's elements, in definition order */
} med_element;

/* Elements of a type, inherited ones included, in definition order. */
size_t med_type_element_count(const med_pack *p, med_type t);
void med_type_element(const med_pack *p, med_type t, size_t index, med_element *out);
/* The element `name` ("value" for value[x]): index, or SIZE_MAX if the type has none. */
size_t med_type_find_element(const med_pack *p, med_type t, med_str name);
/* Indexes of the elements with min > 0, in definition order. */
const uint16_t *med_type_required(const med_pack *p, med_type t, size_t *n);
/* Resource types a Reference or canonical at this element may name (none = any). Names of
 * resource types, or "Resource". */
const med_type *med_element_targets(const med_pack *p, med_type t, size_t index, size_t *n);

/* A JSON property of a type: an element, or one type of a choice ("valueQuantity"). */
typedef struct med_property {
    med_str name;     /* "valueQuantity" */
    med_type type;    /* of the value; for contentReference the referenced backbone type;
                         abstract Resource for contained and Bundle.entry.resource */
    uint16_t element; /* index for med_type_element */
    bool is_array;
    uint8_t primitive; /* enum med_primitive of the type */
} med_property;

/* No type has more elements (a bit set of an object's elements fits). */
enum { MED_TYPE_ELEMENTS_MAX = 128 };

/* Finds by JSON name without a leading '_'. False if the type has no such property. */
bool med_type_property(const med_pack *p, med_type t, med_str name, med_property *out);
size_t med_type_property_count(const med_pack *p, med_type t);
void med_type_property_at(const med_pack *p, med_type t, size_t index, med_property *out);
/* The properties an element can have: one, or one for each type of a choice. They stand side
 * by side: [*first, *first + result). */
size_t med_element_properties(const med_pack *p, med_type t, size_t element, size_t *first);
/* The property whose name is nearest to an unknown one, or "". */
med_str med_type_nearest_property(const med_pack *p, med_type t, med_str name);

/* ---- invariants (ElementDefinition.constraint) ---- */
typedef struct med_invariant {
    med_str key; /* "pat-1" */
    bool is_warning;
    med_str human, expression;
    med_str path; /* where it stands */
} med_invariant;
/* Invariants on the type itself (element = SIZE_MAX; those inherited from its bases and, for a
 * backbone type, of the element that defines it included) or on one of its elements (without
 * those that the type of its value has anyway). Fills at most `room` from the `from`th on;
 * returns how many there are. */
size_t med_element_invariants(const med_pack *p, med_type t, size_t element, size_t from,
                              med_invariant *out, size_t room);

/* ---- extensions that the definitions know ---- */
typedef struct med_extension {
    med_str url;         /* of a part: its name */
    bool is_modifier;    /* belongs into modifierExtension */
    bool may_have_value; /* else it has parts only */
    bool may_have_parts;
    const med_type *types; /* of the value; none = any */
    size_t n_types;
    size_t n_contexts; /* med_extension_context */
    size_t n_parts;    /* of a complex one: med_extension_part */
    uint16_t min, max; /* of a part */
    uint32_t contexts, parts;
} med_extension;

/* False if no definition in the pack has that url. */
bool med_pack_extension(const med_pack *p, med_str url, med_extension *out);
/* Where it may stand: "Patient", "HumanName.family", "Element" (anywhere). */
med_str med_extension_context(const med_pack *p, const med_extension *e, size_t index);
void med_extension_part(const med_pack *p, const med_extension *e, size_t index,
                        med_extension *out);
/* The known extension whose url is nearest, or "". */
med_str med_pack_nearest_extension(const med_pack *p, med_str url);

/* ---- search parameters ---- */
enum med_param_type {
    MED_PARAM_NUMBER,
    MED_PARAM_DATE,
    MED_PARAM_STRING,
    MED_PARAM_TOKEN,
    MED_PARAM_REFERENCE,
    MED_PARAM_COMPOSITE,
    MED_PARAM_QUANTITY,
    MED_PARAM_URI,
    MED_PARAM_SPECIAL,
};

typedef struct med_param {
    uint32_t index; /* row */
    med_str code;   /* "code" as used in a query */
    med_str url;
    enum med_param_type type;
    med_str expression;
    bool compiled; /* false: `why_not` says why */
    med_str why_not;
    const med_type *targets; /* of a reference parameter; none = any */
    size_t n_targets;
    const uint32_t *components; /* of a composite: rows of the parts, and their expressions */
    size_t n_components;
} med_param;

size_t med_pack_param_count(const med_pack *p);
void med_pack_param(const med_pack *p, uint32_t index, med_param *out);
/* The parameter `code` of a resource type (its own, or of Resource/DomainResource). */
bool med_pack_find_param(const med_pack *p, med_type resource, med_str code, med_param *out);
/* All parameters of a resource type, sorted by code; for metadata, hints and extraction. */
const uint32_t *med_type_params(const med_pack *p, med_type resource, size_t *n);
med_str med_param_component_expression(const med_pack *p, uint32_t index, size_t component);

/* ---- compartments ---- */
enum med_compartment {
    MED_COMPARTMENT_PATIENT,
    MED_COMPARTMENT_ENCOUNTER,
    MED_COMPARTMENT_PRACTITIONER,
    MED_COMPARTMENT_RELATED_PERSON,
    MED_COMPARTMENT_DEVICE,
};
enum { MED_COMPARTMENTS = 5 };
/* False if resources of that type have no compartment. */
bool med_compartment_of_type(const med_pack *p, med_type t, enum med_compartment *out);
/* Parameters (rows) whose reference puts a resource of this type into a compartment of that kind
 * (its CompartmentDefinition). That the resource the compartment is of belongs to it is not said
 * here. */
const uint32_t *med_type_compartment_params(const med_pack *p, enum med_compartment compartment,
                                            med_type resource, size_t *n);
/* The same for a Patient's. */
const uint32_t *med_type_patient_params(const med_pack *p, med_type resource, size_t *n);

/* ---- codes of small value sets, as far as the core needs them ---- */
/* Codes of a code-only required binding (official expansion). Value sets that draw on a whole
 * system outside of HL7 (currencies, media types) are left out: their expansion grows old. */
typedef struct med_codes {
    uint32_t first, n; /* n = 0: unknown value set */
} med_codes;
med_codes med_pack_codes(const med_pack *p, med_str value_set);
/* The same for the binding of an element. */
med_codes med_element_codes(const med_pack *p, med_type t, size_t element);
/* The codes of an element's required or extensible binding of concepts (Coding,
 * CodeableConcept, Quantity, uri), with their systems. */
med_codes med_element_bound(const med_pack *p, med_type t, size_t element);
/* Is that code of that system one of them? */
bool med_codes_have_in(const med_pack *p, med_codes c, med_str system, med_str code);
/* Canonical of the value set that codes may not leave, however weak the binding; "" if none. */
med_str med_element_max_value_set(const med_pack *p, med_type t, size_t element);
med_str med_codes_at(const med_pack *p, med_codes c, size_t index); /* sorted */
/* The code system of that code; the same code may stand there once for each of its systems. */
med_str med_codes_system(const med_pack *p, med_codes c, size_t index);
bool med_codes_have(const med_pack *p, med_codes c, med_str code);
med_str med_codes_nearest(const med_pack *p, med_codes c, med_str code); /* or "" */

#endif
