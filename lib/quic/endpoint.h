/* endpoint: one UDP socket with all QUIC connections on it, dialled and accepted: connection ids,
 * timers, batches of datagrams. conn: one connection, with its streams of bytes.
 *
 * This is the only room that knows ngtcp2 and wolfSSL. It knows no frames, lanes or processes. It
 * reads its own clock (CLOCK_MONOTONIC), because ngtcp2 needs times that never go back.
 *
 * The endpoint pulls data. Whoever has something to send calls conn_wake. In endpoint_flush the
 * endpoint asks `pull` for bytes of streams until a burst is full (one GSO sendmsg for each
 * connection in a call). It packs many pieces into a packet, and sends once. Bytes that `pull` gave
 * must stay where they are until `stream_acked`.
 *
 * One thread. conn_close is always safe. It takes effect after the callback returns. */
#ifndef QUIC_ENDPOINT_H
#define QUIC_ENDPOINT_H

#include <sys/socket.h>
#include <sys/uio.h>
#include "quic/identity.h"
#include "rusm.h"

struct endpoint;
struct conn;

enum conn_end_kind {
    CONN_END_LOCAL = 0,   /* we called conn_close */
    CONN_END_PEER = 1,    /* the peer's application closed it; code is its code */
    CONN_END_IDLE = 2,    /* nothing heard for the idle timeout */
    CONN_END_REFUSED = 3, /* TLS: a wrong or missing certificate, or a wrong ALPN, by either side */
    CONN_END_TIMEOUT = 4, /* the handshake did not complete in time */
    CONN_END_RESET = 5,   /* stateless reset: the peer has forgotten us */
    CONN_END_UNREACHABLE = 6, /* the dialled address refuses (ICMP) during the handshake */
    CONN_END_ERROR = 7,       /* a transport error of either side; code is the QUIC error */
};

struct conn_end {
    enum conn_end_kind kind;
    uint64_t code;
    char text[160]; /* for the log */
};

/* A datagram or an ICMP report that came to one endpoint of a group and may be for another. */
struct endpoint_forward {
    const uint8_t *data; /* borrowed */
    size_t len;
    struct sockaddr_storage local, remote;
    int error;     /* errno's number, of a report about what we sent to `remote`; 0: a datagram */
    unsigned left; /* endpoints it may still be passed to, in turn, while none knows it */
};

/* The endpoint calls these functions with its context. `user` is the stream's user pointer (NULL
 * until set). Those that return int return 0, or non-zero to end the connection. It ends then as
 * conn_close said before, or with an internal error. */
struct endpoint_events {
    /* The handshake is complete and the peer's certificate is checked. This is the first call for
     * an accepted connection: set the app pointer here. */
    int (*ready)(void *context, struct conn *c);
    /* The peer opened a stream (its first byte or a reset came). */
    int (*stream_opened)(void *context, struct conn *c, int64_t stream);
    /* Bytes of a stream, in order and without gaps. LEN may be 0 with FIN. The endpoint itself
     * extends connection-level credit by LEN. It extends the stream's credit only for bidirectional
     * streams that are not HTTP/3. For the others, call conn_extend_stream. */
    int (*stream_data)(void *context, struct conn *c, int64_t stream, void *user,
                       const uint8_t *data, size_t len, bool fin);
    /* The peer acknowledged LEN more bytes at the front. They may be freed. */
    void (*stream_acked)(void *context, struct conn *c, int64_t stream, void *user, uint64_t len);
    void (*stream_reset)(void *context, struct conn *c, int64_t stream, void *user, uint64_t code);
    /* STOP_SENDING: the peer wants no more of the stream. The endpoint has reset our side
     * already. */
    void (*stream_stopped)(void *context, struct conn *c, int64_t stream, void *user,
                           uint64_t code);
    /* Both directions are over and all our bytes are acknowledged. `user` may be freed. Not called
     * for streams that are open when the connection ends. */
    void (*stream_closed)(void *context, struct conn *c, int64_t stream, void *user);
    /* The peer extended this stream's credit, perhaps before `blocked` was called. */
    void (*stream_writable)(void *context, struct conn *c, int64_t stream, void *user);
    /* The peer allows more unidirectional streams. */
    void (*streams_available)(void *context, struct conn *c);
    /* Gives the next bytes to send: sets *stream, vec[0..return) and *fin. Returns the number of
     * vecs (0 is valid with *fin), or -1 if there is nothing now. Called again and again in a
     * flush. */
    int (*pull)(void *context, struct conn *c, int64_t *stream, struct iovec *vec, size_t cap,
                bool *fin);
    /* Tells what became of the last pull: LEN bytes (and the fin) are in packets. Do not offer them
     * again. */
    void (*pulled)(void *context, struct conn *c, int64_t stream, void *user, size_t len, bool fin);
    /* The stream has no credit, or is shut (reset, stopped, gone). Do not offer it until
     * stream_writable, which may never come. */
    void (*blocked)(void *context, struct conn *c, int64_t stream, void *user);
    /* The connection is over. Do not use C after this returns. Called exactly once for each
     * connection that was dialled or `ready`. */
    void (*closed)(void *context, struct conn *c, const struct conn_end *end);
    /* An inbound handshake failed in TLS (certificate, protocol). For the log. May be NULL. */
    void (*refused)(void *context, const struct sockaddr *from, socklen_t len, const char *text);
    /* The network reports (ICMP) that nobody is at the address of a ready connection. Anyone can
     * forge that. So it is a reason to ask the peer, but not to give it up. May be called often.
     * May be NULL. */
    void (*doubted)(void *context, struct conn *c);
    /* Gives a datagram or report to endpoint_take of endpoint TO of the group, on that endpoint's
     * thread, or drops it, as any datagram may be dropped. NULL: there is no group. */
    void (*forward)(void *context, unsigned to, const struct endpoint_forward *forward);
};

