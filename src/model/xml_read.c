/* xml_read.c - XML as JSON, in one pass over libxml2's reader. https://hl7.org/fhir/R4/xml.html
 *
 * A level is an element that becomes an object. A property is written as it comes; since JSON
 * keeps what a primitive has besides its value in a second property ("_given"), that is
 * gathered in the level's `extras` until the property is over. */
#include "model/xml.h"

#include <libxml/xmlreader.h>

#include "model/xml_markup.h"

enum { NAME_MAX_BYTES = 64, PATH_BYTES = 120 };

/* What a level is to the one around it. */
enum role {
    ROLE_COMPLEX,   /* its object is the property's value */
    ROLE_PRIMITIVE, /* its object belongs to the property's extras */
    ROLE_CONTAINER, /* <contained>, <resource>: holds one resource and is none */
    ROLE_RESOURCE,
};

typedef struct level {
    enum role role;
    med_type type;
    med_buf *out; /* where its object goes */
    bool comma, filled;
    uint64_t seen[MED_TYPE_ELEMENTS_MAX / 64]; /* elements whose property is over */
    char path[NAME_MAX_BYTES];                 /* its element's name, for messages */
    /* the property at hand */
    char name[NAME_MAX_BYTES];
    size_t name_len; /* 0: none */
    med_property property;
    size_t start; /* of the property in `out`, to take it back when it has no value */
    bool comma_before, has_value, has_extras;
    bool value_here; /* the primitive element at hand has a value */
    med_buf extras;
} level;

typedef struct reader {
    const med_pack *pack;
    xmlTextReader *xml;
    med_buf *out;
    med_err *err;
    level levels[MED_JSON_DEPTH];
    int depth; /* levels in use */
    bool done; /* the root element is over */
    char parser[160];
    int parser_line;
} reader;

/* ---- errors ---- */

static med_str text_of(const xmlChar *s)
{
    return s == NULL ? MED_STR_EMPTY : med_str_from((const char *)s);
}

static med_str path_of(const reader *r, char room[PATH_BYTES])
{
    size_t n = 0;
    for (int i = 0; i < r->depth; i++) {
        med_str name = med_str_from(r->levels[i].path);
        if (r->levels[i].role == ROLE_RESOURCE && i > 0)
            continue; /* FHIRPath does not name the type inside a container */
        if (n + name.len + 1 >= PATH_BYTES)
            break;
        if (n > 0)
            room[n++] = '.';
        memcpy(room + n, name.ptr, name.len);
        n += name.len;
    }
    return (med_str){room, n};
}

static bool fail(reader *r, const char *what)
{
    char path[PATH_BYTES];
    (void)MED_FAIL(r->err, MED_ISSUE_INVALID, "XML, line %d: %s",
                   xmlTextReaderGetParserLineNumber(r->xml), what);
    return med_err_at(r->err, path_of(r, path));
}

/* Keeps the first: what follows is mostly its consequence. Values that libxml2 quotes stay out. */
static void keep_parser_error(void *arg, xmlErrorPtr error)
{
    reader *r = arg;
    if (r->parser[0] != '\0' || error == NULL || error->message == NULL
        || error->level < XML_ERR_ERROR)
        return;
    r->parser_line = error->line;
    size_t n = 0;
    for (const char *c = error->message; *c != '\0' && *c != ':' && n < sizeof r->parser - 1; c++) {
        if (*c >= ' ')
            r->parser[n++] = *c;
    }
    r->parser[n] = '\0';
}

static bool fail_parser(reader *r)
{
    return MED_FAIL(r->err, MED_ISSUE_INVALID, "XML, line %d: not well-formed: %s", r->parser_line,
                    r->parser);
}

/* ---- a level's property ---- */

static level *top(reader *r)
{
    return &r->levels[r->depth - 1];
}

static void add_key(level *l, const char *prefix, med_str name)
{
    if (l->comma)
        med_buf_addc(l->out, ',');
    med_buf_addc(l->out, '"');
    med_buf_addz(l->out, prefix);
    med_json_escape(l->out, name);
    med_buf_addz(l->out, "\":");
    l->comma = true;
}

