/* connect: `connect`: what many nodes, connections, lanes, handshakes and spawns cost. This is the
 * parent's side. connect_hub.c is what runs on the nodes. */
#include "connect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_NODES 20 /* the default */
#define CONNECT_LANES_OPEN 10000
#define CONNECT_SPAWNS 2000   /* one after the other */
#define CONNECT_IN_FLIGHT 100 /* spawns in flight */
#define CONNECT_CALLERS 4     /* OS processes that open connections as fast as they can */
#define CONNECT_SETTLE_MS 500 /* lets a phase come to rest: acknowledgements, timers */
#define CONNECT_IDLE_MS 5000
#define CONNECT_RATE_MS 1000 /* how long a rate is measured */

struct connect {
    struct bench *bench;
    struct cluster cluster;
    uint64_t nodes, node_rss_kib;
    double kib_per_connection, idle_cpu_percent, handshakes_per_s, spawn_p50_us, spawns_per_s;
    uint64_t bytes_per_lane;
};

static void connect_says(const struct connect *t, const char *what)
{
    if (t->bench->person) {
        fprintf(stderr, "\r%-40s\r", what);
    }
}

static void connect_pause(unsigned ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    nanosleep(&pause, NULL);
}

/* ---- memory of nodes and connections ---- */

static uint64_t connect_rss_sum(const struct connect *t, size_t nodes)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < nodes; i++) {
        sum += cluster_rss_kib(&t->cluster, i);
    }
    return sum;
}

/* Starts one node, then more up to half, then all, each time as a mesh. In the last step the nodes
 * of the first half grow only by their connections to the second half. All else they had before. */
static int connect_nodes(struct connect *t)
{
    struct cluster *c = &t->cluster;
    const struct cmd *cmd = t->bench->options->cmd;
    size_t half = (size_t)t->nodes / 2;
    int status = cluster_make(c, cmd);

    connect_says(t, "a node alone");
    status = status == 0 ? cluster_grow(c, cmd, 1, connect_boot) : status;
    if (status == 0) {
        connect_pause(CONNECT_SETTLE_MS);
        t->node_rss_kib = cluster_rss_kib(c, 0);
        connect_says(t, "nodes, connected to each other");
        status = cluster_grow(c, cmd, half, connect_boot);
    }
    status = status == 0 ? cluster_mesh(c, cmd) : status;
    if (status != 0) {
        return status;
    }
    connect_pause(CONNECT_SETTLE_MS);
    uint64_t before = connect_rss_sum(t, half);
    status = cluster_grow(c, cmd, (size_t)t->nodes, connect_boot);
    status = status == 0 ? cluster_mesh(c, cmd) : status;
    if (status == 0) {
        connect_pause(CONNECT_SETTLE_MS);
        double grown = (double)connect_rss_sum(t, half) - (double)before;
        t->kib_per_connection = grown / (double)(half * (t->nodes - half));
    }
    return status;
}

static void connect_idle(struct connect *t)
{
    connect_says(t, "idle");
    uint64_t cpu = cluster_cpu_ns(&t->cluster);
    connect_pause(CONNECT_IDLE_MS);
    cpu = cluster_cpu_ns(&t->cluster) - cpu;
    t->idle_cpu_percent = (double)cpu / (double)t->nodes / (CONNECT_IDLE_MS * 1e6) * 100;
}

/* ---- handshakes ---- */

/* Opens and closes connections to worker0 until the time is over. Runs in an OS process of its
 * own. */
static int connect_caller(const struct connect *t, int out)
{
    uint64_t count = 0, end_ns = common_now_ns() + (uint64_t)CONNECT_RATE_MS * 1000000;

    do {
        struct rusm_client *client;
        if (cluster_dial(&t->cluster, t->bench->options->cmd, 1, &client) != 0) {
            return EXIT_FAILED;
        }
        rusm_client_close(client);
        count++;
    } while (common_now_ns() < end_ns);
    return write(out, &count, sizeof(count)) == sizeof(count) ? EXIT_DONE : EXIT_FAILED;
}

static int connect_handshakes(struct connect *t)
{
    const struct cmd *cmd = t->bench->options->cmd;
    pid_t caller[CONNECT_CALLERS];
    uint64_t count = 0, all = 0;
    int pipes[2], started = 0, status = 0;

    connect_says(t, "handshakes");
    if (pipe(pipes) != 0) {
        return failure_say(cmd, EXIT_FAILED, "cannot make a pipe: %s", strerror(errno));
    }
    fflush(NULL);
    for (; started < CONNECT_CALLERS && status == 0; started++) {
        caller[started] = fork();
        if (caller[started] == 0) {
            close(pipes[0]);
            _exit(connect_caller(t, pipes[1]));
        }
        if (caller[started] < 0) {
            status = failure_say(cmd, EXIT_FAILED, "cannot fork: %s", strerror(errno));
            break;
        }
    }
    close(pipes[1]);
    while (read(pipes[0], &count, sizeof(count)) == sizeof(count)) {
        all += count;
    }
    close(pipes[0]);
    for (int i = 0; i < started; i++) {
        int ended;
        if (waitpid(caller[i], &ended, 0) != caller[i] || ended != 0) {
            status = EXIT_FAILED; /* it has said why */
        }
    }
    t->handshakes_per_s = (double)all * 1000 / CONNECT_RATE_MS;
    return status;
}

