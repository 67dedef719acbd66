/* code_system_json.c - see code_system_json.h. https://hl7.org/fhir/R4/codesystem.html */
#include "terminology/code_system_json.h"

enum { DEFS = 256 };

/* What a property means, whatever it is called. */
enum role {
    ROLE_NONE,
    ROLE_STATUS,
    ROLE_INACTIVE,
    ROLE_NOT_SELECTABLE,
    ROLE_DEPRECATED,
    ROLE_PARENT,
    ROLE_CHILD,
};

struct def {
    med_str code;
    uint16_t number;
    enum role role;
    enum med_property_type type;
};

struct level {
    uint32_t at, end; /* the concept that is next, and the end of its list */
    med_concept parent;
};

struct pending {
    med_concept concept;
    med_str other; /* code of a parent or child */
    bool is_child;
    struct pending *next;
};

typedef struct reader {
    med_arena *a;
    const med_json *j;
    med_image_builder *b;
    struct def defs[DEFS];
    size_t n_defs;
    struct pending *pending;
    struct pending **last;
} reader;

bool med_json_text(med_arena *a, const med_json *j, uint32_t object, const char *key, med_str *out)
{
    *out = MED_STR_EMPTY;
    uint32_t node = med_json_kind_at(j, object) == MED_JSON_OBJECT
                        ? med_json_member(j, object, med_str_from(key))
                        : 0;
    if (node == 0)
        return true;
    if (med_json_kind_at(j, node) == MED_JSON_STRING)
        return med_json_string(a, j, node, out);
    if (med_json_kind_at(j, node) != MED_JSON_OBJECT && med_json_kind_at(j, node) != MED_JSON_ARRAY)
        *out = med_json_raw(j, node);
    return true;
}

bool med_json_without(med_arena *a, const med_json *j, uint32_t root, const char *const *names,
                      med_str *out)
{
    med_buf b;
    med_buf_init(&b, j->nodes[root].len + 64);
    med_json_writer w = med_json_writer_to(&b);
    med_json_open(&w, '{');
    for (uint32_t k = root + 1; k < j->nodes[root].next; k = j->nodes[k + 1].next) {
        bool skip = false;
        for (size_t i = 0; names[i] != NULL; i++)
            skip = skip || med_str_eqz(med_json_raw(j, k), names[i]);
        if (skip)
            continue;
        med_json_raw_key(&w, med_json_span(j, k));
        med_json_value(&w, j, k + 1);
    }
    med_json_close(&w, '}');
    bool ok = !b.failed && med_arena_copy(a, med_buf_str(&b), out);
    med_buf_free(&b);
    return ok;
}

/* ---- properties ---- */

static enum role role_named(med_str name)
{
    static const struct {
        const char *name;
        enum role role;
    } roles[] = {{"status", ROLE_STATUS},
                 {"inactive", ROLE_INACTIVE},
                 {"notSelectable", ROLE_NOT_SELECTABLE},
                 {"abstract", ROLE_NOT_SELECTABLE},
                 {"deprecated", ROLE_DEPRECATED},
                 {"parent", ROLE_PARENT},
                 {"child", ROLE_CHILD}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (med_str_eqz(name, roles[i].name))
            return roles[i].role;
    }
    return ROLE_NONE;
}

static enum role role_of(med_str code, med_str uri)
{
    med_str standard = MED_STR("http://hl7.org/fhir/concept-properties#");
    enum role r =
        med_str_starts(uri, standard) ? role_named(med_str_skip(uri, standard.len)) : ROLE_NONE;
    if (r != ROLE_NONE)
        return r;
    r = role_named(code);
    bool by_code = r == ROLE_INACTIVE || r == ROLE_PARENT || r == ROLE_CHILD
                   || med_str_eqz(code, "notSelectable");
    return uri.len == 0 || by_code ? r : ROLE_NONE;
}

static enum med_property_type type_named(med_str name)
{
    static const char *const names[MED_PROPERTY_TYPES] = {
        [MED_PROPERTY_CODE] = "code",       [MED_PROPERTY_STRING] = "string",
        [MED_PROPERTY_CODING] = "Coding",   [MED_PROPERTY_INTEGER] = "integer",
        [MED_PROPERTY_BOOLEAN] = "boolean", [MED_PROPERTY_DATETIME] = "dateTime",
        [MED_PROPERTY_DECIMAL] = "decimal",
    };
    for (int i = 0; i < MED_PROPERTY_TYPES; i++) {
        if (med_str_eq_ignore_case(name, med_str_from(names[i])))
            return (enum med_property_type)i;
    }
    return MED_PROPERTY_STRING;
}

