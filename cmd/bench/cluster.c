/* cluster: the nodes of a bench. Each is forked, an OS process of its own. They have a run folder
 * and an identity of their own, which cluster_stop removes. */
#include "bench.h"
#include "../relay.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLUSTER_START_MS 20000
#define CLUSTER_SEED 1 /* of the relay: decides which datagrams get lost */

/* ---- in the child ---- */

int cluster_boot(struct rusm_node *node, const char *name, const char *spawnable, const char *arg,
                 struct rusm_why *why)
{
    const char *args[] = { arg };
    const struct rusm_boot boot = {
        .name = name, .spawnable = spawnable, .args = args, .arg_count = arg ? 1 : 0
    };
    return rusm_node_boot(node, &boot, why);
}

/* Runs the node. Writes to `ready` a NUL and the address when the node is ready, or else the reason
 * why it did not start. */
static int cluster_child(const struct cluster *c, const struct rusm_node_options *options,
                         cluster_boot_fn *boot, int ready)
{
    char said[sizeof(struct rusm_why) + 1] = "";
    struct rusm_why why = { "" };
    struct rusm_node *node;
    int error;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the parent ends this process */
    error = rusm_node_new(&node, options, &why);
    error = error == 0 ? boot(node, c->nodes, &why) : error;
    if (error == 0) {
        snprintf(said + 1, sizeof(said) - 1, "%s", rusm_node_address(node));
    } else {
        snprintf(said, sizeof(said), "%s", why.text);
    }
    /* If the write fails, the parent is gone. */
    if (write(ready, said, sizeof(said)) < 0 || error != 0) {
        return EXIT_FAILED;
    }
    close(ready);
    rusm_node_run(node);
    rusm_node_free(node);
    return EXIT_DONE;
}

/* ---- in the parent ---- */

static int cluster_fork(struct cluster *c, const struct cmd *cmd,
                        const struct rusm_node_options *options, cluster_boot_fn *boot)
{
    struct bench_node *node = &c->node[c->nodes];
    char text[sizeof(struct rusm_why) + 1];
    int pipes[2];

    if (pipe(pipes) != 0) {
        return failure_say(cmd, EXIT_FAILED, "cannot make a pipe: %s", strerror(errno));
    }
    snprintf(node->name, sizeof(node->name), "%s", options->name);
    fflush(NULL);
    node->pid = fork();
    if (node->pid == 0) {
        close(pipes[0]);
        _exit(cluster_child(c, options, boot, pipes[1]));
    }
    close(pipes[1]);
    if (node->pid < 0) {
        close(pipes[0]);
        return failure_say(cmd, EXIT_FAILED, "cannot fork: %s", strerror(errno));
    }
    c->nodes++;
    ssize_t got = read(pipes[0], text, sizeof(text) - 1);
    close(pipes[0]);
    if (got <= 0 || text[0] != '\0') {
        text[got > 0 ? got : 0] = '\0';
        return failure_say(cmd, EXIT_FAILED, "node %s did not start: %s", options->name, text);
    }
    snprintf(node->address, sizeof(node->address), "%.63s", text + 1);
    return 0;
}

static int cluster_peer(void *context, const struct rusm_field *fields, size_t count)
{
    size_t *connected = context;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, "state") == 0 && strcmp(fields[i].text, "connected") == 0) {
            ++*connected;
        }
    }
    return 0;
}

