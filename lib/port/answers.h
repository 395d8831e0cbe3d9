/* answers: whom a program still owes an answer, in the order in which it got their messages: each
 * line it prints is for the first of them. Bounded; the oldest are forgotten, not their number. One
 * thread. */
#ifndef PORT_ANSWERS_H
#define PORT_ANSWERS_H

#include "rusm.h"

/* So many messages in a row of one sender. */
struct answers_run {
    struct rusm_message who; /* kind, from and ref */
    uint64_t count;
};

struct answers {
    struct answers_run *run; /* a ring */
    uint32_t cap, first, runs;
};

void answers_init(struct answers *a);
void answers_fini(struct answers *a);
/* One more is owed, to who sent m. 0 or RUSM_ENOMEM. */
int answers_owe(struct answers *a, const struct rusm_message *m);
/* Whose turn it is; and who was the last. Kind, from and ref are set. NULL: nobody's. */
const struct rusm_message *answers_next(const struct answers *a);
const struct rusm_message *answers_last(const struct answers *a);
/* The next one has its answer. */
void answers_given(struct answers *a);

#endif
