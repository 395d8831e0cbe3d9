/* frames: the functions that the node's connections use, put together. Each scheduler gets them
 * when it is made. */
#ifndef NODE_FRAMES_H
#define NODE_FRAMES_H

struct connection_users;

extern const struct connection_users frames_users;

#endif