/* Waits until the node has all others as peers. */
static int cluster_await(const struct cluster *c, const struct cmd *cmd, struct rusm_client *client)
{
    const struct timespec pause = { .tv_nsec = 2000000 };
    size_t connected = 0;
    struct rusm_why why;

    for (int i = 0; i < CLUSTER_START_MS / 2; i++) {
        connected = 0;
        int error = rusm_client_list(client, RUSM_TABLE_PEERS, cluster_peer, &connected, &why);
        if (error != 0) {
            return failure_report(cmd, error, &why);
        }
        if (connected == c->nodes - 1) {
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    return failure_say(cmd, EXIT_BUSY, "%s: only %zu of %zu nodes connected",
                       rusm_client_node(client), connected, c->nodes - 1);
}

int cluster_make(struct cluster *c, const struct cmd *cmd)
{
    const char *tmp = getenv("TMPDIR");
    struct rusm_identity_info info;
    struct rusm_why why;
    int error;

    memset(c, 0, sizeof(*c));
    c->timeout_ms = CLUSTER_START_MS;
    if ((size_t)snprintf(c->dir, sizeof(c->dir), "%s/rusm-bench-XXXXXX",
                         tmp && tmp[0] ? tmp : "/tmp") >= sizeof(c->dir) ||
        !mkdtemp(c->dir)) {
        c->dir[0] = '\0';
        return failure_say(cmd, EXIT_FAILED, "cannot make a folder in %s: %s", tmp ? tmp : "/tmp",
                           strerror(errno));
    }
    snprintf(c->rundir, sizeof(c->rundir), "%s/run", c->dir);
    snprintf(c->apart, sizeof(c->apart), "%s/apart", c->dir);
    snprintf(c->identity, sizeof(c->identity), "%s/cluster.pem", c->dir);
    error = rusm_identity_new(c->identity, &info, &why);
    return error != 0 ? failure_report(cmd, error, &why) : 0;
}

int cluster_dial(const struct cluster *c, const struct cmd *cmd, size_t index,
                 struct rusm_client **client)
{
    const struct bench_node *node = &c->node[index];
    struct rusm_client_options options = { .rundir = c->rundir,
                                           .identity = c->identity,
                                           .timeout_ms = c->timeout_ms };
    char name[RUSM_ADDRESS_MAX];
    struct rusm_why why;

    snprintf(name, sizeof(name), "%s@%s", node->name, node->address);
    int error = rusm_client_open(client, &options, name, &why);
    return error != 0 ? failure_report(cmd, error, &why) : 0;
}

int cluster_client(struct cluster *c, const struct cmd *cmd, size_t index)
{
    int status = cluster_dial(c, cmd, index, &c->node[index].client);

    c->hub = c->node[0].client;
    return status;
}

static int cluster_ready(struct cluster *c, const struct cmd *cmd)
{
    int status = cluster_client(c, cmd, 0);

    return status != 0 ? status : cluster_await(c, cmd, c->hub);
}

int cluster_grow(struct cluster *c, const struct cmd *cmd, size_t nodes, cluster_boot_fn *boot)
{
    int status = 0;

    while (status == 0 && c->nodes < nodes) {
        char name[32] = "hub";
        const struct rusm_node_options options = { .name = name,
                                                   .rundir = c->rundir,
                                                   .identity = c->identity,
                                                   .max_packet = c->max_packet,
                                                   .schedulers = c->schedulers };
        if (c->nodes > 0) {
            snprintf(name, sizeof(name), "worker%zu", c->nodes - 1);
        }
        status = cluster_fork(c, cmd, &options, boot);
    }
    return status;
}

int cluster_mesh(const struct cluster *c, const struct cmd *cmd)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < c->nodes; i++) {
        struct rusm_client *client;
        status = cluster_dial(c, cmd, i, &client);
        if (status == 0) {
            status = cluster_await(c, cmd, client);
            rusm_client_close(client);
        }
    }
    return status;
}

int cluster_start(struct cluster *c, const struct cmd *cmd, size_t nodes, cluster_boot_fn *boot)
{
    int status = cluster_make(c, cmd);

    status = status == 0 ? cluster_grow(c, cmd, nodes, boot) : status;
    return status != 0 ? status : cluster_ready(c, cmd);
}

int cluster_call(const struct cluster *c, const struct cmd *cmd, const char *process,
                 const void *order, size_t len, void *answer, size_t answer_len)
{
    struct rusm_why why;
    void *reply;
    size_t reply_len;
    int error = rusm_client_call(c->hub, process, false, order, len, &reply, &reply_len, &why);

    if (error != 0) {
        return failure_report(cmd, error, &why);
    }
    bool fits = reply_len == answer_len;
    if (fits) {
        memcpy(answer, reply, answer_len);
    }
    free(reply);
    return fits ? 0 : failure_say(cmd, EXIT_FAILED, "bad answer");
}

/* ---- behind a relay ---- */

