/* client.h - a command's work asked of the server that owns the data directory.
 *
 * The server's questions are answered by `host`, as if the work were done here: the same
 * progress, report and files. */
#ifndef MED_ADMIN_CLIENT_H
#define MED_ADMIN_CLIENT_H

#include "admin/host.h"
#include "admin/message.h"

enum med_asked {
    MED_ASKED_DONE,   /* *code and *err's text are the server's */
    MED_ASKED_NOBODY, /* no server listens there */
    MED_ASKED_FAILED, /* *err: it went away, or said what makes no sense */
};

/* Blocks until the work is done. host->cancelled is looked at five times a second and told. */
enum med_asked med_admin_ask(med_str data, const med_message *request, med_host *host, int *code,
                             med_err *err);
/* The same over a connected socket, which stays the caller's. */
enum med_asked med_admin_converse(int socket, const med_message *request, med_host *host, int *code,
                                  med_err *err);

#endif
