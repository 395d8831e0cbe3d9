/* limits: the maxima of names, each with its reason and what happens when it is met. `make limits`
 * lists the limits of all rooms. */
#ifndef CLUSTER_LIMITS_H
#define CLUSTER_LIMITS_H

/* Global names that all peers together may claim, as a multiple of what one owner may claim
 * (LIMIT_NAMES unless configured). It bounds their memory to about a gigabyte, however many nodes
 * they pretend to be. Claims above it are ignored and counted. */
#define LIMIT_NAMES_PEERS 4

#endif
