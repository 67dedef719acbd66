/* keyring.h - the secret keys of the store's hashes, in DATA/key. Private to store/.
 *
 * A text file, one key a line: "index HEX32" hashes index keys and can not change while rows
 * stand; "check NUMBER HEX32" makes the check value of versions. Rows name the number, new rows
 * take the last, so a key is rotated by adding a line. The file is never logged or sent. */
#ifndef MED_STORE_KEYRING_H
#define MED_STORE_KEYRING_H

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"

enum { MED_KEYRING_MAX = 64 };

struct keyring {
    med_hash_key index;
    struct {
        uint32_t number;
        med_hash_key key;
    } check[MED_KEYRING_MAX];
    size_t n_check; /* at least 1; the last is in use */
};

/* Errors: MED_ISSUE_SECURITY when it is missing, readable for others or not well formed. */
bool med_keyring_read(struct keyring *k, const char *data, med_err *err) MED_MUST_CHECK;
/* Makes DATA/key with fresh keys; never overwrites. */
bool med_keyring_create(struct keyring *k, const char *data, const med_random *random,
                        med_err *err) MED_MUST_CHECK;
/* Writes the same keys to another directory, never overwriting. */
bool med_keyring_copy(const struct keyring *k, const char *data, med_err *err) MED_MUST_CHECK;
/* The same into a file that is open. */
bool med_keyring_write(const struct keyring *k, int fd, med_err *err) MED_MUST_CHECK;
/* NULL when no key has that number. */
const med_hash_key *med_keyring_check(const struct keyring *k, uint32_t number);
static inline uint32_t med_keyring_current(const struct keyring *k)
{
    return k->check[k->n_check - 1].number;
}

#endif
