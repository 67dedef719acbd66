/* main.c - the command line: finds the command, reads settings and options, runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "command/command.h"

enum { ARENA_BYTES = 256 << 20 };

static const med_command *const commands[] = {
    &med_command_serve,    &med_command_demo,        &med_command_import,  &med_command_export,
    &med_command_backup,   &med_command_restore,     &med_command_verify,  &med_command_upgrade,
    &med_command_move,     &med_command_purge,       &med_command_doctor,  &med_command_fhirpath,
    &med_command_validate, &med_command_terminology, &med_command_package, &med_command_config,
    &med_command_licenses, &med_command_bench,       &med_command_tasks,   &med_command_version,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* Every command takes these. */
static const med_option common_options[] = {
    {"config", "FILE", NULL, "settings file"},
    {"log-level", "LEVEL", "log.level", "error, warn, info or debug"},
    {"help", NULL, NULL, "this text"},
    {NULL, NULL, NULL, NULL},
};

enum med_exit med_command_fail(enum med_exit code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fputs("medulla: ", stderr);
    (void)vfprintf(stderr, fmt, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return code;
}

bool med_argument(const med_arguments *args, const char *name, med_str *value)
{
    for (size_t i = 0; i < args->n_options; i++) {
        if (med_str_eqz(med_str_from(name), args->options[i].option->name)) {
            *value = args->options[i].value;
            return true;
        }
    }
    return false;
}

/* ---- help ---- */

static void print_help(void)
{
    (void)puts("medulla - the backbone of a national digital-health system, speaking FHIR R4\n\n"
               "usage: medulla COMMAND [OPTIONS]\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    (void)puts(
        "\n`medulla COMMAND --help` shows its options and examples. Settings come from defaults,\n"
        "--config FILE, MEDULLA_... variables and options, in that order.\n\n"
        "exit codes: 0 ok, 1 failed, 2 wrong usage, 3 partly done, 4 refused as unsafe\n\n"
        "examples:");
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fputs(commands[i]->examples, stdout);
}

static void print_options(const med_option *o)
{
    for (; o != NULL && o->name != NULL; o++)
        printf("  --%s %-*s %s\n", o->name, (int)(23 - strlen(o->name)),
               o->value != NULL ? o->value : "", o->help);
}

static void print_command_help(const med_command *c)
{
    printf("medulla %s - %s\n\nusage: medulla %s %s\n\noptions:\n", c->name, c->summary, c->name,
           c->usage);
    print_options(c->options);
    print_options(common_options);
    printf("\nexamples:\n%s", c->examples);
}

/* ---- options ---- */

static const med_option *find_in(const med_option *options, med_str name)
{
    for (const med_option *o = options; o != NULL && o->name != NULL; o++) {
        if (med_str_eqz(name, o->name))
            return o;
    }
    return NULL;
}

static enum med_exit unknown_option(const med_command *c, med_str name)
{
    med_str names[64];
    size_t n = 0;
    for (const med_option *o = c->options; o != NULL && o->name != NULL && n < 32; o++)
        names[n++] = med_str_from(o->name);
    for (const med_option *o = common_options; o->name != NULL; o++)
        names[n++] = med_str_from(o->name);
    med_str nearest = med_str_nearest(name, names, n);
    return med_command_fail(MED_EXIT_USAGE, "%s has no option --%.*s%s%.*s; see medulla %s --help",
                            c->name, MED_STR_ARG(name), nearest.len > 0 ? "; did you mean --" : "",
                            MED_STR_ARG(nearest), c->name);
}

typedef struct line {
    const med_command *command;
    med_arguments args;
    med_str *words;
    med_option_value *values;
    bool help;
} line;

/* One "--name", "--name=value" or "--name value"; *i moves over a separate value. */
static enum med_exit take_option(line *l, char **argv, int argc, int *i)
{
    med_str value, whole = med_str_skip(med_str_from(argv[*i]), 2);
    bool joined = med_str_find(whole, '=', 0) < whole.len;
    med_str name = med_str_cut(whole, '=', &value);
    const med_option *o = find_in(l->command->options, name);
    if (o == NULL)
        o = find_in(common_options, name);
    if (o == NULL)
        return unknown_option(l->command, name);
    if (o->value != NULL && !joined) {
        if (*i + 1 == argc)
            return med_command_fail(MED_EXIT_USAGE, "--%s needs a value: %s", o->name, o->value);
        value = med_str_from(argv[++*i]);
    }
    if (o->value == NULL && joined)
        return med_command_fail(MED_EXIT_USAGE, "--%s takes no value", o->name);
    l->help = l->help || med_str_eqz(name, "help");
    l->values[l->args.n_options++] = (med_option_value){o, value};
    return MED_EXIT_OK;
}

static enum med_exit take_line(line *l, char **argv, int argc)
{
    bool only_words = false;
    for (int i = 2; i < argc; i++) {
        med_str word = med_str_from(argv[i]);
        if (!only_words && med_str_eqz(word, "--")) {
            only_words = true;
        } else if (!only_words && med_str_starts(word, MED_STR("--"))) {
            enum med_exit code = take_option(l, argv, argc, &i);
            if (code != MED_EXIT_OK)
                return code;
        } else {
            l->words[l->args.n++] = word;
        }
    }
    l->args.words = l->words;
    l->args.options = l->values;
    return MED_EXIT_OK;
}

/* defaults < file < environment < options */
static bool read_settings(line *l, med_err *err)
{
    med_config *c;
    med_str file;
    if (!med_config_new(l->args.arena, &c, err))
        return false;
    l->args.config = c;
    if (med_argument(&l->args, "config", &file) && !med_config_file(c, file, err))
        return false;
    if (!med_config_environment(c, environ, err))
        return false;
    for (size_t i = 0; i < l->args.n_options; i++) {
        const med_option_value *v = &l->values[i];
        if (v->option->setting == NULL)
            continue;
        med_str where = med_arena_printf(l->args.arena, "--%s", v->option->name);
        if (!med_config_set(c, med_str_from(v->option->setting), v->value, MED_FROM_FLAG, where,
                            err))
            return false;
    }
    return true;
}

static enum med_exit unknown_command(med_str word)
{
    med_str names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = med_str_from(commands[i]->name);
    med_str nearest = med_str_nearest(word, names, COMMANDS);
    return med_command_fail(MED_EXIT_USAGE, "there is no command '%.*s'%s%.*s; see medulla --help",
                            MED_STR_ARG(word), nearest.len > 0 ? "; did you mean " : "",
                            MED_STR_ARG(nearest));
}

static enum med_exit run_command(const med_command *c, med_arena *a, char **argv, int argc)
{
    med_err err = {0};
    line l = {.command = c, .args.arena = a};
    l.words = MED_TAKE(a, (size_t)argc, med_str);
    l.values = MED_TAKE(a, (size_t)argc, med_option_value);
    if (l.words == NULL || l.values == NULL)
        return med_command_fail(MED_EXIT_FAILED, "no memory");
    enum med_exit code = take_line(&l, argv, argc);
    if (code != MED_EXIT_OK)
        return code;
    if (l.help) {
        print_command_help(c);
        return MED_EXIT_OK;
    }
    if (!read_settings(&l, &err))
        return med_command_fail(MED_EXIT_USAGE, "%s", err.text);
    return c->run(&l.args);
}

int main(int argc, char **argv)
{
    med_str word = argc > 1 ? med_str_from(argv[1]) : MED_STR_EMPTY;
    if (argc < 2 || med_str_eqz(word, "--help") || med_str_eqz(word, "-h")
        || med_str_eqz(word, "help")) {
        print_help();
        return argc < 2 ? MED_EXIT_USAGE : MED_EXIT_OK;
    }
    if (med_str_eqz(word, "--version"))
        word = MED_STR("version");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!med_str_eqz(word, commands[i]->name))
            continue;
        med_arena *a = med_arena_new(ARENA_BYTES);
        int code = a == NULL ? MED_EXIT_FAILED : (int)run_command(commands[i], a, argv, argc);
        med_arena_free(a);
        return code;
    }
    return (int)unknown_command(word);
}
