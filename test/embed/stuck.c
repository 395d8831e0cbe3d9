/* stuck: a process of another node takes nothing, and its mailbox and the lane to it are full.
 * rusm_kill ends it nevertheless: the signal's second copy goes past the lane. A process that traps
 * does not end. Mostly waits. */
#include "embed.h"

struct stuck {
    uint32_t node;
    bool killed, lived;
    int out; /* gets a line when it is over */
};

/* ---- on tokyo: holds its first message for ever ---- */

static int deaf_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)state;
    rusm_trap_exit(self, args->count > 0);
    return 0;
}

static void deaf_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state, (void)m;
    rusm_hold_for(self, 3600 * 1000);
}

static const struct rusm_behaviour deaf = { .name = "deaf",
                                            .init = deaf_init,
                                            .receive = deaf_receive };

/* ---- on london ---- */

/* Sends until nothing more is taken: then mailbox and lane are full. */
static void fill(struct rusm_process *self, rusm_pid to)
{
    static const char text[4096];
    int error;
    while ((error = rusm_send(self, to, text, sizeof(text), 0)) == 0) {}
    expect(error == RUSM_BUSY, "%s", rusm_strerror(error));
}

static void killer_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct stuck *s = rusm_context(self);
    static const char *const trapping[] = { "trap" };
    const struct rusm_args traps = { .count = 1, .value = trapping };
    uint64_t ref;
    (void)state;
    if (m->kind == RUSM_NODE_UP) {
        s->node = m->from.node;
        expect(rusm_spawn_at(self, s->node, "deaf", &traps, &ref) == 0, "a trapping one");
    } else if (m->kind == RUSM_SPAWNED) {
        expect(rusm_monitor(self, m->from, &ref) == 0, "a monitor");
        fill(self, m->from);
        expect(rusm_kill(self, m->from, s->lived ? "enough" : "please") == 0, "a signal");
        if (!s->lived) {
            /* This process traps, so its signal waits in the lane. The next one does not trap and
             * is killed later on the same connection. By then the first would have ended. */
            s->lived = true;
            expect(rusm_spawn_at(self, s->node, "deaf", NULL, &ref) == 0, "one that does not");
        }
    } else if (m->kind == RUSM_DOWN) {
        expect(strcmp((const char *)m->data, "enough") == 0, "%s", (const char *)m->data);
        s->killed = true;
        expect(write(s->out, "killed\n", 7) == 7, "a line");
    }
}

static int killer_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args, (void)state;
    return rusm_monitor_nodes(self, true);
}

int main(void)
{
    struct stuck s = { 0 };
    struct rusm_behaviour killer = {
        .name = "killer", .init = killer_init, .receive = killer_receive, .context = &s
    };
    struct rusm_boot boot = { .name = "killer", .spawnable = "killer" };
    struct running london, tokyo;
    struct place place;
    struct rusm_why why;
    char line[16];
    int lines[2];

    place_make(&place);
    expect(pipe(lines) == 0, "a pipe");
    s.out = lines[1];
    struct rusm_node *a = node_make(&place, "london", 0), *b;
    struct rusm_node_options options = {
        .name = "tokyo", .rundir = place.rundir, .identity = place.identity, .mailbox_messages = 4
    };
    expect(rusm_node_new(&b, &options, &why) == 0, "%s", why.text);
    expect(rusm_node_teach(a, "killer", &killer) == 0, "killer taught");
    expect(rusm_node_teach(b, "deaf", &deaf) == 0, "deaf taught");
    expect(rusm_node_boot(a, &boot, &why) == 0, "%s", why.text);
    run_start(&london, a);
    run_start(&tokyo, b);
    FILE *in = fdopen(lines[0], "r");
    expect(fgets(line, sizeof(line), in) && strcmp(line, "killed\n") == 0, "the stuck one's end");
    run_stop(&london);
    run_stop(&tokyo);
    expect(s.killed && s.lived, "only the one that does not trap");
    fclose(in);
    close(lines[1]);
    place_remove(&place);
    return 0;
}
