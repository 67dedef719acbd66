/* import.h - large code systems from the files in which they are published.
 *
 * Reads one release and makes an image of it. Nothing is shipped with the program: who imports
 * a system needs its licence (med_term_import_licence says which). A file that ends in the middle
 * of a row, or a row that is none, is an error that names file and line. */
#ifndef MED_TERMINOLOGY_IMPORT_H
#define MED_TERMINOLOGY_IMPORT_H

#include "base/buf.h"
#include "terminology/image_builder.h"

/* The properties of a SNOMED CT concept that are targets of a map have this and the id of the map's
 * reference set as their uri. https://hl7.org/fhir/R4/snomedct.html#implicit-cm */
#define MED_SNOMED_MAP MED_STR("http://snomed.info/sct?fhir_cm=")

enum med_import_format {
    MED_IMPORT_SNOMED, /* RF2 snapshot: the folder of a release */
    MED_IMPORT_LOINC,  /* Loinc.csv (LoincTable/) */
    MED_IMPORT_CLAML,  /* ClaML (ICD-10 and its national editions) */
    MED_IMPORT_ICD10,  /* CSV with code and display; parents by the code */
    MED_IMPORT_ATC,    /* CSV with code and display; parents by the code */
    MED_IMPORT_CSV,    /* columns code, display, definition, parent, status, display@LANG, others */
    MED_IMPORT_JSON,   /* a CodeSystem resource */
};
enum { MED_IMPORT_FORMATS = 7 };

/* Called now and then; false stops the import. */
typedef bool (*med_import_progress)(void *arg, double fraction, uint64_t done);

typedef struct med_import {
    enum med_import_format format;
    const char *path;
    med_str system, version, language; /* empty: what the format says */
    med_import_progress progress;      /* or NULL */
    void *progress_arg;
} med_import;

/* False when it is none of them; then *nearest is the name nearest to it, or "". */
bool med_import_format_named(med_str name, enum med_import_format *out, med_str *nearest);
/* Guesses by name and shape of the path; false when it can not. */
bool med_import_format_of(const char *path, enum med_import_format *out);
const char *med_import_licence(enum med_import_format format);

/* Appends the image to `out` (empty, with a limit of its own). `a` is for small things. */
bool med_term_import(med_arena *a, const med_import *o, med_buf *out, med_err *err) MED_MUST_CHECK;

#endif
