/* Lines of many threads: all arrive, whole and in order; what is urgent does not wait. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log_buffer.h"
#include "check.h"

static int ends[2];

static med_log_buffer *buffer_to_pipe(void)
{
    med_err err = {0};
    assert_int_equal(pipe(ends), 0);
    med_log_buffer *b = med_log_buffer_new(ends[1], &err);
    assert_non_null(b);
    return b;
}

static bool has_come(int milliseconds)
{
    struct pollfd p = {.fd = ends[0], .events = POLLIN};
    return poll(&p, 1, milliseconds) == 1;
}

static med_str come(char *room, size_t size)
{
    ssize_t n = read(ends[0], room, size);
    assert_true(n > 0);
    return (med_str){room, (size_t)n};
}

static void leaves_by_itself(void **state)
{
    (void)state;
    char room[100];
    med_log_buffer *b = buffer_to_pipe();
    med_log_buffer_add(b, MED_STR("one\n"), false);
    assert_true(has_come(10000));
    CHECK_STR(come(room, sizeof room), "one\n");
    med_log_buffer_add(b, MED_STR("two\n"), false);
    assert_true(has_come(10000));
    CHECK_STR(come(room, sizeof room), "two\n");
    med_log_buffer_free(b);
}

static void the_urgent_takes_what_waits_along(void **state)
{
    (void)state;
    char room[100];
    med_log_buffer *b = buffer_to_pipe();
    med_log_buffer_add(b, MED_STR("waits\n"), false);
    med_log_buffer_add(b, MED_STR("urgent\n"), true);
    assert_true(has_come(0));
    CHECK_STR(come(room, sizeof room), "waits\nurgent\n");
    med_log_buffer_free(b);
}

static void the_end_takes_what_waits_along(void **state)
{
    (void)state;
    char room[100];
    med_log_buffer *b = buffer_to_pipe();
    med_log_buffer_add(b, MED_STR("last\n"), false);
    med_log_buffer_free(b);
    assert_true(has_come(0));
    CHECK_STR(come(room, sizeof room), "last\n");
    med_log_buffer_free(NULL);
}

enum { WRITERS = 4, LINES = 20000, LINE = 25 };

struct writer {
    med_log_buffer *b;
    unsigned number;
};

static void *write_lines(void *arg)
{
    struct writer *w = arg;
    for (unsigned i = 0; i < LINES; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "writer=%02u line=%09u\n", w->number, i);
        med_log_buffer_add(w->b, (med_str){line, LINE}, i % 1000 == 0);
    }
    return NULL;
}

struct drain {
    char *room;
    size_t size, len;
};

/* A slow reader: the pipe is full most of the time, and so is the buffer. */
static void *drain_pipe(void *arg)
{
    struct drain *d = arg;
    for (ssize_t n; (n = read(ends[0], d->room + d->len, d->size - d->len)) > 0;)
        d->len += (size_t)n;
    return NULL;
}

static void nothing_is_lost_torn_or_moved(void **state)
{
    (void)state;
    static char room[WRITERS * LINES * LINE + 1];
    struct drain d = {room, sizeof room, 0};
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS], drainer;
    unsigned next[WRITERS] = {0};
    med_log_buffer *b = buffer_to_pipe();
    assert_int_equal(pthread_create(&drainer, NULL, drain_pipe, &d), 0);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){b, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    med_log_buffer_free(b);
    close(ends[1]);
    pthread_join(drainer, NULL);
    assert_int_equal(d.len, sizeof room - 1);
    for (size_t at = 0; at < d.len; at += LINE) {
        unsigned who = 0, line = 0;
        assert_int_equal(sscanf(room + at, "writer=%2u line=%9u\n", &who, &line), 2);
        assert_true(who < WRITERS && line == next[who]);
        next[who]++;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_by_itself),
        cmocka_unit_test(the_urgent_takes_what_waits_along),
        cmocka_unit_test(the_end_takes_what_waits_along),
        cmocka_unit_test(nothing_is_lost_torn_or_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
