/* registry_state: what registry.c (names and holders), registry_own.c (our claims) and
 * registry_gossip.c (frames) share. Private to these files. */
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
    struct list claims;            /* of all owners, in no order; usually one */
    struct registry_claim *holder; /* the least claim that is not dead, or NULL */
    size_t len;
    char name[]; /* NUL-terminated */
};

/* An entry of the log. The log is one list of all our claims and tombstones, ordered by last
 * change: a claim that changes moves to its end. Each peer has a mark in it. The peer knows the
 * claims before its mark. The claims after the mark are still to be told. */
struct registry_mark {
    struct list at;
    uint64_t seq; /* number of the claim's last change; 0: this is a peer's mark */
};

struct registry_owner {
    struct map_node by_index;
    uint32_t index, incarnation;
    char node[RUSM_NODE_NAME_MAX + 1];
    /* What the peer claims. Empty for this node: see struct registry_own. */
    struct list claims;
    size_t count;
    uint64_t epoch;   /* counts its snapshots, up to the current or last one */
    bool in_snapshot; /* between its first and last frame */
    /* What we have told the peer. */
    struct registry_mark mark;
    uint64_t told; /* it needs no tombstone of a change up to this one */
    enum { SNAPSHOT_DUE, SNAPSHOT_UNDERWAY, SNAPSHOT_DONE } snapshot;
};

struct registry_claim {
    struct list at_name;
    struct list at_owner; /* in the peer's claims; ours: in the process's or in tombstones */
    struct registry_name *name;
    struct registry_owner *owner;
    uint64_t serial, time;
    uint64_t epoch; /* of the owner's last snapshot that had it; 0 if the claim is ours */
    bool dead;      /* only for our own claims: a tombstone that some peer has yet to hear */
};

struct registry_own {
    struct registry_claim claim;
    struct registry_mark mark;
    struct list at_lost;
};

/* One of our processes that claims something. */
struct registry_process {
    struct map_node by_serial;
    uint64_t serial;
    struct list claims;
};

struct registry {
    struct map names, peers, processes;
    struct registry_owner self;
    struct list log;        /* of registry_mark */
    struct list tombstones; /* dead claims, ordered by last change */
    struct list lost;       /* registry_own: lost claims, whose hook runs when the frame is done */
    uint64_t seq;           /* number of our last change */
    size_t telling;         /* peers that have not heard all changes up to seq */
    size_t tombstone_count,
        tombstones_look_at; /* with fewer it does not pay to look at all peers */
    uint64_t clock;         /* hybrid; our latest time, or a later one of a peer */
    size_t names_max;
    size_t heard; /* claims of all peers together */
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

/* Adds a claim of `owner` to a name that it does not claim yet. The caller allocates `claim` and
 * sets serial and time. The registry takes it. Returns 0, or RUSM_ENOMEM: then nothing has changed
 * and the caller keeps the claim. */
int registry_attach(struct registry *r, struct registry_claim *claim, struct registry_owner *owner,
                    const char *name, size_t len);
/* Removes a claim from its name and from its owner's list. Gives the memory back to the caller. */
void registry_detach(struct registry *r, struct registry_claim *claim);
/* Finds the holder of a name anew, and frees the name if nobody claims it. To be called when a
 * claim of the name came, changed or went. */
void registry_settle(struct registry *r, struct registry_name *n);

/* Frees the tombstones that all peers have been told. */
void registry_free_tombstones(struct registry *r);

#endif
