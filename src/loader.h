/* loader.h - many resources into the store at once: what import and demo share.
 *
 * Threads of its own parse, check, extract and pack; the store commits what they hand over in
 * large groups, in the order in which it was added. Single resources become PUTs (POSTs when they
 * have no id). Transaction and batch Bundles run as over HTTP; so does a Bundle that is a document,
 * which is kept whole; other Bundles are taken apart, unless their source holds Bundles that were
 * stored. What is refused goes to `reject` with its reason and is not in the store; everything
 * else is.
 *
 * References between chunks may point forward, so the existence of targets is not checked
 * while loading; med_dangling_find (dangling.h) tells what is missing at the end. */
#ifndef MED_LOADER_H
#define MED_LOADER_H

#include "app.h"

typedef struct med_loader med_loader;

typedef struct med_loader_type {
    med_str type;
    uint64_t created, updated, unchanged, deleted, rejected;
} med_loader_type;

/* Where a text comes from. */
typedef struct med_loader_place {
    med_str source;   /* for rejects */
    uint64_t line;    /* of its begin, from 1 */
    uint64_t end;     /* offset behind it: told by `settled` */
    med_str identity; /* of the source: resources without an id get ids made of this, `end` and
                         their place in a Bundle, so that loading again makes no doubles; empty:
                         random ids */
    uint32_t file;    /* the caller's number of the source */
    bool whole;       /* of the source: a Bundle in it is a resource like others, not run and not
                         taken apart */
} med_loader_place;

typedef struct med_loader_options {
    unsigned threads; /* 0: as many as there are workers */
    unsigned slot;    /* the first of as many readers of the store; 0: those of the workers,
                         when nobody serves */
    /* Called from any thread, one at a time. `text` is the rejected resource. */
    void (*reject)(void *arg, med_str source, uint64_t line, med_str reason, med_str text);
    /* The same: all that was added up to this place is in the store or rejected. */
    void (*settled)(void *arg, uint32_t file, uint64_t end, uint64_t line);
    void *arg;
    bool structure_only; /* check no deeper, and count what a full check would refuse */
} med_loader_options;

med_loader *med_loader_new(med_app *app, const med_loader_options *o, med_err *err) MED_MUST_CHECK;

/* One resource or Bundle in JSON; the text and the place are copied. Blocks while too much is in
 * flight. False when the store no longer takes writes. */
bool med_loader_add(med_loader *l, const med_loader_place *place, med_str text,
                    med_err *err) MED_MUST_CHECK;

/* Waits until all that was added is in the store or rejected. */
bool med_loader_flush(med_loader *l, med_err *err) MED_MUST_CHECK;

typedef struct med_loader_counts {
    uint64_t resources, rejected, bytes;
    uint64_t refusable; /* taken (of a transaction: the whole Bundle), but not legal R4 */
} med_loader_counts;
void med_loader_count(med_loader *l, med_loader_counts *out);
/* By type, sorted by name; valid until the loader is freed. */
const med_loader_type *med_loader_types(med_loader *l, size_t *n);

void med_loader_free(med_loader *l);

#endif
