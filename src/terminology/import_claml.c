/* import_claml.c - ClaML 2 and 3, in which the WHO and national bodies publish ICD-10.
 *
 * A class has a code, a kind, the class above it and rubrics; the preferred rubric is the display,
 * inclusions are designations. Read as a stream; no DTD is fetched, no entity expanded. */
#include <libxml/xmlreader.h>

#include "terminology/import_impl.h"

typedef struct claml {
    med_importer *i;
    med_err *err;
    xmlTextReaderPtr x;
    med_concept now;
    bool in_label, preferred, coding_hint;
    med_buf text;
    struct link {
        med_concept child;
        med_str above;
        uint32_t line;
        struct link *next;
    } * links;
} claml;

static bool attribute(claml *c, const char *name, med_str *out)
{
    xmlChar *value = xmlTextReaderGetAttribute(c->x, (const xmlChar *)name);
    bool ok = med_arena_copy(c->i->arena, med_str_from((const char *)value), out);
    xmlFree(value);
    return ok;
}

static bool is_named(const claml *c, const char *name)
{
    return strcmp((const char *)xmlTextReaderConstLocalName(c->x), name) == 0;
}

static uint32_t line_of(const claml *c)
{
    int line = xmlTextReaderGetParserLineNumber(c->x);
    return line > 0 ? (uint32_t)line : 0;
}

static bool fault(const claml *c, uint32_t line, const char *what, med_err *err)
{
    return MED_FAIL(err, MED_ISSUE_INVALID, "%.100s, line %u: %s; nothing was changed",
                    med_file_name(c->i->o->path), line, what);
}

static bool begin_class(claml *c)
{
    med_str code, kind;
    if (!attribute(c, "code", &code) || !attribute(c, "kind", &kind))
        return MED_FAIL_MEMORY(c->err);
    c->now = MED_CONCEPT_NONE;
    if (code.len == 0)
        return true;
    bool is_new;
    c->now = med_image_builder_concept(c->i->b, code, &is_new);
    if (!is_new && c->now != MED_CONCEPT_NONE)
        return fault(c, line_of(c), "the class stood there before", c->err);
    uint16_t def =
        med_image_builder_property_def(c->i->b, MED_STR("kind"), MED_STR_EMPTY,
                                       MED_STR("chapter, block or category"), MED_PROPERTY_CODE);
    if (kind.len > 0)
        med_image_builder_property(c->i->b, c->now, def, MED_PROPERTY_CODE, kind);
    if (med_str_eqz(kind, "chapter") || med_str_eqz(kind, "block"))
        med_image_builder_flags(c->i->b, c->now, MED_CONCEPT_ABSTRACT);
    return true;
}

static bool begin_super(claml *c)
{
    struct link *l = MED_TAKE(c->i->arena, 1, struct link);
    if (l == NULL || !attribute(c, "code", &l->above))
        return MED_FAIL_MEMORY(c->err);
    l->line = line_of(c);
    l->child = c->now;
    l->next = c->links;
    c->links = l;
    return true;
}

static bool begin(claml *c)
{
    med_str kind;
    if (is_named(c, "Class"))
        return begin_class(c);
    if (is_named(c, "SuperClass") && c->now != MED_CONCEPT_NONE)
        return begin_super(c);
    if (is_named(c, "Rubric")) {
        if (!attribute(c, "kind", &kind))
            return MED_FAIL_MEMORY(c->err);
        c->preferred = med_str_eqz(kind, "preferred");
        c->coding_hint =
            !c->preferred && !med_str_eqz(kind, "inclusion") && !med_str_eqz(kind, "preferredLong");
    }
    if (is_named(c, "Label")) {
        c->in_label = c->now != MED_CONCEPT_NONE && !c->coding_hint;
        med_buf_clear(&c->text);
    }
    return true;
}

static void end_label(claml *c)
{
    med_str text = med_str_trim(med_buf_str(&c->text));
    c->in_label = false;
    if (text.len == 0)
        return;
    if (c->preferred && !med_image_builder_has_display(c->i->b, c->now)) {
        med_image_builder_display(c->i->b, c->now, text);
        return;
    }
    med_designation d = {c->i->head.language, MED_STR_EMPTY, MED_STR_EMPTY,
                         MED_STR_EMPTY,       text,          MED_STR_EMPTY};
    med_image_builder_designation(c->i->b, c->now, &d);
}

