/* config.c - see config.h. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 1 << 20 };
#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

static const med_config_key keys[] = {
    {"admin.listen", MED_CONFIG_TEXT, "127.0.0.1:9464", 0, 0,
     "management address: /metrics and detailed health; empty = none"},
    {"auth.mode", MED_CONFIG_WORD, "on", 0, 0,
     "on | off; off only serves a loopback address or a unix socket"},
    {"fhir.base_url", MED_CONFIG_TEXT, "", 0, 0,
     "public base URL (https://host/fhir); empty = http://LISTEN/fhir"},
    {"fhir.bundle_entries", MED_CONFIG_INT, "10000", 1, 1000000,
     "most entries of one batch or transaction"},
    {"fhir.cascade_limit", MED_CONFIG_INT, "1000", 1, 1000000,
     "most resources one cascading or conditional delete removes"},
    {"fhir.check_codes", MED_CONFIG_BOOL, "true", 0, 0,
     "check codes of required bindings with a known short list"},
    {"fhir.check_references", MED_CONFIG_BOOL, "true", 0, 0,
     "local references must exist; what is referenced can not be deleted"},
    {"fhir.count_default", MED_CONFIG_INT, "20", 1, 1000, "page size when _count is absent"},
    {"fhir.count_max", MED_CONFIG_INT, "1000", 1, 10000, "largest page size"},
    {"fhir.idempotency_seconds", MED_CONFIG_INT, "86400", 60, 2592000,
     "how long an Idempotency-Key is remembered"},
    {"fhir.multiple_delete", MED_CONFIG_BOOL, "false", 0, 0,
     "a conditional delete may remove several resources"},
    {"fhir.page_time", MED_CONFIG_INT, "10000", 1, 25000,
     "milliseconds after which a page of a search ends, full or not"},
    {"fhir.search_cost", MED_CONFIG_INT, "30000", 0, 3600000,
     "milliseconds a search may take by its estimate, else it is refused; 0 = any"},
    {"fhir.update_as_create", MED_CONFIG_BOOL, "true", 0, 0,
     "PUT to an unknown id creates the resource"},
    {"fhir.zone", MED_CONFIG_TEXT, "+00:00", 0, 0,
     "zone of dates that name none; the index rests on it, so choose it once"},
    {"http.arena", MED_CONFIG_BYTES, "512MiB", 16 * MIB, 64 * GIB,
     "most memory one request may use"},
    {"http.behind_proxy", MED_CONFIG_LIST, "", 0, 0,
     "addresses whose X-Forwarded-For and X-Forwarded-Proto are believed"},
    {"http.bodies_in_flight", MED_CONFIG_BYTES, "512MiB", MIB, 64 * GIB,
     "bytes of all request bodies being received"},
    {"http.body", MED_CONFIG_BYTES, "64MiB", KIB, GIB, "largest request body, also inflated"},
    {"http.body_rate", MED_CONFIG_INT, "1024", 1, 1000000000,
     "least bytes a second of a request body"},
    {"http.certificate", MED_CONFIG_TEXT, "", 0, 0, "PEM file: certificate chain for TLS"},
    {"http.connections", MED_CONFIG_INT, "10000", 1, 1000000, "most open connections"},
    {"http.connections_per_address", MED_CONFIG_INT, "1000", 1, 1000000,
     "most open connections of one address"},
    {"http.cors_origins", MED_CONFIG_LIST, "", 0, 0, "origins that scripts may call from; * = any"},
    {"http.head", MED_CONFIG_BYTES, "32KiB", KIB, MIB, "largest request head"},
    {"http.head_seconds", MED_CONFIG_INT, "10", 1, 3600, "time for a request's head"},
    {"http.hosts", MED_CONFIG_LIST, "", 0, 0,
     "Host values that are served; empty = the listen address' own and localhost"},
    {"http.idle_seconds", MED_CONFIG_INT, "75", 1, 3600, "keep-alive time of an idle connection"},
    {"http.key", MED_CONFIG_TEXT, "", 0, 0, "PEM file: private key for TLS"},
    {"http.listen", MED_CONFIG_TEXT, "127.0.0.1:8080", 0, 0, "HOST:PORT or unix:PATH"},
    {"http.loops", MED_CONFIG_INT, "0", 0, 256, "event loops; 0 = one a core"},
    {"log.format", MED_CONFIG_WORD, "logfmt", 0, 0, "logfmt | json"},
    {"log.level", MED_CONFIG_WORD, "info", 0, 0, "error | warn | info | debug"},
    {"search.content", MED_CONFIG_BOOL, "true", 0, 0,
     "list all words of resources for _content; else only those of narratives, for _text"},
    {"store.cache", MED_CONFIG_BYTES, "64MiB", MIB, 64 * GIB,
     "page cache of the writing connection"},
    {"store.data", MED_CONFIG_TEXT, "medulla-data", 0, 0, "data directory"},
    {"store.queue", MED_CONFIG_INT, "4096", 1, 1000000, "most commits waiting"},
    {"store.recent", MED_CONFIG_BYTES, "16MiB", MIB, 64 * GIB,
     "resources kept in memory for reads by id"},
    {"store.reader_cache", MED_CONFIG_BYTES, "8MiB", MIB, 64 * GIB, "page cache of each reader"},
    {"store.replica", MED_CONFIG_TEXT, "", 0, 0,
     "with PostgreSQL: CONNINFO of streaming standbys to read from, ';' between them"},
    {"store.replica_lag", MED_CONFIG_INT, "2000", 100, 3600000,
     "milliseconds that what is read from a replica may be old; beyond: from the primary"},
    {"store.url", MED_CONFIG_TEXT, "sqlite", 0, 0,
     "sqlite (in the data directory) or postgres:CONNINFO, as libpq takes it, without a password"},
    {"store.wal", MED_CONFIG_BYTES, "32MiB", MIB, 64 * GIB, "write-ahead log while serving"},
    {"store.wal_bulk", MED_CONFIG_BYTES, "128MiB", MIB, 64 * GIB,
     "write-ahead log while importing"},
    {"validation.enforce", MED_CONFIG_WORD, "base", 0, 0,
     "base | structure; what a write is refused for: all that base R4 says, or structure only"},
    {"validation.profiles", MED_CONFIG_TEXT, "none", 0, 0,
     "none | claimed | canonicals; profiles that a write must keep: those in its meta.profile, or "
     "the listed ones of its type"},
    {"worker.queue", MED_CONFIG_INT, "256", 1, 100000,
     "requests waiting for a worker; beyond: 503"},
    {"worker.quick", MED_CONFIG_INT, "0", 0, 256,
     "with PostgreSQL: workers for reads by id and lone writes; 0 = four a core"},
    {"worker.threads", MED_CONFIG_INT, "0", 0, 256,
     "workers for long requests; 0 = two a core, with PostgreSQL eight"},
};
enum { KEYS = sizeof keys / sizeof *keys };

typedef struct value {
    med_str text;
    enum med_config_source source;
    med_str where;
} value;

struct med_config {
    med_arena *arena;
    value values[KEYS];
};

const med_config_key *med_config_keys(size_t *n)
{
    *n = KEYS;
    return keys;
}

static size_t find_key(med_str name)
{
    size_t i = 0;
    while (i < KEYS && !med_str_eqz(name, keys[i].name))
        i++;
    return i;
}

bool med_config_new(med_arena *a, med_config **out, med_err *err)
{
    med_config *c = MED_TAKE(a, 1, med_config);
    if (c == NULL)
        return MED_FAIL_MEMORY(err);
    c->arena = a;
    for (size_t i = 0; i < KEYS; i++)
        c->values[i] = (value){med_str_from(keys[i].fallback), MED_FROM_DEFAULT, MED_STR_EMPTY};
    *out = c;
    return true;
}

/* "64MiB" -> bytes; a bare number is bytes. */
static bool parse_bytes(med_str text, int64_t *out)
{
    static const struct {
        med_str unit;
        int64_t factor;
    } units[] = {{MED_LIT("KiB"), KIB}, {MED_LIT("MiB"), MIB}, {MED_LIT("GiB"), GIB}};
    int64_t factor = 1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (med_str_ends(text, units[i].unit)) {
            factor = units[i].factor;
            text = med_str_trim(med_str_sub(text, 0, text.len - units[i].unit.len));
        }
    }
    return med_str_to_int64(text, out) && !__builtin_mul_overflow(*out, factor, out);
}

