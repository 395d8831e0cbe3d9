/* conn: one QUIC connection, from its first packet to its last. This header has what the files of
 * this room share about connections and their endpoint. Other rooms see endpoint.h only.
 *
 *     OPEN ──(close, error, silence)──▶ ENDING ──(flush: `closed`)──▶ CLOSING ──▶ freed
 *
 * An ENDING connection sends its CONNECTION_CLOSE with the next flush and tells its owner. A
 * CLOSING one has no ngtcp2 state any more. It answers late packets with the same CONNECTION_CLOSE
 * (RFC 9000 10.2.1), or ignores them if it sent none (10.2.2), until three probe timeouts have
 * passed.
 *
 * On the endpoint's thread. */
#ifndef QUIC_CONN_H
#define QUIC_CONN_H

#include <ngtcp2/ngtcp2.h>
#include "base/heap.h"
#include "quic/cid.h"
#include "quic/endpoint.h"
#include "quic/tls.h"
#include "quic/udp.h"

#define CONN_PACKET 1452 /* bytes of a full packet: what an Ethernet frame holds over IPv6 */
#define CONN_PACKET_MIN \
    NGTCP2_MAX_UDP_PAYLOAD_SIZE /* 1,200: every path for QUIC lets this through */
#define CONN_PROBES 10          /* lengths that path MTU discovery tries */
#define CONN_SECRET 32

enum conn_state {
    CONN_OPEN,
    CONN_ENDING,
    CONN_CLOSING,
};

struct endpoint {
    struct udp udp;
    struct endpoint_options options; /* bind and reset_context are the caller's, and NULL here */
    struct endpoint_events events;
    const ngtcp2_callbacks *callbacks; /* of each connection */
    void *context;
    struct endpoint_counters counters;
    struct tls *tls;
    struct map cids;
    struct map tokens;   /* like cids, for peers' stateless reset tokens */
    struct heap timers;  /* of struct conn */
    struct list conns;   /* OPEN and ENDING */
    struct list closing; /* CLOSING, oldest first */
    size_t closing_count;
    struct list dirty; /* to flush */
    uint8_t reset_secret[CONN_SECRET];
    uint8_t retry_secret[CONN_SECRET];
    uint64_t reset_second; /* the second for which `resets` counts stateless resets */
    unsigned resets;
    uint8_t *train;                              /* the train being built: UDP_TRAIN_MAX */
    size_t train_len, train_segment, train_sent; /* bytes of the train, of one packet, sent */
    struct udp_path train_path;
};

struct conn {
    struct endpoint *endpoint;
    ngtcp2_conn *quic;
    WOLFSSL *tls;               /* NULL once the handshake is complete */
    ngtcp2_crypto_conn_ref ref; /* ngtcp2's glue finds quic through it */
    void *app;
    const struct endpoint_events *events; /* whom to tell: the endpoint's, until conn_take_over */
    void *context;
    struct list all; /* in the endpoint's conns or closing */
    struct list dirty;
    struct list cids; /* its entries in the endpoint's tables */
    struct list tokens;
#if NGTCP2_VERSION_NUM < 0x011100
    struct map users; /* used by conn_user.c */
#endif
    struct heap_node timer;
    size_t theirs;     /* bytes of the longest packet that the peer takes; 0: not known yet */
    uint64_t clock_ns; /* the latest time given to ngtcp2, which must never go back */
    uint64_t heard_ns;
    size_t burst;             /* bytes written in one tick */
    uint64_t barren_ns;       /* since when nothing in flight is acknowledged; 0: something was */
    uint64_t narrow_until_ns; /* when `narrow` ends, or last ended */
    uint64_t narrow_for_ns;   /* how long `narrow` lasts; 0: it was never set */
    enum conn_state state;
    bool dialled, ready;
    bool http;            /* the protocol is HTTP/3; known when ready */
    bool trusted;         /* the peer has the cluster's certificate */
    bool half_open;       /* accepted, and counted in half_open */
    bool known;           /* the longest packet of its path is known: no discovery */
    bool narrow;          /* packets longer than CONN_PACKET_MIN get lost */
    bool reset_seen;      /* a stateless reset has come */
    bool silent;          /* send nothing at the end */
    bool refusal;         /* TLS ends it */
    struct udp_path path; /* the path in use, which changes when ngtcp2 says so */
    struct conn_end end;
    ngtcp2_ccerr close;   /* what to tell the peer at the end, unless silent */
    char reason[96];      /* the text of `close` */
    uint8_t *last_packet; /* while CLOSING: its CONNECTION_CLOSE; NULL: it sent none */
    size_t last_packet_len;
    uint64_t closing_packets; /* received while CLOSING */
};

