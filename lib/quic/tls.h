/* tls: wolfSSL contexts that trust one certificate. TLS 1.3 only. Both sides present the cluster's
 * certificate, and each demands it byte for byte. If the server allows it, a client that speaks
 * HTTP/3 may have no certificate. It is then a stranger until its request has the token. No
 * tickets, no 0-RTT. On the endpoint's thread. */
#ifndef QUIC_TLS_H
#define QUIC_TLS_H

#include <ngtcp2/ngtcp2_crypto.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include "quic/identity.h"

#define TLS_PROTOCOL "rusm/1" /* ALPN of nodes and their clients */
#define TLS_HTTP "h3"         /* RFC 9114 */

struct tls;

struct tls_options {
    const struct identity *identity; /* kept */
    bool accept_http;                /* also accepts h3 */
    bool dial_http;                  /* dials with h3 */
    bool anonymous;                  /* h3 clients need no certificate; rusm/1 clients always do */
};

/* Gives *out. Returns 0, RUSM_ENOMEM, or RUSM_EIO if wolfSSL refuses (with a text). */
int tls_new(struct tls **out, const struct tls_options *options, struct rusm_why *why);
void tls_free(struct tls *t);

/* Returns the state of one handshake, to be freed with wolfSSL_free, or NULL if there is no memory.
 * ngtcp2's glue finds the connection through REF. */
WOLFSSL *tls_session(const struct tls *t, bool dialled, ngtcp2_crypto_conn_ref *ref);

/* Checks that the peer has the cluster's certificate and speaks a protocol of ours. Call it once
 * TLS says that the handshake is complete, before anything else is done with the peer. Returns 0,
 * or the TLS alert to end with. Sets *http if the protocol is h3, and *trusted if the peer has the
 * certificate. Only an h3 client may have none, where that is allowed. */
uint8_t tls_check_peer(const struct tls *t, WOLFSSL *session, bool *http, bool *trusted);

/* Returns what an alert means, for a person. `theirs`: the peer sent it. */
const char *tls_alert_text(uint8_t alert, bool theirs);

#endif
