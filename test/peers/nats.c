/* nats: NATS as a peer: its server in the middle, defaults, without TLS or accounts; the hub and
 * each worker one connection, in the text protocol (PUB, SUB, MSG). Worker 3 is the subject "w3", a
 * sender its name; the reply goes to the subject that the payload names, in the closed loop to the
 * message's reply subject. Written once a tick, read as it comes. */
#include "peer.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define IN_SIZE (2 * BENCH_PAYLOAD_MAX)
#define OUT_SIZE (4 * BENCH_PAYLOAD_MAX)
#define LINE 256 /* of what we write: verb, subjects, length */

struct link {
    int fd;
    bool closed;
    bool pong; /* the server's answer to our PING has come */
    size_t in_len, out_len;
    char in[IN_SIZE], out[OUT_SIZE];
};

/* What one MSG says, borrowed from the buffer; reply is NULL when there is none. */
struct nats_message {
    const char *subject, *reply;
    const char *data;
    size_t len;
};
typedef void nats_handler(struct link *l, const struct nats_message *m, void *context);

static void nats_flush(void *link)
{
    struct link *l = link;
    size_t done = 0;

    while (done < l->out_len) {
        ssize_t n = send(l->fd, l->out + done, l->out_len - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            err(1, "send to nats-server");
        }
        done += n > 0 ? (size_t)n : 0;
    }
    l->out_len = 0;
}

static void nats_write(struct link *l, const void *data, size_t len)
{
    memcpy(l->out + l->out_len, data, len); /* nats_room has been asked */
    l->out_len += len;
}

static bool nats_room(const struct link *l, size_t len)
{
    return l->out_len + len + LINE <= OUT_SIZE;
}

static void nats_say(struct link *l, const char *text)
{
    nats_write(l, text, strlen(text));
    nats_flush(l);
}

static void nats_publish(struct link *l, const char *subject, const char *reply, const void *data,
                         size_t len)
{
    char line[LINE];
    int n =
        snprintf(line, sizeof(line), "PUB %s %s%s%zu\r\n", subject, reply, *reply ? " " : "", len);

    nats_write(l, line, (size_t)n);
    nats_write(l, data, len);
    nats_write(l, "\r\n", 2);
}

/* MSG SUBJECT SID [REPLY] LEN, whose words are cut at the blanks. */
static void nats_words(char *line, struct nats_message *m)
{
    char *word[6], *rest = line;
    size_t n = 0;

    while (n < 6 && (word[n] = strsep(&rest, " \r"))) {
        n++;
    }
    if (n < 5) { /* with the empty word after the last */
        errx(1, "nats-server: %s", line);
    }
    m->subject = word[1];
    m->reply = n == 6 ? word[3] : NULL;
    m->len = strtoul(word[n == 6 ? 4 : 3], NULL, 10);
}

/* One command at `at`, up to `end`. Returns its bytes, 0 when it is not yet complete. */
static size_t nats_parse(struct link *l, char *at, const char *end, nats_handler *handler,
                         void *context)
{
    char *eol = memchr(at, '\n', (size_t)(end - at)), line[LINE];
    struct nats_message m;

    if (!eol) {
        return 0;
    }
    size_t len = (size_t)(eol + 1 - at);
    snprintf(line, sizeof(line), "%.*s", (int)len - 1, at); /* INFO is longer, and not needed */
    if (strncmp(line, "MSG ", 4) == 0) {
        nats_words(line, &m);
        m.data = eol + 1;
        if ((size_t)(end - at) < len + m.len + 2) {
            return 0;
        }
        handler(l, &m, context);
        return len + m.len + 2;
    }
    if (strncmp(line, "-ERR", 4) == 0) {
        errx(1, "nats-server: %s", line);
    }
    if (strncmp(line, "PING", 4) == 0) {
        nats_say(l, "PONG\r\n");
    }
    l->pong |= strncmp(line, "PONG", 4) == 0;
    return len;
}

