/* prepare_rows.h - a resource's rows brought into the form the tables have. Private to store/. */
#ifndef MED_STORE_PREPARE_ROWS_H
#define MED_STORE_PREPARE_ROWS_H

#include "base/arena.h"
#include "base/err.h"
#include "store/rows.h"

/* Sorts tokens, makes doubles one, marks those that are counted; cuts long keys. */
bool med_rows_prepare(med_arena *a, med_rows *rows, med_err *err) MED_MUST_CHECK;

#endif
