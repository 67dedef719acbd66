/* term_expand.c - https://hl7.org/fhir/R4/valueset-operation-expand.html */
#include "base/datetime.h"
#include "fhir/interactions.h"
#include "fhir/term_properties.h"
#include "fhir/term_tree.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"
#include "terminology/expand.h"

const char *const med_term_expand_parameters[] = {"url",
                                                  "valueSet",
                                                  "valueSetVersion",
                                                  "context",
                                                  "contextDirection",
                                                  "filter",
                                                  "date",
                                                  "offset",
                                                  "count",
                                                  "includeDesignations",
                                                  "designation",
                                                  "includeDefinition",
                                                  "activeOnly",
                                                  "excludeNested",
                                                  "excludeNotForUI",
                                                  "excludePostCoordinated",
                                                  "displayLanguage",
                                                  "exclude-system",
                                                  "system-version",
                                                  "check-system-version",
                                                  "force-system-version",
                                                  "default-valueset-version",
                                                  "property",
                                                  "limitedExpansion",
                                                  "tx-resource",
                                                  "useSupplement",
                                                  "includeAlternateCodes",
                                                  "cache-id",
                                                  NULL};

typedef struct writer {
    med_term_call *t;
    med_json_writer w;
    const med_value_set *vs;
    med_expansion all;
    bool designations, definitions;
    med_term_told told;
} writer;

/* ---- the request ---- */

static bool read_number(const med_term_call *t, const char *name, size_t *out, med_err *err)
{
    int64_t n;
    med_str text = med_term_param_text(t, name);
    if (text.len == 0)
        return true;
    if (med_str_to_int64(text, &n) && n >= 0 && n <= INT32_MAX) {
        *out = (size_t)n;
        return true;
    }
    (void)MED_FAIL(err, MED_ISSUE_VALUE, "%s must be a whole number that is not negative", name);
    return med_err_status(err, 400);
}

static bool read_request(med_term_call *t, med_expand *e, med_err *err)
{
    med_str rest;
    *e = (med_expand){.filter = med_term_param_text(t, "filter"),
                      .count = SIZE_MAX,
                      .limit = MED_EXPAND_LIMIT,
                      .active_only = med_term_param_is(t, "activeOnly", false),
                      .selectable_only = med_term_param_is(t, "excludeNotForUI", false)};
    e->common_will_do = true;
    med_str *without = MED_TAKE(t->call->arena, t->n_params, med_str);
    const med_term_param *p;
    if (without == NULL)
        return MED_FAIL_MEMORY(err);
    e->without = without;
    for (; (p = med_term_param_at(t, "exclude-system", e->n_without)) != NULL; e->n_without++)
        without[e->n_without] = p->value;
    e->language = med_str_trim(med_str_cut(t->language, ',', &rest));
    e->language = med_str_cut(e->language, ';', &rest);
    return read_number(t, "offset", &e->offset, err) && read_number(t, "count", &e->count, err);
}

static bool refuse(med_term_call *t, const char *id, const char *format, med_str what,
                   enum med_term_kind kind, med_err *err)
{
    med_str hint = med_term_hint(kind, what);
    med_str text = med_arena_printf(t->call->arena, "%s '%.*s' could not be found; %.*s", format,
                                    MED_STR_ARG(what), MED_STR_ARG(hint));
    return med_term_refuse_one(t, 404, "not-found", "not-found", id, MED_STR_EMPTY, text, err);
}

