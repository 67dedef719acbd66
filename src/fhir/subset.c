/* subset.c - https://hl7.org/fhir/R4/search.html#summary
 *
 * _summary=true keeps elements marked as summary (with all below them as their own marks say),
 * text keeps id, meta, text and mandatory elements, data drops text; _elements keeps the named
 * top-level elements and the mandatory ones. All but _summary=false are tagged SUBSETTED. */
#include "fhir/subset.h"

#include "model/element_names.h"

typedef struct subset {
    const med_pack *pack;
    const med_json *j;
    med_arena *arena;
    const med_shape *shape;
    med_buf *out;
} subset;

static const char subsetted[] = "{\"system\":\"http://terminology.hl7.org/CodeSystem/"
                                "v3-ObservationValue\",\"code\":\"SUBSETTED\"}";

static med_str plain_name(med_str key)
{
    return key.len > 0 && key.ptr[0] == '_' ? med_str_skip(key, 1) : key;
}

static bool named_by_elements(const subset *s, med_type type, med_str element, med_str property)
{
    for (size_t i = 0; i < s->shape->n_elements; i++) {
        if (med_element_name_is(s->pack, type, s->shape->elements[i], element, property))
            return true;
    }
    return false;
}

static bool always_kept(med_str name)
{
    return med_str_eqz(name, "resourceType") || med_str_eqz(name, "id")
           || med_str_eqz(name, "meta");
}

/* Is this top-level element part of the answer? */
static bool keeps_top(const subset *s, med_type type, med_str name, const med_element *e)
{
    const med_shape *shape = s->shape;
    if (always_kept(name))
        return true;
    if (shape->n_elements > 0)
        return e->min > 0 || e->is_modifier
               || named_by_elements(s, type, e->name, plain_name(name));
    switch (shape->summary) {
    case MED_SUMMARY_TRUE:
        return e->is_summary;
    case MED_SUMMARY_TEXT:
        return e->min > 0 || med_str_eqz(name, "text");
    case MED_SUMMARY_DATA:
        return !med_str_eqz(name, "text");
    case MED_SUMMARY_COUNT:
    case MED_SUMMARY_FALSE:
        break;
    }
    return true;
}

/* Below the top only _summary=true leaves things out: elements not marked as summary. Walks
 * with an explicit stack, depth bounded by MED_JSON_DEPTH. */
typedef struct level {
    uint32_t at, end;
    med_type type;
    bool object, first;
} level;

static bool property_of(const subset *s, med_type type, uint32_t key, med_property *p,
                        med_element *e)
{
    if (type == MED_TYPE_NONE
        || !med_type_property(s->pack, type, plain_name(med_json_raw(s->j, key)), p))
        return false;
    med_type_element(s->pack, type, p->element, e);
    return true;
}

/* The type of a value: of a resource (contained, Bundle.entry.resource) its own. */
static med_type value_type(const subset *s, med_type declared, uint32_t node)
{
    if (med_json_kind_at(s->j, node) != MED_JSON_OBJECT || declared == MED_TYPE_NONE
        || !med_type_is_abstract(s->pack, declared))
        return declared;
    uint32_t name = med_json_member(s->j, node, MED_STR("resourceType"));
    return name == 0 ? declared : med_pack_type(s->pack, med_json_raw(s->j, name));
}

static void separate(level *l, med_buf *out)
{
    if (!l->first)
        med_buf_addc(out, ',');
    l->first = false;
}

