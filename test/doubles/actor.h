/* actor: a real runtime for tests of lib/actor. The hooks record what leaves the runtime. A `probe`
 * is a process that records what it receives and does what the test wants. */
#ifndef DOUBLES_ACTOR_H
#define DOUBLES_ACTOR_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "actor/runtime.h"

#define WORLD_POSTS 64

struct world_post {
    struct post post; /* name and data point to the copies below */
    char name[RUSM_NAME_MAX + 1];
    char data[RUSM_REASON_MAX + 1];
};

struct world {
    struct runtime *rt;
    struct log log;
    uint64_t now;
    /* What left the runtime through the hooks. */
    struct world_post posts[WORLD_POSTS];
    size_t post_count;
    int post_result; /* what the post hook returns */
    void (*on_post)(struct world *w, const struct post *post);
    size_t give_ups;
    uint32_t given_up; /* the last node that was given up */
    size_t exit_count;
    rusm_pid exited; /* the last process that exited */
    char reason[RUSM_REASON_MAX + 1];
    char line[4096]; /* the last line printed */
    size_t line_count;
    size_t globals, spawns;
    uint64_t clock;  /* the time that handlers see */
    rusm_pid holder; /* of every global name; serial 0: no name has a holder */
};

struct got {
    enum rusm_kind kind;
    int error;
    rusm_pid from;
    uint64_t ref;
    size_t len;
    char text[32]; /* the start of the data, as far as it fits */
};

#define PROBE_GOT 4096

struct probe {
    rusm_pid pid;
    struct rusm_process *self; /* NULL once stopped */
    struct got got[PROBE_GOT];
    size_t count;
    unsigned stops;
    char reason[RUSM_REASON_MAX + 2];
    int init_result;
    void (*on_init)(struct probe *p);
    /* May be NULL. A message that the probe holds is recorded each time it comes. */
    void (*on)(struct probe *p, const struct rusm_message *m);
    void (*on_stop)(struct probe *p);
    void *user;
};

extern const struct runtime_hooks world_hooks;

#define WORLD_INCARNATION 0x5f3a1cu
#define WORLD_MESSAGES 8
#define WORLD_BYTES 1000

/* Makes the world. Returns 0, or the error of runtime_new. A mailbox takes WORLD_MESSAGES messages
 * of WORLD_BYTES in all. */
int world_try(struct world *w);

struct world *world_new(void);

void world_free(struct world *w);

/* Runs the runtime until nothing is ready. */
void world_run(struct world *w);

/* ---- probes ---- */

extern struct probe *probe_next;

extern const struct rusm_behaviour probe_behaviour;

int probe_try(struct world *w, struct probe *p, struct rusm_why *why);

/* Spawns a probe that records. The caller frees it, after the world. */
struct probe *probe_new(struct world *w);

int probe_send(struct probe *from, struct probe *to, const char *text);

/* Returns how many of the messages that the probe got are of that kind. */
size_t probe_kinds(const struct probe *p, enum rusm_kind kind);

/* Fills the mailbox of `to` with n messages. */
void probe_fill(struct probe *from, struct probe *to, int n);

/* Returns the DOWN that p got for ref. Fails unless there is exactly one. */
const struct got *probe_down(const struct probe *p, uint64_t ref);

uint64_t probe_links(struct probe *p);

/* Makes a message as one from the network. */
struct message *world_message(struct world *w, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                              const char *text);

uint32_t world_node(struct world *w, const char *name);

#endif
