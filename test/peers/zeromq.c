/* zeromq: ZeroMQ over TCP as a peer: a DEALER socket a worker at either end, its I/O thread, its
 * defaults, no CURVE: neither encrypted nor authenticated. A reply is two frames, the sender that
 * it is for and the message; so is a message of the closed loop, whose payload names nobody. */
#include "peer.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define BATCH 128 /* replies of one worker before the next one's turn */

struct link {
    bool closed;
    uint32_t workers;
    void *socket[BENCH_WORKERS_MAX];
    zmq_pollitem_t item[BENCH_WORKERS_MAX];
    char data[BENCH_PAYLOAD_MAX];
};

static void zeromq_must(bool fine, const char *what)
{
    if (!fine) {
        errx(1, "%s: %s", what, zmq_strerror(zmq_errno()));
    }
}

static void zeromq_send(void *socket, const void *data, size_t len, int flags)
{
    zeromq_must(zmq_send(socket, data, len, flags) >= 0, "send");
}

static void zeromq_work(const struct peer_run *r, uint32_t worker, int ready)
{
    void *socket = zmq_socket(zmq_ctx_new(), ZMQ_DEALER);
    char at[64], *data = malloc(BENCH_PAYLOAD_MAX);
    size_t at_size = sizeof(at);

    (void)worker;
    zeromq_must(data && socket && zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "bind");
    zeromq_must(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, at, &at_size) == 0, "endpoint");
    peer_ready(ready, (uint16_t)atoi(strrchr(at, ':') + 1));
    while (true) {
        if (r->closed) {
            char name[SENDER_NAME];
            zeromq_must(zmq_recv(socket, name, sizeof(name), 0) == SENDER_NAME, "receive");
            int len = zmq_recv(socket, data, BENCH_PAYLOAD_MAX, 0);
            zeromq_must(len >= 0, "receive");
            zeromq_send(socket, name, sizeof(name), ZMQ_SNDMORE);
            zeromq_send(socket, data, (size_t)len, 0);
        } else {
            zeromq_must(zmq_recv(socket, data, BENCH_PAYLOAD_MAX, 0) == MESSAGE_SIZE, "receive");
            zeromq_send(socket, data + MESSAGE_SIZE - SENDER_NAME, SENDER_NAME, ZMQ_SNDMORE);
            zeromq_send(socket, data, MESSAGE_SIZE, 0);
        }
    }
}

static void *zeromq_open(const struct peer_run *r)
{
    struct link *l = calloc(1, sizeof(*l));
    void *context = zmq_ctx_new();

    if (!l || !context) {
        errx(1, "no memory");
    }
    l->closed = r->closed;
    l->workers = r->workers;
    for (uint32_t i = 0; i < r->workers; i++) {
        char at[64];
        snprintf(at, sizeof(at), "tcp://127.0.0.1:%u", r->port[i]);
        l->socket[i] = zmq_socket(context, ZMQ_DEALER);
        zeromq_must(l->socket[i] && zmq_connect(l->socket[i], at) == 0, "connect");
        l->item[i] = (zmq_pollitem_t){ .socket = l->socket[i], .events = ZMQ_POLLIN };
    }
    usleep(200000); /* a connect is done in the background */
    return l;
}

static bool zeromq_message(void *link, uint32_t worker, const char *sender, const void *data,
                           size_t len)
{
    struct link *l = link;
    void *socket = l->socket[worker];

    const void *first = l->closed ? sender : data;
    if (zmq_send(socket, first, l->closed ? SENDER_NAME : len,
                 ZMQ_DONTWAIT | (l->closed ? ZMQ_SNDMORE : 0)) < 0) {
        zeromq_must(zmq_errno() == EAGAIN, "send");
        return false;
    }
    if (l->closed) { /* the first frame has made room for both */
        zeromq_send(socket, data, len, 0);
    }
    return true;
}

static void zeromq_receive(void *link, struct hub *h)
{
    struct link *l = link;
    char name[SENDER_NAME];
    bool any = false;

    while (!any) {
        for (uint32_t i = 0; i < l->workers; i++) {
            for (int n = 0; n < BATCH; n++) {
                int len = zmq_recv(l->socket[i], name, sizeof(name), ZMQ_DONTWAIT);
                if (len < 0) {
                    zeromq_must(zmq_errno() == EAGAIN, "receive");
                    break;
                }
                zeromq_must(len == SENDER_NAME, "reply");
                len = zmq_recv(l->socket[i], l->data, sizeof(l->data), 0);
                zeromq_must(len >= 0, "receive");
                hub_reply(h, name, l->data, (size_t)len);
                any = true;
            }
        }
        if (!any && zmq_poll(l->item, (int)l->workers, PEER_WAIT_MS) == 0) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    static const struct peer zeromq = { .name = "zeromq",
                                        .work = zeromq_work,
                                        .open = zeromq_open,
                                        .send = zeromq_message,
                                        .receive = zeromq_receive };
    return peer_main(argc, argv, &zeromq);
}
