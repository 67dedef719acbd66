/* reply.h - takes an HTTP/1.1 answer out of the bytes received so far.
 * https://www.rfc-editor.org/rfc/rfc9112
 *
 * The other end is a server that the user named, so this is bounded but not as strict as our own
 * http/. Slices point into the buffer and live until it changes. */
#ifndef MED_BENCH_REPLY_H
#define MED_BENCH_REPLY_H

#include "base/buf.h"

enum med_reply_state { MED_REPLY_MORE, MED_REPLY_DONE, MED_REPLY_BAD };

typedef struct med_reply {
    int status;
    med_str head; /* status line and headers */
    med_str body; /* chunks put together */
    size_t bytes; /* of the whole answer; what follows in the buffer belongs to the next one */
    bool close;   /* the server closes behind it */
} med_reply;

/* Where the reading of one answer stands; all zero before its first byte. */
typedef struct med_reply_reader {
    size_t head;     /* bytes of the head, 0 while it is not there */
    size_t from, to; /* chunked: next byte to look at, end of the body put together */
    size_t length;   /* of the body, when the head tells it */
    bool chunked, until_end, close;
    int status;
} med_reply_reader;

/* Call again with more bytes while it says MORE; `end` tells that no more will come. */
enum med_reply_state med_reply_read(med_reply_reader *r, med_buf *in, bool end, med_reply *out);
/* First value of a header, or the empty slice. */
med_str med_reply_header(med_str head, const char *name);

#endif
