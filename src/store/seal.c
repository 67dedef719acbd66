/* seal.c - small things that go out to clients and come back: encrypted and bound to their place.
 *
 * AES-256-GCM under a key derived from the store's index key, which lies beside the store and is
 * the same on every node and after every start. A sealed text is a random nonce, the ciphertext
 * and its tag, in URL-safe base64; what it is bound to (AAD) is not in it. */
#include "base/base64.h"
#include "store/store_impl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

enum { KEY = 32, NONCE = 12, TAG = 16, SEALED_MAX = 4096 };

static bool derive(const med_store *s, unsigned char key[KEY])
{
    static const unsigned char use[] = "medulla seal 1";
    unsigned len = 0;
    return HMAC(EVP_sha256(), &s->index_key, sizeof s->index_key, use, sizeof use - 1, key, &len)
               != NULL
           && len == KEY;
}

static const unsigned char *bytes_of(med_str s)
{
    return (const unsigned char *)s.ptr;
}

static bool lock_text(EVP_CIPHER_CTX *c, const unsigned char key[KEY], med_str plain, med_str bound,
                      unsigned char *out)
{
    int n = 0;
    unsigned char *text = out + NONCE, *tag = text + plain.len;
    return RAND_bytes(out, NONCE) == 1
           && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) == 1
           && EVP_EncryptUpdate(c, NULL, &n, bytes_of(bound), (int)bound.len) == 1
           && EVP_EncryptUpdate(c, text, &n, bytes_of(plain), (int)plain.len) == 1
           && EVP_EncryptFinal_ex(c, tag, &n) == 1
           && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;
}

static bool decrypt(EVP_CIPHER_CTX *c, const unsigned char key[KEY], med_str sealed, med_str bound,
                    unsigned char *out)
{
    int n = 0;
    size_t len = sealed.len - NONCE - TAG;
    unsigned char tag[TAG];
    memcpy(tag, sealed.ptr + NONCE + len, TAG);
    return EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, bytes_of(sealed)) == 1
           && EVP_DecryptUpdate(c, NULL, &n, bytes_of(bound), (int)bound.len) == 1
           && EVP_DecryptUpdate(c, out, &n, bytes_of(sealed) + NONCE, (int)len) == 1
           && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1
           && EVP_DecryptFinal_ex(c, out + n, &n) == 1;
}

bool med_store_seal(const med_store *s, med_arena *a, med_str plain, med_str bound, med_str *out,
                    med_err *err)
{
    unsigned char key[KEY], sealed[NONCE + SEALED_MAX + TAG];
    if (plain.len > SEALED_MAX || bound.len > INT32_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "a link can not hold so long a place");
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool good = c != NULL && derive(s, key) && lock_text(c, key, plain, bound, sealed);
    EVP_CIPHER_CTX_free(c);
    OPENSSL_cleanse(key, sizeof key);
    if (!good)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a link could not be encrypted");
    med_buf text;
    med_buf_init(&text, 2 * sizeof sealed);
    med_base64url_encode(&text, (med_str){(const char *)sealed, NONCE + plain.len + TAG});
    good = !text.failed && med_arena_copy(a, med_buf_str(&text), out);
    med_buf_free(&text);
    return good ? true : MED_FAIL_MEMORY(err);
}

/* MED_ABSENT: whatever is wrong with it. */
static enum med_found unseal(const med_store *s, med_arena *a, med_str sealed, med_str bound,
                             med_str *out)
{
    unsigned char key[KEY];
    if (sealed.len < NONCE + TAG || sealed.len > NONCE + SEALED_MAX + TAG || bound.len > INT32_MAX)
        return MED_ABSENT;
    size_t len = sealed.len - NONCE - TAG;
    unsigned char *plain = MED_TAKE(a, len + TAG, unsigned char);
    EVP_CIPHER_CTX *c = plain == NULL ? NULL : EVP_CIPHER_CTX_new();
    if (c == NULL)
        return MED_FAILED;
    bool good = derive(s, key) && decrypt(c, key, sealed, bound, plain);
    EVP_CIPHER_CTX_free(c);
    OPENSSL_cleanse(key, sizeof key);
    *out = (med_str){(const char *)plain, len};
    return good ? MED_FOUND : MED_ABSENT;
}

bool med_store_unseal(const med_store *s, med_arena *a, med_str text, med_str bound, med_str *out,
                      med_err *err)
{
    med_str sealed;
    med_err ignored = {0};
    enum med_found found = MED_ABSENT;
    if (med_base64url_decode(a, text, &sealed, &ignored))
        found = unseal(s, a, sealed, bound, out);
    if (found == MED_FAILED)
        return MED_FAIL_MEMORY(err);
    if (found == MED_FOUND)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_VALUE,
                   "_page is no link of this server for this question: follow the links of an "
                   "answer as they are, or ask again without _page");
    return med_err_status(err, 400);
}
