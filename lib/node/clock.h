/* clock: the wall clock, for times that nodes and people compare. Deadlines use the monotonic clock
 * instead. Any thread. */
#ifndef NODE_CLOCK_H
#define NODE_CLOCK_H

#include <stdint.h>

/* Returns the milliseconds since 1970. The clock may jump forwards and backwards. */
uint64_t clock_wall_ms(void);

#endif
