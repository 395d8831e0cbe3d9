/* names: see the header. */
#include "actor/names.h"

#include <stdlib.h>
#include <string.h>
#include "actor/state.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/must.h"

struct names_key {
    const char *name;
    size_t len;
};

void names_init(struct names *n, uint64_t seed, names_tell_fn *tell)
{
    map_init(&n->by_name, seed);
    pthread_rwlock_init(&n->lock, NULL);
    n->tell = tell;
}

void names_fini(struct names *n)
{
    must(n->by_name.count == 0);
    map_fini(&n->by_name);
    pthread_rwlock_destroy(&n->lock);
}

/* A table of one scheduler costs no lock. */
static void names_read(struct names *n)
{
    if (n->tell) {
        pthread_rwlock_rdlock(&n->lock);
    }
}

static void names_write(struct names *n)
{
    if (n->tell) {
        pthread_rwlock_wrlock(&n->lock);
    }
}

static void names_done(struct names *n)
{
    if (n->tell) {
        pthread_rwlock_unlock(&n->lock);
    }
}

static bool names_eq(const struct map_node *node, const void *key)
{
    const struct process_name *it = container_of(node, struct process_name, by_name);
    const struct names_key *k = key;

    return it->len == k->len && memcmp(it->name, k->name, k->len) == 0;
}

static struct process_name *names_get(const struct names *n, const char *name, size_t len)
{
    struct names_key key = { .name = name, .len = len };
    uint64_t hash = map_hash_bytes(&n->by_name, name, len);
    struct map_node *found = map_find(&n->by_name, hash, names_eq, &key);

    return found ? container_of(found, struct process_name, by_name) : NULL;
}

static void names_drop(struct names *n, struct process_name *it)
{
    map_remove(&n->by_name, &it->by_name);
    it->held = false;
}

/* ---- giving and taking away ---- */

static int names_insert(struct runtime *rt, struct process_name *it)
{
    struct names *n = rt->names;

    if (names_get(n, it->name, it->len)) {
        return RUSM_EEXIST;
    }
    if (n->by_name.count >= LIMIT_NAMES) {
        return RUSM_ELIMIT;
    }
    if (map_insert(&n->by_name, map_hash_bytes(&n->by_name, it->name, it->len), &it->by_name) !=
        0) {
        return RUSM_ENOMEM;
    }
    it->held = true;
    int err = it->holder ? 0 : n->tell(rt, it, true);
    if (err) {
        names_drop(n, it);
    }
    return err;
}

int names_add(struct runtime *rt, uint64_t serial, const char *name, size_t len)
{
    struct rusm_process *holder = process_table_find(&rt->processes_by_serial, serial);

    if (!holder && !runtime_far(rt, (rusm_pid){ serial, 0, rt->incarnation })) {
        return RUSM_ENOPROC;
    }
    if (!id_process_name_ok(name, len)) {
        return RUSM_EINVAL;
    }
    struct process_name *it = calloc(1, sizeof(*it) + len + 1);
    if (!it) {
        return RUSM_ENOMEM;
    }
    list_init(&it->at_holder);
    it->holder = holder;
    it->serial = serial;
    it->len = (uint32_t)len;
    memcpy(it->name, name, len);
    names_write(rt->names);
    int err = names_insert(rt, it);
    names_done(rt->names);
    if (err) {
        free(it);
    } else if (holder) {
        list_append(&holder->names, &it->at_holder);
        process_has(holder, PART_NAMES);
    }
    return err;
}

/* Takes a name away. Called under the lock. Sets *own if the caller must free it. */
static int names_take(struct runtime *rt, struct process_name *it, bool *own)
{
    if ((it->serial & rt->mask) != rt->index) {
        int err = rt->names->tell(rt, it, false);
        if (err) {
            return err;
        }
    } else {
        *own = it->holder != NULL;
        it->ours = true; /* if it is not linked yet, names_told frees it later */
    }
    names_drop(rt->names, it);
    return 0;
}

int names_remove(struct runtime *rt, const char *name, size_t len)
{
    bool own = false;

    names_write(rt->names);
    struct process_name *it = names_get(rt->names, name, len);
    int err = it ? names_take(rt, it, &own) : RUSM_ENOPROC;
    names_done(rt->names);
    if (err == 0 && own) {
        list_remove(&it->at_holder);
        free(it);
    }
    return err;
}

void names_forget(struct rusm_process *holder)
{
    struct names *n = holder->rt->names;

    list_each_safe(l, &holder->names) {
        struct process_name *it = container_of(l, struct process_name, at_holder);
        names_write(n);
        bool held = it->held;
        if (held) {
            names_drop(n, it);
        }
        names_done(n);
        list_remove(l);
        if (held) {
            free(it);
        }
        /* Otherwise another scheduler took it away. Its message, which is on its way, frees it. */
    }
}

/* Links a name that another scheduler gave. Called under the lock. Returns true if the caller must
 * free it. */
static bool names_told_named(struct runtime *rt, struct process_name *it)
{
    if (!it->held) {
        return it->ours; /* if not ours, the message that it is taken away follows */
    }
    it->holder = process_table_find(&rt->processes_by_serial, it->serial);
    if (it->holder) {
        list_append(&it->holder->names, &it->at_holder);
        process_has(it->holder, PART_NAMES);
        return false;
    }
    names_drop(rt->names, it);
    return true;
}

void names_told(struct runtime *rt, struct process_name *it, bool named)
{
    bool over = true;

    if (named) {
        names_write(rt->names);
        over = names_told_named(rt, it);
        names_done(rt->names);
    }
    if (over) {
        list_remove(&it->at_holder);
        free(it);
    }
}

/* ---- finding ---- */

struct rusm_process *names_find(struct runtime *rt, const char *name, size_t len, uint64_t *serial)
{
    struct names *n = rt->names;

    names_read(n);
    struct process_name *it = names_get(n, name, len);
    struct rusm_process *holder = it && !n->tell ? it->holder : NULL;
    *serial = it ? it->serial : 0;
    names_done(n);
    return n->tell && *serial ? process_table_find(&rt->processes_by_serial, *serial) : holder;
}
