/* rpc: requests on the control stream, both ways. Called on the scheduler's thread. */
#ifndef NODE_RPC_H
#define NODE_RPC_H

#include <stdint.h>

#include "rusm.h"

struct connection;
struct frame;
struct rusm_args;
struct rusm_behaviour;
struct rusm_why;
struct scheduler;
struct spawn;

int rpc_request(struct connection *c, const struct frame *frame);
int rpc_reply(struct connection *c, const struct frame *frame);
int rpc_cancel(struct connection *c, const struct frame *frame);
/* Asks for a spawn; RUSM_SPAWNED or RUSM_FAILED goes to `self` later. */
int rpc_spawn(struct connection *c, uint64_t self, const char *spawnable,
              const struct rusm_args *args, uint64_t ref);
/* The behaviour of that name, or `why` there is none. */
int rpc_spawnable(struct scheduler *at, const struct spawn *s, const struct rusm_behaviour **b,
                  struct rusm_why *why);
/* The connection is over: all that was asked fails. */
void rpc_fail_all(struct connection *c);
void rpc_done(struct connection *c, uint64_t id);
void rpc_spawned(struct connection *c, uint64_t id, rusm_pid pid);
/* Answers with a status and a text for a person. */
void rpc_fail(struct connection *c, uint64_t id, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
