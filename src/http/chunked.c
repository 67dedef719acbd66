/* chunked.c - see chunked.h. */
#include "http/chunked.h"

#include "http/parse_head.h"

static unsigned hex_value(char c)
{
    if (med_is_digit(c))
        return (unsigned)(c - '0');
    return (unsigned)((c | 0x20) - 'a') + 10;
}

static bool is_text(char c)
{
    unsigned char u = (unsigned char)c;
    return u == '\t' || (u >= ' ' && u != 0x7f);
}

static enum med_chunk_state on_size(med_chunked *c, char b)
{
    if (med_is_hex(b)) {
        c->left = c->left << 4 | hex_value(b);
        return ++c->digits > MED_CHUNK_SIZE_DIGITS ? MED_CHUNK_BAD : MED_CHUNK_SIZE;
    }
    if (c->digits == 0)
        return MED_CHUNK_BAD;
    if (b == ';')
        return ++c->extensions > MED_CHUNK_EXTENSION_BYTES ? MED_CHUNK_BAD : MED_CHUNK_EXTENSION;
    return b == '\r' ? MED_CHUNK_SIZE_LF : MED_CHUNK_BAD;
}

static enum med_chunk_state on_size_end(med_chunked *c, char b)
{
    c->digits = 0;
    if (b != '\n')
        return MED_CHUNK_BAD;
    return c->left == 0 ? MED_CHUNK_TRAILER : MED_CHUNK_DATA;
}

static enum med_chunk_state on_trailer(med_chunked *c, char b)
{
    if (++c->trailers > MED_CHUNK_TRAILER_BYTES)
        return MED_CHUNK_BAD;
    if (c->state == MED_CHUNK_TRAILER && b == '\r')
        return MED_CHUNK_LAST_LF;
    if (c->state == MED_CHUNK_TRAILER_VALUE) {
        if (b == '\r')
            return MED_CHUNK_TRAILER_LF;
        return is_text(b) ? MED_CHUNK_TRAILER_VALUE : MED_CHUNK_BAD;
    }
    if (c->state == MED_CHUNK_TRAILER_NAME && b == ':')
        return MED_CHUNK_TRAILER_VALUE;
    return med_is_token_char(b) ? MED_CHUNK_TRAILER_NAME : MED_CHUNK_BAD;
}

/* One byte that is not chunk data. */
static enum med_chunk_state step(med_chunked *c, char b)
{
    switch (c->state) {
    case MED_CHUNK_SIZE:
        return on_size(c, b);
    case MED_CHUNK_EXTENSION:
        if (b == '\r')
            return MED_CHUNK_SIZE_LF;
        return is_text(b) && ++c->extensions <= MED_CHUNK_EXTENSION_BYTES ? MED_CHUNK_EXTENSION
                                                                          : MED_CHUNK_BAD;
    case MED_CHUNK_SIZE_LF:
        return on_size_end(c, b);
    case MED_CHUNK_DATA_CR:
        return b == '\r' ? MED_CHUNK_DATA_LF : MED_CHUNK_BAD;
    case MED_CHUNK_DATA_LF:
        return b == '\n' ? MED_CHUNK_SIZE : MED_CHUNK_BAD;
    case MED_CHUNK_TRAILER:
    case MED_CHUNK_TRAILER_NAME:
    case MED_CHUNK_TRAILER_VALUE:
        return on_trailer(c, b);
    case MED_CHUNK_TRAILER_LF:
        return b == '\n' ? MED_CHUNK_TRAILER : MED_CHUNK_BAD;
    case MED_CHUNK_LAST_LF:
        return b == '\n' ? MED_CHUNK_END : MED_CHUNK_BAD;
    case MED_CHUNK_DATA:
    case MED_CHUNK_END:
    case MED_CHUNK_BAD:
        break;
    }
    return MED_CHUNK_BAD;
}

static size_t take_data(med_chunked *c, med_str in, size_t at, med_str *data)
{
    size_t n = in.len - at;
    if (n > c->left)
        n = (size_t)c->left;
    *data = (med_str){in.ptr + at, n};
    c->left -= n;
    if (c->left == 0)
        c->state = MED_CHUNK_DATA_CR;
    return at + n;
}

size_t med_chunked_feed(med_chunked *c, med_str in, med_str *data)
{
    *data = MED_STR_EMPTY;
    for (size_t at = 0; at < in.len;) {
        if (c->state == MED_CHUNK_DATA)
            return take_data(c, in, at, data);
        c->state = step(c, in.ptr[at++]);
        if (c->state == MED_CHUNK_END || c->state == MED_CHUNK_BAD)
            return at;
    }
    return in.len;
}
