/* conn_path: how long packets may be on a connection's path, and which congestion control the
 * connection uses. On loopback the length is known. Elsewhere ngtcp2 begins with 1,200 bytes and
 * tries longer packets (RFC 8899). ngtcp2 does not notice when a path becomes narrower, so this
 * file does. Called by conn, conn_io and endpoint, on the endpoint's thread. */
#include "quic/conn.h"

#include <string.h>

/* Bytes of a packet in a jumbo frame of 9,000 bytes, without the headers of IPv6 and UDP. */
#define PACKET_USUAL_MAX 8952

/* How long a path counts as narrow. It may have been cut for a moment only. Each time that it was
 * no better afterwards, this time doubles, up to the time of RFC 8899, 5.1.1. */
#define NARROW_NS ((uint64_t)5 * NGTCP2_SECONDS)
#define NARROW_MAX_NS ((uint64_t)600 * NGTCP2_SECONDS)

/* A path counts as narrow after this many probe timeouts without any progress. */
#define BARREN_PTOS 3

/* Lengths to try after CONN_PACKET and the maximum, the longest first. The first that gets through
 * is kept. They are frames of 9,000, 8,896 and 3,900 bytes (clouds), 1,460, 1,420 (WireGuard),
 * 1,400, 1,380 and 1,280 bytes (tunnels), less 48 each. */
static const uint16_t probes[] = { 8952, 8848, 3852, 1412, 1372, 1352, 1332, 1232 };

_Static_assert(sizeof(probes) / sizeof(probes[0]) + 2 == CONN_PROBES, "room for two more");

static bool is_loopback(const union udp_address *a)
{
    const uint8_t *v4 = (const uint8_t *)&a->v4.sin_addr;

    if (a->any.sa_family == AF_INET6) {
        if (!IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
            return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
        }
        v4 = &a->v6.sin6_addr.s6_addr[12];
    }
    return v4[0] == 127;
}

static size_t fill_probes(uint16_t *to, size_t max)
{
    size_t n = 0;

    if (max > CONN_PACKET) {
        to[n++] = CONN_PACKET;
    }
    if (max > CONN_PACKET_MIN) {
        to[n++] = (uint16_t)max;
    }
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (probes[i] < max && probes[i] != CONN_PACKET) {
            to[n++] = probes[i];
        }
    }
    return n;
}

void conn_path_settings(struct conn *c, ngtcp2_settings *s, uint16_t *to)
{
    size_t max = c->endpoint->options.max_packet;
    bool loopback = is_loopback(&c->path.remote);

    /* CUBIC takes every loss for congestion. With 40 ms and 1 % random loss, 64 MiB take it
     * minutes, and BBR two seconds. On loopback there is no random loss, and BBR costs 5 to 10
     * %. */
    s->cc_algo = loopback ? NGTCP2_CC_ALGO_CUBIC : NGTCP2_CC_ALGO_BBR;
    if (max == 0 && loopback) {
        /* Loopback is known to be wide. Longer packets would make bulk data a little faster, at the
         * cost of small messages. */
        s->max_tx_udp_payload_size = PACKET_USUAL_MAX;
        s->no_tx_udp_payload_size_shaping = 1;
        s->no_pmtud = 1;
        c->known = true;
        return;
    }
    max = max ? max : PACKET_USUAL_MAX;
    s->max_tx_udp_payload_size = max;
    s->pmtud_probeslen = fill_probes(to, max);
    s->pmtud_probes = to;
    s->no_pmtud = s->pmtud_probeslen == 0;
}

size_t conn_packet_max(const struct conn *c)
{
    if (c->state != CONN_OPEN) {
        return 0;
    }
    if (c->tls) { /* ngtcp2 pads packets of the handshake to all the room that it gets */
        return CONN_PACKET_MIN;
    }
    size_t max = ngtcp2_conn_get_path_max_tx_udp_payload_size(c->quic);
    if (c->theirs > 0 && max > c->theirs) { /* nodes take any length, HTTP clients may not */
        max = c->theirs;
    }
    return c->narrow ? CONN_PACKET_MIN : max;
}

void conn_path_progress(struct conn *c)
{
    c->barren_ns = 0;
}

static void become_narrow(struct conn *c, uint64_t now_ns)
{
    bool again = c->narrow_for_ns && now_ns - c->narrow_until_ns < NARROW_MAX_NS;

    c->narrow = true;
    c->narrow_for_ns = again ? 2 * c->narrow_for_ns : NARROW_NS;
    if (c->narrow_for_ns > NARROW_MAX_NS) {
        c->narrow_for_ns = NARROW_MAX_NS;
    }
    c->narrow_until_ns = now_ns + c->narrow_for_ns;
    c->barren_ns = 0;
}

void conn_path_tick(struct conn *c, uint64_t now_ns)
{
    ngtcp2_conn_info info;

    if (c->narrow && now_ns >= c->narrow_until_ns) {
        c->narrow = false;
    }
    if (!c->ready || conn_packet_max(c) <= CONN_PACKET_MIN) {
        return;
    }
    ngtcp2_conn_get_conn_info(c->quic, &info);
    if (info.bytes_in_flight == 0) {
        c->barren_ns = 0;
    } else if (!c->barren_ns) {
        c->barren_ns = now_ns;
    } else if (now_ns - c->barren_ns > BARREN_PTOS * ngtcp2_conn_get_pto(c->quic)) {
        become_narrow(c, now_ns);
    }
}
