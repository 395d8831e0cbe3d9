/* lane_out: the outgoing lanes of one connection: pairs, their streams, their queues, and whose
 * turn it is. Used by peer.c, peer_control.c and peer_stream.c. The node and the client fill
 * parcels. */
#ifndef PEER_LANE_OUT_H
#define PEER_LANE_OUT_H

#include "base/list.h"
#include "base/map.h"
#include "peer/lane_pools.h"
#include "peer/lane_rounds.h"
#include "peer/outq.h"
#include "quic/endpoint.h"
#include "wire/lane.h"

/* One record, its sender and its target. All borrowed. */
struct parcel {
    uint64_t from; /* serial of the sending process on this node; 0: none */
    struct target to;
    uint8_t kind; /* enum record_kind; signals are EXIT and above */
    bool unordered, has_ref, has_receipt;
    uint64_t ref, receipt;
    const void *data;
    size_t len;
};

/* An outgoing lane: one stream. */
struct lane_out {
    struct list all;   /* in lanes_out.all */
    struct list ready; /* in lanes_out.turns while it has something to send and may send it */
    struct outq q;
    struct pair *pair; /* NULL: unordered, or ending, so that the pair may open a successor */
    int64_t stream;
    uint64_t from;
    size_t slice;                           /* bytes left of its turn in this round */
    uint32_t round;                         /* lane_rounds.number of that round */
    bool fresh;                             /* it has not used up its slice */
    bool unordered, blocked, ending, ended; /* ending: FIN is wanted; ended: FIN is sent */
    bool stopped;                           /* the peer wants no more, and the queue is empty */
};

/* A sender and a target as addressed. A pair is remembered while it has an open lane, signals that
 * wait for a stream, or a last lane that the peer has not drained. The next lane must name that
 * lane, or order would be lost. */
struct pair {
    struct map_node node;    /* in lanes_out.pairs */
    struct map_node ordinal; /* in lanes_out.ordinals while after != 0 */
    struct list open;        /* in lanes_out.open while it has a lane, roughly the oldest first */
    struct list told;        /* in lanes_out.told after its sender was told RUSM_BUSY */
    struct list starving;    /* in lanes_out.starving while its signals wait for a stream */
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
    uint64_t max_message; /* longest payload that the peer takes */
    uint64_t lanes, lanes_unordered;
    uint64_t records, bytes, busy;
    bool told_all; /* a sender without a pair was told RUSM_BUSY */
    void (*writable)(void *context, uint64_t from);
    void *context;
};

void lanes_out_init(struct lanes_out *o, struct conn *conn, struct lane_pools *pools, uint64_t seed,
                    void (*writable)(void *context, uint64_t from), void *context);
/* Frees all lanes and pairs at the end of the connection. */
void lanes_out_fini(struct lanes_out *o);

/* Returns the number of records that are not acknowledged yet. */
uint64_t lanes_out_unconfirmed(const struct lanes_out *o);
/* Calls `each` with the number of such records of each sender. A sender may come several times,
 * each time with a part. A sender comes with 0 records if all arrived but their lane is not
 * drained: the peer may not have delivered or discarded them yet. */
void lanes_out_pending(const struct lanes_out *o,
                       void (*each)(void *context, uint64_t from, uint64_t records), void *context);

/* Queues a record. Returns 0, RUSM_BUSY if the lane's queue, the connection's queue, the lanes or
 * the pairs are at their limit (then `writable` follows), RUSM_ETOOLARGE, RUSM_ENOMEM, RUSM_ECLOSED
 * if the connection is closing, or RUSM_ENOCONN if a signal finds LIMIT_CONN_SIGNALS queued (then
 * the connection is being closed). An ordered signal gets RUSM_BUSY only above twice
 * LIMIT_PAIRS. */
int lanes_out_send(struct lanes_out *o, const struct parcel *p, uint64_t now_ns);

/* For the endpoint's events. The stream's user pointer is the lane. */
int lanes_out_pull(struct lanes_out *o, int64_t *stream, struct iovec *vec, size_t cap, bool *fin);
void lane_out_pulled(struct lanes_out *o, struct lane_out *l, size_t len, bool fin);
void lane_out_blocked(struct lane_out *l);
void lane_out_writable(struct lanes_out *o, struct lane_out *l);
void lane_out_acked(struct lanes_out *o, struct lane_out *l, uint64_t len);
/* Drops what is queued when the peer wants no more of the lane. Returns the number of records
 * dropped. */
uint64_t lane_out_stopped(struct lanes_out *o, struct lane_out *l);
void lane_out_closed(struct lanes_out *o, struct lane_out *l);
/* To be called when the peer allows more streams. */
void lanes_out_streams(struct lanes_out *o);
/* To be called when the peer says that it has drained that lane. */
void lanes_out_drained(struct lanes_out *o, uint64_t ordinal);
/* Ends all lanes, as nothing more will be sent. */
void lanes_out_end(struct lanes_out *o);
/* Ends lanes that have been idle for LIMIT_LANE_IDLE_NS. To be called about once a second. */
void lanes_out_tick(struct lanes_out *o, uint64_t now_ns);

#endif
