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
/* When the next address of a host is tried if the one before has not answered (RFC 8305, 5). */
#define NEXT_NS ((uint64_t)250000000)
#define AT_ONCE 64 /* links in client_link_step_all */

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
    uint64_t own_ns = endpoint_now_ns() + (uint64_t)l->timeout_ms * 1000000;

    return l->deadline_ns && l->deadline_ns < own_ns ? l->deadline_ns : own_ns;
}

const char *client_link_seconds(const struct client_link *l, char text[16])
{
    snprintf(text, 16, "%g s", l->timeout_ms / 1000.0);
    return text;
}

/* ---- the connection ---- */

/* The first address that answers is the one. */
static int on_ready(void *context, struct conn *conn)
{
    struct client_dial *d = context;
    struct client_link *l = d->link;
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

    if (l->won) {
        return RUSM_ECLOSED;
    }
    l->won = d;
    return peer_new(&l->peer, &options);
}

/* Of addresses that do not answer, the last one's end counts. A node that refuses us is the node
 * that was meant. */
static void on_closed(void *context, struct conn *conn, const struct conn_end *end)
{
    struct client_dial *d = context;
    struct client_link *l = d->link;

    (void)conn;
    d->conn = NULL;
    if (l->won && l->won != d) {
        return;
    }
    l->end = *end;
    l->error = 0;
    if (l->won || end->kind == CONN_END_REFUSED || end->kind == CONN_END_PEER) {
        peer_free(l->peer);
        l->peer = NULL;
        l->over = true;
    }
}

static void dial_end(struct client_dial *d)
{
    endpoint_free(d->endpoint);
    d->endpoint = NULL;
    d->conn = NULL;
}

static void link_end(struct client_link *l)
{
    if (l->peer) {
        peer_free(l->peer);
        l->peer = NULL;
    }
    for (size_t i = 0; i < l->at_next; i++) {
        dial_end(&l->dials[i]);
    }
    lookup_free(l->lookup);
    l->lookup = NULL;
    l->won = NULL;
    l->at_count = l->at_next = 0;
    if (l->watch_fd >= 0) {
        close(l->watch_fd);
        l->watch_fd = -1;
    }
}

/* Dials the next of the host's addresses. Returns 0 or an error. */
static int dial_next(struct client_link *l)
{
    const struct resolved *to = &l->at[l->at_next];
    struct client_dial *d = &l->dials[l->at_next++];
    uint64_t now_ns = endpoint_now_ns();
    struct sockaddr_storage any = { .ss_family = to->address.ss_family };
    struct endpoint_events events = { .ready = on_ready, .closed = on_closed };
    struct endpoint_options options = {
        .bind = (const struct sockaddr *)&any,
        .bind_len = to->len,
        .identity = l->identity,
        .reset_context = "",
        .handshake_timeout_ns = l->until_ns > now_ns ? l->until_ns - now_ns : 1,
        .stream_window = LIMIT_LANE_WINDOW,
        .control_window = CONTROL_WINDOW,
        .max_streams_uni = STREAMS,
        .max_connections = 1,
        .max_half_open = 1,
    };

    *d = (struct client_dial){ .link = l };
    l->next_ns = now_ns + NEXT_NS;
    peer_idle_options(&options, LIMIT_IDLE_TIMEOUT_NS);
    peer_fill_events(&events);
    l->error = endpoint_new(&d->endpoint, &options, &events, d, &l->why);
    if (l->error) {
        return l->error;
    }
    l->error =
        endpoint_dial(d->endpoint, (const struct sockaddr *)&to->address, to->len, NULL, &d->conn);
    if (l->error) {
        dial_end(d);
        err_why(&l->why, l->error, "cannot dial %s: %s", l->to->address, rusm_strerror(l->error));
    }
    return l->error;
}

int client_link_dial(struct client_link *l, uint64_t deadline_ns, struct rusm_why *why)
{
    link_end(l);
    l->over = l->ready = false;
    l->name[0] = '\0';
    l->error = 0;
    l->end = (struct conn_end){ .kind = CONN_END_TIMEOUT };
    l->until_ns = deadline_ns;
    int error = lookup_new(&l->lookup, l->to->address);
    if (error) {
        l->over = true;
        return err_why(why, error, "cannot look up %s: %s", l->to->address, rusm_strerror(error));
    }
    return 0;
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
    for (size_t i = 0; i < l->at_next; i++) {
        struct client_dial *d = &l->dials[i];
        while (d->endpoint && endpoint_flush(d->endpoint, &d->blocked) && !d->blocked) {}
    }
}

/* Takes the addresses that were looked up. */
static void link_found(struct client_link *l)
{
    int n = lookup_result(l->lookup, l->at, &l->why);

    lookup_free(l->lookup);
    l->lookup = NULL;
    l->at_count = n > 0 ? (size_t)n : 0;
    l->error = n < 0 ? n : 0;
    l->next_ns = 0;
}

