/* builtins: the behaviours that every node knows (rusm-node(1)). Each is also an example of rusm.h.
 * They run on their scheduler's thread, as all behaviours do. */
#include "otp/builtins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actor/runtime.h"

/* Returns whether a process sent m of its own will: m is no answer and no signal. */
static bool builtin_asked(const struct rusm_message *m)
{
    return m->kind == RUSM_SEND || m->kind == RUSM_CALL;
}

static void builtin_free(struct rusm_process *self, void *state, const char *reason)
{
    (void)self;
    (void)reason;
    free(state);
}

/* ---- echo: answers a call with what it gets ---- */

static void echo_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    /* A SEND gets no answer. Its sender waits for none, and an answer to a relay would come back
     * for ever. */
    if (m->kind == RUSM_CALL && rusm_reply(self, m, m->data, m->len) == RUSM_BUSY) {
        rusm_hold(self);
    }
}

static const struct rusm_behaviour echo = { .name = "echo", .receive = echo_receive };

/* ---- greeter: prints what it gets, answers a call with a greeting ---- */

/* Replies "hello, TEXT". Does not reply if there is no memory for it. */
static int greeter_reply(struct rusm_process *self, const struct rusm_message *m)
{
    static const char hello[] = "hello, ";
    const size_t head = sizeof(hello) - 1;
    char small[512], *text = small;

    if (m->len > RUSM_MESSAGE_MAX - head) {
        return RUSM_ETOOLARGE;
    }
    if (m->len > sizeof(small) - head) {
        text = malloc(head + m->len);
        if (!text) {
            return RUSM_ENOMEM;
        }
    }
    memcpy(text, hello, head);
    memcpy(text + head, m->data, m->len);
    int err = rusm_reply(self, m, text, head + m->len);
    if (text != small) {
        free(text);
    }
    return err;
}

static void greeter_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    if (!builtin_asked(m)) {
        return;
    }
    /* Reply first: if the reply must be tried again, the line is not printed twice. */
    if (m->kind == RUSM_CALL && greeter_reply(self, m) == RUSM_BUSY) {
        rusm_hold(self);
        return;
    }
    rusm_print(self, "greeter received: %s", (const char *)m->data);
}

static const struct rusm_behaviour greeter = { .name = "greeter", .receive = greeter_receive };

/* ---- sink: counts messages, answers a call with the count ---- */

static int builtin_sink_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self;
    (void)args;
    *state = calloc(1, sizeof(uint64_t));
    return *state ? 0 : RUSM_ENOMEM;
}

static void builtin_sink_receive(struct rusm_process *self, void *state,
                                 const struct rusm_message *m)
{
    uint64_t *count = state;
    char text[24];

    if (m->kind == RUSM_SEND) {
        ++*count;
    } else if (m->kind == RUSM_CALL) {
        int len = snprintf(text, sizeof(text), "%" PRIu64, *count);
        if (rusm_reply(self, m, text, (size_t)len) == RUSM_BUSY) {
            rusm_hold(self);
        }
    }
}

static const struct rusm_behaviour sink = {
    .name = "sink", .init = builtin_sink_init, .receive = builtin_sink_receive, .stop = builtin_free
};

/* ---- crash: exits abnormally on any message ---- */

static void crash_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    char reason[RUSM_REASON_MAX + 1];

    (void)state;
    if (builtin_asked(m)) {
        snprintf(reason, sizeof(reason), "crashed: %s", (const char *)m->data);
        rusm_exit(self, reason);
    }
}

static const struct rusm_behaviour crash = { .name = "crash", .receive = crash_receive };

/* ---- bounce: sends a message of [8-byte time][name] back, whole, to that name on the sender's
 * node; with the argument "unordered" it sends each on a stream of its own ---- */

#define BOUNCE_HEAD 8

static int bounce_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    static const unsigned unordered = RUSM_UNORDERED;

    if (args->count == 0) {
        return 0;
    }
    if (args->count > 1 || strcmp(args->value[0], "unordered") != 0) {
        rusm_init_error(self, "bounce takes no argument, or 'unordered'");
        return RUSM_EINVAL;
    }
    *state = (void *)&unordered; /* nobody writes through it */
    return 0;
}

static void bounce_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    const unsigned *flags = state;

    if (!builtin_asked(m) || m->len <= BOUNCE_HEAD) {
        return;
    }
    const char *name = (const char *)m->data + BOUNCE_HEAD; /* a 0 follows the message */
    if (rusm_send_name(self, m->from.node, name, m->data, m->len, flags ? *flags : 0) ==
        RUSM_BUSY) {
        rusm_hold(self);
    }
}

static const struct rusm_behaviour bounce = { .name = "bounce",
                                              .init = bounce_init,
                                              .receive = bounce_receive };

/* ---- all of them ---- */

static const struct rusm_behaviour *const builtins[] = { &echo,          &greeter, &sink, &crash,
                                                         &builtin_relay, &bounce,  NULL };

const struct rusm_behaviour *builtin_find(const char *name)
{
    for (size_t i = 0; builtins[i]; i++) {
        if (strcmp(builtins[i]->name, name) == 0) {
            return builtins[i];
        }
    }
    return NULL;
}

const struct rusm_behaviour *const *builtin_all(void)
{
    return builtins;
}