/* White space of the file's layout becomes single spaces. */
static void add_text(claml *c)
{
    med_str s = med_str_from((const char *)xmlTextReaderConstValue(c->x));
    for (size_t k = 0; k < s.len; k++) {
        bool space = med_is_space(s.ptr[k]);
        if (space && (c->text.len == 0 || c->text.ptr[c->text.len - 1] == ' '))
            continue;
        med_buf_addc(&c->text, space ? ' ' : s.ptr[k]);
    }
}

static bool node(claml *c)
{
    switch (xmlTextReaderNodeType(c->x)) {
    case XML_READER_TYPE_ELEMENT:
        return begin(c);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        if (c->in_label)
            add_text(c);
        return true;
    case XML_READER_TYPE_END_ELEMENT:
        if (is_named(c, "Label") && c->in_label)
            end_label(c);
        if (is_named(c, "Class"))
            c->now = MED_CONCEPT_NONE;
        return true;
    default:
        return true;
    }
}

static bool is_ours(const claml *c)
{
    return c->i->done > 0 || is_named(c, "ClaML");
}

static bool read_all(claml *c, med_err *err)
{
    int more = xmlTextReaderRead(c->x);
    while (more == 1 && xmlTextReaderNodeType(c->x) != XML_READER_TYPE_ELEMENT)
        more = xmlTextReaderRead(c->x);
    if (more == 1 && !is_ours(c))
        return MED_FAIL(err, MED_ISSUE_INVALID, "the file is XML, but no ClaML");
    for (; more == 1; more = xmlTextReaderRead(c->x)) {
        c->i->done++;
        if (!node(c))
            return false;
    }
    if (more < 0)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "%.100s, line %d: the XML is damaged or was cut short; nothing was changed",
                        med_file_name(c->i->o->path), xmlTextReaderGetParserLineNumber(c->x));
    return true;
}

static bool link_all(claml *c, med_err *err)
{
    for (const struct link *l = c->links; l != NULL; l = l->next) {
        med_concept above = med_image_builder_find(c->i->b, l->above);
        if (above == MED_CONCEPT_NONE || above == l->child)
            return fault(c, l->line,
                         above == l->child ? "the class is its own parent"
                                           : "the class above is not in this file",
                         err);
        med_image_builder_mark(c->i->b, l->line);
        med_image_builder_parent(c->i->b, l->child, above);
    }
    return true;
}

/* An edition names its DTD, which is not read. One that declares entities is none. */
static bool check_entities(const claml *c, med_err *err)
{
    void *map;
    size_t size;
    if (!med_file_map(c->i->o->path, &map, &size, err))
        return false;
    med_str text = {map, size};
    bool found = med_str_search(text, MED_STR("<!ENTITY"), 0) < size;
    med_file_unmap(map, size);
    return found ? MED_FAIL(err, MED_ISSUE_INVALID,
                            "%.100s declares entities, which are not read; nothing was changed",
                            med_file_name(c->i->o->path))
                 : true;
}

static void quiet(void *arg, const char *message, xmlParserSeverities severity,
                  xmlTextReaderLocatorPtr at)
{
    (void)arg, (void)message, (void)severity, (void)at;
}

bool med_import_claml(med_importer *i, med_err *err)
{
    claml c = {.i = i, .now = MED_CONCEPT_NONE, .err = err};
    if (i->head.url.len == 0)
        i->head.url = MED_STR("http://hl7.org/fhir/sid/icd-10");
    if (!check_entities(&c, err))
        return false;
    c.x = xmlReaderForFile(i->o->path, NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
    if (c.x == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "%.180s can not be read", i->o->path);
    xmlTextReaderSetErrorHandler(c.x, quiet, NULL);
    med_buf_init(&c.text, 1 << 20);
    bool ok = read_all(&c, err);
    ok = ok && link_all(&c, err);
    med_buf_free(&c.text);
    xmlFreeTextReader(c.x);
    return ok;
}
