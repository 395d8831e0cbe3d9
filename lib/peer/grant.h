/* grant: which large records may come, of all connections of a scheduler. Their lengths together
 * are bounded; here they wait when that is reached. Used by lane_credit.c only. One thread.
 *
 * Records of like length share a budget, so that a few of the longest, whose receivers take none or
 * whose bytes come slowly, hold up no shorter ones. In each, a connection has at most half, and
 * those that wait take turns, so that one peer holds up no other. A record that has its turn waits
 * until it fits, and those behind it do too: a long one is not starved by short ones. */
#ifndef PEER_GRANT_H
#define PEER_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define GRANT_CLASSES 3

/* What a record asks for. Embedded; zero, with `at` set up, before it asks. */
struct grant {
    struct list at; /* in its line while it waits; else the owner's to use */
    uint32_t len;
    uint8_t class;
    bool given;
};

/* A connection's part of one class. */
struct grant_line {
    struct list at; /* in the class's `turn` while its first one waits for nothing but room there */
    struct list waiting; /* struct grant, first come, first served */
    struct grant_share *share;
    uint64_t held;
};

struct grant_share {
    struct grant_line line[GRANT_CLASSES];
};

struct grant_class {
    uint64_t share; /* what a connection may have */
    uint64_t left;
    struct list turn; /* struct grant_line */
};

struct grant_budget {
    struct grant_class class[GRANT_CLASSES];
    /* One that waited has its turn. It must not ask or end any. */
    void (*given)(struct grant_share *share, struct grant *grant);
};

/* For one of so many schedulers. */
void grant_budget_init(struct grant_budget *g, unsigned schedulers,
                       void (*given)(struct grant_share *share, struct grant *grant));
void grant_share_init(struct grant_share *share);

/* At most LIMIT_RECORD. True: it is given; else `given` follows. */
bool grant_ask(struct grant_budget *g, struct grant_share *share, struct grant *grant,
               uint32_t len);
/* It is given back, or asks no more; nothing if neither. Others may be given at once. */
void grant_end(struct grant_budget *g, struct grant_share *share, struct grant *grant);
/* Do others wait because this one is given? */
bool grant_wanted(const struct grant_budget *g, const struct grant *grant);

#endif