/* The words of a WORD begin its help: "on | off; off only ..." */
static bool is_choice(const med_config_key *key, med_str text, med_err *err)
{
    med_str rest, words = med_str_cut(med_str_from(key->help), ';', &rest);
    med_str all = words;
    while (all.len > 0) {
        if (med_str_eq(med_str_trim(med_str_cut(all, '|', &all)), text))
            return true;
    }
    return MED_FAIL(err, MED_ISSUE_VALUE, "%s must be one of: %.*s", key->name, MED_STR_ARG(words));
}

static bool check_value(const med_config_key *key, med_str text, med_err *err)
{
    int64_t n = 0;
    switch (key->kind) {
    case MED_CONFIG_TEXT:
    case MED_CONFIG_LIST:
        return true;
    case MED_CONFIG_WORD:
        return is_choice(key, text, err);
    case MED_CONFIG_BOOL:
        return med_str_eqz(text, "true") || med_str_eqz(text, "false")
                   ? true
                   : MED_FAIL(err, MED_ISSUE_VALUE, "%s must be true or false", key->name);
    case MED_CONFIG_INT:
        if (!med_str_to_int64(text, &n))
            return MED_FAIL(err, MED_ISSUE_VALUE, "%s must be a whole number", key->name);
        break;
    case MED_CONFIG_BYTES:
        if (!parse_bytes(text, &n))
            return MED_FAIL(err, MED_ISSUE_VALUE, "%s must be a size such as 512KiB or 64MiB",
                            key->name);
        break;
    }
    if (n < key->low || n > key->high)
        return MED_FAIL(err, MED_ISSUE_VALUE, "%s must lie between %lld and %lld", key->name,
                        (long long)key->low, (long long)key->high);
    return true;
}

