/* tick: the ticks of each scheduler, on its thread: what it does in which order, and when it
 * waits. */
#include <sched.h>

#include "node/limits.h"
#include "node/dial.h"
#include "node/exits.h"
#include "node/fault.h"
#include "node/feed.h"
#include "node/follower.h"
#include "node/forget.h"
#include "node/http.h"
#include "node/http_tcp.h"
#include "node/leave.h"
#include "node/life.h"
#include "node/liveness.h"
#include "node/node.h"
#include "node/post.h"
#include "node/publish.h"
#include "node/runfiles.h"
#include "node/pulse.h"
#include "node/seeds.h"
#include "node/tick.h"

/* How often the node looks at idle lanes, stalled grants, late hellos, exit signals and spare
 * memory, while there are any. */
#define TICK_NS ((uint64_t)1000000000)

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* Returns whether there is something that changes with time. If there is not, a node at rest sleeps
 * on. */
static bool ticking(const struct scheduler *s)
{
    return peers_ticking(&s->peers) || s->exit_waits > 0 || blocks_any(&s->pools.blocks);
}

static void tick(struct scheduler *s)
{
    if (!ticking(s)) {
        s->tick_ns = s->now_ns + TICK_NS;
    } else if (s->now_ns >= s->tick_ns) {
        s->tick_ns = s->now_ns + TICK_NS;
        peers_tick(&s->peers, s->now_ns);
        exits_tick(s);
        blocks_tick(&s->pools.blocks);
    }
}

/* Scheduler 0 alone has HTTP and the observers. */
static uint64_t tick_http(struct scheduler *s)
{
    return s->index == 0 ? http_tick(s->node) : UINT64_MAX;
}

static uint64_t tick_observers(struct scheduler *s)
{
    if (s->index > 0) {
        return UINT64_MAX;
    }
    uint64_t next = events_deliver(s->node);
    follower_tick(s->node);
    tracer_tick(s->node);
    http_tick(s->node); /* answers in this tick what is due */
    next = earlier(next, http_tcp_tick(s->node));
    return earlier(next, http_tick(s->node)); /* for what has begun in this tick too */
}

/* Throws away what came while the scheduler stood still for longer than the idle timeout. The
 * connections that it is for are lost. A dial among it would take the time in the socket for the
 * way to here, and its node would send what gets lost again only after three times as long. */
static void tick_stale(struct scheduler *s)
{
    uint64_t late_ns = s->due_ns > 0 && s->due_ns < s->now_ns ? s->now_ns - s->due_ns : 0;
    if (late_ns >= s->node->idle_timeout_ns && late_ns >= LIMIT_STALE_NS) {
        endpoint_discard(s->endpoint);
    }
}

bool tick_once(struct scheduler *s, bool look, bool *blocked, uint64_t *next)
{
    struct runtime *rt = s->runtime;
    bool more = false;
    s->now_ns = endpoint_now_ns();
    tick_stale(s);
    if (look) {
        more = endpoint_receive(s->endpoint);
    }
    endpoint_tick(s->endpoint, s->now_ns);
    runfiles_collect(s);
    dials_tick(s);
    *next = earlier(liveness_tick(s), tick_http(s));
    *next = earlier(*next, seeds_tick(s));
    *next = earlier(*next, repeat_tick(&s->repeat, s->now_ns));
    *next = earlier(*next, life_tick(s));
    tick(s);
    leave_tick(s);
    if (s->index == 0) {
        post_tick(s->node);
        *next = earlier(*next, publish_tick(s->node));
        *next = earlier(*next, forget_tick(s->node));
        *next = earlier(*next, pulse_tick(s->node));
    }
    more |= runtime_receive(rt, s->now_ns);
    port_host_look(&s->programs.host);
    peers_run(&s->peers, s->now_ns);
    runtime_flush(rt);
    if (runtime_ready(rt) || runtime_next_ns(rt) <= s->now_ns) {
        more |= runtime_run(rt, LIMIT_TICK_BUDGET, s->now_ns);
        peers_run(&s->peers, s->now_ns); /* the credit of taken messages goes with this flush */
    }
    more |= port_host_tick(&s->programs.host, s->now_ns);
    feed_tick(s);
    *next = earlier(*next, tick_observers(s));
    if (ticking(s)) {
        *next = earlier(*next, s->tick_ns);
    }
    *blocked = false;
    more |= endpoint_flush(s->endpoint, blocked);
    /* Connections that ended in the flush have messages for the processes that watched them. */
    runtime_flush(rt);
    more |= runtime_ready(rt);
    more |= peers_due(&s->peers) || feed_due(s);
    *next = earlier(*next, dials_next_ns(s));
    *next = earlier(*next, runtime_next_ns(rt));
    *next = earlier(*next, port_host_next_ns(&s->programs.host));
    *next = earlier(*next, endpoint_next_ns(s->endpoint));
    s->due_ns = more ? s->now_ns : *next;
    return more;
}

static bool poll_all(void *context, bool first)
{
    const struct scheduler *s = context;
    return runtime_called(s->runtime) || endpoint_poll(s->endpoint, first);
}

/* Waits between two ticks. `more`: there is something to do, so it only looks. */
static void pause_until(struct scheduler *s, bool *more, bool blocked, uint64_t next)
{
    if (!*more && !blocked) {
        *more = loop_spin(&s->loop, next, poll_all, s);
    }
    if (*more && !blocked) {
        loop_look(&s->loop, s->now_ns);
        return;
    }
    if (!runtime_sleep(s->runtime)) {
        next = 0; /* other schedulers have sent something: only a look */
    }
    loop_wait(&s->loop, s->now_ns, next, blocked);
}

/* ---- scheduler 0 ---- */

void tick_until(struct rusm_node *node, bool (*done)(struct rusm_node *node), uint64_t deadline_ns,
                int stops)
{
    struct scheduler *s = node->first;
    bool more = true, blocked = false;
    uint64_t next;
    while (!done(node) && s->now_ns < deadline_ns && atomic_load(&node->stops) < stops) {
        more = tick_once(s, more || s->loop.readable, &blocked, &next);
        if (done(node)) {
            break; /* does not wait for nothing */
        }
        pause_until(s, &more, blocked, earlier(next, deadline_ns));
    }
}

/* ---- the other schedulers ---- */

/* Does a tick under the scheduler's lock. While the node leaves, it wakes scheduler 0, which waits
 * for what the tick did. */
static bool tick_locked(struct scheduler *s, bool look, bool *blocked, uint64_t *next)
{
    while (atomic_load_explicit(&s->wanted, memory_order_relaxed)) {
        sched_yield();
    }
    pthread_mutex_lock(&s->ticking);
    bool more = tick_once(s, look, blocked, next);
    pthread_mutex_unlock(&s->ticking);
    if (atomic_load_explicit(&s->node->leaving, memory_order_relaxed)) {
        loop_wake(&s->node->first->loop);
    }
    return more;
}

void *tick_main(void *scheduler)
{
    struct scheduler *s = scheduler;
    struct fault *fault = s->node->name_overflow ? fault_begin(s->node, &s->runtime) : NULL;
    bool more = true, blocked = false;
    uint64_t next;
    while (!atomic_load(&s->over)) {
        more = tick_locked(s, more || s->loop.readable, &blocked, &next);
        pause_until(s, &more, blocked, next);
    }
    /* A node that was stopped twice does not wait for its stages. It hangs up all the same. */
    leave_tick(s);
    endpoint_flush(s->endpoint, &blocked);
    fault_end(fault);
    return NULL;
}
