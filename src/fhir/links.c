/* links.c - https://hl7.org/fhir/R4/http.html#trules */
#include "fhir/links.h"

#include "base/json_edit.h"
#include "base/mem.h"

typedef struct link_slot {
    med_str from, to;
} link_slot;

/* Open addressing, at most half full; the names come from one Bundle, whose size is bounded. */
struct med_links {
    link_slot *slots;
    size_t mask;
};

static size_t hash_of(med_str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
}

med_links *med_links_new(med_arena *a, size_t n)
{
    size_t room = 16;
    while (room < 2 * n + 2)
        room *= 2;
    med_links *l = MED_TAKE(a, 1, med_links);
    if (l == NULL || (l->slots = MED_TAKE(a, room, link_slot)) == NULL)
        return NULL;
    l->mask = room - 1;
    return l;
}

static link_slot *slot_of(const med_links *l, med_str name)
{
    size_t i = hash_of(name) & l->mask;
    while (l->slots[i].from.ptr != NULL && !med_str_eq(l->slots[i].from, name))
        i = (i + 1) & l->mask;
    return &l->slots[i];
}

bool med_links_add(med_links *l, med_str full_url, med_str target)
{
    link_slot *slot = slot_of(l, full_url);
    if (slot->from.ptr != NULL)
        return false;
    *slot = (link_slot){full_url, target};
    return true;
}

const med_str *med_links_find(const med_links *l, med_str full_url)
{
    const link_slot *slot = slot_of(l, full_url);
    return slot->from.ptr != NULL ? &slot->to : NULL;
}

/* ---- rewriting ---- */

typedef struct level {
    uint32_t at, end;
    med_type type;
    bool object;
} level;

typedef struct rewriter {
    med_arena *arena;
    const med_pack *pack;
    const med_links *links;
    const med_json *j;
    med_str base; /* of the entry's own fullUrl, with its last '/' */
    med_link_resolve resolve;
    void *arg;
    med_type reference;
    med_json_edit *edits;
    size_t n, room;
} rewriter;

static bool add_edit(rewriter *w, uint32_t node, med_str raw)
{
    med_json_edit *more = MED_GROW(w->arena, w->edits, w->n, &w->room, 16);
    if (more == NULL)
        return false;
    w->edits = more;
    w->edits[w->n++] =
        (med_json_edit){.node = node, .kind = MED_JSON_REPLACE, .key = MED_STR_EMPTY, .text = raw};
    return true;
}

/* The new text behind a name: found as it stands, or relative to the entry's own base. A
 * fragment or version behind the name is kept. */
static const med_str *find(const rewriter *w, med_str name)
{
    const med_str *to = med_links_find(w->links, name);
    if (to != NULL || w->base.len == 0 || med_str_find(name, ':', 0) < name.len)
        return to;
    med_str whole = med_arena_printf(w->arena, "%.*s%.*s", MED_STR_ARG(w->base), MED_STR_ARG(name));
    return med_links_find(w->links, whole);
}

static bool replace(rewriter *w, uint32_t node, med_str target, med_str behind)
{
    med_str raw =
        med_arena_printf(w->arena, "\"%.*s%.*s\"", MED_STR_ARG(target), MED_STR_ARG(behind));
    return raw.len > 0 && add_edit(w, node, raw);
}

static bool rewrite_uri(rewriter *w, uint32_t node)
{
    med_str text = med_json_raw(w->j, node);
    size_t cut = med_str_find(text, '#', 0);
    const med_str *to = cut == 0 ? NULL : find(w, med_str_sub(text, 0, cut));
    return to == NULL || replace(w, node, *to, med_str_skip(text, cut));
}

static bool rewrite_reference(rewriter *w, uint32_t node, med_err *err)
{
    med_str target, text = med_json_raw(w->j, node);
    size_t mark = med_str_find(text, '?', 0);
    bool conditional = mark < text.len && med_str_find(text, ':', 0) > mark;
    if (!conditional || w->resolve == NULL)
        return rewrite_uri(w, node) ? true : MED_FAIL_MEMORY(err);
    if (!med_json_string(w->arena, w->j, node, &text))
        return MED_FAIL_MEMORY(err);
    if (!w->resolve(w->arg, text, &target, err))
        return false;
    return replace(w, node, target, MED_STR_EMPTY) ? true : MED_FAIL_MEMORY(err);
}

