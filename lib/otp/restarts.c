/* restarts: see the header. Called by supervisor.c. */
#include "otp/restarts.h"

#include <stdlib.h>
#include "rusm.h"

bool restarts_too_many(struct restarts *r, uint32_t max, uint64_t window_ns, uint64_t now_ns)
{
    if (max == RUSM_UNLIMITED) {
        return false;
    }
    if (!r->at_ns && max > 0) {
        r->at_ns = malloc(max * sizeof(uint64_t));
    }
    if (!r->at_ns) {
        return true; /* none is allowed, or there is no memory to count */
    }
    if (r->count < max) {
        r->at_ns[r->count++] = now_ns;
        return false;
    }
    if (now_ns - r->at_ns[r->oldest] <= window_ns) {
        return true;
    }
    r->at_ns[r->oldest] = now_ns;
    r->oldest = r->oldest + 1 == max ? 0 : r->oldest + 1;
    return false;
}

void restarts_fini(struct restarts *r)
{
    free(r->at_ns);
}
