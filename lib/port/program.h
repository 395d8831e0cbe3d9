/* program: one running program: its descriptors, its standard error, its end. It may outlive the
 * process that it works for, until it has ended. On the host's thread. */
#ifndef PORT_PROGRAM_H
#define PORT_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/buf.h"
#include "port/host.h"

struct program {
    struct port_host *host;
    struct list link;   /* in port_host.programs */
    struct list dirty;  /* in port_host.dirty */
    struct list ending; /* in port_host.ending, from program_end until SIGKILL */
    struct list closed; /* in port_host.closed, until it has exited or closed_ns has passed */
    pid_t pid;          /* also its process group */
    int pidfd, in, out, err;
    struct port_watch *in_watch, *out_watch, *err_watch, *exit_watch;
    struct buf unwritten; /* bytes that wait for its standard input */
    struct buf line;      /* the line of its standard error that is not whole yet */
    void (*event)(
        void *user); /* `readable` or `exited` became true, or there is room; NULL: ending */
    void *user;
    bool readable; /* there may be output: try program_read */
    bool exited;   /* reason is set */
    bool deaf;     /* it has closed its standard input */
    bool ended;    /* its output has ended */
    bool broken;   /* it is deaf or its output has ended, and it runs on nevertheless */
    bool blocked;  /* its input is full */
    bool awaited;  /* make an event when less than LIMIT_PROGRAM_QUEUE waits */
    bool mute;     /* its standard error has ended; if `exited` too, nobody of its group is left */
    bool told, killed; /* it got SIGTERM; it got SIGKILL */
    char reason[32];   /* "normal", "exit status 3", "signal 9"; set when `exited` is */
    uint64_t deadline_ns;
    uint64_t closed_ns; /* when it is broken; 0: port_host_tick sets it */
    uint64_t written;   /* bytes that its standard input has taken */
    uint64_t window_ns; /* when the second began in which `logged` counts lines */
    uint64_t logged, unlogged;
    char label[96]; /* its name in the log */
};

struct program_options {
    const char *command;       /* for sh -c */
    const char *zero;          /* its $0 */
    struct rusm_args args;     /* its "$@" */
    const char *pid;           /* RUSM_PID, as text */
    const char *label;         /* copied */
    bool pty;                  /* standard input and output are a terminal */
    size_t most;               /* limit of bytes that wait to be written */
    void (*event)(void *user); /* see program.event; called outside of any behaviour */
    void *user;
};

/* Starts a program. Gives *out, which the caller ends with program_end. Returns 0, RUSM_EIO,
 * RUSM_ELIMIT if the node has too many programs, or RUSM_ENOMEM. `why` says more. */
int program_start(struct port_host *h, const struct program_options *options, struct program **out,
                  struct rusm_why *why);
/* Returns room for len more bytes of its standard input. program_wrote then queues them. Returns
 * NULL if there is no memory, or if more than `most` bytes would wait. */
uint8_t *program_reserve(struct program *p, size_t len);
void program_wrote(struct program *p, size_t len);
/* Writes the queued bytes, as far as there is room in the pipe or terminal. */
void program_flush(struct program *p);
/* Reads up to `most` bytes of its output into `into`. Returns the number of bytes, 0 if there will
 * be no more, RUSM_BUSY if there are none now (an event follows), RUSM_ELIMIT if `into` is full, or
 * RUSM_ENOMEM. */
ssize_t program_read(struct program *p, struct buf *into, size_t most);
/* Takes the program: closes its input and output, and ends it if it runs (SIGTERM, later
 * SIGKILL). */
void program_end(struct program *p, uint64_t now_ns);

/* ---- for host.c ---- */
void program_break(struct program *p); /* it has not exited: it is broken */
void program_late(struct program *p);  /* kills it, as its deadline has passed */
void program_kill(struct program *p);  /* kills it at once and frees it */

#endif
