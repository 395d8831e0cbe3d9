/* client_post: messages of a client that get no reply: post sends one, flush waits for the
 * receipts. On the caller's thread. */
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client_send.h"

#define READ_EVERY 64 /* posts between two reads of what the node sent */

/* Waits until the slot of the next receipt is free. */
static int post_wait(struct rusm_client *c, uint64_t deadline_ns)
{
    int error = 0;

    while (!error && !c->pending.failed &&
           client_pending_slot(&c->pending, c->pending.receipts + 1)->id) {
        error = client_link_step(&c->link, deadline_ns);
    }
    return error;
}

static int post_to(const struct client_aim *aim, const void *data, size_t len, uint64_t deadline_ns,
                   struct rusm_why *why)
{
    struct rusm_client *c = aim->at;
    struct parcel parcel = { .from = CLIENT_SERIAL,
                             .to = aim->to,
                             .kind = RECORD_SEND,
                             .has_receipt = true,
                             .data = data,
                             .len = len };
    int error = client_send_length(c, len, why);

    if (error) {
        return error;
    }
    char *text = strdup(aim->text);
    error = text ? post_wait(c, deadline_ns) : RUSM_ENOMEM;
    if (!error && !c->pending.failed) {
        parcel.receipt = c->pending.receipts + 1;
        error = client_send_record(c, &parcel, deadline_ns);
    }
    if (error || !parcel.receipt) {
        free(text);
        return c->pending.failed ? client_pending_failure(&c->pending, why)
                                 : client_send_why(c, error, aim, why);
    }
    *client_pending_slot(&c->pending, ++c->pending.receipts) =
        (struct client_post){ .id = parcel.receipt, .text = text };
    c->pending.post_count++;
    if (c->pending.receipts % READ_EVERY == 0) {
        client_link_poll(&c->link);
    } else {
        client_link_flush(&c->link);
    }
    return 0;
}

int rusm_client_post(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    struct client_aim aim;
    int error = client->pending.failed ? client_pending_failure(&client->pending, why)
                                       : client_wake(client, deadline_ns, why);

    if (!error) {
        error = client_aim_find(client, process, global, &aim, deadline_ns, why);
    }
    return error ? error : post_to(&aim, data, len, deadline_ns, why);
}

static int flush_one(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    char seconds[16];
    int error = 0;

    /* Poll even if nothing is posted: a command that waits for input flushes to stay connected. */
    client_link_poll(&c->link);
    while (!error && c->pending.post_count > 0 && !c->pending.failed) {
        error = client_link_step(&c->link, deadline_ns);
    }
    if (c->pending.failed) {
        return client_pending_failure(&c->pending, why);
    }
    if (c->pending.post_count == 0) {
        return 0;
    }
    if (error == RUSM_ETIMEOUT) {
        return err_why(why, error,
                       "no receipt within %s: the mailbox of %s is full or the node does not "
                       "answer; the message may still arrive",
                       client_link_seconds(&c->link, seconds),
                       client_pending_oldest(&c->pending)->text);
    }
    return client_send_lost(c, why);
}

int rusm_client_flush(struct rusm_client *client, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    int error = flush_one(client, deadline_ns, why);

    for (struct rusm_client *c = client->others; c; c = c->next) {
        int other = flush_one(c, deadline_ns, error ? NULL : why);
        error = error ? error : other;
    }
    return error;
}
