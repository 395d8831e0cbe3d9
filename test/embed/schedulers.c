/* schedulers: a node of four schedulers, and a second of two. Processes spread over them send to
 * all others, beyond their mailboxes, and call, link, monitor and end. The order of each pair
 * holds, nothing is lost, and each link and monitor gives exactly one notice. A receiver that takes
 * nothing holds back only its own senders. */
#include "embed.h"

#include <stdatomic.h>

#define NODES 2
#define WORKERS 12 /* on each node */
#define EACH 2000  /* messages to each other worker */
#define ROUNDS 40  /* processes that each worker links, monitors and ends */
#define ALL (NODES * WORKERS)
#define FLOODERS 4 /* one on each scheduler of the first node */
#define FLOOD 5000 /* messages of each, of 1 KiB */

/* Shared by all nodes, which are threads of this program. */
struct common {
    _Atomic(uint64_t) received, calls, downs, exits, forward, flooded, taken;
    atomic_bool hears;
};

struct note {
    uint32_t from, number;
};

struct worker {
    uint32_t me, to, next[ALL], seen[ALL], rounds, failed;
    rusm_pid victim;
    uint64_t watch;
    bool linked, told;
    bool asked, sent;
};

static void worker_name(char name[32], uint32_t worker)
{
    snprintf(name, 32, "w%u@%s", worker % WORKERS, worker / WORKERS ? "tokyo" : "london");
}

static int worker_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct worker *w = calloc(1, sizeof(*w));
    char name[32];
    expect(w && args->count == 1, "memory and a number");
    w->me = (uint32_t)strtoul(args->value[0], NULL, 10);
    snprintf(name, sizeof(name), "w%u", w->me % WORKERS);
    rusm_trap_exit(self, true);
    *state = w;
    return rusm_register(self, rusm_self(self), name);
}

static void worker_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

/* Sends until some target is busy. */
static void worker_send(struct rusm_process *self, struct worker *w)
{
    char name[32];
    for (; w->to < ALL; w->to++) {
        worker_name(name, w->to);
        while (w->to != w->me && w->next[w->to] < EACH) {
            struct note note = { .from = w->me, .number = w->next[w->to] };
            int error = rusm_send_to(self, name, &note, sizeof(note), 0);
            if (error == RUSM_BUSY) {
                return;
            }
            expect(error == 0, "%s: %s", name, rusm_strerror(error));
            w->next[w->to]++;
        }
    }
    w->sent = true;
}

/* Spawns one more process somewhere on this node. */
static void worker_round(struct rusm_process *self, struct worker *w)
{
    uint64_t ref;
    if (w->rounds++ < ROUNDS) {
        expect(rusm_spawn_at(self, 0, "victim", NULL, &ref) == 0, "a spawn");
    }
}

static void worker_told(struct rusm_process *self, struct worker *w, struct common *c, bool down)
{
    *(down ? &w->told : &w->linked) ^= true;
    atomic_fetch_add(down ? &c->downs : &c->exits, 1);
    if (w->told == w->linked) {
        worker_round(self, w);
    }
}

static void worker_note(struct worker *w, struct common *c, const struct rusm_message *m)
{
    struct note note;
    expect(m->len == sizeof(note), "%zu bytes", m->len);
    memcpy(&note, m->data, sizeof(note));
    expect(note.number == w->seen[note.from], "%u to %u: number %u and not %u", note.from, w->me,
           note.number, w->seen[note.from]);
    w->seen[note.from]++;
    atomic_fetch_add(&c->received, 1);
}

