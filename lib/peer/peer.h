/* peer: a QUIC connection seen as frames, lanes and records. It knows no processes. What arrives
 * goes up through struct peer_events, where the node's router says what became of it. One thread.
 * The node makes a peer for each connection that has completed its handshake, and so does a client.
 *
 * Life: peer_new -> HELLO both ways -> (between nodes) ADOPT -> ready -> closed -> peer_free. Until
 * the peer is ready, lanes are buffered up to their first credit and nothing is delivered.
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

/* What the node's router did with a record. */
enum delivery {
    /* It is in a mailbox, and its block is taken too. The message holds peer_lane_credit(lane) and
     * gives wire_bytes back when the process takes the message. */
    DELIVERY_TAKEN,
    /* The router is done with it, and has counted it if it is lost (noproc …). It did not take the
     * block. */
    DELIVERY_DISCARDED,
    /* The mailbox is full. The peer offers the record again after peer_lane_resume. Not valid for
     * an unordered lane. */
    DELIVERY_HOLD,
};

struct peer_events {
    /* The peer introduces itself. Returns CLOSE_NONE to go on, else the code to close with. */
    enum close_code (*hello)(void *context, struct peer *p, const struct hello *hello);
    /* The other side adopts the connection. Returns 0 to become ready, RUSM_BUSY to put the ADOPT
     * off until peer_adopted (the frames after it wait too), or RUSM_EMALFORMED if the other side
     * has no right to adopt. May be NULL for a client. */
    int (*adopt)(void *context, struct peer *p);
    /* Messages may flow: the records of lanes are delivered from now on. */
    void (*ready)(void *context, struct peer *p);
    /* Takes a frame that the peer room does not handle itself: LEAVE, REQUEST, REPLY, CANCEL,
     * NODES, NAMES, PONG, EXIT. Returns 0, or RUSM_EMALFORMED to close the connection. */
    int (*frame)(void *context, struct peer *p, const struct frame *frame);
    void (*receipt)(void *context, struct peer *p, const struct receipt *receipt);

    /* A lane has come up and its header is known. The router may set lane->user. */
    void (*lane_opened)(void *context, struct peer *p, struct lane_in *lane);
    /* Delivers a complete record. Its payload is borrowed. If block is not NULL, the payload is in
     * that heap block of payload_len + 1 bytes, the last one 0. DELIVERY_TAKEN takes the block. */
    enum delivery (*deliver)(void *context, struct peer *p, struct lane_in *lane,
                             const struct record *record, const uint8_t *payload, void *block,
                             uint32_t wire_bytes);
    /* A large record wants its turn in the mailbox. When it has the turn, the peer grants it as
     * soon as the budget of grants has room. Returns 1 if the record has its turn, 0 if
     * peer_lane_grant follows, or a negative code if nobody can take it. Then the router has
     * counted it, and the peer discards it as it arrives. */
    int (*grant)(void *context, struct peer *p, struct lane_in *lane, const struct record *record);
    /* The granted record was taken, discarded or reset, so the next one may have its turn. */
    void (*grant_done)(void *context, struct peer *p, struct lane_in *lane);
    /* The lane is drained or reset: the router may free lane->user. peer_free calls it for each
     * lane that is left. */
    void (*lane_closed)(void *context, struct peer *p, struct lane_in *lane);
    /* The peer or this node broke the lane off, so records are lost. Their number cannot be known,
     * but it is at least one. */
    void (*lane_lost)(void *context, struct peer *p, struct lane_in *lane, int cause);

    /* The sender `from`, which was told RUSM_BUSY, may try again. 0: all senders may. */
    void (*writable)(void *context, struct peer *p, uint64_t from);
    /* The peer stopped a lane of the sender `from`. The `records` that were queued in it are
     * lost. */
    void (*refused)(void *context, struct peer *p, uint64_t from, uint64_t records, int cause);
    /* The control stream has room again after peer_has_room returned false. May be NULL. */
    void (*room)(void *context, struct peer *p);
};

