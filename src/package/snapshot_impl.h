/* snapshot_impl.h - the tree that snapshot_*.c share: elements with what is said of them.
 *
 * An element's children and its slices are lists; a slice has children of its own. What an
 * element says are fields: nodes of the documents it came from, nothing is copied. */
#ifndef MED_PACKAGE_SNAPSHOT_IMPL_H
#define MED_PACKAGE_SNAPSHOT_IMPL_H

#include "package/snapshot.h"
#include "package/text.h"

typedef struct snap_value {
    const med_json *j;
    uint32_t node;
    med_str raw; /* JSON; used when it is not empty */
} snap_value;

typedef struct snap_field {
    med_str key;
    snap_value *at; /* of an array that grows: its elements; else one value */
    size_t n, room;
    bool is_list;
} snap_field;

typedef struct snap_node snap_node;
struct snap_node {
    med_str name;  /* last part of the path: "value[x]" */
    med_str slice; /* sliceName, or empty */
    snap_field *fields;
    size_t n_fields, room;
    snap_node *parent;
    snap_node *next; /* sibling, or the next slice */
    snap_node *first, *last;
    snap_node *first_slice, *last_slice;
    bool spoken;   /* the differential has this element itself */
    bool narrowed; /* a choice to the types that the differential names: valueQuantity */
};

typedef struct snap {
    med_arena *a;
    const med_definition_source *source;
    const med_json *base; /* the StructureDefinition it starts from */
    snap_node *root;
    size_t n; /* nodes made */
    bool is_specialization;
} snap;

/* ---- the tree (snapshot_tree.c) ---- */
bool snap_load(snap *s, const med_json *j, uint32_t root, snap_node **out, med_err *err);
snap_node *snap_new(snap *s, med_str name, med_str slice, med_err *err);
void snap_add_child(snap_node *parent, snap_node *child);
/* Behind the slice it is a slice of, or last. */
void snap_add_slice(snap_node *of, snap_node *slice);
/* Appends copies of the children of `from`, with all below them. */
bool snap_copy_children(snap *s, const snap_node *from, snap_node *to, med_err *err);
bool snap_copy(snap *s, const snap_node *from, snap_node **out, med_err *err);
snap_node *snap_child(const snap_node *n, med_str name);
snap_node *snap_slice(const snap_node *n, med_str slice);
/* "Observation.component:systolic.code", and without slices. */
med_str snap_id(med_arena *a, const snap_node *n);
med_str snap_path(med_arena *a, const snap_node *n);
/* Fails at that element. */
__attribute__((format(printf, 4, 5))) bool snap_fail(snap *s, const snap_node *n, med_err *err,
                                                     const char *fmt, ...);

/* ---- fields ---- */
snap_field *snap_find(const snap_node *n, const char *key);
bool snap_set(snap *s, snap_node *n, med_str key, snap_value value, med_err *err);
bool snap_set_raw(snap *s, snap_node *n, const char *key, const char *json, med_err *err);
void snap_drop(snap_node *n, const char *key);
/* Takes an element's members as fields. */
bool snap_take(snap *s, snap_node *n, const med_json *j, uint32_t element, med_err *err);
bool snap_append(snap *s, snap_field *f, snap_value value, med_err *err);
/* Is it gathered over the chain of bases, and not replaced? */
bool snap_is_list(med_str key);
uint32_t snap_min(const snap_node *n);
uint32_t snap_max(const snap_node *n); /* UINT32_MAX: * */

/* ---- types (snapshot_expand.c) ---- */
/* The `i`th type of an element; false behind the last. */
bool snap_type(snap *s, const snap_node *n, size_t i, med_str *code, snap_value *type);
/* Its only profile, or empty. */
med_str snap_type_profile(snap *s, const snap_value *type);
bool snap_definition(snap *s, med_str canonical, const med_definition **out, med_err *err);
/* Gives an element without children those of its type. */
bool snap_expand(snap *s, snap_node *n, med_err *err);
/* Is a type allowed where `ancestor` is: the same, or derived from it? */
bool snap_is_a(snap *s, med_str code, med_str ancestor);

/* ---- one element of the differential (snapshot_merge.c) ---- */
bool snap_merge(snap *s, snap_node *n, const med_json *j, uint32_t element, bool is_new_slice,
                med_err *err);

/* ---- output (snapshot_write.c) ---- */
bool snap_write(snap *s, const med_json *j, uint32_t root, med_str *out, med_err *err);

#endif
