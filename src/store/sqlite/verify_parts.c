/* verify_parts.c - long values kept beside the bodies: each is what its hash says and is held by a
 * version, and what is noted as held is held by a version that is there. (That each version holds
 * what its body names is seen when it is read: parts.c.) */
#include "store/part.h"
#include "store/sqlite/verify.h"

struct use_at {
    int64_t rid, version;
    unsigned char hash[MED_PART_HASH];
};

static bool check_part(struct verifying *x, sqlite3_stmt *stmt)
{
    const char *why;
    med_str packed = med_statement_str(stmt, 2);
    if (!med_part_judge(&x->s->packer, x->v->unpacker, x->a, med_statement_str(stmt, 1), packed,
                        sqlite3_column_int(stmt, 3) != 0, &why))
        return MED_FAIL_MEMORY(x->err);
    if (why != NULL)
        med_verify_fault(
            x, "part",
            med_arena_printf(x->a, "long value %lld", (long long)sqlite3_column_int64(stmt, 0)),
            why);
    x->to->parts++;
    x->to->part_bytes += packed.len;
    return true;
}

/* A few at a time, as they are large. */
static bool parts_page(struct verifying *x, void *arg, bool *more)
{
    int64_t *at = arg;
    *more = false;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_ALL_PARTS, x->err);
    int rc = SQLITE_ERROR;
    bool good = stmt != NULL && sqlite3_bind_int64(stmt, 1, *at) == SQLITE_OK;
    while (good && med_verify_step(x, stmt, &rc)) {
        good = check_part(x, stmt);
        *at = sqlite3_column_int64(stmt, 0);
        *more = true;
        med_arena_reset(x->a);
    }
    (void)sqlite3_reset(stmt);
    if (good && rc != SQLITE_DONE)
        good = med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
    med_sqlite_leave(x->v);
    return good;
}

static bool uses_page(struct verifying *x, void *arg, bool *more)
{
    struct use_at *at = arg;
    *more = false;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_ALL_USES, x->err);
    bool good =
        stmt != NULL && sqlite3_bind_int64(stmt, 1, at->rid) == SQLITE_OK
        && sqlite3_bind_int64(stmt, 2, at->version) == SQLITE_OK
        && sqlite3_bind_blob(stmt, 3, at->hash, sizeof at->hash, SQLITE_TRANSIENT) == SQLITE_OK;
    int rc = SQLITE_DONE;
    while (good && med_verify_step(x, stmt, &rc)) {
        at->rid = sqlite3_column_int64(stmt, 0);
        at->version = sqlite3_column_int64(stmt, 1);
        med_str hash = med_statement_str(stmt, 2);
        if (hash.len == sizeof at->hash)
            memcpy(at->hash, hash.ptr, sizeof at->hash);
        if (sqlite3_column_int(stmt, 3) == 0)
            med_verify_fault(x, "part",
                             med_arena_printf(x->a, "internal id %lld, version %lld",
                                              (long long)at->rid, (long long)at->version),
                             "it is noted as holding a long value, and is not there");
        *more = true;
    }
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (good && rc != SQLITE_DONE)
        good = med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
    med_sqlite_leave(x->v);
    return good;
}

bool med_verify_parts(struct verifying *x)
{
    int64_t part = 0;
    struct use_at use = {0};
    return med_verify_pages(x, parts_page, &part) && med_verify_pages(x, uses_page, &use);
}
