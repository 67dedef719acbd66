/* Addresses, listed proxies, and the table of connections per address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/address.h"
#include "http/proxy.h"

static med_address address(const char *text)
{
    med_address a;
    assert_true(med_address_parse(med_str_from(text), &a));
    return a;
}

static void addresses_are_read_and_written(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"::1", "::1"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        med_address a = address(pairs[i][0]);
        char text[MED_ADDRESS_TEXT];
        med_address_format(&a, text);
        assert_string_equal(text, pairs[i][1]);
    }
    static const char *const bad[] = {
        "",         "localhost",   "127.0.0.1:80",
        "1.2.3",    "127.0.0.256", "::1%eth0",
        "[::1]:80", "unknown",     "2001:db8:0000:0000:0000:0000:0000:0000:0000:0001"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        med_address a;
        assert_false(med_address_parse(med_str_from(bad[i]), &a));
    }
}

static bool listed(const char *range, const char *who)
{
    med_address_range r;
    med_err err = {0};
    assert_true(med_address_range_parse(med_str_from(range), &r, &err));
    med_address a = address(who);
    return med_address_listed(&a, &r, 1);
}

static void ranges_match_by_bits(void **state)
{
    (void)state;
    assert_true(listed("10.0.0.1", "10.0.0.1"));
    assert_false(listed("10.0.0.1", "10.0.0.2"));
    assert_true(listed("10.0.0.0/8", "10.255.0.1"));
    assert_false(listed("10.0.0.0/8", "11.0.0.1"));
    assert_true(listed("10.0.0.128/25", "10.0.0.200"));
    assert_false(listed("10.0.0.128/25", "10.0.0.100"));
    assert_true(listed("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(listed("2001:db8::/33", "2001:db8:8000::1"));
    assert_false(listed("unix", "127.0.0.1"));
    assert_true(listed("0.0.0.0/0", "8.8.8.8"));
    med_address_range r;
    med_err err = {0};
    static const char *const bad[] = {"", "a", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "/8"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(med_address_range_parse(med_str_from(bad[i]), &r, &err));
}

/* The peer that X-Forwarded-For values name when 10.0.0.0/8 is listed. */
static void expect_peer(const char *first, const char *second, const char *peer)
{
    med_address_range r;
    med_err err = {0};
    assert_true(med_address_range_parse(MED_STR("10.0.0.0/8"), &r, &err));
    med_arena *a = med_arena_new(1 << 16);
    assert_non_null(a);
    med_header headers[] = {
        {MED_STR("X-Forwarded-For"), med_str_from(first)},
        {MED_STR("X-Forwarded-Proto"), MED_STR("http")},
        {MED_STR("x-forwarded-proto"), MED_STR("HTTPS")},
        {MED_STR("x-forwarded-for"), med_str_from(second)},
    };
    med_request q = {
        .headers = headers, .n_headers = second == NULL ? 3 : 4, .peer = MED_STR("10.0.0.1")};
    med_proxy_apply(a, &r, 1, &q);
    if (!med_str_eqz(q.peer, peer))
        fail_msg("\"%s\", \"%s\": %.*s, expected %s", first, second == NULL ? "" : second,
                 MED_STR_ARG(q.peer), peer);
    assert_true(q.secure);
    med_arena_free(a);
}

static void the_client_is_the_last_address_nobody_listed(void **state)
{
    (void)state;
    expect_peer("192.0.2.7", NULL, "192.0.2.7");
    expect_peer("6.6.6.6, 192.0.2.7", NULL, "192.0.2.7");
    expect_peer("6.6.6.6, 192.0.2.7 ,10.1.1.1", NULL, "192.0.2.7");
    expect_peer("6.6.6.6", "192.0.2.7", "192.0.2.7");
    expect_peer("192.0.2.7", "10.2.2.2, 10.3.3.3", "192.0.2.7");
    expect_peer("10.2.2.2, 10.3.3.3", NULL, "10.2.2.2");
    expect_peer("6.6.6.6, evil, 10.3.3.3", NULL, "10.3.3.3");
    expect_peer("evil", NULL, "10.0.0.1");
    expect_peer("", NULL, "10.0.0.1");
    expect_peer("6.6.6.6,", NULL, "10.0.0.1");
    expect_peer("2001:db8::5", NULL, "2001:db8::5");
}

static void connections_are_counted_by_address(void **state)
{
    (void)state;
    med_address_table *t = med_address_table_new(100, &med_random_system);
    assert_non_null(t);
    med_address a = address("192.0.2.7"), b = address("192.0.2.8");
    for (int i = 0; i < 3; i++)
        assert_true(med_address_table_enter(t, &a, 3));
    assert_false(med_address_table_enter(t, &a, 3));
    assert_true(med_address_table_enter(t, &b, 3));
    med_address_table_leave(t, &a);
    assert_true(med_address_table_enter(t, &a, 3));
    med_address six = address("2001:db8:0:1::1"), neighbour = address("2001:db8:0:1:ffff::2"),
                other = address("2001:db8:0:2::1");
    assert_true(med_address_table_enter(t, &six, 1));
    assert_false(med_address_table_enter(t, &neighbour, 1)); /* the same /64 */
    assert_true(med_address_table_enter(t, &other, 1));
    med_address_table_free(t);
}

static void a_full_table_refuses_and_recovers(void **state)
{
    (void)state;
    enum { ROOM = 200 };
    med_address_table *t = med_address_table_new(ROOM, &med_random_system);
    assert_non_null(t);
    med_address a = address("10.0.0.0");
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ROOM + 50; i++) {
            a.ip[14] = (uint8_t)(i >> 8);
            a.ip[15] = (uint8_t)i;
            assert_int_equal(med_address_table_enter(t, &a, 1), i < ROOM);
        }
        for (unsigned i = 0; i < ROOM; i++) {
            a.ip[14] = (uint8_t)(i >> 8);
            a.ip[15] = (uint8_t)i;
            med_address_table_leave(t, &a);
        }
    }
    med_address_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(ranges_match_by_bits),
        cmocka_unit_test(the_client_is_the_last_address_nobody_listed),
        cmocka_unit_test(connections_are_counted_by_address),
        cmocka_unit_test(a_full_table_refuses_and_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
