/* signals: SIGINT and SIGTERM make a node leave, the second of them at once. SIGHUP opens the files
 * again that the node writes to. If there are none, the node leaves: its terminal is gone. A thread
 * waits for them: a handler would need a global to find the node. It ends the program itself when
 * the node does not, whatever holds that up: a handler that does not return, a name service, a
 * disk. */
#include "cmd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A node leaves within 2 seconds. With programs that do not end it takes up to 5. */
#define SIGNALS_LEAVE_MS 2500
#define SIGNALS_PROGRAMS_MS 5500
#define SIGNALS_AT_ONCE_MS 250 /* after the second signal */

void signals_block(struct signals *signals)
{
    struct sigaction hup;

    *signals = (struct signals){ 0 };
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGTERM);
    if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN) { /* not under nohup */
        sigaddset(&signals->set, SIGHUP);
    }
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
}

static uint64_t signals_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Ends the program without the node. Says so if somebody reads that. */
static void signals_force(const struct signals *signals, const char *text)
{
    struct pollfd at = { .fd = STDERR_FILENO, .events = POLLOUT };

    if (poll(&at, 1, 0) == 1 && !(failure_is_json() && failure_line(signals->name, text))) {
        dprintf(STDERR_FILENO, "rusm: node: %s\n", text);
    }
    _exit(EXIT_FAILED);
}

static bool signals_programs(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Tells the node to leave, unless it has left already. */
static void signals_stop(struct signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    if (signals->node) {
        rusm_node_stop(signals->node);
    }
    pthread_mutex_unlock(&signals->lock);
}

/* The node was told to leave: it has so long for it. */
static void signals_leave(struct signals *signals)
{
    uint64_t begun_ms = signals_now_ms(), second_ms = 0;

    for (;;) {
        struct timespec wait = { .tv_nsec = 20000000 };
        int number = sigtimedwait(&signals->set, NULL, &wait);
        uint64_t now_ms = signals_now_ms();
        if ((number == SIGINT || number == SIGTERM) && second_ms == 0) {
            second_ms = now_ms;
            signals_stop(signals);
        }
        if (second_ms > 0 && now_ms - second_ms > SIGNALS_AT_ONCE_MS) {
            signals_force(signals, "ended at once, as it was told twice");
        }
        if (now_ms - begun_ms > SIGNALS_PROGRAMS_MS ||
            (now_ms - begun_ms > SIGNALS_LEAVE_MS && !signals_programs())) {
            signals_force(signals, "ended without leaving in order: a process, a disk or a name "
                                   "service holds it up");
        }
    }
}

/* Calls a hook. signals_end must not cancel the thread while it has a lock. */
static void signals_hook(const struct signals *signals, void (*hook)(void *context))
{
    if (hook) {
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
        hook(signals->context);
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    }
}

static bool signals_served(struct signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    bool served = signals->served;
    pthread_mutex_unlock(&signals->lock);
    return served;
}

/* Tells that the files are open again. Must not be cancelled while it holds the lock. */
static void signals_reloaded(struct signals *signals)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_mutex_lock(&signals->lock);
    if (signals->node) {
        notify_ready(signals->node);
    }
    pthread_mutex_unlock(&signals->lock);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
}

static void *signals_wait(void *context)
{
    struct signals *signals = context;

    for (;;) {
        static const struct timespec pause = { .tv_sec = 2 }; /* see sink_write on why static */
        int number = signals->look ? sigtimedwait(&signals->set, NULL, &pause)
                                   : sigwaitinfo(&signals->set, NULL);
        if (number < 0) {
            signals_hook(signals, signals->look);
        } else if (number == SIGHUP && signals->reopen) {
            notify_reloading();
            signals_hook(signals, signals->reopen);
            signals_reloaded(signals);
        } else if (!signals_served(signals)) {
            _exit(128 + number); /* there is no node yet */
        } else {
            signals_stop(signals);
            signals_leave(signals);
        }
    }
    return NULL;
}

int signals_start(struct signals *signals)
{
    pthread_mutex_init(&signals->lock, NULL);
    return pthread_create(&signals->thread, NULL, signals_wait, signals) == 0 ? 0 : RUSM_ENOMEM;
}

void signals_node(struct signals *signals, struct rusm_node *node)
{
    pthread_mutex_lock(&signals->lock);
    signals->node = node;
    if (node) {
        signals->served = true;
        snprintf(signals->name, sizeof(signals->name), "%s", rusm_node_name(node));
    }
    pthread_mutex_unlock(&signals->lock);
}

void signals_end(struct signals *signals)
{
    pthread_cancel(signals->thread);
    pthread_join(signals->thread, NULL);
    pthread_mutex_destroy(&signals->lock);
}
