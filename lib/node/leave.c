/* leave: how a node ends: first its processes, then what they sent, then the connections. Scheduler
 * 0 begins each stage. Each scheduler does the stage for its own connections. Scheduler 0 checks
 * between two of their ticks whether it is done. */
#include "base/container_of.h"
#include "node/limits.h"
#include "port/limits.h"
#include "node/boot.h"
#include "node/http.h"
#include "node/http_tcp.h"
#include "node/leave.h"
#include "node/node.h"
#include "node/programs.h"
#include "node/tick.h"

static void say_leave(struct connection *c)
{
    if (c->ready_ns && c->member) {
        peer_send_frame(c->peer, FRAME_LEAVE, false, NULL, 0);
    }
}

static void finish(struct connection *c)
{
    if (c->peer && !c->client) {
        peer_finish(c->peer);
    }
}

/* Returns whether all that we sent on the connection's lanes has reached its mailbox or fate. The
 * node does not wait for clients: one that only holds its connection acknowledges nothing. */
static bool is_drained(const struct connection *c)
{
    return !c->peer || c->client || peer_drained(c->peer);
}

static void hang_up(struct connection *c)
{
    if (c->peer) {
        peer_close(c->peer, CLOSE_NONE, "the node leaves");
    } else {
        conn_close(c->conn, CLOSE_NONE, "the node leaves");
    }
}

/* What a leaving node does with its connections, one stage after the other. Each scheduler does a
 * stage in its next tick, however long a handler delays that tick. */
enum stage { SAY_LEAVE, FINISH, HANG_UP };

static void (*const stage_work[])(struct connection *c) = {
    [SAY_LEAVE] = say_leave,
    [FINISH] = finish,
    [HANG_UP] = hang_up,
};

void leave_tick(struct scheduler *s)
{
    unsigned stages = atomic_load_explicit(&s->node->leave_stages, memory_order_relaxed);
    while (s->leave_stages < stages) {
        void (*work)(struct connection * c) = stage_work[s->leave_stages++];
        list_each(link, &s->connections) {
            work(container_of(link, struct connection, link));
        }
    }
    /* A peer may still ask for something while we leave. The lanes opened for the answers must end
     * too. */
    if (s->leave_stages == FINISH + 1) {
        list_each(link, &s->connections) {
            finish(container_of(link, struct connection, link));
        }
    }
}

static void begin(struct rusm_node *node, enum stage stage)
{
    atomic_store(&node->leave_stages, stage + 1);
    leave_tick(node->first);
    for (unsigned i = 1; i < node->scheduler_count; i++) {
        loop_wake(&node->schedulers[i].loop);
    }
}

/* Returns whether `is` holds for all connections and each scheduler has done all stages that have
 * begun. */
static bool all_connections(struct rusm_node *node, bool (*is)(const struct connection *c))
{
    unsigned stages = atomic_load(&node->leave_stages);
    bool all = true;
    for (unsigned i = 0; all && i < node->scheduler_count; i++) {
        struct scheduler *s = &node->schedulers[i];
        if (!scheduler_enter(node, i)) {
            return false;
        }
        all = s->leave_stages == stages;
        list_each(link, &s->connections) {
            all = all && is(container_of(link, struct connection, link));
        }
        scheduler_leave(node, i);
    }
    return all;
}

static bool is_none(const struct connection *c)
{
    (void)c;
    return false;
}

/* ---- the processes of the other schedulers ---- */

static void leave_close_run(struct task *task, struct runtime *there)
{
    struct scheduler *s = container_of(task, struct scheduler, close);
    uint64_t now_ns = endpoint_now_ns(), end_ns = now_ns + LIMIT_LEAVE_NS / 4;
    while (runtime_ready(there) && now_ns < end_ns) {
        runtime_run(there, LIMIT_TICK_BUDGET, now_ns);
        now_ns = endpoint_now_ns();
    }
    runtime_close(there);
    s->closed = true;
}

static void leave_close_done(struct task *task, struct runtime *here)
{
    struct scheduler *s = container_of(task, struct scheduler, close);
    (void)here;
    s->node->others_open--;
}

/* Has each other scheduler end its processes, after they have done what they can do at once. */
static void leave_close_others(struct rusm_node *node)
{
    for (unsigned i = 1; i < node->scheduler_count; i++) {
        struct task *close = &node->schedulers[i].close;
        *close = (struct task){ .run = leave_close_run, .done = leave_close_done };
        /* Without memory for the task, the processes end after the scheduler's thread has. */
        if (runtime_task(node->first->runtime, i, close) != 0) {
            node->others_open--;
        }
    }
}

/* ---- what a leaving node waits for ---- */

static bool processes_idle(struct rusm_node *node)
{
    return !runtime_ready(node->first->runtime);
}

/* Returns whether the processes of the other schedulers have ended. */
static bool others_closed(struct rusm_node *node)
{
    return node->others_open == 0;
}

/* Returns whether no message is between schedulers: what processes sent over another scheduler's
 * connections is on the lanes. */
static bool passed(struct rusm_node *node)
{
    bool passing = false;
    for (unsigned i = 0; !passing && i < node->scheduler_count; i++) {
        if (!scheduler_enter(node, i)) {
            return false;
        }
        passing = runtime_passing(node->schedulers[i].runtime);
        scheduler_leave(node, i);
    }
    return !passing;
}

static bool drained(struct rusm_node *node)
{
    return all_connections(node, is_drained);
}

static bool none_left(struct rusm_node *node)
{
    return http_disconnected(node) && all_connections(node, is_none);
}

void node_leave(struct rusm_node *node)
{
    bool blocked;
    uint64_t next;
    uint64_t deadline = node->first->now_ns + LIMIT_LEAVE_NS;
    atomic_store(&node->leaving, true);
    log_info(&node->log, "leaving");
    life_leave(node);
    begin(node, SAY_LEAVE);
    http_leave(node);
    http_tcp_leave(node);
    (void)tick_once(node->first, true, &blocked,
                    &next); /* sends what waits, such as the answer to a stop */
    tick_until(node, processes_idle, deadline, 2);
    tick_until(node, http_left, deadline - LIMIT_LEAVE_NS / 2, 2);
    boot_stop(node);
    tick_until(node, boot_stopped, deadline, 2);
    leave_close_others(node);
    tick_until(node, others_closed, deadline, 2);
    runtime_close(node->first->runtime);
    node->first->closed = true;
    tick_until(node, passed, deadline, 2);
    tick_until(node, programs_ended,
               node->first->now_ns + LIMIT_PROGRAM_GRACE_NS + LIMIT_PROGRAM_REAP_NS, 2);
    begin(node, FINISH);
    tick_until(node, drained, deadline, 2);
    /* Clients that waited for a process get an answer: it is gone. */
    tick_until(node, http_left, deadline, 2);
    begin(node, HANG_UP);
    http_disconnect(node);
    tick_until(node, none_left, deadline, 2);
}
