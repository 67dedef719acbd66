/* fulltext.c - the lists behind full-text search, in the table `posting`: runs of rids in blocks
 * (posting_block.h), so that a posting costs a byte or two and can be taken out again for good.
 *
 * SQLite's own FTS5 was not taken: in this version it forgets a purged text only when the whole
 * index is merged. They are written on the commit thread in slices between groups, so that a
 * batch of thousands of terms holds up no commit for more than some milliseconds. */
#include "store/posting_block.h"
#include "store/purge_terms.h"
#include "store/sqlite/sqlite_impl.h"

#include <stdlib.h>

enum { SLICE_BLOCKS = 1500 };

struct post_job {
    struct job job;
    const med_posting *at;
    size_t n, next;
    med_posted from, to;
    med_arena *arena; /* of one term */
    bool good;
    med_err *err;
};

static bool end_step(struct sqlite_store *s, sqlite3_stmt *stmt, int rc, med_err *err)
{
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return rc == SQLITE_DONE || rc == SQLITE_ROW
           || med_connection_fail(&s->writer, rc, "writing the full-text lists", err);
}

static sqlite3_stmt *on_term(struct sqlite_store *s, enum statement id, const med_posting *p,
                             med_rid rid, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, id, err);
    if (stmt == NULL)
        return NULL;
    if (sqlite3_bind_int64(stmt, 1, (int64_t)p->list) != SQLITE_OK
        || !med_statement_bind_str(stmt, 2, p->term)
        || sqlite3_bind_int64(stmt, 3, (int64_t)rid) != SQLITE_OK) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    return stmt;
}

/* The block a posting belongs to, empty when it would be the first of its list; *first is its key,
 * or 0. */
static bool read_block(struct sqlite_store *s, const med_posting *p, med_rids *out, med_rid *first,
                       med_err *err)
{
    sqlite3_stmt *stmt = on_term(s, STATEMENT_BLOCK_AT, p, p->rid, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    bool good = true;
    *first = 0;
    if (rc == SQLITE_ROW) {
        *first = (med_rid)sqlite3_column_int64(stmt, 0);
        good = med_block_read(*first, med_statement_str(stmt, 1), out, err);
    }
    return end_step(s, stmt, rc, err) && good;
}

/* Where the next block begins. */
static bool read_bound(struct sqlite_store *s, const med_posting *p, med_rid *out, med_err *err)
{
    sqlite3_stmt *stmt = on_term(s, STATEMENT_BLOCK_BEHIND, p, p->rid, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW ? (med_rid)sqlite3_column_int64(stmt, 0) : UINT64_MAX;
    return end_step(s, stmt, rc, err);
}

static bool write_block(struct sqlite_store *s, const med_posting *p, med_rid first, med_str bytes,
                        med_err *err)
{
    sqlite3_stmt *stmt = on_term(s, STATEMENT_PUT_BLOCK, p, first, err);
    if (stmt == NULL)
        return false;
    if (!med_statement_bind_blob(stmt, 4, bytes))
        return MED_FAIL_MEMORY(err);
    return end_step(s, stmt, sqlite3_step(stmt), err);
}

static bool write_blocks(struct sqlite_store *s, const med_posting *p, const med_rids *rids,
                         med_err *err)
{
    med_buf bytes;
    bool good = true;
    med_buf_init(&bytes, (size_t)2 * MED_BLOCK_BYTES);
    for (size_t i = 0; good && i < rids->n;) {
        med_buf_clear(&bytes);
        med_rid first = rids->at[i];
        i += med_block_write(rids->at + i, rids->n - i, &bytes);
        good = bytes.failed ? MED_FAIL_MEMORY(err)
                            : write_block(s, p, first, med_buf_str(&bytes), err);
    }
    med_buf_free(&bytes);
    return good;
}

static bool is_same(const med_rids *a, const med_rids *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n * sizeof *a->at) == 0);
}

/* The postings of one term up to its next block; *done of them. */
static bool change_block(struct sqlite_store *s, med_arena *a, const med_posting *p, size_t n,
                         size_t *done, med_err *err)
{
    med_rids old = {.arena = a}, new = {.arena = a};
    med_rid first, bound;
    *done = 1;
    if (!read_block(s, p, &old, &first, err))
        return false;
    if (n > 1) {
        if (!read_bound(s, p, &bound, err))
            return false;
        while (*done < n && p[*done].rid < bound)
            ++*done;
    }
    if (!med_rids_merge(&old, p, *done, &new, err))
        return false;
    if (is_same(&old, &new))
        return true;
    if (first != 0 && (new.n == 0 || new.at[0] != first)) {
        sqlite3_stmt *stmt = on_term(s, STATEMENT_CUT_BLOCK, p, first, err);
        if (stmt == NULL || !end_step(s, stmt, sqlite3_step(stmt), err))
            return false;
    }
    return write_blocks(s, p, &new, err);
}

