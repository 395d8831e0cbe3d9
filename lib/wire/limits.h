/* limits: the maxima of what is read and written on the wire, each with its reason and what
 * happens when it is met. `make limits` lists those of all rooms. */
#ifndef WIRE_LIMITS_H
#define WIRE_LIMITS_H

#include "rusm.h"

/* A control frame's body. One packet burst; tables are sent in several frames. Longer: the
 * connection is closed as malformed. */
#define LIMIT_FRAME ((size_t)64 * 1024)

/* A record's body: the largest message and its refs. Longer: too-large, the lane is reset. */
#define LIMIT_RECORD (RUSM_MESSAGE_MAX + 64)

/* A lane's header: two addresses with a 255-byte name and a few integers. Longer: malformed. */
#define LIMIT_LANE_HEADER ((size_t)512)

#endif
