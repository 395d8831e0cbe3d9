/* frames: what the connections of a node use, composed. Given to each scheduler as it is made. */
#ifndef NODE_FRAMES_H
#define NODE_FRAMES_H

struct connection_users;

extern const struct connection_users frames_users;

#endif
