/* fuzz_link: what a fuzz target of the client (lib/client) links in place of the quic and peer
 * rooms. The other end of each connection says what the input orders, through the upcalls that
 * peer.h promises, and only what the decoders of the peer room would let through. Also a clock, a
 * resolver and an identity. The target has the words of the other end. Include it once. */
#ifndef DOUBLES_FUZZ_LINK_H
#define DOUBLES_FUZZ_LINK_H

#include <fcntl.h>
#include <netinet/in.h>
#include <time.h>
#include "base/err.h"
#include "wire/limits.h"
#include "base/id.h"
#include "doubles/fuzz.h"
#include "client/client.h"
#include "local/resolve.h"
#include "peer/peer.h"
#include "wire/control.h"
#include "wire/lane.h"

#define LINK_SECOND UINT64_C(1000000000)

struct conn {
    struct endpoint *endpoint;
    struct peer *peer;
};

struct endpoint {
    struct endpoint_events on;
    void *context;
    struct conn *conn; /* NULL: not dialled, or ended */
};

struct peer {
    struct conn *conn;
    const struct peer_events *events;
    void *context;
    uint32_t incarnation; /* the client's */
    bool hello, closing;
    uint64_t request, op;     /* the last one that the client asked */
    uint64_t receipt, ref[2]; /* the last ones in what the client sent */
    uint64_t ping;
    uint64_t from;                            /* the other end's next lane */
    struct column columns[TABLE_COLUMNS_MAX]; /* of the table that the other end is sending */
    size_t column_count;                      /* 0: no columns yet */
};

/* The only world of a run. */
static struct link_world {
    struct reader in;
    uint64_t now_ns;
    size_t endpoints, peers;
} link_world;

static struct identity {
    char fingerprint[65];
} link_identity;

/* The target defines this: something happens on a connection that has said its hello. */
static void link_say(struct peer *p, struct reader *in);

static inline bool link_chance(size_t one_in)
{
    return fuzz_below(&link_world.in, one_in) == 1;
}

/* There are no lanes except those that the target makes. */
void lane_budget_init(struct lane_budget *b, unsigned schedulers)
{
    must(schedulers == 1);
    *b = (struct lane_budget){ 0 };
}

/* ---- clock, names, identity ------------------------------------------------------------------ */

uint64_t endpoint_now_ns(void)
{
    return link_world.now_ns += 1000;
}

int nanosleep(const struct timespec *ts, struct timespec *left)
{
    must(ts && !left);
    link_world.now_ns += LINK_SECOND;
    return 0;
}

/* No name is looked up by a thread. */
bool resolve_is_literal(const char *host_port)
{
    must(host_port);
    return true;
}

int resolve(const char *host_port, bool passive, struct resolved *out, size_t cap,
            struct rusm_why *why)
{
    char host[256], port[6];

    must(id_host_port_parse(host_port, host, port) == 0 && !passive && cap > 0);
    if (link_chance(16)) {
        return err_why(why, RUSM_ENOCONN, "no such host: %s", host);
    }
    size_t count = 1 + fuzz_below(&link_world.in, cap < 3 ? cap : 3);
    for (size_t i = 0; i < count; i++) {
        out[i].len = sizeof(struct sockaddr_in);
        out[i].address = (struct sockaddr_storage){ .ss_family = AF_INET };
    }
    return (int)count;
}

int identity_load(const char *path, struct identity **out, struct rusm_why *why)
{
    must(path && path[0]);
    *out = &link_identity;
    memset(link_identity.fingerprint, 'f', 64);
    return link_chance(32) ? err_why(why, RUSM_EREFUSED, "no identity at %s", path) : 0;
}

int identity_create(const char *path, struct rusm_why *why)
{
    return err_why(why, RUSM_EIO, "nothing is made at %s", path);
}

void identity_free(struct identity *id)
{
    must(!id || id == &link_identity);
}

const char *identity_fingerprint(const struct identity *id)
{
    return id->fingerprint;
}

void identity_describe(const struct identity *id, struct rusm_identity_info *info)
{
    must(id == &link_identity);
    *info = (struct rusm_identity_info){ .not_after = "" };
}

/* ---- endpoint.h ------------------------------------------------------------------------------ */

int endpoint_new(struct endpoint **out, const struct endpoint_options *options,
                 const struct endpoint_events *events, void *context, struct rusm_why *why)
{
    must(options->identity == &link_identity && !options->accept && context);
    if (link_chance(32)) {
        return err_why(why, RUSM_EIO, "cannot bind");
    }
    struct endpoint *e = calloc(1, sizeof(*e));
    must(e);
    e->on = *events;
    e->context = context;
    *out = e;
    link_world.endpoints++;
    return 0;
}

void endpoint_free(struct endpoint *e)
{
    if (e) {
        must(link_world.endpoints-- > 0);
        free(e->conn);
        free(e);
    }
}

