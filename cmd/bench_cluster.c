/* bench_cluster: the nodes of a bench: forked, each a process of the system, in a run folder and
 * with an identity of their own, which are removed at the end. */
#include "bench.h"

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

/* ---- in the child ------------------------------------------------------------------------------ */

int cluster_boot(struct rusm_node *node, const char *name, const char *spawnable, const char *arg,
                 struct rusm_why *why)
{
    const char *args[] = { arg };
    const struct rusm_boot boot = {
        .name = name, .spawnable = spawnable, .args = args, .arg_count = arg ? 1 : 0
    };
    return rusm_node_boot(node, &boot, why);
}

/* Runs the node; writes a byte to `ready` when it is, or the reason why it is not. */
static int cluster_child(const struct cluster *c, const char *name, cluster_boot_fn *boot,
                         int ready)
{
    const struct rusm_node_options options = { .name = name,
                                               .rundir = c->rundir,
                                               .identity = c->identity };
    struct rusm_why why = { "" }; /* empty, its NUL is the byte that says ready */
    struct rusm_node *node;
    int error;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the parent ends us */
    error = rusm_node_new(&node, &options, &why);
    error = error == 0 ? boot(node, c->nodes, &why) : error;
    /* A parent that can't be told is gone. */
    if (write(ready, why.text, error != 0 ? strlen(why.text) : 1) < 0 || error != 0) {
        return EXIT_FAILED;
    }
    close(ready);
    rusm_node_run(node);
    rusm_node_free(node);
    return EXIT_DONE;
}

/* ---- in the parent ------------------------------------------------------------------------------ */

static int cluster_fork(struct cluster *c, const struct cmd *cmd, const char *name,
                        cluster_boot_fn *boot)
{
    struct bench_node *node = &c->node[c->nodes];
    char text[512];
    int pipes[2];

    if (pipe(pipes) != 0) {
        return failure_say(cmd, EXIT_FAILED, "cannot make a pipe: %s", strerror(errno));
    }
    snprintf(node->name, sizeof(node->name), "%s", name);
    fflush(NULL);
    node->pid = fork();
    if (node->pid == 0) {
        close(pipes[0]);
        _exit(cluster_child(c, name, boot, pipes[1]));
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
        return failure_say(cmd, EXIT_FAILED, "node %s did not start: %s", name, text);
    }
    return 0;
}

struct cluster_peers {
    size_t connected;
};

static int cluster_peer(void *context, const struct rusm_field *fields, size_t count)
{
    struct cluster_peers *peers = context;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, "state") == 0 && strcmp(fields[i].text, "connected") == 0) {
            peers->connected++;
        }
    }
    return 0;
}

static int cluster_await(struct cluster *c, const struct cmd *cmd, size_t workers)
{
    const struct timespec pause = { .tv_nsec = 2000000 };
    struct cluster_peers peers;
    struct rusm_why why;

    for (int i = 0; i < CLUSTER_START_MS / 2; i++) {
        peers.connected = 0;
        int error = rusm_client_list(c->hub, RUSM_TABLE_PEERS, cluster_peer, &peers, &why);
        if (error != 0) {
            return failure_report(cmd, error, &why);
        }
        if (peers.connected == workers) {
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    return failure_say(cmd, EXIT_BUSY, "only %zu of %zu workers connected", peers.connected,
                       workers);
}

int cluster_start(struct cluster *c, const struct cmd *cmd, size_t nodes, cluster_boot_fn *boot)
{
    const char *tmp = getenv("TMPDIR");
    struct rusm_identity_info info;
    struct rusm_client_options options = { .rundir = c->rundir,
                                           .identity = c->identity,
                                           .timeout_ms = CLUSTER_START_MS };
    struct rusm_why why;
    int error, status;

    memset(c, 0, sizeof(*c));
    if ((size_t)snprintf(c->dir, sizeof(c->dir), "%s/rusm-bench-XXXXXX",
                         tmp && tmp[0] ? tmp : "/tmp") >= sizeof(c->dir) ||
        !mkdtemp(c->dir)) {
        c->dir[0] = '\0';
        return failure_say(cmd, EXIT_FAILED, "cannot make a folder in %s: %s", tmp ? tmp : "/tmp",
                           strerror(errno));
    }
    snprintf(c->rundir, sizeof(c->rundir), "%s/run", c->dir);
    snprintf(c->identity, sizeof(c->identity), "%s/cluster.pem", c->dir);
    error = rusm_identity_new(c->identity, &info, &why);
    if (error != 0) {
        return failure_report(cmd, error, &why);
    }
    status = cluster_fork(c, cmd, "hub", boot);
    for (size_t i = 1; status == 0 && i < nodes; i++) {
        char name[32];
        snprintf(name, sizeof(name), "worker%zu", i - 1);
        status = cluster_fork(c, cmd, name, boot);
    }
    if (status != 0) {
        return status;
    }
    error = rusm_client_open(&c->hub, &options, "hub", &why);
    return error != 0 ? failure_report(cmd, error, &why) : cluster_await(c, cmd, nodes - 1);
}

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
    rusm_client_close(c->hub);
    for (size_t i = 0; i < c->nodes; i++) {
        kill(c->node[i].pid, SIGKILL); /* nothing in them is worth a graceful leave */
    }
    for (size_t i = 0; i < c->nodes; i++) {
        waitpid(c->node[i].pid, NULL, 0);
    }
    if (c->dir[0]) {
        cluster_remove(c->rundir);
        cluster_remove(c->dir);
    }
}

uint64_t cluster_cpu_ns(const struct cluster *c)
{
    uint64_t total = 0;

    for (size_t i = 0; i < c->nodes; i++) {
        struct timespec t;
        clockid_t clock; /* of all threads of the process */
        if (clock_getcpuclockid(c->node[i].pid, &clock) == 0 && clock_gettime(clock, &t) == 0) {
            total += (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
        }
    }
    return total;
}

uint64_t cluster_hub_peak_kib(const struct cluster *c)
{
    unsigned long long kib = 0;
    char path[64], line[256];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)c->node[0].pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "VmHWM: %llu", &kib) == 1) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return kib;
}
