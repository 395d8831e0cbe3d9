/* forget: see the header. */
#include "node/forget.h"

#include "node/member_lock.h"
#include "node/node.h"

/* How long to wait for a dial under way, to a member whose time has come. */
#define RETRY_NS ((uint64_t)1000000000)

void forget_init(struct rusm_node *node, uint64_t after_ns)
{
    node->forget =
        (struct forgetting){ .after_ns = after_ns, .at_ns = node->started_ns + after_ns };
}

static void forget(struct member *m)
{
    const struct rusm_node *node = m->scheduler->node;
    enum rusm_log_level level = m->trouble_said ? RUSM_LOG_WARN : RUSM_LOG_INFO;
    log_line(&node->log, level,
             "%s is forgotten: it was away for %.0f seconds (--forget); it is known again when it "
             "comes",
             m->name, (double)node->forget.after_ns / 1e9);
    member_forget(m);
}

/* Returns when the member is to be forgotten; UINT64_MAX: not as things are. */
static uint64_t due_ns(const struct member *m, uint64_t after_ns)
{
    return m->joined || m->current || m->forgotten ? UINT64_MAX : m->since_ns + after_ns;
}

uint64_t forget_tick(struct rusm_node *node)
{
    struct forgetting *f = &node->forget;
    uint64_t now_ns = node->first->now_ns;
    if (atomic_load(&node->leaving)) {
        return UINT64_MAX;
    }
    if (now_ns < f->at_ns) {
        return f->at_ns;
    }
    f->at_ns = now_ns + f->after_ns; /* a member that is lost from now on is not due before */
    member_lock(node);
    list_each(link, &node->members) {
        struct member *m = container_of(link, struct member, link);
        uint64_t at_ns = due_ns(m, f->after_ns);
        if (at_ns <= now_ns && !m->dialling && !m->contender) {
            forget(m);
        } else if (at_ns < f->at_ns) {
            f->at_ns = at_ns > now_ns ? at_ns : now_ns + RETRY_NS;
        }
    }
    member_unlock(node);
    return f->at_ns;
}
