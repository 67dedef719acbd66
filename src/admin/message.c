/* message.c - see message.h. */
#include "admin/message.h"

#include "base/json.h"

enum member {
    COMMAND,
    TEXT,
    UNIT,
    NAME,
    SIZE,
    MODIFIED,
    PART,
    WHOLE,
    DONE,
    ERRORS,
    CODE,
    OPTIONS,
    WORDS,
    MEMBERS
};
#define BIT(member) (1U << (member))

static const char *const member_names[MEMBERS] = {
    [COMMAND] = "command", [TEXT] = "text",         [UNIT] = "unit", [NAME] = "name",
    [SIZE] = "size",       [MODIFIED] = "modified", [PART] = "part", [WHOLE] = "whole",
    [DONE] = "done",       [ERRORS] = "errors",     [CODE] = "code", [OPTIONS] = "options",
    [WORDS] = "words",
};

static const struct {
    const char *name;
    unsigned members;
} kinds[MED_MESSAGE_KINDS] = {
    [MED_MESSAGE_RUN] = {"run", BIT(COMMAND) | BIT(OPTIONS) | BIT(WORDS)},
    [MED_MESSAGE_INPUT] = {"input", BIT(NAME) | BIT(SIZE) | BIT(MODIFIED)},
    [MED_MESSAGE_NO_INPUT] = {"no-input", 0},
    [MED_MESSAGE_FILE] = {"file", 0},
    [MED_MESSAGE_FAILED] = {"failed", BIT(TEXT)},
    [MED_MESSAGE_CANCEL] = {"cancel", 0},
    [MED_MESSAGE_BEGIN] = {"begin", BIT(TEXT) | BIT(UNIT)},
    [MED_MESSAGE_PROGRESS] = {"progress", BIT(PART) | BIT(WHOLE) | BIT(DONE) | BIT(ERRORS)},
    [MED_MESSAGE_END] = {"end", BIT(DONE) | BIT(ERRORS)},
    [MED_MESSAGE_SAY] = {"say", BIT(TEXT)},
    [MED_MESSAGE_NEXT] = {"next", 0},
    [MED_MESSAGE_MAKE] = {"make", BIT(NAME)},
    [MED_MESSAGE_RESULT] = {"result", BIT(CODE) | BIT(TEXT)},
};

bool med_message_carries(enum med_message_kind kind)
{
    return kind == MED_MESSAGE_INPUT || kind == MED_MESSAGE_FILE;
}

bool med_message_is_client_s(enum med_message_kind kind)
{
    return kind <= MED_MESSAGE_CANCEL;
}

bool med_message_option_get(const med_message *m, const char *name, med_str *value)
{
    for (size_t i = 0; i < m->n_options; i++) {
        if (med_str_eqz(m->options[i].name, name)) {
            *value = m->options[i].value;
            return true;
        }
    }
    return false;
}

static med_str *text_of(med_message *m, enum member member)
{
    switch (member) {
    case COMMAND:
        return &m->command;
    case TEXT:
        return &m->text;
    case UNIT:
        return &m->unit;
    case NAME:
        return &m->name;
    case SIZE:
    case MODIFIED:
    case PART:
    case WHOLE:
    case DONE:
    case ERRORS:
    case CODE:
    case OPTIONS:
    case WORDS:
    case MEMBERS:
        break;
    }
    return NULL;
}

static int64_t *number_of(med_message *m, enum member member)
{
    switch (member) {
    case SIZE:
        return &m->size;
    case MODIFIED:
        return &m->modified;
    case PART:
        return &m->part;
    case WHOLE:
        return &m->whole;
    case DONE:
        return &m->done;
    case ERRORS:
        return &m->errors;
    case CODE:
        return &m->code;
    case COMMAND:
    case TEXT:
    case UNIT:
    case NAME:
    case OPTIONS:
    case WORDS:
    case MEMBERS:
        break;
    }
    return NULL;
}

/* ---- reading ---- */

static bool read_string(med_arena *a, const med_json *j, uint32_t i, med_str *out, med_err *err)
{
    if (med_json_kind_at(j, i) != MED_JSON_STRING)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE, "a member must be a string");
    return med_json_string(a, j, i, out) ? true : MED_FAIL_MEMORY(err);
}

static bool read_number(const med_json *j, uint32_t i, int64_t *out, med_err *err)
{
    return (med_json_kind_at(j, i) == MED_JSON_NUMBER && med_str_to_int64(med_json_raw(j, i), out)
            && *out >= 0)
           || MED_FAIL(err, MED_ISSUE_STRUCTURE, "a member must be a whole number, 0 or more");
}

static bool read_words(med_arena *a, const med_json *j, uint32_t i, med_message *out, med_err *err)
{
    if (med_json_kind_at(j, i) != MED_JSON_ARRAY || j->nodes[i].count > MED_MESSAGE_WORDS)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE, "words must be a list of at most %d strings",
                        MED_MESSAGE_WORDS);
    med_str *words = MED_TAKE(a, j->nodes[i].count, med_str);
    if (words == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t e = i + 1; e < j->nodes[i].next; e = j->nodes[e].next) {
        if (!read_string(a, j, e, &words[out->n_words++], err))
            return false;
    }
    out->words = words;
    return true;
}

