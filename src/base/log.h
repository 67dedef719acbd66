/* log.h - one line a message, logfmt or JSON, to a file descriptor. Thread safe.
 *
 * Values are escaped, so a line is always one line. Never log a value from a resource, a
 * query or a token: names of parameters, types and routes only. */
#ifndef MED_BASE_LOG_H
#define MED_BASE_LOG_H

#include "base/clock.h"
#include "base/log_buffer.h"

enum med_log_level { MED_LOG_ERROR, MED_LOG_WARN, MED_LOG_INFO, MED_LOG_DEBUG };
enum med_log_format { MED_LOG_LOGFMT, MED_LOG_JSON };

typedef struct med_log {
    int fd;
    med_log_buffer *buffer;   /* NULL: each line leaves by a write(2) of its own */
    enum med_log_level level; /* nothing below it is written */
    enum med_log_format format;
    const med_clock *clock;
} med_log;

typedef struct med_log_field {
    const char *key;
    med_str text; /* used when is_number is false */
    int64_t number;
    bool is_number;
} med_log_field;

#define MED_LOG_TEXT(k, v) ((med_log_field){.key = (k), .text = (v)})
#define MED_LOG_INT(k, v) ((med_log_field){.key = (k), .number = (v), .is_number = true})

void med_log_write(const med_log *log, enum med_log_level level, const char *message,
                   const med_log_field *fields, size_t n);
/* MED_LOG(log, MED_LOG_INFO, "listening", MED_LOG_TEXT("address", s), MED_LOG_INT("port", 8080)) */
#define MED_LOG(log, level, message, ...)                                                          \
    med_log_write((log), (level), (message), (const med_log_field[]){__VA_ARGS__},                 \
                  sizeof((const med_log_field[]){__VA_ARGS__}) / sizeof(med_log_field))

#endif
