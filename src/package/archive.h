/* archive.h - the files of a .tgz as npm packs it: a gzip stream of a tar archive (ustar, with the
 * long names of pax and GNU). https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 *
 * What comes from strangers is bounded: packed and unpacked size, their ratio, number and size of
 * entries. Links, devices, absolute names, `..` and checksums that do not fit are refused; so is
 * an archive that is cut short. Nothing is ever written to a disk. */
#ifndef MED_PACKAGE_ARCHIVE_H
#define MED_PACKAGE_ARCHIVE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define MED_ARCHIVE_PACKED_MAX ((size_t)128 << 20)
#define MED_ARCHIVE_PLAIN_MAX ((uint64_t)1 << 30)
#define MED_ARCHIVE_ENTRY_MAX ((size_t)64 << 20)
enum { MED_ARCHIVE_ENTRIES_MAX = 50000, MED_ARCHIVE_NAME_MAX = 1024, MED_ARCHIVE_RATIO_MAX = 200 };

/* Called for each file in the order of the archive; `bytes` are good until it returns. */
typedef bool med_archive_entry(void *arg, med_str name, med_str bytes, med_err *err);

/* False when the archive is at fault (MED_ISSUE_INVALID, MED_ISSUE_TOO_LONG, or
 * MED_ISSUE_SECURITY for names and links), or `entry` says so. */
bool med_archive_read(med_str tgz, med_archive_entry *entry, void *arg,
                      med_err *err) MED_MUST_CHECK;

#endif
