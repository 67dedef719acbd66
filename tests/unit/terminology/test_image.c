/* Images against a plain model: a random hierarchy with many parents, and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "terminology/image_builder.h"

enum { CONCEPTS = 400 };

static uint32_t seed = 12345;
static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525U + 1013904223U;
    return (uint32_t)(((uint64_t)(seed >> 8) * n) >> 24);
}

static bool below[CONCEPTS][CONCEPTS]; /* [above][below] */

static void finish(med_image_builder *b, med_buf *out, const med_image **m)
{
    med_err err = {0};
    med_image_head head = {.url = MED_STR("urn:test"),
                           .version = MED_STR("1"),
                           .language = MED_STR("en"),
                           .supplements = MED_STR_EMPTY,
                           .meta = MED_STR("{}"),
                           .case_sensitive = true,
                           .index_words = true};
    med_buf_init(out, (size_t)1 << 26);
    assert_true(med_image_builder_finish(b, &head, out, &err));
    med_image_builder_free(b);
    assert_true(med_image_open(med_buf_str(out), m, &err));
}

static void make_hierarchy(med_image_builder *b, bool circles)
{
    for (uint32_t i = 0; i < CONCEPTS; i++) {
        char code[16];
        int n = snprintf(code, sizeof code, "c%u", i);
        (void)med_image_builder_concept(b, (med_str){code, (size_t)n}, NULL);
        below[i][i] = true;
    }
    for (uint32_t i = 1; i < CONCEPTS; i++) {
        for (uint32_t k = random_below(4); k > 0; k--) {
            uint32_t parent = random_below(circles ? CONCEPTS : i);
            med_image_builder_parent(b, i, parent);
            if (parent != i)
                below[parent][i] = true;
        }
    }
    for (uint32_t k = 0; k < CONCEPTS; k++) {
        for (uint32_t i = 0; i < CONCEPTS; i++) {
            for (uint32_t j = 0; below[i][k] && j < CONCEPTS; j++)
                below[i][j] = below[i][j] || below[k][j];
        }
    }
}

static void test_hierarchy(void **state)
{
    (void)state;
    med_image_builder *b = med_image_builder_new();
    med_buf bytes;
    const med_image *m;
    memset(below, 0, sizeof below);
    make_hierarchy(b, false);
    finish(b, &bytes, &m);
    med_arena *a = med_arena_new(1 << 20);
    for (uint32_t i = 0; i < CONCEPTS; i++) {
        uint64_t down[(CONCEPTS + 63) / 64] = {0}, up[(CONCEPTS + 63) / 64] = {0};
        med_image_add_below(m, i, down);
        assert_true(med_image_add_above(m, a, i, up));
        med_arena_reset(a);
        for (uint32_t k = 0; k < CONCEPTS; k++) {
            assert_int_equal(med_concept_is_a(m, k, i), below[i][k]);
            assert_int_equal(med_bit(down, k), below[i][k]);
            assert_int_equal(med_bit(up, k), below[k][i]);
        }
    }
    med_arena_free(a);
    med_buf_free(&bytes);
}

/* Nothing sensible can be said of circles, but nothing may break either. */
static void test_circles(void **state)
{
    (void)state;
    med_image_builder *b = med_image_builder_new();
    med_buf bytes;
    const med_image *m;
    memset(below, 0, sizeof below);
    make_hierarchy(b, true);
    finish(b, &bytes, &m);
    for (uint32_t i = 0; i < CONCEPTS; i++) {
        for (uint32_t k = 0; k < CONCEPTS; k++)
            (void)med_concept_is_a(m, k, i);
        assert_true(med_concept_is_a(m, i, i));
    }
    med_buf_free(&bytes);
}

static size_t found(const med_image *m, const char *text, const char *language)
{
    med_arena *a = med_arena_new(1 << 20);
    uint64_t bits[4] = {0};
    med_err err = {0};
    assert_true(med_image_search(m, a, med_str_from(text), med_str_from(language), bits, &err));
    med_arena_free(a);
    size_t n = 0;
    for (size_t i = 0; i < 4; i++)
        n += (size_t)__builtin_popcountll(bits[i]);
    return n;
}

