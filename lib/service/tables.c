/* tables: see the header. To add a column, add a field to its struct and a row here, and fill in
 * the field where the node makes the row. Name the column in rusm-attach(1). */
#include "service/tables.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct table_column {
    const char *name;
    enum rusm_type type;
    size_t field;                 /* offset of the field in the row's struct */
    struct gateway_metric metric; /* family NULL: no metric */
};

/* The type of a column, and the field of `row` that it shows. A field of the wrong type does not
 * compile. */
#define TEXT(row, field) RUSM_TYPE_TEXT, OFFSET(row, field, const char *)
#define PID(row, field) RUSM_TYPE_PID, OFFSET(row, field, const char *)
#define COUNT(row, field) RUSM_TYPE_COUNT, OFFSET(row, field, uint64_t)
#define BYTES(row, field) RUSM_TYPE_BYTES, OFFSET(row, field, uint64_t)
#define SECONDS(row, field) RUSM_TYPE_SECONDS, OFFSET(row, field, uint64_t)
#define MICROS(row, field) RUSM_TYPE_MICROS, OFFSET(row, field, uint64_t)
#define OFFSET(row, field, as) _Generic(((struct row *)0)->field, as : offsetof(struct row, field))

static const struct table_column node_columns[] = {
    { "name", TEXT(tables_node, name), { 0 } },
    { "address", TEXT(tables_node, address), { 0 } },
    { "incarnation", TEXT(tables_node, incarnation), { 0 } },
    { "uptime",
      SECONDS(tables_node, uptime),
      { "uptime_seconds", "gauge", .unit = "seconds",
        .help = "Time since the node was started." } },
    { "processes", COUNT(tables_node, processes), { "processes", "gauge", .help = "Processes." } },
    { "peers",
      COUNT(tables_node, peers),
      { "peers", "gauge", .help = "Nodes that are connected." } },
    { "version", TEXT(tables_node, version), { 0 } },
    { "cpu",
      SECONDS(tables_node, cpu),
      { "cpu_seconds", "counter", .unit = "seconds",
        .help = "Processor time that the node's OS process has used." } },
    { "memory",
      BYTES(tables_node, memory),
      { "resident_memory_bytes", "gauge", .unit = "bytes",
        .help = "Memory that the node's OS process has now." } },
    { "descriptors",
      COUNT(tables_node, descriptors),
      { "open_descriptors", "gauge", .help = "File descriptors that are open." } },
    { "descriptors_max",
      COUNT(tables_node, descriptors_max),
      { "max_descriptors", "gauge", .help = "File descriptors that may be open (ulimit -n)." } },
};

static const struct table_column process_columns[] = {
    { "pid", PID(tables_process, pid), { 0 } },
    { "name", TEXT(tables_process, name), { 0 } },
    { "behaviour", TEXT(tables_process, behaviour), { 0 } },
    { "state", TEXT(tables_process, state), { 0 } },
    { "mailbox", COUNT(tables_process, mailbox), { 0 } },
    { "received", COUNT(tables_process, received), { 0 } },
    { "memory", BYTES(tables_process, memory), { 0 } },
    { "links", COUNT(tables_process, links), { 0 } },
    { "age", SECONDS(tables_process, age), { 0 } },
};

static const struct table_column peer_columns[] = {
    { "node", TEXT(tables_peer, node), { 0 } },
    { "address", TEXT(tables_peer, address), { 0 } },
    { "direction", TEXT(tables_peer, direction), { 0 } },
    { "state",
      TEXT(tables_peer, state),
      { "peer_up", "gauge",
        .help = "Whether the peer is connected. A peer that left in order has none.",
        .is = "connected", .unless = "left" } },
    { "rtt_us",
      MICROS(tables_peer, rtt),
      { "peer_rtt_seconds", "gauge", .unit = "seconds", .help = "Round trip time to the peer." } },
    { "sent",
      COUNT(tables_peer, sent),
      { "peer_messages_sent", "counter",
        .help = "Messages and signals sent on the present connection." } },
    { "received",
      COUNT(tables_peer, received),
      { "peer_messages_received", "counter",
        .help = "Messages and signals received on the present connection." } },
    { "lost",
      COUNT(tables_peer, lost),
      { "peer_messages_lost", "counter",
        .help = "Messages and signals that were not acknowledged when a connection ended, "
                "or refused." } },
    { "lanes",
      COUNT(tables_peer, lanes),
      { "peer_lanes", "gauge", .help = "Lanes of the present connection." } },
    { "since", SECONDS(tables_peer, since), { 0 } },
};

