/* sim: processes of three nodes send, link, monitor and kill at random, over lanes with the bytes
 * of wire/lane.h, while lanes are late, connections break, and nodes are killed and come back.
 * Checks: what one process sends another (messages and signals) arrives in order. A monitor gives
 * exactly one DOWN, and a link one exit signal. Nothing of a process arrives after its DOWN. All of
 * a connection arrives between NODE_UP and NODE_DOWN. A failing run prints its seed. Arguments: how
 * many seeds, or FIRST:LAST. SIM_SEEDS in the environment means the same. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "actor/runtime.h"
#include "base/list.h"
#include "base/must.h"
#include "base/rng.h"
#include "doubles/no_globals.h"
#include "wire/lane.h"

#define NODES 3
#define ACTORS 6 /* on a node at once */
#define STEPS 400
#define MADE 4096 /* actors in a run */
#define WATCHES 4096

static const char *const node_names[NODES] = { "london", "oslo", "tokyo" };

/* What an actor remembers. It is kept after the actor has ended. */
struct actor {
    struct world *w;
    struct rusm_process *self; /* NULL: it has ended */
    size_t node, number;
    rusm_pid pid; /* as its own node writes it */
    bool trapping;
    uint32_t sent[MADE], got[MADE]; /* by the other's number: the last message's number */
    bool down[MADE];                /* its end was reported: nothing of it may follow */
    uint16_t linked[MADE];          /* exit signals that may still come, by calls of link */
    uint32_t up[NODES];             /* the node's incarnation, between NODE_UP and NODE_DOWN */
};

struct watch {
    size_t who, whom;
    uint64_t ref;
    bool told, withdrawn;
};

/* The bytes of one pair's lane: whole records, oldest first. */
struct lane {
    struct list at; /* in link.lanes */
    size_t len, taken;
    bool header;
    struct lane_header head;
    uint8_t bytes[16384];
};

struct world {
    struct rng rng;
    struct log log;
    uint64_t now;
    struct node {
        struct world *w;
        size_t index;
        struct runtime *rt; /* NULL: killed */
        uint32_t incarnation;
        bool up[NODES];
        struct list lanes[NODES]; /* lanes to that node */
    } node[NODES];
    struct actor *actor[MADE];
    size_t made;
    struct watch watch[WATCHES];
    size_t watches;
    uint64_t messages, signals, downs, exits;
};

static struct world *world;
static size_t spawning; /* the node on which an actor's init runs */

/* Returns a node's index in another node's pids. */
static uint32_t index_of(struct node *n, size_t other)
{
    uint32_t index;

    must(runtime_node_index(n->rt, node_names[other], strlen(node_names[other]), &index) == 0);
    return index;
}

static size_t node_at(struct node *n, uint32_t index)
{
    const char *name = runtime_node_name(n->rt, index);

    for (size_t i = 0; i < NODES; i++) {
        if (strcmp(name, node_names[i]) == 0) {
            return i;
        }
    }
    must(false);
    return 0;
}

static struct actor *actor_find(size_t node, uint32_t incarnation, uint64_t serial)
{
    for (size_t i = 0; i < world->made; i++) {
        struct actor *a = world->actor[i];
        if (a->node == node && a->pid.serial == serial && a->pid.incarnation == incarnation) {
            return a;
        }
    }
    return NULL;
}

/* Returns the pid of `to` as `from` writes it. */
static rusm_pid pid_for(struct actor *from, const struct actor *to)
{
    rusm_pid pid = to->pid;

    pid.node = from->node == to->node ? 0 : index_of(&world->node[from->node], to->node);
    return pid;
}

static struct actor *actor_of(struct actor *who, rusm_pid pid)
{
    struct node *n = &world->node[who->node];

    return actor_find(pid.node ? node_at(n, pid.node) : who->node, pid.incarnation, pid.serial);
}

/* ---- what an actor sees ---- */

