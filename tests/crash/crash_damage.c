/* crash_damage.c - damaged bytes anywhere in the file, and in the WAL: never a wrong answer.
 *
 *     crash_damage DIRECTORY TRIALS SEED
 *     crash_damage DIRECTORY TRIALS SEED control    with the check values made to fit again:
 *                                                   as if there were none; must go wrong
 *
 * D04: a bit, a sector or half a page is changed. Then everything is asked: each resource by
 * id, each list and index. An answer is right, or an error; a resource that is said to be
 * absent, or a list that is too short, is as wrong as a false one. Damage in the WAL may only
 * take off its end, commit by commit. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/page_check.h"
#include "workload.h"

enum { RESOURCES = 400, LAST = 60 };

struct tally {
    uint64_t trials, right, errors, wrong, refused_open;
};

static uint64_t roll(uint64_t *seed, uint64_t n)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (*seed >> 11) % n;
}

static med_str text_of(med_arena *a, unsigned i)
{
    return med_arena_printf(a,
                            "{\"resourceType\":\"Patient\",\"id\":\"r%u\",\"x\":\"words %u %u\"}",
                            i, i * 7919, i * 104729);
}

static bool put(med_store *s, med_arena *a, unsigned i)
{
    med_err err = {0};
    med_str id = med_arena_printf(a, "r%u", i);
    med_str word = med_arena_printf(a, "code%u", i % 10);
    med_token_row token = {1, MED_ROW_GLOBAL, med_store_hash(s, word)};
    med_code_row code = {token.hash, 1, MED_STR("urn:s"), word, MED_STR_EMPTY};
    med_string_row name = {2, med_arena_printf(a, "name%u", i % 10)};
    med_write w = {.kind = MED_WRITE_PUT,
                   .type = 1,
                   .id = id,
                   .text = text_of(a, i),
                   .rows = {.tokens = &token,
                            .n_tokens = 1,
                            .codes = &code,
                            .n_codes = 1,
                            .strings = &name,
                            .n_strings = 1,
                            .when = i}};
    med_commit c = {.writes = &w, .n_writes = 1, .trace = MED_STR_EMPTY};
    return med_store_prepare(s, a, &w, &err) && med_store_commit_wait(s, &c, &err);
}

/* Says of each kind of answer whether it was right. */
static void judge(struct tally *t, enum med_found found, bool right)
{
    if (found == MED_FAILED)
        t->errors++;
    else if (right)
        t->right++;
    else
        t->wrong++;
}

/* How many hits; MED_FAILED when it broke off. */
static enum med_found count(med_view *v, const med_scan *q, size_t *n)
{
    med_err err;
    med_hit hit;
    *n = 0;
    med_cursor *c = med_view_scan(v, q, &err);
    enum med_found found = c == NULL ? MED_FAILED : MED_FOUND;
    while (found == MED_FOUND && (found = med_cursor_next(c, &hit, &err)) == MED_FOUND)
        (*n)++;
    med_cursor_close(c);
    return found == MED_FAILED ? MED_FAILED : MED_FOUND;
}

static void ask_lists(struct tally *t, med_store *s, med_view *v, med_arena *a)
{
    med_err err;
    size_t n = 0;
    for (unsigned i = 0; i < 10; i++) {
        med_str word = med_arena_printf(a, "code%u", i);
        med_scan token = {.index = MED_INDEX_TOKEN, .param = 1, .key = med_store_hash(s, word)};
        token.low_text = token.high_text = token.after_text = MED_STR_EMPTY;
        enum med_found found = count(v, &token, &n);
        judge(t, found, n == RESOURCES / 10);
        uint64_t counted = 0;
        bool good = med_view_count_token(v, 1, token.key, &counted, &err);
        judge(t, good ? MED_FOUND : MED_FAILED, counted == RESOURCES / 10);
        med_scan name = {.index = MED_INDEX_STRING, .param = 2};
        name.low_text = med_arena_printf(a, "name%u", i);
        name.high_text = name.after_text = MED_STR_EMPTY;
        found = count(v, &name, &n);
        judge(t, found, n == RESOURCES / 10);
    }
    med_scan all = {.index = MED_INDEX_UPDATED, .param = 1, .high_int = INT64_MAX};
    all.low_text = all.high_text = all.after_text = MED_STR_EMPTY;
    enum med_found found = count(v, &all, &n);
    judge(t, found, n == RESOURCES);
    med_history q = {
        .since = MED_TIME_MIN, .until = MED_TIME_MAX, .text = true, .limit = 2 * RESOURCES};
    med_stored *versions = NULL;
    bool good = med_view_history(v, a, &q, &versions, &n, &err);
    judge(t, good ? MED_FOUND : MED_FAILED, n == RESOURCES);
}

