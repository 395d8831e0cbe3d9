/* gate_process: see the header. Called by gate.c, and as a behaviour. */
#include "node/gate_process.h"

#include <stdlib.h>
#include <string.h>
#include "base/limits.h"

/* A bit that no ref of a call has. */
#define RECEIPT ((uint64_t)1 << 63)

/* A job that waits for its reply or receipt. */
struct asked {
    struct map_node by_ref;
    struct gateway_job *job;
};

void gate_done(struct gateway_job *job, int error)
{
    gateway_outcome(job, &(struct gateway_outcome){ .error = error });
}

/* ---- jobs with a ref ---- */

static bool asked_is(const struct map_node *n, const void *key)
{
    return list_entry(n, struct asked, by_ref)->job->ref == *(const uint64_t *)key;
}

/* NULL: none of that ref. */
static struct gateway_job *asked_take(struct gate *gate, uint64_t ref)
{
    struct map_node *n = map_find(&gate->asked, map_hash_u64(&gate->asked, ref), asked_is, &ref);
    struct asked *a = n ? list_entry(n, struct asked, by_ref) : NULL;
    struct gateway_job *job = a ? a->job : NULL;
    if (a)
        map_remove(&gate->asked, &a->by_ref);
    free(a);
    return job;
}

static int asked_add(struct gate *gate, struct gateway_job *job, uint64_t ref)
{
    struct asked *a = malloc(sizeof *a);
    if (!a)
        return RUSM_ENOMEM;
    a->job = job;
    job->ref = ref;
    if (map_insert(&gate->asked, map_hash_u64(&gate->asked, ref), &a->by_ref) == 0)
        return 0;
    free(a);
    return RUSM_ENOMEM;
}

/* ---- the process ---- */

bool gate_is_here(const struct rusm_node *node, const struct id_address *a)
{
    return !a->node ||
           (strlen(node->name) == a->node_len && memcmp(node->name, a->node, a->node_len) == 0);
}

/* Does the job's process live on another node? */
static bool is_far(struct gate *gate, const struct gateway_job *job)
{
    struct registry_holder holder;
    struct id_address a;
    size_t len = strlen(job->process);
    if (job->global)
        return globals_whereis(gate->node->first, job->process, len, &holder) == 0 &&
               holder.node != 0;
    return id_address_parse(job->process, len, &a) == 0 && !gate_is_here(gate->node, &a);
}

/* It waits for room, as others' lanes do, but not for long. */
static void wait_for_room(struct gate *gate, struct gateway_job *job)
{
    uint64_t now_ns = gate->node->first->now_ns, most_ns = (uint64_t)job->timeout_ms * 1000000;
    if (!job->busy_until_ns)
        job->busy_until_ns =
            now_ns + (job->op == GATEWAY_CALL && most_ns < LIMIT_HTTP_BUSY_NS ? most_ns
                                                                              : LIMIT_HTTP_BUSY_NS);
    if (job->busy_until_ns < gate->busy_until_ns)
        gate->busy_until_ns = job->busy_until_ns;
    list_append(&gate->busy, &job->link);
}

static void begin_call(struct gate *gate, struct rusm_process *self, struct gateway_job *job)
{
    uint64_t ref;
    int error = job->global
                    ? rusm_call_name(self, RUSM_GLOBAL, job->process, strlen(job->process),
                                     job->data, job->len, job->timeout_ms, &ref)
                    : rusm_call_to(self, job->process, job->data, job->len, job->timeout_ms, &ref);
    if (!error) {
        error = asked_add(gate, job, ref);
        if (error)
            rusm_call_end(self, ref);
    }
    if (error == RUSM_BUSY)
        wait_for_room(gate, job);
    else if (error)
        gate_done(job, error);
    else
        gateway_taken(job);
}

/* The serial of a process of ours if it is another scheduler's; else 0. */
static uint64_t siblings_serial(struct gate *gate, const struct gateway_job *job)
{
    struct rusm_node *node = gate->node;
    struct registry_holder holder;
    struct id_address a;
    uint64_t serial = 0;
    size_t len = strlen(job->process);
    if (node->scheduler_count == 1)
        return 0;
    if (job->global)
        serial = globals_whereis(node->first, job->process, len, &holder) == 0 && holder.node == 0
                     ? holder.serial
                     : 0;
    else if (id_address_parse(job->process, len, &a) != 0 || !gate_is_here(node, &a))
        return 0;
    else if (!a.serial)
        (void)runtime_find_name(node->first->runtime, a.name, a.name_len, &serial);
    else if (!a.has_incarnation || a.incarnation == node->incarnation)
        serial = a.serial;
    return serial && runtime_whose(node->first->runtime, serial) != 0 ? serial : 0;
}