static void see_message(struct actor *a, struct actor *from, const struct rusm_message *m)
{
    uint32_t number;

    assert_non_null(from);
    assert_int_equal(m->len, sizeof(number));
    memcpy(&number, m->data, sizeof(number));
    assert_false(a->down[from->number]); /* nothing follows the end */
    assert_true(number > a->got[from->number]);
    if (from->node == a->node) {
        assert_int_equal(number, a->got[from->number] + 1);
    }
    a->got[from->number] = number;
    world->messages++;
}

static void see_down(struct actor *a, const struct rusm_message *m)
{
    for (size_t i = 0; i < world->watches; i++) {
        struct watch *watch = &world->watch[i];
        if (watch->ref == m->ref && watch->who == a->number) {
            const struct actor *whom = world->actor[watch->whom];
            assert_false(watch->told);
            assert_false(watch->withdrawn);
            watch->told = true;
            /* After "noconnection", it may be heard of again. */
            if (strcmp((const char *)m->data, "noconnection") != 0) {
                a->down[whom->number] = true;
                assert_null(whom->self);
            }
            world->downs++;
            return;
        }
    }
    fail_msg("a DOWN that nobody asked for");
}

static void see_exit(struct actor *a, struct actor *from, const struct rusm_message *m)
{
    const char *reason = (const char *)m->data;
    unsigned number, by, to;

    assert_non_null(from);
    assert_true(a->trapping);
    world->exits++;
    /* A signal of rusm_kill is numbered like a message. The text may also be the reason of a
     * process that such a signal ended. */
    if (sscanf(reason, "signal %u %u>%u", &number, &by, &to) == 3 && by == from->number &&
        to == a->number) {
        uint32_t text = number;
        struct rusm_message numbered = *m;
        numbered.data = (const uint8_t *)&text;
        numbered.len = sizeof(text);
        see_message(a, from, &numbered);
        return;
    }
    assert_true(a->linked[from->number] > 0);
    a->linked[from->number]--;
    if (strcmp(reason, "noconnection") != 0) {
        a->down[from->number] = true;
        assert_null(from->self);
    }
}

static void actor_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct actor *a = state;
    size_t node;

    (void)self;
    if (m->from.node && m->kind != RUSM_NODE_UP && m->kind != RUSM_NODE_DOWN &&
        strcmp((const char *)m->data, "noconnection") != 0) {
        /* Signals come only between NODE_UP and NODE_DOWN of the incarnation. Our own node makes
         * "noproc" for an old one. */
        node = node_at(&world->node[a->node], m->from.node);
        if (strcmp((const char *)m->data, "noproc") != 0) {
            assert_int_equal(a->up[node], m->from.incarnation);
        }
    }
    switch (m->kind) {
    case RUSM_SEND: see_message(a, actor_of(a, m->from), m); break;
    case RUSM_DOWN: see_down(a, m); break;
    case RUSM_EXIT: see_exit(a, actor_of(a, m->from), m); break;
    case RUSM_NODE_UP:
        node = node_at(&world->node[a->node], m->from.node);
        assert_int_equal(a->up[node], 0);
        a->up[node] = m->from.incarnation;
        break;
    case RUSM_NODE_DOWN:
        node = node_at(&world->node[a->node], m->from.node);
        assert_int_equal(a->up[node], m->from.incarnation);
        a->up[node] = 0;
        break;
    case RUSM_WRITABLE: break;
    default: fail_msg("a message of kind %d", (int)m->kind);
    }
}

static int actor_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct actor *a = calloc(1, sizeof(*a));

    (void)args;
    must(a && world->made < MADE);
    a->w = world;
    a->self = self;
    a->node = spawning;
    a->number = world->made;
    a->pid = rusm_self(self);
    a->trapping = rng_below(&world->rng, 3) > 0;
    for (size_t i = 0; i < NODES; i++) {
        a->up[i] = world->node[spawning].up[i] ? world->node[i].incarnation : 0;
    }
    (void)rusm_trap_exit(self, a->trapping);
    must(rusm_monitor_nodes(self, true) == 0);
    world->actor[world->made++] = a;
    *state = a;
    return 0;
}

