/* json.h - a zero-copy tape over JSON text (RFC 8259, restricted as FHIR JSON needs it).
 *
 * med_json_parse checks everything once (UTF-8, grammar, depth <= MED_JSON_DEPTH, no duplicate
 * keys, no text behind the value) and leaves a flat array of 16-byte nodes in document order.
 * Refused, too: a byte order mark, NUL (also as \u0000: FHIR strings may not hold it), half a
 * surrogate pair, control characters that are not escaped. All in time linear in the text.
 * Numbers keep their text. Nothing is copied: nodes name bytes of the input, which must
 * outlive the tape. A parsed tape is read only and may be shared between threads.
 *
 * Shape: an OBJECT node is followed by its members, each a key node (STRING) and its value;
 * an ARRAY node by its elements. `next` is the index of the node behind the whole subtree, so
 *     for (uint32_t k = i + 1; k < j->nodes[i].next; k = j->nodes[k + 1].next)
 *         // key is node k, value is node k + 1
 *     for (uint32_t e = i + 1; e < j->nodes[i].next; e = j->nodes[e].next) // elements */
#ifndef MED_BASE_JSON_H
#define MED_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { MED_JSON_DEPTH = 64 };
#define MED_JSON_MAX_BYTES ((size_t)1 << 30)

enum med_json_kind {
    MED_JSON_NULL,
    MED_JSON_FALSE,
    MED_JSON_TRUE,
    MED_JSON_NUMBER,
    MED_JSON_STRING,
    MED_JSON_ARRAY,
    MED_JSON_OBJECT,
};

typedef struct med_json_node {
    uint32_t at;          /* offset of the first byte; of a string: behind the quote */
    uint32_t len;         /* bytes; of a string: without quotes, escapes not undone */
    uint32_t next;        /* index of the node behind this value and all inside it */
    uint32_t kind : 3;    /* enum med_json_kind */
    uint32_t escaped : 1; /* a string with at least one backslash */
    uint32_t count : 28;  /* members of an object, elements of an array */
} med_json_node;

typedef struct med_json {
    med_str text;
    const med_json_node *nodes; /* nodes[0] is the root */
    uint32_t n;
} med_json;

typedef struct med_json_error {
    size_t offset;
    size_t line, column; /* both from 1; column in bytes */
} med_json_error;

/* Nodes come from `a`. On failure err->issue is MED_ISSUE_INVALID with line and column in the
 * text (MED_ISSUE_TOO_COSTLY past the arena's ceiling) and *where, if not NULL, is filled. */
bool med_json_parse(med_arena *a, med_str text, med_json *out, med_json_error *where,
                    med_err *err) MED_MUST_CHECK;

static inline enum med_json_kind med_json_kind_at(const med_json *j, uint32_t i)
{
    return (enum med_json_kind)j->nodes[i].kind;
}
/* The node's bytes as received (a string without its quotes and with its escapes). */
static inline med_str med_json_raw(const med_json *j, uint32_t i)
{
    return (med_str){j->text.ptr + j->nodes[i].at, j->nodes[i].len};
}
/* A value's whole text in the document, quotes included. */
med_str med_json_span(const med_json *j, uint32_t i);
/* A string's content with escapes undone: the raw slice if there are none, else a copy in `a`.
 * False past the arena's ceiling. */
bool med_json_string(med_arena *a, const med_json *j, uint32_t i, med_str *out) MED_MUST_CHECK;
/* The same without an arena, for short strings: escapes are undone into `to`. False when the
 * string has escapes and more than `room` bytes. */
bool med_json_string_into(const med_json *j, uint32_t i, char *to, size_t room,
                          med_str *out) MED_MUST_CHECK;
/* True if string node i, escapes undone, equals s. */
bool med_json_string_is(const med_json *j, uint32_t i, med_str s);
/* Index of the value of member `key` of object i, or 0 (the root is nobody's member). */
uint32_t med_json_member(const med_json *j, uint32_t i, med_str key);
/* Same for a path of keys "meta.profile" through objects. 0 when absent. */
uint32_t med_json_path(const med_json *j, uint32_t i, const char *dotted);

/* Equal as JSON values: member order free, numbers by text (1.0 is not 1.00). Linear in the
 * size of the trees. Where members stand in another order it takes 4 bytes a node from the
 * heap; should the process have none left, the answer is false. */
bool med_json_equal(const med_json *a, uint32_t i, const med_json *b, uint32_t k);

/* Copies a value's text without white space outside strings. The buffer must have room for
 * the text as received. */
void med_json_write_min(med_buf *out, const med_json *j, uint32_t i);
/* The same with two-space indentation (for _pretty=true). */
void med_json_write_pretty(med_buf *out, const med_json *j, uint32_t i);

/* ---- writer ----
 * Appends JSON to a buffer and sets the commas itself. Depth is the caller's: at most
 * MED_JSON_DEPTH; past it the buffer fails. */
typedef struct med_json_writer {
    med_buf *out;
    uint64_t has_value; /* one bit a level: a comma is due */
    int depth;
} med_json_writer;

med_json_writer med_json_writer_to(med_buf *out);
void med_json_open(med_json_writer *w, char brace);        /* '{' or '[' */
void med_json_close(med_json_writer *w, char brace);       /* '}' or ']' */
void med_json_key(med_json_writer *w, med_str key);        /* followed by one value */
void med_json_str(med_json_writer *w, med_str value);      /* escapes; bytes must be UTF-8 */
void med_json_raw_value(med_json_writer *w, med_str json); /* text that is JSON already */
/* The same for what a parsed document holds: a key (its whole text, quotes and escapes
 * included), and a value, minified. */
void med_json_raw_key(med_json_writer *w, med_str span);
void med_json_value(med_json_writer *w, const med_json *j, uint32_t i);
void med_json_bool(med_json_writer *w, bool value);
void med_json_int(med_json_writer *w, int64_t value);
/* key + string, the commonest pair; skips the pair when the value is empty. */
void med_json_pair(med_json_writer *w, const char *key, med_str value);
/* Appends s with JSON escapes, without quotes. */
void med_json_escape(med_buf *out, med_str s);

#endif
