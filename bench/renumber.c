/* renumber.c - as many resources as wanted out of a few transaction Bundles.
 *
 *     build/bench/renumber [--count N] [--seed N] [--bundles] BUNDLE... > many.ndjson
 *
 * Writes copies of the Bundles (.json, also .gz .zst .bz2) one after the other, one resource a
 * line, until N are out (default: one copy of each). In each copy every UUID is another, every
 * date is moved by the same number of days (up to 1,500 either way), names are exchanged and the
 * digits of identifiers and telephone numbers are others; what belongs together within a Bundle
 * stays together. "urn:uuid:..." references become Type/id. With --bundles a line is a whole
 * transaction Bundle. The same seed and input give the same bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "../src/source.h"
#include "base/datetime.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

enum { UUID = 36, DAY = 10, SHIFT = 1500, INPUT = 256 << 10 };

enum kind { PATCH_UUID, PATCH_DAY, PATCH_FAMILY, PATCH_GIVEN, PATCH_DIGITS };

/* A place in the text that every copy writes anew. */
typedef struct patch {
    size_t at, len;
    enum kind kind;
} patch;

typedef struct line {
    size_t from, to;
    size_t first, end; /* patches */
    size_t resources;
} line;

typedef struct list {
    void *at;
    size_t n, room;
} list;

typedef struct names {
    list all; /* med_str */
} names;

typedef struct bundle {
    med_buf text;
    list lines, patches;
} bundle;

typedef struct copier {
    med_hash_key key; /* of this copy */
    int days;
    const names *families, *givens;
    med_buf out;
} copier;

static _Noreturn void die(const char *what, med_str which)
{
    (void)fprintf(stderr, "renumber: %s: %.*s\n", what, MED_STR_ARG(which));
    exit(1);
}

static void *add(list *l, size_t size)
{
    if (l->n == l->room) {
        l->room = l->room == 0 ? 1024 : l->room * 2;
        l->at = med_realloc(l->at, l->room, size);
        if (l->at == NULL)
            die("no memory", MED_STR_EMPTY);
    }
    return (char *)l->at + size * l->n++;
}

/* ---- what each copy changes ---- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_uuid(med_str s)
{
    for (size_t i = 0; i < UUID; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (i >= s.len || (dash ? s.ptr[i] != '-' : !is_hex(s.ptr[i])))
            return false;
    }
    return true;
}

/* A string that begins with a day. */
static bool is_day(med_str s)
{
    static const char form[] = "\"0000-00-00";
    for (size_t i = 0; i <= DAY; i++) {
        if (i >= s.len || (form[i] == '0' ? !is_digit(s.ptr[i]) : s.ptr[i] != form[i]))
            return false;
    }
    return s.len > DAY + 1 && (s.ptr[DAY + 1] == '"' || s.ptr[DAY + 1] == 'T');
}

static med_str up_to_quote(med_str s)
{
    return med_str_sub(s, 0, med_str_find(s, '"', 0));
}

/* "999-12-3456", "S99971234", "(555) 123 4567": at least six digits, and few other signs. */
static bool is_number(med_str s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i]) && med_str_find(MED_STR("-() SX"), s.ptr[i], 0) == 6)
            return false;
        digits += is_digit(s.ptr[i]);
    }
    return digits >= 6;
}

static size_t add_patch(bundle *b, size_t at, size_t len, enum kind kind)
{
    patch *p = add(&b->patches, sizeof *p);
    *p = (patch){at, len, kind};
    return at + len;
}

/* Where the text behind `from` need not be looked at again. */
static size_t find_patch(bundle *b, size_t from)
{
    static const struct {
        const char *key;
        enum kind kind;
    } keys[] = {
        {"\"family\":\"", PATCH_FAMILY},
        {"\"given\":[\"", PATCH_GIVEN},
        {"\"value\":\"", PATCH_DIGITS},
    };
    med_str rest = med_str_skip(med_buf_str(&b->text), from);
    if (is_uuid(rest))
        return add_patch(b, from, UUID, PATCH_UUID);
    if (rest.ptr[0] != '"')
        return from + 1;
    if (is_day(rest))
        return add_patch(b, from + 1, DAY, PATCH_DAY);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        med_str key = med_str_from(keys[i].key);
        if (!med_str_starts(rest, key))
            continue;
        med_str value = up_to_quote(med_str_skip(rest, key.len));
        if (keys[i].kind == PATCH_DIGITS && (is_uuid(value) || !is_number(value)))
            return from + key.len;
        return add_patch(b, from + key.len, value.len, keys[i].kind);
    }
    return from + 1;
}

static void end_line(bundle *b, size_t from, size_t resources)
{
    med_buf_addc(&b->text, '\n');
    line *l = add(&b->lines, sizeof *l);
    *l = (line){.from = from, .to = b->text.len, .first = b->patches.n, .resources = resources};
    for (size_t at = from; at < l->to;)
        at = find_patch(b, at);
    l->end = b->patches.n;
}

