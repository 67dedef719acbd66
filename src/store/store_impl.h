/* store_impl.h - what a back end gives to store.c. Private to store/: everybody else includes
 * store.h.
 *
 * A back end's own struct begins with med_store (views with med_view, cursors with med_cursor)
 * and fills one const table. store.c checks nothing again that the table's functions check. */
#ifndef MED_STORE_STORE_IMPL_H
#define MED_STORE_STORE_IMPL_H

#include "store/asked.h"
#include "store/fulltext.h"

struct med_store_ops {
    bool (*intern)(med_store *s, enum med_name_kind kind, const med_str *names, size_t n,
                   uint32_t *numbers, med_err *err);
    bool (*prepare)(const med_store *s, med_arena *a, med_write *w, med_err *err);
    bool (*commit)(med_store *s, med_commit *first, med_err *err); /* a list */
    void (*count)(med_store *s, med_store_stats *out);
    void (*glance)(med_store *s, med_store_stats *out);   /* NULL: count never waits */
    bool (*bulk)(med_store *s, bool begin, med_err *err); /* or NULL */
    bool (*check)(med_store *s, med_store_finding tell, void *arg, med_err *err); /* or NULL */
    bool (*backup)(med_store *s, int file, int key, med_progress progress, void *arg, med_err *err);
    bool (*verify)(med_store *s, med_verify *v, med_err *err);
    bool (*note)(med_store *s, const med_note_change *change, med_err *err);
    /* both NULL where there is one process */
    bool (*put_note_file)(med_store *s, med_str name, int fd, med_err *err);
    enum med_found (*get_note_file)(med_store *s, med_str name, int fd, med_err *err);
    void (*close)(med_store *s);

    med_view *(*view)(med_store *s, unsigned slot, int64_t deadline, med_err *err);
    void (*view_end)(med_view *v);
    enum med_found (*read)(med_view *v, med_arena *a, uint32_t type, med_str id, med_stored *out,
                           med_err *err);
    enum med_found (*latest)(med_view *v, med_arena *a, uint32_t type, med_str id, med_stored *out,
                             med_err *err);
    enum med_found (*version)(med_view *v, med_arena *a, uint32_t type, med_str id,
                              uint32_t version, med_stored *out, med_err *err);
    enum med_found (*by_rid)(med_view *v, med_arena *a, med_rid rid, med_stored *out, med_err *err);
    enum med_found (*rows)(med_view *v, med_arena *a, med_rid rid, med_stored *out, med_rows *rows,
                           med_err *err);
    bool (*rid)(med_view *v, uint64_t ident, med_rid *out, med_err *err);
    bool (*history)(med_view *v, med_arena *a, const med_history *q, med_stored **out, size_t *n,
                    med_err *err);
    bool (*history_count)(med_view *v, const med_history *q, uint64_t *out, med_err *err);

    med_cursor *(*scan)(med_view *v, const med_scan *scan, med_err *err);
    enum med_found (*next)(med_cursor *c, med_hit *out, med_err *err);
    void (*cursor_close)(med_cursor *c);
    bool (*probe)(med_view *v, enum med_index index, uint32_t param, uint64_t key, med_rid rid,
                  bool *out, med_err *err);
    bool (*count_type)(med_view *v, uint32_t type, uint64_t *out, med_err *err);
    bool (*count_token)(med_view *v, uint32_t param, uint64_t hash, uint64_t *out, med_err *err);
    bool (*codes)(med_view *v, med_arena *a, uint32_t param, med_str system, med_str code,
                  uint64_t **hashes, size_t *n, med_err *err);
    bool (*referrers)(med_view *v, med_arena *a, med_rid rid, size_t limit, med_rid **out,
                      size_t *n, med_err *err);
    bool (*notes)(med_view *v, med_arena *a, med_note **out, size_t *n, med_err *err);
    bool (*missing)(med_view *v, med_arena *a, med_rid *after, med_rid **out, size_t *n, bool *done,
                    med_err *err);
    /* All NULL where a question costs nothing. */
    void (*expect)(med_view *v, const med_rid *rids, size_t n);
    bool (*expect_idents)(med_view *v, const uint64_t *idents, size_t n, med_err *err);
    bool (*foresee)(med_view *v, const med_foreseen *f, med_err *err);

    /* replicas; all or none (NULL) */
    bool (*lags)(const med_store *s);
    bool (*follow)(med_store *s, med_err *err);
    void (*may_lag)(med_view *v, int64_t least_t, int64_t since);
    bool (*was_cut)(const med_view *v);
    int64_t (*position)(const med_store *s);
    void (*replicas)(med_store *s, med_replicas *out);
    void (*asked)(med_view *v, const med_asked **out, size_t *n); /* NULL: nothing ever is */
    void (*explain)(med_view *v, med_arena *a);                   /* the same */

    /* full text; all or none (NULL) */
    bool (*posted)(med_view *v, med_posted *out, med_err *err);
    bool (*postings)(med_view *v, med_arena *a, uint64_t list, med_str term, bool prefix,
                     size_t limit, med_rid **out, size_t *n, bool *whole, med_err *err);
    bool (*post)(med_store *s, const med_posting *at, size_t n, med_posted from, med_posted to,
                 med_err *err);
    bool (*claim_lists)(med_store *s, bool *mine, med_err *err); /* NULL: there is one process */
};

struct med_store {
    const struct med_store_ops *ops;
    med_hash_key index_key;       /* of med_store_hash; constant while the store is open */
    const med_terms_known *terms; /* or NULL */
};

struct med_view {
    med_store *store;
    bool apart; /* texts are wanted without their parts */
};

struct med_cursor {
    med_view *view;
};

#endif
