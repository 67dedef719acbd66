/* manage.h - the management address: GET /metrics and GET /health, apart from the public port.
 *
 * A second HTTP server of one loop. It answers from counters alone, so it takes no reader of the
 * store and no worker, and goes on answering when those are all busy. It knows no sign-in and
 * shows no content of resources, only counts. */
#ifndef MED_MANAGE_H
#define MED_MANAGE_H

#include "serve.h"

typedef struct med_manage_config {
    med_str listen;       /* HOST:PORT, [v6]:PORT or unix:PATH */
    const med_str *hosts; /* allowed Host values; none = any */
    size_t n_hosts;
    med_server *server;
    med_store *store;
    const med_clock *clock;
    const med_random *random;
    const med_log *log;
} med_manage_config;

typedef struct med_manage med_manage;

/* `server`, `store` and all that `config` points to must outlive it. NULL with *err on failure;
 * MED_ISSUE_CONFLICT: the address is in use. */
med_manage *med_manage_start(const med_manage_config *config, med_err *err) MED_MUST_CHECK;
med_str med_manage_address(const med_manage *m);
/* Before med_serve_stop, whose counters it reads. NULL is fine. */
void med_manage_stop(med_manage *m);

#endif
