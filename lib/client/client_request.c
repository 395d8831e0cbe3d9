/* client_request: see the header. */
#include "client/client_request.h"

#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "base/id.h"

#define REPLIES_MAX ((size_t)256 * 1024 * 1024)

void client_request_init(struct client_request *q, struct client_link *link)
{
    q->link = link;
    buf_init(&q->replies, REPLIES_MAX);
}

void client_request_fini(struct client_request *q)
{
    buf_fini(&q->replies);
}

/* Only keeps the reply: this runs in a callback of the endpoint, and the receiver of the reply may
 * call the client again. */
void client_request_reply(struct client_request *q, const struct frame *frame)
{
    uint32_t len = (uint32_t)frame->len;
    struct reply reply;

    if (reply_decode(frame->body, frame->len, &reply) != 0) {
        peer_close(q->link->peer, CLOSE_MALFORMED, "malformed reply");
    } else if (reply.id == q->id && !q->error) {
        q->error = buf_append(&q->replies, &len, sizeof(len));
        if (!q->error) {
            q->error = buf_append(&q->replies, frame->body, frame->len);
        }
    }
}

struct writer client_request_begin(struct client_request *q, enum op op, uint64_t deadline_ns)
{
    struct writer w = writer_on(q->scratch, sizeof(q->scratch));
    uint64_t now_ns = endpoint_now_ns();
    uint64_t left_ms = deadline_ns > now_ns ? (deadline_ns - now_ns) / 1000000 : 0;

    request_write(&w, &(struct request){ .id = ++q->last, .timeout_ms = left_ms, .op = op });
    return w;
}

/* Calls `each` for the replies that have come. Returns true if the request has ended, and gives
 * *result. Sets *open if the node has more to send. */
static bool replies_take(struct client_request *q, client_reply_fn *each, void *context,
                         int *result, bool *open, struct rusm_why *why)
{
    while (buf_len(&q->replies) > 0) {
        struct reply reply;
        uint32_t len;
        memcpy(&len, buf_data(&q->replies), sizeof(len));
        int error = reply_decode(buf_data(&q->replies) + sizeof(len), len, &reply);
        if (!error && reply.status != 0) {
            const char *text = (const char *)reply.body.at;
            size_t text_len = strnlen(text, reader_left(&reply.body));
            error = -(int)reply.status;
            *result = text_len > 0
                          ? err_why(why, error, "%.*s", (int)text_len, text)
                          : err_why(why, error, "%s: %s", q->link->name, rusm_strerror(error));
            return true;
        }
        *open = !error && reply.flags & REPLY_MORE;
        *result = error ? error : each ? each(context, &reply.body) : 0;
        if (*result == RUSM_EMALFORMED) {
            err_why(why, *result, "%s sent a malformed reply", q->link->name);
        }
        if (*result != 0 || !*open) {
            return true;
        }
        buf_consume(&q->replies, sizeof(len) + len);
    }
    return false;
}

void client_request_cancel(struct client_request *q, uint64_t id)
{
    uint8_t body[VARINT_LEN_MAX];
    struct writer w = writer_on(body, sizeof(body));

    writer_varint(&w, id);
    if (q->link->peer &&
        peer_send_frame(q->link->peer, FRAME_CANCEL, true, body, writer_len(&w)) == 0) {
        client_link_flush(q->link);
    }
}

static int request_send(struct client_request *q, struct writer *w, struct rusm_why *why)
{
    if (w->bad) {
        return err_why(why, RUSM_ETOOLARGE, "the request is too long");
    }
    if (q->id) {
        return err_why(why, RUSM_BUSY, "another listing of %s has not ended yet: try again",
                       q->link->name);
    }
    if (!q->link->peer) {
        return client_link_why_over(q->link, why);
    }
    int error = peer_send_frame(q->link->peer, FRAME_REQUEST, false, w->start, writer_len(w));
    if (error) {
        return err_why(why, error, "%s: %s", q->link->name, rusm_strerror(error));
    }
    buf_clear(&q->replies);
    q->error = 0;
    q->id = q->last;
    return 0;
}

int client_request_run(struct client_request *q, struct writer *w, client_reply_fn *each,
                       void *context, uint64_t deadline_ns, struct rusm_why *why)
{
    char seconds[16];
    int result = 0, step = 0, error = request_send(q, w, why);
    bool done = false, open = true;

    if (error) {
        return error;
    }
    while (!done && !step && !q->error) {
        step = client_link_step(q->link, deadline_ns);
        /* Replies that came before the end or the deadline still count. */
        done = replies_take(q, each, context, &result, &open, why);
    }
    if (!done || open) {
        client_request_cancel(q, q->id);
    }
    q->id = 0;
    buf_clear(&q->replies);
    buf_trim(&q->replies);
    if (done) {
        return result;
    }
    if (q->error) {
        return err_why(why, q->error, "cannot read the replies of %s: %s", q->link->name,
                       rusm_strerror(q->error));
    }
    return step == RUSM_ETIMEOUT ? err_why(why, step, "%s did not answer within %s", q->link->name,
                                           client_link_seconds(q->link, seconds))
                                 : client_link_why_over(q->link, why);
}

/* ---- pids ---- */

int client_request_pid(void *context, struct reader *body)
{
    struct client_pid_reply *p = context;
    struct wire_pid pid;

    wire_pid_read(body, &pid);
    if (body->bad || (pid.node_len > 0 && !id_node_name_ok(pid.node, pid.node_len))) {
        return RUSM_EMALFORMED;
    }
    char node[RUSM_NODE_NAME_MAX + 1];
    snprintf(node, sizeof(node), "%.*s", (int)pid.node_len, pid.node_len > 0 ? pid.node : "");
    if (!node[0]) {
        snprintf(node, sizeof(node), "%s", p->link->name);
    }
    if (p->node) {
        memcpy(p->node, node, sizeof(node));
    }
    id_pid_format(p->pid, RUSM_PID_TEXT_MAX, pid.serial, node, pid.incarnation);
    return 0;
}

int client_request_whereis(struct client_request *q, const char *name,
                           char node[RUSM_NODE_NAME_MAX + 1], char pid[RUSM_PID_TEXT_MAX],
                           uint64_t deadline_ns, struct rusm_why *why)
{
    struct client_pid_reply reply = { .link = q->link, .node = node, .pid = pid };
    size_t len = strlen(name);

    if (!id_process_name_ok(name, len)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a process's name", name);
    }
    struct writer w = client_request_begin(q, OP_WHEREIS, deadline_ns);
    writer_text(&w, name, len);
    return client_request_run(q, &w, client_request_pid, &reply, deadline_ns, why);
}
