/* fuzz_quic: what a fuzz target of a whole node links in place of the quic room. An endpoint with a
 * few connections of doubles/fuzz_conn.h. Their other ends take all that the node sends, check that
 * it is well formed, and acknowledge it. Also a clock, a resolver and an identity. The target
 * defines what the other ends say. Include it once. */
#ifndef DOUBLES_FUZZ_QUIC_H
#define DOUBLES_FUZZ_QUIC_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include "base/err.h"
#include "base/id.h"
#include "doubles/fuzz_conn.h"
#include "local/resolve.h"

#define LINKS 6
#define LINK_SECOND UINT64_C(1000000000)

/* One connection. The node knows only its struct conn. */
struct link {
    struct conn conn;
    bool used, ready, greeted; /* greeted: the other end has said its hello */
};

struct endpoint {
    struct endpoint_events on;
    void *context;
    struct link links[LINKS + 1]; /* the last one belongs to the target */
};

/* The only world of a run. */
static struct quic_world {
    struct reader in;
    struct endpoint *e;
    uint64_t now_ns, chance;
    uint32_t incarnation; /* incarnation of the node */
    size_t sent;          /* bytes sent to the node's lanes */
} quic_world;

static struct identity {
    char fingerprint[65];
} quic_identity;

/* The target defines this: something happens. Returns true if there is more to do at once. */
static bool world_step(struct endpoint *e, struct reader *in);

/* ---- clock, randomness, names, identity ------------------------------------------------------ */

uint64_t endpoint_now_ns(void)
{
    return quic_world.now_ns += 1000;
}

/* Gives the same bytes in each run of an input. */
ssize_t getrandom(void *out, size_t len, unsigned flags)
{
    uint8_t *bytes = out;

    must(flags == 0);
    for (size_t i = 0; i < len; i++) {
        quic_world.chance = quic_world.chance * UINT64_C(6364136223846793005) + 1;
        bytes[i] = (uint8_t)(quic_world.chance >> 56);
    }
    return (ssize_t)len;
}

bool resolve_is_literal(const char *host_port)
{
    char host[256], port[6];
    struct in_addr v4;
    struct in6_addr v6;

    return id_host_port_parse(host_port, host, port) == 0 &&
           (inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1);
}

int resolve(const char *host_port, bool passive, struct resolved *out, size_t cap,
            struct rusm_why *why)
{
    char host[256], port[6];

    must(cap > 0);
    if (id_host_port_parse(host_port, host, port) != 0) {
        return err_why(why, RUSM_EINVAL, "'%s' is not an address: write HOST:PORT", host_port);
    }
    out->len = sizeof(struct sockaddr_in);
    out->address = (struct sockaddr_storage){ .ss_family = AF_INET };
    return passive || strlen(host) != 9 ? 1 : err_why(why, RUSM_ENOCONN, "no such host");
}

void resolve_format(const struct sockaddr *address, socklen_t len, char *text, size_t cap)
{
    must(address->sa_family == AF_INET && len == sizeof(struct sockaddr_in));
    snprintf(text, cap, "10.0.0.1:4000");
}

int identity_load(const char *path, struct identity **out, struct rusm_why *why)
{
    must(path[0] && why);
    *out = &quic_identity;
    memset(quic_identity.fingerprint, 'f', 64);
    return 0;
}

int identity_create(const char *path, struct rusm_why *why)
{
    return err_why(why, RUSM_EEXIST, "%s", path);
}

void identity_free(struct identity *id)
{
    must(!id || id == &quic_identity);
}

const char *identity_fingerprint(const struct identity *id)
{
    return id->fingerprint;
}

void identity_describe(const struct identity *id, struct rusm_identity_info *info)
{
    must(id == &quic_identity);
    *info = (struct rusm_identity_info){ .not_after = "" };
}

/* ---- endpoint.h ------------------------------------------------------------------------------ */

int endpoint_new(struct endpoint **out, const struct endpoint_options *options,
                 const struct endpoint_events *events, void *context, struct rusm_why *why)
{
    struct endpoint *e = calloc(1, sizeof(*e));

    must(e && options->accept && why);
    e->on = *events;
    e->context = context;
    *out = quic_world.e = e;
    return 0;
}

static inline void link_clear(struct link *l)
{
    for (size_t i = 0; i < CONN_THEIRS; i++) {
        free(l->conn.theirs[i].bytes);
    }
    for (size_t i = 0; i < CONN_OURS; i++) {
        free(l->conn.ours[i].bytes);
    }
    free(l->conn.control.bytes);
    *l = (struct link){ .used = false };
}

void endpoint_free(struct endpoint *e)
{
    for (size_t i = 0; e && i <= LINKS; i++) {
        link_clear(&e->links[i]);
    }
    free(e);
}

