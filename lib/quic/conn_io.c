/* conn_io: the packets of one connection. It reads a packet, and it writes a burst from what the
 * owner's `pull` offers. Called by endpoint and accept, on the endpoint's thread. */
#include "quic/conn.h"

#include <string.h>
#include "base/must.h"

#define VECS 16 /* pieces of one stream in one offer */

_Static_assert(sizeof(struct iovec) == sizeof(ngtcp2_vec) &&
                   offsetof(struct iovec, iov_base) == offsetof(ngtcp2_vec, base) &&
                   offsetof(struct iovec, iov_len) == offsetof(ngtcp2_vec, len),
               "ngtcp2 takes iovecs as they are");

void conn_receive(struct conn *c, const struct udp_packet *p, uint64_t now_ns)
{
    struct udp_path from = p->path;
    ngtcp2_path path = conn_ngtcp2_path(&from);
    ngtcp2_pkt_info info = { .ecn = 0 };
    int error;

    if (c->state == CONN_CLOSING) {
        conn_receive_closing(c);
        return;
    }
    if (c->state != CONN_OPEN) {
        return;
    }
    if (c->dialled) {
        /* On a socket that is bound to all addresses, the system chose our address. For ngtcp2 it
         * stays the wildcard, as in the first packet. */
        from.local = c->path.local;
    }
    error = ngtcp2_conn_read_pkt(c->quic, &path, &info, p->data, p->len, conn_clock(c, now_ns));
    if (error) {
        conn_fail(c, error);
    } else {
        c->heard_ns = now_ns;
    }
    conn_mark(c);
}

/* What the owner wants to send next. */
struct offer {
    int64_t stream;
    struct iovec vec[VECS];
    int count; /* -1: nothing */
    bool fin;
    size_t len;
};

static void ask(struct conn *c, struct offer *o)
{
    o->stream = -1;
    o->count = -1;
    o->fin = false;
    o->len = 0;
    /* No callback tells when connection-level credit comes back. But it comes in a packet, and
     * after every packet we ask again. */
    if (!c->ready || c->state != CONN_OPEN || ngtcp2_conn_get_max_data_left(c->quic) == 0) {
        return;
    }
    o->count = c->events->pull(c->context, c, &o->stream, o->vec, VECS, &o->fin);
    must(o->count <= VECS);
    for (int i = 0; i < o->count; i++) {
        o->len += o->vec[i].iov_len;
    }
    if (o->count < 0 || (o->len == 0 && !o->fin)) {
        o->stream = -1;
        o->count = -1;
        o->fin = false;
    }
}

static void took(struct conn *c, const struct offer *o, size_t len)
{
    c->events->pulled(c->context, c, o->stream, conn_user(c, o->stream), len,
                      o->fin && len == o->len);
}

/* Writes one packet of at most CAP bytes, with as many offers as fit. Returns its length, 0 if
 * there is nothing more to write now, or a negative error of ngtcp2. */
static ngtcp2_ssize write_packet(struct conn *c, ngtcp2_path *path, uint8_t *at, size_t cap,
                                 uint64_t ts)
{
    struct offer o;

    for (;;) {
        ngtcp2_ssize n, len = -1;
        uint32_t flags = 0;

        ask(c, &o);
        if (o.count >= 0) {
            flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (o.fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0u);
        }
        n = ngtcp2_conn_writev_stream(c->quic, path, NULL, at, cap, &len, flags, o.stream,
                                      (const ngtcp2_vec *)(const void *)o.vec,
                                      o.count > 0 ? (size_t)o.count : 0, ts);
        if (o.count >= 0 && len >= 0) {
            took(c, &o, (size_t)len);
        }
        switch (n) {
        case NGTCP2_ERR_WRITE_MORE: break;
        case NGTCP2_ERR_STREAM_DATA_BLOCKED:
        case NGTCP2_ERR_STREAM_SHUT_WR:
        case NGTCP2_ERR_STREAM_NOT_FOUND:
            c->events->blocked(c->context, c, o.stream, conn_user(c, o.stream));
            break;
        default: return n;
        }
    }
}

