/* relay: see the header. The relay receives datagrams, holds them until they are due, and sends
 * them. */
#include "relay.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RELAY_PATHS 256
#define RELAY_HELD 8192 /* datagrams; above, the newest is dropped */
#define RELAY_DATAGRAM 65536
#define RELAY_SOCKET_BUFFER (4 << 20)
#define RELAY_BATCH 64 /* datagrams of one socket before the next socket's turn */

/* A reordered datagram comes later than the others by this time, or by half the delay if that is
 * longer. */
#define RELAY_REORDER_NS ((uint64_t)3 * 1000000)

enum direction { IN, OUT };

struct address {
    struct sockaddr_storage at;
    socklen_t len;
};

/* One source address, and the relay's socket for it towards the target. */
struct path {
    int fd;
    struct address source;
    uint64_t last_due_ns[2]; /* keeps the order in spite of jitter */
};

struct datagram {
    struct datagram *before, *after; /* in the order of due_ns */
    uint64_t due_ns;
    struct path *path;
    enum direction direction;
    size_t len;
    uint8_t bytes[];
};

enum counter {
    RECEIVED,
    SENT,
    LOST,
    CUT,
    REORDERED,
    DUPLICATED,
    LONG,
    OVERFLOWED,
    UNSENT,
    WIDTH,
    COUNTERS
};
static const char *const relay_counter_names[] = { "received",  "sent",       "lost", "cut",
                                                   "reordered", "duplicated", "long", "overflowed",
                                                   "unsent",    "width" };

enum setting { LOSS, DELAY, JITTER, REORDER, DUPLICATE, BANDWIDTH, LONGEST, SETTINGS };
static const char *const relay_setting_names[] = { "loss",      "delay",     "jitter", "reorder",
                                                   "duplicate", "bandwidth", "longest" };

struct relay {
    int fd;
    char text[128];        /* the relay's address */
    struct address target; /* len 0: there is none yet, and everything is cut */
    struct path paths[RELAY_PATHS];
    size_t path_count;
    double settings[SETTINGS];
    bool cut[2];
    uint64_t free_at_ns[2];        /* when the link of a direction has sent all it was given */
    struct datagram *first, *last; /* the held datagrams, by due_ns */
    size_t held;
    unsigned short dice[3]; /* the state of nrand48 */
    uint64_t counters[COUNTERS];
    uint8_t bytes[RELAY_DATAGRAM];
};

static uint64_t relay_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- life ---- */

