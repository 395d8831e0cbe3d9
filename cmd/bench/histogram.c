/* histogram: counts times in buckets. Each power of two has HISTOGRAM_SUB of them, 1.6 % wide. */
#include "bench.h"

#include <string.h>

void histogram_clear(struct histogram *h)
{
    memset(h, 0, sizeof(*h));
}

static size_t histogram_bucket(uint64_t ns)
{
    if (ns < HISTOGRAM_SUB) {
        return (size_t)ns;
    }
    /* ns >> shift is from HISTOGRAM_SUB to 2 * HISTOGRAM_SUB - 1. */
    unsigned shift = 57u - (unsigned)__builtin_clzll(ns);
    return (size_t)(shift + 1) * HISTOGRAM_SUB + (size_t)((ns >> shift) - HISTOGRAM_SUB);
}

/* Returns the middle of a bucket. */
static double histogram_ns(size_t bucket)
{
    if (bucket < HISTOGRAM_SUB) {
        return (double)bucket;
    }
    uint64_t shift = bucket / HISTOGRAM_SUB - 1;
    uint64_t low = (bucket % HISTOGRAM_SUB + HISTOGRAM_SUB) << shift;
    return (double)low + (double)((uint64_t)1 << shift) / 2;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->at[histogram_bucket(ns)]++;
    h->count++;
}

double histogram_us(const struct histogram *h, double share)
{
    uint64_t rank = (uint64_t)(share * (double)h->count), seen = 0;

    for (size_t i = 0; i < sizeof(h->at) / sizeof(h->at[0]); i++) {
        seen += h->at[i];
        if (seen > rank) {
            return histogram_ns(i) / 1000;
        }
    }
    return 0;
}

void histogram_print(const struct histogram *h, FILE *out)
{
    uint64_t row[64] = { 0 }, most = 0;

    for (size_t i = 0; i < sizeof(h->at) / sizeof(h->at[0]); i++) {
        row[i / HISTOGRAM_SUB] += h->at[i];
    }
    for (size_t i = 0; i < 64; i++) {
        most = row[i] > most ? row[i] : most;
    }
    for (size_t i = 0; i < 64; i++) {
        if (row[i] * 500 < most || row[i] == 0) { /* less than a tenth of a mark */
            continue;
        }
        fprintf(out, "  %9.1f us  %-50.*s %5.1f %%\n", histogram_ns(i * HISTOGRAM_SUB) / 1000,
                (int)((row[i] * 50 + most - 1) / most),
                "##################################################",
                100.0 * (double)row[i] / (double)h->count);
    }
}
