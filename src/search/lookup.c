/* lookup.c - candidates for words and for parts of strings, out of the store's full-text lists.
 *
 * What the lists name, and what was written since they were made: nothing that matches is missing,
 * and each is decided on the resource. Where the lists can not say (they are not made yet, or a
 * term is in too many resources to be worth it) the clause drives nothing, as before. */
#include "search/run.h"
#include "search/words.h"

enum {
    TERM_RIDS = 200000, /* a term of more resources selects nothing */
    TAIL = 5000,        /* versions behind the lists that may be looked at besides */
    GRAMS = 24,         /* of one value; more do not narrow it further */
};

typedef struct lookup {
    med_run *run;
    med_err *err;
    bool usable; /* `rids` holds all that may match */
    bool any;    /* `rids` was set */
    med_rid_list rids;
} lookup;

/* Keeps what is in both; the first list is taken as it is. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is kept and written to */
static void intersect(lookup *l, med_rid *at, size_t n)
{
    if (!l->any) {
        l->rids = (med_rid_list){.arena = l->run->arena, .at = at, .n = n, .room = n};
        l->any = true;
        return;
    }
    size_t kept = 0, k = 0;
    for (size_t i = 0; i < l->rids.n; i++) {
        while (k < n && at[k] < l->rids.at[i])
            k++;
        if (k < n && at[k] == l->rids.at[i])
            l->rids.at[kept++] = at[k];
    }
    l->rids.n = kept;
}

static bool join(med_run *r, med_rid_list *to, const med_rid *at, size_t n, med_err *err)
{
    if (to->n + n > to->room) {
        size_t room = 2 * (to->n + n);
        med_rid *more = MED_TAKE(r->arena, room, med_rid);
        if (more == NULL)
            return MED_FAIL_MEMORY(err);
        if (to->n > 0)
            memcpy(more, to->at, to->n * sizeof *more);
        to->at = more;
        to->room = room;
    }
    if (n > 0)
        memcpy(to->at + to->n, at, n * sizeof *at);
    to->n += n;
    return true;
}

/* ---- words ---- */

/* Of one list: all words that begin so. */
static bool add_kind(med_run *r, uint32_t type, enum med_terms_kind kind, med_str word,
                     med_rid_list *to, bool *whole, med_err *err)
{
    med_rid *at;
    size_t n;
    med_str term = med_word_term(word, kind);
    /* a term that is as long as terms get is all there is of the words that begin so */
    bool longest = med_word_term(word, kind).len < word.len;
    bool all = false;
    if (!med_view_postings(r->view, r->arena, med_terms_list(type, kind), term, !longest, TERM_RIDS,
                           &at, &n, &all, err))
        return false;
    *whole = *whole && all;
    return join(r, to, at, n, err);
}

/* A word without a digit may begin one that has some further on. */
static bool add_word(lookup *l, med_str word)
{
    med_run *r = l->run;
    const med_query *q = r->q;
    bool whole = true, several = q->type == MED_TYPE_NONE;
    const med_type *types = several ? q->types : &q->type;
    med_rid_list all = {.arena = r->arena};
    for (size_t i = 0; whole && i < (several ? q->n_types : 1); i++) {
        uint32_t type = med_schema_type(q->schema, types[i]);
        if (!add_kind(r, type, MED_TERMS_CODES, word, &all, &whole, l->err)
            || (!med_word_is_code(word)
                && !add_kind(r, type, MED_TERMS_WORDS, word, &all, &whole, l->err)))
            return false;
    }
    if (!whole)
        return true;
    med_rid_list_finish(&all);
    intersect(l, all.at, all.n);
    return true;
}

static bool add_words(lookup *l, med_str folded)
{
    while (folded.len > 0) {
        med_str word = med_str_cut(folded, ' ', &folded);
        if (!add_word(l, word))
            return false;
    }
    return true;
}

/* ---- parts of strings ---- */

