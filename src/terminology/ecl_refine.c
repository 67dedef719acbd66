/* ecl_refine.c - refinements of an expression constraint: "< 1 : 2 = 3, { 4 = 5, 6 >= #7 }".
 * https://confluence.ihtsdotools.org/display/DOCECL
 *
 * The text becomes a tree of tests, which each concept in question is put to with the
 * relationships that it has. */
#include <stdlib.h>

#include "base/decimal.h"
#include "terminology/ecl_impl.h"

enum { ROWS = 1024 }; /* relationships of one concept; those of a release have some fifty */

/* One relationship of the concept that is being tested. */
typedef struct row {
    med_concept type, value; /* MED_CONCEPT_NONE: a value of its own */
    med_str text;
    unsigned group;
    bool is_number;
} row;

enum what { ATTRIBUTE, GROUP, ALL, ANY };
enum comparison { EQUAL, UNEQUAL, LESS, LESS_OR_EQUAL, MORE, MORE_OR_EQUAL };

typedef struct test {
    enum what what;
    uint32_t least, most; /* of an attribute or group; most: UINT32_MAX is any number */
    const uint64_t *names;
    enum comparison comparison;
    const uint64_t *values; /* concepts; NULL: a number or text */
    const uint64_t *held;   /* of a reverse attribute: the concepts that it holds for */
    bool is_number;
    med_decimal number;
    med_str text;
    const struct test *first, *next; /* what is inside; what stands beside it */
} test;

/* ---- relationships ---- */

static size_t read_rows(const med_image *m, med_concept c, row *rows)
{
    med_concept_property p;
    bool inside = false;
    unsigned group = 0;
    size_t n = 0;
    for (size_t i = 0; n < ROWS && med_concept_property_at(m, c, i, &p); i++) {
        int64_t number;
        if (med_str_eqz(p.code, MED_ECL_GROUP)) {
            inside = med_str_to_int64(p.value, &number);
            group = inside ? (unsigned)number : 0;
        } else if (inside) {
            bool code = p.type == MED_PROPERTY_CODE;
            rows[n++] = (row){.type = med_image_find(m, p.code),
                              .value = code ? med_image_find(m, p.value) : MED_CONCEPT_NONE,
                              .text = p.value,
                              .group = group,
                              .is_number =
                                  p.type == MED_PROPERTY_DECIMAL || p.type == MED_PROPERTY_INTEGER};
        }
    }
    return n;
}

/* ---- tests ---- */

static bool compares(enum comparison how, int order)
{
    switch (how) {
    case EQUAL:
        return order == 0;
    case UNEQUAL:
        return order != 0;
    case LESS:
        return order < 0;
    case LESS_OR_EQUAL:
        return order <= 0;
    case MORE:
        return order > 0;
    case MORE_OR_EQUAL:
        break;
    }
    return order >= 0;
}

static bool value_fits(const test *t, const row *r)
{
    med_decimal number;
    if (t->values != NULL)
        return r->value != MED_CONCEPT_NONE
               && med_bit(t->values, r->value) == (t->comparison == EQUAL);
    if (r->value != MED_CONCEPT_NONE || r->is_number != t->is_number)
        return false;
    if (t->is_number)
        return med_decimal_parse(r->text, &number)
               && compares(t->comparison, med_decimal_compare(&number, &t->number));
    return compares(t->comparison, med_str_compare(r->text, t->text));
}

static bool attribute_holds(const test *t, med_concept c, const row *rows, size_t n)
{
    uint32_t found = 0;
    if (t->held != NULL)
        return med_bit(t->held, c);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].type != MED_CONCEPT_NONE && med_bit(t->names, rows[i].type)
            && value_fits(t, &rows[i]))
            found++;
    }
    return found >= t->least && found <= t->most;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the brackets, MED_ECL_DEPTH */
static bool holds(const test *t, med_concept c, const row *rows, size_t n)
{
    if (t->what == ATTRIBUTE)
        return attribute_holds(t, c, rows, n);
    if (t->what == GROUP) { /* what is in no group is one by itself */
        uint32_t found = 0;
        for (size_t from = 0, to; from < n; from = to) {
            for (to = from + 1;
                 to < n && rows[from].group > 0 && rows[to].group == rows[from].group;)
                to++;
            found += holds(t->first, c, rows + from, to - from) ? 1 : 0;
        }
        return found >= t->least && found <= t->most;
    }
    for (const test *inner = t->first; inner != NULL; inner = inner->next) {
        if (holds(inner, c, rows, n) != (t->what == ALL))
            return t->what == ANY;
    }
    return t->what == ALL;
}

/* ---- reading ---- */

