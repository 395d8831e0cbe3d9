/* client_link: a client's connection: dialling, stepping, and why it is over. See client.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/err.h"
#include "client/client.h"

#define TICK_NS ((uint64_t)1000000000)
/* The control stream's credit: a table's replies arrive while a terminal takes its rows. */
#define CONTROL_WINDOW ((uint64_t)1024 * 1024)
#define STREAMS 1024 /* reply lanes: one a process that answers us */

/* ---- the connection ---- */

static int on_ready(void *context, struct conn *conn)
{
    struct rusm_client *c = context;
    const struct peer_options options = {
        .conn = conn,
        .events = &client_peer_events,
        .context = c,
        .hello = { .version = CONTROL_VERSION,
                   .role = HELLO_CLIENT,
                   .flags = HELLO_HOLDS_NONE,
                   .incarnation = c->incarnation,
                   .max_message = RUSM_MESSAGE_MAX,
                   .name = "",
                   .advertise = "" },
        .budget = &c->budget,
        .pools = &c->pools,
        .seed = c->seed,
        .now_ns = endpoint_now_ns(),
    };

    return peer_new(&c->peer, &options);
}

static void on_closed(void *context, struct conn *conn, const struct conn_end *end)
{
    struct rusm_client *c = context;

    (void)conn;
    peer_free(c->peer);
    c->peer = NULL;
    c->conn = NULL;
    c->end = *end;
    c->over = true;
}

static void endpoint_drop(struct rusm_client *c)
{
    if (c->peer) {
        peer_free(c->peer);
        c->peer = NULL;
    }
    endpoint_free(c->endpoint);
    c->endpoint = NULL;
    c->conn = NULL;
    if (c->watch_fd >= 0) {
        close(c->watch_fd);
        c->watch_fd = -1;
    }
}

/* Dials the next of the host's addresses; those left share the time. */
static int dial_next(struct rusm_client *c, struct rusm_why *why)
{
    const struct resolved *to = &c->at[c->at_next];
    uint64_t now_ns = endpoint_now_ns();
    uint64_t left_ns = c->dial_until_ns > now_ns ? c->dial_until_ns - now_ns : 1;
    struct sockaddr_storage any = { .ss_family = to->address.ss_family };
    struct endpoint_events events = { .ready = on_ready, .closed = on_closed };
    const struct endpoint_options options = {
        .bind = (const struct sockaddr *)&any,
        .bind_len = to->len,
        .identity = c->identity,
        .reset_context = "",
        .idle_timeout_ns = LIMIT_IDLE_TIMEOUT_NS,
        .keep_alive_ns = LIMIT_KEEP_ALIVE_NS,
        .handshake_timeout_ns = left_ns / (c->at_count - c->at_next),
        .idle_code = CLOSE_TIMEOUT,
        .stream_window = LIMIT_LANE_WINDOW,
        .control_window = CONTROL_WINDOW,
        .max_streams_uni = STREAMS,
        .max_connections = 1,
        .max_half_open = 1,
    };

    endpoint_drop(c);
    c->at_next++;
    c->over = c->ready = false;
    c->node[0] = '\0';
    peer_fill_events(&events);
    int error = endpoint_new(&c->endpoint, &options, &events, c, why);
    if (error) {
        return error;
    }
    error =
        endpoint_dial(c->endpoint, (const struct sockaddr *)&to->address, to->len, NULL, &c->conn);
    return error ? err_why(why, error, "cannot dial %s: %s", c->address, rusm_strerror(error)) : 0;
}

int link_dial(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    int n = resolve(c->address, false, c->at, CLIENT_ADDRESSES, why);

    if (n < 0) {
        return n;
    }
    c->at_count = (size_t)n;
    c->at_next = 0;
    c->dial_until_ns = deadline_ns;
    return dial_next(c, why);
}

void link_drop(struct rusm_client *c)
{
    if (c->peer) {
        peer_close(c->peer, CLOSE_NONE, "");
        link_flush(c);
    }
    endpoint_drop(c);
    c->over = true;
    c->ready = false;
}

/* ---- stepping ---- */

void link_flush(struct rusm_client *c)
{
    /* Many bursts may be allowed at once; the socket or the window ends it. */
    while (c->endpoint && endpoint_flush(c->endpoint, &c->blocked) && !c->blocked) {}
}

static void link_turn(struct rusm_client *c)
{
    uint64_t now_ns = endpoint_now_ns();

    endpoint_tick(c->endpoint, now_ns);
    if (c->peer) {
        peer_turn(c->peer, now_ns);
    }
    if (c->peer && now_ns - c->ticked_ns >= TICK_NS) {
        c->ticked_ns = now_ns;
        peer_tick(c->peer, now_ns);
        blocks_tick(&c->pools.blocks);
    }
    link_flush(c);
    c->stepped_ns = now_ns;
    /* The host may have another address where somebody answers. */
    if (c->over && !c->ready && c->end.kind != CONN_END_REFUSED && c->end.kind != CONN_END_PEER &&
        c->end.kind != CONN_END_LOCAL && c->at_next < c->at_count) {
        c->over = dial_next(c, NULL) != 0;
        link_flush(c);
    }
}

void link_poll(struct rusm_client *c)
{
    if (!c->endpoint || c->over) {
        return;
    }
    while (endpoint_receive(c->endpoint)) {}
    link_turn(c);
}

