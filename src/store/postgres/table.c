/* table.c - the index tables: which columns, which statements. */
#include "store/postgres/postgres_impl.h"

#define SHAPE(name, sql, columns)                                                                  \
    {                                                                                              \
        sql, STATEMENT_ADD_##name, STATEMENT_CUT_##name, STATEMENT_MISSING_##name,                 \
            STATEMENT_ALL_##name, columns                                                          \
    }

static const struct table_shape shapes[TABLE_INDEXES] = {
    [TABLE_TOKEN] = SHAPE(TOKEN, "token", "abr"),
    [TABLE_REFERENCE] = SHAPE(REFERENCE, "reference", "abr"),
    [TABLE_DATE] = SHAPE(DATE, "date", "abcrd"),
    [TABLE_STRING] = SHAPE(STRING, "string", "asr"),
    [TABLE_QUANTITY] = SHAPE(QUANTITY, "quantity", "abCrD"),
    [TABLE_URI] = SHAPE(URI, "uri", "asr"),
    [TABLE_UPDATED] = SHAPE(UPDATED, "updated", "abr"),
    [TABLE_PATIENT] = SHAPE(PATIENT, "patient", "abcr"),
    [TABLE_PTOK] = SHAPE(PTOK, "ptok", "abcdr"),
    [TABLE_TARGET] = SHAPE(TARGET, "target", "ar"),
};

const struct table_shape *med_pg_shape(enum table table)
{
    return &shapes[table];
}

static bool is_real(char column)
{
    return column == 'C' || column == 'D';
}

static int64_t integer_of(const struct index_row *row, char column)
{
    switch (column) {
    case 'a':
        return row->a;
    case 'b':
        return row->b;
    case 'c':
    case 'C':
        return row->c;
    case 'd':
    case 'D':
        return row->d;
    default:
        return (int64_t)row->rid;
    }
}

void med_pg_arrays_init(struct table_arrays *a, enum table table)
{
    const char *columns = shapes[table].columns;
    for (a->n = 0; columns[a->n] != '\0'; a->n++)
        med_pg_array_init(&a->at[a->n], columns[a->n] == 's'     ? PG_BYTES
                                        : is_real(columns[a->n]) ? PG_REAL
                                                                 : PG_INT);
}

void med_pg_arrays_free(struct table_arrays *a)
{
    for (size_t i = 0; i < a->n; i++)
        med_pg_array_free(&a->at[i]);
}

void med_pg_arrays_add(struct table_arrays *a, const struct index_row *row)
{
    const char *columns = shapes[row->table].columns;
    for (size_t i = 0; i < a->n; i++) {
        if (columns[i] == 's')
            med_pg_array_bytes(&a->at[i], row->text);
        else if (is_real(columns[i]))
            med_pg_array_real(&a->at[i], med_double_from_key(integer_of(row, columns[i])));
        else
            med_pg_array_int(&a->at[i], integer_of(row, columns[i]));
    }
}

bool med_pg_arrays_bind(struct pg_parameters *p, struct table_arrays *a)
{
    bool good = true;
    for (size_t i = 0; i < a->n; i++)
        good = good && med_pg_add_array(p, &a->at[i]);
    return good;
}

bool med_pg_arrays_send(struct pg_connection *c, enum statement id, struct table_arrays *a,
                        med_err *err)
{
    struct pg_parameters p = {0};
    if (a->at[0].n == 0)
        return true;
    return med_pg_arrays_bind(&p, a) ? med_pg_send(c, id, &p, err) : MED_FAIL_MEMORY(err);
}

void med_pg_bind_row(struct pg_parameters *p, enum table table, const struct index_row *row)
{
    for (const char *column = shapes[table].columns; *column != '\0'; column++) {
        if (*column == 's')
            med_pg_bytes(p, row->text);
        else if (is_real(*column))
            med_pg_real(p, med_double_from_key(integer_of(row, *column)));
        else
            med_pg_int(p, integer_of(row, *column));
    }
}

struct index_row med_pg_table_row(const PGresult *r, int at, enum table table)
{
    struct index_row row = {.table = (uint8_t)table, .text = MED_STR_EMPTY};
    for (int i = 0; shapes[table].columns[i] != '\0'; i++) {
        int64_t value = med_pg_int_at(r, at, i);
        switch (shapes[table].columns[i]) {
        case 'a':
            row.a = value;
            break;
        case 'b':
            row.b = value;
            break;
        case 'c':
            row.c = value;
            break;
        case 'd':
            row.d = value;
            break;
        case 'C':
            row.c = med_double_to_key(med_pg_real_at(r, at, i));
            break;
        case 'D':
            row.d = med_double_to_key(med_pg_real_at(r, at, i));
            break;
        case 's':
            row.text = med_pg_bytes_at(r, at, i);
            break;
        default:
            row.rid = (med_rid)value;
        }
    }
    return row;
}
