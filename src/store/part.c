/* part.c - see part.h. */
#include "store/part.h"

#include "base/base64.h"
#include "base/digest.h"

enum {
    MARK = 'P',
    HEAD_BYTES = 5,
    ENTRY_BYTES = 8 + MED_PART_HASH,
    STRIDE = MED_PART_CHARS / 2, /* a long value covers one such step, wherever it begins */
    GLANCE = 16,
    SPARE = 64 << 10, /* what an arena needs beside the bytes in it */
};

static void put_u32(char *to, size_t n)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (char)(n >> (8 * i));
}

static size_t get_u32(const unsigned char *from)
{
    return (size_t)from[0] | (size_t)from[1] << 8 | (size_t)from[2] << 16 | (size_t)from[3] << 24;
}

static size_t encoded(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}

/* ---- finding them in a text ---- */

struct span {
    size_t at, len;
};

static bool looks_encoded(const char *p)
{
    for (size_t i = 0; i < GLANCE; i++) {
        if (!med_is_alnum(p[i]) && p[i] != '+' && p[i] != '/')
            return false;
    }
    return true;
}

/* Only what med_base64_encode would write again. */
static bool is_part(med_str value)
{
    size_t bytes = 0;
    return value.len >= MED_PART_CHARS && value.len % 4 == 0 && med_base64_check(value, &bytes)
           && encoded(bytes) == value.len;
}

/* The next from `*from` on, which moves behind it. Between two quotes there is nothing but digits
 * of base64 only inside of a string, so nothing else of JSON has to be known; and each stretch
 * between quotes is looked at once, whatever the text is. */
static bool next_part(med_str text, size_t *from, struct span *out)
{
    for (size_t i = *from + STRIDE; i + GLANCE < text.len; i += STRIDE) {
        if (!looks_encoded(text.ptr + i))
            continue;
        size_t start = i;
        while (start > *from && text.ptr[start - 1] != '"')
            start--;
        size_t end = med_str_find(text, '"', i);
        *from = i = end;
        *out = (struct span){start, end - start};
        if (end < text.len && is_part((med_str){text.ptr + start, end - start}))
            return true;
    }
    return false;
}

static bool find_parts(med_arena *a, med_str text, struct span **out, size_t *n)
{
    size_t from = 0;
    *n = 0;
    *out = MED_TAKE(a, text.len / MED_PART_CHARS + 1, struct span);
    if (*out == NULL)
        return false;
    while (next_part(text, &from, &(*out)[*n]))
        (*n)++;
    return true;
}

/* ---- packing ---- */

/* The text without them; their places in it go to the list. */
static bool cut_out(med_arena *a, med_str text, const struct span *spans, size_t n, char *list,
                    med_str *rest)
{
    char *to = med_arena_room(a, text.len);
    size_t at = 0;
    size_t len = 0;
    if (to == NULL)
        return false;
    for (size_t i = 0; i <= n; i++) {
        size_t end = i < n ? spans[i].at : text.len;
        memcpy(to + len, text.ptr + at, end - at);
        len += end - at;
        if (i == n)
            break;
        put_u32(list + HEAD_BYTES + i * ENTRY_BYTES, len);
        at = end + spans[i].len;
    }
    *rest = (med_str){to, len};
    return true;
}

static bool pack_part(struct packer *p, med_arena *scratch, med_arena *a, med_str value,
                      med_store_part *part, char *entry, med_err *err)
{
    med_str bytes;
    uint32_t no_dictionary = 0;
    if (!med_base64_decode(scratch, value, &bytes, err))
        return false;
    if (!med_sha256(bytes, part->hash))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "libcrypto gives no SHA-256");
    put_u32(entry + 4, bytes.len);
    memcpy(entry + 8, part->hash, MED_PART_HASH);
    return med_packer_pack(p, a, MED_TYPES_MAX, bytes, &part->packed, &no_dictionary, err);
}

