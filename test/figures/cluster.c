/* cluster: figures of the cluster, as medians, without a verdict: how long it takes to start, to
 * join, to notice a death, to spread a name. Every node is a process of the system. Clients watch
 * the nodes by asking again and again, so each figure includes up to one round trip. `make
 * figures`. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../embed/embed.h"

#define ROUNDS 11
#define NAMES 10000u

static struct place place;
static pid_t started[64];
static unsigned started_count;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void report(const char *what, double *ms, unsigned count)
{
    qsort(ms, count, sizeof(*ms), by_value);
    printf("%-62s %8.2f ms (%.2f to %.2f, %u times)\n", what, ms[count / 2], ms[0], ms[count - 1],
           count);
    fflush(stdout);
}

/* ---- nodes ---- */

/* Registers as many names as its message says: PREFIX-0, PREFIX-1 … */
static void registrar_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    char prefix[32], name[64];
    unsigned count;
    (void)state;
    if (m->kind != RUSM_CALL || sscanf((const char *)m->data, "%31s %u", prefix, &count) != 2) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s-%u", prefix, i);
        if (rusm_register_global(self, rusm_self(self), name) != 0) {
            rusm_exit(self, "register");
        }
    }
    rusm_reply(self, m, "ok", 2);
}

static const struct rusm_behaviour registrar = { .name = "registrar",
                                                 .receive = registrar_receive };

/* Starts a node with the process "registrar" and the global name g-NAME. Returns when it is
 * ready. */
static pid_t start(const char *name)
{
    char global[80];
    int pipes[2];
    expect(pipe(pipes) == 0, "a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        struct rusm_boot local = { .name = "registrar", .spawnable = "registrar" };
        struct rusm_boot greeter = { .name = global, .spawnable = "greeter", .global = true };
        struct rusm_why why;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct rusm_node *node = node_make(&place, name, 0);
        snprintf(global, sizeof(global), "g-%s", name);
        expect(rusm_node_teach(node, "registrar", &registrar) == 0, "taught");
        expect(rusm_node_boot(node, &local, &why) == 0, "%s", why.text);
        expect(rusm_node_boot(node, &greeter, &why) == 0, "%s", why.text);
        if (write(pipes[1], "", 1) == 1) {
            rusm_node_run(node);
        }
        _exit(0);
    }
    char byte;
    close(pipes[1]);
    expect(read(pipes[0], &byte, 1) == 1, "%s ready", name);
    close(pipes[0]);
    started[started_count++] = pid;
    return pid;
}

static void end_all(void)
{
    for (unsigned i = 0; i < started_count; i++) {
        kill(started[i], SIGKILL);
    }
    for (unsigned i = 0; i < started_count; i++) {
        waitpid(started[i], NULL, 0);
    }
    started_count = 0;
    char command[200];
    snprintf(command, sizeof(command), "rm -rf %s/*", place.rundir);
    expect(system(command) == 0, "an empty run folder");
}

static void start_many(unsigned count)
{
    char name[16];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        start(name);
    }
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        struct rusm_client *c = client_to(&place, name);
        for (unsigned k = 0; k < count; k++) {
            char other[16];
            snprintf(other, sizeof(other), "n%u", k);
            if (k != i) {
                await_peer(c, other);
            }
        }
        rusm_client_close(c);
    }
}

static void await_name(struct rusm_client *client, const char *name, bool there)
{
    char pid[RUSM_PID_TEXT_MAX];
    struct rusm_why why;
    double until = now_ms() + 20000;
    while ((rusm_client_whereis(client, name, pid, &why) == 0) != there) {
        expect(now_ms() < until, "%s %s", name, there ? "there" : "gone");
    }
}

