/* tally: two behaviours for rusm, loaded from a file, as an example of how to write them.
 *
 *     cc -shared -fPIC -o tally.so tally.c
 *     rusm node --name london --spawnable tally=lib:./tally.so:tally \
 *         --boot 'clock=lib:./tally.so:every 1000 tally tick' --boot words=tally
 *
 *   tally        counts the messages that it gets, by their text. A call with a text returns how
 *                often that text came. A call without one returns the most frequent texts, one a
 *                line.
 *   every        MILLISECONDS PROCESS TEXT: sends TEXT to PROCESS again and again. */
#define _GNU_SOURCE /* tdestroy */
#include <errno.h>
#include <rusm.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tally ---------------------------------------------------------------------------------- */

#define TALLY_TEXTS 10000 /* different texts: bounds what strangers can make us hold */
#define TALLY_TEXT 256    /* bytes of a text; longer ones are cut */
#define TALLY_TOP 10

struct text {
    unsigned long count;
    char text[];
};

struct tally {
    void *tree; /* of struct text, see tsearch(3) */
    size_t texts;
    unsigned long dropped; /* texts that came when there were too many */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct text *)a)->text, ((const struct text *)b)->text);
}

static struct text *text_new(const struct rusm_message *m)
{
    size_t len = strnlen((const char *)m->data, m->len < TALLY_TEXT ? m->len : TALLY_TEXT);
    struct text *e = calloc(1, sizeof(*e) + len + 1);

    if (e) {
        memcpy(e->text, m->data, len);
    }
    return e;
}

static int tally_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    if (args->count > 0) {
        rusm_init_error(self, "tally takes no arguments");
        return RUSM_EINVAL;
    }
    *state = calloc(1, sizeof(struct tally));
    return *state ? 0 : RUSM_ENOMEM;
}

static void tally_count(struct tally *t, struct text *e)
{
    struct text **found = tfind(e, &t->tree, compare);

    if (!found && t->texts < TALLY_TEXTS && (found = tsearch(e, &t->tree, compare))) {
        t->texts++;
        e->count = 1;
        return; /* the tree owns it now */
    }
    if (found) {
        (*found)->count++;
    } else {
        t->dropped++;
    }
    free(e);
}

struct top {
    const struct text *entry[TALLY_TOP]; /* the most frequent first */
    size_t count;
};

static void top_visit(const void *node, VISIT visit, void *closure)
{
    const struct text *e = *(struct text *const *)node;
    struct top *top = closure;
    size_t at = top->count;

    if (visit != postorder && visit != leaf) {
        return;
    }
    while (at > 0 && top->entry[at - 1]->count < e->count) {
        at--;
    }
    if (at == TALLY_TOP) {
        return;
    }
    if (top->count < TALLY_TOP) {
        top->count++;
    }
    memmove(&top->entry[at + 1], &top->entry[at], (top->count - at - 1) * sizeof(top->entry[0]));
    top->entry[at] = e;
}

static void tally_answer(struct rusm_process *self, struct tally *t, const struct rusm_message *m,
                         struct text *asked)
{
    char text[TALLY_TOP * (TALLY_TEXT + 24)] = "";
    struct text **found = tfind(asked, &t->tree, compare);
    struct top top = { .count = 0 };
    size_t len = 0;

    if (asked->text[0]) {
        len = (size_t)snprintf(text, sizeof(text), "%lu", found ? (*found)->count : 0);
    } else {
        twalk_r(t->tree, top_visit, &top);
        for (size_t i = 0; i < top.count; i++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lu %s", i ? "\n" : "",
                                    top.entry[i]->count, top.entry[i]->text);
        }
    }
    rusm_reply(self, m, text, len);
    free(asked);
}

static void tally_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct tally *t = state;
    struct text *e;

    if (m->kind != RUSM_SEND && m->kind != RUSM_CALL) {
        return;
    }
    e = text_new(m);
    if (!e) {
        rusm_exit(self, "no memory");
    } else if (m->kind == RUSM_SEND) {
        tally_count(t, e);
    } else {
        tally_answer(self, t, m, e);
    }
}

static void tally_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct tally *t = state;

    (void)reason;
    if (t->dropped > 0) {
        rusm_print(self, "tally: %lu messages dropped: too many texts", t->dropped);
    }
    tdestroy(t->tree, free);
    free(t);
}

static const struct rusm_behaviour tally = {
    .name = "tally", .init = tally_init, .receive = tally_receive, .stop = tally_stop
};

/* ---- every ---------------------------------------------------------------------------------- */

struct every {
    size_t len;
    const char *text; /* points behind the process, in the same block */
    char process[];
};

static int every_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct every *e;
    size_t process_len;
    uint64_t ref;
    char *end = NULL;
    unsigned long ms = 0;
    int error;

    errno = 0;
    if (args->count == 3) {
        ms = strtoul(args->value[0], &end, 10);
    }
    if (!end || *end || errno || ms == 0 || ms > UINT32_MAX) {
        rusm_init_error(self, "every takes MILLISECONDS PROCESS TEXT");
        return RUSM_EINVAL;
    }
    process_len = strlen(args->value[1]);
    e = malloc(sizeof(*e) + process_len + strlen(args->value[2]) + 2);
    if (!e) {
        return RUSM_ENOMEM;
    }
    e->text = stpcpy(e->process, args->value[1]) + 1;
    e->len = (size_t)(stpcpy(e->process + process_len + 1, args->value[2]) - e->text);
    error = rusm_interval(self, (uint32_t)ms, &ref);
    if (error) {
        free(e); /* without a state, stop is not called */
    } else {
        *state = e;
    }
    return error;
}

/* Errors are ignored: there may be no such process, or no room, but the next message may arrive. */
static void every_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    const struct every *e = state;

    if (m->kind == RUSM_TIMER) {
        (void)rusm_send_to(self, e->process, e->text, e->len, 0);
    }
}

static void every_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

static const struct rusm_behaviour every = {
    .name = "every", .init = every_init, .receive = every_receive, .stop = every_stop
};

/* ---- the behaviours of this file ------------------------------------------------------------- */

static const struct rusm_behaviour *const behaviours[] = { &tally, &every, NULL };

const struct rusm_library rusm_library = { .abi = RUSM_ABI, .behaviours = behaviours };
