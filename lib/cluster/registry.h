/* registry: the global names of the cluster as one node sees them: who claims which, and who holds
 * it. Sans-IO: bytes and time come as arguments, frames are fetched.
 * One thread. rusm-protocol(7) has the rules.
 *
 * A node gossips its own claims and nothing else; a peer's claims live as long as its connection.
 * Of all claims to a name the least (time, node name) holds it; the others stay claims and take
 * over, least first, when it goes. Times are hybrid: wall clock milliseconds << 16 | counter.
 * Names that it shows are NUL-terminated.
 *
 * (A node's local names are in actor/names.h; the functions of the two do not share a name.)
 */
#ifndef CLUSTER_REGISTRY_H
#define CLUSTER_REGISTRY_H

#include <stddef.h>
#include <stdint.h>
#include "base/map.h"

struct registry;

struct registry_holder {
    uint64_t serial;
    uint32_t node; /* index; 0: this node */
    uint32_t incarnation;
    const char *node_name; /* borrowed until the next call that changes the registry */
};

struct registry_options {
    const char *node;     /* our name; borrowed */
    uint32_t incarnation; /* ours */
    uint64_t seed;        /* of the hash tables */
    size_t names_max; /* claims of one owner, ours too; 0: LIMIT_NAMES. LIMIT_NAMES_PEERS times so
                             many of all peers */
    void *user;
    /* Our claim to `name` by the process `serial` held it and does no longer: `holder` does. At
     * most once a change; may call registry_claim and registry_withdraw*. NULL: nobody cares. */
    void (*lost)(void *user, uint64_t serial, const char *name, size_t len,
                 const struct registry_holder *holder);
};

struct registry_counters {
    uint64_t names;     /* with a holder now */
    uint64_t own;       /* claims of ours now */
    uint64_t changes;   /* of any name's holder, so far: what was looked up before is stale */
    uint64_t lost;      /* claims of ours that stopped holding */
    uint64_t refused;   /* peers' claims above the limit */
    uint64_t malformed; /* frames */
    uint64_t ahead;     /* peers' times more than a minute ahead of our clock, not merged */
};

/* Gives *r (registry_free). RUSM_ENOMEM. */
int registry_new(struct registry **r, const struct registry_options *options);
void registry_free(struct registry *r); /* NULL is fine */

/* Claims a name for a process of ours. now_ms is the wall clock, here and below. RUSM_EINVAL: not a
 * process name. RUSM_EEXIST: someone connected holds it (registry_whereis says who), or we claim
 * it. RUSM_ELIMIT, RUSM_ENOMEM. Borrows the name. */
int registry_claim(struct registry *r, const char *name, size_t len, uint64_t serial,
                   uint64_t now_ms);
/* Gives it up. RUSM_ENOPROC: that process does not claim it. */
int registry_withdraw(struct registry *r, const char *name, size_t len, uint64_t serial,
                      uint64_t now_ms);
/* The name that a process of ours holds, the first it claimed of those; NULL: none. Borrowed until
 * the next call that changes the registry. */
const char *registry_name_held(const struct registry *r, uint64_t serial);
/* The process ended: gives up all it claims. Cheap when that is nothing. */
void registry_withdraw_all(struct registry *r, uint64_t serial, uint64_t now_ms);

/* A node is connected (index not 0): registry_next has all that we own for it. Were it up already,
 * that connection is gone and its claims with it. Borrows the name. RUSM_ENOMEM. */
int registry_peer_up(struct registry *r, const char *node, uint32_t index, uint32_t incarnation);
/* It is not any more: its claims go. Not up: nothing. */
void registry_peer_down(struct registry *r, uint32_t index);

/* The body of a NAMES frame that this peer sent. 0; RUSM_EMALFORMED (nothing more may be read from
 * it: close); RUSM_ENOCONN (not up); RUSM_ENOMEM (close: we would miss a claim). */
int registry_recv(struct registry *r, uint32_t index, const uint8_t *body, size_t len,
                  uint64_t now_ms);

#define REGISTRY_FRAME_LEAST 512 /* room that always fits a claim */
/* Writes the body of the next NAMES frame for this peer; cap is at least REGISTRY_FRAME_LEAST. Its
 * bytes; 0: nothing to say (asking is cheap then). */
size_t registry_next(struct registry *r, uint32_t index, uint8_t *body, size_t cap);

/* Who holds a name. RUSM_ENOPROC: nobody. */
int registry_whereis(const struct registry *r, const char *name, size_t len,
                     struct registry_holder *out);

/* All held names, in no order, some at a step; between two the registry may change: a name held all
 * the time is met once. False: there are no more. `each` changes nothing here. */
bool registry_scan(const struct registry *r, struct map_scan *scan,
                   void (*each)(void *user, const char *name, size_t len,
                                const struct registry_holder *holder),
                   void *user);

void registry_count(const struct registry *r, struct registry_counters *out);

#endif
