/* http: see the header. Called by the gateway and by tick.c. */
#include "node/http_process.h"
#include "node/serve.h"
#include "node/tables.h"
#include "service/tables.h"

#include <stdlib.h>
#include <string.h>

/* ---- at once ---- */

static void part(void *context, const uint8_t *body, size_t len)
{
    gateway_part(context, body, len);
}

/* One that is under way, perhaps on another scheduler. */
struct http_spawn {
    struct spawning spawning;
    struct http *http;
    struct gateway_job *job; /* NULL: nobody waits for it any more */
};

static void spawn_over(struct spawning *spawning, struct runtime *here)
{
    struct http_spawn *s = (struct http_spawn *)(void *)spawning;
    struct gateway_job *job = s->job;
    (void)here;
    if (job) {
        struct rusm_node *node = s->http->node;
        struct rusm_why why = { "" };
        char text[RUSM_PID_TEXT_MAX];
        int len = 0;
        if (spawning->error) {
            serve_spawn_failed(node, spawning, job->spawnable, &why);
        } else {
            len = id_pid_format(text, sizeof(text), spawning->pid.serial, node->name,
                                node->incarnation);
        }
        job->work = NULL;
        gateway_outcome(job, &(struct gateway_outcome){ .error = spawning->error,
                                                        .text = why.text,
                                                        .data = text,
                                                        .len = (size_t)len });
    }
    spawning_fini(spawning);
    free(s);
}

static void do_spawn(struct http *http, struct gateway_job *job)
{
    struct rusm_why why = { "" };
    struct spawn spawn = { .scope = !job->name    ? SPAWN_NO_NAME
                                    : job->global ? SPAWN_GLOBAL
                                                  : SPAWN_LOCAL,
                           .spawnable = job->spawnable,
                           .spawnable_len = strlen(job->spawnable),
                           .name = job->name,
                           .name_len = job->name ? strlen(job->name) : 0 };
    struct http_spawn *s = calloc(1, sizeof(*s));
    int error = s ? runtime_check_args(&job->args) : RUSM_ENOMEM;
    if (!error) {
        s->http = http;
        s->job = job;
        job->work = &s->job;
        error =
            serve_spawning(http->node->first, &s->spawning, &spawn, &job->args, spawn_over, &why);
    }
    if (error) {
        job->work = NULL;
        free(s);
        gateway_outcome(job, &(struct gateway_outcome){ .error = error, .text = why.text });
    }
}

/* One of another scheduler's process. */
struct http_kill {
    struct killing killing;
    struct gateway_job *job; /* NULL: nobody waits for it any more */
};

static void kill_over(struct killing *killing)
{
    struct http_kill *k = (struct http_kill *)(void *)killing;
    struct gateway_job *job = k->job;
    if (job) {
        job->work = NULL;
        http_done(job, killing->error);
    }
    free(k);
}

static void kill_far(struct rusm_node *node, struct gateway_job *job, uint64_t serial)
{
    struct http_kill *k = calloc(1, sizeof(*k));
    if (k) {
        k->job = job;
        job->work = &k->job;
    }
    int error =
        k ? serve_killing(node->first, &k->killing, serial, job->reason, kill_over) : RUSM_ENOMEM;
    if (error) {
        job->work = NULL;
        free(k);
        http_done(job, error);
    }
}

/* False: it is another node's. */
static bool do_kill(struct http *http, struct gateway_job *job)
{
    struct rusm_node *node = http->node;
    struct rusm_process *p = NULL;
    uint64_t serial = 0;
    struct id_address a;
    if (id_address_parse(job->process, strlen(job->process), &a) != 0) {
        http_done(job, RUSM_EINVAL);
        return true;
    }
    if (!http_is_here(node, &a)) {
        return false;
    }
    if (!a.serial) {
        p = runtime_find_name(node->first->runtime, a.name, a.name_len, &serial);
    } else if (!a.has_incarnation || a.incarnation == node->incarnation) {
        p = runtime_find(node->first->runtime, serial = a.serial);
    }
    if (!p && runtime_whose(node->first->runtime, serial) != 0) {
        kill_far(node, job, serial);
        return true;
    }
    http_done(job, p ? runtime_exit(node->first->runtime, process_serial(p), (rusm_pid){ 0 },
                                    job->reason)
                     : RUSM_ENOPROC);
    return true;
}

/* ---- the gateway's view ---- */

static void begin(void *context, struct gateway_job *job)
{
    struct http *http = context;
    int error;
    if (http->node->first->closed) {
        http_done(job, RUSM_ECLOSED);
        return;
    }
    switch (job->op) {
    case GATEWAY_TABLE:
        job->work = tables_open((uint64_t)job->table, &error);
        if (error) {
            http_done(job, error);
        }
        return;
    case GATEWAY_SPAWN: do_spawn(http, job); return;
    case GATEWAY_KILL:
        if (do_kill(http, job)) {
            return;
        }
        break;
    case GATEWAY_SEND:
    case GATEWAY_CALL: break;
    }
    http_process_begin(http, job);
}

static bool more(void *context, struct gateway_job *job)
{
    struct http *http = context;
    bool goes_on = !http->node->first->closed && tables_next(http->node, job->work, part, job);
    if (!goes_on) {
        tables_close(job->work);
        job->work = NULL;
    }
    return goes_on;
}

static void cancel(void *context, struct gateway_job *job)
{
    struct http *http = context;
    if (job->op == GATEWAY_TABLE) {
        tables_close(job->work);
    } else if (job->work) { /* a http_spawn's or http_kill's */
        *(struct gateway_job **)job->work = NULL;
    } else {
        http_process_cancel(http, job);
    }
}

static const struct gateway_node http_node = {
    .begin = begin, .more = more, .cancel = cancel, .metric = tables_metric
};

/* ---- life ---- */

int http_open(struct rusm_node *node, const char *token, struct rusm_why *why)
{
    struct http *http = calloc(1, sizeof(*http));
    struct gateway_options options = { .name = node->name,
                                       .log = &node->log,
                                       .token = token,
                                       .node = &http_node,
                                       .context = http,
                                       .seed = rng_u64(&node->first->rng),
                                       .now_ns = node->first->now_ns };
    if (!http) {
        return RUSM_ENOMEM;
    }
    http->node = node;
    http_process_init(http);
    int error = gateway_new(&http->gateway, &options, why);
    if (error) {
        free(http);
    } else {
        node->http = http;
        node->gateway = http->gateway;
    }
    return error;
}

void http_close(struct rusm_node *node)
{
    if (node->http) {
        gateway_free(node->http->gateway);
        http_process_fini(node->http);
        free(node->http);
        node->http = NULL;
        node->gateway = NULL;
    }
}

uint64_t http_tick(struct rusm_node *node)
{
    struct http *http = node->http;
    if (!http) {
        return UINT64_MAX;
    }
    uint64_t process_ns = http_process_tick(http),
             next_ns = gateway_tick(http->gateway, node->first->now_ns);
    return process_ns < next_ns ? process_ns : next_ns;
}

void http_leave(struct rusm_node *node)
{
    if (node->http) {
        gateway_leave(node->http->gateway);
    }
}

bool http_left(struct rusm_node *node)
{
    return !node->http || gateway_pending(node->http->gateway) == 0;
}

int http_accept(struct rusm_node *node, struct conn *conn)
{
    return gateway_accept(node->http->gateway, conn);
}

void http_disconnect(struct rusm_node *node)
{
    if (node->http) {
        gateway_close(node->http->gateway);
    }
}

bool http_disconnected(const struct rusm_node *node)
{
    return !node->http || gateway_connections(node->http->gateway) == 0;
}
