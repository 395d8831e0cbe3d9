/* endpoint: the socket, the tables and the timers that connections share. The node's loop calls
 * receive, tick and flush, in this order, in each tick. They never block. receive reads the time
 * once for each batch, and flush once for each connection. */
#include "base/container_of.h"
#include "quic/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/err.h"
#include "base/rng.h"
#include "quic/accept.h"
#include "quic/conn.h"
#include "quic/steer.h"

#define FILLS 4      /* batches in one call of endpoint_receive, so that processes get their turn */
#define DISCARDS 256 /* batches in one call of endpoint_discard: more than a socket holds */

uint64_t endpoint_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NGTCP2_SECONDS + (uint64_t)ts.tv_nsec;
}

static int make_secrets(struct endpoint *e, const struct endpoint_options *o, struct rusm_why *why)
{
    uint64_t seed;
    int error = rng_secret(&seed, sizeof(seed));

    if (!error) {
        error = rng_secret(e->retry_secret, sizeof(e->retry_secret));
    }
    if (!error) {
        /* This secret is the same after a restart, because peers must recognise stateless resets
         * then. */
        error = o->reset_context ? identity_derive(o->identity, "stateless reset", o->reset_context,
                                                   e->reset_secret, sizeof(e->reset_secret))
                                 : rng_secret(e->reset_secret, sizeof(e->reset_secret));
    }
    map_init(&e->cids, seed);
    map_init(&e->tokens, seed);
    return error ? err_why(why, error, "cannot make secrets") : 0;
}

/* Opens the socket of one endpoint. The first endpoint of a group must find the address free. When
 * the last one has bound it too, the system deals datagrams to them. */
static int open_socket(struct endpoint *e, const struct endpoint_options *o, struct rusm_why *why)
{
    int error = udp_open(&e->udp, o->bind, o->bind_len, o->index > 0, why);

    if (!error && o->group > 1 && o->index == 0) {
        error = udp_share(&e->udp, why);
    }
    if (!error && o->group > 1 && o->index == o->group - 1) {
        steer_attach(e->udp.fd, o->group);
    }
    return error;
}

int endpoint_new(struct endpoint **out, const struct endpoint_options *options,
                 const struct endpoint_events *events, void *context, struct rusm_why *why)
{
    struct endpoint *e = calloc(1, sizeof(*e));
    int error;

    *out = NULL;
    if (!e) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    e->udp.fd = -1;
    e->options = *options;
    e->options.bind = NULL;
    e->options.reset_context = NULL;
    e->events = *events;
    e->callbacks = &conn_callbacks;
    e->context = context;
    list_init(&e->conns);
    list_init(&e->closing);
    list_init(&e->dirty);
    heap_init(&e->timers);
    error = make_secrets(e, options, why);
    if (!error) {
        e->train = malloc(UDP_TRAIN_MAX);
        error = e->train ? 0 : err_why(why, RUSM_ENOMEM, "no memory");
    }
    if (!error) {
        struct tls_options tls = { .identity = options->identity,
                                   .accept_http = options->accept && options->http,
                                   .dial_http = !options->accept && options->http,
                                   .anonymous = options->anonymous };
        error = tls_new(&e->tls, &tls, why);
    }
    if (!error) {
        error = open_socket(e, options, why);
    }
    if (error) {
        endpoint_free(e);
        return error;
    }
    *out = e;
    return 0;
}

void endpoint_free(struct endpoint *e)
{
    uint64_t now_ns = endpoint_now_ns();

    if (!e) {
        return;
    }
    list_each_safe(it, &e->conns) {
        struct conn *c = container_of(it, struct conn, all);
        if (c->state == CONN_OPEN) {
            ngtcp2_ccerr_set_application_error(&c->close, 0, NULL, 0);
        }
        if (!c->silent) {
            conn_say_close(c, now_ns);
        }
        conn_free(c);
    }
    list_each_safe(it, &e->closing) {
        conn_free(container_of(it, struct conn, all));
    }
    udp_close(&e->udp);
    tls_free(e->tls);
    heap_fini(&e->timers);
    map_fini(&e->cids);
    map_fini(&e->tokens);
    free(e->train);
    explicit_bzero(e->reset_secret, sizeof(e->reset_secret));
    free(e);
}

int endpoint_fd(const struct endpoint *e)
{
    return e->udp.fd;
}

const struct sockaddr *endpoint_address(const struct endpoint *e, socklen_t *len)
{
    *len = udp_address_len(&e->udp.local);
    return &e->udp.local.any;
}

const struct endpoint_counters *endpoint_counters(const struct endpoint *e)
{
    return &e->counters;
}

/* ---- endpoints of a group ---- */

static void pass_on(struct endpoint *e, unsigned to, struct endpoint_forward *forward,
                    unsigned left)
{
    e->counters.forwards++;
    forward->left = left;
    e->events.forward(e->context, to, forward);
}