/* What keeps a value set from being expanded at all. */
static bool check_whole(med_term_call *t, const med_value_set *vs, med_str canonical, med_err *err)
{
    if (vs == NULL)
        return refuse(t, "Unable_to_resolve_value_Set_", "A definition for the value Set",
                      canonical, MED_TERM_VALUE_SET, err);
    if (vs->missing_supplement.len > 0)
        return med_term_refuse_one(
            t, 404, "not-found", "not-found", "VALUESET_SUPPLEMENT_MISSING", MED_STR_EMPTY,
            med_arena_printf(t->call->arena, "Required supplement not found: %.*s",
                             MED_STR_ARG(vs->missing_supplement)),
            err);
    if (vs->broken.len > 0)
        return med_term_refuse_one(
            t, 422, "invalid", "vs-invalid", "UNABLE_TO_HANDLE_SYSTEM_FILTER_WITH_NO_VALUE",
            MED_STR("ValueSet.compose.include[0].filter[0]"), vs->broken, err);
    if (vs->missing.len > 0)
        return refuse(t, "VS_EXP_IMPORT_UNK_PINNED", "A definition for the value Set", vs->missing,
                      MED_TERM_VALUE_SET, err);
    if (vs->missing_system.len > 0)
        return refuse(t, "UNKNOWN_CODESYSTEM_EXP",
                      "The value set can not be expanded: a definition for CodeSystem",
                      vs->missing_system, MED_TERM_CODE_SYSTEM, err);
    return true;
}

/* ---- expansion.parameter ---- */

static void parameter(writer *w, const char *name, const char *type, med_str value)
{
    if (value.len == 0)
        return;
    med_json_open(&w->w, '{');
    med_json_pair(&w->w, "name", med_str_from(name));
    med_json_key(&w->w, med_str_from(type));
    if (strcmp(type, "valueBoolean") == 0 || strcmp(type, "valueInteger") == 0)
        med_json_raw_value(&w->w, value);
    else
        med_json_str(&w->w, value);
    med_json_close(&w->w, '}');
}

static med_str versioned(med_arena *a, med_str url, med_str version)
{
    return version.len == 0
               ? url
               : med_arena_printf(a, "%.*s|%.*s", MED_STR_ARG(url), MED_STR_ARG(version));
}

/* Each once, in the order of the parts. */
static void used(writer *w, med_str *seen, size_t *n, const char *name, med_str what)
{
    enum { MOST = 256 };
    for (size_t i = 0; i < *n; i++) {
        if (med_str_eq(seen[i], what))
            return;
    }
    if (*n < MOST)
        seen[(*n)++] = what;
    parameter(w, name, "valueUri", what);
}

/* One that is contained has no name outside. */
static bool is_inside(const med_value_set *vs, const med_value_set *inner)
{
    return inner->json == vs->json && inner->node > vs->node
           && inner->node < vs->json->nodes[vs->node].next;
}

static void used_by_parts(writer *w, const med_part *parts, size_t n_parts, med_str *seen,
                          size_t *n)
{
    med_arena *a = w->t->call->arena;
    for (size_t i = 0; i < n_parts; i++) {
        const med_part *p = &parts[i];
        for (size_t k = 0; k < p->n_sets; k++) {
            if (!is_inside(w->vs, p->sets[k]))
                used(w, seen, n, "used-valueset",
                     versioned(a, p->sets[k]->url, p->sets[k]->version));
        }
        if (p->system.len == 0 || p->sys == NULL)
            continue;
        used(w, seen, n, "used-codesystem", versioned(a, p->system, p->sys->version));
        for (size_t k = 0; k < p->sys->n_supplements; k++) {
            const med_image *s = p->sys->supplements[k];
            used(w, seen, n, "used-supplement",
                 versioned(a, med_image_url(s), med_image_version(s)));
        }
    }
}

/* Systems of what was imported, from the codes themselves. */
static void used_by_hits(writer *w, med_str *seen, size_t *n)
{
    const med_system *last = NULL;
    for (size_t i = 0; i < w->all.n; i++) {
        const med_system *s = w->all.at[i].sys;
        if (s == NULL || s == last)
            continue;
        last = s;
        used(w, seen, n, "used-codesystem", versioned(w->t->call->arena, s->url, s->version));
    }
}

/* A list of languages with weights as it was understood. */
static med_str spaced(med_arena *a, med_str languages)
{
    med_str out = MED_STR_EMPTY;
    if (med_str_find(languages, ';', 0) == languages.len)
        return languages;
    while (languages.len > 0) {
        med_str one = med_str_trim(med_str_cut(languages, ',', &languages));
        out = med_arena_printf(a, "%.*s%s%.*s", MED_STR_ARG(out), out.len > 0 ? ", " : "",
                               MED_STR_ARG(one));
    }
    return out;
}

