/* structure_answers.c - https://hl7.org/fhir/R4/questionnaireresponse.html#link
 *
 * The answers of a QuestionnaireResponse against its Questionnaire: items that it has, answers
 * of the right type, as many as allowed, out of the options given, none missing, none where
 * nothing was asked (enableWhen). Both are walked together, on a stack in the arena. */
#include "base/decimal.h"
#include "validate/structure_check.h"

enum { TRIES = 200000 }; /* comparisons of links, in one response */

/* A list of questions and the list of answers to it. */
struct level {
    uint32_t asked, given; /* objects with `item` */
};

struct answers {
    med_check *c;
    const med_json *q; /* the Questionnaire's tape */
    uint32_t root;     /* its node */
    uint32_t response; /* node of the QuestionnaireResponse */
    const med_check_frame *frame;
    bool is_complete; /* a draft may lack answers */
    size_t tries;
    struct level *stack;
    size_t n, room;
};

/* ---- reading ---- */

static bool is_true(const med_json *j, uint32_t object, const char *key)
{
    uint32_t node = med_json_member(j, object, med_str_from(key));
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_TRUE;
}

static uint32_t count_of(const med_json *j, uint32_t list)
{
    return list == 0 ? 0 : j->nodes[list].count;
}

/* The member `prefix...`: valueString, answerCoding; its name behind the prefix. */
static uint32_t choice_of(const med_json *j, uint32_t object, const char *prefix, med_str *type)
{
    med_str start = med_str_from(prefix);
    for (uint32_t k = object + 1; k < j->nodes[object].next; k = j->nodes[k + 1].next) {
        med_str name = med_json_raw(j, k);
        if (name.len > start.len && med_str_starts(name, start)) {
            *type = med_str_skip(name, start.len);
            return k + 1;
        }
    }
    *type = MED_STR_EMPTY;
    return 0;
}

/* The child of `parent` with that linkId, or 0. */
static uint32_t child_of(struct answers *s, const med_json *j, uint32_t parent, med_str link)
{
    uint32_t list = med_check_list(j, parent, "item");
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (++s->tries > TRIES)
            return 0;
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT
            && med_str_eq(med_check_raw(j, e, "linkId"), link))
            return e;
    }
    return 0;
}

/* Extension of the question: minValue, regex and so on; the value's node. */
static uint32_t extension_of(const struct answers *s, uint32_t item, const char *name)
{
    uint32_t list = med_check_list(s->q, item, "extension");
    med_str unused;
    for (uint32_t e = list + 1; list != 0 && e < s->q->nodes[list].next; e = s->q->nodes[e].next) {
        med_str url = med_check_raw(s->q, e, "url");
        if (med_json_kind_at(s->q, e) == MED_JSON_OBJECT
            && med_str_starts(url, MED_STR("http://hl7.org/fhir/StructureDefinition/"))
            && med_str_ends(url, med_str_from(name)) && url.len > strlen(name)
            && url.ptr[url.len - strlen(name) - 1] == '/')
            return choice_of(s->q, e, "value", &unused);
    }
    return 0;
}

/* ---- comparing ---- */

/* The same value, as far as FHIR compares them here: a Coding by system and code. */
static bool same_value(const med_json *a, uint32_t i, const med_json *b, uint32_t k)
{
    if (med_json_kind_at(a, i) != MED_JSON_OBJECT || med_json_kind_at(b, k) != MED_JSON_OBJECT)
        return med_str_eq(med_json_raw(a, i), med_json_raw(b, k));
    if (med_json_member(a, i, MED_STR("code")) == 0)
        return med_str_eq(med_check_raw(a, i, "reference"), med_check_raw(b, k, "reference"));
    return med_str_eq(med_check_raw(a, i, "code"), med_check_raw(b, k, "code"))
           && med_str_eq(med_check_raw(a, i, "system"), med_check_raw(b, k, "system"));
}

/* Numbers by value; dates and times of the same precision by their text. */
static bool order_of(const med_json *a, uint32_t i, const med_json *b, uint32_t k, int *order)
{
    med_decimal x, y;
    med_str left = med_json_raw(a, i);
    med_str right = med_json_raw(b, k);
    if (med_json_kind_at(a, i) == MED_JSON_NUMBER && med_json_kind_at(b, k) == MED_JSON_NUMBER) {
        if (!med_decimal_parse(left, &x) || !med_decimal_parse(right, &y))
            return false;
        *order = med_decimal_compare(&x, &y);
        return true;
    }
    if (med_json_kind_at(a, i) != MED_JSON_STRING || med_json_kind_at(b, k) != MED_JSON_STRING)
        return false;
    size_t len = left.len < right.len ? left.len : right.len;
    *order = med_str_compare(med_str_sub(left, 0, len), med_str_sub(right, 0, len));
    return *order != 0 || left.len == right.len;
}

