/* fuzz: exec+json (lib/port/json.c, act.c, request.c): what a program prints, on a real runtime,
 * and events around it. A line of the input is a line of the program, unless it begins with the
 * byte 1: then its second byte is an order (see `order`). All that the program is told must be
 * JSON. */
#include "actor/runtime.h"
#include "base/id.h"
#include "port/limits.h"
#include "doubles/fuzz.h"
#include "port/json.h"

struct world {
    struct runtime *rt;
    struct log log;
    struct port_host host;
    struct exec exec;
    struct program program;
    struct worker *worker;       /* of the program's process; NULL: it has ended */
    struct rusm_process *friend; /* named "q"; it calls and is called; NULL: it has ended */
    uint64_t serial, friend_serial, now_ns, spawn_ref;
    int post; /* what the post hook returns */
    uint32_t node;
    const uint8_t *said; /* printed by the program and not taken yet */
    size_t said_len;
    bool last;
    const uint8_t *say; /* what the friend sends next */
    size_t say_len;
    enum rusm_kind say_kind;
};

/* ---- hooks --------------------------------------------------------------------------------- */

static int hook_post(void *context, const struct post *post)
{
    struct world *w = context;

    must(post->data && post->node != 0);
    return post->kind == RUSM_DOWN || post->kind == MESSAGE_DEMONITOR ? 0 : w->post;
}

static void hook_exited(void *context, rusm_pid pid, const char *reason, bool global)
{
    (void)context, (void)pid, (void)global;
    must(reason);
}

static int hook_global(void *context, rusm_pid pid, const char *name)
{
    (void)pid;
    must(id_process_name_ok(name, strlen(name)));
    return ((struct world *)context)->post == RUSM_BUSY ? RUSM_EEXIST : 0;
}

static int hook_unregister(void *context, rusm_pid pid, const char *name)
{
    (void)context, (void)pid, (void)name;
    return RUSM_ENOPROC;
}

static int hook_whereis(void *context, const char *name, size_t len, rusm_pid *holder)
{
    (void)context, (void)name, (void)len, (void)holder;
    return RUSM_ENOPROC;
}

static int hook_spawn_at(void *context, rusm_pid self, uint32_t node, const char *spawnable,
                         const struct rusm_args *args, uint64_t ref)
{
    struct world *w = context;

    (void)self, (void)spawnable;
    must(node != 0 && runtime_check_args(args) == 0);
    w->spawn_ref = ref;
    return w->post == RUSM_BUSY ? RUSM_ELIMIT : w->post;
}

static uint64_t hook_clock(void *context)
{
    return ((struct world *)context)->now_ns;
}

static void hook_print(void *context, rusm_pid self, const char *line)
{
    (void)context, (void)self;
    must(!strchr(line, '\n'));
}

static const struct runtime_hooks hooks = { .post = hook_post,
                                            .exited = hook_exited,
                                            .register_global = hook_global,
                                            .unregister_global = hook_unregister,
                                            .whereis_global = hook_whereis,
                                            .spawn_at = hook_spawn_at,
                                            .clock_ns = hook_clock,
                                            .print = hook_print };

static void program_event(void *user)
{
    (void)user;
}

/* ---- the two processes ----------------------------------------------------------------------- */

static int port_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct world *w = rusm_context(self);

    (void)args;
    w->worker = calloc(1, sizeof(*w->worker) + sizeof(*w->worker->place));
    must(w->worker);
    w->worker->self = self;
    w->worker->exec = &w->exec;
    w->worker->host = &w->host;
    w->worker->count = 1;
    w->worker->place[0] = (struct place){ .worker = w->worker, .program = &w->program };
    map_init(&w->worker->asked, 1);
    map_init(&w->worker->place[0].calls, 2);
    *state = w;
    return 0;
}

