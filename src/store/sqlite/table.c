/* table.c - see table.h. */
#include "store/sqlite/table.h"

#define SHAPE(name, sql, columns)                                                                  \
    {                                                                                              \
        sql, STATEMENT_ADD_##name, STATEMENT_ADD_ALL_##name, STATEMENT_CUT_##name,                 \
            STATEMENT_HAS_##name, STATEMENT_ALL_##name, columns                                    \
    }

static const struct table_shape shapes[TABLE_COUNT] = {
    [TABLE_TOKEN] = SHAPE(TOKEN, "token", "abr"),
    [TABLE_REFERENCE] = {"reference", STATEMENT_ADD_REFERENCE, STATEMENT_ADD_ALL_REFERENCE,
                         STATEMENT_CUT_REFERENCE, STATEMENT_HAS_REFERENCE_ROW,
                         STATEMENT_ALL_REFERENCE, "abr"},
    [TABLE_DATE] = SHAPE(DATE, "date", "abcrd"),
    [TABLE_STRING] = SHAPE(STRING, "string", "asr"),
    [TABLE_QUANTITY] = SHAPE(QUANTITY, "quantity", "abCrD"),
    [TABLE_URI] = SHAPE(URI, "uri", "asr"),
    [TABLE_UPDATED] = SHAPE(UPDATED, "updated", "abr"),
    [TABLE_PATIENT] = SHAPE(PATIENT, "patient", "abcr"),
    [TABLE_PTOK] = SHAPE(PTOK, "ptok", "abcdr"),
    [TABLE_TARGET] = SHAPE(TARGET, "target", "ar"),
    [TABLE_FEED] = {.name = "feed", .add_all = STATEMENT_ADD_ALL_FEED, .columns = ""},
    [TABLE_IDENT] = {.name = "ident", .add_all = STATEMENT_ADD_ALL_IDENT, .columns = ""},
};

const struct table_shape *med_table_shape(enum table table)
{
    return &shapes[table];
}

static int bind_column(sqlite3_stmt *stmt, int at, char column, const struct index_row *row)
{
    switch (column) {
    case 'a':
        return sqlite3_bind_int64(stmt, at, row->a);
    case 'b':
        return sqlite3_bind_int64(stmt, at, row->b);
    case 'c':
        return sqlite3_bind_int64(stmt, at, row->c);
    case 'd':
        return sqlite3_bind_int64(stmt, at, row->d);
    case 'C':
        return sqlite3_bind_double(stmt, at, med_double_from_key(row->c));
    case 'D':
        return sqlite3_bind_double(stmt, at, med_double_from_key(row->d));
    case 's':
        return sqlite3_bind_text64(stmt, at, row->text.ptr, row->text.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    default:
        return sqlite3_bind_int64(stmt, at, (int64_t)row->rid);
    }
}

void med_table_bind(sqlite3_stmt *stmt, const struct table_shape *shape,
                    const struct index_row *row)
{
    for (int i = 0; shape->columns[i] != '\0'; i++)
        (void)bind_column(stmt, i + 1, shape->columns[i], row);
}

static void read_column(sqlite3_stmt *stmt, int at, char column, struct index_row *row)
{
    switch (column) {
    case 'a':
        row->a = sqlite3_column_int64(stmt, at);
        return;
    case 'b':
        row->b = sqlite3_column_int64(stmt, at);
        return;
    case 'c':
        row->c = sqlite3_column_int64(stmt, at);
        return;
    case 'd':
        row->d = sqlite3_column_int64(stmt, at);
        return;
    case 'C':
        row->c = med_double_to_key(sqlite3_column_double(stmt, at));
        return;
    case 'D':
        row->d = med_double_to_key(sqlite3_column_double(stmt, at));
        return;
    case 's':
        row->text = med_statement_str(stmt, at);
        return;
    default:
        row->rid = (med_rid)sqlite3_column_int64(stmt, at);
    }
}

struct index_row med_table_row(sqlite3_stmt *stmt, enum table table)
{
    struct index_row row = {.table = (uint8_t)table, .text = MED_STR_EMPTY};
    for (int i = 0; shapes[table].columns[i] != '\0'; i++)
        read_column(stmt, i, shapes[table].columns[i], &row);
    return row;
}
