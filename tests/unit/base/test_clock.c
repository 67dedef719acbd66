#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"

static int64_t fixed_now(void *self)
{
    return *(int64_t *)self;
}

static void fill_with_ff(void *self, void *bytes, size_t n)
{
    (void)self;
    memset(bytes, 0xFF, n);
}

/* getrandom(2) stands behind this one in the linked program: it gives at most three bytes a
 * call, is interrupted each fifth time, and fails for good when told to. */
static int calls;
static bool no_entropy;

ssize_t __real_getrandom(void *bytes, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags)
{
    if (no_entropy || ++calls % 5 == 0) {
        errno = no_entropy ? EIO : EINTR;
        return -1;
    }
    return __real_getrandom(bytes, n > 3 ? 3 : n, flags);
}

static void aborts_without_entropy(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte = 0;
        (void)signal(SIGABRT, SIG_DFL);
        no_entropy = true;
        med_random_fill(&med_random_system, &byte, 1);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void the_system_s_clock_runs(void **state)
{
    (void)state;
    int64_t first = med_monotonic(&med_clock_system);
    int64_t second = first;
    while (second == first)
        second = med_monotonic(&med_clock_system);
    assert_true(second > first);
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &t), 0);
    int64_t wall = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    int64_t now = med_now(&med_clock_system);
    assert_true(now >= wall && now < wall + 60000000);
}

static void a_test_can_fix_time(void **state)
{
    (void)state;
    int64_t t = 42;
    med_clock clock = {fixed_now, fixed_now, &t};
    assert_int_equal(med_now(&clock), 42);
    t = 43;
    assert_int_equal(med_monotonic(&clock), 43);
}

static void makes_uuids(void **state)
{
    (void)state;
    char id[MED_UUID_LEN];
    const med_random all_ones = {fill_with_ff, NULL};
    med_random_uuid(&all_ones, id);
    assert_memory_equal(id, "ffffffff-ffff-4fff-bfff-ffffffffffff", sizeof id);
    char other[MED_UUID_LEN];
    med_random_uuid(&med_random_system, id);
    med_random_uuid(&med_random_system, other);
    assert_memory_not_equal(id, other, sizeof id);
    for (size_t i = 0; i < sizeof id; i++)
        assert_true(med_is_hex(id[i]) || id[i] == '-');
    assert_int_equal(id[14], '4');
}

static void fills_all_of_a_large_request(void **state)
{
    (void)state;
    uint8_t bytes[5000] = {0};
    med_random_fill(&med_random_system, bytes, sizeof bytes);
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += bytes[i] == 0;
    assert_true(zeros < 200);
    /* the last byte, too, and not one behind it */
    for (size_t n = 0; n < 20; n++) {
        uint8_t last = 0;
        for (int i = 0; i < 50 && last == 0; i++) {
            memset(bytes, 0, sizeof bytes);
            med_random_fill(&med_random_system, bytes, n + 1);
            last = bytes[n];
            assert_int_equal(bytes[n + 1], 0);
        }
        assert_int_not_equal(last, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_s_clock_runs),
        cmocka_unit_test(a_test_can_fix_time),
        cmocka_unit_test(makes_uuids),
        cmocka_unit_test(aborts_without_entropy),
        cmocka_unit_test(fills_all_of_a_large_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
