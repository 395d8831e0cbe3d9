/* peer.h: what the drivers of the peers share. A driver does the work of `rusm bench` over another
 * transport: the hub, which is the driver itself, workers as processes of the system, the same
 * messages, windows and phases, and the same JSON. A transport is a struct peer. */
#ifndef PEER_H
#define PEER_H

#include "bench.h"

#define SENDER_NAME 9                  /* "s00000001" */
#define MESSAGE_SIZE (8 + SENDER_NAME) /* fanout: the time, and who gets the reply */
#define PEER_WAIT_MS 100               /* a hub's wait for replies, at most */
#define PEER_PROCESSES (BENCH_WORKERS_MAX + 1)

/* The command line, and what was started. */
struct peer_run {
    bool closed;
    uint32_t seconds, workers, senders, window, payload;
    uint16_t server;                  /* port of the server in the middle, where there is one */
    uint16_t port[BENCH_WORKERS_MAX]; /* what each worker's peer_ready said */
    pid_t pid[PEER_PROCESSES];
    size_t pids;
};

struct hub;

struct peer {
    const char *name;
    /* Before the workers: starts a server with peer_fork. NULL: there is none. */
    void (*prepare)(struct peer_run *r);
    /* A worker's whole life. It says peer_ready when messages can come, and never returns. */
    void (*work)(const struct peer_run *r, uint32_t worker, int ready);
    /* The hub's side, after all the workers are ready. */
    void *(*open)(const struct peer_run *r);
    /* One message to a worker, borrowed; `sender` is who sends (in the closed loop the reply goes
     * there; else to whom the message names). False when there is no room now. */
    bool (*send)(void *link, uint32_t worker, const char *sender, const void *data, size_t len);
    /* After each tick: what was sent goes out. NULL: it did already. */
    void (*flush)(void *link);
    /* Waits for replies and calls hub_reply for those that are there. */
    void (*receive)(void *link, struct hub *h);
};

/* The driver's main. */
int peer_main(int argc, char **argv, const struct peer *peer);

/* A reply has come to the sender of that name. */
void hub_reply(struct hub *h, const char *name, const void *data, size_t len);

/* ---- process.c
 * --------------------------------------------------------------------------------- */

/* A child that ends when the hub does; its CPU time counts. 0 in the child. */
pid_t peer_fork(struct peer_run *r);
/* In a worker: messages can come; `port` is for the hub's open. */
void peer_ready(int ready, uint16_t port);
/* The workers, each once it is ready. */
void process_start(struct peer_run *r, const struct peer *peer);
void process_stop(struct peer_run *r);
/* CPU time of all processes so far, all their threads; the hub's peak memory. */
uint64_t process_cpu_ns(const struct peer_run *r);
uint64_t process_peak_kib(void);

#endif
