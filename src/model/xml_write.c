/* xml_write.c - a tape as XML: elements in the order of the definitions.
 * https://hl7.org/fhir/R4/xml.html */
#include "model/xml.h"

typedef struct writer {
    const med_pack *pack;
    const med_json *json;
    med_buf *out;
    med_err *err;
} writer;

/* An object that is being written, and where in it we are. */
typedef struct level {
    med_type type;
    uint32_t object;
    uint32_t written; /* members that were found a place */
} level;

static bool write_object(const writer *w, level *l, int depth);

/* ---- text ---- */

static med_str escape_of(char c)
{
    switch (c) {
    case '&':
        return MED_STR("&amp;");
    case '<':
        return MED_STR("&lt;");
    case '>':
        return MED_STR("&gt;");
    case '"':
        return MED_STR("&quot;");
    case '\t': /* else it would come back as a space */
        return MED_STR("&#9;");
    case '\n':
        return MED_STR("&#10;");
    case '\r':
        return MED_STR("&#13;");
    default:
        return MED_STR_EMPTY;
    }
}

/* XML 1.0 has no way to say the other control characters, U+FFFE and U+FFFF. */
static bool can_be_said(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return false;
        if (c == 0xEF && i + 2 < s.len && (unsigned char)s.ptr[i + 1] == 0xBF
            && (unsigned char)s.ptr[i + 2] >= 0xBE)
            return false;
    }
    return true;
}

static void add_escaped(med_buf *out, med_str s)
{
    size_t done = 0;
    for (size_t i = 0; i < s.len; i++) {
        med_str escape = escape_of(s.ptr[i]);
        if (escape.len == 0)
            continue;
        med_buf_add(out, med_str_sub(s, done, i));
        med_buf_add(out, escape);
        done = i + 1;
    }
    med_buf_add(out, med_str_skip(s, done));
}

/* The content of a scalar node; strings with their escapes undone, into `room` (freed by the
 * caller). */
static bool scalar_text(const writer *w, uint32_t node, med_buf *room, med_str *out)
{
    *out = med_json_raw(w->json, node);
    if (med_json_kind_at(w->json, node) != MED_JSON_STRING || !w->json->nodes[node].escaped)
        return true;
    if (!med_buf_reserve(room, out->len))
        return MED_FAIL_MEMORY(w->err);
    return med_json_string_into(w->json, node, room->ptr, out->len, out)
           || MED_FAIL(w->err, MED_ISSUE_EXCEPTION, "a string could not be read");
}

static bool add_attribute(const writer *w, const char *name, uint32_t node)
{
    med_buf room;
    med_str text;
    med_buf_init(&room, MED_JSON_MAX_BYTES);
    bool good = scalar_text(w, node, &room, &text)
                && (can_be_said(text)
                    || MED_FAIL(w->err, MED_ISSUE_STRUCTURE,
                                "a string holds a character that XML can not hold"));
    if (good) {
        med_buf_addc(w->out, ' ');
        med_buf_addz(w->out, name);
        med_buf_addz(w->out, "=\"");
        add_escaped(w->out, text);
        med_buf_addc(w->out, '"');
    }
    med_buf_free(&room);
    return good;
}

/* The narrative: XHTML as it was given. */
static bool add_markup(const writer *w, uint32_t node)
{
    med_buf room;
    med_str text;
    med_buf_init(&room, MED_JSON_MAX_BYTES);
    bool good = scalar_text(w, node, &room, &text)
                && (can_be_said(text)
                    || MED_FAIL(w->err, MED_ISSUE_STRUCTURE,
                                "a narrative holds a character that XML can not hold"));
    if (good)
        med_buf_add(w->out, text);
    med_buf_free(&room);
    return good;
}

static bool is_scalar(const med_json *j, uint32_t node)
{
    switch (med_json_kind_at(j, node)) {
    case MED_JSON_NULL:
    case MED_JSON_ARRAY:
    case MED_JSON_OBJECT:
        return false;
    case MED_JSON_FALSE:
    case MED_JSON_TRUE:
    case MED_JSON_NUMBER:
    case MED_JSON_STRING:
        break;
    }
    return true;
}

