/* body.h - packing texts with zstd and the dictionary of their type. Private to store/.
 *
 * Level 3: level 6 takes three times as long for 7 per cent. Frames carry their content's size,
 * but neither a checksum (rows have a keyed one) nor the dictionary's id (a column).
 * Packing contexts are pooled, so any thread may pack; an unpacker belongs to one view. */
#ifndef MED_STORE_BODY_H
#define MED_STORE_BODY_H

#include <pthread.h>
#include <stdatomic.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/dictionary.h"

enum { MED_BODY_LIMIT = 256 << 20 }; /* of an unpacked text; larger is damage */
enum { MED_TYPES_MAX = 1024 };       /* types with a higher number go without a dictionary */

struct dictionary {
    med_dictionary of;
    _Atomic(ZSTD_CDict *) pack; /* made at first use */
    _Atomic(ZSTD_DDict *) unpack;
};

struct packer {
    struct dictionary *dictionaries;
    size_t n_dictionaries;
    _Atomic(struct dictionary *) by_type[MED_TYPES_MAX];
    pthread_mutex_t lock; /* of the idle contexts, and of making a dictionary */
    struct idle_context {
        ZSTD_CCtx *context;
        char *to; /* where it packs to; the result is copied to its size */
        size_t room;
        struct idle_context *next;
    } * idle;
};

bool med_packer_init(struct packer *p, const med_dictionary *dictionaries, size_t n, med_err *err);
void med_packer_free(struct packer *p);
/* Tells the number of a type, so that its dictionary is found. */
void med_packer_name_type(struct packer *p, med_str type, uint32_t number);
bool med_packer_pack(struct packer *p, med_arena *a, uint32_t type, med_str text, med_str *packed,
                     uint32_t *dictionary, med_err *err) MED_MUST_CHECK;

struct unpacker {
    ZSTD_DCtx *context;
};
struct unpacker *med_unpacker_new(void);
void med_unpacker_free(struct unpacker *u);
enum unpacked { UNPACK_DONE, UNPACK_DAMAGED, UNPACK_MEMORY };
/* The text, NUL-terminated, in the arena. DAMAGED when it is no frame, or the dictionary is
 * not there. */
enum unpacked med_packer_unpack(struct packer *p, struct unpacker *u, med_arena *a, med_str packed,
                                uint32_t dictionary, med_str *text);

#endif
