/* table.h - the index tables: which columns, which statements. Private to store/sqlite/. */
#ifndef MED_STORE_SQLITE_TABLE_H
#define MED_STORE_SQLITE_TABLE_H

#include "store/rowset.h"
#include "store/sqlite/connection.h"

struct table_shape {
    const char *name;
    enum statement add, add_all, cut, has, all; /* the feed and ident: add, add_all only */
    /* In the order of the key: letters of struct index_row, r = rid, s = text, C and D for c and
     * d that stand for doubles. */
    const char *columns;
};

const struct table_shape *med_table_shape(enum table table);
/* Binds a row's columns to ?1, ?2, ... */
void med_table_bind(sqlite3_stmt *stmt, const struct table_shape *shape,
                    const struct index_row *row);
/* The row a statement of `all` stands on; its text is the statement's. */
struct index_row med_table_row(sqlite3_stmt *stmt, enum table table);

#endif
