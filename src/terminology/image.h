/* image.h - a compiled code system: flat tables that are used in place, from the program, from a
 * mapped file or from the heap.
 * https://hl7.org/fhir/R4/codesystem.html
 *
 * Concepts are numbered in the order of definition. Hierarchy: every concept has a number in the
 * preorder of a spanning tree, and a few intervals of such numbers that are all its descendants
 * and itself. So "is a below b" is a binary search among few intervals, also with many parents.
 * Text: for each language the folded words of displays and designations, sorted, with the
 * concepts in which they occur.
 *
 * An image is immutable and may be read by any number of threads. med_image_open looks at the
 * tables' places and ends; single offsets are checked when they are used, so that opening a
 * file of hundreds of megabytes touches a few pages. */
#ifndef MED_TERMINOLOGY_IMAGE_H
#define MED_TERMINOLOGY_IMAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

typedef struct med_image med_image;
typedef uint32_t med_concept;
#define MED_CONCEPT_NONE UINT32_MAX
/* What is written; images of format 1 are read, too. */
enum { MED_IMAGE_FORMAT = 2 };

enum med_content {
    MED_CONTENT_COMPLETE,
    MED_CONTENT_FRAGMENT,
    MED_CONTENT_EXAMPLE,
    MED_CONTENT_NOT_PRESENT,
    MED_CONTENT_SUPPLEMENT,
};

enum med_concept_flags {
    MED_CONCEPT_INACTIVE = 1,
    MED_CONCEPT_ABSTRACT = 2,   /* notSelectable */
    MED_CONCEPT_DEPRECATED = 4, /* still active, to be avoided */
};

enum med_property_type {
    MED_PROPERTY_CODE,
    MED_PROPERTY_STRING,
    MED_PROPERTY_CODING, /* the value is its JSON */
    MED_PROPERTY_INTEGER,
    MED_PROPERTY_BOOLEAN,
    MED_PROPERTY_DATETIME,
    MED_PROPERTY_DECIMAL,
};
enum { MED_PROPERTY_TYPES = 7 };

typedef struct med_designation {
    med_str language, use_system, use_code, use_display, value;
    med_str extensions; /* a JSON array, or "" */
} med_designation;

typedef struct med_concept_property {
    med_str code, uri, value;
    enum med_property_type type;
} med_concept_property;

/* Bytes aligned to 8 that stay valid. */
bool med_image_open(med_str bytes, const med_image **out, med_err *err) MED_MUST_CHECK;

med_str med_image_url(const med_image *m);
med_str med_image_version(const med_image *m);
med_str med_image_language(const med_image *m);
med_str med_image_supplements(const med_image *m); /* canonical, of a supplement */
med_str med_image_meta(const med_image *m);        /* the CodeSystem's JSON without concepts */
enum med_content med_image_content(const med_image *m);
bool med_image_case_sensitive(const med_image *m);
uint32_t med_image_count(const med_image *m);
bool med_image_has_hierarchy(const med_image *m);
size_t med_image_size(const med_image *m); /* bytes */

/* The hash of a code, without regard to the case of ASCII letters. */
uint32_t med_image_hash(med_str code);
/* MED_CONCEPT_NONE when there is no such code. */
med_concept med_image_find(const med_image *m, med_str code);
med_str med_concept_code(const med_image *m, med_concept c);
med_str med_concept_display(const med_image *m, med_concept c);
med_str med_concept_definition(const med_image *m, med_concept c);
unsigned med_concept_flags(const med_image *m, med_concept c);
/* False behind the last. */
bool med_concept_designation(const med_image *m, med_concept c, size_t index, med_designation *out);
bool med_concept_property_at(const med_image *m, med_concept c, size_t index,
                             med_concept_property *out);
/* How a concept wants to be shown is kept as a property whose code is the extension's url, and is
 * answered as that extension. */
static inline bool med_property_is_extension(const med_concept_property *p)
{
    return med_str_starts(p->code, MED_STR("http://hl7.org/fhir/StructureDefinition/"));
}
/* Properties that the system defines. */
bool med_image_property_def(const med_image *m, size_t index, med_concept_property *out);

const med_concept *med_concept_parents(const med_image *m, med_concept c, size_t *n);
const med_concept *med_concept_children(const med_image *m, med_concept c, size_t *n);
/* Is `below` the same as `above` or below it? */
bool med_concept_is_a(const med_image *m, med_concept below, med_concept above);

/* Does each word of `folded` begin a word of `in`? Both are folded. */
bool med_words_begin(med_str folded, med_str in);

/* ---- sets of concepts, one bit each ---- */
static inline size_t med_image_words(const med_image *m)
{
    return ((size_t)med_image_count(m) + 63) / 64;
}
static inline bool med_bit(const uint64_t *bits, med_concept c)
{
    return (bits[c / 64] >> (c % 64) & 1) != 0;
}
static inline void med_bit_set(uint64_t *bits, med_concept c)
{
    bits[c / 64] |= (uint64_t)1 << (c % 64);
}
/* Adds a concept and all below it. */
void med_image_add_below(const med_image *m, med_concept c, uint64_t *bits);
/* Adds a concept and all above it. False without memory. */
bool med_image_add_above(const med_image *m, med_arena *a, med_concept c, uint64_t *bits);
/* Concepts of which each word of the text begins a word, in that language (empty: the system's
 * own) or in the system's own. Without an index it reads all displays. */
bool med_image_search(const med_image *m, med_arena *a, med_str text, med_str language,
                      uint64_t *bits, med_err *err) MED_MUST_CHECK;

#endif
