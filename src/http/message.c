/* message.c - headers of requests and responses. */
#include "http/message.h"

static const med_header *find(const med_request *r, const char *name)
{
    med_str wanted = med_str_from(name);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (med_str_eq_ignore_case(r->headers[i].name, wanted))
            return &r->headers[i];
    }
    return NULL;
}

med_str med_request_header(const med_request *r, const char *name)
{
    const med_header *h = find(r, name);
    return h == NULL ? MED_STR_EMPTY : h->value;
}

bool med_request_has_header(const med_request *r, const char *name)
{
    return find(r, name) != NULL;
}

/* CR, LF or NUL would begin a header of somebody else's. */
static bool is_safe(med_str value)
{
    return memchr(value.ptr, '\r', value.len) == NULL && memchr(value.ptr, '\n', value.len) == NULL
           && memchr(value.ptr, '\0', value.len) == NULL;
}

/* Framing said twice could be said differently. */
static bool is_ours(med_str name)
{
    static const med_str ours[] = {MED_LIT("Connection"), MED_LIT("Content-Length"),
                                   MED_LIT("Date"), MED_LIT("Transfer-Encoding")};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (med_str_eq_ignore_case(name, ours[i]))
            return true;
    }
    return false;
}

bool med_response_header(med_response *r, const char *name, med_str value)
{
    med_str as_slice = med_str_from(name);
    if (r->n_headers == MED_RESPONSE_HEADERS || !is_safe(value) || is_ours(as_slice))
        return false;
    r->headers[r->n_headers++] = (med_header){as_slice, value};
    return true;
}

bool med_response_set_header(med_response *r, const char *name, med_str value)
{
    med_str wanted = med_str_from(name);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (med_str_eq_ignore_case(r->headers[i].name, wanted)) {
            if (is_safe(value))
                r->headers[i].value = value;
            return is_safe(value);
        }
    }
    return med_response_header(r, name, value);
}
