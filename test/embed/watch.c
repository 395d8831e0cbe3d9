/* Processes that watch descriptors: with receive and with a body, on one scheduler and on two, in a
 * node that runs and in one that another event loop drives; to read, to write, and not any more. */
#include "embed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define PAIRS 40

static atomic_uint ended;

static int argument(const struct rusm_args *args, size_t i)
{
    expect(args->count > i, "an argument");
    return atoi(args->value[i]);
}

/* Writes back what comes, and ends at the end of the file. */
static bool echo_some(int fd)
{
    char data[4096];
    ssize_t n;
    while ((n = read(fd, data, sizeof(data))) > 0) {
        expect(write(fd, data, (size_t)n) == n, "room for an answer");
    }
    expect(n == 0 || errno == EAGAIN, "a read: %s", strerror(errno));
    return n < 0;
}

struct echoer {
    int fd;
    uint64_t ref;
};

static int echoer_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct echoer *e = calloc(1, sizeof(*e));
    expect(e, "memory");
    e->fd = argument(args, 0);
    *state = e;
    return rusm_watch(self, e->fd, RUSM_READABLE, &e->ref);
}

static void echoer_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct echoer *e = state;
    expect(m->kind == RUSM_READY && m->ref == e->ref, "to be told of the watch");
    if (echo_some(e->fd)) {
        expect(rusm_watch(self, e->fd, RUSM_READABLE, &e->ref) == 0, "a watch");
    } else {
        rusm_exit(self, "end of file");
    }
}

static void echoer_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct echoer *e = state;
    (void)self, (void)reason;
    close(e->fd);
    free(e);
    atomic_fetch_add(&ended, 1);
}

static void echoer_body(struct rusm_process *self, void *state)
{
    struct echoer *e = state;
    const struct rusm_message *m;
    do {
        expect(rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0, "a message");
        expect(m->kind == RUSM_READY && m->ref == e->ref, "to be told of the watch");
    } while (echo_some(e->fd) && rusm_watch(self, e->fd, RUSM_READABLE, &e->ref) == 0);
}

/* Fills a pipe, and says "full"; says "room" when there is some. Says what it could not do. */
static int filler_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    int fd = argument(args, 0);
    uint64_t ref, other;
    char data[4096] = { 0 };
    *state = (void *)(intptr_t)fd;
    expect(rusm_watch(self, -1, RUSM_READABLE, &ref) == RUSM_EINVAL, "no such descriptor");
    expect(rusm_watch(self, fd, (enum rusm_watch_event)0, &ref) == RUSM_EINVAL, "no such event");
    while (write(fd, data, sizeof(data)) > 0) {}
    expect(rusm_watch(self, fd, RUSM_CAN_WRITE, &ref) == 0, "a watch");
    /* The same again, and never mind. */
    expect(rusm_watch(self, fd, RUSM_CAN_WRITE, &other) == 0 && other != ref, "another watch");
    expect(rusm_unwatch(self, other) == 0, "to end it");
    expect(rusm_unwatch(self, other) == RUSM_ENOPROC, "that it is over");
    expect(rusm_unwatch(self, 12345) == RUSM_ENOPROC, "that there is none");
    rusm_print(self, "full");
    return 0;
}

static void filler_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    expect(m->kind == RUSM_READY, "to be told of room");
    rusm_print(self, "room");
    rusm_exit(self, "done");
}

static void filler_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    close((int)(intptr_t)state); /* here, as this thread's loop has watched it */
    atomic_fetch_add(&ended, 1);
}

static const struct rusm_behaviour echoer = {
    .name = "echoer", .init = echoer_init, .receive = echoer_receive, .stop = echoer_stop
};
static const struct rusm_behaviour bodied = {
    .name = "bodied", .init = echoer_init, .body = echoer_body, .stop = echoer_stop
};
static const struct rusm_behaviour filler = {
    .name = "filler", .init = filler_init, .receive = filler_receive, .stop = filler_stop
};

/* ---- the other ends, on a thread of their own ---- */

struct outside {
    const struct place *place;
    struct rusm_node *node;
    int output; /* what processes print */
};

static void spawn_with(struct rusm_client *client, const char *spawnable, int fd,
                       char pid[RUSM_PID_TEXT_MAX])
{
    char text[16];
    const char *value[] = { text };
    struct rusm_args args = { .count = 1, .value = value };
    struct rusm_why why;
    snprintf(text, sizeof(text), "%d", fd);
    int error = rusm_client_spawn(client, spawnable, &args, NULL, false, pid, &why);
    expect(error == 0, "%s: %s", spawnable, why.text);
}

