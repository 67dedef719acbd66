/* wal_gather.h - the WAL file, with its writes gathered. Private to store/sqlite/.
 *
 * SQLite writes a WAL frame in two calls, header and page; a group of commits has hundreds of
 * frames. Here they wait in memory until the sync that makes them durable (or a read, or a full
 * buffer) and go to the file in one piece. Nobody may look at a frame before that sync: frames
 * are published behind it, since synchronous = FULL; and what is written behind a sync up to the
 * next frame (the rest of a frame that fills a sector) does not wait. An error of a write then
 * shows at the sync, which is the same failed commit to SQLite. */
#ifndef MED_STORE_SQLITE_WAL_GATHER_H
#define MED_STORE_SQLITE_WAL_GATHER_H

#include <sqlite3.h>

/* Bytes a file of this kind needs before that of the VFS below. */
int med_wal_gather_size(void);
/* Opens a WAL with `real` below; `file` has room for both. */
int med_wal_gather_open(sqlite3_vfs *real, sqlite3_filename name, sqlite3_file *file, int flags,
                        int *out_flags);

#endif
