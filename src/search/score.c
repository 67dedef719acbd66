/* score.c - how well a match answers _text and _content.
 * https://hl7.org/fhir/R4/search.html#score
 *
 * bm25 over the words of the value: how often they are said, against how much is said in all. How
 * rare a word is elsewhere is left out: each match has all of them, and so a resource keeps its
 * score whatever else is stored, and wherever. */
#include "search/run.h"
#include "search/words.h"

enum { WORDS = 32, USUAL_LENGTH = 60 };
static const double saturation = 1.2, weight_of_length = 0.75;

typedef struct counting {
    med_str words[WORDS];
    uint32_t times[WORDS];
    size_t n;
    uint64_t said;
} counting;

static bool count(void *arg, med_str folded)
{
    counting *c = arg;
    while (folded.len > 0) {
        med_str word = med_str_cut(folded, ' ', &folded);
        c->said += word.len > 0;
        for (size_t i = 0; i < c->n; i++)
            c->times[i] += med_str_starts(word, c->words[i]);
    }
    return true;
}

static double of_words(const counting *c)
{
    double score = 0;
    double length = 1 - weight_of_length + weight_of_length * (double)c->said / USUAL_LENGTH;
    for (size_t i = 0; i < c->n; i++) {
        if (c->times[i] == 0)
            return 0;
        score += c->times[i] * (saturation + 1) / (c->times[i] + saturation * length);
    }
    return score / (score + (double)c->n);
}

static bool is_scored(const med_clause *c)
{
    return c->kind == MED_CLAUSE_SPECIAL && c->special != MED_SPECIAL_NEAR
           && c->modifier == MED_MODIFIER_NONE;
}

bool med_query_has_score(const med_query *q)
{
    for (size_t i = 0; i < q->n; i++) {
        if (is_scored(&q->clauses[i]))
            return true;
    }
    return false;
}

/* The best of a clause's values. */
static bool score_clause(med_arena *a, const med_clause *c, const med_json *j, double *out)
{
    *out = 0;
    for (size_t i = 0; i < c->n; i++) {
        counting words = {0};
        med_str rest = c->terms[i].folded;
        while (rest.len > 0 && words.n < WORDS)
            words.words[words.n++] = med_str_cut(rest, ' ', &rest);
        if (!med_words_each(a, j, c->special == MED_SPECIAL_TEXT, count, &words))
            return false;
        double score = of_words(&words);
        *out = score > *out ? score : *out;
    }
    return true;
}

bool med_run_score(const med_run *r, med_str text, double *out, med_err *err)
{
    med_json j;
    size_t n = 0;
    *out = 0;
    if (!med_json_parse(r->scratch, text, &j, NULL, err))
        return false;
    for (size_t i = 0; i < r->q->n; i++) {
        double one;
        if (!is_scored(&r->q->clauses[i]))
            continue;
        if (!score_clause(r->scratch, &r->q->clauses[i], &j, &one))
            return MED_FAIL_MEMORY(err);
        *out += one;
        n++;
    }
    *out = n > 0 ? *out / (double)n : 0;
    return true;
}

bool med_run_score_page(const med_run *r, med_search_entry *entries, size_t n, med_err *err)
{
    if (!med_query_has_score(r->q))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (!med_run_score(r, entries[i].resource.text, &entries[i].score, err))
            return false;
        med_arena_reset(r->scratch);
    }
    return true;
}
