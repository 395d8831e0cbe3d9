/* client_follow: see the header. */
#include "client/client_follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/utf8.h"
#include "client/client.h"
#include "wire/follow.h"
#include "wire/limits.h"

/* Bytes of replies that wait for the program. It takes them in each call of rusm_client_event, and
 * only other calls, which wait for something else, let them become more. */
#define REPLIES_MAX ((size_t)4 * 1024 * 1024)
#define ID_TEXT 32 /* 8 hex digits, a dash, 19 digits */

struct client_follow {
    uint64_t id;          /* of the request; 0: nothing is followed on this connection */
    bool begun;           /* the first reply has come */
    bool over;            /* the last reply has come */
    int error;            /* no memory, too many replies, or how the node ended it; 0: none */
    struct rusm_why why;  /* of the error */
    uint32_t incarnation; /* of the node */
    struct buf replies;   /* events not read yet, each reply's after its u32 length */
    size_t used;          /* bytes of the first of them that were read */
    struct follow_event event;
    char at[ID_TEXT];
    char texts[LIMIT_FRAME], shown[4 * LIMIT_FRAME]; /* of the event; for people */
};

void client_follow_free(struct client_follow *f)
{
    if (f) {
        buf_fini(&f->replies);
        free(f);
    }
}

void client_follow_lost(struct client_follow *f)
{
    if (f) {
        f->id = 0;
        f->begun = f->over = false;
        f->error = 0;
        f->used = 0;
        buf_clear(&f->replies);
    }
}

static void follow_id(struct client_follow *f, uint64_t id)
{
    snprintf(f->at, sizeof(f->at), "%x-%llu", f->incarnation, (unsigned long long)id);
}

/* Reads the id of an event. Returns false if it is none. */
static bool follow_id_read(const char *text, struct follow *follow)
{
    unsigned long long incarnation, id;
    char *end;

    if (text[0] == '\0' || strspn(text, "0123456789abcdef") != strcspn(text, "-")) {
        return false;
    }
    incarnation = strtoull(text, &end, 16);
    if (end[0] != '-' || end[1] < '0' || end[1] > '9' || incarnation == 0 ||
        incarnation > UINT32_MAX) {
        return false;
    }
    id = strtoull(end + 1, &end, 10);
    follow->incarnation = (uint32_t)incarnation;
    follow->since = id;
    return end[0] == '\0' && id <= VARINT_MAX;
}

/* ---- replies ---- */

static void follow_begun(struct client_follow *f, struct reader body)
{
    uint64_t id = reader_varint(&body);

    f->begun = !body.bad;
    f->error = body.bad ? RUSM_EMALFORMED : 0;
    follow_id(f, id);
}

bool client_follow_reply(struct rusm_client *c, const struct frame *frame, uint64_t id)
{
    struct client_follow *f = c->follow;
    struct reply reply;

    if (!f || f->id == 0 || f->id != id) {
        return false;
    }
    if (f->error || reply_decode(frame->body, frame->len, &reply) != 0) {
        return true;
    }
    uint32_t len = (uint32_t)reader_left(&reply.body);
    if (reply.status != 0) {
        f->error = err_why(&f->why, -(int)reply.status, "%.*s", (int)len,
                           len > 0 ? (const char *)reply.body.at : "");
    } else if (!f->begun) {
        follow_begun(f, reply.body);
    } else {
        f->error = buf_append(&f->replies, &len, sizeof(len));
        if (!f->error) {
            f->error = buf_append(&f->replies, reply.body.at, len);
        }
        f->over = !(reply.flags & REPLY_MORE);
    }
    return true;
}

/* Gives the next event that has come. Returns 1, 0 if there is none, or RUSM_EMALFORMED. */
static int follow_next(struct client_follow *f)
{
    while (buf_len(&f->replies) > 0) {
        uint32_t len;
        memcpy(&len, buf_data(&f->replies), sizeof(len));
        const uint8_t *body = buf_data(&f->replies) + sizeof(len);
        struct reader r = reader_on(body + f->used, len - f->used);
        int got = follow_event_read(&r, &f->event, f->texts, sizeof(f->texts));
        if (got != 0) {
            f->used = (size_t)(r.at - body);
            return got;
        }
        buf_consume(&f->replies, sizeof(len) + len);
        f->used = 0;
    }
    return 0;
}

/* Makes texts of the event that people and JSON can take. */
static void follow_show(struct client_follow *f, const char *node, struct rusm_event *event)
{
    size_t used = 0;

    for (size_t i = 0; i < f->event.count; i++) {
        struct rusm_field *field = &f->event.field[i];
        if (field->text) {
            const char *raw = field->text;
            field->text = f->shown + used;
            used += utf8_escape(f->shown + used, sizeof(f->shown) - used, raw, strlen(raw)) + 1;
        }
    }
    follow_id(f, f->event.id);
    *event = (struct rusm_event){ .id = f->at,
                                  .node = node,
                                  .type = f->event.type,
                                  .time_ms = f->event.time_ms,
                                  .fields = f->event.field,
                                  .count = f->event.count };
}

