/* children: see the header. Called by supervisor.c. */
#include "otp/children.h"

#include <stdlib.h>
#include <string.h>
#include "otp/child.h"
#include "actor/link.h"
#include "actor/process.h"
#include "otp/supervisor.h"
#include "base/err.h"
#include "otp/limits.h"

#define CHILD_SHUTDOWN 5000 /* shutdown_ms if none is given */

void children_init(struct children *all, uint64_t seed)
{
    *all = (struct children){ 0 };
    map_init(&all->by_serial, seed);
}

static bool child_is(const struct map_node *node, const void *key)
{
    return container_of(node, struct child, by_serial)->serial == *(const uint64_t *)key;
}

struct child *children_find(const struct children *all, uint64_t serial)
{
    struct map_node *n =
        map_find(&all->by_serial, map_hash_u64(&all->by_serial, serial), child_is, &serial);

    return n ? container_of(n, struct child, by_serial) : NULL;
}

static void child_free(struct child *c)
{
    child_fini(&c->spec);
    restarts_fini(&c->keep.restarts);
    free(c);
}

int children_add(struct children *all, const struct rusm_child *spec)
{
    if (all->count >= LIMIT_CHILDREN) {
        return RUSM_ELIMIT;
    }
    if (all->count == all->cap) {
        size_t cap = all->cap ? 2 * all->cap : 4;
        struct child **child = realloc(all->child, cap * sizeof(struct child *));
        if (!child) {
            return RUSM_ENOMEM;
        }
        all->child = child;
        all->cap = cap;
    }
    struct child *c = calloc(1, sizeof(*c));
    int err = c ? child_copy(&c->spec, spec) : RUSM_ENOMEM;
    if (err) {
        if (c) {
            child_free(c);
        }
        return err;
    }
    if (c->spec.shutdown_ms == 0) {
        c->spec.shutdown_ms = c->spec.behaviour ? CHILD_SHUTDOWN : RUSM_FOREVER;
    }
    c->index = all->count;
    c->wanted = true;
    all->child[all->count++] = c;
    return 0;
}

static int child_register(struct runtime *rt, const struct rusm_child *spec, rusm_pid pid)
{
    if (!spec->name) {
        return 0;
    }
    return spec->global ? runtime_register_global(rt, pid, spec->name)
                        : runtime_register(rt, pid.serial, spec->name, strlen(spec->name));
}

/* Is the name held? Looking costs less than starting a child and ending it again. */
static bool child_name_taken(struct runtime *rt, const struct rusm_child *spec)
{
    rusm_pid holder;

    return spec->name && spec->global && rt->hooks->whereis_global &&
           rt->hooks->whereis_global(rt->context, spec->name, strlen(spec->name), &holder) == 0;
}

int children_start(struct rusm_process *self, struct children *all, struct child *c, rusm_pid *pid,
                   struct rusm_why *why)
{
    struct runtime *rt = self->rt;
    const struct rusm_child *spec = &c->spec;

    if (child_name_taken(rt, spec)) {
        return err_why(why, RUSM_EEXIST, "the name is taken");
    }
    int err =
        spec->behaviour
            ? runtime_spawn(rt, spec->behaviour, &spec->args, pid, why, rt->now_ns)
            : supervisor_start(rt, spec->supervisor, NULL, process_pid(self), pid, why, rt->now_ns);

    if (err) {
        return err;
    }
    err = child_register(rt, spec, *pid);
    if (err) {
        err_why(why, err, "%s", err == RUSM_EEXIST ? "the name is taken" : rusm_strerror(err));
    } else {
        c->serial = pid->serial;
        err = map_insert(&all->by_serial, map_hash_u64(&all->by_serial, c->serial), &c->by_serial);
        if (err == 0 && (err = link_make(self, *pid)) != 0) {
            map_remove(&all->by_serial, &c->by_serial);
        }
        if (err) {
            err_why(why, err, "%s", rusm_strerror(err));
        }
    }
    if (err) {
        c->serial = 0;
        (void)link_cut(self, *pid); /* a child that is a supervisor has linked itself already */
        (void)runtime_kill(rt, pid->serial, "not started");
    }
    return err;
}

void children_ended(struct children *all, struct child *c)
{
    map_remove(&all->by_serial, &c->by_serial);
    c->serial = 0;
}

void children_drop_last(struct children *all)
{
    child_free(all->child[--all->count]);
}

void children_fini(struct children *all)
{
    for (size_t i = 0; i < all->count; i++) {
        child_free(all->child[i]);
    }
    free(all->child);
    map_fini(&all->by_serial);
}
