/* log.c - a line is built in fixed storage and leaves whole, so that lines of several threads
 * do not mix (POSIX keeps 4096 bytes together on a pipe) and logging needs no memory.
 *
 * Escaped in both formats: quote, backslash, every control character (also C1, DEL and ESC,
 * so that no terminal obeys a log), the line and paragraph separators, and the characters
 * that turn the direction of text. Bytes that are not UTF-8 become U+FFFD. */
#include "base/log.h"

#include <stdio.h>

#include "base/datetime.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 1024, END_BYTES = 32, KEY_MAX_BYTES = 64 };

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t len;
    enum med_log_format format;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* Callers see to the room; the check is a second bolt. */
static void put(struct line *l, med_str s)
{
    if (s.len > sizeof l->bytes - l->len)
        return;
    memcpy(l->bytes + l->len, s.ptr, s.len);
    l->len += s.len;
}

static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F)
           || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

/* At most 6 bytes. */
static void put_character(struct line *l, uint32_t c, med_str as_written)
{
    char escape[8];
    int n = 0;
    if (c == '"' || c == '\\')
        n = snprintf(escape, sizeof escape, "\\%c", (int)c);
    else if (c == '\n' || c == '\r' || c == '\t')
        n = snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (is_hidden(c))
        n = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
    else {
        put(l, as_written);
        return;
    }
    put(l, (med_str){escape, (size_t)n});
}

static void put_quoted(struct line *l, med_str s)
{
    put(l, MED_STR("\""));
    size_t start = l->len;
    for (size_t at = 0; at < s.len;) {
        if (l->len - start > VALUE_MAX_BYTES) {
            put(l, MED_STR("..."));
            break;
        }
        uint32_t c = 0;
        size_t n = med_utf8_decode(s, at, &c);
        if (n == 0)
            put(l, MED_STR("\\ufffd"));
        else
            put_character(l, c, med_str_sub(s, at, at + n));
        at += n == 0 ? 1 : n;
    }
    put(l, MED_STR("\""));
}

/* Could stand in logfmt without quotes. */
static bool is_bare(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return s.len > 0 && s.len <= VALUE_MAX_BYTES;
}

static void put_key(struct line *l, const char *key)
{
    bool json = l->format == MED_LOG_JSON;
    if (l->len > 0)
        put(l, json ? MED_STR(",") : MED_STR(" "));
    else if (json)
        put(l, MED_STR("{"));
    put(l, json ? MED_STR("\"") : MED_STR_EMPTY);
    for (size_t i = 0; i < KEY_MAX_BYTES && key[i] != '\0'; i++) {
        char c = key[i];
        bool good = med_is_alnum(c) || c == '_' || c == '.' || c == '-';
        put(l, good ? (med_str){&c, 1} : MED_STR("_"));
    }
    put(l, json ? MED_STR("\":") : MED_STR("="));
}

static void put_text(struct line *l, const char *key, med_str value)
{
    put_key(l, key);
    if (l->format == MED_LOG_LOGFMT && is_bare(value))
        put(l, value);
    else
        put_quoted(l, value);
}

static void put_int(struct line *l, const char *key, int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value);
    put_key(l, key);
    put(l, (med_str){digits, (size_t)n});
}

/* True if a field of this size, escaped as badly as can be, and the line's end still fit. */
static bool has_room(const struct line *l, const med_log_field *f)
{
    size_t value = f->is_number ? 24 : f->text.len;
    value = value > VALUE_MAX_BYTES / 6 ? VALUE_MAX_BYTES + 16 : value * 6;
    return sizeof l->bytes - l->len > KEY_MAX_BYTES + 8 + value + END_BYTES;
}

void med_log_write(const med_log *log, enum med_log_level level, const char *message,
                   const med_log_field *fields, size_t n)
{
    if (log == NULL || level > log->level)
        return;
    struct line l;
    l.len = 0;
    l.format = log->format;
    char time[MED_INSTANT_MICRO_LEN];
    med_instant_format_micro(med_now(log->clock), time);
    put_text(&l, "time", (med_str){time, sizeof time});
    put_text(&l, "level", med_str_from(level_names[level]));
    put_text(&l, "msg", med_str_from(message));
    for (size_t i = 0; i < n; i++) {
        if (!has_room(&l, &fields[i])) {
            put_text(&l, "cut", MED_STR("true"));
            break;
        }
        if (fields[i].is_number)
            put_int(&l, fields[i].key, fields[i].number);
        else
            put_text(&l, fields[i].key, fields[i].text);
    }
    put(&l, log->format == MED_LOG_JSON ? MED_STR("}\n") : MED_STR("\n"));
    if (log->buffer != NULL)
        med_log_buffer_add(log->buffer, (med_str){l.bytes, l.len}, level <= MED_LOG_WARN);
    else
        med_log_write_out(log->fd, (med_str){l.bytes, l.len});
}
