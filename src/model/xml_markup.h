/* xml_markup.h - a narrative out of XML: the <div> at which the reader stands as XHTML text.
 * Private to xml_read.c. */
#ifndef MED_MODEL_XML_MARKUP_H
#define MED_MODEL_XML_MARKUP_H

#include "base/buf.h"

/* NOLINTNEXTLINE(bugprone-reserved-identifier): libxml2's name of its xmlTextReader */
struct _xmlTextReader;

/* Appends the element with all inside it; the reader then stands on its end. NULL, or what is
 * wrong (text that lives for ever); what the parser finds wrong ends it early, and the next read
 * tells. */
const char *med_xml_markup_read(struct _xmlTextReader *xml, med_buf *out);

#endif
