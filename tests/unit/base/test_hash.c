#include <openssl/evp.h>

#include "base/clock.h"
#include "base/hash.h"
#include "check.h"

/* Key 00..0f, message 00..n-1: the rows of the reference implementation's table that the
 * paper (appendix A: n = 15) and its 128-bit variant publish first. */
static const med_hash_key reference_key = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

static med_str message(char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)i;
    return (med_str){bytes, n};
}

static void agrees_with_the_paper(void **state)
{
    (void)state;
    char bytes[64];
    assert_true(med_siphash(reference_key, message(bytes, 0)) == 0x726fdb47dd0e0e31U);
    assert_true(med_siphash(reference_key, message(bytes, 1)) == 0x74f839c593dc67fdU);
    assert_true(med_siphash(reference_key, message(bytes, 15)) == 0xa129ca6149be45e5U);
    assert_true(med_siphash(reference_key, message(bytes, 63)) == 0x958a324ceb064572U);
    static const uint8_t empty[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                      0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    uint8_t got[16];
    med_siphash128(reference_key, message(bytes, 0), got);
    assert_memory_equal(got, empty, sizeof empty);
}

/* Another implementation of the same function: OpenSSL's. */
static void openssl_siphash(const uint8_t key[16], med_str s, uint8_t *out, size_t size)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_MAC_init(context, key, 16, params), 1);
    assert_int_equal(EVP_MAC_update(context, (const unsigned char *)s.ptr, s.len), 1);
    size_t len = 0;
    assert_int_equal(EVP_MAC_final(context, out, &len, size), 1);
    assert_int_equal(len, size);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    uint8_t key[16];
    char text[300];
    for (size_t n = 0; n < sizeof text; n += n < 70 ? 1 : 13) {
        med_random_fill(&med_random_system, key, sizeof key);
        med_random_fill(&med_random_system, text, sizeof text);
        med_hash_key k = {0};
        memcpy(&k.k0, key, 8); /* little-endian machines only, like the tests as a whole */
        memcpy(&k.k1, key + 8, 8);
        uint8_t want[16];
        uint8_t got[16];
        openssl_siphash(key, (med_str){text, n}, want, 16);
        med_siphash128(k, (med_str){text, n}, got);
        assert_memory_equal(got, want, 16);
        openssl_siphash(key, (med_str){text, n}, want, 8);
        uint64_t hash = med_siphash(k, (med_str){text, n});
        assert_memory_equal(&hash, want, 8);
    }
}

static void pieces_make_the_same_hash(void **state)
{
    (void)state;
    char text[40];
    for (size_t n = 0; n <= sizeof text; n++) {
        med_str s = message(text, n);
        uint64_t want = med_siphash(reference_key, s);
        for (size_t a = 0; a <= n; a++) {
            for (size_t b = a; b <= n; b++) {
                med_hasher h;
                med_hasher_begin(&h, reference_key);
                med_hasher_add(&h, med_str_sub(s, 0, a));
                med_hasher_add(&h, med_str_sub(s, a, b));
                med_hasher_add(&h, med_str_sub(s, b, n));
                assert_true(med_hasher_end(&h) == want);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_paper),
        cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(pieces_make_the_same_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
