/* restarts: how often something was restarted within a time window that moves. One thread. */
#ifndef OTP_RESTARTS_H
#define OTP_RESTARTS_H

#include <stdbool.h>
#include <stdint.h>

/* The times of the last restarts, as many as are allowed. Must start as zeros. */
struct restarts {
    uint64_t *at_ns; /* a ring; NULL: none yet */
    uint32_t oldest, count;
};

/* Counts one more restart. Returns whether these are more than `max` within window_ns. `max` must
 * be the same each time; RUSM_UNLIMITED: never too many. */
bool restarts_too_many(struct restarts *r, uint32_t max, uint64_t window_ns, uint64_t now_ns);
void restarts_fini(struct restarts *r);

#endif
