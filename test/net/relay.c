/* relay: a bad network between two UDP sockets. It stands before one node (the target), which
 * advertises the relay's address as its own; what reaches the relay is passed on "in", what the
 * target answers "out". Each source address gets a socket of its own towards the target, as a
 * NAT does, which the target may dial in turn.
 *
 *     relay [--seed N] [--listen ADDR:PORT] [--to ADDR:PORT] [--loss PCT] [--delay MS]
 *           [--jitter MS] [--reorder PCT] [--duplicate PCT] [--bandwidth BYTES/S]
 *
 * Prints "relay ready at ADDR:PORT", then answers each line of its standard input with "ok" or
 * "bad: …": "to ADDR:PORT", "cut both", "cut in", "cut out", "heal", any of the above settings
 * ("loss 5"), "counters". At the input's end it prints the counters and ends. One thread; the
 * chances are of the seed, the moments are not. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/rng.h"

enum {
    MAX_PATHS = 256,
    MAX_HELD = 8192, /* datagrams; beyond that the youngest is dropped */
    MAX_DATAGRAM = 65536,
    SOCKET_BUFFER = 4 << 20,
    BATCH = 64 /* datagrams of one socket before the others have their turn */
};

/* A datagram that is reordered comes later than the others by this or half the delay. */
#define REORDER_NS ((uint64_t)3 * 1000000)

enum direction { IN, OUT };

struct address {
    struct sockaddr_storage at;
    socklen_t len;
};

/* One source address, and the socket that stands for it before the target. */
struct path {
    int fd;
    struct address source;
    uint64_t last_due_ns[2]; /* jitter does not reorder: dues of a direction only grow */
};

struct datagram {
    struct heap_node due;
    struct path *path;
    enum direction direction;
    size_t len;
    uint8_t bytes[];
};

enum counter { RECEIVED, SENT, LOST, CUT, REORDERED, DUPLICATED, OVERFLOWED, UNSENT, COUNTERS };
static const char *const counter_names[] = { "received",  "sent",       "lost",       "cut",
                                             "reordered", "duplicated", "overflowed", "unsent" };

enum setting { LOSS, DELAY, JITTER, REORDER, DUPLICATE, BANDWIDTH, SETTINGS };
static const char *const setting_names[] = { "loss",    "delay",     "jitter",
                                             "reorder", "duplicate", "bandwidth" };

