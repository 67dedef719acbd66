/* words.c - see words.h. https://hl7.org/fhir/R4/search.html#content */
#include "search/words.h"

#include "base/unicode.h"

/* ---- what is said ---- */

typedef struct reading {
    med_arena *arena;
    const med_json *j;
    med_words_take take;
    void *arg;
    bool over;
} reading;

/* A tag separates words. */
static bool strip_tags(med_arena *a, med_str xhtml, med_str *out)
{
    char *to = MED_TAKE(a, xhtml.len + 1, char);
    bool inside = false;
    size_t n = 0;
    if (to == NULL)
        return false;
    for (size_t i = 0; i < xhtml.len; i++) {
        char c = xhtml.ptr[i];
        if (!inside && c != '<')
            to[n++] = c;
        else if (c == '<')
            to[n++] = ' ';
        inside = c == '<' || (inside && c != '>');
    }
    *out = (med_str){to, n};
    return true;
}

static bool look_at(reading *r, uint32_t node, bool xhtml)
{
    med_str text, folded;
    if (med_json_kind_at(r->j, node) != MED_JSON_STRING)
        return true;
    if (!med_json_string(r->arena, r->j, node, &text)
        || (xhtml && !strip_tags(r->arena, text, &text)) || !med_fold(r->arena, text, &folded))
        return false;
    r->over = !r->take(r->arg, folded);
    return true;
}

/* Members whose strings say nothing. */
static bool is_silent(const med_json *j, uint32_t key)
{
    static const char *const names[] = {"data", "hash", "id", "reference", "system", "url"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_json_string_is(j, key, med_str_from(names[i])))
            return true;
    }
    return false;
}

/* All strings that are values. Objects are left by their end, which the tape knows. */
static bool look_everywhere(reading *r)
{
    const med_json *j = r->j;
    uint32_t ends[MED_JSON_DEPTH + 1];
    bool objects[MED_JSON_DEPTH + 1];
    size_t depth = 0;
    for (uint32_t i = 0; i < j->n && !r->over;) {
        while (depth > 0 && i >= ends[depth - 1])
            depth--;
        bool member = depth > 0 && objects[depth - 1];
        uint32_t value = member ? i + 1 : i;
        enum med_json_kind kind = med_json_kind_at(j, value);
        bool silent = member && is_silent(j, i);
        bool xhtml = member && med_json_string_is(j, i, MED_STR("div"));
        if (!silent && !look_at(r, value, xhtml))
            return false;
        bool inside = (kind == MED_JSON_OBJECT || kind == MED_JSON_ARRAY) && !silent;
        if (inside && depth < MED_JSON_DEPTH + 1) {
            ends[depth] = j->nodes[value].next;
            objects[depth++] = kind == MED_JSON_OBJECT;
        }
        i = inside ? value + 1 : j->nodes[value].next;
    }
    return true;
}

static bool look_at_narrative(reading *r)
{
    uint32_t text = med_json_member(r->j, 0, MED_STR("text"));
    uint32_t div = text == 0 || med_json_kind_at(r->j, text) != MED_JSON_OBJECT
                       ? 0
                       : med_json_member(r->j, text, MED_STR("div"));
    return div == 0 || look_at(r, div, true);
}

bool med_words_each(med_arena *a, const med_json *j, bool narrative, med_words_take take, void *arg)
{
    reading r = {.arena = a, .j = j, .take = take, .arg = arg};
    return narrative ? look_at_narrative(&r) : look_everywhere(&r);
}

/* ---- under which term ---- */

enum { WORD_LETTERS = 12, CODE_LETTERS = 4, KINDS = 2, BY_PARAM = 32 };

uint64_t med_terms_list(uint32_t type, enum med_terms_kind kind)
{
    return (uint64_t)type * KINDS + (uint64_t)kind;
}

uint64_t med_terms_list_of_param(uint32_t number)
{
    return UINT64_C(1) << BY_PARAM | number;
}

bool med_word_is_code(med_str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (med_is_digit(word.ptr[i]))
            return true;
    }
    return false;
}

med_str med_letters(med_str s, size_t at, size_t n)
{
    size_t end = at;
    for (size_t i = 0; i < n && end < s.len; i++) {
        do {
            end++;
        } while (end < s.len && ((unsigned char)s.ptr[end] & 0xC0) == 0x80);
    }
    return med_str_sub(s, at, end);
}

med_str med_word_term(med_str word, enum med_terms_kind kind)
{
    return med_letters(word, 0, kind == MED_TERMS_CODES ? CODE_LETTERS : WORD_LETTERS);
}
