/* keyring.c - reads and writes DATA/key. */
#include "store/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"

static const char hex_digits[] = "0123456789abcdef";

static bool parse_half(med_str s, uint64_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        const char *digit = memchr(hex_digits, s.ptr[i], 16);
        if (digit == NULL)
            return false;
        n = n << 4 | (uint64_t)(digit - hex_digits);
    }
    *out = n;
    return true;
}

static bool parse_key(med_str s, med_hash_key *out)
{
    return s.len == 32 && parse_half(med_str_sub(s, 0, 16), &out->k0)
           && parse_half(med_str_sub(s, 16, 32), &out->k1);
}

static bool parse_line(struct keyring *k, med_str line, bool *has_index)
{
    med_str rest = MED_STR_EMPTY;
    med_str word = med_str_cut(line, ' ', &rest);
    if (med_str_eqz(word, "index") && !*has_index) {
        *has_index = true;
        return parse_key(rest, &k->index);
    }
    int64_t number = 0;
    med_str digits = med_str_cut(rest, ' ', &rest);
    if (!med_str_eqz(word, "check") || k->n_check == MED_KEYRING_MAX
        || !med_str_to_int64(digits, &number) || number < 1 || number > INT32_MAX
        || med_keyring_check(k, (uint32_t)number) != NULL)
        return false;
    k->check[k->n_check].number = (uint32_t)number;
    return parse_key(rest, &k->check[k->n_check++].key);
}

static bool parse(struct keyring *k, med_str text, med_err *err)
{
    *k = (struct keyring){0};
    bool has_index = false;
    for (unsigned line = 1; text.len > 0; line++) {
        if (!parse_line(k, med_str_cut(text, '\n', &text), &has_index))
            return MED_FAIL(err, MED_ISSUE_SECURITY,
                            "line %u of the store's file `key` is not a key", line);
    }
    if (!has_index || k->n_check == 0)
        return MED_FAIL(err, MED_ISSUE_SECURITY,
                        "the store's file `key` must hold an index key and a check key");
    return true;
}

bool med_keyring_read(struct keyring *k, const char *data, med_err *err)
{
    char path[MED_FILE_PATH];
    if (!med_file_join(path, data, "key", err))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return MED_FAIL(err, MED_ISSUE_SECURITY,
                        "the store's file `key` can not be opened: %s; without it no row can be "
                        "found or trusted, so put back the one that belongs to this store",
                        strerrorname_np(errno));
    struct stat info = {0};
    char text[MED_KEYRING_MAX * 64];
    ssize_t len = fstat(fd, &info) == 0 ? read(fd, text, sizeof text) : -1;
    (void)close(fd);
    bool good = false;
    if (len < 0)
        (void)MED_FAIL(err, MED_ISSUE_SECURITY, "the store's file `key` can not be read");
    else if ((info.st_mode & 077) != 0)
        (void)MED_FAIL(err, MED_ISSUE_SECURITY,
                       "the store's file `key` may be read by others: chmod 600 it");
    else
        good = parse(k, (med_str){text, (size_t)len}, err);
    explicit_bzero(text, sizeof text);
    return good;
}

static void add_key(med_buf *out, med_hash_key key)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        med_buf_addc(out, hex_digits[key.k0 >> shift & 15]);
    for (int shift = 60; shift >= 0; shift -= 4)
        med_buf_addc(out, hex_digits[key.k1 >> shift & 15]);
    med_buf_addc(out, '\n');
}

static void write_text(const struct keyring *k, med_buf *text)
{
    med_buf_init(text, (size_t)MED_KEYRING_MAX * 64);
    med_buf_addz(text, "index ");
    add_key(text, k->index);
    for (size_t i = 0; i < k->n_check; i++) {
        med_buf_addz(text, "check ");
        med_buf_add_u64(text, k->check[i].number);
        med_buf_addc(text, ' ');
        add_key(text, k->check[i].key);
    }
}

static void forget_text(med_buf *text)
{
    if (text->len > 0)
        explicit_bzero(text->ptr, text->len);
    med_buf_free(text);
}

bool med_keyring_copy(const struct keyring *k, const char *data, med_err *err)
{
    med_buf text;
    write_text(k, &text);
    bool good =
        text.failed ? MED_FAIL_MEMORY(err) : med_file_create(data, "key", med_buf_str(&text), err);
    forget_text(&text);
    return good;
}

bool med_keyring_write(const struct keyring *k, int fd, med_err *err)
{
    med_buf text;
    write_text(k, &text);
    bool good = text.failed ? MED_FAIL_MEMORY(err)
                            : med_file_write(fd, med_buf_str(&text), "the copy of the key", err);
    forget_text(&text);
    return good;
}

bool med_keyring_create(struct keyring *k, const char *data, const med_random *random, med_err *err)
{
    *k = (struct keyring){.n_check = 1};
    k->check[0].number = 1;
    med_random_fill(random, &k->index, sizeof k->index);
    med_random_fill(random, &k->check[0].key, sizeof k->check[0].key);
    return med_keyring_copy(k, data, err);
}

const med_hash_key *med_keyring_check(const struct keyring *k, uint32_t number)
{
    for (size_t i = k->n_check; i-- > 0;) {
        if (k->check[i].number == number)
            return &k->check[i].key;
    }
    return NULL;
}
