/* profile_impl.h - compiled profiles, and the state of a check. Private to validate/profile*.c.
 *
 * A node is an element of the snapshot or a slice of one. Nodes stand in the order of the
 * snapshot; 0 is the root, so that as a link 0 means none. */
#ifndef MED_VALIDATE_PROFILE_IMPL_H
#define MED_VALIDATE_PROFILE_IMPL_H

#include "validate/profile.h"
#include "validate/structure_check.h"

#define MED_NO_NODE UINT32_MAX
#define MED_MANY UINT32_MAX

enum med_aggregation {
    MED_AGGREGATION_CONTAINED = 1,
    MED_AGGREGATION_REFERENCED = 2,
    MED_AGGREGATION_BUNDLED = 4
};
enum med_versioning { MED_VERSIONING_EITHER, MED_VERSIONING_INDEPENDENT, MED_VERSIONING_SPECIFIC };
enum med_slicing_rules { MED_SLICING_OPEN, MED_SLICING_CLOSED, MED_SLICING_OPEN_AT_END };
enum med_discriminator_kind {
    MED_BY_VALUE, /* pattern is the same */
    MED_BY_EXISTS,
    MED_BY_TYPE,
    MED_BY_PROFILE
};
enum med_step_kind { MED_STEP_NAME, MED_STEP_EXTENSION, MED_STEP_RESOLVE, MED_STEP_OF_TYPE };

typedef struct med_profile_step {
    enum med_step_kind kind;
    med_str text; /* name, url of the extension, name of the type */
    med_type type;
} med_profile_step;

typedef struct med_discriminator {
    enum med_discriminator_kind kind;
    bool usable; /* its path is one that discriminators may have */
    med_str path;
    const med_profile_step *steps;
    size_t n;
} med_discriminator;

typedef struct med_profile_type {
    med_str code;
    med_type type; /* MED_TYPE_NONE: any (System types) */
    const med_str *profiles, *targets;
    size_t n_profiles, n_targets;
    uint8_t aggregation, versioning;
} med_profile_type;

typedef struct med_profile_rule {
    med_str key, human;
    bool is_warning;
    const med_fhirpath *program; /* NULL: it can not be read; `human` says why */
} med_profile_rule;

/* A value of the definition: fixed, pattern, least, greatest. NULL json: none. */
typedef struct med_profile_value {
    const med_json *json;
    med_type type;
} med_profile_value;

typedef struct med_profile_node {
    med_str path, name, slice; /* name without [x]; slice "" = the element itself */
    med_type owner;            /* type that has the element; MED_TYPE_NONE when it depends */
    uint16_t element;
    med_type only;                /* `valueQuantity` as a name: that type of the choice */
    uint32_t parent, child, next; /* in the tree of elements */
    uint32_t slices, next_slice;  /* slices of this, or of this slice */
    uint32_t reference;           /* contentReference */
    uint32_t min, max;
    const med_profile_type *types;
    size_t n_types;
    const med_discriminator *by;
    size_t n_by;
    med_profile_value fixed, pattern, least, greatest;
    uint32_t min_length, max_length;
    const med_str *languages; /* of a narrative: _yes, _no, _resource, or a language */
    size_t n_languages;
    med_str value_set, max_value_set;
    uint8_t binding; /* as in med_element */
    const med_profile_rule *rules;
    size_t n_rules;
    uint8_t slicing; /* enum med_slicing_rules */
    bool sliced, ordered;
    bool checks_count, checks_types, checks_references, checks_binding;
    bool works; /* a value of it has to be looked at */
} med_profile_node;

/* Where an extension may stand. */
typedef struct med_profile_context {
    med_str kind, expression;
    const med_fhirpath *program; /* of a fhirpath one */
} med_profile_context;

typedef struct med_profile {
    med_str canonical; /* url|version */
    med_str url;
    med_type type;
    bool is_abstract, is_logical, is_modifier;
    const med_profile_node *nodes;
    size_t n;
    const med_profile_context *contexts;
    size_t n_contexts;
    const med_profile_rule *context_rules;
    size_t n_context_rules;
    med_str broken; /* why it can not be used; "" = it can */
} med_profile;

/* profile_compile.c: *out lives in `a`. False on memory only. */
bool med_profile_compile(med_arena *a, const med_pack *p, const med_definition *d,
                         med_profile **out) MED_MUST_CHECK;
/* profile_element.c: what an element says of its values, beside its place. */
bool med_profile_element_read(med_arena *a, const med_pack *p, const med_json *j, uint32_t at,
                              med_profile_node *n) MED_MUST_CHECK;
bool med_profile_rule_read(med_arena *a, const med_pack *p, med_type context, med_str expression,
                           med_profile_rule *rule) MED_MUST_CHECK;
med_str med_profile_text(med_arena *a, const med_json *j, uint32_t object, const char *key);
/* Members of the list `key`, 0 = none: first and end. */
uint32_t med_profile_first(const med_json *j, uint32_t object, const char *key, uint32_t *end);
/* profile_discriminator.c */
bool med_discriminator_read(med_arena *a, const med_pack *p, med_str kind, med_str path,
                            med_discriminator *out) MED_MUST_CHECK;

