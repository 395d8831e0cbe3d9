/* resolver: host names to addresses, on helper threads, as the name service may block for long. A
 * name that takes long holds up no other: up to LIMIT_LOOKUPS are looked up at once. A literal
 * address needs no thread. Called on one thread, the scheduler's. */
#ifndef NODE_RESOLVER_H
#define NODE_RESOLVER_H

#include <pthread.h>
#include <stdbool.h>
#include "base/list.h"
#include "node/loop.h"
#include "local/resolve.h"

#define RESOLVER_ADDRESSES 32 /* of one name; the rest is not tried */

struct resolver_ask {
    struct list link;
    char host_port[300]; /* HOST:PORT or srv:NAME */
    struct resolved found[RESOLVER_ADDRESSES];
    int count; /* or a RUSM_E code, and why */
    struct rusm_why why;
    void (*done)(struct resolver_ask *ask);
    void *user;
    bool under_way;
};

struct resolver_shared;

struct resolver {
    struct resolver_shared *shared; /* with the helpers; NULL: none was needed yet */
    struct list waiting;            /* struct resolver_ask: too many are under way */
    unsigned running;               /* helpers that have not been collected */
    struct loop *loop;              /* woken when there is an answer */
};

void resolver_init(struct resolver *r, struct loop *loop);
/* Waits for nothing: a look-up under way ends by itself. Asks that are not collected are dropped
 * without `done`. */
void resolver_fini(struct resolver *r);
/* Asks for ask->host_port. `done` is called by resolver_collect, or at once for a literal address.
 * The ask stays the caller's and must stay where it is until then. Returns 0, or RUSM_EIO if no
 * thread can be started, RUSM_ENOMEM. */
int resolver_ask(struct resolver *r, struct resolver_ask *ask);
void resolver_collect(struct resolver *r);

#endif
