/* tcp: see the header. Called by the node's turns, on the gateway's thread; libmicrohttpd calls back from
 * within MHD_run and MHD_stop_daemon alone. */
#include "gateway/tcp.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"

struct tcp {
    struct gateway *gateway;
    struct MHD_Daemon *daemon;
    struct sockaddr_storage address;
    socklen_t address_len;
    struct list waiting; /* doors without a whole head of a request; the longest first */
    struct list requests;
    int fd;          /* MHD's epoll descriptor */
    bool run;        /* there is something for MHD to do */
    uint64_t due_ns; /* when there is without anyone's doing */
    uint64_t now_ns;
};

/* A connection. */
struct door {
    struct list waiting; /* in tcp.waiting */
    struct tcp *tcp;
    struct MHD_Connection *connection;
    int fd;
    uint64_t since_ns; /* of its wait */
};

enum request_state {
    REQUEST_HEAD,  /* its first line came, the rest of the head comes */
    REQUEST_BODY,  /* its body comes, or is thrown away */
    REQUEST_WORK,  /* all came; the connection is suspended until there is a response */
    REQUEST_REPLY, /* MHD has the response and asks for its body */
};

/* From the request's first line on until MHD has done with it. */
struct request {
    struct list link; /* in tcp.requests */
    struct door *door;
    struct exchange *x;
    enum request_state state;
    bool ours;        /* the exchange calls back from within a call of ours */
    bool suspended;   /* MHD looks at the connection again when it is resumed */
    bool broken;      /* the connection is being closed */
    bool unwanted;    /* the body is thrown away */
    size_t discarded; /* bytes of it */
};

/* ---- doors ---- */

static void door_wait(struct door *d)
{
    d->since_ns = d->tcp->now_ns;
    list_remove(&d->waiting);
    list_append(&d->tcp->waiting, &d->waiting);
}

/* MHD sees the end and closes it. */
static void door_close(struct door *d)
{
    list_remove(&d->waiting);
    shutdown(d->fd, SHUT_RDWR);
    d->tcp->run = true;
}

static struct door *door_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_door(void *context, struct MHD_Connection *connection, void **socket_context,
                    enum MHD_ConnectionNotificationCode code)
{
    struct tcp *t = context;
    struct door *d = *socket_context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        d = calloc(1, sizeof(*d));
        *socket_context = d;
        if (!d) { /* no request of it will be taken */
            shutdown(info->connect_fd, SHUT_RDWR);
            return;
        }
        d->tcp = t;
        d->connection = connection;
        d->fd = info->connect_fd;
        list_init(&d->waiting);
        door_wait(d);
    } else if (d) {
        t->run = true; /* one that waits to be accepted may be now */
        list_remove(&d->waiting);
        free(d);
        *socket_context = NULL;
    }
}

/* ---- the exchange's side ---- */

static void request_suspend(struct request *r)
{
    r->suspended = true;
    MHD_suspend_connection(r->door->connection);
}

static void request_wake(struct request *r)
{
    if (r->suspended) {
        r->suspended = false;
        MHD_resume_connection(r->door->connection);
        r->door->tcp->run = true;
    }
}

static void request_break(struct request *r)
{
    r->broken = true;
    door_close(r->door);
    request_wake(r);
}

static void on_ready(void *context, struct exchange *x)
{
    struct request *r = context;

    (void)x;
    if (r->ours) {
        return;
    }
    if (r->state < REQUEST_WORK) {
        request_break(
            r); /* too slow a client; MHD takes no response before the request is complete */
    } else {
        request_wake(r);
    }
}

static void on_give_up(void *context, struct exchange *x)
{
    (void)x;
    request_break(context);
}

static const struct gateway_transport tcp_transport = { .ready = on_ready, .give_up = on_give_up };

/* ---- responses ---- */