static unsigned next_of(const struct endpoint *e)
{
    return (e->options.index + 1) % e->options.group;
}

/* Is this the Initial of a stranger, whose id only happens to have the length of ours? It is for
 * endpoint 0 then. If the Initial has a token, an endpoint gave the stranger that id in a Retry. */
static bool is_strangers(const struct udp_packet *p, const ngtcp2_version_cid *vc)
{
    ngtcp2_pkt_hd hd;

    return vc->dcidlen == CID_LEN && ngtcp2_accept(&hd, p->data, p->len) == 0 && hd.tokenlen == 0;
}

/* Passes a packet on that belongs to no connection here, if it may be for another endpoint of the
 * group. `passed` says how it came here from another endpoint. NULL: it came from the socket.
 * Returns true if it was passed on. */
static bool passed_on(struct endpoint *e, const struct udp_packet *p, const ngtcp2_version_cid *vc,
                      const struct endpoint_forward *passed)
{
    unsigned group = e->options.group, here = e->options.index;
    struct endpoint_forward forward = { .data = p->data, .len = p->len };

    if (group <= 1 || (passed && passed->left == 0)) {
        return false;
    }
    unsigned owner = steer_owner(vc->dcid, vc->dcidlen, group);
    memcpy(&forward.local, &p->path.local, sizeof(p->path.local));
    memcpy(&forward.remote, &p->path.remote, sizeof(p->path.remote));
    if (!passed && owner != here) {
        /* It may be a stateless reset, whose id means nothing. So ask all endpoints. */
        pass_on(e, owner, &forward, p->data[0] & 0x80 ? 1 : group - 1);
    } else if (!(p->data[0] & 0x80)) {
        pass_on(e, next_of(e), &forward, passed ? passed->left - 1 : group - 2);
    } else if (here != 0 && is_strangers(p, vc)) {
        pass_on(e, 0, &forward, 0);
    } else {
        return false;
    }
    return true;
}

/* ---- receiving ---- */

static void receive_packet(struct endpoint *e, const struct udp_packet *p,
                           const struct endpoint_forward *passed, uint64_t now_ns)
{
    ngtcp2_version_cid vc;
    struct conn *c;
    int error = ngtcp2_pkt_decode_version_cid(&vc, p->data, p->len, CID_LEN);

    if (error == NGTCP2_ERR_VERSION_NEGOTIATION) {
        accept_offer_versions(e, p, &vc);
        return;
    }
    if (error) {
        e->counters.malformed++;
        return;
    }
    c = cid_find(&e->cids, vc.dcid, vc.dcidlen);
    if (!c && !(p->data[0] & 0x80) && p->len >= NGTCP2_STATELESS_RESET_TOKENLEN) {
        c = cid_find(&e->tokens, p->data + p->len - NGTCP2_STATELESS_RESET_TOKENLEN,
                     NGTCP2_STATELESS_RESET_TOKENLEN);
    }
    if (c) {
        conn_receive(c, p, now_ns);
    } else if (!passed_on(e, p, &vc, passed)) {
        accept_packet(e, p, &vc, now_ns);
    }
}

static void count_packet(struct endpoint *e, const struct udp_packet *p)
{
    e->counters.datagrams_in++;
    e->counters.bytes_in += p->len;
    if (p->len > e->counters.datagram_longest) {
        e->counters.datagram_longest = p->len;
    }
}

/* Handles an ICMP report. Whoever knows our port can forge one. So it ends a connection only if we
 * dialled it and its handshake is not complete. For a ready connection it is a hint, which the
 * owner may look into. */
static void receive_error(struct endpoint *e, const union udp_address *to, int error)
{
    list_each(it, &e->conns) {
        struct conn *c = container_of(it, struct conn, all);
        if (c->state != CONN_OPEN || !udp_address_eq(&c->path.remote, to)) {
            continue;
        }
        if (c->ready && c->events->doubted) {
            c->events->doubted(c->context, c);
        } else if (c->dialled && !c->ready) {
            c->silent = true;
            conn_end(c, CONN_END_UNREACHABLE, 0, strerror(error));
        }
    }
}

/* In a group, each endpoint may get a report about another endpoint's packet. So it passes it
 * on. */
static void receive_errors(struct endpoint *e)
{
    struct endpoint_forward forward = { 0 };
    union udp_address to;
    int error;

    while (udp_error(&e->udp, &to, &error)) {
        if (error != ECONNREFUSED && error != EHOSTUNREACH && error != ENETUNREACH &&
            error != EACCES) {
            continue;
        }
        receive_error(e, &to, error);
        if (e->options.group > 1) {
            memcpy(&forward.remote, &to, sizeof(to));
            forward.error = error;
            pass_on(e, next_of(e), &forward, e->options.group - 2);
        }
    }
}

