/* validate.c - `medulla validate FILE...`: are these legal FHIR R4? Needs no store. */
#include <stdio.h>

#include "command/command.h"
#include "command/import_files.h"
#include "fhir/outcome.h"
#include "fhir/term_bindings.h"
#include "fhir/validate_definition.h"
#include "model/reference.h"
#include "model/xml.h"
#include "package/definition_set.h"
#include "package/packages.h"
#include "source.h"

enum { READ_BYTES = 64 << 10 };
#define RESOURCE_BYTES ((size_t)256 << 20)
#define RESOURCE_MEMORY ((size_t)2 << 30)

/* Out of --with: what a resource names, or the terminology is asked for. */
typedef struct known {
    med_str type, url, text;
    const med_json *j;
} known;
enum { KNOWN_ROOM = 64, PROFILES_MAX = 16, GLOBALS_MAX = 256 };

typedef struct run_state {
    const med_pack *pack;
    med_rules *rules;
    med_arena *a;    /* of one resource */
    med_arena *kept; /* of what --with brings */
    known *with;
    size_t n_with, room_with;
    med_terminology *terms;
    med_terminology_source source;
    med_term_scope scope;
    med_coded_lookup codes;
    med_packages *packages;
    med_definition_source built_in, definitions;
    med_definition_set *loose; /* StructureDefinitions of --with */
    med_profiles *profiles;
    med_profile_use use;
    med_str asked[PROFILES_MAX];  /* --profile */
    med_str globals[GLOBALS_MAX]; /* of the ImplementationGuides of --with */
    size_t n_globals;
    med_structure_options options;
    med_str path;
    size_t line; /* of an ndjson file, else 0 */
    bool json;   /* an OperationOutcome a resource, one a line */
    bool quiet;  /* only what is wrong */
    bool keeps;  /* reading --with */
    size_t valid, invalid, unreadable, warnings;
} run_state;

static bool has_codec(med_str path, const char *format)
{
    static const char *const codecs[] = {"", ".gz", ".zst", ".bz2"};
    char end[16];
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        int n = snprintf(end, sizeof end, "%s%s", format, codecs[i]);
        if (n > 0 && med_str_ends(path, (med_str){end, (size_t)n}))
            return true;
    }
    return false;
}

/* ---- saying it ---- */

static void print_place(const run_state *s)
{
    printf("%.*s", MED_STR_ARG(s->path));
    if (s->line > 0)
        printf(":%zu", s->line);
}

static void print_outcome(const run_state *s, const med_err *err, const med_problems *list)
{
    med_buf out;
    med_buf_init(&out, (size_t)4 << 20);
    if (err->issue == MED_ISSUE_NONE && list->n == 0)
        med_outcome_write_note(&out, "information", MED_ISSUE_INFORMATIONAL,
                               MED_STR("legal FHIR R4"));
    else
        med_outcome_write(&out, err, list);
    printf("{\"file\":\"");
    med_buf name;
    med_buf_init(&name, (size_t)1 << 16);
    med_json_escape(&name, s->path);
    printf("%.*s\",\"line\":%zu,\"outcome\":%.*s}\n", (int)name.len, name.ptr, s->line,
           (int)out.len, out.ptr);
    med_buf_free(&name);
    med_buf_free(&out);
}

static void print_problems(const run_state *s, const med_problems *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const med_problem *p = &list->at[i];
        if (p->is_warning && s->quiet)
            continue;
        print_place(s);
        printf(": %s: %.*s%s%.*s [%s]\n", p->is_warning ? "warning" : "error",
               MED_STR_ARG(p->expression), p->expression.len > 0 ? ": " : "", MED_STR_ARG(p->text),
               med_issue_code(p->issue));
    }
}

