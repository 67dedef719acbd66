/* digest.c - see digest.h. */
#include "base/digest.h"

#include <openssl/evp.h>

static bool digest(const EVP_MD *of, med_str bytes, uint8_t *out)
{
    return EVP_Digest(bytes.ptr, bytes.len, out, NULL, of, NULL) == 1;
}

bool med_sha1(med_str bytes, uint8_t out[MED_SHA1_BYTES])
{
    return digest(EVP_sha1(), bytes, out);
}

bool med_sha256(med_str bytes, uint8_t out[MED_SHA256_BYTES])
{
    return digest(EVP_sha256(), bytes, out);
}
