/* fd_vfs.h - a VFS over descriptors that are open already. Private to store/sqlite/.
 *
 * A backup goes into a file that its asker has opened with his own rights; the server may have
 * none at that place. One connection a file, no journal, no WAL, no locks. */
#ifndef MED_STORE_SQLITE_FD_VFS_H
#define MED_STORE_SQLITE_FD_VFS_H

#include "base/err.h"

#define MED_FD_VFS "medulla-fd"
enum { MED_FD_NAME = 24 };

/* Registers the VFS at first use; any thread. */
bool med_fd_vfs(med_err *err) MED_MUST_CHECK;
/* The name under which the VFS opens `fd`, which stays the caller's to close. */
void med_fd_name(int fd, char name[MED_FD_NAME]);

#endif