int endpoint_fd(const struct endpoint *e)
{
    static int ready = -1; /* always readable, so that nobody waits */

    must(e);
    if (ready < 0) {
        ready = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    return ready;
}

const struct sockaddr *endpoint_address(const struct endpoint *e, socklen_t *len)
{
    static const struct sockaddr_in any = { .sin_family = AF_INET };

    must(e);
    *len = sizeof(any);
    return (const struct sockaddr *)&any;
}

static inline void link_new(struct link *l, bool dialled)
{
    must(!l->used);
    l->used = true;
    l->conn.dialled = dialled;
    l->conn.ours_max = CONN_OURS;
    for (size_t i = 0; i < CONN_THEIRS; i++) {
        l->conn.theirs[i].id = (int64_t)i << 2 | 2 | (dialled ? 1 : 0);
    }
}

int endpoint_dial(struct endpoint *e, const struct sockaddr *to, socklen_t to_len, void *app,
                  struct conn **out)
{
    must(to->sa_family == AF_INET && to_len == sizeof(struct sockaddr_in) && !app);
    for (size_t i = 0; i < LINKS; i++) {
        if (!e->links[i].used) {
            link_new(&e->links[i], true);
            *out = &e->links[i].conn;
            return 0;
        }
    }
    return RUSM_ELIMIT;
}

int endpoint_dial_client(struct endpoint *e, const struct sockaddr *to, socklen_t to_len,
                         struct conn **out)
{
    return endpoint_dial(e, to, to_len, NULL, out);
}

/* Reports that the handshake is done. */
static inline void link_ready(struct endpoint *e, struct link *l)
{
    l->ready = true;
    must(e->on.ready(e->context, &l->conn) == 0 || l->conn.closing);
}

static inline void link_end(struct endpoint *e, struct link *l, enum conn_end_kind kind)
{
    struct conn_end end = { .kind = kind, .code = l->conn.code, .text = "over" };

    if (l->ready || l->conn.dialled) {
        e->on.closed(e->context, &l->conn, &end);
    }
    must(!l->conn.app);
    link_clear(l);
}

bool endpoint_receive(struct endpoint *e)
{
    return world_step(e, &quic_world.in);
}

void endpoint_discard(struct endpoint *e)
{
    (void)e; /* the fuzzer's clock does not stand still */
}

/* There is no group of endpoints, so nothing is forwarded. */
void endpoint_take(struct endpoint *e, const struct endpoint_forward *forward)
{
    (void)e;
    must(!forward);
}

bool endpoint_poll(struct endpoint *e, bool all)
{
    (void)all;
    return e != NULL;
}

void endpoint_tick(struct endpoint *e, uint64_t now_ns)
{
    (void)now_ns;
    must(e);
}

uint64_t endpoint_next_ns(const struct endpoint *e)
{
    must(e);
    return UINT64_MAX;
}

const struct endpoint_counters *endpoint_counters(const struct endpoint *e)
{
    static const struct endpoint_counters none;

    must(e);
    return &none;
}

void conn_peer_text(const struct conn *c, char *text, size_t cap)
{
    must(c);
    snprintf(text, cap, "10.0.0.2:4000");
}

uint64_t conn_rtt_ns(const struct conn *c)
{
    must(c);
    return 1000;
}

uint64_t conn_last_heard_ns(const struct conn *c)
{
    must(c);
    return quic_world.now_ns;
}

/* ---- what the node sends --------------------------------------------------------------------- */

/* Takes one offer whole. Returns false if there was none. */
static inline bool link_pull(struct endpoint *e, struct link *l)
{
    struct iovec vec[CONN_VECS];
    struct conn *c = &l->conn;
    int64_t id = -1;
    bool fin = false;
    size_t len = 0;
    int n = e->on.pull(e->context, c, &id, vec, CONN_VECS, &fin);

    must(n <= CONN_VECS);
    for (int i = 0; i < n; i++) {
        len += vec[i].iov_len;
    }
    if (n < 0 || (len == 0 && !fin)) {
        return false;
    }
    struct flow *f = conn_flow(c, id);
    must(f->open && !f->fin);
    if (f->reset || f->stopped) {
        e->on.blocked(e->context, c, id, f->user);
        return true;
    }
    for (int i = 0; i < n; i++) {
        flow_put(f, vec[i].iov_base, vec[i].iov_len);
    }
    f->fin = fin;
    e->on.pulled(e->context, c, id, f->user, len, fin);
    if (f == &c->control) {
        conn_read_control(c);
    } else {
        conn_read_lane(f);
    }
    return true;
}

/* Acknowledges all that the node sent. */
static inline void link_ack(struct endpoint *e, struct link *l)
{
    struct conn *c = &l->conn;

    for (size_t i = 0; i <= c->ours_count && !c->closing; i++) {
        struct flow *f = i < c->ours_count ? &c->ours[i] : &c->control;
        size_t len = f->len - f->acked;
        f->acked = f->len;
        if (f->open && !f->closed && len > 0 && !f->reset) {
            e->on.stream_acked(e->context, c, f->id, f->user, len);
        }
        if (f->open && !f->closed && f != &c->control && (f->fin || f->reset)) {
            f->closed = true;
            e->on.stream_closed(e->context, c, f->id, f->user);
            f->user = NULL;
        }
    }
}

bool endpoint_flush(struct endpoint *e, bool *blocked)
{
    *blocked = false;
    for (size_t i = 0; i <= LINKS; i++) {
        struct link *l = &e->links[i];
        if (l->used && l->ready && !l->conn.closing) {
            for (int n = 0; n < 64 && link_pull(e, l); n++) {}
        }
        if (l->used && l->conn.closing) {
            link_end(e, l, CONN_END_LOCAL);
        }
    }
    return false;
}

#endif
