/* limits: the maxima of processes, each with its reason and what happens when it is met. `make
 * limits` lists those of all rooms. */
#ifndef ACTOR_LIMITS_H
#define ACTOR_LIMITS_H

#include "rusm.h"

/* Answers to one node that wait because the node has no place for their pairs: answers in the name
 * of processes that are gone, and answers to links, unlinks and monitors. A node that takes its
 * answers leaves far fewer of them waiting. Above: this node closes the connection. */
#define LIMIT_EXIT_NOTICES 65536

/* Processes on a node. 2 million are twice what is tested. Each scheduler has its share of these,
 * and of timers, links and calls, because all schedulers would have to wait for a common count.
 * Above: a spawn returns RUSM_ELIMIT. */
#define LIMIT_PROCESSES ((size_t)2 * 1024 * 1024)

/* Inits within inits. An init that spawns runs the other process's init on the same stack. Above:
 * RUSM_ELIMIT. */
#define LIMIT_INIT_DEPTH 64

/* Messages and payload bytes in a mailbox, unless --mailbox and --mailbox-bytes say otherwise. A
 * message longer than the byte bound is taken into an empty mailbox. Above: a sender waits, or gets
 * RUSM_BUSY. */
#define LIMIT_MAILBOX_MESSAGES 1024
#define LIMIT_MAILBOX_BYTES ((uint64_t)4 * 1024 * 1024)

/* Messages in a mailbox that still takes replies. A full mailbox takes them because its process
 * asked for them, but a peer may send replies that nobody asked for. Above: replies wait like other
 * messages. */
#define LIMIT_MAILBOX_REPLIES 65536

/* Messages that a process handles before other processes get their turn. Above: it goes to the end
 * of the run queue. */
#define LIMIT_RUN_BATCH 64

/* Node names seen. The node never forgets them, because pids refer to them by index. Only a holder
 * of the certificate can make up names, at the cost of a handshake for each, and it could stop the
 * node as well. Clients have places of their own beyond these. Above: RUSM_ELIMIT, and a node with
 * a new name is not let in. */
#define LIMIT_NODE_NAMES ((size_t)65536)

/* Places among LIMIT_NODE_NAMES for names that no peer said. They let the names of --join, of the
 * run folder and of this node's processes in, whatever names others make up. When only these are
 * left, a name that a peer said gets RUSM_ELIMIT. */
#define LIMIT_NODE_NAMES_OWN ((size_t)4096)

/* Monitors on one process, and monitors that one process asks for. Above: RUSM_ELIMIT. A watcher on
 * another node gets a DOWN with reason system_limit. */
#define LIMIT_MONITORS ((size_t)1024 * 1024)

/* Descriptors that the processes of a node watch: as many as a program may usually open (`ulimit
 * -n` of most systems is at most a million). Above: RUSM_ELIMIT. */
#define LIMIT_WATCHES ((size_t)1024 * 1024)

/* Events of traced processes that a scheduler tells a millisecond, and at once after a while
 * without any. An event costs about a tenth of a microsecond, so they take at most one per cent of
 * a scheduler's time. Above: they are counted, and the tracer is told how many are missing. */
#define LIMIT_TRACE_MS 64
#define LIMIT_TRACE_BURST 4096

/* Timers that are set on a node: two per process, and as many as a ref has places. Above:
 * RUSM_ELIMIT. */
#define LIMIT_TIMERS ((size_t)4 * 1024 * 1024)

/* Calls of a node that have no outcome yet. They bound what answers may take beyond the bounds of
 * mailboxes. Above: RUSM_ELIMIT. */
#define LIMIT_CALLS ((size_t)1024 * 1024)

/* Bytes of a coroutine's stack, unless its behaviour says how large. A call of any function here
 * needs less than a tenth of it. Above: the overflow ends the program. */
#define LIMIT_STACK_DEFAULT ((size_t)64 * 1024)

/* Bytes of spare stacks that are kept, for each size. Most of a stack was never touched. Above: a
 * stack that is given back is unmapped. */
#define LIMIT_STACKS_SPARE ((size_t)16 * 1024 * 1024)

/* Nanoseconds for which a process may hold its scheduler, with one handler or a batch of them
 * (LIMIT_RUN_BATCH). No other process runs meanwhile. Above: the node logs and counts it. */
#define LIMIT_HANDLER_NS ((uint64_t)100 * 1000000)

/* Links of all processes of a node: two per process. Above: RUSM_ELIMIT. A process on another node
 * gets an exit signal with reason system_limit. */
#define LIMIT_LINKS ((size_t)4 * 1024 * 1024)

/* Relations of each kind (links, monitors, messages that wait ...) that attach shows of one
 * process. All of them fit into one frame unless names are very long. Above: the others are left
 * out, and the table of processes still counts them. */
#define LIMIT_RELATIONS ((size_t)64)

/* Spawnables that a node is taught. Above: RUSM_ELIMIT. */
#define LIMIT_SPAWNABLES 1024

#endif
