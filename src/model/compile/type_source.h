/* type_source.h - the types that StructureDefinitions define, sorted by name.
 * https://hl7.org/fhir/R4/structuredefinition.html
 *
 * Each definition is a type, and so is each element in it that has children
 * ("Patient.contact"). Profiles and logical models are left out. Lives in the arena; texts are
 * those of the source. */
#ifndef MED_MODEL_COMPILE_TYPE_SOURCE_H
#define MED_MODEL_COMPILE_TYPE_SOURCE_H

#include "model/compile/source.h"
#include "model/pack.h"

typedef struct med_source_element {
    const struct med_source_element *next; /* of the same type, in definition order */
    uint32_t node;                         /* its ElementDefinition */
    med_str path;
    med_str name; /* last part of the path, without [x] */
    bool is_choice;
} med_source_element;

typedef struct med_source_type {
    med_str name;
    med_str base; /* name, or "" */
    const med_json *j;
    uint32_t definition; /* ElementDefinition of the type itself; 0 = there is none */
    enum med_type_kind kind;
    bool is_abstract;
    med_source_element *first, *last;
    size_t n;
} med_source_type;

typedef struct med_type_list {
    med_source_type *at; /* sorted by name */
    size_t n;
} med_type_list;

bool med_type_list_collect(med_arena *a, const med_source *source, med_type_list *out,
                           med_err *err) MED_MUST_CHECK;
/* Number of the type called `name`, or MED_TYPE_NONE. */
uint16_t med_type_list_find(const med_type_list *list, med_str name);
/* "Patient" of a base definition's canonical, "" of any other. */
med_str med_structure_name(med_str url);

#endif
