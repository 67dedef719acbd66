/* task_note.c - a task as it stands in a note (edition.h): JSON, so that an older program can
 * leave alone what it does not know. */
#include "edition.h"

const char *const med_task_state_names[5] = {"waiting", "running", "done", "failed", "cancelled"};

static bool text_of(med_arena *a, const med_json *j, const char *name, med_str *out)
{
    uint32_t node = med_json_member(j, 0, med_str_from(name));
    *out = MED_STR_EMPTY;
    return node == 0 || med_json_string(a, j, node, out);
}

static int64_t number_of(const med_json *j, const char *name)
{
    int64_t n = 0;
    uint32_t node = med_json_member(j, 0, med_str_from(name));
    return node != 0 && med_str_to_int64(med_json_raw(j, node), &n) ? n : 0;
}

static enum med_task_state state_of(med_str name)
{
    for (int i = 0; i < 5; i++) {
        if (med_str_eqz(name, med_task_state_names[i]))
            return (enum med_task_state)i;
    }
    return MED_TASK_FAILED;
}

bool med_task_note_read(med_arena *a, const med_note *note, med_task_note *out, med_err *err)
{
    med_json j;
    med_str state;
    if (!med_json_parse(a, note->text, &j, NULL, err))
        return false;
    *out = (med_task_note){
        .name = note->name,
        .revision = note->revision,
        .serial = (uint64_t)number_of(&j, "serial"),
        .lease_until = number_of(&j, "leaseUntil"),
        .created = number_of(&j, "created"),
        .changed = number_of(&j, "changed"),
        .type = number_of(&j, "type"),
        .after = number_of(&j, "after"),
        .after_rid = number_of(&j, "afterRid"),
        .until = number_of(&j, "until"),
        .done = number_of(&j, "done"),
        .total = number_of(&j, "total"),
        .valued = number_of(&j, "valued"),
    };
    bool ok = text_of(a, &j, "kind", &out->kind) && text_of(a, &j, "id", &out->id)
              && text_of(a, &j, "code", &out->code) && text_of(a, &j, "state", &state)
              && text_of(a, &j, "owner", &out->owner) && text_of(a, &j, "types", &out->types)
              && text_of(a, &j, "text", &out->text);
    if (ok)
        out->state = state_of(state);
    return ok || MED_FAIL_MEMORY(err);
}

static void write_number(med_json_writer *w, const char *name, int64_t n)
{
    if (n == 0)
        return;
    med_json_key(w, med_str_from(name));
    med_json_int(w, n);
}

static void write_task(med_buf *out, const med_task_note *t)
{
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_pair(&w, "kind", t->kind);
    med_json_pair(&w, "id", t->id);
    med_json_pair(&w, "code", t->code);
    med_json_pair(&w, "state", med_str_from(med_task_state_names[t->state]));
    med_json_pair(&w, "owner", t->owner);
    med_json_pair(&w, "types", t->types);
    med_json_pair(&w, "text", t->text);
    write_number(&w, "serial", (int64_t)t->serial);
    write_number(&w, "leaseUntil", t->lease_until);
    write_number(&w, "created", t->created);
    write_number(&w, "changed", t->changed);
    write_number(&w, "type", t->type);
    write_number(&w, "after", t->after);
    write_number(&w, "afterRid", t->after_rid);
    write_number(&w, "until", t->until);
    write_number(&w, "done", t->done);
    write_number(&w, "total", t->total);
    write_number(&w, "valued", t->valued);
    med_json_close(&w, '}');
}

bool med_task_note_write(med_store *s, med_task_note *t, med_err *err)
{
    med_buf out;
    med_buf_init(&out, MED_NOTE_BYTES);
    write_task(&out, t);
    const med_note_change change = {t->name, t->revision, med_buf_str(&out)};
    bool ok = out.failed ? MED_FAIL_MEMORY(err) : med_store_note(s, &change, err);
    med_buf_free(&out);
    t->revision += ok;
    return ok;
}

bool med_task_note_drop(med_store *s, const med_task_note *t, med_err *err)
{
    const med_note_change change = {t->name, t->revision, MED_STR_EMPTY};
    return med_store_note(s, &change, err);
}
