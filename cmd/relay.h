/* relay.h: a bad network between two UDP sockets, for `rusm bench mixed` and the tests of test/net.
 * It stands before one node (the target), which advertises the relay's address as its own; what
 * reaches the relay is passed on "in", what the target answers "out". Each source address gets a
 * socket of its own towards the target, as a NAT does, which the target may dial in turn. One
 * thread, best a process of the system of its own; the chances are of the seed, the moments are
 * not. */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct relay;

/* Listens on ADDR:PORT. Gives *relay (relay_free). 0, or -1 and errno (EINVAL: not an address). */
int relay_new(struct relay **relay, const char *listen, uint64_t seed);
void relay_free(struct relay *r); /* NULL is fine */
/* Where it listens, as ADDR:PORT. */
const char *relay_address(const struct relay *r);

/* "to" ADDR:PORT, or one of these: "loss" PERCENT, "delay" MILLISECONDS, "jitter" MILLISECONDS,
 * "reorder" PERCENT, "duplicate" PERCENT, "bandwidth" BYTES a second,
 * "longest" BYTES of a datagram that gets through (0: any). Whether it is one. */
bool relay_set(struct relay *r, const char *name, const char *value);
void relay_print_counters(const struct relay *r, FILE *out);

/* Which directions are cut from now on. */
void relay_cut(struct relay *r, bool in, bool out);

/* Relays; calls obey(context) whenever `control` (-1: none) is readable or at its end, until that
 * says false. 0, or -1 and errno. */
int relay_run(struct relay *r, int control, bool (*obey)(void *context), void *context);

#endif
