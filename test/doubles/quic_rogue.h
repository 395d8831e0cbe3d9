/* quic_rogue: a dialler with a TLS session of the test's own. It presents what the test tells it
 * to, and does not check what it gets. Include it once. */
#ifndef DOUBLES_QUIC_ROGUE_H
#define DOUBLES_QUIC_ROGUE_H

#include "doubles/quic_pair.h"

#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include "quic/conn.h"

extern struct identity *ours, *theirs;
extern bool http, anonymous;
extern bool as_http, trusted;

/* What a rogue dialler presents. */
struct rogue {
    const uint8_t *certificate, *key; /* DER; NULL: none is presented */
    size_t certificate_len, key_len;
    const char *protocol;              /* NULL: no ALPN */
    const WOLFSSL_QUIC_METHOD *method; /* the session's method; NULL: ngtcp2's */
};

/* Lets a rogue dial. The rogue sends stream data as soon as it thinks that it may. Returns whether
 * the server let it in. The text is what the server said. */
bool rogue_gets_in(const struct rogue *r, char text[160]);

struct rogue rogue_of(const struct identity *id);

#endif
