/* series: the last values of something, for a sparkline. Pure. */
#ifndef WATCH_SERIES_H
#define WATCH_SERIES_H

#include <stddef.h>
#include <stdint.h>

#define SERIES_VALUES 256 /* wider than a sparkline gets on a usual terminal */

struct series {
    uint64_t value[SERIES_VALUES]; /* a ring */
    size_t count;                  /* how many there ever were */
};

void series_add(struct series *series, uint64_t value);
/* Returns the value of `ago` samples ago (0: the last), or 0 if there is none. */
uint64_t series_value(const struct series *series, size_t ago);
/* Returns how many values there are. */
size_t series_count(const struct series *series);
/* Returns the largest of the last `count` values. */
uint64_t series_most(const struct series *series, size_t count);

#endif
