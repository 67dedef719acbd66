/* config.h - the settings of a medulla process, each with where it came from.
 *
 * defaults < file (--config) < environment (MEDULLA_HTTP_LISTEN) < flags (--listen). One table
 * in config.c names every key, its kind, default and help; docs/configuration.md is made from
 * it. An unknown key or a bad value is an error that names file and line and the nearest key. */
#ifndef MED_CONFIG_H
#define MED_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum med_config_source { MED_FROM_DEFAULT, MED_FROM_FILE, MED_FROM_ENVIRONMENT, MED_FROM_FLAG };

enum med_config_kind {
    MED_CONFIG_TEXT,
    MED_CONFIG_INT,
    MED_CONFIG_BYTES,
    MED_CONFIG_BOOL,
    MED_CONFIG_LIST,
    MED_CONFIG_WORD /* one of the words that begin its help */
};

typedef struct med_config_key {
    const char *name; /* "http.listen" */
    enum med_config_kind kind;
    const char *fallback; /* the default, as it would stand in a file */
    int64_t low, high;    /* of INT and BYTES */
    const char *help;
} med_config_key;

typedef struct med_config med_config;

/* All keys, sorted by name. */
const med_config_key *med_config_keys(size_t *n);

/* Defaults; lives in `a`. */
bool med_config_new(med_arena *a, med_config **out, med_err *err) MED_MUST_CHECK;
/* Reads a file: `key = value` lines, `[section]` lines, `#` comments, values bare or quoted. */
bool med_config_file(med_config *c, med_str path, med_err *err) MED_MUST_CHECK;
/* Takes MEDULLA_... variables; unknown ones are errors. */
bool med_config_environment(med_config *c, char *const *environment, med_err *err) MED_MUST_CHECK;
bool med_config_set(med_config *c, med_str key, med_str value, enum med_config_source source,
                    med_str where, med_err *err) MED_MUST_CHECK;

/* Values; the key must exist (asserted). */
med_str med_config_text(const med_config *c, const char *key);
int64_t med_config_int(const med_config *c, const char *key);
bool med_config_bool(const med_config *c, const char *key);
/* Where the value came from. */
enum med_config_source med_config_source_of(const med_config *c, const char *key);
/* Comma separated. */
bool med_config_list(med_arena *a, const med_config *c, const char *key, const med_str **out,
                     size_t *n) MED_MUST_CHECK;

/* `key = value  # from file medulla.conf:3`, one a line, for `medulla config show`. */
void med_config_show(const med_config *c, med_buf *out);

#endif