static int send_as_any(struct rusm_process *self, const struct gateway_job *job)
{
    return job->global ? rusm_send_name(self, RUSM_GLOBAL, job->process, strlen(job->process),
                                        job->data, job->len, 0)
                       : rusm_send_to(self, job->process, job->data, job->len, 0);
}

/* To a process of another scheduler: when its mailbox has it, a receipt says so. */
static void begin_passing(struct gate *gate, struct rusm_process *self, struct gateway_job *job,
                          uint64_t serial)
{
    struct passing in = { .post = { .from = rusm_self(self),
                                    .to = { .serial = serial,
                                            .incarnation = gate->node->incarnation },
                                    .kind = RUSM_SEND,
                                    .data = job->data,
                                    .len = job->len },
                          .has_receipt = true,
                          .receipt = RECEIPT | ++gate->receipts };
    int error = asked_add(gate, job, in.receipt);
    if (!error) {
        error = runtime_pass(gate->node->first->runtime, &in);
        if (error)
            asked_take(gate, in.receipt);
    }
    if (error == RUSM_BUSY) {
        error = send_as_any(self, job); /* is as busy, and has us told when there is room */
        if (error == RUSM_BUSY)
            wait_for_room(gate, job);
        else
            gateway_outcome(job, &(struct gateway_outcome){ .error = error, .on_its_way = true });
    } else if (error) {
        gate_done(job, error);
    } else {
        gateway_taken(job);
        job->busy_until_ns = gate->node->first->now_ns + LIMIT_HTTP_BUSY_NS;
        list_append(&gate->passing, &job->link);
    }
}

void gate_receipt(struct rusm_node *node, uint64_t receipt, int error)
{
    struct gateway_job *job = node->gate ? asked_take(node->gate, receipt) : NULL;
    if (job) {
        list_remove(&job->link);
        gate_done(job, error);
    }
}

static void begin_send(struct gate *gate, struct rusm_process *self, struct gateway_job *job)
{
    uint64_t serial = siblings_serial(gate, job);
    if (serial) {
        begin_passing(gate, self, job, serial);
        return;
    }
    bool far = is_far(gate, job);
    int error = send_as_any(self, job);
    if (error == RUSM_BUSY)
        wait_for_room(gate, job);
    else
        gateway_outcome(job, &(struct gateway_outcome){ .error = error, .on_its_way = far });
}

/* Of another node's: those of ours are ended without the process. */
static void begin_kill(struct rusm_process *self, struct gateway_job *job)
{
    rusm_pid pid;
    int error = rusm_pid_parse(self, job->process, &pid);
    error = error ? error : rusm_kill(self, pid, job->reason);
    gateway_outcome(job, &(struct gateway_outcome){ .error = error, .on_its_way = true });
}

static void begin_fresh(struct gate *gate, struct rusm_process *self)
{
    gate->woken = false;
    while (!list_empty(&gate->fresh)) {
        struct gateway_job *job = list_entry(list_first(&gate->fresh), struct gateway_job, link);
        list_remove(&job->link);
        if (job->op == GATEWAY_CALL)
            begin_call(gate, self, job);
        else if (job->op == GATEWAY_SEND)
            begin_send(gate, self, job);
        else
            begin_kill(self, job);
    }
}

/* Tries those that wait again, in order, and not those whose receiver has just said that it is full
 * still. */
static void begin_busy(struct gate *gate, struct rusm_process *self)
{
    const char *full[16];
    size_t count = 0;
    struct list waiting;
    list_init(&waiting);
    list_move_all(&waiting, &gate->busy);
    gate->busy_until_ns = UINT64_MAX;
    while (!list_empty(&waiting)) {
        struct gateway_job *job = list_entry(list_first(&waiting), struct gateway_job, link);
        size_t i = 0;
        list_remove(&job->link);
        while (i < count && strcmp(full[i], job->process) != 0)
            i++;
        if (i < count) {
            wait_for_room(gate, job);
            continue;
        }
        if (job->op == GATEWAY_CALL)
            begin_call(gate, self, job);
        else
            begin_send(gate, self, job);
        if (count < sizeof full / sizeof *full && gate->busy.prev == &job->link)
            full[count++] = job->process;
    }
}

/* Those that waited for too long are told so. */
static void give_up_busy(struct gate *gate)
{
    uint64_t next_ns = UINT64_MAX;
    list_each_safe(link, &gate->busy) {
        struct gateway_job *job = list_entry(link, struct gateway_job, link);
        if (job->busy_until_ns <= gate->node->first->now_ns) {
            list_remove(link);
            gate_done(job, RUSM_BUSY);
        } else if (job->busy_until_ns < next_ns) {
            next_ns = job->busy_until_ns;
        }
    }
    gate->busy_until_ns = next_ns;
}

