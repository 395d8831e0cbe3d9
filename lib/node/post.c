/* post: see the header. */
#include "node/post.h"

#include <stdlib.h>
#include <string.h>

#include "actor/runtime.h"
#include "base/id.h"
#include "node/limits.h"
#include "node/node.h"

struct post_message {
    struct list link; /* in its target's messages */
    size_t len;
    uint8_t data[];
};

struct post_target {
    struct map_node by_key;
    struct list link;     /* in posts.due, in posts.full, or in post_send's list */
    struct list messages; /* struct post_message, the oldest first */
    size_t count, bytes;  /* of the messages */
    bool queued;          /* scheduler 0 has it in one of its lists, or is about to */
    rusm_pid pid;         /* serial 0: the target is in text */
    size_t text_len;
    char text[]; /* an address */
};

struct post_key {
    rusm_pid pid;
    const char *text;
    size_t text_len;
};

void posts_init(struct posts *p)
{
    *p = (struct posts){ 0 };
    pthread_mutex_init(&p->lock, NULL);
    map_init(&p->targets, 0x706f7374);
    list_init(&p->due);
    list_init(&p->full);
}

static void target_free(struct posts *p, struct post_target *t)
{
    list_remove(&t->link);
    map_remove(&p->targets, &t->by_key);
    free(t);
}

/* Returns what a message counts towards LIMIT_POSTS_BYTES. That includes its structs, so that many
 * empty messages are bounded too. */
static size_t message_cost(const struct post_message *m)
{
    return sizeof(*m) + sizeof(struct post_target) + m->len;
}

/* Takes the oldest message of a target off its queue and gives it to the caller. */
static struct post_message *target_take(struct posts *p, struct post_target *t)
{
    struct post_message *m = container_of(list_first(&t->messages), struct post_message, link);
    list_remove(&m->link);
    t->count--;
    t->bytes -= m->len;
    p->bytes -= message_cost(m);
    return m;
}

size_t posts_fini(struct posts *p)
{
    struct map_iter it;
    size_t left = 0;
    for (struct map_node *n; (n = map_first(&p->targets, &it));) {
        struct post_target *t = container_of(n, struct post_target, by_key);
        while (t->count > 0) {
            free(target_take(p, t));
            left++;
        }
        target_free(p, t);
    }
    map_fini(&p->targets);
    pthread_mutex_destroy(&p->lock);
    return left;
}

/* ---- any thread ---- */

static bool target_is(const struct map_node *n, const void *key)
{
    const struct post_target *t = container_of(n, struct post_target, by_key);
    const struct post_key *k = key;
    return rusm_pid_eq(t->pid, k->pid) && t->text_len == k->text_len &&
           memcmp(t->text, k->text, k->text_len) == 0;
}

static uint64_t key_hash(const struct map *m, const struct post_key *key)
{
    return key->pid.serial ? map_hash_u64(m, key->pid.serial ^ ((uint64_t)key->pid.node << 40))
                           : map_hash_bytes(m, key->text, key->text_len);
}

/* Returns the target, which it makes if it is new, or NULL if there is no memory. */
static struct post_target *target_get(struct posts *p, const struct post_key *key)
{
    uint64_t hash = key_hash(&p->targets, key);
    struct map_node *n = map_find(&p->targets, hash, target_is, key);
    if (n) {
        return container_of(n, struct post_target, by_key);
    }
    struct post_target *t = calloc(1, sizeof(*t) + key->text_len + 1);
    if (!t) {
        return NULL;
    }
    list_init(&t->link);
    list_init(&t->messages);
    t->pid = key->pid;
    t->text_len = key->text_len;
    memcpy(t->text, key->text, key->text_len);
    if (map_insert(&p->targets, hash, &t->by_key) != 0) {
        free(t);
        return NULL;
    }
    return t;
}

/* Takes m, unless it returns an error. Returns 0, RUSM_BUSY or RUSM_ENOMEM. */
static int target_add(struct posts *p, const struct post_key *key, struct post_message *m)
{
    if (p->bytes > 0 && p->bytes + message_cost(m) > LIMIT_POSTS_BYTES) {
        return RUSM_BUSY;
    }
    struct post_target *t = target_get(p, key);
    if (!t) {
        return RUSM_ENOMEM;
    }
    if (t->count > 0 && (t->count >= LIMIT_POST_MESSAGES || t->bytes + m->len > LIMIT_POST_BYTES)) {
        return RUSM_BUSY;
    }
    t->count++;
    t->bytes += m->len;
    p->bytes += message_cost(m);
    list_append(&t->messages, &m->link);
    if (!t->queued) {
        t->queued = true;
        list_append(&p->due, &t->link);
    }
    return 0;
}