static void write_parameters(writer *w)
{
    static const struct {
        const char *name, *type;
    } echoed[] = {{"filter", "valueString"},
                  {"offset", "valueInteger"},
                  {"count", "valueInteger"},
                  {"activeOnly", "valueBoolean"},
                  {"default-valueset-version", "valueUri"},
                  {"designation", "valueString"},
                  {"excludeNested", "valueBoolean"},
                  {"excludeNotForUI", "valueBoolean"},
                  {"includeDefinition", "valueBoolean"},
                  {"includeDesignations", "valueBoolean"}};
    med_str *seen = MED_TAKE(w->t->call->arena, 256, med_str);
    size_t n = 0;
    med_json_key(&w->w, MED_STR("parameter"));
    med_json_open(&w->w, '[');
    for (size_t i = 0; i < sizeof echoed / sizeof *echoed; i++) {
        const med_term_param *p;
        for (size_t k = 0; (p = med_term_param_at(w->t, echoed[i].name, k)) != NULL; k++)
            parameter(w, echoed[i].name, echoed[i].type, p->value);
    }
    parameter(w, "displayLanguage", "valueCode", spaced(w->t->call->arena, w->t->language));
    if (w->vs->crosses_versions && w->vs->versions_match)
        parameter(w, "versionsMatch", "valueBoolean", MED_STR("true"));
    if (seen != NULL) {
        used_by_parts(w, w->vs->includes, w->vs->n_includes, seen, &n);
        used_by_parts(w, w->vs->excludes, w->vs->n_excludes, seen, &n);
        used_by_hits(w, seen, &n);
    }
    med_json_close(&w->w, ']');
}

static void open_once(writer *w, const char *key, bool *opened)
{
    if (!*opened) {
        med_json_key(&w->w, med_str_from(key));
        med_json_open(&w->w, '[');
    }
    *opened = true;
}

/* ---- designations ---- */

typedef struct shown {
    med_str text, language;
} shown;

/* designation=urn:ietf:bcp:47|de, or system|code of a use; none given: all. */
static bool wants_designation(const writer *w, const med_designation *d)
{
    const med_term_param *p;
    for (size_t i = 0; (p = med_term_param_at(w->t, "designation", i)) != NULL; i++) {
        med_str code, system = med_str_cut(p->value, '|', &code);
        if (med_str_eqz(system, "urn:ietf:bcp:47") && med_str_eq_ignore_case(code, d->language))
            return true;
        if (med_str_eq(system, d->use_system) && med_str_eq(code, d->use_code))
            return true;
    }
    return med_term_param_at(w->t, "designation", 0) == NULL;
}

/* The display is not told twice: not the same text in the same language. */
static void write_designation(writer *w, const med_designation *d, const shown *display,
                              bool *opened)
{
    if (!wants_designation(w, d)
        || (med_str_eq(d->value, display->text) && d->use_code.len == 0
            && (d->language.len == 0 || med_str_eq_ignore_case(d->language, display->language))))
        return;
    open_once(w, "designation", opened);
    med_json_open(&w->w, '{');
    if (d->extensions.len > 0) {
        med_json_key(&w->w, MED_STR("extension"));
        med_json_raw_value(&w->w, d->extensions);
    }
    med_json_pair(&w->w, "language", d->language);
    if (d->use_code.len > 0) {
        med_json_key(&w->w, MED_STR("use"));
        med_term_write_coding(&w->w, d->use_system, MED_STR_EMPTY, d->use_code, d->use_display);
    }
    med_json_pair(&w->w, "value", d->value);
    med_json_close(&w->w, '}');
}

