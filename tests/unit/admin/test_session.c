/* The admin socket from both ends: a server in a directory of its own, clients good and bad. */
#include "../base/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "admin/channel.h"
#include "admin/client.h"
#include "admin/server.h"

/* ---- the server's work: told by the first word ---- */

struct world {
    med_host host; /* the client's side; first, so that a host is its world */
    char data[80];
    med_admin *server;
    med_log log;
    atomic_int runs, cancels;
    char said[4096];
    int inputs, shown;
    atomic_bool cancel;
    char path[200];
};

static void pause_a_little(void)
{
    (void)nanosleep(&(struct timespec){0, 2000000}, NULL);
}

static bool copy_inputs(med_arena *a, med_host *h, int to, med_err *err)
{
    for (;;) {
        char bytes[100];
        med_input in;
        if (!h->next(h, a, &in, err))
            return false;
        if (in.fd < 0)
            return true;
        ssize_t n = read(in.fd, bytes, sizeof bytes);
        (void)close(in.fd);
        if (n < 0 || write(to, bytes, (size_t)n) != n)
            return MED_FAIL(err, MED_ISSUE_EXCEPTION, "not copied");
        med_host_sayf(h, "%.*s %lu %ld", MED_STR_ARG(in.name), (unsigned long)in.size,
                      (long)in.modified);
    }
}

static int run(void *arg, med_arena *a, med_host *h, const med_message *m, med_err *err)
{
    struct world *w = arg;
    atomic_fetch_add(&w->runs, 1);
    if (med_str_eqz(m->command, "wait")) {
        while (!h->cancelled(h))
            pause_a_little();
        atomic_fetch_add(&w->cancels, 1);
        h->say(h, MED_STR("stopped"));
        return MED_FAIL(err, MED_ISSUE_INCOMPLETE, "cancelled") ? 0 : 3;
    }
    if (med_str_eqz(m->command, "copy")) {
        int to = h->make(h, MED_STR("out"), err);
        bool ok = to >= 0 && copy_inputs(a, h, to, err);
        if (to >= 0)
            (void)close(to);
        return ok ? 0 : 1;
    }
    h->begin(h, "counting", "sheep");
    for (uint64_t i = 0; i < 1000; i++)
        h->show(h, &(med_host_figures){.part = i, .whole = 1000, .done = i});
    h->end(h, 1000, 0);
    h->say(h, MED_STR("asleep"));
    return MED_FAIL(err, MED_ISSUE_EXCEPTION, "no more sheep") ? 0 : 4;
}

/* ---- the client's host ---- */

static struct world *world_of(med_host *h)
{
    return (struct world *)h;
}

static void begin(med_host *h, const char *what, const char *unit)
{
    struct world *w = world_of(h);
    (void)snprintf(w->said, sizeof w->said, "%s %s\n", what, unit);
}
static void show(med_host *h, const med_host_figures *f)
{
    world_of(h)->shown += f->whole == 1000;
}
static void end(med_host *h, uint64_t done, uint64_t errors)
{
    assert_int_equal(done, 1000);
    assert_int_equal(errors, 0);
    world_of(h)->shown++;
}
static void say(med_host *h, med_str line)
{
    struct world *w = world_of(h);
    size_t n = strlen(w->said);
    (void)snprintf(w->said + n, sizeof w->said - n, "%.*s\n", MED_STR_ARG(line));
}
static int make(med_host *h, med_str name, med_err *err)
{
    struct world *w = world_of(h);
    assert_true(med_str_eqz(name, "out"));
    int fd = open(w->path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "it is there already");
    return fd;
}
static bool next(med_host *h, med_arena *a, med_input *out, med_err *err)
{
    struct world *w = world_of(h);
    int fds[2];
    (void)a;
    (void)err;
    if (w->inputs == 3)
        return true;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], &"abc"[w->inputs], 1), 1);
    (void)close(fds[1]);
    w->inputs++;
    *out = (med_input){MED_STR("a pipe"), 1, 7, fds[0]};
    return true;
}
static bool cancelled(med_host *h)
{
    return atomic_load(&world_of(h)->cancel);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    med_err err = {0};
    (void)snprintf(w->data, sizeof w->data, "/tmp/medulla-admin-XXXXXX");
    if (mkdtemp(w->data) == NULL)
        return 1;
    (void)snprintf(w->path, sizeof w->path, "%s/out", w->data);
    w->host = (med_host){begin, show, end, say, make, next, cancelled};
    w->log = (med_log){.fd = -1, .level = MED_LOG_ERROR, .clock = &med_clock_system};
    const med_admin_config config = {
        .data = med_str_from(w->data), .log = &w->log, .run = run, .arg = w};
    w->server = med_admin_start(&config, &err);
    *state = w;
    return w->server == NULL;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char path[100];
    med_admin_stop(w->server);
    (void)snprintf(path, sizeof path, "%s/admin.sock", w->data);
    int left = access(path, F_OK) == 0;
    (void)unlink(w->path);
    (void)rmdir(w->data);
    free(w);
    return left;
}

