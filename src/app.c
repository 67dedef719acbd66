/* app.c - see app.h. */
#include "app.h"

#include <unistd.h>

#include "base/datetime.h"
#include "fhir/interactions.h"
#include "fhir/term_store.h"
#include "package/packages.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (unsigned)n;
}

static void open_log(med_app *app)
{
    static const struct {
        const char *name;
        enum med_log_level level;
    } levels[] = {{"error", MED_LOG_ERROR},
                  {"warn", MED_LOG_WARN},
                  {"info", MED_LOG_INFO},
                  {"debug", MED_LOG_DEBUG}};
    med_str level = med_config_text(app->config, "log.level");
    bool json = med_str_eqz(med_config_text(app->config, "log.format"), "json");
    app->log = (med_log){.fd = STDERR_FILENO,
                         .level = MED_LOG_INFO,
                         .format = json ? MED_LOG_JSON : MED_LOG_LOGFMT,
                         .clock = &med_clock_system};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (med_str_eqz(level, levels[i].name))
            app->log.level = levels[i].level;
    }
}

/* postgres:CONNINFO and libpq's own postgresql://... */
static bool is_postgres(const med_config *c, med_str *conninfo)
{
    med_str url = med_config_text(c, "store.url");
    *conninfo = url;
    if (med_str_starts(url, MED_STR("postgresql://"))
        || med_str_starts(url, MED_STR("postgres://")))
        return true;
    *conninfo = med_str_skip(url, MED_STR("postgres:").len);
    return med_str_starts(url, MED_STR("postgres:"));
}

/* A core: workers compute, unless they wait for a database. */
enum { WORKERS = 2, FAR_WORKERS = 8, FAR_QUICK = 4 };

static void count_threads(med_app *app)
{
    int64_t loops = med_config_int(app->config, "http.loops");
    int64_t workers = med_config_int(app->config, "worker.threads");
    int64_t quick = med_config_int(app->config, "worker.quick");
    med_str unused;
    app->far = is_postgres(app->config, &unused);
    app->loops = loops > 0 ? (unsigned)loops : cores();
    app->workers = workers > 0 ? (unsigned)workers : (app->far ? FAR_WORKERS : WORKERS) * cores();
    app->quick = !app->far ? app->loops : quick > 0 ? (unsigned)quick : FAR_QUICK * cores();
}

static bool open_sqlite(med_app *app, bool create, med_err *err)
{
    const med_config *c = app->config;
    med_sqlite_options o = {
        .data = med_config_text(c, "store.data"),
        .create = create,
        .readers = med_app_background_slot(app, MED_BACKGROUND_SLOTS),
        .clock = &med_clock_system,
        .random = &med_random_system,
        .log = &app->log,
        .wal_serving = (size_t)med_config_int(c, "store.wal"),
        .wal_bulk = (size_t)med_config_int(c, "store.wal_bulk"),
        .cache_writer = (size_t)med_config_int(c, "store.cache"),
        .cache_reader = (size_t)med_config_int(c, "store.reader_cache"),
        .recent = (size_t)med_config_int(c, "store.recent"),
        .queue_limit = (size_t)med_config_int(c, "store.queue"),
    };
    if (!med_dictionaries_shipped(app->arena, &o.dictionaries, &o.n_dictionaries, err))
        return false;
    app->store = med_sqlite_open(&o, err);
    return app->store != NULL;
}

/* "host=a dbname=x; host=b dbname=x" */
static bool list_replicas(med_app *app, med_postgres_options *o, med_err *err)
{
    med_str rest = med_config_text(app->config, "store.replica");
    med_str *at = MED_TAKE(app->arena, MED_REPLICAS, med_str);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    o->replicas = at;
    while (rest.len > 0) {
        med_str one = med_str_trim(med_str_cut(rest, ';', &rest));
        if (one.len == 0)
            continue;
        if (o->n_replicas == MED_REPLICAS)
            return MED_FAIL(err, MED_ISSUE_VALUE, "store.replica: at most %d", (int)MED_REPLICAS);
        if (med_str_starts(one, MED_STR("postgres:"))
            && !med_str_starts(one, MED_STR("postgres://")))
            one = med_str_skip(one, MED_STR("postgres:").len);
        at[o->n_replicas++] = one;
    }
    o->replica_lag = med_config_int(app->config, "store.replica_lag") * 1000;
    return true;
}

/* The data directory then holds the key, the journal of imports and the admin socket. */
static bool open_postgres(med_app *app, med_str conninfo, bool create, med_err *err)
{
    med_postgres_options o = {
        .conninfo = conninfo,
        .keys = med_config_text(app->config, "store.data"),
        .create = create,
        .readers = med_app_background_slot(app, MED_BACKGROUND_SLOTS),
        .clock = &med_clock_system,
        .random = &med_random_system,
        .log = &app->log,
        .queue_limit = (size_t)med_config_int(app->config, "store.queue"),
    };
    if (!med_dictionaries_shipped(app->arena, &o.dictionaries, &o.n_dictionaries, err)
        || !list_replicas(app, &o, err))
        return false;
    app->store = med_postgres_open(&o, err);
    return app->store != NULL;
}

