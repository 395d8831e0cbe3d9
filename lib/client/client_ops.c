/* client_ops: messages from a client: post and flush with receipts, call. See client.h. */
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client.h"

#define READ_EVERY 64 /* posts between two looks at what the node says */

/* ---- what came back ---- */

static struct client_post *post_slot(struct rusm_client *c, uint64_t id)
{
    return &c->posts[id % CLIENT_POSTS];
}

static void post_forget(struct rusm_client *c, struct client_post *post)
{
    free(post->text);
    *post = (struct client_post){ .id = 0 };
    c->post_count--;
}

void client_posts_forget(struct rusm_client *c)
{
    for (size_t i = 0; i < CLIENT_POSTS && c->post_count > 0; i++) {
        if (c->posts[i].id) {
            post_forget(c, &c->posts[i]);
        }
    }
}

int client_why_refused(const struct rusm_client *c, int error, const char *text,
                       struct rusm_why *why)
{
    switch (error) {
    case RUSM_ENOPROC: return err_why(why, error, "no process %s", text);
    case RUSM_ETOOLARGE:
        return err_why(why, error, "%s takes messages of up to %llu bytes", c->node,
                       (unsigned long long)c->max_message);
    case RUSM_BUSY: return err_why(why, error, "the mailbox of %s is full", text);
    default: return err_why(why, error, "%s was not reached: %s", text, rusm_strerror(error));
    }
}

/* Of all that fail the first one is kept. */
static void post_fail(struct rusm_client *c, int error, const char *text)
{
    c->global[0] = '\0'; /* its owner may be another by now */
    if (!c->failed) {
        c->failed = client_why_refused(c, error, text, &c->failed_why);
    }
}

void client_got_receipt(struct rusm_client *c, const struct receipt *receipt)
{
    struct client_post *post = post_slot(c, receipt->id);
    int error = -(int)receipt->status;

    if (receipt->id != 0 && receipt->id == c->call.receipt) {
        c->call.received = error == 0;
        c->call.refused = error;
    } else if (receipt->id != 0 && post->id == receipt->id) {
        if (error) {
            post_fail(c, error, post->text);
        }
        post_forget(c, post);
    }
}

bool client_got_record(struct rusm_client *c, const struct record *record, const uint8_t *payload)
{
    struct client_call *call = &c->call;
    bool reply = record->kind == RECORD_REPLY && record->ref == call->ref;
    bool down =
        record->kind == RECORD_DOWN && (record->ref == call->monitor || record->ref == call->ref);

    /* A DOWN behind the reply is no news. */
    if (call->ref == 0 || call->done || call->down || (!reply && !down)) {
        return false;
    }
    call->reply = client_copy(payload, record->payload_len);
    call->reply_len = record->payload_len;
    if (!call->reply) {
        call->refused = RUSM_ENOMEM;
    } else {
        call->done = reply;
        call->down = down;
    }
    return true;
}

void client_got_break(struct rusm_client *c, int cause)
{
    if (c->call.ref) {
        c->call.refused = cause;
    } else if (c->post_count > 0) {
        /* Which of them it was cannot be told, nor will there be a receipt: none is waited for. */
        const char *text = c->node;
        for (size_t i = 0; i < CLIENT_POSTS; i++) {
            text = c->posts[i].id ? c->posts[i].text : text;
        }
        post_fail(c, cause, text);
        client_posts_forget(c);
    }
}

/* ---- post ---- */

static int take_failure(struct rusm_client *c, struct rusm_why *why)
{
    int error = c->failed;

    if (error && why) {
        *why = c->failed_why;
    }
    c->failed = 0;
    return error;
}

static int why_lost(struct rusm_client *c, struct rusm_why *why)
{
    client_posts_forget(c);
    return link_why_over(c, why);
}

