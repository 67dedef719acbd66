/* regex.c - matches(), matchesFull(), replaceMatches() by PCRE2, under limits.
 * http://hl7.org/fhirpath/N1/#matchesregex-string-boolean
 *
 * All memory of PCRE2 comes from the arena, so nothing is to be freed and its ceiling holds.
 *
 * A match is tried three ways, each paid for out of the budget of the run. Backtracking, with a
 * small limit: nearly all patterns end there. What exceeds it, `(a+)+$`, runs as an automaton
 * that follows all its states at once, in time that grows with the text and not with the ways to
 * read it. What is no automaton (back references, too many states) backtracks again up to a
 * larger limit, and ends in MED_ISSUE_TOO_COSTLY. No JIT. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "model/fhirpath/compiler.h"
#include "model/fhirpath/functions.h"
#include "model/fhirpath/values.h"

enum {
    PATTERN_MAX = 4096,
    MATCH_LIMIT = 200000,
    FIRST_LIMIT = 1000, /* and FIRST_LIMIT_BYTE for each byte of the text */
    FIRST_LIMIT_BYTE = 16,
    REPLACE_LIMIT = 1 << 24, /* of all matches of one replacement */
    MATCH_STEPS = 8,         /* a first try costs that, and one step for 8 bytes */
    LAST_STEPS = 20000,
    STATES_TEXT_MAX = 16 << 10,
    STATES_STEPS = 4, /* for each byte */
    STATES_ROOM = 1000,
    DEPTH_LIMIT = 2000,
    HEAP_LIMIT_KIB = 4096,
    OUTPUT_MAX = 1 << 24,
    GROUPS = 32,
};

static void *take(PCRE2_SIZE size, void *arena)
{
    return med_arena_take(arena, 1, size, _Alignof(max_align_t));
}

static void give_back(void *memory, void *arena)
{
    (void)memory;
    (void)arena;
}

/* NULL with *err filled. */
static pcre2_code *compile(med_arena *a, med_str pattern, med_str flags, size_t at, med_err *err)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    uint32_t options = PCRE2_UTF | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C;
    if (med_str_find(flags, 'i', 0) < flags.len)
        options |= PCRE2_CASELESS;
    if (med_str_find(flags, 'm', 0) < flags.len)
        options |= PCRE2_MULTILINE;
    if (pattern.len > PATTERN_MAX) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                       "FHIRPath, position %zu: a regular expression longer than %d bytes", at + 1,
                       PATTERN_MAX);
        return NULL;
    }
    pcre2_general_context *general = pcre2_general_context_create(take, give_back, a);
    pcre2_compile_context *context = general == NULL ? NULL : pcre2_compile_context_create(general);
    if (context == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &code, &offset, context);
    if (compiled == NULL && med_arena_exhausted(a))
        (void)MED_FAIL_MEMORY(err);
    else if (compiled == NULL)
        (void)MED_FAIL(err, MED_ISSUE_INVALID,
                       "FHIRPath, position %zu: not a regular expression (character %zu)", at + 1,
                       (size_t)offset + 1);
    return compiled;
}

bool med_fp_emit_pattern(med_fp_compiler *c, uint32_t constant, size_t at)
{
    c->patterns[constant] = compile(c->a, c->constants[constant].text, MED_STR_EMPTY, at, c->err);
    return c->patterns[constant] != NULL;
}

/* The pattern is most often a constant, compiled with the program. */
static pcre2_code *pattern_of(med_fp_run *r, med_str text, med_str flags)
{
    const struct med_fhirpath *program = r->program;
    for (uint32_t i = 0; i < program->n_constants; i++)
        if (program->patterns[i] != NULL && flags.len == 0
            && program->constants[i].text.ptr == text.ptr)
            return program->patterns[i];
    return compile(r->a, text, flags, program->at[r->pc], r->err);
}

