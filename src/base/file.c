/* file.c - see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"

static bool fail(const char *doing, const char *name, med_err *err)
{
    int code = errno;
    enum med_issue issue =
        code == ENOSPC || code == EDQUOT ? MED_ISSUE_NO_STORE : MED_ISSUE_EXCEPTION;
    return MED_FAIL(err, issue, "%s %s failed: %s", doing, name, strerrordesc_np(code));
}

bool med_file_join(char out[MED_FILE_PATH], const char *directory, const char *name, med_err *err)
{
    int n = snprintf(out, MED_FILE_PATH, "%s/%s", directory, name);
    if (n > 0 && n < MED_FILE_PATH)
        return true;
    return MED_FAIL(err, MED_ISSUE_TOO_LONG, "the path of a file is too long");
}

static bool write_all(int fd, med_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = med_str_skip(bytes, (size_t)n);
    }
    return true;
}

bool med_file_write(int fd, med_str bytes, const char *name, med_err *err)
{
    return write_all(fd, bytes) || fail("writing", name, err);
}

/* It is on disk, under a name that nobody looks for. */
static bool write_draft(const char *draft, med_str bytes)
{
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool good = write_all(fd, bytes) && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

bool med_file_create(const char *directory, const char *name, med_str bytes, med_err *err)
{
    char path[MED_FILE_PATH];
    char draft[MED_FILE_PATH];
    if (!med_file_join(path, directory, name, err))
        return false;
    if (snprintf(draft, sizeof draft, "%.4000s.new", path) <= 0)
        return fail("naming", name, err);
    /* link, unlike rename, does not replace what is there */
    bool good = write_draft(draft, bytes) && link(draft, path) == 0;
    if (!good)
        (void)fail("writing", name, err);
    (void)unlink(draft);
    return good && med_file_sync_directory(directory, err);
}

bool med_file_replace(const char *directory, const char *name, med_str bytes, med_err *err)
{
    char path[MED_FILE_PATH];
    char draft[MED_FILE_PATH];
    if (!med_file_join(path, directory, name, err)
        || !med_file_make_directory(directory, true, err))
        return false;
    if (snprintf(draft, sizeof draft, "%.4000s.%ld.new", path, (long)getpid()) <= 0)
        return fail("naming", name, err);
    if (write_draft(draft, bytes) && rename(draft, path) == 0)
        return med_file_sync_directory(directory, err);
    (void)fail("writing", name, err);
    (void)unlink(draft);
    return false;
}

/* "....1234.new": is that process gone? */
static bool is_left_over(med_str name)
{
    int64_t pid;
    if (!med_str_ends(name, MED_STR(".new")))
        return false;
    name = med_str_sub(name, 0, name.len - 4);
    size_t at = name.len;
    while (at > 0 && med_is_digit(name.ptr[at - 1]))
        at--;
    return med_str_to_int64(med_str_skip(name, at), &pid) && pid > 0 && pid <= INT32_MAX
           && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void med_file_clean(const char *directory)
{
    DIR *dir = opendir(directory);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own */
    for (struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir)) {
        char path[MED_FILE_PATH];
        med_err ignored = {0};
        if (is_left_over(med_str_from(e->d_name))
            && med_file_join(path, directory, e->d_name, &ignored))
            (void)unlink(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

bool med_file_sync_directory(const char *directory, med_err *err)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (!good)
        (void)fail("syncing", directory, err);
    if (fd >= 0)
        (void)close(fd);
    return good;
}

bool med_file_make_directory(const char *directory, bool may_exist, med_err *err)
{
    if (mkdir(directory, 0700) != 0) {
        if (errno == EEXIST && may_exist)
            return true;
        return fail("making", "the data directory", err);
    }
    char parent[MED_FILE_PATH];
    return med_file_join(parent, directory, "..", err) && med_file_sync_directory(parent, err);
}

static bool report_owner(int fd, med_err *err)
{
    char pid[24] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    for (ssize_t i = 0; i < n; i++) {
        if (!med_is_digit(pid[i]))
            pid[i] = '\0';
    }
    return MED_FAIL(err, MED_ISSUE_LOCK_ERROR,
                    "the data directory is in use by process %s; one process owns a store",
                    n > 0 ? pid : "(unknown)");
}

bool med_file_lock(const char *directory, int *fd, med_err *err)
{
    char path[MED_FILE_PATH];
    if (!med_file_join(path, directory, "lock", err))
        return false;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return fail("opening", "the lock of the data directory", err);
    bool good = flock(*fd, LOCK_EX | LOCK_NB) == 0;
    if (!good && errno == EWOULDBLOCK)
        (void)report_owner(*fd, err);
    else if (!good)
        (void)fail("locking", "the data directory", err);
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (good && (ftruncate(*fd, 0) != 0 || pwrite(*fd, pid, (size_t)n, 0) != n))
        good = errno == ENOSPC || fail("writing", "the lock of the data directory", err);
    if (!good) {
        (void)close(*fd);
        *fd = -1;
    }
    return good;
}