int conn_send_train(struct endpoint *e, struct conn *c)
{
    size_t sent = 0, left = e->train_len - e->train_sent;
    int error;

    if (left == 0) {
        return 0;
    }
    error =
        udp_send(&e->udp, &e->train_path, e->train + e->train_sent, left, e->train_segment, &sent);
    e->counters.bytes_out += sent;
    e->counters.datagrams_out += (sent + e->train_segment - 1) / e->train_segment;
    e->train_sent += sent;
    if (error == RUSM_BUSY) {
        return RUSM_BUSY;
    }
    e->train_len = e->train_sent = 0;
    if (error && c && !c->ready && c->dialled) {
        c->silent = true;
        conn_end(c, CONN_END_UNREACHABLE, 0, strerror(errno));
    }
    return 0;
}

static bool same_path(const struct udp_path *a, const ngtcp2_path *b)
{
    return udp_address_eq(&a->remote, (const union udp_address *)(const void *)b->remote.addr) &&
           udp_address_eq(&a->local, (const union udp_address *)(const void *)b->local.addr);
}

/* Follows the peer to its new address. Its NAT may have changed it. */
static void follow_path(struct conn *c, const ngtcp2_path *path)
{
    memcpy(&c->path.local, path->local.addr, path->local.addrlen);
    memcpy(&c->path.remote, path->remote.addr, path->remote.addrlen);
}

/* Returns the bytes that a packet may need, at most a burst. So a burst takes at least one
 * packet. */
static size_t packet_room(const struct conn *c)
{
    size_t max = conn_packet_max(c);

    return max < c->burst ? max : c->burst;
}

/* Builds a train: packets of one size to one place, the last of which may be shorter. Returns 1 if
 * the train is full or was cut, 0 if there is no more to write, or an error of ngtcp2. */
static int build_train(struct conn *c, size_t cap, uint64_t ts)
{
    struct endpoint *e = c->endpoint;
    ngtcp2_path_storage ps;
    size_t longest = packet_room(c);

    e->train_len = e->train_sent = 0;
    while (e->train_len + longest <= cap) {
        ngtcp2_ssize n;

        ngtcp2_path_storage_zero(&ps);
        n = write_packet(c, &ps.path, e->train + e->train_len,
                         c->narrow || c->tls ? longest : cap - e->train_len, ts);
        if (n <= 0) {
            return (int)n;
        }
        if (e->train_len == 0) {
            e->train_segment = (size_t)n;
            if (!same_path(&c->path, &ps.path)) {
                follow_path(c, &ps.path);
            }
            e->train_path = c->path;
        } else if ((size_t)n > e->train_segment || !same_path(&e->train_path, &ps.path)) {
            /* This packet does not fit behind the others. Send those first, then begin a train with
             * it. */
            uint8_t *misfit = e->train + e->train_len;
            if (conn_send_train(e, c) == 0) {
                memmove(e->train, misfit, (size_t)n);
                e->train_segment = (size_t)n;
                if (!same_path(&c->path, &ps.path)) {
                    follow_path(c, &ps.path);
                }
                e->train_path = c->path;
                e->train_len = 0;
            } else {
                return 1; /* the packet is lost, as any packet may be */
            }
        }
        e->train_len += (size_t)n;
        if ((size_t)n < e->train_segment) {
            return 1;
        }
        if ((size_t)n < longest / 2 && c->known && c->ready) {
            return 0; /* it had room for more; asking again costs as much as the packet */
        }
    }
    return 1;
}

int conn_write(struct conn *c, uint64_t now_ns, bool *more)
{
    struct endpoint *e = c->endpoint;
    size_t left = c->burst;
    int going = 1;

    *more = false;
    /* A burst is one train, except that a short packet ends a train early. */
    while (going > 0 && left >= packet_room(c) && c->state == CONN_OPEN) {
        size_t len;

        going = build_train(c, left, conn_clock(c, now_ns));
        len = e->train_len;
        if (going < 0) {
            conn_fail(c, going);
        }
        if (conn_send_train(e, c) != 0) {
            conn_mark(c);
            return RUSM_BUSY;
        }
        left -= len;
    }
    *more = going > 0;
    if (c->tls && c->state == CONN_OPEN && ngtcp2_conn_get_handshake_completed(c->quic)) {
        /* ngtcp2 updates keys without the TLS session, and tickets are off. The session has nothing
         * left to do. */
        ngtcp2_conn_set_tls_native_handle(c->quic, NULL);
        wolfSSL_free(c->tls);
        c->tls = NULL;
    }
    if (c->state == CONN_OPEN) {
        conn_set_timer(c, ngtcp2_conn_get_expiry(c->quic));
    }
    return 0;
}
