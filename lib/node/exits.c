/* exits: an exit signal to another node travels twice. One copy is a record in the pair's lane,
 * which keeps its place in the order. The other copy goes past the lane on the control stream, for
 * a process that is stuck. A process is stuck when its mailbox is full or a large message waits for
 * its turn, as then nothing in the lane would reach it. A process also counts as stuck when the
 * lane's copy has not come after a second. Both copies have the same ref, and the second one to
 * come is dropped. Called by router.c, connection.c and tick.c. */
#include <stdlib.h>
#include <string.h>

#include "node/limits.h"
#include "node/exits.h"
#include "node/node.h"
#include "node/router.h"

/* A copy whose other copy has not come yet. */
struct exit_wait {
    struct list link; /* in the connection's exits, oldest first */
    uint64_t ref, from, to;
    uint64_t since_ns;
    bool in_lane; /* the lane's copy, which has had its effect */
    char reason[];
};

static struct exit_wait *exits_find(struct connection *c, uint64_t ref)
{
    list_each(link, &c->exits) {
        struct exit_wait *e = container_of(link, struct exit_wait, link);
        if (e->ref == ref) {
            return e;
        }
    }
    return NULL;
}

static void exits_drop(struct connection *c, struct exit_wait *e)
{
    list_remove(&e->link);
    c->exit_count--;
    c->scheduler->exit_waits--;
    free(e);
}

/* Keeps the copy that came first. Returns NULL without memory, or if this ref or a later one was
 * forgotten already. A copy on the control stream does not act then. */
static struct exit_wait *exits_keep(struct connection *c, uint64_t ref, size_t len)
{
    if (ref <= c->exit_floor) {
        return NULL;
    }
    if (c->exit_count >= LIMIT_EXITS) {
        struct exit_wait *oldest = container_of(list_first(&c->exits), struct exit_wait, link);
        if (oldest->ref > c->exit_floor) {
            c->exit_floor = oldest->ref;
        }
        exits_drop(c, oldest);
    }
    struct exit_wait *e = calloc(1, sizeof(*e) + len + 1);
    if (!e) {
        return NULL;
    }
    e->ref = ref;
    e->since_ns = c->scheduler->now_ns;
    list_append(&c->exits, &e->link);
    c->exit_count++;
    c->scheduler->exit_waits++;
    return e;
}

/* Lets a signal act on a process that its lane cannot reach now. If the process traps the signal,
 * nothing happens: the lane's copy becomes the message. */
static void exits_act(struct connection *c, struct exit_wait *e)
{
    struct scheduler *s = c->scheduler;
    struct runtime *rt = s->runtime;
    struct rusm_process *p = runtime_find(rt, e->to);
    rusm_pid from = { .serial = e->from, .node = c->index, .incarnation = c->incarnation };
    if (!p && runtime_whose(rt, e->to) != s->index) {
        struct passing in = {
            .post = { .from = from,
                      .to = { .serial = e->to, .incarnation = s->node->incarnation },
                      .kind = RUSM_EXIT,
                      .data = e->reason,
                      .len = strlen(e->reason) },
            .urgent = true,
        };
        /* Without room or memory for it, the lane's copy acts later. */
        (void)runtime_pass(rt, &in);
        return;
    }
    if (p && !process_traps(p, e->reason, strlen(e->reason))) {
        runtime_exit(rt, e->to, from, e->reason);
    }
}

int exits_frame(struct connection *c, const struct frame *frame)
{
    struct scheduler *s = c->scheduler;
    struct exit_copy copy;
    if (exit_copy_decode(frame->body, frame->len, &copy) != 0) {
        return RUSM_EMALFORMED;
    }
    struct exit_wait *e = exits_find(c, copy.ref);
    if (e) {
        if (e->in_lane) {
            exits_drop(c, e);
        }
        return 0;
    }
    e = exits_keep(c, copy.ref, copy.len);
    if (!e) {
        return 0; /* the lane's copy acts later */
    }
    e->from = copy.from;
    e->to = copy.to;
    if (copy.len) {
        memcpy(e->reason, copy.reason, copy.len);
    }
    rusm_pid from = { .serial = e->from, .node = c->index, .incarnation = c->incarnation };
    if (copy.incarnation == s->node->incarnation && router_stuck(c, from, e->to)) {
        exits_act(c, e);
    }
    return 0;
}

void exits_stuck(struct connection *c, uint64_t from, uint64_t to)
{
    list_each_safe(link, &c->exits) {
        struct exit_wait *e = container_of(link, struct exit_wait, link);
        if (!e->in_lane && e->from == from && e->to == to) {
            exits_act(c, e);
        }
    }
}

void exits_tick(struct scheduler *s)
{
    list_each(at, &s->connections) {
        struct connection *c = container_of(at, struct connection, link);
        list_each_safe(link, &c->exits) {
            struct exit_wait *e = container_of(link, struct exit_wait, link);
            if (!e->in_lane && s->now_ns - e->since_ns >= LIMIT_EXIT_WAIT_NS) {
                exits_act(c, e);
            }
        }
    }
}

void exits_record(struct connection *c, uint64_t ref)
{
    struct exit_wait *e = exits_find(c, ref);
    if (e && !e->in_lane) {
        exits_drop(c, e);
        return;
    }
    if (!e && (e = exits_keep(c, ref, 0))) {
        e->in_lane = true;
    }
}

uint64_t exits_ref(struct connection *c, const struct post *post)
{
    bool normal = post->len == strlen("normal") && memcmp(post->data, "normal", post->len) == 0;
    /* There is only the lane's copy in three cases. A "normal" exit ends nobody. The EXIT frame
     * cannot name its target, only give its serial. And a peer that does not read its control
     * stream would not read this copy either. */
    if (normal || !post->to.serial || !peer_has_room(c->peer)) {
        return 0;
    }
    return ++c->exit_ref;
}

void exits_send(struct connection *c, const struct post *post, uint64_t ref, uint32_t incarnation)
{
    uint8_t body[RUSM_REASON_MAX + 64];
    struct writer w = writer_on(body, sizeof(body));
    exit_copy_write(&w, &(struct exit_copy){ .ref = ref,
                                             .from = post->from.serial,
                                             .to = post->to.serial,
                                             .incarnation = incarnation,
                                             .reason = post->data,
                                             .len = post->len });
    /* If this fails, the lane's copy acts later. */
    if (!w.bad) {
        peer_send_frame(c->peer, FRAME_EXIT, true, body, writer_len(&w));
    }
}

void exits_free(struct connection *c)
{
    list_each_safe(link, &c->exits) {
        exits_drop(c, container_of(link, struct exit_wait, link));
    }
}
