/* router: takes records from lanes to processes, and what processes grant back to lanes. Called by
 * the peer room, on the scheduler's thread. */
#ifndef NODE_ROUTER_H
#define NODE_ROUTER_H

#include "peer/peer.h"
#include "rusm.h"

struct connection;
struct lane_in;
struct peer;
struct record;
struct rusm_process;
struct scheduler;
struct target;

void router_init(struct scheduler *s, uint64_t seed); /* allocates nothing */
void router_fini(struct scheduler *s);                /* after the last connection */
enum delivery router_deliver(void *context, struct peer *p, struct lane_in *lane,
                             const struct record *record, const uint8_t *payload, void *block,
                             uint32_t wire_bytes);
int router_grant(void *context, struct peer *p, struct lane_in *lane, const struct record *record);
void router_grant_done(void *context, struct peer *p, struct lane_in *lane);
void router_lane_opened(void *context, struct peer *p, struct lane_in *lane);
void router_lane_closed(void *context, struct peer *p, struct lane_in *lane);
void router_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause);
void router_writable(void *context, struct peer *p, uint64_t from);
void router_refused(void *context, struct peer *p, uint64_t from, uint64_t records, int cause);
/* Returns whether nothing that `from` has in its lanes reaches the process now: its mailbox is
 * full, or a large message has its turn. */
bool router_stuck(struct connection *c, rusm_pid from, uint64_t serial);

#endif
