/* posting_block.c - see posting_block.h. */
#include "store/posting_block.h"

#include <stdlib.h>

#include "store/rowset.h"

enum { SEVEN = 7, LOW = 0x7f, MORE = 0x80, LONGEST = 10 };

size_t med_block_write(const med_rid *rids, size_t n, med_buf *out)
{
    size_t i = 1;
    for (; i < n && out->len + LONGEST <= MED_BLOCK_BYTES; i++) {
        uint64_t step = rids[i] - rids[i - 1];
        for (; step > LOW; step >>= SEVEN)
            med_buf_addc(out, (char)(MORE | (step & LOW)));
        med_buf_addc(out, (char)step);
    }
    return n == 0 ? 0 : i;
}

bool med_rids_add(med_rids *l, med_rid rid)
{
    enum { FIRST = 64 };
    med_rid *more = MED_GROW(l->arena, l->at, l->n, &l->room, FIRST);
    if (more == NULL)
        return false;
    l->at = more;
    l->at[l->n++] = rid;
    return true;
}

static bool damaged(med_err *err)
{
    return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a list of the full-text index is damaged");
}

bool med_block_read(med_rid first, med_str bytes, med_rids *to, med_err *err)
{
    med_rid rid = first;
    if (!med_rids_add(to, rid))
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < bytes.len;) {
        uint64_t step = 0;
        unsigned shift = 0;
        bool more = true;
        for (; more && i < bytes.len && shift < LONGEST * SEVEN; shift += SEVEN) {
            unsigned char c = (unsigned char)bytes.ptr[i++];
            step |= shift < 64 ? (uint64_t)(c & LOW) << shift : 0;
            more = (c & MORE) != 0;
        }
        if (more || step == 0 || rid + step < rid)
            return damaged(err);
        rid += step;
        if (!med_rids_add(to, rid))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

void med_rids_sort(med_rids *l)
{
    size_t n = 0;
    bool sorted = true;
    for (size_t i = 1; i < l->n && sorted; i++)
        sorted = l->at[i - 1] < l->at[i];
    if (sorted)
        return;
    qsort(l->at, l->n, sizeof *l->at, med_rid_compare);
    for (size_t i = 0; i < l->n; i++) {
        if (n == 0 || l->at[n - 1] != l->at[i])
            l->at[n++] = l->at[i];
    }
    l->n = n;
}

bool med_rids_merge(const med_rids *old, const med_posting *change, size_t n, med_rids *out,
                    med_err *err)
{
    size_t i = 0, k = 0;
    while (i < old->n || k < n) {
        med_rid rid =
            k == n || (i < old->n && old->at[i] < change[k].rid) ? old->at[i] : change[k].rid;
        bool has = false;
        for (; i < old->n && old->at[i] == rid; i++)
            has = true;
        for (; k < n && change[k].rid == rid; k++)
            has = !change[k].gone;
        if (has && !med_rids_add(out, rid))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

int med_posting_compare(const void *a, const void *b)
{
    const med_posting *x = a, *y = b;
    if (x->list != y->list)
        return x->list > y->list ? 1 : -1;
    int by = med_str_compare(x->term, y->term);
    if (by == 0)
        by = (x->rid > y->rid) - (x->rid < y->rid);
    return by != 0 ? by : y->gone - x->gone;
}