static enum med_asked ask(struct world *w, const char *command, int *code, med_err *err)
{
    const med_message m = {.kind = MED_MESSAGE_RUN, .command = med_str_from(command)};
    *err = (med_err){0};
    return med_admin_ask(med_str_from(w->data), &m, &w->host, code, err);
}

static int dial(struct world *w)
{
    struct sockaddr_un address;
    int directory;
    med_err err = {0};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(med_admin_address(med_str_from(w->data), &address, &directory, &err));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        fail_msg("no connection");
    return fd;
}

/* ---- good clients ---- */

static void the_report_and_the_code_come_through(void **state)
{
    struct world *w = *state;
    med_err err;
    int code = 0;
    assert_int_equal(ask(w, "count", &code, &err), MED_ASKED_DONE);
    assert_int_equal(code, 4);
    assert_string_equal(err.text, "no more sheep");
    assert_string_equal(w->said, "counting sheep\nasleep\n");
    assert_true(w->shown >= 2); /* slow clients miss some */
}

static void files_cross_as_descriptors(void **state)
{
    struct world *w = *state;
    med_err err;
    int code = 1;
    char bytes[10] = "";
    assert_int_equal(ask(w, "copy", &code, &err), MED_ASKED_DONE);
    assert_int_equal(code, 0);
    assert_string_equal(w->said, "a pipe 1 7\na pipe 1 7\na pipe 1 7\n");
    int fd = open(w->path, O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof bytes), 3);
    assert_string_equal(bytes, "abc");
    (void)close(fd);
    assert_int_equal(ask(w, "copy", &code, &err), MED_ASKED_DONE); /* out is there already */
    assert_int_equal(code, 1);
    assert_string_equal(err.text, "it is there already");
}

static void cancelling_is_told_and_answered(void **state)
{
    struct world *w = *state;
    med_err err;
    int code = 0;
    atomic_store(&w->cancel, true);
    assert_int_equal(ask(w, "wait", &code, &err), MED_ASKED_DONE);
    assert_int_equal(code, 3);
    assert_string_equal(w->said, "stopped\n");
}

static void stopping_cancels_what_runs(void **state)
{
    struct world *w = *state;
    med_err err = {0};
    int fd = dial(w);
    const med_message m = {.kind = MED_MESSAGE_RUN, .command = MED_STR("wait")};
    assert_true(med_channel_send(fd, &m, -1, MED_SEND_WAIT, 1000, &err));
    while (atomic_load(&w->runs) == 0)
        pause_a_little();
    med_admin_stop(w->server);
    w->server = NULL;
    assert_int_equal(atomic_load(&w->cancels), 1);
    (void)close(fd);
    int code;
    assert_int_equal(ask(w, "wait", &code, &err), MED_ASKED_NOBODY);
}

/* ---- the socket itself ---- */