static void write_listed(writer *w, const med_code_hit *h, const shown *display, bool *opened)
{
    const med_json *j = h->set == NULL ? NULL : h->set->json;
    med_arena *a = w->t->call->arena;
    if (j == NULL || h->listed == NULL)
        return;
    uint32_t list = med_json_member(j, h->listed->node, MED_STR("designation"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_designation d;
        if (!med_designation_read(a, j, e, &d))
            return;
        write_designation(w, &d, display, opened);
    }
}

static void write_designations(writer *w, const med_code_hit *h, const shown *display)
{
    bool opened = false;
    med_designation d;
    const med_image *m = h->sys == NULL ? NULL : h->sys->image;
    if (!w->designations)
        return;
    write_listed(w, h, display, &opened);
    if (m != NULL && h->concept != MED_CONCEPT_NONE) {
        med_str own = med_concept_display(m, h->concept);
        if (!med_str_eq(own, display->text)) {
            d = (med_designation){
                med_image_language(m),
                MED_STR("http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra"),
                MED_STR("preferredForLanguage"),
                MED_STR("Preferred For Language"),
                own,
                MED_STR_EMPTY};
            write_designation(w, &d, display, &opened);
        }
        for (size_t i = 0; med_concept_designation(m, h->concept, i, &d); i++)
            write_designation(w, &d, display, &opened);
        for (size_t k = 0; k < h->sys->n_supplements; k++) {
            const med_image *s = h->sys->supplements[k];
            for (size_t i = 0; med_concept_designation(s, med_image_find(s, h->code), i, &d); i++)
                write_designation(w, &d, display, &opened);
        }
    }
    if (opened)
        med_json_close(&w->w, ']');
}

/* ---- extensions ---- */

/* What a value set says of a code that it lists, told as it stands there. */
static bool is_echoed(const med_json *j, uint32_t e)
{
    static const char *const names[] = {"valueset-deprecated", "valueset-concept-definition",
                                        "rendering-style", "rendering-xhtml"};
    med_str start = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    uint32_t url = med_json_member(j, e, MED_STR("url"));
    med_str text = url == 0 ? MED_STR_EMPTY : med_json_raw(j, url);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_str_starts(text, start) && med_str_eqz(med_str_skip(text, start.len), names[i]))
            return true;
    }
    return false;
}

static void write_extensions_of(writer *w, const med_image *m, med_concept c, bool *opened)
{
    med_concept_property p;
    for (size_t i = 0; med_concept_property_at(m, c, i, &p); i++) {
        if (!med_property_is_extension(&p))
            continue;
        open_once(w, "extension", opened);
        med_json_open(&w->w, '{');
        med_json_pair(&w->w, "url", p.code);
        med_term_write_value(&w->w, &p);
        med_json_close(&w->w, '}');
    }
}