static void report(run_state *s, const med_err *err, const med_problems *list)
{
    bool wrong = false;
    for (size_t i = 0; i < list->n; i++) {
        wrong = wrong || !list->at[i].is_warning;
        s->warnings += list->at[i].is_warning;
    }
    if (err->issue != MED_ISSUE_NONE)
        s->unreadable++;
    else if (wrong)
        s->invalid++;
    else
        s->valid++;
    if (s->json) {
        print_outcome(s, err, list);
    } else if (err->issue != MED_ISSUE_NONE) {
        print_place(s);
        printf(": error: %s [%s]\n", err->text, med_issue_code(err->issue));
    } else {
        print_problems(s, list);
    }
}

/* ---- checking ---- */

/* XML becomes JSON first; how it is told apart is the first character. */
static bool parse(run_state *s, med_str text, med_json *j, med_err *err)
{
    if (med_str_starts(text, MED_STR("\xEF\xBB\xBF"))) /* files may have one; messages not */
        text = med_str_skip(text, 3);
    med_str start = med_str_trim(text);
    if (start.len == 0 || start.ptr[0] != '<')
        return med_json_parse(s->a, text, j, NULL, err);
    med_buf out;
    med_str json;
    med_buf_init(&out, RESOURCE_BYTES);
    bool ok = med_xml_read(s->pack, s->a, text, &out, err);
    if (ok && !med_arena_copy(s->a, med_buf_str(&out), &json))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&out);
    return ok && med_json_parse(s->a, json, j, NULL, err);
}

static med_str text_of(const med_json *j, const char *key)
{
    uint32_t node = med_json_member(j, 0, med_str_from(key));
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING ? med_json_raw(j, node)
                                                                     : MED_STR_EMPTY;
}

/* By its url, or as "Questionnaire/id". */
static bool find_known(void *arg, const char *type, med_str canonical, const med_json **j,
                       uint32_t *root)
{
    const run_state *s = arg;
    med_str url = med_str_sub(canonical, 0, med_str_find(canonical, '|', 0));
    med_str rest, start = med_str_cut(url, '/', &rest);
    *root = 0;
    for (size_t i = 0; i < s->n_with; i++) {
        *j = s->with[i].j;
        if (!med_str_eqz(s->with[i].type, type))
            continue;
        if (med_str_eq(s->with[i].url, url)
            || (med_str_eqz(start, type) && med_str_eq(text_of(*j, "id"), rest)))
            return true;
    }
    return false;
}

/* What a reference names, if --with brought it. */
static bool fetch(void *arg, med_arena *a, med_str text, const med_json **j, uint32_t *root,
                  med_err *err)
{
    const run_state *s = arg;
    med_reference ref;
    med_err ignored = {0};
    (void)a;
    (void)err;
    *root = 0;
    if (!med_reference_parse(s->pack, text, MED_STR_EMPTY, &ref, &ignored) || ref.id.len == 0)
        return true;
    for (size_t i = 0; i < s->n_with && *j == NULL; i++) {
        if (med_str_eq(s->with[i].type, ref.type)
            && med_str_eq(text_of(s->with[i].j, "id"), ref.id))
            *j = s->with[i].j;
    }
    return true;
}

/* What a guide asks of all resources of a type:
 * https://hl7.org/fhir/R4/implementationguide-definitions.html#ImplementationGuide.global */
