/* program: one program that runs: its descriptors, its standard error, its end. It outlives the
 * process that it works for until it has ended. One thread, its host's. */
#ifndef PORT_PROGRAM_H
#define PORT_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/buf.h"
#include "port/host.h"

struct program {
    struct port_host *host;
    struct list link;   /* in host's programs */
    struct list dirty;  /* in host's dirty */
    struct list ending; /* in host's ending, from program_end until it is killed */
    pid_t pid;          /* and its group */
    int pidfd, in, out, err;
    struct port_watch *in_watch, *out_watch, *err_watch, *exit_watch;
    struct buf unwritten; /* for its standard input */
    struct buf line;      /* of its standard error, not whole yet */
    void (*event)(
        void *user); /* one of the three below became true, or there is room; NULL: ending */
    void *user;
    bool readable; /* its output: try program_read */
    bool exited;   /* status is known */
    bool deaf;     /* it has closed its standard input */
    bool blocked;  /* it does not read now */
    bool awaited;  /* an event is wanted when less than LIMIT_PROGRAM_QUEUE waits */
    bool mute;     /* its standard error has ended: nobody of its group is left, if it has exited */
    bool told, killed; /* SIGTERM, SIGKILL were sent */
    char reason[32];   /* "normal", "exit status 3", "signal 9"; once it has exited */
    uint64_t deadline_ns;
    uint64_t window_ns; /* of what is logged: a second */
    uint64_t logged, unlogged;
    char label[96]; /* how the log calls it */
};

struct program_options {
    const char *command;       /* for sh -c */
    const char *zero;          /* its $0 */
    struct rusm_args args;     /* its "$@" */
    const char *pid;           /* RUSM_PID, as text */
    const char *label;         /* copied */
    bool pty;                  /* standard input and output are a terminal */
    size_t most;               /* bytes that may wait to be written */
    void (*event)(void *user); /* outside of any behaviour */
    void *user;
};

/* Gives *out, which is to be ended. RUSM_EIO, RUSM_ELIMIT, RUSM_ENOMEM; why says more. */
int program_start(struct port_host *h, const struct program_options *options, struct program **out,
                  struct rusm_why *why);
/* Room for len bytes more for its standard input, to be confirmed with program_wrote. NULL: no
 * memory, or more than `most`. */
uint8_t *program_reserve(struct program *p, size_t len);
void program_wrote(struct program *p, size_t len);
void program_flush(struct program *p);
/* Reads up to `most` bytes of its output into `into`. Bytes read; 0: that is all there will be; or
 * RUSM_BUSY: not now, there will be an event; RUSM_ELIMIT: `into` is full. */
ssize_t program_read(struct program *p, struct buf *into, size_t most);
/* Takes it: closes its input and output, and ends it (SIGTERM, later SIGKILL) if it runs. */
void program_end(struct program *p, uint64_t now_ns);

/* ---- for host.c ---- */
void program_late(struct program *p); /* its deadline has passed */
void program_kill(struct program *p); /* at once, and frees it */

#endif
