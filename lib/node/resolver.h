/* resolver: names to addresses on a helper thread, as the name service may block. Literal addresses
 * need no thread. One thread asks and collects; the helper is started by the first name. */
#ifndef NODE_RESOLVER_H
#define NODE_RESOLVER_H

#include <pthread.h>
#include <stdbool.h>
#include "base/list.h"
#include "node/loop.h"
#include "local/resolve.h"

#define RESOLVER_ADDRESSES 8 /* of one name; the rest is not tried */

struct resolver_ask {
    struct list link;
    char host_port[300];
    struct resolved found[RESOLVER_ADDRESSES];
    int count; /* or a RUSM_E code, and why */
    struct rusm_why why;
    void (*done)(struct resolver_ask *ask);
    void *user;
    bool under_way;
};

struct resolver {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct list asked, answered; /* under the lock */
    struct loop *loop;           /* woken when there is an answer */
    bool started, ending;
};

void resolver_init(struct resolver *r, struct loop *loop);
/* Waits for a look-up under way. Asks that are not collected are dropped without `done`. */
void resolver_fini(struct resolver *r);
/* Asks for ask->host_port; `done` is called by resolver_collect, or at once for a literal address.
 * The ask stays the caller's and must stay where it is until then. RUSM_EIO: no thread. */
int resolver_ask(struct resolver *r, struct resolver_ask *ask);
void resolver_collect(struct resolver *r);

#endif
