/* http_reference_evhttp.c - the same constant answer by libevent's own HTTP server, with the
 * same headers; one loop. docs/decisions/ says what the comparison decided.
 *
 *   http_reference_evhttp [PORT] */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "base/str.h"

static char body[2048];

static void answer(struct evhttp_request *request, void *arg)
{
    (void)arg;
    struct evkeyvalq *h = evhttp_request_get_output_headers(request);
    evhttp_add_header(h, "Content-Type", "application/fhir+json");
    evhttp_add_header(h, "ETag", "W/\"1\"");
    evhttp_add_header(h, "Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT");
    evhttp_add_header(h, "Cache-Control", "no-store");
    evhttp_add_header(h, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(h, "X-Request-Id", "0123456789abcdef");
    struct evbuffer *out = evhttp_request_get_output_buffer(request);
    evbuffer_add_reference(out, body, sizeof body, NULL, NULL);
    evhttp_send_reply(request, 200, "OK", NULL);
}

int main(int argc, char **argv)
{
    memset(body, 'x', sizeof body);
    int64_t port = 8091;
    if (argc > 1 && !med_str_to_int64(med_str_from(argv[1]), &port))
        return 2;
    struct event_base *base = event_base_new();
    struct evhttp *http = base == NULL ? NULL : evhttp_new(base);
    if (http == NULL)
        return 1;
    evhttp_set_gencb(http, answer, NULL);
    if (evhttp_bind_socket(http, "127.0.0.1", (unsigned short)port) != 0) {
        (void)fprintf(stderr, "can not listen on port %d\n", (int)port);
        return 1;
    }
    return event_base_dispatch(base) == 0 ? 0 : 1;
}