/* From *next, at most `most` blocks. */
static bool change_lists(struct sqlite_store *s, med_arena *a, const med_posting *p, size_t n,
                         size_t *next, size_t most, med_err *err)
{
    for (size_t blocks = 0; *next < n && blocks < most; blocks++) {
        size_t end = *next, done;
        while (end < n && p[end].list == p[*next].list && med_str_eq(p[end].term, p[*next].term))
            end++;
        med_arena_reset(a);
        if (!change_block(s, a, p + *next, end - *next, &done, err))
            return false;
        *next += done;
    }
    return true;
}

/* ---- what the lists hold ---- */

static bool read_posted(sqlite3_stmt *stmt, int *rc, med_posted *out)
{
    *rc = sqlite3_step(stmt);
    *out = (med_posted){0};
    if (*rc == SQLITE_ROW)
        *out = (med_posted){sqlite3_column_int64(stmt, 0), (uint32_t)sqlite3_column_int64(stmt, 1),
                            sqlite3_column_int64(stmt, 2)};
    (void)sqlite3_reset(stmt);
    return *rc == SQLITE_ROW;
}

static bool posted_now(struct sqlite_store *s, med_posted *out, med_err *err)
{
    int rc;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_POSTED, err);
    return stmt != NULL
           && (read_posted(stmt, &rc, out)
               || med_connection_fail(&s->writer, rc, "reading the full-text lists", err));
}

static bool set_posted(struct sqlite_store *s, int64_t t, uint32_t form, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_SET_POSTED, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_int64(stmt, 2, form);
    return end_step(s, stmt, sqlite3_step(stmt), err);
}

static bool run_plain(struct sqlite_store *s, enum statement id, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, id, err);
    return stmt != NULL && end_step(s, stmt, sqlite3_step(stmt), err);
}

/* In a form that nobody asks for, nothing of it counts. */
static bool empty_lists(struct sqlite_store *s, uint32_t form, med_err *err)
{
    return run_plain(s, STATEMENT_EMPTY_POSTING, err) && set_posted(s, 0, form, err);
}

/* ---- on the commit thread ---- */

static bool is_current(struct sqlite_store *s, const struct post_job *j, med_err *err)
{
    med_posted now;
    if (!posted_now(s, &now, err))
        return false;
    return (now.t == j->from.t && now.form == j->from.form && now.purges == j->from.purges)
           || MED_FAIL(err, MED_ISSUE_CONFLICT, "the full-text lists have changed meanwhile");
}

static bool write_slice(struct sqlite_store *s, struct post_job *j, med_err *err)
{
    if (!is_current(s, j, err))
        return false;
    if (j->from.form != j->to.form) {
        j->from = (med_posted){0, j->to.form, j->from.purges};
        if (!empty_lists(s, j->to.form, err))
            return false;
    }
    if (!change_lists(s, j->arena, j->at, j->n, &j->next, SLICE_BLOCKS, err))
        return false;
    return j->next < j->n || set_posted(s, j->to.t, j->to.form, err);
}

/* A transaction of its own; what a crash leaves half done is done again, to the same end. */
static void run_post(struct job *job)
{
    struct post_job *j = (struct post_job *)job;
    struct sqlite_store *s = job->store;
    int rc = s->failed ? SQLITE_IOERR : med_connection_begin_write(&s->writer);
    j->good = rc == SQLITE_OK
              || med_connection_fail(&s->writer, rc, "writing the full-text lists", j->err);
    j->good = j->good && write_slice(s, j, j->err);
    if (j->good) {
        rc = med_connection_run(&s->writer, STATEMENT_COMMIT);
        j->good = rc == SQLITE_OK
                  || med_connection_fail(&s->writer, rc, "writing the full-text lists", j->err);
    }
    if (!j->good)
        (void)med_connection_run(&s->writer, STATEMENT_ROLLBACK);
    else
        med_sqlite_checkpoint_if_due(s, false);
    job->again = j->good && j->next < j->n;
}

