/* resource_text.c - https://hl7.org/fhir/R4/resource.html#Meta */
#include "fhir/resource_text.h"

/* Sized so that the largest body a server may be told to take still fits, with its envelope. */
#define TEXT_LIMIT MED_JSON_MAX_BYTES

static const med_str meta_open = MED_LIT(",\"meta\":{");

static bool is_version_member(med_str key)
{
    med_str plain = key.len > 0 && key.ptr[0] == '_' ? med_str_skip(key, 1) : key;
    return med_str_eqz(plain, "versionId") || med_str_eqz(plain, "lastUpdated");
}

static bool is_front_member(med_str key)
{
    return med_str_eqz(key, "resourceType") || med_str_eqz(key, "id") || med_str_eqz(key, "meta");
}

static void add_member(med_buf *out, const med_json *j, uint32_t key)
{
    med_buf_add(out, med_json_span(j, key));
    med_buf_addc(out, ':');
    med_json_write_min(out, j, key + 1);
}

/* The members of the meta object at node `meta` that are content, comma separated. */
static void add_meta_members(med_buf *out, const med_json *j, uint32_t meta)
{
    size_t start = out->len;
    for (uint32_t k = meta + 1; k < j->nodes[meta].next; k = j->nodes[k + 1].next) {
        if (is_version_member(med_json_raw(j, k)))
            continue;
        if (out->len > start)
            med_buf_addc(out, ',');
        add_member(out, j, k);
    }
}

static void add_meta(med_buf *out, const med_json *j, uint32_t root, const med_str *meta)
{
    size_t before = out->len;
    med_buf_add(out, meta_open);
    size_t start = out->len;
    uint32_t node = med_json_member(j, root, MED_STR("meta"));
    if (meta != NULL)
        med_buf_add(out, *meta);
    else if (node != 0 && med_json_kind_at(j, node) == MED_JSON_OBJECT)
        add_meta_members(out, j, node);
    if (out->len > start)
        med_buf_addc(out, '}');
    else if (!out->failed)
        out->len = before;
}

static void add_front(med_buf *out, med_str type, med_str id)
{
    med_buf_addz(out, "{\"resourceType\":\"");
    med_buf_add(out, type);
    med_buf_addz(out, "\",\"id\":\"");
    med_buf_add(out, id);
    med_buf_addc(out, '"');
}

bool med_resource_store_text(med_arena *a, const med_json *j, uint32_t root, med_str id,
                             const med_str *meta, med_str *out, med_err *err)
{
    med_buf buf;
    med_buf_init(&buf, TEXT_LIMIT);
    uint32_t type = med_json_member(j, root, MED_STR("resourceType"));
    add_front(&buf, med_json_raw(j, type), id);
    add_meta(&buf, j, root, meta);
    for (uint32_t k = root + 1; k < j->nodes[root].next; k = j->nodes[k + 1].next) {
        if (is_front_member(med_json_raw(j, k)))
            continue;
        med_buf_addc(&buf, ',');
        add_member(&buf, j, k);
    }
    med_buf_addc(&buf, '}');
    bool kept = !buf.failed && med_arena_copy(a, med_buf_str(&buf), out);
    med_buf_free(&buf);
    return kept ? true : MED_FAIL_MEMORY(err);
}

/* Length of {"resourceType":"T","id":"I". */
static size_t front_length(med_str type, med_str id)
{
    return sizeof("{\"resourceType\":\"\",\"id\":\"\"") - 1 + type.len + id.len;
}

/* Index of the brace that closes the object whose inside starts at `from`. */
static size_t object_end(med_str text, size_t from)
{
    size_t depth = 1;
    bool in_string = false;
    for (size_t i = from; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && c == '{')
            depth++;
        else if (!in_string && c == '}' && --depth == 0)
            return i;
    }
    return text.len;
}

med_str med_resource_stored_meta(med_str type, med_str id, med_str text)
{
    med_str rest = med_str_skip(text, front_length(type, id));
    if (!med_str_starts(rest, meta_open))
        return MED_STR_EMPTY;
    return med_str_sub(rest, meta_open.len, object_end(rest, meta_open.len));
}

void med_resource_render(med_buf *out, med_str type, med_str id, uint32_t version, int64_t updated,
                         med_str text)
{
    char instant[MED_INSTANT_LEN];
    med_instant_format(updated, instant);
    size_t front = front_length(type, id);
    med_str rest = med_str_skip(text, front);
    bool has_meta = med_str_starts(rest, meta_open);
    med_buf_reserve(out, text.len + 80);
    med_buf_add(out, med_str_sub(text, 0, front));
    med_buf_addz(out, ",\"meta\":{\"versionId\":\"");
    med_buf_add_u64(out, version);
    med_buf_addz(out, "\",\"lastUpdated\":\"");
    med_buf_add(out, (med_str){instant, sizeof instant});
    med_buf_addz(out, has_meta ? "\"," : "\"}");
    med_buf_add(out, has_meta ? med_str_skip(rest, meta_open.len) : rest);
}
