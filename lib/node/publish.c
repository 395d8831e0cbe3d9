/* publish: see the header. */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/limits.h"
#include "node/member.h"
#include "node/member_lock.h"
#include "node/node.h"
#include "node/publish.h"

static struct rundir_entry entry_of(const struct rusm_node *node)
{
    struct rundir_entry entry = { .incarnation = node->incarnation,
                                  .os_pid = getpid(),
                                  .alive = true };
    memcpy(entry.name, node->name, sizeof(node->name));
    memcpy(entry.address, node->address, sizeof(node->address));
    strncpy(entry.fingerprint, identity_fingerprint(node->identity), sizeof(entry.fingerprint) - 1);
    return entry;
}

int publish_first(struct rusm_node *node, struct rusm_why *why)
{
    struct rundir_entry entry = entry_of(node);
    node->publish.at_ns = node->started_ns + LIMIT_PUBLISH_NS;
    return rundir_publish(&node->rundir, &entry, why);
}

/* Says what was found, but not the same thing again and again. */
static void say(struct rusm_node *node, int found, const struct rusm_why *why)
{
    struct publish *p = &node->publish;
    bool was_well = !p->said.text[0];
    if (found < 0 && strcmp(p->said.text, why->text) != 0) {
        log_warn(&node->log, "%s", why->text);
    } else if (found > 0) {
        log_warn(&node->log, "our files in the run folder %s were gone: written again",
                 node->rundir.path);
    } else if (found == 0 && !was_well) {
        log_warn(&node->log, "the run folder %s is in order again", node->rundir.path);
    }
    p->said = *why;
}

uint64_t publish_tick(struct rusm_node *node)
{
    struct publish *p = &node->publish;
    uint64_t now_ns = node->first->now_ns;
    if (now_ns < p->at_ns) {
        return p->at_ns;
    }
    p->at_ns = now_ns + LIMIT_PUBLISH_NS;
    struct rundir_entry entry = entry_of(node);
    struct rusm_why why = { "" };
    int found = rundir_keep(&node->rundir, &entry, &why);
    if (found < 0 && !why.text[0]) {
        err_why(&why, found, "cannot look after the run folder: %s", rusm_strerror(found));
    }
    say(node, found, &why);
    if (found > 0) {
        /* Nodes that started meanwhile did not see us. So we dial them. */
        member_lock(node);
        members_scan(node);
        member_unlock(node);
    }
    return p->at_ns;
}