bool med_sqlite_post(med_store *store, const med_posting *at, size_t n, med_posted from,
                     med_posted to, med_err *err)
{
    enum { ONE_TERM = 256 << 20 };
    struct post_job job = {.job.run = run_post, .n = n, .from = from, .to = to, .err = err};
    med_arena *sorted = med_arena_new(2 * n * sizeof(med_posting) + (1 << 20));
    med_posting *copy = sorted == NULL ? NULL : MED_TAKE(sorted, n, med_posting);
    job.arena = med_arena_new(ONE_TERM);
    bool good = copy != NULL && job.arena != NULL ? true : MED_FAIL_MEMORY(err);
    if (good && n > 0) {
        memcpy(copy, at, n * sizeof *copy);
        qsort(copy, n, sizeof *copy, med_posting_compare);
    }
    job.at = copy;
    good = good && med_queue_run_job(&med_sqlite_of(store)->queue, &job.job, err) && job.good;
    med_arena_free(job.arena);
    med_arena_free(sorted);
    return good;
}

/* ---- purge ---- */

static bool take_out(struct sqlite_store *s, med_rid rid, med_err *err)
{
    enum { ONE_TERM = 256 << 20 };
    med_posting *at;
    size_t n = 0, next = 0;
    med_sqlite_view_begin(s->guard_view, INT64_MAX);
    bool good = med_purge_terms(&s->guard_view->base, s->scratch, rid, &at, &n, err);
    med_sqlite_view_close(s->guard_view);
    if (!good || n == 0)
        return good;
    med_arena *a = med_arena_new(ONE_TERM);
    good = a != NULL ? change_lists(s, a, at, n, &next, SIZE_MAX, err) : MED_FAIL_MEMORY(err);
    med_arena_free(a);
    return good;
}

bool med_sqlite_forget_terms(struct sqlite_store *s, med_rid rid, med_err *err)
{
    med_posted now;
    if (!posted_now(s, &now, err) || !run_plain(s, STATEMENT_NOTE_PURGE, err))
        return false;
    if (now.form == 0)
        return true;
    const med_terms_known *known = s->base.terms;
    bool knows = known != NULL && now.form >= known->first_form && now.form <= known->last_form;
    return knows ? take_out(s, rid, err) : empty_lists(s, 0, err);
}

/* ---- reading ---- */

bool med_sqlite_posted(med_view *view, med_posted *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    int rc;
    if (!med_sqlite_enter(v, err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_POSTED, err);
    bool good = stmt != NULL;
    if (good && !read_posted(stmt, &rc, out)) {
        (void)med_sqlite_read_failed(v, rc, err);
        good = false;
    }
    med_sqlite_leave(v);
    return good;
}

/* Behind the term itself, or behind all that begin with it. */
static med_str end_of(char room[MED_TERM_BYTES + 1], med_str term, bool prefix)
{
    memcpy(room, term.ptr, term.len);
    room[term.len] = prefix ? (char)0xff : '\0'; /* no text has the byte ff */
    return (med_str){room, term.len + 1};
}

static bool collect(struct sqlite_view *v, sqlite3_stmt *stmt, size_t limit, med_rids *out,
                    bool *whole, med_err *err)
{
    int rc = SQLITE_DONE;
    bool good = true;
    while (good && out->n <= limit && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        good = med_block_read((med_rid)sqlite3_column_int64(stmt, 0), med_statement_str(stmt, 1),
                              out, err);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (good && rc != SQLITE_DONE && rc != SQLITE_ROW)
        good = med_sqlite_read_failed(v, rc, err) == MED_FOUND;
    *whole = good && out->n <= limit;
    return good;
}

bool med_sqlite_postings(med_view *view, med_arena *a, uint64_t list, med_str term, bool prefix,
                         size_t limit, med_rid **out, size_t *n, bool *whole, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    char room[MED_TERM_BYTES + 1];
    med_rids rids = {.arena = a};
    if (term.len == 0 || term.len > MED_TERM_BYTES)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a term has 1 to %d bytes", (int)MED_TERM_BYTES);
    if (!med_sqlite_enter(v, err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_POSTINGS, err);
    bool good = stmt != NULL;
    if (good) {
        good = sqlite3_bind_int64(stmt, 1, (int64_t)list) == SQLITE_OK
                       && med_statement_bind_str(stmt, 2, term)
                       && med_statement_bind_str(stmt, 3, end_of(room, term, prefix))
                   ? collect(v, stmt, limit, &rids, whole, err)
                   : MED_FAIL_MEMORY(err);
    }
    med_sqlite_leave(v);
    med_rids_sort(&rids);
    *out = rids.at;
    *n = rids.n;
    return good;
}
