/* channel_state: what channel.c (the table, the sender's half) and channel_far.c (the far half, and
 * the http to other nodes) share, and nobody else. */
#ifndef SCHED_CHANNEL_STATE_H
#define SCHED_CHANNEL_STATE_H

#include <stdalign.h>

#include "sched/bridge.h"
#include "sched/channel.h"

struct channel {
    /* Its sender's scheduler's. */
    struct map_node by_pair; /* in its side's channels */
    struct list idle;        /* in its side's idle while nothing is under way */
    struct list waiting;     /* struct waiter: lanes that wait for it */
    rusm_pid from, to;       /* to: serial 0: by name */
    uint32_t node;           /* to.node */
    bool global;             /* by a global name, which that node holds */
    uint32_t count;          /* messages under way */
    uint64_t bytes;
    bool refused; /* its sender is to be told when there is room */
    uint32_t name_len;
    /* The far scheduler's while count > 0. */
    alignas(64) struct waiter waiter; /* for room in the mailbox */
    struct message *head, *tail;      /* those that wait for that, or for another node */
    struct list parked;               /* in its side's parked, or blocked */
    struct map_node by_from;          /* in its side's http, if `mapped` */
    bool mapped;
    struct runtime *far;
    char name[];
};

/* There is room in the mailbox that it waits for; on the far scheduler. */
void channel_ready(struct waiter *w);

#endif
