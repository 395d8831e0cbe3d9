/* relay: cmd/relay.c as a program, for the tests of this folder.
 *
 *     relay [--seed N] [--listen ADDR:PORT] [--to ADDR:PORT] [--loss PCT] [--delay MS]
 *           [--jitter MS] [--reorder PCT] [--duplicate PCT] [--bandwidth BYTES/S]
 *           [--longest BYTES]
 *
 * Prints "relay ready at ADDR:PORT". Then answers each line of its standard input with "ok" or
 * "bad: ...": "to ADDR:PORT", "cut both", "cut in", "cut out", "heal", any of the above settings
 * ("loss 5"), "counters". At the end of the input it prints the counters and exits. */
#include "../cmd/relay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct control {
    struct relay *relay;
    bool in, out;   /* these directions are cut */
    char line[256]; /* the part of a line that has come */
    size_t len;
};

static void line_obey(struct control *c, char *line)
{
    char *value = strchr(line, ' ');
    const char *verb = line;
    bool good = true;
    if (value) {
        *value++ = 0;
    }
    if (strcmp(verb, "cut") == 0 && value) {
        bool both = strcmp(value, "both") == 0;
        bool in = both || strcmp(value, "in") == 0, out = both || strcmp(value, "out") == 0;
        good = in || out;
        c->in |= in;
        c->out |= out;
        relay_cut(c->relay, c->in, c->out);
    } else if (strcmp(verb, "heal") == 0) {
        c->in = c->out = false;
        relay_cut(c->relay, false, false);
    } else if (strcmp(verb, "counters") == 0) {
        relay_print_counters(c->relay, stdout);
    } else {
        good = value && relay_set(c->relay, verb, value);
    }
    printf(good ? "ok\n" : "bad: %s\n", verb);
}

/* Reads and obeys lines. Returns false at the end of the input, or if a line is too long. */
static bool control_read(void *context)
{
    struct control *c = context;
    char *at = c->line, *newline;
    ssize_t got = read(STDIN_FILENO, c->line + c->len, sizeof(c->line) - 1 - c->len);
    if (got <= 0) {
        return false;
    }
    c->len += (size_t)got;
    c->line[c->len] = 0;
    while ((newline = strchr(at, '\n'))) {
        *newline = 0;
        line_obey(c, at);
        at = newline + 1;
    }
    c->len = (size_t)(c->line + c->len - at);
    memmove(c->line, at, c->len);
    return c->len < sizeof(c->line) - 1;
}

/* Returns the value of an option that is needed before the relay exists. */
static const char *early(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0) {
            fallback = argv[i + 1];
        }
    }
    return fallback;
}

int main(int argc, char **argv)
{
    struct control control = { 0 };
    uint64_t seed = strtoull(early(argc, argv, "--seed", "1"), NULL, 0);
    struct relay *r;
    int status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (relay_new(&r, early(argc, argv, "--listen", "127.0.0.1:0"), seed) != 0) {
        perror("relay: --listen");
        return 2;
    }
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool taken = strcmp(name, "--seed") == 0 || strcmp(name, "--listen") == 0;
        if (!value || strncmp(name, "--", 2) != 0 || (!taken && !relay_set(r, name + 2, value))) {
            fprintf(stderr, "relay: %s: wrong usage\n", name);
            relay_free(r);
            return 2;
        }
    }
    printf("relay ready at %s\n", relay_address(r));
    control.relay = r;
    status = relay_run(r, STDIN_FILENO, control_read, &control);
    if (status != 0) {
        perror("relay");
    }
    relay_print_counters(r, stdout);
    relay_free(r);
    return status ? 1 : 0;
}
