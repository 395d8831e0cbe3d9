/* process: see the header. The loop here takes every message from a mailbox into a behaviour. A
 * process never ends inside a behaviour function. One that runs ends when the function returns.
 * Another one waits in the dying list. So no chain of ends grows the stack. */
#include "actor/process.h"

#include <stdlib.h>
#include <string.h>
#include "actor/coroutine_state.h"
#include "actor/process_event.h"
#include "base/must.h"

const struct rusm_args process_no_args = { .count = 0, .value = NULL };

void process_schedule(struct rusm_process *p)
{
    if (p->running || p->reason || list_linked(&p->run)) {
        return;
    }
    if (p->writable || (p->mailbox.head && !p->holding) || (p->co && coroutine_ready(p))) {
        list_append(&p->rt->run, &p->run);
    }
}

void process_wake(struct rusm_process *p)
{
    p->writable = true; /* `busy` stays set: it still waits for room elsewhere */
    process_schedule(p);
}

void process_signal(struct rusm_process *p, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                    int error, const void *data, size_t len)
{
    static const char no_memory[] = "no memory for a signal";
    struct message *m = message_new(p->rt->pool, len);

    if (!m) {
        process_kill(p, no_memory, sizeof(no_memory) - 1);
        return;
    }
    if (len > 0) {
        memcpy(message_room(m), data, len);
    }
    m->pub.kind = kind;
    m->pub.from = from;
    m->pub.ref = ref;
    m->pub.error = error;
    process_push(p, m);
}

/* ---- reasons ---- */

size_t process_reason_cut(const char *reason, size_t len)
{
    if (len <= RUSM_REASON_MAX) {
        return len;
    }
    len = RUSM_REASON_MAX;
    while (len > RUSM_REASON_MAX - 4 && ((unsigned char)reason[len] & 0xc0) == 0x80) {
        len--;
    }
    return len;
}

static void process_set_reason(struct rusm_process *p, const char *reason, size_t len)
{
    static const char *const known[] = { "normal", "killed", "shutdown", "kill", "noconnection" };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i]) == len && memcmp(known[i], reason, len) == 0) {
            p->reason = known[i]; /* the usual end costs no malloc */
            return;
        }
    }
    len = process_reason_cut(reason, len);
    char *copy = malloc(len + 1);
    if (copy) {
        memcpy(copy, reason, len);
        copy[len] = 0;
    }
    p->reason = copy ? copy : "no memory for the reason";
    p->reason_owned = copy != NULL;
}

void process_kill(struct rusm_process *p, const char *reason, size_t len)
{
    if (p->reason) {
        return;
    }
    process_set_reason(p, reason, len);
    if (!p->running) {
        list_remove(&p->run);
        list_append(&p->rt->dying, &p->run);
    }
}

static bool process_reason_is(const char *reason, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(reason, word, len) == 0;
}

bool process_traps(const struct rusm_process *p, const char *reason, size_t len)
{
    return p->trapping && !process_reason_is(reason, len, "kill");
}

void process_exit_signal(struct rusm_process *p, rusm_pid from, const char *reason, size_t len,
                         bool linked)
{
    if (p->reason) {
        return; /* its mailbox may be gone */
    }
    if (!linked && process_reason_is(reason, len, "kill")) {
        process_kill(p, "killed", strlen("killed"));
    } else if (p->trapping) {
        process_signal(p, RUSM_EXIT, from, 0, 0, reason, process_reason_cut(reason, len));
    } else if (!process_reason_is(reason, len, "normal") ||
               (!linked && rusm_pid_eq(from, process_pid(p)))) {
        process_kill(p, reason, len);
    }
}

void process_flush(struct rusm_process *p, uint64_t ref)
{
    struct mailbox *mb = &p->mailbox;
    struct message *before = NULL;

    for (struct message *m = mb->head; m; before = m, m = m->next) {
        if (m->pub.ref == ref && (m->pub.kind == RUSM_DOWN || m->pub.kind == RUSM_NODE_DOWN)) {
            mailbox_remove(mb, before, m);
            message_free(p->rt->pool, m);
            process_took(p);
            return;
        }
    }
}

