/* tcp_request: a request on a TCP connection, between MHD and its exchange. MHD calls it from
 * within MHD_run and MHD_stop_daemon. The exchange calls it from anywhere on the gateway's
 * thread. */
#include <stdlib.h>
#include <string.h>
#include "gateway/tcp_state.h"
#include "gateway/limits.h"

/* ---- the exchange's side ---- */

static void suspend(struct tcp_request *r)
{
    r->suspended = true;
    MHD_suspend_connection(r->conn->connection);
}

static void wake(struct tcp_request *r)
{
    if (r->suspended) {
        r->suspended = false;
        MHD_resume_connection(r->conn->connection);
        r->conn->tcp->run = true;
    }
}

void tcp_request_break(struct tcp_request *r)
{
    r->broken = true;
    tcp_conn_close(r->conn);
    wake(r);
}

static void on_ready(void *context, struct exchange *x)
{
    struct tcp_request *r = context;

    (void)x;
    if (r->ours) {
        return;
    }
    if (r->state < TCP_REQUEST_WORK) {
        /* The client is too slow, and MHD takes no response before the request is complete. */
        tcp_request_break(r);
    } else {
        wake(r);
    }
}

static void on_give_up(void *context, struct exchange *x)
{
    (void)x;
    tcp_request_break(context);
}

static const struct gateway_transport tcp_transport = { .ready = on_ready, .give_up = on_give_up };

/* ---- responses ---- */

static ssize_t on_read(void *context, uint64_t at, char *buf, size_t cap)
{
    struct tcp_request *r = context;
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
    if (len == 0 && r->conn->ended) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (len == 0) {
        suspend(r);
    }
    return (ssize_t)len;
}

static enum MHD_Result respond(struct tcp_request *r)
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
        r->state = TCP_REQUEST_REPLY;
        result = MHD_queue_response(r->conn->connection, (unsigned)head->status, response);
    }
    if (response) {
        MHD_destroy_response(response);
    }
    return result;
}

/* Answers that there are too many requests, or no memory for one more. */
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

void *tcp_request_new(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct tcp *t = context;
    struct tcp_conn *d = tcp_conn_of(connection);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct tcp_request *r = d ? calloc(1, sizeof(*r)) : NULL;

    if (!r) {
        return NULL;
    }
    struct exchange_options options = {
        .transport = &tcp_transport, .context = r, .from = info->client_addr, .trusted = false
    };
    r->conn = d;
    r->x = exchange_new(t->gateway, &options);
    if (!r->x) {
        free(r);
        return NULL;
    }
    list_append(&t->requests, &r->link);
    d->request = r;
    /* Do this now, as MHD changes the text when it parses it. */
    exchange_field(r->x, ":path", 5, uri, strlen(uri));
    return r;
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name,
                                size_t name_len, const char *value, size_t value_len)
{
    const struct tcp_request *r = context;

    (void)kind;
    exchange_field(r->x, name, name_len, value ? value : "", value_len);
    return MHD_YES;
}

/* Returns whether to read a body that is not wanted, so that the connection can be used again. */
static bool worth_waiting(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") ||
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect")) {
        return false;
    }
    return !length || strtoull(length, NULL, 10) <= LIMIT_HTTP_DISCARD;
}

static enum MHD_Result take_head(struct tcp_request *r, const char *method)
{
    struct MHD_Connection *connection = r->conn->connection;

    list_remove(&r->conn->waiting);
    r->state = TCP_REQUEST_BODY;
    exchange_field(r->x, ":method", 7, method, strlen(method));
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, r);
    r->unwanted = !exchange_head_end(r->x);
    r->conn->allowed |= exchange_allowed(r->x);
    return r->unwanted && !worth_waiting(connection) ? respond(r) : MHD_YES;
}

static enum MHD_Result take_body(struct tcp_request *r, const char *data, size_t *len)
{
    if (!r->unwanted) {
        r->unwanted = !exchange_body(r->x, data, *len);
    } else {
        r->discarded += *len;
    }
    *len = 0;
    return r->discarded > LIMIT_HTTP_DISCARD ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_end(struct tcp_request *r)
{
    if (r->state == TCP_REQUEST_BODY) {
        r->state = TCP_REQUEST_WORK;
        if (!r->unwanted) {
            exchange_end(r->x);
        }
    }
    if (exchange_head(r->x)) {
        return respond(r);
    }
    suspend(r);
    return MHD_YES;
}

enum MHD_Result tcp_request_go(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *len, void **request)
{
    struct tcp_request *r = *request;
    enum MHD_Result result;

    (void)context, (void)url, (void)version;
    if (!r) {
        return respond_full(connection);
    }
    if (r->broken) {
        return MHD_NO;
    }
    r->ours = true;
    result = r->state == TCP_REQUEST_HEAD ? take_head(r, method)
             : *len > 0                   ? take_body(r, data, len)
                                          : take_end(r);
    r->ours = false;
    return result;
}

void tcp_request_over(void *context, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct tcp_request *r = *request;

    (void)context, (void)connection, (void)code;
    if (r) {
        r->ours = true;
        exchange_free(r->x);
        if (!r->broken) {
            tcp_conn_wait(r->conn);
        }
        list_remove(&r->link);
        r->conn->request = NULL;
        free(r);
        *request = NULL;
    }
}
