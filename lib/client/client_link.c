/* client_link: see the header. */
#include "client/client_link.h"
#include "peer/limits.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/err.h"
#include "base/rng.h"

#define TICK_NS ((uint64_t)1000000000)
/* Credit of the control stream, so that replies arrive while a terminal prints a table's rows. */
#define CONTROL_WINDOW ((uint64_t)1024 * 1024)
#define STREAMS 1024 /* lanes from the node, one for each process that replies */

int client_link_init(struct client_link *l, const struct client_node *to, uint32_t timeout_ms,
                     const struct peer_events *events, void *context)
{
    l->to = to;
    l->timeout_ms = timeout_ms;
    l->events = events;
    l->context = context;
    l->over = true;
    l->watch_fd = -1;
    lane_pools_init(&l->pools);
    lane_budget_init(&l->budget, 1);
    int error = rng_secret(&l->seed, sizeof(l->seed));
    if (!error) {
        error = rng_secret(&l->incarnation, sizeof(l->incarnation));
    }
    l->incarnation |= 1; /* never 0 */
    return error;
}

void client_link_fini(struct client_link *l)
{
    client_link_drop(l);
    lane_pools_fini(&l->pools);
}

uint64_t client_link_deadline(const struct client_link *l)
{
    return endpoint_now_ns() + (uint64_t)l->timeout_ms * 1000000;
}

const char *client_link_seconds(const struct client_link *l, char text[16])
{
    snprintf(text, 16, "%g s", l->timeout_ms / 1000.0);
    return text;
}

/* ---- the connection ---- */

static int on_ready(void *context, struct conn *conn)
{
    struct client_link *l = context;
    const struct peer_options options = {
        .conn = conn,
        .events = l->events,
        .context = l->context,
        .hello = { .version = CONTROL_VERSION,
                   .role = HELLO_CLIENT,
                   .flags = HELLO_HOLDS_NONE,
                   .incarnation = l->incarnation,
                   .max_message = RUSM_MESSAGE_MAX,
                   .name = "",
                   .advertise = "" },
        .budget = &l->budget,
        .pools = &l->pools,
        .seed = l->seed,
        .now_ns = endpoint_now_ns(),
    };

    return peer_new(&l->peer, &options);
}

static void on_closed(void *context, struct conn *conn, const struct conn_end *end)
{
    struct client_link *l = context;

    (void)conn;
    peer_free(l->peer);
    l->peer = NULL;
    l->conn = NULL;
    l->end = *end;
    l->over = true;
}

static void link_end(struct client_link *l)
{
    if (l->peer) {
        peer_free(l->peer);
        l->peer = NULL;
    }
    endpoint_free(l->endpoint);
    l->endpoint = NULL;
    l->conn = NULL;
    if (l->watch_fd >= 0) {
        close(l->watch_fd);
        l->watch_fd = -1;
    }
}

/* Dials the next of the host's addresses. The addresses that are left share the time that is left.
 * Returns 0 or an error. */
static int dial_next(struct client_link *l, struct rusm_why *why)
{
    const struct resolved *to = &l->at[l->at_next];
    uint64_t now_ns = endpoint_now_ns();
    uint64_t left_ns = l->dial_until_ns > now_ns ? l->dial_until_ns - now_ns : 1;
    struct sockaddr_storage any = { .ss_family = to->address.ss_family };
    struct endpoint_events events = { .ready = on_ready, .closed = on_closed };
    struct endpoint_options options = {
        .bind = (const struct sockaddr *)&any,
        .bind_len = to->len,
        .identity = l->identity,
        .reset_context = "",
        .handshake_timeout_ns = left_ns / (l->at_count - l->at_next),
        .stream_window = LIMIT_LANE_WINDOW,
        .control_window = CONTROL_WINDOW,
        .max_streams_uni = STREAMS,
        .max_connections = 1,
        .max_half_open = 1,
    };

    peer_idle_options(&options, LIMIT_IDLE_TIMEOUT_NS);
    link_end(l);
    l->at_next++;
    l->over = l->ready = false;
    l->name[0] = '\0';
    peer_fill_events(&events);
    int error = endpoint_new(&l->endpoint, &options, &events, l, why);
    if (error) {
        return error;
    }
    error =
        endpoint_dial(l->endpoint, (const struct sockaddr *)&to->address, to->len, NULL, &l->conn);
    return error ? err_why(why, error, "cannot dial %s: %s", l->to->address, rusm_strerror(error))
                 : 0;
}

