/* structure_check.h - the state of one structure check. Private to validate/structure*.c. */
#ifndef MED_VALIDATE_STRUCTURE_CHECK_H
#define MED_VALIDATE_STRUCTURE_CHECK_H

#include "validate/structure.h"

/* One frame a JSON level; the parser allows MED_JSON_DEPTH of them. */
enum {
    MED_CHECK_STACK = MED_JSON_DEPTH + 1,
    MED_CHECK_NAME = 64, /* bytes of a name out of the resource that a message shows */
    MED_CHECK_TEXT = 512,
    MED_CHECK_SEEN = 2
};
_Static_assert(MED_CHECK_SEEN * 64 >= MED_TYPE_ELEMENTS_MAX, "each element of a type has a bit");

typedef struct med_check_frame {
    uint32_t node;
    uint32_t at, end; /* next key or element */
    med_type type;    /* of the object, or of the array's elements */
    med_type owner;   /* type and element where the object stands, for its reference targets */
    uint16_t owner_element;
    bool is_array;
    bool null_allowed; /* an array whose nulls stand for values that have no extensions */
    bool in_contained;
    uint32_t resource, root;       /* nodes: %resource and %rootResource */
    uint32_t entry;                /* the object that holds `root`; 0 none */
    uint64_t seen[MED_CHECK_SEEN]; /* elements that are there */
} med_check_frame;

/* What is left to the profiles: a resource, or an extension whose definition is one. */
typedef struct med_check_noted {
    uint32_t node, resource, root;
    uint32_t entry;                    /* object of a Bundle that holds `root`; 0 none */
    const struct med_profile *profile; /* NULL: what is asked of the resource */
} med_check_noted;

typedef struct med_check {
    med_arena *a;
    const med_pack *p;
    const med_json *j;
    uint32_t root;
    const med_structure_options *options;
    med_problems *list;
    med_type resource, reference, extension, concept, coding, quantity, bundle, attachment,
        response;
    struct med_bundle_index *index; /* of the Bundle that is checked; made when first needed */
    med_arena *scratch;             /* of one FHIRPath run; made when first needed */
    bool allow_conditional;
    bool out_of_memory;
    bool failed; /* the terminology did: *err says how */
    med_err *err;
    /* ---- profiles (profile.h) ---- */
    struct med_profile_set *profiles; /* NULL: none are asked for */
    struct med_profile_run *run;      /* while they are checked */
    med_check_noted *noted;
    size_t n_noted, room_noted;
    bool silent; /* nothing is told; `found` says that there was an error */
    bool found;
    bool in_expression; /* the scratch arena is in use */
    int depth;
    med_check_frame stack[MED_CHECK_STACK];
} med_check;

static inline bool med_check_was_seen(const med_check_frame *f, uint16_t element)
{
    return (f->seen[element / 64] >> (element % 64) & 1) != 0;
}

static inline void med_check_set_seen(med_check_frame *f, uint16_t element)
{
    f->seen[element / 64] |= (uint64_t)1 << (element % 64);
}

/* ---- structure_problem.c: saying what is wrong ---- */

/* At node `node`, or at its member `member` that is not there. */
__attribute__((format(printf, 5, 6), cold)) void med_check_problem(med_check *c, uint32_t node,
                                                                   const char *member,
                                                                   enum med_issue issue,
                                                                   const char *fmt, ...);
/* A name out of the resource: only what could be one is shown. */
med_str med_check_shown(med_str name);
const char *med_check_kind_name(enum med_json_kind kind);

/* The same for what is only advised; not said when nobody reads it. */
__attribute__((format(printf, 5, 6), cold)) void med_check_warning(med_check *c, uint32_t node,
                                                                   const char *member,
                                                                   enum med_issue issue,
                                                                   const char *fmt, ...);

/* ---- structure_value.c ---- */

/* A value of a primitive property of the type `owner`: kind, format, code. */
void med_check_primitive(med_check *c, med_type owner, const med_property *property, uint32_t node);

/* ---- structure_end.c ---- */

/* What is known when an object ends: required elements, ext-1, references. */
void med_check_end(med_check *c, const med_check_frame *f);

/* ---- with rules ---- */

/* structure_rules.c: the invariants of an object's type and of its elements. */
void med_check_rules(med_check *c, const med_check_frame *f);
/* structure_binding.c: a Coding, CodeableConcept or Quantity against its element's binding. */
void med_check_binding(med_check *c, const med_check_frame *f);