static bool unknown_key(med_str key, med_str where, med_err *err)
{
    med_str names[KEYS];
    for (size_t i = 0; i < KEYS; i++)
        names[i] = med_str_from(keys[i].name);
    med_str nearest = med_str_nearest(key, names, KEYS);
    return MED_FAIL(err, MED_ISSUE_VALUE, "%.*s: unknown setting '%.*s'%s%.*s", MED_STR_ARG(where),
                    MED_STR_ARG(key), nearest.len > 0 ? "; nearest: " : "", MED_STR_ARG(nearest));
}

bool med_config_set(med_config *c, med_str key, med_str text, enum med_config_source source,
                    med_str where, med_err *err)
{
    size_t i = find_key(key);
    if (i == KEYS)
        return unknown_key(key, where, err);
    med_err why = {0};
    if (!check_value(&keys[i], text, &why))
        return MED_FAIL(err, MED_ISSUE_VALUE, "%.*s: %s", MED_STR_ARG(where), why.text);
    c->values[i].source = source;
    return med_arena_copy(c->arena, text, &c->values[i].text)
                   && med_arena_copy(c->arena, where, &c->values[i].where)
               ? true
               : MED_FAIL_MEMORY(err);
}

/* ---- file ---- */

static med_str strip_comment(med_str line)
{
    bool quoted = false;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '"')
            quoted = !quoted;
        if (line.ptr[i] == '#' && !quoted)
            return med_str_sub(line, 0, i);
    }
    return line;
}

static med_str unquote(med_str s)
{
    bool quoted = s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"';
    return quoted ? med_str_sub(s, 1, s.len - 1) : s;
}

static bool read_line(med_config *c, med_str line, med_str where, med_str *section, med_err *err)
{
    line = med_str_trim(strip_comment(line));
    if (line.len == 0)
        return true;
    if (line.ptr[0] == '[' && line.ptr[line.len - 1] == ']') {
        *section = med_str_trim(med_str_sub(line, 1, line.len - 1));
        return true;
    }
    if (med_str_find(line, '=', 0) == line.len)
        return MED_FAIL(err, MED_ISSUE_VALUE, "%.*s: expected 'key = value' or '[section]'",
                        MED_STR_ARG(where));
    med_str text;
    med_str name = med_str_trim(med_str_cut(line, '=', &text));
    med_str key = section->len == 0 ? name
                                    : med_arena_printf(c->arena, "%.*s.%.*s", MED_STR_ARG(*section),
                                                       MED_STR_ARG(name));
    return med_config_set(c, key, unquote(med_str_trim(text)), MED_FROM_FILE, where, err);
}

static bool read_file(med_config *c, med_str path, med_str *out, med_err *err)
{
    med_str z;
    if (!med_arena_copy(c->arena, path, &z))
        return MED_FAIL_MEMORY(err);
    int fd = open(z.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "can not open the configuration file %.*s: %s",
                        MED_STR_ARG(path), strerrordesc_np(errno));
    char *bytes = MED_TAKE(c->arena, FILE_BYTES, char);
    ssize_t n = bytes == NULL ? -1 : read(fd, bytes, FILE_BYTES);
    (void)close(fd);
    if (n < 0 || n == FILE_BYTES)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG,
                        "can not read the configuration file %.*s (1 MiB at most)",
                        MED_STR_ARG(path));
    *out = (med_str){bytes, (size_t)n};
    return true;
}

