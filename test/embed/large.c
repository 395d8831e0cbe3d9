/* large: records that need a grant (longer than half a lane's window). Several senders to one
 * mailbox, a receiver that is killed with one in its mailbox and comes back under its name, a
 * connection that ends in the middle. After all that, the next large message still arrives. */
#include "embed.h"

#include <stdatomic.h>

#define SENDERS 4u
#ifdef __SANITIZE_THREAD__ /* takes ten times as long */
#define ROUNDS 8u
#else
#define ROUNDS 30u
#endif

static atomic_bool closed; /* receivers hold what they get */

static void take_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, m->data, m->len);
    } else if (atomic_load(&closed)) {
        rusm_hold(self);
    }
}

/* On a message, or when it is writable again, sends large messages of many sizes until it is told
 * to wait. */
static void flood_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    static const char payload[300000];
    static const size_t sizes[] = { 8000, 8200, 9000, 16000, 16500, 40000, 300000 };
    static atomic_uint tick;
    (void)state;
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, "", 0);
        return;
    }
    for (int i = 0; i < 100; i++) {
        size_t len = sizes[atomic_fetch_add(&tick, 1) % (sizeof(sizes) / sizeof(*sizes))];
        if (rusm_send_to(self, "take@tokyo", payload, len, 0) == RUSM_BUSY) {
            return;
        }
    }
}

static const struct rusm_behaviour take = { .name = "take", .receive = take_receive };
static const struct rusm_behaviour flood = { .name = "flood", .receive = flood_receive };

static void call_large(struct rusm_client *client)
{
    struct rusm_why why;
    void *reply;
    size_t len, want = 200000;
    char *data = calloc(1, want);
    int error = rusm_client_call(client, "take", false, data, want, &reply, &len, &why);
    expect(error == 0, "%s", why.text);
    expect(len == want, "%zu bytes back", len);
    free(reply);
    free(data);
}

/* Posts as many large messages as it may in a short time, and closes. */
static void break_off(const struct place *place)
{
    static const char payload[300000];
    struct rusm_client_options options = { .rundir = place->rundir,
                                           .identity = place->identity,
                                           .timeout_ms = 50 };
    struct rusm_client *client;
    struct rusm_why why;
    int error;
    /* The timeout is for the posts. On a busy machine it may be too short for a handshake. */
    while ((error = rusm_client_open(&client, &options, "tokyo", &why)) != 0) {
        expect(options.timeout_ms < PATIENCE_MS, "%s", why.text);
        options.timeout_ms *= 2;
    }
    for (int i = 0; i < 5 && error == 0; i++) {
        error = rusm_client_post(client, "take", false, payload, sizeof(payload), &why);
    }
    rusm_client_close(client);
}

int main(void)
{
    struct place place;
    struct running london, tokyo;
    struct rusm_why why;
    char pid[RUSM_PID_TEXT_MAX], name[16];
    place_make(&place);
    struct rusm_node *a = node_make(&place, "london", 0), *b = node_make(&place, "tokyo", 0);
    expect(rusm_node_teach(a, "flood", &flood) == 0, "flood taught");
    expect(rusm_node_teach(b, "take", &take) == 0, "take taught");
    run_start(&london, a);
    run_start(&tokyo, b);
    struct rusm_client *to_a = client_to(&place, "london"), *to_b = client_to(&place, "tokyo");

    /* At this point no process of tokyo has a name, and none has ended. */
    expect(rusm_client_spawn(to_b, "take", NULL, NULL, false, pid, &why) == 0, "%s", why.text);
    expect(rusm_client_post(to_b, pid, false, "x", 1, &why) == 0, "%s", why.text);
    expect(rusm_client_flush(to_b, &why) == 0, "to %s: %s", pid, why.text);

    expect(rusm_client_spawn(to_b, "take", NULL, "take", false, pid, &why) == 0, "%s", why.text);
    for (unsigned i = 0; i < SENDERS; i++) {
        snprintf(name, sizeof(name), "flood%u", i);
        expect(rusm_client_spawn(to_a, "flood", NULL, name, false, pid, &why) == 0, "%s", why.text);
    }
    await_peer(to_a, "tokyo");
    await_peer(to_b, "london");

    for (unsigned round = 0; round < ROUNDS; round++) {
        atomic_store(&closed, round % 2);
        for (unsigned i = 0; i < SENDERS; i++) {
            snprintf(name, sizeof(name), "flood%u", i);
            expect(rusm_client_post(to_a, name, false, "go", 2, &why) == 0, "%s", why.text);
        }
        expect(rusm_client_flush(to_a, &why) == 0, "%s", why.text);
        break_off(&place);
        expect(rusm_client_kill(to_b, "take", false, "again", &why) == 0, "%s", why.text);
        atomic_store(&closed, false);
        expect(rusm_client_spawn(to_b, "take", NULL, "take", false, pid, &why) == 0, "%s",
               why.text);
    }
    call_large(to_b);
    printf("%u times, and the next large message arrived\n", ROUNDS);
    rusm_client_close(to_a);
    rusm_client_close(to_b);
    run_stop(&london);
    run_stop(&tokyo);
    place_remove(&place);
    return 0;
}
