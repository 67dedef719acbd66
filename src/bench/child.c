/* child.c - see child.h. */
#include "bench/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { GRACE_MS = 10000 };

/* In the child, where other threads' locks stay locked: nothing that allocates. What was blocked is
 * let through, and what it says goes into the log. */
static void settle(pid_t parent, const char *log)
{
    sigset_t none;
    sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    (void)setpgid(0, 0);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(1);
}

pid_t med_child_program(const char *const *words, const char *log, med_err *err)
{
    char *argv[MED_CHILD_WORDS + 2];
    char program[] = "medulla";
    size_t n = 0;
    argv[n++] = program;
    for (; n <= MED_CHILD_WORDS && words[n - 1] != NULL; n++)
        argv[n] = (char *)(uintptr_t)words[n - 1]; /* execv takes what it does not change */
    argv[n] = NULL;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        settle(parent, log);
        (void)execv("/proc/self/exe", argv);
        _exit(127);
    }
    if (pid < 0)
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "can not start a process: %s",
                       strerrordesc_np(errno));
    return pid;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

bool med_child_wait(pid_t pid, int milliseconds, med_child_end *out)
{
    const struct timespec tick = {0, 1000000};
    int status;
    struct rusage used;
    for (int waited = 0;; waited++) {
        pid_t got = wait4(pid, &status, milliseconds < 0 ? 0 : WNOHANG, &used);
        if (got == pid)
            break;
        if ((got < 0 && errno != EINTR) || (milliseconds >= 0 && waited >= milliseconds))
            return false;
        if (got == 0)
            (void)nanosleep(&tick, NULL);
    }
    *out = (med_child_end){.exited = WIFEXITED(status),
                           .code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                           .cpu = seconds_of(used.ru_utime) + seconds_of(used.ru_stime)};
    return true;
}

void med_child_stop(pid_t pid, int signal)
{
    med_child_end unused;
    if (pid <= 0)
        return;
    (void)kill(pid, signal);
    if (!med_child_wait(pid, GRACE_MS, &unused)) {
        (void)kill(pid, SIGKILL);
        (void)med_child_wait(pid, -1, &unused);
    }
}

uint64_t med_child_resident(pid_t pid)
{
    char path[40], text[256];
    int64_t pages;
    med_str rest;
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    (void)close(fd);
    (void)med_str_cut((med_str){text, n > 0 ? (size_t)n : 0}, ' ', &rest);
    if (!med_str_to_int64(med_str_cut(rest, ' ', &rest), &pages) || pages < 0)
        return 0;
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The stream belongs to its caller alone, for which POSIX and glibc promise no race. */
static struct dirent *next_entry(DIR *d)
{
    return d == NULL ? NULL : readdir(d); // NOLINT(concurrency-mt-unsafe)
}

uint64_t med_folder_bytes(const char *folder)
{
    uint64_t sum = 0;
    struct dirent *e;
    struct stat st;
    DIR *d = opendir(folder);
    while ((e = next_entry(d)) != NULL) {
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            sum += (uint64_t)st.st_size;
    }
    if (d != NULL)
        (void)closedir(d);
    return sum;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st;
    (void)kind;
    (void)place;
    return remove(path);
}

void med_folder_remove(const char *folder)
{
    enum { DESCRIPTORS = 8 };
    /* Not safe beside a chdir, which nobody here calls. */
    (void)nftw(folder, remove_one, DESCRIPTORS, // NOLINT(concurrency-mt-unsafe)
               FTW_DEPTH | FTW_PHYS);
}

unsigned med_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0
              && getsockname(fd, (struct sockaddr *)&a, &n) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok ? ntohs(a.sin_port) : 0;
}
