/* lookup: see the header. The owner and the thread share a struct, which the last of them frees. */
#include "local/lookup.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct lookup {
    atomic_uint refs;
    int fd; /* an eventfd: the thread is done */
    bool done;
    char *host_port;
    int count; /* of `found`, or an error */
    struct resolved found[LOOKUP_ADDRESSES];
    struct rusm_why why;
};

static void lookup_leave(struct lookup *l)
{
    if (atomic_fetch_sub(&l->refs, 1) == 1) {
        close(l->fd);
        free(l->host_port);
        free(l);
    }
}

static void lookup_run(struct lookup *l)
{
    uint64_t one = 1;

    l->count = resolve(l->host_port, false, l->found, LOOKUP_ADDRESSES, &l->why);
    (void)!write(l->fd, &one, sizeof(one));
}

static void *lookup_main(void *context)
{
    lookup_run(context);
    lookup_leave(context);
    return NULL;
}

/* Starts the thread. Signals are the program's other threads'. */
static int lookup_start(struct lookup *l)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;

    atomic_fetch_add(&l->refs, 1);
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(&thread, &attributes, lookup_main, l) == 0 ? 0 : RUSM_EIO;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) {
        lookup_leave(l);
    }
    return error;
}

int lookup_new(struct lookup **out, const char *host_port)
{
    struct lookup *l = calloc(1, sizeof(*l));

    if (!l) {
        return RUSM_ENOMEM;
    }
    l->refs = 1;
    l->fd = eventfd(0, EFD_CLOEXEC);
    l->host_port = strdup(host_port);
    if (l->fd < 0 || !l->host_port) {
        lookup_free(l);
        return RUSM_EIO;
    }
    if (resolve_is_literal(host_port)) {
        lookup_run(l);
    } else if (lookup_start(l) != 0) {
        lookup_free(l);
        return RUSM_EIO;
    }
    *out = l;
    return 0;
}

void lookup_free(struct lookup *l)
{
    if (l) {
        lookup_leave(l);
    }
}

int lookup_fd(const struct lookup *l)
{
    return l->fd;
}

bool lookup_done(struct lookup *l)
{
    struct pollfd ready = { .fd = l->fd, .events = POLLIN };
    uint64_t count;

    if (!l->done && poll(&ready, 1, 0) == 1) {
        l->done = read(l->fd, &count, sizeof(count)) == sizeof(count);
    }
    return l->done;
}

int lookup_result(const struct lookup *l, struct resolved out[LOOKUP_ADDRESSES],
                  struct rusm_why *why)
{
    memcpy(out, l->found, sizeof(l->found));
    if (l->count < 0 && why) {
        *why = l->why;
    }
    return l->count;
}
