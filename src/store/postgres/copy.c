/* copy.c - many rows of a table as one COPY: less than half the work that an INSERT out of arrays
 * is for the server. https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4 (the binary
 * format) */
#include "store/postgres/postgres_impl.h"

enum { COPY_LIMIT = 1 << 30 };

/* How each column of a table stands in the row: a width in bytes (f: float8, s: bytea) and a letter
 * of struct index_row (table.c; v and w: the halves of c). The shard comes last, out of the rid
 * that `shard` names; 0: there is none. */
static const struct copy_shape {
    const char *sql, *columns;
    char shard;
} shapes[COPIES] = {
#define COPY_ONLY(table, columns) "COPY " table " (" columns ") FROM STDIN (FORMAT binary)"
#define COPY(table, columns) COPY_ONLY(table, columns ", shard")
    [TABLE_TOKEN] = {COPY("token", "param, hash, rid"), "4a8b8r", 'r'},
    [TABLE_REFERENCE] = {COPY("reference", "target, param, rid"), "8a4b8r", 'r'},
    [TABLE_DATE] = {COPY("date", "param, class, low, rid, span"), "4a2b8c8r8d", 'r'},
    [TABLE_STRING] = {COPY("string", "param, folded, rid"), "4ass8r", 'r'},
    [TABLE_QUANTITY] = {COPY("quantity", "param, unit, low, rid, high"), "4a8bfc8rfd", 'r'},
    [TABLE_URI] = {COPY("uri", "param, uri, rid"), "4ass8r", 'r'},
    [TABLE_UPDATED] = {COPY("updated", "type, updated, rid"), "4a8b8r", 'r'},
    [TABLE_PATIENT] = {COPY("patient", "patient, type, moment, rid"), "8a4b8c8r", 'a'},
    [TABLE_PTOK] = {COPY("ptok", "patient, param, hash, moment, rid"), "8a4b8c8d8r", 'a'},
    [TABLE_TARGET] = {COPY("target", "target, rid"), "8a8r", 'r'},
    [TABLE_FEED] = {COPY("feed", "t, rid, type, version, change, updated"), "8a8r4b4v4w8d", 'r'},
    [TABLE_IDENT] = {COPY_ONLY("ident", "hash, rid"), "8a8r", 0},
    [COPY_RESOURCE] = {COPY("resource",
                            "rid, version, t, updated, change, patient, key, dictionary,"
                            " hash, body, rowset, type, id"),
                       NULL, 0},
#undef COPY
#undef COPY_ONLY
};

static int64_t integer_of(const struct index_row *row, char letter)
{
    switch (letter) {
    case 'a':
        return row->a;
    case 'b':
        return row->b;
    case 'c':
        return row->c;
    case 'd':
        return row->d;
    case 'v':
        return row->c & UINT32_MAX;
    case 'w':
        return row->c >> 32;
    default:
        return (int64_t)row->rid;
    }
}

static void put(med_buf *out, uint64_t n, unsigned width)
{
    char bytes[8];
    for (unsigned i = 0; i < width; i++)
        bytes[i] = (char)(unsigned char)(n >> (8 * (width - 1 - i)));
    med_buf_add(out, (med_str){bytes, width});
}

void med_pg_copy_row(med_buf *out, size_t n_fields)
{
    put(out, n_fields, 2);
}

void med_pg_copy_int(med_buf *out, int64_t value, unsigned width)
{
    put(out, width, 4);
    put(out, (uint64_t)value, width);
}

void med_pg_copy_bytes(med_buf *out, med_str bytes)
{
    put(out, bytes.len, 4);
    med_buf_add(out, bytes);
}

void med_pg_copy_null(med_buf *out)
{
    put(out, UINT32_MAX, 4);
}

static void put_field(med_buf *out, const struct index_row *row, char width, char letter)
{
    uint64_t n = (uint64_t)integer_of(row, letter);
    if (width == 's') {
        med_pg_copy_bytes(out, row->text);
        return;
    }
    if (width == 'f') {
        double d = med_double_from_key((int64_t)n);
        memcpy(&n, &d, sizeof n);
    }
    med_pg_copy_int(out, (int64_t)n, width == 'f' ? 8 : (unsigned)(width - '0'));
}

void med_pg_copy_init(med_buf *out)
{
    med_buf_init(out, COPY_LIMIT);
    med_buf_add(out, (med_str){"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19});
}

void med_pg_copy_add(med_buf *out, const struct index_row *row)
{
    const struct copy_shape *shape = &shapes[row->table];
    med_pg_copy_row(out, strlen(shape->columns) / 2 + (shape->shard != 0));
    for (const char *column = shape->columns; *column != '\0'; column += 2)
        put_field(out, row, column[0], column[1]);
    if (shape->shard != 0)
        med_pg_copy_int(out, integer_of(row, shape->shard) & (MED_SHARDS - 1), 2);
}

bool med_pg_copy_send(struct pg_connection *c, unsigned what, med_buf *rows, med_err *err)
{
    put(rows, UINT16_MAX, 2);
    return rows->failed ? MED_FAIL_MEMORY(err)
                        : med_pg_copy(c, shapes[what].sql, med_buf_str(rows), err);
}
