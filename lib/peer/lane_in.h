/* lane_in: the incoming lanes of one connection. Bytes come in, records go up to the router, and
 * credit goes back to the peer. Used by peer.c, peer_control.c and peer_stream.c. The node's router
 * may read struct lane_in, and may write only `user`.
 *
 * Credit (see rusm-protocol(7)): the stream's limit is T + W + G and never goes down. T is the
 * bytes of the lane, header and records, that the process has taken or that were discarded. W is
 * the window. G is the granted length of one record longer than W/2 that the process has not taken
 * yet. */
#ifndef PEER_LANE_IN_H
#define PEER_LANE_IN_H

#include "base/buf.h"
#include "base/credit.h"
#include "base/list.h"
#include "base/map.h"
#include "quic/endpoint.h"
#include "peer/grant.h"
#include "peer/lane_pools.h"
#include "wire/control.h"
#include "wire/lane.h"

struct peer;

/* What all incoming lanes of a scheduler share. */
struct lane_budget {
    uint64_t windows_left; /* bytes by which windows may still grow beyond LIMIT_LANE_WINDOW */
    struct grant_budget grants;
};
/* Sets up the budget of one of `schedulers` schedulers: its share of the node's. */
void lane_budget_init(struct lane_budget *b, unsigned schedulers);

enum lane_state {
    LANE_HEADER, /* its header is incomplete */
    LANE_AFTER,  /* waits until the pair's previous lane is drained */
    LANE_OPEN,
    LANE_HELD, /* waits for lane_in_resume, because the mailbox is full */
};

/* Bytes of lane_in.short_name. Most names fit, with their NUL. */
#define LANE_SHORT_NAME 24

struct lane_in {
    struct map_node by_ordinal; /* in lanes_in.lanes */
    struct map_node by_after;   /* in lanes_in.waiting while LANE_AFTER */
    struct list resume;         /* in lanes_in.resumed: runs in the next lanes_in_turn */
    struct grant claim;         /* of the large record; once granted, `at` is in lanes_in.granted */
    int64_t stream;
    uint64_t ordinal, after, from;
    struct target to; /* its name points to `name` */
    void *user;       /* for the router's use */

    struct credit *credit;         /* account of all records but the granted one */
    struct credit *granted_credit; /* account of the granted record; NULL before it is delivered */
    uint64_t taken;                /* T */
    uint64_t window;               /* W */
    uint64_t shrunk;               /* bytes that W lost, until the limit is T + W + G again */
    uint64_t grant;                /* G */
    uint64_t limit;                /* the limit that the peer knows */
    uint64_t decoded;              /* bytes of the stream decoded or discarded so far */
    uint64_t grew_at;              /* T when the growth of W was last checked */
    uint64_t grew_ns;              /* time of that check */
    uint64_t paced_ns;             /* time of the last check of the granted record's pace */
    uint64_t paced_at;             /* bytes of it that had come by then */

    struct buf rx;        /* undecoded bytes */
    struct record record; /* the large record, which comes in a block */
    uint8_t *block;       /* its payload so far; becomes the message's memory */
    uint64_t block_have, block_cap;
    uint64_t skip; /* payload bytes still to discard */
    uint32_t wire; /* the large record's bytes on the wire */

    uint8_t state;         /* enum lane_state */
    bool unordered, large; /* large: a large record is under way */
    bool asks;             /* the large record is longer than W/2 and needs a grant */
    bool paced;            /* paced_ns and paced_at are set */
    bool deferred;         /* the large record asks when the grant before it ends */
    bool fin;              /* no more bytes will come */
    bool broken;           /* the peer reset it or we stopped it: further bytes are not read */
    bool delivered;        /* if unordered: its one record is done */
    bool announced;        /* lane_opened was called */
    char *name;            /* of the target: short_name, or memory of its own */
    char short_name[LANE_SHORT_NAME];
};

struct lanes_in {
    struct conn *conn;
    struct peer *peer;
    const struct peer_events *events;
    void *context;
    struct lane_budget *budget;
    struct lane_pools *pools;
    struct map lanes;   /* by ordinal */
    struct map waiting; /* lanes in LANE_AFTER, by `after` */
    struct map unseen;  /* ordinals below `next` of which no byte has arrived */
    struct list resumed, granted;
    struct grant_share share;
    uint64_t grown; /* growth of all windows beyond LIMIT_LANE_WINDOW */
    /* Accounts of lanes whose messages were taken. It is due for a turn when it has some, or when
     * `resumed` has lanes. */
    struct credit_owner owed;
    uint64_t next; /* 1 + the highest ordinal seen */
    uint64_t records, bytes;
    /* Time of the last lanes_in_turn. It may be long ago: bytes that arrive need no turn. */
    uint64_t now_ns;
    bool ready;
    void (*drained)(struct peer *p, uint64_t ordinal);
};

void lanes_in_init(struct lanes_in *in, struct conn *conn, struct peer *peer,
                   const struct peer_events *events, void *context, struct lane_budget *budget,
                   struct lane_pools *pools, uint64_t seed,
                   void (*drained)(struct peer *p, uint64_t ordinal));
void lanes_in_fini(struct lanes_in *in);

/* The functions of this header that return int return 0, RUSM_EMALFORMED or RUSM_ENOMEM. On an
 * error the caller closes the connection. */
int lanes_in_opened(struct lanes_in *in, int64_t stream);
int lane_in_data(struct lanes_in *in, struct lane_in *l, const uint8_t *data, size_t len, bool fin);
int lane_in_reset(struct lanes_in *in, struct lane_in *l);
/* To be called when the transport has finished and forgotten the stream. */
int lane_in_closed(struct lanes_in *in, struct lane_in *l);
/* Starts the delivery of records. Lanes that came before run in the next tick. */
void lanes_in_start(struct lanes_in *in);
/* Takes the credit that came back, then runs the lanes that were resumed or granted. */
int lanes_in_turn(struct lanes_in *in, uint64_t now_ns);
/* Breaks off lanes whose granted record stalls (LIMIT_GRANT_STALL_NS). To be called about once a
 * second. */
void lanes_in_tick(struct lanes_in *in, uint64_t now_ns);
/* Lets a held lane run again, in the next lanes_in_turn. */
void lane_in_resume(struct lanes_in *in, struct lane_in *l);
/* Says that the large record has its turn in its mailbox. */
void lane_in_grant(struct lanes_in *in, struct lane_in *l);

#endif
