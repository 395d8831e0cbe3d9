/* clock: the wall clock, for what nodes and people compare. Deadlines are the monotonic clock's.
 * Any thread. */
#ifndef NODE_CLOCK_H
#define NODE_CLOCK_H

#include <stdint.h>

/* Returns milliseconds since 1970. It may jump either way. */
uint64_t clock_wall_ms(void);

#endif
