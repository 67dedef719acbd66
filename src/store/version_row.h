/* version_row.h - a stored version as every back end keeps it: its id, its columns, its check
 * value. Private to store/. */
#ifndef MED_STORE_VERSION_ROW_H
#define MED_STORE_VERSION_ROW_H

#include "base/arena.h"
#include "store/keyring.h"
#include "store/store.h"

enum { MED_FEED_PURGED = 4 }; /* feed.change beside enum med_change */
enum { MED_ID_BYTES = 64, MED_CHECK_BYTES = 8 };

struct stored_row {
    med_rid rid;
    uint32_t type;
    const unsigned char *id; /* as stored; of the statement */
    size_t id_len;
    bool id_is_uuid;
    uint32_t version;
    int64_t t, updated;
    unsigned change;
    med_rid patient;
    uint32_t key, dictionary;
    struct row_hash {
        uint8_t text[MED_CHECK_BYTES];  /* half of med_write.hash: tells no-op updates */
        uint8_t check[MED_CHECK_BYTES]; /* of all other columns and the packed body */
    } hash;
    int body_column; /* of an SQLite statement */
};
/* Covers every column that is shown or trusted and the packed bytes, so that a flipped bit in
 * any is noticed; cheaper than hashing the text, which is four times as long. False when its key
 * is missing. */
bool med_row_check(const struct keyring *keys, const struct stored_row *row, med_str packed,
                   uint8_t out[MED_CHECK_BYTES]);
/* An id as it is kept: 16 bytes if it is a lower-case UUID, else the text. */
struct packed_id {
    unsigned char bytes[MED_ID_BYTES];
    size_t len;
    bool uuid;
};
bool med_id_pack(med_str id, struct packed_id *out);
/* The id of a row as text, in the arena. */
bool med_row_id(med_arena *a, const struct stored_row *row, med_str *out);

#endif
