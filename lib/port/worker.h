/* worker: a process whose work is done by a program, or by a pool of programs. Each program has a
 * place. A framing turns messages into bytes for the program, and the program's bytes into what the
 * process does. One thread. */
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
    struct buf said;         /* its output that is not a whole unit yet, or has to wait */
    struct answers answers;  /* exec:, exec+len: */
    struct map calls;        /* exec+json: calls without an answer: struct json_call */
    uint64_t call_last;      /* the number of the last call */
    bool printed;            /* it has printed something */
    bool silent;             /* the log says that it never did */
    const char *lost;        /* why it is to be ended: it can answer nobody any more */
    bool drained;            /* it has exited, and all its output was read */
    uint64_t idle_ns;        /* when the second began in which `idle` counts */
    uint64_t idle;           /* lines that did nothing */
};

struct worker {
    struct rusm_process *self;
    struct port_event event;
    const struct exec *exec;
    struct port_host *host;
    struct rusm_args args; /* a copy, for programs that are started again */
    char pid[RUSM_PID_TEXT_MAX];
    struct map asked; /* exec+json: requests and monitors of its programs: struct json_asked */
    bool over;        /* the process has been told to exit */
    uint64_t restart_ns[WORKER_RESTARTS];
    unsigned restarts, turn;
    unsigned count;
    struct place place[];
};

struct framing {
    const char *word; /* exec+WORD: */
    size_t most;      /* bytes of one unit of a program's output */
    /* Returns the only place that the message is for, or NULL if any place may have it. If `where`
     * is NULL, any place may have any message. */
    struct place *(*where)(struct worker *w, const struct rusm_message *m);
    /* Writes a message to the program. Returns 0, or RUSM_BUSY if there is no room now. If the
     * program can never get it, refuses it and returns 0. */
    int (*offer)(struct place *p, const struct rusm_message *m);
    /* Acts on the first unit of the program's output. `last`: there will be no more output. Returns
     * the number of bytes used, 0 if the unit is not whole, RUSM_BUSY to be called again later, or
     * another error if the process was told to exit or place.lost is set. */
    ssize_t (*take)(struct place *p, const uint8_t *data, size_t len, bool last);
    /* Returns whether a caller waits for an answer that the program can no longer give, as its
     * output has ended, or as it is deaf and never got the call. */
    bool (*waits)(struct place *p);
    /* Frees what the framing keeps for a program that ends. Tells its reason to everyone who waits
     * for the program's answer. With reason NULL the process ends too, and this tells nobody. */
    void (*ended)(struct place *p, const char *reason);
};

extern const struct framing framing_lines, framing_len, framing_json;

int worker_init(struct rusm_process *self, const struct rusm_args *args, void **state);
void worker_receive(struct rusm_process *self, void *state, const struct rusm_message *m);
void worker_stop(struct rusm_process *self, void *state, const char *reason);

/* ---- for framings ---- */

/* Returns whether too many bytes wait for the program to read them. If so, an event follows when
 * there are fewer. */
bool worker_full(const struct place *p);
/* Refuses m, which cannot go to this program. Counts and logs it. A call fails with that reason. */
void worker_refuse(struct place *p, const struct rusm_message *m, const char *reason);
/* Counts a line that did nothing, as nobody asked for it or it is no request. Sets *first if it is
 * the first in a second. Returns 0, or RUSM_ELIMIT if there are too many: then this has told the
 * process to exit. */
int worker_idle_line(struct place *p, bool *first);
/* Tells the process to exit. */
void worker_exit(struct worker *w, const char *reason);

#endif
