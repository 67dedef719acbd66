/* The server from inside: posts, wake-ups, answers from other threads, starting and ending.
 * What can be seen through a socket is tested in tests/http/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/worker_pool.h"
#include "http/http_impl.h"

static const med_log quiet = {.fd = 2, .level = MED_LOG_ERROR, .clock = &med_clock_system};

static med_http_config config_on(const char *listen)
{
    return (med_http_config){.listen = med_str_from(listen),
                             .loops = 2,
                             .limits = med_http_default_limits,
                             .certificate_file = MED_STR_EMPTY,
                             .key_file = MED_STR_EMPTY,
                             .clock = &med_clock_system,
                             .random = &med_random_system,
                             .log = &quiet};
}

static void answer_ok(void *app, med_http_exchange *x)
{
    (void)app;
    x->response.status = 200;
    x->response.body = MED_STR("ok");
    med_http_respond(x);
}

static med_http_server *start(const med_http_config *config, med_http_handler handler, void *app)
{
    med_err err = {0};
    med_http_server *s = med_http_start(config, handler, app, &err);
    if (s == NULL)
        fail_msg("%s", err.text);
    return s;
}

static int connect_to(const med_http_server *s)
{
    med_str port, address = med_http_address(s);
    (void)med_str_cut(address, ':', &port);
    int64_t number = 0;
    assert_true(med_str_to_int64(port, &number));
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything until the server closes. */
static size_t read_all(int fd, char *to, size_t room)
{
    size_t n = 0;
    ssize_t got = 0;
    while (n < room && (got = recv(fd, to + n, room - n, 0)) > 0)
        n += (size_t)got;
    (void)close(fd);
    return n;
}

/* ---- posts ---- */

typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool inside, open;
} gate;

static void gate_init(gate *g)
{
    *g = (gate){.inside = false};
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->moved, NULL);
}

