/* fuzz_json.c - the JSON tape against a second reader, written for clearness and not for speed.
 *
 * Both ways to scan must take, refuse and point at the same as each other, and take what the
 * reader here takes; what was taken survives writing and reading again. */
#include "../json_portable.h"

#include "base/utf8.h"
#include "demand.h"

enum { LIMIT = 64 << 20, MOST_INPUT = 1 << 16, MOST_KEYS = 64 };

/* ---- the second reader: recursive descent, depth at most MED_JSON_DEPTH ---- */

struct reader {
    med_str text;
    size_t at;
    bool many_keys; /* an object with more than it compares: no verdict */
};

static char here(const struct reader *r)
{
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool eat(struct reader *r, char c)
{
    if (r->at >= r->text.len || r->text.ptr[r->at] != c)
        return false;
    r->at++;
    return true;
}

static void eat_space(struct reader *r)
{
    while (eat(r, ' ') || eat(r, '\n') || eat(r, '\t') || eat(r, '\r'))
        ;
}

static bool eat_word(struct reader *r, med_str word)
{
    bool is = med_str_starts(med_str_skip(r->text, r->at), word);
    r->at += is ? word.len : 0;
    return is;
}

static bool eat_digits(struct reader *r)
{
    size_t from = r->at;
    while (med_is_digit(here(r)))
        r->at++;
    return r->at > from;
}

static bool eat_number(struct reader *r)
{
    (void)eat(r, '-');
    if (!eat(r, '0') && !eat_digits(r))
        return false;
    if (eat(r, '.') && !eat_digits(r))
        return false;
    if (eat(r, 'e') || eat(r, 'E')) {
        (void)(eat(r, '+') || eat(r, '-'));
        return eat_digits(r);
    }
    return true;
}

static bool eat_hex4(struct reader *r, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = here(r) == '\0' ? NULL : strchr(digits, here(r));
        if (digit == NULL)
            return false;
        *unit = *unit << 4 | (uint32_t)((digit - digits) & 15);
    }
    return true;
}

static bool eat_escape(struct reader *r, uint32_t *code)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = here(r) == '\0' ? NULL : strchr(from, here(r));
    if (known != NULL) {
        r->at++;
        *code = (unsigned char)to[known - from];
        return true;
    }
    if (!eat(r, 'u') || !eat_hex4(r, code) || *code == 0)
        return false;
    if (*code < 0xd800 || *code > 0xdfff)
        return true;
    uint32_t low = 0;
    if (*code > 0xdbff || !eat(r, '\\') || !eat(r, 'u') || !eat_hex4(r, &low) || low < 0xdc00
        || low > 0xdfff)
        return false;
    *code = 0x10000 + (*code - 0xd800) * 0x400 + (low - 0xdc00);
    return true;
}

/* A string; its content goes to `out`. */
static bool eat_string(struct reader *r, med_buf *out)
{
    if (!eat(r, '"'))
        return false;
    while (!eat(r, '"')) {
        uint32_t code = 0;
        if (eat(r, '\\')) {
            if (!eat_escape(r, &code))
                return false;
        } else {
            size_t n = r->at < r->text.len ? med_utf8_decode(r->text, r->at, &code) : 0;
            if (n == 0 || code < 0x20)
                return false;
            r->at += n;
        }
        char bytes[4];
        med_buf_add(out, (med_str){bytes, med_utf8_encode(code, bytes)});
    }
    return true;
}

static bool eat_value(struct reader *r, int depth);

static bool eat_array(struct reader *r, int depth)
{
    eat_space(r);
    if (eat(r, ']'))
        return true;
    do
        if (!eat_value(r, depth))
            return false;
    while (eat(r, ','));
    return eat(r, ']');
}

static bool eat_members(struct reader *r, int depth, med_buf *keys)
{
    for (size_t n = 0;; n++) {
        if (n == MOST_KEYS)
            return r->many_keys = true;
        eat_space(r);
        if (!eat_string(r, &keys[n]))
            return false;
        for (size_t i = 0; i < n; i++)
            if (med_str_eq(med_buf_str(&keys[i]), med_buf_str(&keys[n])))
                return false;
        eat_space(r);
        if (!eat(r, ':') || !eat_value(r, depth))
            return false;
        if (r->many_keys || eat(r, '}'))
            return true;
        if (!eat(r, ','))
            return false;
    }
}

