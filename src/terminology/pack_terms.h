/* pack_terms.h - the built-in terminology: images of code systems, texts of value sets and
 * concept maps, found by canonical. Made at build time by compile/ (medulla-termc).
 *
 * Immutable, embedded in the program; thread safe. */
#ifndef MED_TERMINOLOGY_PACK_TERMS_H
#define MED_TERMINOLOGY_PACK_TERMS_H

#include "terminology/terminology.h"

enum { MED_TERM_PACK_FORMAT = 1 };
#define MED_TERM_PACK_MAGIC "MEDTERM"

struct med_term_pack {
    char magic[8];
    uint32_t format, n; /* rows, sorted by url, then best first */
    uint64_t size;
};

struct med_term_row {
    uint64_t at, len;                            /* image or JSON */
    uint32_t url, url_len, version, version_len; /* offsets from the header */
    uint32_t kind;                               /* enum med_term_kind */
    uint32_t source; /* number of the package it came from: 0 is the FHIR core */
};

const struct med_term_pack *med_term_pack_core(void);
size_t med_term_pack_count(const struct med_term_pack *p);
const struct med_term_row *med_term_pack_row(const struct med_term_pack *p, size_t i);
med_str med_term_row_url(const struct med_term_pack *p, const struct med_term_row *r);
med_str med_term_row_version(const struct med_term_pack *p, const struct med_term_row *r);
med_str med_term_row_bytes(const struct med_term_pack *p, const struct med_term_row *r);
/* First row with that url, or the number of rows. */
size_t med_term_pack_find(const struct med_term_pack *p, med_str url);

#endif