static int post_add(struct rusm_node *node, const struct post_key *key, const void *data,
                    size_t len)
{
    struct posts *p = &node->posts;
    if (len > RUSM_MESSAGE_MAX) {
        return RUSM_ETOOLARGE;
    }
    if (len > 0 && !data) {
        return RUSM_EINVAL;
    }
    if (atomic_load(&node->leaving)) {
        return RUSM_ECLOSED;
    }
    struct post_message *m = malloc(sizeof(*m) + len);
    if (!m) {
        return RUSM_ENOMEM;
    }
    m->len = len;
    if (len > 0) {
        memcpy(m->data, data, len);
    }
    list_init(&m->link);
    pthread_mutex_lock(&p->lock);
    int error = target_add(p, key, m);
    bool wake = !error && !list_empty(&p->due) && !atomic_exchange(&p->wanted, true);
    pthread_mutex_unlock(&p->lock);
    if (error) {
        free(m);
    } else if (wake) {
        loop_wake(&node->first->loop);
    }
    return error;
}

int rusm_node_post(struct rusm_node *node, rusm_pid to, const void *data, size_t len)
{
    struct post_key key = { .pid = to, .text = "" };
    return to.serial == 0 || to.node == RUSM_GLOBAL ? RUSM_EINVAL : post_add(node, &key, data, len);
}

int rusm_node_post_to(struct rusm_node *node, const char *address, const void *data, size_t len)
{
    struct post_key key = { .text = address, .text_len = strlen(address) };
    struct id_address a;
    int error = id_address_parse(address, key.text_len, &a);
    return error ? error : post_add(node, &key, data, len);
}

/* ---- the process that sends ---- */

/* Sends a target's messages until none is left or the next one finds no room. Returns true if it
 * has freed the target. */
static bool target_send(struct rusm_node *node, struct rusm_process *self, struct post_target *t)
{
    struct posts *p = &node->posts;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        if (t->count == 0) {
            target_free(p, t);
            pthread_mutex_unlock(&p->lock);
            return true;
        }
        struct post_message *m = container_of(list_first(&t->messages), struct post_message, link);
        pthread_mutex_unlock(&p->lock); /* threads only append, so the first one stays */
        int error = t->pid.serial ? rusm_send(self, t->pid, m->data, m->len, 0)
                                  : rusm_send_to(self, t->text, m->data, m->len, 0);
        if (error == RUSM_BUSY) {
            return false;
        }
        if (error == RUSM_ENOMEM) {
            /* No RUSM_WRITABLE follows: the next tick tries again. */
            atomic_store(&p->wanted, true);
            return false;
        }
        if (error && error != RUSM_ENOPROC && error != RUSM_ENOCONN) { /* these two are counted */
            log_warn(&node->log, "a posted message is dropped: %s", rusm_strerror(error));
        }
        pthread_mutex_lock(&p->lock);
        target_take(p, t);
        pthread_mutex_unlock(&p->lock);
        free(m);
    }
}

/* Sends to the targets that are due, and tries those again whose mailbox was full. */
static void post_send(struct rusm_node *node, struct rusm_process *self)
{
    struct posts *p = &node->posts;
    struct list due;
    list_init(&due);
    pthread_mutex_lock(&p->lock);
    list_move_all(&due, &p->full);
    list_move_all(&due, &p->due);
    pthread_mutex_unlock(&p->lock);
    while (!list_empty(&due)) {
        struct post_target *t = container_of(list_first(&due), struct post_target, link);
        if (!target_send(node, self, t)) {
            list_remove(&t->link);
            list_append(&p->full, &t->link);
        }
    }
}

static int post_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args;
    *state = rusm_context(self);
    return 0;
}

static void post_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    if (m->kind == RUSM_WRITABLE) {
        post_send(state, self);
    }
}

/* The process was killed, or the node leaves. The messages stay for the next process, if there is
 * one. */
static void post_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct rusm_node *node = state;
    struct posts *p = &node->posts;
    (void)self, (void)reason;
    p->serial = 0;
    pthread_mutex_lock(&p->lock);
    list_move_all(&p->due, &p->full);
    if (!list_empty(&p->due)) {
        atomic_store(&p->wanted, true);
        loop_wake(&node->first->loop);
    }
    pthread_mutex_unlock(&p->lock);
}

static bool post_wake(struct rusm_node *node)
{
    struct posts *p = &node->posts;
    struct runtime *rt = node->first->runtime;
    static const struct rusm_args none;
    if (!p->serial) {
        rusm_pid pid;
        p->behaviour = (struct rusm_behaviour){ .name = "post",
                                                .init = post_init,
                                                .receive = post_receive,
                                                .stop = post_stop,
                                                .context = node };
        if (runtime_spawn(rt, &p->behaviour, &none, &pid, NULL, node->first->now_ns) != 0) {
            return false;
        }
        p->serial = pid.serial;
    }
    struct message *m = message_new(runtime_pool(rt), 0);
    if (!m) {
        return false;
    }
    m->pub.kind = RUSM_WRITABLE; /* a signal, so that it finds room */
    process_deliver(runtime_find(rt, p->serial), m);
    return true;
}

void post_tick(struct rusm_node *node)
{
    struct posts *p = &node->posts;
    if (!atomic_load_explicit(&p->wanted, memory_order_relaxed) || node->first->closed) {
        return;
    }
    if (post_wake(node)) {
        /* If a thread found `wanted` set, it had added its message before this, so the process sees
         * the message. */
        atomic_store(&p->wanted, false);
    }
}
