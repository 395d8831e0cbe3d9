/* relay: the built-in that passes messages on to the address in its argument. It sends on what it
 * is sent. It asks what it is asked, and hands the answer or the failure back to the caller. It
 * drops everything else, such as an answer to some other question. It runs on its scheduler's
 * thread, as all behaviours do. */
#include <stdlib.h>
#include <string.h>
#include "otp/builtins.h"
#include "base/id.h"
#include "base/list.h"
#include "base/map.h"

struct relay {
    struct map asked; /* struct relay_call by ref */
    char address[];
};

/* A question that was passed on. There are at most as many as the node takes calls: LIMIT_CALLS. */
struct relay_call {
    struct map_node by_ref;
    uint64_t ref;
    struct rusm_message question; /* kind, from and ref of the caller's message */
};

static int relay_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct id_address address;

    if (args->count != 1) {
        rusm_init_error(self, "relay needs one argument, the address of a process");
        return RUSM_EINVAL;
    }
    size_t len = strlen(args->value[0]);
    if (id_address_parse(args->value[0], len, &address) != 0) {
        rusm_init_error(self, "not the address of a process: '%s'", args->value[0]);
        return RUSM_EINVAL;
    }
    struct relay *r = malloc(sizeof(*r) + len + 1);
    if (!r) {
        return RUSM_ENOMEM;
    }
    map_init(&r->asked, rusm_self(self).serial);
    memcpy(r->address, args->value[0], len + 1);
    *state = r;
    return 0;
}

static void relay_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct relay *r = state;
    struct map_iter it;

    (void)self;
    (void)reason;
    for (struct map_node *n = map_first(&r->asked, &it); n; n = map_next(&r->asked, &it)) {
        map_remove(&r->asked, n);
        free(container_of(n, struct relay_call, by_ref));
    }
    map_fini(&r->asked);
    free(r);
}

static bool relay_eq(const struct map_node *node, const void *key)
{
    return container_of(node, struct relay_call, by_ref)->ref == *(const uint64_t *)key;
}

/* Passes a question on. Returns 0, RUSM_BUSY if it must be tried again, or another error of the
 * reply. */
static int relay_ask(struct rusm_process *self, struct relay *r, const struct rusm_message *m)
{
    struct relay_call *c = malloc(sizeof(*c));

    if (!c) {
        return rusm_refuse(self, m, rusm_strerror(RUSM_ENOMEM));
    }
    int err = rusm_request_to(self, r->address, m->data, m->len, RUSM_FOREVER, &c->ref);
    if (err == 0 && map_insert(&r->asked, map_hash_u64(&r->asked, c->ref), &c->by_ref) != 0) {
        (void)rusm_request_end(self, c->ref);
        err = RUSM_ENOMEM;
    }
    if (err == 0) {
        c->question = (struct rusm_message){ .kind = m->kind, .from = m->from, .ref = m->ref };
        return 0;
    }
    free(c);
    switch (err) {
    case RUSM_BUSY: return err;
    case RUSM_ENOPROC: return rusm_refuse(self, m, "noproc");
    case RUSM_ENOCONN: return rusm_refuse(self, m, "noconnection");
    default: return rusm_refuse(self, m, rusm_strerror(err));
    }
}

/* Hands the outcome of a question back to the caller. */
static int relay_answer(struct rusm_process *self, struct relay *r, const struct rusm_message *m)
{
    struct map_node *found =
        map_find(&r->asked, map_hash_u64(&r->asked, m->ref), relay_eq, &m->ref);

    if (!found) {
        return 0;
    }
    struct relay_call *c = container_of(found, struct relay_call, by_ref);
    int err = m->kind == RUSM_REPLY ? rusm_reply(self, &c->question, m->data, m->len)
                                    : rusm_refuse(self, &c->question, (const char *)m->data);
    if (err != RUSM_BUSY) {
        map_remove(&r->asked, found);
        free(c);
    }
    return err;
}

static void relay_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct relay *r = state;
    int err = 0;

    switch (m->kind) {
    case RUSM_SEND: err = rusm_send_to(self, r->address, m->data, m->len, 0); break;
    case RUSM_CALL: err = relay_ask(self, r, m); break;
    case RUSM_REPLY:
    case RUSM_FAILED: err = relay_answer(self, r, m); break;
    default: break;
    }
    if (err == RUSM_BUSY) {
        rusm_hold(self);
    }
}

const struct rusm_behaviour builtin_relay = {
    .name = "relay", .init = relay_init, .receive = relay_receive, .stop = relay_stop
};
