/* dial: when which member is dialled, and the dials under way. Called by members, connections and
 * the tick, on the thread of the member's scheduler; dial_add, dial_vouch and dial_at on any. */
#ifndef NODE_DIAL_H
#define NODE_DIAL_H

#include <stdbool.h>

#include "base/heap.h"
#include "base/list.h"

struct connection;
struct member;
struct resolved;
struct scheduler;

/* Begins a connection to an address of the node called `meant`. Returns 0, or why it can't. */
typedef int dial_start_fn(struct scheduler *s, const struct resolved *to, const char *meant,
                          struct connection **out);

/* When which member is to be dialled. */
struct dial_queue {
    struct heap due;
    struct list trying; /* whose dial is under way */
    uint64_t full_ns;   /* no more until then, or until one of these ends; 0: not full */
};
struct dials {
    struct dial_queue vouched, others; /* by the user; the others share LIMIT_DIALS */
    dial_start_fn *start;
};

void dials_init(struct dials *d, dial_start_fn *start);
void dials_fini(struct dials *d);
int dial_add(struct member *m); /* 0 or RUSM_ENOMEM */
void dial_remove(struct member *m);
/* It is connected: what was found out for dialling it is forgotten. */
void dial_done(struct member *m);
/* Are there addresses left to be tried in this attempt? */
bool dial_has_more(const struct member *m);
/* The user vouches for it: it no longer shares LIMIT_DIALS. */
void dial_vouch(struct member *m);
void dial_at(struct member *m, uint64_t at_ns);
/* With backoff. */
void dial_later(struct member *m);
/* One that was under way has ended, either way. */
void dial_ended(struct scheduler *s);
/* Dials who is due. */
void dials_tick(struct scheduler *s);
/* When to be called again. */
uint64_t dials_next_ns(const struct scheduler *s);

#endif
