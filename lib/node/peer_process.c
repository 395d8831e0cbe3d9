/* peer_process: watches the OS process of a member of our own run folder. So the node knows of a
 * sudden death at once, and not only after the idle timeout. Uses a pidfd, which needs no signal
 * and no polling. On the thread of the member's scheduler. */
#include <sys/syscall.h>
#include <unistd.h>

#include "node/peer_process.h"
#include "node/member_lock.h"
#include "node/node.h"

/* The process is gone. Closes the connection, unless the run folder says that the node still lives.
 * The node's lock tells that, whatever the pid means: another pid namespace may share the
 * folder. */
static void on_death(void *user)
{
    struct member *m = user;
    struct rusm_node *node = m->scheduler->node;
    struct rundir_entry e;
    member_lock(node);
    peer_process_forget(m);
    bool found = rundir_find(&node->rundir, m->name, &e) == 0;
    if (m->current && !(found && e.alive && e.incarnation == m->incarnation)) {
        log_info(&node->log, "%s: its process is gone", m->name);
        peer_close(m->current->peer, CLOSE_NONE, "its process is gone");
    }
    member_unlock(node);
}

void peer_process_watch(struct member *m)
{
    struct rundir_entry e;
    peer_process_forget(m);
    if (rundir_find(&m->scheduler->node->rundir, m->name, &e) != 0 ||
        e.incarnation != m->incarnation) {
        return;
    }
    m->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)e.os_pid, 0);
    if (m->pidfd >= 0) {
        loop_watch(&m->scheduler->loop, &m->death, m->pidfd, on_death, m);
    }
    /* Without a pidfd (no descriptors, an old kernel) the idle timeout notices the death later. */
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
