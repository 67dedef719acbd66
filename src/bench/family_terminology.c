/* family_terminology.c - codes looked up, compared and found by words, in a large system.
 * https://hl7.org/fhir/R4/terminology-service.html
 *
 * The system is made up: a tree of eight below each code, displays of common words in six
 * languages. It is imported by the command that operators use, beside the running server. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/child.h"
#include "bench/run.h"

#define SYSTEM "http://example.org/bench"
#define CODES_RATE 20000
#define WORDS_RATE 1000

enum {
    CODES_A_PERSON = 400,
    CODES_MAX = 400000,
    BELOW = 8,
    QUERIES = 5000,
    TRIES = 100,
    TRY_MS = 100
};

/* Medical words of about the frequencies that displays have: a few common, most rare. */
static const char *const common[] = {"disorder", "of",    "structure", "left",
                                     "right",    "acute", "finding",   "procedure"};
static const char *const roots[] = {"card", "ren",  "hepat", "pulm", "gastr",  "neur", "derm",
                                    "oste", "arth", "my",    "vas",  "ot",     "rhin", "ocul",
                                    "dent", "thyr", "nephr", "col",  "pancre", "splen"};
static const char *const ends[] = {"itis",     "oma",    "osis",      "algia",  "ectomy",
                                   "pathy",    "graphy", "plasty",    "scopy",  "emia",
                                   "uria",     "plegia", "rrhea",     "tomy",   "megaly",
                                   "stenosis", "lysis",  "sclerosis", "trophy", "genesis"};
static const char *const languages[] = {"de", "fr", "es", "sv", "nb"};
enum {
    COMMON = sizeof common / sizeof *common,
    ROOTS = sizeof roots / sizeof *roots,
    ENDS = sizeof ends / sizeof *ends,
    LANGUAGES = sizeof languages / sizeof *languages
};

