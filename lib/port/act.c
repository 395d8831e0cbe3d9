/* act: does what a program of exec+json asks, in the name of its process. Called by json.c. */
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "port/limits.h"
#include "port/json.h"

/* Parses the address of a process, for requests whose function in rusm.h takes no text. Gives *pid.
 * If the address is a name, pid->serial is 0 and *node is the index of its node. Returns 0 or an
 * error. */
static int act_address(struct worker *w, const char *text, rusm_pid *pid, struct id_address *a,
                       uint32_t *node)
{
    char name[RUSM_NODE_NAME_MAX + 1];

    *pid = (rusm_pid){ 0 };
    *node = 0;
    if (id_address_parse(text, strlen(text), a) != 0) {
        return RUSM_EINVAL;
    }
    if (a->serial) {
        return rusm_pid_parse(w->self, text, pid);
    }
    if (!a->node) {
        return 0;
    }
    if (a->node_len > RUSM_NODE_NAME_MAX) {
        return RUSM_EINVAL;
    }
    memcpy(name, a->node, a->node_len);
    name[a->node_len] = '\0';
    return rusm_node_index(w->self, name, node);
}

/* Gives the pid of an address that is a pid or a NAME of this node. Returns 0 or an error:
 * RUSM_EINVAL for NAME@NODE, whose pid is not known here. */
static int act_pid(struct worker *w, const char *text, rusm_pid *pid)
{
    struct id_address a;
    uint32_t node;
    int error = act_address(w, text, pid, &a, &node);

    if (error || pid->serial) {
        return error;
    }
    return a.node ? RUSM_EINVAL : rusm_whereis(w->self, text, pid);
}

/* ---- requests whose outcome comes later ---- */

/* Makes the record of a request, before the request is sent. Returns NULL and sets *error to
 * RUSM_ELIMIT or RUSM_ENOMEM if that fails. */
static struct json_asked *act_asked(struct place *p, const struct request *r, int *error)
{
    struct json_asked *a;

    if (p->worker->asked.count >= LIMIT_PROGRAM_ASKED) {
        *error = RUSM_ELIMIT;
        return NULL;
    }
    a = malloc(sizeof(*a));
    if (!a) {
        *error = RUSM_ENOMEM;
        return NULL;
    }
    *a = (struct json_asked){ .place = p, .verb = r->verb, .theirs = json_incref(r->ref) };
    return a;
}

static int act_monitor(struct worker *w, const struct request *r, uint64_t *ref)
{
    return rusm_monitor_to(w->self, r->subject, ref);
}

static int act_spawn(struct worker *w, const struct request *r, uint64_t *ref)
{
    const char *value[RUSM_ARGS_MAX];
    struct rusm_args args = { .value = value };
    uint32_t node = 0;
    int error = r->node ? rusm_node_index(w->self, r->node, &node) : 0;

    for (; args.count < json_array_size(r->args); args.count++) {
        value[args.count] = json_string_value(json_array_get(r->args, args.count));
    }
    return error ? error : rusm_spawn_at(w->self, node, r->subject, &args, ref);
}

static int act_ask(struct place *p, const struct request *r)
{
    struct worker *w = p->worker;
    int error = 0;
    struct json_asked *a = act_asked(p, r, &error);

    if (!a) {
        return error;
    }
    switch (r->verb) {
    case REQUEST_CALL:
        error = rusm_request_to(w->self, r->subject, r->data, r->len, r->timeout_ms, &a->ref);
        break;
    case REQUEST_SPAWN: error = act_spawn(w, r, &a->ref); break;
    default: error = act_monitor(w, r, &a->ref); break;
    }
    /* If there is no memory here, the outcome is dropped when it comes: it finds no record. */
    if (error == 0) {
        error = map_insert(&w->asked, map_hash_u64(&w->asked, a->ref), &a->by_ref);
    }
    if (error) {
        json_decref(a->theirs);
        free(a);
    }
    return error;
}