/* href and src of the narrative; the text is still escaped, so quotes are \" or '. */
static bool rewrite_xhtml(rewriter *w, uint32_t node)
{
    med_str text = med_json_raw(w->j, node);
    med_buf out;
    size_t from = 0, changes = 0;
    med_buf_init(&out, text.len * 2 + 1024);
    med_buf_addc(&out, '"');
    for (size_t i = 0; i + 2 < text.len; i++) {
        bool escaped = text.ptr[i] == '=' && text.ptr[i + 1] == '\\' && text.ptr[i + 2] == '"';
        bool single = text.ptr[i] == '=' && text.ptr[i + 1] == '\'';
        size_t start = i + (escaped ? 3 : 2);
        if (!escaped && !single)
            continue;
        size_t end = med_str_find(text, escaped ? '\\' : '\'', start);
        const med_str *to = find(w, med_str_sub(text, start, end));
        if (to != NULL) {
            med_buf_add(&out, med_str_sub(text, from, start));
            med_buf_add(&out, *to);
            from = end;
            changes++;
        }
    }
    med_buf_add(&out, med_str_skip(text, from));
    med_buf_addc(&out, '"');
    med_str raw;
    bool ok = changes == 0
              || (!out.failed && med_arena_copy(w->arena, med_buf_str(&out), &raw)
                  && add_edit(w, node, raw));
    med_buf_free(&out);
    return ok;
}

static bool rewrite_string(rewriter *w, med_type owner, const med_property *p, uint32_t node,
                           med_err *err)
{
    enum med_primitive primitive = med_type_primitive(w->pack, p->type);
    if (owner == w->reference && med_str_eqz(p->name, "reference"))
        return rewrite_reference(w, node, err);
    bool ok = true;
    if (primitive == MED_PRIMITIVE_XHTML)
        ok = rewrite_xhtml(w, node);
    else if (primitive == MED_PRIMITIVE_URI || primitive == MED_PRIMITIVE_URL
             || primitive == MED_PRIMITIVE_CANONICAL || primitive == MED_PRIMITIVE_OID
             || primitive == MED_PRIMITIVE_UUID)
        ok = rewrite_uri(w, node);
    return ok ? true : MED_FAIL_MEMORY(err);
}

static med_type own_type(const rewriter *w, med_type declared, uint32_t node)
{
    if (declared == MED_TYPE_NONE || !med_type_is_abstract(w->pack, declared))
        return declared;
    uint32_t name = med_json_member(w->j, node, MED_STR("resourceType"));
    return name == 0 ? MED_TYPE_NONE : med_pack_type(w->pack, med_json_raw(w->j, name));
}

/* Visits every string below `root` with the type of the property it belongs to. The depth is
 * that of the tape, at most MED_JSON_DEPTH. */
static bool visit(rewriter *w, uint32_t root, med_type type, med_err *err)
{
    level stack[MED_JSON_DEPTH + 1];
    med_property in_array[MED_JSON_DEPTH + 1];
    int depth = 0;
    const med_json_node *nodes = w->j->nodes;
    stack[0] = (level){root + 1, nodes[root].next, type, true};
    while (depth >= 0) {
        level *l = &stack[depth];
        if (l->at >= l->end) {
            depth--;
            continue;
        }
        uint32_t value = l->object ? l->at + 1 : l->at;
        med_property p = in_array[depth];
        bool known = !l->object
                     || (l->type != MED_TYPE_NONE
                         && med_type_property(w->pack, l->type, med_json_raw(w->j, l->at), &p));
        l->at = nodes[value].next;
        if (!known)
            continue;
        enum med_json_kind kind = med_json_kind_at(w->j, value);
        if (kind == MED_JSON_STRING && !rewrite_string(w, l->type, &p, value, err))
            return false;
        if (kind != MED_JSON_OBJECT && kind != MED_JSON_ARRAY)
            continue;
        bool object = kind == MED_JSON_OBJECT;
        med_type below = object ? own_type(w, p.type, value) : l->type;
        in_array[depth + 1] = p;
        stack[++depth] = (level){value + 1, nodes[value].next, below, object};
    }
    return true;
}

/* "http://x/fhir/" of "http://x/fhir/Patient/1"; empty of a urn. */
static med_str base_of(med_str full_url)
{
    size_t slashes = 0;
    if (!med_str_starts(full_url, MED_STR("http")))
        return MED_STR_EMPTY;
    for (size_t i = full_url.len; i > 0; i--) {
        if (full_url.ptr[i - 1] == '/' && ++slashes == 2)
            return med_str_sub(full_url, 0, i);
    }
    return MED_STR_EMPTY;
}

bool med_links_rewrite(med_arena *a, const med_pack *p, const med_links *l, const med_json *j,
                       uint32_t root, med_str full_url, med_link_resolve resolve, void *arg,
                       med_str *out, bool *changed, med_err *err)
{
    rewriter w = {
        a,    p, l, j, base_of(full_url), resolve, arg, med_pack_type(p, MED_STR("Reference")),
        NULL, 0, 0};
    uint32_t name = med_json_member(j, root, MED_STR("resourceType"));
    med_type type = name == 0 ? MED_TYPE_NONE : med_pack_type(p, med_json_raw(j, name));
    *changed = false;
    if (!visit(&w, root, type, err))
        return false;
    if (w.n == 0)
        return true;
    med_buf buf;
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    bool ok = med_json_edit_apply(a, j, root, w.edits, w.n, &buf, err);
    if (ok && (buf.failed || !med_arena_copy(a, med_buf_str(&buf), out)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    *changed = ok;
    return ok;
}