static uint32_t next_number(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

static void write_code(FILE *to, uint32_t i, uint64_t *state)
{
    uint32_t a = next_number(state), b = next_number(state);
    const char *root = roots[a % ROOTS], *end = ends[b % ENDS];
    const char *word = common[(a / ROOTS) % COMMON];
    (void)fprintf(to, "c%u,%s%s %s %u,", i, root, end, word, (a / 256) % 5000);
    if (i > 0)
        (void)fprintf(to, "c%u", (i - 1) / BELOW);
    for (size_t k = 0; k < LANGUAGES; k++)
        (void)fprintf(to, ",%s%s%s %s %u", root, end, languages[k], word, (a / 256) % 5000);
    (void)fputc('\n', to);
}

static bool write_system(const char *path, uint32_t n, med_err *err)
{
    uint64_t state = 2026;
    FILE *to = fopen(path, "we");
    bool ok = to != NULL && fputs("code,display,parent", to) != EOF;
    for (size_t k = 0; ok && k < LANGUAGES; k++)
        ok = fprintf(to, ",display@%s", languages[k]) > 0;
    ok = ok && fputc('\n', to) != EOF;
    for (uint32_t i = 0; ok && i < n; i++)
        write_code(to, i, &state);
    ok = ok && ferror(to) == 0;
    if (to != NULL && fclose(to) != 0)
        ok = false;
    return ok ? true
              : MED_FAIL(err, MED_ISSUE_NO_STORE, "can not write %s: %s", path,
                         strerrordesc_np(errno));
}

static bool import_system(med_bench *b, const char *path, med_err *err)
{
    const char *words[] = {"terminology", "import",   "--data", b->store, "--format",
                           "csv",         "--system", SYSTEM,   path,     NULL};
    med_child_end end;
    pid_t pid = med_child_program(words, b->log, err);
    if (pid < 0)
        return false;
    while (!med_child_wait(pid, TRY_MS, &end)) {
        if (atomic_load(&b->stop)) {
            med_child_stop(pid, SIGKILL);
            return MED_FAIL(err, MED_ISSUE_TRANSIENT, "interrupted");
        }
    }
    return end.exited && end.code == 0 ? true
                                       : MED_FAIL(err, MED_ISSUE_EXCEPTION,
                                                  "terminology import failed; its log: %s", b->log);
}

/* Until the running server has noticed the new file. */
static bool await_system(med_bench *b, med_err *err)
{
    med_reply reply = {0};
    for (int i = 0; i < TRIES; i++) {
        if (!med_ask(&b->asker, "GET", MED_STR("CodeSystem/$lookup?system=" SYSTEM "&code=c1"),
                     MED_STR_EMPTY, MED_STR_EMPTY, &reply, err))
            return false;
        if (reply.status == 200)
            return true;
        (void)usleep(TRY_MS * 1000);
    }
    return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the server does not take up what was imported");
}

static bool put_value_set(med_bench *b, med_err *err)
{
    med_reply reply = {0};
    return med_ask(&b->asker, "PUT", MED_STR("ValueSet/bench"), MED_STR_EMPTY,
                   MED_STR("{\"resourceType\":\"ValueSet\",\"id\":\"bench\",\"url\":\"" SYSTEM
                           "/all\",\"status\":\"active\",\"compose\":{\"include\":[{\"system\":"
                           "\"" SYSTEM "\"}]}}"),
                   &reply, err)
           && (reply.status / 100 == 2
               || MED_FAIL(err, MED_ISSUE_EXCEPTION, "the value set was not stored"));
}

/* ---- the three questions ---- */

enum question { VALIDATE, SUBSUMES, WORDS, QUESTIONS };

static med_str path_of(med_arena *a, enum question what, uint32_t n, uint64_t *state)
{
    uint32_t x = next_number(state), y = next_number(state), code = x % n;
    uint32_t above = code;
    switch (what) {
    case VALIDATE:
        return med_arena_printf(a, "CodeSystem/$validate-code?url=" SYSTEM "&code=c%u", code);
    case SUBSUMES: /* half of them stand above */
        for (uint32_t up = y % 4; up > 0 && above > 0; up--)
            above = (above - 1) / BELOW;
        above = y % 2 == 0 ? above : y % n;
        return med_arena_printf(a, "CodeSystem/$subsumes?system=" SYSTEM "&codeA=c%u&codeB=c%u",
                                above, code);
    case WORDS:
        return med_arena_printf(
            a, "ValueSet/$expand?url=" SYSTEM "/all&count=10&filter=%s%.3s%%20%.4s",
            roots[x % ROOTS], ends[y % ENDS], common[(y / ENDS) % COMMON]);
    case QUESTIONS:
        break;
    }
    return MED_STR_EMPTY;
}

typedef struct rounds {
    med_load_result ours[MED_BENCH_ROUNDS], constant[MED_BENCH_ROUNDS];
} rounds;

static bool measure(med_bench *b, const med_str *paths, rounds *r, unsigned connections,
                    med_err *err)
{
    med_path_work ours, constant;
    med_path_work_init(&ours, &b->target, paths, QUERIES, connections);
    med_path_work_init(&constant, &b->constant, paths, QUERIES, connections);
    const med_load_work a = {med_path_work_next, NULL, &ours};
    const med_load_work c = {med_path_work_next, NULL, &constant};
    bool ok = med_bench_warm(b, &b->target, connections, &a, err);
    for (unsigned i = 0; ok && i < b->options->rounds; i++)
        ok = med_bench_load(b, &b->constant, b->constant_server, connections, b->options->seconds,
                            &c, &r->constant[i], err)
             && med_bench_load(b, &b->target, b->watched, connections, b->options->seconds, &a,
                               &r->ours[i], err);
    return ok;
}

static bool measure_question(med_bench *b, enum question what, uint32_t n, rounds *r, med_err *err)
{
    static const char *const keys[] = {"validate-code", "subsumes", "expand-words"};
    static const char *const names[] = {"$validate-code", "$subsumes", "$expand by words"};
    unsigned connections = b->options->connections > 0 ? b->options->connections : 64;
    uint64_t state = 77;
    med_str *paths = MED_TAKE(b->arena, QUERIES, med_str);
    for (size_t i = 0; paths != NULL && i < QUERIES; i++) {
        paths[i] = path_of(b->arena, what, n, &state);
        if (paths[i].len == 0)
            paths = NULL;
    }
    if (paths == NULL)
        return MED_FAIL_MEMORY(err);
    if (!measure(b, paths, r, connections, err))
        return false;
    med_figure f = med_figure_of_rounds(r->ours, b->options->rounds);
    med_figure constant = med_figure_of_rounds(r->constant, b->options->rounds);
    f.family = "terminology";
    f.key = keys[what];
    f.connections = connections;
    f.name = med_str_from(names[what]);
    f.reference = "/s constant answer";
    f.reference_value = constant.value;
    f.note = med_arena_printf(b->arena, "a system of %u codes in six languages", n);
    if (n == CODES_MAX)
        f.goals[0] = (med_goal){MED_GOAL_VALUE, true, what == WORDS ? WORDS_RATE : CODES_RATE};
    return med_bench_add(b, &f, err);
}

bool med_bench_terminology(med_bench *b, med_err *err)
{
    char path[MED_BENCH_PATH + 16];
    uint32_t n = b->people == 0 || b->people > CODES_MAX / CODES_A_PERSON
                     ? CODES_MAX
                     : b->people * CODES_A_PERSON;
    rounds *r = MED_NEW(1, rounds);
    (void)snprintf(path, sizeof path, "%s/codes.csv", b->folder);
    bool ok = r != NULL ? true : MED_FAIL_MEMORY(err);
    ok = ok && write_system(path, n, err) && import_system(b, path, err) && await_system(b, err)
         && put_value_set(b, err);
    for (int q = VALIDATE; ok && q < QUESTIONS; q++)
        ok = measure_question(b, (enum question)q, n, r, err);
    (void)unlink(path);
    med_free(r);
    return ok;
}
