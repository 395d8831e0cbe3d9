/* limits: the maxima of processes, each with its reason and what happens when it is met. `make
 * limits` lists those of all rooms. */
#ifndef ACTOR_LIMITS_H
#define ACTOR_LIMITS_H

#include "rusm.h"

/* Answers in the name of processes that are gone, or refuse a link or monitor, which wait because
 * the node that asked has no place for their pairs: far more than one that takes its answers
 * leaves waiting. Above, it is given up. */
#define LIMIT_EXIT_NOTICES 65536

/* Processes on a node: 2 million, twice what is tested; a spawn above says RUSM_ELIMIT. Each
 * scheduler has its share of these, of timers, links and calls: a common count would be what they
 * all wait for. */
#define LIMIT_PROCESSES ((size_t)2 * 1024 * 1024)

/* Inits within inits (an init that spawns runs the other's init on its stack). Above:
 * RUSM_ELIMIT. */
#define LIMIT_INIT_DEPTH 64

/* A mailbox's default bounds (--mailbox, --mailbox-bytes). A message longer than the byte
 * bound is taken into an empty mailbox. */
#define LIMIT_MAILBOX_MESSAGES 1024
#define LIMIT_MAILBOX_BYTES ((uint64_t)4 * 1024 * 1024)

/* Replies find room in a full mailbox, as they were asked for; but a peer may send some that were
 * not. With so many messages in the mailbox they wait like others. */
#define LIMIT_MAILBOX_REPLIES 65536

/* Messages a process handles before others get their turn. */
#define LIMIT_RUN_BATCH 64

/* Node names seen; they are never forgotten, as pids refer to them by index. Above: RUSM_ELIMIT, a
 * node of a new name is not let in. Only a holder of the certificate can make names up, and it
 * could stop the node as well; it costs a handshake a name. Clients have places of their own
 * beyond. */
#define LIMIT_NODE_NAMES ((size_t)65536)

/* Of these, left for names that no peer said: those of --join, of the run folder and of our own
 * processes get in whatever others made up. */
#define LIMIT_NODE_NAMES_OWN ((size_t)4096)

/* Monitors on one process. Above: RUSM_ELIMIT; another node's watcher is told system_limit. */
#define LIMIT_MONITORS ((size_t)1024 * 1024)

/* Descriptors that the processes of a node watch: as many as a program may usually open (`ulimit
 * -n` of most systems is at most a million). Above: RUSM_ELIMIT. */
#define LIMIT_WATCHES ((size_t)1024 * 1024)

/* Timers that are set on a node: two a process, and as many as a ref has places. Above:
 * RUSM_ELIMIT. */
#define LIMIT_TIMERS ((size_t)4 * 1024 * 1024)

/* Calls without an answer, on a node: what answers may take beyond the bounds of mailboxes. Above:
 * RUSM_ELIMIT. */
#define LIMIT_CALLS ((size_t)1024 * 1024)

/* A coroutine's stack unless its behaviour says how large: a call of any function here needs less
 * than a tenth of it. */
#define LIMIT_STACK_DEFAULT ((size_t)64 * 1024)

/* Bytes of spare stacks that are kept, of each size; most of a stack was never touched. */
#define LIMIT_STACKS_SPARE ((size_t)16 * 1024 * 1024)

/* A process that holds its scheduler for longer, with one handler or a batch of them
 * (LIMIT_RUN_BATCH), is logged and counted: nobody else ran meanwhile. */
#define LIMIT_HANDLER_NS ((uint64_t)100 * 1000000)

/* Links of all processes of a node: two a process. Above: as with monitors. */
#define LIMIT_LINKS ((size_t)4 * 1024 * 1024)

/* Spawnables a node is taught. */
#define LIMIT_SPAWNABLES 1024

#endif
