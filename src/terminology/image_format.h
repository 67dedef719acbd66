/* image_format.h - the bytes of an image. Private to image.c and image_builder.c. */
#ifndef MED_TERMINOLOGY_IMAGE_FORMAT_H
#define MED_TERMINOLOGY_IMAGE_FORMAT_H

#include "terminology/image.h"

enum image_section_id {
    IMAGE_STRINGS, /* length as LEB128, then the bytes; offset 0 is the empty string */
    IMAGE_CODES,   /* uint32: string */
    IMAGE_DISPLAYS,
    IMAGE_DEFINITIONS, /* may have no rows */
    IMAGE_FLAGS,       /* uint8 */
    IMAGE_SLOTS,       /* uint32: concept + 1, by the hash of the code */
    IMAGE_DESIGNATION_FIRST,
    IMAGE_DESIGNATIONS,
    IMAGE_PROPERTY_FIRST,
    IMAGE_PROPERTIES,
    IMAGE_PARENT_FIRST, /* hierarchy: no rows when there is none */
    IMAGE_PARENTS,
    IMAGE_CHILD_FIRST,
    IMAGE_CHILDREN,
    IMAGE_PRE,   /* concept -> its number in preorder */
    IMAGE_ORDER, /* and back */
    IMAGE_INTERVAL_FIRST,
    IMAGE_INTERVALS,
    IMAGE_LANGUAGES, /* uint32: string */
    IMAGE_USES,
    IMAGE_PROPERTY_DEFS,
    IMAGE_INDEXES,  /* one a language */
    IMAGE_WORDS,    /* sorted within each index */
    IMAGE_POSTINGS, /* concepts, ascending, differences as LEB128 */
    IMAGE_NOTES,    /* extensions of designations, by designation; since format 2 */
    IMAGE_SECTIONS
};
enum { IMAGE_SECTIONS_1 = IMAGE_NOTES }; /* so many has format 1 */

struct image_section {
    uint64_t at, n; /* offset from the header; rows */
};

struct image_designation {
    uint16_t language, use; /* 0xFFFF: no use */
    uint32_t value;
};

struct image_note {
    uint32_t designation, text; /* row in IMAGE_DESIGNATIONS; a JSON array */
};

struct image_property {
    uint16_t def, type;
    uint32_t value;
};

struct image_interval {
    uint32_t low, high; /* in preorder, both inclusive */
};

struct image_use {
    uint32_t system, code, display;
};

struct image_property_def {
    uint32_t code, uri, description, type;
};

struct image_index {
    uint32_t language; /* string */
    uint32_t first, n; /* in IMAGE_WORDS */
};

struct image_word {
    uint32_t text;
    uint32_t n;  /* concepts */
    uint64_t at; /* in IMAGE_POSTINGS */
};

struct med_image {
    char magic[8];
    uint32_t byte_order, format;
    uint64_t size;
    uint32_t count; /* concepts */
    uint32_t url, version, language, supplements, meta;
    uint32_t content, case_sensitive, slot_mask, reserved;
    struct image_section sections[IMAGE_SECTIONS];
};

enum { IMAGE_BYTE_ORDER = 0x01020304, IMAGE_NO_USE = 0xFFFF };
#define IMAGE_MAGIC "MEDCODE"

size_t med_image_row_size(enum image_section_id id);

#endif
