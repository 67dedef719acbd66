/* http_reference.c - the physical reference of the bench report: a constant 2 KB answer through
 * our http/ layer and nothing else. With "worker" the answer comes from another thread, as it
 * does for a commit.
 *
 *   http_reference [HOST:PORT] [LOOPS] [worker] */
#include <stdio.h>
#include <unistd.h>

#include "base/worker_pool.h"
#include "http/server.h"

static char body[2048];
static med_worker_pool *pool; /* NULL: answer on the loop */

static void answer(void *arg, unsigned worker)
{
    (void)worker;
    med_http_exchange *x = arg;
    x->response.status = 200;
    x->response.no_compress = true;
    x->response.body = (med_str){body, sizeof body};
    (void)med_response_header(&x->response, "Content-Type", MED_STR("application/fhir+json"));
    (void)med_response_header(&x->response, "ETag", MED_STR("W/\"1\""));
    (void)med_response_header(&x->response, "Last-Modified",
                              MED_STR("Sun, 22 Nov 2026 00:00:00 GMT"));
    med_http_respond(x);
}

static void handle(void *app, med_http_exchange *x)
{
    (void)app;
    if (pool == NULL || !med_worker_pool_submit(pool, answer, x))
        answer(x, 0);
}

int main(int argc, char **argv)
{
    memset(body, 'x', sizeof body);
    const med_log log = {.fd = 2, .level = MED_LOG_WARN, .clock = &med_clock_system};
    int64_t loops = 1;
    med_err err = {0};
    if (argc > 2 && !med_str_to_int64(med_str_from(argv[2]), &loops))
        return 2;
    med_http_config config = {
        .listen = argc > 1 ? med_str_from(argv[1]) : MED_STR("127.0.0.1:8090"),
        .loops = (unsigned)loops,
        .limits = med_http_default_limits,
        .certificate_file = MED_STR_EMPTY,
        .key_file = MED_STR_EMPTY,
        .clock = &med_clock_system,
        .random = &med_random_system,
        .log = &log,
    };
    if (argc > 3)
        pool = med_worker_pool_new(1, 4096, &err);
    if (med_http_start(&config, handle, NULL, &err) == NULL) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (;;)
        (void)pause();
}
