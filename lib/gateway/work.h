/* work: the requests that give the node a job: send, call, spawn, kill, and to tell of one process.
 * On the gateway's thread. */
#ifndef GATEWAY_WORK_H
#define GATEWAY_WORK_H

#include "gateway/gateway.h"

/* Handle the routes. */
void work_send(struct exchange *x);
void work_call(struct exchange *x);
void work_spawn(struct exchange *x);
void work_kill(struct exchange *x);
void work_inspect(struct exchange *x);
/* Begins x->job, whose fields are set. Its outcome may come before this returns. */
void work_begin(struct exchange *x);
/* Answers with the outcome of x->job, which has ended. */
void work_outcome(struct exchange *x, const struct gateway_outcome *outcome);

#endif
