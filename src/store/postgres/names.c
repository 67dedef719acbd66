/* names.c - numbers for resource types and search parameters, given for ever. */
#include "base/mem.h"
#include "store/postgres/postgres_impl.h"

/* Where a name is, or would be. */
static size_t place(const struct pg_store *s, enum med_name_kind kind, med_str name)
{
    const struct names *names = &s->names[kind];
    size_t i = (size_t)med_store_hash(&s->base, name) & (names->map_cap - 1);
    while (names->map[i] != 0 && !med_str_eqz(name, names->at[names->map[i] - 1]))
        i = (i + 1) & (names->map_cap - 1);
    return i;
}

/* Numbers are given from 1 without a gap, so a number is a place. */
static uint32_t find(const struct pg_store *s, enum med_name_kind kind, med_str name)
{
    return s->names[kind].map_cap == 0 ? 0 : s->names[kind].map[place(s, kind, name)];
}

static bool make_map(struct pg_store *s, enum med_name_kind kind, size_t cap)
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

static bool make_room(struct pg_store *s, enum med_name_kind kind)
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

static bool remember(struct pg_store *s, enum med_name_kind kind, med_str text)
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

/* Takes the names that are not remembered yet, all of them from the table. */
bool med_pg_load_names(struct pg_store *s, struct pg_connection *c, med_err *err)
{
    PGresult *r = med_pg_ask(c, STATEMENT_NAMES, NULL, err);
    bool good = r != NULL;
    pthread_mutex_lock(&s->names_lock);
    for (int i = 0; good && i < PQntuples(r); i++) {
        enum med_name_kind kind = med_pg_int_at(r, i, 0) == 0 ? MED_NAME_TYPE : MED_NAME_PARAM;
        int64_t number = med_pg_int_at(r, i, 2);
        if (number <= (int64_t)s->names[kind].n)
            continue;
        good = number == (int64_t)s->names[kind].n + 1
                   ? remember(s, kind, med_pg_bytes_at(r, i, 1)) || MED_FAIL_MEMORY(err)
                   : MED_FAIL(err, MED_ISSUE_EXCEPTION, "the table of names has a gap");
    }
    pthread_mutex_unlock(&s->names_lock);
    PQclear(r);
    return good;
}

med_str med_pg_type_name(const struct pg_store *s, uint32_t type)
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

static bool send_names(struct pg_store *s, const struct intern_job *j)
{
    bool good = med_pg_send(&s->writer, STATEMENT_BEGIN_WRITE, NULL, j->err)
                && med_pg_send(&s->writer, STATEMENT_LOCK_STATE, NULL, j->err);
    for (size_t i = 0; good && i < j->n; i++) {
        struct pg_parameters p = {0};
        med_pg_int(&p, j->kind);
        med_pg_bytes(&p, j->names[i]);
        good = med_pg_send(&s->writer, STATEMENT_ADD_NAME, &p, j->err);
        if (good && s->writer.n_expected > EXPECTED_MAX / 2)
            good = med_pg_sync(&s->writer, j->err) && med_pg_drain(&s->writer, j->err);
    }
    return good && med_pg_send(&s->writer, STATEMENT_COMMIT, NULL, j->err)
           && med_pg_sync(&s->writer, j->err) && med_pg_drain(&s->writer, j->err);
}

/* On the commit thread, and under the lock of all commits, so that two callers in two processes
 * never give one number twice. */
static void add_names(struct job *job)
{
    struct intern_job *j = (struct intern_job *)job;
    struct pg_store *s = job->store;
    j->good = med_pg_writer(s, j->err) && send_names(s, j);
    if (!j->good && s->writer.pg != NULL)
        med_pg_disconnect(&s->writer);
    j->good = j->good && med_pg_load_names(s, &s->writer, j->err);
}

/* How many of the names have a number. */
static size_t look_up(struct pg_store *s, enum med_name_kind kind, const med_str *names, size_t n,
                      uint32_t *numbers)
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

bool med_pg_intern(med_store *store, enum med_name_kind kind, const med_str *names, size_t n,
                   uint32_t *numbers, med_err *err)
{
    struct pg_store *s = med_pg_of(store);
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
