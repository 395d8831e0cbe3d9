/* http_process: see the header. Called by http.c, and as a behaviour. */
#include "node/member_lock.h"
#include "node/http_process.h"

#include <stdlib.h>
#include <string.h>
#include "node/limits.h"
#include "node/globals.h"

/* The highest bit that a number on the wire may have. Receipts have it and refs of calls do not. */
#define RECEIPT ((uint64_t)1 << 61)

/* A job that waits for its reply or receipt. */
struct asked {
    struct map_node by_ref;
    struct gateway_job *job;
    uint32_t node; /* index of the node that owes a receipt; 0: ours, or a reply is awaited */
};

void http_done(struct gateway_job *job, int error)
{
    gateway_outcome(job, &(struct gateway_outcome){ .error = error });
}

/* ---- jobs with a ref ---- */

static bool asked_is(const struct map_node *n, const void *key)
{
    return container_of(n, struct asked, by_ref)->job->ref == *(const uint64_t *)key;
}

/* Returns the job's entry, or NULL if there is none of that ref. */
static struct asked *asked_find(const struct http *http, uint64_t ref)
{
    struct map_node *n = map_find(&http->asked, map_hash_u64(&http->asked, ref), asked_is, &ref);
    return n ? container_of(n, struct asked, by_ref) : NULL;
}

static struct gateway_job *asked_take(struct http *http, uint64_t ref)
{
    struct asked *a = asked_find(http, ref);
    struct gateway_job *job = a ? a->job : NULL;
    if (a) {
        map_remove(&http->asked, &a->by_ref);
    }
    free(a);
    return job;
}

static int asked_add(struct http *http, struct gateway_job *job, uint64_t ref, uint32_t node)
{
    struct asked *a = malloc(sizeof(*a));
    if (!a) {
        return RUSM_ENOMEM;
    }
    a->job = job;
    a->node = node;
    job->ref = ref;
    if (map_insert(&http->asked, map_hash_u64(&http->asked, ref), &a->by_ref) == 0) {
        return 0;
    }
    free(a);
    return RUSM_ENOMEM;
}

/* ---- the process ---- */

bool http_is_here(const struct rusm_node *node, const struct id_address *a)
{
    return !a->node ||
           (strlen(node->name) == a->node_len && memcmp(node->name, a->node, a->node_len) == 0);
}

/* Returns the index of the node that the job's process lives on. Returns 0 if that is this node, or
 * if it is not known. */
static uint32_t node_of(struct http *http, const struct gateway_job *job)
{
    struct registry_holder holder;
    struct id_address a;
    size_t len = strlen(job->process);
    if (!job->global && id_address_parse(job->process, len, &a) == 0 && a.node) {
        member_lock(http->node);
        const struct member *m = member_find(http->node, a.node, a.node_len);
        member_unlock(http->node);
        return m ? m->index : 0;
    }
    return globals_whereis(http->node->first, job->process, len, &holder) == 0 ? holder.node : 0;
}

/* Puts a job aside until its receiver has room, as a lane would wait, but not for long. */
static void wait_for_room(struct http *http, struct gateway_job *job)
{
    if (!job->busy_until_ns) {
        uint64_t busy_ns = http->node->first->now_ns + LIMIT_HTTP_BUSY_NS;
        job->busy_until_ns = job->until_ns < busy_ns ? job->until_ns : busy_ns;
    }
    if (job->busy_until_ns < http->busy_until_ns) {
        http->busy_until_ns = job->busy_until_ns;
    }
    list_append(&http->busy, &job->link);
}

/* Returns what is left of the job's timeout. */
static uint32_t time_left_ms(const struct http *http, const struct gateway_job *job)
{
    uint64_t now_ns = http->node->first->now_ns;
    return job->until_ns > now_ns ? (uint32_t)((job->until_ns - now_ns) / 1000000) : 0;
}

static void begin_call(struct http *http, struct rusm_process *self, struct gateway_job *job)
{
    uint32_t left_ms = time_left_ms(http, job);
    uint64_t ref;
    int error =
        job->global
            ? rusm_request_name(self, RUSM_GLOBAL, job->process, job->data, job->len, left_ms, &ref)
            : rusm_request_to(self, job->process, job->data, job->len, left_ms, &ref);
    if (!error) {
        error = asked_add(http, job, ref, 0);
        if (error) {
            rusm_request_end(self, ref);
        }
    }
    if (error == RUSM_BUSY) {
        wait_for_room(http, job);
    } else if (error) {
        http_done(job, error);
    } else {
        gateway_taken(job);
    }
}