/* ---- enableWhen ---- */

enum enabled { ENABLED_NO, ENABLED_YES, ENABLED_UNKNOWN };

/* The item of the response with that linkId, at any depth. */
static uint32_t find_item(struct answers *s, med_str link)
{
    const med_json *j = s->c->j;
    uint32_t list = med_check_list(j, s->response, "item");
    for (uint32_t i = list + 1; list != 0 && i < j->nodes[list].next; i++) {
        if (++s->tries > TRIES)
            return 0;
        if (j->nodes[i].kind == MED_JSON_OBJECT && med_str_eq(med_check_raw(j, i, "linkId"), link))
            return i;
    }
    return 0;
}

static bool compare_is(med_str operator, int order)
{
    if (med_str_eqz(operator, ">"))
        return order > 0;
    if (med_str_eqz(operator, "<"))
        return order < 0;
    return med_str_eqz(operator, ">=") ? order >= 0 : order <= 0;
}

static enum enabled condition_of(struct answers *s, uint32_t when)
{
    const med_json *j = s->c->j;
    med_str type, given_type;
    med_str operator= med_check_raw(s->q, when, "operator");
    uint32_t wanted = choice_of(s->q, when, "answer", &type);
    uint32_t item = find_item(s, med_check_raw(s->q, when, "question"));
    uint32_t list = item == 0 ? 0 : med_check_list(j, item, "answer");
    if (wanted == 0 || s->tries > TRIES)
        return ENABLED_UNKNOWN;
    if (med_str_eqz(operator, "exists"))
        return (count_of(j, list) > 0) == (med_json_kind_at(s->q, wanted) == MED_JSON_TRUE)
                   ? ENABLED_YES
                   : ENABLED_NO;
    bool differs = med_str_eqz(operator, "!=");
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t value = choice_of(j, e, "value", &given_type);
        int order = 0;
        if (value == 0)
            continue;
        if (med_str_eqz(operator, "=") || differs) {
            if (same_value(j, value, s->q, wanted) != differs)
                return ENABLED_YES;
        } else if (!order_of(j, value, s->q, wanted, &order)) {
            return ENABLED_UNKNOWN;
        } else if (compare_is(operator, order)) {
            return ENABLED_YES;
        }
    }
    return ENABLED_NO;
}

static enum enabled is_enabled(struct answers *s, uint32_t question)
{
    uint32_t list = med_check_list(s->q, question, "enableWhen");
    bool any = !med_str_eqz(med_check_raw(s->q, question, "enableBehavior"), "all");
    if (list == 0)
        return ENABLED_YES;
    any = any && count_of(s->q, list) > 1;
    for (uint32_t e = list + 1; e < s->q->nodes[list].next; e = s->q->nodes[e].next) {
        enum enabled one = condition_of(s, e);
        if (one == ENABLED_UNKNOWN)
            return one;
        if (any == (one == ENABLED_YES))
            return one;
    }
    return any ? ENABLED_NO : ENABLED_YES;
}

/* ---- one answer ---- */

