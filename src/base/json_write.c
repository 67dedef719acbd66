/* json_write.c - tape to text, and the writer. */
#include "base/json.h"

/* Copies from `from` to `to` what is no white space; between two nodes there is nothing else
 * but commas, colons and braces. */
static char *copy_gap(char *at, const char *from, const char *to)
{
    for (; from < to; from++)
        if (!med_is_space(*from))
            *at++ = *from;
    return at;
}

void med_json_write_min(med_buf *out, const med_json *j, uint32_t i)
{
    med_str span = med_json_span(j, i);
    if (!med_buf_reserve(out, span.len))
        return;
    char *at = out->ptr + out->len;
    const char *done = span.ptr;
    for (uint32_t k = i; k < j->nodes[i].next; k++) {
        enum med_json_kind kind = med_json_kind_at(j, k);
        if (kind == MED_JSON_ARRAY || kind == MED_JSON_OBJECT)
            continue; /* their braces stand in the gaps */
        med_str token = med_json_span(j, k);
        at = copy_gap(at, done, token.ptr);
        memcpy(at, token.ptr, token.len);
        at += token.len;
        done = token.ptr + token.len;
    }
    at = copy_gap(at, done, span.ptr + span.len);
    out->len = (size_t)(at - out->ptr);
}

static void new_line(med_buf *out, int depth)
{
    static const char spaces[] = "                                                                ";
    enum { MOST = sizeof spaces - 1 };
    med_buf_addc(out, '\n');
    for (int left = depth * 2; left > 0; left -= MOST)
        med_buf_add(out, (med_str){spaces, (size_t)(left < MOST ? left : MOST)});
}

/* The containers being written: where each ends, and its closing brace. */
struct frames {
    uint32_t end[MED_JSON_DEPTH];
    bool is_object[MED_JSON_DEPTH];
    int depth;
};

static void close_frames(med_buf *out, struct frames *f, uint32_t k)
{
    while (f->depth > 0 && f->end[f->depth - 1] == k) {
        f->depth--;
        new_line(out, f->depth);
        med_buf_addc(out, f->is_object[f->depth] ? '}' : ']');
    }
}

static void open_frame(med_buf *out, struct frames *f, const med_json *j, uint32_t k)
{
    bool is_object = med_json_kind_at(j, k) == MED_JSON_OBJECT;
    if (j->nodes[k].count == 0) {
        med_buf_addz(out, is_object ? "{}" : "[]");
        return;
    }
    med_buf_addc(out, is_object ? '{' : '[');
    f->end[f->depth] = j->nodes[k].next;
    f->is_object[f->depth] = is_object;
    f->depth++;
}

void med_json_write_pretty(med_buf *out, const med_json *j, uint32_t i)
{
    struct frames f = {.depth = 0};
    bool first = true; /* of its container */
    for (uint32_t k = i; k < j->nodes[i].next; k++) {
        if (f.depth > 0) {
            if (!first)
                med_buf_addc(out, ',');
            new_line(out, f.depth);
            if (f.is_object[f.depth - 1]) {
                med_buf_add(out, med_json_span(j, k));
                med_buf_add(out, MED_STR(": "));
                k++;
            }
        }
        enum med_json_kind kind = med_json_kind_at(j, k);
        int depth = f.depth;
        if (kind == MED_JSON_ARRAY || kind == MED_JSON_OBJECT)
            open_frame(out, &f, j, k);
        else
            med_buf_add(out, med_json_span(j, k));
        first = f.depth > depth;
        if (!first)
            close_frames(out, &f, k + 1);
    }
}

/* ---- writer ---- */

med_json_writer med_json_writer_to(med_buf *out)
{
    return (med_json_writer){.out = out};
}

static uint64_t level_bit(const med_json_writer *w)
{
    return (uint64_t)1 << (w->depth - 1);
}

/* The comma in front of a value or key, if one is due. */
static void separate(med_json_writer *w)
{
    if (w->depth == 0)
        return;
    if ((w->has_value & level_bit(w)) != 0)
        med_buf_addc(w->out, ',');
    w->has_value |= level_bit(w);
}

void med_json_open(med_json_writer *w, char brace)
{
    separate(w);
    if (w->depth == MED_JSON_DEPTH) {
        w->out->failed = true;
        return;
    }
    w->depth++;
    w->has_value &= ~level_bit(w);
    med_buf_addc(w->out, brace);
}

void med_json_close(med_json_writer *w, char brace)
{
    if (w->depth == 0) { /* past MED_JSON_DEPTH not every open was counted */
        w->out->failed = true;
        return;
    }
    med_buf_addc(w->out, brace);
    w->depth--;
}

/* No comma between key and value. */
static void end_key(med_json_writer *w)
{
    med_buf_addc(w->out, ':');
    if (w->depth > 0)
        w->has_value &= ~level_bit(w);
}

void med_json_key(med_json_writer *w, med_str key)
{
    med_json_str(w, key);
    end_key(w);
}

void med_json_raw_key(med_json_writer *w, med_str span)
{
    med_json_raw_value(w, span);
    end_key(w);
}

void med_json_str(med_json_writer *w, med_str value)
{
    separate(w);
    med_buf_addc(w->out, '"');
    med_json_escape(w->out, value);
    med_buf_addc(w->out, '"');
}

void med_json_raw_value(med_json_writer *w, med_str json)
{
    separate(w);
    med_buf_add(w->out, json);
}

void med_json_value(med_json_writer *w, const med_json *j, uint32_t i)
{
    separate(w);
    med_json_write_min(w->out, j, i);
}

void med_json_bool(med_json_writer *w, bool value)
{
    med_json_raw_value(w, value ? MED_STR("true") : MED_STR("false"));
}

void med_json_int(med_json_writer *w, int64_t value)
{
    separate(w);
    if (value < 0)
        med_buf_addc(w->out, '-');
    med_buf_add_u64(w->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void med_json_pair(med_json_writer *w, const char *key, med_str value)
{
    if (value.len == 0)
        return;
    med_json_key(w, med_str_from(key));
    med_json_str(w, value);
}

static void escape_char(med_buf *out, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2)
        if (shorts[i] == c) {
            med_buf_add(out, (med_str){(char[]){'\\', shorts[i + 1]}, 2});
            return;
        }
    unsigned char u = (unsigned char)c;
    med_buf_add(out, (med_str){(char[]){'\\', 'u', '0', '0', hex[u >> 4], hex[u & 15]}, 6});
}

void med_json_escape(med_buf *out, med_str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if ((unsigned char)c >= 0x20 && c != '"' && c != '\\')
            continue;
        med_buf_add(out, med_str_sub(s, from, i));
        escape_char(out, c);
        from = i + 1;
    }
    med_buf_add(out, med_str_skip(s, from));
}
