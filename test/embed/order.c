/* order: guarantee 1, between two nodes: 100,000 numbered messages from one process to another
 * arrive in order, none missing, none twice, while 32 other pairs are at work. */
#include "embed.h"

#define MESSAGES 100000u
#define PAIRS 32u

struct counted {
    uint32_t next;
    bool told;
};

static int zero_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self, (void)args;
    *state = calloc(1, sizeof(struct counted));
    return *state ? 0 : RUSM_ENOMEM;
}

static void free_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

/* Expects 0, 1, 2 … On a call it says how many came. A wrong number ends it. */
static void check_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct counted *c = state;
    char text[64];
    if (m->kind == RUSM_SEND) {
        uint32_t number;
        memcpy(&number, m->data, sizeof(number));
        if (m->len != sizeof(number) || number != c->next) {
            rusm_print(self, "expected %u, got %u", c->next, number);
            rusm_exit(self, "out of order");
        }
        c->next++;
    } else if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, text, (size_t)snprintf(text, sizeof(text), "%u", c->next));
    }
}

/* Sends 0, 1, 2 … to the name in its message, as fast as the target takes them. */
struct sending {
    uint32_t next, end;
    char to[RUSM_ADDRESS_MAX];
};

static int send_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct sending *s = calloc(1, sizeof(*s));
    (void)self;
    if (!s || args->count != 2) {
        return RUSM_EINVAL;
    }
    snprintf(s->to, sizeof(s->to), "%s", args->value[0]);
    s->end = (uint32_t)strtoul(args->value[1], NULL, 10);
    *state = s;
    return 0;
}

static void send_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct sending *s = state;
    char text[64];
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, text, (size_t)snprintf(text, sizeof(text), "%u", s->next));
        return;
    }
    while (s->next < s->end) {
        int error = rusm_send_to(self, s->to, &s->next, sizeof(s->next), 0);
        if (error == RUSM_BUSY) {
            return; /* RUSM_WRITABLE will come */
        }
        if (error) {
            rusm_print(self, "send: %s", rusm_strerror(error));
            rusm_exit(self, "cannot send");
            return;
        }
        s->next++;
    }
}

static const struct rusm_behaviour check = {
    .name = "check",
    .init = zero_init,
    .receive = check_receive,
    .stop = free_stop,
};
static const struct rusm_behaviour sender = {
    .name = "sender",
    .init = send_init,
    .receive = send_receive,
    .stop = free_stop,
};

static unsigned ask(struct rusm_client *client, const char *name)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(client, name, false, "", 0, &reply, &len, &why);
    expect(error == 0, "%s", why.text);
    unsigned n = (unsigned)strtoul(reply, NULL, 10);
    free(reply);
    return n;
}

int main(void)
{
    struct place place;
    struct running london, tokyo;
    struct rusm_why why;
    place_make(&place);
    struct rusm_node *a = node_make(&place, "london", 0), *b = node_make(&place, "tokyo", 0);
    expect(rusm_node_teach(a, "sender", &sender) == 0, "sender taught");
    expect(rusm_node_teach(b, "check", &check) == 0, "check taught");

    for (unsigned i = 0; i <= PAIRS; i++) {
        char name[16], to[32], end[16];
        const char *values[] = { to, end };
        snprintf(name, sizeof(name), "p%u", i);
        snprintf(to, sizeof(to), "p%u@tokyo", i);
        snprintf(end, sizeof(end), "%u", i == 0 ? MESSAGES : MESSAGES / 10);
        struct rusm_boot receiver = { .name = name, .spawnable = "check" };
        struct rusm_boot source = {
            .name = name, .spawnable = "sender", .args = values, .arg_count = 2
        };
        expect(rusm_node_boot(b, &receiver, &why) == 0, "%s", why.text);
        expect(rusm_node_boot(a, &source, &why) == 0, "%s", why.text);
    }
    run_start(&london, a);
    run_start(&tokyo, b);
    struct rusm_client *to_a = client_to(&place, "london"), *to_b = client_to(&place, "tokyo");
    await_peer(to_a, "tokyo");
    await_peer(to_b, "london");

    uint64_t start = clock_ms();
    for (unsigned i = 0; i <= PAIRS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "p%u", i);
        expect(rusm_client_post(to_a, name, false, "go", 2, &why) == 0, "%s", why.text);
    }
    expect(rusm_client_flush(to_a, &why) == 0, "%s", why.text);
    for (unsigned i = 0; i <= PAIRS; i++) {
        char name[16];
        unsigned want = i == 0 ? MESSAGES : MESSAGES / 10, got = 0;
        snprintf(name, sizeof(name), "p%u", i);
        while ((got = ask(to_b, name)) < want) {
            expect(clock_ms() < start + PATIENCE_MS, "%s got %u of %u (sent %u)", name, got, want,
                   ask(to_a, name));
        }
        expect(got == want, "%s got %u of %u", name, got, want);
    }
    printf("%u messages of one pair and %u of %u others, all in order, in %llu ms\n", MESSAGES,
           PAIRS * (MESSAGES / 10), PAIRS, (unsigned long long)(clock_ms() - start));
    rusm_client_close(to_a);
    rusm_client_close(to_b);
    run_stop(&london);
    run_stop(&tokyo);
    place_remove(&place);
    return 0;
}
