/* config_show.c - `medulla config show`: every setting, its value and where that came from. */
#include <stdio.h>

#include "command/command.h"

static enum med_exit run(const med_arguments *args)
{
    med_buf out;
    if (args->n != 1 || !med_str_eqz(args->words[0], "show"))
        return med_command_fail(MED_EXIT_USAGE, "config knows one word: show");
    med_buf_init(&out, 1 << 20);
    med_config_show(args->config, &out);
    bool ok = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    med_buf_free(&out);
    return ok ? MED_EXIT_OK : med_command_fail(MED_EXIT_FAILED, "can not write to standard output");
}

const med_command med_command_config = {
    .name = "config",
    .usage = "show",
    .summary = "print every setting with its value and its source",
    .examples = "  medulla config show\n  MEDULLA_HTTP_LISTEN=127.0.0.1:9000 medulla config show\n",
    .run = run,
};
