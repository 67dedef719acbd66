/* Names and niceness of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/thread.h"

enum { BY = 3, NICE_MOST = 19, NAME_ROOM = 16 };

struct seen {
    char short_name[NAME_ROOM], long_name[NAME_ROOM];
    int nice, twice;
};

static int own_nice(void)
{
    errno = 0;
    return getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void *look(void *arg)
{
    struct seen *s = arg;
    med_thread_name("loop", 2);
    (void)prctl(PR_GET_NAME, s->short_name, 0, 0, 0);
    med_thread_name("a_very_long_name", -1);
    (void)prctl(PR_GET_NAME, s->long_name, 0, 0, 0);
    med_thread_step_back(BY);
    s->nice = own_nice();
    med_thread_step_back(BY);
    s->twice = own_nice();
    med_thread_take_short_turns(); /* says nothing where the system knows no turns */
    return NULL;
}

static void names_and_steps_back(void **state)
{
    (void)state;
    struct seen s = {0};
    pthread_t t;
    int before = own_nice(), expected = before + BY > NICE_MOST ? NICE_MOST : before + BY;
    assert_int_equal(pthread_create(&t, NULL, look, &s), 0);
    assert_int_equal(pthread_join(t, NULL), 0);
    assert_string_equal(s.short_name, "med-loop-2");
    assert_string_equal(s.long_name, "med-a_very_long");
    assert_int_equal(s.nice, expected);
    assert_int_equal(s.twice, expected); /* behind the main thread, not behind itself */
    assert_int_equal(own_nice(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_and_steps_back)};
    return cmocka_run_group_tests_name("base_thread", tests, NULL, NULL);
}
