/* sched_queue: the inter-scheduler queue. It holds the messages that other schedulers have for this
 * one. It has many producers and one consumer, which takes all messages at once. A producer has to
 * wake the scheduler only if it pushes into the empty queue of a scheduler that sleeps.
 *
 * The queue is one atomic word, which points to the newest message. Each message points to the one
 * before it. NULL: the queue is empty. The address of the queue itself: it is empty, and its owner
 * sleeps. There is no ABA problem, because only the owner takes, and it takes all messages.
 *
 * Memory order. A push releases, and the taking acquires. The taking reads what the last push has
 * written. In the history of the word, only read-modify-writes follow the pushes before that one.
 * So the acquire pairs with the release of each push, and the owner sees all that the producers
 * wrote before. The owner falls asleep with a compare-and-swap of NULL. If it succeeds, every later
 * push sees the mark in the same word. So no push is missed, and no fence between two words is
 * needed. The order of pushes is the order of the word. What one producer pushes stays in order,
 * and so does what follows from it through a third scheduler. */
#ifndef SCHED_SCHED_QUEUE_H
#define SCHED_SCHED_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "actor/message.h"

struct sched_queue {
    alignas(64) _Atomic(struct message *) newest; /* has a cache line of its own */
};

static inline struct message *sched_queue_asleep(struct sched_queue *b)
{
    return (struct message *)(void *)b; /* nobody follows this pointer */
}

static inline void sched_queue_init(struct sched_queue *b)
{
    atomic_init(&b->newest, NULL);
}

/* Takes a chain of messages, the newest first. Returns true if the owner sleeps and must be woken.
 * Any thread. */
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

/* Is there a message? The answer may be out of date when this returns. */
static inline bool sched_queue_any(struct sched_queue *b)
{
    struct message *newest = atomic_load_explicit(&b->newest, memory_order_relaxed);

    return newest && newest != sched_queue_asleep(b);
}

/* Gives all messages, the oldest first, and marks the owner as awake. */
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

/* Marks the owner as asleep. Returns false if there is a message. Then the owner must not sleep. */
static inline bool sched_queue_sleep(struct sched_queue *b)
{
    struct message *none = NULL;

    return atomic_compare_exchange_strong_explicit(&b->newest, &none, sched_queue_asleep(b),
                                                   memory_order_relaxed, memory_order_relaxed) ||
           none == sched_queue_asleep(b);
}

#endif
