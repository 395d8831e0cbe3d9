/* limits: the maxima of what nodes read and write on the wire, each with its reason and what
 * happens when it is met. `make limits` lists the limits of all rooms. */
#ifndef WIRE_LIMITS_H
#define WIRE_LIMITS_H

#include "rusm.h"

/* Bytes of a control frame's body. It fits into one packet burst, and tables go in several frames.
 * A node that receives a longer one closes the connection as malformed. */
#define LIMIT_FRAME ((size_t)64 * 1024)

/* Bytes of a record's body. The largest message and its refs fit. On a longer one the receiver
 * stops the lane with STREAM_TOO_LARGE. */
#define LIMIT_RECORD (RUSM_MESSAGE_MAX + 64)

/* Bytes of a lane's header. Two addresses with a 255-byte name and a few integers fit. A longer one
 * is malformed. */
#define LIMIT_LANE_HEADER ((size_t)512)

#endif
