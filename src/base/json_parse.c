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

enum { BYTES_A_NODE = 10, MAX_COUNT = (1 << 28) - 1 };

/* What is wrong: told by json_explain.c when all is over. */
enum fault {
    FAULT_VALUE,
    FAULT_STRING,
    FAULT_FIRST_KEY,
    FAULT_KEY,
    FAULT_DUPLICATE,
    FAULT_COLON,
    FAULT_BEHIND_MEMBER,
    FAULT_BEHIND_ELEMENT,
    FAULT_DEPTH,
    FAULT_COUNT,
    FAULT_BEHIND_ALL,
    FAULT_MEMORY,
};

struct level {
    uint64_t seen;    /* one bit a key: those of the object so far, by fingerprint */
    const char *open; /* its first brace */
    uint32_t node;
    uint32_t count;
    uint8_t kind;
    char close; /* the brace that ends it */
};

struct parser {
    const char *start, *end;
    med_json_node *nodes;
    med_json_node *last_pair; /* up to here two more nodes fit */
    med_arena *arena;
    struct med_json_keys keys;
    const char *fault_at;
    enum fault fault;
    struct level levels[MED_JSON_DEPTH + 1];
};

/* What changes with every token. Its address goes to inlined functions only, so that it lives
 * in registers. */
struct cursor {
    const char *p, *start, *end, *blocks_end;
    med_json_node *node; /* where the next one goes */
    uint32_t n;          /* its index */
    struct level *level; /* the innermost container; s->levels[0] stands for the document */
    bool braced;         /* known when compiling: the text ends in a closing brace */
};

__attribute__((noinline, cold)) static bool stop(struct parser *s, const char *at, enum fault fault)
{
    s->fault_at = at;
    s->fault = fault;
    return false;
}

/* Each node but the one or two now due stands behind its own ',', ':', '[' or '{'. */
static size_t most_nodes(const char *p, const char *end)
{
    size_t n = 0;
    for (; p < end; p++)
        n += *p == ',' || *p == ':' || *p == '[' || *p == '{';
    return n + 2;
}

MED_JSON_APART bool grow(struct parser *s, const char *p, uint32_t n)
{
    size_t cap = n + most_nodes(p, s->end);
    med_json_node *nodes = MED_TAKE(s->arena, cap, med_json_node);
    if (nodes == NULL)
        return stop(s, p, FAULT_MEMORY);
    memcpy(nodes, s->nodes, n * sizeof *nodes);
    s->nodes = nodes;
    s->last_pair = nodes + cap - 2;
    return true;
}

/* Room for a key and a value. */
MED_JSON_HOT bool reserve(struct parser *s, struct cursor *c)
{
    if (MED_JSON_LIKELY(c->node <= s->last_pair))
        return true;
    bool good = grow(s, c->p, c->n);
    c->node = s->nodes + c->n;
    return good;
}

/* The first byte at or behind p that is no white space, and p goes there; 0 at the end. */
MED_JSON_HOT char peek_checked(struct cursor *c)
{
    unsigned char byte = json_peek(c->p, c->end);
    if (MED_JSON_LIKELY(byte > ' '))
        return (char)byte;
    c->p = json_skip_space(c->p, c->end);
    return (char)json_peek(c->p, c->end);
}

/* The same where, if the text ends in a brace, p is not behind that brace: nowhere but behind
 * a container that closed can it be. Saves a comparison a token. */
MED_JSON_HOT char peek(struct cursor *c)
{
    if (!c->braced)
        return peek_checked(c);
    if (MED_JSON_LIKELY((unsigned char)*c->p > ' '))
        return *c->p;
    c->p = json_skip_space(c->p, c->end);
    return *c->p;
}

/* True if `byte` is the next one but white space, and p goes there. Looks for it first, as it
 * nearly always is there and no white space is in between. */
MED_JSON_HOT bool next_is(struct cursor *c, char byte)
{
    if (c->braced && MED_JSON_LIKELY(*c->p == byte))
        return true;
    return peek(c) == byte;
}

/* A node of the bytes [from, to). */
MED_JSON_HOT void push(struct cursor *c, enum med_json_kind kind, const char *from, const char *to)
{
    *c->node++ = (med_json_node){
        .at = (uint32_t)(from - c->start),
        .len = (uint32_t)(to - from),
        .next = ++c->n,
        .kind = kind & 7u,
    };
}

