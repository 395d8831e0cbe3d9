/* conn: one QUIC connection, from its first packet to its last. What the files of this room share
 * about connections and their endpoint. Other rooms see endpoint.h only.
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
    NGTCP2_MAX_UDP_PAYLOAD_SIZE /* 1,200: what each path of QUIC's lets through */
#define CONN_PROBES 10          /* lengths that path MTU discovery tries */
#define CONN_SECRET 32

enum conn_state {
    CONN_OPEN,
    CONN_ENDING,
    CONN_CLOSING,
};

struct endpoint {
    struct udp udp;
    struct endpoint_options options; /* bind and reset_context are the caller's, not kept */
    struct endpoint_events events;
    const ngtcp2_callbacks *callbacks; /* of each connection */
    void *context;
    struct endpoint_counters counters;
    struct tls *tls;
    struct map cids;
    struct map tokens;   /* the same table, of peers' stateless reset tokens */
    struct heap timers;  /* of struct conn */
    struct list conns;   /* OPEN and ENDING */
    struct list closing; /* CLOSING, oldest first */
    size_t closing_count;
    struct list dirty; /* to be flushed */
    uint8_t reset_secret[CONN_SECRET];
    uint8_t retry_secret[CONN_SECRET];
    uint64_t reset_second; /* stateless resets are limited by the second */
    unsigned resets;
    uint8_t *train;                              /* packets being built: UDP_TRAIN_MAX */
    size_t train_len, train_segment, train_sent; /* one that the socket did not take yet */
    struct udp_path train_path;
};

struct conn {
    struct endpoint *endpoint;
    ngtcp2_conn *quic;
    WOLFSSL *tls;               /* until the handshake is complete */
    ngtcp2_crypto_conn_ref ref; /* how wolfSSL's side finds quic */
    void *app;
    const struct endpoint_events *events; /* whom to tell: the endpoint's, until conn_take_over */
    void *context;
    struct list all; /* in the endpoint's conns or closing */
    struct list dirty;
    struct list cids; /* its entries in the endpoint's tables */
    struct list tokens;
#if NGTCP2_VERSION_NUM < 0x011100
    struct map users; /* conn_user.c's */
#endif
    struct heap_node timer;
    size_t theirs;     /* bytes of the longest packet that the peer takes; 0: not known yet */
    uint64_t clock_ns; /* the latest time told to ngtcp2: it must never go back */
    uint64_t heard_ns;
    size_t burst;             /* bytes written a tick */
    uint64_t barren_ns;       /* since when nothing in flight was acknowledged; 0: it goes on */
    uint64_t narrow_until_ns; /* when `narrow` ends, or ended */
    uint64_t narrow_for_ns;   /* and for how long it lasts; 0: never yet */
    enum conn_state state;
    bool dialled, ready;
    bool http;            /* the protocol agreed on is HTTP/3; known when ready */
    bool trusted;         /* the peer has the cluster's certificate */
    bool half_open;       /* accepted and counted as such */
    bool known;           /* how long packets may be on its path: nothing is tried out */
    bool narrow;          /* longer packets than CONN_PACKET_MIN get lost */
    bool reset_seen;      /* a stateless reset */
    bool silent;          /* say nothing at the end */
    bool refusal;         /* the end is TLS's */
    struct udp_path path; /* at first; while OPEN ngtcp2 knows the current one */
    struct conn_end end;
    ngtcp2_ccerr close;   /* what to say at the end, if not silent */
    char reason[96];      /* its text */
    uint8_t *last_packet; /* its CONNECTION_CLOSE, while CLOSING; NULL: it sent none */
    size_t last_packet_len;
    uint64_t closing_packets; /* received while CLOSING */
};

/* ---- conn.c ---- */
/* Gives *out. hd NULL: dials. odcid: a validated Retry came before. Returns 0, RUSM_ENOMEM or
 * RUSM_EIO. */
int conn_new(struct conn **out, struct endpoint *e, const struct udp_path *path,
             const ngtcp2_pkt_hd *hd, const ngtcp2_cid *odcid, uint64_t now_ns);
void conn_free(struct conn *c);
/* A new id of ours. False: no randomness. */
bool conn_make_cid(const struct endpoint *e, ngtcp2_cid *cid);
/* The time for ngtcp2: now, or the last one told if that is later. */
ngtcp2_tstamp conn_clock(struct conn *c, uint64_t now_ns);
void conn_mark(struct conn *c); /* onto the dirty list */
void conn_set_timer(struct conn *c, uint64_t at_ns);
void conn_not_half_open(struct conn *c);

/* ---- conn_user.c ---- */
void *conn_user(const struct conn *c, int64_t stream);
int conn_user_set(struct conn *c, int64_t stream, void *user); /* 0 or RUSM_ENOMEM */
void conn_user_forget(struct conn *c, int64_t stream);         /* the stream is closed */
void conn_user_free(struct conn *c);

/* ---- conn_path.c ---- */
/* Whether and what longer packets are tried; room for CONN_PROBES lengths, which *s keeps. */
void conn_path_settings(struct conn *c, ngtcp2_settings *s, uint16_t *to);
void conn_path_progress(struct conn *c); /* something of ours was acknowledged */
/* When a timer has fired. */
void conn_path_tick(struct conn *c, uint64_t now_ns);

/* ---- conn_callbacks.c ---- */
extern const ngtcp2_callbacks conn_callbacks;

/* ---- conn_end.c ---- */
/* Ends the connection because ngtcp2 said so; decides what to tell the peer and the owner. */
void conn_fail(struct conn *c, int error);
void conn_end(struct conn *c, enum conn_end_kind kind, uint64_t code, const char *text);
/* For an ENDING one: sends its CONNECTION_CLOSE, tells the owner. Then c is CLOSING, or freed. */
void conn_finish(struct conn *c, uint64_t now_ns);
/* Sends the CONNECTION_CLOSE of an OPEN one, and does nothing else. */
void conn_say_close(struct conn *c, uint64_t now_ns);
/* A packet came for a CLOSING one. */
void conn_receive_closing(struct conn *c);

/* ---- conn_io.c ---- */
void conn_receive(struct conn *c, const struct udp_packet *p, uint64_t now_ns);
/* Writes one burst. 0, RUSM_BUSY: the socket is full (the train waits in the endpoint). *more: the
 * burst was cut, there is more to send. */
int conn_write(struct conn *c, uint64_t now_ns, bool *more);
/* Sends the endpoint's waiting train. 0 or RUSM_BUSY. */
int conn_send_train(struct endpoint *e, struct conn *c);

ngtcp2_path conn_ngtcp2_path(const struct udp_path *path);

#endif
