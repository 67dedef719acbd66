/* group.c - what a group knows before its first commit.
 *
 * One round trip begins the transaction, takes the lock on `state` (so that nobody else commits
 * until this group is over: see docs/decisions/0013), and reads every id that the commits of
 * the group write or name. From then on planning asks nobody. What is remembered from earlier
 * groups holds only if nobody else has committed since: state.turn tells. */
#include "store/postgres/postgres_impl.h"

/* ---- what is written here ---- */

static bool make_current(struct pg_store *s, med_commit *first, const med_commit *end, med_err *err)
{
    size_t n = 0;
    for (const med_commit *c = first; c != end; c = c->next)
        n += c->n_writes;
    for (s->current_cap = 16; s->current_cap < n * 2;)
        s->current_cap *= 2;
    s->current = MED_TAKE(s->scratch, s->current_cap, struct current);
    return s->current != NULL || MED_FAIL_MEMORY(err);
}

struct current *med_pg_current(struct pg_store *s, uint64_t ident)
{
    size_t i = (size_t)(ident ^ ident >> 32) & (s->current_cap - 1);
    while (s->current[i].used && s->current[i].ident != ident)
        i = (i + 1) & (s->current_cap - 1);
    if (!s->current[i].used)
        s->current[i] = (struct current){
            .ident = ident, .used = true, .rowset = MED_STR_EMPTY, .packed = MED_STR_EMPTY};
    return &s->current[i];
}

/* ---- asking ---- */

/* What is asked for, each once: many resources name the same patient, and each names its own in
 * several places. */
struct wanted {
    struct pg_array named;
    uint64_t *seen; /* open addressing; 0 = free, so that hash 0 is asked for each time */
    size_t cap;
};

static bool make_seen(struct pg_store *s, size_t n, struct wanted *w)
{
    for (w->cap = 64; w->cap < 2 * n;)
        w->cap *= 2;
    w->seen = MED_TAKE(s->scratch, w->cap, uint64_t);
    return w->seen != NULL;
}

static bool is_new(struct wanted *w, uint64_t hash)
{
    size_t i = (size_t)(hash ^ hash >> 32) & (w->cap - 1);
    while (w->seen[i] != 0 && w->seen[i] != hash)
        i = (i + 1) & (w->cap - 1);
    bool is = w->seen[i] == 0;
    w->seen[i] = hash;
    return is;
}

static void want(const struct pg_store *s, struct wanted *w, uint64_t hash, bool all)
{
    const struct ident *known = all ? NULL : med_idents_find(&s->idents, hash);
    if ((known == NULL || !known->live) && is_new(w, hash))
        med_pg_array_int(&w->named, (int64_t)hash);
}

static size_t count_named(const med_commit *first, const med_commit *end)
{
    size_t n = 0;
    for (const med_commit *c = first; c != end; c = c->next) {
        for (size_t i = 0; i < c->n_writes; i++) {
            const med_rows *rows = &c->writes[i].rows;
            n += 1 + rows->n_references + rows->n_targets + rows->n_patients;
        }
    }
    return n;
}

static void list(const struct pg_store *s, med_commit *first, const med_commit *end, bool all,
                 struct pg_array *written, struct wanted *w)
{
    for (const med_commit *c = first; c != end; c = c->next) {
        for (size_t i = 0; i < c->n_writes; i++) {
            const med_rows *rows = &c->writes[i].rows;
            med_pg_array_int(written, (int64_t)c->writes[i].ident);
            want(s, w, c->writes[i].ident, all);
            if (c->writes[i].kind != MED_WRITE_PUT)
                continue;
            for (size_t k = 0; k < rows->n_references; k++)
                want(s, w, rows->references[k].target, all);
            for (size_t k = 0; k < rows->n_targets; k++)
                want(s, w, rows->targets[k].ident, all);
            for (size_t k = 0; k < rows->n_patients; k++)
                want(s, w, rows->patients[k], all);
        }
    }
}

static bool take_idents(struct pg_store *s, const PGresult *r, med_err *err)
{
    for (int i = 0; i < PQntuples(r); i++) {
        uint64_t hash = (uint64_t)med_pg_int_at(r, i, 0);
        struct ident *ident = med_idents_find(&s->idents, hash);
        if (ident == NULL)
            ident = med_idents_add(&s->idents, hash, (med_rid)med_pg_int_at(r, i, 1), false);
        if (ident == NULL)
            return MED_FAIL_MEMORY(err);
        ident->live = med_pg_int_at(r, i, 2) != 0;
    }
    return true;
}

static bool take_row(struct pg_store *s, const PGresult *r, int i, med_err *err)
{
    struct current *c = med_pg_current(s, (uint64_t)med_pg_int_at(r, i, COLUMN_IDENT));
    if (!med_pg_row(r, i, &c->row))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a stored version is damaged (internal id %llu)",
                        (unsigned long long)c->row.rid);
    med_str id = {(const char *)c->row.id, c->row.id_len};
    if (!med_arena_copy(s->scratch, id, &id)
        || !med_arena_copy(s->scratch, med_pg_bytes_at(r, i, COLUMN_ROWSET), &c->rowset))
        return MED_FAIL_MEMORY(err);
    c->row.id = (const unsigned char *)id.ptr;
    c->has_row = true;
    c->in_db = true;
    return true;
}

