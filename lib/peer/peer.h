/* peer: a QUIC connection seen as frames, lanes and records. Knows no processes: what arrives goes
 * up through struct peer_events, in which the node's router answers what became of it. One thread;
 * made by the node for each connection that completed its handshake.
 *
 * Life: peer_new -> hello both ways -> (between nodes) adopt -> ready -> closed -> peer_free.
 * Until ready, lanes are buffered up to their first credit and nothing is delivered.
 */
#ifndef PEER_PEER_H
#define PEER_PEER_H

#include "peer/limits.h"
#include "peer/lane_in.h"
#include "peer/lane_out.h"
#include "quic/endpoint.h"
#include "wire/close.h"
#include "wire/control.h"

struct peer;
struct peers;

/* What the node's router does with a record. */
enum delivery {
    DELIVERY_TAKEN,     /* in a mailbox: the message holds peer_lane_credit(lane) and gives back
                           wire_bytes when it is taken. A block was taken too. */
    DELIVERY_DISCARDED, /* it met its fate (noproc …), which the router counted; block not taken */
    DELIVERY_HOLD,      /* mailbox full: offered again after peer_lane_resume. Not for unordered */
};

struct peer_events {
    /* The peer introduces itself. CLOSE_NONE to go on, else the connection is closed so. */
    enum close_code (*hello)(void *context, struct peer *p, const struct hello *hello);
    /* The other side adopts the connection. 0: ready. RUSM_BUSY: put off, until peer_adopted; what
     * comes behind waits. RUSM_EMALFORMED: not its to say. May be NULL for a client. */
    int (*adopt)(void *context, struct peer *p);
    /* Messages may flow: lanes are delivered from now on. */
    void (*ready)(void *context, struct peer *p);
    /* Frames that the peer room does not handle itself: LEAVE, REQUEST, REPLY, CANCEL, NODES,
     * NAMES, PONG, EXIT. 0, or RUSM_EMALFORMED to close the connection. */
    int (*frame)(void *context, struct peer *p, const struct frame *frame);
    void (*receipt)(void *context, struct peer *p, const struct receipt *receipt);

    /* A lane came up: its header is known. The router may set lane->user. */
    void (*lane_opened)(void *context, struct peer *p, struct lane_in *lane);
    /* A complete record. Its payload is borrowed, or, if block is not NULL, in that heap block
     * (payload_len + 1 bytes, the last one 0), which DELIVERY_TAKEN takes. */
    enum delivery (*deliver)(void *context, struct peer *p, struct lane_in *lane,
                             const struct record *record, const uint8_t *payload, void *block,
                             uint32_t wire_bytes);
    /* A large record wants its turn in the mailbox, to be granted when there is room for it
     * among all that are. 1: it has it; 0: later, by peer_lane_grant; negative: there is nobody
     * to take it (counted): it is discarded as it arrives. */
    int (*grant)(void *context, struct peer *p, struct lane_in *lane, const struct record *record);
    /* The granted record was taken, discarded or reset: the next may have its turn. */
    void (*grant_done)(void *context, struct peer *p, struct lane_in *lane);
    /* It is drained or reset: user may be freed. Also for each lane left when the peer is freed. */
    void (*lane_closed)(void *context, struct peer *p, struct lane_in *lane);
    /* Records that the peer broke off: how many can't be known; at least one. */
    void (*lane_lost)(void *context, struct peer *p, struct lane_in *lane, int cause);

    /* A sender that was told RUSM_BUSY may try again; 0: all of them. */
    void (*writable)(void *context, struct peer *p, uint64_t from);
    /* Our lane to that target was refused or reset by the peer, with what was queued in it. */
    void (*refused)(void *context, struct peer *p, uint64_t from, uint64_t records, int cause);
    /* The control stream has room again, after peer_has_room said no. NULL: nobody cares. */
    void (*room)(void *context, struct peer *p);
};

struct peer_options {
    struct conn *conn;
    const struct peer_events *events;
    void *context;
    struct hello hello;         /* ours; sent at once by the dialler, in answer by the other */
    struct lane_budget *budget; /* of the whole scheduler; kept */
    struct lane_pools *pools;   /* the same */
    struct peers *peers;        /* so too: peers.h; NULL: its turns and ticks come by themselves */
    uint64_t seed;
    uint64_t now_ns;
};

