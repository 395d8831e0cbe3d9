/* exec: what a call to a program through its process costs, compared with the same program at the
 * end of two plain pipes: the same lines, and as many of them on their way. Prints a row for each
 * program. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "embed/embed.h"

#define SECONDS_MS 2000
#define TEXT "\"seventeen bytes.\""

struct load {
    const char *name, *spec;
    const char *command; /* the command in spec */
    unsigned window;
    bool json;
};

static const struct load loads[] = {
    { "cat, lines", "exec:cat", "cat", 1, false },
    { "sed, JSON", "exec+json:sed -uE 's/.*\"ref\":([0-9]+),/{\"reply\":\\1,/'",
      "sed -uE 's/.*\"ref\":([0-9]+),/{\"reply\":\\1,/'", 1, true },
    { "sed, JSON", "exec+json:sed -uE 's/.*\"ref\":([0-9]+),/{\"reply\":\\1,/'",
      "sed -uE 's/.*\"ref\":([0-9]+),/{\"reply\":\\1,/'", 64, true },
    { "python3, JSON", "exec+json:exec python3 test/example/shout.py",
      "PYTHONUNBUFFERED=1 exec python3 test/example/shout.py", 64, true },
};

struct figures {
    uint64_t count, took_ms, cpu_us;
};

static uint64_t cpu_us(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* ---- plain pipes ----------------------------------------------------------------------------- */

static pid_t plain_start(const char *command, int *in, int *out)
{
    int to[2], from[2];

    expect(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0, "%s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    *in = to[1];
    *out = from[0];
    return child;
}

static size_t plain_line(const struct load *load, uint64_t number, char *line, size_t cap)
{
    if (load->json) {
        return (size_t)snprintf(line, cap,
                                "{\"from\":\"3@london#5f3a1c7b\",\"ref\":%llu,\"data\":" TEXT "}\n",
                                (unsigned long long)number);
    }
    return (size_t)snprintf(line, cap, "%s\n", TEXT);
}

static struct figures plain(const struct load *load)
{
    struct figures f = { 0 };
    char line[256], said[65536];
    uint64_t number = 0, began = 0, began_cpu = 0;
    int in, out;
    pid_t child = plain_start(load->command, &in, &out);

    for (unsigned i = 0; i < load->window; i++) {
        size_t len = plain_line(load, ++number, line, sizeof(line));
        expect(write(in, line, len) == (ssize_t)len, "a line");
    }
    while (began == 0 || clock_ms() - began < SECONDS_MS) {
        ssize_t n = read(out, said, sizeof(said));
        expect(n > 0, "an answer");
        for (char *at = said; (at = memchr(at, '\n', (size_t)(said + n - at))) != NULL; at++) {
            size_t len = plain_line(load, ++number, line, sizeof(line));
            expect(write(in, line, len) == (ssize_t)len, "a line");
            f.count++;
        }
        if (began == 0) { /* the program has started: begin to count */
            f.count = 0;
            began = clock_ms();
            began_cpu = cpu_us();
        }
    }
    f.took_ms = clock_ms() - began;
    f.cpu_us = cpu_us() - began_cpu;
    close(in);
    close(out);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return f;
}

/* ---- a process ------------------------------------------------------------------------------- */

struct caller {
    const struct load *load;
    struct figures f;
    uint64_t began, began_cpu;
    int out;
};

static void caller_ask(struct rusm_process *self)
{
    uint64_t ref;
    int error = rusm_request_to(self, "program", TEXT, strlen(TEXT), RUSM_FOREVER, &ref);

    expect(error == 0, "%s", rusm_strerror(error));
}

static int caller_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct caller *c = *state = rusm_context(self);
    uint64_t ref;

    (void)args;
    return rusm_timer(self, 1, &ref) == 0 && c->load ? 0 : RUSM_ENOMEM;
}

static void caller_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct caller *c = state;

    if (m->kind == RUSM_TIMER) {
        for (unsigned i = 0; i < c->load->window; i++) {
            caller_ask(self);
        }
        return;
    }
    expect(m->kind == RUSM_REPLY, "an answer, not %s", (const char *)m->data);
    if (c->began == 0) {
        c->began = clock_ms();
        c->began_cpu = cpu_us();
    } else {
        c->f.count++;
    }
    if (clock_ms() - c->began < SECONDS_MS) {
        caller_ask(self);
        return;
    }
    if (c->f.took_ms == 0) {
        c->f.took_ms = clock_ms() - c->began;
        c->f.cpu_us = cpu_us() - c->began_cpu;
        expect(write(c->out, "x", 1) == 1, "to tell");
    }
}

static struct figures process(const struct load *load)
{
    int ends[2];
    struct caller caller = { .load = load };
    const struct rusm_behaviour behaviour = {
        .name = "caller", .init = caller_init, .receive = caller_receive, .context = &caller
    };
    struct rusm_boot program = { .name = "program", .spawnable = load->spec };
    struct rusm_boot calls = { .name = "caller", .spawnable = "caller" };
    struct running london;
    struct place place;
    struct rusm_why why;
    char byte;

    expect(pipe(ends) == 0, "%s", strerror(errno));
    caller.out = ends[1];
    place_make(&place);
    struct rusm_node *node = node_make(&place, "london", 1);
    expect(rusm_node_teach(node, "caller", &behaviour) == 0, "a behaviour");
    expect(rusm_node_boot(node, &program, &why) == 0 && rusm_node_boot(node, &calls, &why) == 0,
           "%s", why.text);
    run_start(&london, node);
    expect(read(ends[0], &byte, 1) == 1, "an end");
    run_stop(&london);
    place_remove(&place);
    close(ends[0]);
    close(ends[1]);
    return caller.f;
}

static void row(const struct load *load, const char *how, const struct figures *f)
{
    printf("%-14s %3u in flight  %-7s %8llu calls/s  %5.1f us of our CPU each\n", load->name,
           load->window, how, (unsigned long long)(f->count * 1000 / f->took_ms),
           (double)f->cpu_us / (double)f->count);
    fflush(stdout);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
        struct figures f = plain(&loads[i]);
        row(&loads[i], "pipe", &f);
        f = process(&loads[i]);
        row(&loads[i], "exec", &f);
    }
    return 0;
}
