/* ecl.c - see ecl.h. https://confluence.ihtsdotools.org/display/DOCECL */
#include "terminology/ecl_impl.h"
#include "terminology/image_builder.h"

#include <assert.h>

enum op {
    SELF,
    BELOW,
    BELOW_OR_SELF,
    CHILD,
    CHILD_OR_SELF,
    ABOVE,
    ABOVE_OR_SELF,
    PARENT,
    PARENT_OR_SELF
};

static uint64_t *new_bits(const med_ecl *r)
{
    return MED_TAKE(r->arena, med_image_words(r->m) + 1, uint64_t);
}

bool med_ecl_wrong(med_ecl *r, const char *what)
{
    if (r->wrong == NULL)
        r->wrong = what;
    return true;
}

void med_ecl_skip_space(med_ecl *r)
{
    while (r->text.len > 0 && med_is_space(r->text.ptr[0]))
        r->text = med_str_skip(r->text, 1);
}

bool med_ecl_take(med_ecl *r, const char *token)
{
    med_ecl_skip_space(r);
    med_str t = med_str_from(token);
    if (!med_str_starts(r->text, t))
        return false;
    r->text = med_str_skip(r->text, t.len);
    return true;
}

bool med_ecl_take_word(med_ecl *r, const char *word)
{
    med_ecl_skip_space(r);
    med_str w = med_str_from(word);
    if (r->text.len < w.len || !med_str_eq_ignore_case(med_str_sub(r->text, 0, w.len), w)
        || (r->text.len > w.len && med_is_alnum(r->text.ptr[w.len])))
        return false;
    r->text = med_str_skip(r->text, w.len);
    return true;
}

static enum op take_op(med_ecl *r)
{
    static const struct {
        const char *token;
        enum op op;
    } ops[] = {{"<<!", CHILD_OR_SELF},  {"<<", BELOW_OR_SELF}, {"<!", CHILD},  {"<", BELOW},
               {">>!", PARENT_OR_SELF}, {">>", ABOVE_OR_SELF}, {">!", PARENT}, {">", ABOVE}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (med_ecl_take(r, ops[i].token))
            return ops[i].op;
    }
    return SELF;
}

/* A code and the term in bars behind it, which says nothing. */
static med_str take_code(med_ecl *r)
{
    size_t n = 0;
    med_ecl_skip_space(r);
    while (n < r->text.len && med_is_digit(r->text.ptr[n]))
        n++;
    med_str code = med_str_sub(r->text, 0, n);
    r->text = med_str_skip(r->text, n);
    if (n > 0 && med_ecl_take(r, "|")) {
        size_t end = med_str_find(r->text, '|', 0);
        if (end == r->text.len)
            (void)med_ecl_wrong(r, "has a term that does not end");
        r->text = med_str_skip(r->text, end < r->text.len ? end + 1 : end);
    }
    return code;
}

void med_ecl_add_members(const med_image *m, med_str refset, uint64_t *bits)
{
    med_concept_property p;
    for (med_concept c = 0; c < med_image_count(m); c++) {
        for (size_t i = 0; med_concept_property_at(m, c, i, &p); i++) {
            if (med_str_eqz(p.code, "refset")
                && (med_str_eq(p.value, refset) || med_str_eqz(refset, "*")))
                med_bit_set(bits, c);
        }
    }
}

static void add_all(const med_image *m, uint64_t *bits)
{
    for (med_concept c = 0; c < med_image_count(m); c++)
        med_bit_set(bits, c);
}

/* What stands to one concept as the operator says. */
static bool relate(const med_ecl *r, enum op op, med_concept c, uint64_t *out)
{
    size_t n;
    bool up = op >= ABOVE,
         near = op == CHILD || op == CHILD_OR_SELF || op == PARENT || op == PARENT_OR_SELF;
    if (op == BELOW_OR_SELF || op == CHILD_OR_SELF || op == ABOVE_OR_SELF || op == PARENT_OR_SELF)
        med_bit_set(out, c);
    const med_concept *at =
        up ? med_concept_parents(r->m, c, &n) : med_concept_children(r->m, c, &n);
    for (size_t i = 0; i < n; i++) {
        if (near)
            med_bit_set(out, at[i]);
        else if (!up)
            med_image_add_below(r->m, at[i], out);
        else if (!med_image_add_above(r->m, r->arena, at[i], out))
            return false;
    }
    return true;
}

static bool relate_all(const med_ecl *r, enum op op, uint64_t **set)
{
    if (op == SELF)
        return true;
    uint64_t *out = new_bits(r);
    if (out == NULL)
        return false;
    for (med_concept c = 0; c < med_image_count(r->m); c++) {
        if (med_bit(*set, c) && !relate(r, op, c, out))
            return false;
    }
    *set = out;
    return true;
}

bool med_ecl_enter(med_ecl *r)
{
    if (r->depth == MED_ECL_DEPTH) {
        (void)med_ecl_wrong(r, "has too many brackets inside each other");
        return false;
    }
    r->depth++;
    return true;
}

void med_ecl_leave(med_ecl *r, const char *close)
{
    r->depth--;
    if (r->wrong == NULL && !med_ecl_take(r, close))
        (void)med_ecl_wrong(r, "lacks a closing bracket");
}

bool med_ecl_scan(med_ecl *r)
{
    if (++r->scans > MED_ECL_SCANS && !r->is_check)
        (void)med_ecl_wrong(r, "asks too much at once");
    return r->wrong == NULL;
}

static bool read_expression(med_ecl *r, uint64_t **out);