/* ---- reading ---- */

static void read_all(med_str path, med_buf *out)
{
    static char bytes[INPUT];
    size_t n = 0;
    med_err err = {0};
    med_source *s = med_source_open(path, &err);
    if (s == NULL)
        die(err.text, path);
    do {
        if (!med_source_read(s, bytes, sizeof bytes, &n, &err))
            die(err.text, path);
        med_buf_add(out, (med_str){bytes, n});
    } while (n > 0);
    med_source_close(s);
}

/* The type of the entry with that full URL; NULL when the Bundle has none. */
static bool find_type(const med_json *j, uint32_t entries, med_str url, med_str *type)
{
    for (uint32_t e = entries + 1; e < j->nodes[entries].next; e = j->nodes[e].next) {
        uint32_t full = med_json_member(j, e, MED_STR("fullUrl"));
        if (full == 0 || !med_str_eq(med_json_raw(j, full), url))
            continue;
        *type = med_json_raw(j, med_json_path(j, e, "resource.resourceType"));
        return true;
    }
    return false;
}

/* Copies a resource; "urn:uuid:X" becomes "Type/X". */
static void add_resource(bundle *b, const med_json *j, uint32_t entries, uint32_t resource)
{
    med_buf text;
    size_t from = b->text.len, at = 0, next;
    med_buf_init(&text, MED_JSON_MAX_BYTES);
    med_json_write_min(&text, j, resource);
    med_str all = med_buf_str(&text);
    while ((next = med_str_search(all, MED_STR("\"urn:uuid:"), at)) < all.len) {
        med_str type, url = up_to_quote(med_str_skip(all, next + 1));
        med_buf_add(&b->text, med_str_sub(all, at, next + 1));
        if (!find_type(j, entries, url, &type))
            die("a reference leads out of the Bundle", url);
        med_buf_add(&b->text, type);
        med_buf_addc(&b->text, '/');
        at = next + 1 + (sizeof "urn:uuid:" - 1);
    }
    med_buf_add(&b->text, med_str_skip(all, at));
    med_buf_free(&text);
    end_line(b, from, 1);
}

static void read_bundle(bundle *b, med_str path, bool whole)
{
    med_buf raw;
    med_json j;
    med_err err = {0};
    med_arena *a = med_arena_new((size_t)1 << 30);
    med_buf_init(&raw, MED_JSON_MAX_BYTES);
    med_buf_init(&b->text, SIZE_MAX / 2);
    read_all(path, &raw);
    if (a == NULL || !med_json_parse(a, med_buf_str(&raw), &j, NULL, &err))
        die(err.text, path);
    uint32_t entries = med_json_member(&j, 0, MED_STR("entry"));
    if (entries == 0)
        die("no Bundle with entries", path);
    if (whole) {
        med_json_write_min(&b->text, &j, 0);
        end_line(b, 0, j.nodes[entries].count);
    }
    for (uint32_t e = entries + 1; !whole && e < j.nodes[entries].next; e = j.nodes[e].next) {
        uint32_t resource = med_json_member(&j, e, MED_STR("resource"));
        if (resource != 0)
            add_resource(b, &j, entries, resource);
    }
    med_buf_free(&raw);
    med_arena_free(a);
}

static void collect_names(names *n, const bundle *b, enum kind kind)
{
    const patch *patches = b->patches.at;
    for (size_t i = 0; i < b->patches.n; i++) {
        if (patches[i].kind != kind)
            continue;
        med_str *name = add(&n->all, sizeof *name);
        *name = med_str_sub(med_buf_str(&b->text), patches[i].at, patches[i].at + patches[i].len);
    }
}

/* ---- writing ---- */

static void write_uuid(copier *c, med_str old)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t h[16];
    med_siphash128(c->key, old, h);
    h[6] = (uint8_t)((h[6] & 0x0f) | 0x40);
    h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
    char text[UUID];
    for (size_t i = 0, at = 0; i < sizeof h; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[h[i] >> 4];
        text[at++] = digits[h[i] & 15];
    }
    med_buf_add(&c->out, (med_str){text, sizeof text});
}

static int number(med_str digits)
{
    int n = 0;
    for (size_t i = 0; i < digits.len; i++)
        n = n * 10 + (digits.ptr[i] - '0');
    return n;
}

static void write_day(copier *c, med_str old)
{
    int year, month, day;
    int64_t days =
        med_days_from_civil(number(med_str_sub(old, 0, 4)), number(med_str_sub(old, 5, 7)),
                            number(med_str_skip(old, 8)));
    med_civil_from_days(days + c->days, &year, &month, &day);
    char text[] = "0000-00-00";
    for (int i = 3; i >= 0; i--, year /= 10)
        text[i] = (char)('0' + year % 10);
    text[5] = (char)('0' + month / 10);
    text[6] = (char)('0' + month % 10);
    text[8] = (char)('0' + day / 10);
    text[9] = (char)('0' + day % 10);
    med_buf_add(&c->out, (med_str){text, DAY});
}