static void test_words(void **state)
{
    (void)state;
    static const char *const displays[] = {"Diabetes mellitus type 2", "Type 1 diabetes mellitus",
                                           "Hypertension", "Sjögren's syndrome"};
    static const char *const german[] = {"Zuckerkrankheit Typ 2", "", "Bluthochdruck", ""};
    med_image_builder *b = med_image_builder_new();
    med_buf bytes;
    const med_image *m;
    for (uint32_t i = 0; i < 4; i++) {
        char code = (char)('a' + i);
        med_concept c = med_image_builder_concept(b, (med_str){&code, 1}, NULL);
        med_designation d = {MED_STR("de"), MED_STR_EMPTY,           MED_STR_EMPTY,
                             MED_STR_EMPTY, med_str_from(german[i]), MED_STR_EMPTY};
        med_image_builder_display(b, c, med_str_from(displays[i]));
        if (german[i][0] != '\0')
            med_image_builder_designation(b, c, &d);
    }
    finish(b, &bytes, &m);
    assert_int_equal(found(m, "diab", ""), 2);
    assert_int_equal(found(m, "diab 2", ""), 1);
    assert_int_equal(found(m, "MELL TYP", ""), 2);
    assert_int_equal(found(m, "sjogren", ""), 1);
    assert_int_equal(found(m, "zucker", "de"), 1);
    assert_int_equal(found(m, "zucker", "en"), 0);
    assert_int_equal(found(m, "hyper", "de"), 1);
    assert_int_equal(found(m, "nothing", "de"), 0);
    med_buf_free(&bytes);
}

/* A damaged file is refused, or answers nonsense, but touches nothing that is not its own. */
static void test_damage(void **state)
{
    (void)state;
    med_image_builder *b = med_image_builder_new();
    med_buf bytes;
    const med_image *m;
    memset(below, 0, sizeof below);
    make_hierarchy(b, false);
    finish(b, &bytes, &m);
    med_buf copy;
    med_buf_init(&copy, (size_t)1 << 26);
    for (int round = 0; round < 3000; round++) {
        med_err err = {0};
        med_concept_property p;
        med_designation d;
        size_t n;
        med_buf_clear(&copy);
        med_buf_add(&copy, med_buf_str(&bytes));
        copy.ptr[random_below((uint32_t)copy.len)] ^= (char)(1U << random_below(8));
        if (!med_image_open(med_buf_str(&copy), &m, &err))
            continue;
        med_concept c = med_image_find(m, MED_STR("c17"));
        (void)med_concept_display(m, c);
        (void)med_concept_property_at(m, c, 0, &p);
        (void)med_concept_designation(m, c, 0, &d);
        (void)med_concept_parents(m, random_below(CONCEPTS), &n);
        (void)med_concept_is_a(m, random_below(CONCEPTS), random_below(CONCEPTS));
    }
    med_buf_free(&copy);
    med_buf_free(&bytes);
}

/* Extensions of designations stay with theirs, whatever order they came in; images of before there
 * were any are read. */
static void test_notes(void **state)
{
    (void)state;
    static const char *const notes[] = {"", "[2]", "", "[4]", "[5]"};
    static const unsigned concept_of[] = {2, 0, 1, 0, 2};
    med_image_builder *b = med_image_builder_new();
    med_buf bytes;
    const med_image *m;
    med_designation d;
    for (uint32_t i = 0; i < 3; i++) {
        char code = (char)('a' + i);
        (void)med_image_builder_concept(b, (med_str){&code, 1}, NULL);
    }
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        d = (med_designation){MED_STR("de"), MED_STR_EMPTY,   MED_STR_EMPTY,
                              MED_STR_EMPTY, MED_STR("text"), med_str_from(notes[i])};
        med_image_builder_designation(b, concept_of[i], &d);
    }
    finish(b, &bytes, &m);
    for (unsigned old = 0; old < 2; old++) {
        size_t next[3] = {0};
        for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
            assert_true(med_concept_designation(m, concept_of[i], next[concept_of[i]]++, &d));
            assert_true(med_str_eqz(d.extensions, old != 0 ? "" : notes[i]));
            assert_true(med_str_eqz(d.value, "text"));
        }
        assert_false(med_concept_designation(m, 1, 1, &d));
        bytes.ptr[12] = 1; /* the format, little endian */
        med_err err = {0};
        assert_true(med_image_open(med_buf_str(&bytes), &m, &err));
    }
    med_buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes),   cmocka_unit_test(test_hierarchy),
        cmocka_unit_test(test_circles), cmocka_unit_test(test_words),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
