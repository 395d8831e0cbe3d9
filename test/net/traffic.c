/* traffic: a node whose processes send numbered messages and check those they get, for the tests of
 * this folder: nothing missing, nothing twice, all in order, every byte as it was sent.
 *
 *     traffic node --name NAME [--listen ADDR:PORT] [--advertise HOST:PORT] [--join NODE@HOST:PORT]
 *             [--idle-timeout SECONDS] [--log-level info]
 *
 * It is a node as that of the command, on rusm.h alone, with two more spawnables. `source TARGET
 * COUNT SIZE` sends COUNT messages of SIZE bytes, or of sizes that vary (SIZE "mixed"), to the
 * process TARGET as fast as it takes them; called, it says "sent N". `check` takes those of one
 * source; called, it says "received N" or what was wrong first. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rusm.h"

enum { HEAD = 16, PATTERN = 65536, MIXED = 0 };

/* ---- messages: a number, a length, and a pattern that begins elsewhere for each number ---- */

static uint8_t pattern[2 * PATTERN]; /* filled once, before any node runs */

static void pattern_fill(void)
{
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < PATTERN; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        pattern[i] = pattern[i + PATTERN] = (uint8_t)x;
    }
}

static const uint8_t *pattern_of(uint64_t number)
{
    return pattern + number * 7919 % PATTERN;
}

/* Mostly small, now and then one that needs a grant. */
static size_t size_of(uint64_t number, size_t size)
{
    if (size != MIXED)
        return size;
    return number % 101 == 100 ? 150000 : number % 23 == 22 ? 9000 : HEAD + number * 31 % 200;
}

static void message_write(uint8_t *to, uint64_t number, uint64_t len)
{
    memcpy(to, &number, 8);
    memcpy(to + 8, &len, 8);
    for (size_t at = HEAD; at < len; at += PATTERN)
        memcpy(to + at, pattern_of(number), len - at < PATTERN ? len - at : PATTERN);
}

/* Whether the bytes are those of that number. */
static bool message_whole(const uint8_t *data, size_t data_len, uint64_t number)
{
    uint64_t len;
    memcpy(&len, data + 8, 8);
    if (len != data_len)
        return false;
    for (size_t at = HEAD; at < len; at += PATTERN)
        if (memcmp(data + at, pattern_of(number), len - at < PATTERN ? len - at : PATTERN) != 0)
            return false;
    return true;
}

static void answer(struct rusm_process *self, const struct rusm_message *m, const char *text)
{
    if (rusm_reply(self, m, text, strlen(text)) == RUSM_BUSY)
        rusm_hold(self);
}

/* ---- source ---- */

struct source {
    char *target;
    uint64_t count, sent;
    size_t size;
    uint8_t *bytes;
    int error;
};

static void source_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct source *s = state;
    (void)self, (void)reason;
    free(s->target);
    free(s->bytes);
    free(s);
}

static void source_go(struct rusm_process *self, struct source *s)
{
    while (s->sent < s->count && !s->error) {
        size_t len = size_of(s->sent, s->size);
        message_write(s->bytes, s->sent, len);
        int error = rusm_send_to(self, s->target, s->bytes, len, 0);
        if (error == RUSM_BUSY)
            return;
        if (error)
            s->error = error;
        else
            s->sent++;
    }
}

static int source_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s || args->count != 3) {
        rusm_init_error(self, "source takes TARGET COUNT SIZE");
        free(s);
        return RUSM_EINVAL;
    }
    s->count = strtoull(args->value[1], NULL, 10);
    s->size = strtoull(args->value[2], NULL, 10); /* "mixed": MIXED */
    s->target = strdup(args->value[0]);
    s->bytes = malloc(s->size > 150000 ? s->size : 150000);
    if (!s->target || !s->bytes) {
        source_stop(self, s, "no memory");
        return RUSM_ENOMEM;
    }
    source_go(self, s);
    *state = s;
    return 0;
}

static void source_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct source *s = state;
    char text[128];
    if (m->kind == RUSM_WRITABLE) {
        source_go(self, s);
    } else if (m->kind == RUSM_CALL) {
        int n = snprintf(text, sizeof text, "sent %" PRIu64, s->sent);
        if (s->error)
            snprintf(text + n, sizeof text - (size_t)n, ": %s", rusm_strerror(s->error));
        answer(self, m, text);
    }
}

/* ---- check ---- */

struct check {
    uint64_t received;
    char wrong[128]; /* the first that was */
};

static int check_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self, (void)args;
    *state = calloc(1, sizeof(struct check));
    return *state ? 0 : RUSM_ENOMEM;
}

static void check_one(struct check *c, const struct rusm_message *m)
{
    uint64_t number = UINT64_MAX;
    if (m->len >= HEAD)
        memcpy(&number, m->data, 8);
    if (!c->wrong[0] && number != c->received)
        snprintf(c->wrong, sizeof c->wrong, "wrong: number %" PRId64 " after %" PRIu64 " messages",
                 (int64_t)number, c->received);
    else if (!c->wrong[0] && !message_whole(m->data, m->len, number))
        snprintf(c->wrong, sizeof c->wrong, "wrong: bytes of number %" PRIu64, number);
    c->received++;
}

static void check_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct check *c = state;
    char text[64];
    if (m->kind == RUSM_SEND) {
        check_one(c, m);
    } else if (m->kind == RUSM_CALL) {
        snprintf(text, sizeof text, "received %" PRIu64, c->received);
        answer(self, m, c->wrong[0] ? c->wrong : text);
    }
}

static void check_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

/* ---- main ---- */

static const struct rusm_behaviour source = {
    .name = "source", .init = source_init, .receive = source_receive, .stop = source_stop
};
static const struct rusm_behaviour check = {
    .name = "check", .init = check_init, .receive = check_receive, .stop = check_stop
};

static struct rusm_node *running; /* for the signal handler */

static void on_signal(int number)
{
    (void)number;
    rusm_node_stop(running);
}

/* Whether the arguments are what the file's head says. */
static bool parse(char **argv, struct rusm_node_options *o)
{
    static const char *join[1];
    if (!argv[1] || strcmp(argv[1], "node") != 0)
        return false;
    for (char **at = argv + 2; *at; at += 2) {
        const char *name = at[0], *value = at[1];
        if (!value)
            return false;
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
    for (size_t i = 0; !error && i < sizeof builtins / sizeof *builtins; i++)
        error = rusm_node_teach_spec(running, builtins[i], builtins[i], &why);
    if (!error)
        error = rusm_node_teach(running, "source", &source);
    if (!error)
        error = rusm_node_teach(running, "check", &check);
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
