/* backoff: when something that failed is tried again. The pause doubles with each failure, up to a
 * maximum, and a random half of it keeps many that failed together from trying together. Pure: the
 * caller has the clock and the chance. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

#include "base/rng.h"

/* How pauses grow. Constant, one for each kind of thing that is tried. */
struct backoff_policy {
    uint64_t min_ns; /* the first pause, at most; not 0 */
    uint64_t max_ns; /* the longest */
};

/* One thing that is tried. All zero: it has not failed since it last worked. */
struct backoff {
    uint64_t pause_ns; /* the last one, before chance */
};

/* It failed. Returns how long to wait before the next try: between half of the pause and all. */
uint64_t backoff_next_ns(struct backoff *b, const struct backoff_policy *policy, struct rng *rng);
/* It works: the next pause is the first again. */
void backoff_reset(struct backoff *b);

#endif
