/* restarts: how often something was restarted within a time, as a window that moves. One thread. */
#ifndef OTP_RESTARTS_H
#define OTP_RESTARTS_H

#include <stdbool.h>
#include <stdint.h>

/* When the last ones were, as many as are allowed. Starts as zeros. */
struct restarts {
    uint64_t *at_ns; /* a ring; NULL: not yet */
    uint32_t oldest, count;
};

/* One more: is it more than `max` (the same each time; RUSM_UNLIMITED) within window_ns? */
bool restarts_too_many(struct restarts *r, uint32_t max, uint64_t window_ns, uint64_t now_ns);
void restarts_fini(struct restarts *r);

#endif
