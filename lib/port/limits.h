/* limits: the maxima of programs (exec:), each with its reason and what happens when it is met.
 * `make limits` lists those of all rooms. */
#ifndef PORT_LIMITS_H
#define PORT_LIMITS_H

#include "rusm.h"

/* Programs of a node, all schedulers together: four descriptors each, and the system's own
 * processes are few beside them. Above: RUSM_ELIMIT. */
#define LIMIT_PROGRAMS 4096

/* Programs of one pool. */
#define LIMIT_POOL 64

/* A line of a program, either way: as much as a default mailbox holds. A longer one it prints ends
 * it, a message that would be one is refused. With a length before it (exec+len)
 * RUSM_MESSAGE_MAX. */
#define LIMIT_PROGRAM_LINE ((size_t)4 * 1024 * 1024)

/* Bytes that wait for a program to read them, above which it takes no more messages: as much again
 * as its pipe holds. One message is always taken. */
#define LIMIT_PROGRAM_QUEUE ((size_t)64 * 1024)

/* Bytes read of a program's output before others get their turn. */
#define LIMIT_PROGRAM_READ ((size_t)64 * 1024)

/* Messages that a program has not answered yet: as many as its mailbox holds. With numbers
 * (exec+json) it gets no more; without, the oldest are forgotten, as it may be one that answers
 * nothing. */
#define LIMIT_PROGRAM_FLIGHT 1024

/* What a program (exec+json) asks and watches at a time, by its refs. Above: limit. */
#define LIMIT_PROGRAM_ASKED 16384

/* Lines a second that a program prints (exec:, exec+len:) although no message waits for an answer,
 * or (exec+json) that are no requests: they are dropped and counted. One that prints more does
 * nothing else, and is ended. */
#define LIMIT_PROGRAM_UNASKED 10000

/* Lines of a program's standard error, and of what it does wrong, that are logged a second; the
 * others are counted. */
#define LIMIT_PROGRAM_LOG 200

/* From SIGTERM to SIGKILL. */
#define LIMIT_PROGRAM_GRACE_NS ((uint64_t)2 * 1000000000)

/* How long a node that leaves waits after SIGKILL for the kernel to be done with its programs. */
#define LIMIT_PROGRAM_REAP_NS ((uint64_t)500 * 1000000)

#endif
