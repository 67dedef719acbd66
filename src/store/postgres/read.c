/* read.c - single versions, by id or rid. */
#include "store/postgres/postgres_impl.h"

static uint64_t ident_of(struct pg_view *v, uint32_t type, med_str id)
{
    return med_store_ident(&v->store->base, med_names_type(&v->store->names, type), id);
}

static bool is_id(const struct stored_row *row, uint32_t type, med_str id)
{
    struct packed_id packed;
    return row->type == type && med_id_pack(id, &packed) && packed.uuid == row->id_is_uuid
           && packed.len == row->id_len && memcmp(packed.bytes, row->id, packed.len) == 0;
}

/* The first row of a result, if there is one. */
static enum med_found first_row(struct pg_view *v, const PGresult *r, struct stored_row *row,
                                med_err *err)
{
    if (r == NULL)
        return MED_FAILED;
    if (PQntuples(r) == 0)
        return MED_ABSENT;
    return med_pg_row(r, 0, row) ? MED_FOUND : med_pg_damaged(v, row, err);
}

/* The current row of an id, in *r. A row found by hash that has another id: the hash never
 * collides by chance, so the row or the map is damaged. */
static enum med_found find(struct pg_view *v, bool latest, uint32_t type, med_str id, PGresult **r,
                           struct stored_row *row, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)ident_of(v, type, id));
    *r = latest ? med_pg_view_ask_latest(v, STATEMENT_READ, &p, err)
                : med_pg_view_ask(v, STATEMENT_READ, &p, err);
    enum med_found found = first_row(v, *r, row, err);
    if (found != MED_FOUND || is_id(row, type, id))
        return found;
    atomic_fetch_add(&v->store->damaged, 1);
    (void)MED_FAIL(err, MED_ISSUE_EXCEPTION,
                   "a stored version is damaged: internal id %llu has another id than it is "
                   "filed under",
                   (unsigned long long)row->rid);
    return MED_FAILED;
}

static enum med_found read_current(med_view *view, bool latest, med_arena *a, uint32_t type,
                                   med_str id, med_stored *out, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    PGresult *r = NULL;
    struct stored_row row = {0};
    enum med_found found = find(v, latest, type, id, &r, &row, err);
    if (found == MED_ABSENT && latest && v->replica != NULL) {
        /* Who names an id has heard of it: a replica that does not know it yet is not the last
         * word. */
        PQclear(r);
        med_pg_view_go_home(v);
        found = find(v, latest, type, id, &r, &row, err);
    }
    if (found == MED_FOUND && latest && med_pg_row_has_parts(r, 0)) {
        /* what is asked for next must be of the same snapshot */
        PQclear(r);
        found = find(v, false, type, id, &r, &row, err);
    }
    if (found == MED_FOUND)
        found = med_pg_row_read(v, a, r, 0, &row, true, out, err);
    PQclear(r);
    return found;
}

enum med_found med_pg_read(med_view *view, med_arena *a, uint32_t type, med_str id, med_stored *out,
                           med_err *err)
{
    return read_current(view, false, a, type, id, out, err);
}

/* Nothing is kept in memory: another process may have changed it. One round trip, without a
 * transaction around it. */
enum med_found med_pg_latest(med_view *view, med_arena *a, uint32_t type, med_str id,
                             med_stored *out, med_err *err)
{
    return read_current(view, true, a, type, id, out, err);
}

static enum med_found read_version(struct pg_view *v, med_arena *a, uint32_t type, med_str id,
                                   uint32_t version, med_stored *out, med_err *err)
{
    PGresult *r = NULL;
    struct stored_row row = {0};
    enum med_found found = find(v, false, type, id, &r, &row, err);
    if (found == MED_FOUND && row.version != version) {
        struct pg_parameters p = {0};
        med_pg_int(&p, (int64_t)row.rid);
        med_pg_int(&p, version);
        PQclear(r);
        r = med_pg_view_ask(v, STATEMENT_READ_VERSION, &p, err);
        found = first_row(v, r, &row, err);
    }
    if (found == MED_FOUND)
        found = med_pg_row_read(v, a, r, 0, &row, true, out, err);
    PQclear(r);
    return found;
}

/* As above, unless a cursor is at work in the snapshot. */
enum med_found med_pg_version(med_view *view, med_arena *a, uint32_t type, med_str id,
                              uint32_t version, med_stored *out, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    enum med_found found = read_version(v, a, type, id, version, out, err);
    if (found != MED_ABSENT || v->replica == NULL || v->cursors != NULL)
        return found;
    med_pg_view_go_home(v);
    return read_version(v, a, type, id, version, out, err);
}

enum med_found med_pg_by_rid(med_view *view, med_arena *a, med_rid rid, med_stored *out,
                             med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct ahead_row at;
    struct stored_row row = {0};
    enum med_found found = med_pg_ahead_row(v, AHEAD_TEXTS, rid, &at, err);
    if (found == MED_FOUND && !med_pg_row(at.result, at.at, &row))
        found = med_pg_damaged(v, &row, err);
    if (found == MED_FOUND)
        found = med_pg_row_read(v, a, at.result, at.at, &row, true, out, err);
    med_pg_ahead_row_end(&at);
    return found;
}

/* The texts of the rows point into a copy of the rowset. */
enum med_found med_pg_rows(med_view *view, med_arena *a, med_rid rid, med_stored *out,
                           med_rows *rows, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct ahead_row at;
    struct stored_row row = {0};
    struct rowset set = {0};
    med_str bytes = MED_STR_EMPTY;
    enum med_found found = med_pg_ahead_row(v, AHEAD_ROWS, rid, &at, err);
    if (found == MED_FOUND && !med_pg_row(at.result, at.at, &row))
        found = med_pg_damaged(v, &row, err);
    if (found == MED_FOUND)
        found = med_pg_row_read(v, a, at.result, at.at, &row, false, out, err);
    const med_hash_key *key = med_keyring_check(&v->store->keys, row.key);
    bool copied = found == MED_FOUND
                  && med_arena_copy(a, med_pg_bytes_at(at.result, at.at, COLUMN_ROWSET), &bytes);
    med_pg_ahead_row_end(&at);
    if (found != MED_FOUND)
        return found;
    bool good =
        copied ? key != NULL
                     || MED_FAIL(err, MED_ISSUE_EXCEPTION, "the key of a stored version is missing")
               : MED_FAIL_MEMORY(err);
    if (!good || !med_rowset_read(&set, a, bytes, *key, err))
        return MED_FAILED;
    *rows = med_rowset_rows(&set);
    return MED_FOUND;
}

bool med_pg_rid(med_view *view, uint64_t ident, med_rid *out, med_err *err)
{
    const int64_t key = (int64_t)ident;
    int64_t rid = 0;
    bool has = false;
    bool good = med_pg_view_number(med_pg_of_view(view), STATEMENT_IDENT, &key, 1, &has, &rid, err);
    *out = (med_rid)rid;
    return good;
}