int endpoint_fd(const struct endpoint *e)
{
    static int ready = -1; /* always readable, so that nobody waits */

    must(e);
    if (ready < 0) {
        ready = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    return ready;
}

int endpoint_dial(struct endpoint *e, const struct sockaddr *to, socklen_t to_len, void *app,
                  struct conn **out)
{
    must(to->sa_family == AF_INET && to_len == sizeof(struct sockaddr_in) && !app && !e->conn);
    if (link_chance(32)) {
        return RUSM_EIO;
    }
    *out = e->conn = calloc(1, sizeof(*e->conn));
    must(e->conn);
    e->conn->endpoint = e;
    return 0;
}

static inline void link_end(struct endpoint *e, const struct conn_end *end)
{
    struct conn *c = e->conn;

    e->conn = NULL;
    e->on.closed(e->context, c, end);
    free(c);
}

/* Ends a connection in one of the ways that the other end or the network can end it. */
static inline void link_break(struct endpoint *e)
{
    struct conn_end end = { .kind = (enum conn_end_kind)(1 + fuzz_below(&link_world.in, 7)),
                            .code = fuzz_below(&link_world.in, 16) };

    snprintf(end.text, sizeof(end.text), "%s", end.kind == CONN_END_ERROR ? "an error" : "");
    link_end(e, &end);
}

static inline void link_hello(struct peer *p)
{
    static const char *const names[] = { "london", "tokyo", "oslo", "L.o-n_d0n" };
    const char *name = names[fuzz_below(&link_world.in, 4)];
    struct hello hello = { .version = CONTROL_VERSION,
                           .role = link_chance(16) ? HELLO_CLIENT : HELLO_NODE,
                           .incarnation = 0x5f3a1c,
                           .max_message = link_chance(8) ? 10 : RUSM_MESSAGE_MAX,
                           .name = name,
                           .name_len = strlen(name),
                           .advertise = "" };

    p->hello = true;
    enum close_code code = p->events->hello(p->context, p, &hello);
    must(code == CLOSE_NONE || code == CLOSE_WRONG_NODE);
    if (code != CLOSE_NONE) {
        p->closing = true;
    } else {
        p->events->ready(p->context, p);
    }
}

bool endpoint_receive(struct endpoint *e)
{
    struct reader *in = &link_world.in;

    link_world.now_ns += reader_left(in) > 0 ? fuzz_below(in, 16) << 24 : LINK_SECOND;
    if (!e->conn || reader_left(in) == 0 || (e->conn->peer && e->conn->peer->closing)) {
        return false;
    }
    if (link_chance(64)) {
        link_break(e);
    } else if (!e->conn->peer) {
        must(e->on.ready(e->context, e->conn) == 0);
    } else if (!e->conn->peer->hello) {
        link_hello(e->conn->peer);
    } else {
        link_say(e->conn->peer, in);
    }
    return link_chance(4);
}

void endpoint_tick(struct endpoint *e, uint64_t now_ns)
{
    (void)now_ns;
    must(e);
}

bool endpoint_flush(struct endpoint *e, bool *blocked)
{
    *blocked = false;
    if (e->conn && e->conn->peer && e->conn->peer->closing) {
        link_end(e, &(struct conn_end){ .kind = CONN_END_LOCAL, .text = "closed" });
    }
    return false;
}

uint64_t endpoint_next_ns(const struct endpoint *e)
{
    return e->conn ? link_world.now_ns + LINK_SECOND : UINT64_MAX;
}

/* ---- peer.h ---------------------------------------------------------------------------------- */

void peer_fill_events(struct endpoint_events *events)
{
    must(events->ready && events->closed);
}

int peer_new(struct peer **out, const struct peer_options *options)
{
    struct peer *p = calloc(1, sizeof(*p));

    must(p && options->hello.role == HELLO_CLIENT && options->hello.incarnation != 0);
    p->conn = options->conn;
    p->events = options->events;
    p->context = options->context;
    p->incarnation = options->hello.incarnation;
    p->conn->peer = p;
    *out = p;
    link_world.peers++;
    return 0;
}

void peer_free(struct peer *p)
{
    if (p) {
        must(link_world.peers-- > 0 && p->conn->peer == p);
        p->conn->peer = NULL;
        free(p);
    }
}

void peer_run(struct peer *p, uint64_t now_ns)
{
    must(p && now_ns <= link_world.now_ns);
}

bool peer_tick(struct peer *p, uint64_t now_ns)
{
    must(p && now_ns <= link_world.now_ns);
    return true;
}

void peer_close(struct peer *p, enum close_code code, const char *text)
{
    must(text && code <= CLOSE_INTERNAL);
    p->closing = true;
}

int peer_send_frame(struct peer *p, enum frame_type type, bool skip, const void *body, size_t len)
{
    struct reader r = reader_on(body, len);
    struct request request;

    must(len <= LIMIT_FRAME);
    if (p->closing) {
        return RUSM_ECLOSED;
    }
    if (type == FRAME_REQUEST) {
        must(!skip && request_decode(body, len, &request) == 0);
        p->request = request.id;
        p->op = request.op;
        p->column_count = 0;
    } else if (type == FRAME_PING) {
        must(len == 8);
        p->ping = reader_u64(&r);
    } else {
        must(type == FRAME_CANCEL && reader_varint(&r) > 0 && !r.bad);
    }
    return 0;
}

int peer_send(struct peer *p, const struct parcel *parcel, uint64_t now_ns)
{
    must(now_ns <= link_world.now_ns && parcel->from == CLIENT_SERIAL && !parcel->unordered);
    must(parcel->kind < RECORD_KINDS && parcel->len <= RUSM_MESSAGE_MAX);
    if (p->closing) {
        return RUSM_ENOCONN;
    }
    if (parcel->kind < RECORD_EXIT && link_chance(16)) {
        return RUSM_BUSY;
    }
    if (parcel->has_receipt) {
        p->receipt = parcel->receipt;
    }
    if (parcel->has_ref) {
        p->ref[parcel->kind == RECORD_CALL] = parcel->ref;
    }
    return 0;
}

struct credit *peer_lane_credit(struct lane_in *lane)
{
    return lane->credit;
}

#endif
