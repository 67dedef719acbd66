#include "base/buf.h"
#include "check.h"

static void collects(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, 1 << 20);
    assert_non_null(b.ptr);
    CHECK_STR(med_buf_str(&b), "");
    med_buf_add(&b, MED_STR("a"));
    med_buf_add(&b, MED_STR_EMPTY);
    med_buf_addz(&b, "bc");
    med_buf_addc(&b, '-');
    med_buf_add_u64(&b, 0);
    med_buf_addc(&b, '-');
    med_buf_add_u64(&b, UINT64_MAX);
    med_buf_printf(&b, "-%03d", 7);
    CHECK_STR(med_buf_str(&b), "abc-0-18446744073709551615-007");
    assert_false(b.failed);
    med_buf_free(&b);
    CHECK_STR(med_buf_str(&b), "");
    med_buf_addz(&b, "again");
    CHECK_STR(med_buf_str(&b), "again");
    med_buf_free(&b);
}

static void grows_over_many_writes(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, SIZE_MAX);
    heap_fail_after(30); /* capacity doubles, so few requests are enough */
    for (uint32_t i = 0; i < 50000; i++)
        med_buf_add(&b, (med_str){(const char *)&i, sizeof i});
    heap_heal();
    assert_false(b.failed);
    assert_int_equal(b.len, 50000 * sizeof(uint32_t));
    for (uint32_t i = 0; i < 50000; i++)
        assert_memory_equal(b.ptr + i * sizeof i, &i, sizeof i);
    med_buf_free(&b);
}

static void stops_at_its_ceiling(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, 10);
    med_buf_addz(&b, "0123456789"); /* exactly full */
    assert_false(b.failed);
    assert_int_equal(b.cap, 10);
    med_buf_addc(&b, 'x');
    assert_true(b.failed);
    med_buf_addz(&b, "");
    CHECK_STR(med_buf_str(&b), "0123456789");
    med_buf_clear(&b);
    assert_false(b.failed);
    med_buf_addz(&b, "01234");
    med_buf_addz(&b, "567890");
    assert_true(b.failed);
    CHECK_STR(med_buf_str(&b), "01234"); /* all or nothing of a piece */
    med_buf_clear(&b);
    assert_false(med_buf_reserve(&b, SIZE_MAX));
    med_buf_free(&b);
    med_buf_init(&b, 0);
    med_buf_add(&b, MED_STR_EMPTY);
    assert_false(b.failed);
    med_buf_addc(&b, 'x');
    assert_true(b.failed);
    med_buf_free(&b);
}

static void printf_obeys_the_ceiling(void **state)
{
    (void)state;
    char want[701];
    memset(want, 'y', 700);
    want[700] = '\0';
    med_buf b;
    med_buf_init(&b, 700); /* longer than the room printf has on the stack */
    med_buf_printf(&b, "%s", want);
    assert_false(b.failed);
    CHECK_STR(med_buf_str(&b), want);
    med_buf_printf(&b, "%s", "");
    assert_false(b.failed);
    med_buf_printf(&b, "%d", 1);
    assert_true(b.failed);
    assert_int_equal(b.len, 700);
    med_buf_printf(&b, "%d", 1);
    med_buf_free(&b);
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, 1 << 20);
    heap_fail_after(0);
    med_buf_addz(&b, "x");
    heap_heal();
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    med_buf_clear(&b);
    med_buf_addz(&b, "kept");
    heap_fail_after(0);
    med_buf_printf(&b, "%0600d", 1); /* too long for the stack, so it asks for memory */
    heap_heal();
    assert_true(b.failed);
    CHECK_STR(med_buf_str(&b), "kept");
    med_buf_clear(&b);
    assert_true(med_buf_reserve(&b, 1000));
    med_buf_free(&b);
}

static void gives_its_bytes_away(void **state)
{
    (void)state;
    size_t len = 0;
    med_buf b;
    med_buf_init(&b, 100);
    char *nothing = med_buf_release(&b, &len);
    assert_non_null(nothing);
    assert_int_equal(len, 0);
    med_buf_release_free(nothing);
    med_buf_addz(&b, "mine");
    char *bytes = med_buf_release(&b, &len);
    CHECK_STR(((med_str){bytes, len}), "mine");
    CHECK_STR(med_buf_str(&b), "");
    med_buf_free(&b);
    med_buf_release_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects),
        cmocka_unit_test(grows_over_many_writes),
        cmocka_unit_test(stops_at_its_ceiling),
        cmocka_unit_test(printf_obeys_the_ceiling),
        cmocka_unit_test(fails_cleanly_without_memory),
        cmocka_unit_test(gives_its_bytes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
