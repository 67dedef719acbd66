/* version_row.c - see version_row.h. */
#include "store/version_row.h"

#include "base/clock.h"

static int hex_value(char c)
{
    return med_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool pack_uuid(med_str id, unsigned char out[16])
{
    size_t n = 0;
    for (size_t i = 0; i < MED_UUID_LEN;) {
        if (is_dash_place(i)) {
            if (id.ptr[i++] != '-')
                return false;
            continue;
        }
        int high = hex_value(id.ptr[i]);
        int low = hex_value(id.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[n++] = (unsigned char)(high << 4 | low);
        i += 2;
    }
    return true;
}

bool med_id_pack(med_str id, struct packed_id *out)
{
    if (id.len == 0 || id.len > MED_ID_BYTES)
        return false;
    out->uuid = id.len == MED_UUID_LEN && pack_uuid(id, out->bytes);
    out->len = out->uuid ? 16 : id.len;
    if (!out->uuid)
        memcpy(out->bytes, id.ptr, id.len);
    return true;
}

bool med_row_id(med_arena *a, const struct stored_row *row, med_str *out)
{
    static const char hex[] = "0123456789abcdef";
    if (!row->id_is_uuid)
        return med_arena_copy(a, (med_str){(const char *)row->id, row->id_len}, out);
    char *to = MED_TAKE(a, MED_UUID_LEN + 1, char);
    if (to == NULL)
        return false;
    for (size_t i = 0, n = 0; n < 16; n++) {
        if (is_dash_place(i))
            to[i++] = '-';
        to[i++] = hex[row->id[n] >> 4];
        to[i++] = hex[row->id[n] & 15];
    }
    *out = (med_str){to, MED_UUID_LEN};
    return true;
}

static size_t put_u64(unsigned char *to, uint64_t n)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (unsigned char)(n >> (8 * i));
    return 8;
}

bool med_row_check(const struct keyring *keys, const struct stored_row *row, med_str packed,
                   uint8_t out[MED_CHECK_BYTES])
{
    unsigned char bytes[7 * 8 + MED_CHECK_BYTES + MED_ID_BYTES];
    size_t n = 0;
    n += put_u64(bytes + n, row->rid);
    n += put_u64(bytes + n, (uint64_t)row->type << 32 | row->version);
    n += put_u64(bytes + n, (uint64_t)row->t);
    n += put_u64(bytes + n, (uint64_t)row->updated);
    n += put_u64(bytes + n, (uint64_t)row->change << 32 | row->dictionary);
    n += put_u64(bytes + n, row->patient);
    n += put_u64(bytes + n, (uint64_t)row->key << 8 | row->id_len << 1 | row->id_is_uuid);
    memcpy(bytes + n, row->hash.text, MED_CHECK_BYTES);
    n += MED_CHECK_BYTES;
    memcpy(bytes + n, row->id, row->id_len);
    n += row->id_len;
    const med_hash_key *key = med_keyring_check(keys, row->key);
    if (key == NULL)
        return false;
    med_hasher hasher;
    med_hasher_begin(&hasher, *key);
    med_hasher_add(&hasher, (med_str){(const char *)bytes, n});
    med_hasher_add(&hasher, packed);
    (void)put_u64(out, med_hasher_end(&hasher));
    return true;
}
