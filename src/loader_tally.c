/* loader_tally.c - see loader_tally.h. */
#include "loader_tally.h"

med_loader_type *med_tally_type(med_loader_tally *t, uint32_t type)
{
    return &t->types[type < MED_LOADER_TYPES ? type : 0];
}

static void count_write(med_loader_tally *t, const med_write *w)
{
    med_loader_type *of = med_tally_type(t, w->type);
    of->created += w->outcome == MED_OUTCOME_CREATED;
    of->updated += w->outcome == MED_OUTCOME_UPDATED;
    of->unchanged += w->outcome == MED_OUTCOME_UNCHANGED;
    of->deleted += w->outcome == MED_OUTCOME_DELETED;
    t->counts.resources++;
}

void med_tally_writes(med_loader_tally *t, const med_changeset *done)
{
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < done->n; i++)
        count_write(t, &done->writes[i]);
    pthread_mutex_unlock(&t->lock);
}

void med_tally_reject(med_loader_tally *t, med_str source, uint64_t line, med_str reason,
                      uint32_t type, med_str text)
{
    pthread_mutex_lock(&t->lock);
    t->counts.rejected++;
    med_tally_type(t, type)->rejected++;
    if (t->reject != NULL)
        t->reject(t->arg, source, line, reason, text);
    pthread_mutex_unlock(&t->lock);
}