/* Begins a send. The receipt is its outcome. It may come before runtime_send returns, and then the
 * job no longer exists. */
static void begin_send(struct http *http, struct rusm_process *self, struct gateway_job *job)
{
    uint64_t receipt = RECEIPT | ++http->receipts;
    int error = asked_add(http, job, receipt, node_of(http, job));
    if (!error) {
        error =
            runtime_send(self, RUSM_SEND, job->process, job->global, job->data, job->len, receipt);
        if (error) {
            asked_take(http, receipt);
        }
    }
    if (error == RUSM_BUSY) {
        wait_for_room(http, job);
    } else if (error) {
        http_done(job, error);
    } else if (asked_find(http, receipt)) {
        gateway_taken(job);
        if (job->until_ns < http->late_ns) {
            http->late_ns = job->until_ns;
        }
        list_append(&http->passing, &job->link);
    }
}

void http_receipt(struct rusm_node *node, uint64_t receipt, int error)
{
    struct http *http = node->http;
    struct gateway_job *job = http && receipt & RECEIPT ? asked_take(http, receipt) : NULL;
    if (job) {
        list_remove(&job->link);
        http_done(job, error);
    }
}

/* Fails the sends to a lost node, whose receipts will not come. */
static void node_lost(struct http *http, uint32_t index)
{
    list_each_safe(link, &http->passing) {
        struct gateway_job *job = container_of(link, struct gateway_job, link);
        struct asked *a = asked_find(http, job->ref);
        if (a && a->node == index) {
            list_remove(link);
            asked_take(http, job->ref);
            gateway_outcome(job, &(struct gateway_outcome){ .error = RUSM_ENOCONN, .ended = true });
        }
    }
}

/* Kills a process of another node. http.c kills processes of this node itself. */
static void begin_kill(struct rusm_process *self, struct gateway_job *job)
{
    int error =
        runtime_send(self, RUSM_EXIT, job->process, false, job->reason, strlen(job->reason), 0);
    gateway_outcome(job, &(struct gateway_outcome){ .error = error, .on_its_way = true });
}

static void begin_fresh(struct http *http, struct rusm_process *self)
{
    http->woken = false;
    while (!list_empty(&http->fresh)) {
        struct gateway_job *job = container_of(list_first(&http->fresh), struct gateway_job, link);
        list_remove(&job->link);
        if (job->op == GATEWAY_CALL) {
            begin_call(http, self, job);
        } else if (job->op == GATEWAY_SEND) {
            begin_send(http, self, job);
        } else {
            begin_kill(self, job);
        }
    }
}

/* Tries the waiting jobs again, in order. Passes over a job if its receiver has just said that it
 * is still full. */
static void begin_busy(struct http *http, struct rusm_process *self)
{
    const char *full[16];
    size_t count = 0;
    struct list waiting;
    list_init(&waiting);
    list_move_all(&waiting, &http->busy);
    http->busy_until_ns = UINT64_MAX;
    while (!list_empty(&waiting)) {
        struct gateway_job *job = container_of(list_first(&waiting), struct gateway_job, link);
        size_t i = 0;
        list_remove(&job->link);
        while (i < count && strcmp(full[i], job->process) != 0) {
            i++;
        }
        if (i < count) {
            wait_for_room(http, job);
            continue;
        }
        if (job->op == GATEWAY_CALL) {
            begin_call(http, self, job);
        } else {
            begin_send(http, self, job);
        }
        if (count < sizeof(full) / sizeof(*full) && http->busy.prev == &job->link) {
            full[count++] = job->process;
        }
    }
}

/* Fails the jobs of a list that waited for too long. Returns when the next one will have waited for
 * too long. */
static uint64_t give_up(struct http *http, struct list *waiting, int error)
{
    uint64_t next_ns = UINT64_MAX;
    list_each_safe(link, waiting) {
        struct gateway_job *job = container_of(link, struct gateway_job, link);
        uint64_t late_ns = error == RUSM_BUSY ? job->busy_until_ns : job->until_ns;
        if (late_ns <= http->node->first->now_ns) {
            list_remove(link);
            asked_take(http, job->ref);
            http_done(job, error);
        } else if (late_ns < next_ns) {
            next_ns = late_ns;
        }
    }
    return next_ns;
}

static int process_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args;
    *state = rusm_context(self);
    return rusm_monitor_nodes(self, true);
}

