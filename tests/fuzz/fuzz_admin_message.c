/* fuzz_admin_message.c - packets of the admin socket: what is taken survives writing. */
#include "admin/message.h"
#include "demand.h"

enum { LIMIT = 16 << 20 };

static void check_same(const med_message *a, const med_message *b)
{
    DEMAND(a->kind == b->kind && a->n_words == b->n_words && a->n_options == b->n_options);
    DEMAND(med_str_eq(a->command, b->command) && med_str_eq(a->text, b->text)
           && med_str_eq(a->unit, b->unit) && med_str_eq(a->name, b->name));
    DEMAND(a->size == b->size && a->modified == b->modified && a->part == b->part
           && a->whole == b->whole && a->done == b->done && a->errors == b->errors
           && a->code == b->code);
    for (size_t i = 0; i < a->n_words; i++)
        DEMAND(med_str_eq(a->words[i], b->words[i]));
    for (size_t i = 0; i < a->n_options; i++)
        DEMAND(med_str_eq(a->options[i].name, b->options[i].name)
               && med_str_eq(a->options[i].value, b->options[i].value));
}

static void check_good(med_arena *a, const med_message *m)
{
    med_buf out;
    med_err err = {0};
    med_message again;
    DEMAND(m->kind < MED_MESSAGE_KINDS);
    DEMAND(m->n_words <= MED_MESSAGE_WORDS && m->n_options <= MED_MESSAGE_OPTIONS);
    DEMAND(m->size >= 0 && m->done >= 0 && m->code >= 0);
    med_buf_init(&out, LIMIT);
    med_message_write(&out, m);
    DEMAND(!out.failed);
    if (out.len <= MED_MESSAGE_BYTES) {
        DEMAND(med_message_read(a, med_buf_str(&out), &again, &err));
        check_same(m, &again);
    }
    med_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_arena *a = med_arena_new(LIMIT);
    med_message m;
    med_err err = {0};
    DEMAND(a != NULL);
    if (med_message_read(a, input_str(data, size), &m, &err))
        check_good(a, &m);
    else
        DEMAND(err.issue != MED_ISSUE_NONE && err.text[0] != '\0');
    med_arena_free(a);
    return 0;
}
