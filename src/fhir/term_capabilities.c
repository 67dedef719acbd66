/* term_capabilities.c - https://hl7.org/fhir/R4/terminologycapabilities.html
 *
 * Written from what is there: the code systems built in, imported and stored, the parameters that
 * $expand reads. A system of which only the name is known (content not-present) is not listed. */
#include "fhir/term_capabilities.h"

#include <stdlib.h>

#include "fhir/searchset.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"
#include "terminology/library.h"

enum { STATEMENT_BYTES = 16 << 20 };

typedef struct listed {
    med_str url, version;
} listed;

typedef struct list {
    med_arena *a;
    listed *at;
    size_t n, room;
} list;

static bool add(list *l, med_str url, med_str version)
{
    listed *more = MED_GROW(l->a, l->at, l->n, &l->room, 1024);
    if (more == NULL)
        return false;
    l->at = more;
    l->at[l->n++] = (listed){url, version};
    return true;
}

static bool add_known(list *l, const med_terminology *terms, med_err *err)
{
    med_library_system s;
    size_t cursor = 0;
    while (med_library_next(terms, l->a, &cursor, &s)) {
        if (s.usable && !add(l, s.url, s.version))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

static bool add_text(list *l, med_str text, med_err *err)
{
    med_json j;
    med_str url, version, content;
    if (!med_json_parse(l->a, text, &j, NULL, err))
        return false;
    if (!med_json_text(l->a, &j, 0, "url", &url) || !med_json_text(l->a, &j, 0, "version", &version)
        || !med_json_text(l->a, &j, 0, "content", &content))
        return MED_FAIL_MEMORY(err);
    if (url.len == 0 || med_str_eqz(content, "not-present") || med_str_eqz(content, "supplement"))
        return true;
    return add(l, url, version) ? true : MED_FAIL_MEMORY(err);
}

static bool add_stored(list *l, med_call *call, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_search_options options = med_searchset_options(call);
    med_pair pairs[] = {{MED_STR("_count"), MED_STR("500")}, {MED_STR("_total"), MED_STR("none")}};
    med_pairs all = {pairs, sizeof pairs / sizeof *pairs};
    med_search_result r = {.next = MED_STR_EMPTY};
    const med_query *q;
    options.max_count = 500;
    if (!med_query_parse_search(f->schema, l->a, med_pack_type(f->pack, MED_STR("CodeSystem")),
                                &all, false, &options, &q, err))
        return false;
    do {
        med_str page = r.next;
        r = (med_search_result){.next = MED_STR_EMPTY};
        if (!med_search_run(f->schema, call->view, l->a, q, page, &r, err))
            return false;
        for (size_t i = 0; i < r.n; i++) {
            if (!add_text(l, r.entries[i].resource.text, err))
                return false;
        }
    } while (r.next.len > 0);
    return true;
}

static int by_url(const void *a, const void *b)
{
    const listed *x = a, *y = b;
    int by = med_str_compare(x->url, y->url);
    return by != 0 ? by : med_str_compare(x->version, y->version);
}

static void write_systems(med_json_writer *w, list *l)
{
    if (l->n > 0)
        qsort(l->at, l->n, sizeof *l->at, by_url);
    med_json_key(w, MED_STR("codeSystem"));
    med_json_open(w, '[');
    for (size_t i = 0; i < l->n; i++) {
        bool first = i == 0 || !med_str_eq(l->at[i].url, l->at[i - 1].url);
        bool last = i + 1 == l->n || !med_str_eq(l->at[i].url, l->at[i + 1].url);
        if (first) {
            med_json_open(w, '{');
            med_json_pair(w, "uri", l->at[i].url);
            if (l->at[i].version.len > 0 || !last) {
                med_json_key(w, MED_STR("version"));
                med_json_open(w, '[');
            }
        }
        bool several = !(first && last);
        if ((l->at[i].version.len > 0 || several)
            && (first || by_url(&l->at[i], &l->at[i - 1]) != 0)) {
            med_json_open(w, '{');
            med_json_pair(w, "code", l->at[i].version.len > 0 ? l->at[i].version : MED_STR("-"));
            if (several && last) {
                med_json_key(w, MED_STR("isDefault"));
                med_json_bool(w, true);
            }
            med_json_close(w, '}');
        }
        if (last) {
            if (l->at[i].version.len > 0 || !first)
                med_json_close(w, ']');
            med_json_key(w, MED_STR("subsumption"));
            med_json_bool(w, true);
            med_json_close(w, '}');
        }
    }
    med_json_close(w, ']');
}

static void flag(med_json_writer *w, const char *name, bool value)
{
    med_json_key(w, med_str_from(name));
    med_json_bool(w, value);
}

static void write_expansion(med_json_writer *w)
{
    med_json_key(w, MED_STR("expansion"));
    med_json_open(w, '{');
    flag(w, "hierarchical", true);
    flag(w, "paging", true);
    flag(w, "incomplete", false);
    med_json_key(w, MED_STR("parameter"));
    med_json_open(w, '[');
    for (size_t i = 0; med_term_expand_parameters[i] != NULL; i++) {
        med_json_open(w, '{');
        med_json_pair(w, "name", med_str_from(med_term_expand_parameters[i]));
        med_json_close(w, '}');
    }
    med_json_close(w, ']');
    med_json_pair(w, "textFilter",
                  MED_STR("each word begins a word of a display or designation, without regard to "
                          "case and accents"));
    med_json_close(w, '}');
}

static void write_rest(med_json_writer *w)
{
    med_json_key(w, MED_STR("validateCode"));
    med_json_open(w, '{');
    flag(w, "translations", true);
    med_json_close(w, '}');
    med_json_key(w, MED_STR("translation"));
    med_json_open(w, '{');
    flag(w, "needsMap", false);
    med_json_close(w, '}');
    med_json_key(w, MED_STR("closure"));
    med_json_open(w, '{');
    flag(w, "translation", false);
    med_json_close(w, '}');
}

void med_capabilities_write_head(med_json_writer *w, const med_fhir *f)
{
    med_json_pair(w, "status", MED_STR("active"));
    med_json_pair(w, "date", f->started);
    med_json_pair(w, "kind", MED_STR("instance"));
    med_json_key(w, MED_STR("software"));
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("Medulla"));
    med_json_pair(w, "version", MED_STR(MED_VERSION));
    med_json_close(w, '}');
    med_json_key(w, MED_STR("implementation"));
    med_json_open(w, '{');
    med_json_pair(w, "description",
                  MED_STR("Medulla, the backbone of a national digital-health system"));
    med_json_pair(w, "url", f->base);
    med_json_close(w, '}');
}

static void write_statement(med_json_writer *w, const med_fhir *f, list *l)
{
    med_json_open(w, '{');
    med_json_pair(w, "resourceType", MED_STR("TerminologyCapabilities"));
    med_json_pair(w, "version", MED_STR(MED_VERSION));
    med_json_pair(w, "name", MED_STR("MedullaTerminology"));
    med_json_pair(w, "title", MED_STR("What this server knows of codes"));
    med_capabilities_write_head(w, f);
    write_systems(w, l);
    write_expansion(w);
    med_json_pair(w, "codeSearch", MED_STR("all"));
    write_rest(w);
    med_json_close(w, '}');
}

bool med_term_capabilities_text(med_call *call, med_str *out, med_err *err)
{
    list l = {.a = call->arena};
    med_buf b;
    if (call->fhir->terminology == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "this server has no terminology");
    if (!add_known(&l, call->fhir->terminology, err) || !add_stored(&l, call, err))
        return false;
    med_buf_init(&b, STATEMENT_BYTES);
    med_json_writer w = med_json_writer_to(&b);
    write_statement(&w, call->fhir, &l);
    bool ok = !b.failed && med_arena_copy(call->arena, med_buf_str(&b), out);
    med_buf_free(&b);
    return ok ? true : MED_FAIL_MEMORY(err);
}
