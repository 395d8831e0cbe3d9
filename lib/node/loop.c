/* loop: see loop.h. All but loop_wake run on the scheduler's thread. */
#include "node/loop.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "quic/endpoint.h"

/* How often the loop looks at the descriptors other than the socket while there is always something
 * to do. */
#define LOOK_NS ((uint64_t)1000000)

/* After SPIN_MISSES spins in a row that found nothing, the next SPIN_SKIP waits begin without a
 * spin. Where messages are rare, a spin costs CPU time and gains nothing. */
#define SPIN_MISSES 16
#define SPIN_SKIP 8

/* How often a spin looks for messages before it yields the core, as a yield takes longer than a
 * look. While others use the core, a spin looks only once between two yields. */
#define SPIN_LOOKS 4

/* If a yield takes longer than SPIN_LENT_NS, someone else used the core. After SPIN_LENT_MAX such
 * yields in one spin, the loop sleeps and leaves the core to them: a sleeping thread no longer
 * disturbs their round trips. */
#define SPIN_LENT_NS ((uint64_t)3000)
#define SPIN_LENT_MAX 4

/* If a yield takes longer than SPIN_OUSTED_NS, someone who computes wants the core. Threads that
 * sleep are then served before threads that spin. So the loop does not spin for a pause, which
 * doubles each time from SPIN_PAUSE_MIN_NS to SPIN_PAUSE_MAX_NS. */
#define SPIN_OUSTED_NS ((uint64_t)1500000)
#define SPIN_PAUSE_MIN_NS ((uint64_t)5000000)
#define SPIN_PAUSE_MAX_NS ((uint64_t)1600000000)

static void on_readable(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct loop *l = io->data;
    (void)ev, (void)events;
    l->readable = true;
}

/* The other watchers only have to end the wait. */
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
    (void)!eventfd_read(io->fd, &count); /* an empty eventfd is fine too */
}

/* ---- for another event loop: an epoll instance of our own, as libev does not show its own ---- */

static uint32_t foreign_events(const struct loop_watch *w)
{
    return w->io.events & EV_WRITE ? EPOLLOUT : EPOLLIN;
}

/* Returns the events that the active watches of a descriptor want. */
static uint32_t foreign_rest(const struct loop *l, int fd)
{
    uint32_t events = 0;
    list_each(at, &l->watches) {
        const struct loop_watch *w = container_of(at, struct loop_watch, active);
        events |= w->io.fd == fd ? foreign_events(w) : 0;
    }
    return events;
}

static void foreign_add(struct loop *l, const struct loop_watch *w)
{
    struct epoll_event e = { .events = foreign_events(w), .data.fd = w->io.fd };
    if (l->foreign_fd < 0) {
        return;
    }
    if (epoll_ctl(l->foreign_fd, EPOLL_CTL_ADD, w->io.fd, &e) != 0 && errno == EEXIST) {
        l->foreign_shared = true;
        e.events = foreign_rest(l, w->io.fd);
        (void)epoll_ctl(l->foreign_fd, EPOLL_CTL_MOD, w->io.fd, &e);
    }
}

static void foreign_remove(struct loop *l, int fd)
{
    struct epoll_event e = { .data.fd = fd };
    if (l->foreign_fd < 0) {
        return;
    }
    e.events = l->foreign_shared ? foreign_rest(l, fd) : 0;
    (void)epoll_ctl(l->foreign_fd, e.events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, fd, &e);
}

static void watch_start(struct loop *l, struct loop_watch *w)
{
    if (!w->active.next) {
        list_init(&w->active);
    }
    if (!list_linked(&w->active)) {
        list_append(&l->watches, &w->active);
        ev_io_start(l->ev, &w->io);
        foreign_add(l, w);
    }
}

static void watch_stop(struct loop *l, struct loop_watch *w)
{
    if (w->active.next && list_linked(&w->active)) {
        list_remove(&w->active);
        ev_io_stop(l->ev, &w->io);
        foreign_remove(l, w->io.fd);
    }
}

static void on_watched(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct loop_watch *w = io->data;
    (void)events;
    if (w->once) {
        watch_stop(ev_userdata(ev),
                   w); /* if it is armed again before the next wait, the kernel isn't told */
    }
    w->ready(w->user);
}

