/* gate: see the header. Called by the gateway and by turn.c. */
#include "node/gate_process.h"
#include "node/serve.h"
#include "node/tables.h"
#include "service/tables.h"

#include <stdlib.h>
#include <string.h>

/* ---- at once ---- */

static void part(void *context, const uint8_t *body, size_t len)
{
    gateway_part(context, body, len);
}

/* One that is under way, perhaps on another scheduler. */
struct gate_spawn {
    struct spawning spawning;
    struct gate *gate;
    struct gateway_job *job; /* NULL: nobody waits for it any more */
};

static void spawn_over(struct spawning *spawning, struct runtime *here)
{
    struct gate_spawn *s = (struct gate_spawn *)(void *)spawning;
    struct gateway_job *job = s->job;
    (void)here;
    if (job) {
        struct rusm_node *node = s->gate->node;
        struct rusm_why why = { "" };
        char text[RUSM_PID_TEXT_MAX];
        int len = 0;
        if (spawning->error) {
            serve_spawn_failed(node, spawning, job->spawnable, &why);
        } else {
            len = id_pid_format(text, sizeof(text), spawning->pid.serial, node->name,
                                node->incarnation);
        }
        job->work = NULL;
        gateway_outcome(job, &(struct gateway_outcome){ .error = spawning->error,
                                                        .text = why.text,
                                                        .data = text,
                                                        .len = (size_t)len });
    }
    spawning_fini(spawning);
    free(s);
}

static void do_spawn(struct gate *gate, struct gateway_job *job)
{
    struct rusm_why why = { "" };
    struct spawn spawn = { .scope = !job->name    ? SPAWN_NO_NAME
                                    : job->global ? SPAWN_GLOBAL
                                                  : SPAWN_LOCAL,
                           .spawnable = job->spawnable,
                           .spawnable_len = strlen(job->spawnable),
                           .name = job->name,
                           .name_len = job->name ? strlen(job->name) : 0 };
    struct gate_spawn *s = calloc(1, sizeof(*s));
    int error = s ? runtime_check_args(&job->args) : RUSM_ENOMEM;
    if (!error) {
        s->gate = gate;
        s->job = job;
        job->work = &s->job;
        error =
            serve_spawning(gate->node->first, &s->spawning, &spawn, &job->args, spawn_over, &why);
    }
    if (error) {
        job->work = NULL;
        free(s);
        gateway_outcome(job, &(struct gateway_outcome){ .error = error, .text = why.text });
    }
}

/* One of another scheduler's process. */
struct gate_kill {
    struct killing killing;
    struct gateway_job *job; /* NULL: nobody waits for it any more */
};

static void kill_over(struct killing *killing)
{
    struct gate_kill *k = (struct gate_kill *)(void *)killing;
    struct gateway_job *job = k->job;
    if (job) {
        job->work = NULL;
        gate_done(job, killing->error);
    }
    free(k);
}

static void kill_far(struct rusm_node *node, struct gateway_job *job, uint64_t serial)
{
    struct gate_kill *k = calloc(1, sizeof(*k));
    if (k) {
        k->job = job;
        job->work = &k->job;
    }
    int error =
        k ? serve_killing(node->first, &k->killing, serial, job->reason, kill_over) : RUSM_ENOMEM;
    if (error) {
        job->work = NULL;
        free(k);
        gate_done(job, error);
    }
}

/* False: it is another node's. */
static bool do_kill(struct gate *gate, struct gateway_job *job)
{
    struct rusm_node *node = gate->node;
    struct rusm_process *p = NULL;
    uint64_t serial = 0;
    struct id_address a;
    if (id_address_parse(job->process, strlen(job->process), &a) != 0) {
        gate_done(job, RUSM_EINVAL);
        return true;
    }
    if (!gate_is_here(node, &a)) {
        return false;
    }
    if (!a.serial) {
        p = runtime_find_name(node->first->runtime, a.name, a.name_len, &serial);
    } else if (!a.has_incarnation || a.incarnation == node->incarnation) {
        p = runtime_find(node->first->runtime, serial = a.serial);
    }
    if (!p && runtime_whose(node->first->runtime, serial) != 0) {
        kill_far(node, job, serial);
        return true;
    }
    gate_done(job, p ? runtime_exit(node->first->runtime, process_serial(p), (rusm_pid){ 0 },
                                    job->reason)
                     : RUSM_ENOPROC);
    return true;
}

