/* thread.c - see thread.h. */
#include "base/thread.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_ROOM = 16, TURN_NS = 100000 };

void med_thread_name(const char *what, int index)
{
    char name[NAME_ROOM];
    int n = index < 0 ? snprintf(name, sizeof name, "med-%s", what)
                      : snprintf(name, sizeof name, "med-%s-%d", what, index);
    if (n > 0)
        (void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

/* sched_setattr(2); the C library has no wrapper before glibc 2.41. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* ns; `runtime` of an ordinary thread is its slice */
};

void med_thread_take_short_turns(void)
{
    struct attributes now = {0};
    if (syscall(SYS_sched_getattr, 0, &now, (unsigned)sizeof now, 0U) != 0)
        return;
    now.size = sizeof now;
    now.runtime = TURN_NS;
    (void)syscall(SYS_sched_setattr, 0, &now, 0U);
}

void med_thread_step_back(int by)
{
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, (id_t)getpid());
    if (errno == 0)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice + by);
    if (by > 0)
        med_thread_take_short_turns();
}