static void ask_everything(struct tally *t, med_store *s)
{
    med_err err = {0};
    med_arena *a = med_arena_new((size_t)64 << 20);
    med_view *v = med_store_view(s, 0, INT64_MAX, &err);
    for (unsigned i = 0; v != NULL && i < RESOURCES; i++) {
        med_stored stored;
        med_arena_reset(a);
        enum med_found found = med_view_read(v, a, 1, med_arena_printf(a, "r%u", i), &stored, &err);
        judge(t, found, found == MED_FOUND && med_str_eq(stored.text, text_of(a, i)));
    }
    med_arena_reset(a);
    if (v != NULL)
        ask_lists(t, s, v, a);
    med_view_end(v);
    med_arena_free(a);
}

static unsigned char *read_file(const char *path, size_t *n)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0)
        return NULL;
    *n = (size_t)info.st_size;
    unsigned char *bytes = malloc(*n + 1);
    ssize_t got = bytes == NULL ? -1 : read(fd, bytes, *n);
    (void)close(fd);
    if (got == (ssize_t)*n)
        return bytes;
    free(bytes);
    return NULL;
}

static bool write_file(const char *path, const unsigned char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool good = fd >= 0 && write(fd, bytes, n) == (ssize_t)n;
    (void)close(fd);
    return good;
}

static void damage(unsigned char *bytes, size_t n, uint64_t *seed)
{
    uint64_t kind = roll(seed, 3);
    size_t at = (size_t)roll(seed, n);
    if (kind == 0) {
        bytes[at] ^= (unsigned char)(1U << roll(seed, 8));
        return;
    }
    size_t length = kind == 1 ? 512 : 2048;
    at -= at % length;
    bool noise = roll(seed, 2) == 0;
    for (size_t i = at; i < at + length && i < n; i++)
        bytes[i] = noise ? (unsigned char)roll(seed, 256) : 0;
}

static void seal(unsigned char *bytes, size_t n)
{
    for (size_t at = 0; at + MED_PAGE_SIZE <= n; at += MED_PAGE_SIZE) {
        uint64_t check = med_page_check(bytes + at, at / MED_PAGE_SIZE + 1);
        memcpy(bytes + at + MED_PAGE_SIZE - MED_PAGE_RESERVED, &check, sizeof check);
    }
}

/* The main file: everything asked must be right or an error. */
static bool damage_main(struct tally *t, const char *data, uint64_t trials, uint64_t *seed,
                        bool control)
{
    char path[1200];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "%s/medulla.db", data);
    unsigned char *whole = read_file(path, &n);
    unsigned char *bytes = malloc(n);
    for (uint64_t i = 0; whole != NULL && bytes != NULL && i < trials; i++) {
        memcpy(bytes, whole, n);
        damage(bytes, n, seed);
        t->trials++;
        if (memcmp(bytes, whole, n) == 0)
            continue; /* zeroed what was zero */
        if (control)
            seal(bytes, n);
        if (!write_file(path, bytes, n))
            return false;
        med_store *s = load_open(data, NULL, 1 << 20);
        if (s == NULL)
            t->refused_open++;
        else
            ask_everything(t, s);
        med_store_close(s);
        char wal[1300];
        (void)snprintf(wal, sizeof wal, "%s-wal", path);
        (void)unlink(wal);
    }
    bool good = whole != NULL && bytes != NULL && write_file(path, whole, n);
    free(bytes);
    free(whole);
    return good;
}