/* ---- profile_cache.c ---- */

/* *out is NULL when nobody knows it; a broken one says so itself. */
bool med_profile_set_find(med_profile_set *s, const med_profile_use *use, med_str canonical,
                          const med_profile **out, med_err *err) MED_MUST_CHECK;

/* ---- the check ---- */

/* Resources inside each other: what %resource and resolve() mean. */
typedef struct med_profile_place {
    const struct med_profile_place *outer;
    uint32_t resource; /* node */
    uint32_t root;     /* the resource that contains it, or itself */
    uint32_t entry;    /* of the Bundle around it; 0 none */
} med_profile_place;

typedef struct med_profile_item {
    uint32_t node;      /* MED_NO_NODE: only extensions */
    uint32_t extension; /* the `_name`; 0 none */
    med_type type;
    const med_profile_place *place;
} med_profile_item;

typedef struct med_profile_items {
    const med_profile_item *at;
    size_t n;
} med_profile_items;

typedef struct med_profile_job {
    const med_profile *profile;
    const med_profile_node *node;
    med_profile_item item;   /* the value; of a group what the values stand in */
    med_profile_items group; /* of a group: to be told apart into slices of `node` */
    bool is_group;
} med_profile_job;

typedef struct med_profile_run {
    med_check *c;
    med_arena *work;
    const med_profile_use *use;
    med_profile_set *set;
    med_profile_job *jobs;
    size_t n, room;
    struct med_profile_memo *memo; /* what was decided: profile_conform.c */
    size_t n_memo, room_memo;
    struct med_profile_targets *targets; /* profile_elsewhere.c; made when first needed */
    uint64_t steps, max_steps;
    int depth;
    bool stopped; /* the budget is spent */
} med_profile_run;

/* profile_check.c */
bool med_profile_push(med_profile_run *r, const med_profile_job *job);
/* Works until only `floor` jobs are left. */
void med_profile_work(med_profile_run *r, size_t floor);
bool med_profile_spend(med_profile_run *r, uint64_t steps);
/* What r->c failed with: no memory, a source or terminology that failed, budget. */
bool med_profile_over(const med_profile_run *r);
const med_profile *med_profile_known(med_profile_run *r, med_str canonical);
/* A resource inside: its place and its type. */
bool med_profile_enter(med_profile_run *r, med_profile_item *item, bool contained, uint32_t entry);
/* The root of a profile with this value. */
void med_profile_apply(med_profile_run *r, const med_profile *profile,
                       const med_profile_item *item);

/* The same, unless it was told before: references may lead in circles. */
void med_profile_once(med_profile_run *r, const med_profile *profile, const med_profile_item *item);

/* profile_members.c: the values of a child of an object. */
typedef struct med_profile_member {
    uint16_t element;
    med_type type;
    uint32_t value, sibling; /* 0 none */
    bool is_array;
} med_profile_member;
enum { MED_PROFILE_MEMBERS = 192 };
size_t med_profile_members(med_profile_run *r, const med_profile_item *object,
                           med_profile_member out[MED_PROFILE_MEMBERS]);
bool med_profile_values(med_profile_run *r, const med_profile_item *object,
                        const med_profile_member *members, size_t n, med_str name, med_type only,
                        med_profile_items *out);

/* profile_value.c */
void med_profile_check_value(med_profile_run *r, const med_profile_node *n,
                             const med_profile_item *v);
bool med_profile_is(const med_profile_run *r, const med_profile_item *v,
                    const med_profile_value *fixed);
bool med_profile_has(const med_profile_run *r, const med_profile_item *v, const med_json *pattern,
                     uint32_t at);
/* In a required binding? Undecided counts as no. */
bool med_profile_in_value_set(med_profile_run *r, const med_profile_item *v, med_str value_set);
/* node to tell a problem at */
uint32_t med_profile_node_of(const med_profile_item *v);

/* profile_slice.c */
void med_profile_check_group(med_profile_run *r, const med_profile_job *job);

/* profile_match.c: is the value one of that slice? */
bool med_profile_matches(med_profile_run *r, const med_profile_job *group,
                         const med_profile_node *slice, const med_profile_item *v);

/* profile_conform.c: would it keep the profile from that node on? Says nothing. */
bool med_profile_conforms(med_profile_run *r, const med_profile *profile,
                          const med_profile_node *node, const med_profile_item *v);

/* profile_reference.c */
void med_profile_check_reference(med_profile_run *r, const med_profile_node *n,
                                 const med_profile_item *v);
bool med_profile_resolve(med_profile_run *r, const med_profile_item *reference,
                         med_profile_item *out);

/* profile_elsewhere.c: what is not here, or not known, counts as kept. Else *fault says what is
 * wrong with it. */
bool med_profile_kept_elsewhere(med_profile_run *r, med_str reference, med_str profile,
                                med_str *fault);

/* profile_rules.c */
void med_profile_check_rules(med_profile_run *r, const med_profile_rule *rules, size_t n,
                             const med_profile_item *v, const med_profile_place *place);

#endif
