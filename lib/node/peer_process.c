/* peer_process: watches the OS process of a member of our own run folder. So the node knows of a
 * sudden death at once, and not only after the idle timeout. Uses a pidfd, which needs no signal
 * and no polling. On the thread of the member's scheduler. */
#include <sys/syscall.h>
#include <unistd.h>

#include "node/runfiles.h"
#include "node/peer_process.h"
#include "node/member_lock.h"
#include "node/node.h"

/* Closes the connection of a member whose process is gone, unless the run folder says that the node
 * still lives. The node's lock tells that, whatever the pid means: another pid namespace may share
 * the folder. */
static void on_judged(struct runfiles_job *job)
{
    struct member *m = job->user;
    bool lives = job->result == 0 && job->entry.alive && job->entry.incarnation == job->incarnation;
    if (m->current && m->incarnation == job->incarnation && !lives) {
        log_info(&m->scheduler->node->log, "%s: its process is gone", m->name);
        peer_close(m->current->peer, CLOSE_NONE, "its process is gone");
    }
}

static void on_death(void *user)
{
    struct member *m = user;
    member_lock(m->scheduler->node);
    peer_process_forget(m);
    (void)runfiles_find(m->scheduler, m->name, m->incarnation, on_judged, m);
    member_unlock(m->scheduler->node);
}

static void on_found(struct runfiles_job *job)
{
    struct member *m = job->user;
    const struct rundir_entry *e = &job->entry;
    if (job->result != 0 || !m->current || e->incarnation != m->incarnation) {
        return;
    }
    m->near = true; /* so a dial asks the folder first, should the node be lost */
    peer_process_forget(m);
    m->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)e->os_pid, 0);
    if (m->pidfd >= 0) {
        loop_watch(&m->scheduler->loop, &m->death, m->pidfd, on_death, m);
    }
    /* Without a pidfd (no descriptors, an old kernel) the idle timeout notices the death later. */
}

void peer_process_watch(struct member *m)
{
    peer_process_forget(m);
    (void)runfiles_find(m->scheduler, m->name, m->incarnation, on_found, m);
}

void peer_process_forget(struct member *m)
{
    if (m->pidfd < 0) {
        return;
    }
    loop_unwatch(&m->scheduler->loop, &m->death);
    close(m->pidfd);
    m->pidfd = -1;
}
