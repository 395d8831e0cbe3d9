/* usage: what this OS process has of the machine now, from the kernel and /proc, which are never
 * slow. A program that embeds a node counts too. Any thread. */
#ifndef LOCAL_USAGE_H
#define LOCAL_USAGE_H

#include <stdint.h>

struct usage {
    uint64_t cpu_ms;                       /* processor time of all threads */
    uint64_t memory;                       /* resident bytes */
    uint64_t descriptors, descriptors_max; /* open ones, and how many may be */
};

/* Fills in all fields. A field is 0 if the system does not tell: there is no /proc. */
void usage_now(struct usage *u);

#endif