/* Ends the property: its array, and what its values have besides. */
static void end_property(level *l)
{
    med_str name = {l->name, l->name_len};
    bool array = l->property.is_array;
    if (l->name_len == 0)
        return;
    if (!l->has_value) {
        l->out->len = l->start;
        l->comma = l->comma_before;
    } else if (array) {
        med_buf_addc(l->out, ']');
    }
    if (l->has_extras) {
        add_key(l, "_", name);
        if (array)
            med_buf_addc(l->out, '[');
        med_buf_add(l->out, med_buf_str(&l->extras));
        if (array)
            med_buf_addc(l->out, ']');
    }
    med_buf_clear(&l->extras);
    l->name_len = 0;
}

static bool see_again(level *l, uint16_t element)
{
    uint64_t bit = UINT64_C(1) << element % 64;
    bool again = (l->seen[element / 64] & bit) != 0;
    l->seen[element / 64] |= bit;
    return again;
}

static bool begin_property(reader *r, level *l, med_str name)
{
    end_property(l);
    if (name.len >= sizeof l->name)
        return fail(r, "an element's name is longer than any of FHIR");
    if (l->type == MED_TYPE_NONE || !med_type_property(r->pack, l->type, name, &l->property))
        l->property = (med_property){.name = MED_STR_EMPTY, .type = MED_TYPE_NONE};
    if (l->property.name.len > 0 && see_again(l, l->property.element))
        return fail(r, "an element stands in two places; what repeats stands together");
    memcpy(l->name, name.ptr, name.len);
    l->name_len = name.len;
    l->start = l->out->len;
    l->comma_before = l->comma;
    l->has_value = false;
    l->has_extras = false;
    add_key(l, "", name);
    if (l->property.is_array)
        med_buf_addc(l->out, '[');
    return true;
}

/* Makes room for one more value of `name`: a new property, or the next of an array. */
static bool next_value(reader *r, level *l, med_str name)
{
    l->filled = true;
    if (l->name_len != name.len || memcmp(l->name, name.ptr, name.len) != 0)
        return begin_property(r, l, name);
    if (!l->property.is_array)
        return fail(r, "an element that may stand once stands twice");
    med_buf_addc(l->out, ',');
    if (l->property.primitive != MED_PRIMITIVE_NONE)
        med_buf_addc(&l->extras, ',');
    return true;
}

/* ---- levels ---- */

static bool push(reader *r, enum role role, med_type type, med_buf *out, med_str name)
{
    if (r->depth == MED_JSON_DEPTH)
        return fail(r, "elements are nested too deep");
    level *l = &r->levels[r->depth];
    med_buf extras = l->extras; /* keeps its memory */
    *l = (level){.role = role, .type = type, .out = out, .extras = extras};
    if (name.len < sizeof l->path)
        memcpy(l->path, name.ptr, name.len);
    r->depth++;
    return true;
}

static void pop(reader *r)
{
    r->depth--;
}

/* ---- attributes ---- */

static size_t skip_digits(med_str s, size_t at)
{
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at;
}

/* The grammar of a JSON number. */
static bool is_number(med_str s)
{
    size_t at = s.len > 0 && s.ptr[0] == '-';
    size_t end = skip_digits(s, at);
    if (end == at || (s.ptr[at] == '0' && end > at + 1))
        return false;
    if (end < s.len && s.ptr[end] == '.') {
        at = end + 1;
        end = skip_digits(s, at);
        if (end == at)
            return false;
    }
    if (end < s.len && (s.ptr[end] == 'e' || s.ptr[end] == 'E')) {
        at = end + 1;
        at += at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-');
        end = skip_digits(s, at);
        if (end == at)
            return false;
    }
    return end == s.len;
}

/* A number or boolean as JSON writes it; whatever is none stays a string, for the structure
 * check to name. */