/* Takes the program's output as worker.c does. */
static void port_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct world *w = state;
    struct place *p = &w->worker->place[0];

    while (w->said_len > 0 && !w->worker->over) {
        bool whole = memchr(w->said, '\n', w->said_len) != NULL;
        ssize_t used = framing_json.take(p, w->said, w->said_len, w->last);
        must(used <= (ssize_t)w->said_len);
        if (used == RUSM_BUSY) {
            break;
        }
        if (p->lost) { /* the only program: its process ends with it */
            must(used < 0);
            worker_exit(w->worker, p->lost);
        }
        must(used > 0 || w->worker->over || (!whole && !w->last));
        if (used <= 0) {
            break;
        }
        w->said += used;
        w->said_len -= (size_t)used;
    }
    must(p->calls.count <= LIMIT_PROGRAM_FLIGHT && w->worker->asked.count <= LIMIT_PROGRAM_ASKED);
    if (w->worker->over || m->kind == RUSM_WRITABLE) {
        return;
    }
    if (framing_json.where(w->worker, m)) {
        must(framing_json.where(w->worker, m) == p);
    }
    if (framing_json.offer(p, m) == RUSM_BUSY) {
        process_hold(self, true);
    }
}

static void port_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct world *w = state;
    struct worker *worker = w->worker;

    (void)self, (void)reason;
    framing_json.ended(&worker->place[0], NULL);
    must(worker->asked.count == 0);
    map_fini(&worker->asked);
    w->worker = NULL;
    free(worker);
}

static int friend_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct world *w = rusm_context(self);

    (void)args;
    w->friend = self;
    *state = w;
    return rusm_register(self, rusm_self(self), "q");
}

static void friend_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct world *w = state;
    rusm_pid port = { .serial = w->serial, .incarnation = rusm_self(self).incarnation };
    uint64_t ref;

    if (m->kind == RUSM_CALL && m->len > 0) {
        (void)rusm_reply(self, m, m->data, m->len);
    } else if (m->kind == RUSM_WRITABLE && w->say) {
        if (w->say_kind == RUSM_CALL) {
            (void)rusm_request(self, port, w->say, w->say_len, 1000, &ref);
        } else {
            (void)rusm_send(self, port, w->say, w->say_len, 0);
        }
        w->say = NULL;
    }
}

static void friend_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    ((struct world *)state)->friend = NULL;
}

/* ---- what the program is told ---------------------------------------------------------------- */

/* Checks that a line is one object with exactly one of the keys of rusm-port(7). */
static void told_line(const char *line, size_t len)
{
    static const char *const words[] = { "data",      "base64",  "spawned",  "down",
                                         "done",      "failed",  "exit",     "bad",
                                         "name_lost", "node_up", "node_down" };
    json_t *news = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    unsigned found = 0;

    must(json_is_object(news) && len < LIMIT_PROGRAM_LINE);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        found += json_object_get(news, words[i]) != NULL;
    }
    must(found == 1);
    json_decref(news);
}

static void told(struct world *w)
{
    struct buf *b = &w->program.unwritten;

    while (buf_len(b) > 0) {
        const char *line = (const char *)buf_data(b);
        const char *end = memchr(line, '\n', buf_len(b));
        must(end);
        told_line(line, (size_t)(end - line));
        buf_consume(b, (size_t)(end - line) + 1);
    }
}

/* ---- events ---------------------------------------------------------------------------------- */

static void deliver(struct world *w, enum rusm_kind kind, uint64_t ref, int error,
                    const uint8_t *data, size_t len)
{
    struct rusm_process *p = runtime_find(w->rt, w->serial);
    struct message *m = p ? message_new(runtime_pool(w->rt), len) : NULL;

    if (!m) {
        return;
    }
    if (len > 0) {
        memcpy(message_room(m), data, len);
    }
    m->pub.kind = kind;
    m->pub.ref = ref;
    m->pub.error = error;
    m->pub.from = (rusm_pid){ .serial = 5, .node = w->node, .incarnation = 7 };
    process_deliver(p, m);
}

static void friend_say(struct world *w, enum rusm_kind kind, const uint8_t *data, size_t len)
{
    if (!w->friend) {
        return;
    }
    w->say = data;
    w->say_len = len;
    w->say_kind = kind;
    process_wake(w->friend);
}

