/* archive.c - see archive.h. */
#include "package/archive.h"

#include "base/gzip.h"

enum { BLOCK = 512, CHUNK = 64 << 10 };

/* Offsets in a header block. */
enum {
    NAME = 0,
    NAME_LEN = 100,
    SIZE = 124,
    SIZE_LEN = 12,
    SUM = 148,
    SUM_LEN = 8,
    TYPE = 156,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_LEN = 155,
};

typedef struct reader {
    med_gunzip *gunzip;
    med_str in;
    med_buf bytes;                       /* of the entry under way */
    char name[MED_ARCHIVE_NAME_MAX + 1]; /* a long name that a header before announced */
    size_t name_len;
    size_t entries;
} reader;

/* Fills `to` whole; *n is how much was there before the end. */
static bool read_some(reader *r, char *to, size_t room, size_t *n, med_err *err)
{
    *n = 0;
    while (*n < room) {
        size_t written;
        if (!med_gunzip_read(r->gunzip, &r->in, to + *n, room - *n, &written, err))
            return false;
        *n += written;
        if (written == 0)
            return true;
    }
    return true;
}

static bool cut_short(med_err *err)
{
    return MED_FAIL(err, MED_ISSUE_INVALID, "the archive is cut short");
}

/* Octal digits, blanks or NUL around them. */
static bool octal(const char *field, size_t len, uint64_t *out)
{
    size_t i = 0;
    uint64_t n = 0;
    while (i < len && field[i] == ' ')
        i++;
    size_t first = i;
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
        n = n * 8 + (uint64_t)(field[i] - '0');
    *out = n;
    return i > first && (i == len || field[i] == '\0' || field[i] == ' ');
}

static bool sum_is_right(const char *block)
{
    uint64_t sum = 0, want;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= SUM && i < SUM + SUM_LEN ? ' ' : (unsigned char)block[i];
    return octal(block + SUM, SUM_LEN, &want) && sum == want;
}

static bool is_empty(const char *block)
{
    for (size_t i = 0; i < BLOCK; i++) {
        if (block[i] != '\0')
            return false;
    }
    return true;
}

static med_str field(const char *at, size_t len)
{
    const char *end = memchr(at, '\0', len);
    return (med_str){at, end == NULL ? len : (size_t)(end - at)};
}

/* The whole name: prefix and name, or what a header before it announced. */
static bool name_of(reader *r, const char *block, med_err *err)
{
    med_str name = field(block + NAME, NAME_LEN), prefix = MED_STR_EMPTY;
    if (r->name_len > 0)
        return true;
    if (memcmp(block + MAGIC, "ustar", 6) == 0) /* GNU has a blank there, and other fields */
        prefix = field(block + PREFIX, PREFIX_LEN);
    if (prefix.len > 0) {
        memcpy(r->name, prefix.ptr, prefix.len);
        r->name[prefix.len] = '/';
        r->name_len = prefix.len + 1;
    }
    memcpy(r->name + r->name_len, name.ptr, name.len);
    r->name_len += name.len;
    return r->name_len > 0
               ? true
               : MED_FAIL(err, MED_ISSUE_INVALID, "the archive has a file without name");
}

static bool check_name(med_str name, med_err *err)
{
    med_str rest = name;
    bool bad = name.len == 0 || name.ptr[0] == '/';
    while (rest.len > 0 && !bad)
        bad = med_str_eqz(med_str_cut(rest, '/', &rest), "..");
    for (size_t i = 0; i < name.len && !bad; i++)
        bad = (unsigned char)name.ptr[i] < ' ' || name.ptr[i] == '\\';
    return !bad ? true
                : MED_FAIL(err, MED_ISSUE_SECURITY,
                           "the archive has a name that leads out of it (absolute, or with ..)");
}

/* The content of an entry, and what fills its last block. */
static bool read_content(reader *r, uint64_t size, med_err *err)
{
    size_t padded = (size_t)((size + BLOCK - 1) / BLOCK * BLOCK), n;
    med_buf_clear(&r->bytes);
    if (size > MED_ARCHIVE_ENTRY_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a file in the archive is larger than %zu MB",
                        MED_ARCHIVE_ENTRY_MAX >> 20);
    /* Taken in pieces: a header may promise more than there is. */
    for (size_t done = 0; done < padded; done += n) {
        size_t want = padded - done < CHUNK ? padded - done : CHUNK;
        if (!med_buf_reserve(&r->bytes, want))
            return MED_FAIL_MEMORY(err);
        if (!read_some(r, r->bytes.ptr + done, want, &n, err))
            return false;
        if (n < want)
            return cut_short(err);
        r->bytes.len += n;
    }
    r->bytes.len = (size_t)size;
    return true;
}

