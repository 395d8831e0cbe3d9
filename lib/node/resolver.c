/* resolver: see resolver.h. resolver_run is the helper's thread. All else runs on the scheduler's
 * thread. */
#include "node/resolver.h"

#include <arpa/inet.h>
#include <signal.h>

#include "base/id.h"

void resolver_init(struct resolver *r, struct loop *loop)
{
    *r = (struct resolver){ .loop = loop };
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, NULL);
    list_init(&r->asked);
    list_init(&r->answered);
}

static void look_up(struct resolver_ask *ask)
{
    ask->count = resolve(ask->host_port, false, ask->found, RESOLVER_ADDRESSES, &ask->why);
    if (ask->count == 0) {
        ask->count = RUSM_ENOCONN;
    }
}

static void *resolver_run(void *arg)
{
    struct resolver *r = arg;
    sigset_t all;
    sigfillset(&all); /* signals are for the program's main thread */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&r->lock);
    while (!r->ending) {
        struct list *first = list_first(&r->asked);
        if (!first) {
            pthread_cond_wait(&r->more, &r->lock);
            continue;
        }
        list_remove(first);
        pthread_mutex_unlock(&r->lock);
        look_up(container_of(first, struct resolver_ask, link));
        pthread_mutex_lock(&r->lock);
        list_append(&r->answered, first);
        loop_wake(r->loop);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

void resolver_fini(struct resolver *r)
{
    if (!r->loop) {
        return; /* the resolver was never set up */
    }
    if (r->started) {
        pthread_mutex_lock(&r->lock);
        r->ending = true;
        pthread_cond_signal(&r->more);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->more);
}

static bool is_literal(const char *host_port)
{
    char host[256], port[6];
    struct in_addr v4;
    struct in6_addr v6;
    return id_host_port_parse(host_port, host, port) == 0 &&
           (inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1);
}

int resolver_ask(struct resolver *r, struct resolver_ask *ask)
{
    if (is_literal(ask->host_port)) {
        look_up(ask);
        ask->done(ask);
        return 0;
    }
    if (!r->started && pthread_create(&r->thread, NULL, resolver_run, r) != 0) {
        return RUSM_EIO;
    }
    r->started = true;
    ask->under_way = true;
    pthread_mutex_lock(&r->lock);
    list_append(&r->asked, &ask->link);
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
    return 0;
}

void resolver_collect(struct resolver *r)
{
    struct list *first;
    if (!r->started) {
        return;
    }
    for (;;) {
        pthread_mutex_lock(&r->lock);
        first = list_first(&r->answered);
        if (first) {
            list_remove(first);
        }
        pthread_mutex_unlock(&r->lock);
        if (!first) {
            return;
        }
        struct resolver_ask *ask = container_of(first, struct resolver_ask, link);
        ask->under_way = false;
        ask->done(ask);
    }
}
