/* stalled: guarantee 3: a process never takes a message. Its senders, on its own node, on another
 * node and outside, are told that it is busy. A call to another process is answered meanwhile.
 * Memory stays flat however long they try. Nothing that was taken is lost when the process goes
 * on. */
#include "embed.h"

#include <stdatomic.h>

#define SENDERS 8u
#define RSS_LIMIT_KIB (24u * 1024u)

static atomic_bool opened; /* the test opens the valve */
static atomic_bool enough; /* and stops the senders */

/* Takes messages only while `opened`. Otherwise each goes back to the head of the mailbox. */
static void valve_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    char text[32];
    static atomic_uint taken;
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, text, (size_t)snprintf(text, sizeof(text), "%u", taken));
    } else if (m->kind == RUSM_SEND) {
        if (!atomic_load(&opened)) {
            rusm_hold(self);
        } else {
            taken++;
        }
    }
}

struct flood {
    unsigned sent, busy;
};

static int flood_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self, (void)args;
    *state = calloc(1, sizeof(struct flood));
    return *state ? 0 : RUSM_ENOMEM;
}

/* On any message, sends until it is told that the valve is busy. */
static void flood_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct flood *f = state;
    char text[64];
    static const char payload[1000];
    if (m->kind == RUSM_CALL) {
        int len = snprintf(text, sizeof(text), "%u %u", f->sent, f->busy);
        rusm_reply(self, m, text, (size_t)len);
        return;
    }
    int error = RUSM_BUSY;
    while (!atomic_load(&enough) &&
           (error = rusm_send_to(self, "valve@tokyo", payload, sizeof(payload), 0)) == 0) {
        f->sent++;
    }
    if (error == RUSM_BUSY) {
        f->busy++;
    } else if (error) {
        rusm_exit(self, rusm_strerror(error));
    }
}

static void flood_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

static const struct rusm_behaviour valve = { .name = "valve", .receive = valve_receive };
static const struct rusm_behaviour flood = {
    .name = "flood",
    .init = flood_init,
    .receive = flood_receive,
    .stop = flood_stop,
};

