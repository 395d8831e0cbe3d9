/* tracer: see the header. */
#include "node/tracer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/must.h"
#include "base/utf8.h"
#include "node/clock.h"
#include "node/connection.h"
#include "node/limits.h"
#include "node/node.h"
#include "node/reply.h"
#include "peer/peer.h"
#include "wire/follow.h"
#include "wire/rpc.h"
#include "wire/trace.h"

/* Bytes of data as text, each byte at most as \xHH, and of the longest event: the data or a reason,
 * and six short fields. */
#define TRACER_TEXT (4 * LIMIT_TRACE_DATA + 1)
#define TRACER_EVENT (TRACER_TEXT + RUSM_REASON_MAX + 1024)
/* A reply is sent when it has this many bytes. */
#define TRACER_FULL ((size_t)16 * 1024)

struct tracer {
    struct list link; /* in tracers.all */
    struct connection *c;
    uint64_t id;     /* of the request */
    uint64_t serial; /* of the process */
    uint64_t told;   /* events so far, and the id of the last one */
    uint64_t most;   /* how many are wanted; UINT64_MAX: no end */
    uint64_t since_ns;
    uint64_t missing; /* events that found no room since the last one that did */
    bool payload;
    bool begun;        /* the first reply was sent */
    bool over;         /* no more events come */
    struct buf events; /* each after its u32 length */
};

void tracers_init(struct tracers *t)
{
    pthread_mutex_init(&t->lock, NULL);
    list_init(&t->all);
}

void tracers_fini(struct tracers *t)
{
    pthread_mutex_destroy(&t->lock);
}

/* ---- events ---- */

static const char *tracer_kind(enum rusm_kind kind)
{
    static const char *const kinds[] = {
        [RUSM_SEND] = "send",
        [RUSM_CALL] = "call",
        [RUSM_REPLY] = "reply",
        [RUSM_EXIT] = "exit",
        [MESSAGE_LINK] = "link",
        [MESSAGE_UNLINK] = "unlink",
        [MESSAGE_MONITOR] = "monitor",
        [MESSAGE_DEMONITOR] = "demonitor",
        [RUSM_DOWN] = "down",
        [MESSAGE_LINK_EXIT] = "link_exit",
        [MESSAGE_UNLINKED] = "unlinked",
        [RUSM_SPAWNED] = "spawned",
        [RUSM_FAILED] = "failed",
        [RUSM_WRITABLE] = "writable",
        [RUSM_NAME_LOST] = "name_lost",
        [RUSM_TIMER] = "timer",
        [RUSM_NODE_UP] = "node_up",
        [RUSM_NODE_DOWN] = "node_down",
        [RUSM_GAP] = "gap",
        [RUSM_READY] = "ready",
    };
    const char *text = kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : NULL;
    return text ? text : "other";
}

/* Writes the other end of a message as text: a pid, or NAME@NODE. "" if there is none. */
static void tracer_other(const struct scheduler *s, const struct trace_event *e, char *out,
                         size_t cap)
{
    const char *node =
        e->other.node == 0 ? s->node->name : runtime_node_name(s->runtime, e->other.node);
    out[0] = '\0';
    if (e->name && node) {
        snprintf(out, cap, "%.*s@%s", (int)e->name_len, e->name, node);
    } else if (e->name) {
        snprintf(out, cap, "%.*s", (int)e->name_len, e->name); /* a global name */
    } else if (e->other.serial && node) {
        id_pid_format(out, cap, e->other.serial, node, e->other.incarnation);
    }
}

static void tracer_message(struct writer *w, const struct scheduler *s, const struct tracer *t,
                           const struct trace_event *e)
{
    static const char *const points[] = {
        [TRACE_QUEUED] = "queued", [TRACE_TAKEN] = "taken", [TRACE_SENT] = "sent"
    };
    char other[RUSM_ADDRESS_MAX + 1], data[TRACER_TEXT];

    tracer_other(s, e, other, sizeof(other));
    follow_event_write(w, t->told, clock_wall_ms(), points[e->point],
                       4u + (other[0] != '\0') + (e->error != 0) + t->payload);
    follow_number_write(w, "us", (endpoint_now_ns() - t->since_ns) / 1000);
    follow_text_write(w, "kind", tracer_kind(e->kind));
    if (other[0] != '\0') {
        follow_text_write(w, e->point == TRACE_SENT ? "to" : "from", other);
    }
    follow_number_write(w, "size", e->len);
    follow_number_write(w, "ref", e->ref);
    if (e->error) {
        follow_text_write(w, "error", rusm_strerror(e->error));
    }
    if (t->payload) {
        utf8_escape(data, sizeof(data), e->data,
                    e->len < LIMIT_TRACE_DATA ? e->len : LIMIT_TRACE_DATA);
        follow_text_write(w, "data", data);
    }
}

