/* counters: what a node counts. Each counter is one row in counters.c: its name, the fields that it
 * is read from, how the values of all schedulers become one, and its metric. The table of counters,
 * GET /metrics and the event "counters" read these rows. Called on scheduler 0's thread. */
#ifndef SERVICE_COUNTERS_H
#define SERVICE_COUNTERS_H

#include "actor/runtime.h"
#include "cluster/registry.h"
#include "gateway/gateway.h"
#include "port/host.h"
#include "quic/endpoint.h"

/* Why messages were not delivered. */
struct causes {
    uint64_t noproc, noconnection, overflow, too_large, malformed;
};

/* Lines that were not written, as their reader was too slow, or the disk full. */
struct lines_dropped {
    uint64_t output, log;
};

/* Counts of one scheduler, or of the whole node. The others are 0 then. */
struct counters_source {
    struct runtime_counters runtime;
    struct endpoint_counters endpoint;
    struct causes causes;
    struct port_counters programs;
    struct registry_counters registry; /* of the whole node */
    struct gateway_counters http;      /* of the whole node */
    uint64_t held;              /* 1: a handler holds the scheduler, so the counts are older */
    struct lines_dropped lines; /* of the whole node */
};

struct counter {
    const char *name;
    uint64_t value;
};

#define COUNTERS_MAX 48

/* Sets all counters to 0, with their names. Returns how many there are. */
size_t counters_init(struct counter counters[COUNTERS_MAX]);
/* Adds the counts of one scheduler, or of the whole node. */
void counters_add(struct counter counters[COUNTERS_MAX], const struct counters_source *source);
/* Returns the metric of a counter, or NULL if no counter has that name. */
const struct gateway_metric *counters_metric(const char *name);

#endif
