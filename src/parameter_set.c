/* parameter_set.c - see parameter_set.h. */
#include "parameter_set.h"

#include "fhir/search_parameter.h"

/* ---- the note ---- */

static bool read_entry(med_arena *a, const med_json *j, uint32_t node, med_added_param *out,
                       med_err *err)
{
    int64_t serial = 0;
    uint32_t id = med_json_member(j, node, MED_STR("id"));
    uint32_t number = med_json_member(j, node, MED_STR("serial"));
    uint32_t removed = med_json_member(j, node, MED_STR("removed"));
    uint32_t definition = med_json_member(j, node, MED_STR("definition"));
    if (id == 0 || number == 0 || definition == 0
        || !med_str_to_int64(med_json_raw(j, number), &serial))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the note of search parameters is damaged");
    out->serial = (uint64_t)serial;
    out->removed = removed != 0 && med_json_kind_at(j, removed) == MED_JSON_TRUE;
    return (med_arena_copy(a, med_json_raw(j, id), &out->id)
            && med_arena_copy(a, med_json_span(j, definition), &out->definition))
           || MED_FAIL_MEMORY(err);
}

static bool read_entries(med_arena *a, med_str text, med_parameter_set *out, med_err *err)
{
    med_json j;
    if (!med_json_parse(a, text, &j, NULL, err))
        return false;
    uint32_t list = med_json_member(&j, 0, MED_STR("parameters"));
    if (list == 0)
        return true;
    out->at = MED_TAKE(a, j.nodes[list].count, med_added_param);
    if (out->at == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t i = list + 1; i < j.nodes[list].next; i = j.nodes[i].next) {
        if (!read_entry(a, &j, i, &out->at[out->n++], err))
            return false;
    }
    return true;
}

bool med_parameter_set_read(med_arena *a, const med_note *notes, size_t n, med_parameter_set *out,
                            med_err *err)
{
    *out = (med_parameter_set){0};
    for (size_t i = 0; i < n; i++) {
        if (!med_str_eqz(notes[i].name, MED_NOTE_EPOCH))
            continue;
        out->revision = notes[i].revision;
        return read_entries(a, notes[i].text, out, err);
    }
    return true;
}

/* ---- what the store says ---- */

typedef struct wanted {
    med_rid rid;
    med_str id, definition;
    med_pack_param_extra extra;
} wanted;

/* What extraction needs of a SearchParameter, and nothing more: other changes make no rows anew. */
static bool define(med_arena *a, const med_json *j, med_str *out)
{
    static const char *const members[] = {"url", "code", "type", "expression", "base", "target"};
    med_buf buf;
    med_buf_init(&buf, MED_NOTE_BYTES);
    med_json_writer w = med_json_writer_to(&buf);
    med_json_open(&w, '{');
    med_json_pair(&w, "status", MED_STR("active"));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        uint32_t node = med_json_member(j, 0, med_str_from(members[i]));
        if (node == 0)
            continue;
        med_json_key(&w, med_str_from(members[i]));
        med_json_value(&w, j, node);
    }
    med_json_close(&w, '}');
    bool ok = !buf.failed && med_arena_copy(a, med_buf_str(&buf), out);
    med_buf_free(&buf);
    return ok;
}

static bool read_wanted(const med_fhir *f, med_view *v, med_arena *a, med_rid rid, wanted *out,
                        bool *active, med_err *err)
{
    med_json j;
    med_stored s;
    med_err ignored = {0};
    *active = false;
    enum med_found found = med_view_by_rid(v, a, rid, &s, err);
    if (found != MED_FOUND || s.change == MED_DELETED)
        return found != MED_FAILED;
    if (!med_json_parse(a, s.text, &j, NULL, err))
        return false;
    *out = (wanted){.rid = rid, .id = s.id};
    if (!med_search_parameter_read(a, f->pack, &j, 0, active, &out->extra, &ignored))
        *active = false; /* stored by a program that knew less */
    return !*active || define(a, &j, &out->definition) || MED_FAIL_MEMORY(err);
}

static int by_rid(const void *a, const void *b)
{
    const wanted *x = a, *y = b;
    return (x->rid > y->rid) - (x->rid < y->rid);
}

