/* pack_core.c - the R4 4.0.1 definitions inside the binary. */
#include <stdlib.h>

#include "model/pack_format.h"
#include "r4_core_embedded.h"

med_str med_pack_core_bytes(void)
{
    return med_embedded_r4_core();
}

const med_pack *med_pack_core(void)
{
    const med_pack *p = (const med_pack *)(const void *)med_embedded_r4_core().ptr;
    if (p->format != PACK_FORMAT || p->byte_order != PACK_BYTE_ORDER)
        abort();
    return p;
}
