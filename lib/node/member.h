/* member: the nodes that this node knows of, connected or not. Called by connections, the dialler,
 * the hello and the node, on any scheduler's thread. Functions need members_lock unless they say
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
struct hello;
struct rundir_entry;
struct rusm_node;
struct rusm_why;
struct scheduler;

/* Another node that we know of, connected or not. A member is made once and kept, because pids
 * refer to its index. Its scheduler, and any scheduler that hears of it (member.c), change it under
 * members_lock. What only its scheduler uses (the state of its connections, death, backoff) needs
 * no lock. */
struct member {
    struct list link; /* in node.members */
    struct map_node by_name;
    struct scheduler *scheduler;
    char name[RUSM_NODE_NAME_MAX + 1];
    uint32_t index;               /* in pids */
    uint64_t number;              /* by the order in which members became known, from 1 */
    uint32_t incarnation;         /* of its last connection */
    char address[300];            /* where to dial it; "": not known */
    struct connection *current;   /* the ready one; NULL: not connected */
    struct connection *dialling;  /* our dial under way; NULL: none */
    struct connection *contender; /* of another incarnation, which wants the place of current */
    struct list contended;        /* in scheduler.contended while there is a contender */
    uint64_t contender_until_ns;  /* the deadline for current to answer a PING */
    bool wanted;                  /* dial it until connected */
    bool told;                    /* known from a peer's word alone; counted in node.told */
    bool joined;                  /* named by --join: its address is what the user wrote */
    bool found;                   /* it answered at an address of a seed (seeds.h) */
    bool near;                    /* it is in our run folder */
    bool sought;                  /* the run folder is asked for it before a dial */
    bool left;                    /* it said LEAVE before its last connection ended */
    bool forgotten;               /* as if it were not known: not dialled, not shown (forget.c) */
    uint8_t trouble;              /* enum trouble: why it is not connected */
    bool trouble_said;            /* in the log, so its end is said too */
    bool tried;                   /* while the node starts: dialled in vain */
    uint64_t since_ns;            /* since when it is in its present state */
    struct heap_node dial;   /* when to dial; UINT64_MAX: never; in one heap of scheduler.dials */
    struct list trying;      /* in a queue of scheduler.dials while it is dialled */
    uint64_t trying_ns;      /* when the dial began */
    struct attempt *attempt; /* of dial.c; NULL: none */
    int pidfd;               /* of its OS process, if that is in our run folder; -1: none */
    struct loop_watch death;
    struct backoff backoff; /* of dialling it */
    uint64_t lost;          /* records not acknowledged when its connections ended */
};

/* Makes members_lock, which is held while something is done with members. A node with one scheduler
 * does not take it. The lock is recursive: a connection may end or become ready within what is done
 * about another one. */
void members_init(struct rusm_node *node);
void members_free(struct rusm_node *node); /* after the last connection */
void members_fini(struct rusm_node *node);
/* Returns the member after m, or the first one if m is NULL. Returns NULL if there is none. Any
 * scheduler, with or without the lock. */
struct member *member_next(struct rusm_node *node, struct member *m);
/* Returns the member of that name, or NULL if there is none or it is forgotten. */
struct member *member_find(struct rusm_node *node, const char *name, size_t len);
/* Returns the member of that name, which it makes if it is new, whichever scheduler it belongs to.
 * One that was forgotten is known again.
 * `heard`: a peer said the name, and nobody vouches for it. Returns NULL if there is no memory, or
 * at LIMIT_NODE_NAMES. */
struct member *member_get(struct scheduler *s, const char *name, size_t len, bool heard);
/* Marks the other nodes of our cluster among the entries of the run folder as wanted. */
void members_near(struct rusm_node *node, const struct rundir_entry *entries, size_t count);
int members_join(struct rusm_node *node, const char *node_at_host_port, struct rusm_why *why);
/* The node of that name answered at an address of a host that --join names. */
void member_found(struct scheduler *s, const char *name, const char *address);
/* At the address of the node NAME answers another one. NAME is not dialled any more if it was known
 * from that address alone. */
void member_moved(struct rusm_node *node, const char *name, const struct hello *now);
/* Makes a member that is not connected as if it had never been known. Its memory stays, as pids
 * refer to its index. */
void member_forget(struct member *m);
/* No other incarnation wants the member's place any more. */
void member_settled(struct member *m);
void member_connected(struct member *m, struct connection *c);
/* The peer has used the connection. Before that it may still find that our name is taken. */
void member_confirmed(struct member *m, const struct connection *c);
void member_lost(struct member *m, struct connection *c);
/* Tells a newly connected node about the others. */
void members_tell(struct connection *c);
/* Takes what the peer of the connection tells of others. Returns 0 or RUSM_EMALFORMED. */
int members_told(const struct connection *c, const struct frame *frame);

#endif
