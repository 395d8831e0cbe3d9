/* post: rusm_node_post: the program's own threads send to processes, in order for each thread. A
 * full mailbox holds back only what is posted to it. */
#include "embed.h"

#include <stdatomic.h>

#define THREADS 3u
#define EACH 20000u

static atomic_uint taken, wrong;
static atomic_bool opened;
static unsigned next[THREADS];
static rusm_pid counter_pid;
static atomic_bool counter_known;

/* Takes "THREAD NUMBER" messages, in order for each thread. */
static int counter_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args, (void)state;
    counter_pid = rusm_self(self);
    atomic_store(&counter_known, true);
    return 0;
}

static void counter_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    unsigned thread, number;
    (void)self, (void)state;
    if (m->kind != RUSM_SEND || sscanf((const char *)m->data, "%u %u", &thread, &number) != 2) {
        return;
    }
    if (thread >= THREADS || number != next[thread]++) {
        atomic_fetch_add(&wrong, 1);
    }
    atomic_fetch_add(&taken, 1);
}

/* Takes no message until it is opened. */
static atomic_uint let;

static void valve_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    if (m->kind != RUSM_SEND) {
        return;
    }
    if (!atomic_load(&opened)) {
        rusm_hold_for(self, 5);
    } else {
        atomic_fetch_add(&let, 1);
    }
}

static const struct rusm_behaviour counter = { .name = "counter",
                                               .init = counter_init,
                                               .receive = counter_receive };
static const struct rusm_behaviour valve = { .name = "valve", .receive = valve_receive };

struct poster {
    pthread_t thread;
    struct rusm_node *node;
    unsigned index;
};

static void *post_main(void *context)
{
    struct poster *p = context;
    uint64_t until = clock_ms() + PATIENCE_MS;
    for (unsigned i = 0; i < EACH; i++) {
        char text[32];
        size_t len = (size_t)snprintf(text, sizeof(text), "%u %u", p->index, i);
        int error;
        /* All messages of a thread go to one target: by its pid, its name, or its global name. */
        while ((error = p->index == 0
                            ? rusm_node_post(p->node, counter_pid, text, len)
                            : rusm_node_post_to(p->node, p->index == 1 ? "counter" : "count", text,
                                                len)) == RUSM_BUSY) {
            expect(clock_ms() < until, "room");
            sched_yield();
        }
        expect(error == 0, "a post, not %s", rusm_strerror(error));
    }
    return NULL;
}

static void await(const atomic_uint *count, unsigned wanted)
{
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (atomic_load(count) < wanted) {
        expect(clock_ms() < until, "%u messages, not %u", wanted, atomic_load(count));
        usleep(1000);
    }
}

static struct rusm_node *make(const struct place *p, const char *name, unsigned schedulers)
{
    struct rusm_node_options options = { .name = name,
                                         .rundir = p->rundir,
                                         .identity = p->identity,
                                         .identity_create = true,
                                         .schedulers = schedulers };
    struct rusm_node *node;
    struct rusm_why why;
    expect(rusm_node_new(&node, &options, &why) == 0, "a node: %s", why.text);
    return node;
}

static void boot(struct rusm_node *node, const struct rusm_behaviour *behaviour, const char *name,
                 bool global)
{
    struct rusm_boot b = { .name = name, .spawnable = behaviour->name, .global = global };
    struct rusm_why why;
    rusm_node_teach(node, behaviour->name, behaviour);
    expect(rusm_node_boot(node, &b, &why) == 0, "%s: %s", name, why.text);
}

/* Posts until one target takes no more. Returns how many it took. */
static unsigned fill(struct rusm_node *node, const char *name)
{
    unsigned count = 0;
    uint64_t until = clock_ms() + PATIENCE_MS;
    for (int busy = 0; busy < 100;) { /* RUSM_BUSY must stay: scheduler 0 may take some meanwhile */
        int error = rusm_node_post_to(node, name, "x", 1);
        expect(error == 0 || error == RUSM_BUSY, "room or none, not %s", rusm_strerror(error));
        expect(clock_ms() < until && count < 100000, "a limit");
        count += error == 0;
        busy = error ? busy + 1 : 0;
        if (error) {
            usleep(1000);
        }
    }
    return count;
}

static void run(unsigned schedulers)
{
    struct place place;
    struct running london, tokyo;
    struct poster posters[THREADS];
    rusm_pid nobody = { .serial = 0 };
    atomic_store(&taken, 0);
    atomic_store(&let, 0);
    atomic_store(&opened, false);
    atomic_store(&counter_known, false);
    memset(next, 0, sizeof(next));
    place_make(&place);
    struct rusm_node *node = make(&place, "london", schedulers);
    boot(node, &counter, "counter", false);
    expect(atomic_load(&counter_known), "the counter to run");
    boot(node, &valve, "valve", false);
    run_start(&london, node);
    struct rusm_node *other = make(&place, "tokyo", 1);
    run_start(&tokyo, other);
    struct rusm_client *client = client_to(&place, "london");
    await_peer(client, "tokyo");
    rusm_client_close(client);

    expect(rusm_node_post(node, nobody, "x", 1) == RUSM_EINVAL, "no process");
    expect(rusm_node_post_to(node, "a b", "x", 1) == RUSM_EINVAL, "no address");
    expect(rusm_node_post_to(node, "valve", NULL, 1) == RUSM_EINVAL, "no data");
    expect(rusm_node_post_to(node, "valve", "x", RUSM_MESSAGE_MAX + 1) == RUSM_ETOOLARGE, "length");

    /* A closed valve takes what its mailbox and the queue before it hold, and no more. */
    unsigned held = fill(node, "valve");
    expect(held >= 2048 && held <= 2 * 1024 + 1024, "a mailbox and a queue, not %u", held);

    /* The valve does not hold up other targets. One thread posts from the other node. */
    for (unsigned i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){ .node = node, .index = i };
        if (i == 2) {
            continue;
        }
        expect(pthread_create(&posters[i].thread, NULL, post_main, &posters[i]) == 0, "a thread");
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(posters[i].thread, NULL);
    }
    await(&taken, 2 * EACH);
    for (unsigned i = 0; i < EACH; i++) { /* another node's thread posts to the counter */
        char text[32];
        size_t len = (size_t)snprintf(text, sizeof(text), "2 %u", i);
        while (rusm_node_post_to(other, "counter@london", text, len) == RUSM_BUSY) {
            sched_yield();
        }
    }
    await(&taken, THREADS * EACH);
    expect(atomic_load(&wrong) == 0, "the order of each thread");
    atomic_store(&opened, true);
    await(&let, held);
    run_stop(&tokyo);
    rusm_node_stop(node);
    pthread_join(london.thread, NULL);
    expect(rusm_node_post_to(node, "counter", "x", 1) == RUSM_ECLOSED, "a node that has left");
    rusm_node_free(node);
    place_remove(&place);
}

int main(void)
{
    run(1);
    run(2);
    return 0;
}
