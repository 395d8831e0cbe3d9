/* history: the last values of something, for a sparkline. Pure. */
#ifndef WATCH_HISTORY_H
#define WATCH_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_VALUES 256 /* wider than a sparkline gets on a usual terminal */

struct history {
    uint64_t value[HISTORY_VALUES]; /* a ring */
    size_t count;                   /* how many there ever were */
};

void history_add(struct history *history, uint64_t value);
/* Returns the value of `ago` samples ago (0: the last), or 0 if there is none. */
uint64_t history_value(const struct history *history, size_t ago);
/* Returns how many values there are. */
size_t history_count(const struct history *history);
/* Returns the largest of the last `count` values. */
uint64_t history_most(const struct history *history, size_t count);

#endif
