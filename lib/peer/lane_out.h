/* lane_out: the lanes that we send on, of one connection: pairs, their streams, their queues, and
 * whose turn it is. Used by peer.c only; the parcel is what the node fills. */
#ifndef PEER_LANE_OUT_H
#define PEER_LANE_OUT_H

#include "base/list.h"
#include "base/map.h"
#include "peer/lane_pools.h"
#include "peer/lane_rounds.h"
#include "peer/outq.h"
#include "quic/endpoint.h"
#include "wire/lane.h"

/* One record and its way. All borrowed. */
struct parcel {
    uint64_t from; /* serial of the sender here; 0: none */
    struct target to;
    uint8_t kind; /* enum record_kind; signals (EXIT and above) are told RUSM_BUSY above twice
                     LIMIT_PAIRS only */
    bool unordered, has_ref, has_receipt;
    uint64_t ref, receipt;
    const void *data;
    size_t len;
};

/* One stream of ours. */
struct lane_out {
    struct list all;   /* in lanes_out.all */
    struct list ready; /* in lanes_out.turns while it has something to send and may */
    struct outq q;
    struct pair *pair; /* NULL: unordered, or ended with a successor allowed */
    int64_t stream;
    uint64_t from;
    size_t slice;                           /* bytes left of its turn in this round */
    uint32_t round;                         /* of turns.number */
    bool fresh;                             /* has not used it up */
    bool unordered, blocked, ending, ended; /* FIN wanted; FIN sent */
    bool stopped;                           /* the peer wants no more; nothing is held */
};

/* A sender and a target as addressed: remembered while it has an open lane, signals without a
 * stream, or a last lane that the peer has not drained: the next one must name that, or order
 * would be lost. */
struct pair {
    struct map_node node;    /* in lanes_out.pairs */
    struct map_node ordinal; /* in lanes_out.ordinals while after != 0 */
    struct list open;        /* in lanes_out.open while it has a lane, roughly oldest first */
    struct list told;        /* in lanes_out.told: its sender was told RUSM_BUSY */
    struct list starving;    /* in lanes_out.starving: signals wait for a stream */
    struct outq signals;
    struct lane_out *lane;
    uint64_t after; /* 1 + ordinal of its last stream until that is drained; 0: none */
    uint64_t from, serial, used_ns;
    uint32_t incarnation;
    uint8_t kind; /* enum target_kind */
    uint8_t name_len;
    char name[];
};

struct lanes_out {
    struct conn *conn;
    struct map pairs, ordinals;
    struct list all, open, starving, told;
    struct lane_rounds turns;
    struct lane_pools *pools;
    uint64_t queued;      /* bytes in all queues */
    uint64_t max_message; /* the peer's */
    uint64_t lanes, lanes_unordered;
    uint64_t records, bytes, busy;
    bool told_all; /* someone without a pair was told RUSM_BUSY */
    void (*writable)(void *context, uint64_t from);
    void *context;
};

void lanes_out_init(struct lanes_out *o, struct conn *conn, struct lane_pools *pools, uint64_t seed,
                    void (*writable)(void *context, uint64_t from), void *context);
/* The connection is over; frees all lanes. */
void lanes_out_fini(struct lanes_out *o);

/* Records without acknowledgement. */
uint64_t lanes_out_unconfirmed(const struct lanes_out *o);
/* The same by sender, perhaps in parts; and, with 0, those whose records arrived but may not have
 * met their fate: their lane was not drained. */
void lanes_out_pending(const struct lanes_out *o,
                       void (*each)(void *context, uint64_t from, uint64_t records), void *context);

/* 0; RUSM_BUSY (lane's queue, connection's queue, lanes or pairs at their limit; `writable`
 * follows); RUSM_ETOOLARGE; RUSM_ENOMEM; RUSM_ECLOSED. */
int lanes_out_send(struct lanes_out *o, const struct parcel *p, uint64_t now_ns);

/* What the endpoint asks and tells; the lane is the stream's user pointer. */
int lanes_out_pull(struct lanes_out *o, int64_t *stream, struct iovec *vec, size_t cap, bool *fin);
void lane_out_pulled(struct lanes_out *o, struct lane_out *l, size_t len, bool fin);
void lane_out_blocked(struct lane_out *l);
void lane_out_writable(struct lanes_out *o, struct lane_out *l);
void lane_out_acked(struct lanes_out *o, struct lane_out *l, uint64_t len);
/* The peer wants no more of it: what is queued is dropped; returns how many records. */
uint64_t lane_out_stopped(struct lanes_out *o, struct lane_out *l);
void lane_out_closed(struct lanes_out *o, struct lane_out *l);
void lanes_out_streams(struct lanes_out *o);
void lanes_out_drained(struct lanes_out *o, uint64_t ordinal);
/* No more will be sent: ends all lanes. */
void lanes_out_end(struct lanes_out *o);
/* Ends idle lanes. */
void lanes_out_tick(struct lanes_out *o, uint64_t now_ns);

#endif
