/* row.c - one row of resource or version: its id, its check value, its text. */
#include "store/part.h"
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

/* What the row says is there, as it was written. */
static enum med_found read_body(struct pg_view *v, med_arena *a, med_str body,
                                const struct stored_row *row, med_stored *out, med_err *err)
{
    struct pg_part_reader reader = {.view = v};
    const struct part_source source = {.packer = &v->store->packer,
                                       .unpacker = v->unpacker,
                                       .apart = v->base.apart,
                                       .find = med_pg_find_part,
                                       .arg = &reader};
    enum body_read read = med_body_read(&source, a, body, row->dictionary, out, err);
    PQclear(reader.result);
    switch (read) {
    case BODY_READ:
        break;
    case BODY_DAMAGED:
        return med_pg_damaged(v, row, err);
    case BODY_MEMORY:
        return no_memory(err);
    case BODY_FAILED:
        return MED_FAILED;
    }
    if (!text_is_sound(v, row, out->text))
        return med_pg_damaged(v, row, err);
    return v->deep ? med_pg_uses_are_sound(v, a, body, row, err) : MED_FOUND;
}

static enum med_found read_text(struct pg_view *v, med_arena *a, const PGresult *r, int at,
                                const struct stored_row *row, med_stored *out, med_err *err)
{
    med_str packed = med_pg_bytes_at(r, at, COLUMN_BODY);
    uint8_t check[MED_CHECK_BYTES];
    if (!med_row_check(&v->store->keys, row, packed, check)
        || memcmp(check, row->hash.check, sizeof check) != 0)
        return med_pg_damaged(v, row, err);
    return row->change == MED_DELETED ? MED_FOUND : read_body(v, a, packed, row, out, err);
}

bool med_pg_row_has_parts(const PGresult *r, int at)
{
    struct part_list list;
    return med_part_list(med_pg_bytes_at(r, at, COLUMN_BODY), &list) && list.n > 0;
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
    return text ? read_text(v, a, r, at, row, out, err) : MED_FOUND;
}