int peer_new(struct peer **out, const struct peer_options *options); /* or RUSM_ENOMEM */
void peer_free(struct peer *p);                                      /* NULL is fine */

/* The stream callbacks of an endpoint whose conn_app is a struct peer (or NULL: ignored). */
void peer_fill_events(struct endpoint_events *events);

/* The idle policy of all connections between peers: a peer is lost after idle_ns of silence, and
 * each side says something often enough before that. Fills these options of an endpoint. */
static inline void peer_idle_options(struct endpoint_options *o, uint64_t idle_ns)
{
    o->idle_timeout_ns = idle_ns;
    o->keep_alive_ns = idle_ns / 3 < LIMIT_KEEP_ALIVE_NS ? idle_ns / 3 : LIMIT_KEEP_ALIVE_NS;
    o->idle_code = CLOSE_TIMEOUT;
}

/* ---- for the node ---- */
struct conn *peer_conn(const struct peer *p);
void *peer_user(const struct peer *p); /* the node's own pointer */
void peer_set_user(struct peer *p, void *user);
bool peer_is_ready(const struct peer *p);
bool peer_has_hello(const struct peer *p);
/* This connection is the one (node with the lower name; or a client's): sends ADOPT between nodes,
 * becomes ready. */
void peer_adopt(struct peer *p);
/* The other side's ADOPT may act now, if it came and was put off. Not from within an upcall. */
void peer_adopted(struct peer *p);
void peer_close(struct peer *p, enum close_code code, const char *text);

/* Queues a control frame. 0, RUSM_ETOOLARGE (over LIMIT_FRAME), RUSM_ECLOSED; RUSM_ENOMEM,
 * RUSM_ELIMIT (queue full): the connection is being closed. */
int peer_send_frame(struct peer *p, enum frame_type type, bool skip, const void *body, size_t len);
/* Whether so little waits on the control stream that more may be queued, of what can be put off;
 * false: `room` follows. */
bool peer_has_room(struct peer *p);
/* What became of a record that asked; sent with the next flush. */
void peer_send_receipt(struct peer *p, uint64_t id, uint64_t status);

/* Sends a record. See lane_out.h for parcels and errors. */
int peer_send(struct peer *p, const struct parcel *parcel, uint64_t now_ns);

/* ---- for the router, about a lane that came in ---- */
void peer_lane_resume(struct peer *p, struct lane_in *lane);
void peer_lane_grant(struct peer *p, struct lane_in *lane);
/* The account of the record that `deliver` is asked about. Borrowed: a message holds a
 * reference. */
struct credit *peer_lane_credit(struct lane_in *lane);

/* In a loop tick, before the flush: gives credit back, hands out receipts and drained lanes. */
void peer_run(struct peer *p, uint64_t now_ns);
/* About once a second: idle lanes, stalled grants, hello in time. False: it needs no more of them
 * until its next lane. */
bool peer_tick(struct peer *p, uint64_t now_ns);

/* Everything of ours is acknowledged, and nothing waits to be said. */
bool peer_quiet(const struct peer *p);
/* Nothing more will be sent on lanes: all are ended, so that peer_drained can come true: all that
 * we sent has reached its mailbox or fate, as the peer said. */
void peer_finish(struct peer *p);
bool peer_drained(const struct peer *p);

struct peer_counters {
    uint64_t records_sent, records_received, bytes_sent, bytes_received;
    uint64_t unconfirmed; /* records of ours without acknowledgement now: lost if it ends now */
    uint64_t refused;     /* records of ours that the peer broke off */
    uint64_t lanes_out, lanes_in; /* open now */
    uint64_t busy;                /* times a sender was told RUSM_BUSY */
};
void peer_counters(const struct peer *p, struct peer_counters *out);
/* Which of our processes have sent what may be lost if it ends now: lanes_out_pending. */
void peer_pending(const struct peer *p,
                  void (*each)(void *context, uint64_t from, uint64_t records), void *context);

#endif
