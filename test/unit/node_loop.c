/* node/loop: the loop's waits. A spin finds what comes, ends in time, gives up, and is cut short by
 * a wake. Spins run in virtual time: each look at the clock takes LOOK_TAKES_NS, and nothing else
 * takes time unless a test says so. So no other program on the machine changes what a spin does.
 * LINK: -Wl,--wrap=sched_yield,--wrap=endpoint_now_ns */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "node/loop.h"

#define MS ((uint64_t)1000000)
#define LOOK_TAKES_NS 100

static uint64_t clock_ns = 1000 * MS; /* virtual time */
static uint64_t lend_ns;              /* how long another program uses the core after each yield */
static unsigned yields;

uint64_t __wrap_endpoint_now_ns(void);
uint64_t __wrap_endpoint_now_ns(void)
{
    return clock_ns += LOOK_TAKES_NS;
}

int __wrap_sched_yield(void);
int __wrap_sched_yield(void)
{
    yields++;
    clock_ns += lend_ns;
    return 0;
}

/* Returns the real time, for waits. */
static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct asked {
    unsigned times, found_at; /* found_at 0: nothing is ever found */
};

static bool ask(void *context, bool first)
{
    (void)first;
    struct asked *a = context;
    return ++a->times == a->found_at;
}

static int open_loop(struct loop *l, uint64_t spin_ns)
{
    int fd = eventfd(0, EFD_NONBLOCK);
    assert_true(fd >= 0);
    *l = (struct loop){ 0 };
    assert_int_equal(loop_init(l, fd, spin_ns), 0);
    return fd;
}

static void close_loop(struct loop *l, int fd)
{
    loop_fini(l);
    close(fd);
}

static void spin_finds(void **state)
{
    struct asked a = { .found_at = 5 };
    struct loop l;
    int fd = open_loop(&l, 1000 * MS);
    (void)state;
    assert_true(loop_spin(&l, UINT64_MAX, ask, &a));
    assert_int_equal(a.times, 5);
    close_loop(&l, fd);
}

static void spin_never(void **state)
{
    struct asked a = { .found_at = 1 };
    struct loop l;
    int fd = open_loop(&l, 0);
    (void)state;
    assert_false(loop_spin(&l, UINT64_MAX, ask, &a));
    assert_int_equal(a.times, 0);
    close_loop(&l, fd);
}

static void spin_ends(void **state)
{
    struct asked a = { 0 };
    struct loop l;
    int fd = open_loop(&l, 50 * MS);
    uint64_t start = clock_ns;
    (void)state;
    /* The spin ends when a timer is due, not later. There is something to do then. */
    assert_true(loop_spin(&l, start + MS, ask, &a));
    assert_in_range(clock_ns, start + MS, start + MS + 10 * LOOK_TAKES_NS);
    assert_false(loop_spin(&l, 0, ask, &a)); /* already due */
    /* If nothing is due, the spin ends after its own time, and there is nothing to do. */
    start = clock_ns;
    assert_false(loop_spin(&l, UINT64_MAX, ask, &a));
    assert_in_range(clock_ns, start + 50 * MS, start + 50 * MS + 10 * LOOK_TAKES_NS);
    close_loop(&l, fd);
}

/* If spins never find anything, most waits do not begin with one. */
static void spin_gives_up(void **state)
{
    struct asked a = { 0 };
    struct loop l;
    unsigned spins = 0;
    int fd = open_loop(&l, 1);
    (void)state;
    for (int i = 0; i < 1000; i++) {
        unsigned before = a.times;
        assert_false(loop_spin(&l, UINT64_MAX, ask, &a));
        spins += a.times != before;
    }
    assert_in_range(spins, 1, 150);
    /* After one success, each wait spins again. */
    do {
        a = (struct asked){ .found_at = 1 };
    } while (!loop_spin(&l, UINT64_MAX, ask, &a));
    a = (struct asked){ 0 };
    assert_false(loop_spin(&l, UINT64_MAX, ask, &a));
    assert_int_not_equal(a.times, 0);
    close_loop(&l, fd);
}

/* A poll that takes long stands for a core that was taken by another program for long. */
static bool ask_slowly(void *context, bool first)
{
    clock_ns += 2 * MS;
    return ask(context, first);
}

static void spin_yields_to_others(void **state)
{
    struct asked a = { 0 };
    struct loop l;
    int fd = open_loop(&l, 100000 * MS);
    uint64_t start = clock_ns;
    (void)state;
    assert_false(loop_spin(&l, UINT64_MAX, ask_slowly, &a));
    assert_in_range(a.times, 1, 4); /* as many looks as between two yields */
    unsigned looks = a.times;
    uint64_t first = l.spin_pause_ns;
    assert_true(first > 0 && l.spin_again_ns > start);
    assert_false(loop_spin(&l, UINT64_MAX, ask_slowly, &a)); /* the spin is not even tried */
    assert_int_equal(a.times, looks);
    clock_ns = l.spin_again_ns;
    a.times = 0;
    assert_false(loop_spin(&l, UINT64_MAX, ask_slowly, &a));
    assert_int_equal(a.times, looks);
    assert_int_equal(l.spin_pause_ns, 2 * first); /* the next time it pauses for longer */
    close_loop(&l, fd);
}

