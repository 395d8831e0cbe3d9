/* peer_state: what peer.c (life, ticks), peer_control.c (the control stream) and peer_stream.c (the
 * endpoint's events) share. lane_credit.c and peers.c ask for ticks with it. Private to these
 * files. */
#ifndef PEER_PEER_STATE_H
#define PEER_PEER_STATE_H

#include "base/buf.h"
#include "peer/peers.h"

/* Bytes of receipts, and of drained ordinals, gathered in a tick. When they are full, they go out
 * in a frame, and the next ones are gathered for another frame. */
#define GATHER 4096

struct peer {
    struct conn *conn;
    const struct peer_events *events;
    void *context, *user;
    struct lanes_in in;
    struct lanes_out out;
    struct peers *peers;
    struct list ticking; /* in peers->ticking */

    int64_t control; /* stream id; -1: not open yet */
    struct outq control_q;
    bool control_blocked;
    bool control_full; /* the node waits for `room` */
    struct buf control_rx;
    struct buf receipts, drained; /* gathered in this tick, for one frame each */

    struct hello hello; /* ours; its texts are in `text` */
    bool has_hello, ready, closing;
    bool put_off; /* the other side's ADOPT and the frames after it wait */
    bool client;  /* one end is a client: there is no ADOPT */
    uint64_t since_ns;
    uint64_t refused; /* our records lost in lanes that the peer stopped */
    char text[];
};

/* Asks for ticks, when the peer has something that changes with time. */
static inline void peer_needs_tick(struct peer *p)
{
    if (p->peers && !list_linked(&p->ticking)) {
        list_append(&p->peers->ticking, &p->ticking);
    }
}

/* Closes the connection for an error in the peer's bytes or for lack of memory. Returns the
 * error. */
int peer_fail(struct peer *p, int error, const char *what);
int peer_send_hello(struct peer *p);
/* Notes that an incoming lane is drained. The next flush tells the peer. */
void peer_lane_drained(struct peer *p, uint64_t ordinal);
/* Queues frames with the receipts and drained lanes gathered so far. */
void peer_flush_gathered(struct peer *p);
/* Takes bytes of the control stream. Returns 0, or an error: then the connection is being
 * closed. */
int peer_control_data(struct peer *p, const uint8_t *data, size_t len, bool fin);

#endif