static void actor_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self;
    (void)reason;
    ((struct actor *)state)->self = NULL;
}

static const struct rusm_behaviour behaviour = {
    .name = "actor", .init = actor_init, .receive = actor_receive, .stop = actor_stop
};

/* ---- lanes ---- */

static struct lane *lane_get(struct node *n, size_t to, const struct post *post)
{
    list_each(l, &n->lanes[to]) {
        struct lane *lane = container_of(l, struct lane, at);
        if (lane->head.from == post->from.serial && lane->head.to.serial == post->to.serial) {
            return lane;
        }
    }
    struct lane *lane = calloc(1, sizeof(*lane));
    must(lane);
    lane->head = (struct lane_header){ .from = post->from.serial,
                                       .to = { .kind = TARGET_PID,
                                               .serial = post->to.serial,
                                               .incarnation = world->node[to].incarnation } };
    ssize_t len = lane_header_encode(lane->bytes, sizeof(lane->bytes), &lane->head);
    must(len > 0);
    lane->len = (size_t)len;
    list_append(&n->lanes[to], &lane->at);
    return lane;
}

static int hook_post(void *context, const struct post *post)
{
    struct node *n = context;
    size_t to = node_at(n, post->node);
    bool signal = post->kind >= RUSM_EXIT;

    if (!n->up[to]) {
        return RUSM_ENOCONN;
    }
    if (post->to.incarnation != world->node[to].incarnation) {
        return RUSM_ENOPROC;
    }
    if (rng_below(&world->rng, 20) == 0) {
        return RUSM_BUSY; /* world_writable lets it try again */
    }
    struct lane *lane = lane_get(n, to, post);
    if (!signal && lane->len > sizeof(lane->bytes) / 2) {
        return RUSM_BUSY;
    }
    struct record record = { .kind = (uint8_t)post->kind,
                             .has_ref = record_has_ref((uint8_t)post->kind),
                             .ref = post->ref,
                             .payload_len = post->len };
    must(sizeof(lane->bytes) - lane->len > RECORD_HEAD_MAX + post->len);
    lane->len += record_head_encode(lane->bytes + lane->len, &record);
    memcpy(lane->bytes + lane->len, post->data, post->len);
    lane->len += post->len;
    world->signals += signal;
    return 0;
}

/* Delivers one record if its process has room. Returns true if the lane is empty and was freed. */
static bool lane_step(struct node *from, size_t to, struct lane *lane)
{
    struct node *n = &world->node[to];
    struct record record;

    if (!lane->header) {
        struct lane_header head;
        ssize_t used = lane_header_decode(lane->bytes, lane->len, &head);
        must(used > 0 && head.from == lane->head.from);
        lane->taken = (size_t)used;
        lane->header = true;
    }
    ssize_t head = record_head_decode(lane->bytes + lane->taken, lane->len - lane->taken, &record);
    must(head > 0);
    const uint8_t *payload = lane->bytes + lane->taken + head;
    struct rusm_process *p = runtime_find(n->rt, lane->head.to.serial);
    rusm_pid sender = { .serial = lane->head.from,
                        .node = index_of(n, from->index),
                        .incarnation = from->incarnation };
    bool message =
        record.kind <= RECORD_EXIT || record.kind == RECORD_DOWN || record.kind == RECORD_LINK_EXIT;
    bool bounded = record.kind == RECORD_SEND ||
                   (record.kind == RECORD_EXIT && p &&
                    process_traps(p, (const char *)payload, (size_t)record.payload_len));
    if (p && bounded && !process_has_room(p, (size_t)record.payload_len)) {
        return false;
    }
    lane->taken += (size_t)head + (size_t)record.payload_len;
    if (!message) {
        rusm_pid target = { .serial = lane->head.to.serial, .incarnation = n->incarnation };
        (void)runtime_signal(n->rt, p, target, (enum rusm_kind)record.kind, sender, record.ref);
    } else if (p) {
        struct message *m = message_new(runtime_pool(n->rt), (size_t)record.payload_len);
        must(m);
        memcpy(message_room(m), payload, (size_t)record.payload_len);
        m->pub.kind = (enum rusm_kind)record.kind;
        m->pub.from = sender;
        m->pub.ref = record.ref;
        process_deliver(p, m);
    }
    if (lane->taken < lane->len) {
        return false;
    }
    list_remove(&lane->at);
    free(lane);
    return true;
}

