/* backoff: see the header. */
#include "base/backoff.h"

uint64_t backoff_next_ns(struct backoff *b, const struct backoff_policy *policy, struct rng *rng)
{
    uint64_t pause_ns = policy->min_ns;

    if (b->pause_ns > 0) {
        pause_ns = b->pause_ns > policy->max_ns / 2 ? policy->max_ns : b->pause_ns * 2;
    }
    b->pause_ns = pause_ns < policy->max_ns ? pause_ns : policy->max_ns;
    return b->pause_ns / 2 + rng_below(rng, b->pause_ns / 2 + 1);
}

void backoff_reset(struct backoff *b)
{
    b->pause_ns = 0;
}
