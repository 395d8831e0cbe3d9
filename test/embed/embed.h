/* embed: what the programs here share: two nodes of a private cluster, each on its own thread, in a
 * folder that is removed at the end. Uses only rusm.h, as any program that embeds nodes would. */
#ifndef TEST_EMBED_H
#define TEST_EMBED_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rusm.h"

/* Ends the program with a line that says what was expected. */
#define expect(condition, ...)                                                       \
    do {                                                                             \
        if (!(condition)) {                                                          \
            fprintf(stderr, "%s:%d: expected %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                            \
            fprintf(stderr, "\n");                                                   \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

/* The longest time that anything may take. Machines are slow, and sanitizers slower. */
#define PATIENCE_MS 120000u

struct place {
    char dir[80], rundir[96], identity[96];
};

struct running {
    struct rusm_node *node;
    pthread_t thread;
};

static inline uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline void place_make(struct place *p)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(p->dir, sizeof(p->dir), "%s/rusm-embed-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    expect(mkdtemp(p->dir), "a temporary folder");
    snprintf(p->rundir, sizeof(p->rundir), "%s/run", p->dir);
    snprintf(p->identity, sizeof(p->identity), "%s/cluster.pem", p->dir);
}

static inline void place_remove(const struct place *p)
{
    unlink(p->identity);
    rmdir(p->rundir);
    rmdir(p->dir);
}

/* Makes a node that does not run yet. The caller teaches and boots it, and then calls run_start. */
static inline struct rusm_node *node_make(const struct place *p, const char *name, int output_fd)
{
    struct rusm_node_options options = { .name = name,
                                         .rundir = p->rundir,
                                         .identity = p->identity,
                                         .identity_create = true,
                                         .output_fd = output_fd,
                                         .log_level = RUSM_LOG_ERROR };
    struct rusm_node *node;
    struct rusm_why why;
    int error = rusm_node_new(&node, &options, &why);
    expect(error == 0, "node %s: %s", name, why.text);
    return node;
}

static inline void *run_thread(void *node)
{
    rusm_node_run(node);
    return NULL;
}

static inline void run_start(struct running *r, struct rusm_node *node)
{
    r->node = node;
    expect(pthread_create(&r->thread, NULL, run_thread, node) == 0, "a thread");
}

static inline void run_stop(struct running *r)
{
    rusm_node_stop(r->node);
    pthread_join(r->thread, NULL);
    rusm_node_free(r->node);
}

static inline struct rusm_client *client_to(const struct place *p, const char *node)
{
    struct rusm_client_options options = { .rundir = p->rundir,
                                           .identity = p->identity,
                                           .timeout_ms = PATIENCE_MS };
    struct rusm_client *client;
    struct rusm_why why;
    int error = rusm_client_open(&client, &options, node, &why);
    expect(error == 0, "a client of %s: %s", node, why.text);
    return client;
}

static inline const char *field(const struct rusm_field *fields, size_t count, const char *column)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, column) == 0) {
            return fields[i].text ? fields[i].text : "";
        }
    }
    return "";
}

struct awaited {
    const char *node;
    bool seen;
};

static inline int await_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct awaited *a = context;
    if (strcmp(field(fields, count, "node"), a->node) == 0 &&
        strcmp(field(fields, count, "state"), "connected") == 0) {
        a->seen = true;
    }
    return 0;
}

/* Asks until the client's node is connected to the other node. */
static inline void await_peer(struct rusm_client *client, const char *node)
{
    uint64_t until = clock_ms() + PATIENCE_MS;
    struct awaited a = { .node = node };
    struct rusm_why why;
    while (!a.seen) {
        expect(clock_ms() < until, "%s connected to %s", rusm_client_node(client), node);
        int error = rusm_client_list(client, RUSM_TABLE_PEERS, await_row, &a, &why);
        expect(error == 0, "the peers: %s", why.text);
    }
}

#endif
