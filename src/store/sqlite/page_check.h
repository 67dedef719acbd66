/* page_check.h - a VFS that gives each page of the main file a check value. Private to
 * store/sqlite/.
 *
 * SQLite believes what it reads: a flipped bit in an index page silently loses an answer. The
 * last eight bytes of a page (reserved for it) hold a hash of the rest and of the page's
 * number; a page that does not fit is not given out (SQLITE_IOERR_DATA). The WAL has check
 * values of its own. Bodies have, besides, their keyed hash. */
#ifndef MED_STORE_SQLITE_PAGE_CHECK_H
#define MED_STORE_SQLITE_PAGE_CHECK_H

#include "base/err.h"

enum { MED_PAGE_SIZE = 4096, MED_PAGE_RESERVED = 8 };
enum { MED_PAGE_CHECK_NAME = 80 };

/* What the last bytes of page `number` (from 1) should hold; never 0. */
uint64_t med_page_check(const unsigned char *page, uint64_t number);

/* The name of the checking VFS over `base` (NULL: the system's), registered at first use. */
bool med_page_check_vfs(const char *base, char name[MED_PAGE_CHECK_NAME], med_err *err);

#endif
