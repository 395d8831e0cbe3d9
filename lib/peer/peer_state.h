/* peer_state: what peer.c (life, ticks), peer_control.c (the control stream) and peer_stream.c (the
 * endpoint's events) share, and nobody else. */
#ifndef PEER_PEER_STATE_H
#define PEER_PEER_STATE_H

#include "base/buf.h"
#include "peer/peers.h"

/* Bytes of receipts or drained ordinals gathered in a tick; more go out in a further frame. */
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
    bool control_full; /* someone waits for room */
    struct buf control_rx;
    struct buf receipts, drained; /* gathered */

    struct hello hello; /* ours; its texts are in `text` */
    bool has_hello, ready, closing;
    bool put_off; /* the other side's ADOPT, and what came behind it, waits */
    bool client;  /* either end is a client: no adopt */
    uint64_t since_ns;
    uint64_t refused; /* records the peer broke off */
    char text[];
};

/* It has something that time changes. */
static inline void peer_needs_tick(struct peer *p)
{
    if (p->peers && !list_linked(&p->ticking)) {
        list_append(&p->peers->ticking, &p->ticking);
    }
}

/* Closes for an error that the peer's bytes or our memory caused; passes the error on. */
int peer_fail(struct peer *p, int error, const char *what);
int peer_send_hello(struct peer *p);
/* A lane of theirs is drained: they are told with the next flush. */
void peer_lane_drained(struct peer *p, uint64_t ordinal);
/* Receipts and drained lanes gathered so far become frames. */
void peer_flush_gathered(struct peer *p);
/* Bytes of the control stream. 0, or the connection is being closed. */
int peer_control_data(struct peer *p, const uint8_t *data, size_t len, bool fin);

#endif
