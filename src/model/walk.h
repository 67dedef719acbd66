/* walk.h - all search parameters of a resource out of one walk over its tape.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 *
 * The pack holds for each resource type the compiled paths of all its parameters as a trie
 * over JSON properties: `Observation.value as Quantity` is the edge valueQuantity, `A | B` are
 * two paths of one parameter, `.where(resolve() is Patient)` and `.where(system='phone')` are
 * filters. The walk visits only properties some parameter wants and calls `emit` for each
 * value. Expressions that are no paths are evaluated by FHIRPath on the whole resource
 * (model/fhirpath.h) by the caller; med_walk_rest names them.
 * Iterative; depth bounded by MED_JSON_DEPTH. Thread safe.
 *
 * Differences from plain FHIRPath, on purpose: `resolve() is T` believes what a reference says
 * of itself (its URL, its Reference.type, the contained resource of that id); an expression
 * that ends at an extension gives the extension's value; a JSON value that can not be of its
 * element's type (an object for a string) is passed over. */
#ifndef MED_MODEL_WALK_H
#define MED_MODEL_WALK_H

#include "base/json.h"
#include "model/pack.h"

typedef struct med_walk_value {
    uint32_t param;     /* row in the pack */
    uint32_t node;      /* of the value in the tape (an array is emitted element by element) */
    uint32_t extension; /* node of the `_property` sibling, 0 if none */
    med_type type;      /* "Quantity", "code", "CodeableConcept" */
} med_walk_value;

typedef bool (*med_walk_emit)(void *arg, const med_walk_value *value, med_err *err);

/* `root` is an object node with that resource type. Returns false if emit did. */
bool med_walk(const med_pack *p, const med_json *j, uint32_t root, med_type resource,
              med_walk_emit emit, void *arg, med_err *err);

/* The values of one component of a composite parameter: `composite` is what med_walk emitted
 * for it. `param` of what is emitted is the component's own parameter. */
bool med_walk_component(const med_pack *p, const med_json *j, uint32_t root, med_type resource,
                        const med_walk_value *composite, size_t component, med_walk_emit emit,
                        void *arg, med_err *err);

/* Parameters of this type that need FHIRPath. */
const uint32_t *med_walk_rest(const med_pack *p, med_type resource, size_t *n);

/* Every Reference that has a `reference` of its own, wherever it stands (extensions, contained
 * resources, resources in a Bundle's entries), fragments (#id) left out. `reference_node` is
 * the Reference object, `property_node` the text of its `reference`. */
typedef struct med_reference_walk med_reference_walk; /* where the walk stands */
typedef bool (*med_reference_emit)(void *arg, const med_reference_walk *at, uint32_t reference_node,
                                   uint32_t property_node, med_err *err);
bool med_walk_references(const med_pack *p, const med_json *j, uint32_t root, med_type resource,
                         med_reference_emit emit, void *arg, med_err *err);

/* FHIRPath of the Reference an emit was called for, as med_node_expression gives it, at a price
 * that does not grow with the resource. False past the arena's ceiling. */
bool med_reference_walk_expression(const med_reference_walk *at, med_arena *a,
                                   med_str *out) MED_MUST_CHECK;

/* FHIRPath of a node ("Patient.contact[0].name"), for messages, one or a few a resource: it looks
 * through all that stands before the node. What it has: element names, and an index
 * where JSON has an array. Choices are named without their type ("Observation.value"). A node
 * that the definitions do not know is named as JSON has it. False past the arena's ceiling. */
bool med_node_expression(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                         uint32_t node, med_str *out) MED_MUST_CHECK;

#endif