/* ---- lanes, spawns ---- */

static int connect_order(struct connect *t, const struct connect_order *order,
                         struct connect_state *state)
{
    int status = cluster_call(&t->cluster, t->bench->options->cmd, "connect", order, sizeof(*order),
                              state, sizeof(*state));

    return status == 0 && state->error != 0
               ? failure_report(t->bench->options->cmd, state->error, NULL)
               : status;
}

/* Measures what either end grows by while many lanes are open on one connection. The larger growth
 * counts. */
static int connect_lanes(struct connect *t)
{
    const struct connect_order senders = { .what = CONNECT_SENDERS, .count = CONNECT_LANES_OPEN };
    const struct connect_order lanes = { .what = CONNECT_LANES };
    struct connect_state state;
    uint64_t before[2], most = 0;
    int status;

    connect_says(t, "lanes");
    status = connect_order(t, &senders, &state);
    connect_pause(CONNECT_SETTLE_MS);
    before[0] = cluster_rss_kib(&t->cluster, 0);
    before[1] = cluster_rss_kib(&t->cluster, 1);
    status = status == 0 ? connect_order(t, &lanes, &state) : status;
    if (status != 0) {
        return status;
    }
    connect_pause(CONNECT_SETTLE_MS);
    for (size_t i = 0; i < 2; i++) {
        uint64_t now = cluster_rss_kib(&t->cluster, i);
        most = now > before[i] && now - before[i] > most ? now - before[i] : most;
    }
    t->bytes_per_lane = most * 1024 / CONNECT_LANES_OPEN;
    return common_verdict(t->bench, CONNECT_LANES_OPEN - state.done);
}

static int connect_spawns(struct connect *t)
{
    const struct connect_order one = { .what = CONNECT_SPAWNS_ASKED,
                                       .count = CONNECT_SPAWNS,
                                       .in_flight = 1 };
    const struct connect_order many = { .what = CONNECT_SPAWNS_ASKED,
                                        .in_flight = CONNECT_IN_FLIGHT,
                                        .duration_ns = (uint64_t)CONNECT_RATE_MS * 1000000 };
    struct connect_state state;
    int status;

    connect_says(t, "spawns");
    status = connect_order(t, &one, &state);
    t->spawn_p50_us = histogram_us(&state.spawn, 0.5);
    status = status == 0 ? connect_order(t, &many, &state) : status;
    t->spawns_per_s = (double)state.done * 1e9 / (double)state.elapsed_ns;
    return status;
}

/* ---- all phases ---- */

static void connect_print(const struct connect *t)
{
    connect_says(t, "");
    if (t->bench->json) {
        common_print_json(
            json_pack("{s:s, s:I, s:I, s:f, s:I, s:f, s:f, s:{s:f}, s:f}", "bench", "connect",
                      "nodes", (json_int_t)t->nodes, "node_rss_kib", (json_int_t)t->node_rss_kib,
                      "rss_kib_per_connection", t->kib_per_connection, "bytes_per_lane",
                      (json_int_t)t->bytes_per_lane, "idle_cpu_percent", t->idle_cpu_percent,
                      "handshakes_per_s", t->handshakes_per_s, "spawn_us", "p50", t->spawn_p50_us,
                      "spawns_per_s", t->spawns_per_s));
        return;
    }
    printf("%llu nodes, each connected to all others\n", (unsigned long long)t->nodes);
    printf("memory: %llu KiB a node alone, %.1f KiB a connection and side, %llu bytes a lane and "
           "side (%d lanes)\n",
           (unsigned long long)t->node_rss_kib, t->kib_per_connection,
           (unsigned long long)t->bytes_per_lane, CONNECT_LANES_OPEN);
    printf("idle: %.4f %% of a processor a node\n", t->idle_cpu_percent);
    printf("handshakes: %.0f/s\n", t->handshakes_per_s);
    printf("spawns on another node: p50 %.1f us, %.0f/s with %d in flight\n", t->spawn_p50_us,
           t->spawns_per_s, CONNECT_IN_FLIGHT);
}

static int connect_run(struct connect *t)
{
    int status = connect_nodes(t);

    if (status == 0) {
        connect_idle(t);
        status = connect_handshakes(t);
    }
    status = status == 0 ? cluster_client(&t->cluster, t->bench->options->cmd, 0) : status;
    status = status == 0 ? connect_lanes(t) : status;
    status = status == 0 ? connect_spawns(t) : status;
    if (status == 0) {
        connect_print(t);
    }
    return status;
}

int bench_connect(struct bench *bench)
{
    struct connect t = { .bench = bench, .nodes = CONNECT_NODES };
    int status = 0;

    if (bench->options->word_count > 1) {
        status = common_word(bench, 1, "nodes", BENCH_NODES_MAX - 1, &t.nodes);
    }
    if (status == 0 && t.nodes < 4) {
        status = failure_usage(bench->options->cmd, "connect needs at least 4 nodes");
    }
    if (status == 0) {
        status = connect_run(&t);
        cluster_stop(&t.cluster);
    }
    return status;
}
