/* steer: finds the endpoint that a datagram is for. Several endpoints may share one address (a
 * group). The connection id names the endpoint. An id that we make begins with the number of its
 * endpoint. The id that a node dials with begins with the node's share of the cluster's nodes, and
 * the shares are dealt to the group. The second half of that id is the first half with each bit
 * turned over, which tells it from the ids of others. All other ids are for endpoint 0.
 * rusm-protocol(7) describes this. Called by endpoint and conn. */
#ifndef QUIC_STEER_H
#define QUIC_STEER_H

#include <stddef.h>
#include <stdint.h>

#define STEER_DIALLED 16 /* bytes of an id that a node dials with */

/* Makes ID the id of a dialler of this share. id[0..STEER_DIALLED / 2) must be random. */
void steer_dialled(uint8_t id[STEER_DIALLED], uint8_t share);
/* Returns the endpoint that a packet is for, by its destination id alone. */
unsigned steer_owner(const uint8_t *id, size_t len, unsigned group);
/* Makes the system deliver datagrams in this way to all sockets of the group. Call it when they are
 * bound in the order of their numbers. Without it (an old kernel) the system deals datagrams by
 * their sender's address, and each endpoint passes on those that are not its own. */
void steer_attach(int fd, unsigned group);

#endif
