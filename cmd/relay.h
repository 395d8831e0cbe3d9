/* relay.h: a bad network between two UDP sockets, for `rusm bench mixed` and the tests of test/net.
 * The relay stands before one node, the target. The target advertises the relay's address as its
 * own. "In" is what reaches the relay and goes on to the target. "Out" is what the target sends
 * back. Each source address gets a socket of its own towards the target, as with a NAT. The target
 * may dial that socket in turn. The relay uses one thread, best in an OS process of its own. The
 * seed decides which datagrams are hit, but not when. */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct relay;

/* Makes a relay that listens on ADDR:PORT. Gives *relay, which relay_free frees. Returns 0, or -1
 * and errno (EINVAL: not an address). */
int relay_new(struct relay **relay, const char *listen, uint64_t seed);
void relay_free(struct relay *r); /* NULL is fine */
/* Returns the ADDR:PORT on which the relay listens. */
const char *relay_address(const struct relay *r);

/* Sets "to" ADDR:PORT, or one of these: "loss" PERCENT, "delay" MILLISECONDS, "jitter"
 * MILLISECONDS, "reorder" PERCENT, "duplicate" PERCENT, "bandwidth" BYTES a second, "longest" BYTES
 * of a datagram that gets through (0: any length). Returns false if the name or the value is not
 * valid. */
bool relay_set(struct relay *r, const char *name, const char *value);
void relay_print_counters(const struct relay *r, FILE *out);

/* Says which directions are cut from now on. */
void relay_cut(struct relay *r, bool in, bool out);

/* Relays. Calls obey(context) whenever `control` is readable or at its end, until obey returns
 * false. `control` -1 means none. Returns 0, or -1 and errno. */
int relay_run(struct relay *r, int control, bool (*obey)(void *context), void *context);

#endif
