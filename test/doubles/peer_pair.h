/* peer_pair: peers on real endpoints, driven in one thread. A `host` is an endpoint with one peer
 * and a small router. The router's mailboxes can be full, and each gives one grant at a time. The
 * other end is another host, or a raw `side` (quic_pair.h) that sends whatever bytes a test
 * wants. */
#ifndef DOUBLES_PEER_PAIR_H
#define DOUBLES_PEER_PAIR_H

#include "doubles/quic_pair.h"
#include "peer/peers.h"

#define HOST_BOXES 128
#define HOST_RECEIPTS 4096

struct letter {
    struct letter *next;
    struct credit *credit;
    struct record record;
    uint64_t from;
    uint32_t wire;
    uint8_t *data;
};

/* The mailbox of a process. Its index is the process's serial. */
struct box {
    struct letter *first, **last;
    size_t count, bytes;
    size_t max_count, max_bytes; /* 0: there is no process */
    size_t most_bytes;           /* the most bytes it ever held */
    size_t take;                 /* letters taken in one tick; 0: none */
    bool noise;                  /* letters may have any contents: they are not checked */
    uint64_t taken;
    struct list held;                  /* routes that wait for room */
    struct list asking;                /* routes that wait for a grant */
    struct route *granted;             /* the route that has the grant */
    uint64_t next_by_from[HOST_BOXES]; /* the number that a sender's next letter must have */
};

struct route {
    struct list at;
    struct host *host;
    struct lane_in *lane;
    struct box *box;
};

struct host {
    const char *name;
    struct endpoint *e;
    struct peer *peer;
    struct peers peers; /* as in a node: a peer's tick comes when it has something to do */
    struct lane_budget budget;
    struct lane_pools pools;
    struct box box[HOST_BOXES];
    uint64_t ahead_ns; /* added to the time that peers see */
    bool deny_grants;
    enum hello_role role;
    enum close_code verdict; /* returned from the hello upcall */
    bool adopt;              /* adopt the peer on its hello */
    int adopt_verdict;       /* returned when the other side's ADOPT comes */
    size_t hellos, adopts, readies, closes, opened, lanes_closed, noproc, overflow;
    struct conn_end end;
    size_t writables, writable_all, refusals, refused_records, losses;
    uint64_t writable_from;
    int refused_cause, lost_cause;
    uint64_t last_after; /* the `after` of the lane that opened last */
    struct receipt receipt[HOST_RECEIPTS];
    size_t receipts;
    struct frame frame; /* the last one delivered, without its body */
    size_t frames;
    char hello_name[64];
};

/* ---- letters ---- */

/* Fills a letter: its number, as far as there is room, and a pattern that depends on the number. */
void letter_fill(uint8_t *data, size_t len, uint64_t number);

/* Takes the oldest letter. Checks that it is the one that its sender sent next. */
void box_take(struct box *b);

void box_open(struct host *h, uint64_t serial, size_t max_count, size_t max_bytes, size_t take);

/* ---- the router ---- */

void box_grant_next(struct box *b);

/* ---- life ---- */

uint64_t host_now_ns(const struct host *h);

/* Starts a host. The host with the lower name adopts the other. `streams` is how many lanes the
 * other may open, 0 for LIMIT_LANES. */
void host_start(struct host *h, const char *name, const struct identity *id, uint64_t streams);

void host_stop(struct host *h);

void host_dial(struct host *h, struct host *to);

struct peer_counters host_count(const struct host *h);

/* ---- ticks ---- */

/* Runs one tick of two hosts, or of a host and a raw side. Sleeps a millisecond if there is nothing
 * to do. */
void pair_tick(struct host *a, struct host *b, struct side *raw);

#define pair_until(a, b, raw, condition)                           \
    do {                                                           \
        uint64_t give_up_ns = endpoint_now_ns() + 60000 * SIDE_MS; \
        while (!(condition)) {                                     \
            if (endpoint_now_ns() > give_up_ns)                    \
                fail_msg("never: %s", #condition);                 \
            pair_tick(a, b, raw);                                  \
        }                                                          \
    } while (0)

void pair_for(struct host *a, struct host *b, struct side *raw, uint64_t ms);

/* Dials and waits until messages may flow. */
void pair_connect(struct host *a, struct host *b);

/* ---- sending ---- */

struct parcel parcel_to(uint64_t from, uint64_t serial, const void *data, size_t len);

/* Sends letter `number` of that length from one process to another. */
int host_send(struct host *h, uint64_t from, uint64_t to, size_t len, uint64_t number);

#endif
