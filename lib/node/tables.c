/* tables: puts the rows of the tables that a node shows of itself, from the place that a listing
 * has reached. service/tables.h says what each row has. Called by listing.c on scheduler 0's
 * thread, which looks into the other schedulers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/must.h"
#include "local/usage.h"
#include "node/member_lock.h"
#include "node/http.h"
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
    member_lock(node);
    for (struct member *m = NULL; (m = member_next(node, m));) {
        count += m->current != NULL;
    }
    member_unlock(node);
    return count;
}

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
    struct usage usage;
    (void)l;
    usage_now(&usage);
    snprintf(incarnation, sizeof(incarnation), "%x", t->node->incarnation);
    tables_put_node(&t->w, &(struct tables_node){
                               .name = t->node->name,
                               .address = t->node->address,
                               .incarnation = incarnation,
                               .uptime = ms_since(t->node, t->node->started_ns),
                               .processes = process_count(t->node),
                               .peers = connected(t->node),
                               .version = RUSM_VERSION,
                               .cpu = usage.cpu_ms,
                               .memory = usage.memory,
                               .descriptors = usage.descriptors,
                               .descriptors_max = usage.descriptors_max,
                           });
    return false;
}

/* Puts rows of one scheduler's processes. Returns true if a reply was sent. */
static bool rows_of(struct table *t, struct listing *l, struct runtime *rt)
{
    char global[RUSM_NAME_MAX + 1], pid[RUSM_PID_TEXT_MAX];
    for (struct rusm_process *p; (p = runtime_next(rt, l->at));) {
        struct process_info info;
        process_info(p, &info, t->node->first->now_ns);
        l->at = info.serial;
        id_pid_format(pid, sizeof(pid), info.serial, t->node->name, t->node->incarnation);
        if (!info.name[0]) {
            globals_name(t->node->first, info.serial, global);
        }
        tables_put_info(&t->w, &info, pid, info.name[0] ? info.name : global);
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
            continue; /* a handler takes too long: skips this scheduler */
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
    return m->incarnation ? "lost" : "connecting"; /* 0: it was never connected */
}

/* What a table shows of a member. */
struct peer_row {
    char address[300];
    const char *direction, *state;
    uint64_t rtt_ns, lost, since_ns;
    struct peer_counters n;
};

/* Fills in the row of a member. What the connection tells is filled in only if the connection's
 * scheduler was entered. */
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

static bool is_forgotten(const struct member *m)
{
    member_lock(m->scheduler->node);
    bool forgotten = m->forgotten;
    member_unlock(m->scheduler->node);
    return forgotten;
}

static bool table_peers(struct table *t, struct listing *l)
{
    for (struct member *m = NULL; (m = member_next(t->node, m));) {
        struct peer_row row;
        if (m->number <= l->at) {
            continue;
        }
        l->at = m->number;
        if (is_forgotten(m)) {
            continue;
        }
        bool entered = scheduler_enter(t->node, m->scheduler->index);
        member_lock(t->node);
        peer_row(&row, m, entered);
        member_unlock(t->node);
        if (entered) {
            scheduler_leave(t->node, m->scheduler->index);
        }
        tables_put_peer(&t->w, &(struct tables_peer){
                                   .node = m->name,
                                   .address = row.address,
                                   .direction = row.direction,
                                   .state = row.state,
                                   .rtt = row.rtt_ns / 1000,
                                   .sent = row.n.records_sent,
                                   .received = row.n.records_received,
                                   .lost = row.lost + row.n.refused,
                                   .lanes = row.n.lanes_out + row.n.lanes_in,
                                   .since = ms_since(t->node, row.since_ns),
                               });
        if (table_end_row(t)) {
            return true;
        }
    }
    return false;
}

static bool put_name(struct table *t, const char *name, size_t len, uint64_t serial,
                     const char *scope, const char *node, uint32_t incarnation)
{
    char text[RUSM_NAME_MAX + 1], pid[RUSM_PID_TEXT_MAX];
    must(len < sizeof(text));
    memcpy(text, name, len);
    text[len] = '\0';
    id_pid_format(pid, sizeof(pid), serial, node, incarnation);
    tables_put_name(&t->w, &(struct tables_name){
                               .name = text, .pid = pid, .scope = scope, .node = node });
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

/* Spawnables are few, so passing over those that were shown costs little. */
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
    tables_put_spawnable(&s->t->w,
                         &(struct tables_spawnable){ .name = name, .behaviour = behaviour->name });
    return table_end_row(s->t);
}

static bool table_spawnables(struct table *t, struct listing *l)
{
    struct spawnables_shown shown = { .t = t };
    (void)l;
    runtime_each_spawnable(t->node->first->runtime, each_spawnable, &shown);
    return t->sent > 0;
}

size_t tables_counters(struct rusm_node *node, struct counter counters[COUNTERS_MAX])
{
    size_t count = counters_init(counters);
    struct counters_source whole = { .lines = { .output = sink_dropped(&node->output),
                                                .log = sink_dropped(&node->log_sink) } };
    if (node->http) {
        whole.http = *gateway_counters(node->gateway);
    }
    globals_lock(node->first);
    registry_count(node->registry, &whole.registry);
    globals_unlock(node->first);
    counters_add(counters, &whole);
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        counters_add(counters, &scheduler_counters(node, i)->source);
    }
    return count;
}

static bool table_counters(struct table *t, struct listing *l)
{
    struct counter counters[COUNTERS_MAX];
    size_t count = tables_counters(t->node, counters);
    (void)l;
    for (size_t i = 0; i < count; i++) {
        tables_put_counter(&t->w, &counters[i]);
    }
    return false;
}

table_rows_fn *const table_rows[TABLES] = {
    [RUSM_TABLE_NODE] = table_node,
    [RUSM_TABLE_PROCESSES] = table_processes,
    [RUSM_TABLE_PEERS] = table_peers,
    [RUSM_TABLE_NAMES] = table_names,
    [RUSM_TABLE_SPAWNABLES] = table_spawnables,
    [RUSM_TABLE_COUNTERS] = table_counters,
};
