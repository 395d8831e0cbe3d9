/* hello: the first frames of a session. They say who the peer is, and whether the connection is
 * adopted. Called by the peer room, on the scheduler's thread. */
#ifndef NODE_HELLO_H
#define NODE_HELLO_H

#include "wire/close.h"

struct hello;
struct peer;

enum close_code hello_heard(void *context, struct peer *p, const struct hello *hello);
int hello_adopted(void *context, struct peer *p);
void hello_ready(void *context, struct peer *p);

#endif