bool med_config_file(med_config *c, med_str path, med_err *err)
{
    med_str rest, section = MED_STR_EMPTY;
    if (!read_file(c, path, &rest, err))
        return false;
    for (size_t line = 1; rest.len > 0; line++) {
        med_str where = med_arena_printf(c->arena, "%.*s:%zu", MED_STR_ARG(path), line);
        if (!read_line(c, med_str_cut(rest, '\n', &rest), where, &section, err))
            return false;
    }
    return true;
}

/* ---- environment ---- */

/* MEDULLA_HTTP_HEAD_SECONDS -> http.head_seconds: the first '_' ends the section. */
static med_str key_of_variable(med_arena *a, med_str variable)
{
    med_str key = med_arena_printf(a, "%.*s", MED_STR_ARG(variable));
    char *at = a == NULL ? NULL : MED_TAKE(a, key.len + 1, char);
    bool dot = false;
    for (size_t i = 0; at != NULL && i < key.len; i++) {
        char ch = key.ptr[i];
        at[i] = med_is_upper(ch) ? (char)(ch - 'A' + 'a') : ch;
        if (ch == '_' && !dot) {
            at[i] = '.';
            dot = true;
        }
    }
    return at == NULL ? MED_STR_EMPTY : (med_str){at, key.len};
}

/* The test suite's own, which a server that it starts inherits. */
static bool is_of_tests(med_str variable)
{
    static const char *const names[] = {"MEDULLA_BIN", "MEDULLA_LONG", "MEDULLA_ORIGIN",
                                        "MEDULLA_SHARED", "MEDULLA_URL"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_str_eqz(variable, names[i]))
            return true;
    }
    return med_str_starts(variable, MED_STR("MEDULLA_TEST_"));
}

bool med_config_environment(med_config *c, char *const *environment, med_err *err)
{
    static const med_str prefix = MED_LIT("MEDULLA_");
    for (size_t i = 0; environment[i] != NULL; i++) {
        med_str text, entry = med_str_from(environment[i]);
        if (!med_str_starts(entry, prefix))
            continue;
        med_str name = med_str_cut(entry, '=', &text);
        if (is_of_tests(name))
            continue;
        med_str key = key_of_variable(c->arena, med_str_skip(name, prefix.len));
        if (!med_config_set(c, key, text, MED_FROM_ENVIRONMENT, name, err))
            return false;
    }
    return true;
}

/* ---- values ---- */

static const value *value_of(const med_config *c, const char *key)
{
    size_t i = find_key(med_str_from(key));
    assert(i < KEYS);
    return &c->values[i];
}

med_str med_config_text(const med_config *c, const char *key)
{
    return value_of(c, key)->text;
}

int64_t med_config_int(const med_config *c, const char *key)
{
    int64_t n = 0;
    bool ok = parse_bytes(value_of(c, key)->text, &n);
    assert(ok);
    (void)ok;
    return n;
}

bool med_config_bool(const med_config *c, const char *key)
{
    return med_str_eqz(value_of(c, key)->text, "true");
}

enum med_config_source med_config_source_of(const med_config *c, const char *key)
{
    return value_of(c, key)->source;
}

bool med_config_list(med_arena *a, const med_config *c, const char *key, const med_str **out,
                     size_t *n)
{
    med_str rest = value_of(c, key)->text;
    size_t room = 1;
    for (size_t i = 0; i < rest.len; i++)
        room += rest.ptr[i] == ',';
    med_str *at = MED_TAKE(a, room, med_str);
    *n = 0;
    if (at == NULL)
        return false;
    while (rest.len > 0) {
        med_str one = med_str_trim(med_str_cut(rest, ',', &rest));
        if (one.len > 0)
            at[(*n)++] = one;
    }
    *out = at;
    return true;
}

void med_config_show(const med_config *c, med_buf *out)
{
    static const char *const names[] = {"default", "file", "environment", "flag"};
    for (size_t i = 0; i < KEYS; i++) {
        const value *v = &c->values[i];
        med_buf_printf(out, "%-32s = %-20.*s # %s", keys[i].name, MED_STR_ARG(v->text),
                       names[v->source]);
        if (v->where.len > 0)
            med_buf_printf(out, " %.*s", MED_STR_ARG(v->where));
        med_buf_addc(out, '\n');
    }
}
