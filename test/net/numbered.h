/* numbered: messages that a test's receiver can check: a number, a length, and a pattern that
 * starts at a different place for each number. For traffic.c and held.h. */
#ifndef NUMBERED_H
#define NUMBERED_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rusm.h"

enum { HEAD = 16, PATTERN = 65536, MIXED = 0 };

static uint8_t pattern[2 * PATTERN]; /* filled once, before any node runs */

static void pattern_fill(void)
{
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < PATTERN; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        pattern[i] = pattern[i + PATTERN] = (uint8_t)x;
    }
}

static const uint8_t *pattern_of(uint64_t number)
{
    return pattern + number * 7919 % PATTERN;
}

/* Returns the size of a message. Mixed sizes are mostly small, with now and then one that needs a
 * grant. */
static size_t size_of(uint64_t number, size_t size)
{
    if (size != MIXED) {
        return size;
    }
    return number % 101 == 100 ? 150000 : number % 23 == 22 ? 9000 : HEAD + number * 31 % 200;
}

static void message_write(uint8_t *to, uint64_t number, uint64_t len)
{
    memcpy(to, &number, 8);
    memcpy(to + 8, &len, 8);
    for (size_t at = HEAD; at < len; at += PATTERN) {
        memcpy(to + at, pattern_of(number), len - at < PATTERN ? len - at : PATTERN);
    }
}

/* Returns whether the bytes are those of that number. */
static bool message_whole(const uint8_t *data, size_t data_len, uint64_t number)
{
    uint64_t len;
    memcpy(&len, data + 8, 8);
    if (len != data_len) {
        return false;
    }
    for (size_t at = HEAD; at < len; at += PATTERN) {
        if (memcmp(data + at, pattern_of(number), len - at < PATTERN ? len - at : PATTERN) != 0) {
            return false;
        }
    }
    return true;
}

/* What one source has sent so far. */
struct check {
    uint64_t received;
    char wrong[128]; /* the first error */
};

static void check_one(struct check *c, const struct rusm_message *m)
{
    uint64_t number = UINT64_MAX;
    if (m->len >= HEAD) {
        memcpy(&number, m->data, 8);
    }
    if (!c->wrong[0] && number != c->received) {
        snprintf(c->wrong, sizeof(c->wrong), "wrong: number %" PRId64 " after %" PRIu64 " messages",
                 (int64_t)number, c->received);
    } else if (!c->wrong[0] && !message_whole(m->data, m->len, number)) {
        snprintf(c->wrong, sizeof(c->wrong), "wrong: bytes of number %" PRIu64, number);
    }
    c->received++;
}

static void answer(struct rusm_process *self, const struct rusm_message *m, const char *text)
{
    if (rusm_reply(self, m, text, strlen(text)) == RUSM_BUSY) {
        rusm_hold(self);
    }
}

#endif