static void keep_globals(run_state *s, const med_json *j)
{
    uint32_t list = med_json_member(j, 0, MED_STR("global"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t profile = med_json_kind_at(j, e) == MED_JSON_OBJECT
                               ? med_json_member(j, e, MED_STR("profile"))
                               : 0;
        if (profile != 0 && med_json_kind_at(j, profile) == MED_JSON_STRING
            && s->n_globals < GLOBALS_MAX)
            s->globals[s->n_globals++] = med_json_raw(j, profile);
    }
}

static void remember(run_state *s, const med_json *j)
{
    known *with = MED_GROW(s->kept, s->with, s->n_with, &s->room_with, KNOWN_ROOM);
    if (with == NULL)
        return;
    s->with = with;
    s->with[s->n_with++] =
        (known){text_of(j, "resourceType"), text_of(j, "url"), med_json_span(j, 0), j};
}

/* Keeps what is asked for later. */
static void keep(run_state *s, med_str text)
{
    med_err err = {0};
    med_str copy;
    med_json *j = MED_TAKE(s->kept, 1, med_json);
    med_arena *own = s->a;
    if (j == NULL || !med_arena_copy(s->kept, text, &copy))
        return;
    s->a = s->kept;
    bool ok = parse(s, copy, j, &err);
    s->a = own;
    if (!ok)
        (void)fprintf(stderr, "medulla: %.*s: %s\n", MED_STR_ARG(s->path), err.text);
    if (ok && med_str_eqz(text_of(j, "resourceType"), "StructureDefinition")) {
        med_err why = {0};
        if (!med_definition_set_add(s->loose, med_json_span(j, 0), MED_STR_EMPTY, &why))
            (void)fprintf(stderr, "medulla: %.*s: %s\n", MED_STR_ARG(s->path), why.text);
    }
    if (ok && med_str_eqz(text_of(j, "resourceType"), "ImplementationGuide"))
        keep_globals(s, j);
    if (ok)
        remember(s, j);
}

/* ---- the terminology of --with ---- */

static uint64_t with_generation(void *self)
{
    return ((const run_state *)self)->n_with;
}

static bool with_find(void *self, med_arena *a, enum med_term_kind kind, med_str url,
                      med_str version, med_term_resource *out, med_err *err)
{
    static const char *const names[MED_TERM_KINDS] = {"CodeSystem", "ValueSet", "ConceptMap"};
    const run_state *s = self;
    (void)a;
    (void)err;
    *out = (med_term_resource){MED_STR_EMPTY, MED_STR_EMPTY};
    for (size_t i = 0; i < s->n_with && out->json.len == 0; i++) {
        const known *k = &s->with[i];
        if (med_str_eqz(k->type, names[kind]) && med_str_eq(k->url, url)
            && (version.len == 0 || med_str_eq(text_of(k->j, "version"), version)))
            *out = (med_term_resource){url, k->text};
    }
    return true;
}

static bool open_terms(run_state *s, med_err *err)
{
    s->source = (med_terminology_source){s, with_generation, with_find, NULL};
    if (!med_terminology_open(NULL, &s->terms, err))
        return false;
    s->scope = (med_term_scope){s->terms, &s->source};
    s->codes = med_term_bindings_in(&s->scope);
    return true;
}

/* ---- profiles ---- */

/* With what is installed in the data directory, should there be one. */
static bool open_profiles(const med_arguments *args, run_state *s, med_err *err)
{
    med_str data = med_config_text(args->config, "store.data");
    med_str folder = med_arena_printf(args->arena, "%.*s/packages", MED_STR_ARG(data));
    if (folder.len == 0)
        return MED_FAIL_MEMORY(err);
    if (!med_packages_open(folder.ptr, &s->packages, err)
        || !med_profiles_new(s->pack, &s->profiles, err))
        return false;
    s->built_in = med_packages_source(s->packages);
    s->kept = med_arena_new(RESOURCE_MEMORY);
    s->loose = s->kept == NULL ? NULL : med_definition_set_new(s->kept, &s->built_in);
    if (s->loose == NULL)
        return MED_FAIL_MEMORY(err);
    s->definitions = med_definition_set_source(s->loose);
    s->use = (med_profile_use){.cache = s->profiles, .source = &s->definitions, .claimed = true};
    return true;
}

/* --profile: of every resource that is named; several times. */
static bool profiles_of(const med_arguments *args, run_state *s, med_err *err)
{
    med_str claimed;
    if (med_argument(args, "claimed", &claimed)) {
        s->use.claimed = med_str_eqz(claimed, "yes");
        if (!s->use.claimed && !med_str_eqz(claimed, "no"))
            return MED_FAIL(err, MED_ISSUE_VALUE, "--claimed is yes or no");
    }
    s->use.canonicals = s->asked;
    for (size_t i = 0; i < args->n_options; i++) {
        if (strcmp(args->options[i].option->name, "profile") != 0)
            continue;
        if (s->use.n == PROFILES_MAX)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "at most %d profiles at once", PROFILES_MAX);
        s->asked[s->use.n++] = args->options[i].value;
    }
    return true;
}

