/* pending_table.c - an eponymous virtual table. https://www.sqlite.org/vtab.html */
#include "store/sqlite/pending_table.h"

#include "base/mem.h"

struct pending_vtab {
    sqlite3_vtab base;
    const struct pending *pending;
};

struct pending_cursor {
    sqlite3_vtab_cursor base;
    const struct index_row *at, *end;
};

enum column { A, B, C, D, R, S, LOW, HIGH, LIST, START, END };

static int connect(sqlite3 *db, void *pending, int argc, const char *const *argv,
                   sqlite3_vtab **out, char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    int rc = sqlite3_declare_vtab(db, "CREATE TABLE pending (a, b, c, d, r, s, low, high,"
                                      " list HIDDEN, start HIDDEN, end HIDDEN)");
    if (rc != SQLITE_OK)
        return rc;
    struct pending_vtab *t = MED_NEW(1, struct pending_vtab);
    if (t == NULL)
        return SQLITE_NOMEM;
    t->pending = pending;
    *out = (sqlite3_vtab *)t;
    return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

static int disconnect(sqlite3_vtab *t)
{
    med_free(t);
    return SQLITE_OK;
}

/* Only with all three arguments given, in their order. */
static int best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
    int found = 0;
    (void)t;
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        if (column < LIST || !info->aConstraint[i].usable
            || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        info->aConstraintUsage[i].argvIndex = column - LIST + 1;
        info->aConstraintUsage[i].omit = 1;
        found++;
    }
    info->estimatedCost = 100;
    return found == 3 ? SQLITE_OK : SQLITE_CONSTRAINT;
}

static int open_cursor(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
    (void)t;
    struct pending_cursor *c = MED_NEW(1, struct pending_cursor);
    *out = (sqlite3_vtab_cursor *)c;
    return c == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *c)
{
    med_free(c);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int argc,
                  sqlite3_value **argv)
{
    struct pending_cursor *c = (struct pending_cursor *)cursor;
    const struct pending_vtab *t = (const struct pending_vtab *)cursor->pVtab;
    (void)number;
    (void)text;
    if (argc != 3)
        return SQLITE_MISUSE;
    int64_t list = sqlite3_value_int64(argv[0]);
    int64_t start = sqlite3_value_int64(argv[1]);
    int64_t end = sqlite3_value_int64(argv[2]);
    if (list < 0 || list >= TABLE_COUNT || start < 0 || start > end
        || (size_t)end > t->pending->tables[list].n)
        return SQLITE_MISUSE;
    const struct index_row *rows = t->pending->tables[list].at;
    c->at = rows == NULL ? NULL : rows + start;
    c->end = rows == NULL ? NULL : rows + end;
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *c)
{
    ((struct pending_cursor *)c)->at++;
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *c)
{
    return ((const struct pending_cursor *)c)->at == ((const struct pending_cursor *)c)->end;
}

static int column(sqlite3_vtab_cursor *c, sqlite3_context *to, int at)
{
    const struct index_row *row = ((const struct pending_cursor *)c)->at;
    switch (at) {
    case A:
        sqlite3_result_int64(to, row->a);
        return SQLITE_OK;
    case B:
        sqlite3_result_int64(to, row->b);
        return SQLITE_OK;
    case C:
        sqlite3_result_int64(to, row->c);
        return SQLITE_OK;
    case D:
        sqlite3_result_int64(to, row->d);
        return SQLITE_OK;
    case R:
        sqlite3_result_int64(to, (int64_t)row->rid);
        return SQLITE_OK;
    case S:
        sqlite3_result_text64(to, row->text.ptr, row->text.len, SQLITE_STATIC, SQLITE_UTF8);
        return SQLITE_OK;
    case LOW:
        sqlite3_result_double(to, med_double_from_key(row->c));
        return SQLITE_OK;
    case HIGH:
        sqlite3_result_double(to, med_double_from_key(row->d));
        return SQLITE_OK;
    default:
        sqlite3_result_null(to);
        return SQLITE_OK;
    }
}

static int rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *out)
{
    *out = (int64_t)((const struct pending_cursor *)c)->at->order;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect, /* no xCreate: it is there by its name, and can not be made */
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = rowid,
};

bool med_pending_table_register(struct connection *c, const struct pending *pending, med_err *err)
{
    void *aux = (void *)(uintptr_t)pending; /* only read */
    int rc = sqlite3_create_module(c->db, "pending", &module, aux);
    return rc == SQLITE_OK || med_connection_fail(c, rc, "setting up a connection", err);
}
