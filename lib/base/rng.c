/* rng: xoshiro256** (Blackman and Vigna), seeded by splitmix64. One thread for each generator. */
#include "base/rng.h"

#include <errno.h>
#include <sys/random.h>
#include "base/must.h"
#include "rusm.h"

static uint64_t rng_rotate(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

void rng_init(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        r->s[i] = z ^ z >> 31;
    }
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s, out = rng_rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate(s[3], 45);
    return out;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    must(bound > 0);
    /* 2^64 mod bound. Values below it would make the small results more likely. */
    uint64_t least = -bound % bound, v;
    do {
        v = rng_u64(r);
    } while (v < least);
    return v % bound;
}

int rng_secret(void *out, size_t len)
{
    uint8_t *at = out;

    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return RUSM_EIO;
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}
