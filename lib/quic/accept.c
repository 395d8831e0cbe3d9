/* accept: packets of strangers. The endpoint keeps nothing for a stranger until its Initial looks
 * right. When many handshakes are under way, the stranger must also prove its address with a Retry.
 * Called by endpoint. */
#include "quic/accept.h"

#include <string.h>
#include "base/rng.h"

#define RETRY_TIMEOUT ((ngtcp2_duration)10 * NGTCP2_SECONDS)
#define TOKEN_MAX NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2
#define RESETS_A_SECOND \
    100 /* of a whole group; few connections are forgotten; more resets answer an attacker */
#define RESET_LEN ((size_t)43) /* looks like a short packet (RFC 9000 10.3) */
#define RESET_LEAST ((size_t)(NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN))

static void reply(struct endpoint *e, const struct udp_packet *p, const uint8_t *packet,
                  ngtcp2_ssize len)
{
    size_t sent;

    if (len > 0 && udp_send(&e->udp, &p->path, packet, (size_t)len, (size_t)len, &sent) == 0) {
        e->counters.datagrams_out++;
        e->counters.bytes_out += (size_t)len;
    }
}

void accept_offer_versions(struct endpoint *e, const struct udp_packet *p,
                           const ngtcp2_version_cid *vc)
{
    uint8_t packet[256], random;
    const uint32_t versions[] = { NGTCP2_PROTO_VER_V1 };
    ngtcp2_ssize len;

    e->counters.dropped++;
    if (!e->options.accept || rng_secret(&random, sizeof(random)) != 0) {
        return;
    }
    len = ngtcp2_pkt_write_version_negotiation(packet, sizeof(packet), random, vc->scid,
                                               vc->scidlen, vc->dcid, vc->dcidlen, versions, 1);
    reply(e, p, packet, len);
}

/* Sends a stateless reset, because we know nothing of the connection any more. We may have been
 * restarted. Only a peer that had the connection can recognise the reset. It is shorter than the
 * packet that it answers, so that two such hosts do not answer each other for ever. */
static void reset_stateless(struct endpoint *e, const struct udp_packet *p,
                            const ngtcp2_version_cid *vc, uint64_t now_ns)
{
    uint8_t packet[RESET_LEN], token[NGTCP2_STATELESS_RESET_TOKENLEN], random[RESET_LEN];
    size_t len = p->len - 1 < RESET_LEN ? p->len - 1 : RESET_LEN;
    unsigned most = RESETS_A_SECOND / (e->options.group > 1 ? e->options.group : 1);
    ngtcp2_cid cid;

    if (e->reset_second != now_ns / NGTCP2_SECONDS) {
        e->reset_second = now_ns / NGTCP2_SECONDS;
        e->resets = 0;
    }
    if (!e->options.accept || vc->dcidlen != CID_LEN || len < RESET_LEAST || e->resets >= most) {
        return;
    }
    e->resets++;
    ngtcp2_cid_init(&cid, vc->dcid, vc->dcidlen);
    if (ngtcp2_crypto_generate_stateless_reset_token(token, e->reset_secret, CONN_SECRET, &cid) !=
            0 ||
        rng_secret(random, sizeof(random)) != 0) {
        return;
    }
    ngtcp2_ssize written = ngtcp2_pkt_write_stateless_reset(packet, len, token, random,
                                                            len - NGTCP2_STATELESS_RESET_TOKENLEN);
    reply(e, p, packet, written);
}

static void send_retry(struct endpoint *e, const struct udp_packet *p, const ngtcp2_pkt_hd *hd,
                       uint64_t now_ns)
{
    uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE], token[TOKEN_MAX];
    ngtcp2_path path = conn_ngtcp2_path(&p->path);
    ngtcp2_ssize len;
    ngtcp2_cid scid;

    if (!conn_make_cid(e, &scid)) {
        return;
    }
    len = ngtcp2_crypto_generate_retry_token2(token, e->retry_secret, CONN_SECRET, hd->version,
                                              path.remote.addr, path.remote.addrlen, &scid,
                                              &hd->dcid, now_ns);
    if (len > 0) {
        len = ngtcp2_crypto_write_retry(packet, sizeof(packet), hd->version, &hd->scid, &scid,
                                        &hd->dcid, token, (size_t)len);
        reply(e, p, packet, len);
    }
}

static void close_stateless(struct endpoint *e, const struct udp_packet *p, const ngtcp2_pkt_hd *hd,
                            uint64_t code)
{
    uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

    ngtcp2_ssize len = ngtcp2_crypto_write_connection_close(packet, sizeof(packet), hd->version,
                                                            &hd->scid, &hd->dcid, code, NULL, 0);
    reply(e, p, packet, len);
}

/* Is the token of the Initial one that we gave to this address? Sets *odcid if it is. */
static bool proven(const struct endpoint *e, const struct udp_packet *p, const ngtcp2_pkt_hd *hd,
                   ngtcp2_cid *odcid, uint64_t now_ns)
{
    ngtcp2_path path = conn_ngtcp2_path(&p->path);

    return hd->tokenlen > 0 && hd->token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2 &&
           ngtcp2_crypto_verify_retry_token2(odcid, hd->token, hd->tokenlen, e->retry_secret,
                                             CONN_SECRET, hd->version, path.remote.addr,
                                             path.remote.addrlen, &hd->dcid, RETRY_TIMEOUT,
                                             now_ns) == 0;
}

void accept_packet(struct endpoint *e, const struct udp_packet *p, const ngtcp2_version_cid *vc,
                   uint64_t now_ns)
{
    ngtcp2_pkt_hd hd;
    ngtcp2_cid odcid;
    struct conn *c;
    bool retried;

    if (!(p->data[0] & 0x80)) {
        e->counters.dropped++;
        reset_stateless(e, p, vc, now_ns);
        return;
    }
    if (ngtcp2_accept(&hd, p->data, p->len) != 0) {
        e->counters.malformed++;
        return;
    }
    if (!e->options.accept) {
        e->counters.dropped++;
        return;
    }
    retried = proven(e, p, &hd, &odcid, now_ns);
    if (e->counters.connections >= e->options.max_connections) {
        e->counters.dropped++;
        close_stateless(e, p, &hd, NGTCP2_CONNECTION_REFUSED);
        return;
    }
    if (!retried && hd.tokenlen > 0 && hd.token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2) {
        e->counters.dropped++;
        close_stateless(e, p, &hd, NGTCP2_INVALID_TOKEN);
        return;
    }
    if (e->counters.half_open >= (e->options.max_connections + 1) / 2) {
        /* The addresses are proven, yet nobody completes a handshake. Keep the other half of the
         * connections for peers that do. */
        e->counters.dropped++;
        return;
    }
    if (!retried && e->counters.half_open >= e->options.max_half_open) {
        e->counters.dropped++;
        send_retry(e, p, &hd, now_ns);
        return;
    }
    if (conn_new(&c, e, &p->path, &hd, retried ? &odcid : NULL, now_ns) != 0) {
        e->counters.dropped++;
        return;
    }
    conn_receive(c, p, now_ns);
}
