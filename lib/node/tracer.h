/* tracer: clients that trace a process, by OP_TRACE on their control stream. The scheduler of the
 * process puts its events into the tracer's buffer. Scheduler 0 sends them as the stream has room.
 * Several tracers of one process each have their own buffer and bounds. */
#ifndef NODE_TRACER_H
#define NODE_TRACER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct connection;
struct reader;
struct rusm_node;
struct scheduler;
struct trace_event;

struct tracers {
    pthread_mutex_t lock;
    struct list all; /* under the lock, as are the tracers' buffers */
    unsigned count;
};

void tracers_init(struct tracers *t);
void tracers_fini(struct tracers *t); /* all connections are over */

/* Serves OP_TRACE. Returns 0, or RUSM_EMALFORMED if the fields are not its own. Scheduler 0. */
int tracer_serve(struct connection *c, uint64_t id, struct reader *fields);
/* The client cancels that request. */
void tracer_cancel(struct connection *c, uint64_t id);
/* The connection is over. */
void tracer_free(struct connection *c);
/* Takes an event of a process of that scheduler: the runtime's hook. Returns whether anybody traces
 * the process. Called on the scheduler's thread. */
bool tracer_event(struct scheduler *s, const struct trace_event *e);
/* Sends the tracers what they have room for. Called in every tick of scheduler 0. */
void tracer_tick(struct rusm_node *node);

#endif