static bool open_store(med_app *app, bool create, med_err *err)
{
    med_str conninfo;
    if (is_postgres(app->config, &conninfo))
        return open_postgres(app, conninfo, create, err);
    if (med_config_text(app->config, "store.replica").len > 0)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "store.replica goes with a store in PostgreSQL: name it in store.url");
    if (med_str_eqz(med_config_text(app->config, "store.url"), "sqlite"))
        return open_sqlite(app, create, err);
    return MED_FAIL(err, MED_ISSUE_INVALID,
                    "store.url is neither sqlite (in the data directory) nor postgres:CONNINFO");
}

/* "+01:00" -> 60. */
static int zone_minutes(med_str zone)
{
    int64_t hours = 0, minutes = 0;
    med_str rest, first = med_str_cut(zone, ':', &rest);
    if (!med_str_to_int64(first, &hours) || !med_str_to_int64(rest, &minutes))
        return 0;
    bool west = zone.len > 0 && zone.ptr[0] == '-';
    return (int)(hours * 60 + (west ? -minutes : minutes));
}

/* A unix socket has no name that a URL could carry; its clients say localhost. */
static med_str default_base(const med_app *app)
{
    med_str listen = med_config_text(app->config, "http.listen");
    bool tls = med_config_text(app->config, "http.certificate").len > 0;
    if (med_str_starts(listen, MED_STR("unix:")))
        listen = MED_STR("localhost");
    return med_arena_printf(app->arena, "%s://%.*s/fhir", tls ? "https" : "http",
                            MED_STR_ARG(listen));
}

static void free_rules(void *rules)
{
    med_rules_free(rules);
}

/* They live as long as the app: its arena ends them. */
static bool make_rules(med_app *app, med_err *err)
{
    med_rules *rules;
    if (!med_rules_new(app->fhir.pack, &rules, err))
        return false;
    app->fhir.rules = rules;
    return med_arena_defer(app->arena, free_rules, rules) ? true : MED_FAIL_MEMORY(err);
}

static void free_profiles(void *profiles)
{
    med_profiles_free(profiles);
}

static bool make_profiles(med_app *app, med_err *err)
{
    return med_profiles_new(app->fhir.pack, &app->fhir.profiles, err)
           && (med_arena_defer(app->arena, free_profiles, app->fhir.profiles)
               || MED_FAIL_MEMORY(err));
}

/* "none", "claimed", or canonicals with blanks or commas between them. */
static bool read_policy(med_app *app, med_err *err)
{
    enum { LISTED_MAX = 256 };
    med_profile_policy *policy = &app->fhir.policy;
    med_str text = med_str_trim(med_config_text(app->config, "validation.profiles"));
    policy->claimed = med_str_eqz(text, "claimed");
    if (policy->claimed || med_str_eqz(text, "none"))
        return true;
    med_str *listed = MED_TAKE(app->arena, LISTED_MAX, med_str);
    policy->listed = listed;
    if (listed == NULL)
        return MED_FAIL_MEMORY(err);
    while (text.len > 0) {
        size_t end = 0;
        while (end < text.len && !med_is_space(text.ptr[end]) && text.ptr[end] != ',')
            end++;
        med_str one = med_str_sub(text, 0, end);
        text = med_str_trim(med_str_skip(text, end + 1));
        if (one.len == 0)
            continue;
        if (policy->n_listed == LISTED_MAX || med_str_find(one, ':', 0) == one.len)
            return MED_FAIL(err, MED_ISSUE_VALUE,
                            "validation.profiles is none, claimed, or a list of at most %d "
                            "canonicals",
                            LISTED_MAX);
        listed[policy->n_listed++] = one;
    }
    return true;
}