static unsigned rss_kib(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    expect(f && fscanf(f, "%lu %lu", &size, &resident) == 2, "/proc/self/statm");
    fclose(f);
    return (unsigned)(resident * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

static void ask(struct rusm_client *client, const char *name, char *text, size_t cap)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(client, name, false, "hi", 2, &reply, &len, &why);
    expect(error == 0, "%s: %s", name, why.text);
    snprintf(text, cap, "%s", (char *)reply);
    free(reply);
}

/* Posts to every sender and checks that each was told RUSM_BUSY. Returns how many messages they
 * have sent. */
static unsigned flood_all(struct rusm_client *client, unsigned times)
{
    unsigned total = 0;
    for (unsigned i = 0; i < SENDERS; i++) {
        char name[16], text[64];
        unsigned sent = 0, busy = 0;
        struct rusm_why why;
        snprintf(name, sizeof(name), "f%u", i);
        for (unsigned n = 0; n < times; n++) {
            expect(rusm_client_post(client, name, false, "go", 2, &why) == 0, "%s", why.text);
        }
        expect(rusm_client_flush(client, &why) == 0, "%s", why.text);
        ask(client, name, text, sizeof(text));
        expect(sscanf(text, "%u %u", &sent, &busy) == 2, "two numbers");
        expect(busy > 0, "%s was told that the valve is busy (sent %u)", name, sent);
        total += sent;
    }
    return total;
}

int main(void)
{
    struct place place;
    struct running london, tokyo;
    struct rusm_why why;
    char text[64];
    place_make(&place);
    struct rusm_node *a = node_make(&place, "london", 0), *b = node_make(&place, "tokyo", 0);
    expect(rusm_node_teach(a, "flood", &flood) == 0, "flood taught");
    expect(rusm_node_teach(b, "flood", &flood) == 0, "flood taught");
    expect(rusm_node_teach(b, "valve", &valve) == 0, "valve taught");
    struct rusm_boot boot_valve = { .name = "valve", .spawnable = "valve" };
    struct rusm_boot boot_echo = { .name = "echo", .spawnable = "echo" };
    expect(rusm_node_boot(b, &boot_valve, &why) == 0, "%s", why.text);
    expect(rusm_node_boot(b, &boot_echo, &why) == 0, "%s", why.text);
    for (unsigned i = 0; i < SENDERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "f%u", i);
        struct rusm_boot boot_flood = { .name = name, .spawnable = "flood" };
        expect(rusm_node_boot(a, &boot_flood, &why) == 0, "%s", why.text);
        expect(rusm_node_boot(b, &boot_flood, &why) == 0, "%s", why.text);
    }
    run_start(&london, a);
    run_start(&tokyo, b);
    struct rusm_client *to_a = client_to(&place, "london"), *to_b = client_to(&place, "tokyo");
    await_peer(to_a, "tokyo");

    /* After this everything is full, on both nodes. */
    unsigned sent = flood_all(to_a, 1) + flood_all(to_b, 1), before = rss_kib();
    for (int round = 0; round < 20; round++) {
        sent = flood_all(to_a, 50) + flood_all(to_b, 50);
        ask(to_b, "echo", text, sizeof(text));
        expect(strcmp(text, "hi") == 0, "a stranger's answer");
    }
    unsigned after = rss_kib();
    printf("%u messages wait; resident memory %u KiB, after 16,000 more tries %u KiB\n", sent,
           before, after);
    expect(after < before + RSS_LIMIT_KIB, "flat memory");

    /* A client from outside is told that the valve is busy too. */
    struct rusm_client_options options = { .rundir = place.rundir,
                                           .identity = place.identity,
                                           .timeout_ms = 300 };
    struct rusm_client *outside;
    int error;
    while ((error = rusm_client_open(&outside, &options, "tokyo", &why)) != 0) {
        expect(options.timeout_ms < PATIENCE_MS, "%s", why.text);
        options.timeout_ms *= 2; /* it was too short for a handshake */
    }
    error = rusm_client_post(outside, "valve", false, "x", 1, &why);
    if (!error) {
        error = rusm_client_flush(outside, &why);
    }
    expect(error == RUSM_ETIMEOUT || error == RUSM_BUSY, "busy or timed out, not %d", error);
    printf("from outside: %s\n", why.text);
    rusm_client_close(outside);

    /* The valve is opened: all that was taken arrives. */
    atomic_store(&opened, true);
    uint64_t until = clock_ms() + PATIENCE_MS;
    unsigned taken = 0;
    while (taken < 200000) { /* the senders go on as they get RUSM_WRITABLE */
        ask(to_b, "valve", text, sizeof(text));
        taken = (unsigned)strtoul(text, NULL, 10);
        expect(clock_ms() < until, "%u taken", taken);
    }
    atomic_store(&enough, true);
    sent = 0;
    for (unsigned i = 0; i < 2 * SENDERS; i++) {
        char name[16];
        unsigned n = 0;
        snprintf(name, sizeof(name), "f%u", i % SENDERS);
        ask(i < SENDERS ? to_a : to_b, name, text, sizeof(text));
        expect(sscanf(text, "%u", &n) == 1, "a number");
        sent += n;
    }
    while (taken < sent) {
        ask(to_b, "valve", text, sizeof(text));
        taken = (unsigned)strtoul(text, NULL, 10);
        expect(clock_ms() < until, "%u sent, %u taken", sent, taken);
    }
    /* The message from outside may have arrived too. */
    expect(taken <= sent + 1, "%u sent, %u taken", sent, taken);
    printf("opened again: %u sent, %u taken\n", sent, taken);
    rusm_client_close(to_a);
    rusm_client_close(to_b);
    run_stop(&london);
    run_stop(&tokyo);
    place_remove(&place);
    return 0;
}