/* Reads what is there, waiting for the first of it as long as the socket waits. */
static void nats_read(struct link *l, nats_handler *handler, void *context)
{
    size_t done = 0, n;
    ssize_t got = recv(l->fd, l->in + l->in_len, IN_SIZE - l->in_len, 0);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        errx(1, "nats-server went away");
    }
    l->in_len += got > 0 ? (size_t)got : 0;
    while ((n = nats_parse(l, l->in + done, l->in + l->in_len, handler, context)) > 0) {
        done += n;
    }
    l->in_len -= done;
    memmove(l->in, l->in + done, l->in_len);
}

static void nats_sync(struct link *l)
{
    l->pong = false;
    nats_say(l, "PING\r\n");
    while (!l->pong) {
        nats_read(l, NULL, NULL);
    }
}

static struct link *nats_connect(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct link *l = calloc(1, sizeof(*l));
    int one = 1, tries = 0;

    do {
        if (!l || ++tries > 500) {
            err(1, "nats-server");
        }
        if (tries > 1) {
            close(l->fd);
            usleep(10000);
        }
        l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    } while (connect(l->fd, (struct sockaddr *)&to, sizeof(to)) != 0);
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    nats_say(l, "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false}\r\n");
    nats_sync(l);
    return l;
}

/* ---- the peer
 * ---------------------------------------------------------------------------------- */

/* A free port is chosen by having it for a moment. */
static void nats_prepare(struct peer_run *r)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(at);
    char port[8];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&at, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
        err(1, "bind");
    }
    close(fd);
    r->server = ntohs(at.sin_port);
    snprintf(port, sizeof(port), "%u", r->server);
    if (peer_fork(r) == 0) {
        execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port, "-l", "/dev/null",
               (char *)NULL);
        err(1, "nats-server");
    }
    close(nats_connect(r->server)->fd); /* it listens */
}

static void worker_message(struct link *l, const struct nats_message *m, void *context)
{
    char name[SENDER_NAME + 1] = "";

    (void)context;
    if (!nats_room(l, m->len)) {
        nats_flush(l);
    }
    if (m->reply) {
        nats_publish(l, m->reply, "", m->data, m->len);
    } else if (m->len == MESSAGE_SIZE) {
        memcpy(name, m->data + MESSAGE_SIZE - SENDER_NAME, SENDER_NAME);
        nats_publish(l, name, "", m->data, m->len);
    }
}

static void nats_work(const struct peer_run *r, uint32_t worker, int ready)
{
    struct link *l = nats_connect(r->server);
    char subscribe[LINE];

    snprintf(subscribe, sizeof(subscribe), "SUB w%u 1\r\n", worker);
    nats_say(l, subscribe);
    nats_sync(l);
    peer_ready(ready, 0);
    while (true) {
        nats_read(l, worker_message, NULL);
        nats_flush(l);
    }
}

static void *nats_open(const struct peer_run *r)
{
    struct link *l = nats_connect(r->server);
    const struct timeval wait = { .tv_usec = PEER_WAIT_MS * 1000 };
    char subscribe[LINE];

    l->closed = r->closed;
    for (uint32_t i = 0; i < r->senders; i++) {
        snprintf(subscribe, sizeof(subscribe), "SUB s%08u %u\r\n", i, i + 1);
        nats_say(l, subscribe);
    }
    nats_sync(l);
    setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    return l;
}

static bool nats_message(void *link, uint32_t worker, const char *sender, const void *data,
                         size_t len)
{
    struct link *l = link;
    char subject[16];

    if (!nats_room(l, len)) {
        nats_flush(l);
    }
    snprintf(subject, sizeof(subject), "w%u", worker);
    nats_publish(l, subject, l->closed ? sender : "", data, len);
    return true;
}

static void hub_message(struct link *l, const struct nats_message *m, void *context)
{
    (void)l;
    hub_reply(context, m->subject, m->data, m->len);
}

static void nats_receive(void *link, struct hub *h)
{
    nats_read(link, hub_message, h);
}

int main(int argc, char **argv)
{
    static const struct peer nats = { .name = "nats",
                                      .prepare = nats_prepare,
                                      .work = nats_work,
                                      .open = nats_open,
                                      .send = nats_message,
                                      .flush = nats_flush,
                                      .receive = nats_receive };
    return peer_main(argc, argv, &nats);
}
