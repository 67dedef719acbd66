/* fail_sync.c - LD_PRELOAD: every fsync and fdatasync fails while $FAIL_SYNC_WHILE exists.
 *
 * As a disk that breaks under a running server: https://man7.org/linux/man-pages/man2/fsync.2.html
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int sync_or_fail(const char *name, int fd)
{
    const char *path = getenv("FAIL_SYNC_WHILE");
    if (path != NULL && access(path, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    int (*real)(int);
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(&real, &found, sizeof real);
    return real(fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    return sync_or_fail("fsync", fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return sync_or_fail("fdatasync", fd);
}