static void write_digits(copier *c, med_str old)
{
    uint64_t h = med_siphash(c->key, old);
    for (size_t i = 0; i < old.len; i++) {
        med_buf_addc(&c->out, is_digit(old.ptr[i]) ? (char)('0' + h % 10) : old.ptr[i]);
        h = is_digit(old.ptr[i]) ? (h / 10) ^ (h << 59) : h;
    }
}

static void write_name(copier *c, const names *n, med_str old)
{
    const med_str *all = n->all.at;
    med_buf_add(&c->out, all[med_siphash(c->key, old) % n->all.n]);
}

static void write_patch(copier *c, enum kind kind, med_str old)
{
    switch (kind) {
    case PATCH_UUID:
        write_uuid(c, old);
        return;
    case PATCH_DAY:
        write_day(c, old);
        return;
    case PATCH_FAMILY:
        write_name(c, c->families, old);
        return;
    case PATCH_GIVEN:
        write_name(c, c->givens, old);
        return;
    case PATCH_DIGITS:
        write_digits(c, old);
        return;
    }
}

static void write_line(copier *c, const bundle *b, const line *l)
{
    const patch *patches = b->patches.at;
    med_str text = med_buf_str(&b->text);
    size_t at = l->from;
    med_buf_clear(&c->out);
    for (size_t i = l->first; i < l->end; i++) {
        size_t end = patches[i].at + patches[i].len;
        med_buf_add(&c->out, med_str_sub(text, at, patches[i].at));
        write_patch(c, patches[i].kind, med_str_sub(text, patches[i].at, end));
        at = end;
    }
    med_buf_add(&c->out, med_str_sub(text, at, l->to));
    if (c->out.failed || fwrite(c->out.ptr, 1, c->out.len, stdout) != c->out.len)
        die("can not write", MED_STR_EMPTY);
}

/* One copy of one Bundle, but not more than `most` resources; returns how many it wrote. */
static uint64_t write_copy(copier *c, const bundle *b, uint64_t seed, uint64_t copy, uint64_t most)
{
    const line *lines = b->lines.at;
    uint64_t written = 0;
    c->key = (med_hash_key){seed, copy};
    uint64_t h = med_siphash(c->key, MED_STR("days"));
    c->days = (int)(h % (2 * SHIFT + 1)) - SHIFT;
    for (size_t i = 0; i < b->lines.n && written < most; i++) {
        write_line(c, b, &lines[i]);
        written += lines[i].resources;
    }
    return written;
}

static void write_all(const bundle *bundles, size_t n, copier *c, uint64_t seed, uint64_t count)
{
    uint64_t written = 0;
    med_buf_init(&c->out, MED_JSON_MAX_BYTES);
    for (uint64_t copy = 0; copy < n || written < count; copy++) {
        if (count > 0 && written >= count)
            break;
        written +=
            write_copy(c, &bundles[copy % n], seed, copy, count > 0 ? count - written : UINT64_MAX);
    }
    med_buf_free(&c->out);
    (void)fflush(stdout);
    (void)fprintf(stderr, "renumber: %lu resources\n", (unsigned long)written);
}

static uint64_t take_number(const char *text)
{
    int64_t n = 0;
    if (text == NULL || !med_str_to_int64(med_str_from(text), &n) || n < 0)
        die("not a number", text == NULL ? MED_STR_EMPTY : med_str_from(text));
    return (uint64_t)n;
}

static void free_bundles(list *bundles)
{
    bundle *b = bundles->at;
    for (size_t i = 0; i < bundles->n; i++) {
        med_buf_free(&b[i].text);
        med_free(b[i].lines.at);
        med_free(b[i].patches.at);
    }
    med_free(b);
}

int main(int argc, char **argv)
{
    static names families, givens;
    uint64_t seed = 1, count = 0;
    bool whole = false;
    list bundles = {0};
    for (int i = 1; i < argc; i++) {
        med_str word = med_str_from(argv[i]);
        if (med_str_eqz(word, "--count"))
            count = take_number(argv[++i]);
        else if (med_str_eqz(word, "--seed"))
            seed = take_number(argv[++i]);
        else if (med_str_eqz(word, "--bundles"))
            whole = true;
        else {
            bundle *b = add(&bundles, sizeof *b);
            *b = (bundle){0};
            read_bundle(b, word, whole);
            collect_names(&families, b, PATCH_FAMILY);
            collect_names(&givens, b, PATCH_GIVEN);
        }
    }
    if (bundles.n == 0)
        die("usage", MED_STR("renumber [--count N] [--seed N] [--bundles] BUNDLE..."));
    copier c = {.families = &families, .givens = &givens};
    write_all(bundles.at, bundles.n, &c, seed, count);
    free_bundles(&bundles);
    med_free(families.all.at);
    med_free(givens.all.at);
    return 0;
}
