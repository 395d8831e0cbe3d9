/* member: the nodes that this one knows of, connected or not. Called by connections, the dialler,
 * the hello and the node, on any scheduler's thread, under members_lock unless it says
 * otherwise. */
#ifndef NODE_MEMBER_H
#define NODE_MEMBER_H

#include "base/backoff.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "node/loop.h"
#include "rusm.h"

struct attempt;
struct connection;
struct frame;
struct rusm_node;
struct rusm_why;
struct scheduler;

/* Another node that we know of, connected or not. Made once, kept: pids refer to its index.
 * Changed by its scheduler, and by who hears of it (member.c), under members_lock; of what only
 * its scheduler asks for (its connections' state, death, backoff) without. */
struct member {
    struct list link; /* in node.members */
    struct map_node by_name;
    struct scheduler *scheduler;
    char name[RUSM_NODE_NAME_MAX + 1];
    uint32_t index;               /* in pids */
    uint64_t number;              /* in the order in which they became known, from 1 */
    uint32_t incarnation;         /* of its last connection */
    char address[300];            /* where to dial it; "": not known */
    struct connection *current;   /* ready; NULL: not connected */
    struct connection *dialling;  /* ours, on its way; NULL */
    struct connection *contender; /* another incarnation that wants the place of current */
    struct list contended;        /* in scheduler.contended while there is one */
    uint64_t contender_until_ns;  /* current must answer a PING before */
    bool wanted;                  /* dial it until connected */
    bool told;                    /* known from others' word alone: one of node.told */
    bool joined;                  /* named by --join: its address is what the user wrote */
    bool near;                    /* of our run folder */
    bool left;                    /* it said so, as it ended its last connection */
    uint64_t since_ns;            /* of its present state */
    struct heap_node dial;        /* next try; UINT64_MAX: none; in one heap of scheduler.dials */
    struct list trying;           /* of its queue there, while it is dialled */
    uint64_t trying_ns;           /* since when */
    struct attempt *attempt;      /* dial.c's, while there is one */
    int pidfd;                    /* its OS process, if it is of our run folder; -1 */
    struct loop_watch death;
    struct backoff backoff; /* of dialling it */
    uint64_t lost;          /* records without acknowledgement when a connection ended */
};

/* Held for what is done with members; if there are several schedulers. Recursive, as a
 * connection's end or readiness comes from within what is done about another. */
void members_init(struct rusm_node *node);
void members_free(struct rusm_node *node); /* after the last connection */
void members_fini(struct rusm_node *node);
/* The one after m, the first of all after NULL; NULL: none. Any scheduler, with or without the
 * lock. */
struct member *member_next(struct rusm_node *node, struct member *m);
struct member *member_find(struct rusm_node *node, const char *name, size_t len);
/* Makes it if new, whosever it is; `heard` of a peer, not vouched for. NULL: no memory, or
 * LIMIT_NODE_NAMES. */
struct member *member_get(struct scheduler *s, const char *name, size_t len, bool heard);
/* The run folder's other nodes of our cluster become wanted. */
void members_scan(struct rusm_node *node);
int members_join(struct rusm_node *node, const char *node_at_host_port, struct rusm_why *why);
/* No other incarnation wants its place any more. */
void member_settled(struct member *m);
void member_connected(struct member *m, struct connection *c);
void member_lost(struct member *m, struct connection *c);
/* Tells a newly connected node of the others. */
void members_tell(struct connection *c);
int members_told(struct scheduler *s, const struct frame *frame);

#endif
