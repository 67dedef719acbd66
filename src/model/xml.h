/* xml.h - resources between FHIR's JSON and FHIR's XML.
 * https://hl7.org/fhir/R4/xml.html https://hl7.org/fhir/R4/json.html
 *
 * JSON is the form everything inside works with; XML is made of it at the door, by the
 * definitions: they say what repeats, what is a number, what is an attribute, and the order of
 * elements. Both directions keep every value and the text of numbers. White space between
 * elements, comments and processing instructions are not content and do not come back.
 *
 * What is read is bounded (depth MED_JSON_DEPTH, size by the buffer's ceiling); a document type
 * is refused before the parser sees it, so no entity is ever expanded and nothing is fetched.
 * Thread safe. */
#ifndef MED_MODEL_XML_H
#define MED_MODEL_XML_H

#include "base/json.h"
#include "model/pack.h"

/* One resource. `out` gets its JSON. What the definitions do not know is kept under its name as
 * far as JSON can, for the structure check to name. On failure err has the line, and the path
 * of the element: MED_ISSUE_INVALID (400), MED_ISSUE_TOO_COSTLY past the buffer's ceiling. */
bool med_xml_read(const med_pack *p, med_arena *a, med_str xml, med_buf *out,
                  med_err *err) MED_MUST_CHECK;

/* The resource at object node `i`, with the XML declaration. False with MED_ISSUE_STRUCTURE for
 * what XML can not say (an unknown property, a control character), never a loss. */
bool med_xml_write(const med_pack *p, const med_json *j, uint32_t i, med_buf *out,
                   med_err *err) MED_MUST_CHECK;

#endif
