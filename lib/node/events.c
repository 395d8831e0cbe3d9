/* events: see the header. */
#include "node/events.h"

#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "node/limits.h"
#include "node/clock.h"
#include "node/node.h"

/* Observers get the counters that have changed this often. */
#define COUNTERS_NS ((uint64_t)1000000000)

enum event_type {
    EVENT_STARTED,
    EVENT_SPAWN,
    EVENT_ENDED,
    EVENT_RESTARTED,
    EVENT_DOWN,
    EVENT_REGISTERED,
    EVENT_UNREGISTERED,
    EVENT_GLOBAL_REGISTERED,
    EVENT_GLOBAL_UNREGISTERED,
    EVENT_NAME_LOST,
    EVENT_NODE_UP,
    EVENT_NODE_DOWN,
};

#define EVENT_TEXTS 4

/* The name of each event, and the keys of its texts. */
static const struct {
    const char *type, *key[EVENT_TEXTS];
    const char *scope; /* of a name event */
} event_kinds[] = {
    [EVENT_STARTED] = { "process_started", { "name", "behaviour" }, NULL },
    [EVENT_SPAWN] = { "spawn", { "name", "spawnable", "by", "from" }, NULL },
    [EVENT_ENDED] = { "process_ended", { "name", "behaviour", "reason" }, NULL },
    [EVENT_RESTARTED] = { "process_restarted", { "name", "behaviour" }, NULL },
    [EVENT_DOWN] = { "process_down", { "name", "behaviour", "reason" }, NULL },
    [EVENT_REGISTERED] = { "name_registered", { "name" }, "local" },
    [EVENT_UNREGISTERED] = { "name_unregistered", { "name" }, "local" },
    [EVENT_GLOBAL_REGISTERED] = { "name_registered", { "name" }, "global" },
    [EVENT_GLOBAL_UNREGISTERED] = { "name_unregistered", { "name" }, "global" },
    [EVENT_NAME_LOST] = { "name_lost", { "name", NULL, "to" }, "global" },
    [EVENT_NODE_UP] = { "node_up", { "node", "address" }, NULL },
    [EVENT_NODE_DOWN] = { "node_down", { "node", "address", "reason" }, NULL },
};

struct event {
    struct list link; /* in events.queue */
    enum event_type type;
    uint64_t serial; /* of the process; 0: about no process */
    uint64_t wall_ms;
    size_t bytes;
    char text[]; /* the values of the keys above, each NUL-terminated */
};

void events_init(struct events *e, events_counters_fn *counters_now)
{
    e->counters_now = counters_now;
    pthread_mutex_init(&e->lock, NULL);
    list_init(&e->queue);
    list_init(&e->followers);
    history_init(&e->history);
}

void events_fini(struct events *e)
{
    history_close(&e->history);
    list_each_safe(link, &e->queue) {
        free(container_of(link, struct event, link));
    }
    pthread_mutex_destroy(&e->lock);
}

/* ---- events from the node ---- */

static bool watched(const struct events *e)
{
    return atomic_load_explicit(&e->watched, memory_order_relaxed);
}

bool events_watched(const struct rusm_node *node)
{
    return watched(&node->events);
}

/* Queues an event about a process, with texts, of which the first has the length `first_len`. */
static void put_texts(struct rusm_node *node, enum event_type type, uint64_t serial,
                      const char *const texts[EVENT_TEXTS], size_t first_len)
{
    struct events *e = &node->events;
    size_t bytes = sizeof(struct event) + first_len + 1;
    for (size_t i = 1; i < EVENT_TEXTS; i++) {
        bytes += strlen(texts[i]) + 1;
    }
    struct event *it = malloc(bytes);
    if (it) {
        it->type = type;
        it->serial = serial;
        it->wall_ms = clock_wall_ms();
        it->bytes = bytes;
        memcpy(it->text, texts[0], first_len);
        char *end = it->text + first_len;
        *end++ = '\0';
        for (size_t i = 1; i < EVENT_TEXTS; i++) {
            end = stpcpy(end, texts[i]) + 1;
        }
    }
    pthread_mutex_lock(&e->lock);
    bool first = list_empty(&e->queue);
    if (it && e->bytes + bytes <= LIMIT_EVENTS_BYTES) {
        list_append(&e->queue, &it->link);
        e->bytes += bytes;
        it = NULL;
    } else {
        e->missed++;
    }
    pthread_mutex_unlock(&e->lock);
    free(it);
    if (first) {
        loop_wake(&node->first->loop); /* scheduler 0 may sleep, and this may be another thread */
    }
}

static void put(struct rusm_node *node, enum event_type type, uint64_t serial, const char *a,
                size_t a_len, const char *b, const char *c)
{
    const char *const texts[EVENT_TEXTS] = { a, b, c, "" };
    put_texts(node, type, serial, texts, a_len);
}

void events_spawned(struct rusm_node *node, const struct service_spawned *s)
{
    const char *const texts[EVENT_TEXTS] = { s->name, s->spawnable, s->by, s->from };
    put_texts(node, EVENT_SPAWN, s->serial, texts, strlen(s->name));
}

void events_process(void *node, const struct process_event *h)
{
    static const enum event_type types[] = {
        [PROCESS_STARTED] = EVENT_STARTED,     [PROCESS_ENDED] = EVENT_ENDED,
        [PROCESS_RESTARTED] = EVENT_RESTARTED, [PROCESS_DOWN] = EVENT_DOWN,
        [PROCESS_NAMED] = EVENT_REGISTERED,    [PROCESS_UNNAMED] = EVENT_UNREGISTERED
    };
    put(node, types[h->kind], h->serial, h->name, h->name_len, h->behaviour, h->reason);
}

