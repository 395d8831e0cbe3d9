/* nodes: the names of nodes by small index, for pids. A node never forgets a name, because pids
 * keep the index. Index 0 is this node. A client has an index too, while it is connected. One
 * thread. The schedulers of a node agree on the indexes by a table that they share behind a lock.
 * Each looks there for what it does not know yet. */
#ifndef ACTOR_NODES_H
#define ACTOR_NODES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"
#include "base/map.h"

struct message;

struct node_name {
    struct map_node by_name;
    struct list watched;   /* our monitors on its processes, by at_target */
    struct list watching;  /* its processes' monitors on ours, by at_watcher */
    struct list calls;     /* our calls to its processes: struct call by at_node */
    struct list linked;    /* our links with its processes */
    struct list unsent;    /* struct exit_notice, the first of each pair */
    struct list unsent_at; /* in the runtime's `unsent` while its own `unsent` has some */
    /* Answers to its requests, of all pairs: those kept in `unsent`, and those on their way to
     * another scheduler. */
    uint32_t answers;
    uint32_t index;
    uint32_t up; /* incarnation of the node that is connected; 0: none, or a client */
    uint32_t len;
    uint32_t next_free; /* of a client's free index: the next free one; 0: none */
    bool client;
    uint8_t share;            /* id_node_share */
    struct node_known *known; /* what all schedulers know of it; NULL: one scheduler only */
    /* Reserved messages that tell the other schedulers of its loss, which must not fail. Only the
     * scheduler that has its connection keeps them. */
    struct message *notes;
    char name[]; /* NUL-terminated */
};

/* What all schedulers of a node know of a node. */
struct node_known {
    struct map_node by_name;
    uint32_t index, len;
    _Atomic(uint32_t) up; /* as in node_name, which each scheduler sets when it is told */
    bool client;
    char name[];
};
struct node_names {
    pthread_mutex_t lock;
    struct map by_name;
    struct node_known **at; /* at[0..count) */
    _Atomic(uint32_t) count;
    uint32_t cap;
};
void node_names_init(struct node_names *k, uint64_t seed);
void node_names_fini(struct node_names *k);

struct nodes {
    struct map by_name;
    struct node_name **at; /* at[0..count) */
    uint32_t count, cap;
    uint32_t free;            /* first free client index; 0: none */
    struct node_names *known; /* NULL: one scheduler only */
};

/* Makes the table, with `own` at index 0. Keeps known. Returns 0, RUSM_EINVAL if own is not a
 * node's name, or RUSM_ENOMEM. Call nodes_fini in each case. */
int nodes_init(struct nodes *n, const char *own, struct node_names *known, uint64_t seed);
void nodes_fini(struct nodes *n);
/* Gives the index of a name. Makes one if the name is new. Returns 0, RUSM_EINVAL if it is not a
 * node's name, RUSM_ELIMIT or RUSM_ENOMEM. */
int nodes_index(struct nodes *n, const char *name, size_t len, uint32_t *index);
/* Does what nodes_index does, for a name that a peer said. Leaves some places for the names that
 * this node says (LIMIT_NODE_NAMES_OWN). */
int nodes_heard(struct nodes *n, const char *name, size_t len, uint32_t *index);
/* nodes_client_up gives an index for a client, which has no name of its own (shown as "client").
 * Returns 0, RUSM_ELIMIT or RUSM_ENOMEM. nodes_client_down gives the index back. A client of
 * another incarnation gets it next. */
int nodes_client_up(struct nodes *n, uint32_t *index);
void nodes_client_down(struct nodes *n, uint32_t index);
struct node_name *nodes_at(const struct nodes *n, uint32_t index); /* NULL: no such index */

#endif
