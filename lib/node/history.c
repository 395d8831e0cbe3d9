/* history: see the header. */
#include "node/history.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/gateway.h"
#include "node/limits.h"
#include "wire/follow.h"

/* Bytes of the longest event: three texts as long as a reason, or all counters. */
#define HISTORY_EVENT ((size_t)8 * 1024)

void history_init(struct history *h)
{
    list_init(&h->events);
}

static void history_forget(struct history *h, struct history_event *e)
{
    h->bytes -= sizeof(*e) + e->len;
    list_remove(&e->link);
    free(e);
}

void history_close(struct history *h)
{
    list_each_safe(link, &h->events) {
        history_forget(h, container_of(link, struct history_event, link));
    }
    h->uncounted = ++h->last;
}

void history_skip(struct history *h, uint64_t count)
{
    h->last += count;
}

static struct history_event *history_encode(uint64_t id, const struct gateway_event *event)
{
    uint8_t body[HISTORY_EVENT];
    struct writer w = writer_on(body, sizeof(body));

    follow_event_write(&w, id, event->wall_ms, event->type, event->count);
    for (size_t i = 0; i < event->count; i++) {
        const struct gateway_field *f = &event->field[i];
        if (f->text) {
            follow_text_write(&w, f->key, f->text);
        } else {
            follow_number_write(&w, f->key, f->number);
        }
    }
    struct history_event *e = w.bad ? NULL : malloc(sizeof(*e) + writer_len(&w));
    if (e) {
        e->id = id;
        e->type = event->type;
        e->len = writer_len(&w);
        memcpy(e->body, body, e->len);
    }
    return e;
}

void history_add(struct history *h, const struct gateway_event *event)
{
    struct history_event *e = history_encode(++h->last, event);

    if (!e) {
        return;
    }
    list_append(&h->events, &e->link);
    h->bytes += sizeof(*e) + e->len;
    while (h->bytes > LIMIT_EVENTS_KEPT) {
        history_forget(h, container_of(list_first(&h->events), struct history_event, link));
    }
}

const struct history_event *history_after(const struct history *h, uint64_t id)
{
    const struct history_event *found = NULL;

    /* From the newest one, as most followers are not far behind. */
    for (struct list *at = h->events.prev; at != &h->events; at = at->prev) {
        const struct history_event *e = container_of(at, struct history_event, link);
        if (e->id <= id) {
            break;
        }
        found = e;
    }
    return found;
}

const struct history_event *history_next(const struct history *h, const struct history_event *e)
{
    return e->link.next == &h->events ? NULL
                                      : container_of(e->link.next, struct history_event, link);
}

uint64_t history_missing(const struct history *h, uint64_t after, uint64_t before)
{
    return after < h->uncounted ? 0 : before - after - 1;
}
