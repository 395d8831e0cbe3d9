/* exits: exit signals that go past their lanes. Called on the scheduler's thread. */
#ifndef NODE_EXITS_H
#define NODE_EXITS_H

#include <stdint.h>

#include "rusm.h"

struct connection;
struct frame;
struct post;
struct scheduler;

/* Takes an EXIT frame. Returns 0 or RUSM_EMALFORMED. */
int exits_frame(struct connection *c, const struct frame *frame);
/* A lane from one process to another one on our node has to wait. Signals that came past the lane
 * act now. */
void exits_stuck(struct connection *c, uint64_t from, uint64_t to);
/* Lets the signals act whose lane has not brought its copy for LIMIT_EXIT_WAIT_NS. Called about
 * once a second. */
void exits_tick(struct scheduler *s);
/* The lane's copy with this ref has come to its turn. */
void exits_record(struct connection *c, uint64_t ref);
/* Returns the ref of both copies for a post of kind EXIT, or 0 if there is to be only the lane's
 * copy. */
uint64_t exits_ref(struct connection *c, const struct post *post);
/* Sends the copy on the control stream, to a process of that incarnation of its node. */
void exits_send(struct connection *c, const struct post *post, uint64_t ref, uint32_t incarnation);
void exits_free(struct connection *c);

#endif
