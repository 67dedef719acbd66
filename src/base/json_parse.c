/* json_parse.c - text to tape. https://www.rfc-editor.org/rfc/rfc8259
 *
 * One loop over the values, with the open containers on a fixed stack. The loop knows only
 * that something is wrong; json_explain.c says what. Nodes are written in document order into
 * an array that is guessed from the length of the text and, when that was too small, grown
 * once more to what the rest of the text can need at most. */
#include "base/json_explain.h"
#include "base/json_keys.h"
#include "base/json_scan.h"
#include "base/json_text.h"

/* Tests count comparisons of keys, to see that the work stays linear. */
#ifndef MED_JSON_COUNT_STEP
#define MED_JSON_COUNT_STEP() ((void)0)
#endif

enum { BYTES_A_NODE = 16, MAX_COUNT = (1 << 28) - 1 };

struct level {
    uint64_t seen; /* one bit a key: those of the object so far, by fingerprint */
    uint32_t node;
    uint32_t count;
    bool is_object;
};

struct parser {
    const char *start, *end;
    med_json_node *nodes;
    uint32_t n;
    uint32_t cap;
    struct level *level; /* the innermost container; levels[0] stands for the document */
    struct level levels[MED_JSON_DEPTH + 1];
    med_str text;
    med_arena *arena;
    struct med_json_keys keys;
    med_json_error *where;
    med_err *err;
};

/* Each node but the one or two now due stands behind its own ',', ':', '[' or '{'. */
static size_t most_nodes(const char *p, const char *end)
{
    size_t n = 0;
    for (; p < end; p++)
        n += *p == ',' || *p == ':' || *p == '[' || *p == '{';
    return n + 2;
}

MED_JSON_COLD static bool grow(struct parser *s, const char *p)
{
    size_t cap = s->n + most_nodes(p, s->end);
    med_json_node *nodes = MED_TAKE(s->arena, cap, med_json_node);
    if (nodes == NULL)
        return MED_FAIL_MEMORY(s->err);
    memcpy(nodes, s->nodes, s->n * sizeof *nodes);
    s->nodes = nodes;
    s->cap = (uint32_t)cap;
    return true;
}

/* Room for a key and a value. */
MED_JSON_HOT bool reserve(struct parser *s, const char *p)
{
    return s->cap - s->n >= 2 || grow(s, p);
}

MED_JSON_HOT void push(struct parser *s, enum med_json_kind kind, const char *from, const char *to,
                       bool escaped)
{
    s->nodes[s->n] = (med_json_node){
        .at = (uint32_t)(from - s->start),
        .len = (uint32_t)(to - from),
        .next = s->n + 1,
        .kind = kind & 7u,
        .escaped = escaped,
    };
    s->n++;
}

/* ---- keys ---- */

MED_JSON_COLD static const char *fail_duplicate(struct parser *s, uint32_t k)
{
    med_json_explain(s->text, s->start + s->nodes[k].at,
                     "expected another key: this object has a member of that name already",
                     s->where, s->err);
    return NULL;
}

MED_JSON_HOT med_str name_of(const struct parser *s, uint32_t k)
{
    return (med_str){s->start + s->nodes[k].at, s->nodes[k].len};
}

/* Compares the last key with the others of its (small) object. */
__attribute__((noinline)) static bool compare_keys(struct parser *s)
{
    uint32_t last = s->n - 1;
    bool escaped = s->nodes[last].escaped;
    if (escaped) /* fingerprints are taken before escapes are undone: trust them no more */
        s->level->seen = UINT64_MAX;
    med_str name = name_of(s, last);
    for (uint32_t k = s->level->node + 1; k < last; k = s->nodes[k + 1].next) {
        MED_JSON_COUNT_STEP();
        if (med_json_text_eq(name_of(s, k), s->nodes[k].escaped, name, escaped))
            return false;
    }
    return true;
}

/* A bit for the key in [p, quote). Also reads the quotes around it, which are always there. */
MED_JSON_HOT uint64_t fingerprint(const char *p, const char *quote)
{
    uint32_t mix = (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)quote[-1] << 8
                   | (uint32_t)(quote - p) << 16;
    return (uint64_t)1 << (mix * 0x9e3779b1u >> 26);
}

/* Refuses a duplicate at once in a small object; a large one is checked when it closes. */
MED_JSON_HOT bool note_key(struct parser *s, const char *p, const char *quote, bool escaped)
{
    struct level *level = s->level;
    if (++level->count > MED_JSON_SMALL_OBJECT)
        return true;
    uint64_t bit = fingerprint(p, quote);
    if ((level->seen & bit) != 0 || escaped)
        return compare_keys(s);
    level->seen |= bit;
    return true;
}

