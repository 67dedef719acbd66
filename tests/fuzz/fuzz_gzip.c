/* fuzz_gzip.c - hostile gzip ends in an answer within bounds, in one piece or in many. */
#include "base/gzip.h"
#include "demand.h"

static const med_gunzip_limits limits = {256 << 10, 200};

/* The first byte says how small the pieces are. */
static bool inflate_in_pieces(med_str s, size_t piece, med_buf *out)
{
    char room[97];
    med_err err = {0};
    med_gunzip *g = med_gunzip_new(&limits);
    bool good = true;
    for (size_t at = 0; good && at < s.len; at += piece) {
        med_str in = med_str_sub(s, at, at + piece);
        size_t n = 0;
        do {
            good = med_gunzip_read(g, &in, room, sizeof room, &n, &err);
            med_buf_add(out, (med_str){room, n});
        } while (good && n == sizeof room);
        DEMAND(!good || in.len == 0);
    }
    good = good && med_gunzip_end(g, &err);
    DEMAND(good || err.issue == MED_ISSUE_INVALID || err.issue == MED_ISSUE_TOO_LONG);
    med_gunzip_free(g);
    return good;
}

static void check_inflate(med_str s, size_t piece)
{
    med_buf whole;
    med_buf pieces;
    med_buf_init(&whole, 1 << 20);
    med_buf_init(&pieces, 1 << 20);
    med_err err = {0};
    bool good = med_gunzip_all(s, &limits, &whole, &err);
    DEMAND(whole.len <= limits.max_bytes);
    /* pieces see the ratio of what has come so far, so they may stop earlier */
    if (inflate_in_pieces(s, piece, &pieces)) {
        DEMAND(good);
        DEMAND(med_str_eq(med_buf_str(&whole), med_buf_str(&pieces)));
    }
    med_buf_free(&whole);
    med_buf_free(&pieces);
}

static void check_round_trip(med_str s, int level)
{
    med_buf z;
    med_buf back;
    med_buf_init(&z, 1 << 20);
    med_buf_init(&back, s.len);
    med_err err = {0};
    DEMAND(med_gzip_all(s, level, &z, &err));
    DEMAND(med_gunzip_all(med_buf_str(&z), &(med_gunzip_limits){s.len, 0}, &back, &err));
    DEMAND(med_str_eq(med_buf_str(&back), s));
    med_buf_free(&z);
    med_buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 128 << 10)
        return 0;
    med_str s = input_str(data + 1, size - 1);
    check_inflate(s, 1 + (size_t)data[0]);
    check_round_trip(s, 1 + data[0] % 9);
    return 0;
}
