/* host.c - see host.h. */
#include "admin/host.h"

#include <stdarg.h>
#include <stdio.h>

void med_host_sayf(med_host *h, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (n > 0)
        h->say(h, med_str_sub(med_str_from(line), 0, (size_t)n));
}
