/* spawn_at: see the header. */
#include <stdlib.h>
#include <string.h>

#include "node/limits.h"
#include "node/node.h"
#include "node/spawn_at.h"
#include "sched/spawning.h"
#include "wire/limits.h"
#include "wire/rpc.h"

/* A spawn that one of our processes asked for. */
struct spawn_asked {
    struct list link;
    uint64_t id, self, ref;
};

static int spawn_at_ask(struct connection *c, uint64_t self, const char *spawnable,
                        const struct rusm_args *args, uint64_t ref)
{
    uint8_t small[512], *body = small; /* a coroutine may ask, and its stack is short */
    size_t room = 4 * VARINT_LEN_MAX + spawn_size(spawnable, NULL, args);
    if (c->spawn_count >= LIMIT_REQUESTS) {
        return RUSM_ELIMIT;
    }
    if (room > LIMIT_FRAME) {
        return RUSM_EINVAL;
    }
    struct spawn_asked *a = malloc(sizeof(*a));
    if (room > sizeof(small)) {
        body = malloc(room);
    }
    if (!a || !body) {
        free(a);
        if (body != small) {
            free(body);
        }
        return RUSM_ENOMEM;
    }
    *a = (struct spawn_asked){ .id = ++c->spawn_id, .self = self, .ref = ref };
    struct writer w = writer_on(body, room);
    request_write(&w, &(struct request){ .id = a->id, .op = OP_SPAWN });
    spawn_write(&w, SPAWN_NO_NAME, spawnable, NULL, args);
    int error =
        w.bad ? RUSM_EINVAL : peer_send_frame(c->peer, FRAME_REQUEST, false, body, writer_len(&w));
    if (body != small) {
        free(body);
    }
    if (error) {
        free(a);
        return error;
    }
    list_append(&c->spawns, &a->link);
    c->spawn_count++;
    return 0;
}

/* ---- spawns on another scheduler's connection ---- */

struct spawn_far {
    struct spawning spawning; /* the copy of what was asked */
    rusm_pid self;
    uint32_t node;
    uint64_t ref;
    int error;
    struct scheduler *to; /* the scheduler of the connection */
};

static void spawn_far_run(struct task *task, struct runtime *there)
{
    struct spawn_far *a = container_of(task, struct spawn_far, spawning.task);
    struct connection *c = connection_find(a->to, a->node);
    (void)there;
    a->error = c ? spawn_at_ask(c, a->self.serial, a->spawning.name, &a->spawning.args, a->ref)
                 : RUSM_ENOCONN;
}

static void spawn_far_done(struct task *task, struct runtime *here)
{
    struct spawn_far *a = container_of(task, struct spawn_far, spawning.task);
    if (a->error) {
        runtime_answer(here, a->self.serial, RUSM_FAILED, a->error, (rusm_pid){ .node = a->node },
                       a->ref, rusm_strerror(a->error));
    }
    spawning_fini(&a->spawning);
    free(a);
}

static int spawn_far_begin(struct scheduler *s, rusm_pid self, uint32_t index,
                           const char *spawnable, const struct rusm_args *args, uint64_t ref)
{
    struct spawn_far *a = calloc(1, sizeof(*a));
    if (!a) {
        return RUSM_ENOMEM;
    }
    int error = spawning_init(&a->spawning, NULL, args, spawnable, strlen(spawnable), false);
    a->spawning.task = (struct task){ .run = spawn_far_run, .done = spawn_far_done };
    a->self = self;
    a->node = index;
    a->ref = ref;
    a->to = &s->node->schedulers[runtime_node_scheduler(s->runtime, index)];
    error = error ? error : runtime_task(s->runtime, a->to->index, &a->spawning.task);
    if (error) {
        spawning_fini(&a->spawning);
        free(a);
    }
    return error;
}

int spawn_at(struct scheduler *s, rusm_pid self, uint32_t index, const char *spawnable,
             const struct rusm_args *args, uint64_t ref)
{
    if (runtime_node_scheduler(s->runtime, index) != s->index) {
        return spawn_far_begin(s, self, index, spawnable, args, ref);
    }
    struct connection *c = connection_find(s, index);
    return c ? spawn_at_ask(c, self.serial, spawnable, args, ref) : RUSM_ENOCONN;
}

/* ---- the answers ---- */

static void spawn_asked_done(struct connection *c, struct spawn_asked *a)
{
    list_remove(&a->link);
    c->spawn_count--;
    free(a);
}

int spawn_at_reply(struct connection *c, const struct frame *frame)
{
    struct reply reply;
    if (reply_decode(frame->body, frame->len, &reply) != 0) {
        return RUSM_EMALFORMED;
    }
    list_each(link, &c->spawns) {
        struct spawn_asked *a = container_of(link, struct spawn_asked, link);
        if (a->id != reply.id) {
            continue;
        }
        rusm_pid pid = { .node = c->index };
        char text[512];
        size_t len = reader_left(&reply.body) < sizeof(text) - 1 ? reader_left(&reply.body)
                                                                 : sizeof(text) - 1;
        if (reply.status) {
            const uint8_t *bytes = reader_bytes(&reply.body, len);
            if (len) {
                memcpy(text, bytes, len);
            }
            text[len] = 0;
            runtime_answer(c->scheduler->runtime, a->self, RUSM_FAILED, -(int)reply.status, pid,
                           a->ref, text);
        } else {
            struct wire_pid spawned;
            wire_pid_read(&reply.body, &spawned);
            if (reply.body.bad) {
                return RUSM_EMALFORMED;
            }
            pid.serial = spawned.serial;
            pid.incarnation = spawned.incarnation;
            runtime_answer(c->scheduler->runtime, a->self, RUSM_SPAWNED, 0, pid, a->ref, "");
        }
        spawn_asked_done(c, a);
        return 0;
    }
    return 0; /* a reply to a request that was given up is fine */
}

void spawn_at_fail_all(struct connection *c)
{
    list_each_safe(link, &c->spawns) {
        struct spawn_asked *a = container_of(link, struct spawn_asked, link);
        runtime_answer(c->scheduler->runtime, a->self, RUSM_FAILED, RUSM_ENOCONN,
                       (rusm_pid){ .node = c->index }, a->ref, rusm_strerror(RUSM_ENOCONN));
        spawn_asked_done(c, a);
    }
}
