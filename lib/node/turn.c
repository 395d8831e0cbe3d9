/* turn: the node's turns, from when it is run until it has left. */
#include "base/limits.h"
#include "node/gate.h"
#include "node/gate_tcp.h"
#include "node/node.h"

/* How often idle lanes, stalled grants, late hellos and spare memory are looked at, while there are
 * any. */
#define TICK_NS ((uint64_t)1000000000)

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* Whether someone has something that time changes: else a node at rest sleeps on. */
static bool ticking(const struct rusm_node *node)
{
    return peers_ticking(&node->peers) || node->exit_waits > 0 || blocks_any(&node->pools.blocks);
}

static void tick(struct rusm_node *node)
{
    if (!ticking(node)) {
        node->tick_ns = node->now_ns + TICK_NS;
    } else if (node->now_ns >= node->tick_ns) {
        node->tick_ns = node->now_ns + TICK_NS;
        peers_tick(&node->peers, node->now_ns);
        exits_tick(node);
        blocks_tick(&node->pools.blocks);
    }
}

/* One turn without the wait. Returns true if there is more to do at once. */
static bool turn(struct rusm_node *node, bool look, bool *blocked, uint64_t *next)
{
    bool more = false;
    node->now_ns = endpoint_now_ns();
    if (look)
        more = endpoint_receive(node->endpoint);
    endpoint_tick(node->endpoint, node->now_ns);
    resolver_collect(&node->resolver);
    *next = earlier(earlier(dials_tick(node), liveness_tick(node)), gate_tick(node));
    tick(node);
    if (node->runtime)
        more |= runtime_receive(node->runtime, node->now_ns);
    port_host_look(&node->programs.host);
    peers_turn(&node->peers, node->now_ns);
    if (node->runtime)
        runtime_flush(node->runtime);
    if (node->runtime &&
        (runtime_ready(node->runtime) || runtime_next_ns(node->runtime) <= node->now_ns)) {
        more |= runtime_run(node->runtime, LIMIT_TURN_BUDGET, node->now_ns);
        peers_turn(&node->peers, node->now_ns); /* credit of what was taken goes with this flush */
    }
    more |= port_host_turn(&node->programs.host, node->now_ns);
    feed_turn(node);
    *next = earlier(*next, events_turn(node));
    *next = earlier(*next, gate_tcp_turn(node));
    if (ticking(node))
        *next = earlier(*next, node->tick_ns);
    *blocked = false;
    more |= endpoint_flush(node->endpoint, blocked);
    /* Connections that ended in the flush have messages for those who watched them. */
    if (node->runtime)
        runtime_flush(node->runtime);
    more |= node->runtime && runtime_ready(node->runtime);
    more |= peers_due(&node->peers);
    if (node->runtime)
        *next = earlier(*next, runtime_next_ns(node->runtime));
    *next = earlier(*next, port_host_next_ns(&node->programs.host));
    *next = earlier(*next, endpoint_next_ns(node->endpoint));
    return more;
}

static bool poll_all(void *context, bool first)
{
    const struct rusm_node *node = context;
    return (node->runtime && runtime_called(node->runtime)) || endpoint_poll(node->endpoint, first);
}

/* Turns until `done` says so, or the deadline, or a second stop. */
static void run_until(struct rusm_node *node, bool (*done)(struct rusm_node *node),
                      uint64_t deadline_ns, int stops)
{
    bool more = true, blocked = false;
    uint64_t next;
    while (!done(node) && node->now_ns < deadline_ns && atomic_load(&node->stops) < stops) {
        more = turn(node, more || node->loop.readable, &blocked, &next);
        if (deadline_ns < next)
            next = deadline_ns;
        if (done(node))
            break; /* and not after a wait for nothing */
        if (!more && !blocked)
            more = loop_spin(&node->loop, next, poll_all, node);
        if (more && !blocked) {
            loop_look(&node->loop, node->now_ns);
            continue;
        }
        if (node->runtime && !runtime_sleep(node->runtime))
            next = 0; /* siblings have something: only a look */
        loop_wait(&node->loop, node->now_ns, next, blocked);
    }
}

static bool never(struct rusm_node *node)
{
    (void)node;
    return false;
}

static bool processes_idle(struct rusm_node *node)
{
    return !runtime_ready(node->runtime);
}

/* The processes of the other schedulers have ended, and what they sent has left. */
static bool others_closed(struct rusm_node *node)
{
    return node->others_open == 0 && !runtime_gated(node->runtime);
}

/* Clients are not waited for: one that only holds its connection acknowledges nothing. */
static bool peers_drained(struct rusm_node *node)
{
    list_each(link, &node->connections) {
        struct connection *c = list_entry(link, struct connection, link);
        if (c->peer && !c->client && !peer_drained(c->peer))
            return false;
    }
    return true;
}

static bool none_left(struct rusm_node *node)
{
    return list_empty(&node->connections) && gate_disconnected(node);
}

/* Tells everyone, lets processes finish what they have, stops those that it supervises in their order,
 * ends the others, waits until all that they sent
 * has reached its mailbox, closes. */
static void leave(struct rusm_node *node)
{
    uint64_t deadline = node->now_ns + LIMIT_LEAVE_NS, next;
    bool blocked;
    node->leaving = true;
    log_info(&node->log, "leaving");
    list_each(link, &node->members) {
        struct member *m = list_entry(link, struct member, link);
        if (m->current)
            peer_send_frame(m->current->peer, FRAME_LEAVE, false, NULL, 0);
    }
    gate_leave(node);
    gate_tcp_leave(node);
    turn(node, true, &blocked, &next); /* sends what waits, such as the answer to a stop */
    run_until(node, processes_idle, deadline, 2);
    run_until(node, gate_left, deadline - LIMIT_LEAVE_NS / 2, 2);
    boot_stop(node);
    run_until(node, boot_stopped, deadline, 2);
    schedulers_close(node);
    run_until(node, others_closed, deadline, 2);
    runtime_close(node->runtime);
    run_until(node, programs_ended, node->now_ns + LIMIT_PROGRAM_GRACE_NS + LIMIT_PROGRAM_REAP_NS,
              2);
    schedulers_free(node);
    list_each(link, &node->connections) {
        struct connection *c = list_entry(link, struct connection, link);
        if (c->peer && !c->client)
            peer_finish(c->peer);
    }
    run_until(node, peers_drained, deadline, 2);
    run_until(node, gate_left, deadline,
              2); /* those who waited for a process are told that it is gone */
    list_each(link, &node->connections) {
        struct connection *c = list_entry(link, struct connection, link);
        if (c->peer)
            peer_close(c->peer, CLOSE_NONE, "the node leaves");
        else
            conn_close(c->conn, CLOSE_NONE, "the node leaves");
    }
    gate_disconnect(node);
    run_until(node, none_left, deadline, 2);
}

int rusm_node_run(struct rusm_node *node)
{
    int error = schedulers_start(node);
    if (error)
        return error;
    log_info(&node->log, "ready at %s, incarnation %x", node->address, node->incarnation);
    struct fault *fault = node->name_overflow ? fault_begin(node, &node->runtime) : NULL;
    run_until(node, never, UINT64_MAX, 1);
    leave(node);
    fault_end(fault);
    return 0;
}

void rusm_node_stop(struct rusm_node *node)
{
    atomic_fetch_add(&node->stops, 1);
    loop_wake(&node->loop);
}
