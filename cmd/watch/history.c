/* history: see the header. */
#include "history.h"

void history_add(struct history *history, uint64_t value)
{
    history->value[history->count++ % HISTORY_VALUES] = value;
}

size_t history_count(const struct history *history)
{
    return history->count < HISTORY_VALUES ? history->count : HISTORY_VALUES;
}

uint64_t history_value(const struct history *history, size_t ago)
{
    return ago < history_count(history)
               ? history->value[(history->count - 1 - ago) % HISTORY_VALUES]
               : 0;
}

uint64_t history_most(const struct history *history, size_t count)
{
    uint64_t most = 0;

    for (size_t ago = 0; ago < count; ago++) {
        if (history_value(history, ago) > most) {
            most = history_value(history, ago);
        }
    }
    return most;
}