/* ---- for the program ---- */

static int follow_want(const struct rusm_follow *what, struct follow *want, struct rusm_why *why)
{
    int error = err_reserved(what->reserved, sizeof(what->reserved) / sizeof(*what->reserved), why);

    *want = (struct follow){ .incarnation = 0 };
    if (error) {
        return error;
    }
    if (what->since && !follow_id_read(what->since, want)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not the id of an event", what->since);
    }
    if (what->type_count > FOLLOW_TYPES_MAX) {
        return err_why(why, RUSM_EINVAL, "more than %d types", FOLLOW_TYPES_MAX);
    }
    for (size_t i = 0; i < what->type_count; i++) {
        if (!column_name_ok((const uint8_t *)what->types[i], strlen(what->types[i]))) {
            return err_why(why, RUSM_EINVAL, "'%s' is not a type of events", what->types[i]);
        }
        strcpy(want->type[i], what->types[i]);
    }
    want->count = what->type_count;
    want->mode = want->count == 0 ? FOLLOW_ALL : what->but ? FOLLOW_BUT : FOLLOW_ONLY;
    return 0;
}

static int follow_over(const struct client_follow *f, struct rusm_why *why)
{
    return err_why(why, f->error, "%s", f->why.text[0] ? f->why.text : rusm_strerror(f->error));
}

/* Steps the link until there is an event, or something else to say. */
static int follow_step(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    int step = client_link_step(&c->link, deadline_ns);

    return step == RUSM_ENOCONN ? client_link_why_over(&c->link, why) : step;
}

int client_follow_prepare(struct rusm_client *c)
{
    if (c->follow && c->follow->id != 0 && !c->follow->over) {
        client_request_cancel(&c->request, c->follow->id);
    }
    if (!c->follow) {
        c->follow = calloc(1, sizeof(*c->follow));
        if (!c->follow) {
            return RUSM_ENOMEM;
        }
        buf_init(&c->follow->replies, REPLIES_MAX);
    }
    client_follow_lost(c->follow);
    return 0;
}

int client_follow_begin(struct rusm_client *c, const struct writer *w, uint64_t deadline_ns,
                        struct rusm_why *why)
{
    struct client_follow *f = c->follow;
    char seconds[16];

    must(!w->bad);
    if (!c->link.peer) { /* it ended as the last one was cancelled */
        return client_link_why_over(&c->link, why);
    }
    f->id = c->request.last;
    f->incarnation = c->link.incarnation_there;
    f->why.text[0] = '\0';
    int error = peer_send_frame(c->link.peer, FRAME_REQUEST, false, w->start, writer_len(w));
    while (!error && !f->begun && !f->error) {
        error = follow_step(c, deadline_ns, why);
    }
    if (f->error == RUSM_EINVAL) {
        error = err_why(why, RUSM_EIO,
                        "%s runs an older rusm, which does not know this: start it again with this "
                        "version",
                        c->link.name);
    } else if (f->error) {
        error = follow_over(f, why);
    } else if (error == RUSM_ETIMEOUT) {
        err_why(why, error, "%s did not answer within %s", c->link.name,
                client_link_seconds(&c->link, seconds));
    }
    f->id = error ? 0 : f->id;
    return error;
}

int rusm_client_follow(struct rusm_client *client, const struct rusm_follow *what,
                       struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    struct follow want;
    int error = follow_want(what, &want, why);

    client->follow_at = client;
    if (!error) {
        error = client_wake(client, deadline_ns, why);
    }
    if (!error) {
        error = client_follow_prepare(client);
    }
    if (error) {
        return error;
    }
    struct writer w = client_request_begin(&client->request, OP_FOLLOW, 0); /* it has no end */
    follow_write(&w, &want);
    return client_follow_begin(client, &w, deadline_ns, why);
}

int rusm_client_event(struct rusm_client *client, uint32_t timeout_ms, struct rusm_event *event,
                      struct rusm_why *why)
{
    uint64_t deadline_ns = endpoint_now_ns() + (uint64_t)timeout_ms * 1000000;
    struct rusm_client *at = client->follow_at;
    struct client_follow *f = at ? at->follow : NULL;
    int got, step = 0;

    if (!f || f->id == 0) {
        return err_why(why, RUSM_ENOCONN, "no events of %s are followed", client->link.name);
    }
    client_link_poll(&at->link);
    /* Events that came before the end or the deadline still count. */
    while ((got = follow_next(f)) == 0 && !step && !f->error && !f->over) {
        step = follow_step(at, deadline_ns, why);
    }
    if (got > 0) {
        follow_show(f, at->link.name, event);
        return 0;
    }
    if (got < 0) {
        f->error = err_why(&f->why, got, "%s sent a malformed event", at->link.name);
    }
    if (!f->error && f->over) {
        return err_why(why, RUSM_ECLOSED, "%s has told all", at->link.name);
    }
    return f->error ? follow_over(f, why) : step;
}

const char *rusm_client_event_id(const struct rusm_client *client)
{
    const struct rusm_client *at = client->follow_at;

    return at && at->follow ? at->follow->at : "";
}
