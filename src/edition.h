/* edition.h - FHIR as this server knows it at a moment: a pack, its search schema, and what
 * /metadata says. It changes while the server runs when search parameters come and go.
 *
 * An edition is immutable. Who works with one holds it through an arena, and it stays until the
 * last arena that holds it ends. Commits carry its epoch, so that none gets through whose index
 * rows were made by an edition that is over (store.h, MED_NOTE_EPOCH): with that the set of
 * parameters is the same on all nodes of a store. Thread safe. */
#ifndef MED_EDITION_H
#define MED_EDITION_H

#include "fhir/call.h"

typedef struct med_editions med_editions;

/* One parameter of the set, as the note has it. */
typedef struct med_added_param {
    med_str id;         /* of its SearchParameter */
    uint64_t serial;    /* revision of the note with which it became what it is */
    bool removed;       /* its rows are to go */
    med_str definition; /* JSON: a SearchParameter with what extraction needs */
} med_added_param;

/* What is kept in notes about a parameter's index rows (background.h). */
enum med_task_state {
    MED_TASK_WAITING,
    MED_TASK_RUNNING,
    MED_TASK_DONE,
    MED_TASK_FAILED,
    MED_TASK_CANCELLED
};
extern const char *const med_task_state_names[5];
typedef struct med_task_note {
    med_str name;      /* "task:index:ID", "task:rows:pairs" */
    uint64_t revision; /* of the note; 0: there is none yet */
    bool unwritten;    /* the note is of another serial, or there is none */
    med_str kind;      /* "index", "remove", "rows" */
    med_str id;        /* of the SearchParameter; of rows: which */
    med_str code;
    uint64_t serial;
    enum med_task_state state;
    med_str owner;                         /* of the node that runs it, until lease_until */
    int64_t lease_until, created, changed; /* microseconds */
    med_str types;                         /* resource types, blanks between */
    int64_t type;                          /* the how manieth of them is under way */
    int64_t after, after_rid, until;       /* within it */
    int64_t done, total, valued;
    med_str text; /* why it failed, what it came to */
} med_task_note;

/* `base` without added parameters; `slot` is a reader of nobody else. Both must outlive it. */
med_editions *med_editions_new(const med_fhir *base, unsigned slot, med_err *err) MED_MUST_CHECK;
void med_editions_free(med_editions *e); /* NULL is fine; nobody holds one any more */

/* The newest, held until the arena ends; NULL past its ceiling. */
const med_fhir *med_editions_hold(med_editions *e, med_arena *a);
/* Looks what the store says and makes a new edition if that has changed. With `sync` the set is
 * first compared with the SearchParameters that are stored. */
bool med_editions_refresh(med_editions *e, bool sync, med_err *err) MED_MUST_CHECK;
/* The tasks of all parameters of the set, as far as they have one, and what is missing; and that
 * of rows which an upgrade asked for. */
bool med_editions_tasks(med_editions *e, med_arena *a, med_task_note **out, size_t *n,
                        med_err *err) MED_MUST_CHECK;
/* Figures of a parameter that are shown before the note is written. */
void med_editions_progress(med_editions *e, med_str id, uint64_t done, uint64_t total);

/* ---- notes of tasks ---- */
bool med_task_note_read(med_arena *a, const med_note *note, med_task_note *out,
                        med_err *err) MED_MUST_CHECK;
/* Writes it; t->revision is then the new one. MED_ISSUE_CONFLICT: somebody else has. */
bool med_task_note_write(med_store *s, med_task_note *t, med_err *err) MED_MUST_CHECK;
bool med_task_note_drop(med_store *s, const med_task_note *t, med_err *err) MED_MUST_CHECK;

#endif
