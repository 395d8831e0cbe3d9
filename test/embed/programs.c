/* programs: many programs (PROGRAMS, 200) are spawned and killed. They leave no descriptor and no
 * zombie, on either scheduler. The embedder's own child is left to the embedder. Writing to a
 * program that reads no more does not raise SIGPIPE. */
#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "embed.h"

#define AT_ONCE 8

struct driver {
    unsigned todo, under_way;
    int out; /* gets a byte when all is done */
};

static void driver_more(struct rusm_process *self, struct driver *d)
{
    uint64_t ref;

    while (d->todo > 0 && d->under_way < AT_ONCE) {
        expect(rusm_spawn_at(self, 0, "cat", NULL, &ref) == 0, "a spawn");
        d->todo--;
        d->under_way++;
    }
    if (d->under_way == 0) {
        expect(write(d->out, "x", 1) == 1, "to tell");
    }
}

static int driver_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct driver *d = rusm_context(self);

    (void)args;
    *state = d;
    return 0;
}

/* On a number, spawns that many programs. Sends each a message and kills it as soon as it is
 * there. */
static void driver_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct driver *d = state;
    uint64_t ref;

    if (m->kind == RUSM_SEND && m->from.node != 0) {
        d->todo = (unsigned)atoi((const char *)m->data);
        driver_more(self, d);
    } else if (m->kind == RUSM_SPAWNED) {
        expect(rusm_monitor(self, m->from, &ref) == 0, "a monitor");
        expect(rusm_send(self, m->from, "hello", 5, 0) == 0, "a message");
        expect(rusm_kill(self, m->from, "enough") == 0, "a signal");
    } else if (m->kind == RUSM_DOWN) {
        expect(strcmp((const char *)m->data, "enough") == 0, "%s", (const char *)m->data);
        d->under_way--;
        driver_more(self, d);
    } else if (m->kind == RUSM_FAILED) { /* the killed ones have not all ended yet */
        expect(m->error == RUSM_EINIT, "a program: %s", (const char *)m->data);
        expect(rusm_timer(self, 10, &ref) == 0, "a timer");
    } else if (m->kind == RUSM_TIMER) {
        d->todo++;
        d->under_way--;
        driver_more(self, d);
    }
}

static unsigned descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    expect(dir, "%s", strerror(errno));
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static void run(struct rusm_client *client, int in, unsigned count)
{
    char text[16];
    struct rusm_why why;

    snprintf(text, sizeof(text), "%u", count);
    expect(rusm_client_post(client, "driver", false, text, strlen(text), &why) == 0 &&
               rusm_client_flush(client, &why) == 0,
           "%s", why.text);
    expect(read(in, text, 1) == 1, "all of them");
}

struct told {
    uint64_t started, ended, refused;
};

static int told_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct told *t = context;
    const char *counter = field(fields, count, "counter");
    uint64_t *to = strcmp(counter, "programs_started") == 0   ? &t->started
                   : strcmp(counter, "programs_ended") == 0   ? &t->ended
                   : strcmp(counter, "programs_refused") == 0 ? &t->refused
                                                              : NULL;

    if (to) {
        *to = fields[1].number;
    }
    return 0;
}

static struct told ask(struct rusm_client *client)
{
    struct told t = { 0 };
    struct rusm_why why;
    int error = rusm_client_list(client, RUSM_TABLE_COUNTERS, told_row, &t, &why);

    expect(error == 0, "%s", why.text);
    return t;
}

/* Waits until only one program is left: programs end a little later than their processes. */
static void await_ends(struct rusm_client *client)
{
    uint64_t until = clock_ms() + PATIENCE_MS;
    struct told t = ask(client);

    while (t.started - t.ended != 1) {
        expect(clock_ms() < until, "one program, not %llu of %llu",
               (unsigned long long)(t.started - t.ended), (unsigned long long)t.started);
        t = ask(client);
    }
}

/* Checks that the embedder's own child is still a zombie with its status, and that there is no
 * other. */
static void own_child(pid_t child)
{
    siginfo_t info = { 0 };

    expect(waitid(P_PID, (id_t)child, &info, WEXITED) == 0, "%s", strerror(errno));
    expect(info.si_status == 7, "status %d", info.si_status);
    memset(&info, 0, sizeof(info));
    expect(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0,
           "no zombie, but %d", (int)info.si_pid);
}

/* Posts to a program that has closed its standard input, until refused messages are counted. */
static void deaf(struct rusm_client *client)
{
    uint64_t until = clock_ms() + PATIENCE_MS;
    struct rusm_why why;

    while (ask(client).refused == 0) {
        int error = rusm_client_post(client, "deaf", false, "x", 1, &why);
        error = error ? error : rusm_client_flush(client, &why);
        expect(error == 0, "%s", why.text);
        expect(clock_ms() < until, "messages to be refused");
    }
}

static struct rusm_node *node_of_two(const struct place *p)
{
    struct rusm_node_options options = { .name = "london",
                                         .rundir = p->rundir,
                                         .identity = p->identity,
                                         .identity_create = true,
                                         .schedulers = 2,
                                         .log_level = RUSM_LOG_ERROR };
    struct rusm_node *node;
    struct rusm_why why;
    int error = rusm_node_new(&node, &options, &why);

    expect(error == 0, "%s", why.text);
    return node;
}

int main(void)
{
    unsigned count = getenv("PROGRAMS") ? (unsigned)atoi(getenv("PROGRAMS")) : 200;
    struct driver driver = { 0 };
    const struct rusm_behaviour behaviour = {
        .name = "driver", .init = driver_init, .receive = driver_receive, .context = &driver
    };
    const struct rusm_boot boots[] = { { .name = "driver", .spawnable = "driver" },
                                       { .name = "deaf",
                                         .spawnable = "exec:exec 0<&-; sleep 1000" } };
    struct running london;
    struct place place;
    struct rusm_why why;
    int ends[2], error;
    pid_t child = fork();

    if (child == 0) {
        _exit(7);
    }
    expect(child > 0 && pipe(ends) == 0, "%s", strerror(errno));
    place_make(&place);
    driver.out = ends[1];
    struct rusm_node *node = node_of_two(&place);
    expect(rusm_node_teach(node, "driver", &behaviour) == 0, "driver");
    error = rusm_node_teach_spec(node, "cat", "exec:cat", &why);
    for (size_t i = 0; i < sizeof(boots) / sizeof(*boots) && error == 0; i++) {
        error = rusm_node_boot(node, &boots[i], &why);
    }
    expect(error == 0, "%s", why.text);
    run_start(&london, node);
    struct rusm_client *client = client_to(&place, "london");

    deaf(client);
    run(client, ends[0], AT_ONCE); /* after this each scheduler has its guard */
    await_ends(client);
    unsigned before = descriptors();
    uint64_t began = clock_ms();
    run(client, ends[0], count);
    uint64_t took = clock_ms() - began;
    await_ends(client);
    expect(descriptors() == before, "%u descriptors, not %u", before, descriptors());
    own_child(child);
    printf("%u programs spawned and killed in %llu ms: %llu us each\n", count,
           (unsigned long long)took, (unsigned long long)took * 1000 / count);

    rusm_client_close(client);
    run_stop(&london);
    error = waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOHANG | WNOWAIT);
    expect(error != 0 && errno == ECHILD, "no child");
    place_remove(&place);
    return 0;
}
