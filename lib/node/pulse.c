/* pulse: see the header. A look that comes late shows that the node did not run: it was stopped, or
 * its machine was. A wall clock that has gone farther than the monotonic one was set. */
#include "node/pulse.h"

#include "node/clock.h"
#include "node/limits.h"
#include "node/node.h"

static double seconds(uint64_t ns)
{
    return (double)ns / 1000000000;
}

static void pulse_late(struct rusm_node *node, uint64_t late_ns)
{
    struct scheduler *s = node->first;
    if (!repeat_warn(&s->repeat, s->now_ns, "late",
                     "this node stood still for %.1f s: it was suspended, or got no processor",
                     seconds(late_ns))) {
        log_info(&node->log, "this node stood still for %.1f s", seconds(late_ns));
    }
}

/* How many milliseconds the wall clock was set forward since the last look; less than 0: back. */
static int64_t pulse_step(const struct pulse *p, uint64_t now_ns, uint64_t wall_ms)
{
    return (int64_t)(wall_ms - p->wall_ms) - (int64_t)((now_ns - p->seen_ns) / 1000000);
}

static void pulse_clock(struct rusm_node *node, int64_t step_ms)
{
    struct scheduler *s = node->first;
    const char *where = step_ms < 0 ? "back" : "forward";
    uint64_t step_ns = (uint64_t)(step_ms < 0 ? -step_ms : step_ms) * 1000000;
    if (step_ns < LIMIT_CLOCK_STEP_NS) {
        return;
    }
    if (!repeat_warn(&s->repeat, s->now_ns, where,
                     "the clock was set %s by %.1f s, or the machine slept", where,
                     seconds(step_ns))) {
        log_info(&node->log, "the clock was set %s by %.1f s", where, seconds(step_ns));
    }
}

uint64_t pulse_tick(struct rusm_node *node)
{
    struct pulse *p = &node->pulse;
    uint64_t now_ns = node->first->now_ns;
    if (now_ns < p->at_ns) {
        return p->at_ns;
    }
    uint64_t wall_ms = clock_wall_ms();
    if (p->at_ns > 0) {
        if (now_ns - p->at_ns >= LIMIT_LATE_NS) {
            pulse_late(node, now_ns - p->at_ns);
        }
        pulse_clock(node, pulse_step(p, now_ns, wall_ms));
    }
    *p = (struct pulse){ .at_ns = now_ns + LIMIT_PULSE_NS, .seen_ns = now_ns, .wall_ms = wall_ms };
    return p->at_ns;
}
