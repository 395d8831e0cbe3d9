/* limits: the limits that several rooms share. Each says its reason and what happens when it is
 * met. `make limits` lists the limits of all rooms. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include "rusm.h"

/* Bytes of spare memory that a scheduler keeps for about a second for the next large message. It
 * has room for one of the largest messages and what the allocator adds. Above: the oldest block is
 * freed. */
#define LIMIT_SPARE_BLOCKS (RUSM_MESSAGE_MAX + (size_t)64 * 1024)

/* Local names of a node, and global names that one node claims. The two are counted separately.
 * Above: RUSM_ELIMIT. A peer's claims above the limit are ignored and counted. */
#define LIMIT_NAMES ((size_t)1024 * 1024)

/* Bytes of all arguments of one spawn. Above: RUSM_ELIMIT. */
#define LIMIT_ARGS_BYTES ((size_t)32 * 1024)

/* Connections of one endpoint, of all kinds. A mesh of 101 nodes needs 100, and clients come on
 * top. Above: a dial returns RUSM_ELIMIT, and an inbound connection is refused. */
#define LIMIT_CONNECTIONS 4096

/* Different warnings that a scheduler writes within a minute about what others do: refused
 * connections, peers that come and go. Each may be a stranger's. Above: they are counted, and the
 * log says how many. */
#define LIMIT_REPEATS 24

#endif