static bool add_gram(lookup *l, uint32_t number, med_str gram, bool prefix)
{
    med_rid *at;
    size_t n;
    bool whole;
    if (!med_view_postings(l->run->view, l->run->arena, med_terms_list_of_param(number), gram,
                           prefix, TERM_RIDS, &at, &n, &whole, l->err))
        return false;
    if (whole)
        intersect(l, at, n);
    return true;
}

static bool add_grams(lookup *l, const med_clause *c, med_str folded)
{
    med_str gram = med_letters(folded, 0, MED_GRAM);
    if (gram.len == folded.len) /* short: it may go on, or end the string */
        return add_gram(l, c->number, gram, med_letters(folded, 0, MED_GRAM - 1).len == gram.len);
    for (size_t at = 0, i = 0; i < GRAMS; i++, at += med_letters(folded, at, 1).len) {
        gram = med_letters(folded, at, MED_GRAM);
        if (med_letters(folded, at, MED_GRAM - 1).len == gram.len)
            break;
        if (!add_gram(l, c->number, gram, false))
            return false;
        if (l->any && l->rids.n == 0)
            break;
    }
    return true;
}

/* ---- what was written since ---- */

static bool add_tail(med_run *r, const med_posted *posted, med_rid_list *to, bool *whole,
                     med_err *err)
{
    med_history q = {.since = MED_TIME_MIN,
                     .until = MED_TIME_MAX,
                     .after_t = posted->t,
                     .after_rid = INT64_MAX,
                     .oldest_first = true,
                     .limit = TAIL + 1};
    med_stored *at;
    size_t n;
    if (r->q->type != MED_TYPE_NONE)
        q.type = med_schema_type(r->q->schema, r->q->type);
    if (!med_view_history(r->view, r->arena, &q, &at, &n, err))
        return false;
    *whole = n <= TAIL;
    for (size_t i = 0; *whole && i < n; i++) {
        if (!join(r, to, &at[i].rid, 1, err))
            return false;
    }
    return true;
}

/* ---- all of it ---- */

static bool are_made(const med_clause *c, const med_posted *posted)
{
    if (posted->form != MED_TERMS_FORM && posted->form != MED_TERMS_FORM + MED_TERMS_CONTENT)
        return false;
    return c->kind != MED_CLAUSE_SPECIAL || c->special == MED_SPECIAL_TEXT
           || posted->form == MED_TERMS_FORM + MED_TERMS_CONTENT;
}

/* One value: nothing when the lists do not narrow it. */
static bool look_up(med_run *r, const med_clause *c, const med_term *t, med_rid_list *to,
                    bool *usable, med_err *err)
{
    lookup l = {.run = r, .err = err};
    bool ok =
        c->kind == MED_CLAUSE_SPECIAL ? add_words(&l, t->folded) : add_grams(&l, c, t->folded);
    *usable = l.any;
    return ok && (!l.any || join(r, to, l.rids.at, l.rids.n, err));
}

bool med_bind_lists(med_run *r, med_bound *b, med_err *err)
{
    const med_clause *c = b->clause;
    med_rid_list all = {.arena = r->arena};
    med_posted posted;
    bool usable = true;
    b->needs_body = true;
    if (!med_view_posted(r->view, &posted, err))
        return false;
    if (c->kind == MED_CLAUSE_STRING && c->row >= r->q->schema->first_added) {
        b->unlisted = b->listless = true; /* the lists are of the standard's parameters */
        return true;
    }
    if (c->kind == MED_CLAUSE_SPECIAL && c->special == MED_SPECIAL_NEAR)
        return true;
    b->unlisted = !are_made(c, &posted);
    if (b->unlisted)
        return true;
    for (size_t i = 0; usable && i < c->n; i++) {
        if (c->terms[i].folded.len == 0) /* punctuation alone is in no list */
            return true;
        if (!look_up(r, c, &c->terms[i], &all, &usable, err))
            return false;
    }
    if (!usable)
        return true;
    if (!add_tail(r, &posted, &all, &usable, err))
        return false;
    b->unlisted = !usable;
    if (!usable)
        return true;
    med_rid_list_finish(&all);
    b->keys = all.at;
    b->n_keys = b->estimate = all.n;
    b->listed = b->can_drive = b->can_probe = true;
    return true;
}
