/* row.c - one row of resource or version: its id, its check value, its text. */
#include "store/postgres/postgres_impl.h"

enum {
    COLUMN_RID,
    COLUMN_TYPE,
    COLUMN_ID,
    COLUMN_VERSION,
    COLUMN_T,
    COLUMN_UPDATED,
    COLUMN_CHANGE,
    COLUMN_PATIENT,
    COLUMN_KEY,
    COLUMN_DICTIONARY,
    COLUMN_HASH,
    COLUMN_BODY,
};

bool med_pg_row(const PGresult *r, int at, struct stored_row *out)
{
    med_str id = med_pg_bytes_at(r, at, COLUMN_ID);
    bool uuid = id.len == 17 && id.ptr[0] == '\0';
    if (uuid)
        id = med_str_skip(id, 1);
    *out = (struct stored_row){
        .rid = (med_rid)med_pg_int_at(r, at, COLUMN_RID),
        .type = (uint32_t)med_pg_int_at(r, at, COLUMN_TYPE),
        .id = (const unsigned char *)id.ptr,
        .id_len = id.len,
        .id_is_uuid = uuid,
        .version = (uint32_t)med_pg_int_at(r, at, COLUMN_VERSION),
        .t = med_pg_int_at(r, at, COLUMN_T),
        .updated = med_pg_int_at(r, at, COLUMN_UPDATED),
        .change = (unsigned)med_pg_int_at(r, at, COLUMN_CHANGE),
        .patient = (med_rid)med_pg_int_at(r, at, COLUMN_PATIENT),
        .key = (uint32_t)med_pg_int_at(r, at, COLUMN_KEY),
        .dictionary = (uint32_t)med_pg_int_at(r, at, COLUMN_DICTIONARY),
    };
    med_str hash = med_pg_bytes_at(r, at, COLUMN_HASH);
    bool has_hash = hash.len == sizeof out->hash;
    if (has_hash)
        memcpy(&out->hash, hash.ptr, sizeof out->hash);
    return has_hash && out->change >= MED_CREATED && out->change <= MED_DELETED && id.len > 0
           && id.len <= MED_ID_BYTES;
}

enum med_found med_pg_damaged(struct pg_view *v, const struct stored_row *row, med_err *err)
{
    atomic_fetch_add(&v->store->damaged, 1);
    med_pg_log(v->store, MED_LOG_ERROR, "a stored version is damaged", "verify the store");
    (void)MED_FAIL(err, MED_ISSUE_EXCEPTION,
                   "a stored version is damaged (internal id %llu, version %u): restore it from a "
                   "backup",
                   (unsigned long long)row->rid, row->version);
    return MED_FAILED;
}

static enum med_found no_memory(med_err *err)
{
    (void)MED_FAIL_MEMORY(err);
    return MED_FAILED;
}

/* verify hashes the text itself, too. */
static bool text_is_sound(const struct pg_view *v, const struct stored_row *row, med_str text)
{
    const med_hash_key *key = med_keyring_check(&v->store->keys, row->key);
    uint8_t hash[16] = {0};
    if (!v->deep)
        return true;
    if (key != NULL)
        med_siphash128(*key, text, hash);
    return key != NULL && memcmp(hash, row->hash.text, MED_CHECK_BYTES) == 0;
}

static enum med_found read_text(struct pg_view *v, med_arena *a, const PGresult *r, int at,
                                const struct stored_row *row, med_str *text, med_err *err)
{
    med_str packed = med_pg_bytes_at(r, at, COLUMN_BODY);
    uint8_t check[MED_CHECK_BYTES];
    *text = MED_STR_EMPTY;
    if (!med_row_check(&v->store->keys, row, packed, check)
        || memcmp(check, row->hash.check, sizeof check) != 0)
        return med_pg_damaged(v, row, err);
    if (row->change == MED_DELETED)
        return MED_FOUND;
    switch (med_packer_unpack(&v->store->packer, v->unpacker, a, packed, row->dictionary, text)) {
    case UNPACK_DONE:
        return text_is_sound(v, row, *text) ? MED_FOUND : med_pg_damaged(v, row, err);
    case UNPACK_DAMAGED:
        return med_pg_damaged(v, row, err);
    case UNPACK_MEMORY:
        break;
    }
    return no_memory(err);
}

enum med_found med_pg_row_read(struct pg_view *v, med_arena *a, const PGresult *r, int at,
                               const struct stored_row *row, bool text, med_stored *out,
                               med_err *err)
{
    *out = (med_stored){.rid = row->rid,
                        .type = row->type,
                        .version = row->version,
                        .t = row->t,
                        .updated = row->updated,
                        .change = (enum med_change)row->change,
                        .text = MED_STR_EMPTY};
    if (!med_row_id(a, row, &out->id))
        return no_memory(err);
    return text ? read_text(v, a, r, at, row, &out->text, err) : MED_FOUND;
}