static void write_extensions(writer *w, const med_code_hit *h)
{
    bool opened = false;
    const med_json *j = h->set == NULL || h->listed == NULL ? NULL : h->set->json;
    uint32_t list = j == NULL ? 0 : med_json_member(j, h->listed->node, MED_STR("extension"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (!is_echoed(j, e))
            continue;
        open_once(w, "extension", &opened);
        med_json_value(&w->w, j, e);
    }
    if (h->sys != NULL && h->sys->image != NULL && h->concept != MED_CONCEPT_NONE) {
        write_extensions_of(w, h->sys->image, h->concept, &opened);
        for (size_t k = 0; k < h->sys->n_supplements; k++)
            write_extensions_of(w, h->sys->supplements[k],
                                med_image_find(h->sys->supplements[k], h->code), &opened);
    }
    if (opened)
        med_json_close(&w->w, ']');
}

/* ---- the answer ---- */

/* Without its end: there may be codes below it. */
static void open_entry(writer *w, const med_code_hit *h, bool with_version)
{
    bool has;
    unsigned flags = med_code_hit_flags(h);
    shown display = {.language = MED_STR_EMPTY};
    display.text = med_term_display_in(h, w->t->language, &has, &display.language);
    if (!has && med_term_language_only(w->t->language))
        display.text = MED_STR_EMPTY; /* only these languages, it says: better no display */
    med_json_open(&w->w, '{');
    write_extensions(w, h);
    med_json_pair(&w->w, "system", h->system);
    if ((flags & MED_CONCEPT_ABSTRACT) != 0) {
        med_json_key(&w->w, MED_STR("abstract"));
        med_json_bool(&w->w, true);
    }
    if ((flags & MED_CONCEPT_INACTIVE) != 0) {
        med_json_key(&w->w, MED_STR("inactive"));
        med_json_bool(&w->w, true);
    }
    if (with_version && h->sys != NULL)
        med_json_pair(&w->w, "version", h->sys->version);
    med_json_pair(&w->w, "code", h->code);
    med_json_pair(&w->w, "display", display.text);
    write_designations(w, h, &display);
    med_term_told_write(&w->told, &w->w, h);
}

static void write_list(writer *w, bool with_version)
{
    for (size_t i = 0; i < w->all.n; i++) {
        open_entry(w, &w->all.at[i], with_version);
        med_json_close(&w->w, '}');
    }
}

static uint32_t put_in_front(med_term_tree *tree, uint32_t list, uint32_t rest)
{
    uint32_t last = list;
    while (tree->sibling[last] != MED_TREE_NONE)
        last = tree->sibling[last];
    tree->sibling[last] = rest;
    return list;
}

/* Each code with those below it; the way down is kept on a stack of its own. */
static bool write_tree(writer *w, bool with_version)
{
    enum { DEPTH = 28 }; /* JSON of 64 levels has room for them; deeper codes stand beside */
    uint32_t next[DEPTH];
    size_t depth = 1;
    med_term_tree tree;
    if (!med_term_tree_make(w->t->call->arena, &w->all, &tree))
        return false;
    next[0] = tree.top;
    while (depth > 0) {
        uint32_t i = next[depth - 1];
        if (i == MED_TREE_NONE) {
            if (--depth > 0) {
                med_json_close(&w->w, ']');
                med_json_close(&w->w, '}');
            }
            continue;
        }
        open_entry(w, &w->all.at[i], with_version);
        next[depth - 1] = tree.sibling[i];
        if (tree.child[i] != MED_TREE_NONE && depth < DEPTH) {
            med_json_key(&w->w, MED_STR("contains"));
            med_json_open(&w->w, '[');
            next[depth++] = tree.child[i];
        } else {
            med_json_close(&w->w, '}');
            if (tree.child[i] != MED_TREE_NONE)
                next[depth - 1] = put_in_front(&tree, tree.child[i], tree.sibling[i]);
        }
    }
    return true;
}

/* As a tree only for who asks for it, and only the whole: a page of a tree is none. */
static bool wants_tree(const med_term_call *t)
{
    return med_term_param_at(t, "excludeNested", 0) != NULL
           && !med_term_param_is(t, "excludeNested", true)
           && med_term_param_at(t, "count", 0) == NULL && med_term_param_at(t, "offset", 0) == NULL;
}

/* https://hl7.org/fhir/R4/extension-valueset-unclosed.html */
static void write_open(med_json_writer *w)
{
    med_json_key(w, MED_STR("extension"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_pair(w, "url", MED_STR("http://hl7.org/fhir/StructureDefinition/valueset-unclosed"));
    med_json_key(w, MED_STR("valueBoolean"));
    med_json_bool(w, true);
    med_json_close(w, '}');
    med_json_close(w, ']');
}

static void write_expansion(writer *w)
{
    char now[MED_INSTANT_LEN], uuid[MED_UUID_LEN];
    const med_fhir *f = w->t->call->fhir;
    bool with_version = w->vs->crosses_versions;
    med_instant_format(med_now(f->clock), now);
    med_random_uuid(f->random, uuid);
    med_json_key(&w->w, MED_STR("expansion"));
    med_json_open(&w->w, '{');
    if (w->all.is_open)
        write_open(&w->w);
    med_json_pair(&w->w, "identifier",
                  med_arena_printf(w->t->call->arena, "urn:uuid:%.*s", MED_UUID_LEN, uuid));
    med_json_pair(&w->w, "timestamp", (med_str){now, sizeof now});
    med_json_key(&w->w, MED_STR("total"));
    med_json_int(&w->w, (int64_t)w->all.total);
    if (med_term_param_at(w->t, "count", 0) != NULL
        || med_term_param_at(w->t, "offset", 0) != NULL) {
        size_t offset = 0;
        med_err ignored;
        (void)read_number(w->t, "offset", &offset, &ignored);
        med_json_key(&w->w, MED_STR("offset"));
        med_json_int(&w->w, (int64_t)offset);
    }
    write_parameters(w);
    w->told = (med_term_told){.t = w->t, .vs = w->vs, .all = &w->all};
    med_term_told_find(&w->told);
    med_term_told_write_defs(&w->told, &w->w);
    if (w->all.n > 0) {
        med_json_key(&w->w, MED_STR("contains"));
        med_json_open(&w->w, '[');
        if (!wants_tree(w->t))
            write_list(w, with_version);
        else if (!write_tree(w, with_version))
            w->w.out->failed = true;
        med_json_close(&w->w, ']');
    }
    med_json_close(&w->w, '}');
}

/* The value set as it was, without compose and the expansion it came with. */
static void write_head(writer *w)
{
    static const char *const left_out[] = {"compose", "expansion", "text", "contained"};
    const med_json *j = w->vs->json;
    uint32_t root = w->vs->node;
    for (uint32_t k = root + 1; k < j->nodes[root].next; k = j->nodes[k + 1].next) {
        bool skip = false;
        for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
            skip = skip || med_str_eqz(med_json_raw(j, k), left_out[i]);
        if (skip)
            continue;
        med_json_raw_key(&w->w, med_json_span(j, k));
        med_json_value(&w->w, j, k + 1);
    }
}

static bool answer(writer *w, med_err *err)
{
    med_buf b;
    med_call *call = w->t->call;
    med_buf_init(&b, (size_t)64 << 20);
    w->w = med_json_writer_to(&b);
    w->designations = med_term_param_is(w->t, "includeDesignations", false)
                      || med_term_param_at(w->t, "designation", 0) != NULL;
    w->definitions = med_term_param_is(w->t, "includeDefinition", false);
    med_json_open(&w->w, '{');
    write_head(w);
    write_expansion(w);
    med_json_close(&w->w, '}');
    bool ok = !b.failed && med_arena_copy(call->arena, med_buf_str(&b), &call->response.body);
    med_buf_free(&b);
    call->response.status = 200;
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* A filter with a page is quick on any system; all else goes to a worker. */
static bool is_short(const med_call *call)
{
    bool paged = false;
    for (size_t i = 0; i < call->request.query.n; i++)
        paged = paged || med_str_eqz(call->request.query.at[i].name, "count");
    return paged;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    med_term_call t;
    med_expand e;
    writer w = {.t = &t};
    med_str canonical;
    if (!call->on_worker && !is_short(call))
        return MED_STEP_AGAIN;
    if (!med_term_call_begin(call, med_term_expand_parameters, &t, err)
        || !read_request(&t, &e, err) || !med_term_call_set(&t, &w.vs, &canonical, err)
        || (!t.refused && !check_whole(&t, w.vs, canonical, err)))
        return MED_STEP_FAILED;
    if (t.refused)
        return MED_STEP_OK;
    if (!med_term_use_own_language(&t, w.vs) || !med_term_expand(&t.x, w.vs, &e, &w.all, err))
        return MED_STEP_FAILED;
    return answer(&w, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

#define EXPAND(variable, how, where)                                                               \
    const med_interaction variable = {.name = "expand",                                            \
                                      .method = (how),                                             \
                                      .level = (where),                                            \
                                      .operation = "$expand",                                      \
                                      .types = "ValueSet",                                         \
                                      .prepare = prepare}
EXPAND(med_interaction_expand, MED_GET, MED_LEVEL_TYPE);
EXPAND(med_interaction_expand_post, MED_POST, MED_LEVEL_TYPE);
EXPAND(med_interaction_expand_instance, MED_GET, MED_LEVEL_INSTANCE);
EXPAND(med_interaction_expand_instance_post, MED_POST, MED_LEVEL_INSTANCE);
