/* tcp: see the header. The listener and its connections. tcp_request.c has their requests. On the
 * gateway's thread. */
#include "gateway/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/err.h"
#include "base/limits.h"
#include "gateway/limits.h"
#include "gateway/tcp_state.h"
#include "gateway/token.h"

/* ---- connections ---- */

void tcp_conn_wait(struct tcp_conn *d)
{
    d->since_ns = d->tcp->now_ns;
    list_remove(&d->waiting);
    list_append(&d->tcp->waiting, &d->waiting);
}

void tcp_conn_close(struct tcp_conn *d)
{
    list_remove(&d->waiting);
    shutdown(d->fd, SHUT_RDWR);
    d->closing = true;
    d->tcp->run = true;
}

struct tcp_conn *tcp_conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Returns whether a client has as many connections as one client may have. There are few
 * connections, so counting them costs less than accepting one. */
static bool client_has_most(const struct tcp *t, uint64_t home)
{
    size_t count = 0;

    list_each(link, &t->conns) {
        const struct tcp_conn *d = container_of(link, struct tcp_conn, all);
        count += d->home == home && !d->closing;
    }
    return count >= t->most_each;
}

/* Closes the client's oldest connection that has not shown the token, so that a client with the
 * token gets in, whatever others at its address do. Returns false if there is none. */
static bool make_room(const struct tcp *t, uint64_t home)
{
    list_each(link, &t->conns) {
        struct tcp_conn *d = container_of(link, struct tcp_conn, all);
        if (d->home != home || d->allowed || d->closing) {
            continue;
        }
        if (d->request) {
            tcp_request_break(d->request);
        } else {
            tcp_conn_close(d);
        }
        return true;
    }
    return false;
}

static struct tcp_conn *tcp_conn_new(struct tcp *t, struct MHD_Connection *connection, int fd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    uint64_t home = token_home(info->client_addr);
    struct tcp_conn *d = NULL;

    bool crowded = client_has_most(t, home);

    if (crowded) {
        gateway_crowded(t->gateway);
    }
    if (!crowded || make_room(t, home)) {
        d = calloc(1, sizeof(*d));
    }
    if (d) {
        d->tcp = t;
        d->connection = connection;
        d->fd = fd;
        d->home = home;
        list_init(&d->all);
        list_append(&t->conns, &d->all);
        list_init(&d->waiting);
        tcp_conn_wait(d);
    }
    return d;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct tcp *t = context;
    struct tcp_conn *d = *socket_context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        d = tcp_conn_new(t, connection, fd);
        *socket_context = d;
        if (!d) { /* refused: tcp_request_new takes no request of it */
            shutdown(fd, SHUT_RDWR);
            return;
        }
        /* MHD does not look at suspended connections, so we watch for their end. If there is no
         * memory for that, we see their end when MHD writes to them. */
        struct epoll_event end = { .events = EPOLLRDHUP | EPOLLET, .data.ptr = d };
        (void)epoll_ctl(t->fd, EPOLL_CTL_ADD, d->fd, &end);
    } else if (d) {
        t->run = true; /* MHD may accept a connection that waits */
        /* close(2) would not remove it from epoll while a forked child has the descriptor too. */
        (void)epoll_ctl(t->fd, EPOLL_CTL_DEL, d->fd, NULL);
        list_remove(&d->waiting);
        list_remove(&d->all);
        free(d);
        *socket_context = NULL;
    }
}

/* ---- life ---- */

static int listen_at(struct tcp *t, const struct tcp_options *options, int *out,
                     struct rusm_why *why)
{
    int fd = socket(options->bind->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1, cause;

    if (fd < 0) {
        return err_why(why, RUSM_EIO, "no socket: %s", strerror(errno));
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    t->address_len = sizeof(t->address);
    if (bind(fd, options->bind, options->bind_len) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&t->address, &t->address_len) != 0) {
        cause = errno;
        close(fd);
        return err_why(why, RUSM_EIO, "%s", strerror(cause));
    }
    *out = fd;
    return 0;
}

/* Returns how many connections there may be: at most half of the node's descriptors. */
static unsigned connections_max(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / 2 >= LIMIT_HTTP_TCP_CONNECTIONS) {
        return LIMIT_HTTP_TCP_CONNECTIONS;
    }
    return (unsigned)(files.rlim_cur / 2);
}