/* ---- requests that are done at once ---- */

static int act_reply(struct place *p, const struct request *r)
{
    struct worker *w = p->worker;
    struct json_call *c = json_call_find(p, r->number);
    int error;

    if (!c) { /* answered or forgotten before, which is fine; or a number that it never got */
        return r->number <= p->call_last ? 0 : RUSM_EINVAL;
    }
    if (r->verb == REQUEST_REPLY) {
        error = rusm_reply(w->self, &c->who, r->data, r->len);
    } else {
        error = rusm_refuse(w->self, &c->who, r->reason);
    }
    if (error == RUSM_BUSY || error == RUSM_ETOOLARGE) {
        return error;
    }
    json_call_free(p, c);
    return 0; /* the program need not know that a caller is gone */
}

static int act_demonitor(struct place *p, const struct request *r)
{
    struct worker *w = p->worker;
    struct map_iter it;

    for (struct map_node *n = map_first(&w->asked, &it); n; n = map_next(&w->asked, &it)) {
        struct json_asked *a = container_of(n, struct json_asked, by_ref);
        if (a->place == p && a->verb == REQUEST_MONITOR && json_equal(a->theirs, r->ref)) {
            (void)rusm_demonitor_flush(w->self, a->ref);
            json_asked_free(w, a);
            return 0;
        }
    }
    return RUSM_ENOPROC;
}

static int act_link(struct worker *w, const struct request *r)
{
    rusm_pid pid;
    int error = act_pid(w, r->subject, &pid);

    if (error) {
        return error;
    }
    return r->verb == REQUEST_LINK ? rusm_link(w->self, pid) : rusm_unlink(w->self, pid);
}

static int act_kill(struct worker *w, const struct request *r)
{
    rusm_pid pid;
    int error = act_pid(w, r->subject, &pid);

    return error ? error : rusm_kill(w->self, pid, r->reason);
}

static int act_register(struct worker *w, const struct request *r)
{
    rusm_pid self = rusm_self(w->self);

    return r->global ? rusm_register_global(w->self, self, r->subject)
                     : rusm_register(w->self, self, r->subject);
}

/* Does a request that is done at once. Returns 0 or its error. */
static int act_now(struct place *p, const struct request *r)
{
    struct worker *w = p->worker;

    switch (r->verb) {
    case REQUEST_SEND:
        return rusm_send_to(w->self, r->subject, r->data, r->len,
                            r->unordered ? RUSM_UNORDERED : 0);
    case REQUEST_REPLY:
    case REQUEST_REFUSE: return act_reply(p, r);
    case REQUEST_DEMONITOR: return act_demonitor(p, r);
    case REQUEST_LINK:
    case REQUEST_UNLINK: return act_link(w, r);
    case REQUEST_KILL: return act_kill(w, r);
    case REQUEST_REGISTER: return act_register(w, r);
    case REQUEST_UNREGISTER: return rusm_unregister(w->self, r->subject);
    case REQUEST_TRAP: rusm_trap_exit(w->self, r->on); return 0;
    case REQUEST_NODES: return rusm_monitor_nodes(w->self, r->on);
    default: rusm_print(w->self, "%s", r->subject); return 0;
    }
}

int json_act(struct place *p, const struct request *r)
{
    bool later = r->verb == REQUEST_CALL || r->verb == REQUEST_SPAWN || r->verb == REQUEST_MONITOR;
    int error;

    if (r->verb == REQUEST_EXIT) {
        worker_exit(p->worker, r->subject);
        return RUSM_ECLOSED;
    }
    error = later ? act_ask(p, r) : act_now(p, r);
    if (error == RUSM_BUSY) {
        return error;
    }
    if (error) {
        json_failed(p, r->ref, error, rusm_strerror(error));
    } else if (!later && r->verb != REQUEST_DEMONITOR) {
        json_done(p, r->ref);
    }
    return 0;
}
