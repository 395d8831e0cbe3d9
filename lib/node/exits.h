/* exits: exit signals that go past their lanes. Called on the scheduler's thread. */
#ifndef NODE_EXITS_H
#define NODE_EXITS_H

#include <stdint.h>

#include "rusm.h"

struct connection;
struct frame;
struct post;
struct scheduler;

/* An EXIT frame. */
int exits_frame(struct connection *c, const struct frame *frame);
/* A lane from that process to that one of ours has to wait: what came past it acts. */
void exits_stuck(struct connection *c, uint64_t from, uint64_t to);
/* About once a second: those whose lane has not brought its copy for too long act. */
void exits_tick(struct scheduler *s);
/* The lane's copy with that ref has come to its turn. */
void exits_record(struct connection *c, uint64_t ref);
/* For a post of kind EXIT: the ref that its two copies are to have; 0: there is to be one only. */
uint64_t exits_ref(struct connection *c, const struct post *post);
/* Sends the second one, to a process of that incarnation. */
void exits_send(struct connection *c, const struct post *post, uint64_t ref, uint32_t incarnation);
void exits_free(struct connection *c);

#endif
