/* tables: what a node shows of itself: each table's columns and rows, sent in as many replies as
 * they need. Read in one go, between two turns: a consistent picture. */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/limits.h"
#include "node/node.h"

/* A frame is sent when this much is in it; a row is at most a few hundred bytes. */
#define FULL (LIMIT_FRAME - 4096)

struct table {
    struct connection *to;
    struct rusm_node *node;
    uint64_t id;
    struct writer w;
    uint8_t body[LIMIT_FRAME];
};

static void begin(struct table *t)
{
    t->w = writer_on(t->body, sizeof t->body);
    reply_write(&t->w, &(struct reply){ .id = t->id, .flags = REPLY_MORE });
}

static void send_part(struct table *t)
{
    /* The queue's limit closes the connection: the asker is told so by that. */
    peer_send_frame(t->to->peer, FRAME_REPLY, false, t->body, writer_len(&t->w));
    begin(t);
}

static void columns(struct table *t, const struct column *c, size_t count)
{
    columns_write(&t->w, c, count);
    send_part(t);
}

static void end_row(struct table *t)
{
    if (writer_len(&t->w) > FULL)
        send_part(t);
}

static void put_text(struct table *t, const char *text)
{
    writer_text(&t->w, text, strlen(text));
}

static void put_number(struct table *t, uint64_t number)
{
    writer_varint(&t->w, number <= VARINT_MAX ? number : VARINT_MAX);
}

static void put_pid(struct table *t, uint64_t serial, const char *node, uint32_t incarnation)
{
    char text[RUSM_PID_TEXT_MAX];
    id_pid_format(text, sizeof text, serial, node, incarnation);
    put_text(t, text);
}

static uint64_t ms_since(const struct rusm_node *node, uint64_t then_ns)
{
    return then_ns && then_ns < node->now_ns ? (node->now_ns - then_ns) / 1000000 : 0;
}

static uint64_t connected(const struct rusm_node *node)
{
    uint64_t count = 0;
    list_each(link, &node->members)
        count += list_entry(link, struct member, link)->current != NULL;
    return count;
}

static void table_node(struct table *t)
{
    static const struct column c[] = {
        { RUSM_TYPE_TEXT, "name" },        { RUSM_TYPE_TEXT, "address" },
        { RUSM_TYPE_TEXT, "incarnation" }, { RUSM_TYPE_SECONDS, "uptime" },
        { RUSM_TYPE_COUNT, "processes" },  { RUSM_TYPE_COUNT, "peers" },
        { RUSM_TYPE_TEXT, "version" },
    };
    char incarnation[16];
    columns(t, c, sizeof c / sizeof *c);
    snprintf(incarnation, sizeof incarnation, "%x", t->node->incarnation);
    put_text(t, t->node->name);
    put_text(t, t->node->address);
    put_text(t, incarnation);
    put_number(t, ms_since(t->node, t->node->started_ns));
    put_number(t, runtime_count(t->node->runtime));
    put_number(t, connected(t->node));
    put_text(t, RUSM_VERSION);
}

static void table_processes(struct table *t)
{
    static const struct column c[] = {
        { RUSM_TYPE_PID, "pid" },        { RUSM_TYPE_TEXT, "name" },
        { RUSM_TYPE_TEXT, "behaviour" }, { RUSM_TYPE_TEXT, "state" },
        { RUSM_TYPE_COUNT, "mailbox" },  { RUSM_TYPE_COUNT, "received" },
        { RUSM_TYPE_BYTES, "memory" },   { RUSM_TYPE_COUNT, "links" },
        { RUSM_TYPE_SECONDS, "age" },
    };
    uint64_t serial = 0;
    columns(t, c, sizeof c / sizeof *c);
    for (struct rusm_process *p; (p = runtime_next(t->node->runtime, serial));) {
        struct process_info info;
        process_info(p, &info, t->node->now_ns);
        serial = info.serial;
        put_pid(t, info.serial, t->node->name, t->node->incarnation);
        const char *global =
            info.name[0] ? NULL : registry_name_held(t->node->registry, info.serial);
        put_text(t, global ? global : info.name);
        put_text(t, info.behaviour);
        put_text(t, info.state);
        put_number(t, info.mailbox);
        put_number(t, info.received);
        put_number(t, info.memory);
        put_number(t, info.links);
        put_number(t, info.age_ns / 1000000);
        end_row(t);
    }
}

static const char *state_of(const struct member *m)
{
    if (m->current)
        return "connected";
    if (m->left)
        return "left";
    return m->incarnation ? "lost" : "connecting"; /* 0: never connected yet */
}

static void table_peers(struct table *t)
{
    static const struct column c[] = {
        { RUSM_TYPE_TEXT, "node" },      { RUSM_TYPE_TEXT, "address" },
        { RUSM_TYPE_TEXT, "direction" }, { RUSM_TYPE_TEXT, "state" },
        { RUSM_TYPE_MICROS, "rtt_us" },  { RUSM_TYPE_COUNT, "sent" },
        { RUSM_TYPE_COUNT, "received" }, { RUSM_TYPE_COUNT, "lost" },
        { RUSM_TYPE_COUNT, "lanes" },    { RUSM_TYPE_SECONDS, "since" },
    };
    columns(t, c, sizeof c / sizeof *c);
    list_each(link, &t->node->members) {
        const struct member *m = list_entry(link, struct member, link);
        const struct connection *now = m->current;
        struct peer_counters n = { 0 };
        if (now)
            peer_counters(now->peer, &n);
        put_text(t, m->name);
        put_text(t, now ? now->address : m->address);
        put_text(t, !now ? "" : conn_dialled(now->conn) ? "out" : "in");
        put_text(t, state_of(m));
        put_number(t, now ? conn_rtt_ns(now->conn) / 1000 : 0);
        put_number(t, n.records_sent);
        put_number(t, n.records_received);
        put_number(t, m->lost + n.refused);
        put_number(t, n.lanes_out + n.lanes_in);
        put_number(t, ms_since(t->node, m->since_ns));
        end_row(t);
    }
}