static bool is_bare(enum med_primitive kind, med_str value)
{
    switch (kind) {
    case MED_PRIMITIVE_BOOLEAN:
        return med_str_eqz(value, "true") || med_str_eqz(value, "false");
    case MED_PRIMITIVE_INTEGER:
    case MED_PRIMITIVE_UNSIGNED_INT:
    case MED_PRIMITIVE_POSITIVE_INT:
    case MED_PRIMITIVE_DECIMAL:
        return is_number(value);
    case MED_PRIMITIVE_NONE:
    case MED_PRIMITIVE_STRING:
    case MED_PRIMITIVE_MARKDOWN:
    case MED_PRIMITIVE_CODE:
    case MED_PRIMITIVE_ID:
    case MED_PRIMITIVE_URI:
    case MED_PRIMITIVE_URL:
    case MED_PRIMITIVE_CANONICAL:
    case MED_PRIMITIVE_OID:
    case MED_PRIMITIVE_UUID:
    case MED_PRIMITIVE_BASE64:
    case MED_PRIMITIVE_DATE:
    case MED_PRIMITIVE_DATETIME:
    case MED_PRIMITIVE_INSTANT:
    case MED_PRIMITIVE_TIME:
    case MED_PRIMITIVE_XHTML:
    case MED_PRIMITIVE_FHIRPATH_STRING:
        break;
    }
    return false;
}

static void add_string(med_buf *out, med_str value)
{
    med_buf_addc(out, '"');
    med_json_escape(out, value);
    med_buf_addc(out, '"');
}

static bool is_foreign(const reader *r)
{
    med_str uri = text_of(xmlTextReaderConstNamespaceUri(r->xml));
    return uri.len > 0
           && (xmlTextReaderIsNamespaceDecl(r->xml) == 1
               || med_str_eqz(uri, "http://www.w3.org/2001/XMLSchema-instance"));
}

/* The attributes of a complex element: id, and an extension's url. */
static bool read_attributes(reader *r, level *l)
{
    while (xmlTextReaderMoveToNextAttribute(r->xml) == 1) {
        med_str name = text_of(xmlTextReaderConstName(r->xml));
        if (is_foreign(r))
            continue;
        bool known = med_str_eqz(name, "id") || med_str_eqz(name, "url");
        if (!known && l->type != MED_TYPE_NONE) /* an unknown element is the structure check's */
            return fail(r, "an attribute that this element does not have");
        l->filled = true;
        add_key(l, "", name);
        add_string(l->out, text_of(xmlTextReaderConstValue(r->xml)));
    }
    (void)xmlTextReaderMoveToElement(r->xml);
    return true;
}

/* value= becomes the value; id= begins the extras. */
static bool read_primitive_attributes(reader *r, level *l, bool *has_id)
{
    bool has_value = false;
    *has_id = false;
    while (xmlTextReaderMoveToNextAttribute(r->xml) == 1) {
        med_str name = text_of(xmlTextReaderConstName(r->xml));
        med_str value = text_of(xmlTextReaderConstValue(r->xml));
        if (is_foreign(r))
            continue;
        if (med_str_eqz(name, "value")) {
            has_value = true;
            if (is_bare((enum med_primitive)l->property.primitive, value))
                med_buf_add(l->out, value);
            else
                add_string(l->out, value);
        } else if (med_str_eqz(name, "id")) {
            *has_id = true;
            med_buf_addz(&l->extras, "{\"id\":");
            add_string(&l->extras, value);
        } else {
            return fail(r, "an attribute that this element does not have");
        }
    }
    (void)xmlTextReaderMoveToElement(r->xml);
    if (!has_value)
        med_buf_addz(l->out, "null");
    l->value_here = has_value;
    l->has_value = l->has_value || has_value;
    l->has_extras = l->has_extras || *has_id;
    return true;
}

/* ---- elements ---- */

