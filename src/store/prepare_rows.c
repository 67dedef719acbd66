/* prepare_rows.c - see prepare_rows.h. */
#include "store/prepare_rows.h"

#include <math.h>

#include "store/rowset.h"

static int by_token(const void *a, const void *b)
{
    const med_token_row *x = a;
    const med_token_row *y = b;
    if (x->param != y->param)
        return x->param < y->param ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

/* The same token twice is one row, in all places that either names. */
static size_t unite(med_token_row *tokens, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && by_token(&tokens[i], &tokens[kept - 1]) == 0)
            tokens[kept - 1].places |= tokens[i].places;
        else
            tokens[kept++] = tokens[i];
    }
    return kept;
}

/* Tokens that the dictionary names are counted. */
static void mark_counted(med_token_row *tokens, size_t n, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_codes; i++) {
        med_token_row key = {.param = rows->codes[i].param, .hash = rows->codes[i].hash};
        med_token_row *token = bsearch(&key, tokens, n, sizeof *tokens, by_token);
        if (token != NULL && (token->places & MED_ROW_GLOBAL) != 0)
            token->places |= MED_ROW_COUNTED;
    }
}

static bool prepare_tokens(med_arena *a, med_rows *rows, med_err *err)
{
    med_token_row *tokens = MED_TAKE(a, rows->n_tokens, med_token_row);
    if (tokens == NULL)
        return MED_FAIL_MEMORY(err);
    if (rows->n_tokens > 0)
        memcpy(tokens, rows->tokens, rows->n_tokens * sizeof *tokens);
    for (size_t i = 0; i < rows->n_tokens; i++)
        tokens[i].places &= MED_ROW_GLOBAL | MED_ROW_PATIENT;
    if (rows->n_tokens > 1)
        qsort(tokens, rows->n_tokens, sizeof *tokens, by_token);
    rows->n_tokens = unite(tokens, rows->n_tokens);
    rows->tokens = tokens;
    mark_counted(tokens, rows->n_tokens, rows);
    return true;
}

/* A key must fit a page or two; the whole URI stands in the resource. */
static bool cut_uris(med_arena *a, med_rows *rows, med_err *err)
{
    bool all_fit = true;
    for (size_t i = 0; i < rows->n_uris; i++)
        all_fit = all_fit && rows->uris[i].uri.len <= MED_URI_KEY;
    if (all_fit)
        return true;
    med_uri_row *cut = MED_TAKE(a, rows->n_uris, med_uri_row);
    if (cut == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < rows->n_uris; i++)
        cut[i] = (med_uri_row){rows->uris[i].param, med_str_sub(rows->uris[i].uri, 0, MED_URI_KEY)};
    rows->uris = cut;
    return true;
}

static bool rows_are_sound(const med_rows *rows, med_err *err)
{
    for (size_t i = 0; i < rows->n_quantities; i++) {
        if (isnan(rows->quantities[i].low) || isnan(rows->quantities[i].high))
            return MED_FAIL(err, MED_ISSUE_VALUE, "a quantity row is not a number");
    }
    for (size_t i = 0; i < rows->n_strings; i++) {
        if (rows->strings[i].folded.len > MED_STRING_KEY)
            return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a string row has more than %d bytes",
                            (int)MED_STRING_KEY);
    }
    return true;
}

bool med_rows_prepare(med_arena *a, med_rows *rows, med_err *err)
{
    return rows_are_sound(rows, err) && cut_uris(a, rows, err) && prepare_tokens(a, rows, err);
}