/* Types of answers by the type of the question. */
static bool type_fits(med_str question, med_str answer)
{
    static const char *const rows[][2] = {
        {"boolean", "Boolean"},
        {"decimal", "Decimal"},
        {"integer", "Integer"},
        {"date", "Date"},
        {"dateTime", "DateTime"},
        {"time", "Time"},
        {"string", "String"},
        {"text", "String"},
        {"url", "Uri"},
        {"attachment", "Attachment"},
        {"reference", "Reference"},
        {"quantity", "Quantity"},
        {"open-choice", "Coding"},
        {"open-choice", "String"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (med_str_eqz(question, rows[i][0]) && med_str_eqz(answer, rows[i][1]))
            return true;
    }
    /* a choice may offer other types as options: these are compared */
    return med_str_eqz(question, "choice")
           && (med_str_eqz(answer, "Coding") || med_str_eqz(answer, "String")
               || med_str_eqz(answer, "Integer") || med_str_eqz(answer, "Date")
               || med_str_eqz(answer, "Time") || med_str_eqz(answer, "Reference"));
}

static bool is_option(const struct answers *s, uint32_t question, uint32_t value, med_str type)
{
    med_str offered;
    uint32_t list = med_check_list(s->q, question, "answerOption");
    if (list == 0 || med_str_eqz(med_check_raw(s->q, question, "type"), "open-choice"))
        return true;
    for (uint32_t e = list + 1; e < s->q->nodes[list].next; e = s->q->nodes[e].next) {
        uint32_t option = choice_of(s->q, e, "value", &offered);
        if (option != 0 && med_str_eq(offered, type) && same_value(s->c->j, value, s->q, option))
            return true;
    }
    return false;
}

/* Characters of UTF-8. */
static size_t length_of(med_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return n;
}

static bool number_at(const med_json *j, uint32_t node, int64_t *out)
{
    return node != 0 && med_str_to_int64(med_json_raw(j, node), out);
}

static void check_range(struct answers *s, uint32_t question, uint32_t value)
{
    int64_t limit;
    int order = 0;
    med_check *c = s->c;
    med_str text = med_json_raw(c->j, value);
    if (med_json_kind_at(c->j, value) == MED_JSON_STRING) {
        if (number_at(s->q, med_json_member(s->q, question, MED_STR("maxLength")), &limit)
            && length_of(text) > (uint64_t)limit)
            med_check_problem(c, value, NULL, MED_ISSUE_VALUE,
                              "at most %ld characters are asked for", (long)limit);
        if (number_at(s->q, extension_of(s, question, "minLength"), &limit)
            && length_of(text) < (uint64_t)limit)
            med_check_problem(c, value, NULL, MED_ISSUE_VALUE,
                              "at least %ld characters are asked for", (long)limit);
    }
    uint32_t least = extension_of(s, question, "minValue");
    uint32_t most = extension_of(s, question, "maxValue");
    if (least != 0 && order_of(c->j, value, s->q, least, &order) && order < 0)
        med_check_problem(c, value, NULL, MED_ISSUE_VALUE, "less than the question allows");
    if (most != 0 && order_of(c->j, value, s->q, most, &order) && order > 0)
        med_check_problem(c, value, NULL, MED_ISSUE_VALUE, "more than the question allows");
}

static void check_answer(struct answers *s, uint32_t question, uint32_t answer)
{
    med_str given;
    med_check *c = s->c;
    med_str wanted = med_check_raw(s->q, question, "type");
    uint32_t value = choice_of(c->j, answer, "value", &given);
    if (value == 0)
        return;
    if (!type_fits(wanted, given))
        med_check_problem(c, value, NULL, MED_ISSUE_VALUE,
                          "the question asks for an answer of type %.*s", MED_STR_ARG(wanted));
    else if (!is_option(s, question, value, given))
        med_check_problem(c, answer, NULL, MED_ISSUE_VALUE,
                          "this is none of the options that the question offers");
    else
        check_range(s, question, value);
    med_check_answer(c, s->frame, s->q, question, answer, value);
}

/* ---- an item ---- */

static void check_number(struct answers *s, uint32_t question, uint32_t item, uint32_t n)
{
    int64_t limit;
    med_check *c = s->c;
    if (n > 1 && !is_true(s->q, question, "repeats"))
        med_check_problem(c, item, NULL, MED_ISSUE_STRUCTURE, "%u answers to a question with one",
                          n);
    if (s->is_complete
        && number_at(s->q, extension_of(s, question, "questionnaire-minOccurs"), &limit)
        && n < (uint64_t)limit)
        med_check_problem(c, item, NULL, MED_ISSUE_REQUIRED,
                          "%u answers, at least %ld are asked for", n, (long)limit);
    if (number_at(s->q, extension_of(s, question, "questionnaire-maxOccurs"), &limit)
        && n > (uint64_t)limit)
        med_check_problem(c, item, NULL, MED_ISSUE_STRUCTURE,
                          "%u answers, at most %ld are asked for", n, (long)limit);
}

static void push(struct answers *s, uint32_t asked, uint32_t given)
{
    struct level *more = MED_GROW(s->c->a, s->stack, s->n, &s->room, MED_JSON_DEPTH);
    if (more == NULL) {
        s->c->out_of_memory = true;
        return;
    }
    s->stack = more;
    s->stack[s->n++] = (struct level){asked, given};
}

static void check_item(struct answers *s, uint32_t question, uint32_t item)
{
    med_check *c = s->c;
    const med_json *j = c->j;
    uint32_t list = med_check_list(j, item, "answer");
    uint32_t n = count_of(j, list);
    med_str type = med_check_raw(s->q, question, "type");
    bool asks = !med_str_eqz(type, "group") && !med_str_eqz(type, "display")
                && !med_str_eqz(type, "question");
    if (n > 0 && !asks)
        med_check_problem(c, item, NULL, MED_ISSUE_STRUCTURE, "an item of type %.*s has no answers",
                          MED_STR_ARG(type));
    else if (n > 0 && is_enabled(s, question) == ENABLED_NO)
        med_check_problem(c, item, NULL, MED_ISSUE_INVARIANT,
                          "an answer to what is not asked: its enableWhen does not hold");
    if (asks)
        check_number(s, question, item, n);
    for (uint32_t e = list + 1; asks && n > 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT)
            continue;
        check_answer(s, question, e);
        if (med_check_list(j, e, "item") != 0)
            push(s, question, e);
    }
    if (med_check_list(j, item, "item") != 0 || med_str_eqz(type, "group"))
        push(s, question, item);
}