/* Makes the relay an OS process. It aims at the hub already. Takes relay. */
static int cluster_fork_relay(struct cluster *c, const struct cmd *cmd, struct relay *relay)
{
    fflush(NULL);
    c->relay = fork();
    if (c->relay == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGINT, SIG_IGN);
        _exit(relay_run(relay, -1, NULL, NULL) == 0 ? EXIT_DONE : EXIT_FAILED);
    }
    relay_free(relay);
    return c->relay > 0 ? 0 : failure_say(cmd, EXIT_FAILED, "cannot fork: %s", strerror(errno));
}

int cluster_start_lossy(struct cluster *c, const struct cmd *cmd, cluster_boot_fn *boot,
                        const char *loss)
{
    struct relay *relay = NULL;
    char join[RUSM_ADDRESS_MAX];
    const char *joins[] = { join };
    struct rusm_node_options options = { .name = "hub" };
    int status = cluster_make(c, cmd);

    options.rundir = c->rundir;
    if (status == 0 && relay_new(&relay, "127.0.0.1:0", CLUSTER_SEED) != 0) {
        status = failure_say(cmd, EXIT_FAILED, "cannot relay: %s", strerror(errno));
    }
    if (status != 0) {
        return status;
    }
    snprintf(join, sizeof(join), "hub@%s", relay_address(relay));
    options.identity = c->identity;
    options.advertise = strchr(join, '@') + 1;
    status = cluster_fork(c, cmd, &options, boot);
    if (status != 0) {
        relay_free(relay);
        return status;
    }
    relay_set(relay, "to", c->node[0].address);
    relay_set(relay, "loss", loss);
    status = cluster_fork_relay(c, cmd, relay);
    /* In a run folder of its own, the worker finds the hub through the relay only. */
    options = (struct rusm_node_options){ .name = "worker0",
                                          .rundir = c->apart,
                                          .identity = c->identity,
                                          .join = joins,
                                          .join_count = 1 };
    status = status == 0 ? cluster_fork(c, cmd, &options, boot) : status;
    return status != 0 ? status : cluster_ready(c, cmd);
}

/* ---- the end ---- */

static void cluster_remove(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    char path[512];

    while (d && (entry = readdir(d))) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
            unlink(path);
        }
    }
    if (d) {
        closedir(d);
    }
    rmdir(dir);
}

void cluster_stop(struct cluster *c)
{
    for (size_t i = 0; i < c->nodes; i++) {
        rusm_client_close(c->node[i].client);
        kill(c->node[i].pid, SIGKILL); /* no node needs to leave gracefully */
    }
    for (size_t i = 0; i < c->nodes; i++) {
        waitpid(c->node[i].pid, NULL, 0);
    }
    if (c->relay > 0) {
        kill(c->relay, SIGKILL);
        waitpid(c->relay, NULL, 0);
    }
    if (c->dir[0]) {
        cluster_remove(c->rundir);
        cluster_remove(c->apart);
        cluster_remove(c->dir);
    }
}

/* ---- what the nodes use ---- */

uint64_t cluster_cpu_ns(const struct cluster *c)
{
    uint64_t total = 0;

    for (size_t i = 0; i < c->nodes; i++) {
        struct timespec t;
        clockid_t clock; /* counts all threads of the process */
        if (clock_getcpuclockid(c->node[i].pid, &clock) == 0 && clock_gettime(clock, &t) == 0) {
            total += (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
        }
    }
    return total;
}

/* Returns a line of /proc/PID/status, in KiB. */
static uint64_t cluster_status_kib(const struct cluster *c, size_t index, const char *what)
{
    unsigned long long kib = 0;
    char path[64], line[256];
    size_t len = strlen(what);

    snprintf(path, sizeof(path), "/proc/%d/status", (int)c->node[index].pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, what, len) == 0 && sscanf(line + len, ": %llu", &kib) == 1) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return kib;
}

uint64_t cluster_rss_kib(const struct cluster *c, size_t index)
{
    return cluster_status_kib(c, index, "VmRSS");
}

uint64_t cluster_peak_kib(const struct cluster *c, size_t index)
{
    return cluster_status_kib(c, index, "VmHWM");
}