void endpoint_take(struct endpoint *e, const struct endpoint_forward *forward)
{
    struct udp_packet p = { .data = forward->data, .len = forward->len };
    struct endpoint_forward on = *forward;

    memcpy(&p.path.local, &forward->local, sizeof(p.path.local));
    memcpy(&p.path.remote, &forward->remote, sizeof(p.path.remote));
    if (!forward->error) {
        receive_packet(e, &p, forward, endpoint_now_ns());
        return;
    }
    receive_error(e, &p.path.remote, forward->error);
    if (forward->left > 0) {
        pass_on(e, next_of(e), &on, forward->left - 1);
    }
}

bool endpoint_receive(struct endpoint *e)
{
    bool more = true;

    for (int i = 0; i < FILLS && more; i++) {
        struct udp_packet p;
        uint64_t now_ns;

        if (udp_pending(&e->udp) || udp_fill(&e->udp, SIZE_MAX) > 0) {
            now_ns = endpoint_now_ns();
            while (udp_next(&e->udp, &p)) {
                count_packet(e, &p);
                receive_packet(e, &p, NULL, now_ns);
            }
        }
        more = e->udp.full;
        if (e->udp.errors) {
            receive_errors(e);
        }
    }
    return more;
}

void endpoint_discard(struct endpoint *e)
{
    struct udp_packet p;

    for (int i = 0; i < DISCARDS && (udp_pending(&e->udp) || udp_fill(&e->udp, SIZE_MAX) > 0);
         i++) {
        while (udp_next(&e->udp, &p)) {
            count_packet(e, &p);
        }
    }
}

bool endpoint_poll(struct endpoint *e, bool all)
{
    return udp_pending(&e->udp) ||
           udp_fill(&e->udp, all && !udp_lone(&e->udp) ? SIZE_MAX : 1) > 0 || e->udp.errors;
}

void endpoint_tick(struct endpoint *e, uint64_t now_ns)
{
    for (;;) {
        struct heap_node *node = heap_min(&e->timers);
        struct conn *c;
        int error;

        if (!node || node->key > now_ns) {
            return;
        }
        c = container_of(node, struct conn, timer);
        if (c->state == CONN_CLOSING) {
            conn_free(c);
            continue;
        }
        if (c->state == CONN_OPEN) {
            error = ngtcp2_conn_handle_expiry(c->quic, conn_clock(c, now_ns));
            if (error) {
                conn_fail(c, error);
            } else {
                conn_path_tick(c, now_ns);
            }
        }
        conn_mark(c);
        /* The flush sets the timer again. */
        conn_set_timer(c, UINT64_MAX);
    }
}

bool endpoint_flush(struct endpoint *e, bool *blocked)
{
    struct list tick;

    *blocked = conn_send_train(e, NULL) != 0;
    if (*blocked || list_empty(&e->dirty)) {
        return false;
    }
    /* Connections that are marked from here on wait for the next call. */
    tick = e->dirty;
    tick.next->prev = tick.prev->next = &tick;
    list_init(&e->dirty);
    while (!list_empty(&tick)) {
        struct conn *c = container_of(list_first(&tick), struct conn, dirty);
        uint64_t now_ns = endpoint_now_ns();
        bool more = false;

        list_remove(&c->dirty);
        if (c->state == CONN_OPEN && conn_write(c, now_ns, &more) != 0) {
            *blocked = true;
            break;
        }
        if (c->state == CONN_ENDING) {
            conn_finish(c, now_ns);
        } else if (more) {
            conn_mark(c);
        }
    }
    while (!list_empty(&tick)) {
        struct list *last = tick.prev;
        list_remove(last);
        list_prepend(&e->dirty, last);
    }
    return !*blocked && !list_empty(&e->dirty);
}

uint64_t endpoint_next_ns(const struct endpoint *e)
{
    const struct heap_node *node = heap_min(&e->timers);

    return node ? node->key : UINT64_MAX;
}

int endpoint_dial(struct endpoint *e, const struct sockaddr *to, socklen_t to_len, void *app,
                  struct conn **out)
{
    struct udp_path path = { .local = e->udp.local };
    struct conn *c;
    int error;

    *out = NULL;
    if (e->counters.connections >= e->options.max_connections) {
        return RUSM_ELIMIT;
    }
    if (udp_address_for(&e->udp, &path.remote, to, to_len) != 0) {
        return RUSM_EIO;
    }
    error = conn_new(&c, e, &path, NULL, NULL, endpoint_now_ns());
    if (error) {
        return error;
    }
    c->app = app;
    conn_mark(c);
    *out = c;
    return 0;
}

int endpoint_dial_client(struct endpoint *e, const struct sockaddr *to, socklen_t to_len,
                         struct conn **out)
{
    bool has_share = e->options.has_share; /* only the id of the first packet depends on it */

    e->options.has_share = false;
    int error = endpoint_dial(e, to, to_len, NULL, out);
    e->options.has_share = has_share;
    return error;
}
