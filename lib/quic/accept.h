/* accept: what to do with a packet that belongs to no connection: begin one, ask for proof of the
 * address first, name our versions, or say that we have forgotten. On the endpoint's thread. */
#ifndef QUIC_ACCEPT_H
#define QUIC_ACCEPT_H

#include "quic/conn.h"

void accept_packet(struct endpoint *e, const struct udp_packet *p, const ngtcp2_version_cid *vc,
                   uint64_t now_ns);
void accept_offer_versions(struct endpoint *e, const struct udp_packet *p,
                           const ngtcp2_version_cid *vc);

#endif