int tcp_new(struct tcp **out, const struct tcp_options *options, struct rusm_why *why)
{
    struct tcp *t = calloc(1, sizeof(*t));
    struct epoll_event events = { .events = EPOLLIN };
    const union MHD_DaemonInfo *info;
    unsigned most = connections_max();
    int listener = -1, error;

    *out = NULL;
    if (!t) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    t->gateway = options->gateway;
    t->now_ns = options->now_ns;
    t->most_each = most - most / LIMIT_HTTP_TCP_OTHERS;
    list_init(&t->conns);
    list_init(&t->waiting);
    list_init(&t->requests);
    t->fd = epoll_create1(EPOLL_CLOEXEC);
    error = t->fd < 0 ? err_why(why, RUSM_EIO, "no epoll: %s", strerror(errno))
                      : listen_at(t, options, &listener, why);
    if (error) {
        tcp_free(t);
        return error;
    }
    t->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, tcp_request_go, t,
                         MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                         MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)(LIMIT_HTTP_STALL_NS / 1000000000),
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_TCP_BYTES,
                         MHD_OPTION_NOTIFY_CONNECTION, on_connection, t,
                         MHD_OPTION_NOTIFY_COMPLETED, tcp_request_over, t,
                         MHD_OPTION_URI_LOG_CALLBACK, tcp_request_new, t, MHD_OPTION_END);
    info = t->daemon ? MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || epoll_ctl(t->fd, EPOLL_CTL_ADD, info->epoll_fd, &events) != 0) {
        error = err_why(why, RUSM_EIO, "cannot start libmicrohttpd: %s", strerror(errno));
        if (!t->daemon) {
            close(listener); /* otherwise the daemon closes it */
        }
        tcp_free(t);
        return error;
    }
    t->run = true;
    *out = t;
    return 0;
}

void tcp_free(struct tcp *t)
{
    if (t) {
        if (t->daemon) {
            /* MHD does not stop while connections are suspended. */
            list_each(link, &t->requests) {
                tcp_request_break(container_of(link, struct tcp_request, link));
            }
            MHD_stop_daemon(t->daemon);
        }
        if (t->fd >= 0) {
            close(t->fd);
        }
        free(t);
    }
}

const struct sockaddr *tcp_address(const struct tcp *t, socklen_t *len)
{
    *len = t->address_len;
    return (const struct sockaddr *)&t->address;
}

int tcp_fd(const struct tcp *t)
{
    return t->fd;
}

void tcp_readable(struct tcp *t)
{
    t->readable = true;
}

/* Finds the clients that have closed their side. If such a client waits for an answer, this breaks
 * its request off. A client that closed its side together with its request gets its answer, but not
 * a stream that has no end. */
static void look(struct tcp *t)
{
    struct epoll_event events[64];
    int count = epoll_wait(t->fd, events, 64, 0);

    for (int i = 0; i < count; i++) {
        struct tcp_conn *d = events[i].data.ptr;
        if (!d) {
            t->run = true;
            continue;
        }
        d->ended = true;
        if (d->request && d->request->suspended) {
            tcp_request_break(d->request);
        }
    }
    t->readable = count == 64;
}

uint64_t tcp_tick(struct tcp *t, uint64_t now_ns)
{
    MHD_UNSIGNED_LONG_LONG ms;
    uint64_t next = UINT64_MAX;

    t->now_ns = now_ns;
    while (!list_empty(&t->waiting)) {
        struct tcp_conn *d = container_of(list_first(&t->waiting), struct tcp_conn, waiting);
        next = d->since_ns + LIMIT_HTTP_STALL_NS;
        if (now_ns < next) {
            break;
        }
        tcp_conn_close(d);
        next = UINT64_MAX;
    }
    if (t->readable) {
        look(t);
    }
    if (t->run || now_ns >= t->due_ns) {
        t->run = false;
        MHD_run(t->daemon);
        t->due_ns = MHD_get_timeout(t->daemon, &ms) == MHD_YES ? now_ns + ms * 1000000 : UINT64_MAX;
    }
    return t->run || t->readable ? now_ns : t->due_ns < next ? t->due_ns : next;
}

void tcp_leave(struct tcp *t)
{
    int listener = (int)MHD_quiesce_daemon(t->daemon);

    if (listener >= 0) {
        close(listener);
    }
}
