/* names: guarantee 5: two nodes register the same 1,000 names at the same instant. All three nodes
 * agree on one holder of each name. The loser's process lives on, loses the name and is told
 * once. */
#include "embed.h"

#define NAMES 1000u

struct claimant {
    unsigned claimed, refused, lost;
};

static int claim_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self, (void)args;
    *state = calloc(1, sizeof(struct claimant));
    return *state ? 0 : RUSM_ENOMEM;
}

static void claim_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct claimant *c = state;
    char text[64];
    if (m->kind == RUSM_NAME_LOST) {
        c->lost++;
    } else if (m->kind == RUSM_CALL) {
        int len = snprintf(text, sizeof(text), "%u %u %u", c->claimed, c->refused, c->lost);
        rusm_reply(self, m, text, (size_t)len);
    } else if (m->kind == RUSM_SEND) {
        for (unsigned i = 0; i < NAMES; i++) {
            snprintf(text, sizeof(text), "name-%u", i);
            int error = rusm_register_global(self, rusm_self(self), text);
            c->claimed += error == 0;
            c->refused += error == RUSM_EEXIST;
        }
    }
}

static void claim_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

static const struct rusm_behaviour claimant = {
    .name = "claimant",
    .init = claim_init,
    .receive = claim_receive,
    .stop = claim_stop,
};

static struct claimant ask(struct rusm_client *client)
{
    struct claimant c = { 0 };
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(client, "claimant", false, "", 0, &reply, &len, &why);
    expect(error == 0, "%s", why.text);
    expect(sscanf(reply, "%u %u %u", &c.claimed, &c.refused, &c.lost) == 3, "three numbers");
    free(reply);
    return c;
}

int main(void)
{
    static const char *const names[] = { "london", "tokyo", "oslo" };
    struct running running[3];
    struct rusm_client *client[3];
    struct place place;
    struct rusm_why why;
    place_make(&place);
    for (int i = 0; i < 3; i++) {
        struct rusm_node *node = node_make(&place, names[i], 0);
        struct rusm_boot boot = { .name = "claimant", .spawnable = "claimant" };
        expect(rusm_node_teach(node, "claimant", &claimant) == 0, "taught");
        expect(rusm_node_boot(node, &boot, &why) == 0, "%s", why.text);
        run_start(&running[i], node);
    }
    for (int i = 0; i < 3; i++) {
        client[i] = client_to(&place, names[i]);
    }
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            if (i != k) {
                await_peer(client[i], names[k]);
            }
        }
    }

    for (int i = 0; i < 2; i++) {
        expect(rusm_client_post(client[i], "claimant", false, "go", 2, &why) == 0, "%s", why.text);
    }
    for (int i = 0; i < 2; i++) {
        expect(rusm_client_flush(client[i], &why) == 0, "%s", why.text);
    }

    uint64_t until = clock_ms() + PATIENCE_MS;
    struct claimant a, b;
    do {
        a = ask(client[0]);
        b = ask(client[1]);
        expect(clock_ms() < until, "london %u %u %u, tokyo %u %u %u (claimed refused lost)",
               a.claimed, a.refused, a.lost, b.claimed, b.refused, b.lost);
    } while (a.claimed + b.claimed - a.lost - b.lost != NAMES || a.claimed + a.refused != NAMES ||
             b.claimed + b.refused != NAMES);

    unsigned held[3] = { 0 };
    for (unsigned i = 0; i < NAMES; i++) {
        char name[32], pid[3][RUSM_PID_TEXT_MAX];
        snprintf(name, sizeof(name), "name-%u", i);
        do {
            expect(clock_ms() < until, "%s: one holder, not %s, %s and %s", name, pid[0], pid[1],
                   pid[2]);
            for (int k = 0; k < 3; k++) {
                if (rusm_client_whereis(client[k], name, pid[k], &why) != 0) {
                    pid[k][0] = '\0';
                }
            }
        } while (!pid[0][0] || strcmp(pid[0], pid[1]) != 0 || strcmp(pid[0], pid[2]) != 0);
        for (int k = 0; k < 3; k++) {
            held[k] += strstr(pid[0], names[k]) != NULL;
        }
    }
    printf("%u names claimed by london, %u by tokyo; held by london %u, tokyo %u; losers told %u\n",
           a.claimed, b.claimed, held[0], held[1], a.lost + b.lost);
    expect(held[0] == a.claimed - a.lost && held[1] == b.claimed - b.lost, "who was told lost");
    for (int i = 0; i < 3; i++) {
        rusm_client_close(client[i]);
    }
    for (int i = 0; i < 3; i++) {
        run_stop(&running[i]);
    }
    place_remove(&place);
    return 0;
}