struct peer_options {
    struct conn *conn;
    const struct peer_events *events;
    void *context;
    struct hello hello;         /* ours; the dialler sends it at once, the other side as answer */
    struct lane_budget *budget; /* of the scheduler; kept */
    struct lane_pools *pools;   /* of the scheduler; kept */
    struct peers *peers; /* of the scheduler; kept; NULL: the owner calls peer_run and peer_tick */
    uint64_t seed;
    uint64_t now_ns;
};

/* Gives *out, to be freed with peer_free. Returns 0, RUSM_ENOMEM, or an error of opening the
 * control stream. */
int peer_new(struct peer **out, const struct peer_options *options);
void peer_free(struct peer *p); /* NULL is fine */

/* Sets the stream callbacks of an endpoint. conn_app of its connections is a struct peer, or NULL:
 * then the callbacks ignore the event. */
void peer_fill_events(struct endpoint_events *events);

/* Sets the options of an endpoint that are the idle policy of all connections: a peer is lost after
 * idle_ns of silence, and each side says something often enough before that. */
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
/* Chooses this connection and makes it ready. Between nodes the node with the lower name calls it,
 * and it sends ADOPT. A client's connection needs no ADOPT. */
void peer_adopt(struct peer *p);
/* Lets an ADOPT of the other side that was put off act now. Does nothing if there is none. Must not
 * be called from within an upcall. */
void peer_adopted(struct peer *p);
void peer_close(struct peer *p, enum close_code code, const char *text);

/* Queues a control frame. Returns 0, RUSM_ETOOLARGE if the body is longer than LIMIT_FRAME, or
 * RUSM_ECLOSED if the connection is closing. Closes the connection and returns RUSM_ELIMIT if the
 * queue is full, or RUSM_ENOMEM. */
int peer_send_frame(struct peer *p, enum frame_type type, bool skip, const void *body, size_t len);
/* Returns whether the control stream has room for frames that can be put off. After false, `room`
 * follows. */
bool peer_has_room(struct peer *p);
/* Says what became of a record that asked for a receipt. It is sent with the next flush. */
void peer_send_receipt(struct peer *p, uint64_t id, uint64_t status);

/* Sends a record. See lane_out.h for parcels and errors. Also returns RUSM_ENOCONN if the
 * connection is closing. */
int peer_send(struct peer *p, const struct parcel *parcel, uint64_t now_ns);

/* ---- for the router, about an incoming lane ---- */
void peer_lane_resume(struct peer *p, struct lane_in *lane);
void peer_lane_grant(struct peer *p, struct lane_in *lane);
/* Returns the account of the record that `deliver` is called with. Borrowed: a message needs a
 * reference of its own. */
struct credit *peer_lane_credit(struct lane_in *lane);

/* Gives credit back to the peer, runs lanes that may go on, and queues receipts and drained lanes.
 * To be called in each tick, before the flush. */
void peer_run(struct peer *p, uint64_t now_ns);
/* Ends idle lanes, breaks off stalled grants, and closes the connection if it is not ready in time.
 * To be called about once a second. Returns false if there is nothing more to look at until
 * something new happens on the connection. */
bool peer_tick(struct peer *p, uint64_t now_ns);

/* Returns whether the peer has acknowledged all that we sent and nothing waits to be sent. */
bool peer_quiet(const struct peer *p);
/* Ends all lanes, as nothing more will be sent on them. Then peer_drained can become true. */
void peer_finish(struct peer *p);
/* Returns whether, as the peer says, all that we sent has been delivered or discarded. */
bool peer_drained(const struct peer *p);

struct peer_counters {
    uint64_t records_sent, records_received, bytes_sent, bytes_received;
    uint64_t unconfirmed; /* our unacknowledged records now: lost if the connection ends now */
    uint64_t refused;     /* our records lost in lanes that the peer stopped */
    uint64_t lanes_out, lanes_in; /* open now */
    uint64_t busy;                /* times a sender was told RUSM_BUSY */
};
void peer_counters(const struct peer *p, struct peer_counters *out);
/* Says which of our processes have sent records that may be lost if the connection ends now. See
 * lanes_out_pending. */
void peer_pending(const struct peer *p,
                  void (*each)(void *context, uint64_t from, uint64_t records), void *context);

#endif
