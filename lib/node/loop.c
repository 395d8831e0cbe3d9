/* loop: see loop.h. All but loop_wake run on the node's thread. */
#include "node/loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "rusm.h"

static void on_readable(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct loop *l = io->data;
    (void)ev, (void)events;
    l->readable = true;
}

/* The others only have to end the wait. */
static void on_writable(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void)ev, (void)io, (void)events;
}

static void on_timer(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void)ev, (void)timer, (void)events;
}

static void on_wake(struct ev_loop *ev, struct ev_io *io, int events)
{
    eventfd_t count;
    (void)ev, (void)events;
    (void)!eventfd_read(io->fd, &count); /* nothing to read is fine too */
}

static void on_watched(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct loop_watch *w = io->data;
    (void)ev, (void)events;
    w->ready(w->user);
}

void loop_watch(struct loop *l, struct loop_watch *w, int fd, void (*ready)(void *user), void *user)
{
    w->ready = ready;
    w->user = user;
    ev_io_init(&w->io, on_watched, fd, EV_READ);
    w->io.data = w;
    ev_io_start(l->ev, &w->io);
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    if (w->ready)
        ev_io_stop(l->ev, &w->io);
    *w = (struct loop_watch){ 0 };
}

int loop_init(struct loop *l, int fd)
{
    l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (!l->ev) {
        return RUSM_EIO;
    }
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd < 0) {
        int cause = errno;
        ev_loop_destroy(l->ev);
        l->ev = NULL;
        errno = cause;
        return RUSM_EIO;
    }
    l->readable = false;
    ev_io_init(&l->reading, on_readable, fd, EV_READ);
    ev_io_init(&l->writing, on_writable, fd, EV_WRITE);
    ev_io_init(&l->waking, on_wake, l->wake_fd, EV_READ);
    ev_timer_init(&l->timer, on_timer, 0., 0.);
    l->reading.data = l;
    ev_io_start(l->ev, &l->reading);
    ev_io_start(l->ev, &l->waking);
    return 0;
}

void loop_fini(struct loop *l)
{
    if (l->ev) {
        ev_loop_destroy(l->ev);
        close(l->wake_fd);
    }
    l->ev = NULL;
}

void loop_wait(struct loop *l, uint64_t now_ns, uint64_t until_ns, bool writable)
{
    bool look = until_ns <= now_ns;
    l->readable = false;
    if (writable)
        ev_io_start(l->ev, &l->writing);
    if (!look && until_ns != UINT64_MAX) {
        ev_now_update(l->ev);
        ev_timer_set(&l->timer, (double)(until_ns - now_ns) / 1e9, 0.);
        ev_timer_start(l->ev, &l->timer);
    }
    ev_run(l->ev, look ? EVRUN_NOWAIT : EVRUN_ONCE);
    ev_timer_stop(l->ev, &l->timer);
    if (writable)
        ev_io_stop(l->ev, &l->writing);
}

void loop_wake(struct loop *l)
{
    (void)!eventfd_write(l->wake_fd, 1); /* EAGAIN: it will wake anyway */
}