static void write_summary(const subset *s, uint32_t root, med_type type)
{
    level stack[MED_JSON_DEPTH + 1];
    int depth = 0;
    const med_json_node *nodes = s->j->nodes;
    stack[0] = (level){root + 1, nodes[root].next, value_type(s, type, root),
                       med_json_kind_at(s->j, root) == MED_JSON_OBJECT, true};
    med_buf_addc(s->out, stack[0].object ? '{' : '[');
    while (depth >= 0) {
        level *l = &stack[depth];
        if (l->at >= l->end) {
            med_buf_addc(s->out, l->object ? '}' : ']');
            depth--;
            continue;
        }
        uint32_t value = l->object ? l->at + 1 : l->at;
        med_type below = l->type;
        if (l->object) {
            med_property p;
            med_element e;
            bool known = property_of(s, l->type, l->at, &p, &e);
            if (known && !e.is_summary && med_type_kind_of(s->pack, l->type) != MED_TYPE_COMPLEX) {
                l->at = nodes[value].next;
                continue;
            }
            below = known ? p.type : MED_TYPE_NONE;
            separate(l, s->out);
            med_buf_add(s->out, med_json_span(s->j, l->at));
            med_buf_addc(s->out, ':');
        } else {
            separate(l, s->out);
        }
        l->at = nodes[value].next;
        enum med_json_kind kind = med_json_kind_at(s->j, value);
        if (kind != MED_JSON_OBJECT && kind != MED_JSON_ARRAY) {
            med_buf_add(s->out, med_json_span(s->j, value));
            continue;
        }
        stack[++depth] = (level){value + 1, nodes[value].next, value_type(s, below, value),
                                 kind == MED_JSON_OBJECT, true};
        med_buf_addc(s->out, kind == MED_JSON_OBJECT ? '{' : '[');
    }
}

static void write_value(const subset *s, uint32_t value, med_type type)
{
    enum med_json_kind kind = med_json_kind_at(s->j, value);
    bool deep = s->shape->summary == MED_SUMMARY_TRUE && s->shape->n_elements == 0
                && (kind == MED_JSON_OBJECT || kind == MED_JSON_ARRAY);
    if (deep)
        write_summary(s, value, type);
    else
        med_json_write_min(s->out, s->j, value);
}

/* meta with the SUBSETTED tag put into its list of tags. */
static void write_meta(const subset *s, uint32_t meta)
{
    const med_json_node *nodes = s->j->nodes;
    bool tagged = false;
    med_buf_addc(s->out, '{');
    for (uint32_t k = meta + 1; k < nodes[meta].next; k = nodes[k + 1].next) {
        if (k > meta + 1)
            med_buf_addc(s->out, ',');
        med_buf_add(s->out, med_json_span(s->j, k));
        med_buf_addc(s->out, ':');
        bool tags = med_str_eqz(med_json_raw(s->j, k), "tag");
        size_t before = s->out->len;
        med_json_write_min(s->out, s->j, k + 1);
        if (tags && !s->out->failed && s->out->len > before) {
            s->out->len--; /* the closing bracket */
            med_buf_printf(s->out, ",%s]", subsetted);
            tagged = true;
        }
    }
    if (!tagged)
        med_buf_printf(s->out, "%s\"tag\":[%s]", nodes[meta].count > 0 ? "," : "", subsetted);
    med_buf_addc(s->out, '}');
}

static void write_member(const subset *s, med_type type, uint32_t key, bool *first)
{
    med_property p = {.type = MED_TYPE_NONE};
    med_element e = {0};
    med_str name = plain_name(med_json_raw(s->j, key));
    bool known = property_of(s, type, key, &p, &e);
    if (!always_kept(name) && (!known || !keeps_top(s, type, name, &e)))
        return;
    if (!*first)
        med_buf_addc(s->out, ',');
    *first = false;
    med_buf_add(s->out, med_json_span(s->j, key));
    med_buf_addc(s->out, ':');
    if (med_str_eqz(med_json_raw(s->j, key), "meta"))
        write_meta(s, key + 1);
    else
        write_value(s, key + 1, p.type);
}

bool med_subset_write(med_arena *a, const med_pack *p, med_type type, med_str text,
                      const med_shape *shape, med_buf *out, med_err *err)
{
    med_json j;
    if (!med_json_parse(a, text, &j, NULL, err))
        return false;
    subset s = {p, &j, a, shape, out};
    bool first = true;
    med_buf_addc(out, '{');
    for (uint32_t k = 1; k < j.nodes[0].next; k = j.nodes[k + 1].next)
        write_member(&s, type, k, &first);
    med_buf_addc(out, '}');
    return true;
}
