/* summary.h - the parts of Patient/$summary. https://hl7.org/fhir/uv/ips/
 *
 * summary.c reads the question and puts the document together; summary_section.c finds what
 * belongs in a section; summary_narrative.c writes the text that a person reads. Private. */
#ifndef MED_FHIR_SUMMARY_H
#define MED_FHIR_SUMMARY_H

#include "fhir/document.h"

/* One kind of resource that a section takes, and which of them. */
typedef struct med_summary_source {
    const char *type, *category;  /* category: of Observations, or NULL */
    const char *path, *values;    /* member (path) and the codes that it may have, "a b"; a
                                     missing member passes */
    const char *path2, *excluded; /* member and the codes that it may not have */
    bool newest;                  /* sorted by date, newest first; else as stored */
} med_summary_source;

enum {
    MED_SUMMARY_SOURCES = 3,
    MED_SUMMARY_SECTION_ENTRIES = 200, /* of a kind, in a section that is always there */
    MED_SUMMARY_OTHER_ENTRIES = 100,   /* in another one: together they fit into a document */
    MED_SUMMARY_NEWEST = 50,
    MED_SUMMARY_LOOKED_AT = 5000, /* resources of a kind, to find those that belong */
};

typedef struct med_summary_section {
    const char *code, *display, *title; /* code of LOINC */
    bool required;                      /* there, even when it has nothing to say */
    const char *lists;                  /* LOINC codes ("a,b") of Lists that may say "none known" */
    const char *nothing;                /* the sentence for "none known" */
    med_summary_source sources[MED_SUMMARY_SOURCES];
} med_summary_section;

extern const med_summary_section med_summary_sections[];
extern const size_t med_summary_section_count;

/* What was found for a section. */
typedef struct med_summary_found {
    const med_document_entry *at[MED_SUMMARY_SOURCES * MED_SUMMARY_SECTION_ENTRIES];
    size_t n;
    bool cut;        /* there are more than these */
    bool none_known; /* somebody has recorded that there is nothing */
} med_summary_found;

/* Adds to the document what the section shows of that patient. */
bool med_summary_find(med_document *d, const med_summary_section *s, med_str patient,
                      med_summary_found *out, med_err *err) MED_MUST_CHECK;

/* <div>...</div>: a table of the entries, or why there are none. All of it escaped. */
void med_summary_narrative(med_buf *out, const med_document *d, const med_summary_section *s,
                           const med_summary_found *found);
/* The same for the patient: name, birth date, what the summary is. `asked` is the id that was
 * asked for when it is another's than the patient's. */
void med_summary_head(med_buf *out, const med_document *d, const med_document_entry *patient,
                      med_str asked);

#endif
