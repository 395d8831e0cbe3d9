/* leave: a graceful leave loses nothing. What the leaving node has sent waits for a full mailbox.
 * The transport has acknowledged it, and it still reaches the mailbox before the connection is
 * closed. */
#include "embed.h"

#include <stdatomic.h>

#define LEAVE_MS 1500u /* less than how long a node waits when it leaves */
#define MESSAGES 1500u /* more than a mailbox (1,024), less than lane and mailbox take */

static atomic_bool opened;
static atomic_uint taken;
static unsigned sent;

static void valve_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    if (m->kind != RUSM_SEND) {
        return;
    }
    if (!atomic_load(&opened)) {
        rusm_hold(self);
    } else {
        atomic_fetch_add(&taken, 1);
    }
}

/* Sends its messages as they are taken. Answers how many were taken. */
static void pour_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    char text[32];
    (void)state;
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, text, (size_t)snprintf(text, sizeof(text), "%u", sent));
        return;
    }
    while (sent < MESSAGES && rusm_send_to(self, "valve@tokyo", "x", 1, 0) == 0) {
        sent++;
    }
}

static const struct rusm_behaviour valve = { .name = "valve", .receive = valve_receive };
static const struct rusm_behaviour pour = { .name = "pour", .receive = pour_receive };

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

/* Returns whether all messages arrived. A leave that takes longer than the node waits is rightly
 * broken off. On a busy machine that may happen: then *slow is true, and the test tries again. */
static bool leave_once(const struct place *place, bool *slow)
{
    struct running london, tokyo;
    struct rusm_why why;
    char text[64];
    struct rusm_node *a = node_make(place, "london", 0), *b = node_make(place, "tokyo", 0);
    atomic_store(&opened, false);
    atomic_store(&taken, 0);
    sent = 0;
    expect(rusm_node_teach(a, "pour", &pour) == 0, "taught");
    expect(rusm_node_teach(b, "valve", &valve) == 0, "taught");
    struct rusm_boot boot_pour = { .name = "pour", .spawnable = "pour" };
    struct rusm_boot boot_valve = { .name = "valve", .spawnable = "valve" };
    struct rusm_boot boot_echo = { .name = "echo", .spawnable = "echo" };
    expect(rusm_node_boot(a, &boot_pour, &why) == 0, "%s", why.text);
    expect(rusm_node_boot(b, &boot_valve, &why) == 0, "%s", why.text);
    expect(rusm_node_boot(b, &boot_echo, &why) == 0, "%s", why.text);
    run_start(&london, a);
    run_start(&tokyo, b);
    struct rusm_client *to_a = client_to(place, "london"), *to_b = client_to(place, "tokyo");
    await_peer(to_a, "tokyo");

    expect(rusm_client_post(to_a, "pour", false, "go", 2, &why) == 0, "%s", why.text);
    expect(rusm_client_flush(to_a, &why) == 0, "%s", why.text);
    uint64_t until = clock_ms() + PATIENCE_MS;
    do {
        ask(to_a, "pour", text, sizeof(text));
        expect(clock_ms() < until, "%s of %u sent", text, MESSAGES);
    } while (strtoul(text, NULL, 10) < MESSAGES);
    rusm_client_close(to_a);

    uint64_t stopped = clock_ms();
    rusm_node_stop(london.node);
    /* Ten questions to the other node take long enough to leave, if nothing had to wait. */
    for (int i = 0; i < 10; i++) {
        ask(to_b, "echo", text, sizeof(text));
    }
    expect(atomic_load(&taken) == 0, "the valve is shut");
    atomic_store(&opened, true);
    pthread_join(london.thread, NULL);
    *slow = clock_ms() - stopped > LEAVE_MS;
    rusm_node_free(london.node);
    while (atomic_load(&taken) < MESSAGES && !*slow) {
        expect(clock_ms() < until, "%u of %u taken", atomic_load(&taken), MESSAGES);
    }
    expect(atomic_load(&taken) <= MESSAGES, "none twice");
    rusm_client_close(to_b);
    run_stop(&tokyo);
    return atomic_load(&taken) == MESSAGES;
}

int main(void)
{
    struct place place;
    bool all, slow;
    int tries = 0;
    place_make(&place);
    do {
        all = leave_once(&place, &slow);
        expect(all || slow, "%u of %u taken", atomic_load(&taken), MESSAGES);
    } while (!all && ++tries < 20);
    expect(all, "a leave within %u ms in %d tries", LEAVE_MS, tries);
    place_remove(&place);
    return 0;
}
