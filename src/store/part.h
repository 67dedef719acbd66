/* part.h - long base64 values (a Binary's data, an attachment's), kept once beside the bodies that
 * hold them. Private to store/. docs/decisions/0019
 *
 * Where a text has a long string that is base64 as we would write it, the string is cut out, and
 * the bytes it stands for are kept under their SHA-256. Any other (with white space, say) stays
 * where it is, so that what is read is what was written, byte for byte. The body of such a version
 * is a list of what was cut out, then the packed rest:
 *
 *     'P', number of entries, entries, frame
 *     entry: place in the rest (4 bytes), length in bytes (4), SHA-256 (32); little-endian
 *
 * A frame never begins with 'P'. The version's check value is keyed and covers the list, the list
 * names the hashes, and the hash covers the bytes: so nothing is left that could change unseen. */
#ifndef MED_STORE_PART_H
#define MED_STORE_PART_H

#include "store/body.h"
#include "store/store.h"

enum {
    MED_PART_BYTES = 4096, /* a value is a part if it stands for so many bytes */
    MED_PART_CHARS = (MED_PART_BYTES + 2) / 3 * 4,
};

/* Sets `packed`, `dictionary` and `parts` of a write. Any thread. */
bool med_parts_pack(struct packer *p, med_arena *a, med_write *w, med_err *err) MED_MUST_CHECK;

/* The list in a body; n = 0 when it has none, and then `frame` is all of it. */
struct part_list {
    const unsigned char *entries;
    size_t n;
    med_str frame;
};
struct part_entry {
    size_t at, bytes;
    const uint8_t *hash;
};
/* False when it is damaged. */
bool med_part_list(med_str body, struct part_list *out) MED_MUST_CHECK;
struct part_entry med_part_entry(const struct part_list *list, size_t i);
/* Is this what the hash was made of? */
bool med_part_is(med_str bytes, const uint8_t hash[MED_PART_HASH]);
/* For verify: what is wrong with a part, in *why; NULL: nothing. False
 * without memory. */
bool med_part_judge(struct packer *p, struct unpacker *u, med_arena *a, med_str hash,
                    med_str packed, bool is_held, const char **why) MED_MUST_CHECK;
/* For verify: the hashes that the list names, each once and in order; NULL without memory. */
const uint8_t **med_part_hashes(med_arena *a, const struct part_list *list, size_t *n);

/* What a body is read with. */
struct part_source {
    struct packer *packer;
    struct unpacker *unpacker;
    bool apart; /* as in struct med_view */
    /* The packed bytes, good until the next call. */
    enum med_found (*find)(void *arg, const uint8_t hash[MED_PART_HASH], med_str *packed,
                           med_err *err);
    void *arg;
};
enum body_read { BODY_READ, BODY_DAMAGED, BODY_MEMORY, BODY_FAILED /* *err says why */ };
/* Sets text, apart and n_apart. */
enum body_read med_body_read(const struct part_source *s, med_arena *a, med_str body,
                             uint32_t dictionary, med_stored *out, med_err *err);

#endif