void events_node_up(struct rusm_node *node, const struct member *m)
{
    if (watched(&node->events)) {
        put(node, EVENT_NODE_UP, 0, m->name, strlen(m->name), m->current->address, "");
    }
}

void events_node_down(struct rusm_node *node, const struct member *m, const char *reason)
{
    if (watched(&node->events)) {
        put(node, EVENT_NODE_DOWN, 0, m->name, strlen(m->name), m->current->address, reason);
    }
}

void events_global(struct rusm_node *node, uint64_t serial, const char *name, size_t len, bool has)
{
    if (watched(&node->events)) {
        put(node, has ? EVENT_GLOBAL_REGISTERED : EVENT_GLOBAL_UNREGISTERED, serial, name, len, "",
            "");
    }
}

void events_name_lost(struct rusm_node *node, uint64_t serial, const char *name, const char *by)
{
    if (watched(&node->events)) {
        put(node, EVENT_NAME_LOST, serial, name, strlen(name), "", by);
    }
}

/* ---- events to the observers ---- */

static void events_tell(struct rusm_node *node, const struct gateway_event *event)
{
    if (node->gateway) {
        gateway_event(node->gateway, event);
    }
    if (node->events.kept) {
        history_add(&node->events.history, event);
    }
}

static bool counters_wanted(struct rusm_node *node)
{
    return node->events.counters_wanted > 0 || (node->gateway && gateway_watched(node->gateway));
}

/* Returns whether anybody watches. Sees to it that events are kept while there are followers, or
 * one was lost just now and may come back. */
static bool wanted(struct rusm_node *node)
{
    struct events *e = &node->events;
    if (!list_empty(&e->followers)) {
        e->keep_ns = node->first->now_ns + LIMIT_EVENTS_KEPT_NS;
    }
    bool kept = node->first->now_ns < e->keep_ns;
    if (e->kept && !kept) {
        history_close(&e->history);
    }
    e->kept = kept;
    return kept || (node->gateway && gateway_watched(node->gateway));
}

static void hand_over(struct rusm_node *node, const struct event *it)
{
    struct gateway_field field[EVENT_TEXTS + 2];
    struct gateway_event event = { .type = event_kinds[it->type].type,
                                   .wall_ms = it->wall_ms,
                                   .field = field };
    char pid[RUSM_PID_TEXT_MAX];
    const char *text = it->text;
    if (it->serial) {
        id_pid_format(pid, sizeof(pid), it->serial, node->name, node->incarnation);
        field[event.count++] = (struct gateway_field){ .key = "pid", .text = pid };
    }
    for (size_t i = 0; i < EVENT_TEXTS; i++) {
        const char *key = event_kinds[it->type].key[i];
        if (key && (text[0] || i > 0)) {
            field[event.count++] = (struct gateway_field){ .key = key, .text = text };
        }
        text += strlen(text) + 1;
    }
    if (event_kinds[it->type].scope) {
        field[event.count++] =
            (struct gateway_field){ .key = "scope", .text = event_kinds[it->type].scope };
    }
    events_tell(node, &event);
}

/* Sends observers the counters that have changed since the last time. With `all_told` it only
 * remembers their values, because nobody watched before. */
static void tell_counters(struct rusm_node *node, bool all_told)
{
    struct events *e = &node->events;
    struct gateway_field field[COUNTERS_MAX];
    struct counter now[COUNTERS_MAX];
    struct gateway_event event = { .type = "counters", .wall_ms = clock_wall_ms(), .field = field };
    size_t count = e->counters_now(node, now);
    for (size_t i = 0; i < count; i++) {
        if (now[i].value != e->counters[i].value) {
            field[event.count++] =
                (struct gateway_field){ .key = now[i].name, .number = now[i].value };
        }
    }
    memcpy(e->counters, now, count * sizeof(now[0]));
    e->counted_ns = node->first->now_ns;
    if (event.count > 0 && !all_told) {
        events_tell(node, &event);
    }
}

uint64_t events_deliver(struct rusm_node *node)
{
    struct events *e = &node->events;
    bool was = watched(e), is = wanted(node);
    if (was != is) {
        atomic_store_explicit(&e->watched, is, memory_order_relaxed);
    }
    if (!was && !is) {
        return UINT64_MAX;
    }
    struct list queue;
    list_init(&queue);
    pthread_mutex_lock(&e->lock);
    uint64_t missed = e->missed;
    list_move_all(&queue, &e->queue);
    e->bytes = 0;
    e->missed = 0;
    pthread_mutex_unlock(&e->lock);
    list_each_safe(link, &queue) {
        struct event *it = container_of(link, struct event, link);
        if (is) {
            hand_over(node, it);
        }
        free(it);
    }
    if (is && missed) {
        history_skip(&e->history, missed);
        if (node->gateway) {
            gateway_events_missed(node->gateway, missed);
        }
    }
    if (!is) {
        return UINT64_MAX;
    }
    if (!counters_wanted(node)) {
        e->counted = false;
        return e->keep_ns;
    }
    if (!node->first->closed &&
        (!e->counted || node->first->now_ns >= e->counted_ns + COUNTERS_NS)) {
        tell_counters(node, !e->counted);
        e->counted = true;
    }
    return e->counted_ns + COUNTERS_NS;
}
