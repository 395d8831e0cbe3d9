/* conn_user: finds a stream's user pointer by the stream's number. ngtcp2 remembers the pointer,
 * but before 1.17 it tells it only in callbacks. For such a version we keep a table of our own.
 * Called by conn, conn_io and conn_callbacks, on the endpoint's thread. */
#include "base/container_of.h"
#include "quic/conn.h"

#include <stdlib.h>

#if NGTCP2_VERSION_NUM >= 0x011100

void *conn_user(const struct conn *c, int64_t stream)
{
    return ngtcp2_conn_get_stream_user_data(c->quic, stream);
}

int conn_user_set(struct conn *c, int64_t stream, void *user)
{
    ngtcp2_conn_set_stream_user_data(c->quic, stream, user);
    return 0;
}

void conn_user_forget(struct conn *c, int64_t stream)
{
    (void)c;
    (void)stream;
}

void conn_user_free(struct conn *c)
{
    (void)c;
}

#else

struct user {
    struct map_node node;
    int64_t stream;
    void *user;
};

static bool same(const struct map_node *node, const void *key)
{
    return container_of(node, struct user, node)->stream == *(const int64_t *)key;
}

static struct user *lookup(const struct conn *c, int64_t stream)
{
    uint64_t hash = map_hash_u64(&c->users, (uint64_t)stream);
    struct map_node *n = map_find(&c->users, hash, same, &stream);

    return n ? container_of(n, struct user, node) : NULL;
}

void *conn_user(const struct conn *c, int64_t stream)
{
    struct user *u = lookup(c, stream);

    return u ? u->user : NULL;
}

int conn_user_set(struct conn *c, int64_t stream, void *user)
{
    struct user *u = lookup(c, stream);

    if (!u) {
        u = calloc(1, sizeof(*u));
        if (!u || map_insert(&c->users, map_hash_u64(&c->users, (uint64_t)stream), &u->node) != 0) {
            free(u);
            return RUSM_ENOMEM;
        }
        u->stream = stream;
    }
    u->user = user;
    ngtcp2_conn_set_stream_user_data(c->quic, stream, user);
    return 0;
}

void conn_user_forget(struct conn *c, int64_t stream)
{
    struct user *u = lookup(c, stream);

    if (u) {
        map_remove(&c->users, &u->node);
        free(u);
    }
}

void conn_user_free(struct conn *c)
{
    struct map_iter it;
    struct map_node *next;

    for (struct map_node *n = map_first(&c->users, &it); n; n = next) {
        next = map_next(&c->users, &it);
        free(n);
    }
    map_fini(&c->users);
}

#endif