static bool eat_object(struct reader *r, int depth)
{
    eat_space(r);
    if (eat(r, '}'))
        return true;
    med_buf keys[MOST_KEYS];
    for (size_t i = 0; i < MOST_KEYS; i++)
        med_buf_init(&keys[i], MOST_INPUT);
    bool good = eat_members(r, depth, keys);
    for (size_t i = 0; i < MOST_KEYS; i++)
        med_buf_free(&keys[i]);
    return good;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most MED_JSON_DEPTH deep */
static bool eat_value(struct reader *r, int depth)
{
    eat_space(r);
    bool good = false;
    if (here(r) == '"') {
        med_buf unused;
        med_buf_init(&unused, MOST_INPUT);
        good = eat_string(r, &unused);
        med_buf_free(&unused);
    } else if (eat(r, '[')) {
        good = depth < MED_JSON_DEPTH && eat_array(r, depth + 1);
    } else if (eat(r, '{')) {
        good = depth < MED_JSON_DEPTH && eat_object(r, depth + 1);
    } else {
        good = eat_word(r, MED_STR("true")) || eat_word(r, MED_STR("false"))
               || eat_word(r, MED_STR("null")) || eat_number(r);
    }
    if (good && !r->many_keys)
        eat_space(r);
    return good;
}

/* ---- what must hold ---- */

static void check_same(const med_json *x, const med_json *y)
{
    DEMAND(x->n == y->n);
    for (uint32_t i = 0; i < x->n; i++) {
        const med_json_node *p = &x->nodes[i], *q = &y->nodes[i];
        DEMAND(p->at == q->at && p->len == q->len && p->next == q->next);
        DEMAND(p->kind == q->kind && p->escaped == q->escaped && p->count == q->count);
    }
}

/* Counts, links and slices of each node. */
static void check_shape(const med_json *j)
{
    DEMAND(j->nodes[0].next == j->n);
    for (uint32_t i = 0; i < j->n; i++) {
        const med_json_node *node = &j->nodes[i];
        DEMAND(node->next > i && node->next <= j->n);
        DEMAND((size_t)node->at + node->len <= j->text.len);
        uint32_t n = 0;
        uint32_t child = i + 1;
        for (; child < node->next; child = j->nodes[child].next, n++)
            if (node->kind == MED_JSON_OBJECT)
                DEMAND(j->nodes[child].kind == MED_JSON_STRING && ++child < node->next);
        DEMAND(child == node->next && n == node->count);
    }
}

static void check_strings(med_arena *a, const med_json *j)
{
    for (uint32_t i = 0; i < j->n; i++) {
        if (j->nodes[i].kind != MED_JSON_STRING)
            continue;
        med_str s;
        DEMAND(med_json_string(a, j, i, &s));
        DEMAND(med_utf8_valid(s) && med_str_find(s, '\0', 0) == s.len);
        DEMAND(med_json_string_is(j, i, s));
        DEMAND(j->nodes[i].escaped
               == (memchr(med_json_raw(j, i).ptr, '\\', j->nodes[i].len) != NULL));
    }
}

static void check_written(const med_json *j, void (*write)(med_buf *, const med_json *, uint32_t))
{
    med_arena *a = med_arena_new(LIMIT);
    med_buf out;
    med_json k;
    med_err err;
    med_buf_init(&out, LIMIT);
    write(&out, j, 0);
    DEMAND(a != NULL && !out.failed);
    DEMAND(med_json_parse(a, med_buf_str(&out), &k, NULL, &err));
    DEMAND(k.n == j->n && med_json_equal(j, 0, &k, 0));
    med_buf_free(&out);
    med_arena_free(a);
}

static void check_good(med_arena *a, const med_json *j)
{
    check_shape(j);
    check_strings(a, j);
    check_written(j, med_json_write_min);
    check_written(j, med_json_write_pretty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MOST_INPUT)
        return 0;
    med_str text = input_str(data, size);
    med_arena *a = med_arena_new(LIMIT);
    med_json x;
    med_json y;
    med_json_error p;
    med_json_error q;
    med_err err = {0};
    med_err other = {0};
    DEMAND(a != NULL);
    bool good = med_json_parse(a, text, &x, &p, &err);
    DEMAND(good == med_json_parse_portable(a, text, &y, &q, &other));
    struct reader r = {.text = text};
    bool expected = eat_value(&r, 0) && (r.many_keys || r.at == text.len);
    DEMAND(r.many_keys || good == expected);
    if (good) {
        check_same(&x, &y);
        check_good(a, &x);
    } else {
        DEMAND(err.issue == MED_ISSUE_INVALID && strcmp(err.text, other.text) == 0);
        DEMAND(p.offset == q.offset && p.offset <= size && p.line >= 1 && p.column >= 1);
    }
    med_arena_free(a);
    return 0;
}
