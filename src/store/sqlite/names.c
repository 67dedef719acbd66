/* names.c - numbers for resource types and search parameters, given for ever. */
#include "base/mem.h"
#include "store/sqlite/sqlite_impl.h"

/* Where a name is, or would be. */
static size_t place(const struct sqlite_store *s, enum med_name_kind kind, med_str name)
{
    const struct names *names = &s->names[kind];
    size_t i = (size_t)med_store_hash(&s->base, name) & (names->map_cap - 1);
    while (names->map[i] != 0 && !med_str_eqz(name, names->at[names->map[i] - 1]))
        i = (i + 1) & (names->map_cap - 1);
    return i;
}

/* Numbers are given from 1 without a gap, so a number is a place. */
static uint32_t find(const struct sqlite_store *s, enum med_name_kind kind, med_str name)
{
    return s->names[kind].map_cap == 0 ? 0 : s->names[kind].map[place(s, kind, name)];
}

static bool make_map(struct sqlite_store *s, enum med_name_kind kind, size_t cap)
{
    struct names *names = &s->names[kind];
    uint32_t *map = MED_NEW(cap, uint32_t);
    if (map == NULL)
        return false;
    med_free(names->map);
    names->map = map;
    names->map_cap = cap;
    for (size_t i = 0; i < names->n; i++)
        map[place(s, kind, med_str_from(names->at[i]))] = (uint32_t)i + 1;
    return true;
}

static bool make_room(struct sqlite_store *s, enum med_name_kind kind)
{
    struct names *names = &s->names[kind];
    if (names->n == names->cap) {
        size_t cap = names->cap == 0 ? 64 : names->cap * 2;
        char **bigger = med_realloc(names->at, cap, sizeof *bigger);
        if (bigger == NULL)
            return false;
        names->at = bigger;
        names->cap = cap;
    }
    return names->n * 2 < names->map_cap || make_map(s, kind, names->cap * 4);
}

static bool remember(struct sqlite_store *s, enum med_name_kind kind, med_str text)
{
    struct names *names = &s->names[kind];
    uint32_t number = (uint32_t)names->n + 1;
    if ((kind == MED_NAME_TYPE && number >= MED_TYPES_MAX) || !make_room(s, kind))
        return false;
    char *copy = med_alloc_copy(text);
    if (copy == NULL)
        return false;
    names->at[names->n++] = copy;
    names->map[place(s, kind, med_str_from(copy))] = number;
    if (kind == MED_NAME_TYPE) {
        med_packer_name_type(&s->packer, med_str_from(copy), number);
        atomic_store(&s->type_names[number], copy);
    }
    return true;
}

bool med_sqlite_load_names(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_NAMES, err);
    if (stmt == NULL)
        return false;
    bool good = true;
    int rc = SQLITE_ROW;
    while (good && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        enum med_name_kind kind = sqlite3_column_int(stmt, 0) == 0 ? MED_NAME_TYPE : MED_NAME_PARAM;
        good = sqlite3_column_int64(stmt, 2) == (int64_t)s->names[kind].n + 1
                   ? remember(s, kind, med_statement_str(stmt, 1)) || MED_FAIL_MEMORY(err)
                   : MED_FAIL(err, MED_ISSUE_EXCEPTION, "the table of names has a gap");
    }
    (void)sqlite3_reset(stmt);
    if (!good)
        return false;
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "reading names", err);
}

med_str med_sqlite_type_name(const struct sqlite_store *s, uint32_t type)
{
    const char *name = type < MED_TYPES_MAX ? atomic_load(&s->type_names[type]) : NULL;
    return med_str_from(name);
}

struct intern_job {
    struct job job;
    enum med_name_kind kind;
    const med_str *names;
    size_t n;
    bool good;
    med_err *err;
};

static bool add_name(struct sqlite_store *s, enum med_name_kind kind, med_str name, med_err *err)
{
    uint32_t number = (uint32_t)s->names[kind].n + 1;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_NAME, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, kind);
    if (!med_statement_bind_str(stmt, 2, name))
        return MED_FAIL_MEMORY(err);
    (void)sqlite3_bind_int64(stmt, 3, number);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_DONE)
        return med_connection_fail(&s->writer, rc, "naming", err);
    pthread_mutex_lock(&s->names_lock);
    bool room = remember(s, kind, name);
    pthread_mutex_unlock(&s->names_lock);
    return room || MED_FAIL_MEMORY(err);
}

static void forget_from(struct sqlite_store *s, enum med_name_kind kind, size_t n)
{
    struct names *names = &s->names[kind];
    pthread_mutex_lock(&s->names_lock);
    while (names->n > n) {
        if (kind == MED_NAME_TYPE)
            atomic_store(&s->type_names[names->n], NULL);
        med_free(names->at[--names->n]);
    }
    if (!make_map(s, kind, names->map_cap))
        memset(names->map, 0, names->map_cap * sizeof *names->map); /* all are added anew */
    pthread_mutex_unlock(&s->names_lock);
}

/* On the commit thread, so that two callers never give one number twice. */
static void add_names(struct job *job)
{
    struct intern_job *j = (struct intern_job *)job;
    struct sqlite_store *s = job->store;
    size_t before = s->names[j->kind].n;
    int rc = s->failed ? SQLITE_IOERR : med_connection_begin_write(&s->writer);
    j->good = rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "naming", j->err);
    for (size_t i = 0; j->good && i < j->n; i++) {
        if (find(s, j->kind, j->names[i]) == 0)
            j->good = add_name(s, j->kind, j->names[i], j->err);
    }
    if (j->good) {
        rc = med_connection_run(&s->writer, STATEMENT_COMMIT);
        j->good = rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "naming", j->err);
    }
    if (!j->good) {
        (void)med_connection_run(&s->writer, STATEMENT_ROLLBACK);
        if (s->names[j->kind].n > before)
            forget_from(s, j->kind, before);
    }
}

/* How many of the names have a number. */
static size_t look_up(struct sqlite_store *s, enum med_name_kind kind, const med_str *names,
                      size_t n, uint32_t *numbers)
{
    size_t known = 0;
    pthread_mutex_lock(&s->names_lock);
    for (size_t i = 0; i < n; i++) {
        numbers[i] = find(s, kind, names[i]);
        known += numbers[i] != 0;
    }
    pthread_mutex_unlock(&s->names_lock);
    return known;
}

bool med_sqlite_intern(med_store *store, enum med_name_kind kind, const med_str *names, size_t n,
                       uint32_t *numbers, med_err *err)
{
    struct sqlite_store *s = med_sqlite_of(store);
    if (look_up(s, kind, names, n, numbers) == n)
        return true;
    struct intern_job job = {
        .job.run = add_names, .kind = kind, .names = names, .n = n, .err = err};
    if (!med_queue_run_job(&s->queue, &job.job, err))
        return false;
    if (job.good)
        (void)look_up(s, kind, names, n, numbers);
    return job.good;
}
