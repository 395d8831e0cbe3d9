/* endpoint: one UDP socket with all QUIC connections on it (both dialled and accepted): connection
 * ids, timers, batches of datagrams. conn: one connection, streams of bytes.
 *
 * The only room that knows ngtcp2 and wolfSSL. It knows no frames, lanes or processes. It reads its
 * own clock (CLOCK_MONOTONIC), as ngtcp2 needs times that never go back.
 *
 * Data is pulled: whoever has something to send calls conn_wake; at endpoint_flush the endpoint
 * asks `pull` for streams' bytes until a burst is full (one GSO sendmsg a connection a call), packs
 * many into a packet, and sends once. Bytes given to pull stay where they are until `acked`.
 *
 * One thread. conn_close is always safe and takes effect after the callback returns.
 */
#ifndef QUIC_ENDPOINT_H
#define QUIC_ENDPOINT_H

#include <sys/socket.h>
#include <sys/uio.h>
#include "quic/identity.h"
#include "rusm.h"

struct endpoint;
struct conn;

enum conn_end_kind {
    CONN_END_LOCAL = 0,   /* our conn_close */
    CONN_END_PEER = 1,    /* CONNECTION_CLOSE of the application; code is its code */
    CONN_END_IDLE = 2,    /* nothing heard for the idle timeout */
    CONN_END_REFUSED = 3, /* TLS: wrong or missing certificate, wrong ALPN; either side's word */
    CONN_END_TIMEOUT = 4, /* the handshake did not complete in time */
    CONN_END_RESET = 5,   /* stateless reset: the peer has forgotten us */
    CONN_END_UNREACHABLE = 6, /* the dialled address refuses (ICMP) during the handshake */
    CONN_END_ERROR = 7,       /* a transport error, ours or theirs; code is the QUIC error */
};

struct conn_end {
    enum conn_end_kind kind;
    uint64_t code;
    char text[160]; /* for the log */
};

/* A datagram, or a report of the network's, that came to an endpoint of a group and may be for
 * another one of it. */
struct endpoint_forward {
    const uint8_t *data; /* borrowed */
    size_t len;
    struct sockaddr_storage local, remote;
    int error; /* of a report about what was sent to `remote`: errno's number; else 0, and data */
    unsigned
        left; /* to how many it may be passed on, one after the other, as long as none knows it */
};

/* All called with the endpoint's context. `user` is the stream's user pointer (NULL until set).
 * Those that return int: 0, or non-zero, which ends the connection: as conn_close said before, else
 * with an internal error. */
