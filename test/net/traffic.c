/* traffic: a node whose processes send numbered messages and check those they get, for the tests of
 * this folder: nothing missing, nothing twice, all in order, every byte as it was sent.
 *
 *     traffic node --name NAME [--listen ADDR:PORT] [--advertise HOST:PORT] [--join NODE@HOST:PORT]
 *             [--idle-timeout SECONDS] [--log-level info]
 *
 * The program is a node like that of the command, on rusm.h alone, with more spawnables. `source
 * TARGET COUNT SIZE [TARGET]` sends COUNT messages of SIZE bytes, or of mixed sizes (SIZE "mixed"),
 * to the process TARGET, and as many to the second one, each as fast as it takes them. With COUNT 0
 * it sends until the first target has ended. A call returns "sent N [N]", which target holds it
 * back, and, after a lost connection, of how many messages it is unknown whether they arrived.
 * `check` takes the messages of one source. A call returns "received N" or the first error. `hand`
 * does what a call tells it: "spawn NODE SPAWNABLE" (answers with the pid), "kill PID" (answers
 * with the reason that the process ended with). More are in held.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "held.h"

/* ---- source ---- */

enum { TARGETS = 2 };

struct target {
    char *address;
    uint64_t sent;
    bool held;        /* the last send returned RUSM_BUSY */
    const char *gone; /* why it sends no more; NULL: it still sends */
};

struct source {
    struct target target[TARGETS];
    size_t targets;
    uint64_t count; /* UINT64_MAX: no limit */
    size_t size;
    uint8_t *bytes;
    bool gap;
    uint64_t unknown; /* unknown messages after a gap */
};

static void source_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct source *s = state;
    (void)self, (void)reason;
    for (size_t i = 0; i < s->targets; i++) {
        free(s->target[i].address);
    }
    free(s->bytes);
    free(s);
}

static void source_go(struct rusm_process *self, struct source *s)
{
    for (struct target *t = s->target; t < s->target + s->targets; t++) {
        t->held = false;
        while (t->sent < s->count && !t->held && !t->gone) {
            size_t len = size_of(t->sent, s->size);
            message_write(s->bytes, t->sent, len);
            int error = rusm_send_to(self, t->address, s->bytes, len, 0);
            if (error == RUSM_BUSY) {
                t->held = true;
            } else if (error) {
                t->gone = rusm_strerror(error);
            } else {
                t->sent++;
            }
        }
    }
}

/* Without a limit, the source monitors its target, NAME@NODE, to learn of its end. */
static int source_watch(struct rusm_process *self, const char *address)
{
    uint64_t ref;

    return rusm_monitor_to(self, address, &ref);
}

static int source_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct source *s = calloc(1, sizeof(*s));
    int error = 0;
    if (!s || args->count < 3 || args->count > 2 + TARGETS) {
        rusm_init_error(self, "source takes TARGET COUNT SIZE [TARGET]");
        free(s);
        return RUSM_EINVAL;
    }
    s->count = strtoull(args->value[1], NULL, 10);
    s->size = strtoull(args->value[2], NULL, 10); /* "mixed" gives MIXED */
    s->bytes = malloc(s->size > 150000 ? s->size : 150000);
    for (; s->targets < args->count - 2 && !error; s->targets++) {
        s->target[s->targets].address = strdup(args->value[s->targets ? 3 : 0]);
        if (!s->target[s->targets].address) {
            error = RUSM_ENOMEM;
        }
    }
    if (!s->bytes || (!error && rusm_monitor_gaps(self, true) != 0)) {
        error = RUSM_ENOMEM;
    }
    if (!error && s->count == 0) {
        s->count = UINT64_MAX;
        error = source_watch(self, args->value[0]);
    }
    if (error) {
        source_stop(self, s, "");
        return error;
    }
    source_go(self, s);
    *state = s;
    return 0;
}

static void source_say(struct rusm_process *self, const struct source *s,
                       const struct rusm_message *m)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "sent");
    for (const struct target *t = s->target; t < s->target + s->targets; t++) {
        const char *what = t->gone ? t->gone : t->held ? "held back" : "";
        n += snprintf(text + n, sizeof(text) - (size_t)n, " %" PRIu64 "%s%s", t->sent,
                      what[0] ? ": " : "", what);
    }
    if (s->gap) {
        snprintf(text + n, sizeof(text) - (size_t)n, ", unknown %" PRIu64, s->unknown);
    }
    answer(self, m, text);
}

static void source_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct source *s = state;
    if (m->kind == RUSM_WRITABLE) {
        source_go(self, s);
    } else if (m->kind == RUSM_DOWN) {
        s->target[0].gone = "it has ended";
    } else if (m->kind == RUSM_CALL) {
        source_say(self, s, m);
    } else if (m->kind == RUSM_GAP) {
        s->gap = true, s->unknown = m->ref;
    }
}

/* ---- check ---- */

static int check_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self, (void)args;
    *state = calloc(1, sizeof(struct check));
    return *state ? 0 : RUSM_ENOMEM;
}

static void check_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct check *c = state;
    char text[64];
    if (m->kind == RUSM_SEND) {
        check_one(c, m);
    } else if (m->kind == RUSM_CALL) {
        snprintf(text, sizeof(text), "received %" PRIu64, c->received);
        answer(self, m, c->wrong[0] ? c->wrong : text);
    }
}