struct endpoint_options {
    const struct sockaddr *bind; /* where to listen; a client binds the wildcard, port 0 */
    socklen_t bind_len;
    bool accept;                     /* false: a client, which drops inbound Initials */
    const struct identity *identity; /* kept for the endpoint's life */
    bool http;      /* accepts HTTP/3 (ALPN h3) too; with accept false: dials with it */
    bool anonymous; /* takes HTTP/3 clients without a certificate too; or dials without ours */
    const char *reset_context; /* this node's name, for its stateless reset key */
    uint64_t idle_timeout_ns, keep_alive_ns, handshake_timeout_ns;
    uint64_t idle_code;       /* of the one CONNECTION_CLOSE after idle_timeout_ns */
    uint64_t stream_window;   /* credit of a new unidirectional stream (LIMIT_LANE_WINDOW) */
    uint64_t control_window;  /* of a bidirectional stream; the endpoint extends it on arrival */
    uint64_t max_streams_uni; /* LIMIT_LANES */
    size_t max_packet;        /* bytes of the longest packet that path MTU discovery tries, from
                               * 1,200 to 65,000; 0: 8,952, without discovery on loopback */
    size_t max_connections, max_half_open;
    /* Endpoints that share one address: `group` is how many (0: one), and `index` is which of them
     * this is. Open endpoint 0 first. The others bind its address, in order. */
    unsigned group, index;
    /* We dial as a node of this share of the cluster's nodes (steer.h). */
    bool has_share;
    uint8_t share;
};

/* Gives *out. Returns 0, RUSM_EIO if it cannot bind (with a text), or RUSM_ENOMEM. */
int endpoint_new(struct endpoint **out, const struct endpoint_options *options,
                 const struct endpoint_events *events, void *context, struct rusm_why *why);
/* Sends CONNECTION_CLOSE on all connections that are left, without callbacks, and frees everything.
 * E may be NULL. */
void endpoint_free(struct endpoint *e);
int endpoint_fd(const struct endpoint *e);
/* Returns the address that is really bound. */
const struct sockaddr *endpoint_address(const struct endpoint *e, socklen_t *len);

/* Reads until the socket is empty or a fair number of datagrams was read. Returns true if there may
 * be more. */
bool endpoint_receive(struct endpoint *e);
/* Reads what waits in the socket, and throws it away. */
void endpoint_discard(struct endpoint *e);
/* Takes from the socket what is there, for the next endpoint_receive: all of it, or one message,
 * which costs least if there is one or none. Returns true if there is something. */
bool endpoint_poll(struct endpoint *e, bool all);
/* Handles what another endpoint of the group got from its socket. */
void endpoint_take(struct endpoint *e, const struct endpoint_forward *forward);
/* Handles the timers that are due. */
void endpoint_tick(struct endpoint *e, uint64_t now_ns);
/* Writes one burst for each connection that was woken, received something or had a timer. Returns
 * true if some have more: call it again after reading. Sets *blocked if the socket is full: wait
 * until it is writable. */