static bool send_lists(struct pg_store *s, med_commit *first, const med_commit *end, bool all,
                       med_err *err)
{
    struct pg_array written;
    struct wanted wanted = {0};
    struct pg_parameters w = {0}, n = {0};
    med_pg_array_init(&written, PG_INT);
    med_pg_array_init(&wanted.named, PG_INT);
    bool good = make_seen(s, count_named(first, end), &wanted);
    if (good)
        list(s, first, end, all, &written, &wanted);
    good = (good && med_pg_add_array(&w, &written) && med_pg_add_array(&n, &wanted.named))
           || MED_FAIL_MEMORY(err);
    good = good && med_pg_send(&s->writer, STATEMENT_IDENTS, &n, err)
           && med_pg_send(&s->writer, STATEMENT_ROWS, &w, err) && med_pg_sync(&s->writer, err);
    med_pg_array_free(&written);
    med_pg_array_free(&wanted.named);
    return good;
}

static bool take_lists(struct pg_store *s, med_err *err)
{
    PGresult *idents = med_pg_result(&s->writer, err);
    PGresult *rows = idents == NULL ? NULL : med_pg_result(&s->writer, err);
    bool good = rows != NULL && med_pg_drain(&s->writer, err) && take_idents(s, idents, err);
    for (int i = 0; good && i < PQntuples(rows); i++)
        good = take_row(s, rows, i, err);
    PQclear(idents);
    PQclear(rows);
    return good;
}

void med_pg_group_forget(struct pg_store *s)
{
    s->caches_hold = false;
    med_idents_clear(&s->idents);
    med_tallies_clear(&s->tallies);
}

/* Whether nobody else has had a turn since ours. */
static bool take_state(struct pg_store *s, bool *ours, med_err *err)
{
    PGresult *r = med_pg_result(&s->writer, err); /* of BEGIN */
    PQclear(r);
    r = r == NULL ? NULL : med_pg_result(&s->writer, err);
    if (r == NULL)
        return false;
    bool good =
        PQntuples(r) == 1 || MED_FAIL(err, MED_ISSUE_EXCEPTION, "the table state has lost its row");
    if (good) {
        s->t = med_pg_int_at(r, 0, 0);
        s->number = med_pg_int_at(r, 0, 1);
        s->updated = med_pg_int_at(r, 0, 2);
        int64_t turn = med_pg_int_at(r, 0, 3);
        *ours = s->caches_hold && turn == s->turn;
        s->turn = turn;
    }
    PQclear(r);
    r = good ? med_pg_result(&s->writer, err) : NULL;
    if (r != NULL)
        s->epoch = PQntuples(r) == 1 ? (uint64_t)med_pg_int_at(r, 0, 0) : 0;
    PQclear(r);
    return good && r != NULL;
}

bool med_pg_group_begin(struct pg_store *s, med_commit *first, const med_commit *end, med_err *err)
{
    bool ours = false;
    bool remembered = s->caches_hold;
    if (s->idents.n > MED_IDENTS_MAX || s->tallies.n > MED_TALLIES_MAX || !remembered)
        med_pg_group_forget(s);
    s->caches_hold = remembered;
    if (!make_current(s, first, end, err)
        || !med_pg_send(&s->writer, STATEMENT_BEGIN_WRITE, NULL, err)
        || !med_pg_send(&s->writer, STATEMENT_LOCK_STATE, NULL, err)
        || !med_pg_send(&s->writer, STATEMENT_EPOCH, NULL, err)
        || !send_lists(s, first, end, false, err) || !take_state(s, &ours, err)
        || !take_lists(s, err))
        return false;
    if (ours || !remembered)
        return true;
    /* What was asked left out what was thought to be known. */
    med_pg_group_forget(s);
    memset(s->current, 0, s->current_cap * sizeof *s->current);
    return send_lists(s, first, end, true, err) && take_lists(s, err);
}

/* ---- numbers of resources ---- */

med_rid med_pg_find_ident(struct pg_store *s, uint64_t hash)
{
    const struct ident *known = med_idents_find(&s->idents, hash);
    return known == NULL ? 0 : known->rid;
}

bool med_pg_intern_ident(struct pg_store *s, uint64_t hash, uint64_t home, med_rid *rid,
                         med_err *err)
{
    *rid = med_pg_find_ident(s, hash);
    if (*rid != 0)
        return true;
    *rid = (uint64_t)(s->number + 1) << MED_SHARD_BITS | (home & (MED_SHARDS - 1));
    if (med_idents_add(&s->idents, hash, *rid, true) == NULL)
        return MED_FAIL_MEMORY(err);
    s->number++;
    return true;
}
