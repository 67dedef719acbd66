#include "kit.h"

#include <ftw.h>

#include "../database.h"
#include "store/postgres/postgres.h"

static int64_t kit_now(void *self)
{
    return med_now(&med_clock_system) + ((struct kit *)self)->skew;
}

static int64_t kit_monotonic(void *self)
{
    (void)self;
    return med_monotonic(&med_clock_system);
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
    (void)info;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void open_store(struct kit *k, med_err *err)
{
    const med_sqlite_options sqlite = {
        .data = med_str_from(k->path), .create = true, .clock = &k->clock, .cache_writer = 4 << 20};
    const med_postgres_options postgres = {.conninfo = med_str_from(k->database),
                                           .keys = med_str_from(k->path),
                                           .create = true,
                                           .clock = &k->clock};
    k->store = k->postgres ? med_postgres_open(&postgres, err) : med_sqlite_open(&sqlite, err);
}

struct kit *kit_new(bool postgres)
{
    struct kit *k = calloc(1, sizeof *k);
    med_err err = {0};
    assert_non_null(k);
    (void)snprintf(k->dir, sizeof k->dir, "/tmp/medulla-test-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    (void)snprintf(k->path, sizeof k->path, "%s/store", k->dir);
    k->clock = (med_clock){kit_now, kit_monotonic, k};
    k->arena = med_arena_new((size_t)1 << 30);
    k->forever = med_arena_new((size_t)1 << 30);
    k->postgres = postgres;
    if (postgres)
        test_database_make(k->dir, k->database);
    open_store(k, &err);
    if (k->store == NULL
        || !med_search_schema_new(k->forever, med_pack_core(), k->store, &k->schema, &err)
        || !med_terms_init(&k->terms, k->forever, k->schema, MED_STR("http://here/fhir"), true,
                           &err))
        fail_msg("%s", err.text);
    k->all_terms = k->terms;
    k->known = med_terms_known_of(&k->all_terms);
    med_store_set_terms(k->store, &k->known);
    return k;
}

void kit_open_again(struct kit *k)
{
    med_err err = {0};
    med_store_close(k->store);
    open_store(k, &err);
    if (k->store == NULL)
        fail_msg("%s", err.text);
    med_store_set_terms(k->store, &k->known);
}

void kit_free(struct kit *k)
{
    med_store_close(k->store);
    med_arena_free(k->arena);
    med_arena_free(k->forever);
    if (k->postgres)
        test_database_drop(k->dir);
    (void)nftw(k->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(k);
}

int kit_setup(void **state)
{
    *state = kit_new(test_store_is_postgres());
    return 0;
}

int kit_teardown(void **state)
{
    kit_free(*state);
    return 0;
}

med_str kit_json(struct kit *k, const char *text)
{
    med_str s = med_str_from(text);
    char *copy = MED_TAKE(k->arena, s.len + 1, char);
    assert_non_null(copy);
    for (size_t i = 0; i < s.len; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    return (med_str){copy, s.len};
}

med_rows kit_rows(struct kit *k, med_str json, med_str *type, med_str *id)
{
    med_json j;
    med_rows rows;
    med_err err = {0};
    const med_pack *p = med_pack_core();
    if (!med_json_parse(k->arena, json, &j, NULL, &err))
        fail_msg("%s: %.*s", err.text, MED_STR_ARG(json));
    *type = med_json_raw(&j, med_json_member(&j, 0, MED_STR("resourceType")));
    *id = med_json_raw(&j, med_json_member(&j, 0, MED_STR("id")));
    if (!med_extract(k->schema, k->arena, &j, 0, med_pack_type(p, *type), *id,
                     MED_STR("http://here/fhir"), &rows, &err))
        fail_msg("%s", err.text);
    return rows;
}

static void commit(struct kit *k, med_write *w)
{
    med_err err = {0};
    if (!med_store_prepare(k->store, k->arena, w, &err))
        fail_msg("%s", err.text);
    med_commit c = {.writes = w, .n_writes = 1, .trace = MED_STR_EMPTY};
    if (!med_store_commit_wait(k->store, &c, &err) || c.state != MED_COMMIT_DONE)
        fail_msg("%s %s", err.text, c.err.text);
}

void kit_put(struct kit *k, const char *text)
{
    med_str type, id, json = kit_json(k, text);
    med_rows rows = kit_rows(k, json, &type, &id);
    med_write w = {.kind = MED_WRITE_PUT,
                   .type = med_schema_type(k->schema, med_pack_type(med_pack_core(), type)),
                   .id = id,
                   .text = json,
                   .rows = rows};
    commit(k, &w);
}

void kit_delete(struct kit *k, const char *type, const char *id)
{
    med_write w = {
        .kind = MED_WRITE_DELETE,
        .type = med_schema_type(k->schema, med_pack_type(med_pack_core(), med_str_from(type))),
        .id = med_str_from(id),
        .text = MED_STR_EMPTY,
        .rows.when = MED_TIME_MIN};
    commit(k, &w);
}

const med_query *kit_query(struct kit *k, const char *url, med_err *err)
{
    med_str query, type = med_str_cut(med_str_from(url), '?', &query);
    med_pairs pairs;
    const med_query *q;
    med_search_options options = {.strict = true,
                                  .codes = k->codes,
                                  .base = MED_STR("http://here/fhir"),
                                  .now = INT64_C(1700000000000000),
                                  .default_count = 20,
                                  .max_count = 1000,
                                  .include_limit = k->include_limit};
    med_str member, id, of = med_str_cut(type, '/', &id);
    id = med_str_cut(id, '/', &member);
    med_search_scope scope = {med_pack_type(med_pack_core(), of), id, MED_STR_EMPTY, MED_STR_EMPTY};
    if (id.len > 0) {
        options.scope = &scope;
        type = member;
    }
    if (!med_query_parse(k->arena, query, &pairs, err)
        || !med_query_parse_search(k->schema, k->arena, med_pack_type(med_pack_core(), type),
                                   &pairs, false, &options, &q, err))
        return NULL;
    return q;
}

med_view *kit_view(struct kit *k)
{
    med_err err = {0};
    med_view *v = med_store_view(k->store, 0, med_monotonic(&k->clock) + 600000000, &err);
    if (v == NULL)
        fail_msg("%s", err.text);
    return v;
}

med_str kit_search(struct kit *k, const char *url, med_search_result *first)
{
    med_err err = {0};
    const med_query *q = kit_query(k, url, &err);
    if (q == NULL)
        fail_msg("%s: %s", url, err.text);
    med_view *v = kit_view(k);
    med_buf text;
    med_str page = MED_STR_EMPTY;
    med_buf_init(&text, 1 << 20);
    do {
        med_search_result result;
        if (!med_search_run(k->schema, v, k->arena, q, page, &result, &err))
            fail_msg("%s: %s", url, err.text);
        if (first != NULL && page.len == 0)
            *first = result;
        for (size_t i = 0; i < result.n; i++) {
            bool include = result.entries[i].mode == MED_ENTRY_INCLUDE;
            if (text.len > 0)
                med_buf_addc(&text, ',');
            if (include)
                med_buf_addc(&text, '[');
            med_buf_add(&text, result.entries[i].resource.id);
            if (include)
                med_buf_addc(&text, ']');
        }
        page = result.next;
    } while (page.len > 0);
    med_view_end(v);
    med_str out;
    assert_true(med_arena_copy(k->arena, med_buf_str(&text), &out));
    med_buf_free(&text);
    return out;
}

void kit_list(struct kit *k)
{
    med_err err = {0};
    med_portion versions = {0};
    for (bool done = false; !done;) {
        if (!med_terms_step(&k->terms, k->store, 1, med_monotonic(&k->clock) + INT64_C(60000000),
                            &versions, &done, &err))
            fail_msg("%s", err.text);
    }
}

/* ---- tables ---- */

static int compare_names(const void *a, const void *b)
{
    return med_str_compare(*(const med_str *)a, *(const med_str *)b);
}

static med_str in_order(struct kit *k, med_str ids)
{
    med_str names[64];
    size_t n = 0;
    while (ids.len > 0 && n < COUNT(names))
        names[n++] = med_str_cut(ids, ',', &ids);
    qsort(names, n, sizeof *names, compare_names);
    med_str out = MED_STR_EMPTY;
    for (size_t i = 0; i < n; i++)
        out = med_arena_printf(k->arena, "%.*s%s%.*s", MED_STR_ARG(out), i > 0 ? "," : "",
                               MED_STR_ARG(names[i]));
    return out;
}

/* At once with its total, page by page, and by the number of its commas. */
static bool finds(struct kit *k, const struct kit_case *c)
{
    med_search_result first;
    med_str whole =
        kit_search(k, med_arena_printf(k->arena, "%s&_total=accurate", c->url).ptr, &first);
    med_str paged = kit_search(k, med_arena_printf(k->arena, "%s&_count=1", c->url).ptr, NULL);
    uint64_t expected = c->expected[0] != '\0';
    for (const char *at = c->expected; *at != '\0'; at++)
        expected += *at == ',';
    whole = in_order(k, whole);
    paged = in_order(k, paged);
    if (med_str_eqz(whole, c->expected) && med_str_eq(whole, paged) && first.has_total
        && first.total == expected)
        return true;
    print_error("%s: %.*s | %.*s | total %d, expected %s\n", c->url, MED_STR_ARG(whole),
                MED_STR_ARG(paged), (int)first.total, c->expected);
    return false;
}

void kit_check_finds(struct kit *k, const struct kit_case *cases, size_t n)
{
    unsigned failed = 0;
    for (size_t i = 0; i < n; i++)
        failed += !finds(k, &cases[i]);
    assert_int_equal(failed, 0);
}

void kit_check_orders(struct kit *k, const struct kit_case *cases, size_t n)
{
    unsigned failed = 0;
    for (size_t i = 0; i < n; i++) {
        med_str ids = kit_search(k, cases[i].url, NULL);
        if (!med_str_eqz(ids, cases[i].expected)) {
            print_error("%s: %.*s, expected %s\n", cases[i].url, MED_STR_ARG(ids),
                        cases[i].expected);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

void kit_check_refuses(struct kit *k, const struct kit_case *cases, size_t n)
{
    unsigned failed = 0;
    for (size_t i = 0; i < n; i++) {
        med_err err = {0};
        bool said = kit_query(k, cases[i].url, &err) == NULL
                    && strstr(err.text, cases[i].expected) != NULL
                    && med_err_http_status(&err) / 100 == 4;
        if (!said) {
            print_error("%s: %d \"%s\"\n", cases[i].url, med_err_http_status(&err), err.text);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}