static void tracer_ended(struct writer *w, const struct tracer *t, const struct trace_event *e)
{
    char reason[RUSM_REASON_MAX + 1];
    size_t len = e->len < RUSM_REASON_MAX ? e->len : RUSM_REASON_MAX;

    memcpy(reason, e->data, len);
    reason[len] = '\0';
    follow_event_write(w, t->told, clock_wall_ms(), "ended", 2);
    follow_number_write(w, "us", (endpoint_now_ns() - t->since_ns) / 1000);
    follow_text_write(w, "reason", reason);
}

/* Adds an event to the buffer. Returns false if there is no room, or no memory. */
static bool tracer_add(struct tracer *t, const struct writer *w)
{
    uint32_t len = (uint32_t)writer_len(w);

    if (buf_len(&t->events) + sizeof(len) + len > LIMIT_TRACE_BYTES ||
        buf_append(&t->events, &len, sizeof(len)) != 0) {
        return false;
    }
    must(buf_append(&t->events, w->start, len) == 0);
    return true;
}

static void tracer_missed(struct tracer *t)
{
    uint8_t body[128];
    struct writer w = writer_on(body, sizeof(body));

    if (t->missing > 0) {
        follow_event_write(&w, t->told, clock_wall_ms(), "missed", 1);
        follow_number_write(&w, "events", t->missing);
        t->missing = tracer_add(t, &w) ? 0 : t->missing;
    }
}

static void tracer_put(struct tracer *t, const struct scheduler *s, const struct trace_event *e)
{
    uint8_t body[TRACER_EVENT];
    struct writer w = writer_on(body, sizeof(body));

    t->missing += e->missing;
    tracer_missed(t);
    t->told++;
    if (e->point == TRACE_ENDED) {
        tracer_ended(&w, t, e);
    } else {
        tracer_message(&w, s, t, e);
    }
    must(!w.bad);
    t->missing += t->missing > 0 || !tracer_add(t, &w);
    t->over = e->point == TRACE_ENDED || t->told >= t->most;
}

bool tracer_event(struct scheduler *s, const struct trace_event *e)
{
    struct tracers *all = &s->node->tracers;
    bool wanted = false, wake = false;

    pthread_mutex_lock(&all->lock);
    list_each(link, &all->all) {
        struct tracer *t = container_of(link, struct tracer, link);
        if (t->serial == e->serial && !t->over) {
            wake = wake || buf_len(&t->events) == 0;
            tracer_put(t, s, e);
            wanted = wanted || !t->over;
        }
    }
    pthread_mutex_unlock(&all->lock);
    if (wake) {
        loop_wake(&s->node->first->loop);
    }
    return wanted;
}

/* ---- requests ---- */

/* Returns the serial of the process that is meant, or 0 if there is none. */
static uint64_t tracer_find(const struct rusm_node *node, const struct target *target)
{
    uint64_t far;
    const struct rusm_process *p = service_find(&node->first->service, target, &far);

    return p ? process_serial(p) : far;
}

/* Has the process's scheduler tell of its messages. Returns 0, RUSM_ENOPROC or RUSM_BUSY. */
static int tracer_begin(struct rusm_node *node, uint64_t serial)
{
    unsigned index = runtime_whose(node->first->runtime, serial);

    if (!scheduler_enter(node, index)) {
        return RUSM_BUSY;
    }
    bool found = runtime_trace(scheduler_runtime(node, index), serial);
    scheduler_leave(node, index);
    return found ? 0 : RUSM_ENOPROC;
}

static void tracer_refuse(struct connection *c, uint64_t id, int error, const struct trace *trace)
{
    const struct target *target = &trace->target;
    const char *name = c->scheduler->node->name;

    if (error == RUSM_BUSY) {
        reply_fail(c, id, error, "a handler of %s holds the process's scheduler: try again", name);
    } else if (error != RUSM_ENOPROC) {
        reply_fail(c, id, error, "%s", rusm_strerror(error));
    } else if (target->kind == TARGET_PID) {
        reply_fail(c, id, error, "no process %llu@%s", (unsigned long long)target->serial, name);
    } else {
        reply_fail(c, id, error, "no process '%.*s' on %s", (int)target->name_len, target->name,
                   name);
    }
}

