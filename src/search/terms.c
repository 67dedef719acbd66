/* terms.c - the terms under which the store's full-text lists have a resource. */
#include <stdlib.h>

#include "search/extract.h"
#include "search/words.h"

typedef struct listing {
    const med_terms *terms;
    med_arena *arena;
    uint32_t type;
    med_posting *at;
    size_t n, room;
} listing;

static bool add(listing *l, uint64_t list, med_str term)
{
    enum { FIRST = 128 };
    med_posting *more = MED_GROW(l->arena, l->at, l->n, &l->room, FIRST);
    if (more == NULL)
        return false;
    l->at = more;
    l->at[l->n++] = (med_posting){.list = list, .term = term};
    return true;
}

static bool add_words(void *arg, med_str folded)
{
    listing *l = arg;
    while (folded.len > 0) {
        med_str word = med_str_cut(folded, ' ', &folded);
        enum med_terms_kind kind = med_word_is_code(word) ? MED_TERMS_CODES : MED_TERMS_WORDS;
        if (word.len > 0 && !add(l, med_terms_list(l->type, kind), med_word_term(word, kind)))
            return false;
    }
    return true;
}

/* Parts of three letters, and the shorter ones at the end. */
static bool add_grams(listing *l, uint64_t list, med_str s)
{
    for (size_t at = 0; at < s.len; at += med_letters(s, at, 1).len) {
        if (!add(l, list, med_letters(s, at, MED_GRAM)))
            return false;
    }
    return true;
}

static bool add_strings(listing *l, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_strings; i++) {
        if (!add_grams(l, med_terms_list_of_param(rows->strings[i].param), rows->strings[i].folded))
            return false;
    }
    return true;
}

static int by_term(const void *a, const void *b)
{
    const med_posting *x = a, *y = b;
    return x->list != y->list ? (x->list > y->list ? 1 : -1) : med_str_compare(x->term, y->term);
}

static void unite(listing *l)
{
    size_t n = 0;
    if (l->n > 1)
        qsort(l->at, l->n, sizeof *l->at, by_term);
    for (size_t i = 0; i < l->n; i++) {
        if (n == 0 || by_term(&l->at[n - 1], &l->at[i]) != 0)
            l->at[n++] = l->at[i];
    }
    l->n = n;
}

/* Only rows of string parameters are wanted. */
static bool want_strings(med_arena *a, const med_search_schema *s, uint64_t **out)
{
    uint64_t *wanted = MED_TAKE(a, s->n_params / 64 + 1, uint64_t);
    for (size_t i = 0; wanted != NULL && i < s->n_params; i++) {
        med_param p;
        med_pack_param(s->pack, (uint32_t)i, &p);
        if (p.type == MED_PARAM_STRING)
            wanted[i / 64] |= UINT64_C(1) << (i % 64);
    }
    *out = wanted;
    return wanted != NULL;
}

bool med_terms_init(med_terms *t, med_arena *a, const med_search_schema *s, med_str base,
                    bool content, med_err *err)
{
    uint64_t *wanted;
    if (!want_strings(a, s, &wanted))
        return MED_FAIL_MEMORY(err);
    *t = (med_terms){.schema = s, .base = base, .content = content, .wanted = wanted};
    return true;
}

uint32_t med_terms_form(const med_terms *t)
{
    return MED_TERMS_FORM + (t->content ? MED_TERMS_CONTENT : 0);
}

med_terms_known med_terms_known_of(med_terms *all)
{
    return (med_terms_known){med_terms_of_text, all, MED_TERMS_FORM,
                             MED_TERMS_FORM + MED_TERMS_CONTENT};
}

bool med_terms_of_text(void *terms, med_arena *a, uint32_t type, med_str text, med_posting **out,
                       size_t *n, med_err *err)
{
    const med_terms *t = terms;
    listing l = {.terms = t, .arena = a, .type = type};
    med_json j;
    med_rows rows;
    if (!med_json_parse(a, text, &j, NULL, err)
        || !med_extract_whole(t->schema, a, &j, 0, med_schema_pack_type(t->schema, type), t->base,
                              t->wanted, false, &rows, err))
        return false;
    if (!med_words_each(a, &j, !t->content, add_words, &l) || !add_strings(&l, &rows)
        || med_arena_exhausted(a))
        return MED_FAIL_MEMORY(err);
    unite(&l);
    *out = l.at;
    *n = l.n;
    return true;
}
