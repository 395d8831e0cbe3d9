/* port/host: what the hosts of a node's schedulers share, and a guard that reads nothing. */
#include "port/host.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "port/limits.h"
#include "port/program.h"

struct port_watch {
    int fd;
};

static struct port_watch *watch(void *context, int fd, bool writable, void (*ready)(void *user),
                                void *user)
{
    struct port_watch *w = malloc(sizeof(*w));
    (void)context, (void)writable, (void)ready, (void)user;
    assert_non_null(w);
    w->fd = fd;
    return w;
}

static void arm(void *context, struct port_watch *w)
{
    (void)context;
    assert_true(w->fd > 2);
}

static void unwatch(void *context, struct port_watch *w)
{
    (void)context;
    free(w);
}

static void ended(void *context)
{
    ++*(int *)context;
}

static void event(void *user)
{
    (void)user;
}

static const struct port_hooks hooks = {
    .watch = watch, .arm = arm, .unwatch = unwatch, .ended = ended
};

struct fixture {
    struct log log;
    struct port_node node;
    struct port_host host[2];
    int ended;
};

static int open_hosts(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    log_init(&f->log, STDERR_FILENO, RUSM_LOG_ERROR, "london");
    f->node = (struct port_node){ .name = "london", .incarnation = 0xcafe, .log = &f->log };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(port_host_init(&f->host[i], &hooks, &f->ended, &f->node), 0);
    }
    *state = f;
    return 0;
}

static int close_hosts(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        port_host_fini(&f->host[i]);
    }
    free(f);
    return 0;
}

static int start(struct port_host *h, struct program **p)
{
    static const struct program_options options = { .command = "exec sleep 1000",
                                                    .zero = "sleep",
                                                    .pid = "1@london#cafe",
                                                    .label = "sleep",
                                                    .most = 1000,
                                                    .event = event };
    return program_start(h, &options, p, NULL);
}

static void test_limit_of_all(void **state)
{
    struct fixture *f = *state;
    struct program *p, *q;
    f->node.programs = LIMIT_PROGRAMS - 1;
    assert_int_equal(start(&f->host[0], &p), 0);
    assert_int_equal(start(&f->host[1], &q), RUSM_ELIMIT);
    assert_int_equal(start(&f->host[0], &q), RUSM_ELIMIT);
    program_kill(p);
    assert_int_equal(f->ended, 1);
    assert_int_equal(start(&f->host[1], &q), 0);
    assert_int_equal(f->node.programs, LIMIT_PROGRAMS);
    program_kill(q);
    assert_int_equal(f->node.programs, LIMIT_PROGRAMS - 1);
}

/* Writes more to a stopped guard than any pipe holds. The host replaces the guard. */
static void test_guard_stopped(void **state)
{
    struct fixture *f = *state;
    struct port_host *h = &f->host[0];
    struct program *p;
    assert_int_equal(start(h, &p), 0);
    pid_t guard = h->guard.pid;
    assert_true(guard > 0);
    assert_int_equal(kill(guard, SIGSTOP), 0);
    for (int i = 0; i < 100000 && h->guard.pid == guard; i++) {
        guard_forget(h, 0x7ffffff);
    }
    assert_int_not_equal(h->guard.pid, guard);
    assert_int_equal(kill(guard, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_true(h->guard.fd > 2);
    assert_true(fcntl(h->guard.fd, F_GETFL) & O_NONBLOCK);
    program_kill(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_limit_of_all, open_hosts, close_hosts),
        cmocka_unit_test_setup_teardown(test_guard_stopped, open_hosts, close_hosts),
    };
    alarm(60); /* ends a test that blocks */
    return cmocka_run_group_tests_name("port/host", tests, NULL, NULL);
}
