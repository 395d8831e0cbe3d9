/* grant: which large records may come, over all connections of a scheduler. The length of all
 * granted records together is bounded. Records above the bound wait here. Used by lane_credit.c and
 * lane_in.c. One thread.
 *
 * Records of similar length form a class and share a budget. So a few of the longest records, whose
 * receivers take nothing or whose bytes come slowly, do not hold up shorter ones. In each class a
 * connection may have at most half of the budget, and connections with waiting records take turns.
 * So one peer does not hold up another. A record that has its turn waits until it fits, and the
 * records behind it wait too. So short records do not starve a long one. */
#ifndef PEER_GRANT_H
#define PEER_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define GRANT_CLASSES 3

/* The request of one large record, embedded in its lane. Before it asks, `at` is initialised and
 * all other fields are zero. */
struct grant {
    struct list at; /* in its line while it waits, else free for the owner's use */
    uint32_t len;
    uint8_t class;
    bool given;
};

/* What a connection holds and waits for in one class. */
struct grant_line {
    struct list at;      /* in the class's `turn` while its first record waits only for budget */
    struct list waiting; /* of struct grant, first come, first served */
    struct grant_share *share;
    uint64_t held; /* bytes granted */
};

struct grant_share {
    struct grant_line line[GRANT_CLASSES];
};

struct grant_class {
    uint64_t share;   /* bytes that one connection may hold */
    uint64_t left;    /* bytes not granted */
    struct list turn; /* of struct grant_line */
};

struct grant_budget {
    struct grant_class class[GRANT_CLASSES];
    /* Called when a waiting record gets its grant. It must not call grant_ask or grant_end. */
    void (*given)(struct grant_share *share, struct grant *grant);
};

/* Sets up the budget of one of `schedulers` schedulers. */
void grant_budget_init(struct grant_budget *g, unsigned schedulers,
                       void (*given)(struct grant_share *share, struct grant *grant));
void grant_share_init(struct grant_share *share);

/* Asks for `len` bytes, at most LIMIT_RECORD. Returns true if they are granted at once. Otherwise
 * the request waits, and `given` follows. */
bool grant_ask(struct grant_budget *g, struct grant_share *share, struct grant *grant,
               uint32_t len);
/* Gives a grant back, or withdraws a waiting request. Does nothing if it is neither. Calls `given`
 * for waiting records that fit now. */
void grant_end(struct grant_budget *g, struct grant_share *share, struct grant *grant);
/* Returns whether other records wait for what this one holds. */
bool grant_wanted(const struct grant_budget *g, const struct grant *grant);

#endif
