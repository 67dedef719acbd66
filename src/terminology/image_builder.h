/* image_builder.h - makes an image (image.h) out of concepts in any order.
 *
 * Owned by one thread. Everything is copied. The first thing that fails (no memory, a code
 * twice, too many concepts) makes the builder fail; what follows does nothing, and
 * med_image_builder_finish says what it was. */
#ifndef MED_TERMINOLOGY_IMAGE_BUILDER_H
#define MED_TERMINOLOGY_IMAGE_BUILDER_H

#include "terminology/image.h"

typedef struct med_image_builder med_image_builder;

/* What a system says of itself. */
typedef struct med_image_head {
    med_str url, version, language, supplements;
    med_str meta; /* JSON of the CodeSystem without its concepts */
    enum med_content content;
    bool case_sensitive;
    bool index_words; /* always worth it from some thousand concepts on */
} med_image_head;

/* NULL only without memory. */
med_image_builder *med_image_builder_new(void);
void med_image_builder_free(med_image_builder *b); /* NULL is fine */

/* A new concept, or the existing one with exactly that code (*is_new says which; may be NULL).
 * MED_CONCEPT_NONE once the builder has failed. */
med_concept med_image_builder_concept(med_image_builder *b, med_str code, bool *is_new);
/* MED_CONCEPT_NONE when there is none. */
med_concept med_image_builder_find(const med_image_builder *b, med_str code);
med_str med_image_builder_code(const med_image_builder *b, med_concept c);
uint32_t med_image_builder_count(const med_image_builder *b);
void med_image_builder_display(med_image_builder *b, med_concept c, med_str display);
bool med_image_builder_has_display(const med_image_builder *b, med_concept c);
void med_image_builder_definition(med_image_builder *b, med_concept c, med_str definition);
void med_image_builder_flags(med_image_builder *b, med_concept c, unsigned add);
void med_image_builder_designation(med_image_builder *b, med_concept c, const med_designation *d);
/* The number of a property; it is defined at first use. */
uint16_t med_image_builder_property_def(med_image_builder *b, med_str code, med_str uri,
                                        med_str description, enum med_property_type type);
void med_image_builder_property(med_image_builder *b, med_concept c, uint16_t def,
                                enum med_property_type type, med_str value);
/* The order of calls for one child is the order of its parents; twice the same counts once. */
void med_image_builder_parent(med_image_builder *b, med_concept child, med_concept parent);
/* Where what is said from now on was read (a line): for med_image_builder_circle. */
void med_image_builder_mark(med_image_builder *b, uint32_t mark);

/* After med_image_builder_finish: concepts each of which is above the next, and the last above the
 * first; *n is 0 where the hierarchy has no such circle. At most so many of them are told. *mark
 * is the last mark of their parents. */
enum { MED_CIRCLE = 8 };
void med_image_builder_circle(const med_image_builder *b, med_concept at[MED_CIRCLE], size_t *n,
                              uint32_t *mark);

/* Appends the image to `out`, which must be empty (its bytes are aligned enough). */
bool med_image_builder_finish(med_image_builder *b, const med_image_head *head, med_buf *out,
                              med_err *err) MED_MUST_CHECK;

#endif
