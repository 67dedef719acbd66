/* digest.h - SHA-1 and SHA-256 of bytes in memory, by libcrypto. FIPS 180-4
 *
 * SHA-1 only where a standard asks for it (Attachment.hash); it protects nothing. Thread safe. */
#ifndef MED_BASE_DIGEST_H
#define MED_BASE_DIGEST_H

#include "base/str.h"

enum { MED_SHA1_BYTES = 20, MED_SHA256_BYTES = 32 };

/* False when libcrypto refuses (no memory, or the algorithm is switched off there). */
bool med_sha1(med_str bytes, uint8_t out[MED_SHA1_BYTES]) MED_MUST_CHECK;
bool med_sha256(med_str bytes, uint8_t out[MED_SHA256_BYTES]) MED_MUST_CHECK;

#endif
