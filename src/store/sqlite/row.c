/* row.c - one row of resource or version: its id, its check value, its text. */
#include "base/buf.h"
#include "store/part.h"
#include "store/sqlite/sqlite_impl.h"

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

bool med_sqlite_row(sqlite3_stmt *stmt, struct stored_row *out)
{
    *out = (struct stored_row){
        .rid = (med_rid)sqlite3_column_int64(stmt, COLUMN_RID),
        .type = (uint32_t)sqlite3_column_int64(stmt, COLUMN_TYPE),
        .id_is_uuid = sqlite3_column_type(stmt, COLUMN_ID) == SQLITE_BLOB,
        .version = (uint32_t)sqlite3_column_int64(stmt, COLUMN_VERSION),
        .t = sqlite3_column_int64(stmt, COLUMN_T),
        .updated = sqlite3_column_int64(stmt, COLUMN_UPDATED),
        .change = (unsigned)sqlite3_column_int(stmt, COLUMN_CHANGE),
        .patient = (med_rid)sqlite3_column_int64(stmt, COLUMN_PATIENT),
        .key = (uint32_t)sqlite3_column_int64(stmt, COLUMN_KEY),
        .dictionary = (uint32_t)sqlite3_column_int64(stmt, COLUMN_DICTIONARY),
        .body_column = COLUMN_BODY,
    };
    med_str id = med_statement_str(stmt, COLUMN_ID);
    out->id = (const unsigned char *)id.ptr;
    out->id_len = id.len;
    med_str hash = med_statement_str(stmt, COLUMN_HASH);
    bool has_hash = hash.len == sizeof out->hash;
    if (has_hash)
        memcpy(&out->hash, hash.ptr, sizeof out->hash);
    return has_hash && out->change >= MED_CREATED && out->change <= MED_DELETED
           && (out->id_is_uuid ? id.len == 16 : id.len > 0 && id.len <= MED_ID_BYTES);
}

enum med_found med_sqlite_damaged(struct sqlite_view *v, const struct stored_row *row, med_err *err)
{
    atomic_fetch_add(&v->store->damaged, 1);
    med_sqlite_log(v->store, MED_LOG_ERROR, "a stored version is damaged", (int64_t)row->rid);
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

/* The packed bytes: in the row itself, or a row of blob. */
static enum med_found find_body(struct sqlite_view *v, sqlite3_stmt *stmt,
                                const struct stored_row *row, med_str *out, med_err *err)
{
    if (sqlite3_column_type(stmt, row->body_column) != SQLITE_INTEGER) {
        *out = med_statement_str(stmt, row->body_column);
        return MED_FOUND;
    }
    sqlite3_stmt *blob = med_connection_statement(v->connection, STATEMENT_READ_BLOB, err);
    if (blob == NULL)
        return MED_FAILED;
    (void)sqlite3_reset(blob);
    (void)sqlite3_bind_int64(blob, 1, sqlite3_column_int64(stmt, row->body_column));
    int rc = sqlite3_step(blob);
    if (rc == SQLITE_DONE)
        return med_sqlite_damaged(v, row, err);
    if (rc != SQLITE_ROW)
        return med_sqlite_read_failed(v, rc, err);
    *out = med_statement_str(blob, 0);
    return MED_FOUND;
}

/* verify hashes the text itself, too. */
static bool text_is_sound(const struct sqlite_view *v, const struct stored_row *row, med_str text)
{
    const med_hash_key *key = med_keyring_check(&v->store->keys, row->key);
    uint8_t hash[16] = {0};
    if (!v->deep || row->change == MED_DELETED)
        return true;
    if (key != NULL)
        med_siphash128(*key, text, hash);
    return key != NULL && memcmp(hash, row->hash.text, MED_CHECK_BYTES) == 0;
}

/* What the row says is there, as it was written. */
static enum med_found read_body(struct sqlite_view *v, med_arena *a, med_str body,
                                const struct stored_row *row, med_stored *out, med_err *err)
{
    const struct part_source source = {.packer = &v->store->packer,
                                       .unpacker = v->unpacker,
                                       .apart = v->base.apart,
                                       .find = med_sqlite_find_part,
                                       .arg = v};
    switch (med_body_read(&source, a, body, row->dictionary, out, err)) {
    case BODY_READ:
        break;
    case BODY_DAMAGED:
        return med_sqlite_damaged(v, row, err);
    case BODY_MEMORY:
        return no_memory(err);
    case BODY_FAILED:
        return MED_FAILED;
    }
    if (!text_is_sound(v, row, out->text))
        return med_sqlite_damaged(v, row, err);
    return v->deep ? med_sqlite_uses_are_sound(v, a, body, row, err) : MED_FOUND;
}

static enum med_found read_text(struct sqlite_view *v, med_arena *a, sqlite3_stmt *stmt,
                                const struct stored_row *row, med_stored *out, med_err *err)
{
    med_str packed = MED_STR_EMPTY;
    uint8_t check[MED_CHECK_BYTES];
    if (row->change != MED_DELETED) {
        enum med_found found = find_body(v, stmt, row, &packed, err);
        if (found != MED_FOUND)
            return found;
    }
    if (!med_row_check(&v->store->keys, row, packed, check)
        || memcmp(check, row->hash.check, sizeof check) != 0)
        return med_sqlite_damaged(v, row, err);
    return row->change == MED_DELETED ? MED_FOUND : read_body(v, a, packed, row, out, err);
}

enum med_found med_sqlite_row_read(struct sqlite_view *v, med_arena *a, sqlite3_stmt *stmt,
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
    enum med_found found = text ? read_text(v, a, stmt, row, out, err) : MED_FOUND;
    /* a statement left on its row would hold the snapshot after its end */
    (void)sqlite3_reset(v->connection->statements[STATEMENT_READ_BLOB]);
    (void)sqlite3_reset(v->connection->statements[STATEMENT_READ_PART]);
    return found;
}
