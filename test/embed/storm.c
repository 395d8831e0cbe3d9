/* storm: as many links and as many monitors as wanted (argument; 10,000) between processes of two
 * nodes. One node is another OS process and is killed. Each link and monitor gives exactly one
 * "noconnection", and NODE_DOWN comes after all of them. Prints how long it took. */
#include <signal.h>
#include <sys/wait.h>

#include "embed.h"

struct storm {
    size_t want, spawned, linked_told, down_told, forward;
    uint8_t *told; /* by the far serial; bit 1: its link has ended, bit 2: its monitor */
    size_t told_len;
    uint32_t node;
    bool over;
    int out; /* gets a line when all is linked, and one when all ended */
};

static void storm_ask(struct rusm_process *self, struct storm *s)
{
    uint64_t ref;
    if (s->spawned >= s->want) {
        return;
    }
    int error = rusm_spawn_at(self, s->node, "echo", NULL, &ref);
    expect(error == 0 || error == RUSM_ENOCONN || error == RUSM_ELIMIT, "%s", rusm_strerror(error));
}

static void storm_spawned(struct rusm_process *self, struct storm *s, rusm_pid pid)
{
    uint64_t ref;
    expect(rusm_link(self, pid) == 0, "a link");
    expect(rusm_monitor(self, pid, &ref) == 0, "a monitor");
    expect(pid.serial < s->told_len, "a serial that fits");
    if (++s->spawned == s->want) {
        expect(rusm_request(self, pid, "", 0, RUSM_FOREVER, &ref) == 0, "the last is asked");
    } else {
        storm_ask(self, s);
    }
}

static void storm_told(struct storm *s, const struct rusm_message *m, uint8_t bit)
{
    bool first = m->from.serial < s->told_len && !(s->told[m->from.serial] & bit);
    if (!first || strcmp((const char *)m->data, "noconnection") != 0 || s->over) {
        s->forward++;
        return;
    }
    s->told[m->from.serial] |= bit;
    *(bit == 1 ? &s->linked_told : &s->down_told) += 1;
}

static void storm_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct storm *s = rusm_context(self);
    (void)state;
    switch (m->kind) {
    case RUSM_NODE_UP:
        s->node = m->from.node;
        for (int i = 0; i < 64; i++) {
            storm_ask(self, s);
        }
        break;
    case RUSM_SPAWNED:
        if (s->spawned < s->want) {
            storm_spawned(self, s, m->from);
        }
        break;
    case RUSM_REPLY: expect(write(s->out, "all linked\n", 11) == 11, "a line"); break;
    case RUSM_FAILED: expect(m->error == RUSM_ENOCONN, "%s", (const char *)m->data); break;
    case RUSM_EXIT:
        if (m->from.node == 0) { /* its supervisor: the node leaves */
            rusm_exit(self, (const char *)m->data);
        } else {
            storm_told(s, m, 1);
        }
        break;
    case RUSM_DOWN: storm_told(s, m, 2); break;
    case RUSM_NODE_DOWN:
        s->over = true;
        expect(write(s->out, "node down\n", 10) == 10, "a line");
        break;
    default: break;
    }
}

static int storm_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args, (void)state;
    rusm_trap_exit(self, true);
    return rusm_monitor_nodes(self, true);
}

static void await_line(FILE *in, const char *line)
{
    char text[80];
    expect(fgets(text, sizeof(text), in) && strcmp(text, line) == 0, "%s", line);
}

int main(int argc, char **argv)
{
    struct place place;
    struct storm s = { .want = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000 };
    struct rusm_behaviour storm = {
        .name = "storm", .init = storm_init, .receive = storm_receive, .context = &s
    };
    struct rusm_boot boot = { .name = "storm", .spawnable = "storm" };
    struct running london;
    struct rusm_why why;
    int lines[2];

    place_make(&place);
    expect(pipe(lines) == 0, "a pipe");
    s.out = lines[1];
    s.told_len = s.want + 100;
    s.told = calloc(s.told_len, 1);
    expect(s.told, "memory");
    /* The identity first, so that both nodes find it. */
    struct rusm_identity_info info;
    expect(rusm_identity_new(place.identity, &info, &why) == 0, "%s", why.text);
    pid_t child = fork();
    if (child == 0) {
        struct rusm_node *tokyo = node_make(&place, "tokyo", 0);
        expect(rusm_node_teach_spec(tokyo, "echo", "echo", &why) == 0, "%s", why.text);
        rusm_node_run(tokyo);
        _exit(0);
    }
    struct rusm_node *node = node_make(&place, "london", 0);
    expect(rusm_node_teach(node, "storm", &storm) == 0, "storm taught");
    expect(rusm_node_boot(node, &boot, &why) == 0, "%s", why.text);
    uint64_t start = clock_ms();
    run_start(&london, node);
    FILE *in = fdopen(lines[0], "r");
    await_line(in, "all linked\n");
    uint64_t linked = clock_ms();
    kill(child, SIGKILL);
    expect(waitpid(child, NULL, 0) == child, "the peer's end");
    await_line(in, "node down\n");
    uint64_t told = clock_ms();
    run_stop(&london);
    printf("%zu processes spawned, linked and monitored in %llu ms; told in %llu ms\n", s.want,
           (unsigned long long)(linked - start), (unsigned long long)(told - linked));
    expect(s.linked_told == s.want, "%zu of %zu links told", s.linked_told, s.want);
    expect(s.down_told == s.want, "%zu of %zu monitors told", s.down_told, s.want);
    expect(s.forward == 0, "%zu told twice, after the node's end or with another reason",
           s.forward);
    fclose(in);
    close(lines[1]);
    free(s.told);
    char stale[160];
    snprintf(stale, sizeof(stale), "%s/tokyo.json", place.rundir);
    unlink(stale);
    snprintf(stale, sizeof(stale), "%s/tokyo.lock", place.rundir);
    unlink(stale);
    place_remove(&place);
    return 0;
}
