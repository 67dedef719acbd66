/* structure_narrative.c - https://hl7.org/fhir/R4/narrative.html
 *
 * What a narrative that is legal XHTML (model/xhtml.h) still may have wrong: links to a place that
 * is not there, and the languages of its sections, which profiles ask for. Texts are read as they
 * stand, tag by tag; they are well formed by then. */
#include "validate/structure_check.h"

enum { LINKS = 256 }; /* of one narrative: each may cost a look at the whole resource */

/* ---- tags ---- */

/* The next tag from *at on, without < and >; *at is behind it. False behind the last. */
static bool next_tag(med_str text, size_t *at, med_str *tag)
{
    size_t open = med_str_find(text, '<', *at), end = open;
    char quote = '\0';
    if (open == text.len)
        return false;
    if (med_str_starts(med_str_skip(text, open), MED_STR("<!--"))) {
        *at = med_str_search(text, MED_STR("-->"), open);
        *tag = MED_STR_EMPTY;
        return *at < text.len;
    }
    for (end++; end < text.len && (quote != '\0' || text.ptr[end] != '>'); end++) {
        char c = text.ptr[end];
        if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = '\0';
    }
    *tag = med_str_sub(text, open + 1, end);
    *at = end;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The value of an attribute: ` name="value"`. */
static bool attribute(med_str tag, med_str name, med_str *value)
{
    for (size_t at = 0; (at = med_str_search(tag, name, at)) < tag.len; at++) {
        size_t i = at + name.len;
        if (at == 0 || !is_blank(tag.ptr[at - 1]))
            continue;
        while (i < tag.len && is_blank(tag.ptr[i]))
            i++;
        if (i == tag.len || tag.ptr[i++] != '=')
            continue;
        while (i < tag.len && is_blank(tag.ptr[i]))
            i++;
        if (i == tag.len)
            return false;
        *value = med_str_sub(tag, i + 1, med_str_find(tag, tag.ptr[i], i + 1));
        return true;
    }
    return false;
}

/* ---- links ---- */

static bool has_anchor(med_str text, med_str name)
{
    med_str tag, value;
    for (size_t at = 0; next_tag(text, &at, &tag);) {
        if ((attribute(tag, MED_STR("id"), &value) && med_str_eq(value, name))
            || (attribute(tag, MED_STR("name"), &value) && med_str_eq(value, name)))
            return true;
    }
    return false;
}

/* The id of an element or of a contained resource, or an anchor in any narrative that comes along.
 */
static bool is_there(med_check *c, med_str name)
{
    const med_json_node *nodes = c->j->nodes;
    for (uint32_t i = 1; i < c->j->n; i++) {
        med_str text;
        if (nodes[i].kind != MED_JSON_STRING)
            continue;
        if (med_json_string_is(c->j, i - 1, MED_STR("id")) && med_json_string_is(c->j, i, name))
            return true;
        if (!med_json_string_is(c->j, i - 1, MED_STR("div")))
            continue;
        if (!med_json_string(c->a, c->j, i, &text)) {
            c->out_of_memory = true;
            return true;
        }
        if (has_anchor(text, name))
            return true;
    }
    return false;
}

void med_check_narrative_links(med_check *c, uint32_t node, med_str text)
{
    med_str tag, to;
    size_t n = 0;
    for (size_t at = 0; n < LINKS && !c->out_of_memory && next_tag(text, &at, &tag);) {
        if (!attribute(tag, MED_STR("href"), &to))
            continue;
        n++;
        if (med_str_starts(to, MED_STR("urn:")))
            med_check_problem(c, node, NULL, MED_ISSUE_VALUE,
                              "the narrative has a link to a urn:, which no browser can follow");
        else if (to.len > 1 && to.ptr[0] == '#' && !has_anchor(text, med_str_skip(to, 1))
                 && !is_there(c, med_str_skip(to, 1)))
            med_check_problem(c, node, NULL, MED_ISSUE_NOT_FOUND,
                              "the narrative has a link to a place (#...) that is not there");
        else
            continue;
        return; /* others are mostly of the same kind */
    }
}

/* ---- languages ---- */

size_t med_narrative_languages(med_str xhtml, med_str *out, size_t room)
{
    med_str tag, language;
    size_t n = 0;
    int depth = 0;
    for (size_t at = 0; next_tag(xhtml, &at, &tag);) {
        if (tag.len == 0)
            continue;
        if (tag.ptr[0] == '/') {
            depth--;
            continue;
        }
        if (depth == 1 && med_str_starts(tag, MED_STR("div")) && n < room
            && (attribute(tag, MED_STR("xml:lang"), &language)
                || attribute(tag, MED_STR("lang"), &language)))
            out[n++] = language;
        if (tag.ptr[tag.len - 1] != '/')
            depth++;
    }
    return n;
}