/* A binding of R4 or of a profile. Without codes of the pack (n = 0) the terminology is asked. */
typedef struct med_bound {
    med_str value_set; /* canonical, also "url|version" */
    med_codes codes;
    bool is_required; /* else extensible: its problems are warnings */
    bool any_system;  /* of a code element: the system is not looked at */
    bool is_quantity; /* told at the whole value: its code alone is not what is bound */
} med_bound;
/* The CodeableConcept, the Coding (or Quantity), the code at that node. */
void med_check_bound_concept(med_check *c, const med_bound *b, uint32_t node);
void med_check_bound_coding(med_check *c, const med_bound *b, uint32_t node);
void med_check_bound_code(med_check *c, const med_bound *b, uint32_t node, med_str code);
/* The same for a code that stands alone, when its codes are not a list: languages, media types. */
void med_check_code_grammar(med_check *c, med_type owner, uint16_t element, uint32_t node,
                            med_str code);
/* structure_extension.c: a known extension in its place, with what it may hold. */
void med_check_extension(med_check *c, const med_check_frame *f);
/* structure_answers.c: a QuestionnaireResponse against its Questionnaire. */
void med_check_answers(med_check *c, const med_check_frame *f);
/* structure_conformance.c: Questionnaires and the definitions of codes and types. */
void med_check_conformance(med_check *c, const med_check_frame *f);
/* What a definition should keep is an error for who asks for all, else a warning. */
typedef void med_check_say(med_check *, uint32_t, const char *, enum med_issue, const char *, ...);
med_check_say *med_check_voice(const med_check *c);
bool med_check_is_absolute(med_str url);
/* The `url` of a canonical resource. */
void med_check_url(med_check *c, uint32_t root);
/* structure_value_set.c, structure_definition.c */
void med_check_value_set(med_check *c, uint32_t root);
void med_check_definition(med_check *c, uint32_t root);
/* The list that a member of an object is, or 0. */
static inline uint32_t med_check_list(const med_json *j, uint32_t object, const char *key)
{
    uint32_t list = med_json_member(j, object, med_str_from(key));
    return list != 0 && med_json_kind_at(j, list) == MED_JSON_ARRAY ? list : 0;
}

/* The text of a member as it was written, escapes and all; empty when there is none. */
static inline med_str med_check_raw(const med_json *j, uint32_t object, const char *key)
{
    uint32_t node = med_json_member(j, object, med_str_from(key));
    return node == 0 ? MED_STR_EMPTY : med_json_raw(j, node);
}

/* structure_measure.c: a MeasureReport against its Measure. */
void med_check_measure_report(med_check *c, uint32_t root);
/* structure_ids.c: ids of the elements of a resource. */
void med_check_ids(med_check *c, const med_check_frame *f);
/* structure_narrative.c: where the links of a narrative lead to. `text` is the one at `node`. */
void med_check_narrative_links(med_check *c, uint32_t node, med_str text);
/* The languages of the sections of a narrative: <div lang="..."> directly inside of its <div>. At
 * most `room` of them; returns how many there are. */
size_t med_narrative_languages(med_str xhtml, med_str *out, size_t room);
/* structure_answer.c: one answer against what the question, out of `q`, says of it. */
void med_check_answer(med_check *c, const med_check_frame *f, const med_json *q, uint32_t question,
                      uint32_t answer, uint32_t value);
/* structure_attachment.c: size and hash of an Attachment that holds its data. */
void med_check_attachment(med_check *c, const med_check_frame *f);
/* structure_rules.c: does the expression hold? False when that can not be decided: *err. */
bool med_check_holds(med_check *c, uint32_t resource, uint32_t root, const med_fhirpath *program,
                     const med_value *focus, bool *holds, med_err *err);
/* profile_conform.c: conformsTo() of an expression; `arg` is the check. */
bool med_check_conforms_to(void *arg, const med_value *value, med_str profile, bool *out);
/* profile_check.c: what was noted. */
void med_check_profiles(med_check *c);
/* The profile of an extension that R4 does not define; NULL when nobody knows it. */
const struct med_profile *med_check_extension_profile(med_check *c, med_str url);
void med_check_note(med_check *c, const med_check_noted *noted);
/* structure_bundle.c: addresses of entries, and that a document or message is whole. */
void med_check_bundle(med_check *c, const med_check_frame *f);
/* The resource in the Bundle that a `urn:` means; 0 none, or more than one. */
uint32_t med_check_in_bundle(med_check *c, med_str urn);

#endif