static void put_name(struct table *t, const char *name, size_t len, uint64_t serial,
                     const char *scope, const char *node, uint32_t incarnation)
{
    writer_text(&t->w, name, len);
    put_pid(t, serial, node, incarnation);
    put_text(t, scope);
    put_text(t, node);
    end_row(t);
}

static int each_local(void *context, const char *name, uint64_t serial)
{
    struct table *t = context;
    put_name(t, name, strlen(name), serial, "local", t->node->name, t->node->incarnation);
    return 0;
}

static int each_global(void *context, const char *name, size_t len,
                       const struct registry_holder *holder)
{
    put_name(context, name, len, holder->serial, "global", holder->node_name, holder->incarnation);
    return 0;
}

static void table_names(struct table *t)
{
    static const struct column c[] = {
        { RUSM_TYPE_TEXT, "name" },
        { RUSM_TYPE_PID, "pid" },
        { RUSM_TYPE_TEXT, "scope" },
        { RUSM_TYPE_TEXT, "node" },
    };
    columns(t, c, sizeof c / sizeof *c);
    runtime_each_name(t->node->runtime, each_local, t);
    registry_each(t->node->registry, each_global, t);
}

static int each_spawnable(void *context, const char *name, const struct rusm_behaviour *behaviour)
{
    struct table *t = context;
    put_text(t, name);
    put_text(t, behaviour->name);
    end_row(t);
    return 0;
}

static void table_spawnables(struct table *t)
{
    static const struct column c[] = {
        { RUSM_TYPE_TEXT, "name" },
        { RUSM_TYPE_TEXT, "behaviour" },
    };
    columns(t, c, sizeof c / sizeof *c);
    runtime_each_spawnable(t->node->runtime, each_spawnable, t);
}

static void table_counters(struct table *t)
{
    static const struct column c[] = {
        { RUSM_TYPE_TEXT, "counter" },
        { RUSM_TYPE_COUNT, "value" },
    };
    const struct rusm_node *node = t->node;
    const struct runtime_counters *r = runtime_counters(node->runtime);
    const struct endpoint_counters *e = endpoint_counters(node->endpoint);
    struct registry_counters g;
    registry_count(node->registry, &g);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "processes_started", r->processes_started },
        { "processes_ended", r->processes_ended },
        { "messages_handled", r->messages_handled },
        { "messages_local", r->messages_local },
        { "undelivered_noproc", node->causes.noproc + r->noproc_local },
        { "undelivered_noconnection", node->causes.noconnection },
        { "undelivered_overflow", node->causes.overflow },
        { "undelivered_too_large", node->causes.too_large },
        { "undelivered_malformed", node->causes.malformed },
        { "discarded_in_mailbox", r->mailbox_discarded },
        { "busy_local", r->busy_local },
        { "replies_late", r->replies_late },
        { "handlers_long", r->handlers_long },
        { "names_global", g.names },
        { "names_lost", g.lost },
        { "names_refused", g.refused },
        { "clock_ahead", g.ahead },
        { "connections", e->connections },
        { "connections_half_open", e->half_open },
        { "connections_refused", e->refused },
        { "datagrams_in", e->datagrams_in },
        { "datagrams_out", e->datagrams_out },
        { "datagram_longest", e->datagram_longest },
        { "bytes_in", e->bytes_in },
        { "bytes_out", e->bytes_out },
        { "datagrams_malformed", e->malformed },
        { "datagrams_dropped", e->dropped },
    };
    columns(t, c, sizeof c / sizeof *c);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_text(t, rows[i].name);
        put_number(t, rows[i].value);
    }
}

void tables_serve(struct connection *c, uint64_t id, uint64_t table)
{
    static void (*const serve[])(struct table *) = {
        [RUSM_TABLE_NODE] = table_node,
        [RUSM_TABLE_PROCESSES] = table_processes,
        [RUSM_TABLE_PEERS] = table_peers,
        [RUSM_TABLE_NAMES] = table_names,
        [RUSM_TABLE_SPAWNABLES] = table_spawnables,
        [RUSM_TABLE_COUNTERS] = table_counters,
    };
    struct table t = { .to = c, .node = c->node, .id = id };
    uint8_t last[64];
    if (table >= sizeof serve / sizeof *serve) {
        rpc_fail(c, id, RUSM_EINVAL, "%s has no such table", c->node->name);
        return;
    }
    begin(&t);
    serve[table](&t);
    send_part(&t);
    struct writer w = writer_on(last, sizeof last);
    reply_write(&w, &(struct reply){ .id = id });
    peer_send_frame(c->peer, FRAME_REPLY, false, last, writer_len(&w));
}
