/* sched_queue: what other schedulers have for this one: a queue of messages with many producers and
 * one consumer, which takes all that is there at once. Only who puts something into the empty
 * sched_queue of a scheduler that sleeps has to wake it.
 *
 * One atomic word: the newest message, each with a pointer to the one before; NULL: empty; the
 * sched_queue's own address: empty, and its owner sleeps. There is no ABA: nobody takes but the
 * owner, and it takes all.
 *
 * Orderings. A push releases, the taking acquires. The taking reads what the last push has written;
 * the pushes before that are followed in the word's history by read-modify-writes alone, so the
 * acquire pairs with the release of each of them, and all that the producers wrote before is seen.
 * To fall asleep is a compare-and-swap of NULL: if it succeeds, every later push sees the mark in
 * the same word, so none is missed, and no fence between two words is needed. The order of pushes
 * is that of the word: what one producer pushes stays in order, and so does what follows from it
 * through a third. */
#ifndef SCHED_SCHED_QUEUE_H
#define SCHED_SCHED_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "actor/message.h"

struct sched_queue {
    alignas(64) _Atomic(struct message *) newest; /* a cache line of its own */
};

static inline struct message *sched_queue_asleep(struct sched_queue *b)
{
    return (struct message *)(void *)b; /* never followed */
}

static inline void sched_queue_init(struct sched_queue *b)
{
    atomic_init(&b->newest, NULL);
}

/* Takes a chain, the newest first. True: its owner sleeps and is to be woken. Any thread. */
static inline bool sched_queue_push(struct sched_queue *b, struct message *newest,
                                    struct message *oldest)
{
    struct message *before = atomic_load_explicit(&b->newest, memory_order_relaxed);

    do {
        oldest->next = before == sched_queue_asleep(b) ? NULL : before;
    } while (!atomic_compare_exchange_weak_explicit(&b->newest, &before, newest,
                                                    memory_order_release, memory_order_relaxed));
    return before == sched_queue_asleep(b);
}

/* Is there something? May be wrong by the time it returns. */
static inline bool sched_queue_any(struct sched_queue *b)
{
    struct message *newest = atomic_load_explicit(&b->newest, memory_order_relaxed);

    return newest && newest != sched_queue_asleep(b);
}

/* Gives all that is there, the oldest first; the owner is awake. */
static inline struct message *sched_queue_take(struct sched_queue *b)
{
    struct message *m, *oldest = NULL;

    if (!atomic_load_explicit(&b->newest, memory_order_relaxed)) {
        return NULL;
    }
    m = atomic_exchange_explicit(&b->newest, NULL, memory_order_acquire);
    if (m == sched_queue_asleep(b)) {
        return NULL;
    }
    while (m) {
        struct message *before = m->next;
        m->next = oldest;
        oldest = m;
        m = before;
    }
    return oldest;
}

/* The owner is about to sleep. False: there is something, it must not. */
static inline bool sched_queue_sleep(struct sched_queue *b)
{
    struct message *none = NULL;

    return atomic_compare_exchange_strong_explicit(&b->newest, &none, sched_queue_asleep(b),
                                                   memory_order_relaxed, memory_order_relaxed) ||
           none == sched_queue_asleep(b);
}

#endif