static bool read_number(med_ecl *r, uint32_t *out)
{
    size_t n = 0;
    int64_t value;
    med_ecl_skip_space(r);
    while (n < r->text.len && med_is_digit(r->text.ptr[n]))
        n++;
    if (n == 0 || n > 9 || !med_str_to_int64(med_str_sub(r->text, 0, n), &value))
        return false;
    *out = (uint32_t)value;
    r->text = med_str_skip(r->text, n);
    return true;
}

/* "[0..*]", if it is there. */
static bool read_cardinality(med_ecl *r, test *t)
{
    t->least = 1;
    t->most = UINT32_MAX;
    if (!med_ecl_take(r, "["))
        return true;
    bool ok = read_number(r, &t->least) && med_ecl_take(r, "..")
              && (med_ecl_take(r, "*") || read_number(r, &t->most)) && med_ecl_take(r, "]");
    if (!ok || t->least > t->most)
        (void)med_ecl_wrong(r, "has a cardinality that is none: [0..1], [1..*]");
    return r->wrong == NULL;
}

static bool read_comparison(med_ecl *r, enum comparison *out)
{
    static const struct {
        const char *token;
        enum comparison is;
    } all[] = {{"!=", UNEQUAL},       {"<>", UNEQUAL}, {"<=", LESS_OR_EQUAL}, {"<", LESS},
               {">=", MORE_OR_EQUAL}, {">", MORE},     {"=", EQUAL}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (med_ecl_take(r, all[i].token)) {
            *out = all[i].is;
            return true;
        }
    }
    return false;
}

static void read_quoted(med_ecl *r, test *t)
{
    size_t end = med_str_find(r->text, '"', 0);
    if (end == r->text.len)
        (void)med_ecl_wrong(r, "has a text that does not end");
    t->text = med_str_sub(r->text, 0, end);
    r->text = med_str_skip(r->text, end < r->text.len ? end + 1 : end);
}

static void read_decimal(med_ecl *r, test *t)
{
    size_t n = 0;
    (void)med_ecl_take(r, "+");
    while (n < r->text.len
           && (med_is_digit(r->text.ptr[n]) || r->text.ptr[n] == '-' || r->text.ptr[n] == '.'))
        n++;
    t->is_number = true;
    if (!med_decimal_parse(med_str_sub(r->text, 0, n), &t->number))
        (void)med_ecl_wrong(r, "has a number that is none");
    r->text = med_str_skip(r->text, n);
}

/* NOLINTNEXTLINE(misc-no-recursion): values may be expressions; MED_ECL_DEPTH brackets */
static bool read_value(med_ecl *r, test *t)
{
    uint64_t *values = NULL;
    if (!read_comparison(r, &t->comparison))
        return med_ecl_wrong(r, "lacks '=' and a value behind an attribute");
    if (med_ecl_take(r, "#")) {
        read_decimal(r, t);
    } else if (med_ecl_take(r, "\"")) {
        read_quoted(r, t);
    } else {
        if (t->comparison != EQUAL && t->comparison != UNEQUAL)
            return med_ecl_wrong(r, "compares concepts by size; numbers begin with '#'");
        if (!med_ecl_operand(r, &values))
            return false;
        t->values = values;
    }
    return true;
}

