/* repeat: warnings that others can cause as often as they like, so that they do not fill the log.
 * The first line of a kind and origin is written at once. Those that follow are counted, and a line
 * a minute says how many there were. One thread; the caller has the clock. */
#ifndef BASE_REPEAT_H
#define BASE_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/log.h"

#define REPEAT_NS ((uint64_t)60 * 1000000000) /* between two lines of the same key */

struct repeat_slot {
    char key[128];   /* "": free */
    char text[192];  /* of the line that was written */
    uint64_t due_ns; /* when to write how many more there were, or to forget it */
    uint64_t more;   /* those that were not written */
};

struct repeat {
    const struct log *log;
    struct repeat_slot slots[LIMIT_REPEATS];
    uint64_t others; /* lines for which there was no slot */
    uint64_t others_due_ns, next_ns;
};

void repeat_init(struct repeat *r, const struct log *log); /* keeps log */
/* Writes a warning, or counts it if one with the same KEY was written less than a minute ago, or if
 * there are more keys than LIMIT_REPEATS. KEY says what happened and who caused it. Returns whether
 * it was written. */
bool repeat_warn(struct repeat *r, uint64_t now_ns, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Writes the counts that are due. Returns when to call it again; UINT64_MAX: not before the next
 * warning. */
uint64_t repeat_tick(struct repeat *r, uint64_t now_ns);

#endif