static struct def *define(reader *r, med_str code, med_str uri, med_str description,
                          enum med_property_type type)
{
    for (size_t i = 0; i < r->n_defs; i++) {
        if (med_str_eq(r->defs[i].code, code))
            return &r->defs[i];
    }
    if (r->n_defs == DEFS)
        return NULL;
    r->defs[r->n_defs] =
        (struct def){code, med_image_builder_property_def(r->b, code, uri, description, type),
                     role_of(code, uri), type};
    return &r->defs[r->n_defs++];
}

static bool read_defs(reader *r, uint32_t root)
{
    const med_json *j = r->j;
    uint32_t list = med_json_member(j, root, MED_STR("property"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str code, uri, type, description;
        if (!med_json_text(r->a, j, e, "code", &code) || !med_json_text(r->a, j, e, "uri", &uri)
            || !med_json_text(r->a, j, e, "type", &type)
            || !med_json_text(r->a, j, e, "description", &description))
            return false;
        (void)define(r, code, uri, description, type_named(type));
    }
    return true;
}

static bool note_pending(reader *r, med_concept c, med_str other, bool is_child)
{
    struct pending *p = MED_TAKE(r->a, 1, struct pending);
    if (p == NULL)
        return false;
    *p = (struct pending){c, other, is_child, NULL};
    *r->last = p;
    r->last = &p->next;
    return true;
}

static bool mean(reader *r, med_concept c, enum role role, med_str value)
{
    bool yes = med_str_eqz(value, "true");
    unsigned add = 0;
    switch (role) {
    case ROLE_STATUS:
        if (med_str_eqz(value, "retired") || med_str_eqz(value, "inactive"))
            add = MED_CONCEPT_INACTIVE;
        else if (med_str_eqz(value, "deprecated"))
            add = MED_CONCEPT_DEPRECATED;
        break;
    case ROLE_INACTIVE:
        add = yes ? MED_CONCEPT_INACTIVE : 0;
        break;
    case ROLE_NOT_SELECTABLE:
        add = yes ? MED_CONCEPT_ABSTRACT : 0;
        break;
    case ROLE_DEPRECATED:
        add = med_str_eqz(value, "false") ? 0 : MED_CONCEPT_DEPRECATED;
        break;
    case ROLE_PARENT:
    case ROLE_CHILD:
        return note_pending(r, c, value, role == ROLE_CHILD);
    case ROLE_NONE:
        break;
    }
    med_image_builder_flags(r->b, c, add);
    return true;
}

/* The value[x] of a property: its text (of a Coding its JSON) and its type. */
static bool value_of(reader *r, uint32_t e, med_str *value, enum med_property_type *type)
{
    const med_json *j = r->j;
    *value = MED_STR_EMPTY;
    for (uint32_t k = e + 1; k < j->nodes[e].next; k = j->nodes[k + 1].next) {
        med_str key = med_json_raw(j, k);
        if (!med_str_starts(key, MED_STR("value")))
            continue;
        *type = type_named(med_str_skip(key, 5));
        if (med_json_kind_at(j, k + 1) == MED_JSON_STRING)
            return med_json_string(r->a, j, k + 1, value);
        *value = med_json_span(j, k + 1);
        return true;
    }
    return true;
}

static bool read_properties(reader *r, uint32_t node, med_concept c)
{
    const med_json *j = r->j;
    uint32_t list = med_json_member(j, node, MED_STR("property"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str code, value;
        enum med_property_type type = MED_PROPERTY_STRING;
        if (!med_json_text(r->a, j, e, "code", &code) || !value_of(r, e, &value, &type))
            return false;
        struct def *d = define(r, code, MED_STR_EMPTY, MED_STR_EMPTY, type);
        if (d == NULL || value.len == 0)
            continue;
        med_image_builder_property(r->b, c, d->number, type, value);
        if (!mean(r, c, d->role, value))
            return false;
    }
    return true;
}

/* Statements made by extensions: standards status, and weights and labels as properties. */
static bool read_extensions(reader *r, uint32_t node, med_concept c)
{
    static const struct {
        const char *url, *code, *uri;
        enum role role;
    } known[] = {
        {"structuredefinition-standards-status", "status", "status", ROLE_STATUS},
        {"codesystem-conceptOrder", "order", "order", ROLE_NONE},
        {"codesystem-label", "label", "label", ROLE_NONE},
        {"itemWeight", "weight", "itemWeight", ROLE_NONE},
        {"rendering-style", NULL, NULL, ROLE_NONE}, /* see med_property_is_extension */
        {"rendering-xhtml", NULL, NULL, ROLE_NONE},
    };
    const med_json *j = r->j;
    uint32_t list = med_json_member(j, node, MED_STR("extension"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str url, value;
        enum med_property_type type = MED_PROPERTY_STRING;
        if (!med_json_text(r->a, j, e, "url", &url) || !value_of(r, e, &value, &type))
            return false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            med_str start = MED_STR("http://hl7.org/fhir/StructureDefinition/");
            if (!med_str_starts(url, start)
                || !med_str_eqz(med_str_skip(url, start.len), known[i].url))
                continue;
            bool shown = known[i].code == NULL;
            med_str code = shown ? url : med_str_from(known[i].code);
            med_str uri = shown
                              ? MED_STR_EMPTY
                              : med_arena_printf(r->a, "http://hl7.org/fhir/concept-properties#%s",
                                                 known[i].uri);
            if (type == MED_PROPERTY_INTEGER) /* a place between two others may be wanted */
                type = MED_PROPERTY_DECIMAL;
            struct def *d = define(r, code, uri, MED_STR_EMPTY, type);
            if (d != NULL)
                med_image_builder_property(r->b, c, d->number, type, value);
            if (!mean(r, c, known[i].role, value))
                return false;
        }
    }
    return true;
}

/* Those of HL7 are kept as they are; what others mean nobody would understand. */
static bool read_notes(med_arena *a, const med_json *j, uint32_t node, med_str *out)
{
    uint32_t list = med_json_member(j, node, MED_STR("extension"));
    *out = MED_STR_EMPTY;
    if (list == 0)
        return true;
    med_buf b;
    med_buf_init(&b, j->nodes[list].len + 64);
    med_json_writer w = med_json_writer_to(&b);
    size_t n = 0;
    med_json_open(&w, '[');
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t url = med_json_member(j, e, MED_STR("url"));
        if (url == 0
            || !med_str_starts(med_json_raw(j, url),
                               MED_STR("http://hl7.org/fhir/StructureDefinition/")))
            continue;
        med_json_value(&w, j, e);
        n++;
    }
    med_json_close(&w, ']');
    bool ok = !b.failed && (n == 0 || med_arena_copy(a, med_buf_str(&b), out));
    med_buf_free(&b);
    return ok;
}

bool med_designation_read(med_arena *a, const med_json *j, uint32_t node, med_designation *out)
{
    uint32_t use = med_json_member(j, node, MED_STR("use"));
    out->use_system = out->use_code = out->use_display = MED_STR_EMPTY;
    return med_json_text(a, j, node, "language", &out->language)
           && med_json_text(a, j, node, "value", &out->value)
           && (use == 0
               || (med_json_text(a, j, use, "system", &out->use_system)
                   && med_json_text(a, j, use, "code", &out->use_code)
                   && med_json_text(a, j, use, "display", &out->use_display)))
           && read_notes(a, j, node, &out->extensions);
}

bool med_designation_is_withdrawn(const med_designation *d)
{
    static const char *const over[] = {"\"deprecated\"", "\"withdrawn\""};
    med_str e = d->extensions;
    size_t at = med_str_search(e, MED_STR("/structuredefinition-standards-status\""), 0);
    for (size_t i = 0; at < e.len && i < sizeof over / sizeof *over; i++) {
        if (med_str_search(e, med_str_from(over[i]), 0) < e.len)
            return true;
    }
    return false;
}

static bool read_designations(reader *r, uint32_t node, med_concept c)
{
    const med_json *j = r->j;
    uint32_t list = med_json_member(j, node, MED_STR("designation"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_designation d;
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT)
            continue;
        if (!med_designation_read(r->a, j, e, &d))
            return false;
        med_image_builder_designation(r->b, c, &d);
    }
    return true;
}

/* ---- concepts ---- */

static bool read_concept(reader *r, uint32_t node, med_concept parent, med_concept *out,
                         med_err *err)
{
    med_str code, display, definition;
    bool is_new;
    if (!med_json_text(r->a, r->j, node, "code", &code)
        || !med_json_text(r->a, r->j, node, "display", &display)
        || !med_json_text(r->a, r->j, node, "definition", &definition))
        return MED_FAIL_MEMORY(err);
    if (code.len == 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "a concept of the CodeSystem has no code");
    *out = med_image_builder_concept(r->b, code, &is_new);
    if (parent != MED_CONCEPT_NONE)
        med_image_builder_parent(r->b, *out, parent);
    if (!is_new) /* a few published systems repeat a concept below each of its parents */
        return true;
    med_image_builder_display(r->b, *out, display);
    med_image_builder_definition(r->b, *out, definition);
    return read_designations(r, node, *out) && read_properties(r, node, *out)
                   && read_extensions(r, node, *out)
               ? true
               : MED_FAIL_MEMORY(err);
}

static uint32_t list_of(const med_json *j, uint32_t node)
{
    uint32_t list = med_json_member(j, node, MED_STR("concept"));
    return list != 0 && med_json_kind_at(j, list) == MED_JSON_ARRAY ? list : 0;
}

static bool read_concepts(reader *r, uint32_t root, med_err *err)
{
    const med_json *j = r->j;
    struct level levels[MED_JSON_DEPTH];
    size_t depth = 0;
    uint32_t list = list_of(j, root);
    if (list != 0)
        levels[depth++] = (struct level){list + 1, j->nodes[list].next, MED_CONCEPT_NONE};
    while (depth > 0) {
        struct level *at = &levels[depth - 1];
        med_concept c;
        if (at->at >= at->end) {
            depth--;
            continue;
        }
        uint32_t node = at->at;
        at->at = j->nodes[node].next;
        if (med_json_kind_at(j, node) != MED_JSON_OBJECT)
            return MED_FAIL(err, MED_ISSUE_INVALID, "a concept of the CodeSystem is no object");
        if (!read_concept(r, node, at->parent, &c, err))
            return false;
        list = list_of(j, node);
        if (list != 0 && depth < MED_JSON_DEPTH)
            levels[depth++] = (struct level){list + 1, j->nodes[list].next, c};
    }
    return true;
}

static void link_pending(reader *r)
{
    for (const struct pending *p = r->pending; p != NULL; p = p->next) {
        med_concept other = med_image_builder_find(r->b, p->other);
        if (other != MED_CONCEPT_NONE)
            med_image_builder_parent(r->b, p->is_child ? other : p->concept,
                                     p->is_child ? p->concept : other);
    }
}

/* ---- the whole ---- */

static enum med_content content_named(med_str name)
{
    static const struct {
        const char *name;
        enum med_content content;
    } all[] = {{"fragment", MED_CONTENT_FRAGMENT},
               {"example", MED_CONTENT_EXAMPLE},
               {"not-present", MED_CONTENT_NOT_PRESENT},
               {"supplement", MED_CONTENT_SUPPLEMENT}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (med_str_eqz(name, all[i].name))
            return all[i].content;
    }
    return MED_CONTENT_COMPLETE;
}

static bool read_head(reader *r, uint32_t root, bool brief, med_image_head *head)
{
    static const char *const full[] = {"concept", "text", NULL};
    static const char *const most[] = {"concept",      "text",      "contact",   "identifier",
                                       "description",  "meta",      "extension", "useContext",
                                       "property",     "filter",    "purpose",   "copyright",
                                       "jurisdiction", "publisher", NULL};
    med_str content, sensitive;
    if (!med_json_text(r->a, r->j, root, "url", &head->url)
        || !med_json_text(r->a, r->j, root, "version", &head->version)
        || !med_json_text(r->a, r->j, root, "language", &head->language)
        || !med_json_text(r->a, r->j, root, "supplements", &head->supplements)
        || !med_json_text(r->a, r->j, root, "content", &content)
        || !med_json_text(r->a, r->j, root, "caseSensitive", &sensitive)
        || !med_json_without(r->a, r->j, root, brief ? most : full, &head->meta))
        return false;
    head->content = content_named(content);
    head->case_sensitive = !med_str_eqz(sensitive, "false");
    return true;
}

bool med_hierarchy_check(med_arena *a, const med_image_builder *b, med_str where, med_err *err)
{
    med_concept at[MED_CIRCLE];
    size_t n;
    uint32_t mark;
    med_str way = MED_STR_EMPTY;
    med_image_builder_circle(b, at, &n, &mark);
    if (n == 0)
        return true;
    for (size_t i = 0; i <= n; i++) {
        med_str code = med_image_builder_code(b, at[i % n]);
        way = med_arena_printf(a, "%.*s%s%.40s", MED_STR_ARG(way), i > 0 ? " > " : "",
                               med_arena_printf(a, "%.*s", MED_STR_ARG(code)).ptr);
    }
    return MED_FAIL(err, MED_ISSUE_INVALID,
                    "%.*sthe hierarchy goes in a circle: %.*s; nothing was changed",
                    MED_STR_ARG(where), MED_STR_ARG(way));
}

bool med_code_system_compile(med_arena *a, const med_json *j, uint32_t root, unsigned how,
                             med_buf *out, med_err *err)
{
    med_image_head head = {0};
    reader *r = MED_TAKE(a, 1, reader);
    if (r == NULL)
        return MED_FAIL_MEMORY(err);
    r->a = a;
    r->j = j;
    r->last = &r->pending;
    r->b = med_image_builder_new();
    bool ok = r->b != NULL && read_head(r, root, (how & MED_COMPILE_BRIEF) != 0, &head)
              && read_defs(r, root);
    if (!ok)
        (void)MED_FAIL_MEMORY(err);
    else
        ok = read_concepts(r, root, err);
    if (ok) {
        link_pending(r);
        head.index_words = med_image_builder_count(r->b) >= MED_INDEX_WORDS_FROM;
        ok = med_image_builder_finish(r->b, &head, out, err)
             && ((how & MED_COMPILE_STRICT) == 0
                 || med_hierarchy_check(a, r->b, MED_STR_EMPTY, err));
    }
    med_image_builder_free(r->b);
    return ok;
}
