/* rowset.c - the compact copy of a resource's index rows. */
#include "store/rowset.h"

#include "store/store.h"

enum { FIRST_FORMAT = 1, FORMAT = 2, CHECK_BYTES = 4 };

static void put_varint(med_buf *out, uint64_t n)
{
    char bytes[10];
    size_t len = 0;
    do {
        bytes[len] = (char)(n & 0x7f);
        n >>= 7;
        if (n != 0)
            bytes[len] = (char)(bytes[len] | 0x80);
        len++;
    } while (n != 0);
    med_buf_add(out, (med_str){bytes, len});
}

static void put_fixed(med_buf *out, uint64_t n)
{
    char bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (char)(n >> (8 * i));
    med_buf_add(out, (med_str){bytes, sizeof bytes});
}

static void put_text(med_buf *out, uint32_t param, med_str text)
{
    put_varint(out, param);
    put_varint(out, text.len);
    med_buf_add(out, text);
}

static uint64_t double_bits(double d)
{
    uint64_t bits = 0;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* The same number stands under several units and parameters: how many places before, or 0. */
static size_t place_before(const med_quantity_row *rows, size_t i)
{
    enum { FAR = 16 };
    for (size_t back = 1; back <= i && back <= FAR; back++) {
        if (double_bits(rows[i - back].low) == double_bits(rows[i].low))
            return back;
    }
    return 0;
}

static void put_quantities(const struct rowset *r, med_buf *out)
{
    put_varint(out, r->n_quantities);
    for (size_t i = 0; i < r->n_quantities; i++) {
        const med_quantity_row *q = &r->quantities[i];
        size_t back = place_before(r->quantities, i);
        put_varint(out, (uint64_t)q->param << 2 | (back != 0 ? 2 : 0) | (q->unit != 0 ? 1 : 0));
        if (q->unit != 0)
            put_fixed(out, q->unit);
        if (back != 0)
            put_varint(out, back);
        else
            put_fixed(out, double_bits(q->low));
        put_varint(out, double_bits(q->high) ^ double_bits(q->low));
    }
}

static void put_values(const struct rowset *r, med_buf *out)
{
    put_varint(out, r->n_dates);
    for (size_t i = 0; i < r->n_dates; i++) {
        med_interval span = r->dates[i].span;
        put_varint(out, r->dates[i].param);
        put_fixed(out, (uint64_t)span.low);
        put_varint(out, (uint64_t)span.high - (uint64_t)span.low);
    }
    put_varint(out, r->n_strings);
    for (size_t i = 0; i < r->n_strings; i++)
        put_text(out, r->strings[i].param, r->strings[i].folded);
    put_quantities(r, out);
    put_varint(out, r->n_uris);
    for (size_t i = 0; i < r->n_uris; i++)
        put_text(out, r->uris[i].param, r->uris[i].uri);
}

void med_rowset_write(const struct rowset *r, med_hash_key key, med_buf *out)
{
    size_t start = out->len;
    med_buf_add(out, MED_STR("\0\0\0\0"));
    med_buf_addc(out, FORMAT);
    put_fixed(out, (uint64_t)r->when);
    put_varint(out, r->n_patients);
    for (size_t i = 0; i < r->n_patients; i++)
        put_varint(out, r->patients[i]);
    put_varint(out, r->n_tokens);
    for (size_t i = 0; i < r->n_tokens; i++) {
        put_varint(out, (uint64_t)r->tokens[i].param << 3 | (r->tokens[i].places & 7));
        put_fixed(out, r->tokens[i].hash);
    }
    put_varint(out, r->n_references);
    for (size_t i = 0; i < r->n_references; i++) {
        put_varint(out, r->references[i].param);
        put_varint(out, r->references[i].target);
    }
    put_values(r, out);
    put_varint(out, r->n_targets);
    for (size_t i = 0; i < r->n_targets; i++)
        put_varint(out, r->targets[i]);
    if (out->failed)
        return;
    med_str body = {out->ptr + start + CHECK_BYTES, out->len - start - CHECK_BYTES};
    uint32_t check = (uint32_t)med_siphash(key, body);
    memcpy(out->ptr + start, &check, CHECK_BYTES);
}

/* Reading: `bad` once set stays, so the callers check at the end of each list. */
struct reader {
    med_str rest;
    bool bad;
    unsigned format;
};

static uint64_t get_varint(struct reader *in)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < 10 && i < in->rest.len; i++) {
        unsigned char c = (unsigned char)in->rest.ptr[i];
        n |= (uint64_t)(c & 0x7f) << (7 * i);
        if (c < 0x80) {
            in->rest = med_str_skip(in->rest, i + 1);
            return n;
        }
    }
    in->bad = true;
    return 0;
}

