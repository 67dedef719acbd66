/* names.c - see names.h. */
#include "store/names.h"

#include "base/mem.h"

bool med_names_init(struct names *names, const med_store *store, struct packer *packer,
                    med_err *err)
{
    names->store = store;
    names->packer = packer;
    return pthread_mutex_init(&names->lock, NULL) == 0
           || MED_FAIL(err, MED_ISSUE_TRANSIENT, "no locks for the store");
}

void med_names_free(struct names *names)
{
    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < names->of[kind].n; i++)
            med_free(names->of[kind].at[i]);
        med_free(names->of[kind].at);
        med_free(names->of[kind].map);
    }
    (void)pthread_mutex_destroy(&names->lock);
}

/* Where a name is, or would be. */
static size_t place(const struct names *names, const struct name_list *l, med_str name)
{
    size_t i = (size_t)med_store_hash(names->store, name) & (l->map_cap - 1);
    while (l->map[i] != 0 && !med_str_eqz(name, l->at[l->map[i] - 1]))
        i = (i + 1) & (l->map_cap - 1);
    return i;
}

static bool make_map(const struct names *names, struct name_list *l, size_t cap)
{
    uint32_t *map = MED_NEW(cap, uint32_t);
    if (map == NULL)
        return false;
    med_free(l->map);
    l->map = map;
    l->map_cap = cap;
    for (size_t i = 0; i < l->n; i++)
        map[place(names, l, med_str_from(l->at[i]))] = (uint32_t)i + 1;
    return true;
}

static bool make_room(const struct names *names, struct name_list *l)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 64 : l->cap * 2;
        char **bigger = med_realloc(l->at, cap, sizeof *bigger);
        if (bigger == NULL)
            return false;
        l->at = bigger;
        l->cap = cap;
    }
    return l->n * 2 < l->map_cap || make_map(names, l, l->cap * 4);
}

static bool remember(struct names *names, enum med_name_kind kind, med_str text)
{
    struct name_list *l = &names->of[kind];
    uint32_t number = (uint32_t)l->n + 1;
    if ((kind == MED_NAME_TYPE && number >= MED_TYPES_MAX) || !make_room(names, l))
        return false;
    char *copy = med_alloc_copy(text);
    if (copy == NULL)
        return false;
    l->at[l->n++] = copy;
    l->map[place(names, l, med_str_from(copy))] = number;
    if (kind == MED_NAME_TYPE) {
        med_packer_name_type(names->packer, med_str_from(copy), number);
        atomic_store(&names->types[number], copy);
    }
    return true;
}

bool med_names_take(struct names *names, enum med_name_kind kind, int64_t number, med_str text,
                    med_err *err)
{
    pthread_mutex_lock(&names->lock);
    int64_t next = (int64_t)names->of[kind].n + 1;
    bool good =
        number < next
        || (number == next ? remember(names, kind, text) || MED_FAIL_MEMORY(err)
                           : MED_FAIL(err, MED_ISSUE_EXCEPTION, "the table of names has a gap"));
    pthread_mutex_unlock(&names->lock);
    return good;
}

size_t med_names_find(struct names *names, enum med_name_kind kind, const med_str *list, size_t n,
                      uint32_t *numbers)
{
    size_t known = 0;
    const struct name_list *l = &names->of[kind];
    pthread_mutex_lock(&names->lock);
    for (size_t i = 0; i < n; i++) {
        numbers[i] = l->map_cap == 0 ? 0 : l->map[place(names, l, list[i])];
        known += numbers[i] != 0;
    }
    pthread_mutex_unlock(&names->lock);
    return known;
}

med_str med_names_type(const struct names *names, uint32_t type)
{
    return med_str_from(type < MED_TYPES_MAX ? atomic_load(&names->types[type]) : NULL);
}

bool med_names_intern(struct names *names, struct commit_queue *q, void (*add)(struct job *job),
                      enum med_name_kind kind, const med_str *list, size_t n, uint32_t *numbers,
                      med_err *err)
{
    if (med_names_find(names, kind, list, n, numbers) == n)
        return true;
    struct names_job job = {
        .job.run = add, .kind = kind, .list = list, .n = n, .numbers = numbers, .err = err};
    if (!med_queue_run_job(q, &job.job, err) || !job.good)
        return false;
    (void)med_names_find(names, kind, list, n, numbers);
    return true;
}
