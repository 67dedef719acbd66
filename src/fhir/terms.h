/* terms.h - what the terminology operations share: their parameters, the resources in the store,
 * and the pieces of their answers.
 * https://hl7.org/fhir/R4/terminology-service.html */
#ifndef MED_FHIR_TERMS_H
#define MED_FHIR_TERMS_H

#include "fhir/call.h"
#include "fhir/term_issues.h"
#include "terminology/ask.h"

enum {
    MED_CLOSURE_CODES = 5000, /* of one closure table */
    MED_TERM_BATCH = 1000,    /* validations of one $batch-validate-code */
    MED_FIND_MATCHES = 100,   /* concepts that $find-matches answers */
};

/* ---- parameters: of the URL, or of a Parameters resource ---- */
typedef struct med_term_param {
    med_str name;
    med_str value; /* of a primitive, escapes undone; else empty */
    uint32_t node; /* of value[x], resource or part in request.json; 0: from the URL */
} med_term_param;

typedef struct med_term_call {
    med_call *call;
    const med_json *json; /* of the Parameters, or NULL */
    const med_term_param *params;
    size_t n_params;
    med_str language; /* displayLanguage, or Accept-Language */
    med_term_scope scope;
    med_terminology_source source;
    med_term_context x;
    bool refused; /* the response says why; nothing more is to be done */
} med_term_call;

/* Reads the parameters and prepares the context. `known` is a list of names, ended by NULL;
 * another one is an error (400) that names the nearest. */
bool med_term_call_begin(med_call *call, const char *const *known, med_term_call *out,
                         med_err *err) MED_MUST_CHECK;
const med_term_param *med_term_param_at(const med_term_call *t, const char *name, size_t index);
/* The value of the first of that name, or "". */
med_str med_term_param_text(const med_term_call *t, const char *name);
bool med_term_param_is(const med_term_call *t, const char *name, bool otherwise);
/* The value set of the operation: `url`, `valueSet`, or the instance. *out is NULL when it is
 * not known; *canonical says which was meant. */
bool med_term_call_set(med_term_call *t, const med_value_set **out, med_str *canonical,
                       med_err *err) MED_MUST_CHECK;
/* Nobody asked for a language: that of the value set. */
bool med_term_use_own_language(med_term_call *t, const med_value_set *vs) MED_MUST_CHECK;
/* The system of an instance-level operation, else "". */
bool med_term_call_resource(med_term_call *t, const med_json **j, uint32_t *node,
                            med_err *err) MED_MUST_CHECK;

/* The parameters of $expand, ended by NULL (term_expand.c). */
extern const char *const med_term_expand_parameters[];

/* ---- answers ---- */
/* Answers with an OperationOutcome of the ecosystem's form: the call is then done. */
bool med_term_refuse(med_term_call *t, int status, const med_term_issues *issues, med_err *err);
bool med_term_refuse_one(med_term_call *t, int status, const char *code, const char *tx_code,
                         const char *id, med_str at, med_str text, med_err *err);
void med_term_write_begin(med_buf *b, med_json_writer *w); /* {"resourceType":"Parameters",... [ */
bool med_term_write_end(med_call *call, med_buf *b, med_json_writer *w, med_err *err);
/* {"name":name,"valueX":...} */
void med_term_write_text(med_json_writer *w, const char *name, const char *type, med_str value);
void med_term_write_bool(med_json_writer *w, const char *name, bool value);
void med_term_write_coding(med_json_writer *w, med_str system, med_str version, med_str code,
                           med_str display);
/* "valueCode": the value of a property, of its type. (term_properties.c) */
void med_term_write_value(med_json_writer *w, const med_concept_property *p);
/* The display in the language wanted; the preferred one where there is none. *has says whether
 * there was one, *language_of (may be NULL) which language it is in, if known. */
med_str med_term_display_in(const med_code_hit *h, med_str language, bool *has,
                            med_str *language_of);
/* A display that was given for a code, and what messages call the two. (term_display.c) */
typedef struct med_term_named {
    med_str display, code, name; /* name: system#code */
    med_str at;                  /* where the display stands */
} med_term_named;
/* Adds an issue when it is none of the code's; *failed becomes true when that is an error. */
void med_term_check_display(const med_term_call *t, const med_code_hit *hit,
                            const med_term_named *c, med_term_issues *issues, bool *failed);
/* "de,*;q=0": does the list say that no other language will do? */
bool med_term_language_only(med_str languages);
/* Does a language range list ("de,*;q=0.5") want this language? */
bool med_term_language_fits(med_str have, med_str wanted);

#endif
