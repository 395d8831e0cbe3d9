/* tables: what a node shows of itself: each table's columns, and its rows from where a listing is. Called
 * by listing.c; on scheduler 0's thread, which looks into the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/limits.h"
#include "node/gate.h"
#include "node/globals.h"
#include "node/listing.h"
#include "node/programs.h"
#include "node/tables.h"

static uint64_t ms_since(const struct rusm_node *node, uint64_t then_ns)
{
    return then_ns && then_ns < node->first->now_ns ? (node->first->now_ns - then_ns) / 1000000 : 0;
}

static uint64_t connected(struct rusm_node *node)
{
    uint64_t count = 0;
    members_lock(node);
    for (struct member *m = NULL; (m = member_next(node, m));) {
        count += m->current != NULL;
    }
    members_unlock(node);
    return count;
}

static const struct column node_columns[] = {
    { RUSM_TYPE_TEXT, "name" },        { RUSM_TYPE_TEXT, "address" },
    { RUSM_TYPE_TEXT, "incarnation" }, { RUSM_TYPE_SECONDS, "uptime" },
    { RUSM_TYPE_COUNT, "processes" },  { RUSM_TYPE_COUNT, "peers" },
    { RUSM_TYPE_TEXT, "version" },
};

static uint64_t process_count(struct rusm_node *node)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        count += scheduler_counters(node, i)->processes;
    }
    return count;
}

static bool table_node(struct table *t, struct listing *l)
{
    char incarnation[16];
    (void)l;
    snprintf(incarnation, sizeof(incarnation), "%x", t->node->incarnation);
    table_text(t, t->node->name);
    table_text(t, t->node->address);
    table_text(t, incarnation);
    table_number(t, ms_since(t->node, t->node->started_ns));
    table_number(t, process_count(t->node));
    table_number(t, connected(t->node));
    table_text(t, RUSM_VERSION);
    return false;
}

static const struct column process_columns[] = {
    { RUSM_TYPE_PID, "pid" },      { RUSM_TYPE_TEXT, "name" },     { RUSM_TYPE_TEXT, "behaviour" },
    { RUSM_TYPE_TEXT, "state" },   { RUSM_TYPE_COUNT, "mailbox" }, { RUSM_TYPE_COUNT, "received" },
    { RUSM_TYPE_BYTES, "memory" }, { RUSM_TYPE_COUNT, "links" },   { RUSM_TYPE_SECONDS, "age" },
};

/* Of one scheduler's. */
static bool rows_of(struct table *t, struct listing *l, struct runtime *rt)
{
    char global[RUSM_NAME_MAX + 1];
    for (struct rusm_process *p; (p = runtime_next(rt, l->at));) {
        struct process_info info;
        process_info(p, &info, t->node->first->now_ns);
        l->at = info.serial;
        table_pid(t, info.serial, t->node->name, t->node->incarnation);
        if (!info.name[0]) {
            globals_name(t->node->first, info.serial, global);
        }
        table_text(t, info.name[0] ? info.name : global);
        table_text(t, info.behaviour);
        table_text(t, info.state);
        table_number(t, info.mailbox);
        table_number(t, info.received);
        table_number(t, info.memory);
        table_number(t, info.links);
        table_number(t, info.age_ns / 1000000);
        if (table_end_row(t)) {
            return true;
        }
    }
    return false;
}

static bool table_processes(struct table *t, struct listing *l)
{
    for (; l->scheduler < t->node->scheduler_count; l->scheduler++, l->at = 0) {
        if (!scheduler_enter(t->node, l->scheduler)) {
            continue; /* a handler holds it: it is passed over */
        }
        bool more = rows_of(t, l, scheduler_runtime(t->node, l->scheduler));
        scheduler_leave(t->node, l->scheduler);
        if (more) {
            return true;
        }
    }
    return false;
}

static const char *state_of(const struct member *m)
{
    if (m->current) {
        return "connected";
    }
    if (m->left) {
        return "left";
    }
    return m->incarnation ? "lost" : "connecting"; /* 0: never connected yet */
}

static const struct column peer_columns[] = {
    { RUSM_TYPE_TEXT, "node" },      { RUSM_TYPE_TEXT, "address" },
    { RUSM_TYPE_TEXT, "direction" }, { RUSM_TYPE_TEXT, "state" },
    { RUSM_TYPE_MICROS, "rtt_us" },  { RUSM_TYPE_COUNT, "sent" },
    { RUSM_TYPE_COUNT, "received" }, { RUSM_TYPE_COUNT, "lost" },
    { RUSM_TYPE_COUNT, "lanes" },    { RUSM_TYPE_SECONDS, "since" },
};

