/* image.h - a package as one file that is mapped and used in place.
 *
 * Behind a header lie rows (one a resource, sorted by canonical, newest version first), their
 * strings, the manifest (JSON), a dictionary, and the resources, each compressed by itself with
 * a checksum of its own. Opening checks the header, the rows and every offset; a resource is
 * checked when it is read. The definitions of R4 are such an image inside the program. An open
 * image is read only and may be shared between threads; it lives as long as its bytes. */
#ifndef MED_PACKAGE_IMAGE_H
#define MED_PACKAGE_IMAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { MED_PACKAGE_FORMAT = 1, MED_PACKAGE_ROWS_MAX = 200000 };

typedef struct med_package_image med_package_image;

enum med_package_flag {
    MED_PACKAGE_GENERATED = 1, /* its snapshot was made here, not shipped */
};

typedef struct med_package_entry {
    med_str type; /* "StructureDefinition" */
    med_str url;  /* canonical, or empty */
    med_str version, id;
    uint32_t flags; /* enum med_package_flag */
} med_package_entry;

/* `bytes` aligned to 8. A file that is damaged, cut short or of another format:
 * MED_ISSUE_EXCEPTION. */
bool med_package_image_open(med_str bytes, const med_package_image **out,
                            med_err *err) MED_MUST_CHECK;
med_str med_package_image_manifest(const med_package_image *p);
size_t med_package_image_size(const med_package_image *p);
size_t med_package_image_count(const med_package_image *p);
void med_package_image_entry(const med_package_image *p, size_t i, med_package_entry *out);
/* The first row with that canonical (others follow it), or the number of rows. */
size_t med_package_image_find(const med_package_image *p, med_str url);
/* The resource as JSON, in the arena. */
bool med_package_image_text(const med_package_image *p, med_arena *a, size_t i, med_str *out,
                            med_err *err) MED_MUST_CHECK;

/* ---- making one ---- */
typedef struct med_package_builder med_package_builder;
/* `dictionary` (may be empty) is copied. NULL without memory. */
med_package_builder *med_package_builder_new(med_str dictionary);
void med_package_builder_free(med_package_builder *b); /* NULL is fine */
bool med_package_builder_add(med_package_builder *b, const med_package_entry *entry, med_str json,
                             med_err *err) MED_MUST_CHECK;
/* Appends the whole image to `out`. */
bool med_package_builder_end(med_package_builder *b, med_str manifest, med_buf *out,
                             med_err *err) MED_MUST_CHECK;

/* "1.10.0" is newer than "1.9.3", "2.0.0-ballot" older than "2.0.0": < 0, 0, > 0. */
int med_package_version_compare(med_str a, med_str b);

#endif
