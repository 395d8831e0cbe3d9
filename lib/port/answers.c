/* answers: see the header. */
#include "port/answers.h"

#include <stdlib.h>
#include <string.h>
#include "port/limits.h"

#define ANSWERS_LEAST 8

void answers_init(struct answers *a)
{
    *a = (struct answers){ 0 };
}

void answers_fini(struct answers *a)
{
    free(a->run);
    answers_init(a);
}

static struct answers_run *answers_at(const struct answers *a, uint32_t i)
{
    return &a->run[(a->first + i) % a->cap];
}

static int answers_grow(struct answers *a)
{
    uint32_t cap = a->cap ? a->cap * 2 : ANSWERS_LEAST;
    struct answers_run *run = calloc(cap, sizeof(*run));

    if (!run) {
        return RUSM_ENOMEM;
    }
    for (uint32_t i = 0; i < a->runs; i++) {
        run[i] = *answers_at(a, i);
    }
    free(a->run);
    a->run = run;
    a->cap = cap;
    a->first = 0;
    return 0;
}

/* Merges the two oldest runs into one without a sender, whose answers are dropped. A program that
 * never answers must not take ever more memory. A program that answers late must still find its
 * answers assigned to the right messages, so the count is kept. */
static void answers_forget(struct answers *a)
{
    uint64_t count = answers_at(a, 0)->count;

    a->first = (a->first + 1) % a->cap;
    a->runs--;
    *answers_at(a, 0) = (struct answers_run){ .count = count + answers_at(a, 0)->count };
}

int answers_owe(struct answers *a, const struct rusm_message *m)
{
    struct answers_run *last = a->runs ? answers_at(a, a->runs - 1) : NULL;

    if (last && m->kind == RUSM_SEND && last->who.kind == RUSM_SEND &&
        rusm_pid_eq(last->who.from, m->from)) {
        last->count++;
        return 0;
    }
    if (a->runs == LIMIT_PROGRAM_FLIGHT) {
        answers_forget(a);
    }
    if (a->runs == a->cap && answers_grow(a) != 0) {
        return RUSM_ENOMEM;
    }
    *answers_at(a, a->runs++) =
        (struct answers_run){ .who = { .kind = m->kind, .from = m->from, .ref = m->ref },
                              .count = 1 };
    return 0;
}

const struct rusm_message *answers_next(const struct answers *a)
{
    return a->runs ? &answers_at(a, 0)->who : NULL;
}

const struct rusm_message *answers_last(const struct answers *a)
{
    return a->runs ? &answers_at(a, a->runs - 1)->who : NULL;
}

void answers_given(struct answers *a)
{
    if (--answers_at(a, 0)->count > 0) {
        return;
    }
    a->first = (a->first + 1) % a->cap;
    a->runs--;
}