/* Of two that came by different doors with the same code, the first counts. */
static size_t drop_clashes(wanted *at, size_t n)
{
    size_t kept = 0;
    if (n > 1)
        qsort(at, n, sizeof *at, by_rid);
    for (size_t i = 0; i < n; i++) {
        bool clash = false;
        med_type on;
        for (size_t k = 0; k < kept && !clash; k++)
            clash = med_search_parameter_clash(&at[k].extra, &at[i].extra, &on);
        if (!clash)
            at[kept++] = at[i];
    }
    return kept;
}

static bool find_wanted(const med_fhir *f, med_view *v, med_arena *a, wanted **out, size_t *n,
                        med_err *err)
{
    const med_scan all = {
        .index = MED_INDEX_UPDATED,
        .param = med_schema_type(f->schema, med_pack_type(f->pack, MED_STR("SearchParameter"))),
        .low_int = INT64_MIN,
        .high_int = INT64_MAX};
    med_hit hit;
    enum med_found found = MED_ABSENT;
    *n = 0;
    *out = MED_TAKE(a, MED_ADDED_PARAMETERS, wanted);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    med_cursor *c = med_view_scan(v, &all, err);
    bool ok = c != NULL;
    while (ok && *n < MED_ADDED_PARAMETERS
           && (found = med_cursor_next(c, &hit, err)) == MED_FOUND) {
        bool active;
        ok = read_wanted(f, v, a, hit.rid, &(*out)[*n], &active, err);
        *n += ok && active;
    }
    med_cursor_close(c);
    *n = drop_clashes(*out, *n);
    return ok && found != MED_FAILED;
}

/* ---- comparing ---- */

static const med_added_param *find_entry(const med_parameter_set *set, med_str id, size_t *at)
{
    for (*at = 0; *at < set->n; ++*at) {
        if (med_str_eq(set->at[*at].id, id))
            return &set->at[*at];
    }
    return NULL;
}

static bool is_wanted(const wanted *list, size_t n, med_str id)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq(list[i].id, id))
            return true;
    }
    return false;
}

static void write_entry(med_json_writer *w, const med_added_param *p)
{
    med_json_open(w, '{');
    med_json_pair(w, "id", p->id);
    med_json_key(w, MED_STR("serial"));
    med_json_int(w, (int64_t)p->serial);
    med_json_key(w, MED_STR("removed"));
    med_json_bool(w, p->removed);
    med_json_key(w, MED_STR("definition"));
    med_json_raw_value(w, p->definition);
    med_json_close(w, '}');
}

/* The set as it should be; *changed when that is not what it is. */
static void write_set(med_buf *out, const med_parameter_set *set, const bool *over,
                      const wanted *list, size_t n, bool *changed)
{
    size_t at;
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_key(&w, MED_STR("parameters"));
    med_json_open(&w, '[');
    for (size_t i = 0; i < n; i++) {
        const med_added_param *is = find_entry(set, list[i].id, &at);
        bool same = is != NULL && !is->removed && med_str_eq(is->definition, list[i].definition);
        med_added_param fresh = {list[i].id, set->revision + 1, false, list[i].definition};
        *changed = *changed || !same;
        write_entry(&w, same ? is : &fresh);
    }
    for (size_t i = 0; i < set->n; i++) {
        med_added_param gone = set->at[i];
        if (is_wanted(list, n, gone.id))
            continue;
        *changed = *changed || !gone.removed || over[i];
        if (!gone.removed)
            gone.serial = set->revision + 1;
        if (!gone.removed || !over[i]) {
            gone.removed = true;
            write_entry(&w, &gone);
        }
    }
    med_json_close(&w, ']');
    med_json_close(&w, '}');
}

bool med_parameter_set_sync(const med_fhir *f, med_view *v, med_arena *a,
                            const med_parameter_set *set, const bool *over, bool *changed,
                            med_err *err)
{
    size_t n;
    wanted *list;
    med_buf out;
    *changed = false;
    if (!find_wanted(f, v, a, &list, &n, err))
        return false;
    med_buf_init(&out, MED_NOTE_BYTES);
    write_set(&out, set, over, list, n, changed);
    const med_note_change change = {MED_STR(MED_NOTE_EPOCH), set->revision, med_buf_str(&out)};
    bool ok = !out.failed
              || MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                          "the search parameters are too large for the note of them");
    if (ok && *changed && !med_store_note(f->store, &change, err))
        ok = err->issue == MED_ISSUE_CONFLICT;
    med_buf_free(&out);
    return ok;
}
