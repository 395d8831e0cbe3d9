/* history: the last events of the node, in the form in which they go to clients that follow them. A
 * follower has no queue of its own: it reads here, and one that is too slow finds that the oldest
 * events are gone. Kept only while somebody watches, and a little longer. On scheduler 0's
 * thread. */
#ifndef NODE_HISTORY_H
#define NODE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct gateway_event;

struct history {
    struct list events; /* the oldest first */
    size_t bytes;       /* of all of them */
    uint64_t last;      /* id of the newest event, whether it is kept or not */
    uint64_t uncounted; /* up to this id, nobody knows how many events there were */
};

struct history_event {
    struct list link;
    uint64_t id;
    const char *type; /* lives as long as the program */
    size_t len;
    uint8_t body[]; /* wire/follow.h */
};

void history_init(struct history *h);
/* Forgets all events, because nobody watches any more: what happens from now on is not counted. */
void history_close(struct history *h);
/* Keeps an event, and forgets the oldest ones above LIMIT_EVENTS_KEPT. Without memory it is counted
 * as missing. */
void history_add(struct history *h, const struct gateway_event *event);
/* Counts events that are missing after the newest one. */
void history_skip(struct history *h, uint64_t count);
/* Returns the oldest kept event after that id, or NULL if there is none. */
const struct history_event *history_after(const struct history *h, uint64_t id);
/* Returns the event after this one, or NULL. */
const struct history_event *history_next(const struct history *h, const struct history_event *e);
/* Returns how many events are missing after the id `after` and before the id `before`. 0: nobody
 * knows how many, perhaps none. Call it only if `before` is above `after` + 1. */
uint64_t history_missing(const struct history *h, uint64_t after, uint64_t before);

#endif
