/* names.h - numbers for resource types and search parameters, given for ever. Private to store/.
 *
 * What the table `name` has, in memory. A back end writes the table, on the commit thread, and
 * then hands over what it has; any thread looks up. */
#ifndef MED_STORE_NAMES_H
#define MED_STORE_NAMES_H

#include "store/body.h"
#include "store/commit_queue.h"

struct names {
    const med_store *store;
    struct packer *packer; /* is told of types */
    pthread_mutex_t lock;  /* of `of` */
    struct name_list {
        char **at; /* number - 1 -> name */
        size_t n, cap;
        uint32_t *map; /* hash -> number; open addressing */
        size_t map_cap;
    } of[2];
    _Atomic(const char *) types[MED_TYPES_MAX]; /* by number, read without the lock */
};

bool med_names_init(struct names *names, const med_store *store, struct packer *packer,
                    med_err *err);
void med_names_free(struct names *names);
/* A row of the table, which come in the order of numbers; one that is known already is passed
 * over. */
bool med_names_take(struct names *names, enum med_name_kind kind, int64_t number, med_str text,
                    med_err *err);
/* Their numbers, 0 for a name that has none; how many have one. */
size_t med_names_find(struct names *names, enum med_name_kind kind, const med_str *list, size_t n,
                      uint32_t *numbers);
/* Empty when there is no type with that number. Good while the store is open. */
med_str med_names_type(const struct names *names, uint32_t type);

/* Work for the commit thread: gives numbers to those of the list that have none. */
struct names_job {
    struct job job;
    enum med_name_kind kind;
    const med_str *list;
    size_t n;
    uint32_t *numbers;
    bool good;
    med_err *err;
};
/* store_impl.h's intern; `add` is run on a names_job when a name has no number yet. */
bool med_names_intern(struct names *names, struct commit_queue *q, void (*add)(struct job *job),
                      enum med_name_kind kind, const med_str *list, size_t n, uint32_t *numbers,
                      med_err *err);

#endif
