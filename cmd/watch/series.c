/* series: see the header. */
#include "series.h"

void series_add(struct series *series, uint64_t value)
{
    series->value[series->count++ % SERIES_VALUES] = value;
}

size_t series_count(const struct series *series)
{
    return series->count < SERIES_VALUES ? series->count : SERIES_VALUES;
}

uint64_t series_value(const struct series *series, size_t ago)
{
    return ago < series_count(series) ? series->value[(series->count - 1 - ago) % SERIES_VALUES]
                                      : 0;
}

uint64_t series_most(const struct series *series, size_t count)
{
    uint64_t most = 0;

    for (size_t ago = 0; ago < count; ago++) {
        if (series_value(series, ago) > most) {
            most = series_value(series, ago);
        }
    }
    return most;
}
