/* resolver: resolves names to addresses on a helper thread, as the name service may block. A
 * literal address needs no thread. One thread asks and collects. The first name starts the
 * helper. */
#ifndef NODE_RESOLVER_H
#define NODE_RESOLVER_H

#include <pthread.h>
#include <stdbool.h>
#include "base/list.h"
#include "node/loop.h"
#include "local/resolve.h"

#define RESOLVER_ADDRESSES 8 /* of one name; the others are not tried */

struct resolver_ask {
    struct list link;
    char host_port[300];
    struct resolved found[RESOLVER_ADDRESSES];
    int count; /* how many were found, or a RUSM_E code, and why */
    struct rusm_why why;
    void (*done)(struct resolver_ask *ask);
    void *user;
    bool under_way;
};

struct resolver {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct list asked, answered; /* both under the lock */
    struct loop *loop;           /* woken when an answer has come */
    bool started, ending;
};

void resolver_init(struct resolver *r, struct loop *loop);
/* Ends the helper. Waits for a look-up under way. Drops asks that are not collected, without
 * `done`. */
void resolver_fini(struct resolver *r);
/* Asks for the addresses of ask->host_port. resolver_collect calls `done`, or, for a literal
 * address, this function does. The ask stays the caller's and must stay in its place until then.
 * Returns 0, or RUSM_EIO if there is no thread. */
int resolver_ask(struct resolver *r, struct resolver_ask *ask);
void resolver_collect(struct resolver *r);

#endif
