/* tables: what the tables of a node show. Each column is one row in tables.c: its name, its type,
 * the field that it is read from, and its metric. The node fills in one of the structs below for
 * each row of a table. Any thread. */
#ifndef SERVICE_TABLES_H
#define SERVICE_TABLES_H

#include "actor/runtime.h"
#include "gateway/gateway.h"
#include "service/counters.h"
#include "wire/table.h"

/* Numbers are in the unit of their column's type. SECONDS columns take milliseconds, MICROS columns
 * microseconds. */
struct tables_node {
    const char *name, *address, *incarnation, *version;
    uint64_t uptime, processes, peers, cpu, memory, descriptors, descriptors_max;
};

struct tables_process {
    const char *pid, *name, *behaviour, *state;
    uint64_t mailbox, received, memory, links, age;
};

struct tables_peer {
    const char *node, *address, *direction, *state;
    uint64_t rtt, sent, received, lost, lanes, since;
};

struct tables_name {
    const char *name, *pid, *scope, *node;
};

struct tables_spawnable {
    const char *name, *behaviour;
};

/* What a process has to do with others: actor/runtime.h, struct process_relation. */
struct tables_relation {
    const char *relation, *pid, *name;
    uint64_t bytes;
};

#define TABLES (RUSM_TABLE_COUNTERS + 1)
#define TABLES_RELATIONS ((enum rusm_table)TABLES) /* of one process: no table of its own */

/* Writes the columns of a table in the form of wire/table.h. */
void tables_put_columns(struct writer *w, enum rusm_table table);
/* These functions write a row. */
void tables_put_node(struct writer *w, const struct tables_node *row);
void tables_put_process(struct writer *w, const struct tables_process *row);
/* Writes a process's row from what its runtime tells of it. */
void tables_put_info(struct writer *w, const struct process_info *info, const char *pid,
                     const char *name);
void tables_put_relation(struct writer *w, const struct tables_relation *row);
void tables_put_peer(struct writer *w, const struct tables_peer *row);
void tables_put_name(struct writer *w, const struct tables_name *row);
void tables_put_spawnable(struct writer *w, const struct tables_spawnable *row);
void tables_put_counter(struct writer *w, const struct counter *row);

/* Returns the metric of a table's column or, for the table of counters, of the counter NAME.
 * Returns NULL if it has no metric. */
const struct gateway_metric *tables_metric(enum rusm_table table, const char *name);

#endif