/* Parses "127.0.0.1:40123" or "[::1]:40123". Returns false if the text is not an address. */
static bool relay_parse(const char *text, struct address *out)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
                                    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    const char *colon = strrchr(text, ':');
    struct addrinfo *found;
    char host[128];

    if (!colon || (size_t)(colon - text) >= sizeof(host)) {
        return false;
    }
    bool bracketed = text[0] == '[' && colon > text && colon[-1] == ']';
    size_t len = (size_t)(colon - text) - (bracketed ? 2 : 0);
    memcpy(host, text + bracketed, len);
    host[len] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        return false;
    }
    memcpy(&out->at, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

/* Returns a socket, bound to `bind_to` unless that is NULL, or -1 and errno. */
static int relay_socket(const struct address *bind_to, int family)
{
    int size = RELAY_SOCKET_BUFFER;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind_to && bind(fd, (const struct sockaddr *)&bind_to->at, bind_to->len) != 0) {
        close(fd);
        return -1;
    }
    /* Exceed the system's limit if we may: the relay must not lose a burst that no setting tells it
     * to lose. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    return fd;
}

static void relay_name(struct relay *r)
{
    struct address own = { .len = sizeof(own.at) };
    char host[64] = "", port[8] = "";

    getsockname(r->fd, (struct sockaddr *)&own.at, &own.len);
    getnameinfo((struct sockaddr *)&own.at, own.len, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(r->text, sizeof(r->text), strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

int relay_new(struct relay **relay, const char *listen, uint64_t seed)
{
    struct address at;
    struct relay *r;

    if (!relay_parse(listen, &at)) {
        errno = EINVAL;
        return -1;
    }
    r = calloc(1, sizeof(*r));
    if (!r || (r->fd = relay_socket(&at, at.at.ss_family)) < 0) {
        free(r);
        return -1;
    }
    memcpy(r->dice, &seed, sizeof(r->dice));
    relay_name(r);
    *relay = r;
    return 0;
}

void relay_free(struct relay *r)
{
    if (!r) {
        return;
    }
    while (r->first) {
        struct datagram *g = r->first;
        r->first = g->after;
        free(g);
    }
    for (size_t i = 0; i < r->path_count; i++) {
        close(r->paths[i].fd);
    }
    close(r->fd);
    free(r);
}

const char *relay_address(const struct relay *r)
{
    return r->text;
}

/* ---- datagrams: received, held, sent ---- */

static bool relay_chance(struct relay *r, enum setting percent)
{
    return (double)(nrand48(r->dice) % 1000000) < r->settings[percent] * 10000;
}

/* Returns when a datagram of `len` bytes that came now leaves. */
static uint64_t relay_due(struct relay *r, struct path *p, enum direction d, size_t len,
                          uint64_t now_ns)
{
    uint64_t at = now_ns, delay = (uint64_t)(r->settings[DELAY] * 1e6);
    uint64_t jitter = (uint64_t)(r->settings[JITTER] * 1e6);

    if (r->settings[BANDWIDTH] > 0) {
        at = r->free_at_ns[d] > at ? r->free_at_ns[d] : at;
        at += (uint64_t)((double)len / r->settings[BANDWIDTH] * 1e9);
        r->free_at_ns[d] = at;
    }
    at += delay + (jitter ? (uint64_t)nrand48(r->dice) % jitter : 0);
    if (relay_chance(r, REORDER)) {
        r->counters[REORDERED]++;
        return at + (delay / 2 > RELAY_REORDER_NS ? delay / 2 : RELAY_REORDER_NS);
    }
    if (at <= p->last_due_ns[d]) {
        at = p->last_due_ns[d] + 1;
    }
    p->last_due_ns[d] = at;
    return at;
}

/* Puts a datagram in its place in the list: nearly always the last. */
static void relay_insert(struct relay *r, struct datagram *g)
{
    struct datagram *before = r->last;

    while (before && before->due_ns > g->due_ns) {
        before = before->before;
    }
    g->before = before;
    g->after = before ? before->after : r->first;
    *(g->before ? &g->before->after : &r->first) = g;
    *(g->after ? &g->after->before : &r->last) = g;
    r->held++;
}

static void relay_hold(struct relay *r, struct path *p, enum direction d, size_t len,
                       uint64_t due_ns)
{
    struct datagram *g = r->held < RELAY_HELD ? malloc(sizeof(*g) + len) : NULL;

    if (!g) {
        r->counters[OVERFLOWED]++;
        return;
    }
    *g = (struct datagram){ .due_ns = due_ns, .path = p, .direction = d, .len = len };
    memcpy(g->bytes, r->bytes, len);
    relay_insert(r, g);
}

/* Decides what happens to the datagram in r->bytes. */
static void relay_take(struct relay *r, struct path *p, enum direction d, size_t len,
                       uint64_t now_ns)
{
    r->counters[RECEIVED]++;
    if (!p) {
        r->counters[OVERFLOWED]++;
    } else if (r->cut[d] || r->target.len == 0) {
        r->counters[CUT]++;
    } else if (r->settings[LONGEST] > 0 && (double)len > r->settings[LONGEST]) {
        r->counters[LONG]++;
    } else if (relay_chance(r, LOSS)) {
        r->counters[LOST]++;
    } else {
        bool twice = relay_chance(r, DUPLICATE);
        r->counters[DUPLICATED] += twice;
        for (int i = 0; i < 1 + twice; i++) {
            relay_hold(r, p, d, len, relay_due(r, p, d, len, now_ns));
        }
    }
}

static void relay_send(struct relay *r, const struct datagram *g)
{
    const struct path *p = g->path;
    ssize_t sent = -1;

    /* A send fails if the target's ICMP said that it is gone. The next try sends. */
    for (int tries = 0; sent < 0 && tries < 3; tries++) {
        sent = g->direction == IN ? send(p->fd, g->bytes, g->len, 0)
                                  : sendto(r->fd, g->bytes, g->len, 0,
                                           (const struct sockaddr *)&p->source.at, p->source.len);
    }
    r->counters[sent < 0 ? UNSENT : SENT]++;
    if (sent > 0 && (uint64_t)sent > r->counters[WIDTH]) {
        r->counters[WIDTH] = (uint64_t)sent; /* the longest that got through */
    }
}

/* Sends what is due. Returns when the next datagram is due. */
static uint64_t relay_release(struct relay *r, uint64_t now_ns)
{
    while (r->first && r->first->due_ns <= now_ns) {
        struct datagram *g = r->first;
        r->first = g->after;
        *(g->after ? &g->after->before : &r->last) = NULL;
        r->held--;
        if (r->cut[g->direction]) {
            r->counters[CUT]++;
        } else {
            relay_send(r, g);
        }
        free(g);
    }
    return r->first ? r->first->due_ns : UINT64_MAX;
}

/* Points a path at the target. If that fails, the path sends nothing, and the relay counts that as
 * unsent. */
static void relay_aim(const struct relay *r, const struct path *p)
{
    if (r->target.len) {
        (void)!connect(p->fd, (const struct sockaddr *)&r->target.at, r->target.len);
    }
}

/* Returns the path of a source address, and makes it if it is new. Returns NULL if there are too
 * many paths or no descriptors left. */
static struct path *relay_path(struct relay *r, const struct address *source)
{
    struct path *p;

    for (size_t i = 0; i < r->path_count; i++) {
        p = &r->paths[i];
        if (p->source.len == source->len && memcmp(&p->source.at, &source->at, source->len) == 0) {
            return p;
        }
    }
    if (r->path_count == RELAY_PATHS) {
        return NULL;
    }
    p = &r->paths[r->path_count];
    p->source = *source;
    p->fd = relay_socket(NULL, r->target.len ? r->target.at.ss_family : source->at.ss_family);
    if (p->fd < 0) {
        return NULL;
    }
    r->path_count++;
    relay_aim(r, p);
    return p;
}

/* Reads a socket: that of path p, or the relay's own if p is NULL. */
static void relay_read(struct relay *r, struct path *p)
{
    for (int i = 0; i < RELAY_BATCH; i++) {
        struct address from = { .len = sizeof(from.at) };
        ssize_t got = recvfrom(p ? p->fd : r->fd, r->bytes, sizeof(r->bytes), 0,
                               (struct sockaddr *)&from.at, &from.len);
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got >= 0) { /* else it is an ICMP error of an earlier send */
            relay_take(r, p ? p : relay_path(r, &from), p ? OUT : IN, (size_t)got, relay_now_ns());
        }
    }
}

