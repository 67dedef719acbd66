/* reply.c - see reply.h. */
#include "bench/reply.h"

enum { HEAD_BYTES = 64 << 10, STATUS_DIGITS_AT = 9, STATUS_LINE_LEAST = 12 };

med_str med_reply_header(med_str head, const char *name)
{
    med_str rest;
    (void)med_str_cut(head, '\n', &rest);
    while (rest.len > 0) {
        med_str value, line = med_str_cut(rest, '\n', &rest);
        if (med_str_eq_ignore_case(med_str_cut(line, ':', &value), med_str_from(name)))
            return med_str_trim(value);
    }
    return MED_STR_EMPTY;
}

static bool read_status(med_str head, int *status)
{
    int64_t n;
    if (head.len < STATUS_LINE_LEAST || !med_str_starts(head, MED_STR("HTTP/1."))
        || !med_str_to_int64(med_str_sub(head, STATUS_DIGITS_AT, STATUS_DIGITS_AT + 3), &n)
        || n < 100 || n > 599)
        return false;
    *status = (int)n;
    return true;
}

static bool read_head(med_reply_reader *r, med_str head)
{
    int64_t length = 0;
    med_str told = med_reply_header(head, "Content-Length");
    med_str coding = med_reply_header(head, "Transfer-Encoding");
    if (!read_status(head, &r->status))
        return false;
    if (told.len > 0 && (!med_str_to_int64(told, &length) || length < 0))
        return false;
    bool empty = r->status == 204 || r->status == 304 || r->status < 200;
    r->length = empty ? 0 : (size_t)length;
    r->chunked = !empty && med_str_eq_ignore_case(coding, MED_STR("chunked"));
    r->until_end = !empty && !r->chunked && told.len == 0;
    r->close = r->until_end || med_str_starts(head, MED_STR("HTTP/1.0"))
               || med_str_eq_ignore_case(med_reply_header(head, "Connection"), MED_STR("close"));
    r->from = r->to = r->head;
    return true;
}

/* 1xx answers stand before the one that counts and are dropped. */
static enum med_reply_state find_head(med_reply_reader *r, med_buf *in)
{
    for (;;) {
        med_str all = med_buf_str(in);
        size_t end = med_str_search(all, MED_STR("\r\n\r\n"), 0);
        if (end == all.len)
            return all.len > HEAD_BYTES ? MED_REPLY_BAD : MED_REPLY_MORE;
        r->head = end + 4;
        if (!read_head(r, med_str_sub(all, 0, r->head)))
            return MED_REPLY_BAD;
        if (r->status >= 200)
            return MED_REPLY_DONE;
        memmove(in->ptr, in->ptr + r->head, in->len - r->head);
        in->len -= r->head;
        *r = (med_reply_reader){0};
    }
}

static bool hex_number(med_str digits, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        if (!med_is_hex(c) || *out > SIZE_MAX >> 8)
            return false;
        *out = *out * 16 + (size_t)(med_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return digits.len > 0;
}

/* Moves whole chunks together, right behind the head. Trailers are not expected. */
static enum med_reply_state read_chunks(med_reply_reader *r, med_buf *in)
{
    for (;;) {
        med_str unused, all = med_buf_str(in);
        size_t size, line_end = med_str_search(all, MED_STR("\r\n"), r->from);
        if (line_end == all.len)
            return MED_REPLY_MORE;
        med_str line = med_str_cut(med_str_sub(all, r->from, line_end), ';', &unused);
        if (!hex_number(med_str_trim(line), &size))
            return MED_REPLY_BAD;
        if (size > all.len - line_end || all.len - line_end - size < 4)
            return MED_REPLY_MORE;
        memmove(in->ptr + r->to, in->ptr + line_end + 2, size);
        r->to += size;
        r->from = line_end + 2 + size + 2;
        if (in->ptr[r->from - 2] != '\r' || in->ptr[r->from - 1] != '\n')
            return MED_REPLY_BAD;
        if (size == 0)
            return MED_REPLY_DONE;
    }
}

static enum med_reply_state read_body(med_reply_reader *r, med_buf *in, bool end)
{
    if (r->chunked)
        return read_chunks(r, in);
    r->to = r->until_end ? in->len : r->head + r->length;
    r->from = r->to;
    bool complete = r->until_end ? end : in->len - r->head >= r->length;
    return complete ? MED_REPLY_DONE : MED_REPLY_MORE;
}

enum med_reply_state med_reply_read(med_reply_reader *r, med_buf *in, bool end, med_reply *out)
{
    enum med_reply_state state = r->head > 0 ? MED_REPLY_DONE : find_head(r, in);
    if (state == MED_REPLY_DONE)
        state = read_body(r, in, end);
    if (state == MED_REPLY_MORE && (end || in->failed))
        return MED_REPLY_BAD;
    if (state == MED_REPLY_DONE)
        *out = (med_reply){.status = r->status,
                           .head = {in->ptr, r->head},
                           .body = {in->ptr + r->head, r->to - r->head},
                           .bytes = r->from,
                           .close = r->close};
    return state;
}
