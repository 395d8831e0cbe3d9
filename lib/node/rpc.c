/* rpc: requests on the control stream: those that peers and clients make of this node, and the
 * spawns that our processes ask of others. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/limits.h"
#include "wire/limits.h"
#include "node/globals.h"
#include "node/node.h"
#include "node/router.h"
#include "node/rpc.h"
#include "node/serve.h"
#include "node/tables.h"

/* ---- answers ---- */

static void answer(struct connection *c, uint64_t id, int error, const void *body, size_t len)
{
    uint8_t frame[1024];
    struct writer w = writer_on(frame, sizeof(frame));
    reply_write(&w, &(struct reply){ .id = id, .status = (uint64_t)-error });
    writer_bytes(&w, body, len);
    /* A reply that can't be queued: the connection is being closed for it, the asker is told so. */
    if (w.bad || peer_send_frame(c->peer, FRAME_REPLY, false, frame, writer_len(&w)) != 0) {
        peer_close(c->peer, CLOSE_INTERNAL, "out of memory");
    }
}

void rpc_fail(struct connection *c, uint64_t id, int error, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len >= (int)sizeof(text)) {
        len = sizeof(text) - 1;
    }
    answer(c, id, error, text, (size_t)len);
}

void rpc_done(struct connection *c, uint64_t id)
{
    answer(c, id, 0, NULL, 0);
}

static void answer_pid(struct connection *c, uint64_t id, const struct wire_pid *pid)
{
    uint8_t body[256];
    struct writer w = writer_on(body, sizeof(body));
    wire_pid_write(&w, pid);
    answer(c, id, 0, body, writer_len(&w));
}

void rpc_spawned(struct connection *c, uint64_t id, rusm_pid pid)
{
    answer_pid(c, id,
               &(struct wire_pid){
                   .serial = pid.serial, .incarnation = pid.incarnation, .node = "" });
}

/* ---- spawn ---- */

struct known {
    char text[300];
    size_t len;
};

static int add_known(void *context, const char *name, const struct rusm_behaviour *behaviour)
{
    struct known *k = context;
    (void)behaviour;
    int n = snprintf(k->text + k->len, sizeof(k->text) - k->len, "%s%s", k->len ? ", " : "", name);
    if (n < 0 || k->len + (size_t)n >= sizeof(k->text)) {
        k->text[k->len] = 0;
        return 1;
    }
    k->len += (size_t)n;
    return 0;
}

/* Copies the arguments out as C strings into text. */
static void read_args(struct spawn *s, char *text, const char **values)
{
    for (uint64_t i = 0; i < s->arg_count; i++) {
        size_t len;
        const uint8_t *arg = reader_text(&s->args, &len, LIMIT_ARGS_BYTES);
        if (len) {
            memcpy(text, arg, len);
        }
        text[len] = 0;
        values[i] = text;
        text += len + 1;
    }
}

int rpc_spawnable(struct scheduler *at, const struct spawn *s, const struct rusm_behaviour **b,
                  struct rusm_why *why)
{
    struct known known = { .len = 0 };
    *b = runtime_spawnable(at->runtime, s->spawnable, s->spawnable_len);
    if (*b) {
        return 0;
    }
    runtime_each_spawnable(at->runtime, add_known, &known);
    return err_why(why, RUSM_ENOSPAWNABLE, "no spawnable '%.*s' on %s (known: %s)",
                   (int)(s->spawnable_len < 100 ? s->spawnable_len : 100), s->spawnable,
                   at->node->name, known.len ? known.text : "none");
}

static int serve_spawn(struct connection *c, struct request *q)
{
    char text[LIMIT_ARGS_BYTES + RUSM_ARGS_MAX];
    const char *values[RUSM_ARGS_MAX];
    struct rusm_why why = { "" };
    struct spawn s;
    if (spawn_decode(&q->args, &s) != 0) {
        return RUSM_EMALFORMED;
    }
    read_args(&s, text, values);
    struct rusm_args args = { .count = (size_t)s.arg_count, .value = values };
    int error = serve_spawn_for(c, q->id, &s, &args, &why);
    if (error) {
        rpc_fail(c, q->id, error, "%s", why.text);
    }
    return 0;
}

