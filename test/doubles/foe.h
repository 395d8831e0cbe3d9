/* foe: a peer that has the cluster's certificate and breaks the rules. The test drives an endpoint
 * of the quic room by hand, so it can send any bytes on any stream in any order. The foe keeps what
 * the node answers on the control stream, and records how the connection ends. One thread. */
#ifndef DOUBLES_FOE_H
#define DOUBLES_FOE_H

#include <poll.h>
#include "base/id.h"
#include "doubles/victim.h"
#include "peer/peer.h"
#include "quic/endpoint.h"
#include "wire/control.h"

#define FOE_MS ((uint64_t)1000000)
#define FOE_PATIENCE_MS VICTIM_PATIENCE_MS

/* Bytes for one stream. The foe keeps them until the end, because they may have to be sent
 * again. */
struct foe_bytes {
    struct foe_bytes *next;
    int64_t stream;
    const uint8_t *data;
    size_t len, at;
    bool fin, blocked;
    uint8_t copy[];
};

struct foe {
    struct endpoint *e;
    struct identity *identity;
    struct conn *c;
    struct conn_end end;
    bool ready, ended;
    bool deaf; /* only sends: what the node sends stays in the socket */
    int64_t control, last_pulled;
    struct foe_bytes *head, **tail, *spent, *offered;
    size_t waiting; /* bytes not yet put into packets */
    uint8_t *rx;    /* received on the control stream; read up to rx_at */
    size_t rx_len, rx_cap, rx_at;
    uint64_t lane_bytes; /* bytes received on the node's lanes */
    uint64_t stops, stop_code;
    struct foe_options {
        const char *name;
        uint32_t incarnation;
        enum hello_role role;
        uint64_t max_streams; /* that the node may open */
        uint64_t control_window;
        enum { FOE_HONEST, FOE_OTHER, FOE_STRANGER } share; /* the connection id it dials with */
    } options;
};

/* ---- the endpoint's upcalls ---- */

extern const struct endpoint_events foe_events;

/* ---- ticks ---- */

void foe_tick(struct foe *f, int ms);

/* Ticks until the condition holds. Fails if that takes too long. */
#define foe_until(f, condition)                                                       \
    do {                                                                              \
        uint64_t give_up_ms_ = victim_ms() + FOE_PATIENCE_MS;                         \
        while (!(condition)) {                                                        \
            if (victim_ms() > give_up_ms_) {                                          \
                fail_msg("never: %s (connection %s, code %lu %s)", #condition,        \
                         (f)->ended ? "ended" : "open", (unsigned long)(f)->end.code, \
                         (f)->end.text);                                              \
            }                                                                         \
            foe_tick((f), 1);                                                         \
        }                                                                             \
    } while (0)

void foe_for(struct foe *f, uint64_t ms);

/* ---- sending ---- */

/* Queues bytes, which must stay where they are. With data NULL, returns room for a copy, which the
 * caller fills. */
uint8_t *foe_queue(struct foe *f, int64_t stream, const void *data, size_t len, bool fin);

void foe_send(struct foe *f, int64_t stream, const void *data, size_t len, bool fin);

int64_t foe_open_lane(struct foe *f);

void foe_frame(struct foe *f, uint64_t type, bool skip, const void *body, size_t len);

/* ---- receiving ---- */

/* Takes the next frame from the node. Returns false if it is not whole yet. */
bool foe_next(struct foe *f, struct frame *frame);

/* Waits for a frame of that type and skips others. The frame's body is valid until the next
 * tick. */
void foe_await(struct foe *f, enum frame_type type, struct frame *frame);

/* ---- life ---- */

void foe_dial(struct foe *f, const struct victim *v, const struct foe_options *o);

/* Returns the fields of an honest hello, for a test to spoil. */
struct hello foe_hello_of(const struct foe *f);

void foe_say_hello(struct foe *f, const struct hello *hello);

/* Dials, says hello and waits until messages may flow. A node's name must sort after "london". */
void foe_start_with(struct foe *f, const struct victim *v, const struct foe_options *o);

void foe_start(struct foe *f, const struct victim *v, enum hello_role role);

void foe_stop(struct foe *f);

/* ---- results ---- */

/* Waits until the connection has ended. Fails unless the node closed it with that application
 * code. */
void foe_closed(struct foe *f, enum close_code code, const char *what);

/* Checks that the node still serves the connection: it answers a PING. */
void foe_open(struct foe *f, const char *what);

#endif
