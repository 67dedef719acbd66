/* invariant_compiler.c - see invariant_compiler.h. */
#include "model/compile/invariant_compiler.h"

#include "model/fhirpath.h"

enum { LISTED_MAX = 64 };
#define PROGRAM_MEMORY ((size_t)16 << 20)

struct listed {
    med_str key, path; /* of an invariant; of a context: the url, and "" */
    bool used;
};

struct compiler {
    med_pack_writer *w;
    const med_pack *pack;
    struct listed listed[LISTED_MAX];
    size_t n_listed;
    med_arena *programs; /* emptied after each */
    med_invariant_report *report;
    med_err *err;
};

static med_str next_word(med_str *line)
{
    *line = med_str_trim(*line);
    return med_str_cut(*line, ' ', line);
}

static bool read_list(struct compiler *c, med_str list)
{
    while (list.len > 0) {
        med_str line = med_str_trim(med_str_cut(list, '\n', &list));
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        med_str kind = med_str_cut(line, ' ', &line);
        struct listed row = {.key = next_word(&line), .path = MED_STR_EMPTY};
        bool is_context = med_str_eqz(kind, "context");
        if (!is_context)
            row.path = next_word(&line);
        if (med_str_trim(line).len == 0 || c->n_listed == LISTED_MAX
            || (!is_context && !med_str_eqz(kind, "invariant")))
            return MED_FAIL(c->err, MED_ISSUE_INVALID, "%.*s is listed without a reason",
                            MED_STR_ARG(row.key));
        c->listed[c->n_listed++] = row;
    }
    return true;
}

static bool is_listed(struct compiler *c, med_str key, med_str path)
{
    bool found = false;
    for (size_t i = 0; i < c->n_listed; i++) {
        if (!med_str_eq(c->listed[i].key, key) || !med_str_eq(c->listed[i].path, path))
            continue;
        c->listed[i].used = true;
        found = true;
    }
    return found;
}

static void check_one(struct compiler *c, uint32_t row)
{
    const struct pack_invariant *r = pack_invariant_at(c->pack, row);
    med_str key = pack_string(c->pack, r->key);
    med_str path = pack_string(c->pack, r->path);
    const med_fhirpath *program = NULL;
    med_err why = {0};
    med_type context = med_pack_type(c->pack, path);
    c->report->n++;
    if (is_listed(c, key, path)) {
        struct pack_invariant *own = med_pack_writer_row(c->w, PACK_INVARIANTS, row);
        own->expression = (struct pack_str){0, 0};
        c->report->n_listed++;
        return;
    }
    med_arena_reset(c->programs);
    if (med_fhirpath_compile(c->programs, c->pack, pack_string(c->pack, r->expression), context,
                             &program, &why))
        return;
    c->report->n_faults++;
    med_buf_printf(&c->report->text, "invariant %.*s of %.*s: %s\n", MED_STR_ARG(key),
                   MED_STR_ARG(path), why.text);
}

/* An extension without contexts may stand anywhere. */
static void check_contexts(struct compiler *c)
{
    for (uint32_t i = 0; i < med_pack_writer_count(c->w, PACK_EXTENSIONS); i++) {
        struct pack_extension *row = med_pack_writer_row(c->w, PACK_EXTENSIONS, i);
        if (is_listed(c, med_pack_writer_text(c->w, row->url), MED_STR_EMPTY))
            row->contexts.n = 0;
    }
}

static void check_all(struct compiler *c)
{
    for (uint32_t i = 0; i < c->pack->sections[PACK_INVARIANTS].n; i++)
        check_one(c, i);
    check_contexts(c);
    for (size_t i = 0; i < c->n_listed; i++) {
        if (c->listed[i].used)
            continue;
        c->report->n_faults++;
        med_buf_printf(&c->report->text, "%.*s %.*s is listed but not met\n",
                       MED_STR_ARG(c->listed[i].key), MED_STR_ARG(c->listed[i].path));
    }
}

bool med_invariants_compile(med_pack_writer *w, const med_pack *pack, med_str list,
                            med_invariant_report *report, med_err *err)
{
    struct compiler c = {.w = w, .pack = pack, .report = report, .err = err};
    c.programs = med_arena_new(PROGRAM_MEMORY);
    if (c.programs == NULL)
        return MED_FAIL_MEMORY(err);
    bool ok = read_list(&c, list);
    if (ok)
        check_all(&c);
    med_arena_free(c.programs);
    return ok;
}