/* ---- kill, stop, whereis ---- */

static int serve_kill(struct connection *c, struct request *q)
{
    struct scheduler *s = c->scheduler;
    char reason[RUSM_REASON_MAX + 1];
    struct target target;
    size_t len;
    target_read(&q->args, &target);
    const uint8_t *text = reader_text(&q->args, &len, RUSM_REASON_MAX);
    if (q->args.bad) {
        return RUSM_EMALFORMED;
    }
    if (len) {
        memcpy(reason, text, len);
    }
    reason[len] = 0;
    uint64_t far;
    struct rusm_process *p = router_target(s, &target, &far);
    if (far) {
        if (serve_kill_far(c, q->id, far, len ? reason : "kill") != 0) {
            rpc_fail(c, q->id, RUSM_ENOMEM, "%s", rusm_strerror(RUSM_ENOMEM));
        }
        return 0;
    }
    if (p &&
        runtime_exit(s->runtime, process_serial(p), (rusm_pid){ 0 }, len ? reason : "kill") == 0) {
        answer(c, q->id, 0, NULL, 0);
    } else if (target.kind == TARGET_PID) {
        rpc_fail(c, q->id, RUSM_ENOPROC, "no process %llu@%s", (unsigned long long)target.serial,
                 s->node->name);
    } else {
        rpc_fail(c, q->id, RUSM_ENOPROC, "no process '%.*s' on %s", (int)target.name_len,
                 target.name, s->node->name);
    }
    return 0;
}

static int serve_whereis(struct connection *c, struct request *q)
{
    struct registry_holder holder;
    size_t len;
    const char *name = (const char *)reader_text(&q->args, &len, RUSM_NAME_MAX);
    if (q->args.bad) {
        return RUSM_EMALFORMED;
    }
    if (globals_whereis(c->scheduler, name, len, &holder) != 0) {
        rpc_fail(c, q->id, RUSM_ENOPROC, "no global name '%.*s'", (int)len, name);
        return 0;
    }
    const char *node = runtime_node_name(c->scheduler->runtime, holder.node);
    answer_pid(c, q->id,
               &(struct wire_pid){ .serial = holder.serial,
                                   .incarnation = holder.incarnation,
                                   .node = node,
                                   .node_len = strlen(node) });
    return 0;
}

int rpc_request(struct connection *c, const struct frame *frame)
{
    struct request q;
    if (request_decode(frame->body, frame->len, &q) != 0) {
        return RUSM_EMALFORMED;
    }
    struct rusm_node *node = c->scheduler->node;
    if (c->scheduler->closed && q.op != OP_STOP) {
        rpc_fail(c, q.id, RUSM_ECLOSED, "%s is stopping", node->name);
        return 0;
    }
    switch (q.op) {
    case OP_SPAWN: return serve_spawn(c, &q);
    case OP_TABLE: {
        uint64_t table = reader_varint(&q.args);
        if (q.args.bad) {
            return RUSM_EMALFORMED;
        }
        if (c->client) {
            tables_serve(c, q.id, table);
        } else {
            rpc_fail(c, q.id, RUSM_EINVAL, "%s shows its tables to clients", node->name);
        }
        return 0;
    }
    case OP_KILL: return serve_kill(c, &q);
    case OP_STOP:
        answer(c, q.id, 0, NULL, 0);
        rusm_node_stop(node);
        return 0;
    case OP_WHEREIS: return serve_whereis(c, &q);
    default: rpc_fail(c, q.id, RUSM_EINVAL, "%s does not know this request", node->name); return 0;
    }
}

/* Only a table takes longer than its answer. */
int rpc_cancel(struct connection *c, const struct frame *frame)
{
    struct reader r = reader_on(frame->body, frame->len);
    tables_cancel(c, reader_varint(&r)); /* of an answered request, or of none: fine */
    return 0;
}

