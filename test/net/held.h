/* held: more behaviours of traffic.c, for held.bats.
 *
 * `held LATCH` takes no message until the process named LATCH on its own node has ended. Then it
 * checks what each of its sources sends. A call returns "received N of M sources" or the first
 * error. `patient TARGET COUNT SIZE` sends as `source` does, but blocks whenever the target takes
 * nothing (a parked coroutine). */
#ifndef HELD_H
#define HELD_H

#include <stdlib.h>

#include "numbered.h"

enum { HELD_SOURCES = 16 };

struct held {
    char latch[64];
    size_t count;
    rusm_pid source[HELD_SOURCES];
    struct check check[HELD_SOURCES];
};

static int held_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct held *h = calloc(1, sizeof(*h));
    if (!h || args->count != 1) {
        rusm_init_error(self, "held takes LATCH");
        free(h);
        return RUSM_EINVAL;
    }
    snprintf(h->latch, sizeof(h->latch), "%s", args->value[0]);
    *state = h;
    return 0;
}

static bool is_down(void *context, const struct rusm_message *m)
{
    (void)context;
    return m->kind == RUSM_DOWN;
}

static void held_take(struct held *h, const struct rusm_message *m)
{
    size_t i = 0;
    while (i < h->count && !rusm_pid_eq(h->source[i], m->from)) {
        i++;
    }
    if (m->len < HEAD || i == HELD_SOURCES) { /* a line from the shell */
        return;
    }
    if (i == h->count) {
        h->source[h->count++] = m->from;
    }
    check_one(&h->check[i], m);
}

static void held_say(struct rusm_process *self, const struct held *h, const struct rusm_message *m)
{
    uint64_t received = 0;
    const char *wrong = NULL;
    char text[64];
    for (size_t i = 0; i < h->count; i++) {
        received += h->check[i].received;
        if (!wrong && h->check[i].wrong[0]) {
            wrong = h->check[i].wrong;
        }
    }
    snprintf(text, sizeof(text), "received %" PRIu64 " of %zu sources", received, h->count);
    answer(self, m, wrong ? wrong : text);
}

static void held_body(struct rusm_process *self, void *state)
{
    struct held *h = state;
    const struct rusm_message *m;
    uint64_t ref;
    if (rusm_monitor_name(self, 0, h->latch, &ref) != 0 ||
        rusm_receive(self, is_down, NULL, RUSM_FOREVER, &m) != 0) {
        return;
    }
    while (rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0) {
        if (m->kind == RUSM_CALL) {
            held_say(self, h, m);
        } else if (m->kind == RUSM_SEND) {
            held_take(h, m);
        }
    }
}

static void state_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

struct patient {
    char target[128];
    uint64_t count, size;
    uint8_t bytes[16384];
};

static int patient_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct patient *p = calloc(1, sizeof(*p));
    uint64_t size = args->count == 3 ? strtoull(args->value[2], NULL, 10) : 0;
    if (!p || size < HEAD || size > sizeof(p->bytes)) {
        rusm_init_error(self, "patient takes TARGET COUNT SIZE");
        free(p);
        return RUSM_EINVAL;
    }
    snprintf(p->target, sizeof(p->target), "%s", args->value[0]);
    p->count = strtoull(args->value[1], NULL, 10);
    p->size = size;
    *state = p;
    return 0;
}

static void patient_body(struct rusm_process *self, void *state)
{
    struct patient *p = state;
    const struct rusm_message *m;
    int error = 0;
    char text[64];
    for (uint64_t n = 0; n < p->count && !error; n++) {
        message_write(p->bytes, n, p->size);
        error = rusm_send_to(self, p->target, p->bytes, p->size, 0);
    }
    snprintf(text, sizeof(text), error ? "sent less than %" PRIu64 : "sent %" PRIu64, p->count);
    while (rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0) {
        if (m->kind == RUSM_CALL) {
            answer(self, m, text);
        }
    }
}

static const struct rusm_behaviour held_behaviours[] = {
    { .name = "held", .init = held_init, .body = held_body, .stop = state_stop },
    { .name = "patient", .init = patient_init, .body = patient_body, .stop = state_stop },
};

#endif