static bool fail_kind(const writer *w, med_str name)
{
    return MED_FAIL(w->err, MED_ISSUE_STRUCTURE, "'%.*s' is not of the kind its type asks for",
                    MED_STR_ARG(name));
}

static void open_tag(const writer *w, med_str name)
{
    med_buf_addc(w->out, '<');
    med_buf_add(w->out, name);
}

static void close_tag(const writer *w, med_str name)
{
    med_buf_addz(w->out, "</");
    med_buf_add(w->out, name);
    med_buf_addc(w->out, '>');
}

/* ---- elements ---- */

/* Element.id and Extension.url are attributes; the id of a resource is an element. */
static bool is_attribute(const writer *w, med_type type, const med_property *p)
{
    return p->primitive == MED_PRIMITIVE_FHIRPATH_STRING
           && med_type_kind_of(w->pack, type) != MED_TYPE_RESOURCE;
}

/* The attributes of an object, into the tag that is open. */
static bool write_attributes(const writer *w, level *l)
{
    static const char *const names[] = {"id", "url"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        med_property p;
        uint32_t node = med_json_member(w->json, l->object, med_str_from(names[i]));
        if (node == 0 || !med_type_property(w->pack, l->type, med_str_from(names[i]), &p)
            || !is_attribute(w, l->type, &p))
            continue;
        if (!is_scalar(w->json, node))
            return fail_kind(w, p.name);
        if (!add_attribute(w, names[i], node))
            return false;
        l->written++;
    }
    return true;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the tape, at most MED_JSON_DEPTH; see write_object */
/* Ends the open tag, and writes what is inside, if anything. */
static bool write_inside(const writer *w, level *l, med_str name, int depth)
{
    size_t empty = w->out->len;
    med_buf_addc(w->out, '>');
    size_t inside = w->out->len;
    if (!write_object(w, l, depth + 1))
        return false;
    if (w->out->len > inside) {
        close_tag(w, name);
    } else if (!w->out->failed) {
        w->out->len = empty;
        med_buf_addz(w->out, "/>");
    }
    return true;
}

/* <birthDate value="..." id="..."><extension/></birthDate>; either node may be 0. */
static bool write_primitive(const writer *w, const med_property *p, uint32_t value, uint32_t extra,
                            int depth)
{
    bool has_value = value != 0 && med_json_kind_at(w->json, value) != MED_JSON_NULL;
    bool has_extra = extra != 0 && med_json_kind_at(w->json, extra) != MED_JSON_NULL;
    if ((has_value && !is_scalar(w->json, value))
        || (has_extra && med_json_kind_at(w->json, extra) != MED_JSON_OBJECT))
        return fail_kind(w, p->name);
    if (p->primitive == MED_PRIMITIVE_XHTML)
        return has_extra ? fail_kind(w, p->name) : !has_value || add_markup(w, value);
    if (!has_value && !has_extra)
        return true;
    open_tag(w, p->name);
    if (has_value && !add_attribute(w, "value", value))
        return false;
    if (!has_extra) {
        med_buf_addz(w->out, "/>");
        return true;
    }
    level l = {.type = p->type, .object = extra};
    return write_attributes(w, &l) && write_inside(w, &l, p->name, depth);
}

static bool write_resource(const writer *w, uint32_t object, bool is_root, int depth)
{
    uint32_t node = med_json_member(w->json, object, MED_STR("resourceType"));
    med_str name = node == 0 ? MED_STR_EMPTY : med_json_raw(w->json, node);
    level l = {.type = med_pack_type(w->pack, name), .object = object, .written = 1};
    if (l.type == MED_TYPE_NONE || med_type_kind_of(w->pack, l.type) != MED_TYPE_RESOURCE)
        return MED_FAIL(w->err, MED_ISSUE_STRUCTURE, "a resource has no known resourceType");
    open_tag(w, name);
    if (is_root)
        med_buf_addz(w->out, " xmlns=\"http://hl7.org/fhir\"");
    return write_inside(w, &l, name, depth);
}

static bool write_complex(const writer *w, const med_property *p, uint32_t object, int depth)
{
    if (med_json_kind_at(w->json, object) != MED_JSON_OBJECT)
        return fail_kind(w, p->name);
    open_tag(w, p->name);
    if (med_type_kind_of(w->pack, p->type) == MED_TYPE_RESOURCE) {
        med_buf_addc(w->out, '>');
        if (!write_resource(w, object, false, depth + 1))
            return false;
        close_tag(w, p->name);
        return true;
    }
    level l = {.type = p->type, .object = object};
    return write_attributes(w, &l) && write_inside(w, &l, p->name, depth);
}

static bool write_one(const writer *w, const med_property *p, uint32_t value, uint32_t extra,
                      int depth)
{
    if (p->primitive != MED_PRIMITIVE_NONE)
        return write_primitive(w, p, value, extra, depth);
    return extra == 0 ? write_complex(w, p, value, depth) : fail_kind(w, p->name);
}

static bool is_array(const med_json *j, uint32_t node)
{
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_ARRAY;
}

/* The values of "given" beside the extras of "_given", pair by pair. */
static bool write_many(const writer *w, const med_property *p, uint32_t values, uint32_t extras,
                       int depth)
{
    const med_json *j = w->json;
    uint32_t value = values == 0 ? 0 : values + 1;
    uint32_t extra = extras == 0 ? 0 : extras + 1;
    uint32_t values_end = values == 0 ? 0 : j->nodes[values].next;
    uint32_t extras_end = extras == 0 ? 0 : j->nodes[extras].next;
    while (value < values_end || extra < extras_end) {
        uint32_t v = value < values_end ? value : 0;
        uint32_t x = extra < extras_end ? extra : 0;
        if (!write_one(w, p, v, x, depth))
            return false;
        value = v == 0 ? value : j->nodes[v].next;
        extra = x == 0 ? extra : j->nodes[x].next;
    }
    return true;
}

static bool write_property(const writer *w, level *l, const med_property *p, int depth)
{
    char name[MED_JSON_DEPTH * 2] = "_";
    uint32_t value = med_json_member(w->json, l->object, p->name);
    uint32_t extra = 0;
    if (p->primitive != MED_PRIMITIVE_NONE && p->name.len < sizeof name - 1) {
        memcpy(name + 1, p->name.ptr, p->name.len);
        extra = med_json_member(w->json, l->object, (med_str){name, p->name.len + 1});
    }
    if ((value == 0 && extra == 0) || is_attribute(w, l->type, p))
        return true;
    l->written += (value != 0) ? 1u : 0u;
    l->written += (extra != 0) ? 1u : 0u;
    if ((value != 0 && is_array(w->json, value) != p->is_array)
        || (extra != 0 && is_array(w->json, extra) != p->is_array))
        return fail_kind(w, p->name);
    if (p->is_array)
        return write_many(w, p, value, extra, depth);
    return write_one(w, p, value, extra, depth);
}

static bool write_object(const writer *w, level *l, int depth)
{
    size_t n = med_type_property_count(w->pack, l->type);
    size_t elements = med_type_element_count(w->pack, l->type);
    if (depth > 2 * MED_JSON_DEPTH)
        return MED_FAIL(w->err, MED_ISSUE_TOO_COSTLY, "a resource is nested too deep");
    for (size_t e = 0; e < elements; e++) {
        size_t first;
        size_t count = med_element_properties(w->pack, l->type, e, &first);
        for (size_t i = first; i < first + count && i < n; i++) {
            med_property p;
            med_type_property_at(w->pack, l->type, i, &p);
            if (!write_property(w, l, &p, depth))
                return false;
        }
    }
    return l->written == w->json->nodes[l->object].count
           || MED_FAIL(w->err, MED_ISSUE_STRUCTURE,
                       "a property is unknown: XML has no place for it");
}
/* NOLINTEND(misc-no-recursion) */

bool med_xml_write(const med_pack *p, const med_json *j, uint32_t i, med_buf *out, med_err *err)
{
    writer w = {p, j, out, err};
    med_buf_addz(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    return write_resource(&w, i, true, 0)
           && (!out->failed
               || MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the XML is larger than an answer may be"));
}
