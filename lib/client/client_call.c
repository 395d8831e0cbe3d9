/* client_call: sends a client's message to a process and waits for the reply. On the caller's
 * thread. */
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client_send.h"

static int call_signal(struct rusm_client *c, const struct client_aim *aim, enum record_kind kind)
{
    const struct parcel parcel = { .from = CLIENT_SERIAL,
                                   .to = aim->to,
                                   .kind = (uint8_t)kind,
                                   .has_ref = true,
                                   .ref = c->pending.call.monitor };

    return c->link.peer ? peer_send(c->link.peer, &parcel, endpoint_now_ns()) : RUSM_ENOCONN;
}

static int call_why(struct rusm_client *c, int error, const struct client_aim *aim,
                    struct rusm_why *why)
{
    const struct client_call *call = &c->pending.call;
    char seconds[16];

    if (call->down && strcmp(call->reply, "noproc") != 0) {
        return err_why(why, RUSM_ENOPROC, "process %s died before it replied: %s", aim->text,
                       call->reply);
    }
    if (call->down) {
        return client_pending_refused(&c->pending, RUSM_ENOPROC, aim->text, why);
    }
    if (call->refused) {
        return client_pending_refused(&c->pending, call->refused, aim->text, why);
    }
    if (error == RUSM_ETIMEOUT && call->received) {
        return err_why(why, error,
                       "no reply within %s: process %s has the message and may still "
                       "reply",
                       client_link_seconds(&c->link, seconds), aim->text);
    }
    if (error == RUSM_ETIMEOUT) {
        return err_why(why, error,
                       "no reply within %s: the mailbox of %s is full or the node does not answer; "
                       "the message may still arrive",
                       client_link_seconds(&c->link, seconds), aim->text);
    }
    return client_send_why(c, error, aim, why);
}

static int call_run(struct rusm_client *c, const struct client_aim *aim, const void *data,
                    size_t len, uint64_t deadline_ns, struct rusm_why *why)
{
    struct client_call *call = &c->pending.call;
    struct parcel parcel = { .from = CLIENT_SERIAL,
                             .to = aim->to,
                             .kind = RECORD_CALL,
                             .has_ref = true,
                             .has_receipt = true,
                             .data = data,
                             .len = len };

    *call = (struct client_call){ .monitor = ++c->pending.refs };
    parcel.ref = call->ref = ++c->pending.refs;
    parcel.receipt = call->receipt = ++c->pending.receipts;
    /* The monitor goes first on the same lane, so the end of the process cannot be missed. */
    int error = call_signal(c, aim, RECORD_MONITOR);
    if (!error) {
        error = client_send_record(c, &parcel, deadline_ns);
    }
    while (!error && !call->done && !call->down && !call->refused) {
        error = client_link_step(&c->link, deadline_ns);
    }
    if (!call->down && call_signal(c, aim, RECORD_DEMONITOR) == 0) {
        client_link_flush(&c->link);
    }
    return call->done ? 0 : call_why(c, error, aim, why);
}

int rusm_client_call(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, void **reply, size_t *reply_len, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    struct client_aim aim;
    int error = client_wake(client, deadline_ns, why);

    *reply = NULL;
    *reply_len = 0;
    if (!error) {
        error = client_aim_find(client, process, global, &aim, deadline_ns, why);
    }
    if (!error) {
        error = client_send_length(aim.at, len, why);
    }
    if (error) {
        return error;
    }
    struct client_call *call = &aim.at->pending.call;
    error = call_run(aim.at, &aim, data, len, deadline_ns, why);
    if (!error) {
        *reply = call->reply;
        *reply_len = call->reply_len;
    } else {
        free(call->reply);
    }
    *call = (struct client_call){ .ref = 0 };
    return error;
}
