/* parts.c - long base64 values kept beside the bodies (store/part.h): written, found, folded.
 *
 * As in store/sqlite/parts.c: a group always writes the bytes of its parts, so that its time tells
 * nobody that they are there already, and whoever is idle removes all but the oldest of each. */
#include "store/part.h"
#include "store/postgres/postgres_impl.h"

enum { FOLD_BYTES = 64 << 20 }; /* of new parts, from which on looking at them must not wait */

static med_str hash_of(const uint8_t hash[MED_PART_HASH])
{
    return (med_str){(const char *)hash, MED_PART_HASH};
}

/* ---- writing ---- */

bool med_pg_add_parts(struct pg_store *s, const struct stored_row *row, const med_write *w,
                      med_err *err)
{
    struct pending_parts *waiting = MED_TAKE(s->scratch, 1, struct pending_parts);
    if (waiting == NULL)
        return MED_FAIL_MEMORY(err);
    *waiting = (struct pending_parts){row->rid, row->version, w->parts, w->n_parts, s->parts};
    s->parts = waiting;
    for (size_t i = 0; i < w->n_parts; i++)
        s->packed_bytes += w->parts[i].packed.len;
    return true;
}

struct arrays {
    struct pg_array rids, versions, used, hashes, bytes;
};

static void fill(struct pg_store *s, struct arrays *to)
{
    for (const struct pending_parts *p = s->parts; p != NULL; p = p->next) {
        for (size_t i = 0; i < p->n; i++) {
            med_pg_array_int(&to->rids, (int64_t)p->rid);
            med_pg_array_int(&to->versions, p->version);
            med_pg_array_bytes(&to->used, hash_of(p->parts[i].hash));
            med_pg_array_bytes(&to->hashes, hash_of(p->parts[i].hash));
            med_pg_array_bytes(&to->bytes, p->parts[i].packed);
            s->parts_new_bytes += p->parts[i].packed.len;
        }
    }
    s->parts_new = true;
    s->parts = NULL;
}

bool med_pg_flush_parts(struct pg_store *s, med_err *err)
{
    struct arrays a;
    struct pg_parameters uses = {0}, parts = {0};
    if (s->parts == NULL)
        return true;
    med_pg_array_init(&a.rids, PG_INT);
    med_pg_array_init(&a.versions, PG_INT);
    med_pg_array_init(&a.used, PG_BYTES);
    med_pg_array_init(&a.hashes, PG_BYTES);
    med_pg_array_init(&a.bytes, PG_BYTES);
    fill(s, &a);
    bool good = (med_pg_add_array(&uses, &a.rids) && med_pg_add_array(&uses, &a.versions)
                 && med_pg_add_array(&uses, &a.used) && med_pg_add_array(&parts, &a.hashes)
                 && med_pg_add_array(&parts, &a.bytes))
                || MED_FAIL_MEMORY(err);
    good = good && med_pg_send(&s->writer, STATEMENT_ADD_PARTS, &parts, err)
           && med_pg_send(&s->writer, STATEMENT_ADD_USES, &uses, err);
    med_pg_array_free(&a.rids);
    med_pg_array_free(&a.versions);
    med_pg_array_free(&a.used);
    med_pg_array_free(&a.hashes);
    med_pg_array_free(&a.bytes);
    return good;
}

/* ---- reading ---- */

enum med_found med_pg_find_part(void *arg, const uint8_t hash[MED_PART_HASH], med_str *packed,
                                med_err *err)
{
    struct pg_part_reader *reader = arg;
    struct pg_parameters p = {0};
    PQclear(reader->result);
    med_pg_bytes(&p, hash_of(hash));
    reader->result = med_pg_view_ask(reader->view, STATEMENT_READ_PART, &p, err);
    if (reader->result == NULL)
        return MED_FAILED;
    if (PQntuples(reader->result) == 0)
        return MED_ABSENT;
    *packed = med_pg_bytes_at(reader->result, 0, 0);
    return MED_FOUND;
}

enum med_found med_pg_uses_are_sound(struct pg_view *v, med_arena *a, med_str body,
                                     const struct stored_row *row, med_err *err)
{
    struct part_list list;
    struct pg_parameters p = {0};
    size_t n = 0;
    if (!med_part_list(body, &list))
        return med_pg_damaged(v, row, err);
    const uint8_t **hashes = med_part_hashes(a, &list, &n);
    if (hashes == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_FAILED;
    }
    if (n == 0) /* a round trip a version would be much; see USES_OF_NOBODY */
        return MED_FOUND;
    med_pg_int(&p, (int64_t)row->rid);
    med_pg_int(&p, row->version);
    PGresult *r = med_pg_view_ask(v, STATEMENT_USES_OF, &p, err);
    if (r == NULL)
        return MED_FAILED;
    bool same = (size_t)PQntuples(r) == n;
    for (size_t i = 0; same && i < n; i++)
        same = med_str_eq(med_pg_bytes_at(r, (int)i, 0), hash_of(hashes[i]));
    PQclear(r);
    return same ? MED_FOUND : med_pg_damaged(v, row, err);
}

/* ---- one of each ---- */

bool med_pg_load_parts(struct pg_store *s, med_err *err)
{
    PGresult *r = med_pg_ask(&s->writer, STATEMENT_HAS_NEW_PARTS, NULL, err);
    s->parts_new = r != NULL && PQntuples(r) > 0;
    PQclear(r);
    return r != NULL;
}

bool med_pg_fold_wanted(const struct pg_store *s)
{
    return s->parts_new;
}

bool med_pg_fold_due(const struct pg_store *s)
{
    return s->parts_new && s->parts_new_bytes >= FOLD_BYTES;
}

/* One statement, one transaction. It never removes the last of a hash: only a purge does, all of
 * them together. When it fails, the next new part brings it here again. */
bool med_pg_fold(struct pg_store *s, med_err *err)
{
    PGresult *r =
        med_pg_writer(s, err) ? med_pg_ask(&s->writer, STATEMENT_FOLD_PARTS, NULL, err) : NULL;
    s->parts_new = false;
    if (r == NULL)
        return false;
    s->parts_new = PQntuples(r) == 1 && med_pg_int_at(r, 0, 0) > 0;
    if (!s->parts_new)
        s->parts_new_bytes = 0;
    PQclear(r);
    return true;
}