/* The same, for all that keeps a message from going out. */
static int why_unsent(struct rusm_client *c, int error, const struct aim *aim, struct rusm_why *why)
{
    if (error == RUSM_ENOCONN || error == RUSM_ECLOSED || c->over) {
        return why_lost(c, why);
    }
    if (error == RUSM_BUSY || error == RUSM_ETIMEOUT) {
        return err_why(
            why, RUSM_BUSY,
            "the mailbox of %s is full: %zu messages wait for room there; they may still "
            "arrive, this one was not sent",
            aim->text, c->post_count);
    }
    return client_why_refused(c, error, aim->text, why);
}

/* Sends one record, waiting for room until the deadline. */
static int send_record(struct rusm_client *c, const struct parcel *parcel, uint64_t deadline_ns)
{
    int step = 0;

    while (!step && c->peer) {
        c->writable = false;
        int error = peer_send(c->peer, parcel, endpoint_now_ns());
        if (error != RUSM_BUSY) {
            return error;
        }
        while (!step && !c->writable) {
            step = link_step(c, deadline_ns);
        }
    }
    return step ? step : RUSM_ENOCONN;
}

/* Waits until the next receipt's slot is free. */
static int wait_for_slot(struct rusm_client *c, uint64_t deadline_ns)
{
    int error = 0;

    while (!error && !c->failed && post_slot(c, c->receipts + 1)->id) {
        error = link_step(c, deadline_ns);
    }
    return error;
}

static int too_large(const struct rusm_client *c, size_t len, struct rusm_why *why)
{
    uint64_t most = c->max_message < RUSM_MESSAGE_MAX ? c->max_message : RUSM_MESSAGE_MAX;

    if (len <= most) {
        return 0;
    }
    return err_why(why, RUSM_ETOOLARGE, "a message of %zu bytes is too large: %s takes up to %llu",
                   len, c->node, (unsigned long long)most);
}

static int post_to(const struct aim *aim, const void *data, size_t len, uint64_t deadline_ns,
                   struct rusm_why *why)
{
    struct rusm_client *c = aim->at;
    struct parcel parcel = { .from = CLIENT_SERIAL,
                             .to = aim->to,
                             .kind = RECORD_SEND,
                             .has_receipt = true,
                             .data = data,
                             .len = len };
    int error = too_large(c, len, why);

    if (error) {
        return error;
    }
    char *text = client_copy(aim->text, strlen(aim->text));
    error = text ? wait_for_slot(c, deadline_ns) : RUSM_ENOMEM;
    if (!error && !c->failed) {
        parcel.receipt = c->receipts + 1;
        error = send_record(c, &parcel, deadline_ns);
    }
    if (error || !parcel.receipt) {
        free(text);
        return c->failed ? take_failure(c, why) : why_unsent(c, error, aim, why);
    }
    *post_slot(c, ++c->receipts) = (struct client_post){ .id = parcel.receipt, .text = text };
    c->post_count++;
    if (c->receipts % READ_EVERY == 0) {
        link_poll(c);
    } else {
        link_flush(c);
    }
    return 0;
}

int rusm_client_post(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, struct rusm_why *why)
{
    uint64_t deadline_ns = client_deadline(client);
    struct aim aim;
    int error = client->failed ? take_failure(client, why) : client_wake(client, deadline_ns, why);

    if (!error) {
        error = aim_find(client, process, global, &aim, deadline_ns, why);
    }
    return error ? error : post_to(&aim, data, len, deadline_ns, why);
}

static const struct client_post *post_oldest(const struct rusm_client *c)
{
    const struct client_post *oldest = NULL;

    for (size_t i = 0; i < CLIENT_POSTS; i++) {
        if (c->posts[i].id && (!oldest || c->posts[i].id < oldest->id)) {
            oldest = &c->posts[i];
        }
    }
    return oldest;
}