/* NOLINTNEXTLINE(misc-no-recursion): MED_ECL_DEPTH brackets inside each other */
static bool read_bracket(med_ecl *r, enum op op, uint64_t **out)
{
    if (!med_ecl_enter(r))
        return true;
    if (!read_expression(r, out))
        return false;
    med_ecl_leave(r, ")");
    return r->wrong != NULL || op == SELF || !med_ecl_scan(r) || relate_all(r, op, out);
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_bracket */
bool med_ecl_operand(med_ecl *r, uint64_t **out)
{
    enum op op = take_op(r);
    bool members = med_ecl_take(r, "^");
    if (r->operands++ == MED_ECL_OPERANDS)
        return med_ecl_wrong(r, "names too many concepts");
    if (!members && med_ecl_take(r, "("))
        return read_bracket(r, op, out);
    *out = new_bits(r);
    if (*out == NULL)
        return false;
    bool any = med_ecl_take(r, "*");
    med_str code = any ? MED_STR("*") : take_code(r);
    if (code.len == 0)
        return med_ecl_wrong(r, "has something else where a concept, '*' or a bracket is expected");
    med_concept c = any ? MED_CONCEPT_NONE : med_image_find(r->m, code);
    if (r->is_check)
        return true;
    if (!any && c == MED_CONCEPT_NONE && !members) {
        if (r->wrong == NULL)
            r->what = code;
        return med_ecl_wrong(r, "names a concept that there is not:");
    }
    if ((members || any) && !med_ecl_scan(r))
        return true;
    if (members)
        med_ecl_add_members(r->m, code, *out);
    else if (any)
        add_all(r->m, *out);
    else
        med_bit_set(*out, c);
    return relate_all(r, op, out);
}

char med_ecl_take_junction(med_ecl *r)
{
    return med_ecl_take_word(r, "AND") || med_ecl_take(r, ",") ? '&'
           : med_ecl_take_word(r, "OR")                        ? '|'
           : med_ecl_take_word(r, "MINUS")                     ? '-'
                                                               : 0;
}

/* One kind of junction at a level: what mixes them needs brackets. */
/* NOLINTNEXTLINE(misc-no-recursion): see read_bracket */
static bool read_expression(med_ecl *r, uint64_t **out)
{
    char before = 0;
    if (!med_ecl_operand(r, out))
        return false;
    if (r->wrong == NULL && med_ecl_take(r, ":"))
        return med_ecl_refine(r, *out);
    while (r->wrong == NULL && med_ecl_take(r, ".")) {
        if (!med_ecl_dotted(r, out))
            return false;
    }
    for (char j; r->wrong == NULL && (j = med_ecl_take_junction(r)) != 0; before = j) {
        uint64_t *other = NULL;
        if (before != 0 && (before != j || j == '-'))
            return med_ecl_wrong(r, "mixes AND, OR and MINUS without brackets");
        if (!med_ecl_operand(r, &other))
            return false;
        assert(r->wrong != NULL || (*out != NULL && other != NULL));
        for (size_t i = 0; r->wrong == NULL && i < med_image_words(r->m); i++)
            (*out)[i] = j == '&'   ? (*out)[i] & other[i]
                        : j == '|' ? (*out)[i] | other[i]
                                   : (*out)[i] & ~other[i];
    }
    return true;
}

/* What is wrong, or "". */
static bool read_all(med_ecl *r, uint64_t **out, med_str *broken)
{
    if (r->text.len > MED_ECL_BYTES)
        r->wrong = "is too long";
    else if (!read_expression(r, out))
        return false;
    med_ecl_skip_space(r);
    assert(r->wrong != NULL || *out != NULL);
    bool is_filter = med_str_starts(r->text, MED_STR("{{"));
    if (r->wrong == NULL && r->text.len > 0 && !(is_filter && r->is_check))
        r->wrong = is_filter ? "has a filter ({{ }}), which is not supported"
                   : r->text.ptr[0] == ':' || r->text.ptr[0] == '.'
                       ? "refines several concepts: brackets must stand around them"
                       : "goes on behind its end";
    *broken = MED_STR_EMPTY;
    if (r->wrong == NULL)
        return true;
    *broken = med_arena_printf(r->arena, "The expression constraint %s%s%.*s", r->wrong,
                               r->what.len > 0 ? " " : "", MED_STR_ARG(r->what));
    return broken->len > 0;
}

bool med_ecl_apply(const med_image *m, med_arena *a, med_str text, uint64_t *bits, med_str *broken,
                   med_err *err)
{
    med_ecl r = {.m = m, .arena = a, .text = text, .what = MED_STR_EMPTY};
    uint64_t *out = NULL;
    med_str wrong;
    if (!read_all(&r, &out, &wrong))
        return MED_FAIL_MEMORY(err);
    if (wrong.len > 0)
        *broken = wrong;
    else
        memcpy(bits, out, med_image_words(m) * sizeof *bits);
    return true;
}

/* An image without concepts: what is read of it is nothing, at once. */
static bool make_empty(med_buf *out, med_err *err)
{
    med_image_head head = {.url = MED_STR_EMPTY,
                           .version = MED_STR_EMPTY,
                           .language = MED_STR_EMPTY,
                           .supplements = MED_STR_EMPTY,
                           .meta = MED_STR("{}")};
    med_image_builder *b = med_image_builder_new();
    bool ok = b != NULL ? med_image_builder_finish(b, &head, out, err) : MED_FAIL_MEMORY(err);
    med_image_builder_free(b);
    return ok;
}

bool med_ecl_check(med_arena *a, med_str text, med_str *broken, med_err *err)
{
    med_buf empty;
    uint64_t *out = NULL;
    med_ecl r = {.arena = a, .text = text, .what = MED_STR_EMPTY, .is_check = true};
    med_buf_init(&empty, 1 << 16);
    bool ok = make_empty(&empty, err) && med_image_open(med_buf_str(&empty), &r.m, err);
    if (ok && !read_all(&r, &out, broken))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&empty);
    return ok;
}