static const struct table_column name_columns[] = {
    { "name", TEXT(tables_name, name), { 0 } },
    { "pid", PID(tables_name, pid), { 0 } },
    { "scope", TEXT(tables_name, scope), { 0 } },
    { "node", TEXT(tables_name, node), { 0 } },
};

static const struct table_column spawnable_columns[] = {
    { "name", TEXT(tables_spawnable, name), { 0 } },
    { "behaviour", TEXT(tables_spawnable, behaviour), { 0 } },
};

/* These columns have no metrics: each counter has a metric of its own. */
static const struct table_column counter_columns[] = {
    { "counter", TEXT(counter, name), { 0 } },
    { "value", COUNT(counter, value), { 0 } },
};

static const struct table_column relation_columns[] = {
    { "relation", TEXT(tables_relation, relation), { 0 } },
    { "pid", PID(tables_relation, pid), { 0 } },
    { "name", TEXT(tables_relation, name), { 0 } },
    { "bytes", BYTES(tables_relation, bytes), { 0 } },
};

#define COLUMNS(table)                              \
    {                                               \
        (table), sizeof(table) / sizeof((table)[0]) \
    }

static const struct {
    const struct table_column *columns;
    size_t count;
} tables[TABLES + 1] = {
    [RUSM_TABLE_NODE] = COLUMNS(node_columns),
    [RUSM_TABLE_PROCESSES] = COLUMNS(process_columns),
    [RUSM_TABLE_PEERS] = COLUMNS(peer_columns),
    [RUSM_TABLE_NAMES] = COLUMNS(name_columns),
    [RUSM_TABLE_SPAWNABLES] = COLUMNS(spawnable_columns),
    [RUSM_TABLE_COUNTERS] = COLUMNS(counter_columns),
    [TABLES_RELATIONS] = COLUMNS(relation_columns),
};

void tables_put_columns(struct writer *w, enum rusm_table table)
{
    struct column columns[TABLE_COLUMNS_MAX];

    for (size_t i = 0; i < tables[table].count; i++) {
        columns[i].type = tables[table].columns[i].type;
        snprintf(columns[i].name, sizeof(columns[i].name), "%s", tables[table].columns[i].name);
    }
    columns_write(w, columns, tables[table].count);
}

static void put_row(struct writer *w, enum rusm_table table, const void *row)
{
    for (size_t i = 0; i < tables[table].count; i++) {
        const struct table_column *c = &tables[table].columns[i];
        const char *field = (const char *)row + c->field;

        if (column_is_text(c->type)) {
            const char *text;
            memcpy(&text, field, sizeof(text));
            writer_text(w, text, strlen(text));
        } else {
            uint64_t number;
            memcpy(&number, field, sizeof(number));
            writer_varint(w, number <= VARINT_MAX ? number : VARINT_MAX);
        }
    }
}

void tables_put_node(struct writer *w, const struct tables_node *row)
{
    put_row(w, RUSM_TABLE_NODE, row);
}

void tables_put_process(struct writer *w, const struct tables_process *row)
{
    put_row(w, RUSM_TABLE_PROCESSES, row);
}

void tables_put_info(struct writer *w, const struct process_info *info, const char *pid,
                     const char *name)
{
    tables_put_process(w, &(struct tables_process){
                              .pid = pid,
                              .name = name,
                              .behaviour = info->behaviour,
                              .state = info->state,
                              .mailbox = info->mailbox,
                              .received = info->received,
                              .memory = info->memory,
                              .links = info->links,
                              .age = info->age_ns / 1000000,
                          });
}

void tables_put_relation(struct writer *w, const struct tables_relation *row)
{
    put_row(w, TABLES_RELATIONS, row);
}

void tables_put_peer(struct writer *w, const struct tables_peer *row)
{
    put_row(w, RUSM_TABLE_PEERS, row);
}

void tables_put_name(struct writer *w, const struct tables_name *row)
{
    put_row(w, RUSM_TABLE_NAMES, row);
}

void tables_put_spawnable(struct writer *w, const struct tables_spawnable *row)
{
    put_row(w, RUSM_TABLE_SPAWNABLES, row);
}

void tables_put_counter(struct writer *w, const struct counter *row)
{
    put_row(w, RUSM_TABLE_COUNTERS, row);
}

const struct gateway_metric *tables_metric(enum rusm_table table, const char *name)
{
    if (table == RUSM_TABLE_COUNTERS) {
        return counters_metric(name);
    }
    for (size_t i = 0; table < TABLES && i < tables[table].count; i++) {
        const struct table_column *c = &tables[table].columns[i];
        if (strcmp(c->name, name) == 0) {
            return c->metric.family ? &c->metric : NULL;
        }
    }
    return NULL;
}