static void check_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

/* ---- hand ---- */

static void hand_obey(struct rusm_process *self, const char *order, char *text, size_t cap)
{
    const struct rusm_message *m;
    const struct rusm_args none = { 0 };
    char verb[8] = "", what[RUSM_PID_TEXT_MAX] = "", spawnable[64] = "";
    uint32_t node;
    uint64_t ref;
    rusm_pid pid;
    int error = RUSM_EINVAL;
    if (sscanf(order, "%7s %103s %63s", verb, what, spawnable) == 3 && strcmp(verb, "spawn") == 0) {
        error = rusm_node_index(self, what, &node);
        if (!error) {
            error = rusm_spawn_at(self, node, spawnable, &none, &ref);
        }
    } else if (strcmp(verb, "kill") == 0) {
        error = rusm_pid_parse(self, what, &pid);
        if (!error) {
            error = rusm_monitor(self, pid, &ref);
        }
        if (!error) {
            error = rusm_kill(self, pid, "told to");
        }
    }
    if (error || rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) != 0) {
        snprintf(text, cap, "failed: %s", rusm_strerror(error));
    } else if (m->kind == RUSM_SPAWNED) {
        rusm_pid_format(self, m->from, text, cap);
    } else {
        snprintf(text, cap, "%s", (const char *)m->data);
    }
}

static void hand_body(struct rusm_process *self, void *state)
{
    const struct rusm_message *m;
    char text[256], order[256];
    (void)state;
    while (rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0) {
        struct rusm_message call = *m; /* a copy, because the message ends with the next receive */
        if (m->kind != RUSM_CALL) {
            continue;
        }
        snprintf(order, sizeof(order), "%s", (const char *)m->data);
        hand_obey(self, order, text, sizeof(text));
        answer(self, &call, text);
    }
}

/* ---- main ---- */

static const struct rusm_behaviour source = {
    .name = "source", .init = source_init, .receive = source_receive, .stop = source_stop
};
static const struct rusm_behaviour check = {
    .name = "check", .init = check_init, .receive = check_receive, .stop = check_stop
};

static const struct rusm_behaviour hand = { .name = "hand", .body = hand_body };

static struct rusm_node *running; /* for the signal handler */

static void on_signal(int number)
{
    (void)number;
    rusm_node_stop(running);
}

/* Parses the arguments. Returns false if they are not as in this file's head. */
static bool parse(char **argv, struct rusm_node_options *o)
{
    static const char *join[1];
    if (!argv[1] || strcmp(argv[1], "node") != 0) {
        return false;
    }
    for (char **at = argv + 2; *at; at += 2) {
        const char *name = at[0], *value = at[1];
        if (!value) {
            return false;
        }
        if (strcmp(name, "--name") == 0) {
            o->name = value;
        } else if (strcmp(name, "--listen") == 0) {
            o->listen = value;
        } else if (strcmp(name, "--advertise") == 0) {
            o->advertise = value;
        } else if (strcmp(name, "--join") == 0) {
            join[0] = value;
            o->join = join;
            o->join_count = 1;
        } else if (strcmp(name, "--idle-timeout") == 0) {
            o->idle_timeout_ms = (uint32_t)(strtod(value, NULL) * 1000);
        } else if (strcmp(name, "--log-level") == 0 && strcmp(value, "info") == 0) {
            o->log_level = RUSM_LOG_INFO;
        } else {
            return false;
        }
    }
    return o->name != NULL;
}

int main(int argc, char **argv)
{
    static const char *const builtins[] = { "echo", "greeter", "sink", "relay" };
    struct rusm_node_options options = { .log_fd = STDERR_FILENO,
                                         .output_fd = STDOUT_FILENO,
                                         .identity_create = true };
    struct sigaction action = { .sa_handler = on_signal };
    struct rusm_why why;
    (void)argc;
    if (!parse(argv, &options)) {
        fprintf(stderr, "traffic: wrong usage\n");
        return 2;
    }
    pattern_fill();
    int error = rusm_node_new(&running, &options, &why);
    for (size_t i = 0; !error && i < sizeof(builtins) / sizeof(*builtins); i++) {
        error = rusm_node_teach_spec(running, builtins[i], builtins[i], &why);
    }
    if (!error) {
        error = rusm_node_teach(running, "source", &source);
    }
    if (!error) {
        error = rusm_node_teach(running, "check", &check);
    }
    if (!error) {
        error = rusm_node_teach(running, "hand", &hand);
    }
    for (size_t i = 0; !error && i < sizeof(held_behaviours) / sizeof(*held_behaviours); i++) {
        error = rusm_node_teach(running, held_behaviours[i].name, &held_behaviours[i]);
    }
    if (error) {
        fprintf(stderr, "traffic: %s\n", why.text[0] ? why.text : rusm_strerror(error));
        return 1;
    }
    sigaction(SIGTERM, &action, NULL);
    printf("%s ready at %s\n", rusm_node_name(running), rusm_node_address(running));
    fflush(stdout);
    error = rusm_node_run(running);
    rusm_node_free(running);
    return error ? 1 : 0;
}
