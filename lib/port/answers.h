/* answers: the queue of senders that a program still owes an answer, in the order in which it got
 * their messages. Each line that the program prints answers the first of them. The queue is
 * bounded: it forgets who the oldest senders were, but not how many answers they are owed. One
 * thread. */
#ifndef PORT_ANSWERS_H
#define PORT_ANSWERS_H

#include "rusm.h"

/* Consecutive messages of one sender that have no answer yet. */
struct answers_run {
    struct rusm_message who; /* only kind, from and ref are set */
    uint64_t count;
};

struct answers {
    struct answers_run *run; /* a ring */
    uint32_t cap, first, runs;
};

void answers_init(struct answers *a);
void answers_fini(struct answers *a);
/* Notes that the sender of m is owed an answer. Returns 0 or RUSM_ENOMEM. */
int answers_owe(struct answers *a, const struct rusm_message *m);
/* Return the message that gets the next answer, and the one that gets the last. Only kind, from and
 * ref are set. Return NULL if no answer is owed. */
const struct rusm_message *answers_next(const struct answers *a);
const struct rusm_message *answers_last(const struct answers *a);
/* Notes that the message of answers_next has its answer. */
void answers_given(struct answers *a);

#endif
