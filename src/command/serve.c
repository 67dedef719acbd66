/* serve.c - `medulla serve`: the FHIR server. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "background.h"
#include "command/serving.h"
#include "command/task.h"
#include "jobs.h"
#include "lists.h"
#include "manage.h"

enum { DRAIN_SECONDS = 10, RETRY_AFTER_SECONDS = 2 };

/* Secrets and patients' data stay out of core dumps and of other users' sight. */
static void harden(void)
{
    const struct rlimit no_core = {0, 0};
    struct rlimit files;
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)umask(077);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static med_str host_of(med_str listen)
{
    size_t colon = listen.len;
    while (colon > 0 && listen.ptr[colon - 1] != ':')
        colon--;
    return med_str_sub(listen, 0, colon == 0 ? listen.len : colon - 1);
}

/* HOST:PORT, [v6]:PORT or unix:PATH */
static bool is_address(med_str listen)
{
    int64_t port;
    med_str host = host_of(listen);
    if (med_str_starts(listen, MED_STR("unix:")))
        return listen.len > MED_STR("unix:").len;
    return host.len > 0 && host.len < listen.len
           && med_str_to_int64(med_str_skip(listen, host.len + 1), &port) && port >= 0
           && port <= UINT16_MAX;
}

/* 127.1.2.3, not 127.example.org */
static bool is_loopback_v4(med_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (!med_is_digit(host.ptr[i]) && host.ptr[i] != '.')
            return false;
    }
    return med_str_starts(host, MED_STR("127."));
}

static bool is_loopback(med_str listen)
{
    med_str host = host_of(listen);
    return med_str_starts(listen, MED_STR("unix:")) || med_str_eqz(host, "localhost")
           || med_str_eqz(host, "[::1]") || is_loopback_v4(host);
}

/* Until sign-in exists only a loopback address or a unix socket is served. */
static enum med_exit check_auth(const med_config *c)
{
    med_str mode = med_config_text(c, "auth.mode");
    med_str listen = med_config_text(c, "http.listen");
    if (med_str_eqz(mode, "on"))
        return med_command_fail(MED_EXIT_REFUSED,
                                "sign-in is not part of this version yet, so --auth on can not be "
                                "kept; for trying out on this machine use --auth off");
    if (!med_str_eqz(mode, "off"))
        return med_command_fail(MED_EXIT_USAGE, "auth.mode must be on or off");
    if (!is_address(listen))
        return med_command_fail(
            MED_EXIT_USAGE, "%.*s is no address to listen on: HOST:PORT, [v6]:PORT or unix:PATH",
            MED_STR_ARG(listen));
    if (!is_loopback(listen))
        return med_command_fail(MED_EXIT_REFUSED,
                                "--auth off only serves a loopback address or a unix socket; "
                                "%.*s is neither",
                                MED_STR_ARG(listen));
    return MED_EXIT_OK;
}

static med_http_limits limits_of(const med_config *c)
{
    med_http_limits l = med_http_default_limits;
    l.head = (size_t)med_config_int(c, "http.head");
    l.body = (size_t)med_config_int(c, "http.body");
    l.head_seconds = (uint32_t)med_config_int(c, "http.head_seconds");
    l.body_bytes_per_second = (uint32_t)med_config_int(c, "http.body_rate");
    l.idle_seconds = (uint32_t)med_config_int(c, "http.idle_seconds");
    l.connections = (uint32_t)med_config_int(c, "http.connections");
    l.connections_per_address = (uint32_t)med_config_int(c, "http.connections_per_address");
    l.bodies_in_flight = (uint64_t)med_config_int(c, "http.bodies_in_flight");
    l.arena = (size_t)med_config_int(c, "http.arena");
    return l;
}

/* The names of a loopback address itself: a page that rebinds its DNS name to us sends its own
 * Host. */
static bool name_loopback(med_arena *a, med_str listen, const med_str **out, size_t *n)
{
    med_str *names = MED_TAKE(a, 4, med_str);
    if (names == NULL)
        return false;
    names[0] = host_of(listen);
    names[1] = MED_STR("localhost");
    names[2] = MED_STR("127.0.0.1");
    names[3] = MED_STR("[::1]");
    *out = names;
    *n = 4;
    return true;
}

