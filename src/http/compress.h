/* compress.h - gzip for answers, when the client takes it and it is worth the time.
 * https://www.rfc-editor.org/rfc/rfc1952 */
#ifndef MED_HTTP_COMPRESS_H
#define MED_HTTP_COMPRESS_H

#include "http/message.h"

enum { MED_COMPRESS_FROM = 1400 }; /* below that it all fits into one packet anyway */

/* Compressors that wait for their next use (each is 256 KiB). Thread safe. */
typedef struct med_deflaters med_deflaters;
med_deflaters *med_deflaters_new(void);
void med_deflaters_free(med_deflaters *d);

/* Replaces r->body by its gzip form in `a` and adds the headers that say so, if the body is
 * text, long enough, not `no_compress`, and comes out shorter. Else leaves r as it is, but for
 * Vary. */
void med_response_compress(med_deflaters *d, med_arena *a, bool accepted, med_response *r);

#endif
