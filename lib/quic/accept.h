/* accept: handles a packet that belongs to no connection. It begins a connection, asks for proof of
 * the address first, names our QUIC versions, or says that we have forgotten the connection. On the
 * endpoint's thread. */
#ifndef QUIC_ACCEPT_H
#define QUIC_ACCEPT_H

#include "quic/conn.h"

void accept_packet(struct endpoint *e, const struct udp_packet *p, const ngtcp2_version_cid *vc,
                   uint64_t now_ns);
void accept_offer_versions(struct endpoint *e, const struct udp_packet *p,
                           const ngtcp2_version_cid *vc);

#endif