/* A required question has an answer, unless it is not asked. */
static void check_required(struct answers *s, const struct level *level, uint32_t question)
{
    if (!s->is_complete || !is_true(s->q, question, "required")
        || is_enabled(s, question) != ENABLED_YES)
        return;
    uint32_t item = child_of(s, s->c->j, level->given, med_check_raw(s->q, question, "linkId"));
    bool group = med_str_eqz(med_check_raw(s->q, question, "type"), "group");
    if (item == 0 || (!group && med_check_list(s->c->j, item, "answer") == 0))
        med_check_problem(s->c, item == 0 ? level->given : item, NULL, MED_ISSUE_REQUIRED,
                          "the required question '%.*s' has no answer",
                          MED_STR_ARG(med_check_shown(med_check_raw(s->q, question, "linkId"))));
}

static void check_level(struct answers *s, const struct level *level)
{
    const med_json *j = s->c->j;
    uint32_t asked = med_check_list(s->q, level->asked, "item");
    uint32_t given = med_check_list(j, level->given, "item");
    for (uint32_t e = given + 1; given != 0 && e < j->nodes[given].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT)
            continue;
        uint32_t question = child_of(s, s->q, level->asked, med_check_raw(j, e, "linkId"));
        if (question != 0)
            check_item(s, question, e);
        else if (s->tries <= TRIES)
            med_check_problem(s->c, level->given, NULL, MED_ISSUE_VALUE,
                              "the Questionnaire has no item '%.*s' here",
                              MED_STR_ARG(med_check_shown(med_check_raw(j, e, "linkId"))));
    }
    for (uint32_t e = asked + 1; asked != 0 && e < s->q->nodes[asked].next;
         e = s->q->nodes[e].next) {
        if (med_json_kind_at(s->q, e) == MED_JSON_OBJECT)
            check_required(s, level, e);
    }
}

/* A contained Questionnaire, or one that the options' finder knows. */
static bool find_questionnaire(const med_check *c, const med_check_frame *f, uint32_t at,
                               const med_json **j, uint32_t *root)
{
    med_str url = med_json_raw(c->j, at);
    if (url.len == 0 || url.ptr[0] != '#')
        return c->options->find != NULL
               && c->options->find(c->options->arg, "Questionnaire", url, j, root);
    uint32_t list = med_check_list(c->j, f->node, "contained");
    for (uint32_t e = list + 1; list != 0 && e < c->j->nodes[list].next; e = c->j->nodes[e].next) {
        if (med_json_kind_at(c->j, e) == MED_JSON_OBJECT
            && med_str_eq(med_check_raw(c->j, e, "id"), med_str_skip(url, 1))) {
            *j = c->j;
            *root = e;
            return true;
        }
    }
    return false;
}

/* Does it name something else that is known? */
static bool is_value_set(med_check *c, uint32_t at)
{
    med_coded q = {med_json_raw(c->j, at), MED_STR_EMPTY, MED_STR_EMPTY, MED_STR("0"),
                   MED_STR_EMPTY};
    med_coded_answer answer;
    if (!c->options->strict || c->options->codes == NULL || c->failed)
        return false;
    if (!c->options->codes->ask(c->options->codes->self, c->a, &q, &answer, c->err)) {
        c->failed = true;
        return false;
    }
    return answer.verdict != MED_CODED_NO_VALUE_SET;
}

void med_check_answers(med_check *c, const med_check_frame *f)
{
    struct answers s = {.c = c, .response = f->node, .frame = f};
    uint32_t at = med_json_member(c->j, f->node, MED_STR("questionnaire"));
    if (at == 0 || med_json_kind_at(c->j, at) != MED_JSON_STRING)
        return;
    if (!find_questionnaire(c, f, at, &s.q, &s.root)) {
        if (c->options->find != NULL && is_value_set(c, at))
            med_check_problem(c, at, NULL, MED_ISSUE_VALUE,
                              "this names a ValueSet, not a Questionnaire");
        else if (c->options->find != NULL)
            med_check_warning(c, at, NULL, MED_ISSUE_NOT_FOUND,
                              "this Questionnaire is not known here: the answers were not checked");
        return;
    }
    med_str status = med_check_raw(c->j, f->node, "status");
    s.is_complete = med_str_eqz(status, "completed") || med_str_eqz(status, "amended");
    push(&s, s.root, f->node);
    while (s.n > 0 && !c->list->more && !c->out_of_memory) {
        struct level level = s.stack[--s.n];
        check_level(&s, &level);
    }
    if (s.tries > TRIES)
        med_check_warning(c, f->node, NULL, MED_ISSUE_TOO_COSTLY,
                          "there are too many items to check all answers");
}