/* ---- control ---- */

bool relay_set(struct relay *r, const char *name, const char *value)
{
    char *end;
    double number = strtod(value, &end);

    if (strcmp(name, "to") == 0) {
        if (!relay_parse(value, &r->target)) {
            return false;
        }
        for (size_t i = 0; i < r->path_count; i++) {
            relay_aim(r, &r->paths[i]);
        }
        return true;
    }
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(name, relay_setting_names[i]) == 0 && end > value && !*end && number >= 0) {
            r->settings[i] = number;
            return true;
        }
    }
    return false;
}

void relay_print_counters(const struct relay *r, FILE *out)
{
    for (int i = 0; i < COUNTERS; i++) {
        fprintf(out, "%s %llu%s", relay_counter_names[i], (unsigned long long)r->counters[i],
                i + 1 < COUNTERS ? " " : "\n");
    }
}

void relay_cut(struct relay *r, bool in, bool out)
{
    r->cut[IN] = in;
    r->cut[OUT] = out;
}

int relay_run(struct relay *r, int control, bool (*obey)(void *context), void *context)
{
    struct pollfd fds[2 + RELAY_PATHS];

    for (;;) {
        uint64_t now_ns = relay_now_ns(), next_ns = relay_release(r, now_ns);
        uint64_t wait_ns = next_ns - now_ns;
        const struct timespec wait = { .tv_sec = (time_t)(wait_ns / 1000000000),
                                       .tv_nsec = (long)(wait_ns % 1000000000) };
        size_t paths = r->path_count;
        fds[0] = (struct pollfd){ .fd = control, .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = r->fd, .events = POLLIN };
        for (size_t i = 0; i < paths; i++) {
            fds[2 + i] = (struct pollfd){ .fd = r->paths[i].fd, .events = POLLIN };
        }
        if (ppoll(fds, 2 + paths, next_ns == UINT64_MAX ? NULL : &wait, NULL) < 0) {
            return -1;
        }
        if (fds[0].revents && !obey(context)) {
            return 0;
        }
        if (fds[1].revents) {
            relay_read(r, NULL);
        }
        for (size_t i = 0; i < paths; i++) {
            if (fds[2 + i].revents) {
                relay_read(r, &r->paths[i]);
            }
        }
    }
}