/* Puts all keys of the object that closes into a hash table. Linear, whatever the keys are. */
__attribute__((noinline)) static bool check_large(struct parser *s)
{
    size_t size = med_json_keys_size(s->level->count);
    if (size > s->keys.cap) { /* the next larger power of two: all tables together are linear */
        s->keys.slots = MED_TAKE(s->arena, size, uint64_t);
        if (s->keys.slots == NULL)
            return MED_FAIL_MEMORY(s->err);
        s->keys.cap = size;
    }
    med_json_keys_begin(&s->keys, s->level->count);
    med_json j = {.text = s->text, .nodes = s->nodes, .n = s->n};
    for (uint32_t k = s->level->node + 1; k < s->n; k = s->nodes[k + 1].next)
        if (med_json_keys_find(&s->keys, &j, &j, k, true) != 0)
            return fail_duplicate(s, k) != NULL;
    return true;
}

/* Reads `"key":` at p; returns where the value begins, or NULL. */
MED_JSON_HOT const char *read_key(struct parser *s, const char *p, bool first)
{
    if (json_peek(p, s->end) != '"') {
        med_json_explain_key(s->text, p, first, s->where, s->err);
        return NULL;
    }
    bool escaped;
    const char *quote = json_scan_string(p + 1, s->end, &escaped);
    if (quote == NULL) {
        med_json_explain_string(s->text, p + 1, s->where, s->err);
        return NULL;
    }
    push(s, MED_JSON_STRING, p + 1, quote, escaped);
    if (!note_key(s, p + 1, quote, escaped))
        return fail_duplicate(s, s->n - 1);
    p = json_skip_space(quote + 1, s->end);
    if (json_peek(p, s->end) != ':') {
        med_json_explain(s->text, p, "expected ':' behind a key", s->where, s->err);
        return NULL;
    }
    return json_skip_space(p + 1, s->end);
}

/* ---- values ---- */

MED_JSON_HOT const char *read_string(struct parser *s, const char *p)
{
    bool escaped;
    const char *quote = json_scan_string(p + 1, s->end, &escaped);
    if (quote == NULL) {
        med_json_explain_string(s->text, p + 1, s->where, s->err);
        return NULL;
    }
    push(s, MED_JSON_STRING, p + 1, quote, escaped);
    return quote + 1;
}