/* Lets some lanes move on, in random order. Others wait. Returns whether there were any. */
static bool world_move(struct world *w, unsigned likely)
{
    bool any = false;

    for (size_t a = 0; a < NODES; a++) {
        for (size_t b = 0; b < NODES; b++) {
            list_each_safe(l, &w->node[a].lanes[b]) {
                bool gone = false;
                any = true;
                for (uint64_t n = rng_below(&w->rng, 4); n > 0 && !gone; n--) {
                    gone = rng_below(&w->rng, 4) < likely &&
                           lane_step(&w->node[a], b, container_of(l, struct lane, at));
                }
            }
        }
    }
    return any;
}

/* ---- hooks ---- */

static int hook_spawn_at(void *context, rusm_pid self, uint32_t node, const char *spawnable,
                         const struct rusm_args *args, uint64_t ref)
{
    (void)context, (void)self, (void)node, (void)spawnable, (void)args, (void)ref;
    return RUSM_ENOCONN;
}

static void hook_print(void *context, rusm_pid self, const char *line)
{
    (void)context, (void)self, (void)line;
}

static uint64_t hook_clock(void *context)
{
    return ((struct node *)context)->w->now;
}

static const struct runtime_hooks hooks = {
    .post = hook_post,
    .exited = no_globals_exited,
    .register_global = no_globals_register,
    .unregister_global = no_globals_register,
    .whereis_global = no_globals_whereis,
    .spawn_at = hook_spawn_at,
    .clock_ns = hook_clock,
    .print = hook_print,
};

/* ---- nodes ---- */

static void lanes_drop(struct node *n, size_t to)
{
    list_each_safe(l, &n->lanes[to]) {
        list_remove(l);
        free(container_of(l, struct lane, at));
    }
}

static void node_spawn(struct world *w, size_t node)
{
    rusm_pid pid;

    spawning = node;
    must(runtime_spawn(w->node[node].rt, &behaviour, NULL, &pid, NULL, w->now) == 0);
}

static void node_start(struct world *w, size_t node)
{
    struct node *n = &w->node[node];
    struct runtime_options options = { .node = node_names[node],
                                       .incarnation = ++n->incarnation,
                                       .mailbox_messages = 8,
                                       .mailbox_bytes = 1000,
                                       .seed = rng_u64(&w->rng),
                                       .log = &w->log,
                                       .hooks = &hooks,
                                       .context = n };

    must(runtime_new(&n->rt, &options) == 0);
    for (size_t i = 0; i < ACTORS / 2; i++) {
        node_spawn(w, node);
    }
}

/* Breaks the connection: what is on its way is lost. */
static void world_cut(struct world *w, size_t a, size_t b)
{
    if (!w->node[a].up[b]) {
        return;
    }
    w->node[a].up[b] = w->node[b].up[a] = false;
    lanes_drop(&w->node[a], b);
    lanes_drop(&w->node[b], a);
    runtime_node_lost(w->node[a].rt, index_of(&w->node[a], b), w->node[b].incarnation);
    runtime_node_lost(w->node[b].rt, index_of(&w->node[b], a), w->node[a].incarnation);
}