void loop_watch(struct loop *l, struct loop_watch *w, int fd, void (*ready)(void *user), void *user)
{
    w->ready = ready;
    w->user = user;
    ev_io_init(&w->io, on_watched, fd, EV_READ);
    w->io.data = w;
    watch_start(l, w);
}

void loop_watch_once(struct loop_watch *w, int fd, bool writable, void (*ready)(void *user),
                     void *user)
{
    *w = (struct loop_watch){ .once = true, .ready = ready, .user = user };
    ev_io_init(&w->io, on_watched, fd, writable ? EV_WRITE : EV_READ);
    w->io.data = w;
}

void loop_arm(struct loop *l, struct loop_watch *w)
{
    watch_start(l, w);
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    watch_stop(l, w);
    *w = (struct loop_watch){ 0 };
}

int loop_init(struct loop *l, int fd, uint64_t spin_ns)
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
    ev_set_userdata(l->ev, l);
    list_init(&l->watches);
    l->foreign_fd = l->timer_fd = -1;
    l->socket_fd = fd;
    l->readable = false;
    l->spin_ns = spin_ns;
    ev_io_init(&l->reading, on_readable, fd, EV_READ);
    ev_io_init(&l->writing, on_writable, fd, EV_WRITE);
    ev_io_init(&l->waking, on_wake, l->wake_fd, EV_READ);
    ev_timer_init(&l->timer, on_timer, 0., 0.);
    l->reading.data = l;
    if (fd >= 0) {
        ev_io_start(l->ev, &l->reading);
    }
    ev_io_start(l->ev, &l->waking);
    return 0;
}

static void invoke_guarded(struct ev_loop *ev)
{
    const struct loop *l = ev_userdata(ev);
    if (ev_pending_count(ev) == 0) {
        return;
    }
    pthread_mutex_lock(l->guard);
    ev_invoke_pending(ev);
    pthread_mutex_unlock(l->guard);
}

void loop_guard(struct loop *l, pthread_mutex_t *guard)
{
    l->guard = guard;
    ev_set_invoke_pending_cb(l->ev, invoke_guarded);
}

void loop_fini(struct loop *l)
{
    if (l->ev) {
        ev_loop_destroy(l->ev);
        close(l->wake_fd);
        if (l->foreign_fd >= 0) {
            close(l->foreign_fd);
            close(l->timer_fd);
        }
    }
    l->ev = NULL;
}

void loop_wait(struct loop *l, uint64_t now_ns, uint64_t until_ns, bool writable)
{
    bool look = until_ns <= now_ns;
    l->readable = false;
    l->looked_ns = now_ns;
    atomic_store(&l->woken, false); /* before wake_fd is read, so that no wake is missed */
    if (writable) {
        ev_io_start(l->ev, &l->writing);
    }
    if (!look && until_ns != UINT64_MAX) {
        ev_now_update(l->ev);
        ev_timer_set(&l->timer, (double)(until_ns - now_ns) / 1e9, 0.);
        ev_timer_start(l->ev, &l->timer);
    }
    ev_run(l->ev, look ? EVRUN_NOWAIT : EVRUN_ONCE);
    /* A spin would have seen this message, or nearly. The earlier spins in vain say nothing about
     * the next one, so the loop spins again. */
    if (l->readable && l->spin_skip > 0 && endpoint_now_ns() - now_ns < 2 * l->spin_ns) {
        l->spin_skip = l->spin_misses = 0;
    }
    ev_timer_stop(l->ev, &l->timer);
    if (writable) {
        ev_io_stop(l->ev, &l->writing);
    }
}

void loop_look(struct loop *l, uint64_t now_ns)
{
    if (now_ns - l->looked_ns >= LOOK_NS) {
        loop_wait(l, now_ns, 0, false);
    }
}

static void spin_pause(struct loop *l, uint64_t now_ns)
{
    bool again = now_ns - l->spin_again_ns < 4 * l->spin_pause_ns;
    l->spin_pause_ns = again ? 2 * l->spin_pause_ns : SPIN_PAUSE_MIN_NS;
    if (l->spin_pause_ns > SPIN_PAUSE_MAX_NS) {
        l->spin_pause_ns = SPIN_PAUSE_MAX_NS;
    }
    l->spin_again_ns = now_ns + l->spin_pause_ns;
}