/* ---- keys ---- */

MED_JSON_HOT med_str name_of(const struct parser *s, uint32_t k)
{
    return (med_str){s->start + s->nodes[k].at, s->nodes[k].len};
}

/* Compares the key at node `last` with the others of its (small) object. */
MED_JSON_APART bool compare_keys(struct parser *s, const struct level *level, uint32_t last)
{
    bool escaped = s->nodes[last].escaped;
    med_str name = name_of(s, last);
    for (uint32_t k = level->node + 1; k < last; k = s->nodes[k + 1].next) {
        MED_JSON_COUNT_STEP();
        const med_json_node *node = &s->nodes[k];
        bool plain = !escaped && !node->escaped;
        if (plain && node->len != name.len)
            continue;
        if (med_json_text_eq(name_of(s, k), node->escaped, name, escaped))
            return stop(s, name.ptr, FAULT_DUPLICATE);
    }
    return true;
}

/* A bit for the key in [p, quote). Also reads the quotes around it, which are always there. The
 * factors were chosen to tell keys of FHIR apart: 1 in 2,000 meets another one's bit. */
MED_JSON_HOT uint64_t fingerprint(const char *p, const char *quote)
{
    unsigned first = (unsigned char)p[0], last = (unsigned char)quote[-1];
    return (uint64_t)1 << ((2 * first + 5 * last + 8 * (unsigned)(quote - p)) & 63);
}

/* Refuses a duplicate at once in a small object; a large one is checked when it closes. */
MED_JSON_HOT bool note_key(struct parser *s, struct cursor *c, const char *p, const char *quote)
{
    struct level *level = c->level;
    if (++level->count > MED_JSON_SMALL_OBJECT)
        return true;
    uint64_t seen = level->seen, bit = fingerprint(p, quote);
    level->seen = seen | bit;
    return MED_JSON_LIKELY((seen & bit) == 0) || compare_keys(s, level, c->n - 1);
}

/* Puts all keys of the object that closes into a hash table. Linear, whatever the keys are. */
MED_JSON_APART bool check_large(struct parser *s, const struct level *level, uint32_t n)
{
    size_t size = med_json_keys_size(level->count);
    if (size > s->keys.cap) { /* the next larger power of two: all tables together are linear */
        s->keys.slots = MED_TAKE(s->arena, size, uint64_t);
        if (s->keys.slots == NULL)
            return stop(s, s->end, FAULT_MEMORY);
        s->keys.cap = size;
    }
    med_json_keys_begin(&s->keys, level->count);
    med_json j = {.text = {s->start, (size_t)(s->end - s->start)}, .nodes = s->nodes, .n = n};
    for (uint32_t k = level->node + 1; k < n; k = s->nodes[k + 1].next)
        if (med_json_keys_find(&s->keys, &j, &j, k, true) != 0)
            return stop(s, name_of(s, k).ptr, FAULT_DUPLICATE);
    return true;
}

/* A string with an escape or a character above U+007F, or none at all. */
MED_JSON_HOT bool read_special(struct parser *s, struct cursor *c, const char *special, bool is_key)
{
    struct json_string_end rest = json_scan_special(special, c->end, c->blocks_end);
    if (rest.quote == NULL)
        return stop(s, c->p, FAULT_STRING);
    push(c, MED_JSON_STRING, c->p, rest.quote);
    c->p = rest.quote + 1;
    if (!rest.escaped)
        return true;
    c->node[-1].escaped = 1;
    if (is_key) /* fingerprints are taken before escapes are undone: trust them no more */
        c->level->seen = UINT64_MAX;
    return true;
}

/* The string whose quote is at p; goes behind it. */
MED_JSON_HOT bool read_string(struct parser *s, struct cursor *c, bool is_key)
{
    c->p++;
    const char *quote = json_skip_plain(c->p, c->end, c->blocks_end);
    if (!MED_JSON_LIKELY(json_peek(quote, c->end) == '"'))
        return read_special(s, c, quote, is_key);
    push(c, MED_JSON_STRING, c->p, quote);
    c->p = quote + 1;
    return true;
}