struct endpoint_events {
    /* The handshake is complete and the peer's certificate is ours. For an accepted connection it
     * is the first that anyone hears of it: set the app pointer here. */
    int (*ready)(void *context, struct conn *c);
    /* The peer opened a stream (first byte, or a reset). */
    int (*stream_opened)(void *context, struct conn *c, int64_t stream);
    /* In order, no gaps. len may be 0 with fin. Connection-level credit for len is extended by the
     * endpoint itself (on arrival); stream-level only by conn_extend_stream. */
    int (*stream_data)(void *context, struct conn *c, int64_t stream, void *user,
                       const uint8_t *data, size_t len, bool fin);
    /* `len` more bytes at the front are acknowledged: may be freed. */
    void (*stream_acked)(void *context, struct conn *c, int64_t stream, void *user, uint64_t len);
    void (*stream_reset)(void *context, struct conn *c, int64_t stream, void *user, uint64_t code);
    /* STOP_SENDING: the peer wants no more of it. The endpoint has reset our side already. */
    void (*stream_stopped)(void *context, struct conn *c, int64_t stream, void *user,
                           uint64_t code);
    /* Both directions are over, all our bytes acknowledged: user may be freed. Not called for
     * streams alive when the connection ends. */
    void (*stream_closed)(void *context, struct conn *c, int64_t stream, void *user);
    /* The peer extended this stream's credit (after `blocked`, or before it came to that). */
    void (*stream_writable)(void *context, struct conn *c, int64_t stream, void *user);
    /* The peer allows more unidirectional streams. */
    void (*streams_available)(void *context, struct conn *c);
    /* Next bytes to send: sets *stream, vec[0..return), *fin. Returns the number of vecs (0 is
     * valid with *fin), or -1: nothing now. Called again and again in a flush. */
    int (*pull)(void *context, struct conn *c, int64_t *stream, struct iovec *vec, size_t cap,
                bool *fin);
    /* What became of the last pull: len bytes (and the fin) are in packets; don't offer them
     * again. */
    void (*pulled)(void *context, struct conn *c, int64_t stream, void *user, size_t len, bool fin);
    /* The stream has no credit, or is shut (reset, stopped, gone): do not offer it until
     * stream_writable, which may never come. */
    void (*blocked)(void *context, struct conn *c, int64_t stream, void *user);
    /* The connection is over, c is freed after this returns. Called exactly once for each that was
     * dialled or `ready`. */
    void (*closed)(void *context, struct conn *c, const struct conn_end *end);
    /* An inbound handshake that failed over TLS (certificate, protocol), for the log. May be
     * NULL. */
    void (*refused)(void *context, const struct sockaddr *from, socklen_t len, const char *text);
    /* The network reports (ICMP) that nobody is at a ready connection's address. Anyone may forge
     * that: a reason to ask the peer, not to give it up. May be called often. NULL: nobody
     * cares. */
    void (*doubted)(void *context, struct conn *c);
    /* To be given to endpoint_take of endpoint `to` of the group, on its thread; or dropped, as any
     * datagram may be. NULL: there is no group. */
    void (*forward)(void *context, unsigned to, const struct endpoint_forward *forward);
};

struct endpoint_options {
    const struct sockaddr *bind; /* where to listen; a client binds the wildcard, port 0 */
    socklen_t bind_len;
    bool accept;                     /* false: a client; inbound Initials are dropped */
    const struct identity *identity; /* kept for life */
    bool http;      /* accepts HTTP/3 (ALPN h3) too; with accept false: dials with it */
    bool anonymous; /* HTTP/3 from clients without a certificate too; or we come without ours */
    const char *reset_context; /* this node's name, for its stateless reset key */
    uint64_t idle_timeout_ns, keep_alive_ns, handshake_timeout_ns;
    uint64_t idle_code;       /* of the one CONNECTION_CLOSE after idle_timeout_ns */
    uint64_t stream_window;   /* credit of a new unidirectional stream (LIMIT_LANE_WINDOW) */
    uint64_t control_window;  /* of a bidirectional one; extended by the endpoint on arrival */
    uint64_t max_streams_uni; /* LIMIT_LANES */
    size_t max_packet;        /* bytes of the longest that path MTU discovery tries, from 1,200 to
                                 65,000; 0: 8,952, without discovery on loopback */
    size_t max_connections, max_half_open;
    /* Endpoints that share one address: how many (0: one), and which of them this is. 0 is opened
     * first; the others bind its address, in order. */
    unsigned group, index;
    /* We dial as the one of that share of the cluster's nodes: steer.h. */
    bool has_share;
    uint8_t share;
};

/* Gives *out. RUSM_EIO (cannot bind: why), RUSM_ENOMEM. */
int endpoint_new(struct endpoint **out, const struct endpoint_options *options,
                 const struct endpoint_events *events, void *context, struct rusm_why *why);
/* Sends CONNECTION_CLOSE to all that are left (no callbacks), frees. NULL is fine. */
void endpoint_free(struct endpoint *e);
int endpoint_fd(const struct endpoint *e);
/* The address really bound. */
const struct sockaddr *endpoint_address(const struct endpoint *e, socklen_t *len);

/* Reads until the socket is empty or a fair number was read. True: there may be more. */
bool endpoint_receive(struct endpoint *e);
/* Takes what is there from the socket (all of it, or one message, which costs least when there is
 * one or none), for the next endpoint_receive. True: there is something. */