static bool read_primitive(reader *r, level *l, med_str name, bool empty)
{
    bool has_id;
    if (!read_primitive_attributes(r, l, &has_id))
        return false;
    if (empty) {
        med_buf_addz(&l->extras, has_id ? "}" : "null");
        return has_id || l->value_here || fail(r, "an element without a value and without content");
    }
    if (!has_id)
        med_buf_addc(&l->extras, '{');
    if (!push(r, ROLE_PRIMITIVE, l->property.type, &l->extras, name))
        return false;
    top(r)->comma = has_id;
    top(r)->filled = has_id;
    return true;
}

/* The whole <div>, as text. */
static bool read_markup(reader *r, level *l)
{
    med_buf text;
    med_buf_init(&text, l->out->limit);
    const char *wrong = med_xml_markup_read(r->xml, &text);
    add_string(l->out, med_buf_str(&text));
    l->out->failed = l->out->failed || text.failed;
    med_buf_free(&text);
    l->has_value = true;
    return wrong == NULL || fail(r, wrong);
}

static bool begin_complex(reader *r, level *l, med_str name)
{
    bool container = l->property.type != MED_TYPE_NONE
                     && med_type_kind_of(r->pack, l->property.type) == MED_TYPE_RESOURCE;
    l->has_value = true;
    if (!push(r, container ? ROLE_CONTAINER : ROLE_COMPLEX, l->property.type, l->out, name))
        return false;
    if (!container)
        med_buf_addc(l->out, '{');
    return read_attributes(r, top(r));
}

static bool begin_resource(reader *r, med_buf *out, med_str name)
{
    med_type type = med_pack_type(r->pack, name);
    if (!push(r, ROLE_RESOURCE, type, out, name))
        return false;
    level *l = top(r);
    med_buf_addc(out, '{');
    add_key(l, "", MED_STR("resourceType"));
    add_string(out, name);
    return read_attributes(r, l);
}

static bool check_namespace(reader *r)
{
    med_str uri = text_of(xmlTextReaderConstNamespaceUri(r->xml));
    return med_str_eqz(uri, "http://hl7.org/fhir")
           || fail(r, "an element is not in the namespace http://hl7.org/fhir");
}

static bool end_element(reader *r);

/* An element inside a level. */
static bool begin_inside(reader *r, level *l, med_str name, bool empty)
{
    if (l->role == ROLE_CONTAINER) {
        if (l->filled)
            return fail(r, "a second resource where one is expected");
        l->filled = true;
        if (!check_namespace(r) || !begin_resource(r, l->out, name))
            return false;
        return !empty || end_element(r);
    }
    if (!next_value(r, l, name))
        return false;
    if (l->property.primitive == MED_PRIMITIVE_XHTML)
        return read_markup(r, l);
    if (!check_namespace(r))
        return false;
    if (l->property.primitive != MED_PRIMITIVE_NONE)
        return read_primitive(r, l, name, empty);
    return begin_complex(r, l, name) && (!empty || end_element(r));
}

static bool begin_element(reader *r)
{
    med_str name = text_of(xmlTextReaderConstLocalName(r->xml));
    bool empty = xmlTextReaderIsEmptyElement(r->xml) == 1;
    if (r->depth > 0)
        return begin_inside(r, top(r), name, empty);
    return check_namespace(r) && begin_resource(r, r->out, name) && (!empty || end_element(r));
}

static bool end_element(reader *r)
{
    level *l = top(r);
    end_property(l);
    if (l->role == ROLE_CONTAINER && !l->filled)
        return fail(r, "a resource was expected");
    if (l->role != ROLE_CONTAINER)
        med_buf_addc(l->out, '}');
    bool was_extra = l->role == ROLE_PRIMITIVE, filled = l->filled;
    pop(r);
    if (r->depth == 0)
        r->done = true;
    if (!was_extra)
        return true;
    l = top(r);
    if (filled) {
        l->has_extras = true;
        return true;
    }
    if (!l->value_here)
        return fail(r, "an element without a value and without content");
    if (!l->extras.failed) /* nothing but white space or comments between the tags: no "{}" */
        l->extras.len -= 2;
    med_buf_addz(&l->extras, "null");
    return true;
}