/* What is shown of a member. */
struct peer_row {
    char address[300];
    const char *direction, *state;
    uint64_t rtt_ns, lost, since_ns;
    struct peer_counters n;
};

/* Its connection's part is as it is only if its scheduler was entered. */
static void peer_row(struct peer_row *row, const struct member *m, bool entered)
{
    const struct connection *now = m->current;
    *row = (struct peer_row){
        .direction = "", .state = state_of(m), .lost = m->lost, .since_ns = m->since_ns
    };
    snprintf(row->address, sizeof(row->address), "%s", now ? now->address : m->address);
    if (!now || !entered) {
        return;
    }
    row->direction = conn_dialled(now->conn) ? "out" : "in";
    row->rtt_ns = conn_rtt_ns(now->conn);
    peer_counters(now->peer, &row->n);
}

static bool table_peers(struct table *t, struct listing *l)
{
    for (struct member *m = NULL; (m = member_next(t->node, m));) {
        struct peer_row row;
        if (m->number <= l->at) {
            continue;
        }
        l->at = m->number;
        bool entered = scheduler_enter(t->node, m->scheduler->index);
        members_lock(t->node);
        peer_row(&row, m, entered);
        members_unlock(t->node);
        if (entered) {
            scheduler_leave(t->node, m->scheduler->index);
        }
        table_text(t, m->name);
        table_text(t, row.address);
        table_text(t, row.direction);
        table_text(t, row.state);
        table_number(t, row.rtt_ns / 1000);
        table_number(t, row.n.records_sent);
        table_number(t, row.n.records_received);
        table_number(t, row.lost + row.n.refused);
        table_number(t, row.n.lanes_out + row.n.lanes_in);
        table_number(t, ms_since(t->node, row.since_ns));
        if (table_end_row(t)) {
            return true;
        }
    }
    return false;
}

static bool put_name(struct table *t, const char *name, size_t len, uint64_t serial,
                     const char *scope, const char *node, uint32_t incarnation)
{
    writer_text(&t->w, name, len);
    table_pid(t, serial, node, incarnation);
    table_text(t, scope);
    table_text(t, node);
    return table_end_row(t);
}

static int each_local(void *context, const char *name, uint64_t serial)
{
    struct table *t = context;
    return put_name(t, name, strlen(name), serial, "local", t->node->name, t->node->incarnation);
}

static void each_global(void *context, const char *name, size_t len,
                        const struct registry_holder *holder)
{
    put_name(context, name, len, holder->serial, "global", holder->node_name, holder->incarnation);
}

static const struct column name_columns[] = {
    { RUSM_TYPE_TEXT, "name" },
    { RUSM_TYPE_PID, "pid" },
    { RUSM_TYPE_TEXT, "scope" },
    { RUSM_TYPE_TEXT, "node" },
};

static bool table_names(struct table *t, struct listing *l)
{
    for (; l->scheduler < t->node->scheduler_count; l->scheduler++) {
        if (!scheduler_enter(t->node, l->scheduler)) {
            continue;
        }
        runtime_each_name(scheduler_runtime(t->node, l->scheduler), &l->name, each_local, t);
        scheduler_leave(t->node, l->scheduler);
        if (t->sent > 0) {
            return true;
        }
        l->name = (struct name_cursor){ 0 };
    }
    globals_lock(t->node->first);
    bool more = registry_scan(t->node->registry, &l->global, each_global, t);
    while (more && t->sent == 0) {
        more = registry_scan(t->node->registry, &l->global, each_global, t);
    }
    globals_unlock(t->node->first);
    return more;
}

/* There are never so many that it matters to pass over those that were shown. */
struct spawnables_shown {
    struct table *t;
    uint64_t seen;
};

static int each_spawnable(void *context, const char *name, const struct rusm_behaviour *behaviour)
{
    struct spawnables_shown *s = context;
    if (s->seen++ < s->t->listing->at) {
        return 0;
    }
    s->t->listing->at++;
    table_text(s->t, name);
    table_text(s->t, behaviour->name);
    return table_end_row(s->t);
}

static const struct column spawnable_columns[] = {
    { RUSM_TYPE_TEXT, "name" },
    { RUSM_TYPE_TEXT, "behaviour" },
};

static bool table_spawnables(struct table *t, struct listing *l)
{
    struct spawnables_shown shown = { .t = t };
    (void)l;
    runtime_each_spawnable(t->node->first->runtime, each_spawnable, &shown);
    return t->sent > 0;
}

static const struct column counter_columns[] = {
    { RUSM_TYPE_TEXT, "counter" },
    { RUSM_TYPE_COUNT, "value" },
};