/* Which of the last resources are there: must be a beginning, without a gap. */
static bool is_prefix(med_store *s, unsigned *there)
{
    med_err err = {0};
    med_arena *a = med_arena_new((size_t)4 << 20);
    med_view *v = med_store_view(s, 0, INT64_MAX, &err);
    bool good = true;
    bool ended = false;
    *there = 0;
    for (unsigned i = RESOURCES; i < RESOURCES + LAST; i++) {
        med_stored stored;
        enum med_found found = med_view_read(v, a, 1, med_arena_printf(a, "r%u", i), &stored, &err);
        bool here = found == MED_FOUND;
        good = good && found != MED_FAILED && !(here && ended)
               && (!here || med_str_eq(stored.text, text_of(a, i)));
        ended = ended || !here;
        *there += here;
    }
    med_view_end(v);
    med_arena_free(a);
    med_verify verify = {0};
    return good && med_store_verify(s, &verify, &err) && verify.faults == 0;
}

/* The WAL of a process that died: damage cuts it short, and never corrupts. */
static bool damage_wal(struct tally *t, const char *data, uint64_t trials, uint64_t *seed)
{
    char main_path[1200];
    char wal_path[1200];
    size_t n_main = 0;
    size_t n_wal = 0;
    (void)snprintf(main_path, sizeof main_path, "%s/medulla.db", data);
    (void)snprintf(wal_path, sizeof wal_path, "%s/medulla.db-wal", data);
    med_arena *a = med_arena_new((size_t)16 << 20);
    med_store *s = load_open(data, NULL, (size_t)64 << 20);
    bool good = s != NULL;
    for (unsigned i = RESOURCES; good && i < RESOURCES + LAST; i++)
        good = put(s, a, i);
    unsigned char *whole = read_file(main_path, &n_main); /* before closing moves the WAL */
    unsigned char *wal = read_file(wal_path, &n_wal);
    med_store_close(s);
    med_arena_free(a);
    unsigned char *bytes = malloc(n_wal + 1);
    good = good && whole != NULL && wal != NULL && bytes != NULL && n_wal > 100000;
    unsigned fewest = LAST;
    for (uint64_t i = 0; good && i < trials; i++) {
        memcpy(bytes, wal, n_wal);
        damage(bytes, n_wal, seed);
        good = write_file(main_path, whole, n_main) && write_file(wal_path, bytes, n_wal);
        t->trials++;
        s = load_open(data, NULL, 1 << 20);
        unsigned there = 0;
        if (s == NULL)
            t->refused_open++;
        else if (is_prefix(s, &there))
            t->right++;
        else
            t->wrong++;
        fewest = s != NULL && there < fewest ? there : fewest;
        med_store_close(s);
    }
    free(bytes);
    free(wal);
    free(whole);
    return good && fewest < LAST; /* else no damage was ever met */
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: crash_damage DIRECTORY TRIALS SEED\n");
        return 2;
    }
    char data[1024];
    uint64_t trials = strtoull(argv[2], NULL, 10);
    bool control = argc > 4;
    uint64_t given = strtoull(argv[3], NULL, 10);
    uint64_t seed = given * 0x9e3779b97f4a7c15U + 1;
    (void)snprintf(data, sizeof data, "%s/store", argv[1]);
    struct tally t = {0};
    med_arena *a = med_arena_new((size_t)16 << 20);
    med_store *s = load_open(data, NULL, 1 << 20);
    bool good = s != NULL;
    for (unsigned i = 0; good && i < RESOURCES; i++)
        good = put(s, a, i);
    med_store_close(s);
    med_arena_free(a);
    good = good && damage_main(&t, data, control ? trials : trials * 4 / 5, &seed, control)
           && (control || damage_wal(&t, data, trials / 5, &seed)) && t.errors > 0
           && (t.wrong > 0) == control;
    printf(
        "D04%s %s %llu damages: %llu answers right, %llu errors, %llu wrong, %llu stores did not "
        "open seed %llu\n",
        control ? "-control (no page checks, must go wrong)" : "", good ? "pass" : "fail",
        (unsigned long long)t.trials, (unsigned long long)t.right, (unsigned long long)t.errors,
        (unsigned long long)t.wrong, (unsigned long long)t.refused_open, (unsigned long long)given);
    static const char *const names[] = {"medulla.db", "medulla.db-wal", "medulla.db-shm", "key",
                                        "lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[1200];
        (void)snprintf(path, sizeof path, "%s/%s", data, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(data);
    return good ? 0 : 1;
}
