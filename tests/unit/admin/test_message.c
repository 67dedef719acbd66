/* Packets of the admin socket: what is a message, and what is not. */
#include "../base/check.h"

#include "admin/message.h"

static const struct {
    const char *name, *packet;
} bad[] = {
    {"empty", ""},
    {"no JSON", "run"},
    {"cut", "{\"kind\":\"next\""},
    {"two", "{\"kind\":\"next\"}{\"kind\":\"next\"}"},
    {"a list", "[\"next\"]"},
    {"no kind", "{\"text\":\"x\"}"},
    {"a kind that is none", "{\"kind\":\"stop\"}"},
    {"a kind that is no string", "{\"kind\":1}"},
    {"the kind twice", "{\"kind\":\"next\",\"kind\":\"next\"}"},
    {"a member of another kind", "{\"kind\":\"next\",\"text\":\"x\"}"},
    {"an unknown member", "{\"kind\":\"say\",\"text\":\"x\",\"more\":1}"},
    {"a member missing", "{\"kind\":\"begin\",\"text\":\"x\"}"},
    {"a number for a text", "{\"kind\":\"say\",\"text\":1}"},
    {"null for a text", "{\"kind\":\"say\",\"text\":null}"},
    {"a text for a number", "{\"kind\":\"end\",\"done\":\"1\",\"errors\":0}"},
    {"a negative number", "{\"kind\":\"end\",\"done\":-1,\"errors\":0}"},
    {"a fraction", "{\"kind\":\"end\",\"done\":1.5,\"errors\":0}"},
    {"an exponent", "{\"kind\":\"end\",\"done\":1e3,\"errors\":0}"},
    {"a number past 64 bits", "{\"kind\":\"end\",\"done\":9223372036854775808,\"errors\":0}"},
    {"options that are a list", "{\"kind\":\"run\",\"command\":\"x\",\"options\":[],\"words\":[]}"},
    {"an option that is no string",
     "{\"kind\":\"run\",\"command\":\"x\",\"options\":{\"a\":1},\"words\":[]}"},
    {"an option twice",
     "{\"kind\":\"run\",\"command\":\"x\",\"options\":{\"a\":\"\",\"a\":\"\"},\"words\":[]}"},
    {"words that are an object",
     "{\"kind\":\"run\",\"command\":\"x\",\"options\":{},\"words\":{}}"},
    {"a word that is a list", "{\"kind\":\"run\",\"command\":\"x\",\"options\":{},\"words\":[[]]}"},
    {"a NUL in a text", "{\"kind\":\"say\",\"text\":\"a\\u0000b\"}"},
    {"no UTF-8", "{\"kind\":\"say\",\"text\":\"\xff\"}"},
};

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        med_arena *a = med_arena_new(1 << 20);
        med_message m;
        med_err err = {0};
        ROW(bad[i].name, !med_message_read(a, med_str_from(bad[i].packet), &m, &err));
        ROW(bad[i].name, err.issue == MED_ISSUE_INVALID || err.issue == MED_ISSUE_STRUCTURE);
        med_arena_free(a);
    }
}

static void a_request_has_bounds(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(8 << 20);
    med_err err = {0};
    med_message m, out;
    med_buf text;
    med_str words[MED_MESSAGE_WORDS + 1];
    for (size_t i = 0; i < COUNT(words); i++)
        words[i] = MED_STR("word");
    for (size_t n = MED_MESSAGE_WORDS; n <= MED_MESSAGE_WORDS + 1; n++) {
        m = (med_message){.command = MED_STR("x"), .words = words, .n_words = n};
        med_buf_init(&text, 1 << 20);
        med_message_write(&text, &m);
        assert_int_equal(med_message_read(a, med_buf_str(&text), &out, &err),
                         n <= MED_MESSAGE_WORDS);
        med_buf_free(&text);
    }
    char *large = MED_TAKE(a, MED_MESSAGE_BYTES, char);
    memset(large, 'a', MED_MESSAGE_BYTES);
    m = (med_message){.kind = MED_MESSAGE_SAY, .text = {large, MED_MESSAGE_BYTES}};
    med_buf_init(&text, 1 << 20);
    med_message_write(&text, &m);
    assert_false(med_message_read(a, med_buf_str(&text), &out, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_LONG);
    med_buf_free(&text);
    med_arena_free(a);
}

static void a_message_comes_back_as_it_was(void **state)
{
    (void)state;
    static const med_message_option options[] = {{MED_LIT("reason"), MED_LIT("\"quoted\" ä\n")},
                                                 {MED_LIT("dry-run"), MED_LIT("")}};
    static const med_str words[] = {MED_LIT("Patient/1"), MED_LIT("")};
    const med_message m = {.kind = MED_MESSAGE_RUN,
                           .command = MED_STR("purge"),
                           .options = options,
                           .n_options = COUNT(options),
                           .words = words,
                           .n_words = COUNT(words)};
    med_arena *a = med_arena_new(1 << 20);
    med_err err = {0};
    med_message out;
    med_buf text;
    med_str value;
    med_buf_init(&text, 1 << 16);
    med_message_write(&text, &m);
    assert_true(med_message_read(a, med_buf_str(&text), &out, &err));
    assert_int_equal(out.kind, MED_MESSAGE_RUN);
    assert_true(med_str_eqz(out.command, "purge"));
    assert_int_equal(out.n_words, 2);
    assert_true(med_str_eqz(out.words[0], "Patient/1"));
    assert_true(med_message_option_get(&out, "reason", &value));
    assert_true(med_str_eq(value, options[0].value));
    assert_true(med_message_option_get(&out, "dry-run", &value));
    assert_false(med_message_option_get(&out, "dry", &value));
    med_buf_free(&text);
    med_arena_free(a);
}

/* Every ceiling of the arena: an error, never a crash. */
static void memory_may_end_anywhere(void **state)
{
    (void)state;
    const med_str packet = MED_STR("{\"kind\":\"run\",\"command\":\"a\\u0062\",\"options\":{\"k\":"
                                   "\"v\\n\"},\"words\":[\"a\",\"b\\t\"]}");
    bool good = false;
    for (size_t limit = 0; limit < 20000 && !good; limit += 64) {
        med_arena *a = med_arena_new(1 << 20);
        med_message m;
        med_err err = {0};
        med_arena_set_limit(a, limit);
        good = med_message_read(a, packet, &m, &err);
        assert_true(good || err.issue != MED_ISSUE_NONE);
        med_arena_free(a);
    }
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(a_request_has_bounds),
        cmocka_unit_test(a_message_comes_back_as_it_was),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
