/* host: see the header. On the scheduler's thread. */
#include "port/host.h"

#include <stdlib.h>
#include "port/limits.h"
#include "port/program.h"
#include "port/launch.h"

int port_host_init(struct port_host *h, const struct port_hooks *hooks, void *context,
                   struct port_node *node)
{
    *h = (struct port_host){ .hooks = hooks, .context = context, .log = node->log, .node = node };
    list_init(&h->programs);
    list_init(&h->dirty);
    list_init(&h->ending);
    list_init(&h->closed);
    list_init(&h->events);
    guard_init(&h->guard);
    h->stack = malloc(LAUNCH_STACK);
    if (!h->stack) {
        return RUSM_ENOMEM;
    }
    int error = environment_init(&h->guard_env, node->name, NULL);
    return error ? error : environment_init(&h->env, node->name, node->env);
}

void port_host_fini(struct port_host *h)
{
    struct list *l;

    if (!h->hooks) {
        return;
    }
    while ((l = list_first(&h->programs))) {
        program_kill(container_of(l, struct program, link));
    }
    guard_fini(h);
    environment_fini(&h->env);
    environment_fini(&h->guard_env);
    free(h->stack);
    h->hooks = NULL;
}

void port_host_look(struct port_host *h)
{
    struct list *l;

    while ((l = list_first(&h->events))) {
        struct port_event *e = container_of(l, struct port_event, link);
        list_remove(l);
        e->ready(e);
    }
}

/* Breaks the programs that have closed a pipe and do not exit. */
static void host_break(struct port_host *h, uint64_t now_ns)
{
    list_each_safe(link, &h->closed) {
        struct program *p = container_of(link, struct program, closed);
        if (p->closed_ns == 0) {
            p->closed_ns = now_ns + LIMIT_PROGRAM_CLOSED_NS;
        } else if (p->closed_ns <= now_ns) {
            program_break(p);
        }
    }
}

bool port_host_tick(struct port_host *h, uint64_t now_ns)
{
    struct list *l;

    h->now_ns = now_ns;
    while ((l = list_first(&h->dirty))) {
        list_remove(l);
        program_flush(container_of(l, struct program, dirty));
    }
    while ((l = list_first(&h->ending))) {
        struct program *p = container_of(l, struct program, ending);
        if (p->deadline_ns > now_ns) {
            break;
        }
        program_late(p);
    }
    host_break(h, now_ns);
    h->shown = h->counters;
    return !list_empty(&h->events);
}

uint64_t port_host_next_ns(const struct port_host *h)
{
    uint64_t next_ns = UINT64_MAX;

    if (!list_empty(&h->ending)) {
        next_ns = container_of(h->ending.next, struct program, ending)->deadline_ns;
    }
    if (!list_empty(&h->closed)) {
        uint64_t closed_ns = container_of(h->closed.next, struct program, closed)->closed_ns;
        next_ns = closed_ns < next_ns ? closed_ns : next_ns;
    }
    return next_ns;
}

bool port_host_any(const struct port_host *h)
{
    return h->count > 0;
}
