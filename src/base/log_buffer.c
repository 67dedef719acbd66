/* log_buffer.c - two buffers: one is filled while the other is written. */
#include "base/log_buffer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

struct med_log_buffer {
    int fd;
    pthread_t thread;
    pthread_mutex_t out;  /* taken first: who holds it writes, so lines keep their order */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t filled;
    char *fill, *spare;
    size_t len;
    bool stopping;
};

/* Nobody can be told that the log can not be written. */
void med_log_write_out(int fd, med_str lines)
{
    while (lines.len > 0) {
        ssize_t done = write(fd, lines.ptr, lines.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        lines = med_str_skip(lines, (size_t)done);
    }
}

void med_log_buffer_flush(med_log_buffer *b)
{
    pthread_mutex_lock(&b->out);
    pthread_mutex_lock(&b->lock);
    char *full = b->fill;
    size_t len = b->len;
    b->fill = b->spare;
    b->spare = full;
    b->len = 0;
    pthread_mutex_unlock(&b->lock);
    med_log_write_out(b->fd, (med_str){full, len});
    pthread_mutex_unlock(&b->out);
}

void med_log_buffer_add(med_log_buffer *b, med_str line, bool urgent)
{
    pthread_mutex_lock(&b->lock);
    while (line.len > MED_LOG_BUFFER_BYTES - b->len) {
        pthread_mutex_unlock(&b->lock);
        med_log_buffer_flush(b);
        pthread_mutex_lock(&b->lock);
    }
    memcpy(b->fill + b->len, line.ptr, line.len);
    bool first = b->len == 0;
    b->len += line.len;
    if (first && !urgent)
        pthread_cond_signal(&b->filled);
    pthread_mutex_unlock(&b->lock);
    if (urgent)
        med_log_buffer_flush(b);
}

static bool wait_for_lines(med_log_buffer *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->len == 0 && !b->stopping)
        pthread_cond_wait(&b->filled, &b->lock);
    bool goes_on = !b->stopping;
    pthread_mutex_unlock(&b->lock);
    return goes_on;
}

static void *write_lines(void *arg)
{
    med_log_buffer *b = arg;
    const struct timespec delay = {.tv_nsec = MED_LOG_BUFFER_DELAY * 1000000L};
    med_thread_name("log", -1);
    while (wait_for_lines(b)) {
        (void)nanosleep(&delay, NULL);
        med_log_buffer_flush(b);
    }
    return NULL;
}

/* Signals belong to the main thread. */
static int start_thread(med_log_buffer *b)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&b->thread, NULL, write_lines, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void free_buffer(med_log_buffer *b)
{
    (void)pthread_mutex_destroy(&b->out);
    (void)pthread_mutex_destroy(&b->lock);
    (void)pthread_cond_destroy(&b->filled);
    med_free(b->fill);
    med_free(b->spare);
    med_free(b);
}

med_log_buffer *med_log_buffer_new(int fd, med_err *err)
{
    med_log_buffer *b = MED_NEW(1, med_log_buffer);
    if (b == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    b->fd = fd;
    b->fill = MED_NEW(MED_LOG_BUFFER_BYTES, char);
    b->spare = MED_NEW(MED_LOG_BUFFER_BYTES, char);
    if (pthread_mutex_init(&b->out, NULL) == 0 && pthread_mutex_init(&b->lock, NULL) == 0
        && pthread_cond_init(&b->filled, NULL) == 0 && b->fill != NULL && b->spare != NULL
        && start_thread(b) == 0)
        return b;
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory or thread for the log");
    free_buffer(b);
    return NULL;
}

void med_log_buffer_free(med_log_buffer *b)
{
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->lock);
    b->stopping = true;
    pthread_cond_signal(&b->filled);
    pthread_mutex_unlock(&b->lock);
    (void)pthread_join(b->thread, NULL);
    med_log_buffer_flush(b);
    free_buffer(b);
}