static void check(run_state *s, med_str text)
{
    if (s->keeps) {
        keep(s, text);
        return;
    }
    med_json j;
    med_type type;
    med_err err = {0};
    med_problems list = {0};
    med_arena_reset(s->a);
    bool done = parse(s, text, &j, &err)
                && med_structure_check_with(s->a, s->pack, &j, 0, &s->options, &type, &list, &err)
                && (s->options.rules == NULL
                    || med_validate_definition(s->a, &j, 0, &s->definitions, &list, &err));
    if (!done && err.issue == MED_ISSUE_NONE)
        (void)MED_FAIL_MEMORY(&err);
    report(s, &err, &list);
}

/* ---- files ---- */

/* The whole lines in `buf`; what is behind the last stays in it. */
static bool check_lines(run_state *s, med_buf *buf, bool at_end)
{
    med_str rest = med_buf_str(buf);
    while (rest.len > 0) {
        size_t end = med_str_find(rest, '\n', 0);
        if (end == rest.len && !at_end)
            break;
        med_str line = med_str_trim(med_str_sub(rest, 0, end));
        s->line++;
        if (line.len > 0)
            check(s, line);
        rest = med_str_skip(rest, end + 1);
    }
    memmove(buf->ptr, rest.ptr, rest.len);
    buf->len = rest.len;
    return !buf->failed;
}

static bool read_source(run_state *s, med_source *source, bool lines, med_buf *buf, med_err *err)
{
    char bytes[READ_BYTES];
    size_t n = 0;
    do {
        if (!med_source_read(source, bytes, sizeof bytes, &n, err))
            return false;
        med_buf_add(buf, (med_str){bytes, n});
        if (buf->failed)
            return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource is larger than 256 MiB");
        if (lines && !check_lines(s, buf, n == 0))
            return MED_FAIL_MEMORY(err);
    } while (n > 0);
    if (!lines)
        check(s, med_buf_str(buf));
    return true;
}

static void check_file(run_state *s, med_str path)
{
    med_err err = {0};
    med_problems none = {0};
    med_buf buf;
    s->path = path;
    s->line = 0;
    med_source *source = med_source_open(path, &err);
    med_buf_init(&buf, RESOURCE_BYTES);
    if (source == NULL || !read_source(s, source, has_codec(path, ".ndjson"), &buf, &err))
        report(s, &err, &none);
    med_buf_free(&buf);
    if (source != NULL)
        med_source_close(source);
}

static enum med_exit check_all(run_state *s, const med_import_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        check_file(s, files->at[i].path);
    (void)fprintf(stderr, "%zu valid, %zu not valid, %zu not readable, %zu warnings\n", s->valid,
                  s->invalid, s->unreadable, s->warnings);
    return s->invalid + s->unreadable == 0 ? MED_EXIT_OK : MED_EXIT_FAILED;
}

/* --with may be given several times. */
static bool read_with(const med_arguments *args, run_state *s, med_err *err)
{
    med_import_files files = {.arena = args->arena, .xml = true};
    for (size_t i = 0; i < args->n_options; i++) {
        if (strcmp(args->options[i].option->name, "with") == 0
            && !med_import_files_add(&files, args->options[i].value, err))
            return false;
    }
    s->keeps = true;
    for (size_t i = 0; i < files.n; i++)
        check_file(s, files.at[i].path);
    s->keeps = false;
    s->use.listed = s->globals;
    s->use.n_listed = s->n_globals;
    return true;
}

