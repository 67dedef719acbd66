/* message.h - one HTTP request and its answer, free of any library's types.
 * https://www.rfc-editor.org/rfc/rfc9110
 *
 * Everything here lives in the exchange's arena. A request is immutable once the handler has
 * it. Header names compare without case. */
#ifndef MED_HTTP_MESSAGE_H
#define MED_HTTP_MESSAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/url.h"

enum med_method {
    MED_GET,
    MED_HEAD,
    MED_POST,
    MED_PUT,
    MED_PATCH,
    MED_DELETE,
    MED_OPTIONS,
};

const char *med_method_name(enum med_method method);

/* The reason phrase of RFC 9110, or "Unknown". */
const char *med_http_status_text(int status);

typedef struct med_header {
    med_str name, value;
} med_header;

typedef struct med_request {
    enum med_method method;
    med_str path;  /* percent-decoded once per segment by the router, raw here; starts with '/' */
    med_str query; /* raw, without '?'; empty if none */
    med_str host;  /* the Host header as checked */
    const med_header *headers;
    size_t n_headers;
    med_str peer;      /* address of the client ("127.0.0.1"), from a listed proxy if behind one */
    bool secure;       /* TLS here, or said so by a listed proxy */
    bool accepts_gzip; /* Accept-Encoding allows gzip with q > 0 */
    med_str id;        /* X-Request-Id if it is a sane token of <= 64 bytes, else one of ours */
    size_t body_bytes; /* as received, before decompression */
} med_request;

/* First value of a header, or the empty slice. */
med_str med_request_header(const med_request *r, const char *name);
/* True if the header occurs, even empty. */
bool med_request_has_header(const med_request *r, const char *name);

enum { MED_RESPONSE_HEADERS = 24 };

typedef struct med_response {
    int status; /* 0 until set */
    med_header headers[MED_RESPONSE_HEADERS];
    size_t n_headers;
    med_str body;     /* in the exchange's arena, or kept alive by it (med_arena_defer) */
    bool no_compress; /* body holds secrets or is compressed already */
    bool close;       /* close the connection behind this answer */
} med_response;

/* Adds a header; name and value must outlive the exchange. A value with CR, LF or NUL, a header
 * too many, or one that http/ itself writes (Connection, Content-Length, Date,
 * Transfer-Encoding) is refused (false). */
bool med_response_header(med_response *r, const char *name, med_str value);
/* Replaces or adds. */
bool med_response_set_header(med_response *r, const char *name, med_str value);

#endif