bool endpoint_flush(struct endpoint *e, bool *blocked);
/* Returns the time of the earliest timer in nanoseconds of CLOCK_MONOTONIC, or UINT64_MAX if there
 * is none. */
uint64_t endpoint_next_ns(const struct endpoint *e);
uint64_t endpoint_now_ns(void);

/* Dials as endpoint_dial, but as a client does: endpoint 0 of the other side's group answers,
 * whatever this node's share is. */
int endpoint_dial_client(struct endpoint *e, const struct sockaddr *to, socklen_t to_len,
                         struct conn **out);
/* Dials. Gives *out, which is valid until `closed`. Returns 0, RUSM_ELIMIT, RUSM_ENOMEM or
 * RUSM_EIO. */
int endpoint_dial(struct endpoint *e, const struct sockaddr *to, socklen_t to_len, void *app,
                  struct conn **out);

struct endpoint_counters {
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out, malformed, refused, dropped;
    uint64_t datagram_longest; /* bytes of the longest one received */
    uint64_t connections, half_open;
    uint64_t forwards; /* passed on to another endpoint of the group */
};
const struct endpoint_counters *endpoint_counters(const struct endpoint *e);

/* ---- a connection ---- */
void *conn_app(const struct conn *c);
void conn_set_app(struct conn *c, void *app);
bool conn_dialled(const struct conn *c); /* we opened it */
/* Gives the connection's events to another owner from now on. That owner also extends the credit of
 * bidirectional streams itself. Call it within `ready`. Keeps events. */
void conn_take_over(struct conn *c, const struct endpoint_events *events, void *context);
bool conn_is_http(const struct conn *c); /* the protocol is HTTP/3; known when ready */
bool conn_trusted(const struct conn *c); /* the peer has the cluster's certificate */
const struct sockaddr *conn_peer_address(const struct conn *c);
void conn_keep_alive(struct conn *c, bool keep); /* pings against the idle timeout; at first on */
/* Lets the peer open COUNT more bidirectional streams. One is allowed at first. */
void conn_extend_streams_bidi(struct conn *c, uint64_t count);
void conn_wake(struct conn *c); /* there is something to pull */
/* These functions open a stream. They return 0, RUSM_BUSY at the peer's limit (streams_available
 * follows for unidirectional streams), RUSM_ENOMEM or RUSM_ECLOSED. */
int conn_open_uni(struct conn *c, int64_t *stream, void *user);
int conn_open_bidi(struct conn *c, int64_t *stream, void *user);
void conn_set_user(struct conn *c, int64_t stream, void *user);
/* Gives the peer BYTES more credit on a stream. Ignores unknown streams. */
void conn_extend_stream(struct conn *c, int64_t stream, uint64_t bytes);
/* Lets the peer open COUNT more unidirectional streams. */
void conn_extend_streams(struct conn *c, uint64_t count);
uint64_t conn_streams_left(const struct conn *c); /* unidirectional ones that we may open now */
void conn_reset(struct conn *c, int64_t stream, uint64_t code); /* our sending side */
void conn_stop(struct conn *c, int64_t stream, uint64_t code);  /* the peer's sending side */
/* Ends the connection with an application error code. The next flush sends the CONNECTION_CLOSE and
 * then calls `closed` (LOCAL). */
void conn_close(struct conn *c, uint64_t code, const char *reason);
/* Prints the peer's address as HOST:PORT or [V6]:PORT, NUL-terminated. */
void conn_peer_text(const struct conn *c, char *text, size_t cap);
uint64_t conn_rtt_ns(const struct conn *c); /* smoothed; 0: unknown */
/* Gives the round trip time as it is now (smoothed) and at its best. 0: unknown. */
void conn_round_trip(const struct conn *c, uint64_t *now_ns, uint64_t *best_ns);
/* Sets how many bytes are written before the endpoint looks for what has come. 0: as many as one
 * send takes. */
void conn_set_burst(struct conn *c, size_t bytes);
size_t conn_packet_max(const struct conn *c); /* bytes of the longest packet that it sends now */
uint64_t conn_last_heard_ns(const struct conn *c);

#endif
