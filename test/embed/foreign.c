/* foreign: a node driven by another event loop. The program polls one descriptor and calls
 * rusm_node_tick when it is readable. It does so with two schedulers, with a program as a process,
 * and with another node. The log goes to a function of the program. */
#include "embed.h"

#include <poll.h>
#include <stdatomic.h>

static atomic_uint logged;

static void take_log(void *context, enum rusm_log_level level, const char *text)
{
    (void)level;
    expect(context == &logged, "the context");
    expect(text[0] && !strchr(text, '\n'), "one line without its end");
    atomic_fetch_add(&logged, 1);
}

static struct rusm_node *make(const struct place *p, unsigned schedulers)
{
    struct rusm_node_options options = { .name = "london",
                                         .rundir = p->rundir,
                                         .identity = p->identity,
                                         .identity_create = true,
                                         .log_level = RUSM_LOG_INFO,
                                         .log = take_log,
                                         .log_context = &logged,
                                         .schedulers = schedulers };
    struct rusm_node *node;
    struct rusm_why why;
    int error = rusm_node_new(&node, &options, &why);
    expect(error == 0, "a node: %s", why.text);
    return node;
}

/* Asks the node from a thread of its own, while the main thread drives it. */
struct asker {
    const struct place *place;
    struct rusm_node *node;
};

static void ask(struct rusm_client *client, const char *process, const char *text)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(client, process, false, text, strlen(text), &reply, &len, &why);
    expect(error == 0, "an answer of %s: %s", process, why.text);
    expect(len == strlen(text) && memcmp(reply, text, len) == 0, "what was asked");
    free(reply);
}

static void *ask_main(void *context)
{
    struct asker *a = context;
    struct rusm_client *client = client_to(a->place, "london");
    for (int i = 0; i < 200; i++) {
        ask(client, "echo", "one");
        ask(client, "cat", "two");
    }
    await_peer(client, "tokyo");
    rusm_client_close(client);
    rusm_node_stop(a->node);
    return NULL;
}

static void drive(unsigned schedulers)
{
    struct place place;
    struct running tokyo;
    struct rusm_why why;
    pthread_t thread;
    place_make(&place);
    struct rusm_node *node = make(&place, schedulers);
    struct asker a = { .place = &place, .node = node };
    expect(rusm_node_tick(node) == RUSM_EINVAL, "no tick before the start");
    struct rusm_boot cat = { .name = "cat", .spawnable = "exec:cat" };
    struct rusm_boot echo = { .name = "echo", .spawnable = "echo" };
    expect(rusm_node_boot(node, &echo, &why) == 0, "echo: %s", why.text);
    expect(rusm_node_boot(node, &cat, &why) == 0, "cat: %s", why.text);
    struct pollfd at = { .fd = rusm_node_start(node), .events = POLLIN };
    expect(at.fd >= 0, "a descriptor");
    expect(rusm_node_start(node) == RUSM_EINVAL, "one start");
    expect(rusm_node_run(node) == RUSM_EINVAL, "no run of a node that is driven");
    run_start(&tokyo, node_make(&place, "tokyo", 0));
    expect(pthread_create(&thread, NULL, ask_main, &a) == 0, "a thread");
    int left = 0;
    unsigned ticks = 0;
    while (!left) {
        /* The descriptor becomes readable when a tick is due, so poll needs no timeout. */
        expect(poll(&at, 1, PATIENCE_MS) == 1, "the descriptor to be readable");
        left = rusm_node_tick(node);
        expect(left >= 0, "a tick, not %d", left);
        ticks++;
    }
    expect(ticks > 100, "ticks, not %u", ticks);
    expect(rusm_node_tick(node) == RUSM_EINVAL, "no tick after the end");
    expect(rusm_node_start(node) == RUSM_EINVAL, "no second start");
    pthread_join(thread, NULL);
    run_stop(&tokyo);
    rusm_node_free(node);
    expect(atomic_load(&logged) >= 2, "lines of the log (ready, leaving)");
    place_remove(&place);
}

/* A driven node that has nothing to do asks for no ticks. */
static void idle(void)
{
    struct place place;
    place_make(&place);
    struct rusm_node *node = make(&place, 1);
    struct pollfd at = { .fd = rusm_node_start(node), .events = POLLIN };
    unsigned ticks = 0;
    while (poll(&at, 1, 300) == 1) {
        expect(rusm_node_tick(node) == 0, "a tick");
        expect(++ticks < 1000, "a node that comes to rest");
    }
    rusm_node_stop(node);
    while (rusm_node_tick(node) == 0) {
        expect(poll(&at, 1, PATIENCE_MS) == 1, "the descriptor to be readable");
    }
    rusm_node_free(node);
    place_remove(&place);
}

/* Options are refused if fields that must be zero are not, as a newer header might set them. */
static void reserved(void)
{
    struct rusm_node_options options = { .name = "london", .reserved = { [5] = &logged } };
    struct rusm_client_options other = { .reserved = { [2] = &logged } };
    struct rusm_node *node;
    struct rusm_client *client;
    struct rusm_why why;
    expect(rusm_node_new(&node, &options, &why) == RUSM_EINVAL, "a refusal");
    expect(strstr(why.text, "zero"), "the cure, not %s", why.text);
    expect(rusm_client_open(&client, &other, "london", &why) == RUSM_EINVAL, "a refusal");
    expect(strcmp(rusm_version(), RUSM_VERSION) == 0, "the version");
}

int main(void)
{
    reserved();
    drive(2); /* before any program is started: see drive */
    drive(1);
    idle();
    return 0;
}
