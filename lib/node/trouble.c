/* trouble: see the header. A trouble of a node that --join names is always written. Those of nodes
 * that a peer told us of, and of peers that come and go, share the limits of base/repeat.h. */
#include "node/trouble.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "local/resolve.h"
#include "node/member_lock.h"
#include "node/node.h"

#define TLS_ALERT 0x100u /* QUIC's code of a TLS alert is this and the alert */
#define ALERT_EXPIRED 45u

static enum trouble kind_of_close(uint64_t code, bool local)
{
    switch (code) {
    case CLOSE_NONE: return local ? TROUBLE_NONE : TROUBLE_AWAY; /* it leaves */
    case CLOSE_TIMEOUT: return TROUBLE_AWAY;
    case CLOSE_NAME_TAKEN: return local ? TROUBLE_NONE : TROUBLE_TAKEN;
    case CLOSE_WRONG_NODE: return local ? TROUBLE_NONE : TROUBLE_STRANGER; /* hello.c says it */
    case CLOSE_DUPLICATE:
    case CLOSE_SELF:
    case CLOSE_REPLACED:
    case CLOSE_WRONG_SHARE: return TROUBLE_NONE; /* another connection serves the two */
    default: return TROUBLE_OTHER;
    }
}

enum trouble trouble_kind(const struct conn_end *end)
{
    switch (end->kind) {
    case CONN_END_IDLE:
    case CONN_END_TIMEOUT:
    case CONN_END_RESET:
    case CONN_END_UNREACHABLE: return TROUBLE_AWAY;
    case CONN_END_REFUSED: return TROUBLE_REFUSED;
    case CONN_END_ERROR: return TROUBLE_OTHER;
    case CONN_END_LOCAL:
    case CONN_END_PEER: break;
    }
    return kind_of_close(end->code, end->kind == CONN_END_LOCAL);
}

void trouble_explain(char *out, size_t cap, const struct rusm_node *node, const char *who,
                     enum trouble what, const struct connection *c, const struct conn_end *end)
{
    switch (what) {
    case TROUBLE_AWAY:
        if (resolve_reach(node->address) == RESOLVE_HOST &&
            resolve_reach(c->address) != RESOLVE_HOST) {
            snprintf(out, cap,
                     "%s; this node listens on %s, from where other machines cannot be reached: "
                     "give --listen ADDR:PORT with an address of this machine, or 0.0.0.0",
                     end->text, node->address);
            return;
        }
        snprintf(out, cap,
                 "%s; this node tries again: does %s run there, and does UDP get through?",
                 end->text, who);
        return;
    case TROUBLE_REFUSED:
        snprintf(out, cap, "refused: %s%s", end->text,
                 end->code == TLS_ALERT + ALERT_EXPIRED
                     ? ""
                     : "; give both the same identity file, as rusm-cert(1) says");
        return;
    case TROUBLE_TAKEN:
        snprintf(out, cap,
                 "refused: a live node of the cluster has the name %s already; stop that one, or "
                 "start this one with another --name",
                 node->name);
        return;
    default: snprintf(out, cap, "%s; this node tries again", end->text);
    }
}

/* Writes a trouble, unless the last one was of this kind. */
static void say(struct member *m, enum trouble what, const char *address, const char *text)
{
    struct scheduler *s = m->scheduler;
    const char *verb = m->joined ? "join" : "connect to";
    char key[96];
    if (what == m->trouble) {
        return;
    }
    m->trouble = (uint8_t)what;
    if (m->joined) {
        log_warn(&s->node->log, "cannot %s %s at %s: %s", verb, m->name, address, text);
        m->trouble_said = true;
        return;
    }
    snprintf(key, sizeof(key), "dial %d %s", (int)what, m->name);
    m->trouble_said |= repeat_warn(&s->repeat, s->now_ns, key, "cannot %s %s at %s: %s", verb,
                                   m->name, address, text);
}

/* Returns whether the user wants the node to be joined. */
static bool is_sought(const struct member *m)
{
    return m->joined || m->near || m->found;
}