static void world_join(struct world *w, size_t a, size_t b)
{
    if (a == b || w->node[a].up[b] || !w->node[a].rt || !w->node[b].rt) {
        return;
    }
    w->node[a].up[b] = w->node[b].up[a] = true;
    runtime_node_up(w->node[a].rt, index_of(&w->node[a], b), w->node[b].incarnation);
    runtime_node_up(w->node[b].rt, index_of(&w->node[b], a), w->node[a].incarnation);
}

static void node_kill(struct world *w, size_t node)
{
    struct node *n = &w->node[node];

    for (size_t i = 0; i < NODES; i++) {
        if (n->up[i]) {
            n->up[i] = w->node[i].up[node] = false;
            lanes_drop(n, i);
            lanes_drop(&w->node[i], node);
            runtime_node_lost(w->node[i].rt, index_of(&w->node[i], node), n->incarnation);
        }
    }
    runtime_free(n->rt); /* the killed node's own processes do not count any more */
    n->rt = NULL;
}

static void world_run(struct world *w)
{
    for (size_t i = 0; i < NODES; i++) {
        if (w->node[i].rt) {
            runtime_writable(w->node[i].rt, (rusm_pid){ 0 });
            while (runtime_run(w->node[i].rt, 1 + (unsigned)rng_below(&w->rng, 64), ++w->now) &&
                   rng_below(&w->rng, 3) > 0) {}
        }
    }
}

/* ---- what actors do ---- */

static struct actor *pick(struct world *w, bool alive)
{
    for (int tries = 0; tries < 50; tries++) {
        size_t recent = w->made < 60 ? w->made : 60;
        struct actor *a = w->actor[w->made - 1 - rng_below(&w->rng, recent)];
        if (!alive || a->self) {
            return a;
        }
    }
    return NULL;
}

static void do_watch(struct world *w, struct actor *a, struct actor *b)
{
    struct watch *watch = &w->watch[w->watches];

    if (w->watches < WATCHES && rusm_monitor(a->self, pid_for(a, b), &watch->ref) == 0) {
        *watch = (struct watch){ .who = a->number, .whom = b->number, .ref = watch->ref };
        w->watches++;
    }
}

static void do_unwatch(struct world *w, struct actor *a)
{
    for (size_t i = 0; i < w->watches; i++) {
        struct watch *watch = &w->watch[i];
        if (watch->who == a->number && !watch->told && !watch->withdrawn) {
            /* If it was already told, the DOWN waits in the mailbox and is flushed. */
            (void)rusm_demonitor_flush(a->self, watch->ref);
            watch->withdrawn = true;
            return;
        }
    }
}

static void do_something(struct world *w)
{
    struct actor *a = pick(w, true), *b = pick(w, rng_below(&w->rng, 8) > 0);
    char reason[64];
    uint32_t number;

    if (!a || !b || a == b) {
        return;
    }
    rusm_pid to = pid_for(a, b);
    switch (rng_below(&w->rng, 16)) {
    case 0: do_watch(w, a, b); break;
    case 1: do_unwatch(w, a); break;
    case 2:
    case 3:
        /* Counted before the call: a link to a process that is gone is told at once. */
        a->linked[b->number]++;
        b->linked[a->number]++;
        (void)rusm_link(a->self, to);
        break;
    case 4: (void)rusm_unlink(a->self, to); break;
    case 5:
        number = a->sent[b->number] + 1;
        snprintf(reason, sizeof(reason), "signal %u %zu>%zu", number, a->number, b->number);
        if (rusm_kill(a->self, to, reason) == 0) {
            a->sent[b->number] = number;
        }
        break;
    case 6:
        if (rng_below(&w->rng, 6) == 0) {
            rusm_exit(a->self, rng_below(&w->rng, 2) ? "normal" : "died");
        }
        break;
    default:
        number = a->sent[b->number] + 1;
        if (rusm_send(a->self, to, &number, sizeof(number), 0) == 0) {
            a->sent[b->number] = number;
        }
    }
}