static bool fill_fhir(med_app *app, med_err *err)
{
    const med_config *c = app->config;
    char now[MED_INSTANT_LEN];
    med_instant_format(med_now(&med_clock_system), now);
    med_str enforce = med_config_text(c, "validation.enforce");
    if (!med_str_eqz(enforce, "base") && !med_str_eqz(enforce, "structure"))
        return MED_FAIL(err, MED_ISSUE_VALUE, "validation.enforce is base or structure");
    app->fhir = (med_fhir){
        .pack = med_pack_core(),
        .store = app->store,
        .clock = &med_clock_system,
        .random = &med_random_system,
        .log = &app->log,
        .base = med_config_text(c, "fhir.base_url"),
        .zone_minutes = zone_minutes(med_config_text(c, "fhir.zone")),
        .default_count = (uint32_t)med_config_int(c, "fhir.count_default"),
        .max_count = (uint32_t)med_config_int(c, "fhir.count_max"),
        .search_cost = (uint64_t)med_config_int(c, "fhir.search_cost") * 1000,
        .page_time = (uint64_t)med_config_int(c, "fhir.page_time") * 1000,
        .bundle_entries = (size_t)med_config_int(c, "fhir.bundle_entries"),
        .cascade_limit = (size_t)med_config_int(c, "fhir.cascade_limit"),
        .enforce = med_str_eqz(enforce, "structure") ? MED_ENFORCE_STRUCTURE : MED_ENFORCE_BASE,
        .check_references = med_config_bool(c, "fhir.check_references"),
        .check_codes = med_config_bool(c, "fhir.check_codes"),
        .update_as_create = med_config_bool(c, "fhir.update_as_create"),
        .multiple_delete = med_config_bool(c, "fhir.multiple_delete"),
        .auth_off = med_str_eqz(med_config_text(c, "auth.mode"), "off"),
        .idempotency_seconds = med_config_int(c, "fhir.idempotency_seconds"),
    };
    if (!make_rules(app, err) || !make_profiles(app, err) || !read_policy(app, err))
        return false;
    if (app->fhir.base.len == 0)
        app->fhir.base = default_base(app);
    if (!med_arena_copy(app->arena, (med_str){now, sizeof now}, &app->fhir.started))
        return MED_FAIL_MEMORY(err);
    return med_search_schema_in_zone(app->arena, app->fhir.pack, app->store, app->fhir.zone_minutes,
                                     &app->fhir.schema, err);
}

static bool fill_terms(med_app *app, med_err *err)
{
    bool content = med_config_bool(app->config, "search.content");
    const med_fhir *f = &app->fhir;
    if (!med_terms_init(&app->terms, app->arena, f->schema, f->base, content, err)
        || !med_terms_init(&app->all_terms, app->arena, f->schema, f->base, true, err))
        return false;
    app->known = med_terms_known_of(&app->all_terms);
    med_store_set_terms(app->store, &app->known);
    return true;
}

/* What is built in, and what was imported into DATA/terminology. */
static bool open_terminology(med_app *app, med_err *err)
{
    med_str data = med_config_text(app->config, "store.data");
    med_str folder = med_arena_printf(app->arena, "%.*s/terminology", MED_STR_ARG(data));
    app->fhir.term_watch = med_term_watch_new();
    return app->fhir.term_watch == NULL || folder.len == 0
               ? MED_FAIL_MEMORY(err)
               : med_terminology_open(folder.ptr, &app->fhir.terminology, err);
}

static bool open_packages(med_app *app, med_err *err)
{
    med_str data = med_config_text(app->config, "store.data");
    med_str folder = med_arena_printf(app->arena, "%.*s/packages", MED_STR_ARG(data));
    return folder.len == 0 ? MED_FAIL_MEMORY(err)
                           : med_packages_open(folder.ptr, &app->fhir.packages, err);
}

bool med_app_open(med_app *app, med_arena *a, const med_config *config, bool create, med_err *err)
{
    *app = (med_app){.arena = a, .config = config};
    open_log(app);
    count_threads(app);
    if (!open_store(app, create, err))
        return false;
    if (fill_fhir(app, err) && fill_terms(app, err) && open_terminology(app, err)
        && open_packages(app, err)
        && med_capabilities_text(app->arena, &app->fhir, &app->fhir.capabilities, err)) {
        app->editions =
            med_editions_new(&app->fhir, med_app_background_slot(app, MED_SLOT_EDITIONS), err);
        if (app->editions != NULL)
            return true;
    }
    med_app_close(app);
    return false;
}

const med_fhir *med_app_fhir(const med_app *app, med_arena *a)
{
    return med_editions_hold(app->editions, a);
}

void med_app_close(med_app *app)
{
    med_editions_free(app->editions);
    app->editions = NULL;
    if (app->store != NULL)
        med_store_close(app->store);
    app->store = NULL;
    med_terminology_free(app->fhir.terminology);
    app->fhir.terminology = NULL;
    med_packages_free(app->fhir.packages);
    app->fhir.packages = NULL;
    med_term_watch_free(app->fhir.term_watch);
    app->fhir.term_watch = NULL;
}

bool med_app_upgrade(const med_config *config, med_str *snapshot, unsigned *from, unsigned *to,
                     bool *unchanged, med_err *err)
{
    med_str conninfo;
    if (is_postgres(config, &conninfo)) {
        *unchanged = true;
        *snapshot = MED_STR_EMPTY;
        return med_postgres_upgrade(&(med_postgres_options){.conninfo = conninfo}, from, to, err);
    }
    med_sqlite_upgrade done;
    const med_sqlite_options o = {.data = med_config_text(config, "store.data")};
    bool ok = med_sqlite_upgrade_run(&o, *snapshot, &done, err);
    *from = done.from;
    *to = done.to;
    *unchanged = done.unchanged;
    return ok;
}