static bool pack_cut(struct packer *p, med_arena *scratch, med_arena *a, med_write *w,
                     const struct span *spans, size_t n, med_err *err)
{
    med_str rest, frame;
    med_store_part *parts = MED_TAKE(a, n, med_store_part);
    size_t head = HEAD_BYTES + n * ENTRY_BYTES;
    char *list = med_arena_room(scratch, head);
    if (parts == NULL || list == NULL || !cut_out(scratch, w->text, spans, n, list, &rest))
        return MED_FAIL_MEMORY(err);
    list[0] = MARK;
    put_u32(list + 1, n);
    if (!med_packer_pack(p, scratch, w->type, rest, &frame, &w->dictionary, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!pack_part(p, scratch, a, (med_str){w->text.ptr + spans[i].at, spans[i].len}, &parts[i],
                       list + HEAD_BYTES + i * ENTRY_BYTES, err))
            return false;
    }
    char *body = med_arena_room(a, head + frame.len);
    if (body == NULL)
        return MED_FAIL_MEMORY(err);
    memcpy(body, list, head);
    memcpy(body + head, frame.ptr, frame.len);
    w->packed = (med_str){body, head + frame.len};
    w->parts = parts;
    w->n_parts = n;
    return true;
}

bool med_parts_pack(struct packer *p, med_arena *a, med_write *w, med_err *err)
{
    w->parts = NULL;
    w->n_parts = 0;
    if (w->text.len < MED_PART_CHARS || w->text.len > MED_BODY_LIMIT)
        return med_packer_pack(p, a, w->type, w->text, &w->packed, &w->dictionary, err);
    struct span *spans = NULL;
    size_t n = 0;
    med_arena *scratch = med_arena_new(4 * w->text.len + SPARE);
    if (scratch == NULL)
        return MED_FAIL_MEMORY(err);
    bool good = find_parts(scratch, w->text, &spans, &n) || MED_FAIL_MEMORY(err);
    if (good)
        good = n > 0 ? pack_cut(p, scratch, a, w, spans, n, err)
                     : med_packer_pack(p, a, w->type, w->text, &w->packed, &w->dictionary, err);
    med_arena_free(scratch);
    return good;
}

/* ---- reading ---- */

struct part_entry med_part_entry(const struct part_list *list, size_t i)
{
    const unsigned char *entry = list->entries + i * ENTRY_BYTES;
    return (struct part_entry){get_u32(entry), get_u32(entry + 4), entry + 8};
}

bool med_part_list(med_str body, struct part_list *out)
{
    *out = (struct part_list){.frame = body};
    if (body.len == 0 || body.ptr[0] != MARK)
        return true;
    const unsigned char *bytes = (const unsigned char *)body.ptr;
    size_t n = body.len < HEAD_BYTES ? 0 : get_u32(bytes + 1);
    if (n == 0 || n > (body.len - HEAD_BYTES) / ENTRY_BYTES)
        return false;
    *out =
        (struct part_list){bytes + HEAD_BYTES, n, med_str_skip(body, HEAD_BYTES + n * ENTRY_BYTES)};
    return true;
}

bool med_part_is(med_str bytes, const uint8_t hash[MED_PART_HASH])
{
    uint8_t now[MED_PART_HASH];
    return med_sha256(bytes, now) && memcmp(now, hash, sizeof now) == 0;
}

bool med_part_judge(struct packer *p, struct unpacker *u, med_arena *a, med_str hash,
                    med_str packed, bool is_held, const char **why)
{
    med_str bytes = MED_STR_EMPTY;
    enum unpacked unpacked = med_packer_unpack(p, u, a, packed, 0, &bytes);
    *why = NULL;
    if (unpacked == UNPACK_DAMAGED || hash.len != MED_PART_HASH
        || (unpacked == UNPACK_DONE && !med_part_is(bytes, (const uint8_t *)hash.ptr)))
        *why = "it is not what its hash says: restore from a backup";
    else if (!is_held)
        *why = "no version holds it";
    return unpacked != UNPACK_MEMORY;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, MED_PART_HASH);
}

const uint8_t **med_part_hashes(med_arena *a, const struct part_list *list, size_t *n)
{
    const uint8_t **hashes = MED_TAKE(a, list->n, const uint8_t *);
    *n = 0;
    if (hashes == NULL || list->n == 0)
        return hashes;
    for (size_t i = 0; i < list->n; i++)
        hashes[i] = med_part_entry(list, i).hash;
    qsort(hashes, list->n, sizeof *hashes, by_hash);
    for (size_t i = 0; i < list->n; i++) {
        if (*n == 0 || by_hash(&hashes[*n - 1], &hashes[i]) != 0)
            hashes[(*n)++] = hashes[i];
    }
    return hashes;
}