struct relay {
    int fd;
    struct address target; /* len 0: none yet, everything is cut */
    struct path paths[MAX_PATHS];
    size_t path_count;
    double settings[SETTINGS];
    bool cut[2];
    uint64_t free_at_ns[2]; /* when the link of that direction has sent what it was given */
    struct heap held;
    struct rng rng;
    uint64_t counters[COUNTERS];
    char line[256]; /* of standard input, as far as it has come */
    size_t line_len;
};

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* "127.0.0.1:40123" or "[::1]:40123"; whether it is one. */
static bool address_parse(const char *text, struct address *out)
{
    char host[128];
    const char *colon = strrchr(text, ':');
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found;
    if (!colon || (size_t)(colon - text) >= sizeof host)
        return false;
    bool bracketed = text[0] == '[' && colon > text && colon[-1] == ']';
    size_t len = (size_t)(colon - text) - (bracketed ? 2 : 0);
    memcpy(host, text + bracketed, len);
    host[len] = 0;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return false;
    memcpy(&out->at, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static int socket_open(const struct sockaddr *bind_to, socklen_t len, int family)
{
    int size = SOCKET_BUFFER;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (bind_to && bind(fd, bind_to, len) != 0))
        fail("socket");
    /* Beyond the limit that is set for all, where we may; a burst is not ours to lose. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

static bool chance(struct relay *r, enum setting percent)
{
    return (double)rng_below(&r->rng, 1000000) < r->settings[percent] * 10000;
}

/* ---- datagrams: received, held, sent ---- */

/* When a datagram of this size that came now leaves. */
static uint64_t due(struct relay *r, struct path *p, enum direction d, size_t len, uint64_t now_ns)
{
    uint64_t at = now_ns;
    uint64_t delay = (uint64_t)(r->settings[DELAY] * 1e6);
    uint64_t jitter = (uint64_t)(r->settings[JITTER] * 1e6);
    if (r->settings[BANDWIDTH] > 0) {
        at = r->free_at_ns[d] > at ? r->free_at_ns[d] : at;
        at += (uint64_t)((double)len / r->settings[BANDWIDTH] * 1e9);
        r->free_at_ns[d] = at;
    }
    at += delay + (jitter ? rng_below(&r->rng, jitter) : 0);
    if (chance(r, REORDER)) {
        r->counters[REORDERED]++;
        return at + (delay / 2 > REORDER_NS ? delay / 2 : REORDER_NS);
    }
    if (at <= p->last_due_ns[d])
        at = p->last_due_ns[d] + 1;
    p->last_due_ns[d] = at;
    return at;
}

static void hold(struct relay *r, struct path *p, enum direction d, const uint8_t *bytes,
                 size_t len, uint64_t at_ns)
{
    if (r->held.count >= MAX_HELD) {
        r->counters[OVERFLOWED]++;
        return;
    }
    struct datagram *datagram = calloc(1, sizeof *datagram + len);
    if (!datagram || heap_insert(&r->held, &datagram->due, at_ns) != 0)
        fail("out of memory");
    datagram->path = p;
    datagram->direction = d;
    datagram->len = len;
    memcpy(datagram->bytes, bytes, len);
}

static void take(struct relay *r, struct path *p, enum direction d, const uint8_t *bytes,
                 size_t len, uint64_t now_ns)
{
    r->counters[RECEIVED]++;
    if (!p) {
        r->counters[OVERFLOWED]++;
    } else if (r->cut[d] || r->target.len == 0) {
        r->counters[CUT]++;
    } else if (chance(r, LOSS)) {
        r->counters[LOST]++;
    } else {
        bool twice = chance(r, DUPLICATE);
        r->counters[DUPLICATED] += twice;
        for (int i = 0; i < 1 + twice; i++)
            hold(r, p, d, bytes, len, due(r, p, d, len, now_ns));
    }
}

static void release_one(struct relay *r, const struct datagram *g)
{
    struct path *p = g->path;
    ssize_t sent = -1;
    /* A send fails when the target's ICMP says that it is gone; the next one goes out. */
    for (int tries = 0; sent < 0 && tries < 3; tries++)
        if (g->direction == IN)
            sent = send(p->fd, g->bytes, g->len, 0);
        else
            sent = sendto(r->fd, g->bytes, g->len, 0, (const struct sockaddr *)&p->source.at,
                          p->source.len);
    r->counters[sent < 0 ? UNSENT : SENT]++;
}

/* Sends what is due, and returns when the next is. */
static uint64_t release(struct relay *r, uint64_t now_ns)
{
    struct heap_node *first;
    while ((first = heap_min(&r->held)) && first->key <= now_ns) {
        struct datagram *g = (struct datagram *)(void *)first; /* its first field */
        heap_remove(&r->held, first);
        if (r->cut[g->direction])
            r->counters[CUT]++;
        else
            release_one(r, g);
        free(g);
    }
    return first ? first->key : UINT64_MAX;
}

static void path_aim(const struct relay *r, const struct path *p)
{
    if (r->target.len && connect(p->fd, (const struct sockaddr *)&r->target.at, r->target.len))
        fail("connect");
}

/* NULL: there are too many. */
static struct path *path_get(struct relay *r, const struct address *source)
{
    for (size_t i = 0; i < r->path_count; i++) {
        struct path *p = &r->paths[i];
        if (p->source.len == source->len && memcmp(&p->source.at, &source->at, source->len) == 0)
            return p;
    }
    if (r->path_count == MAX_PATHS)
        return NULL;
    struct path *p = &r->paths[r->path_count++];
    p->source = *source;
    p->fd = socket_open(NULL, 0, r->target.len ? r->target.at.ss_family : source->at.ss_family);
    path_aim(r, p);
    return p;
}

/* Reads a socket: the relay's own (path NULL) or that of a path. */
static void socket_read(struct relay *r, struct path *p)
{
    static uint8_t bytes[MAX_DATAGRAM];
    for (int i = 0; i < BATCH; i++) {
        struct address from = { .len = sizeof from.at };
        ssize_t got = recvfrom(p ? p->fd : r->fd, bytes, sizeof bytes, 0,
                               (struct sockaddr *)&from.at, &from.len);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got >= 0) /* else an ICMP error of what was sent before */
            take(r, p ? p : path_get(r, &from), p ? OUT : IN, bytes, (size_t)got, now());
    }
}

/* ---- control ---- */

/* "to ADDR:PORT" or one of the settings; whether it is one. */
static bool set(struct relay *r, const char *name, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    if (strcmp(name, "to") == 0) {
        if (!address_parse(value, &r->target))
            return false;
        for (size_t i = 0; i < r->path_count; i++)
            path_aim(r, &r->paths[i]);
        return true;
    }
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(name, setting_names[i]) == 0 && end > value && !*end && number >= 0) {
            r->settings[i] = number;
            return true;
        }
    }
    return false;
}