static bool read_options(med_arena *a, const med_json *j, uint32_t i, med_message *out,
                         med_err *err)
{
    if (med_json_kind_at(j, i) != MED_JSON_OBJECT || j->nodes[i].count > MED_MESSAGE_OPTIONS)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE, "options must be an object of at most %d strings",
                        MED_MESSAGE_OPTIONS);
    med_message_option *options = MED_TAKE(a, j->nodes[i].count, med_message_option);
    if (options == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t k = i + 1; k < j->nodes[i].next; k = j->nodes[k + 1].next) {
        med_message_option *o = &options[out->n_options++];
        if (!read_string(a, j, k, &o->name, err) || !read_string(a, j, k + 1, &o->value, err))
            return false;
    }
    out->options = options;
    return true;
}

static bool read_kind(const med_json *j, med_message *out, med_err *err)
{
    uint32_t kind =
        med_json_kind_at(j, 0) == MED_JSON_OBJECT ? med_json_member(j, 0, MED_STR("kind")) : 0;
    if (kind == 0 || med_json_kind_at(j, kind) != MED_JSON_STRING)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE, "a message is an object with a kind");
    for (int i = 0; i < MED_MESSAGE_KINDS; i++) {
        if (med_json_string_is(j, kind, med_str_from(kinds[i].name))) {
            out->kind = (enum med_message_kind)i;
            return true;
        }
    }
    return MED_FAIL(err, MED_ISSUE_STRUCTURE, "no message is of that kind");
}

static bool find_member(const med_json *j, uint32_t key, unsigned allowed, enum member *out,
                        med_err *err)
{
    for (int i = 0; i < MEMBERS; i++) {
        if ((allowed & BIT(i)) != 0 && med_json_string_is(j, key, med_str_from(member_names[i]))) {
            *out = (enum member)i;
            return true;
        }
    }
    return MED_FAIL(err, MED_ISSUE_STRUCTURE, "a message of that kind has no such member");
}

static bool read_member(med_arena *a, const med_json *j, uint32_t i, enum member member,
                        med_message *out, med_err *err)
{
    med_str *text = text_of(out, member);
    int64_t *number = number_of(out, member);
    if (text != NULL)
        return read_string(a, j, i, text, err);
    if (number != NULL)
        return read_number(j, i, number, err);
    return member == WORDS ? read_words(a, j, i, out, err) : read_options(a, j, i, out, err);
}

static med_message empty_message(void)
{
    return (med_message){.command = MED_STR_EMPTY,
                         .text = MED_STR_EMPTY,
                         .unit = MED_STR_EMPTY,
                         .name = MED_STR_EMPTY};
}

bool med_message_read(med_arena *a, med_str packet, med_message *out, med_err *err)
{
    med_json j;
    unsigned seen = 0;
    *out = empty_message();
    if (packet.len > MED_MESSAGE_BYTES)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a message has at most %d bytes",
                        MED_MESSAGE_BYTES);
    if (!med_json_parse(a, packet, &j, NULL, err) || !read_kind(&j, out, err))
        return false;
    for (uint32_t k = 1; k < j.nodes[0].next; k = j.nodes[k + 1].next) {
        enum member member = MEMBERS;
        if (med_json_string_is(&j, k, MED_STR("kind")))
            continue;
        if (!find_member(&j, k, kinds[out->kind].members, &member, err)
            || !read_member(a, &j, k + 1, member, out, err))
            return false;
        seen |= BIT(member);
    }
    return seen == kinds[out->kind].members
           || MED_FAIL(err, MED_ISSUE_STRUCTURE, "a message of kind %s lacks a member",
                       kinds[out->kind].name);
}

/* ---- writing ---- */

static void write_lists(med_json_writer *w, const med_message *m)
{
    med_json_key(w, MED_STR("options"));
    med_json_open(w, '{');
    for (size_t i = 0; i < m->n_options; i++) {
        med_json_key(w, m->options[i].name);
        med_json_str(w, m->options[i].value);
    }
    med_json_close(w, '}');
    med_json_key(w, MED_STR("words"));
    med_json_open(w, '[');
    for (size_t i = 0; i < m->n_words; i++)
        med_json_str(w, m->words[i]);
    med_json_close(w, ']');
}

void med_message_write(med_buf *out, const med_message *m)
{
    med_message copy = *m;
    unsigned members = kinds[m->kind].members;
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_pair(&w, "kind", med_str_from(kinds[m->kind].name));
    for (int i = 0; i < OPTIONS; i++) {
        const med_str *text = text_of(&copy, (enum member)i);
        const int64_t *number = number_of(&copy, (enum member)i);
        if ((members & BIT(i)) == 0)
            continue;
        med_json_key(&w, med_str_from(member_names[i]));
        if (text != NULL)
            med_json_str(&w, *text);
        else if (number != NULL)
            med_json_int(&w, *number);
    }
    if ((members & BIT(WORDS)) != 0)
        write_lists(&w, m);
    med_json_close(&w, '}');
}
