/* job_output.c - see job_output.h. */
#include "job_output.h"

#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

bool med_job_output_put(med_job_output *o, med_str text, med_err *err)
{
    o->bytes += text.len;
    if (o->bytes > o->limit) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                       "the answer has more than %d MiB: ask for less at a time",
                       (int)(o->limit >> 20));
        return med_err_status(err, 413);
    }
    return fwrite(text.ptr, 1, text.len, o->file) == text.len
           || MED_FAIL(err, MED_ISSUE_NO_STORE, "no room on the disk for the answer");
}

void med_job_output_replace(med_job_output *o, med_str text)
{
    o->bytes = text.len;
    o->entries = 0;
    bool ok = fflush(o->file) == 0 && fseek(o->file, 0, SEEK_SET) == 0
              && ftruncate(fileno(o->file), 0) == 0;
    if (ok)
        (void)fwrite(text.ptr, 1, text.len, o->file);
}

static uint64_t *place_of(const med_job_output *o, uint64_t hash)
{
    size_t i = (size_t)hash & (o->places - 1);
    while (o->seen[i] != 0 && o->seen[i] != hash)
        i = (i + 1) & (o->places - 1);
    return &o->seen[i];
}

static bool grow_seen(med_job_output *o)
{
    uint64_t *old = o->seen;
    size_t n = o->places;
    o->places = n == 0 ? 1024 : 2 * n;
    o->seen = MED_NEW(o->places, uint64_t);
    for (size_t i = 0; o->seen != NULL && i < n; i++) {
        if (old[i] != 0)
            *place_of(o, old[i]) = old[i];
    }
    med_free(old);
    return o->seen != NULL;
}

/* *fresh: it was not seen before. */
static bool see(med_job_output *o, uint64_t hash, bool *fresh, med_err *err)
{
    if (2 * (o->n_seen + 1) > o->places && !grow_seen(o))
        return MED_FAIL_MEMORY(err);
    uint64_t *at = place_of(o, hash);
    *fresh = *at == 0;
    o->n_seen += *fresh;
    *at = hash;
    return true;
}

static bool put_entry(med_job_output *o, med_str entry, med_err *err)
{
    return (o->entries++ == 0 || med_job_output_put(o, MED_STR(","), err))
           && med_job_output_put(o, entry, err);
}

static bool set_aside(med_job_output *o, uint64_t hash, med_str entry, med_err *err)
{
    if (o->n_list == o->room) {
        size_t room = o->room == 0 ? 256 : 2 * o->room;
        med_job_included *more = med_realloc(o->list, room, sizeof *more);
        if (more == NULL)
            return MED_FAIL_MEMORY(err);
        o->list = more;
        o->room = room;
    }
    o->list[o->n_list++] = (med_job_included){hash, ftell(o->includes), entry.len};
    o->bytes += entry.len; /* bounds the file, too */
    if (o->bytes > o->limit)
        return med_job_output_put(o, MED_STR_EMPTY, err);
    return fwrite(entry.ptr, 1, entry.len, o->includes) == entry.len
           || MED_FAIL(err, MED_ISSUE_NO_STORE, "no room on the disk for the answer");
}

static uint64_t hash_of(const med_json *j, uint32_t entry)
{
    static const med_hash_key key = {5, 6};
    uint32_t url = med_json_member(j, entry, MED_STR("fullUrl"));
    return url == 0 ? 0 : med_siphash(key, med_json_raw(j, url)) | 1;
}

bool med_job_output_page(med_job_output *o, const med_json *j, med_err *err)
{
    bool ok = true, fresh;
    uint32_t list = med_json_member(j, 0, MED_STR("entry"));
    for (uint32_t i = list + 1; ok && list != 0 && i < j->nodes[list].next; i = j->nodes[i].next) {
        uint32_t search = med_json_member(j, i, MED_STR("search"));
        uint32_t mode = search == 0 ? 0 : med_json_member(j, search, MED_STR("mode"));
        uint64_t hash = hash_of(j, i);
        med_str entry = med_json_span(j, i);
        bool aside = mode != 0 && hash != 0 && med_str_eqz(med_json_raw(j, mode), "include");
        bool match = mode != 0 && hash != 0 && !aside;
        ok = aside ? set_aside(o, hash, entry, err)
                   : put_entry(o, entry, err) && (!match || see(o, hash, &fresh, err));
    }
    return ok;
}

/* Once each, and only what is no match. */
bool med_job_output_included(med_job_output *o, med_err *err)
{
    bool ok = fflush(o->includes) == 0;
    for (size_t i = 0; ok && i < o->n_list; i++) {
        bool fresh = false;
        const med_job_included *x = &o->list[i];
        o->bytes -= x->len;
        if (!see(o, x->hash, &fresh, err))
            return false;
        if (!fresh)
            continue;
        char *text = med_alloc(x->len + 1, 1);
        ok = text != NULL && pread(fileno(o->includes), text, x->len, x->at) == (ssize_t)x->len
             && put_entry(o, (med_str){text, x->len}, err);
        med_free(text);
    }
    if (!ok && err->issue == MED_ISSUE_NONE)
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "what is included can not be read again");
    return ok;
}

bool med_job_output_open(med_job_output *o, const char *path, const char *beside)
{
    o->file = fopen(path, "w+e");
    o->includes = fopen(beside, "w+e");
    return o->file != NULL && o->includes != NULL && unlink(beside) == 0;
}

void med_job_output_close(med_job_output *o)
{
    if (o->file != NULL)
        (void)fclose(o->file);
    if (o->includes != NULL)
        (void)fclose(o->includes);
    med_free(o->seen);
    med_free(o->list);
}
