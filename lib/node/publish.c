/* publish: see the header. */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/runfiles.h"
#include "node/limits.h"
#include "node/member.h"
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
    return rundir_publish(runfiles_rundir(node->runfiles), &entry, why);
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
                 runfiles_path(node->runfiles));
    } else if (found == 0 && !was_well) {
        log_warn(&node->log, "the run folder %s is in order again", runfiles_path(node->runfiles));
    }
    p->said = *why;
}

/* Nodes that started while our files were gone did not see us. So we dial them. */
static void on_scanned(struct runfiles_job *job)
{
    members_near(job->scheduler->node, job->list, job->count);
}

static void on_kept(struct runfiles_job *job)
{
    struct rusm_node *node = job->scheduler->node;
    struct publish *p = &node->publish;
    p->at_ns = node->first->now_ns + LIMIT_PUBLISH_NS;
    p->begun_ns = 0;
    if (p->slow) {
        p->slow = false;
        log_warn(&node->log, "the run folder %s answers again", runfiles_path(node->runfiles));
    }
    if (job->result < 0 && !job->why.text[0]) {
        err_why(&job->why, job->result, "cannot look after the run folder: %s",
                rusm_strerror(job->result));
    }
    say(node, job->result, &job->why);
    if (job->result > 0) {
        (void)runfiles_scan(node->first, on_scanned);
    }
}

/* The folder is being looked at. Says so if that takes long. */
static uint64_t publish_wait(struct rusm_node *node)
{
    struct publish *p = &node->publish;
    uint64_t late_ns = p->begun_ns + LIMIT_FOLDER_SLOW_NS;
    if (!p->slow && node->first->now_ns >= late_ns) {
        p->slow = true;
        log_warn(&node->log,
                 "the run folder %s does not answer: commands and nodes that start may not find "
                 "this node; look at its file system, or set RUSM_RUNDIR to a folder on a disk of "
                 "this machine",
                 runfiles_path(node->runfiles));
    }
    return p->slow ? UINT64_MAX : late_ns;
}

uint64_t publish_tick(struct rusm_node *node)
{
    struct publish *p = &node->publish;
    uint64_t now_ns = node->first->now_ns;
    if (p->begun_ns) {
        return publish_wait(node);
    }
    if (now_ns < p->at_ns) {
        return p->at_ns;
    }
    struct rundir_entry entry = entry_of(node);
    if (runfiles_keep(node->first, &entry, on_kept) != 0) {
        return p->at_ns = now_ns + LIMIT_PUBLISH_NS;
    }
    p->begun_ns = now_ns;
    return now_ns + LIMIT_FOLDER_SLOW_NS;
}
