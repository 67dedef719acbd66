/* folder.c - see folder.h. */
#include "command/folder.h"

#include <sys/stat.h>

static const char *folder_of(const med_folder_command *c, const med_arguments *args, med_err *err)
{
    struct stat st;
    med_str data = med_config_text(args->config, "store.data");
    med_str root = med_arena_printf(args->arena, "%.*s", MED_STR_ARG(data));
    med_str folder = med_arena_printf(args->arena, "%.*s/%s", MED_STR_ARG(data), c->folder);
    if (folder.len == 0)
        return (void)MED_FAIL_MEMORY(err), NULL;
    if (stat(root.ptr, &st) != 0 || !S_ISDIR(st.st_mode)) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "there is no data directory there; start the server once, or name it with "
                       "--data");
        return NULL;
    }
    return folder.ptr;
}

enum med_exit med_folder_command_run(const med_folder_command *c, const med_arguments *args)
{
    med_err err = {0};
    med_str names[MED_FOLDER_VERBS];
    med_str verb = args->n > 0 ? args->words[0] : MED_STR_EMPTY;
    for (size_t i = 0; i < MED_FOLDER_VERBS; i++) {
        names[i] = med_str_from(c->verbs[i].name);
        if (!med_str_eq(verb, names[i]))
            continue;
        const char *folder = folder_of(c, args, &err);
        return folder == NULL ? med_command_fail(MED_EXIT_FAILED, "%s", err.text)
                              : c->verbs[i].run(args, folder);
    }
    med_str nearest = med_str_nearest(verb, names, MED_FOLDER_VERBS);
    return med_command_fail(MED_EXIT_USAGE, "%s does %s%s%.*s", c->name, c->does,
                            nearest.len > 0 ? "; nearest: " : "", MED_STR_ARG(nearest));
}
