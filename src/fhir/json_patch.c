/* json_patch.c - https://www.rfc-editor.org/rfc/rfc6902 */
#include "fhir/json_patch.h"

#include "base/json_edit.h"
#include "base/json_pointer.h"

typedef struct patching {
    med_arena *arena;
    const med_json *patch;
    med_json doc;
} patching;

static bool member_text(const patching *p, uint32_t op, const char *name, med_str *out,
                        med_err *err)
{
    uint32_t node = med_json_member(p->patch, op, med_str_from(name));
    if (node == 0 || med_json_kind_at(p->patch, node) != MED_JSON_STRING)
        return MED_FAIL(err, MED_ISSUE_INVALID, "an operation needs \"%s\", a string", name);
    return med_json_string(p->arena, p->patch, node, out) ? true : MED_FAIL_MEMORY(err);
}

static bool member_value(const patching *p, uint32_t op, med_str *out, med_err *err)
{
    uint32_t node = med_json_member(p->patch, op, MED_STR("value"));
    if (node == 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "an operation needs \"value\"");
    *out = med_json_span(p->patch, node);
    return true;
}

/* Makes the edited text the document. */
static bool become(patching *p, med_str text, med_err *err)
{
    return med_json_parse(p->arena, text, &p->doc, NULL, err);
}

static bool edit(patching *p, const med_json_edit *e, med_err *err)
{
    med_buf buf;
    med_str text = MED_STR_EMPTY;
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    bool ok = med_json_edit_apply(p->arena, &p->doc, 0, e, 1, &buf, err);
    if (ok && (buf.failed || !med_arena_copy(p->arena, med_buf_str(&buf), &text)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    return ok && become(p, text, err);
}

static bool follow(patching *p, med_str pointer, bool must_exist, med_json_place *out, med_err *err)
{
    if (!med_json_pointer_follow(p->arena, &p->doc, 0, pointer, out, err))
        return false;
    if (must_exist && !out->exists)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the path leads to nothing");
    return true;
}

static bool add_at(patching *p, med_str pointer, med_str value, med_err *err)
{
    med_json_place at;
    if (!follow(p, pointer, false, &at, err))
        return false;
    if (at.is_root)
        return become(p, value, err);
    med_json_edit e = {.key = MED_STR_EMPTY, .text = value};
    if (at.in_object && at.exists)
        e = (med_json_edit){at.value, MED_JSON_REPLACE, MED_STR_EMPTY, value};
    else if (at.in_object)
        e = (med_json_edit){at.parent, MED_JSON_INSERT_LAST, at.key, value};
    else if (at.exists)
        e = (med_json_edit){at.value, MED_JSON_INSERT_BEFORE, MED_STR_EMPTY, value};
    else
        e = (med_json_edit){at.parent, MED_JSON_INSERT_LAST, MED_STR_EMPTY, value};
    return edit(p, &e, err);
}

static bool remove_at(patching *p, med_str pointer, med_err *err)
{
    med_json_place at;
    if (!follow(p, pointer, true, &at, err))
        return false;
    if (at.is_root)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the whole document can not be removed");
    med_json_edit e = {at.value, MED_JSON_REMOVE, MED_STR_EMPTY, MED_STR_EMPTY};
    return edit(p, &e, err);
}

static bool replace_at(patching *p, med_str pointer, med_str value, med_err *err)
{
    med_json_place at;
    if (!follow(p, pointer, true, &at, err))
        return false;
    if (at.is_root)
        return become(p, value, err);
    med_json_edit e = {at.value, MED_JSON_REPLACE, MED_STR_EMPTY, value};
    return edit(p, &e, err);
}

/* The value at `from`, copied, so that it survives the document's change. */
static bool take_from(patching *p, uint32_t op, med_str *from, med_str *value, med_err *err)
{
    med_json_place at;
    return member_text(p, op, "from", from, err) && follow(p, *from, true, &at, err)
           && (med_arena_copy(p->arena, med_json_span(&p->doc, at.value), value)
                   ? true
                   : MED_FAIL_MEMORY(err));
}

static bool do_add(patching *p, uint32_t op, med_str path, med_err *err)
{
    med_str value;
    return member_value(p, op, &value, err) && add_at(p, path, value, err);
}

static bool do_remove(patching *p, uint32_t op, med_str path, med_err *err)
{
    (void)op;
    return remove_at(p, path, err);
}

static bool do_replace(patching *p, uint32_t op, med_str path, med_err *err)
{
    med_str value;
    return member_value(p, op, &value, err) && replace_at(p, path, value, err);
}

static bool do_copy(patching *p, uint32_t op, med_str path, med_err *err)
{
    med_str from, value;
    return take_from(p, op, &from, &value, err) && add_at(p, path, value, err);
}

static bool do_move(patching *p, uint32_t op, med_str path, med_err *err)
{
    med_str from, value;
    if (!take_from(p, op, &from, &value, err))
        return false;
    if (med_str_eq(from, path))
        return true;
    if (med_str_starts(path, from) && path.len > from.len && path.ptr[from.len] == '/')
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "a value can not be moved into itself");
    return remove_at(p, from, err) && add_at(p, path, value, err);
}

static bool do_test(patching *p, uint32_t op, med_str path, med_err *err)
{
    med_json_place at;
    uint32_t value = med_json_member(p->patch, op, MED_STR("value"));
    if (value == 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "a test needs \"value\"");
    if (!follow(p, path, true, &at, err))
        return false;
    return med_json_equal(&p->doc, at.value, p->patch, value)
               ? true
               : MED_FAIL(err, MED_ISSUE_PROCESSING, "the test failed: the value is another");
}

static bool apply_one(patching *p, uint32_t op, med_err *err)
{
    static const struct {
        const char *name;
        bool (*run)(patching *p, uint32_t op, med_str path, med_err *err);
    } known[] = {{"add", do_add},   {"remove", do_remove}, {"replace", do_replace},
                 {"move", do_move}, {"copy", do_copy},     {"test", do_test}};
    med_str name, path;
    if (med_json_kind_at(p->patch, op) != MED_JSON_OBJECT)
        return MED_FAIL(err, MED_ISSUE_INVALID, "an operation is an object");
    if (!member_text(p, op, "op", &name, err) || !member_text(p, op, "path", &path, err))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (med_str_eqz(name, known[i].name))
            return known[i].run(p, op, path, err);
    }
    return MED_FAIL(err, MED_ISSUE_INVALID, "op must be add, remove, replace, move, copy or test");
}

bool med_json_patch_apply(med_arena *a, const med_json *patch, uint32_t root, med_str text,
                          med_str *out, med_err *err)
{
    patching p = {.arena = a, .patch = patch};
    size_t n = 0;
    if (med_json_kind_at(patch, root) != MED_JSON_ARRAY)
        return MED_FAIL(err, MED_ISSUE_INVALID, "a JSON Patch is an array of operations");
    if (patch->nodes[root].count > MED_PATCH_OPERATIONS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d operations", MED_PATCH_OPERATIONS);
    if (!become(&p, text, err))
        return false;
    for (uint32_t op = root + 1; op < patch->nodes[root].next; op = patch->nodes[op].next, n++) {
        med_err why = {0};
        if (apply_one(&p, op, &why))
            continue;
        *err = why;
        return MED_FAIL(err, why.issue, "operation %zu: %.200s", n, why.text);
    }
    *out = p.doc.text;
    return true;
}