static bool options_of(const med_arguments *args, run_state *s, med_err *err)
{
    med_str text = MED_STR("text");
    med_str level = MED_STR("base");
    med_str ignored;
    med_str extensions = MED_STR("any");
    (void)med_argument(args, "format", &text);
    (void)med_argument(args, "enforce", &level);
    (void)med_argument(args, "extensions", &extensions);
    s->json = med_str_eqz(text, "json");
    s->quiet = med_argument(args, "quiet", &ignored);
    if (!s->json && !med_str_eqz(text, "text"))
        return MED_FAIL(err, MED_ISSUE_VALUE, "--format is text or json");
    if (!med_str_eqz(level, "base") && !med_str_eqz(level, "structure"))
        return MED_FAIL(err, MED_ISSUE_VALUE, "--enforce is structure or base");
    if (!med_str_eqz(extensions, "known") && !med_str_eqz(extensions, "any"))
        return MED_FAIL(err, MED_ISSUE_VALUE, "--extensions is known or any");
    s->options = (med_structure_options){
        .base = MED_STR_EMPTY,
        .rules = med_str_eqz(level, "base") ? s->rules : NULL,
        .codes = &s->codes,
        .profiles = med_str_eqz(level, "base") ? &s->use : NULL,
        .strict = true,
        .known_extensions = med_str_eqz(extensions, "known"),
        .quiet = s->quiet,
        .now = med_now(&med_clock_system),
        .find = find_known,
        .fetch = fetch,
        .arg = s,
    };
    return profiles_of(args, s, err) && read_with(args, s, err);
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
    med_import_files files = {.arena = args->arena, .xml = true};
    run_state s = {.pack = med_pack_core()};
    if (args->n == 0)
        return med_command_fail(MED_EXIT_USAGE,
                                "validate needs files or folders ('-' is standard input)");
    for (size_t i = 0; i < args->n; i++) {
        if (!med_import_files_add(&files, args->words[i], &err))
            return med_command_fail(MED_EXIT_USAGE, "%s", err.text);
    }
    s.a = med_arena_new(RESOURCE_MEMORY);
    enum med_exit exit = MED_EXIT_FAILED;
    if (s.a == NULL || !med_rules_new(s.pack, &s.rules, &err) || !open_terms(&s, &err)
        || !open_profiles(args, &s, &err))
        exit = med_command_fail(MED_EXIT_FAILED, "%s",
                                err.text[0] == '\0' ? "out of memory" : err.text);
    else if (!options_of(args, &s, &err))
        exit = med_command_fail(MED_EXIT_USAGE, "%s", err.text);
    else
        exit = check_all(&s, &files);
    med_arena_free(s.a); /* holds what of the terminology it has asked for */
    med_arena_free(s.kept);
    med_profiles_free(s.profiles);
    med_packages_free(s.packages);
    med_terminology_free(s.terms);
    med_rules_free(s.rules);
    return exit;
}

const med_command med_command_validate = {
    .name = "validate",
    .usage = "[--profile URL] [--with PATH] [--format text|json] [--quiet] FILE...",
    .summary = "check resources in files against FHIR R4",
    .examples = "  medulla validate patient.json observations.ndjson bundles/\n"
                "  medulla validate --profile http://hl7.org/fhir/StructureDefinition/bp bp.json\n",
    .options =
        (const med_option[]){
            {"claimed", "yes|no", NULL, "check the profiles in meta.profile, too (the default)"},
            {"data", "DIR", "store.data",
             "data directory, for the packages that are installed there"},
            {"enforce", "LEVEL", NULL, "structure, or base: all that R4 says (the default)"},
            {"extensions", "known|any", NULL,
             "known: one that nobody here defines is an error, not a warning"},
            {"format", "FORMAT", NULL, "text, or json: an OperationOutcome for each resource"},
            {"profile", "URL", NULL, "a profile that every resource must keep; several times"},
            {"quiet", NULL, NULL, "errors only, no warnings"},
            {"with", "PATH", NULL,
             "what to check against: definitions, Questionnaires, Measures, codes, targets of "
             "references, the profiles for all that an ImplementationGuide names; several times"},
            {NULL, NULL, NULL, NULL},
        },
    .run = run,
};