static unsigned rss_kib(pid_t pid)
{
    unsigned long size = 0, resident = 0;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    expect(f && fscanf(f, "%lu %lu", &size, &resident) == 2, "%s", path);
    fclose(f);
    return (unsigned)(resident * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- figures ---- */

/* Measures the real binary, from exec to its ready line. */
static void figure_start(const char *binary)
{
    double ms[ROUNDS];
    for (unsigned i = 0; i < ROUNDS; i++) {
        char line[256], command[600];
        double begin = now_ms();
        snprintf(command, sizeof(command),
                 "exec env RUSM_RUNDIR=%s RUSM_IDENTITY=%s %s node --name start", place.rundir,
                 place.identity, binary);
        FILE *f = popen(command, "r");
        expect(f && fgets(line, sizeof(line), f) && strstr(line, "ready at"), "a ready line");
        ms[i] = now_ms() - begin;
        struct rusm_client *c = client_to(&place, "start");
        struct rusm_why why;
        expect(rusm_client_stop(c, &why) == 0, "%s", why.text);
        rusm_client_close(c);
        pclose(f);
    }
    report("start of the binary until its ready line", ms, ROUNDS);
}

static void figure_join(void)
{
    double ms[ROUNDS], open_ms[ROUNDS];
    start_many(4);
    for (unsigned i = 0; i < ROUNDS; i++) {
        double begin = now_ms();
        pid_t pid = start("joiner");
        struct rusm_client *c = client_to(&place, "joiner");
        open_ms[i] = now_ms() - begin;
        for (unsigned k = 0; k < 4; k++) {
            char name[16];
            snprintf(name, sizeof(name), "g-n%u", k);
            await_name(c, name, true);
        }
        ms[i] = now_ms() - begin;
        struct rusm_why why;
        expect(rusm_client_stop(c, &why) == 0, "%s", why.text);
        rusm_client_close(c);
        waitpid(pid, NULL, 0);
        started_count--;
    }
    report("a fresh node: its process started and a client connected", open_ms, ROUNDS);
    report("  … and every global name of a cluster of 4 reached from it", ms, ROUNDS);
    end_all();
}

static void figure_death(void)
{
    double ms[ROUNDS];
    start_many(4);
    for (unsigned i = 0; i < ROUNDS; i++) {
        pid_t pid = start("victim");
        struct rusm_client *c = client_to(&place, "n2");
        await_name(c, "g-victim", true);
        double begin = now_ms();
        kill(pid, SIGKILL);
        await_name(c, "g-victim", false);
        ms[i] = now_ms() - begin;
        waitpid(pid, NULL, 0);
        started_count--;
        rusm_client_close(c);
    }
    report("kill -9 of a node until a peer has pruned its names", ms, ROUNDS);
    end_all();
}

static void call(struct rusm_client *c, const char *text)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    expect(rusm_client_call(c, "registrar", false, text, strlen(text) + 1, &reply, &len, &why) == 0,
           "%s", why.text);
    free(reply);
}

static void figure_names(void)
{
    double one[ROUNDS], many[ROUNDS];
    struct rusm_client *c[5];
    start_many(5);
    for (unsigned i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        c[i] = client_to(&place, name);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[64], name[64];
        snprintf(text, sizeof(text), "single%u 1", i);
        snprintf(name, sizeof(name), "single%u-0", i);
        double begin = now_ms();
        call(c[0], text);
        for (unsigned k = 0; k < 5; k++) {
            await_name(c[k], name, true);
        }
        one[i] = now_ms() - begin;
    }
    report("one registration until all of 5 nodes see it (five questions)", one, ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[64], name[64];
        snprintf(text, sizeof(text), "many%u %u", i, NAMES);
        snprintf(name, sizeof(name), "many%u-%u", i, NAMES - 1);
        double begin = now_ms();
        call(c[0], text);
        for (unsigned k = 0; k < 5; k++) {
            await_name(c[k], name, true);
        }
        many[i] = now_ms() - begin;
    }
    report("10,000 registrations until all of 5 nodes see the last", many, ROUNDS);
    printf("%-62s %8.0f names/s\n", "  … that is", NAMES * 1e3 / many[ROUNDS / 2]);
    for (unsigned i = 0; i < 5; i++) {
        rusm_client_close(c[i]);
    }
    end_all();
}

static void figure_big(void)
{
    double ms[ROUNDS];
    char text[64];
    start_many(12);
    unsigned before = rss_kib(started[5]);
    struct rusm_client *c = client_to(&place, "n0");
    snprintf(text, sizeof(text), "big %u", NAMES);
    call(c, text);
    rusm_client_close(c);
    c = client_to(&place, "n5");
    snprintf(text, sizeof(text), "big-%u", NAMES - 1);
    await_name(c, text, true);
    rusm_client_close(c);
    printf("%-62s %8u KiB (from %u)\n", "memory of one of 12 nodes with 10,000 global names",
           rss_kib(started[5]), before);
    for (unsigned i = 0; i < ROUNDS; i++) {
        pid_t pid = start("joiner");
        struct rusm_client *j = client_to(&place, "joiner");
        double begin = now_ms();
        await_name(j, text, true);
        ms[i] = now_ms() - begin;
        struct rusm_why why;
        expect(rusm_client_stop(j, &why) == 0, "%s", why.text);
        rusm_client_close(j);
        waitpid(pid, NULL, 0);
        started_count--;
    }
    report("  … spread to a joiner that a client is connected to", ms, ROUNDS);
    end_all();
}

int main(void)
{
    const char *binary = getenv("RUSM");
    struct rusm_identity_info info;
    struct rusm_why why;
    place_make(&place);
    expect(rusm_identity_new(place.identity, &info, &why) == 0, "%s", why.text);
    expect(mkdir(place.rundir, 0700) == 0, "a run folder");
    figure_start(binary ? binary : "./rusm");
    figure_join();
    figure_death();
    figure_names();
    figure_big();
    place_remove(&place);
    return 0;
}
