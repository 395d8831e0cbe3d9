/* registry_state: what registry.c (names and holders), registry_own.c (our claims) and
 * registry_gossip.c (frames) share, and nobody else. */
#ifndef CLUSTER_REGISTRY_STATE_H
#define CLUSTER_REGISTRY_STATE_H

#include <stdbool.h>
#include "base/list.h"
#include "base/map.h"
#include "cluster/registry.h"
#include "rusm.h"

struct registry_claim;

struct registry_name {
    struct map_node by_name;
    struct list claims;            /* of all owners, no order: mostly one */
    struct registry_claim *holder; /* the least of those alive, or NULL */
    size_t len;
    char name[]; /* NUL-terminated */
};

/* What we own and what is still to be told to whom is one list, ordered by last change: a claim
 * that changes moves to its end. Each peer has a mark in it: what is behind that, it knows. */
struct registry_mark {
    struct list at;
    uint64_t seq; /* of the claim's last change; 0: a peer's mark */
};

struct registry_owner {
    struct map_node by_index;
    uint32_t index, incarnation;
    char node[RUSM_NODE_NAME_MAX + 1];
    /* What it claims; not so for ourselves, see registry_own. */
    struct list claims;
    size_t count;
    uint64_t epoch;   /* of the snapshot it sends or sent last */
    bool in_snapshot; /* between its first and last frame */
    /* What we tell it. */
    struct registry_mark mark;
    uint64_t told; /* of changes up to this one it needs no tombstone */
    enum { SNAPSHOT_DUE, SNAPSHOT_UNDERWAY, SNAPSHOT_DONE } snapshot;
};

struct registry_claim {
    struct list at_name;
    struct list at_owner; /* claims of the peer; ours: of the process, or registry.tombstones */
    struct registry_name *name;
    struct registry_owner *owner;
    uint64_t serial, time;
    uint64_t epoch; /* of the owner's snapshot that it was in last; ours: 0 */
    bool dead;      /* ours only: a tombstone that some peer must still see */
};

struct registry_own {
    struct registry_claim claim;
    struct registry_mark mark;
    struct list at_lost;
};

/* A process of ours that claims something. */
struct registry_process {
    struct map_node by_serial;
    uint64_t serial;
    struct list claims;
};

struct registry {
    struct map names, peers, processes;
    struct registry_owner self;
    struct list log;        /* of registry_mark */
    struct list tombstones; /* by their last change */
    struct list lost;       /* registry_own whose processes are to be told when a frame is done */
    uint64_t seq;           /* of our last change */
    size_t telling;         /* peers that have not been told up to it */
    size_t tombstone_count,
        tombstones_look_at; /* of these; so many are worth a look at all peers */
    uint64_t clock;         /* hybrid; our latest time, or one merged from a peer */
    size_t names_max;
    size_t heard; /* claims of all peers */
    struct registry_counters counters;
    void *user;
    void (*lost_hook)(void *user, uint64_t serial, const char *name, size_t len,
                      const struct registry_holder *holder);
};

static inline struct registry_own *registry_own(struct registry_claim *claim)
{
    return container_of(claim, struct registry_own, claim);
}

struct registry_owner *registry_peer(const struct registry *r, uint32_t index); /* or NULL */
struct registry_name *registry_name(const struct registry *r, const char *name, size_t len);
struct registry_claim *registry_claim_of(const struct registry_name *n,
                                         const struct registry_owner *owner);

/* The claim that `owner` makes to a name it has none to; `claim` is the caller's memory with serial
 * and time set; gives it to the registry. RUSM_ENOMEM: nothing changed. */
int registry_attach(struct registry *r, struct registry_claim *claim, struct registry_owner *owner,
                    const char *name, size_t len);
/* Takes it out again, from its name and its owner's list; the memory is the caller's. */
void registry_detach(struct registry *r, struct registry_claim *claim);
/* To be called when a claim of this name came, changed or went: finds the holder, and forgets the
 * name when nobody claims it. */
void registry_settle(struct registry *r, struct registry_name *n);

/* Frees the tombstones that no peer waits for. */
void registry_free_tombstones(struct registry *r);

#endif
