/* terminology.h - what codes mean: code systems, value sets, and questions about them.
 * https://hl7.org/fhir/R4/terminology-service.html
 *
 * A `med_terminology` is the library of all that is known: what is built in (the definitions, the
 * HL7 terminology, UCUM, BCP-47, ISO 3166 and 4217, media types), and the large systems imported
 * into the data directory. It is made once and shared by all threads. Resources that users have
 * stored take part through a `med_terminology_source`, which belongs to the thread that asks; what
 * was compiled of them is kept in a bounded cache and compiled anew when they change.
 *
 * Answers live in the arena of the question (or in the library, which a compiled object asked
 * for in an arena holds until the arena ends). Functions return false only for faults: no
 * memory, a store that fails, a resource that can not be compiled, a limit reached
 * (MED_ISSUE_TOO_COSTLY). That something is unknown is an answer, never a fault, and never
 * "valid". */
#ifndef MED_TERMINOLOGY_TERMINOLOGY_H
#define MED_TERMINOLOGY_TERMINOLOGY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef struct med_terminology med_terminology;

enum med_term_kind { MED_TERM_CODE_SYSTEM, MED_TERM_VALUE_SET, MED_TERM_CONCEPT_MAP };
enum { MED_TERM_KINDS = 3 };

/* A stored resource. `key` names the version ("CodeSystem/1/_history/3"): the same key, the
 * same text. All empty: there is none. */
typedef struct med_term_resource {
    med_str key, json;
} med_term_resource;

/* Where user-stored resources come from. Used by one thread at a time. */
typedef struct med_terminology_source {
    void *self;
    /* Grows when a stored CodeSystem, ValueSet or ConceptMap changes. Cheap. */
    uint64_t (*generation)(void *self);
    /* The resource with that url; without a version the latest. */
    bool (*find)(void *self, med_arena *a, enum med_term_kind kind, med_str url, med_str version,
                 med_term_resource *out, med_err *err);
    /* The `index`th supplement of a code system; *out empty behind the last. May be NULL. */
    bool (*supplement)(void *self, med_arena *a, med_str system, size_t index,
                       med_term_resource *out, med_err *err);
} med_terminology_source;

/* Who asks: the library, and the stored resources as this thread sees them (NULL: none). */
typedef struct med_term_scope {
    med_terminology *terms;
    const med_terminology_source *source;
} med_term_scope;

/* Opens what is built in and, if `folder` is not NULL, the imported systems below it ("DATA/
 * terminology"; need not exist). Damaged files are an error that names them. */
bool med_terminology_open(const char *folder, med_terminology **out, med_err *err) MED_MUST_CHECK;
void med_terminology_free(med_terminology *t); /* NULL is fine */

/* ---- is this code one of them? (the validator's question) ---- */
enum med_code_verdict {
    MED_CODE_VALID,
    MED_CODE_NOT_IN,            /* the code exists (or its system is not looked into), but it is
                                   not in the value set */
    MED_CODE_UNKNOWN_CODE,      /* its system is known and has no such code */
    MED_CODE_UNKNOWN_VALUE_SET, /* `missing` is the value set (or one that it includes) */
    MED_CODE_UNKNOWN_SYSTEM,    /* `missing` is the system: it can not be decided */
};
enum { MED_CODE_NEAREST = 3 };

typedef struct med_code_question {
    med_str value_set; /* canonical, also "url|version"; empty: only whether the system has it */
    med_str system;    /* empty: of a `code` element: any system of the value set */
    med_str version;   /* of the system, or empty */
    med_str code;
    med_str display;  /* empty: not looked at */
    med_str language; /* of the display: BCP-47, or empty for any */
} med_code_question;

typedef struct med_code_answer {
    enum med_code_verdict verdict;
    med_str system;     /* of the code found */
    med_str version;    /* of that system */
    med_str display;    /* the preferred one */
    bool display_wrong; /* a display was given and is none of the code's */
    bool inactive, is_abstract;
    bool is_supplement;                /* the system is one, so nothing can be a code of it */
    med_str missing;                   /* what is not known: canonical */
    med_str nearest[MED_CODE_NEAREST]; /* codes of the value set (system) near to the one given */
    size_t n_nearest;
} med_code_answer;

bool med_term_validate(const med_term_scope *s, med_arena *a, const med_code_question *q,
                       med_code_answer *out, med_err *err) MED_MUST_CHECK;

/* "load it with ..." for a value set or system that is unknown: for the end of a message. */
med_str med_term_hint(enum med_term_kind kind, med_str canonical);

/* ---- sets of codes (the questions of search) ---- */
typedef struct med_code_set {
    const struct med_code_key {
        med_str system, code;
    } * at;
    size_t n;
    bool unknown;    /* the value set, system or code is not known: `missing` */
    med_str missing; /* canonical, or the code */
} med_code_set;

/* All codes of a value set (:in, :not-in). More than `limit` codes: MED_ISSUE_TOO_COSTLY. */
bool med_term_members(const med_term_scope *s, med_arena *a, med_str value_set, size_t limit,
                      med_code_set *out, med_err *err) MED_MUST_CHECK;
/* The code and all below it (:below), or above it (:above), by the system's hierarchy. */
bool med_term_below(const med_term_scope *s, med_arena *a, med_str system, med_str code,
                    size_t limit, med_code_set *out, med_err *err) MED_MUST_CHECK;
bool med_term_above(const med_term_scope *s, med_arena *a, med_str system, med_str code,
                    size_t limit, med_code_set *out, med_err *err) MED_MUST_CHECK;

enum med_subsumption {
    MED_SUBSUMES_EQUIVALENT,
    MED_SUBSUMES,
    MED_SUBSUMED_BY,
    MED_NOT_SUBSUMED,
    MED_SUBSUMES_UNKNOWN_SYSTEM,
    MED_SUBSUMES_UNKNOWN_A,
    MED_SUBSUMES_UNKNOWN_B,
};
/* How code_a stands to code_b. `system` may carry a version. */
bool med_term_subsumes(const med_term_scope *s, med_arena *a, med_str system, med_str code_a,
                       med_str code_b, enum med_subsumption *out, med_err *err) MED_MUST_CHECK;

#endif
