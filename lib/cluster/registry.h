/* registry: the global names of the cluster as one node sees them: which nodes claim each name, and
 * which claim holds it. It does no input or output: callers pass bytes and times in and fetch
 * frames. It takes no lock: one thread at a time may call it. rusm-protocol(7) has the rules.
 *
 * A node gossips its own claims and nothing else. A peer's claims live as long as its connection.
 * The claim with the least (time, node name) holds the name. The other claims stay. When the holder
 * goes, the least of them takes over. Times are hybrid: wall clock milliseconds << 16 | counter.
 * The registry returns names NUL-terminated.
 *
 * (A node's local names are in actor/names.h. The two have no function name in common.)
 */
#ifndef CLUSTER_REGISTRY_H
#define CLUSTER_REGISTRY_H

#include <stddef.h>
#include <stdint.h>
#include "base/map.h"

struct registry;

struct registry_holder {
    uint64_t serial;
    uint32_t node; /* index of the node; 0: this node */
    uint32_t incarnation;
    const char *node_name; /* borrowed until the next call that changes the registry */
};

struct registry_options {
    const char *node;     /* our name, borrowed */
    uint32_t incarnation; /* ours */
    uint64_t seed;        /* of the hash tables */
    /* Claims that one owner may have. This holds for this node too. All peers together may have
     * LIMIT_NAMES_PEERS times as many. 0: LIMIT_NAMES. */
    size_t names_max;
    void *user;
    /* Our process `serial` held `name` and has lost it to `holder`. The registry calls this at most
     * once for each change. The hook may call registry_claim and registry_withdraw*. May be
     * NULL. */
    void (*lost)(void *user, uint64_t serial, const char *name, size_t len,
                 const struct registry_holder *holder);
};

struct registry_counters {
    uint64_t names;     /* names that have a holder now */
    uint64_t own;       /* our claims now */
    uint64_t changes;   /* of holders so far: after one, earlier lookups are stale */
    uint64_t lost;      /* names that our claims held and lost to a peer's */
    uint64_t refused;   /* claims of peers above a limit */
    uint64_t malformed; /* malformed frames */
    uint64_t ahead;     /* times of peers more than a minute ahead of our clock, not merged */
};

/* Gives *r, to be freed with registry_free. Returns 0 or RUSM_ENOMEM. */
int registry_new(struct registry **r, const struct registry_options *options);
void registry_free(struct registry *r); /* NULL is fine */

/* Claims a name for one of our processes. Borrows the name. now_ms is the wall clock, here and
 * below. Returns 0, RUSM_EINVAL if it is not a valid process name, RUSM_EEXIST if we or a connected
 * node already hold it (registry_whereis says who), RUSM_ELIMIT if we have names_max claims, or
 * RUSM_ENOMEM. */
int registry_claim(struct registry *r, const char *name, size_t len, uint64_t serial,
                   uint64_t now_ms);
/* Withdraws the claim of a process. Returns 0, or RUSM_ENOPROC if that process does not claim the
 * name. */
int registry_withdraw(struct registry *r, const char *name, size_t len, uint64_t serial,
                      uint64_t now_ms);
/* Returns a name that our process `serial` holds, or NULL if it holds none. If it holds several,
 * returns the one that it claimed first. Borrowed until the next call that changes the registry. */
const char *registry_name_held(const struct registry *r, uint64_t serial);
/* Withdraws all claims of a process, when it has ended. Cheap if it has none. */
void registry_withdraw_all(struct registry *r, uint64_t serial, uint64_t now_ms);

/* Adds a node that has been connected. `index` is not 0. From then on registry_next gives it all
 * names that we own. If the node was up already, the function first does registry_peer_down.
 * Borrows the name. Returns 0 or RUSM_ENOMEM. */
int registry_peer_up(struct registry *r, const char *node, uint32_t index, uint32_t incarnation);
/* Removes a node whose connection has ended, and its claims. Does nothing if the node is not up. */
void registry_peer_down(struct registry *r, uint32_t index);

/* Takes in the body of a NAMES frame that this peer sent. Returns 0, RUSM_ENOCONN if the peer is
 * not up, RUSM_EMALFORMED, or RUSM_ENOMEM. After the last two the caller must close the connection,
 * because claims are missing. */
int registry_recv(struct registry *r, uint32_t index, const uint8_t *body, size_t len,
                  uint64_t now_ms);

#define REGISTRY_FRAME_LEAST 512 /* bytes: any one claim fits */
/* Writes the body of the next NAMES frame for this peer. cap is at least REGISTRY_FRAME_LEAST.
 * Returns its bytes, or 0 if the peer knows everything. The call is cheap then. */
size_t registry_next(struct registry *r, uint32_t index, uint8_t *body, size_t cap);

/* Looks up the holder of a name. Returns 0, or RUSM_ENOPROC if nobody holds it. */
int registry_whereis(const struct registry *r, const char *name, size_t len,
                     struct registry_holder *out);

/* Calls `each` for some of the held names, in no order, and advances `scan`. Returns false when
 * there are no more. The registry may change between two calls: a name that is held all the time is
 * met exactly once. `each` must not change the registry. */
bool registry_scan(const struct registry *r, struct map_scan *scan,
                   void (*each)(void *user, const char *name, size_t len,
                                const struct registry_holder *holder),
                   void *user);

void registry_count(const struct registry *r, struct registry_counters *out);

#endif