/* Sends what there is; fills in what to wait for. */
static uint64_t link_prepare(struct rusm_client *c, struct pollfd *fd)
{
    link_flush(c);
    uint64_t wake_ns = endpoint_next_ns(c->endpoint), tick_ns = endpoint_now_ns() + TICK_NS;
    *fd = (struct pollfd){ .fd = endpoint_fd(c->endpoint),
                           .events = (short)(POLLIN | (c->blocked ? POLLOUT : 0)) };
    return wake_ns < tick_ns ? wake_ns : tick_ns;
}

/* Descriptors of -1 are passed over. */
static void link_wait(struct pollfd *fds, size_t count, uint64_t until_ns)
{
    uint64_t now_ns = endpoint_now_ns(), ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec timeout = { .tv_sec = (time_t)(ns / 1000000000),
                                      .tv_nsec = (long)(ns % 1000000000) };

    ppoll(fds, (nfds_t)count, &timeout, NULL); /* a signal only makes it shorter */
}

void link_watch(struct rusm_client *c)
{
    if (c->os_pid > 0) {
        c->watch_fd = (int)syscall(SYS_pidfd_open, (pid_t)c->os_pid, 0);
    }
}

/* That process has ended. What the node said before still counts. */
static void link_process_gone(struct rusm_client *c)
{
    close(c->watch_fd);
    c->watch_fd = -1;
    if (client_node_runs(c)) {
        return; /* it was not the node's: pids of different namespaces */
    }
    link_poll(c);
    if (!c->over) {
        endpoint_drop(c);
        c->end = (struct conn_end){ .kind = CONN_END_ERROR, .text = "its process is gone" };
        c->over = true;
    }
}

int link_step(struct rusm_client *c, uint64_t deadline_ns)
{
    struct pollfd fds[2] = { [1] = { .fd = c->watch_fd, .events = POLLIN } };

    if (c->over || !c->endpoint) {
        return RUSM_ENOCONN;
    }
    if (endpoint_now_ns() >= deadline_ns) {
        return RUSM_ETIMEOUT;
    }
    uint64_t until_ns = link_prepare(c, &fds[0]);
    if (!c->over) { /* the flush may have brought the end */
        link_wait(fds, 2, until_ns < deadline_ns ? until_ns : deadline_ns);
        endpoint_receive(c->endpoint);
    }
    link_turn(c);
    if (!c->over && fds[1].revents) {
        link_process_gone(c);
    }
    return c->over ? RUSM_ENOCONN : 0;
}

void link_step_all(struct rusm_client **clients, size_t count, uint64_t deadline_ns)
{
    struct pollfd fds[64];
    size_t n = 0;

    count = count < 64 ? count : 64;
    for (size_t i = 0; i < count; i++) {
        uint64_t until_ns = link_prepare(clients[i], &fds[n++]);
        deadline_ns = until_ns < deadline_ns ? until_ns : deadline_ns;
        deadline_ns = clients[i]->over ? 0 : deadline_ns;
    }
    link_wait(fds, n, deadline_ns);
    for (size_t i = 0; i < count; i++) {
        if (!clients[i]->over) {
            endpoint_receive(clients[i]->endpoint);
        }
        link_turn(clients[i]);
    }
}

/* ---- why ---- */

static const char *whom(const struct rusm_client *c, char text[RUSM_ADDRESS_MAX + 64])
{
    snprintf(text, RUSM_ADDRESS_MAX + 64, "%s%s%s", c->expected, c->expected[0] ? " at " : "",
             c->address);
    return text;
}

int link_why_dial(const struct rusm_client *c, struct rusm_why *why)
{
    char who[RUSM_ADDRESS_MAX + 64], seconds[16];

    whom(c, who);
    if (c->node[0] && c->expected[0] && strcmp(c->node, c->expected) != 0) {
        return err_why(why, RUSM_ENOCONN, "the node at %s is '%s', not '%s'", c->address, c->node,
                       c->expected);
    }
    if (!c->over) {
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: no answer within %s", who,
                       client_seconds(c, seconds));
    }
    switch (c->end.kind) {
    case CONN_END_REFUSED:
        return err_why(why, RUSM_EREFUSED,
                       "%s refused: it does not share the cluster certificate in %s", who,
                       c->identity_path);
    case CONN_END_UNREACHABLE:
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: nobody listens there", who);
    case CONN_END_TIMEOUT:
    case CONN_END_IDLE:
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: no answer within %s", who,
                       client_seconds(c, seconds));
    case CONN_END_PEER:
        return err_why(why, RUSM_ENOCONN, "%s closed the connection: %s", who,
                       close_code_text(c->end.code));
    default: return err_why(why, RUSM_ENOCONN, "cannot reach %s: %s", who, c->end.text);
    }
}

int link_why_over(const struct rusm_client *c, struct rusm_why *why)
{
    const char *cause = c->end.text;

    switch (c->end.kind) {
    case CONN_END_REFUSED: return link_why_dial(c, why);
    case CONN_END_PEER:
        cause = c->end.code == CLOSE_NONE ? "it has left" : close_code_text(c->end.code);
        break;
    case CONN_END_IDLE: cause = "it does not answer any more"; break;
    case CONN_END_RESET: cause = "it has forgotten us, as after a restart"; break;
    default: break;
    }
    return err_why(why, RUSM_ENOCONN, "the connection to %s was lost: %s", c->node, cause);
}
