/* image_words.c - the index of the words of displays and designations, one a language. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/unicode.h"
#include "terminology/image_builder_impl.h"

enum { WORD_BYTES = 64 };

struct hit {
    uint32_t word; /* string */
    med_concept concept;
};

typedef struct work {
    med_image_builder *b;
    built_words *out;
    row_list hits;
    med_buf folded;
} work;

static bool add_text(work *w, uint32_t text, med_concept c)
{
    med_buf_clear(&w->folded);
    med_fold_to(&w->folded, med_builder_text(w->b, text));
    if (w->folded.failed)
        return false;
    med_str rest = med_buf_str(&w->folded);
    while (rest.len > 0) {
        med_str word = med_str_sub(med_str_cut(rest, ' ', &rest), 0, WORD_BYTES);
        if (word.len == 0)
            continue;
        uint32_t at = med_builder_string(w->b, word);
        struct hit *h = w->b->failed ? NULL : med_row_add(&w->hits);
        if (h == NULL)
            return false;
        *h = (struct hit){at, c};
    }
    return true;
}

static int by_word(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->word != y->word)
        return x->word < y->word ? -1 : 1;
    return x->concept < y->concept ? -1 : x->concept > y->concept;
}

static int by_text(const void *a, const void *b, void *arg)
{
    const struct image_word *x = a, *y = b;
    return med_str_compare(med_builder_text(arg, x->text), med_builder_text(arg, y->text));
}

static bool put_leb128(row_list *l, uint32_t value)
{
    for (;; value >>= 7) {
        char *at = med_row_add(l);
        if (at == NULL)
            return false;
        *at = (char)(value < 0x80 ? value : (value & 0x7F) | 0x80);
        if (value < 0x80)
            return true;
    }
}

/* The hits of one word, sorted: from `i` on. Returns the first one behind them. */
static size_t put_word(work *w, size_t i)
{
    struct image_word *row = med_row_add(&w->out->words);
    if (row == NULL)
        return SIZE_MAX;
    uint32_t text = ROW(w->hits, struct hit, i).word, n = 0;
    med_concept last = 0;
    row->text = text;
    row->at = w->out->postings.n;
    for (; i < w->hits.n && ROW(w->hits, struct hit, i).word == text; i++) {
        med_concept c = ROW(w->hits, struct hit, i).concept;
        if (n > 0 && c == last)
            continue;
        if (!put_leb128(&w->out->postings, n == 0 ? c : c - last))
            return SIZE_MAX;
        last = c;
        n++;
    }
    row->n = n;
    return i;
}

static bool put_index(work *w, uint32_t language)
{
    struct image_index *index = med_row_add(&w->out->indexes);
    size_t first = w->out->words.n;
    if (index == NULL)
        return false;
    if (w->hits.n > 0)
        qsort(w->hits.at, w->hits.n, sizeof(struct hit), by_word);
    for (size_t i = 0; i < w->hits.n;) {
        i = put_word(w, i);
        if (i == SIZE_MAX)
            return false;
    }
    size_t n = w->out->words.n - first;
    if (n > 0)
        qsort_r(&ROW(w->out->words, struct image_word, first), n, sizeof(struct image_word),
                by_text, w->b);
    *index = (struct image_index){language, (uint32_t)first, (uint32_t)n};
    return true;
}

/* One language: its designations; of the system's own also displays and what names no language. */
static bool make_index(work *w, uint32_t language, bool own)
{
    const med_image_builder *b = w->b;
    w->hits.n = 0;
    for (uint32_t c = 0; own && c < b->codes.n; c++) {
        if (!add_text(w, ROW(b->displays, uint32_t, c), c))
            return false;
    }
    for (size_t i = 0; i < b->designations.n; i++) {
        const struct built_designation d = ROW(b->designations, struct built_designation, i);
        uint32_t have = ROW(b->languages, uint32_t, d.row.language);
        if ((have == language || (own && have == 0)) && !add_text(w, d.row.value, d.concept))
            return false;
    }
    return put_index(w, language);
}

bool med_builder_words(med_image_builder *b, med_str language, built_words *out)
{
    work w = {.b = b, .out = out};
    w.hits.size = sizeof(struct hit);
    *out = (built_words){0};
    out->indexes.size = sizeof(struct image_index);
    out->words.size = sizeof(struct image_word);
    out->postings.size = 1;
    med_buf_init(&w.folded, (size_t)1 << 24);
    uint32_t own = med_builder_string(b, language);
    bool ok = make_index(&w, own, true);
    for (size_t i = 0; ok && i < b->languages.n; i++) {
        uint32_t at = ROW(b->languages, uint32_t, i);
        ok = at == own || at == 0 || make_index(&w, at, false);
    }
    med_row_free(&w.hits);
    med_buf_free(&w.folded);
    if (!ok)
        med_builder_fail_memory(b);
    return ok;
}

void med_built_words_free(built_words *w)
{
    med_row_free(&w->indexes);
    med_row_free(&w->words);
    med_row_free(&w->postings);
}
