#include <unistd.h>

#include "base/log.h"
#include "check.h"

static int64_t fixed_now(void *self)
{
    (void)self;
    return 1795342830123456;
}
static const med_clock clock_fixed = {fixed_now, fixed_now, NULL};

static int pipe_ends[2];

static med_log log_to_pipe(enum med_log_format format)
{
    assert_int_equal(pipe(pipe_ends), 0);
    return (med_log){pipe_ends[1], NULL, MED_LOG_INFO, format, &clock_fixed};
}

/* All that was written, and the end of the pipe. */
static med_str written(char *room, size_t size)
{
    close(pipe_ends[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(pipe_ends[0], room + len, size - len)) > 0;)
        len += (size_t)n;
    close(pipe_ends[0]);
    return (med_str){room, len};
}

static void writes_logfmt(void **state)
{
    (void)state;
    char room[8192];
    med_log log = log_to_pipe(MED_LOG_LOGFMT);
    MED_LOG(&log, MED_LOG_INFO, "listening", MED_LOG_TEXT("address", MED_STR("127.0.0.1")),
            MED_LOG_INT("port", -8080), MED_LOG_TEXT("route", MED_STR("/{type}/{id} x=1")),
            MED_LOG_TEXT("empty", MED_STR_EMPTY));
    CHECK_STR(written(room, sizeof room),
              "time=2026-11-22T10:20:30.123456Z level=info msg=listening address=127.0.0.1 "
              "port=-8080 route=\"/{type}/{id} x=1\" empty=\"\"\n");
}

static void writes_json(void **state)
{
    (void)state;
    char room[8192];
    med_log log = log_to_pipe(MED_LOG_JSON);
    MED_LOG(&log, MED_LOG_ERROR, "could not \"listen\"", MED_LOG_INT("port", INT64_MIN),
            MED_LOG_TEXT("name", MED_STR("\xC4\x8Crt \xF0\x9F\x98\x80")));
    CHECK_STR(written(room, sizeof room),
              "{\"time\":\"2026-11-22T10:20:30.123456Z\",\"level\":\"error\","
              "\"msg\":\"could not \\\"listen\\\"\",\"port\":-9223372036854775808,"
              "\"name\":\"\xC4\x8Crt \xF0\x9F\x98\x80\"}\n");
}

static void drops_what_is_below_its_level(void **state)
{
    (void)state;
    char room[8192];
    med_log log = log_to_pipe(MED_LOG_JSON);
    med_log_write(&log, MED_LOG_DEBUG, "secret", NULL, 0);
    med_log_write(NULL, MED_LOG_ERROR, "nowhere", NULL, 0);
    CHECK_STR(written(room, sizeof room), "");
}

