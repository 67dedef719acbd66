/* xml_markup.c - see xml_markup.h. https://hl7.org/fhir/R4/narrative.html#xhtml
 *
 * Written node by node as they are read: no tree is built, so no depth of elements can take more
 * than the reader's own memory. JSON has no other place for the namespace than the <div> itself,
 * so prefixes go; CDATA is text like any other; processing instructions mean nothing to anybody. */
#include "model/xml_markup.h"

#include <libxml/xmlreader.h>

#include "base/str.h"
#include "model/xhtml.h"

static med_str text_of(const xmlChar *s)
{
    return s == NULL ? MED_STR_EMPTY : med_str_from((const char *)s);
}

static void escape(med_buf *out, med_str s, bool attribute)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '&')
            med_buf_addz(out, "&amp;");
        else if (c == '<')
            med_buf_addz(out, "&lt;");
        else if (c == '>')
            med_buf_addz(out, "&gt;");
        else if (c == '"' && attribute)
            med_buf_addz(out, "&quot;");
        else if (c == '\r' || (attribute && (c == '\n' || c == '\t')))
            med_buf_printf(out, "&#%d;", c);
        else
            med_buf_addc(out, c);
    }
}

/* Names with a prefix ("xml:lang") stay: the check of the narrative says what is allowed. */
static void write_attributes(xmlTextReader *xml, med_buf *out)
{
    while (xmlTextReaderMoveToNextAttribute(xml) == 1) {
        if (xmlTextReaderIsNamespaceDecl(xml) == 1)
            continue;
        med_buf_addc(out, ' ');
        med_buf_add(out, text_of(xmlTextReaderConstName(xml)));
        med_buf_addz(out, "=\"");
        escape(out, text_of(xmlTextReaderConstValue(xml)), true);
        med_buf_addc(out, '"');
    }
    (void)xmlTextReaderMoveToElement(xml);
}

static const char *begin_element(xmlTextReader *xml, med_buf *out, bool root)
{
    med_str uri = text_of(xmlTextReaderConstNamespaceUri(xml));
    if (!med_str_eqz(uri, "http://www.w3.org/1999/xhtml"))
        return "a narrative is not in the namespace http://www.w3.org/1999/xhtml";
    bool empty = xmlTextReaderIsEmptyElement(xml) == 1;
    med_buf_addc(out, '<');
    med_buf_add(out, text_of(xmlTextReaderConstLocalName(xml)));
    if (root)
        med_buf_addz(out, " xmlns=\"http://www.w3.org/1999/xhtml\"");
    write_attributes(xml, out);
    med_buf_addz(out, empty ? "/>" : ">");
    return NULL;
}

static void end_element(xmlTextReader *xml, med_buf *out)
{
    med_buf_addz(out, "</");
    med_buf_add(out, text_of(xmlTextReaderConstLocalName(xml)));
    med_buf_addc(out, '>');
}

static const char *take_node(xmlTextReader *xml, med_buf *out, size_t *open)
{
    switch (xmlTextReaderNodeType(xml)) {
    case XML_READER_TYPE_ELEMENT:
        *open += xmlTextReaderIsEmptyElement(xml) == 1 ? 0 : 1;
        return *open > MED_XHTML_DEPTH ? "elements are nested too deep"
                                       : begin_element(xml, out, false);
    case XML_READER_TYPE_END_ELEMENT:
        --*open;
        end_element(xml, out);
        return NULL;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        escape(out, text_of(xmlTextReaderConstValue(xml)), false);
        return NULL;
    case XML_READER_TYPE_COMMENT:
        med_buf_addz(out, "<!--");
        med_buf_add(out, text_of(xmlTextReaderConstValue(xml)));
        med_buf_addz(out, "-->");
        return NULL;
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return "entities and document types are not allowed";
    default:
        return NULL;
    }
}

const char *med_xml_markup_read(xmlTextReader *xml, med_buf *out)
{
    size_t open = xmlTextReaderIsEmptyElement(xml) == 1 ? 0 : 1;
    const char *wrong = begin_element(xml, out, true);
    while (wrong == NULL && open > 0 && !out->failed && xmlTextReaderRead(xml) == 1)
        wrong = take_node(xml, out, &open);
    return wrong;
}
