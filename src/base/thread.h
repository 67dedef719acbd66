/* thread.h - how the calling thread is named and scheduled.
 *
 * Names appear in `top -H`, `perf` and a debugger. Linux has a niceness for each thread; what a
 * thread starts inherits it. None of these can fail in a way that matters: where the system
 * refuses, the thread goes on as it was. */
#ifndef MED_BASE_THREAD_H
#define MED_BASE_THREAD_H

/* `what` with "med-" before it and, unless negative, "-<index>" behind it; cut at 15 characters. */
void med_thread_name(const char *what, int index);

/* For a thread that may work on for long: whoever wakes beside it waits for a tenth of a
 * millisecond, not for the usual slice of some milliseconds. Its share of the processor stays the
 * same. Linux 6.12 or newer (sched(7), EEVDF); nothing happens on older ones. */
void med_thread_take_short_turns(void);

/* By so much less urgent than the main thread (nice(2)); 0 is as urgent. A thread that steps back
 * takes short turns, too: its niceness does not keep it from ending a slice that it has begun. */
void med_thread_step_back(int by);

#endif
