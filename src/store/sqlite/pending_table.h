/* pending_table.h - the rows a group has collected, readable as an SQL table. Private to
 * store/sqlite/.
 *
 * One INSERT ... SELECT a table takes them all: starting and ending a statement for each row
 * costs as much as the row. The table pending(a, b, c, d, r, s, low, high, list, start, end)
 * gives rows `start` to `end` (excluded) of a list; C and D read as doubles through low, high. */
#ifndef MED_STORE_SQLITE_PENDING_TABLE_H
#define MED_STORE_SQLITE_PENDING_TABLE_H

#include "store/rowset.h"
#include "store/sqlite/connection.h"

/* `pending` must outlive the connection. */
bool med_pending_table_register(struct connection *c, const struct pending *pending, med_err *err);

#endif