/* Looks up to `looks` times. Returns true if poll found something. */
static bool spin_look(unsigned looks, loop_poll_fn *poll, void *context, bool first)
{
    for (unsigned i = 0; i < looks; i++) {
        if (poll(context, first && i == 0)) {
            return true;
        }
    }
    return false;
}

bool loop_spin(struct loop *l, uint64_t until_ns, loop_poll_fn *poll, void *context)
{
    uint64_t now_ns, then_ns, end_ns;
    unsigned lent = 0;
    bool first = true, yielded = false;
    if (l->spin_ns == 0) {
        return false;
    }
    if (l->spin_skip > 0) {
        l->spin_skip--;
        return false;
    }
    now_ns = endpoint_now_ns();
    if (now_ns < l->spin_again_ns || until_ns <= now_ns) {
        return false;
    }
    end_ns = now_ns + l->spin_ns < until_ns ? now_ns + l->spin_ns : until_ns;
    while (now_ns < end_ns && !atomic_load_explicit(&l->woken, memory_order_relaxed)) {
        uint64_t given_ns = now_ns;
        /* Others share the core: they have had no time to answer yet, so yield before the first
         * look. */
        if (yielded || !l->spin_shared) {
            if (spin_look(l->spin_shared ? 1 : SPIN_LOOKS, poll, context, first)) {
                l->spin_misses = 0;
                l->spin_shared = lent > 0;
                return true;
            }
            first = false;
            given_ns = endpoint_now_ns();
        }
        yielded = true;
        sched_yield();
        then_ns = now_ns;
        now_ns = endpoint_now_ns();
        if (now_ns - then_ns > SPIN_OUSTED_NS) {
            spin_pause(l, now_ns);
            return false;
        }
        if (now_ns - given_ns > SPIN_LENT_NS && ++lent == SPIN_LENT_MAX) {
            return false;
        }
    }
    if (now_ns >= until_ns) {
        return true; /* something is due: a sleep now would be too long */
    }
    if (++l->spin_misses >= SPIN_MISSES) {
        l->spin_skip = SPIN_SKIP;
    }
    return false;
}

int loop_foreign(struct loop *l)
{
    if (l->foreign_fd >= 0) {
        return 0; /* from an earlier start, which failed after this */
    }
    int fd = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    const int own[] = { timer, l->wake_fd, l->socket_fd };
    bool fine = fd >= 0 && timer >= 0;
    for (size_t i = 0; fine && i < sizeof(own) / sizeof(*own); i++) {
        struct epoll_event e = { .events = EPOLLIN, .data.fd = own[i] };
        fine = own[i] < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, own[i], &e) == 0;
    }
    if (!fine) {
        int cause = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (timer >= 0) {
            close(timer);
        }
        errno = cause;
        return RUSM_EIO;
    }
    l->foreign_fd = fd;
    l->timer_fd = timer;
    list_each(at, &l->watches) {
        foreign_add(l, container_of(at, struct loop_watch, active));
    }
    return 0;
}

void loop_due(struct loop *l, uint64_t now_ns, uint64_t until_ns, bool writable)
{
    struct itimerspec when = { 0 };
    if (until_ns != UINT64_MAX) { /* if all is zero, the timer is disarmed */
        uint64_t ns = until_ns > now_ns ? until_ns - now_ns : 1;
        when.it_value.tv_sec = (time_t)(ns / 1000000000);
        when.it_value.tv_nsec = (long)(ns % 1000000000);
    }
    (void)timerfd_settime(l->timer_fd, 0, &when, NULL);
    if (writable != l->foreign_writing && l->socket_fd >= 0) {
        struct epoll_event e = { .events = EPOLLIN | (writable ? EPOLLOUT : 0),
                                 .data.fd = l->socket_fd };
        (void)epoll_ctl(l->foreign_fd, EPOLL_CTL_MOD, l->socket_fd, &e);
        l->foreign_writing = writable;
    }
}

void loop_wake(struct loop *l)
{
    atomic_store(&l->woken, true);
    (void)!eventfd_write(l->wake_fd, 1); /* EAGAIN: it will wake anyway */
}
