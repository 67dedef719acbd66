#include "store/sqlite/sqlite_impl.h"
bool med_sqlite_backup(med_store *s, med_str to, bool with_key, med_progress progress, void *arg,
                       med_err *err)
{
    (void)s;
    (void)to;
    (void)with_key;
    (void)progress;
    (void)arg;
    return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "backup is not there yet");
}
bool med_sqlite_verify(med_store *s, med_verify *v, med_err *err)
{
    (void)s;
    (void)v;
    return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "verify is not there yet");
}