static uint64_t get_fixed(struct reader *in)
{
    uint64_t n = 0;
    if (in->rest.len < 8) {
        in->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < 8; i++)
        n |= (uint64_t)(unsigned char)in->rest.ptr[i] << (8 * i);
    in->rest = med_str_skip(in->rest, 8);
    return n;
}

static med_str get_text(struct reader *in)
{
    uint64_t len = get_varint(in);
    if (in->bad || len > in->rest.len) {
        in->bad = true;
        return MED_STR_EMPTY;
    }
    med_str text = med_str_sub(in->rest, 0, (size_t)len);
    in->rest = med_str_skip(in->rest, (size_t)len);
    return text;
}

/* A member takes at least one byte, so a count beyond the rest is damage, not a demand. */
static size_t get_count(struct reader *in)
{
    uint64_t n = get_varint(in);
    if (n > in->rest.len)
        in->bad = true;
    return in->bad ? 0 : (size_t)n;
}

/* Room for a list's members; NULL (and bad, unless the arena is full) when there is none. */
#define TAKE_LIST(a, in, n, type) ((n) = get_count(in), MED_TAKE((a), (n), type))

static bool get_rids(struct reader *in, med_arena *a, const med_rid **out, size_t *n)
{
    med_rid *to = TAKE_LIST(a, in, *n, med_rid);
    for (size_t i = 0; to != NULL && i < *n; i++)
        to[i] = get_varint(in);
    *out = to;
    return to != NULL;
}

static bool get_tokens(struct reader *in, med_arena *a, struct rowset *r)
{
    med_token_row *to = TAKE_LIST(a, in, r->n_tokens, med_token_row);
    for (size_t i = 0; to != NULL && i < r->n_tokens; i++) {
        uint64_t head = get_varint(in);
        to[i] = (med_token_row){(uint32_t)(head >> 3), head & 7, get_fixed(in)};
    }
    r->tokens = to;
    return to != NULL;
}

static bool get_references(struct reader *in, med_arena *a, struct rowset *r)
{
    med_reference_row *to = TAKE_LIST(a, in, r->n_references, med_reference_row);
    for (size_t i = 0; to != NULL && i < r->n_references; i++) {
        to[i].param = (uint32_t)get_varint(in);
        to[i].target = get_varint(in);
    }
    r->references = to;
    return to != NULL;
}

static bool get_dates(struct reader *in, med_arena *a, struct rowset *r)
{
    med_date_row *to = TAKE_LIST(a, in, r->n_dates, med_date_row);
    for (size_t i = 0; to != NULL && i < r->n_dates; i++) {
        to[i].param = (uint32_t)get_varint(in);
        uint64_t low = get_fixed(in);
        to[i].span = (med_interval){(int64_t)low, (int64_t)(low + get_varint(in))};
    }
    r->dates = to;
    return to != NULL;
}

static bool get_strings(struct reader *in, med_arena *a, struct rowset *r)
{
    med_string_row *to = TAKE_LIST(a, in, r->n_strings, med_string_row);
    for (size_t i = 0; to != NULL && i < r->n_strings; i++) {
        to[i].param = (uint32_t)get_varint(in);
        to[i].folded = get_text(in);
    }
    r->strings = to;
    return to != NULL;
}

