/* rng: a small seeded generator (xoshiro256**) for jitter and simulations, never for secrets.
 * rng_secret reads the kernel's generator, for incarnations and keys. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound); /* 0..bound-1, unbiased; bound > 0 */
int rng_secret(void *out, size_t len);             /* getrandom(2); returns 0 or RUSM_EIO */

#endif