/* ---- the gateway's view ---- */

static void begin(void *context, struct gateway_job *job)
{
    struct gate *gate = context;
    int error;
    if (gate->node->first->closed) {
        gate_done(job, RUSM_ECLOSED);
        return;
    }
    switch (job->op) {
    case GATEWAY_TABLE:
        job->work = tables_open((uint64_t)job->table, &error);
        if (error) {
            gate_done(job, error);
        }
        return;
    case GATEWAY_SPAWN: do_spawn(gate, job); return;
    case GATEWAY_KILL:
        if (do_kill(gate, job)) {
            return;
        }
        break;
    case GATEWAY_SEND:
    case GATEWAY_CALL: break;
    }
    gate_process_begin(gate, job);
}

static bool more(void *context, struct gateway_job *job)
{
    struct gate *gate = context;
    bool goes_on = !gate->node->first->closed && tables_next(gate->node, job->work, part, job);
    if (!goes_on) {
        tables_close(job->work);
        job->work = NULL;
    }
    return goes_on;
}

static void cancel(void *context, struct gateway_job *job)
{
    struct gate *gate = context;
    if (job->op == GATEWAY_TABLE) {
        tables_close(job->work);
    } else if (job->work) { /* a gate_spawn's or gate_kill's */
        *(struct gateway_job **)job->work = NULL;
    } else {
        gate_process_cancel(gate, job);
    }
}

static const struct gateway_node gate_node = {
    .begin = begin, .more = more, .cancel = cancel, .metric = tables_metric
};

/* ---- life ---- */

int gate_open(struct rusm_node *node, const char *token, struct rusm_why *why)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    struct gateway_options options = { .name = node->name,
                                       .log = &node->log,
                                       .token = token,
                                       .node = &gate_node,
                                       .context = gate,
                                       .seed = rng_u64(&node->first->rng),
                                       .now_ns = node->first->now_ns };
    if (!gate) {
        return RUSM_ENOMEM;
    }
    gate->node = node;
    gate_process_init(gate);
    int error = gateway_new(&gate->gateway, &options, why);
    if (error) {
        free(gate);
    } else {
        node->gate = gate;
        node->gateway = gate->gateway;
    }
    return error;
}

void gate_close(struct rusm_node *node)
{
    if (node->gate) {
        gateway_free(node->gate->gateway);
        gate_process_fini(node->gate);
        free(node->gate);
        node->gate = NULL;
        node->gateway = NULL;
    }
}

uint64_t gate_tick(struct rusm_node *node)
{
    struct gate *gate = node->gate;
    if (!gate) {
        return UINT64_MAX;
    }
    uint64_t process_ns = gate_process_tick(gate),
             next_ns = gateway_tick(gate->gateway, node->first->now_ns);
    return process_ns < next_ns ? process_ns : next_ns;
}

void gate_leave(struct rusm_node *node)
{
    if (node->gate) {
        gateway_leave(node->gate->gateway);
    }
}

bool gate_left(struct rusm_node *node)
{
    return !node->gate || gateway_pending(node->gate->gateway) == 0;
}

int gate_accept(struct rusm_node *node, struct conn *conn)
{
    return gateway_accept(node->gate->gateway, conn);
}

void gate_disconnect(struct rusm_node *node)
{
    if (node->gate) {
        gateway_close(node->gate->gateway);
    }
}

bool gate_disconnected(const struct rusm_node *node)
{
    return !node->gate || gateway_connections(node->gate->gateway) == 0;
}
