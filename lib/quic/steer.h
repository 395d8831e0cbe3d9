/* steer: which endpoint a datagram is for, where several share one address (a group): its
 * connection id says so. Those that we make begin with the number of their endpoint. The one that a
 * node dials with begins with its share of the cluster's nodes (which the group is dealt to), and
 * has a second half that is the first with each bit turned over, by which it is told from those of
 * others. All others are for endpoint 0. Written down in rusm-protocol(7). Called by endpoint,
 * accept and conn. */
#ifndef QUIC_STEER_H
#define QUIC_STEER_H

#include <stddef.h>
#include <stdint.h>

#define STEER_DIALLED 16 /* bytes of the one that is dialled with */

/* id[0..STEER_DIALLED / 2) is random; makes it that of a dialler of that share. */
void steer_dialled(uint8_t id[STEER_DIALLED], uint8_t share);
/* By the destination id of a packet alone. */
unsigned steer_owner(const uint8_t *id, size_t len, unsigned group);
/* Has the system deliver datagrams so, for all sockets of the group, once they are bound in the
 * order of their numbers. Without it (an old kernel) it deals them by their sender's address, and
 * each endpoint passes on what is not its own. */
void steer_attach(int fd, unsigned group);

#endif