/* Reads `"key":` and goes to where the value begins. */
MED_JSON_HOT bool read_key(struct parser *s, struct cursor *c, enum fault otherwise)
{
    if (!next_is(c, '"'))
        return stop(s, c->p, otherwise);
    const char *key = c->p + 1;
    if (!read_string(s, c, true) || !note_key(s, c, key, c->p - 1))
        return false;
    if (!next_is(c, ':'))
        return stop(s, c->p, FAULT_COLON);
    c->p++;
    return true;
}

/* ---- values ---- */

MED_JSON_HOT bool read_word(struct parser *s, struct cursor *c, const char *word, size_t n,
                            enum med_json_kind kind)
{
    if (!json_is_word(c->p, c->end, word, n))
        return stop(s, c->p, FAULT_VALUE);
    push(c, kind, c->p, c->p + n);
    c->p += n;
    return true;
}

/* A number, true, false or null, which begins with `first`. */
MED_JSON_HOT bool read_scalar(struct parser *s, struct cursor *c, char first)
{
    if (first == 't')
        return read_word(s, c, "true", 4, MED_JSON_TRUE);
    if (first == 'f')
        return read_word(s, c, "false", 5, MED_JSON_FALSE);
    if (first == 'n')
        return read_word(s, c, "null", 4, MED_JSON_NULL);
    const char *number = c->p;
    const char *behind =
        med_is_digit(first) || first == '-' ? json_scan_number(number, c->end) : NULL;
    if (behind == NULL)
        return stop(s, number, FAULT_VALUE);
    push(c, MED_JSON_NUMBER, number, behind);
    c->p = behind;
    return true;
}

/* The container whose closing brace is at p ends. */
MED_JSON_HOT bool close_container(struct parser *s, struct cursor *c)
{
    struct level *level = c->level--;
    if (level->count > MED_JSON_SMALL_OBJECT) {
        if (level->close == '}' && !check_large(s, level, c->n))
            return false;
        if (level->count > MAX_COUNT)
            return stop(s, c->p, FAULT_COUNT);
    }
    c->p++;
    /* The whole node anew: reading back parts of it would stall on the stores not yet done. */
    s->nodes[level->node] = (med_json_node){
        .at = (uint32_t)(level->open - c->start),
        .len = (uint32_t)(c->p - level->open),
        .next = c->n,
        .kind = level->kind & 7u,
        .count = level->count & MAX_COUNT,
    };
    return true;
}

/* From a comma to the next value. */
MED_JSON_HOT bool go_past_comma(struct parser *s, struct cursor *c)
{
    c->p++;
    if (!reserve(s, c))
        return false;
    if (c->level->close == '}')
        return read_key(s, c, FAULT_KEY);
    c->level->count++;
    return true;
}

MED_JSON_HOT enum fault fault_behind(const struct cursor *c)
{
    return c->level->close == '}' ? FAULT_BEHIND_MEMBER : FAULT_BEHIND_ELEMENT;
}

/* From behind a container, which may end the text: closes what ends here, too, and goes to the
 * next value. With c->level == s->levels the document's value has ended. */
MED_JSON_HOT bool go_on_behind_container(struct parser *s, struct cursor *c)
{
    while (c->level != s->levels) {
        char byte = peek_checked(c);
        if (byte == ',')
            return go_past_comma(s, c);
        if (byte != c->level->close)
            return stop(s, c->p, fault_behind(c));
        if (!close_container(s, c))
            return false;
    }
    return true;
}

/* The same from behind a scalar. */
MED_JSON_HOT bool go_on(struct parser *s, struct cursor *c)
{
    if (c->level == s->levels)
        return true;
    if (next_is(c, ','))
        return go_past_comma(s, c);
    if (peek(c) != c->level->close)
        return stop(s, c->p, fault_behind(c));
    return close_container(s, c) && go_on_behind_container(s, c);
}