static uint64_t get_low_before(struct reader *in, const med_quantity_row *rows, size_t i)
{
    uint64_t back = get_varint(in);
    in->bad = in->bad || back == 0 || back > i;
    return in->bad ? 0 : double_bits(rows[i - (size_t)back].low);
}

static bool get_quantities(struct reader *in, med_arena *a, struct rowset *r)
{
    med_quantity_row *to = TAKE_LIST(a, in, r->n_quantities, med_quantity_row);
    for (size_t i = 0; to != NULL && i < r->n_quantities; i++) {
        bool first_format = in->format == FIRST_FORMAT;
        uint64_t head = get_varint(in);
        bool again = !first_format && (head & 2) != 0;
        to[i].param = (uint32_t)(head >> (first_format ? 1 : 2));
        to[i].unit = (head & 1) != 0 ? get_fixed(in) : 0;
        uint64_t low = again ? get_low_before(in, to, i) : get_fixed(in);
        uint64_t high = low ^ get_varint(in);
        memcpy(&to[i].low, &low, sizeof low);
        memcpy(&to[i].high, &high, sizeof high);
    }
    r->quantities = to;
    return to != NULL;
}

static bool get_uris(struct reader *in, med_arena *a, struct rowset *r)
{
    med_uri_row *to = TAKE_LIST(a, in, r->n_uris, med_uri_row);
    for (size_t i = 0; to != NULL && i < r->n_uris; i++) {
        to[i].param = (uint32_t)get_varint(in);
        to[i].uri = get_text(in);
    }
    r->uris = to;
    return to != NULL;
}

/* Leaves *in behind the check and the format. */
static bool open_bytes(struct reader *in, med_str bytes, med_hash_key key)
{
    uint32_t check = 0;
    if (bytes.len <= CHECK_BYTES)
        return false;
    memcpy(&check, bytes.ptr, CHECK_BYTES);
    *in = (struct reader){.rest = med_str_skip(bytes, CHECK_BYTES)};
    in->format = (unsigned char)in->rest.ptr[0];
    if (check != (uint32_t)med_siphash(key, in->rest) || in->format < FIRST_FORMAT
        || in->format > FORMAT)
        return false;
    in->rest = med_str_skip(in->rest, 1);
    return true;
}

bool med_rowset_has_patient(med_str bytes, med_hash_key key, med_rid patient, bool *out)
{
    struct reader in;
    *out = false;
    if (bytes.len == 0)
        return true;
    if (!open_bytes(&in, bytes, key))
        return false;
    (void)get_fixed(&in);
    for (size_t n = get_count(&in); n > 0 && !*out; n--)
        *out = get_varint(&in) == patient;
    return !in.bad;
}

bool med_rowset_read(struct rowset *r, med_arena *a, med_str bytes, med_hash_key key, med_err *err)
{
    struct reader in;
    *r = (struct rowset){0};
    if (bytes.len == 0)
        return true;
    if (!open_bytes(&in, bytes, key))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the list of a resource's index rows is damaged");
    r->when = (int64_t)get_fixed(&in);
    bool room = get_rids(&in, a, &r->patients, &r->n_patients) && get_tokens(&in, a, r)
                && get_references(&in, a, r) && get_dates(&in, a, r) && get_strings(&in, a, r)
                && get_quantities(&in, a, r) && get_uris(&in, a, r)
                && get_rids(&in, a, &r->targets, &r->n_targets);
    if (!room)
        return MED_FAIL_MEMORY(err);
    if (in.bad || in.rest.len != 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the list of a resource's index rows is damaged");
    return true;
}

med_rows med_rowset_rows(const struct rowset *set)
{
    return (med_rows){
        .when = set->when,
        .patients = set->patients,
        .n_patients = set->n_patients,
        .tokens = set->tokens,
        .n_tokens = set->n_tokens,
        .references = set->references,
        .n_references = set->n_references,
        .dates = set->dates,
        .n_dates = set->n_dates,
        .strings = set->strings,
        .n_strings = set->n_strings,
        .quantities = set->quantities,
        .n_quantities = set->n_quantities,
        .uris = set->uris,
        .n_uris = set->n_uris,
    };
}
