/* limits: the maxima of programs (exec:), each with its reason and what happens when it is met.
 * `make limits` lists the limits of all rooms. */
#ifndef PORT_LIMITS_H
#define PORT_LIMITS_H

#include "rusm.h"

/* Programs of a node, on all schedulers together. Each needs four descriptors. So many programs
 * are far more than the system's own processes. Above: RUSM_ELIMIT. */
#define LIMIT_PROGRAMS 4096

/* Programs of one pool. Its process looks at each of them for every message. Above: RUSM_EINVAL. */
#define LIMIT_POOL 64

/* Bytes of a line to or from a program: as much as a default mailbox holds. Above: a program that
 * prints such a line is ended, and a message that would need one is refused. With exec+len, where
 * the length comes first, the limit is RUSM_MESSAGE_MAX instead. */
#define LIMIT_PROGRAM_LINE ((size_t)4 * 1024 * 1024)

/* Bytes that wait for a program to read them: as many again as its pipe holds. Above: the program
 * gets no more messages until it has read. One message is always taken. */
#define LIMIT_PROGRAM_QUEUE ((size_t)64 * 1024)

/* Bytes read of a program's output at a time, so that other processes get their turn. Above: the
 * process reads on in the next tick. */
#define LIMIT_PROGRAM_READ ((size_t)64 * 1024)

/* Messages that a program has not answered yet: as many as its mailbox holds. With exec+json only
 * calls count. Above: the program gets no more calls. Otherwise consecutive messages of one sender
 * count once. Above: the oldest senders are forgotten, as the program may be one that never
 * answers. */
#define LIMIT_PROGRAM_FLIGHT 1024

/* Calls, spawns and monitors under way of the programs of one process (exec+json). Each takes
 * memory until its outcome. Above: the request fails with "limit". */
#define LIMIT_PROGRAM_ASKED 16384

/* Useless lines that a program prints in a second. With exec: and exec+len: these are lines for
 * which no message waits, with exec+json lines that are no requests. They are dropped and counted.
 * A program that prints more does nothing else. Above: the program is ended. */
#define LIMIT_PROGRAM_UNASKED 10000

/* Lines logged in a second about one program: its standard error and what it does wrong. A program
 * must not flood the log. Above: the lines are only counted. */
#define LIMIT_PROGRAM_LOG 200

/* How long we wait for the exit of a program that has closed its input or its output. Most do so as
 * they exit, and their status says more. After that it counts as one that runs on without it. */
#define LIMIT_PROGRAM_CLOSED_NS ((uint64_t)100 * 1000000)

/* How long a program may take to end after SIGTERM. Then it gets SIGKILL. */
#define LIMIT_PROGRAM_GRACE_NS ((uint64_t)2 * 1000000000)

/* How long a node that leaves waits, after SIGKILL, for the kernel to end its programs. Then it
 * leaves without waiting for them. */
#define LIMIT_PROGRAM_REAP_NS ((uint64_t)500 * 1000000)

#endif