/* ---- ours ---- */

/* A spawn that one of our processes asked for. */
struct asked {
    struct list link;
    uint64_t id, self, ref;
};

/* What a request for it may take at most. */
static size_t spawn_room(const char *spawnable, const struct rusm_args *args)
{
    size_t room = (8 + args->count) * VARINT_LEN_MAX + strlen(spawnable);
    for (size_t i = 0; i < args->count; i++) {
        room += strlen(args->value[i]);
    }
    return room;
}

int rpc_spawn(struct connection *c, uint64_t self, const char *spawnable,
              const struct rusm_args *args, uint64_t ref)
{
    uint8_t small[512], *body = small; /* it may be a coroutine that asks: its stack is short */
    size_t room = spawn_room(spawnable, args);
    if (c->request_count >= LIMIT_REQUESTS) {
        return RUSM_ELIMIT;
    }
    if (room > LIMIT_FRAME) {
        return RUSM_EINVAL;
    }
    struct asked *a = malloc(sizeof(*a));
    if (room > sizeof(small)) {
        body = malloc(room);
    }
    if (!a || !body) {
        free(a);
        if (body != small) {
            free(body);
        }
        return RUSM_ENOMEM;
    }
    *a = (struct asked){ .id = ++c->request_id, .self = self, .ref = ref };
    struct writer w = writer_on(body, room);
    request_write(&w, &(struct request){ .id = a->id, .op = OP_SPAWN });
    spawn_write(&w, SPAWN_NO_NAME, spawnable, NULL, args);
    int error =
        w.bad ? RUSM_EINVAL : peer_send_frame(c->peer, FRAME_REQUEST, false, body, writer_len(&w));
    if (body != small) {
        free(body);
    }
    if (error) {
        free(a);
        return error;
    }
    list_append(&c->requests, &a->link);
    c->request_count++;
    return 0;
}

static void asked_done(struct connection *c, struct asked *a)
{
    list_remove(&a->link);
    c->request_count--;
    free(a);
}

int rpc_reply(struct connection *c, const struct frame *frame)
{
    struct reply reply;
    if (reply_decode(frame->body, frame->len, &reply) != 0) {
        return RUSM_EMALFORMED;
    }
    list_each(link, &c->requests) {
        struct asked *a = container_of(link, struct asked, link);
        if (a->id != reply.id) {
            continue;
        }
        rusm_pid pid = { .node = c->index };
        char text[512];
        size_t len = reader_left(&reply.body) < sizeof(text) - 1 ? reader_left(&reply.body)
                                                                 : sizeof(text) - 1;
        if (reply.status) {
            const uint8_t *bytes = reader_bytes(&reply.body, len);
            if (len) {
                memcpy(text, bytes, len);
            }
            text[len] = 0;
            runtime_answer(c->scheduler->runtime, a->self, RUSM_FAILED, -(int)reply.status, pid,
                           a->ref, text);
        } else {
            struct wire_pid spawned;
            wire_pid_read(&reply.body, &spawned);
            if (reply.body.bad) {
                return RUSM_EMALFORMED;
            }
            pid.serial = spawned.serial;
            pid.incarnation = spawned.incarnation;
            runtime_answer(c->scheduler->runtime, a->self, RUSM_SPAWNED, 0, pid, a->ref, "");
        }
        asked_done(c, a);
        return 0;
    }
    return 0; /* of a request given up: fine */
}

void rpc_fail_all(struct connection *c)
{
    list_each_safe(link, &c->requests) {
        struct asked *a = container_of(link, struct asked, link);
        runtime_answer(c->scheduler->runtime, a->self, RUSM_FAILED, RUSM_ENOCONN,
                       (rusm_pid){ .node = c->index }, a->ref, rusm_strerror(RUSM_ENOCONN));
        asked_done(c, a);
    }
}