/* All are uint64_t: those of two are added up; but the longest, which is the longer one. */
static void counters_add(void *sum, const void *one, size_t size)
{
    uint64_t total, more;
    for (size_t at = 0; at < size; at += sizeof(total)) {
        memcpy(&total, (char *)sum + at, sizeof(total));
        memcpy(&more, (const char *)one + at, sizeof(more));
        total += more;
        memcpy((char *)sum + at, &total, sizeof(total));
    }
}

/* Of all schedulers. */
static struct scheduler_counters counters_sum(struct rusm_node *node)
{
    struct scheduler_counters sum = { .processes = 0 };
    uint64_t longest = 0;
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        const struct scheduler_counters *one = scheduler_counters(node, i);
        counters_add(&sum, one, sizeof(sum));
        if (one->endpoint.datagram_longest > longest) {
            longest = one->endpoint.datagram_longest;
        }
    }
    sum.endpoint.datagram_longest = longest;
    return sum;
}

size_t tables_counters(struct rusm_node *node, struct counter counters[COUNTERS_MAX])
{
    const struct scheduler_counters sum = counters_sum(node);
    const struct runtime_counters *r = &sum.runtime;
    const struct endpoint_counters *e = &sum.endpoint;
    const struct causes *causes = &sum.causes;
    const struct port_counters programs = programs_counters(node), *o = &programs;
    static const struct gateway_counters no_http;
    const struct gateway_counters *h = node->gate ? gateway_counters(gate_gateway(node)) : &no_http;
    struct registry_counters g;
    globals_lock(node->first);
    registry_count(node->registry, &g);
    globals_unlock(node->first);
    const struct counter rows[] = {
        { "processes_started", r->processes_started },
        { "processes_ended", r->processes_ended },
        { "messages_handled", r->messages_handled },
        { "messages_local", r->messages_local },
        { "undelivered_noproc", causes->noproc + r->noproc_local },
        { "undelivered_noconnection", causes->noconnection + r->noconnection },
        { "undelivered_overflow", causes->overflow + r->overflow },
        { "undelivered_too_large", causes->too_large },
        { "undelivered_malformed", causes->malformed },
        { "discarded_in_mailbox", r->mailbox_discarded },
        { "busy_local", r->busy_local },
        { "replies_late", r->replies_late },
        { "handlers_long", r->handlers_long },
        { "programs_started", o->started },
        { "programs_ended", o->ended },
        { "programs_refused", o->refused },
        { "programs_unasked", o->unasked },
        { "programs_bad_lines", o->bad },
        { "programs_unlogged", o->unlogged },
        { "names_global", g.names },
        { "names_lost", g.lost },
        { "names_refused", g.refused },
        { "clock_ahead", g.ahead },
        { "connections", e->connections },
        { "connections_half_open", e->half_open },
        { "connections_refused", e->refused },
        { "datagrams_in", e->datagrams_in },
        { "datagrams_out", e->datagrams_out },
        { "datagrams_passed_on", e->strays },
        { "datagram_longest", e->datagram_longest },
        { "bytes_in", e->bytes_in },
        { "bytes_out", e->bytes_out },
        { "datagrams_malformed", e->malformed },
        { "datagrams_dropped", e->dropped },
        { "http_requests", h->requests },
        { "http_refused", h->refused },
        { "http_busy", h->busy },
        { "http_slow", h->slow },
        { "http_crowded", h->crowded },
    };
    _Static_assert(sizeof(rows) / sizeof(*rows) <= COUNTERS_MAX, "COUNTERS_MAX");
    memcpy(counters, rows, sizeof(rows));
    return sizeof(rows) / sizeof(*rows);
}

static bool table_counters(struct table *t, struct listing *l)
{
    struct counter counters[COUNTERS_MAX];
    size_t count = tables_counters(t->node, counters);
    (void)l;
    for (size_t i = 0; i < count; i++) {
        table_text(t, counters[i].name);
        table_number(t, counters[i].value);
    }
    return false;
}

#define COLUMNS(c) .columns = (c), .count = sizeof(c) / sizeof(*(c))

const struct table_kind table_kinds[TABLE_KINDS] = {
    [RUSM_TABLE_NODE] = { COLUMNS(node_columns), .rows = table_node },
    [RUSM_TABLE_PROCESSES] = { COLUMNS(process_columns), .rows = table_processes },
    [RUSM_TABLE_PEERS] = { COLUMNS(peer_columns), .rows = table_peers },
    [RUSM_TABLE_NAMES] = { COLUMNS(name_columns), .rows = table_names },
    [RUSM_TABLE_SPAWNABLES] = { COLUMNS(spawnable_columns), .rows = table_spawnables },
    [RUSM_TABLE_COUNTERS] = { COLUMNS(counter_columns), .rows = table_counters },
};
