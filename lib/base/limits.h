/* limits: the maxima of what several rooms have in common, each with its reason and what happens
 * when it is met. `make limits` lists those of all rooms. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include "rusm.h"

/* Spare memory that a node keeps for a second for the next large message: one of the largest, and
 * what an allocator adds. Beyond it the oldest is freed. */
#define LIMIT_SPARE_BLOCKS (RUSM_MESSAGE_MAX + (size_t)64 * 1024)

/* Local names of a node, and global names that one node claims: each counted apart. Above:
 * RUSM_ELIMIT; those of a peer are ignored and counted. */
#define LIMIT_NAMES ((size_t)1024 * 1024)

/* Bytes of all arguments of one spawn. */
#define LIMIT_ARGS_BYTES ((size_t)32 * 1024)

/* Connections of a node, all kinds. A 101-node mesh needs 100; clients come on top. */
#define LIMIT_CONNECTIONS 4096

#endif
