/* image_format.h - the bytes of an image, for those who write and read it. */
#ifndef MED_PACKAGE_IMAGE_FORMAT_H
#define MED_PACKAGE_IMAGE_FORMAT_H

#include "base/hash.h"
#include "package/image.h"

#define MED_PACKAGE_MAGIC "MEDPKG\n"
/* Guards against damage, not against people. */
#define MED_PACKAGE_KEY ((med_hash_key){0x7061636b6167652eU, 0x696d616765732e2eU})

struct med_package_image {
    char magic[8];
    uint32_t format, n; /* rows */
    uint64_t size;      /* of the whole file */
    uint64_t check;     /* of what lies between the header and `dictionary` */
    uint64_t strings;   /* offsets from the beginning of the file */
    uint64_t manifest, dictionary, data;
};

struct med_package_row {
    uint64_t at; /* of the compressed resource */
    uint32_t packed, plain;
    uint32_t type, url, version, id; /* offsets in the strings */
    uint16_t type_len, url_len, version_len, id_len;
    uint32_t flags, reserved;
};

#endif
