/* rows_builder.c - growing arrays of index rows in an arena. */
#include "search/extract.h"

enum { FIRST_ROOM = 8 };

/* The rows are const for readers; here, where they grow, they are ours to write. */
#define APPEND(x, array, n, room, row)                                                             \
    do {                                                                                           \
        __typeof__(row) *at_ = med_arena_grow((x)->arena, (x)->rows.array, (x)->rows.n,            \
                                              &(x)->room, FIRST_ROOM, sizeof(row));                \
        if (at_ == NULL)                                                                           \
            return false;                                                                          \
        at_[(x)->rows.n++] = (row);                                                                \
        (x)->rows.array = at_;                                                                     \
        return true;                                                                               \
    } while (0)

bool med_rows_add_token(med_extraction *x, med_token_row row)
{
    APPEND(x, tokens, n_tokens, room_tokens, row);
}

bool med_rows_add_code(med_extraction *x, med_code_row row)
{
    APPEND(x, codes, n_codes, room_codes, row);
}

bool med_rows_add_reference(med_extraction *x, med_reference_row row)
{
    APPEND(x, references, n_references, room_references, row);
}

bool med_rows_add_date(med_extraction *x, med_date_row row)
{
    APPEND(x, dates, n_dates, room_dates, row);
}

bool med_rows_add_string(med_extraction *x, med_string_row row)
{
    APPEND(x, strings, n_strings, room_strings, row);
}

bool med_rows_add_quantity(med_extraction *x, med_quantity_row row)
{
    APPEND(x, quantities, n_quantities, room_quantities, row);
}

bool med_rows_add_uri(med_extraction *x, med_uri_row row)
{
    APPEND(x, uris, n_uris, room_uris, row);
}

bool med_rows_add_target(med_extraction *x, med_target_row row)
{
    APPEND(x, targets, n_targets, room_targets, row);
}

bool med_rows_add_patient(med_extraction *x, uint64_t ident)
{
    for (size_t i = 0; i < x->rows.n_patients; i++) {
        if (x->rows.patients[i] == ident)
            return true;
    }
    APPEND(x, patients, n_patients, room_patients, ident);
}

/* Several parameters name the same one, one after the other. */
bool med_rows_add_hub(med_extraction *x, uint64_t ident)
{
    enum { LAST = 8 };
    for (size_t i = x->n_hubs; i > 0 && i + LAST > x->n_hubs; i--) {
        if (x->hubs[i - 1] == ident)
            return true;
    }
    uint64_t *at = MED_GROW(x->arena, x->hubs, x->n_hubs, &x->room_hubs, FIRST_ROOM);
    if (at == NULL)
        return false;
    at[x->n_hubs++] = ident;
    x->hubs = at;
    return true;
}
