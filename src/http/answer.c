/* answer.c - the head of a response, and what is sent behind it. */
#include <stdio.h>

#include "http/http_impl.h"

typedef struct status_text {
    int status;
    const char *text;
} status_text;

static const status_text texts[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *med_http_status_text(int status)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].status == status)
            return texts[i].text;
    }
    return "Unknown";
}

enum { FIXED_BYTES = 512 }; /* status line and all headers of ours but X-Request-Id */

static void put(char **to, const char *from, size_t n)
{
    memcpy(*to, from, n);
    *to += n;
}

#define PUT(to, literal) put((to), "" literal, sizeof(literal) - 1)

static void put_number(char **to, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put(to, digits + at, sizeof digits - at);
}

static bool has(const med_response *r, med_str name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (med_str_eq_ignore_case(r->headers[i].name, name))
            return true;
    }
    return false;
}

static void put_status_line(char **to, int status)
{
    PUT(to, "HTTP/1.1 ");
    put_number(to, (uint64_t)status);
    PUT(to, " ");
    const char *text = med_http_status_text(status);
    put(to, text, strlen(text));
    PUT(to, "\r\nDate: ");
}

static size_t room_for(const med_response *r)
{
    size_t n = FIXED_BYTES + 64;
    for (size_t i = 0; i < r->n_headers; i++)
        n += r->headers[i].name.len + r->headers[i].value.len + 4;
    return n;
}

static void put_head(char **to, med_conn *c, const med_response *r, bool has_length)
{
    const med_exchange *x = c->exchange;
    put_status_line(to, r->status);
    med_str date = med_loop_date(c->loop);
    put(to, date.ptr, date.len);
    for (size_t i = 0; i < r->n_headers; i++) {
        PUT(to, "\r\n");
        put(to, r->headers[i].name.ptr, r->headers[i].name.len);
        PUT(to, ": ");
        put(to, r->headers[i].value.ptr, r->headers[i].value.len);
    }
    if (has_length) {
        PUT(to, "\r\nContent-Length: ");
        put_number(to, r->body.len);
    }
    if (!has(r, MED_STR("Cache-Control")))
        PUT(to, "\r\nCache-Control: no-store");
    if (!has(r, MED_STR("X-Content-Type-Options")))
        PUT(to, "\r\nX-Content-Type-Options: nosniff");
    if (x->request.id.len > 0 && !has(r, MED_STR("X-Request-Id"))) {
        PUT(to, "\r\nX-Request-Id: ");
        put(to, x->request.id.ptr, x->request.id.len);
    }
    if (c->close_after)
        PUT(to, "\r\nConnection: close");
    PUT(to, "\r\n\r\n");
}

/* A handler that set no status forgot something: that is our fault, not the client's. */
static void mend(med_conn *c, med_response *r)
{
    if (r->status >= 200 && r->status <= 599)
        return;
    MED_LOG(c->loop->server->config.log, MED_LOG_ERROR, "a handler answered without a status",
            MED_LOG_INT("status", r->status));
    *r = (med_response){.status = 500, .body = MED_STR_EMPTY, .close = true};
    c->close_after = true;
}

bool med_answer_prepare(med_conn *c)
{
    med_exchange *x = c->exchange;
    med_response *r = &x->seen.response;
    mend(c, r);
    bool bodyless = r->status == 204 || r->status == 304;
    med_str body = bodyless || x->request.method == MED_HEAD ? MED_STR_EMPTY : r->body;
    med_arena *a = x->seen.arena;
    size_t room = room_for(r);
    /* through TLS head and body are two records: small bodies are copied to make it one */
    size_t joined = c->tls != NULL ? (body.len < (14 << 10) ? body.len : 0) : 0;
    char *head = MED_TAKE(a, room + joined, char);
    if (head == NULL) { /* a request that filled its arena must still be told so */
        x->spare = med_loop_take_arena(c->loop);
        head = x->spare == NULL ? NULL : MED_TAKE(x->spare, room + joined, char);
    }
    if (head == NULL)
        return false;
    char *to = head;
    put_head(&to, c, r, !bodyless);
    put(&to, body.ptr, joined);
    c->out[0] = (struct iovec){head, (size_t)(to - head)};
    c->out[1] = (struct iovec){(void *)(uintptr_t)(body.ptr + joined), body.len - joined};
    return true;
}