static void world_step(struct world *w)
{
    size_t a = rng_below(&w->rng, NODES), b = rng_below(&w->rng, NODES);

    for (uint64_t n = rng_below(&w->rng, 12); n > 0; n--) {
        do_something(w);
    }
    if (w->node[a].rt && runtime_count(w->node[a].rt) < ACTORS) {
        node_spawn(w, a);
    }
    switch (rng_below(&w->rng, 60)) {
    case 0: world_cut(w, a, b); break;
    case 1:
        if (w->node[a].rt) {
            node_kill(w, a);
        }
        break;
    default: break;
    }
    if (!w->node[b].rt && rng_below(&w->rng, 5) == 0) {
        node_start(w, b);
    }
    if (rng_below(&w->rng, 8) == 0) {
        world_join(w, a, b);
    }
    (void)world_move(w, 2);
    world_run(w);
}

/* Lets everything arrive. Then checks that each living actor has had the DOWN of every ended actor
 * that it monitors. */
static void world_settle(struct world *w)
{
    int quiet = 0; /* ticks without any work; a single one may come from RUSM_BUSY */
    for (int ticks = 0; quiet < 20; ticks++) {
        bool any = world_move(w, 4);
        for (size_t i = 0; i < NODES; i++) {
            if (w->node[i].rt) {
                runtime_writable(w->node[i].rt, (rusm_pid){ 0 });
                any |= runtime_ready(w->node[i].rt);
                while (runtime_run(w->node[i].rt, 64, ++w->now)) {}
            }
        }
        quiet = any ? 0 : quiet + 1;
        assert_true(ticks < 20000);
    }
    for (size_t i = 0; i < w->watches; i++) {
        const struct watch *watch = &w->watch[i];
        const struct actor *who = w->actor[watch->who], *whom = w->actor[watch->whom];
        if (who->self && !whom->self && !watch->withdrawn) {
            assert_true(watch->told);
        }
    }
}

static void run_seed(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));

    must(w);
    world = w;
    rng_init(&w->rng, seed);
    log_init(&w->log, 2, RUSM_LOG_ERROR, "sim");
    for (size_t i = 0; i < NODES; i++) {
        w->node[i] = (struct node){ .w = w, .index = i };
        for (size_t k = 0; k < NODES; k++) {
            list_init(&w->node[i].lanes[k]);
        }
        node_start(w, i);
    }
    for (size_t i = 0; i < STEPS; i++) {
        world_step(w);
    }
    world_settle(w);
    /* The other nodes end: the processes that live on are told of every end. */
    for (size_t i = 1; i < NODES; i++) {
        if (w->node[i].rt) {
            node_kill(w, i);
        }
    }
    if (w->node[0].rt) {
        world_settle(w);
    }
    assert_true(w->messages > 50 && w->signals > 20 && w->downs > 2 && w->exits > 2);
    for (size_t i = 0; i < NODES; i++) {
        if (w->node[i].rt) {
            node_kill(w, i);
        }
    }
    for (size_t i = 0; i < w->made; i++) {
        free(w->actor[i]);
    }
    free(w);
}

static uint64_t first_seed = 1, last_seed = 200;
static uint64_t seed_now;

static void test_seeds(void **state)
{
    (void)state;
    for (seed_now = first_seed; seed_now <= last_seed; seed_now++) {
        run_seed(seed_now);
    }
}

/* After a failure, prints the last seed begun, which is the one that failed. */
static int say_seed(void **state)
{
    (void)state;
    if (seed_now <= last_seed) {
        fprintf(stderr, "seed %" PRIu64 "; again with: sim/actor %" PRIu64 ":%" PRIu64 "\n",
                seed_now, seed_now, seed_now);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(test_seeds, say_seed) };
    const char *seeds = argc > 1 ? argv[1] : getenv("SIM_SEEDS");

    if (seeds) {
        char *colon;
        last_seed = strtoull(seeds, &colon, 10);
        if (*colon == ':') {
            first_seed = last_seed;
            last_seed = strtoull(colon + 1, NULL, 10);
        }
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