static void worker_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct common *c = rusm_context(self);
    struct worker *w = state;
    uint64_t ref;
    switch (m->kind) {
    case RUSM_SEND:
        if (m->len == 2) { /* start */
            worker_send(self, w);
            worker_round(self, w);
        } else {
            worker_note(w, c, m);
        }
        break;
    case RUSM_WRITABLE: worker_send(self, w); break;
    case RUSM_SPAWNED:
        w->victim = m->from;
        expect(rusm_link(self, w->victim) == 0, "a link");
        expect(rusm_monitor(self, w->victim, &w->watch) == 0, "a monitor");
        expect(rusm_request(self, w->victim, "?", 1, PATIENCE_MS, &ref) == 0, "a call");
        break;
    case RUSM_REPLY:
        atomic_fetch_add(&c->calls, 1);
        if (w->rounds % 2) {
            expect(rusm_kill(self, w->victim, "kill") == 0, "a kill");
        } else {
            expect(rusm_send(self, w->victim, "end", 3, 0) == 0, "an end");
        }
        break;
    case RUSM_EXIT:
        if (rusm_pid_eq(m->from, w->victim)) {
            worker_told(self, w, c, false);
        } else if (m->from.serial == 0 || strcmp((const char *)m->data, "shutdown") == 0) {
            rusm_exit(self, "shutdown");
        } else {
            atomic_fetch_add(&c->forward, 1);
        }
        break;
    case RUSM_DOWN:
        if (m->ref == w->watch) {
            worker_told(self, w, c, true);
        } else {
            atomic_fetch_add(&c->forward, 1);
        }
        break;
    default: expect(false, "kind %d: %s", m->kind, (const char *)m->data);
    }
}

static void victim_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, "!", 1);
    } else if (m->kind == RUSM_SEND) {
        rusm_exit(self, "end");
    }
}

static bool no_message(void *context, const struct rusm_message *message)
{
    (void)context, (void)message;
    return false;
}

/* Takes no message until the test lets it. */
static void deaf_body(struct rusm_process *self, void *state)
{
    struct common *c = rusm_context(self);
    const struct rusm_message *m;
    (void)state;
    while (!atomic_load(&c->hears)) {
        rusm_receive(self, no_message, NULL, 10, &m);
    }
    while (rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0) {
        atomic_fetch_add(&c->taken, m->kind == RUSM_SEND);
    }
}

struct flooder {
    unsigned sent;
};

static int flooder_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args;
    *state = calloc(1, sizeof(struct flooder));
    return *state ? rusm_send(self, rusm_self(self), "", 0, 0) : RUSM_ENOMEM;
}

static void flooder_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    static const char text[1024];
    struct common *c = rusm_context(self);
    struct flooder *f = state;
    (void)m;
    while (f->sent < FLOOD && rusm_send_to(self, "deaf", text, sizeof(text), 0) == 0) {
        f->sent++;
        atomic_fetch_add(&c->flooded, 1);
    }
}

static void flooder_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

static void place_wait(_Atomic(uint64_t) *count, uint64_t wanted, const char *what)
{
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (atomic_load(count) < wanted) {
        expect(clock_ms() < until, "%s: %llu of %llu", what, (unsigned long long)atomic_load(count),
               (unsigned long long)wanted);
        usleep(1000);
    }
}

static struct rusm_node *node_of(const struct place *p, const char *name, uint32_t schedulers)
{
    struct rusm_node_options options = { .name = name,
                                         .rundir = p->rundir,
                                         .identity = p->identity,
                                         .identity_create = true,
                                         .mailbox_messages = 64,
                                         .schedulers = schedulers,
                                         .log_level = RUSM_LOG_ERROR };
    struct rusm_node *node;
    struct rusm_why why;
    expect(rusm_node_new(&node, &options, &why) == 0, "node %s: %s", name, why.text);
    return node;
}

static int row_pid(void *context, const struct rusm_field *fields, size_t count)
{
    unsigned *of = context;
    if (strcmp(field(fields, count, "behaviour"), "worker") == 0) {
        of[strtoul(field(fields, count, "pid"), NULL, 10) % 4]++;
    }
    return 0;
}

