/* rpc: see the header. */
#include <stdio.h>
#include <stdlib.h>

#include "node/follower.h"
#include "node/limits.h"
#include "node/member.h"
#include "node/node.h"
#include "node/reply.h"
#include "node/rpc.h"
#include "node/tables.h"
#include "node/tracer.h"
#include "service/requests.h"
#include "wire/rpc.h"

/* A request that has no answer yet. */
struct rpc_asked {
    struct asker asker;
    struct list link; /* in connection.asked */
    struct connection *c;
    uint64_t id;
};

static void rpc_free(struct rpc_asked *asked)
{
    list_remove(&asked->link);
    asked->c->asked_count--;
    free(asked);
}

static void rpc_answer(struct asker *asker, int error, const void *body, size_t len)
{
    struct rpc_asked *asked = container_of(asker, struct rpc_asked, asker);
    reply_send(asked->c, asked->id, error, body, len);
    rpc_free(asked);
}

static const char *rpc_who(const struct asker *asker, char from[REQUEST_FROM])
{
    const struct connection *c = container_of(asker, struct rpc_asked, asker)->c;
    snprintf(from, REQUEST_FROM, "%s", c->member ? c->member->name : c->address);
    return c->member ? "node" : "client";
}

/* Serves a table, the one request that has many replies. They go out as the control stream
 * drains. */
static int rpc_table(struct connection *c, struct request *q)
{
    uint64_t table = reader_varint(&q->args);
    if (q->args.bad) {
        return RUSM_EMALFORMED;
    }
    if (c->scheduler->closed) {
        reply_fail(c, q->id, RUSM_ECLOSED, "%s is stopping", c->scheduler->node->name);
    } else if (c->client) {
        tables_serve(c, q->id, table);
    } else {
        reply_fail(c, q->id, RUSM_EINVAL, "%s shows its tables to clients only, not to nodes",
                   c->scheduler->node->name);
    }
    return 0;
}

int rpc_request(struct connection *c, const struct frame *frame)
{
    struct request q;
    if (request_decode(frame->body, frame->len, &q) != 0) {
        return RUSM_EMALFORMED;
    }
    if (q.op == OP_TABLE) {
        return rpc_table(c, &q);
    }
    if (q.op == OP_FOLLOW) {
        return follower_serve(c, q.id, &q.args);
    }
    if (q.op == OP_TRACE) {
        return tracer_serve(c, q.id, &q.args);
    }
    if (c->asked_count >= LIMIT_REQUESTS) {
        reply_fail(c, q.id, RUSM_ELIMIT, "too many requests: at most %d may wait for an answer",
                   LIMIT_REQUESTS);
        return 0;
    }
    struct rpc_asked *asked = malloc(sizeof(*asked));
    if (!asked) {
        reply_fail(c, q.id, RUSM_ENOMEM, "%s", rusm_strerror(RUSM_ENOMEM));
        return 0;
    }
    *asked =
        (struct rpc_asked){ .asker = { .answer = rpc_answer, .who = rpc_who }, .c = c, .id = q.id };
    list_init(&asked->link);
    list_append(&c->asked, &asked->link);
    c->asked_count++;
    int error = request_make(&c->scheduler->service, &asked->asker, q.op, &q.args);
    if (error) {
        rpc_free(asked);
    }
    return error;
}

int rpc_cancel(struct connection *c, const struct frame *frame)
{
    struct reader r = reader_on(frame->body, frame->len);
    uint64_t id = reader_varint(&r);
    tables_cancel(c, id); /* an answered or unknown request is fine */
    follower_cancel(c, id);
    tracer_cancel(c, id);
    return 0;
}

void rpc_forget_all(struct connection *c)
{
    list_each_safe(link, &c->asked) {
        struct rpc_asked *asked = container_of(link, struct rpc_asked, link);
        request_forget(&asked->asker);
        rpc_free(asked);
    }
}
