/* worker: a process that a program, or a pool of them, does the work of. Each program has a place;
 * a framing turns messages into bytes for it, and its bytes into what the process does. One
 * thread. */
#ifndef PORT_WORKER_H
#define PORT_WORKER_H

#include <sys/types.h>
#include "base/map.h"
#include "port/answers.h"
#include "port/exec.h"
#include "port/program.h"

struct worker;

struct place {
    struct worker *worker;
    struct program *program; /* NULL: it could not be started again */
    struct buf said;         /* its output that is not whole yet, or has to wait */
    struct answers answers;  /* exec:, exec+len: */
    struct map calls;        /* exec+json: those that it has not answered yet: struct json_call */
    uint64_t call_last;      /* the number of the last one */
    bool drained;            /* it has exited, and all that it said was read */
    uint64_t idle_ns;        /* lines that did nothing are counted since then */
    uint64_t idle;
};

struct worker {
    struct rusm_process *self;
    struct port_event event;
    const struct exec *exec;
    struct port_host *host;
    struct rusm_args args; /* a copy, for those that are started again */
    char pid[RUSM_PID_TEXT_MAX];
    struct map asked; /* exec+json: what its programs ask and watch: struct json_asked */
    bool over;        /* the process has been told to exit */
    uint64_t restart_ns[WORKER_RESTARTS];
    unsigned restarts, turn;
    unsigned count;
    struct place place[];
};

struct framing {
    const char *word; /* exec+WORD: */
    size_t most;      /* bytes of one unit that a program says */
    /* The only place that a message is for; NULL: any. Itself NULL: any, always. */
    struct place *(*where)(struct worker *w, const struct rusm_message *m);
    /* Gives the program a message: 0, or RUSM_BUSY. One that cannot be given is refused, which is
     * 0. */
    int (*offer)(struct place *p, const struct rusm_message *m);
    /* Acts on the first unit of what it said; `last`: there will be no more. The bytes used; 0: it
     * is not whole; RUSM_BUSY: again later; another error: the process was told to exit. */
    ssize_t (*take)(struct place *p, const uint8_t *data, size_t len, bool last);
    /* The program has ended, with that reason: whoever waits for it is told, unless the process
     * ends too (NULL). What is kept for it is freed. */
    void (*ended)(struct place *p, const char *reason);
};

extern const struct framing framing_lines, framing_len, framing_json;

int worker_init(struct rusm_process *self, const struct rusm_args *args, void **state);
void worker_receive(struct rusm_process *self, void *state, const struct rusm_message *m);
void worker_stop(struct rusm_process *self, void *state, const char *reason);

/* ---- for framings ---- */

/* Too much waits for the program to read it; there will be an event when it is less. */
bool worker_full(const struct place *p);
/* m is not for this program: a call fails with that reason, which is counted either way. */
void worker_refuse(struct place *p, const struct rusm_message *m, const char *reason);
/* A line that did nothing, as nobody asked for it or it is no request; *first: of this second. A
 * program that does nothing else is stopped: RUSM_ELIMIT, the process was told to exit. */
int worker_idle_line(struct place *p, bool *first);
/* The process exits. */
void worker_exit(struct worker *w, const char *reason);

#endif
