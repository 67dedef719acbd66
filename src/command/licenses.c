/* licenses.c - `medulla licenses`: NOTICE, as it was when the program was built. */
#include <stdio.h>

#include "NOTICE_embedded.h"
#include "command/command.h"

static enum med_exit run(const med_arguments *args)
{
    (void)args;
    med_str notice = med_embedded_notice();
    bool whole = fwrite(notice.ptr, 1, notice.len, stdout) == notice.len && fflush(stdout) == 0;
    return whole ? MED_EXIT_OK : MED_EXIT_FAILED;
}

const med_command med_command_licenses = {
    .name = "licenses",
    .usage = "",
    .summary = "print the licences of the program and of all that is in it",
    .examples = "  medulla licenses\n",
    .run = run,
};