static ssize_t on_read(void *context, uint64_t at, char *buf, size_t cap)
{
    struct request *r = context;
    size_t len = 0;
    bool end = false;

    (void)at;
    if (r->broken) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    r->ours = true;
    while (len < cap && !end) {
        const uint8_t *data;
        size_t part = exchange_pull(r->x, &data, cap - len, &end);
        if (part == 0) {
            break;
        }
        memcpy(buf + len, data, part);
        exchange_acked(r->x, part);
        len += part;
    }
    r->ours = false;
    if (len == 0 && end) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (len == 0) {
        request_suspend(r);
    }
    return (ssize_t)len;
}

static enum MHD_Result respond(struct request *r)
{
    const struct exchange_head *head = exchange_head(r->x);
    uint64_t length = head->length == EXCHANGE_STREAMED ? MHD_SIZE_UNKNOWN : head->length;
    struct MHD_Response *response =
        length == 0 ? MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT)
                    : MHD_create_response_from_callback(length, LIMIT_HTTP_BLOCK, on_read, r, NULL);
    enum MHD_Result result = response ? MHD_YES : MHD_NO;

    for (size_t i = 0; i < head->count && result == MHD_YES; i++) {
        result = MHD_add_response_header(response, head->field[i].name, head->field[i].value);
    }
    if (result == MHD_YES) {
        r->state = REQUEST_REPLY;
        result = MHD_queue_response(r->door->connection, (unsigned)head->status, response);
    }
    if (response) {
        MHD_destroy_response(response);
    }
    return result;
}

/* There was no memory for an exchange, or there are too many. */
static enum MHD_Result respond_full(struct MHD_Connection *connection)
{
    static const char text[] = "{\"error\": \"the node has too many requests now: try again\"}\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof(text) - 1, (void *)(uintptr_t)text,
                                        MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_NO;

    if (response) {
        MHD_add_response_header(response, "content-type", "application/json");
        MHD_add_response_header(response, "retry-after", "1");
        result = MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, response);
        MHD_destroy_response(response);
    }
    return result;
}

/* ---- requests ---- */

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct tcp *t = context;
    struct door *d = door_of(connection);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct request *r = d ? calloc(1, sizeof(*r)) : NULL;

    if (!r) {
        return NULL;
    }
    struct exchange_options options = {
        .transport = &tcp_transport, .context = r, .from = info->client_addr, .trusted = false
    };
    r->door = d;
    r->x = exchange_new(t->gateway, &options);
    if (!r->x) {
        free(r);
        return NULL;
    }
    list_append(&t->requests, &r->link);
    exchange_field(r->x, ":path", 5, uri, strlen(uri)); /* soon it is taken apart where it is */
    return r;
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name,
                                size_t name_len, const char *value, size_t value_len)
{
    const struct request *r = context;

    (void)kind;
    exchange_field(r->x, name, name_len, value ? value : "", value_len);
    return MHD_YES;
}

/* Whether a body that nobody wants is waited for, so that the connection can go on. */
static bool worth_waiting(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") ||
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect")) {
        return false;
    }
    return !length || strtoull(length, NULL, 10) <= LIMIT_HTTP_DISCARD;
}

static enum MHD_Result request_head(struct request *r, const char *method)
{
    struct MHD_Connection *connection = r->door->connection;

    list_remove(&r->door->waiting);
    r->state = REQUEST_BODY;
    exchange_field(r->x, ":method", 7, method, strlen(method));
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, r);
    r->unwanted = !exchange_head_end(r->x);
    return r->unwanted && !worth_waiting(connection) ? respond(r) : MHD_YES;
}

static enum MHD_Result request_body(struct request *r, const char *data, size_t *len)
{
    if (!r->unwanted) {
        r->unwanted = !exchange_body(r->x, data, *len);
    } else {
        r->discarded += *len;
    }
    *len = 0;
    return r->discarded > LIMIT_HTTP_DISCARD ? MHD_NO : MHD_YES;
}

