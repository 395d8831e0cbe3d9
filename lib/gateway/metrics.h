/* metrics: GET /metrics: the tables NODE, COUNTERS and PEERS in Prometheus' text format, version
 * 0.0.4, or as OpenMetrics text for clients that prefer it. The node says which column or counter
 * is which metric. On the gateway's thread. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

struct exchange;

/* Handles the route. */
void metrics_get(struct exchange *x);

#endif
