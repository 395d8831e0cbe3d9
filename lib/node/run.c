/* run: runs a node until it is stopped, on a thread that waits in the node's loop, or driven by
 * another event loop. rusm.h has the contract. */
#include <errno.h>
#include <string.h>
#include "node/fault.h"
#include "node/runfiles.h"
#include "node/leave.h"
#include "node/node.h"
#include "node/output.h"
#include "node/schedulers.h"
#include "node/tick.h"
#include "node/trouble.h"

static bool never(struct rusm_node *node)
{
    (void)node;
    return false;
}

/* Starts the other schedulers, once. What processes printed may go out now. */
static int start(struct rusm_node *node)
{
    output_hold(node, false);
    int error = node->running ? 0 : runfiles_start(node->runfiles);
    if (error) {
        log_error(&node->log, "no thread for the run folder");
    } else if (!node->running) {
        error = schedulers_start(node);
    }
    node->running = error == 0;
    return error;
}

int rusm_node_settle(struct rusm_node *node, uint32_t timeout_ms, struct rusm_why *why)
{
    struct rusm_why none;
    if (node->driven || node->settled) {
        return RUSM_EINVAL;
    }
    int error = trouble_settled(node) ? 0 : start(node);
    if (error) {
        return error;
    }
    output_hold(node, true);
    tick_until(node, trouble_settled, endpoint_now_ns() + (uint64_t)timeout_ms * 1000000, 1);
    return trouble_at_start(node, why ? why : &none);
}

int rusm_node_run(struct rusm_node *node)
{
    if (node->driven) {
        return RUSM_EINVAL;
    }
    int error = start(node);
    if (error) {
        return error;
    }
    log_info(&node->log, "ready at %s, incarnation %x", node->address, node->incarnation);
    struct fault *fault = node->name_overflow ? fault_begin(node, &node->first->runtime) : NULL;
    tick_until(node, never, UINT64_MAX, 1);
    node_leave(node);
    fault_end(fault);
    return node->failed;
}

/* ---- a node driven by another event loop ---- */

int rusm_node_start(struct rusm_node *node)
{
    if (node->driven || atomic_load(&node->leaving)) {
        return RUSM_EINVAL;
    }
    int error = loop_foreign(&node->first->loop);
    if (error) {
        log_error(&node->log, "cannot make a descriptor for a foreign event loop: %s",
                  strerror(errno));
        return error;
    }
    error = start(node);
    if (error) {
        return error;
    }
    node->driven = true;
    log_info(&node->log, "ready at %s, incarnation %x", node->address, node->incarnation);
    loop_due(&node->first->loop, 0, 0, false); /* the first tick is due at once */
    return node->first->loop.foreign_fd;
}

int rusm_node_tick(struct rusm_node *node)
{
    struct scheduler *s = node->first;
    bool blocked = false;
    uint64_t next = 0;
    if (!node->driven) {
        return RUSM_EINVAL;
    }
    loop_wait(&s->loop, s->now_ns, 0, false); /* only looks */
    if (atomic_load(&node->stops) > 0) {
        node->driven = false;
        node_leave(node);
        return 1;
    }
    if (tick_once(s, true, &blocked, &next) || !runtime_sleep(s->runtime)) {
        next = 0;
    }
    loop_due(&s->loop, s->now_ns, next, blocked);
    return 0;
}
