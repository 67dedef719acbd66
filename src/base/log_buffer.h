/* log_buffer.h - log lines of many threads leave together.
 *
 * A busy server writes a line a request, and a write(2) a line costs as much as the rest of a
 * small request. Lines wait here for at most MED_LOG_BUFFER_DELAY and leave in one write; what
 * is urgent (warnings, errors) takes all that waits along at once. Nothing is dropped: when
 * the buffer is full, whoever comes next writes it out and so waits for a slow disk. A process
 * that is killed loses what waited. Thread safe. */
#ifndef MED_BASE_LOG_BUFFER_H
#define MED_BASE_LOG_BUFFER_H

#include "base/err.h"

enum { MED_LOG_BUFFER_BYTES = 256 << 10, MED_LOG_BUFFER_DELAY = 20 /* milliseconds */ };

typedef struct med_log_buffer med_log_buffer;

/* Starts a thread. `fd` stays the caller's. NULL with *err when it can not. */
med_log_buffer *med_log_buffer_new(int fd, med_err *err) MED_MUST_CHECK;
/* `line` is at most MED_LOG_BUFFER_BYTES long. */
void med_log_buffer_add(med_log_buffer *b, med_str line, bool urgent);
/* All that was added has been given to the file when this returns. */
void med_log_buffer_flush(med_log_buffer *b);
/* Flushes and ends the thread; NULL is fine. */
void med_log_buffer_free(med_log_buffer *b);

/* Writes to the file at once; what can not be written is lost. */
void med_log_write_out(int fd, med_str lines);

#endif
