/* http: see the header. Called by the gateway and by tick.c. */
#include "node/http_process.h"
#include "node/tables.h"
#include "service/requests.h"
#include "service/tables.h"
#include "base/must.h"
#include "wire/rpc.h"

#include <stdlib.h>
#include <string.h>

/* ---- requests that need no process ---- */

static void part(void *context, const uint8_t *body, size_t len)
{
    gateway_part(context, body, len);
}

/* A request that has no answer yet. */
struct http_asked {
    struct asker asker;
    struct gateway_job *job;
};

static void http_answer(struct asker *asker, int error, const void *body, size_t len)
{
    struct http_asked *asked = container_of(asker, struct http_asked, asker);
    struct gateway_job *job = asked->job;
    job->work = NULL;
    free(asked);
    gateway_outcome(job,
                    &(struct gateway_outcome){
                        .error = error, .text = error ? body : NULL, .data = body, .len = len });
}

static const char *http_who(const struct asker *asker, char from[REQUEST_FROM])
{
    const struct http_asked *asked = container_of(asker, struct http_asked, asker);
    gateway_job_from(asked->job, from, REQUEST_FROM);
    return "http";
}

static void http_request(struct http *http, struct gateway_job *job, uint64_t op,
                         struct reader *fields)
{
    struct http_asked *asked = malloc(sizeof(*asked));
    if (!asked) {
        http_done(job, RUSM_ENOMEM);
        return;
    }
    *asked = (struct http_asked){ .asker = { .answer = http_answer, .who = http_who }, .job = job };
    job->work = asked;
    int error = request_make(&http->node->first->service, &asked->asker, op, fields);
    if (error) {
        job->work = NULL;
        free(asked);
        http_done(job, error);
    }
}

/* Writes the job's process as a target. Returns false if it is of another node. */
static bool http_target(const struct http *http, const struct gateway_job *job, struct writer *w)
{
    const struct rusm_node *node = http->node;
    struct id_address a;
    must(id_address_parse(job->process, strlen(job->process), &a) == 0);
    if (!http_is_here(node, &a)) {
        return false;
    }
    target_write(w, &(struct target){ .kind = a.serial ? TARGET_PID : TARGET_NAME,
                                      .serial = a.serial,
                                      .incarnation =
                                          a.has_incarnation ? a.incarnation : node->incarnation,
                                      .name = a.name,
                                      .name_len = a.name_len });
    return true;
}

/* Kills the job's process if it is one of this node. Returns false if it is another node's. */
static bool http_kill(struct http *http, struct gateway_job *job)
{
    uint8_t body[RUSM_NAME_MAX + RUSM_REASON_MAX + 32];
    struct writer w = writer_on(body, sizeof(body));
    if (!http_target(http, job, &w)) {
        return false;
    }
    writer_text(&w, job->reason, strlen(job->reason));
    struct reader fields = reader_on(body, writer_len(&w));
    http_request(http, job, OP_KILL, &fields);
    return true;
}

/* Tells of a process of this node. Another node has to be asked itself. */
static void http_inspect(struct http *http, struct gateway_job *job)
{
    uint8_t body[RUSM_NAME_MAX + 32];
    struct writer w = writer_on(body, sizeof(body));
    if (!http_target(http, job, &w)) {
        gateway_outcome(job, &(struct gateway_outcome){
                                 .error = RUSM_EINVAL,
                                 .text = "this node tells of its own processes: ask the other one",
                             });
        return;
    }
    struct reader fields = reader_on(body, writer_len(&w));
    http_request(http, job, OP_PROCESS, &fields);
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
    case GATEWAY_REQUEST: {
        struct reader fields = reader_on(job->data, job->len);
        http_request(http, job, job->request, &fields);
        return;
    }
    case GATEWAY_PROCESS: http_inspect(http, job); return;
    case GATEWAY_KILL:
        if (http_kill(http, job)) {
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
    } else if (job->work) {
        struct http_asked *asked = job->work;
        request_forget(&asked->asker);
        free(asked);
    } else {
        http_process_cancel(http, job);
    }
}

static const struct gateway_node http_node = {
    .begin = begin, .more = more, .cancel = cancel, .metric = tables_metric
};

/* ---- life ---- */

int http_open(struct rusm_node *node, const struct rusm_node_options *o, struct rusm_why *why)
{
    struct http *http = calloc(1, sizeof(*http));
    struct gateway_options options = { .name = node->name,
                                       .log = &node->log,
                                       .repeat = &node->first->repeat,
                                       .token = o->http_token,
                                       .proxies = o->http_proxy,
                                       .proxy_count = o->http_proxy_count,
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