static bool check_text(reader *r)
{
    med_str text = text_of(xmlTextReaderConstValue(r->xml));
    return med_str_trim(text).len == 0
           || fail(r, "text between elements; a value stands in the attribute 'value'");
}

static bool take_node(reader *r)
{
    switch (xmlTextReaderNodeType(r->xml)) {
    case XML_READER_TYPE_ELEMENT:
        return begin_element(r);
    case XML_READER_TYPE_END_ELEMENT:
        return end_element(r);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
        return check_text(r);
    case XML_READER_TYPE_ENTITY_REFERENCE:
    case XML_READER_TYPE_DOCUMENT_TYPE:
        return fail(r, "entities and document types are not allowed");
    default: /* white space, comments, processing instructions */
        return true;
    }
}

static bool read_all(reader *r)
{
    int more = xmlTextReaderRead(r->xml);
    while (more == 1 && r->parser[0] == '\0') {
        if (!take_node(r))
            return false;
        if (r->out->failed)
            return MED_FAIL(r->err, MED_ISSUE_TOO_COSTLY, "the XML is too large");
        more = xmlTextReaderRead(r->xml);
    }
    if (r->parser[0] != '\0')
        return fail_parser(r);
    if (more < 0 || !r->done)
        return MED_FAIL(r->err, MED_ISSUE_INVALID, "XML: the text ends before the resource does");
    return true;
}

/* ---- the door ---- */

/* Skips what may stand before the root element; true if a document type is what comes next. */
static bool has_doctype(med_str xml)
{
    for (;;) {
        xml = med_str_trim(xml);
        med_str close = med_str_starts(xml, MED_STR("<!--")) ? MED_STR("-->")
                        : med_str_starts(xml, MED_STR("<?")) ? MED_STR("?>")
                                                             : MED_STR_EMPTY;
        if (close.len == 0)
            return med_str_starts(xml, MED_STR("<!DOCTYPE"));
        size_t at = med_str_search(xml, close, 2);
        if (at >= xml.len)
            return false;
        xml = med_str_skip(xml, at + close.len);
    }
}

/* UTF-8 only: another encoding could hide what has_doctype looks for. */
static bool check_start(med_str *xml, med_err *err)
{
    if (med_str_starts(*xml, MED_STR("\xEF\xBB\xBF")))
        *xml = med_str_skip(*xml, 3);
    if (xml->len == 0 || xml->len > INT32_MAX)
        return MED_FAIL(err, MED_ISSUE_INVALID, "the XML is empty or too large");
    if (!med_str_starts(med_str_trim(*xml), MED_STR("<")))
        return MED_FAIL(err, MED_ISSUE_INVALID, "XML, line 1: expected '<' and UTF-8");
    if (has_doctype(*xml))
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "XML with a document type (DOCTYPE) is not accepted");
    return true;
}

static bool read_document(reader *r, med_str xml)
{
    const int options = XML_PARSE_NONET | XML_PARSE_HUGE; /* our own bounds instead of its */
    r->xml = xmlReaderForMemory(xml.ptr, (int)xml.len, NULL, "UTF-8", options);
    if (r->xml == NULL)
        return MED_FAIL_MEMORY(r->err);
    xmlTextReaderSetStructuredErrorHandler(r->xml, keep_parser_error, r);
    bool good = read_all(r);
    xmlFreeTextReader(r->xml);
    return good;
}

bool med_xml_read(const med_pack *p, med_arena *a, med_str xml, med_buf *out, med_err *err)
{
    xmlInitParser(); /* idempotent, and with a lock of its own */
    reader *r = MED_TAKE(a, 1, reader);
    if (r == NULL)
        return MED_FAIL_MEMORY(err);
    *r = (reader){.pack = p, .out = out, .err = err};
    for (size_t i = 0; i < MED_JSON_DEPTH; i++)
        med_buf_init(&r->levels[i].extras, out->limit);
    bool good = check_start(&xml, err) && read_document(r, xml);
    for (size_t i = 0; i < MED_JSON_DEPTH; i++)
        med_buf_free(&r->levels[i].extras);
    return good;
}