/* Forgets the addresses that did not answer, and tries the next one when it is time or nobody is
 * left. Ends the link if there is no other. */
static void link_try(struct client_link *l, uint64_t now_ns)
{
    bool any = false;

    for (size_t i = 0; i < l->at_next; i++) {
        struct client_dial *d = &l->dials[i];
        if (d->endpoint && (!d->conn || (l->won && l->won != d))) {
            dial_end(d);
        }
        any = any || d->endpoint;
    }
    while (!l->won && l->at_next < l->at_count && (!any || now_ns >= l->next_ns)) {
        any = dial_next(l) == 0 || any;
    }
    l->over = l->over || !any;
}

static void link_tick(struct client_link *l)
{
    uint64_t now_ns = endpoint_now_ns();

    if (l->lookup && lookup_done(l->lookup)) {
        link_found(l);
    }
    for (size_t i = 0; i < l->at_next; i++) {
        if (l->dials[i].endpoint) {
            endpoint_tick(l->dials[i].endpoint, now_ns);
        }
    }
    if (l->peer) {
        peer_run(l->peer, now_ns);
    }
    if (l->peer && now_ns - l->ticked_ns >= TICK_NS) {
        l->ticked_ns = now_ns;
        peer_tick(l->peer, now_ns);
        blocks_tick(&l->pools.blocks);
    }
    l->stepped_ns = now_ns;
    if (!l->over && !l->lookup) {
        link_try(l, now_ns);
    }
    client_link_flush(l);
}

/* Reads what has come: all of it, or a fair part. */
static void link_receive(struct client_link *l, bool all)
{
    for (size_t i = 0; i < l->at_next; i++) {
        struct client_dial *d = &l->dials[i];
        while (d->endpoint && endpoint_receive(d->endpoint) && all) {}
    }
}

void client_link_poll(struct client_link *l)
{
    if (l->over) {
        return;
    }
    link_receive(l, true);
    link_tick(l);
}

/* Sends what is queued and fills in what to wait for: up to LOOKUP_ADDRESSES descriptors, which it
 * adds to *count. Returns the time of the next timer. */
static uint64_t link_prepare(struct client_link *l, struct pollfd *fds, size_t *count)
{
    uint64_t now_ns = endpoint_now_ns(), next_ns = now_ns + TICK_NS;

    client_link_flush(l);
    if (l->lookup) {
        fds[(*count)++] = (struct pollfd){ .fd = lookup_fd(l->lookup), .events = POLLIN };
    }
    for (size_t i = 0; i < l->at_next; i++) {
        const struct client_dial *d = &l->dials[i];
        if (d->endpoint) {
            /* link_try is to see at once that one has ended. */
            uint64_t wake_ns = d->conn ? endpoint_next_ns(d->endpoint) : now_ns;
            fds[(*count)++] =
                (struct pollfd){ .fd = endpoint_fd(d->endpoint),
                                 .events = (short)(POLLIN | (d->blocked ? POLLOUT : 0)) };
            next_ns = wake_ns < next_ns ? wake_ns : next_ns;
        }
    }
    if (!l->won && l->at_next < l->at_count && l->next_ns < next_ns) {
        next_ns = l->next_ns;
    }
    return next_ns;
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
    struct pollfd fds[LOOKUP_ADDRESSES + 1] = { { .fd = l->watch_fd, .events = POLLIN } };
    size_t count = 1;

    if (l->over) {
        return RUSM_ENOCONN;
    }
    if (endpoint_now_ns() >= deadline_ns) {
        return RUSM_ETIMEOUT;
    }
    uint64_t until_ns = link_prepare(l, fds, &count);
    if (!l->over) { /* the flush may have ended the connection */
        link_wait(fds, count, until_ns < deadline_ns ? until_ns : deadline_ns);
        link_receive(l, false);
    }
    link_tick(l);
    if (!l->over && fds[0].revents) {
        link_process_gone(l);
    }
    return l->over ? RUSM_ENOCONN : 0;
}

void client_link_step_all(struct client_link **links, size_t count, uint64_t deadline_ns)
{
    struct pollfd fds[AT_ONCE * LOOKUP_ADDRESSES];
    size_t n = 0;

    count = count < AT_ONCE ? count : AT_ONCE;
    for (size_t i = 0; i < count; i++) {
        uint64_t until_ns = link_prepare(links[i], fds, &n);
        deadline_ns = until_ns < deadline_ns ? until_ns : deadline_ns;
        deadline_ns = links[i]->over ? 0 : deadline_ns;
    }
    link_wait(fds, n, deadline_ns);
    for (size_t i = 0; i < count; i++) {
        if (!links[i]->over) {
            link_receive(links[i], false);
        }
        link_tick(links[i]);
    }
}