int client_link_dial(struct client_link *l, uint64_t deadline_ns, struct rusm_why *why)
{
    int n = resolve(l->to->address, false, l->at, CLIENT_LINK_ADDRESSES, why);

    if (n < 0) {
        return n;
    }
    l->at_count = (size_t)n;
    l->at_next = 0;
    l->dial_until_ns = deadline_ns;
    return dial_next(l, why);
}

void client_link_drop(struct client_link *l)
{
    if (l->peer) {
        peer_close(l->peer, CLOSE_NONE, "");
        client_link_flush(l);
    }
    link_end(l);
    l->over = true;
    l->ready = false;
}

/* ---- stepping ---- */

void client_link_flush(struct client_link *l)
{
    /* endpoint_flush writes one burst. Go on until the socket or the window is full. */
    while (l->endpoint && endpoint_flush(l->endpoint, &l->blocked) && !l->blocked) {}
}

static void link_tick(struct client_link *l)
{
    uint64_t now_ns = endpoint_now_ns();

    endpoint_tick(l->endpoint, now_ns);
    if (l->peer) {
        peer_run(l->peer, now_ns);
    }
    if (l->peer && now_ns - l->ticked_ns >= TICK_NS) {
        l->ticked_ns = now_ns;
        peer_tick(l->peer, now_ns);
        blocks_tick(&l->pools.blocks);
    }
    client_link_flush(l);
    l->stepped_ns = now_ns;
    /* A host name may have several addresses. Try the next one if nobody answered at this one. */
    if (l->over && !l->ready && l->end.kind != CONN_END_REFUSED && l->end.kind != CONN_END_PEER &&
        l->end.kind != CONN_END_LOCAL && l->at_next < l->at_count) {
        l->over = dial_next(l, NULL) != 0;
        client_link_flush(l);
    }
}

void client_link_poll(struct client_link *l)
{
    if (!l->endpoint || l->over) {
        return;
    }
    while (endpoint_receive(l->endpoint)) {}
    link_tick(l);
}

/* Sends what is queued and fills in what to wait for. Returns the time of the next timer. */
static uint64_t link_prepare(struct client_link *l, struct pollfd *fd)
{
    client_link_flush(l);
    uint64_t wake_ns = endpoint_next_ns(l->endpoint), tick_ns = endpoint_now_ns() + TICK_NS;
    *fd = (struct pollfd){ .fd = endpoint_fd(l->endpoint),
                           .events = (short)(POLLIN | (l->blocked ? POLLOUT : 0)) };
    return wake_ns < tick_ns ? wake_ns : tick_ns;
}

/* Waits for one of the descriptors or the time. poll ignores descriptors of -1. */
static void link_wait(struct pollfd *fds, size_t count, uint64_t until_ns)
{
    uint64_t now_ns = endpoint_now_ns(), ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec timeout = { .tv_sec = (time_t)(ns / 1000000000),
                                      .tv_nsec = (long)(ns % 1000000000) };

    ppoll(fds, (nfds_t)count, &timeout, NULL); /* a signal only makes the wait shorter */
}

void client_link_watch(struct client_link *l)
{
    if (l->to->os_pid > 0) {
        l->watch_fd = (int)syscall(SYS_pidfd_open, (pid_t)l->to->os_pid, 0);
    }
}

/* Handles the end of the node's OS process. What the node sent before still counts. */
static void link_process_gone(struct client_link *l)
{
    close(l->watch_fd);
    l->watch_fd = -1;
    if (client_node_runs(l->to, l->name, l->incarnation_there)) {
        return; /* another OS process had that pid, as the node runs in another pid namespace */
    }
    client_link_poll(l);
    if (!l->over) {
        link_end(l);
        l->end = (struct conn_end){ .kind = CONN_END_ERROR, .text = "its process is gone" };
        l->over = true;
    }
}

