/* client_rpc: requests on the control stream, and the client's calls that are one request: spawn,
 * kill, whereis, stop. See client.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/err.h"
#include "client/client.h"

#define STOP_PAUSE_NS 2000000

/* ---- requests ---- */

/* In the endpoint's callbacks: replies are put by, as those who wait may call us again. */
void client_got_reply(struct rusm_client *c, const struct frame *frame)
{
    uint32_t len = (uint32_t)frame->len;
    struct reply reply;

    if (reply_decode(frame->body, frame->len, &reply) != 0) {
        peer_close(c->peer, CLOSE_MALFORMED, "malformed reply");
    } else if (reply.id == c->request && !c->replies_error) {
        c->replies_error = buf_append(&c->replies, &len, sizeof(len));
        if (!c->replies_error) {
            c->replies_error = buf_append(&c->replies, frame->body, frame->len);
        }
    }
}

struct writer request_begin(struct rusm_client *c, enum op op, uint64_t deadline_ns)
{
    struct writer w = writer_on(c->scratch, sizeof(c->scratch));
    uint64_t now_ns = endpoint_now_ns();
    uint64_t left_ms = deadline_ns > now_ns ? (deadline_ns - now_ns) / 1000000 : 0;

    request_write(&w, &(struct request){ .id = ++c->requests, .timeout_ms = left_ms, .op = op });
    return w;
}

/* Hands out the replies that are here. True: it is over, with *result; *open: the node would have
 * sent more. */
static bool replies_take(struct rusm_client *c, reply_fn *each, void *context, int *result,
                         bool *open, struct rusm_why *why)
{
    while (buf_len(&c->replies) > 0) {
        struct reply reply;
        uint32_t len;
        memcpy(&len, buf_data(&c->replies), sizeof(len));
        int error = reply_decode(buf_data(&c->replies) + sizeof(len), len, &reply);
        if (!error && reply.status != 0) {
            const char *text = (const char *)reply.body.at;
            size_t text_len = strnlen(text, reader_left(&reply.body));
            error = -(int)reply.status;
            *result = text_len > 0 ? err_why(why, error, "%.*s", (int)text_len, text)
                                   : err_why(why, error, "%s: %s", c->node, rusm_strerror(error));
            return true;
        }
        *open = !error && reply.flags & REPLY_MORE;
        *result = error ? error : each ? each(context, &reply.body) : 0;
        if (*result == RUSM_EMALFORMED) {
            err_why(why, *result, "%s sent a malformed reply", c->node);
        }
        if (*result != 0 || !*open) {
            return true;
        }
        buf_consume(&c->replies, sizeof(len) + len);
    }
    return false;
}

static void request_cancel(struct rusm_client *c, uint64_t id)
{
    uint8_t body[VARINT_LEN_MAX];
    struct writer w = writer_on(body, sizeof(body));

    writer_varint(&w, id);
    if (c->peer && peer_send_frame(c->peer, FRAME_CANCEL, true, body, writer_len(&w)) == 0) {
        link_flush(c);
    }
}

static int request_send(struct rusm_client *c, struct writer *w, struct rusm_why *why)
{
    if (w->bad) {
        return err_why(why, RUSM_ETOOLARGE, "the request is too long");
    }
    if (c->request) {
        return err_why(why, RUSM_BUSY, "a listing of %s is under way", c->node);
    }
    if (!c->peer) {
        return link_why_over(c, why);
    }
    int error = peer_send_frame(c->peer, FRAME_REQUEST, false, w->start, writer_len(w));
    if (error) {
        return err_why(why, error, "%s: %s", c->node, rusm_strerror(error));
    }
    buf_clear(&c->replies);
    c->replies_error = 0;
    c->request = c->requests;
    return 0;
}

int request_run(struct rusm_client *c, struct writer *w, reply_fn *each, void *context,
                uint64_t deadline_ns, struct rusm_why *why)
{
    char seconds[16];
    int result = 0, step = 0, error = request_send(c, w, why);
    bool done = false, open = true;

    if (error) {
        return error;
    }
    while (!done && !step && !c->replies_error) {
        step = link_step(c, deadline_ns);
        /* What came before the end, or the deadline, still counts. */
        done = replies_take(c, each, context, &result, &open, why);
    }
    if (!done || open) {
        request_cancel(c, c->request);
    }
    c->request = 0;
    buf_clear(&c->replies);
    buf_trim(&c->replies);
    if (done) {
        return result;
    }
    if (c->replies_error) {
        return err_why(why, c->replies_error, "the replies of %s: %s", c->node,
                       rusm_strerror(c->replies_error));
    }
    return step == RUSM_ETIMEOUT ? err_why(why, step, "%s did not answer within %s", c->node,
                                           client_seconds(c, seconds))
                                 : link_why_over(c, why);
}

/* ---- pids ---- */

struct pid_reply {
    struct rusm_client *c;
    char *node, *pid;
};