static bool fill_hosts(const med_app *app, med_http_config *http)
{
    if (!med_config_list(app->arena, app->config, "http.hosts", &http->hosts, &http->n_hosts))
        return false;
    return http->n_hosts > 0
           || name_loopback(app->arena, http->listen, &http->hosts, &http->n_hosts);
}

static bool fill_config(const med_app *app, med_serve_config *s, med_err *err)
{
    const med_config *c = app->config;
    s->fhir = &app->fhir;
    s->editions = app->editions;
    s->workers = app->workers;
    s->quick = app->quick;
    s->worker_queue = (size_t)med_config_int(c, "worker.queue");
    s->retry_after_seconds = RETRY_AFTER_SECONDS;
    s->base_path = MED_STR("/fhir");
    s->http.listen = med_config_text(c, "http.listen");
    s->http.loops = app->loops;
    s->http.limits = limits_of(c);
    s->http.certificate_file = med_config_text(c, "http.certificate");
    s->http.key_file = med_config_text(c, "http.key");
    s->http.clock = &med_clock_system;
    s->http.random = &med_random_system;
    s->http.log = &app->log;
    bool ok =
        fill_hosts(app, &s->http)
        && med_config_list(app->arena, c, "http.behind_proxy", &s->http.proxies, &s->http.n_proxies)
        && med_config_list(app->arena, c, "http.cors_origins", &s->cors_origins,
                           &s->n_cors_origins);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* Blocks SIGTERM and SIGINT in every thread, before any is started. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Waits for a signal, or for the store to stop after an I/O error it can not judge. */
static enum med_exit wait_for_end(const med_app *app, const sigset_t *signals)
{
    const struct timespec second = {1, 0};
    while (sigtimedwait(signals, NULL, &second) < 0) {
        med_store_stats stats;
        med_store_count(app->store, &stats);
        if (stats.failed)
            return med_command_fail(
                MED_EXIT_FAILED, "the store could not make a commit durable (I/O error); stopping, "
                                 "so that a restart finds out what is on the disk");
    }
    return MED_EXIT_OK;
}

/* Off loopback any Host will do: who may ask is then a matter of the network. */
static med_manage *open_manage(const med_app *app, med_server *server, med_str listen, med_err *err)
{
    med_manage_config c = {.listen = listen,
                           .server = server,
                           .store = app->store,
                           .clock = &med_clock_system,
                           .random = &med_random_system,
                           .log = &app->log};
    if (is_loopback(listen) && !name_loopback(app->arena, listen, &c.hosts, &c.n_hosts)) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    return med_manage_start(&c, err);
}

/* An address that was asked for must be had; the default one only if it is free, so that a second
 * server on the machine starts without more ado. */
static bool start_manage(const med_app *app, med_server *server, med_manage **out, med_err *err)
{
    med_err why = {0};
    med_str listen = med_config_text(app->config, "admin.listen");
    *out = NULL;
    if (listen.len == 0)
        return true;
    *out = open_manage(app, server, listen, &why);
    if (*out != NULL)
        MED_LOG(&app->log, MED_LOG_INFO, "managing",
                MED_LOG_TEXT("address", med_manage_address(*out)));
    else if (med_config_source_of(app->config, "admin.listen") != MED_FROM_DEFAULT)
        return MED_FAIL(err, why.issue, "admin.listen: %s", why.text);
    else
        MED_LOG(&app->log, MED_LOG_WARN, "no management address; admin.listen chooses another",
                MED_LOG_TEXT("why", med_str_from(why.text)));
    return true;
}

static enum med_exit serve(med_app *app, const sigset_t *signals, bool demo)
{
    med_err err = {0};
    med_serve_config config = {0};
    if (!fill_config(app, &config, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    config.jobs =
        med_jobs_start(app->editions, &app->fhir, med_app_background_slot(app, MED_SLOT_JOBS),
                       MED_JOBS, med_config_text(app->config, "store.data"), &err);
    if (config.jobs == NULL)
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    med_server *server = med_serve_start(&config, &err);
    if (server == NULL) {
        med_jobs_stop(config.jobs);
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    }
    med_manage *manage;
    if (!start_manage(app, server, &manage, &err)) {
        med_serve_stop(server, DRAIN_SECONDS);
        med_jobs_stop(config.jobs);
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    }
    med_tasks *tasks = med_tasks_start(app, &err);
    med_lists *lists = tasks == NULL ? NULL : med_lists_start(app, &err);
    if (lists == NULL) {
        if (tasks != NULL)
            med_tasks_stop(tasks);
        med_manage_stop(manage);
        med_serve_stop(server, DRAIN_SECONDS);
        med_jobs_stop(config.jobs);
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    }
    med_background *background = med_background_start(
        app->editions, &app->fhir, med_app_background_slot(app, MED_SLOT_REINDEX),
        med_str_eqz(med_config_text(app->config, "store.url"), "sqlite"), &err);
    if (background == NULL)
        MED_LOG(&app->log, MED_LOG_ERROR, "no background work",
                MED_LOG_TEXT("why", med_str_from(err.text)));
    MED_LOG(&app->log, MED_LOG_INFO, "serving", MED_LOG_TEXT("fhir", app->fhir.base),
            MED_LOG_TEXT("auth", med_config_text(app->config, "auth.mode")));
    if (demo)
        med_demo_welcome(app);
    enum med_exit code = wait_for_end(app, signals);
    MED_LOG(&app->log, MED_LOG_INFO, "stopping", MED_LOG_INT("drain_seconds", DRAIN_SECONDS));
    med_background_stop(background);
    med_lists_stop(lists);
    med_tasks_stop(tasks);
    med_manage_stop(manage);
    med_serve_stop(server, DRAIN_SECONDS);
    med_jobs_stop(config.jobs);
    return code;
}

enum med_exit med_serve_run(const med_arguments *args, bool demo)
{
    med_err err = {0};
    med_app app;
    sigset_t signals;
    enum med_exit code = check_auth(args->config);
    if (code != MED_EXIT_OK)
        return code;
    harden();
    block_signals(&signals);
    if (!med_app_open(&app, args->arena, args->config, true, &err))
        return med_command_fail(err.issue == MED_ISSUE_NOT_SUPPORTED
                                        || err.issue == MED_ISSUE_EXPIRED
                                    ? MED_EXIT_REFUSED
                                    : MED_EXIT_FAILED,
                                "%s", err.text);
    app.log.buffer = med_log_buffer_new(app.log.fd, &err); /* without it lines leave one by one */
    app.serving = true;
    if (demo && !med_demo_fill(&app, args, &err))
        code = med_command_fail(err.issue == MED_ISSUE_VALUE ? MED_EXIT_USAGE : MED_EXIT_FAILED,
                                "%s", err.text);
    else
        code = serve(&app, &signals, demo);
    med_app_close(&app);
    med_log_buffer_free(app.log.buffer);
    return code;
}

static enum med_exit run(const med_arguments *args)
{
    med_str unused;
    return med_serve_run(args, med_argument(args, "demo", &unused));
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {"replica", "CONNINFO", "store.replica", "with PostgreSQL: a standby to read from"},
    {"listen", "HOST:PORT", "http.listen", "address to serve (default 127.0.0.1:8080)"},
    {"auth", "on|off", "auth.mode", "off: no sign-in, loopback only"},
    {"demo", NULL, NULL, "fill an empty data directory with the demo nation first"},
    {"people", "N", NULL, "with --demo: how many people (default 1000)"},
    {"seed", "N", NULL, "with --demo: another seed, another nation"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_serve = {
    .name = "serve",
    .usage = "[--data DIR] [--listen HOST:PORT] [--auth on|off] [--demo]",
    .summary = "serve FHIR R4 over HTTP",
    .examples = "  medulla serve --auth off\n"
                "  medulla serve --data /var/lib/medulla --config /etc/medulla.conf\n",
    .options = options,
    .run = run,
};