/* ---- conn.c ---- */
/* Makes a connection and gives *out. HD NULL: it dials. ODCID not NULL: a validated Retry came
 * before. Returns 0, RUSM_ENOMEM, RUSM_EIO or an error of cid_add. */
int conn_new(struct conn **out, struct endpoint *e, const struct udp_path *path,
             const ngtcp2_pkt_hd *hd, const ngtcp2_cid *odcid, uint64_t now_ns);
void conn_free(struct conn *c);
/* Makes a new connection id of ours. Returns false if there is no randomness. */
bool conn_make_cid(const struct endpoint *e, ngtcp2_cid *cid);
/* Returns the time for ngtcp2: NOW_NS, or the last time given to it if that is later. */
ngtcp2_tstamp conn_clock(struct conn *c, uint64_t now_ns);
void conn_mark(struct conn *c); /* puts c on the dirty list */
void conn_set_timer(struct conn *c, uint64_t at_ns);
void conn_not_half_open(struct conn *c);

/* ---- conn_user.c ---- */
void *conn_user(const struct conn *c, int64_t stream);
int conn_user_set(struct conn *c, int64_t stream, void *user); /* 0 or RUSM_ENOMEM */
void conn_user_forget(struct conn *c, int64_t stream);         /* the stream is closed */
void conn_user_free(struct conn *c);

/* ---- conn_path.c ---- */
/* Decides which lengths of packets are tried, and sets them in *s. TO has room for CONN_PROBES
 * lengths. *s borrows it. */
void conn_path_settings(struct conn *c, ngtcp2_settings *s, uint16_t *to);
void conn_path_progress(struct conn *c); /* something of ours was acknowledged */
/* Called when a timer has fired. */
void conn_path_tick(struct conn *c, uint64_t now_ns);

/* ---- conn_callbacks.c ---- */
extern const ngtcp2_callbacks conn_callbacks;

/* ---- conn_end.c ---- */
/* Ends the connection after an error of ngtcp2. Decides what to tell the peer and the owner. */
void conn_fail(struct conn *c, int error);
void conn_end(struct conn *c, enum conn_end_kind kind, uint64_t code, const char *text);
/* Sends the CONNECTION_CLOSE of an ENDING connection and tells its owner. Then C is CLOSING, or
 * freed. */
void conn_finish(struct conn *c, uint64_t now_ns);
/* Sends the CONNECTION_CLOSE of an OPEN or ENDING connection, and does nothing else. */
void conn_say_close(struct conn *c, uint64_t now_ns);
/* Handles a packet for a CLOSING connection. */
void conn_receive_closing(struct conn *c);

/* ---- conn_io.c ---- */
void conn_receive(struct conn *c, const struct udp_packet *p, uint64_t now_ns);
/* Writes one burst. Sets *more if the burst was cut and there is more to send. Returns 0, or
 * RUSM_BUSY if the socket is full. Then the train waits in the endpoint. */
int conn_write(struct conn *c, uint64_t now_ns, bool *more);
/* Sends the train that waits in the endpoint. C is its connection, or NULL. Returns 0 or
 * RUSM_BUSY. */
int conn_send_train(struct endpoint *e, struct conn *c);

ngtcp2_path conn_ngtcp2_path(const struct udp_path *path);

#endif
