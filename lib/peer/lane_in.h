/* lane_in: the lanes that a peer sends on, of one connection: bytes in, records out, credit back.
 * Used by peer.c; the node's router sees struct lane_in read-only, but for `user`.
 *
 * Credit (see rusm-protocol(7)): the stream's limit is T + W + G and never goes down. T: bytes of
 * records taken by the process or discarded. W: the window. G: the granted length of one record
 * longer than W/2 that is not yet taken. */
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

/* What all lanes of a scheduler share. */
struct lane_budget {
    uint64_t windows_left; /* growth of W beyond LIMIT_LANE_WINDOW */
    struct grant_budget grants;
};
/* A share of the node's, for one of so many schedulers. */
void lane_budget_init(struct lane_budget *b, unsigned schedulers);

enum lane_state {
    LANE_HEADER, /* its header is not complete */
    LANE_AFTER,  /* waits for the pair's previous lane */
    LANE_OPEN,
    LANE_HELD, /* the mailbox is full: waits for lane_in_resume */
};

/* Most names fit, with their 0. */
#define LANE_SHORT_NAME 24

struct lane_in {
    struct map_node by_ordinal; /* in lanes_in.lanes */
    struct map_node by_after;   /* in lanes_in.waiting while LANE_AFTER */
    struct list resume;         /* in lanes_in.resumed: to be run in this tick */
    struct grant claim; /* of the large record; `at` is in lanes_in.granted once it is given */
    int64_t stream;
    uint64_t ordinal, after, from;
    struct target to; /* name points to `name` */
    void *user;       /* the router's */

    struct credit *credit;         /* its account */
    struct credit *granted_credit; /* that of the granted record once it is delivered; NULL: none */
    uint64_t taken;                /* T */
    uint64_t window;               /* W */
    uint64_t shrunk;               /* what W was more, until the limit is T + W + G again */
    uint64_t grant;                /* G */
    uint64_t limit;                /* what the peer was told */
    uint64_t decoded;              /* bytes of the stream decoded or discarded so far */
    uint64_t grew_at;              /* T when the growth of W was last looked at */
    uint64_t grew_ns;              /* and when that was */
    uint64_t paced_ns;             /* when it was last looked at how the granted record comes on */
    uint64_t paced_at;             /* and what of it had come */

    struct buf rx;        /* undecoded bytes */
    struct record record; /* the one under way in a block: "large" */
    uint8_t *block;       /* its payload so far, in what becomes the message's own memory */
    uint64_t block_have, block_cap;
    uint64_t skip; /* payload bytes still to be discarded */
    uint32_t wire; /* the large record's bytes on the wire */

    uint8_t state; /* enum lane_state */
    bool unordered, large;
    bool asks;      /* the large record is too long for the window: it needs a grant */
    bool paced;     /* its pace is looked at */
    bool deferred;  /* the large record under way asks when the grant before it is over */
    bool fin;       /* no more bytes will come */
    bool broken;    /* reset by them, or stopped by us: what comes until then is not read */
    bool delivered; /* unordered: its one record is done */
    bool announced; /* lane_opened was called */
    char *name;     /* the target's: short_name, or its own memory */
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
    struct map waiting; /* by after */
    struct map unseen;  /* ordinals below `next` whose first byte has not arrived */
    struct list resumed, granted;
    struct grant_share share;
    uint64_t grown; /* all windows, beyond LIMIT_LANE_WINDOW each */
    /* Lanes whose messages were taken; due for a turn with those of `resumed`. */
    struct credit_owner owed;
    uint64_t next; /* 1 + the highest ordinal seen */
    uint64_t records, bytes;
    uint64_t
        now_ns; /* of its last tick, which may be long ago: it has none while bytes only come */
    bool ready;
    void (*drained)(struct peer *p, uint64_t ordinal);
};

void lanes_in_init(struct lanes_in *in, struct conn *conn, struct peer *peer,
                   const struct peer_events *events, void *context, struct lane_budget *budget,
                   struct lane_pools *pools, uint64_t seed,
                   void (*drained)(struct peer *p, uint64_t ordinal));
void lanes_in_fini(struct lanes_in *in);

/* All return 0 or a negative code that closes the connection: RUSM_EMALFORMED, RUSM_ENOMEM. */
int lanes_in_opened(struct lanes_in *in, int64_t stream);
int lane_in_data(struct lanes_in *in, struct lane_in *l, const uint8_t *data, size_t len, bool fin);
int lane_in_reset(struct lanes_in *in, struct lane_in *l);
/* The stream is finished and forgotten by the transport. */
int lane_in_closed(struct lanes_in *in, struct lane_in *l);
/* From now on lanes are delivered: those that came before, in the next tick. */
void lanes_in_start(struct lanes_in *in);
/* Lanes that were resumed or granted; credit that came back. */
int lanes_in_turn(struct lanes_in *in, uint64_t now_ns);
/* About once a second: breaks off granted records that do not come on (LIMIT_GRANT_STALL_NS). */
void lanes_in_tick(struct lanes_in *in, uint64_t now_ns);
void lane_in_resume(struct lanes_in *in, struct lane_in *l);
/* It is the large record's turn in its mailbox. */
void lane_in_grant(struct lanes_in *in, struct lane_in *l);

#endif
