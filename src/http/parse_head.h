/* parse_head.h - the head of a request: finding its end, then reading it.
 * https://www.rfc-editor.org/rfc/rfc9112
 *
 * Two pure steps. med_head_scan is fed the bytes received so far, as often as more arrive, and
 * looks at each byte once; its verdict does not depend on how they were cut. It knows only
 * lines and limits. med_head_parse then reads a whole head strictly: what two programs could
 * understand differently is refused (RFC 9112 sections 2.2, 3, 5, 6.3, 11.2), and the
 * connection ends, since nobody knows where the next request begins.
 *
 * Ceilings: those of med_http_limits; before the end of the head is seen no memory is taken. */
#ifndef MED_HTTP_PARSE_HEAD_H
#define MED_HTTP_PARSE_HEAD_H

#include "http/message.h"
#include "http/server.h"

/* Why something was refused: a status and a text for a developer that names no value. */
typedef struct med_http_fault {
    int status;
    const char *text;
} med_http_fault;

typedef struct med_head_scan {
    size_t at;    /* bytes looked at; when complete: length of the head with its empty line */
    size_t start; /* first byte of the request line (behind one empty line, if any) */
    size_t line;  /* first byte of the current line */
    size_t rest;  /* first byte behind the request line */
    size_t lines; /* whole lines seen, the request line included */
} med_head_scan;

enum med_head_progress { MED_HEAD_MORE, MED_HEAD_COMPLETE, MED_HEAD_REFUSED };

/* `bytes` are all bytes since the request began; *s starts zeroed. */
enum med_head_progress med_head_scan_on(med_head_scan *s, med_str bytes,
                                        const med_http_limits *limits, med_http_fault *fault);

typedef struct med_head {
    enum med_method method;
    unsigned minor; /* HTTP/1.minor: 0 or 1 */
    bool asterisk;  /* OPTIONS *; path is "/" then */
    bool keep_alive;
    bool chunked;
    bool expects_continue;
    bool accepts_gzip;
    uint64_t length; /* Content-Length, 0 without one */
    med_str path, query, host;
    med_header *headers;
    size_t n_headers;
} med_head;

/* Reads the head that med_head_scan_on found complete. Slices point into `bytes`, the array of
 * headers comes from `a`. */
bool med_head_parse(med_arena *a, med_str bytes, const med_head_scan *s, med_head *out,
                    med_http_fault *fault) MED_MUST_CHECK;

/* A character of a token (RFC 9110 section 5.6.2). */
bool med_is_token_char(char c);
/* The host of "name:port" or "[v6]:port", without the port and its colon. */
med_str med_host_without_port(med_str host);

#endif