static int flush_one(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    char seconds[16];
    int error = 0;

    link_poll(c); /* also when nothing is posted: who waits for input flushes to stay connected */
    while (!error && c->post_count > 0 && !c->failed) {
        error = link_step(c, deadline_ns);
    }
    if (c->failed) {
        return take_failure(c, why);
    }
    if (c->post_count == 0) {
        return 0;
    }
    if (error == RUSM_ETIMEOUT) {
        return err_why(why, error,
                       "no receipt within %s: the mailbox of %s is full or the node does not "
                       "answer; the message may still arrive",
                       client_seconds(c, seconds), post_oldest(c)->text);
    }
    return why_lost(c, why);
}

int rusm_client_flush(struct rusm_client *client, struct rusm_why *why)
{
    uint64_t deadline_ns = client_deadline(client);
    int error = flush_one(client, deadline_ns, why);

    for (struct rusm_client *c = client->others; c; c = c->next) {
        int other = flush_one(c, deadline_ns, error ? NULL : why);
        error = error ? error : other;
    }
    return error;
}

/* ---- call ---- */

static int call_signal(struct rusm_client *c, const struct aim *aim, enum record_kind kind)
{
    const struct parcel parcel = { .from = CLIENT_SERIAL,
                                   .to = aim->to,
                                   .kind = (uint8_t)kind,
                                   .has_ref = true,
                                   .ref = c->call.monitor };

    return c->peer ? peer_send(c->peer, &parcel, endpoint_now_ns()) : RUSM_ENOCONN;
}

static int why_no_reply(struct rusm_client *c, int error, const struct aim *aim,
                        struct rusm_why *why)
{
    const struct client_call *call = &c->call;
    char seconds[16];

    if (call->down && strcmp(call->reply, "noproc") != 0) {
        return err_why(why, RUSM_ENOPROC, "process %s died before it replied: %s", aim->text,
                       call->reply);
    }
    if (call->down) {
        return client_why_refused(c, RUSM_ENOPROC, aim->text, why);
    }
    if (call->refused) {
        return client_why_refused(c, call->refused, aim->text, why);
    }
    if (error == RUSM_ETIMEOUT && call->received) {
        return err_why(why, error,
                       "no reply within %s: process %s has the message and may still "
                       "reply",
                       client_seconds(c, seconds), aim->text);
    }
    if (error == RUSM_ETIMEOUT) {
        return err_why(why, error,
                       "no reply within %s: the mailbox of %s is full or the node does not answer; "
                       "the message may still arrive",
                       client_seconds(c, seconds), aim->text);
    }
    return why_unsent(c, error, aim, why);
}

static int call_run(struct rusm_client *c, const struct aim *aim, const void *data, size_t len,
                    uint64_t deadline_ns, struct rusm_why *why)
{
    struct client_call *call = &c->call;
    struct parcel parcel = { .from = CLIENT_SERIAL,
                             .to = aim->to,
                             .kind = RECORD_CALL,
                             .has_ref = true,
                             .has_receipt = true,
                             .data = data,
                             .len = len };

    *call = (struct client_call){ .monitor = ++c->refs };
    parcel.ref = call->ref = ++c->refs;
    parcel.receipt = call->receipt = ++c->receipts;
    /* On the same lane: of a process that is gone, or ends, the news cannot be missed. */
    int error = call_signal(c, aim, RECORD_MONITOR);
    if (!error) {
        error = send_record(c, &parcel, deadline_ns);
    }
    while (!error && !call->done && !call->down && !call->refused) {
        error = link_step(c, deadline_ns);
    }
    if (!call->down && call_signal(c, aim, RECORD_DEMONITOR) == 0) {
        link_flush(c);
    }
    return call->done ? 0 : why_no_reply(c, error, aim, why);
}

int rusm_client_call(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, void **reply, size_t *reply_len, struct rusm_why *why)
{
    uint64_t deadline_ns = client_deadline(client);
    struct aim aim;
    int error = client_wake(client, deadline_ns, why);

    *reply = NULL;
    *reply_len = 0;
    if (!error) {
        error = aim_find(client, process, global, &aim, deadline_ns, why);
    }
    if (!error) {
        error = too_large(aim.at, len, why);
    }
    if (error) {
        return error;
    }
    struct client_call *call = &aim.at->call;
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
