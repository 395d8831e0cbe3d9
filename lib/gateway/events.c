/* events: see the header. */
#include "gateway/events.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "gateway/limits.h"
#include "gateway/exchange.h"

/* Bytes of an escaped text: a reason has RUSM_REASON_MAX bytes, and each may become four. */
#define EVENT_TEXT (4 * RUSM_REASON_MAX + 1)

/* Bytes of an event: most have no more. */
#define EVENT_USUAL 256

struct watcher {
    struct list link; /* in gateway.watchers */
    struct exchange *x;
    uint64_t missed; /* events that were not sent since the last one that was */
    bool full;       /* has no room for the event that is being sent */
};

static void miss(struct watcher *w, uint64_t count)
{
    w->missed += count;
    w->x->gateway->counters.missed += count;
}

/* Writes an event. If there is no room, counts it as missed and returns false. */
static bool tell(struct watcher *w, const char *text, size_t len)
{
    if (answer_write(w->x, text, len) == 0) {
        return true;
    }
    miss(w, 1);
    return false;
}

/* Tells the client how many events it missed, if there is room again. */
static void tell_missed(struct watcher *w)
{
    char text[128];
    uint64_t missed = w->missed;
    int len = snprintf(text, sizeof(text), "event: missed\ndata: {\"events\":%llu}\n\n",
                       (unsigned long long)missed);

    if (missed > 0 && answer_write(w->x, text, (size_t)len) == 0) {
        w->missed -= missed;
    }
}

static void on_drained(struct exchange *x)
{
    tell_missed(x->state_of_handler);
}

static void on_gone(struct exchange *x)
{
    struct watcher *w = x->state_of_handler;

    list_remove(&w->link);
    free(w);
}

void events_watch(struct exchange *x)
{
    static const char hello[] = "retry: 2000\n: what happens on this node, see rusm-http(7)\n\n";
    struct watcher *w = calloc(1, sizeof(*w));

    if (!w) {
        answer_error(x, RUSM_ENOMEM, NULL);
        return;
    }
    w->x = x;
    x->state_of_handler = w;
    x->drained = on_drained;
    x->gone = on_gone;
    if (list_empty(&x->gateway->watchers)) {
        x->gateway->beat_ns = x->gateway->now_ns + LIMIT_EVENTS_BEAT_NS;
    }
    list_append(&x->gateway->watchers, &w->link);
    /* A proxy must neither keep the bytes until it has many nor compress them: nginx, which puts
     * answers into a buffer, obeys the first field, and the others the second. */
    answer_field(x, "x-accel-buffering", "no");
    answer_field(x, "cache-control", "no-cache, no-transform");
    answer_stream(x, "text/event-stream");
    (void)tell(w, hello, sizeof(hello) - 1);
}

bool events_has_watchers(const struct gateway *g)
{
    return !list_empty(&g->watchers);
}

void events_add_missed(struct gateway *g, uint64_t count)
{
    list_each(link, &g->watchers) {
        miss(container_of(link, struct watcher, link), count);
    }
}

/* Returns whether this client wants events of that type. It names types with ?type=, which may be
 * repeated. Without ?type= it wants all. */
static bool wants(const struct exchange *x, const char *type)
{
    bool any = false;

    for (size_t i = 0; i < x->url.count; i++) {
        any = true;
        if (strcmp(x->url.parameter[i].value, type) == 0) {
            return true;
        }
    }
    return !any;
}

/* Counts an event as missed on each stream that has no room for it. Returns whether any stream has
 * room. If none has, the caller need not make the event's text, which saves most of the work when
 * much happens at once. */
static bool any_room(struct gateway *g, const char *type)
{
    bool any = false;

    list_each(link, &g->watchers) {
        struct watcher *w = container_of(link, struct watcher, link);
        w->full = w->x->waiting + EVENT_USUAL > LIMIT_HTTP_STREAM;
        if (wants(w->x, type)) {
            any = any || !w->full;
            miss(w, w->full);
        }
    }
    return any;
}

static json_t *json_of(const struct gateway_event *event)
{
    json_t *object = json_pack("{s:f}", "time", (double)event->wall_ms / 1000);
    char text[EVENT_TEXT];

    for (size_t i = 0; object && i < event->count; i++) {
        const struct gateway_field *f = &event->field[i];
        json_t *value;
        if (f->text) {
            utf8_escape(text, sizeof(text), f->text, strlen(f->text));
            value = json_string(text);
        } else {
            value = json_integer(f->number > INT64_MAX ? INT64_MAX : (json_int_t)f->number);
        }
        if (json_object_set_new(object, f->key, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

void events_send(struct gateway *g, const struct gateway_event *event)
{
    char *json = NULL, *text = NULL;
    json_t *object;
    size_t cap;
    int len = 0;

    if (!any_room(g, event->type)) {
        return;
    }
    object = json_of(event);
    json = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(13)) : NULL;
    json_decref(object);
    cap = json ? strlen(json) + strlen(event->type) + 32 : 0;
    text = json ? malloc(cap) : NULL;
    if (text) {
        len = snprintf(text, cap, "event: %s\ndata: %s\n\n", event->type, json);
    }
    list_each(link, &g->watchers) {
        struct watcher *w = container_of(link, struct watcher, link);
        if (w->full || !wants(w->x, event->type)) {
            continue;
        }
        if (text) {
            (void)tell(w, text, (size_t)len);
        } else {
            miss(w, 1);
        }
    }
    free(json);
    free(text);
}

uint64_t events_tick(struct gateway *g)
{
    static const char beat[] = ": still here\n\n";

    if (list_empty(&g->watchers)) {
        return UINT64_MAX;
    }
    if (g->now_ns >= g->beat_ns) {
        g->beat_ns = g->now_ns + LIMIT_EVENTS_BEAT_NS;
        list_each(link, &g->watchers) {
            struct watcher *w = container_of(link, struct watcher, link);
            if (w->x->waiting == 0) { /* else other bytes are on their way already */
                (void)answer_write(w->x, beat, sizeof(beat) - 1);
            }
        }
    }
    return g->beat_ns;
}

void events_leave(struct gateway *g)
{
    list_each_safe(link, &g->watchers) {
        struct watcher *w = container_of(link, struct watcher, link);
        tell_missed(w);
        list_remove(&w->link); /* nothing can be written after the end */
        answer_end(w->x);
    }
}
