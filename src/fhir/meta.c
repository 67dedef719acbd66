/* meta.c - https://hl7.org/fhir/R4/resource.html#Meta */
#include "fhir/meta.h"

enum { META_BYTES = 1 << 20 };

static const med_str sets[] = {MED_LIT("profile"), MED_LIT("security"), MED_LIT("tag")};
enum { SETS = sizeof sets / sizeof *sets, PROFILE = 0 };

/* The stored members, as an object again. */
static bool parse_stored(med_arena *a, med_str stored, med_json *out, med_err *err)
{
    med_str text = med_arena_printf(a, "{%.*s}", MED_STR_ARG(stored));
    return text.len > 0 ? med_json_parse(a, text, out, NULL, err) : MED_FAIL_MEMORY(err);
}

static uint32_t list_of(const med_json *j, uint32_t meta, med_str name)
{
    uint32_t list = j == NULL ? 0 : med_json_member(j, meta, name);
    return list != 0 && med_json_kind_at(j, list) == MED_JSON_ARRAY ? list : 0;
}

static bool same_member(const med_json *a, uint32_t x, const med_json *b, uint32_t y, med_str name)
{
    uint32_t p = med_json_member(a, x, name), q = med_json_member(b, y, name);
    if (p == 0 || q == 0)
        return p == q;
    return med_json_equal(a, p, b, q);
}

/* Codings are the same by system and code; profiles by their text. */
static bool same_entry(const med_json *a, uint32_t x, const med_json *b, uint32_t y)
{
    if (med_json_kind_at(a, x) != MED_JSON_OBJECT || med_json_kind_at(b, y) != MED_JSON_OBJECT)
        return med_json_equal(a, x, b, y);
    return same_member(a, x, b, y, MED_STR("system")) && same_member(a, x, b, y, MED_STR("code"));
}

static bool in_list(const med_json *a, uint32_t entry, const med_json *b, uint32_t list)
{
    for (uint32_t e = list + 1; list != 0 && e < b->nodes[list].next; e = b->nodes[e].next) {
        if (same_entry(a, entry, b, e))
            return true;
    }
    return false;
}

static void add_entries(med_buf *out, const med_json *j, uint32_t list, const med_json *but,
                        uint32_t but_list, size_t start)
{
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (in_list(j, e, but, but_list))
            continue;
        if (out->len > start)
            med_buf_addc(out, ',');
        med_json_write_min(out, j, e);
    }
}

static void separate(med_buf *out)
{
    if (out->len > 0)
        med_buf_addc(out, ',');
}

static bool is_set(med_str name)
{
    for (size_t i = 0; i < SETS; i++) {
        if (med_str_eq(name, sets[i]))
            return true;
    }
    return false;
}

static bool belongs_to_version(med_str name)
{
    med_str plain = name.len > 0 && name.ptr[0] == '_' ? med_str_skip(name, 1) : name;
    return med_str_eqz(plain, "versionId") || med_str_eqz(plain, "lastUpdated");
}

/* Members that are no set (source, extension...), of one meta object. */
static void add_others(med_buf *out, const med_json *j, uint32_t meta)
{
    for (uint32_t k = meta + 1; k < j->nodes[meta].next; k = j->nodes[k + 1].next) {
        med_str name = med_json_raw(j, k);
        if (is_set(name) || belongs_to_version(name))
            continue;
        separate(out);
        med_buf_add(out, med_json_span(j, k));
        med_buf_addc(out, ':');
        med_json_write_min(out, j, k + 1);
    }
}

static void open_list(med_buf *out, med_str name)
{
    separate(out);
    med_buf_addc(out, '"');
    med_buf_add(out, name);
    med_buf_addz(out, "\":[");
}

/* Closes the list opened at `before`, or takes it back when nothing is in it. */
static void close_list(med_buf *out, size_t before, size_t inside)
{
    if (out->len > inside)
        med_buf_addc(out, ']');
    else if (!out->failed)
        out->len = before;
}

static bool keep(med_arena *a, med_buf *buf, med_str *out, med_err *err)
{
    bool kept = !buf->failed && med_arena_copy(a, med_buf_str(buf), out);
    med_buf_free(buf);
    return kept ? true : MED_FAIL_MEMORY(err);
}

bool med_meta_has_labels(med_str stored)
{
    return med_str_search(stored, MED_STR("\"tag\":"), 0) < stored.len
           || med_str_search(stored, MED_STR("\"security\":"), 0) < stored.len;
}

bool med_meta_keep_labels(med_arena *a, const med_json *j, uint32_t sent, med_str stored,
                          med_str *out, med_err *err)
{
    med_json old;
    med_buf buf;
    if (!parse_stored(a, stored, &old, err))
        return false;
    med_buf_init(&buf, META_BYTES);
    if (sent != 0)
        add_others(&buf, j, sent);
    for (size_t i = 0; i < SETS; i++) {
        uint32_t fresh = sent != 0 ? list_of(j, sent, sets[i]) : 0;
        size_t before = buf.len;
        open_list(&buf, sets[i]);
        size_t inside = buf.len;
        add_entries(&buf, j, fresh, j, 0, inside);
        if (i != PROFILE)
            add_entries(&buf, &old, list_of(&old, 0, sets[i]), j, fresh, inside);
        close_list(&buf, before, inside);
    }
    return keep(a, &buf, out, err);
}

bool med_meta_add(med_arena *a, med_str stored, const med_json *j, uint32_t given, med_str *out,
                  med_err *err)
{
    med_json old;
    med_buf buf;
    if (!parse_stored(a, stored, &old, err))
        return false;
    med_buf_init(&buf, META_BYTES);
    add_others(&buf, &old, 0);
    for (size_t i = 0; i < SETS; i++) {
        uint32_t had = list_of(&old, 0, sets[i]);
        size_t before = buf.len;
        open_list(&buf, sets[i]);
        size_t inside = buf.len;
        add_entries(&buf, &old, had, &old, 0, inside);
        add_entries(&buf, j, list_of(j, given, sets[i]), &old, had, inside);
        close_list(&buf, before, inside);
    }
    return keep(a, &buf, out, err);
}

bool med_meta_remove(med_arena *a, med_str stored, const med_json *j, uint32_t given, med_str *out,
                     med_err *err)
{
    med_json old;
    med_buf buf;
    if (!parse_stored(a, stored, &old, err))
        return false;
    med_buf_init(&buf, META_BYTES);
    add_others(&buf, &old, 0);
    for (size_t i = 0; i < SETS; i++) {
        size_t before = buf.len;
        open_list(&buf, sets[i]);
        size_t inside = buf.len;
        add_entries(&buf, &old, list_of(&old, 0, sets[i]), j, list_of(j, given, sets[i]), inside);
        close_list(&buf, before, inside);
    }
    return keep(a, &buf, out, err);
}
