/* neighbour: watching the OS process of a member of our own run folder, so that its sudden death is
 * known at once and not only after the idle timeout. Uses a pidfd: no signal, no polling. */
#include <sys/syscall.h>
#include <unistd.h>

#include "node/node.h"

/* The process is gone, if it is that node's indeed: its lock tells, whatever the pid says (another
 * pid namespace may share the folder). */
static void on_death(void *user)
{
    struct member *m = user;
    struct rusm_node *node = m->node;
    struct rundir_entry e;
    neighbour_forget(node, m);
    bool found = rundir_find(&node->rundir, m->name, &e) == 0;
    if ((found && e.alive && e.incarnation == m->incarnation) || !m->current)
        return;
    log_info(&node->log, "%s: its process is gone", m->name);
    peer_close(m->current->peer, CLOSE_NONE, "your process is gone");
}

void neighbour_watch(struct rusm_node *node, struct member *m)
{
    struct rundir_entry e;
    neighbour_forget(node, m);
    if (rundir_find(&node->rundir, m->name, &e) != 0 || e.incarnation != m->incarnation)
        return;
    m->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)e.os_pid, 0);
    if (m->pidfd >= 0)
        loop_watch(&node->loop, &m->death, m->pidfd, on_death, m);
    /* Without one (no descriptors, an old kernel) the idle timeout tells, later. */
}

void neighbour_forget(struct rusm_node *node, struct member *m)
{
    if (m->pidfd < 0)
        return;
    loop_unwatch(&node->loop, &m->death);
    close(m->pidfd);
    m->pidfd = -1;
}