static bool keep_name(reader *r, med_str name, med_err *err)
{
    if (name.len == 0 || name.len > MED_ARCHIVE_NAME_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a name in the archive is longer than %d bytes",
                        MED_ARCHIVE_NAME_MAX);
    memcpy(r->name, name.ptr, name.len);
    r->name_len = name.len;
    return true;
}

/* pax: lines "LEN key=value\n"; only the path matters here. */
static bool read_pax(reader *r, med_err *err)
{
    med_str s = med_buf_str(&r->bytes);
    while (s.len > 0) {
        int64_t len;
        med_str rest, number = med_str_cut(s, ' ', &rest);
        if (!med_str_to_int64(number, &len) || len <= (int64_t)number.len + 1
            || (uint64_t)len > s.len)
            return MED_FAIL(err, MED_ISSUE_INVALID, "the archive has a damaged pax header");
        med_str line = med_str_sub(s, number.len + 1, (size_t)len - 1), value;
        med_str key = med_str_cut(line, '=', &value);
        if (med_str_eqz(key, "path") && !keep_name(r, value, err))
            return false;
        if (med_str_eqz(key, "size") || med_str_eqz(key, "linkpath"))
            return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                            "the archive has a pax header with %s, which packages do not need",
                            key.ptr[0] == 's' ? "size" : "linkpath");
        s = med_str_skip(s, (size_t)len);
    }
    return true;
}

static bool give(reader *r, med_archive_entry *entry, void *arg, med_err *err)
{
    med_str name = {r->name, r->name_len};
    if (++r->entries > MED_ARCHIVE_ENTRIES_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "the archive has more than %d files",
                        MED_ARCHIVE_ENTRIES_MAX);
    return check_name(name, err) && entry(arg, name, med_buf_str(&r->bytes), err);
}

static bool read_entry(reader *r, const char *block, med_archive_entry *entry, void *arg,
                       med_err *err)
{
    char type = block[TYPE];
    uint64_t size;
    bool ok;
    if (!octal(block + SIZE, SIZE_LEN, &size))
        return MED_FAIL(err, MED_ISSUE_INVALID, "the archive has a header with a damaged size");
    if (type >= '1' && type <= '6' && type != '5')
        return MED_FAIL(err, MED_ISSUE_SECURITY,
                        "the archive has a link or a device; packages have files only");
    if (!read_content(r, size, err))
        return false;
    switch (type) {
    case 'x':
        return read_pax(r, err);
    case 'L':
        return keep_name(r, field(r->bytes.ptr, r->bytes.len), err);
    case '0':
    case '\0':
    case '7':
        ok = name_of(r, block, err) && give(r, entry, arg, err);
        break;
    case 'g':
    case '5':
        ok = true;
        break;
    default:
        ok = MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "the archive has an entry of unknown kind");
        break;
    }
    r->name_len = 0;
    return ok;
}

static bool read_all(reader *r, med_archive_entry *entry, void *arg, med_err *err)
{
    char block[BLOCK];
    size_t n;
    for (;;) {
        if (!read_some(r, block, BLOCK, &n, err))
            return false;
        if (n < BLOCK)
            return cut_short(err);
        if (is_empty(block))
            return r->entries > 0 ? true : MED_FAIL(err, MED_ISSUE_INVALID, "the archive is empty");
        if (!sum_is_right(block))
            return MED_FAIL(err, MED_ISSUE_INVALID,
                            "the file is no tar archive, or a header in it is damaged");
        if (!read_entry(r, block, entry, arg, err))
            return false;
    }
}

/* What follows the end is padding; it is read so that the gzip checksum is seen. */
static bool read_end(reader *r, med_err *err)
{
    char block[BLOCK];
    size_t n;
    do {
        if (!read_some(r, block, BLOCK, &n, err))
            return false;
    } while (n == BLOCK);
    return med_gunzip_end(r->gunzip, err);
}

bool med_archive_read(med_str tgz, med_archive_entry *entry, void *arg, med_err *err)
{
    static const med_gunzip_limits limits = {MED_ARCHIVE_PLAIN_MAX, MED_ARCHIVE_RATIO_MAX};
    reader r = {.in = tgz};
    if (tgz.len > MED_ARCHIVE_PACKED_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "the file is larger than %zu MB",
                        MED_ARCHIVE_PACKED_MAX >> 20);
    if (tgz.len < 2 || memcmp(tgz.ptr, "\x1f\x8b", 2) != 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "the file is not compressed with gzip: no .tgz");
    r.gunzip = med_gunzip_new(&limits);
    med_buf_init(&r.bytes, MED_ARCHIVE_ENTRY_MAX + BLOCK);
    bool ok = r.gunzip == NULL ? MED_FAIL_MEMORY(err)
                               : read_all(&r, entry, arg, err) && read_end(&r, err);
    med_buf_free(&r.bytes);
    med_gunzip_free(r.gunzip);
    return ok;
}