static void print_counters(const struct relay *r)
{
    for (int i = 0; i < COUNTERS; i++)
        printf("%s %llu%s", counter_names[i], (unsigned long long)r->counters[i],
               i + 1 < COUNTERS ? " " : "\n");
}

static void obey(struct relay *r, char *line)
{
    char *value = strchr(line, ' ');
    const char *verb = line;
    bool good = true;
    if (value)
        *value++ = 0;
    if (strcmp(verb, "cut") == 0 && value) {
        bool both = strcmp(value, "both") == 0;
        bool in = both || strcmp(value, "in") == 0, out = both || strcmp(value, "out") == 0;
        good = in || out;
        r->cut[IN] |= in;
        r->cut[OUT] |= out;
    } else if (strcmp(verb, "heal") == 0) {
        r->cut[IN] = r->cut[OUT] = false;
    } else if (strcmp(verb, "counters") == 0) {
        print_counters(r);
    } else {
        good = value && set(r, verb, value);
    }
    printf(good ? "ok\n" : "bad: %s\n", verb);
}

/* Whether there will be more. */
static bool control_read(struct relay *r)
{
    char *at = r->line, *newline;
    ssize_t got = read(STDIN_FILENO, r->line + r->line_len, sizeof r->line - 1 - r->line_len);
    if (got <= 0)
        return false;
    r->line_len += (size_t)got;
    r->line[r->line_len] = 0;
    while ((newline = strchr(at, '\n'))) {
        *newline = 0;
        obey(r, at);
        at = newline + 1;
    }
    r->line_len = (size_t)(r->line + r->line_len - at);
    memmove(r->line, at, r->line_len);
    return r->line_len < sizeof r->line - 1;
}

/* ---- main ---- */

static void run(struct relay *r)
{
    struct pollfd fds[2 + MAX_PATHS];
    for (;;) {
        uint64_t now_ns = now(), next_ns = release(r, now_ns), wait_ns = next_ns - now_ns;
        struct timespec wait = { .tv_sec = (time_t)(wait_ns / 1000000000),
                                 .tv_nsec = (long)(wait_ns % 1000000000) };
        fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = r->fd, .events = POLLIN };
        size_t paths = r->path_count;
        for (size_t i = 0; i < paths; i++)
            fds[2 + i] = (struct pollfd){ .fd = r->paths[i].fd, .events = POLLIN };
        if (ppoll(fds, 2 + paths, next_ns == UINT64_MAX ? NULL : &wait, NULL) < 0)
            fail("ppoll");
        if (fds[0].revents && !control_read(r))
            return;
        if (fds[1].revents)
            socket_read(r, NULL);
        for (size_t i = 0; i < paths; i++)
            if (fds[2 + i].revents)
                socket_read(r, &r->paths[i]);
    }
}

static void announce(const struct relay *r)
{
    struct address own = { .len = sizeof own.at };
    char host[64], port[8];
    getsockname(r->fd, (struct sockaddr *)&own.at, &own.len);
    getnameinfo((struct sockaddr *)&own.at, own.len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    printf(strchr(host, ':') ? "relay ready at [%s]:%s\n" : "relay ready at %s:%s\n", host, port);
}

int main(int argc, char **argv)
{
    static struct relay r;
    const char *listen = "127.0.0.1:0";
    struct address at;
    uint64_t seed = 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (value && strcmp(name, "--seed") == 0) {
            seed = strtoull(value, NULL, 0);
        } else if (value && strcmp(name, "--listen") == 0) {
            listen = value;
        } else if (!value || strncmp(name, "--", 2) != 0 || !set(&r, name + 2, value)) {
            fprintf(stderr, "relay: %s: wrong usage\n", name);
            return 2;
        }
    }
    if (!address_parse(listen, &at)) {
        fprintf(stderr, "relay: --listen %s: not an address\n", listen);
        return 2;
    }
    r.fd = socket_open((struct sockaddr *)&at.at, at.len, at.at.ss_family);
    rng_init(&r.rng, seed);
    heap_init(&r.held);
    announce(&r);
    run(&r);
    print_counters(&r);
    heap_fini(&r.held);
    return 0;
}