static void the_socket_is_for_its_owner(void **state)
{
    struct world *w = *state;
    char path[100];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/admin.sock", w->data);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_dead_server_s_socket_is_removed(void **state)
{
    struct world *w = *state;
    med_err err = {0};
    struct sockaddr_un address;
    int directory, code;
    med_admin_stop(w->server);
    assert_true(med_admin_address(med_str_from(w->data), &address, &directory, &err));
    int dead = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(bind(dead, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(dead);
    assert_int_equal(ask(w, "count", &code, &err), MED_ASKED_NOBODY);
    const med_admin_config config = {
        .data = med_str_from(w->data), .log = &w->log, .run = run, .arg = w};
    w->server = med_admin_start(&config, &err);
    assert_non_null(w->server);
    assert_int_equal(ask(w, "count", &code, &err), MED_ASKED_DONE);
}

static void a_file_in_its_place_is_left_alone(void **state)
{
    struct world *w = *state;
    med_err err = {0};
    char path[100];
    med_admin_stop(w->server);
    (void)snprintf(path, sizeof path, "%s/admin.sock", w->data);
    (void)close(open(path, O_WRONLY | O_CREAT, 0600));
    const med_admin_config config = {
        .data = med_str_from(w->data), .log = &w->log, .run = run, .arg = w};
    w->server = med_admin_start(&config, &err);
    assert_null(w->server);
    assert_int_equal(err.issue, MED_ISSUE_CONFLICT);
    assert_int_equal(unlink(path), 0);
}

static void a_path_may_be_longer_than_a_socket_s(void **state)
{
    struct world *w = *state;
    char path[400];
    med_err err = {0};
    int code;
    (void)snprintf(path, sizeof path, "%s/%0150d", w->data, 7);
    assert_int_equal(mkdir(path, 0700), 0);
    const med_admin_config config = {
        .data = med_str_from(path), .log = &w->log, .run = run, .arg = w};
    med_admin *far = med_admin_start(&config, &err);
    if (far == NULL)
        fail_msg("%s", err.text);
    const med_message m = {.kind = MED_MESSAGE_RUN, .command = MED_STR("count")};
    assert_int_equal(med_admin_ask(med_str_from(path), &m, &w->host, &code, &err), MED_ASKED_DONE);
    med_admin_stop(far);
    assert_int_equal(rmdir(path), 0);
}

/* ---- bad clients: refused, and nothing runs ---- */

static void raw_send(int fd, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
    char control[CMSG_SPACE(4 * sizeof(int))] = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, n};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (n_fds > 0) {
        packet.msg_control = control;
        packet.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&packet);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    (void)!sendmsg(fd, &packet, MSG_NOSIGNAL);
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* The answer to a first packet that is none: a result with code 1, or the end. */
static void expect_refusal(struct world *w, int fd, const char *name)
{
    med_arena *a = med_arena_new(1 << 20);
    med_message m;
    med_err err = {0};
    int got = -1;
    enum med_receive r = med_channel_receive(fd, a, 5000, &m, &got, &err);
    ROW(name, r == MED_RECEIVE_GONE
                  || (r == MED_RECEIVED && m.kind == MED_MESSAGE_RESULT && m.code == 1));
    ROW(name, atomic_load(&w->runs) == 0);
    med_arena_free(a);
    (void)close(fd);
}

static void what_is_no_request_runs_nothing(void **state)
{
    struct world *w = *state;
    static const char request[] =
        "{\"kind\":\"run\",\"command\":\"count\",\"options\":{},\"words\":[]}";
    static char large[MED_MESSAGE_BYTES + 100];
    memset(large, ' ', sizeof large);
    memcpy(large, request, sizeof request - 1);
    int fds[4] = {0, 0, 0, 0};
    const struct {
        const char *name;
        const void *bytes;
        size_t n, n_fds;
    } rows[] = {
        {"garbage", "\x00\xff", 2, 0},
        {"another kind", "{\"kind\":\"cancel\"}", 17, 0},
        {"an answer", "{\"kind\":\"no-input\"}", 19, 0},
        {"a server's word", "{\"kind\":\"next\"}", 15, 0},
        {"too long", large, sizeof large, 0},
        {"with a descriptor", request, sizeof request - 1, 1},
        {"with four descriptors", request, sizeof request - 1, 4},
        {"a file without a descriptor", "{\"kind\":\"file\"}", 15, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial(w);
        raw_send(fd, rows[i].bytes, rows[i].n, fds, rows[i].n_fds);
        expect_refusal(w, fd, rows[i].name);
    }
}

static void a_wrong_answer_ends_the_work(void **state)
{
    struct world *w = *state;
    med_err err = {0};
    med_arena *a = med_arena_new(1 << 22);
    static const char *const answers[] = {"{\"kind\":\"no-input\"}", "{\"kind\":\"file\"}",
                                          "{\"kind\":\"cancel\"}", "nonsense"};
    size_t before = open_descriptors();
    for (size_t i = 0; i < COUNT(answers); i++) {
        med_message m = {.kind = MED_MESSAGE_RUN, .command = MED_STR("copy")};
        int got = -1, fd = dial(w);
        assert_true(med_channel_send(fd, &m, -1, MED_SEND_WAIT, 1000, &err));
        assert_int_equal(med_channel_receive(fd, a, 5000, &m, &got, &err), MED_RECEIVED);
        assert_int_equal(m.kind, MED_MESSAGE_MAKE);
        raw_send(fd, answers[i], strlen(answers[i]), NULL, 0);
        assert_int_equal(med_channel_receive(fd, a, 5000, &m, &got, &err), MED_RECEIVED);
        assert_int_equal(m.kind, MED_MESSAGE_RESULT);
        assert_int_equal(m.code, 1);
        (void)close(fd);
    }
    while (open_descriptors() > before) /* the server's ends close, too */
        pause_a_little();
    med_arena_free(a);
}

static void a_client_that_goes_cancels(void **state)
{
    struct world *w = *state;
    med_err err = {0};
    const med_message m = {.kind = MED_MESSAGE_RUN, .command = MED_STR("wait")};
    int fd = dial(w);
    assert_true(med_channel_send(fd, &m, -1, MED_SEND_WAIT, 1000, &err));
    while (atomic_load(&w->runs) == 0)
        pause_a_little();
    (void)close(fd);
    while (atomic_load(&w->cancels) == 0)
        pause_a_little();
}

static void there_are_only_so_many_connections(void **state)
{
    struct world *w = *state;
    med_err err = {0};
    int fds[MED_ADMIN_CONNECTIONS];
    const med_message m = {.kind = MED_MESSAGE_RUN, .command = MED_STR("wait")};
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(w);
        assert_true(med_channel_send(fds[i], &m, -1, MED_SEND_WAIT, 1000, &err));
    }
    while (atomic_load(&w->runs) < MED_ADMIN_CONNECTIONS)
        pause_a_little();
    int one_more = dial(w); /* accepted by the kernel, closed by the server */
    char byte;
    assert_true(recv(one_more, &byte, 1, 0) <= 0);
    (void)close(one_more);
    for (size_t i = 0; i < COUNT(fds); i++)
        (void)close(fds[i]);
    while (atomic_load(&w->cancels) < MED_ADMIN_CONNECTIONS)
        pause_a_little();
    int code = 0;
    enum med_asked asked;
    do { /* and then there is room again */
        asked = ask(w, "count", &code, &err);
    } while (asked != MED_ASKED_DONE);
    assert_int_equal(code, 4);
}

/* ---- a server that can not be trusted ---- */

struct liar {
    int socket;
    const char *packet;
};

static void *lie(void *arg)
{
    const struct liar *l = arg;
    char bytes[1000];
    (void)!recv(l->socket, bytes, sizeof bytes, 0);
    raw_send(l->socket, l->packet, strlen(l->packet), NULL, 0);
    (void)!recv(l->socket, bytes, sizeof bytes, 0); /* what the client makes of it */
    (void)close(l->socket);
    return NULL;
}

static void a_lying_server_gets_nothing(void **state)
{
    struct world *w = *state;
    static const char *const lies[] = {
        "{\"kind\":\"make\",\"name\":\"../../etc/passwd\"}",
        "{\"kind\":\"make\",\"name\":\".bashrc\"}",
        "{\"kind\":\"make\",\"name\":\"\"}",
        "{\"kind\":\"make\",\"name\":\"/tmp/x\"}",
        "{\"kind\":\"cancel\"}",
        "{\"kind\":\"result\"}",
        "rubbish",
    };
    for (size_t i = 0; i < COUNT(lies); i++) {
        int fds[2], code;
        pthread_t thread;
        med_err err = {0};
        const med_message m = {.kind = MED_MESSAGE_RUN, .command = MED_STR("count")};
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        struct liar liar = {fds[1], lies[i]};
        assert_int_equal(pthread_create(&thread, NULL, lie, &liar), 0);
        /* make() of our host fails the test when it is asked for any of these names */
        ROW(lies[i], med_admin_converse(fds[0], &m, &w->host, &code, &err) == MED_ASKED_FAILED);
        ROW(lies[i], code == 1);
        (void)close(fds[0]);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_report_and_the_code_come_through), TEST(files_cross_as_descriptors),
        TEST(cancelling_is_told_and_answered),      TEST(stopping_cancels_what_runs),
        TEST(the_socket_is_for_its_owner),          TEST(a_dead_server_s_socket_is_removed),
        TEST(a_file_in_its_place_is_left_alone),    TEST(a_path_may_be_longer_than_a_socket_s),
        TEST(what_is_no_request_runs_nothing),      TEST(a_wrong_answer_ends_the_work),
        TEST(a_client_that_goes_cancels),           TEST(there_are_only_so_many_connections),
        TEST(a_lying_server_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
