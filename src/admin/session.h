/* session.h - one connection of the admin socket as the host of a command's work.
 * Private to admin/. */
#ifndef MED_ADMIN_SESSION_H
#define MED_ADMIN_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "admin/host.h"
#include "admin/message.h"

/* Calls of the host come from the work's threads, one at a time by `lock`. */
typedef struct med_session {
    med_host host;
    int socket;
    const atomic_bool *stopping; /* of the server */
    pthread_mutex_t lock;
    med_arena *packets; /* emptied for each packet */
    atomic_bool over;   /* cancelled, or gone */
    atomic_bool gone;   /* nobody listens any more */
} med_session;

/* False without memory. The socket stays the caller's. */
bool med_session_init(med_session *s, int socket, const atomic_bool *stopping) MED_MUST_CHECK;
void med_session_free(med_session *s);
/* The first packet, which must be RUN, within the time for it; its slices live in `a`. */
bool med_session_request(med_session *s, med_arena *a, med_message *out,
                         med_err *err) MED_MUST_CHECK;
/* The last packet. */
void med_session_result(med_session *s, int code, med_str text);

#endif