static int process_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args;
    *state = rusm_context(self);
    return 0;
}

static void process_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct gate *gate = state;
    struct gateway_job *job =
        m->kind == RUSM_REPLY || m->kind == RUSM_FAILED ? asked_take(gate, m->ref) : NULL;
    if (job && m->kind == RUSM_REPLY)
        gateway_outcome(job, &(struct gateway_outcome){ .data = m->data, .len = m->len });
    else if (job)
        gateway_outcome(job, &(struct gateway_outcome){
                                 .error = m->error,
                                 .text = (const char *)m->data,
                                 .ended = m->error == RUSM_ENOPROC &&
                                          strcmp((const char *)m->data, "noproc") != 0 });
    if (m->kind == RUSM_WRITABLE && m->from.serial == 0 && !list_empty(&gate->busy))
        begin_busy(gate, self);
    begin_fresh(gate, self);
}

/* Somebody ended it, or the node leaves: nothing that was asked will come. */
static void process_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct gate *gate = state;
    struct map_iter it;
    (void)self, (void)reason;
    gate->serial = 0;
    gate->woken = false;
    list_move_all(&gate->fresh, &gate->busy);
    gate->busy_until_ns = UINT64_MAX;
    while (!list_empty(&gate->passing)) /* what was sent goes its way */
        list_remove(list_first(&gate->passing));
    while (!list_empty(&gate->fresh)) {
        struct gateway_job *job = list_entry(list_first(&gate->fresh), struct gateway_job, link);
        list_remove(&job->link);
        gate_done(job, RUSM_ECLOSED);
    }
    for (struct map_node *n; (n = map_first(&gate->asked, &it));) {
        uint64_t ref = list_entry(n, struct asked, by_ref)->job->ref;
        gate_done(asked_take(gate, ref), RUSM_ECLOSED);
    }
}

/* Gets it to look at `fresh`. */
static int wake(struct gate *gate)
{
    struct runtime *rt = gate->node->first->runtime;
    static const struct rusm_args none;
    rusm_pid pid;
    if (!rt)
        return RUSM_ECLOSED;
    if (!gate->serial) {
        int error =
            runtime_spawn(rt, &gate->behaviour, &none, &pid, NULL, gate->node->first->now_ns);
        if (error)
            return error;
        gate->serial = pid.serial;
    }
    if (gate->woken)
        return 0;
    struct message *m = message_new(runtime_pool(rt), 0);
    if (!m)
        return RUSM_ENOMEM;
    m->pub.kind = RUSM_WRITABLE; /* a signal, so that it finds room */
    process_deliver(runtime_find(rt, gate->serial), m);
    gate->woken = true;
    return 0;
}

/* ---- for gate.c ---- */

void gate_process_begin(struct gate *gate, struct gateway_job *job)
{
    int error = wake(gate);
    if (error)
        gate_done(job, error);
    else
        list_append(&gate->fresh, &job->link);
}

void gate_process_cancel(struct gate *gate, struct gateway_job *job)
{
    struct runtime *rt = gate->node->first->runtime;
    struct rusm_process *p = rt ? runtime_find(rt, gate->serial) : NULL;
    list_remove(&job->link);
    if (job->ref && asked_take(gate, job->ref) && p)
        rusm_call_end(p, job->ref);
}

uint64_t gate_process_tick(struct gate *gate)
{
    if (gate->busy_until_ns <= gate->node->first->now_ns)
        give_up_busy(gate);
    while (!list_empty(&gate->passing)) {
        struct gateway_job *job = list_entry(list_first(&gate->passing), struct gateway_job, link);
        if (gate->node->first->now_ns < job->busy_until_ns)
            return job->busy_until_ns < gate->busy_until_ns ? job->busy_until_ns
                                                            : gate->busy_until_ns;
        list_remove(&job->link);
        asked_take(gate, job->ref);
        gateway_outcome(job, &(struct gateway_outcome){ .on_its_way = true });
    }
    return gate->busy_until_ns;
}

void gate_process_init(struct gate *gate)
{
    gate->behaviour = (struct rusm_behaviour){ .name = "gateway",
                                               .init = process_init,
                                               .receive = process_receive,
                                               .stop = process_stop,
                                               .context = gate };
    list_init(&gate->fresh);
    list_init(&gate->busy);
    list_init(&gate->passing);
    gate->busy_until_ns = UINT64_MAX;
    map_init(&gate->asked, rng_u64(&gate->node->first->rng));
}

void gate_process_fini(struct gate *gate)
{
    map_fini(&gate->asked);
}