static enum MHD_Result request_end(struct request *r)
{
    if (r->state == REQUEST_BODY) {
        r->state = REQUEST_WORK;
        if (!r->unwanted) {
            exchange_end(r->x);
        }
    }
    if (exchange_head(r->x)) {
        return respond(r);
    }
    request_suspend(r);
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **request)
{
    struct request *r = *request;
    enum MHD_Result result;

    (void)context, (void)url, (void)version;
    if (!r) {
        return respond_full(connection);
    }
    if (r->broken) {
        return MHD_NO;
    }
    r->ours = true;
    result = r->state == REQUEST_HEAD ? request_head(r, method)
             : *len > 0               ? request_body(r, data, len)
                                      : request_end(r);
    r->ours = false;
    return result;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    struct request *r = *request;

    (void)context, (void)connection, (void)code;
    if (r) {
        r->ours = true;
        exchange_free(r->x);
        if (!r->broken) {
            door_wait(r->door);
        }
        list_remove(&r->link);
        free(r);
        *request = NULL;
    }
}

/* ---- life ---- */

static int tcp_listen(struct tcp *t, const struct tcp_options *options, int *out,
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

/* How many connections: never all the descriptors that the node may have. */
static unsigned tcp_doors(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / 2 >= LIMIT_HTTP_DOORS) {
        return LIMIT_HTTP_DOORS;
    }
    return (unsigned)(files.rlim_cur / 2);
}

int tcp_new(struct tcp **out, const struct tcp_options *options, struct rusm_why *why)
{
    struct tcp *t = calloc(1, sizeof(*t));
    const union MHD_DaemonInfo *info;
    int listener = -1, error;

    *out = NULL;
    if (!t) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    t->gateway = options->gateway;
    t->now_ns = options->now_ns;
    list_init(&t->waiting);
    list_init(&t->requests);
    error = tcp_listen(t, options, &listener, why);
    if (error) {
        free(t);
        return error;
    }
    t->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, t,
                         MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                         MHD_OPTION_CONNECTION_LIMIT, tcp_doors(), MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)(LIMIT_HTTP_STALL_NS / 1000000000),
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_DOOR_BYTES,
                         MHD_OPTION_NOTIFY_CONNECTION, on_door, t, MHD_OPTION_NOTIFY_COMPLETED,
                         on_completed, t, MHD_OPTION_URI_LOG_CALLBACK, on_uri, t, MHD_OPTION_END);
    info = t->daemon ? MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        close(listener);
        tcp_free(t);
        return err_why(why, RUSM_EIO, "libmicrohttpd does not start: %s", strerror(errno));
    }
    t->fd = info->epoll_fd;
    t->run = true;
    *out = t;
    return 0;
}

void tcp_free(struct tcp *t)
{
    if (t) {
        if (t->daemon) {
            /* MHD takes no end while connections are suspended. */
            list_each(link, &t->requests) {
                request_break(list_entry(link, struct request, link));
            }
            MHD_stop_daemon(t->daemon);
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
    t->run = true;
}

uint64_t tcp_turn(struct tcp *t, uint64_t now_ns)
{
    MHD_UNSIGNED_LONG_LONG ms;
    uint64_t next = UINT64_MAX;

    t->now_ns = now_ns;
    while (!list_empty(&t->waiting)) {
        struct door *d = list_entry(list_first(&t->waiting), struct door, waiting);
        next = d->since_ns + LIMIT_HTTP_STALL_NS;
        if (now_ns < next) {
            break;
        }
        door_close(d);
        next = UINT64_MAX;
    }
    if (t->run || now_ns >= t->due_ns) {
        t->run = false;
        MHD_run(t->daemon);
        t->due_ns = MHD_get_timeout(t->daemon, &ms) == MHD_YES ? now_ns + ms * 1000000 : UINT64_MAX;
    }
    return t->run ? now_ns : t->due_ns < next ? t->due_ns : next;
}

void tcp_leave(struct tcp *t)
{
    int listener = (int)MHD_quiesce_daemon(t->daemon);

    if (listener >= 0) {
        close(listener);
    }
}
