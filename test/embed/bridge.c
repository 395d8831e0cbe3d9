/* bridge: two nodes dial each other at the same instant, 200 times. They end up with one
 * connection. Nothing that each sends the other from the first moment on is lost, doubled or out of
 * order. */
#include "embed.h"

#include <stdatomic.h>

#ifdef __SANITIZE_THREAD__ /* takes ten times as long */
#define ROUNDS 40
#else
#define ROUNDS 200
#endif
#define MESSAGES 50u

static const char *const names[] = { "anna", "bert" };

struct side {
    atomic_uint sent, received;
    atomic_bool wrong;
    char to[32];
};

/* Sends what is left to send on each message. Checks what the other side sends. */
static void twin_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct side *s = rusm_context(self);
    unsigned number;
    (void)state;
    if (m->kind == RUSM_SEND && m->len == sizeof(number)) {
        memcpy(&number, m->data, sizeof(number));
        if (number != atomic_load(&s->received)) {
            atomic_store(&s->wrong, true);
        }
        atomic_fetch_add(&s->received, 1);
    }
    while ((number = atomic_load(&s->sent)) < MESSAGES &&
           rusm_send_to(self, s->to, &number, sizeof(number), 0) == 0) {
        atomic_fetch_add(&s->sent, 1);
    }
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, "", 0);
    }
}

struct counted {
    unsigned connected;
};

static int count_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct counted *c = context;
    c->connected += strcmp(field(fields, count, "state"), "connected") == 0;
    return 0;
}

/* Makes a node. Returns NULL if another program has the port by now. */
static struct rusm_node *twin(const struct place *p, const char *name, const char *rundir,
                              const char *listen, const char *join)
{
    struct rusm_node_options options = { .name = name,
                                         .rundir = rundir,
                                         .listen = listen,
                                         .identity = p->identity,
                                         .identity_create = true,
                                         .join = &join,
                                         .join_count = join ? 1 : 0 };
    struct rusm_node *node;
    struct rusm_why why;
    int error = rusm_node_new(&node, &options, &why);
    expect(error == 0 || (listen && error == RUSM_EIO), "node %s: %s", name, why.text);
    return error == 0 ? node : NULL;
}

/* Makes two nodes that will dial each other once they run. */
static void make_pair(const struct place *p, const char *const rundir[2], struct rusm_node *node[2])
{
    char address[2][128], join[2][300];

    for (int tries = 0;; tries++) {
        expect(tries < 100, "two free ports");
        /* Find two free ports: those of two nodes that never run. */
        for (int i = 0; i < 2; i++) {
            node[i] = twin(p, names[i], rundir[i], NULL, NULL);
            snprintf(address[i], sizeof(address[i]), "%s", rusm_node_address(node[i]));
            snprintf(join[1 - i], sizeof(join[1 - i]), "%s@%s", names[i], address[i]);
        }
        for (int i = 0; i < 2; i++) {
            rusm_node_free(node[i]);
        }
        for (int i = 0; i < 2; i++) {
            node[i] = twin(p, names[i], rundir[i], address[i], join[i]);
        }
        if (node[0] && node[1]) {
            return;
        }
        for (int i = 0; i < 2; i++) {
            rusm_node_free(node[i]);
        }
    }
}

static void run_pair(const struct place *p, const char *const rundir[2])
{
    struct side side[2] = { { .to = "twin@bert" }, { .to = "twin@anna" } };
    struct rusm_behaviour behaviour[2];
    struct rusm_client_options options[2];
    struct rusm_client *client[2];
    struct rusm_node *node[2];
    struct running running[2];
    struct rusm_why why;

    make_pair(p, rundir, node);
    for (int i = 0; i < 2; i++) {
        struct rusm_boot boot = { .name = "twin", .spawnable = "twin" };
        behaviour[i] =
            (struct rusm_behaviour){ .name = "twin", .receive = twin_receive, .context = &side[i] };
        expect(rusm_node_teach(node[i], "twin", &behaviour[i]) == 0, "taught");
        expect(rusm_node_boot(node[i], &boot, &why) == 0, "%s", why.text);
    }
    for (int i = 0; i < 2; i++) {
        run_start(&running[i], node[i]);
    }
    for (int i = 0; i < 2; i++) {
        options[i] = (struct rusm_client_options){ .rundir = rundir[i],
                                                   .identity = p->identity,
                                                   .timeout_ms = PATIENCE_MS };
        expect(rusm_client_open(&client[i], &options[i], names[i], &why) == 0, "%s", why.text);
    }
    uint64_t until = clock_ms() + PATIENCE_MS;
    for (bool done = false; !done;) {
        done = true;
        for (int i = 0; i < 2; i++) {
            void *reply;
            size_t len;
            expect(rusm_client_call(client[i], "twin", false, "", 0, &reply, &len, &why) == 0, "%s",
                   why.text);
            free(reply);
            done &= atomic_load(&side[i].received) >= MESSAGES;
        }
        expect(clock_ms() < until, "anna sent %u, bert got %u; bert sent %u, anna got %u",
               atomic_load(&side[0].sent), atomic_load(&side[1].received),
               atomic_load(&side[1].sent), atomic_load(&side[0].received));
    }
    for (int i = 0; i < 2; i++) {
        struct counted c = { 0 };
        expect(rusm_client_list(client[i], RUSM_TABLE_PEERS, count_row, &c, &why) == 0, "%s",
               why.text);
        expect(c.connected == 1, "one connection at %s", names[i]);
        expect(!atomic_load(&side[i].wrong), "order at %s", names[i]);
        expect(atomic_load(&side[i].received) == MESSAGES, "each once at %s", names[i]);
        rusm_client_close(client[i]);
    }
    for (int i = 0; i < 2; i++) {
        rusm_node_stop(running[i].node);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(running[i].thread, NULL);
        rusm_node_free(running[i].node);
    }
}

int main(void)
{
    struct place place;
    char folder[2][96];
    const char *rundir[2] = { folder[0], folder[1] };
    place_make(&place);
    for (int i = 0; i < 2; i++) {
        snprintf(folder[i], sizeof(folder[i]), "%s/run%d", place.dir, i);
    }
    uint64_t begin = clock_ms();
    for (int i = 0; i < ROUNDS; i++) {
        run_pair(&place, rundir);
    }
    printf("%d pairs dialled each other at once, one connection each, in %llu ms\n", ROUNDS,
           (unsigned long long)(clock_ms() - begin));
    for (int i = 0; i < 2; i++) {
        rmdir(folder[i]);
    }
    place_remove(&place);
    return 0;
}
