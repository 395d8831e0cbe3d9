/* nodes: the names of nodes by small index, for pids. Never forgotten, as pids keep the index;
 * index 0 is this node. Clients have an index too while they are connected. One thread; the
 * schedulers of a node agree on the indexes by a table that they share, behind a lock, which each
 * looks into for what it does not know yet. */
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
    struct list watched;   /* monitors of ours on its processes, by at_target */
    struct list watching;  /* monitors of its processes on ours, by at_watcher */
    struct list calls;     /* calls of ours to its processes: struct call by at_node */
    struct list linked;    /* links of ours with its processes */
    struct list unsent;    /* struct exit_notice: signals for it that were RUSM_BUSY, a pair each */
    struct list unsent_at; /* in the runtime's `unsent` while there are some */
    uint32_t
        answers; /* of these, all pairs', those that answer its requests; and such on their way */
    uint32_t index;
    uint32_t up; /* incarnation of the node that is connected; 0: none, or a client */
    uint32_t len;
    uint32_t next_free; /* of a client's index that is free: the next one; 0: none */
    bool client;
    uint8_t share;            /* id_node_share */
    struct node_known *known; /* what all schedulers know of it; NULL: there is one */
    struct message
        *notes;  /* to tell schedulers of its loss, which must not fail; of the scheduler's
                              that has its connections */
    char name[]; /* NUL-terminated */
};

/* What all schedulers of a node know. */
struct node_known {
    struct map_node by_name;
    uint32_t index, len;
    _Atomic(uint32_t) up; /* as in node_name, which each sees when it is told */
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
    uint32_t free;            /* first free index of a client; 0: none */
    struct node_names *known; /* NULL: there is one scheduler */
};

/* 0, RUSM_EINVAL (own is not a node's name) or RUSM_ENOMEM. nodes_fini in any case. Keeps known. */
int nodes_init(struct nodes *n, const char *own, struct node_names *known, uint64_t seed);
void nodes_fini(struct nodes *n);
/* Index of a name, made if new. RUSM_EINVAL, RUSM_ELIMIT, RUSM_ENOMEM. */
int nodes_index(struct nodes *n, const char *name, size_t len, uint32_t *index);
/* The same for a name that a peer said: some places are left for those that we say. */
int nodes_heard(struct nodes *n, const char *name, size_t len, uint32_t *index);
/* An index for a client, which has no name of its own (shown as "client"); and its end: the index
 * is used again for a client of another incarnation. RUSM_ELIMIT, RUSM_ENOMEM. */
int nodes_client_up(struct nodes *n, uint32_t *index);
void nodes_client_down(struct nodes *n, uint32_t index);
struct node_name *nodes_at(const struct nodes *n, uint32_t index); /* NULL: none such */

#endif