/* One block of match data serves a whole run: PCRE2 keeps its working memory in it. */
static bool begin(med_fp_run *r, med_str pattern, med_str flags, pcre2_code **out)
{
    *out = pattern_of(r, pattern, flags);
    if (*out == NULL)
        return false;
    if (r->match_data != NULL)
        return true;
    pcre2_general_context *general = pcre2_general_context_create(take, give_back, r->a);
    if (general == NULL)
        return MED_FAIL_MEMORY(r->err);
    r->match_context = pcre2_match_context_create(general);
    r->match_data = pcre2_match_data_create(GROUPS, general);
    if (r->match_data == NULL || r->match_context == NULL)
        return MED_FAIL_MEMORY(r->err);
    (void)pcre2_set_match_limit(r->match_context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(r->match_context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(r->match_context, HEAP_LIMIT_KIB);
    return true;
}

static bool is_limit(int code)
{
    return code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT
           || code == PCRE2_ERROR_HEAPLIMIT;
}

/* The limit of a first try on that text, which is paid for. */
static bool first_limit(med_fp_run *r, med_str text)
{
    const size_t most = (size_t)STATES_TEXT_MAX * 64;
    size_t limit = FIRST_LIMIT + (text.len < most ? text.len : most) * FIRST_LIMIT_BYTE;
    (void)pcre2_set_match_limit(r->match_context, (uint32_t)limit);
    return med_fp_spend(r, MATCH_STEPS + text.len / 8);
}

static bool fail_match(med_fp_run *r, int code)
{
    if (med_arena_exhausted(r->a))
        return MED_FAIL_MEMORY(r->err);
    if (is_limit(code))
        return med_fp_fail(r, MED_ISSUE_TOO_COSTLY, "the regular expression takes too many steps");
    return med_fp_fail(r, MED_ISSUE_PROCESSING, "the regular expression could not be applied");
}

/* Input, pattern and what else the function takes; *go as in take_strings. */
static bool take_arguments(med_fp_run *r, size_t argc, bool *go, med_str out[4])
{
    *go = true;
    for (size_t i = 0; i < 4; i++)
        out[i] = MED_STR_EMPTY;
    for (size_t i = 0; i <= argc; i++) {
        bool found = false;
        if (!med_fp_single_string(r, med_fp_operand(r, argc - i), &found, &out[i]))
            return false;
        *go = *go && found;
    }
    return true;
}

static bool check_flags(med_fp_run *r, med_str flags)
{
    for (size_t i = 0; i < flags.len; i++)
        if (flags.ptr[i] != 'i' && flags.ptr[i] != 'm')
            return med_fp_fail(r, MED_ISSUE_PROCESSING,
                               "the flags of a regular expression are i and m");
    return true;
}

/* All states at once. *done is false when the pattern or the text is none for that. */
static bool match_states(med_fp_run *r, med_str text, med_str pattern, med_str flags,
                         uint32_t options, bool *done, int *code)
{
    bool full = (options & PCRE2_ENDANCHORED) != 0;
    if (text.len > STATES_TEXT_MAX || pattern.len + 16 > PATTERN_MAX)
        return true;
    if (!med_fp_spend(r, MATCH_STEPS + text.len * STATES_STEPS))
        return false;
    /* one start finds them all, where a search begins anew at each character */
    med_str anchored =
        med_arena_printf(r->a, full ? "%.*s" : "(?s:.*?)(?:%.*s)", MED_STR_ARG(pattern));
    int *states = MED_TAKE(r->a, STATES_ROOM, int);
    if (states == NULL || anchored.len == 0)
        return MED_FAIL_MEMORY(r->err);
    pcre2_code *compiled = compile(r->a, anchored, flags, r->program->at[r->pc], r->err);
    if (compiled == NULL) /* "(*UTF)" and its like are good only at the very start */
        return !med_arena_exhausted(r->a);
    *code = pcre2_dfa_match(compiled, (PCRE2_SPTR)text.ptr, text.len, 0,
                            options | PCRE2_ANCHORED | (full ? 0 : PCRE2_DFA_SHORTEST),
                            r->match_data, r->match_context, states, STATES_ROOM);
    *done = *code >= 0 || *code == PCRE2_ERROR_NOMATCH;
    return true;
}

static int match_backtracking(med_fp_run *r, const pcre2_code *pattern, med_str text,
                              uint32_t options)
{
    return pcre2_match(pattern, (PCRE2_SPTR)text.ptr, text.len, 0, options, r->match_data,
                       r->match_context);
}

static bool match(med_fp_run *r, size_t argc, uint32_t options)
{
    med_str s[4];
    bool go = false;
    pcre2_code *pattern = NULL;
    if (!take_arguments(r, argc, &go, s))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    if (!check_flags(r, s[2]) || !begin(r, s[1], s[2], &pattern) || !first_limit(r, s[0]))
        return false;
    int code = match_backtracking(r, pattern, s[0], options);
    bool done = !is_limit(code);
    if (!done && !match_states(r, s[0], s[1], s[2], options, &done, &code))
        return false;
    if (!done) {
        if (!med_fp_spend(r, LAST_STEPS))
            return false;
        (void)pcre2_set_match_limit(r->match_context, MATCH_LIMIT);
        code = match_backtracking(r, pattern, s[0], options);
    }
    if (code < 0 && code != PCRE2_ERROR_NOMATCH)
        return fail_match(r, code);
    return med_fp_result_bool(r, argc, code >= 0);
}

bool med_fp_call_matches(med_fp_run *r, size_t argc)
{
    return match(r, argc, 0);
}

bool med_fp_call_matches_full(med_fp_run *r, size_t argc)
{
    return match(r, argc, PCRE2_ANCHORED | PCRE2_ENDANCHORED);
}

bool med_fp_call_replace_matches(med_fp_run *r, size_t argc)
{
    med_str s[4];
    bool go = false;
    pcre2_code *pattern = NULL;
    if (!take_arguments(r, argc, &go, s))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    if (s[1].len == 0)
        return med_fp_result_string(r, argc, s[0]);
    if (!check_flags(r, s[3]) || !begin(r, s[1], s[3], &pattern) || !first_limit(r, s[0]))
        return false;
    PCRE2_SIZE room = s[0].len * 2 + s[2].len + 64;
    const uint32_t options =
        PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_SUBSTITUTE_UNSET_EMPTY;
    bool last = false;
    for (int pass = 0; pass < 3; pass++) {
        PCRE2_SIZE n = room;
        PCRE2_UCHAR *to = MED_TAKE(r->a, room, PCRE2_UCHAR);
        if (to == NULL)
            return MED_FAIL_MEMORY(r->err);
        int code =
            pcre2_substitute(pattern, (PCRE2_SPTR)s[0].ptr, s[0].len, 0, options, r->match_data,
                             r->match_context, (PCRE2_SPTR)s[2].ptr, s[2].len, to, &n);
        if (code >= 0)
            return med_fp_result_string(r, argc, (med_str){(const char *)to, n});
        if (is_limit(code) && !last) {
            size_t limit = REPLACE_LIMIT / (s[0].len + 1);
            last = true;
            (void)pcre2_set_match_limit(r->match_context,
                                        limit < MATCH_LIMIT ? (uint32_t)limit + 1 : MATCH_LIMIT);
            if (!med_fp_spend(r, LAST_STEPS))
                return false;
            continue;
        }
        if (code != PCRE2_ERROR_NOMEMORY || n > OUTPUT_MAX)
            return fail_match(r, code);
        room = n;
    }
    return fail_match(r, PCRE2_ERROR_NOMEMORY);
}