static void await_ended(unsigned wanted)
{
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (atomic_load(&ended) < wanted) {
        expect(clock_ms() < until, "%u ends, not %u", wanted, atomic_load(&ended));
        usleep(1000);
    }
}

static void non_blocking(int fd)
{
    expect(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "a non-blocking descriptor");
}

static void echoes(struct rusm_client *client)
{
    int ours[PAIRS];
    char pid[RUSM_PID_TEXT_MAX], last[RUSM_PID_TEXT_MAX] = "";
    struct rusm_why why;
    for (int i = 0; i < PAIRS; i++) {
        int pair[2];
        expect(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair");
        non_blocking(pair[1]);
        spawn_with(client, i % 2 ? "echoer" : "bodied", pair[1], pid);
        memcpy(last, pid, sizeof(last));
        ours[i] = pair[0];
    }
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < PAIRS; i++) {
            char text[16], answer[16];
            int len = snprintf(text, sizeof(text), "%d/%d", round, i);
            expect(write(ours[i], text, (size_t)len) == len, "a write");
            for (ssize_t n = 0; n < len;) {
                ssize_t got = read(ours[i], answer + n, sizeof(answer) - (size_t)n);
                expect(got > 0, "an answer");
                n += got;
            }
            expect(memcmp(text, answer, (size_t)len) == 0, "what was written");
        }
    }
    /* One is killed while it watches; the others see the end of their files. */
    expect(rusm_client_kill(client, last, false, "kill", &why) == 0, "a kill: %s", why.text);
    await_ended(1);
    for (int i = 0; i < PAIRS; i++) {
        close(ours[i]);
    }
    await_ended(PAIRS);
}

static void read_line(int fd, const char *wanted)
{
    char line[32] = "";
    for (size_t n = 0; n < sizeof(line) - 1 && !strchr(line, '\n'); n++) {
        expect(read(fd, line + n, 1) == 1, "a line");
    }
    expect(strstr(line, wanted), "'%s', not '%s'", wanted, line);
}

static void room(struct rusm_client *client, int output)
{
    char pid[RUSM_PID_TEXT_MAX], data[4096];
    int ends[2];
    expect(pipe(ends) == 0, "a pipe");
    non_blocking(ends[0]);
    non_blocking(ends[1]);
    spawn_with(client, "filler", ends[1], pid);
    read_line(output, "full");
    while (read(ends[0], data, sizeof(data)) > 0) {}
    read_line(output, "room");
    await_ended(PAIRS + 1);
    close(ends[0]);
}

static void *outside_main(void *context)
{
    struct outside *o = context;
    struct rusm_client *client = client_to(o->place, "london");
    echoes(client);
    room(client, o->output);
    /* One still watches as the node leaves. */
    int pair[2];
    char pid[RUSM_PID_TEXT_MAX];
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair");
    non_blocking(pair[1]);
    spawn_with(client, "echoer", pair[1], pid);
    rusm_client_close(client);
    rusm_node_stop(o->node);
    close(pair[0]);
    return NULL;
}

static void try(unsigned schedulers, bool driven)
{
    struct place place;
    struct rusm_node *node;
    struct rusm_why why;
    pthread_t thread;
    int ends[2];
    atomic_store(&ended, 0);
    place_make(&place);
    expect(pipe(ends) == 0, "a pipe");
    struct rusm_node_options options = { .name = "london",
                                         .rundir = place.rundir,
                                         .identity = place.identity,
                                         .identity_create = true,
                                         .output_fd = ends[1],
                                         .schedulers = schedulers };
    expect(rusm_node_new(&node, &options, &why) == 0, "a node: %s", why.text);
    expect(rusm_node_teach(node, "echoer", &echoer) == 0, "a behaviour");
    expect(rusm_node_teach(node, "bodied", &bodied) == 0, "a behaviour");
    expect(rusm_node_teach(node, "filler", &filler) == 0, "a behaviour");
    struct outside o = { .place = &place, .node = node, .output = ends[0] };
    struct pollfd at = { .fd = driven ? rusm_node_start(node) : -1, .events = POLLIN };
    expect(pthread_create(&thread, NULL, outside_main, &o) == 0, "a thread");
    if (driven) {
        do {
            expect(poll(&at, 1, PATIENCE_MS) == 1, "the descriptor to be readable");
        } while (rusm_node_tick(node) == 0);
    } else {
        rusm_node_run(node);
    }
    pthread_join(thread, NULL);
    rusm_node_free(node);
    expect(atomic_load(&ended) == PAIRS + 2, "all to have ended");
    close(ends[0]);
    close(ends[1]);
    place_remove(&place);
}

int main(void)
{
    try(1, false);
    try(2, false);
    try(1, true);
    try(2, true);
    return 0;
}
