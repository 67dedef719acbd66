/* fail_space.c - LD_PRELOAD of a PostgreSQL server: no table or index grows while $FAIL_SPACE_WHILE
 * exists, as with a full disk below its tablespace; no new file of WAL is filled while
 * $FAIL_SPACE_WHILE.wal exists.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_full(int fd, off_t end)
{
    char link[64], path[512], wal[512];
    struct stat info;
    const char *flag = getenv("FAIL_SPACE_WHILE");
    if (flag == NULL || fstat(fd, &info) != 0 || end <= info.st_size)
        return 0;
    (void)snprintf(wal, sizeof wal, "%s.wal", flag);
    int tables = access(flag, F_OK) == 0, log = access(wal, F_OK) == 0;
    if (!tables && !log)
        return 0;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return 0;
    path[n] = '\0';
    return (tables && strstr(path, "/base/") != NULL) || (log && strstr(path, "/pg_wal/") != NULL);
}

static ssize_t write_or_fail(const char *name, int fd, const void *bytes, size_t n, off_t at)
{
    if (is_full(fd, at + (off_t)n)) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t (*real)(int, const void *, size_t, off_t);
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(&real, &found, sizeof real);
    return real(fd, bytes, n, at);
}

static int allocate_or_fail(const char *name, int fd, off_t at, off_t n)
{
    if (is_full(fd, at + n))
        return ENOSPC;
    int (*real)(int, off_t, off_t);
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(&real, &found, sizeof real);
    return real(fd, at, n);
}

#define SHOWN __attribute__((visibility("default")))

SHOWN ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return write_or_fail("pwrite", fd, bytes, n, at);
}
/* PostgreSQL fills new files of WAL with it. */
SHOWN ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
    ssize_t (*real)(int, const struct iovec *, int, off_t);
    void *found = dlsym(RTLD_NEXT, "pwritev");
    off_t end = at;
    for (int i = 0; i < n; i++)
        end += (off_t)parts[i].iov_len;
    if (is_full(fd, end)) {
        errno = ENOSPC;
        return -1;
    }
    if (found == NULL)
        abort();
    memcpy(&real, &found, sizeof real);
    return real(fd, parts, n, at);
}
SHOWN int posix_fallocate(int fd, off_t at, off_t n)
{
    return allocate_or_fail("posix_fallocate", fd, at, n);
}