bool endpoint_poll(struct endpoint *e, bool all);
/* What another endpoint of the group had from the socket. */
void endpoint_take(struct endpoint *e, const struct endpoint_forward *forward);
/* Handles due timers. */
void endpoint_tick(struct endpoint *e, uint64_t now_ns);
/* Writes each connection that was woken, received something or has a timer's packet, one burst
 * each. True: some have more, call again after reading. *blocked: wait until the socket is
 * writable. */
bool endpoint_flush(struct endpoint *e, bool *blocked);
/* CLOCK_MONOTONIC ns of the earliest timer; UINT64_MAX: none. */
uint64_t endpoint_next_ns(const struct endpoint *e);
uint64_t endpoint_now_ns(void);

/* Dials. Gives *out, which lives until `closed`. RUSM_ELIMIT, RUSM_ENOMEM, RUSM_EIO. */
int endpoint_dial(struct endpoint *e, const struct sockaddr *to, socklen_t to_len, void *app,
                  struct conn **out);

struct endpoint_counters {
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out, malformed, refused, dropped;
    uint64_t datagram_longest; /* received, bytes */
    uint64_t connections, half_open;
    uint64_t forwards; /* passed on to another of the group */
};
const struct endpoint_counters *endpoint_counters(const struct endpoint *e);

/* ---- a connection ---- */
void *conn_app(const struct conn *c);
void conn_set_app(struct conn *c, void *app);
bool conn_dialled(const struct conn *c); /* we opened it */
/* From now on others are told of what comes, who also extend the credit of bidirectional streams
 * themselves. Within `ready`. Keeps events. */
void conn_take_over(struct conn *c, const struct endpoint_events *events, void *context);
bool conn_is_http(const struct conn *c); /* HTTP/3 is what both speak; known when ready */
bool conn_trusted(const struct conn *c); /* the peer has the cluster's certificate */
const struct sockaddr *conn_peer_address(const struct conn *c);
void conn_keep_alive(struct conn *c, bool keep); /* not lost for silence [true] */
/* Lets the peer open `count` more bidirectional streams; one is allowed at first. */
void conn_extend_streams_bidi(struct conn *c, uint64_t count);
void conn_wake(struct conn *c); /* has something to pull */
/* 0, or RUSM_BUSY (the peer's limit: streams_available follows), RUSM_ENOMEM, RUSM_ECLOSED. */
int conn_open_uni(struct conn *c, int64_t *stream, void *user);
int conn_open_bidi(struct conn *c, int64_t *stream, void *user);
void conn_set_user(struct conn *c, int64_t stream, void *user);
/* Credit: `bytes` more on that stream; unknown streams are ignored. */
void conn_extend_stream(struct conn *c, int64_t stream, uint64_t bytes);
/* Lets the peer open `count` more unidirectional streams. */
void conn_extend_streams(struct conn *c, uint64_t count);
uint64_t conn_streams_left(const struct conn *c); /* unidirectional ones we may open now */
void conn_reset(struct conn *c, int64_t stream, uint64_t code); /* our sending side */
void conn_stop(struct conn *c, int64_t stream, uint64_t code);  /* their sending side */
/* Ends it with an application error code; `closed` (LOCAL) is called by the next flush, after the
 * CONNECTION_CLOSE was sent. */
void conn_close(struct conn *c, uint64_t code, const char *reason);
/* HOST:PORT of the peer, [V6]:PORT; NUL-terminated. */
void conn_peer_text(const struct conn *c, char *text, size_t cap);
uint64_t conn_rtt_ns(const struct conn *c); /* smoothed; 0 unknown */
/* Of what is acknowledged now (smoothed), and at its best; 0: unknown. */
void conn_round_trip(const struct conn *c, uint64_t *now_ns, uint64_t *best_ns);
/* Writes at most so much before it looks for what has come; 0: as much as one send takes. */
void conn_set_burst(struct conn *c, size_t bytes);
size_t conn_packet_max(const struct conn *c); /* bytes of the longest packet that it sends now */
uint64_t conn_last_heard_ns(const struct conn *c);

#endif
