/* signals: SIGINT, SIGTERM and SIGHUP make a node leave. The second one makes it leave at once. A
 * thread waits for them, because a handler would need a global to find the node. */
#include "cmd.h"

void signals_block(struct signals *signals)
{
    struct sigaction hup;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGTERM);
    if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN) { /* nohup ignores it */
        sigaddset(&signals->set, SIGHUP);
    }
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
}

static void *signals_wait(void *context)
{
    struct signals *signals = context;
    int number;

    for (;;) {
        if (sigwait(&signals->set, &number) == 0) {
            rusm_node_stop(signals->node);
        }
    }
    return NULL;
}

int signals_start(struct signals *signals, struct rusm_node *node)
{
    signals->node = node;
    return pthread_create(&signals->thread, NULL, signals_wait, signals) == 0 ? 0 : RUSM_ENOMEM;
}

void signals_end(struct signals *signals)
{
    pthread_cancel(signals->thread);
    pthread_join(signals->thread, NULL);
}