int client_link_step(struct client_link *l, uint64_t deadline_ns)
{
    struct pollfd fds[2] = { [1] = { .fd = l->watch_fd, .events = POLLIN } };

    if (l->over || !l->endpoint) {
        return RUSM_ENOCONN;
    }
    if (endpoint_now_ns() >= deadline_ns) {
        return RUSM_ETIMEOUT;
    }
    uint64_t until_ns = link_prepare(l, &fds[0]);
    if (!l->over) { /* the flush may have ended the connection */
        link_wait(fds, 2, until_ns < deadline_ns ? until_ns : deadline_ns);
        endpoint_receive(l->endpoint);
    }
    link_tick(l);
    if (!l->over && fds[1].revents) {
        link_process_gone(l);
    }
    return l->over ? RUSM_ENOCONN : 0;
}

void client_link_step_all(struct client_link **links, size_t count, uint64_t deadline_ns)
{
    struct pollfd fds[64];
    size_t n = 0;

    count = count < 64 ? count : 64;
    for (size_t i = 0; i < count; i++) {
        uint64_t until_ns = link_prepare(links[i], &fds[n++]);
        deadline_ns = until_ns < deadline_ns ? until_ns : deadline_ns;
        deadline_ns = links[i]->over ? 0 : deadline_ns;
    }
    link_wait(fds, n, deadline_ns);
    for (size_t i = 0; i < count; i++) {
        if (!links[i]->over) {
            endpoint_receive(links[i]->endpoint);
        }
        link_tick(links[i]);
    }
}

/* ---- texts of errors ---- */

static const char *link_text(const struct client_link *l, char text[RUSM_ADDRESS_MAX + 64])
{
    snprintf(text, RUSM_ADDRESS_MAX + 64, "%s%s%s", l->to->expected,
             l->to->expected[0] ? " at " : "", l->to->address);
    return text;
}

int client_link_why_dial(const struct client_link *l, struct rusm_why *why)
{
    char who[RUSM_ADDRESS_MAX + 64], seconds[16];

    link_text(l, who);
    if (l->name[0] && l->to->expected[0] && strcmp(l->name, l->to->expected) != 0) {
        return err_why(why, RUSM_ENOCONN, "the node at %s is '%s', not '%s'", l->to->address,
                       l->name, l->to->expected);
    }
    if (!l->over) {
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: no answer within %s", who,
                       client_link_seconds(l, seconds));
    }
    switch (l->end.kind) {
    case CONN_END_REFUSED:
        return err_why(why, RUSM_EREFUSED,
                       "%s refused: it does not share the cluster certificate in %s", who,
                       l->to->identity_path);
    case CONN_END_UNREACHABLE:
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: nobody listens there", who);
    case CONN_END_TIMEOUT:
    case CONN_END_IDLE:
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: no answer within %s", who,
                       client_link_seconds(l, seconds));
    case CONN_END_PEER:
        return err_why(why, RUSM_ENOCONN, "%s closed the connection: %s", who,
                       close_code_text(l->end.code));
    default: return err_why(why, RUSM_ENOCONN, "cannot reach %s: %s", who, l->end.text);
    }
}

int client_link_why_over(const struct client_link *l, struct rusm_why *why)
{
    const char *cause = l->end.text;

    switch (l->end.kind) {
    case CONN_END_REFUSED: return client_link_why_dial(l, why);
    case CONN_END_PEER:
        cause = l->end.code == CLOSE_NONE ? "it has left" : close_code_text(l->end.code);
        break;
    case CONN_END_IDLE: cause = "it does not answer any more"; break;
    case CONN_END_RESET: cause = "it has forgotten us, as after a restart"; break;
    default: break;
    }
    return err_why(why, RUSM_ENOCONN, "the connection to %s was lost: %s", l->name, cause);
}
