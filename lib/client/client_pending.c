/* client_pending: see the header. */
#include "client/client_pending.h"

#include <stdlib.h>
#include <string.h>
#include "base/err.h"

void client_pending_init(struct client_pending *p, const struct client_link *link)
{
    p->link = link;
    list_init(&p->calls);
    list_init(&p->asked);
}

/* Returns a copy of the bytes with a 0 after them, or NULL if there is no memory. */
static char *bytes_copy(const void *data, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy) {
        if (len > 0) {
            memcpy(copy, data, len);
        }
        copy[len] = '\0';
    }
    return copy;
}

struct client_post *client_pending_slot(struct client_pending *p, uint64_t id)
{
    return &p->posts[id % CLIENT_PENDING_POSTS];
}

static void post_forget(struct client_pending *p, struct client_post *post)
{
    free(post->text);
    *post = (struct client_post){ .id = 0 };
    p->post_count--;
}

void client_pending_forget(struct client_pending *p)
{
    for (size_t i = 0; i < CLIENT_PENDING_POSTS && p->post_count > 0; i++) {
        if (p->posts[i].id) {
            post_forget(p, &p->posts[i]);
        }
    }
}

int client_pending_refused(const struct client_pending *p, int error, const char *text,
                           struct rusm_why *why)
{
    switch (error) {
    case RUSM_ENOPROC: return err_why(why, error, "no process %s", text);
    case RUSM_ETOOLARGE:
        return err_why(why, error, "%s takes messages of up to %llu bytes", p->link->name,
                       (unsigned long long)p->link->max_message);
    case RUSM_BUSY: return err_why(why, error, "the mailbox of %s is full", text);
    default: return err_why(why, error, "%s was not reached: %s", text, rusm_strerror(error));
    }
}

/* Keeps the first failure. */
static void post_fail(struct client_pending *p, int error, const char *text)
{
    p->owner_doubted = true; /* a global name may have another owner by now */
    if (!p->failed) {
        p->failed = client_pending_refused(p, error, text, &p->failed_why);
    }
}

void client_pending_receipt(struct client_pending *p, const struct receipt *receipt)
{
    struct client_post *post = client_pending_slot(p, receipt->id);
    int error = -(int)receipt->status;

    list_each(link, &p->calls) {
        struct client_call *call = container_of(link, struct client_call, link);
        if (receipt->id != 0 && receipt->id == call->receipt) {
            call->received = error == 0;
            call->refused = error;
            return;
        }
    }
    if (receipt->id != 0 && post->id == receipt->id) {
        if (error) {
            post_fail(p, error, post->text);
        }
        post_forget(p, post);
    }
}

static bool call_take(struct client_call *call, const struct record *record, const uint8_t *payload)
{
    bool reply = record->kind == RECORD_REPLY && record->ref == call->ref;
    bool down =
        record->kind == RECORD_DOWN && (record->ref == call->monitor || record->ref == call->ref);

    /* A DOWN that comes after the reply says nothing new. */
    if (call->done || call->down || (!reply && !down)) {
        return false;
    }
    call->reply = bytes_copy(payload, record->payload_len);
    call->reply_len = record->payload_len;
    if (!call->reply) {
        call->refused = RUSM_ENOMEM;
    } else {
        call->done = reply;
        call->down = down;
    }
    return true;
}

bool client_pending_record(struct client_pending *p, const struct record *record,
                           const uint8_t *payload)
{
    list_each(link, &p->calls) { /* most replies are to the oldest */
        if (call_take(container_of(link, struct client_call, link), record, payload)) {
            return true;
        }
    }
    return false;
}

void client_pending_calls_lost(struct client_pending *p, int cause)
{
    list_each(link, &p->calls) {
        struct client_call *call = container_of(link, struct client_call, link);
        if (!call->done && !call->down && !call->refused) {
            call->refused = cause;
        }
    }
}

void client_pending_unask(struct client_pending *p)
{
    list_each_safe(link, &p->asked) {
        struct client_ask *ask = container_of(link, struct client_ask, link);
        list_remove(&ask->call.link);
        list_remove(link);
        free(ask->call.reply);
        free(ask);
    }
}

void client_pending_broken(struct client_pending *p, int cause)
{
    if (!list_empty(&p->calls)) {
        client_pending_calls_lost(p, cause);
    } else if (p->post_count > 0) {
        /* Nothing says which message it was, and no receipt will come. So stop waiting for all. */
        const char *text = p->link->name;
        for (size_t i = 0; i < CLIENT_PENDING_POSTS; i++) {
            text = p->posts[i].id ? p->posts[i].text : text;
        }
        post_fail(p, cause, text);
        client_pending_forget(p);
    }
}

int client_pending_failure(struct client_pending *p, struct rusm_why *why)
{
    int error = p->failed;

    if (error && why) {
        *why = p->failed_why;
    }
    p->failed = 0;
    return error;
}

const struct client_post *client_pending_oldest(const struct client_pending *p)
{
    const struct client_post *oldest = NULL;

    for (size_t i = 0; i < CLIENT_PENDING_POSTS; i++) {
        if (p->posts[i].id && (!oldest || p->posts[i].id < oldest->id)) {
            oldest = &p->posts[i];
        }
    }
    return oldest;
}