static enum body_read of_unpacked(enum unpacked u)
{
    return u == UNPACK_DONE ? BODY_READ : u == UNPACK_MEMORY ? BODY_MEMORY : BODY_DAMAGED;
}

/* The bytes of one, checked. */
static enum body_read read_part(const struct part_source *s, med_arena *a,
                                const struct part_entry *entry, med_str *bytes, med_err *err)
{
    med_str packed;
    enum med_found found = s->find(s->arg, entry->hash, &packed, err);
    if (found != MED_FOUND)
        return found == MED_ABSENT ? BODY_DAMAGED : BODY_FAILED;
    enum body_read read =
        of_unpacked(med_packer_unpack(s->packer, s->unpacker, a, packed, 0, bytes));
    if (read != BODY_READ)
        return read;
    return bytes->len == entry->bytes && med_part_is(*bytes, entry->hash) ? BODY_READ
                                                                          : BODY_DAMAGED;
}

static enum body_read read_apart(const struct part_source *s, med_arena *a,
                                 const struct part_list *list, med_stored *out, med_err *err)
{
    med_apart *apart = MED_TAKE(a, list->n, med_apart);
    if (apart == NULL)
        return BODY_MEMORY;
    for (size_t i = 0; i < list->n; i++) {
        struct part_entry entry = med_part_entry(list, i);
        apart[i].at = entry.at;
        enum body_read read = read_part(s, a, &entry, &apart[i].bytes, err);
        if (read != BODY_READ)
            return read;
    }
    out->apart = apart;
    out->n_apart = list->n;
    return BODY_READ;
}

/* How long the text is with its parts in it, and the longest of these. False when no text was cut
 * like that. */
static bool measure(const struct part_list *list, size_t rest, size_t *whole, size_t *longest)
{
    size_t at = 0;
    *whole = rest;
    *longest = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct part_entry entry = med_part_entry(list, i);
        if (entry.at < at || entry.at > rest)
            return false;
        at = entry.at;
        *whole += encoded(entry.bytes);
        if (entry.bytes > *longest)
            *longest = entry.bytes;
        if (*whole > MED_BODY_LIMIT)
            return false;
    }
    return true;
}

/* Puts them back: each is unpacked, checked and written in its place, one after the other. */
static enum body_read join(const struct part_source *s, med_arena *scratch,
                           const struct part_list *list, med_str rest, med_buf *to, med_err *err)
{
    size_t at = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct part_entry entry = med_part_entry(list, i);
        med_str bytes;
        med_arena_reset(scratch);
        enum body_read read = read_part(s, scratch, &entry, &bytes, err);
        if (read != BODY_READ)
            return read;
        med_buf_add(to, med_str_sub(rest, at, entry.at));
        med_base64_encode(to, bytes);
        at = entry.at;
    }
    med_buf_add(to, med_str_skip(rest, at));
    return to->failed ? BODY_DAMAGED : BODY_READ;
}

static enum body_read read_whole(const struct part_source *s, med_arena *a,
                                 const struct part_list *list, size_t whole, size_t longest,
                                 med_stored *out, med_err *err)
{
    char *room = med_arena_room(a, whole + 1);
    med_arena *scratch = room == NULL ? NULL : med_arena_new(longest + SPARE);
    if (scratch == NULL)
        return BODY_MEMORY;
    /* in the arena's memory, which can not grow */
    med_buf to = {.ptr = room, .cap = whole, .limit = whole};
    enum body_read read = join(s, scratch, list, out->text, &to, err);
    med_arena_free(scratch);
    room[to.len] = '\0';
    out->text = (med_str){room, to.len};
    return read;
}

enum body_read med_body_read(const struct part_source *s, med_arena *a, med_str body,
                             uint32_t dictionary, med_stored *out, med_err *err)
{
    struct part_list list;
    size_t whole = 0;
    size_t longest = 0;
    if (!med_part_list(body, &list))
        return BODY_DAMAGED;
    enum body_read read = of_unpacked(
        med_packer_unpack(s->packer, s->unpacker, a, list.frame, dictionary, &out->text));
    if (read != BODY_READ || list.n == 0)
        return read;
    if (!measure(&list, out->text.len, &whole, &longest))
        return BODY_DAMAGED;
    return s->apart ? read_apart(s, a, &list, out, err)
                    : read_whole(s, a, &list, whole, longest, out, err);
}