/* Makes a tracer. It is in the list before the first event can come. */
static struct tracer *tracer_new(struct connection *c, uint64_t id, const struct trace *trace,
                                 uint64_t serial)
{
    struct tracers *all = &c->scheduler->node->tracers;
    struct tracer *t = calloc(1, sizeof(*t));

    if (t) {
        t->c = c;
        t->id = id;
        t->serial = serial;
        t->most = trace->count ? trace->count : UINT64_MAX;
        t->payload = trace->payload;
        t->since_ns = endpoint_now_ns();
        buf_init(&t->events, LIMIT_TRACE_BYTES);
        pthread_mutex_lock(&all->lock);
        list_append(&all->all, &t->link);
        all->count++;
        pthread_mutex_unlock(&all->lock);
        c->tracer = t;
    }
    return t;
}

int tracer_serve(struct connection *c, uint64_t id, struct reader *fields)
{
    struct rusm_node *node = c->scheduler->node;
    struct trace trace;
    uint64_t serial;
    int error;

    if (trace_read(fields, &trace) != 0) {
        return RUSM_EMALFORMED;
    }
    if (!c->client) {
        reply_fail(c, id, RUSM_EINVAL, "%s is traced by clients only, not by nodes", node->name);
    } else if (c->tracer) {
        reply_fail(c, id, RUSM_ELIMIT, "this connection traces a process already");
    } else if (node->tracers.count >= LIMIT_TRACERS) {
        reply_fail(c, id, RUSM_ELIMIT, "%s has %d tracers already, the most it may", node->name,
                   LIMIT_TRACERS);
    } else if ((serial = tracer_find(node, &trace.target)) == 0) {
        tracer_refuse(c, id, RUSM_ENOPROC, &trace);
    } else if (!tracer_new(c, id, &trace, serial)) {
        tracer_refuse(c, id, RUSM_ENOMEM, &trace);
    } else if ((error = tracer_begin(node, serial)) != 0) {
        tracer_free(c);
        tracer_refuse(c, id, error, &trace);
    }
    return 0;
}

void tracer_free(struct connection *c)
{
    struct tracers *all = &c->scheduler->node->tracers;
    struct tracer *t = c->tracer;

    if (t) {
        pthread_mutex_lock(&all->lock);
        list_remove(&t->link);
        all->count--;
        pthread_mutex_unlock(&all->lock);
        buf_fini(&t->events);
        free(t);
        c->tracer = NULL;
    }
}

void tracer_cancel(struct connection *c, uint64_t id)
{
    if (c->tracer && c->tracer->id == id) {
        tracer_free(c);
    }
}

/* ---- replies ---- */

/* Moves events into the reply until it is full. */
static void tracer_take(struct tracer *t, struct writer *w)
{
    while (buf_len(&t->events) > 0 && writer_len(w) < TRACER_FULL) {
        uint32_t len;
        memcpy(&len, buf_data(&t->events), sizeof(len));
        writer_bytes(w, buf_data(&t->events) + sizeof(len), len);
        buf_consume(&t->events, sizeof(len) + len);
    }
}

/* Sends one reply. Returns false if there is nothing to send. */
static bool tracer_send(struct tracer *t, bool *done)
{
    struct tracers *all = &t->c->scheduler->node->tracers;
    uint8_t body[TRACER_FULL + TRACER_EVENT + 64];
    struct writer w = writer_on(body, sizeof(body));

    pthread_mutex_lock(&all->lock);
    *done = t->begun && t->over && buf_len(&t->events) == 0;
    reply_write(&w, &(struct reply){ .id = t->id, .flags = *done ? 0 : REPLY_MORE });
    size_t head = writer_len(&w);
    if (t->begun) {
        tracer_take(t, &w);
    } else {
        writer_varint(&w, 0);
    }
    pthread_mutex_unlock(&all->lock);
    must(!w.bad);
    if (!*done && writer_len(&w) == head) {
        return false;
    }
    t->begun = true;
    return peer_send_frame(t->c->peer, FRAME_REPLY, false, body, writer_len(&w)) == 0;
}

void tracer_tick(struct rusm_node *node)
{
    list_each_safe(link, &node->tracers.all) { /* scheduler 0 alone adds and removes tracers */
        struct tracer *t = container_of(link, struct tracer, link);
        bool done = false;
        while (!done && peer_has_room(t->c->peer) && tracer_send(t, &done)) {}
        if (done) {
            tracer_free(t->c);
        }
    }
}
