/* tls: wolfSSL contexts that trust one certificate. TLS 1.3 only, both sides present the cluster's
 * certificate, each demands it byte for byte; a client that speaks HTTP/3 may be without one, if
 * the server allows it, and is then a stranger until its request has the token. No tickets, no
 * 0-RTT. On the endpoint's thread. */
#ifndef QUIC_TLS_H
#define QUIC_TLS_H

#include <ngtcp2/ngtcp2_crypto.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include "quic/identity.h"

#define TLS_PROTOCOL "rusm/1" /* ALPN: between nodes, and their clients */
#define TLS_HTTP "h3"         /* RFC 9114 */

struct tls;

struct tls_options {
    const struct identity *identity; /* kept */
    bool accept_http;                /* h3 is accepted besides */
    bool dial_http;                  /* what is dialled speaks h3 */
    bool anonymous; /* of those that speak h3, the client needs no certificate; rusm always does */
};

/* Gives *out. RUSM_ENOMEM, RUSM_EIO (wolfSSL refuses: why). */
int tls_new(struct tls **out, const struct tls_options *options, struct rusm_why *why);
void tls_free(struct tls *t);

/* One handshake's state, to be freed with wolfSSL_free; ref is what ngtcp2's glue asks for the
 * connection. NULL: no memory. */
WOLFSSL *tls_session(const struct tls *t, bool dialled, ngtcp2_crypto_conn_ref *ref);

/* To be called once TLS says that the handshake is complete and before anything else is done with
 * the peer: is it the cluster's certificate and a protocol of ours? 0, else the TLS alert to end
 * with. *http: it is h3; *trusted: it has the certificate. Only h3 may be without, where it is
 * allowed. */
uint8_t tls_check_peer(const struct tls *t, WOLFSSL *session, bool *http, bool *trusted);

/* What an alert means for a person. `theirs`: the peer sent it. */
const char *tls_alert_text(uint8_t alert, bool theirs);

#endif