static inline const char *read_word(struct parser *s, const char *p)
{
    static const struct {
        char text[6];
        uint8_t len;
        uint8_t kind;
    } words[] = {
        {"true", 4, MED_JSON_TRUE}, {"false", 5, MED_JSON_FALSE}, {"null", 4, MED_JSON_NULL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if ((size_t)(s->end - p) < words[i].len || memcmp(p, words[i].text, words[i].len) != 0)
            continue;
        push(s, (enum med_json_kind)words[i].kind, p, p + words[i].len, false);
        return p + words[i].len;
    }
    med_json_explain_value(s->text, p, s->where, s->err);
    return NULL;
}

/* A number, true, false or null. */
MED_JSON_HOT const char *read_scalar(struct parser *s, const char *p)
{
    if (p == s->end || !(med_is_digit(*p) || *p == '-'))
        return read_word(s, p);
    const char *behind = json_scan_number(p, s->end);
    if (behind == NULL) {
        med_json_explain_value(s->text, p, s->where, s->err);
        return NULL;
    }
    push(s, MED_JSON_NUMBER, p, behind, false);
    return behind;
}

/* The container whose closing brace is at p ends. */
MED_JSON_HOT const char *close_container(struct parser *s, const char *p)
{
    struct level *level = s->level;
    if (level->is_object && level->count > MED_JSON_SMALL_OBJECT && !check_large(s))
        return NULL;
    if (level->count > MAX_COUNT) {
        med_json_explain(s->text, p, "too many members or elements", s->where, s->err);
        return NULL;
    }
    med_json_node *node = &s->nodes[level->node];
    node->len = (uint32_t)(p + 1 - s->start) - node->at;
    node->next = s->n;
    node->count = level->count & MAX_COUNT;
    s->level--;
    return p + 1;
}

/* Opens the container at p. Returns where its first value stands; or, when it is empty, what
 * is behind it, with *empty set; or NULL. */
MED_JSON_HOT const char *open_container(struct parser *s, const char *p, bool *empty)
{
    if (s->level == s->levels + MED_JSON_DEPTH) {
        med_json_explain(s->text, p, "nested deeper than 64 levels", s->where, s->err);
        return NULL;
    }
    bool is_object = *p == '{';
    *++s->level = (struct level){.node = s->n, .is_object = is_object};
    push(s, is_object ? MED_JSON_OBJECT : MED_JSON_ARRAY, p, p + 1, false);
    p = json_skip_space(p + 1, s->end);
    *empty = json_peek(p, s->end) == (is_object ? '}' : ']');
    if (*empty)
        return close_container(s, p);
    if (!reserve(s, p))
        return NULL;
    if (is_object)
        return read_key(s, p, true);
    s->level->count = 1;
    return p;
}

/* From behind a value: closes what ends here and goes to the next value. Returns NULL on a
 * fault; with s->level == s->levels the document's value has ended. */
MED_JSON_HOT const char *go_on(struct parser *s, const char *p)
{
    while (s->level != s->levels) {
        p = json_skip_space(p, s->end);
        unsigned char c = json_peek(p, s->end);
        bool in_object = s->level->is_object;
        if (c == ',') {
            p = json_skip_space(p + 1, s->end);
            if (!reserve(s, p))
                return NULL;
            if (in_object)
                return read_key(s, p, false);
            s->level->count++;
            return p;
        }
        if (c != (in_object ? '}' : ']')) {
            med_json_explain_behind(s->text, p, in_object, s->where, s->err);
            return NULL;
        }
        p = close_container(s, p);
        if (p == NULL)
            return NULL;
    }
    return p;
}

/* The whole document. Leaves what stands behind its value, or NULL. */
static const char *read_document(struct parser *s, const char *p)
{
    do {
        unsigned char c = json_peek(p, s->end);
        if (c == '"') {
            p = read_string(s, p);
        } else if (c == '{' || c == '[') {
            bool empty = false;
            p = open_container(s, p, &empty);
            if (p != NULL && !empty)
                continue;
        } else {
            p = read_scalar(s, p);
        }
        if (p != NULL)
            p = go_on(s, p);
    } while (p != NULL && s->level != s->levels);
    return p;
}

/* ---- the text as a whole ---- */

static bool begins_with(med_str text, const char *bytes, size_t n)
{
    return text.len >= n && memcmp(text.ptr, bytes, n) == 0;
}

static bool check_start(med_str text, med_json_error *where, med_err *err)
{
    if (text.len > MED_JSON_MAX_BYTES)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "JSON of %zu bytes; at most %zu", text.len,
                        MED_JSON_MAX_BYTES);
    if (begins_with(text, "\xef\xbb\xbf", 3))
        return med_json_explain(text, text.ptr,
                                "the text begins with a byte order mark (EF BB BF); send UTF-8 "
                                "without one",
                                where, err);
    if (begins_with(text, "\xff\xfe", 2) || begins_with(text, "\xfe\xff", 2)
        || begins_with(text, "{\0", 2) || begins_with(text, "\0{", 2))
        return med_json_explain(text, text.ptr, "the text is UTF-16 or UTF-32; send UTF-8", where,
                                err);
    return true;
}

static bool check_end(struct parser *s, const char *p)
{
    p = json_skip_space(p, s->end);
    if (p == s->end)
        return true;
    if (p[-1] == '0' && med_is_digit(*p))
        return med_json_explain(s->text, p, "a number has no leading zeros", s->where, s->err);
    return med_json_explain(s->text, p, "expected nothing behind the JSON value", s->where, s->err);
}

bool med_json_parse(med_arena *a, med_str text, med_json *out, med_json_error *where, med_err *err)
{
    if (!check_start(text, where, err))
        return false;
    size_t cap = text.len / BYTES_A_NODE + 16;
    struct parser s;
    s.start = text.ptr;
    s.end = text.ptr + text.len;
    s.nodes = MED_TAKE(a, cap, med_json_node);
    s.n = 0;
    s.cap = (uint32_t)cap;
    s.level = s.levels;
    s.levels[0] = (struct level){0};
    s.text = text;
    s.arena = a;
    s.keys = (struct med_json_keys){0};
    s.where = where;
    s.err = err;
    if (s.nodes == NULL)
        return MED_FAIL_MEMORY(err);
    const char *p = read_document(&s, json_skip_space(s.start, s.end));
    if (p == NULL || !check_end(&s, p))
        return false;
    *out = (med_json){.text = text, .nodes = s.nodes, .n = s.n};
    return true;
}