/* ---- running ---- */

static void process_receive(struct rusm_process *p, const struct rusm_message *message)
{
    struct runtime *rt = p->rt;

    rt->depth++;
    p->receiving = true;
    p->behaviour->receive(p, p->state, message);
    p->receiving = false;
    rt->depth--;
}

/* Handles and frees the mailbox's oldest message, or puts it back if the behaviour holds. */
static void process_take(struct rusm_process *p)
{
    struct message *m = mailbox_pop(&p->mailbox);

    if (m->pub.kind == RUSM_TIMER) {
        p->rt->parts->took_timer(p->rt, m->pub.ref);
    }
    trace_message(p, TRACE_TAKEN, &m->pub);
    process_receive(p, &m->pub);
    if (p->holding && !p->reason) {
        p->holding_head = true;
        mailbox_unpop(&p->mailbox, m);
        return;
    }
    p->received++;
    p->rt->counters.messages_handled++;
    message_free(p->rt->pool, m);
    process_took(p);
}

/* Lets p try again: gives it the message that it holds, or RUSM_WRITABLE. */
static void process_take_writable(struct rusm_process *p)
{
    bool held = p->holding && p->holding_head;

    p->writable = p->holding = p->holding_head = p->unasked = false;
    p->rt->parts->writable_begins(p);
    if (held) {
        process_take(p);
    } else {
        static const struct rusm_message writable = { .kind = RUSM_WRITABLE,
                                                      .data = (const uint8_t *)"" };
        process_receive(p, &writable);
    }
    p->rt->parts->writable_done(p);
}

unsigned process_run(struct rusm_process *p, unsigned limit)
{
    struct runtime *rt = p->rt;
    unsigned done = 0;

    while (done < limit && !p->reason) {
        if (p->writable) {
            process_take_writable(p);
        } else if (p->mailbox.head && !p->holding) {
            process_take(p);
        } else {
            break;
        }
        done++;
        if (!list_empty(&rt->dying)) {
            runtime_reap(rt);
        }
    }
    return done;
}

void process_ran(struct rusm_process *p)
{
    p->running = false;
    if (p->reason) {
        list_append(&p->rt->dying, &p->run);
        runtime_reap(p->rt);
    } else {
        process_schedule(p);
    }
}

/* ---- the end ---- */

void process_end_owned(struct rusm_process *p)
{
    struct list *l;

    while ((l = list_first(&p->owned))) {
        struct owned *owned = container_of(l, struct owned, link);
        owned->end(p, owned);
    }
}

void process_end_mailbox(struct rusm_process *p)
{
    p->rt->counters.mailbox_discarded += mailbox_discard(&p->mailbox, p->rt->pool);
}

void process_remove(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    rusm_pid pid = process_pid(p);

    /* Takes p out of the table first, so that nothing that the hooks do can find p or refill it. */
    process_table_remove(&rt->processes_by_serial, p);
    rt->epoch++;
    list_remove(&p->run);
    process_has(p, PART_MAILBOX);
    /* Undoing a part may create something of a later part, but never of an earlier one. */
    for (unsigned part = 0; part < PARTS; part++) {
        if (p->parts & 1u << part) {
            rt->parts->end[part](p);
        }
    }
    rt->hooks->exited(rt->context, pid, p->reason, p->global);
    if (p->reason_owned) {
        free((void *)p->reason);
    }
    slab_give(&rt->processes, p);
}

static void process_end(struct rusm_process *p)
{
    struct runtime *rt = p->rt;

    if (p->behaviour->stop) {
        p->running = true;
        rt->depth++;
        p->behaviour->stop(p, p->state, p->reason);
        rt->depth--;
    }
    rt->counters.processes_ended++;
    process_event_of(p, PROCESS_ENDED);
    trace_ended(p);
    process_remove(p);
}

void runtime_reap(struct runtime *rt)
{
    struct list *l;

    if (rt->depth > 0 || rt->reaping) {
        return;
    }
    rt->reaping = true;
    while ((l = list_first(&rt->dying))) {
        list_remove(l);
        process_end(container_of(l, struct rusm_process, run));
    }
    rt->reaping = false;
}