/* What a reverse attribute leads to: the values of concepts that are among its values. */
static bool turn(med_ecl *r, test *t)
{
    row *rows = MED_TAKE(r->arena, ROWS, row);
    uint32_t *found = MED_TAKE(r->arena, med_image_count(r->m), uint32_t);
    uint64_t *held = MED_TAKE(r->arena, med_image_words(r->m) + 1, uint64_t);
    if (rows == NULL || found == NULL || held == NULL)
        return false;
    for (med_concept c = 0; c < med_image_count(r->m); c++) {
        if (med_bit(t->values, c) != (t->comparison == EQUAL))
            continue;
        size_t n = read_rows(r->m, c, rows);
        for (size_t i = 0; i < n; i++) {
            if (rows[i].type != MED_CONCEPT_NONE && rows[i].value != MED_CONCEPT_NONE
                && med_bit(t->names, rows[i].type))
                found[rows[i].value]++;
        }
    }
    for (med_concept c = 0; c < med_image_count(r->m); c++) {
        if (found[c] >= t->least && found[c] <= t->most)
            med_bit_set(held, c);
    }
    t->held = held;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_value */
static bool read_attribute(med_ecl *r, bool in_group, test *t)
{
    uint64_t *names = NULL;
    bool reverse = med_ecl_take_word(r, "R") || med_ecl_take_word(r, "reverseOf");
    t->what = ATTRIBUTE;
    if (reverse && in_group)
        return med_ecl_wrong(r, "has a reverse attribute inside of { }");
    if (!med_ecl_operand(r, &names))
        return false;
    t->names = names;
    if (r->wrong != NULL)
        return true;
    if (!read_value(r, t))
        return false;
    if (reverse && r->wrong == NULL && t->values == NULL)
        return med_ecl_wrong(r, "has a reverse attribute of a number or text");
    return r->wrong != NULL || !reverse || !med_ecl_scan(r) || turn(r, t);
}

static bool read_tests(med_ecl *r, bool in_group, test **out);

/* NOLINTNEXTLINE(misc-no-recursion): MED_ECL_DEPTH brackets */
static bool read_test(med_ecl *r, bool in_group, test **out)
{
    test *t = *out = MED_TAKE(r->arena, 1, test);
    test *inner = NULL;
    if (t == NULL)
        return false;
    bool counted =
        r->text.len > 0 && (med_ecl_skip_space(r), med_str_starts(r->text, MED_STR("[")));
    if (!read_cardinality(r, t))
        return true;
    if (med_ecl_take(r, "{")) {
        if (in_group)
            return med_ecl_wrong(r, "has { } inside of { }");
        t->what = GROUP;
        if (!med_ecl_enter(r))
            return true;
        if (!read_tests(r, true, &inner))
            return false;
        t->first = inner;
        med_ecl_leave(r, "}");
        return true;
    }
    med_str before = r->text;
    if (!counted && med_ecl_take(r, "(")) {
        /* "(1 OR 2) = 3" or "(1 = 2 OR 3 = 4)": the first is an attribute's name */
        if (!med_ecl_enter(r))
            return true;
        med_ecl probe = *r;
        uint64_t *names = NULL;
        probe.text = before;
        probe.depth--;
        if (!med_ecl_operand(&probe, &names))
            return false;
        r->operands = probe.operands;
        r->scans = probe.scans;
        enum comparison ignored;
        bool is_name = probe.wrong == NULL && read_comparison(&probe, &ignored);
        if (!is_name) {
            if (!read_tests(r, in_group, out))
                return false;
            med_ecl_leave(r, ")");
            return true;
        }
        r->depth--;
        r->text = before;
    }
    return read_attribute(r, in_group, t);
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_test */
static bool read_tests(med_ecl *r, bool in_group, test **out)
{
    test *all = *out = MED_TAKE(r->arena, 1, test);
    const test **end;
    char before = 0, j;
    if (all == NULL)
        return false;
    all->what = ALL;
    end = &all->first;
    do {
        test *one = NULL;
        if (!read_test(r, in_group, &one))
            return false;
        *end = one;
        end = (const test **)&one->next;
        j = r->wrong == NULL ? med_ecl_take_junction(r) : 0;
        if (j == '-' || (j != 0 && before != 0 && before != j))
            return med_ecl_wrong(r, "mixes AND, OR and MINUS without brackets");
        before = j == 0 ? before : j;
    } while (j != 0);
    all->what = before == '|' ? ANY : ALL;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_test */
bool med_ecl_refine(med_ecl *r, uint64_t *bits)
{
    test *all = NULL;
    if (!read_tests(r, false, &all))
        return false;
    if (r->wrong != NULL || !med_ecl_scan(r))
        return true;
    row *rows = MED_TAKE(r->arena, ROWS, row);
    if (rows == NULL)
        return false;
    for (med_concept c = 0; c < med_image_count(r->m); c++) {
        if (med_bit(bits, c) && !holds(all, c, rows, read_rows(r->m, c, rows)))
            bits[c / 64] &= ~((uint64_t)1 << (c % 64));
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_test */
bool med_ecl_dotted(med_ecl *r, uint64_t **bits)
{
    uint64_t *names = NULL;
    uint64_t *values = MED_TAKE(r->arena, med_image_words(r->m) + 1, uint64_t);
    row *rows = MED_TAKE(r->arena, ROWS, row);
    if (values == NULL || rows == NULL || !med_ecl_operand(r, &names))
        return false;
    (void)med_ecl_scan(r);
    for (med_concept c = 0; r->wrong == NULL && c < med_image_count(r->m); c++) {
        size_t n = med_bit(*bits, c) ? read_rows(r->m, c, rows) : 0;
        for (size_t i = 0; i < n; i++) {
            if (rows[i].type != MED_CONCEPT_NONE && rows[i].value != MED_CONCEPT_NONE
                && med_bit(names, rows[i].type))
                med_bit_set(values, rows[i].value);
        }
    }
    *bits = values;
    return true;
}
