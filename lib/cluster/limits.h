/* limits: the maxima of names, each with its reason and what happens when it is met. `make
 * limits` lists those of all rooms. */
#ifndef CLUSTER_LIMITS_H
#define CLUSTER_LIMITS_H

/* So many times that is what all peers together may claim: about a gigabyte, however many they say
 * they are. Above: ignored and counted. */
#define LIMIT_NAMES_PEERS 4

#endif