static int pid_read(void *context, struct reader *body)
{
    struct pid_reply *p = context;
    struct wire_pid pid;

    wire_pid_read(body, &pid);
    if (body->bad || (pid.node_len > 0 && !id_node_name_ok(pid.node, pid.node_len))) {
        return RUSM_EMALFORMED;
    }
    char node[RUSM_NODE_NAME_MAX + 1];
    snprintf(node, sizeof(node), "%.*s", (int)pid.node_len, pid.node_len > 0 ? pid.node : "");
    if (!node[0]) {
        snprintf(node, sizeof(node), "%s", p->c->node);
    }
    if (p->node) {
        memcpy(p->node, node, sizeof(node));
    }
    id_pid_format(p->pid, RUSM_PID_TEXT_MAX, pid.serial, node, pid.incarnation);
    return 0;
}

int request_whereis(struct rusm_client *c, const char *name, char node[RUSM_NODE_NAME_MAX + 1],
                    char pid[RUSM_PID_TEXT_MAX], uint64_t deadline_ns, struct rusm_why *why)
{
    struct pid_reply reply = { .c = c, .node = node, .pid = pid };
    size_t len = strlen(name);

    if (!id_process_name_ok(name, len)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a process's name", name);
    }
    struct writer w = request_begin(c, OP_WHEREIS, deadline_ns);
    writer_text(&w, name, len);
    return request_run(c, &w, pid_read, &reply, deadline_ns, why);
}

int rusm_client_whereis(struct rusm_client *client, const char *name, char pid[RUSM_PID_TEXT_MAX],
                        struct rusm_why *why)
{
    uint64_t deadline_ns = client_deadline(client);
    int error = client_wake(client, deadline_ns, why);

    return error ? error : request_whereis(client, name, NULL, pid, deadline_ns, why);
}

/* ---- spawn, kill ---- */

int rusm_client_spawn(struct rusm_client *client, const char *spawnable,
                      const struct rusm_args *args, const char *name, bool global,
                      char pid[RUSM_PID_TEXT_MAX], struct rusm_why *why)
{
    enum spawn_scope scope = !name ? SPAWN_NO_NAME : global ? SPAWN_GLOBAL : SPAWN_LOCAL;
    struct pid_reply reply = { .c = client, .pid = pid };
    uint64_t deadline_ns = client_deadline(client);
    int error;

    if (!id_process_name_ok(spawnable, strlen(spawnable))) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a spawnable's name", spawnable);
    }
    if (name && !id_process_name_ok(name, strlen(name))) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a name for a process", name);
    }
    error = client_wake(client, deadline_ns, why);
    if (error) {
        return error;
    }
    struct writer w = request_begin(client, OP_SPAWN, deadline_ns);
    spawn_write(&w, scope, spawnable, name, args);
    if (w.bad) {
        return err_why(why, RUSM_ETOOLARGE, "more than %d arguments, or more than %zu KiB of them",
                       RUSM_ARGS_MAX, LIMIT_ARGS_BYTES / 1024);
    }
    return request_run(client, &w, pid_read, &reply, deadline_ns, why);
}

int rusm_client_kill(struct rusm_client *client, const char *process, bool global,
                     const char *reason, struct rusm_why *why)
{
    uint64_t deadline_ns = client_deadline(client);
    size_t len = reason ? strlen(reason) : 0;
    struct aim aim;
    int error = client_wake(client, deadline_ns, why);

    if (!error) {
        error = aim_find(client, process, global, &aim, deadline_ns, why);
    }
    if (error) {
        return error;
    }
    struct writer w = request_begin(aim.at, OP_KILL, deadline_ns);
    target_write(&w, &aim.to);
    writer_text(&w, reason ? reason : "", len < RUSM_REASON_MAX ? len : RUSM_REASON_MAX);
    client->global[0] = '\0'; /* its owner will be another */
    error = request_run(aim.at, &w, NULL, NULL, deadline_ns, why);
    return error == RUSM_ENOPROC ? err_why(why, error, "no process %s", aim.text) : error;
}

/* ---- stop ---- */

int rusm_client_stop(struct rusm_client *client, struct rusm_why *why)
{
    const struct timespec pause = { .tv_nsec = STOP_PAUSE_NS };
    uint64_t deadline_ns = client_deadline(client);
    char seconds[16];
    int error = client_wake(client, deadline_ns, why);

    if (error) {
        return error;
    }
    struct writer w = request_begin(client, OP_STOP, deadline_ns);
    error = request_run(client, &w, NULL, NULL, deadline_ns, why);
    /* It may be gone before its answer got here. */
    bool said = client->end.kind == CONN_END_PEER && client->end.code == CLOSE_NONE;
    bool left = client->over && (said || (client->os_pid > 0 && !client_node_runs(client)));
    if (error && !left) {
        return error;
    }
    while (link_step(client, deadline_ns) == 0) {}
    /* Of a node of this machine the process is to be gone, so that its name is free again. */
    while ((!client->over || client_node_runs(client)) && endpoint_now_ns() < deadline_ns) {
        nanosleep(&pause, NULL);
    }
    if (!client->over || client_node_runs(client)) {
        return err_why(why, RUSM_ETIMEOUT, "%s has not left within %s; it may still be leaving",
                       client->node, client_seconds(client, seconds));
    }
    return 0;
}