int main(void)
{
    struct common common = { 0 };
    const struct rusm_behaviour worker = { .name = "worker",
                                           .init = worker_init,
                                           .receive = worker_receive,
                                           .stop = worker_stop,
                                           .context = &common },
                                victim = { .name = "victim", .receive = victim_receive },
                                deaf = { .name = "deaf", .body = deaf_body, .context = &common },
                                flooder = { .name = "flooder",
                                            .init = flooder_init,
                                            .receive = flooder_receive,
                                            .stop = flooder_stop,
                                            .context = &common };
    static const char *const names[NODES] = { "london", "tokyo" };
    struct rusm_client *client[NODES];
    struct running node[NODES];
    struct place place;
    struct rusm_why why;
    char pid[RUSM_PID_TEXT_MAX], number[16];

    place_make(&place);
    for (unsigned i = 0; i < NODES; i++) {
        struct rusm_node *n = node_of(&place, names[i], i ? 2 : 4);
        expect(rusm_node_teach(n, "worker", &worker) == 0, "worker taught");
        expect(rusm_node_teach(n, "victim", &victim) == 0, "victim taught");
        expect(rusm_node_teach(n, "deaf", &deaf) == 0, "deaf taught");
        expect(rusm_node_teach(n, "flooder", &flooder) == 0, "flooder taught");
        run_start(&node[i], n);
        client[i] = client_to(&place, names[i]);
    }
    await_peer(client[0], "tokyo");
    await_peer(client[1], "london");
    for (unsigned i = 0; i < ALL; i++) {
        const char *value = number;
        struct rusm_args args = { .count = 1, .value = &value };
        snprintf(number, sizeof(number), "%u", i);
        int error = rusm_client_spawn(client[i / WORKERS], "worker", &args, NULL, false, pid, &why);
        expect(error == 0, "worker %u: %s", i, why.text);
    }
    unsigned spread[4] = { 0 };
    expect(rusm_client_list(client[0], RUSM_TABLE_PROCESSES, row_pid, spread, &why) == 0, "%s",
           why.text);
    for (unsigned i = 0; i < 4; i++) {
        expect(spread[i] == WORKERS / 4, "%u workers on scheduler %u", spread[i], i);
    }
    /* A process takes nothing: its senders wait, and nobody else. */
    int error = rusm_client_spawn(client[0], "deaf", NULL, "deaf", false, pid, &why);
    expect(error == 0, "%s", why.text);
    for (unsigned i = 0; i < FLOODERS; i++) {
        error = rusm_client_spawn(client[0], "flooder", NULL, NULL, false, pid, &why);
        expect(error == 0, "%s", why.text);
    }
    for (unsigned i = 0; i < ALL; i++) {
        snprintf(number, sizeof(number), "w%u", i % WORKERS);
        error = rusm_client_post(client[i / WORKERS], number, false, "go", 2, &why);
        expect(error == 0, "%s: %s", number, why.text);
    }
    place_wait(&common.received, (uint64_t)ALL * (ALL - 1) * EACH, "messages");
    place_wait(&common.calls, (uint64_t)ALL * ROUNDS, "calls");
    place_wait(&common.downs, (uint64_t)ALL * ROUNDS, "monitors told");
    place_wait(&common.exits, (uint64_t)ALL * ROUNDS, "links told");
    expect(atomic_load(&common.forward) == 0, "forwards");
    /* What waits is a mailbox, and a window for each sender. */
    place_wait(&common.flooded, 64, "of a flood, under way");
    uint64_t held = atomic_load(&common.flooded);
    expect(held <= 64 + FLOODERS * 257, "%llu under way", (unsigned long long)held);
    expect(atomic_load(&common.taken) == 0, "nothing was taken");
    atomic_store(&common.hears, true);
    place_wait(&common.taken, (uint64_t)FLOODERS * FLOOD, "of a flood");
    expect(rusm_client_kill(client[0], "deaf", false, "kill", &why) == 0, "%s", why.text);
    expect(rusm_client_kill(client[0], "deaf", false, "kill", &why) == RUSM_ENOPROC,
           "it is gone, and so is its name");
    for (unsigned i = 0; i < NODES; i++) {
        rusm_client_close(client[i]);
    }
    for (unsigned i = 0; i < NODES; i++) {
        run_stop(&node[i]);
    }
    expect(atomic_load(&common.taken) == (uint64_t)FLOODERS * FLOOD, "the flood, each once");
    expect(atomic_load(&common.received) == (uint64_t)ALL * (ALL - 1) * EACH, "each once");
    expect(atomic_load(&common.downs) == (uint64_t)ALL * ROUNDS, "each monitor told once");
    expect(atomic_load(&common.exits) == (uint64_t)ALL * ROUNDS, "each link told once");
    place_remove(&place);
    return 0;
}
