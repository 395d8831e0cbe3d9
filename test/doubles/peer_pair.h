/* peer_pair: peers on real endpoints, pumped in one thread: a `host` is an endpoint with one peer
 * and a small router: mailboxes that can be full, grants one at a time a mailbox. A host faces
 * another host, or a raw `side` (quic_pair.h) that says whatever bytes a test wants. */
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

/* A process's mailbox, at the index that is its serial. */
struct box {
    struct letter *first, **last;
    size_t count, bytes;
    size_t max_count, max_bytes; /* 0: nobody there */
    size_t most_bytes;           /* that it ever held */
    size_t take;                 /* letters taken a tick; 0: none */
    bool noise;                  /* anything may be in them */
    uint64_t taken;
    struct list held;                  /* routes that wait for room */
    struct list asking;                /* routes that wait for a grant */
    struct route *granted;             /* whose turn it is */
    uint64_t next_by_from[HOST_BOXES]; /* what the next letter of a sender must say */
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
    struct peers peers; /* as in a node: its ticks come when it has something to do */
    struct lane_budget budget;
    struct lane_pools pools;
    struct box box[HOST_BOXES];
    uint64_t ahead_ns; /* added to the clock of turns and ticks */
    bool deny_grants;
    enum hello_role role;
    enum close_code verdict; /* on hello */
    bool adopt;              /* on hello */
    int adopt_verdict;       /* on the other side's ADOPT */
    size_t hellos, adopts, readies, closes, opened, lanes_closed, noproc, overflow;
    struct conn_end end;
    size_t writables, writable_all, refusals, refused_records, losses;
    uint64_t writable_from;
    int refused_cause, lost_cause;
    uint64_t last_after; /* of the lane that opened last */
    struct receipt receipt[HOST_RECEIPTS];
    size_t receipts;
    struct frame frame; /* the last one that came up, without its body */
    size_t frames;
    char hello_name[64];
};

/* ---- letters ---- */

/* What a test sends: its number, as far as there is room, and a pattern that depends on it. */
void letter_fill(uint8_t *data, size_t len, uint64_t number);

/* Takes the oldest letter; checks that it is the one that its sender sent next. */
void box_take(struct box *b);

void box_open(struct host *h, uint64_t serial, size_t max_count, size_t max_bytes, size_t take);

/* ---- the router ---- */

void box_grant_next(struct box *b);

/* ---- life ---- */

uint64_t host_now_ns(const struct host *h);

/* The lower name adopts. `streams`: lanes that the other may open; 0: LIMIT_LANES. */
void host_start(struct host *h, const char *name, const struct identity *id, uint64_t streams);

void host_stop(struct host *h);

void host_dial(struct host *h, struct host *to);

struct peer_counters host_count(const struct host *h);

/* ---- ticks ---- */

/* One tick of two hosts, or of a host and a raw side. Sleeps a millisecond if nothing is to do. */
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

/* Letter `number` of that length from one process to another. */
int host_send(struct host *h, uint64_t from, uint64_t to, size_t len, uint64_t number);

#endif