/* Opens the container at p and goes to its first value, or behind it if it is empty. */
MED_JSON_HOT bool open_container(struct parser *s, struct cursor *c, char close)
{
    if (c->level == s->levels + MED_JSON_DEPTH)
        return stop(s, c->p, FAULT_DEPTH);
    struct level *level = ++c->level;
    level->seen = 0;
    level->node = c->n;
    level->count = 0;
    level->open = c->p++;
    level->kind = close == '}' ? MED_JSON_OBJECT : MED_JSON_ARRAY;
    level->close = close;
    c->node++; /* written when it closes */
    c->n++;
    if (next_is(c, close))
        return close_container(s, c) && go_on_behind_container(s, c);
    if (!reserve(s, c))
        return false;
    if (close == '}')
        return read_key(s, c, FAULT_FIRST_KEY);
    level->count = 1;
    return true;
}

/* The whole document. */
MED_JSON_HOT bool read_document(struct parser *s, struct cursor *out, bool braced)
{
    struct cursor c = *out;
    bool good = true;
    c.braced = braced;
    do {
        char first = peek(&c);
        if (first == '"')
            good = read_string(s, &c, false) && go_on(s, &c);
        else if ((first | 0x20) == '{') /* or '[' */
            good = open_container(s, &c, (char)(first + 2));
        else
            good = read_scalar(s, &c, first) && go_on(s, &c);
    } while (good && c.level != s->levels);
    *out = c;
    return good;
}

MED_JSON_APART bool read_braced(struct parser *s, struct cursor *c)
{
    return read_document(s, c, true);
}

/* A lone scalar, or a text that is cut short. */
MED_JSON_APART bool read_unbraced(struct parser *s, struct cursor *c)
{
    return read_document(s, c, false);
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

static bool tell(const struct parser *s, med_json_error *where, med_err *err)
{
    med_str text = {s->start, (size_t)(s->end - s->start)};
    const char *at = s->fault_at;
    const char *what = NULL;
    switch (s->fault) {
    case FAULT_VALUE:
        return med_json_explain_value(text, at, where, err);
    case FAULT_STRING:
        return med_json_explain_string(text, at, where, err);
    case FAULT_FIRST_KEY:
    case FAULT_KEY:
        return med_json_explain_key(text, at, s->fault == FAULT_FIRST_KEY, where, err);
    case FAULT_BEHIND_MEMBER:
    case FAULT_BEHIND_ELEMENT:
        return med_json_explain_behind(text, at, s->fault == FAULT_BEHIND_MEMBER, where, err);
    case FAULT_MEMORY:
        return MED_FAIL_MEMORY(err);
    case FAULT_DUPLICATE:
        what = "expected another key: this object has a member of that name already";
        break;
    case FAULT_COLON:
        what = "expected ':' behind a key";
        break;
    case FAULT_DEPTH:
        what = "nested deeper than 64 levels";
        break;
    case FAULT_COUNT:
        what = "too many members or elements";
        break;
    case FAULT_BEHIND_ALL:
        what = "expected nothing behind the JSON value";
        if (at[-1] == '0' && med_is_digit(*at))
            what = "a number has no leading zeros";
        break;
    }
    return med_json_explain(text, at, what, where, err);
}

bool med_json_parse(med_arena *a, med_str text, med_json *out, med_json_error *where, med_err *err)
{
    if (!check_start(text, where, err))
        return false;
    size_t cap = text.len / BYTES_A_NODE + 16;
    struct parser s __attribute__((uninitialized)); /* 1.6 KB that are not read before written */
    s.start = text.ptr;
    s.end = text.ptr + text.len;
    while (s.end > s.start && med_is_space(s.end[-1]))
        s.end--;
    s.nodes = MED_TAKE(a, cap, med_json_node);
    if (s.nodes == NULL)
        return MED_FAIL_MEMORY(err);
    s.last_pair = s.nodes + cap - 2;
    s.arena = a;
    s.keys = (struct med_json_keys){0};
    struct cursor c = {.p = text.ptr,
                       .start = text.ptr,
                       .end = s.end,
                       .blocks_end = json_blocks_end(s.start, s.end),
                       .node = s.nodes,
                       .level = s.levels};
    bool braced = s.end > s.start && (s.end[-1] == '}' || s.end[-1] == ']');
    bool good = braced ? read_braced(&s, &c) : read_unbraced(&s, &c);
    if (good && (peek_checked(&c) != 0 || c.p != s.end))
        good = stop(&s, c.p, FAULT_BEHIND_ALL);
    if (!good)
        return tell(&s, where, err);
    *out = (med_json){.text = text, .nodes = s.nodes, .n = c.n};
    return true;
}
