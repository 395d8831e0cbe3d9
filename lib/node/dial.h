/* dial: when each member is dialled, and the dials under way. Members, connections and the tick
 * call it on the thread of the member's scheduler. dial_add, dial_vouch and dial_at may be called
 * on any thread. */
#ifndef NODE_DIAL_H
#define NODE_DIAL_H

#include <stdbool.h>

#include "base/heap.h"
#include "base/list.h"

struct connection;
struct member;
struct resolved;
struct scheduler;

/* Begins a connection to an address of the node called `meant`. Gives *out. Returns 0 or an
 * error. */
typedef int dial_start_fn(struct scheduler *s, const struct resolved *to, const char *meant,
                          struct connection **out);

/* Members in the order in which their dials are due. */
struct dial_queue {
    struct heap due;
    struct list trying; /* members whose dial is under way */
    uint64_t full_ns;   /* no dial begins before this, unless one ends; 0: not full */
};
struct dials {
    struct dial_queue vouched, others; /* vouched: by the user; others: share LIMIT_DIALS */
    dial_start_fn *start;
};

void dials_init(struct dials *d, dial_start_fn *start);
void dials_fini(struct dials *d);
int dial_add(struct member *m); /* 0 or RUSM_ENOMEM */
void dial_remove(struct member *m);
/* Forgets the addresses of a member that is connected now. */
void dial_done(struct member *m);
/* Returns whether addresses are left to try in this attempt. */
bool dial_has_more(const struct member *m);
/* The user vouches for the member, by --join or the run folder. It no longer shares LIMIT_DIALS. */
void dial_vouch(struct member *m);
void dial_at(struct member *m, uint64_t at_ns);
/* Dials the member later, after a backoff that doubles each time. */
void dial_later(struct member *m);
/* A dial under way has ended, with a connection or without. Another one may begin. */
void dial_ended(struct scheduler *s);
/* Dials the members that are due. */
void dials_tick(struct scheduler *s);
/* Returns when dials_tick is due again. */
uint64_t dials_next_ns(const struct scheduler *s);

#endif
