/* chunked.h - the chunked transfer coding, decoded as it comes in.
 * https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 *
 * A pure state machine over bytes. Extensions and trailers are checked for shape, counted
 * against small ceilings and dropped; a bare LF, a bare CR or any laxness in a size is an
 * error, since that is where a proxy and a server come apart. */
#ifndef MED_HTTP_CHUNKED_H
#define MED_HTTP_CHUNKED_H

#include "base/str.h"

enum {
    MED_CHUNK_SIZE_DIGITS = 15,
    MED_CHUNK_EXTENSION_BYTES = 4096, /* of all chunks of a body together */
    MED_CHUNK_TRAILER_BYTES = 4096,
};

enum med_chunk_state {
    MED_CHUNK_SIZE, /* the start: at least one hex digit */
    MED_CHUNK_EXTENSION,
    MED_CHUNK_SIZE_LF,
    MED_CHUNK_DATA,
    MED_CHUNK_DATA_CR,
    MED_CHUNK_DATA_LF,
    MED_CHUNK_TRAILER,      /* first byte of a trailer line */
    MED_CHUNK_TRAILER_NAME, /* inside it, before the colon */
    MED_CHUNK_TRAILER_VALUE,
    MED_CHUNK_TRAILER_LF,
    MED_CHUNK_LAST_LF,
    MED_CHUNK_END,
    MED_CHUNK_BAD,
};

/* Zeroed at the start of a body. */
typedef struct med_chunked {
    enum med_chunk_state state;
    unsigned digits;
    uint64_t left;     /* of the current chunk */
    size_t extensions; /* bytes of extensions so far */
    size_t trailers;
} med_chunked;

/* Reads from `in` until a run of data is found (*data, a slice of `in`, else empty), the input
 * is used up, or the state is MED_CHUNK_END or MED_CHUNK_BAD. Gives the bytes used. */
size_t med_chunked_feed(med_chunked *c, med_str in, med_str *data);

#endif