static void wait_in_gate(void *arg)
{
    gate *g = arg;
    pthread_mutex_lock(&g->lock);
    g->inside = true;
    pthread_cond_broadcast(&g->moved);
    while (!g->open)
        pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void await_inside(gate *g)
{
    pthread_mutex_lock(&g->lock);
    while (!g->inside)
        pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void open_gate(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

static void add_one(void *arg)
{
    (*(unsigned *)arg)++;
}

/* While the loop is busy, a thousand posts write to its eventfd once: its value counts them. */
static void many_posts_wake_a_loop_once(void **state)
{
    (void)state;
    med_http_config config = config_on("127.0.0.1:0");
    med_http_server *s = start(&config, answer_ok, NULL);
    gate g;
    gate_init(&g);
    med_http_post(s, 1, wait_in_gate, &g);
    await_inside(&g);
    unsigned ran = 0;
    for (int i = 0; i < 1000; i++)
        med_http_post(s, 1, add_one, &ran);
    uint64_t wakes = 0, one = 1;
    assert_int_equal(read(s->loops[1].wake_fd, &wakes, sizeof wakes), sizeof wakes);
    assert_int_equal(wakes, 1);
    assert_int_equal(write(s->loops[1].wake_fd, &one, sizeof one), sizeof one);
    open_gate(&g);
    med_http_free(s);
    assert_int_equal(ran, 1000);
}

/* ---- answers from other threads ---- */

typedef struct answerer {
    med_worker_pool *pool;
    _Atomic unsigned given;
} answerer;

static void answer_in_pool(void *arg, unsigned worker)
{
    (void)worker;
    answer_ok(NULL, arg);
}

static void hand_on(void *app, med_http_exchange *x)
{
    answerer *a = app;
    a->given++;
    med_err err = {0};
    med_str body;
    if (!med_http_body(x, &body, &err) || !med_worker_pool_submit(a->pool, answer_in_pool, x))
        abort();
}

static void answers_come_from_other_threads(void **state)
{
    (void)state;
    enum { CONNECTIONS = 20, REQUESTS = 20 };
    med_err err = {0};
    answerer a = {.pool = med_worker_pool_new(3, 10000, &err)};
    assert_non_null(a.pool);
    med_http_config config = config_on("127.0.0.1:0");
    med_http_server *s = start(&config, hand_on, &a);
    int fds[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = connect_to(s);
        for (int k = 1; k < REQUESTS; k++)
            send_text(fds[i], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
        send_text(fds[i], "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        static char text[64 << 10];
        size_t n = read_all(fds[i], text, sizeof text);
        med_str rest = {text, n};
        unsigned answers = 0;
        for (size_t at = 0; (at = med_str_search(rest, MED_STR("HTTP/1.1 200 OK"), at)) < n; at++)
            answers++;
        assert_int_equal(answers, REQUESTS);
    }
    med_http_drain(s, 5);
    med_worker_pool_free(a.pool);
    med_http_free(s);
    assert_int_equal(a.given, CONNECTIONS * REQUESTS);
}

/* ---- errors of our own, in the application's words ---- */

static void render(void *app, med_arena *arena, int status, med_str text, med_response *out)
{
    (void)app;
    out->body =
        med_arena_printf(arena, "{\"status\":%d,\"text\":\"%.*s\"}", status, MED_STR_ARG(text));
    (void)med_response_header(out, "Content-Type", MED_STR("application/fhir+json"));
}

static void errors_are_rendered_by_the_application(void **state)
{
    (void)state;
    med_http_config config = config_on("127.0.0.1:0");
    config.render_error = render;
    med_http_server *s = start(&config, answer_ok, NULL);
    int fd = connect_to(s);
    send_text(fd, "GET / HTTP/1.1\r\n\r\n");
    static char text[4096];
    med_str all = {text, read_all(fd, text, sizeof text)};
    assert_true(med_str_starts(all, MED_STR("HTTP/1.1 400 ")));
    assert_true(med_str_search(all, MED_STR("{\"status\":400,\"text\":\"Host is missing\"}"), 0)
                < all.len);
    assert_true(med_str_search(all, MED_STR("Connection: close\r\n"), 0) < all.len);
    med_http_free(s);
}

/* ---- starting ---- */

static void what_can_not_start_says_why(void **state)
{
    (void)state;
    med_http_config config = config_on("127.0.0.1:0");
    med_http_server *s = start(&config, answer_ok, NULL);
    char taken[128];
    (void)snprintf(taken, sizeof taken, "%.*s", MED_STR_ARG(med_http_address(s)));
    med_http_config second = config_on(taken);
    med_err err = {0};
    assert_null(med_http_start(&second, answer_ok, NULL, &err));
    assert_non_null(strstr(err.text, "in use"));
    assert_non_null(strstr(err.text, taken));
    med_http_free(s);
    second = config_on("127.0.0.1:0");
    const med_str bad_proxy = MED_STR("everybody");
    second.proxies = &bad_proxy;
    second.n_proxies = 1;
    assert_null(med_http_start(&second, answer_ok, NULL, &err));
    assert_non_null(strstr(err.text, "proxy"));
    second = config_on("127.0.0.1:0");
    second.certificate_file = second.key_file = MED_STR("/nowhere/at/all.pem");
    assert_null(med_http_start(&second, answer_ok, NULL, &err));
    assert_non_null(strstr(err.text, "/nowhere/at/all.pem"));
    med_http_free(NULL);
}

/* An answer that has no room left in the arena still goes out. */
static void fill_arena(void *app, med_http_exchange *x)
{
    while (med_arena_take(x->arena, 1, 64, 1) != NULL) {
    }
    answer_ok(app, x);
}

static void a_full_arena_can_still_be_answered(void **state)
{
    (void)state;
    med_http_config config = config_on("127.0.0.1:0");
    config.limits.arena = 32 << 10;
    med_http_server *s = start(&config, fill_arena, NULL);
    for (int i = 0; i < 3; i++) { /* an arena that is used again has its ceiling back */
        int fd = connect_to(s);
        send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        static char text[4096];
        med_str all = {text, read_all(fd, text, sizeof text)};
        assert_true(med_str_starts(all, MED_STR("HTTP/1.1 200 ")));
        assert_true(med_str_ends(all, MED_STR("\r\n\r\nok")));
    }
    med_http_free(s);
}

static void no_arena_is_enough_for_nothing(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 4096; limit += 64) { /* refused or answered, never a crash */
        med_http_config config = config_on("127.0.0.1:0");
        config.loops = 1;
        config.limits.arena = limit;
        med_http_server *s = start(&config, answer_ok, NULL);
        int fd = connect_to(s);
        send_text(fd, "POST /?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                      "Connection: close\r\n\r\nhi");
        static char text[4096];
        med_str all = {text, read_all(fd, text, sizeof text)};
        assert_true(all.len == 0 || med_str_starts(all, MED_STR("HTTP/1.1 200 "))
                    || med_str_starts(all, MED_STR("HTTP/1.1 503 ")));
        med_http_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_posts_wake_a_loop_once),
        cmocka_unit_test(answers_come_from_other_threads),
        cmocka_unit_test(errors_are_rendered_by_the_application),
        cmocka_unit_test(what_can_not_start_says_why),
        cmocka_unit_test(a_full_arena_can_still_be_answered),
        cmocka_unit_test(no_arena_is_enough_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