/* No value can end the line, start another field, or command a terminal. */
static void escapes(void **state)
{
    (void)state;
    static const struct {
        med_str value;
        const char *want;
    } table[] = {
        {MED_LIT("a\r\nlevel=error"), "\"a\\r\\nlevel=error\""},
        {MED_LIT("\x1b[31mred\x07"), "\"\\u001b[31mred\\u0007\""},
        {MED_LIT("tab\there"), "\"tab\\there\""},
        {MED_LIT("nul\0in"), "\"nul\\u0000in\""},
        {MED_LIT("\x7f"), "\"\\u007f\""},
        {MED_LIT("\xC2\x9B"
                 "31m"),
         "\"\\u009b31m\""}, /* CSI as one C1 character */
        {MED_LIT("\xE2\x80\xA8"), "\"\\u2028\""},
        {MED_LIT("\xE2\x80\xAE"
                 "evil"),
         "\"\\u202eevil\""}, /* right to left override */
        {MED_LIT("\xFF\xFE"), "\"\\ufffd\\ufffd\""},
        {MED_LIT("\xC3"), "\"\\ufffd\""},
        {MED_LIT("\xED\xA0\x80"), "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
        {MED_LIT("two words"), "\"two words\""},
        {MED_LIT("a=b"), "\"a=b\""},
        {MED_LIT("\xE2\x80\x8B"), "\"\\u200b\""}, /* zero width */
        {MED_LIT("\xE2\x81\xA0"), "\"\\u2060\""},
        {MED_LIT("\xE2\x81\xAF"), "\"\\u206f\""},
        {MED_LIT("\xEF\xBB\xBF"), "\"\\ufeff\""},
        {MED_LIT("\xC2\xA0\xE2\x80\x90"), "\"\xC2\xA0\xE2\x80\x90\""},
        {MED_LIT("back\\slash"), "\"back\\\\slash\""},
        {MED_LIT("quo\"te"), "\"quo\\\"te\""},
    };
    for (size_t f = 0; f < 2; f++) {
        for (size_t i = 0; i < COUNT(table); i++) {
            char room[8192];
            med_log log = log_to_pipe(f == 0 ? MED_LOG_LOGFMT : MED_LOG_JSON);
            MED_LOG(&log, MED_LOG_WARN, "m", MED_LOG_TEXT("v", table[i].value));
            med_str line = written(room, sizeof room);
            med_str want = med_str_from(table[i].want);
            ROW(table[i].want, med_str_search(line, want, 0) < line.len);
            ROW(table[i].want, med_str_find(line, '\n', 0) == line.len - 1);
            ROW(table[i].want, med_str_find(line, '\r', 0) == line.len);
        }
    }
}

static void escapes_keys_too(void **state)
{
    (void)state;
    char room[8192];
    med_log log = log_to_pipe(MED_LOG_LOGFMT);
    MED_LOG(&log, MED_LOG_INFO, "m", MED_LOG_INT("a b=\n\"c", 1));
    med_str line = written(room, sizeof room);
    assert_true(med_str_ends(line, MED_STR(" a_b___c=1\n")));
}

static void a_line_stays_one_write(void **state)
{
    (void)state;
    static char long_value[5000];
    static const char fills[] = {'x', '\n', '"', ' ', '\xFF'};
    for (size_t c = 0; c < sizeof fills; c++) {
        memset(long_value, fills[c], sizeof long_value);
        med_str v = {long_value, sizeof long_value};
        for (size_t f = 0; f < 2; f++) {
            char room[16384];
            med_log log = log_to_pipe(f == 0 ? MED_LOG_LOGFMT : MED_LOG_JSON);
            MED_LOG(&log, MED_LOG_INFO, "m", MED_LOG_TEXT("a", v), MED_LOG_TEXT("b", v),
                    MED_LOG_TEXT("c", v), MED_LOG_TEXT("d", v), MED_LOG_INT("e", 1));
            med_str line = written(room, sizeof room);
            assert_true(line.len <= 4096);
            assert_int_equal(med_str_find(line, '\n', 0), line.len - 1);
            med_str cut = f == 0 ? MED_STR("cut=true") : MED_STR("\"cut\":\"true\"");
            assert_true(med_str_search(line, cut, 0) < line.len);
            assert_true(med_str_search(line, MED_STR("...\""), 0) < line.len);
            if (f == 1)
                assert_true(med_str_ends(line, MED_STR("}\n")));
        }
    }
}

/* Many short values, each as long as escaping can make it, up to the end of the line. */
static void a_full_line_is_still_whole(void **state)
{
    (void)state;
    char value[180];
    memset(value, '\x01', sizeof value);
    for (size_t n = 1; n <= sizeof value; n += 3) {
        med_log_field fields[40];
        for (size_t i = 0; i < COUNT(fields); i++)
            fields[i] = MED_LOG_TEXT("a-key.of_some-length", ((med_str){value, n}));
        char room[8192];
        med_log log = log_to_pipe(MED_LOG_JSON);
        med_log_write(&log, MED_LOG_INFO, "m", fields, COUNT(fields));
        med_str line = written(room, sizeof room);
        assert_true(line.len <= 4096);
        assert_true(med_str_ends(line, MED_STR("\"}\n")));
        assert_true(med_str_search(line, MED_STR("\"a-key.of_some-length\":\""), 0) < line.len);
    }
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    static char message[6000];
    memset(message, '\x01', sizeof message - 1);
    char room[16384];
    med_log log = log_to_pipe(MED_LOG_JSON);
    med_log_write(&log, MED_LOG_INFO, message, NULL, 0);
    med_str line = written(room, sizeof room);
    assert_true(line.len <= 4096);
    assert_true(med_str_ends(line, MED_STR("...\"}\n")));
}

static void a_closed_descriptor_harms_nobody(void **state)
{
    (void)state;
    med_log log = {-1, NULL, MED_LOG_INFO, MED_LOG_LOGFMT, &clock_fixed};
    med_log_write(&log, MED_LOG_INFO, "m", NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_logfmt),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(drops_what_is_below_its_level),
        cmocka_unit_test(escapes),
        cmocka_unit_test(escapes_keys_too),
        cmocka_unit_test(a_line_stays_one_write),
        cmocka_unit_test(a_full_line_is_still_whole),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(a_closed_descriptor_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