/* Another program uses the core after each yield. */
static void spin_disturbs_few(void **state)
{
    struct asked a = { 0 };
    struct loop l;
    int fd = open_loop(&l, 100000 * MS);
    (void)state;
    lend_ns = 10000;
    assert_false(loop_spin(&l, UINT64_MAX, ask, &a));
    assert_in_range(a.times, 1, 20);
    unsigned before = a.times;
    assert_false(loop_spin(&l, UINT64_MAX, ask, &a)); /* tried again at the next wait */
    assert_true(a.times > before);
    lend_ns = 0;
    close_loop(&l, fd);
}

static bool ask_after_yield(void *context, bool first)
{
    return yields > 0 && ask(context, first);
}

/* If another program answered while it had our core, it needs the core to answer again. So the spin
 * yields before its first look. */
static void spin_lends_first(void **state)
{
    struct asked a = { .found_at = 1 };
    struct loop l;
    int fd = open_loop(&l, 100000 * MS);
    (void)state;
    lend_ns = 10000;
    yields = 0;
    assert_true(loop_spin(&l, UINT64_MAX, ask_after_yield, &a));
    assert_true(l.spin_shared);
    lend_ns = 0;
    yields = 0;
    a = (struct asked){ .found_at = 1 };
    assert_true(loop_spin(&l, UINT64_MAX, ask, &a));
    assert_false(l.spin_shared);
    assert_int_equal(yields, 1);
    /* Something came at once, without another program on the core. */
    yields = 0;
    a = (struct asked){ .found_at = 1 };
    assert_true(loop_spin(&l, UINT64_MAX, ask, &a));
    assert_int_equal(yields, 0);
    close_loop(&l, fd);
}

static void *wake(void *context)
{
    loop_wake(context);
    return NULL;
}

static void woken(void **state)
{
    struct asked a = { 0 };
    struct loop l;
    pthread_t thread;
    int fd = open_loop(&l, 1000000 * MS);
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, wake, &l), 0);
    while (loop_spin(&l, UINT64_MAX, ask, &a) || !l.woken) {
        l.spin_skip = 0; /* its time passed before the thread ran, so spin again */
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    loop_wait(&l, now_ns(), UINT64_MAX, false); /* returns because it was woken */
    assert_false(l.woken);
    close_loop(&l, fd);
}

static void count_ready(void *user)
{
    eventfd_t value;
    struct loop_watch *w = user;
    assert_int_equal(eventfd_read(w->io.fd, &value), 0);
    w->user = NULL;
}

/* A busy loop looks at other descriptors too, but not in each tick. */
static void looks(void **state)
{
    struct loop_watch w = { 0 };
    struct loop l;
    int fd = open_loop(&l, 0), other = eventfd(1, EFD_NONBLOCK);
    uint64_t start = now_ns();
    (void)state;
    loop_watch(&l, &w, other, count_ready, &w);
    l.looked_ns = start;
    loop_look(&l, start + 1);
    assert_ptr_equal(w.user, &w);
    loop_look(&l, start + 1000 * MS);
    assert_null(w.user);
    loop_unwatch(&l, &w);
    close(other);
    close_loop(&l, fd);
}

static void count_once(void *user)
{
    ++*(unsigned *)user;
}

/* A descriptor that is watched once is reported once, until it is armed again. The same holds for
 * room to write. */
static void watches_once(void **state)
{
    struct loop_watch read = { 0 }, write = { 0 };
    struct loop l;
    unsigned reads = 0, writes = 0;
    int fd = open_loop(&l, 0), other = eventfd(1, EFD_NONBLOCK);
    (void)state;
    loop_watch_once(&read, other, false, count_once, &reads);
    loop_watch_once(&write, other, true, count_once, &writes);
    loop_wait(&l, now_ns(), 0, false);
    assert_int_equal(reads + writes, 0);
    loop_arm(&l, &read);
    loop_arm(&l, &read);
    loop_wait(&l, now_ns(), 0, false);
    loop_wait(&l, now_ns(), 0, false);
    assert_int_equal(reads, 1);
    loop_arm(&l, &read);
    loop_arm(&l, &write);
    loop_wait(&l, now_ns(), 0, false);
    assert_int_equal(reads, 2);
    assert_int_equal(writes, 1);
    loop_arm(&l, &write);
    loop_unwatch(&l, &write);
    loop_unwatch(&l, &read);
    loop_wait(&l, now_ns(), 0, false);
    assert_int_equal(writes, 1);
    close(other);
    close_loop(&l, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spin_finds),
        cmocka_unit_test(spin_never),
        cmocka_unit_test(spin_ends),
        cmocka_unit_test(spin_gives_up),
        cmocka_unit_test(spin_yields_to_others),
        cmocka_unit_test(spin_disturbs_few),
        cmocka_unit_test(spin_lends_first),
        cmocka_unit_test(woken),
        cmocka_unit_test(looks),
        cmocka_unit_test(watches_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