/* Scheduler 0 may wait for the verdict of trouble_settled. */
static void wake_start(const struct scheduler *s)
{
    if (!s->node->settled && s->index > 0) {
        loop_wake(&s->node->first->loop);
    }
}

/* Keeps the first text for trouble_at_start. A refused name is more than all others. */
static void keep(struct member *m, enum trouble what, const char *address, const char *text)
{
    struct rusm_node *node = m->scheduler->node;
    bool taken = what == TROUBLE_TAKEN;
    if (!is_sought(m) || node->settled || node->name_refused) {
        return;
    }
    m->tried = true;
    if (taken || !node->start_trouble[0]) {
        snprintf(node->start_trouble, sizeof(node->start_trouble), "cannot join %s at %s: %s",
                 m->name, address, text);
    }
    node->name_refused = taken;
    wake_start(m->scheduler);
}

void trouble_dialled(struct member *m, const struct connection *c, const struct conn_end *end,
                     bool more)
{
    enum trouble what = trouble_kind(end);
    char text[400];
    if (what == TROUBLE_NONE || (what == TROUBLE_AWAY && more)) {
        return;
    }
    trouble_explain(text, sizeof(text), m->scheduler->node, m->name, what, c, end);
    say(m, what, c->address, text);
    keep(m, what, c->address, text);
}

void trouble_say(struct member *m, enum trouble what, const char *text)
{
    say(m, what, m->address, text);
    keep(m, what, m->address, text);
}

/* Says why a member is lost, and `what` follows from it. */
static void say_lost(struct member *m, const struct connection *c, const char *text,
                     const char *what)
{
    struct scheduler *s = m->scheduler;
    char key[96];
    snprintf(key, sizeof(key), "lost %s", m->name);
    m->trouble = TROUBLE_AWAY;
    if (repeat_warn(&s->repeat, s->now_ns, key, "%s disconnected: %s (%s)%s", m->name, text,
                    c->address, what)) {
        m->trouble_said = true;
    } else {
        log_info(&s->node->log, "%s disconnected: %s (%s)", m->name, text, c->address);
    }
}

void trouble_lost(struct member *m, const struct connection *c, const struct conn_end *end)
{
    if (trouble_kind(end) == TROUBLE_TAKEN) { /* it was ready here before the peer had decided */
        trouble_dialled(m, c, end, false);
    } else {
        say_lost(m, c, end->text, "; this node dials it again");
    }
}

void trouble_replaced(struct member *m, const struct connection *c, const char *text)
{
    say_lost(m, c, text, "");
}

void trouble_left(struct member *m)
{
    m->trouble = TROUBLE_AWAY;
    m->trouble_said = false;
}

bool trouble_over(struct member *m)
{
    bool said = m->trouble_said;
    m->trouble = TROUBLE_NONE;
    m->trouble_said = false;
    wake_start(m->scheduler);
    return said;
}

/* ---- for a node that starts ---- */

static bool is_taken_in(const struct member *m)
{
    return m->current && m->current->confirmed;
}

/* Returns whether a member may still take this node in. */
static bool is_pending(const struct member *m)
{
    return is_sought(m) && m->wanted && !m->tried;
}

bool trouble_settled(struct rusm_node *node)
{
    member_lock(node);
    bool pending = node->seeds_untried > 0, connected = false;
    list_each(link, &node->members) {
        const struct member *m = container_of(link, struct member, link);
        connected = connected || is_taken_in(m);
        pending = pending || is_pending(m);
    }
    bool settled = node->name_refused || connected || !pending;
    member_unlock(node);
    return settled;
}

int trouble_at_start(struct rusm_node *node, struct rusm_why *why)
{
    bool connected = false;
    member_lock(node);
    list_each(link, &node->members) {
        connected = connected || is_taken_in(container_of(link, struct member, link));
    }
    node->settled = true;
    why->text[0] = '\0';
    if (node->name_refused || !connected) {
        snprintf(why->text, sizeof(why->text), "%s", node->start_trouble);
    }
    member_unlock(node);
    return node->name_refused ? RUSM_EEXIST : 0;
}
