/* client_call: sends a client's message to a process and waits for the reply. On the caller's
 * thread. */
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client_send.h"

#define ASK_FLUSH 16 /* requests that go out together, while the program asks on */

/* What is asked, and of whom. */
struct call_ask {
    struct client_ask ask; /* the first: client_pending_unask frees it */
    struct client_aim aim;
    char process[]; /* what the aim borrows from */
};

static int call_signal(const struct client_call *call, const struct client_aim *aim,
                       enum record_kind kind)
{
    struct client_link *link = &aim->at->link;
    const struct parcel parcel = { .from = CLIENT_SERIAL,
                                   .to = aim->to,
                                   .kind = (uint8_t)kind,
                                   .has_ref = true,
                                   .ref = call->monitor };

    return link->peer ? peer_send(link->peer, &parcel, endpoint_now_ns()) : RUSM_ENOCONN;
}

static int call_why(const struct client_call *call, int error, const struct client_aim *aim,
                    struct rusm_why *why)
{
    struct rusm_client *c = aim->at;
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

/* Sends the request, and puts the call among those under way. Returns 0 or an error. */
static int call_begin(struct client_call *call, const struct client_aim *aim, const void *data,
                      size_t len, uint64_t deadline_ns)
{
    struct client_pending *p = &aim->at->pending;
    struct parcel parcel = { .from = CLIENT_SERIAL,
                             .to = aim->to,
                             .kind = RECORD_CALL,
                             .has_ref = true,
                             .has_receipt = true,
                             .data = data,
                             .len = len };

    *call = (struct client_call){ .monitor = ++p->refs };
    parcel.ref = call->ref = ++p->refs;
    parcel.receipt = call->receipt = ++p->receipts;
    list_init(&call->link);
    list_append(&p->calls, &call->link);
    /* The monitor goes first on the same lane, so the end of the process cannot be missed. */
    int error = call_signal(call, aim, RECORD_MONITOR);
    return error ? error : client_send_record(aim->at, &parcel, deadline_ns);
}

/* Waits for the reply. `error`: of call_begin. Gives the reply. Returns 0 or an error. */
static int call_end(struct client_call *call, const struct client_aim *aim, int error,
                    uint64_t deadline_ns, void **reply, size_t *reply_len, struct rusm_why *why)
{
    struct client_link *link = &aim->at->link;

    while (!error && !call->done && !call->down && !call->refused) {
        error = client_link_step(link, deadline_ns);
    }
    if (!call->down && call_signal(call, aim, RECORD_DEMONITOR) == 0) {
        client_link_flush(link);
    }
    list_remove(&call->link);
    if (call->done) {
        *reply = call->reply;
        *reply_len = call->reply_len;
        return 0;
    }
    error = call_why(call, error, aim, why);
    free(call->reply);
    return error;
}

int rusm_client_call(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, void **reply, size_t *reply_len, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    struct client_call call;
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
    error = call_begin(&call, &aim, data, len, deadline_ns);
    return call_end(&call, &aim, error, deadline_ns, reply, reply_len, why);
}

/* ---- many at once ---- */

static struct call_ask *ask_new(struct rusm_client *client, const char *process, bool global,
                                uint64_t deadline_ns, int *error, struct rusm_why *why)
{
    struct call_ask *q = malloc(sizeof(*q) + strlen(process) + 1);

    *error = RUSM_ENOMEM;
    if (q) {
        strcpy(q->process, process);
        q->ask.deadline_ns = deadline_ns;
        list_init(&q->ask.link);
        *error = client_aim_find(client, q->process, global, &q->aim, deadline_ns, why);
    }
    if (*error) {
        free(q);
        return NULL;
    }
    return q;
}

/* Sends it. Returns 0, or an error, after which no answer comes. */
static int ask_send(struct call_ask *q, const void *data, size_t len, struct rusm_why *why)
{
    uint64_t deadline_ns = q->ask.deadline_ns;
    size_t none_len;
    void *none;
    int error = client_send_length(q->aim.at, len, why);

    if (!error) {
        error = call_begin(&q->ask.call, &q->aim, data, len, deadline_ns);
        if (error) {
            error = call_end(&q->ask.call, &q->aim, error, deadline_ns, &none, &none_len, why);
        }
    }
    return error;
}

int rusm_client_ask(struct rusm_client *client, const char *process, bool global, const void *data,
                    size_t len, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    struct client_pending *p = &client->pending;
    struct call_ask *q;
    int error;

    if (p->asked_count >= RUSM_ASKED_MAX) {
        return err_why(why, RUSM_BUSY, "%d answers are not taken yet", RUSM_ASKED_MAX);
    }
    error = client_wake(client, deadline_ns, why);
    if (error) {
        return error;
    }
    q = ask_new(client, process, global, deadline_ns, &error, why);
    if (!q) {
        return error;
    }
    error = ask_send(q, data, len, why);
    if (error) {
        free(q);
        return error;
    }
    list_append(&p->asked, &q->ask.link);
    if (++p->asked_count % ASK_FLUSH == 0) {
        client_link_poll(&q->aim.at->link);
    }
    return 0;
}

size_t rusm_client_asked(const struct rusm_client *client)
{
    return client->pending.asked_count;
}

int rusm_client_answer(struct rusm_client *client, void **reply, size_t *reply_len,
                       struct rusm_why *why)
{
    struct list *first = list_first(&client->pending.asked);
    struct call_ask *q;
    int error;

    *reply = NULL;
    *reply_len = 0;
    if (!first) {
        return err_why(why, RUSM_EINVAL, "nothing was asked");
    }
    q = container_of(first, struct call_ask, ask.link);
    list_remove(first);
    client->pending.asked_count--;
    error = call_end(&q->ask.call, &q->aim, 0, q->ask.deadline_ns, reply, reply_len, why);
    free(q);
    return error;
}
