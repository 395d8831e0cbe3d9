/* quic_rogue: a dialler whose TLS is the test's own: it presents what it is told to and checks
 * nothing of what it gets. To be included once. */
#ifndef DOUBLES_QUIC_ROGUE_H
#define DOUBLES_QUIC_ROGUE_H

#include "doubles/quic_pair.h"

#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include "quic/conn.h"

extern struct identity *ours, *theirs;
extern bool http, anonymous;
extern bool as_http, trusted;

/* What a rogue dialler presents. It checks nothing of what it gets. */
struct rogue {
    const uint8_t *certificate, *key; /* DER; NULL: none */
    size_t certificate_len, key_len;
    const char *protocol;              /* NULL: no ALPN */
    const WOLFSSL_QUIC_METHOD *method; /* of the session instead of ngtcp2's; NULL: ngtcp2's */
};

/* A rogue dials; it sends stream data as soon as it thinks that it may. Returns whether it got in;
 * the text is what the server said. */
bool rogue_gets_in(const struct rogue *r, char text[160]);

struct rogue rogue_of(const struct identity *id);

#endif