static void order(struct world *w, uint8_t what, const uint8_t *data, size_t len)
{
    static const int posts[] = { 0, RUSM_BUSY, RUSM_ENOCONN, RUSM_ENOPROC, RUSM_ETOOLARGE };

    switch (what) {
    case 'c': friend_say(w, RUSM_CALL, data, len); break;
    case 's': friend_say(w, RUSM_SEND, data, len); break;
    case 'p': w->post = posts[len ? data[0] % 5 : 0]; break;
    case 'w': runtime_writable(w->rt, (rusm_pid){ 0 }); break;
    case 't': w->now_ns += (uint64_t)1000000000 * len; break;
    case 'u': runtime_node_up(w->rt, w->node, 7); break;
    case 'l': runtime_node_lost(w->rt, w->node, 7); break;
    case 'S': deliver(w, RUSM_SPAWNED, w->spawn_ref, 0, NULL, 0); break;
    case 'F': deliver(w, RUSM_FAILED, w->spawn_ref, RUSM_EINIT, data, len); break;
    case 'n': deliver(w, RUSM_NAME_LOST, 0, 0, data, len); break;
    case 'k': runtime_kill(w->rt, w->friend_serial, "kill"); break;
    case 'e': runtime_exit(w->rt, w->serial, (rusm_pid){ 0 }, "for a reason"); break;
    default: told(w);
    }
}

static void tick(struct world *w)
{
    for (int i = 0; i < 8 && w->worker; i++) {
        struct rusm_process *p = runtime_find(w->rt, w->serial);
        if (p && w->said_len > 0) {
            process_wake(p);
        }
        w->now_ns += 1000000;
        if (!runtime_run(w->rt, 256, w->now_ns) && w->said_len == 0) {
            break;
        }
        if (buf_len(&w->program.unwritten) >= LIMIT_PROGRAM_QUEUE) {
            told(w); /* the program reads */
        }
    }
}

static void act_out(struct world *w, const uint8_t *line, size_t len, bool whole)
{
    if (len >= 2 && line[0] == 1) {
        order(w, line[1], line + 2, len - 2);
        tick(w);
        return;
    }
    size_t all = len + (whole ? 1 : 0);
    uint8_t *copy = malloc(all ? all : 1); /* exactly that size: a read past the end shows */
    must(copy);
    memcpy(copy, line, all);
    w->said = copy;
    w->said_len = all;
    w->last = !whole;
    tick(w);
    w->said_len = 0;
    free(copy);
}

static void world_open(struct world *w, struct rusm_behaviour *port, struct rusm_behaviour *buddy)
{
    struct runtime_options o = { .node = "here",
                                 .incarnation = 9,
                                 .mailbox_messages = 16,
                                 .mailbox_bytes = 65536,
                                 .seed = 1,
                                 .log = &w->log,
                                 .hooks = &hooks,
                                 .context = w };
    rusm_pid pid;

    log_init(&w->log, -1, RUSM_LOG_ERROR, "here");
    w->host.log = &w->log;
    list_init(&w->host.dirty);
    list_init(&w->host.closed);
    w->exec.framing = &framing_json;
    w->exec.count = 1;
    w->program = (struct program){ .host = &w->host, .event = program_event, .blocked = true };
    list_init(&w->program.dirty);
    list_init(&w->program.closed);
    buf_init(&w->program.unwritten, LIMIT_PROGRAM_QUEUE + LIMIT_PROGRAM_LINE + 8);
    must(runtime_new(&w->rt, &o) == 0);
    must(runtime_node_index(w->rt, "there", 5, &w->node) == 0);
    must(runtime_teach(w->rt, "echo", builtin_find("echo")) == 0);
    must(runtime_teach(w->rt, "relay", builtin_find("relay")) == 0);
    must(runtime_spawn(w->rt, port, NULL, &pid, NULL, 1) == 0);
    w->serial = pid.serial;
    must(runtime_register(w->rt, pid.serial, "p", 1) == 0);
    must(runtime_spawn(w->rt, buddy, NULL, &pid, NULL, 1) == 0);
    w->friend_serial = pid.serial;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct world w = { .now_ns = 1 };
    struct rusm_behaviour port = {
        .name = "port", .init = port_init, .receive = port_receive, .stop = port_stop, .context = &w
    };
    struct rusm_behaviour buddy = { .name = "friend",
                                    .init = friend_init,
                                    .receive = friend_receive,
                                    .stop = friend_stop,
                                    .context = &w };

    world_open(&w, &port, &buddy);
    while (len > 0 && w.worker) {
        const uint8_t *end = memchr(data, '\n', len);
        size_t line = end ? (size_t)(end - data) : len;
        act_out(&w, data, line, end != NULL);
        data += end ? line + 1 : line;
        len -= end ? line + 1 : line;
    }
    told(&w);
    runtime_free(w.rt);
    must(!w.worker);
    buf_fini(&w.program.unwritten);
    return 0;
}