static void process_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct http *http = state;
    struct gateway_job *job =
        m->kind == RUSM_REPLY || m->kind == RUSM_FAILED ? asked_take(http, m->ref) : NULL;
    if (job && m->kind == RUSM_REPLY) {
        gateway_outcome(job, &(struct gateway_outcome){ .data = m->data, .len = m->len });
    } else if (job) {
        gateway_outcome(job, &(struct gateway_outcome){
                                 .error = m->error,
                                 .text = (const char *)m->data,
                                 .ended = m->error == RUSM_ENOPROC &&
                                          strcmp((const char *)m->data, "noproc") != 0 });
    }
    if (m->kind == RUSM_WRITABLE && m->from.serial == 0 && !list_empty(&http->busy)) {
        begin_busy(http, self);
    }
    if (m->kind == RUSM_NODE_DOWN) {
        node_lost(http, m->from.node);
    }
    begin_fresh(http, self);
}

/* Fails all jobs: somebody ended the process, or the node leaves, so no reply or receipt will
 * come. */
static void process_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct http *http = state;
    struct map_iter it;
    (void)self, (void)reason;
    http->serial = 0;
    http->woken = false;
    list_move_all(&http->fresh, &http->busy);
    http->busy_until_ns = http->late_ns = UINT64_MAX;
    while (!list_empty(&http->passing)) { /* messages that were sent still arrive */
        list_remove(list_first(&http->passing));
    }
    while (!list_empty(&http->fresh)) {
        struct gateway_job *job = container_of(list_first(&http->fresh), struct gateway_job, link);
        list_remove(&job->link);
        http_done(job, RUSM_ECLOSED);
    }
    for (struct map_node *n; (n = map_first(&http->asked, &it));) {
        uint64_t ref = container_of(n, struct asked, by_ref)->job->ref;
        http_done(asked_take(http, ref), RUSM_ECLOSED);
    }
}

/* Makes the process look at `fresh`. Starts the process if there is none. Returns 0, RUSM_ECLOSED,
 * RUSM_ENOMEM or the error of the spawn. */
static int wake(struct http *http)
{
    struct runtime *rt = http->node->first->runtime;
    static const struct rusm_args none;
    rusm_pid pid;
    if (!rt) {
        return RUSM_ECLOSED;
    }
    if (!http->serial) {
        int error =
            runtime_spawn(rt, &http->behaviour, &none, &pid, NULL, http->node->first->now_ns);
        if (error) {
            return error;
        }
        http->serial = pid.serial;
    }
    if (http->woken) {
        return 0;
    }
    struct message *m = message_new(runtime_pool(rt), 0);
    if (!m) {
        return RUSM_ENOMEM;
    }
    m->pub.kind = RUSM_WRITABLE; /* a signal, so that it finds room */
    process_deliver(runtime_find(rt, http->serial), m);
    http->woken = true;
    return 0;
}

/* ---- functions for http.c ---- */

void http_process_begin(struct http *http, struct gateway_job *job)
{
    int error = wake(http);
    job->until_ns = http->node->first->now_ns + (uint64_t)job->timeout_ms * 1000000;
    if (error) {
        http_done(job, error);
    } else {
        list_append(&http->fresh, &job->link);
    }
}

void http_process_cancel(struct http *http, struct gateway_job *job)
{
    struct runtime *rt = http->node->first->runtime;
    struct rusm_process *p = rt ? runtime_find(rt, http->serial) : NULL;
    list_remove(&job->link);
    if (job->ref && asked_take(http, job->ref) && p) {
        rusm_request_end(p, job->ref);
    }
}

uint64_t http_process_tick(struct http *http)
{
    if (http->busy_until_ns <= http->node->first->now_ns) {
        http->busy_until_ns = give_up(http, &http->busy, RUSM_BUSY);
    }
    if (http->late_ns <= http->node->first->now_ns) {
        http->late_ns = give_up(http, &http->passing, RUSM_ETIMEOUT);
    }
    return http->late_ns < http->busy_until_ns ? http->late_ns : http->busy_until_ns;
}

void http_process_init(struct http *http)
{
    http->behaviour = (struct rusm_behaviour){ .name = "gateway",
                                               .init = process_init,
                                               .receive = process_receive,
                                               .stop = process_stop,
                                               .context = http };
    list_init(&http->fresh);
    list_init(&http->busy);
    list_init(&http->passing);
    http->busy_until_ns = http->late_ns = UINT64_MAX;
    map_init(&http->asked, rng_u64(&http->node->first->rng));
}

void http_process_fini(struct http *http)
{
    map_fini(&http->asked);
}
