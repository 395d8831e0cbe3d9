/* deliver: what a message from elsewhere does to its process. Declared in runtime.h. Called by the
 * router, by lib/sched and by the node, on the runtime's thread, never from a behaviour. */
#include "actor/call.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "actor/runtime.h"
#include "actor/limits.h"
#include "base/must.h"

static bool deliver_has_room(const struct rusm_process *p, const struct arrival *a, bool trapped)
{
    if (a->kind == RUSM_SEND || a->kind == RUSM_CALL || trapped) {
        return process_has_room(p, a->len);
    }
    return a->kind != RUSM_REPLY || p->mailbox.count < LIMIT_MAILBOX_REPLIES;
}

enum admission process_admit(struct rusm_process *p, const struct arrival *a, struct waiter *w)
{
    bool trapped = a->kind == RUSM_EXIT && process_traps(p, a->data, a->len);

    if (trapped && a->urgent) {
        return ADMIT_DROP;
    }
    if (deliver_has_room(p, a, trapped)) {
        return ADMIT_TAKE;
    }
    if (a->unordered) {
        return ADMIT_REFUSE;
    }
    if (w) {
        p->rt->counters.messages_held++;
        w->from = a->from;
        process_wait_for(p, w, a->len);
    }
    return ADMIT_HOLD;
}

/* Lets an exit signal that p does not trap take effect, and frees m. Returns whether it did. If
 * not, m is a RUSM_EXIT for p's mailbox. */
static bool deliver_exit(struct rusm_process *p, struct message *m)
{
    const char *reason = (const char *)m->pub.data;
    bool linked = m->pub.kind == MESSAGE_LINK_EXIT;

    m->pub.kind = RUSM_EXIT;
    m->pub.ref = 0;
    if (p->trapping && (linked || process_traps(p, reason, m->pub.len))) {
        return false;
    }
    /* runtime_exit would end p here, but the caller may still use p in this tick. */
    process_exit_signal(p, m->pub.from, reason, m->pub.len, linked);
    message_free(p->rt->pool, m);
    return true;
}

void process_deliver(struct rusm_process *p, struct message *m)
{
    struct runtime *rt = p->rt;

    switch ((int)m->pub.kind) {
    case RUSM_SEND: must(mailbox_has_room(&p->mailbox, &rt->limits, m->pub.len)); break;
    case RUSM_CALL:
        must(mailbox_has_room(&p->mailbox, &rt->limits, m->pub.len));
        if (m->pub.from.serial) {
            /* If there is no room for the monitor, only the caller's timeout tells it of p's
             * end. */
            (void)process_monitor(p, m->pub.from, m->pub.ref);
        }
        break;
    case RUSM_REPLY:
        if (!call_answered(p, m->pub.ref)) {
            message_free(rt->pool, m);
            return;
        }
        break;
    case RUSM_DOWN:
        if (call_down(p, m->pub.ref, m->pub.from.node, (const char *)m->pub.data, m->pub.len) ||
            !monitor_told(p, m->pub.ref, m->pub.from.node)) {
            message_free(rt->pool, m);
            return;
        }
        break;
    case MESSAGE_LINK_EXIT:
        if (!link_told(p, m->pub.from)) {
            message_free(rt->pool, m);
            return;
        }
        /* fallthrough */
    case RUSM_EXIT:
        if (deliver_exit(p, m)) {
            return;
        }
        break;
    default: break;
    }
    process_push(p, m);
}
