/* channel_state: what channel.c (the table and the sender's half) and channel_far.c (the far half,
 * and the way on to other nodes) share. No other file uses it. */
#ifndef SCHED_CHANNEL_STATE_H
#define SCHED_CHANNEL_STATE_H

#include <stdalign.h>

#include "sched/bridge.h"
#include "sched/channel.h"

struct channel {
    /* For the sender's scheduler. */
    struct map_node by_pair; /* in the sender's side's channels */
    struct list idle;        /* in the sender's side's idle while nothing is under way */
    struct list waiting;     /* struct waiter: lanes that wait for room on it */
    rusm_pid from, to;       /* to.serial 0: the target is a name */
    uint32_t node;           /* to.node */
    bool global;             /* the name is a global one, which that node holds */
    uint32_t count;          /* messages under way */
    uint64_t bytes;
    bool refused; /* the sender is to be told when there is room */
    uint32_t name_len;
    /* For the far scheduler while count > 0. */
    alignas(64) struct waiter waiter; /* for room in the mailbox */
    struct message *head, *tail;      /* messages that wait for that room, or for another node */
    struct list parked;               /* in the far side's parked or blocked */
    struct map_node by_from;          /* in the far side's http, if `mapped` */
    bool mapped;
    struct runtime *far;
    char name[];
};

/* Tries the channel's messages again, because there is room in the mailbox that it waits for.
 * Called on the far scheduler. */
void channel_ready(struct waiter *w);

#endif
