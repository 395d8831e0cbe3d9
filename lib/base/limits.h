/* limits: every maximum of rusm, each with its reason and what happens when it is met. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include "rusm.h"

/* ---- wire ---- */

/* A control frame's body. One packet burst; tables are sent in several frames. Longer: the
 * connection is closed as malformed. */
#define LIMIT_FRAME ((size_t)64 * 1024)

/* A record's body: the largest message and its refs. Longer: too-large, the lane is reset. */
#define LIMIT_RECORD (RUSM_MESSAGE_MAX + 64)

/* A lane's header: two addresses with a 255-byte name and a few integers. Longer: malformed. */
#define LIMIT_LANE_HEADER ((size_t)512)

/* ---- lanes ---- */

/* W, the receive window of a new lane: small, as a node may have 10,000 of them. */
#define LIMIT_LANE_WINDOW ((uint64_t)16 * 1024)

/* The most W grows to for one lane: what a fast pair needs at 1 ms and 1 GB/s. */
#define LIMIT_LANE_WINDOW_MAX ((uint64_t)1024 * 1024)

/* All windows' growth together, on one node: what senders can make us hold beyond the first 16 KiB
 * of each lane. A connection has at most as much of it as it leaves: a new one always finds some.
 * Beyond it windows stay as they are; those of a connection that has more than twice as much as is
 * left shrink as they are used. Each scheduler has an equal share. */
#define LIMIT_WINDOW_BUDGET ((uint64_t)32 * 1024 * 1024)

/* All grants (G) together, on one node: four of the largest messages under way at once. Beyond it
 * large records wait their turn. Each scheduler has an equal share of this and of the following,
 * but room for two of the longest such records. */
#define LIMIT_GRANT_BUDGET (4 * (uint64_t)LIMIT_RECORD)

/* Shorter records have budgets of their own, so that a few receivers that take no large message,
 * or a few senders whose large message comes slowly, do not hold up everybody's. */
#define LIMIT_GRANT_SHORT ((uint64_t)64 * 1024)
#define LIMIT_GRANT_MIDDLE ((uint64_t)1024 * 1024)
#define LIMIT_GRANT_SHORTER_BUDGET ((uint64_t)32 * 1024 * 1024)

/* A connection has at most a half of each of these, so that whatever a peer does, another one finds
 * room. */
#define LIMIT_GRANT_SHARES 2

/* Spare memory that a node keeps for a second for the next large message: one of the largest, and
 * what an allocator adds. Beyond it the oldest is freed. */
#define LIMIT_SPARE_BLOCKS (RUSM_MESSAGE_MAX + (size_t)64 * 1024)

/* A granted record of which nothing comes for so long loses its grant (the lane is reset,
 * overflow), so that a stuck sender cannot keep others from sending. While others wait for what it
 * holds, a sixteenth of it must come: it is there within eight minutes (the longest at 1.2
 * Mbit/s), or not at all. */
#define LIMIT_GRANT_STALL_NS ((uint64_t)30 * 1000000000)
#define LIMIT_GRANT_PACE 16

/* Open lanes a connection and direction (QUIC stream limit). When all are busy, a new pair is told
 * RUSM_BUSY. Half of it may be unordered messages. */
#define LIMIT_LANES ((uint64_t)16384)

/* Bytes queued in one lane of ours, not yet acknowledged, above which rusm_send says RUSM_BUSY.
 * One message is always taken when the queue is empty, whatever its size. */
#define LIMIT_LANE_QUEUE ((size_t)256 * 1024)

/* All lane queues of one connection together; above it every send on it says RUSM_BUSY. */
#define LIMIT_CONN_QUEUE ((size_t)128 * 1024 * 1024)

/* The same with signals, which are never refused: a peer that takes none of them is given up. */
#define LIMIT_CONN_SIGNALS (LIMIT_CONN_QUEUE + (size_t)16 * 1024 * 1024)

/* Answers in the name of processes that are gone, or refuse a link or monitor, which wait because
 * the node that asked has no place for their pairs: far more than one that takes its answers
 * leaves waiting. Above, it is given up. */
#define LIMIT_FAREWELLS 65536

/* An open lane without traffic is ended after this. */
#define LIMIT_LANE_IDLE_NS ((uint64_t)10 * 1000000000)

/* Pairs remembered after their lane ended, until the peer says it drained it. Above: RUSM_BUSY for
 * new pairs; for signals, above twice as many. */
#define LIMIT_PAIRS ((size_t)65536)

/* Control bytes queued for a peer that does not read them; above, the connection is closed. */
#define LIMIT_CONTROL_QUEUE ((size_t)16 * 1024 * 1024)

/* Of these, what tables and names may take: a burst. The rest of them waits where it is, so that
 * the short frames behind them do not. */
#define LIMIT_CONTROL_ROOM ((size_t)256 * 1024)

/* Tables that one connection may be listed at once. An honest asker has one; above, it is
 * closed. */
#define LIMIT_LISTINGS 64

/* Requests of ours without an answer, a connection. Above: RUSM_ELIMIT. */
#define LIMIT_REQUESTS 4096

/* ---- processes ---- */

/* Schedulers of a node (--schedulers): a bit each in a word. */
#define LIMIT_SCHEDULERS 64

/* Datagrams that one scheduler has under way to others: there are next to none but where the system
 * can't deal them out, and there a burst of one connection. Above: dropped, as datagrams may be. */
#define LIMIT_STRAYS 256

/* Messages and bytes of one sender to one process of a sibling scheduler that it has not taken,
 * above which rusm_send says RUSM_BUSY: enough to keep both busy while the news of what was taken
 * is under way, and little beside a mailbox, as each sender may have so many. One message is
 * always taken. */
#define LIMIT_PASSAGE_MESSAGES 256
#define LIMIT_PASSAGE_BYTES ((uint64_t)256 * 1024)

/* Pairs of a sender and a process of a sibling that are remembered while nothing is under way. */
#define LIMIT_PASSAGES_IDLE 1024

/* Messages and bytes that a program's own threads have posted to one process, and bytes to all,
 * for which there was no room yet: as much as a mailbox holds, and one of the longest messages.
 * Above: RUSM_BUSY. One message is always taken. */
#define LIMIT_POST_MESSAGES 1024
#define LIMIT_POST_BYTES ((size_t)4 * 1024 * 1024)
#define LIMIT_POSTS_BYTES RUSM_MESSAGE_MAX

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

/* Messages all processes handle before the loop looks at its sockets again. */
#define LIMIT_TURN_BUDGET 4096

/* Local names of a node, and global names that one node claims: each counted apart. Above:
 * RUSM_ELIMIT; those of a peer are ignored and counted. */
#define LIMIT_NAMES ((size_t)1024 * 1024)

/* So many times that is what all peers together may claim: about a gigabyte, however many they say
 * they are. Above: ignored and counted. */
#define LIMIT_NAMES_PEERS 4

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

/* Children of a supervisor. Above: RUSM_ELIMIT. */
#define LIMIT_CHILDREN 65536

/* Restarts that a supervisor counts within its window: it keeps the time of each. */
#define LIMIT_RESTARTS 65536

/* Exit signals of a connection whose second copy is under way. Above, the oldest is forgotten: it
 * has its effect in its lane's order only. */
#define LIMIT_EXITS 1024

/* How long an exit signal waits for its place in its lane's order, which the process may hold
 * up. */
#define LIMIT_EXIT_WAIT_NS ((uint64_t)1000000000)

/* Spawnables a node is taught. */
#define LIMIT_SPAWNABLES 1024

/* Bytes of all arguments of one spawn. */
#define LIMIT_ARGS_BYTES ((size_t)32 * 1024)

/* ---- programs (exec:) ---- */

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

/* ---- connections ---- */

/* Connections of a node, all kinds. A 101-node mesh needs 100; clients come on top. */
#define LIMIT_CONNECTIONS 4096

/* Connections in their handshake at once; above, a Retry is asked of newcomers. */
#define LIMIT_HALF_OPEN 256

/* Dials of a scheduler under way at once to nodes known by hearsay or by their own call: they may
 * be made up, and must not take the connections of those that are real. The others wait for their
 * turn. */
#define LIMIT_DIALS 64

/* Dials begun within so long before another may begin, so that a hundred nodes that start together
 * do not all wait for each other's handshakes until these are given up. One that takes longer, as
 * its address does not answer, holds up no other. */
#define LIMIT_DIALS_FRESH 16
#define LIMIT_DIALS_FRESH_NS ((uint64_t)2 * 1000000000)

/* A handshake or hello that takes longer is dropped. */
#define LIMIT_HANDSHAKE_NS ((uint64_t)10 * 1000000000)

/* Silence after which a peer is lost, and how often we say something when idle. */
#define LIMIT_IDLE_TIMEOUT_NS ((uint64_t)10 * 1000000000)
#define LIMIT_KEEP_ALIVE_NS ((uint64_t)3 * 1000000000)

/* Nodes that others told us of and that we have never been connected to: each is dialled for ever.
 * Above: what we are told is ignored. */
#define LIMIT_TOLD 1024

/* How long a node looks at its socket before it sleeps (--spin). Two cores that sleep cost a round
 * trip 80 us, spinning 9; peers that answer at once do so within 20. */
#define LIMIT_SPIN_NS ((uint64_t)50 * 1000)

/* A node of our run folder that started after us dials us, and is not dialled for this long (to
 * twice as long) after we hear of it: of a hundred that start together each pair would do so
 * twice. */
#define LIMIT_NEAR_NS ((uint64_t)10 * 1000000000)

/* Redialling a lost peer: from, up to; doubled each time, with jitter of a half. */
#define LIMIT_BACKOFF_MIN_NS ((uint64_t)100 * 1000000)
#define LIMIT_BACKOFF_MAX_NS ((uint64_t)15 * 1000000000)

/* ---- HTTP (rusm-http(7)) ---- */

/* Requests that a node works at or whose answers are on their way, all clients together: a few KiB
 * each. Above: 503. */
#define LIMIT_HTTP_REQUESTS 4096

/* HTTP/3 connections; they are some of LIMIT_CONNECTIONS. Above: closed. */
#define LIMIT_HTTP_CONNECTIONS 1024

/* Of these, clients without certificate whose first token has not come, and how long it may take:
 * they are strangers still. Above: the oldest is closed. */
#define LIMIT_HTTP_STRANGERS 64
#define LIMIT_HTTP_STRANGER_NS ((uint64_t)10 * 1000000000)

/* Streams of requests at once, a connection. QUIC holds the client to it. */
#define LIMIT_HTTP_STREAMS 1024

/* Bytes of a request's path and query: a name and 64 short arguments; all of its header fields.
 * Longer: 431. */
#define LIMIT_HTTP_TARGET 4096
#define LIMIT_HTTP_FIELDS 16384

/* All bodies of requests and responses that a node holds for HTTP clients: two of the longest
 * messages. Above: 503. */
#define LIMIT_HTTP_BODIES (2 * (uint64_t)RUSM_MESSAGE_MAX)

/* Bytes of a spawn's JSON: LIMIT_ARGS_BYTES, each as an escape of six. Longer: 413. */
#define LIMIT_HTTP_JSON ((size_t)256 * 1024)

/* How long a send or call waits while the receiver's mailbox is full, so that a burst is not
 * refused. Longer: 503. */
#define LIMIT_HTTP_BUSY_NS ((uint64_t)1000000000)

/* How long a call waits for its reply unless the request says so; and at most: one that waits for
 * ever is one of LIMIT_HTTP_REQUESTS for ever. */
#define LIMIT_HTTP_TIMEOUT_MS 5000
#define LIMIT_HTTP_TIMEOUT_MAX_S 3600

/* One part of a table as JSON: a frame's rows, each of whose bytes may become an escape of six,
 * with a name a value. */
#define LIMIT_HTTP_PART (16 * LIMIT_FRAME)

/* Bytes of a stream (events) that wait for a slow client. What comes above is left out, and the
 * client told so. */
#define LIMIT_HTTP_STREAM ((size_t)256 * 1024)

/* A client has to send or take so much in so long, or all that there is: else 408, or its request
 * is broken off, as it holds memory. */
#define LIMIT_HTTP_PROGRESS 16384
#define LIMIT_HTTP_STALL_NS ((uint64_t)30 * 1000000000)

/* Bytes of events that come up in one turn for those who look on over HTTP: more than wait for one
 * of them. What comes above is left out, and they are told so. */
#define LIMIT_EVENTS_BYTES LIMIT_HTTP_STREAM

/* How often a stream of events says that it lives, so that a client that is gone is noticed. */
#define LIMIT_EVENTS_BEAT_NS ((uint64_t)15 * 1000000000)

/* HTTP/1.1 connections over TCP: a descriptor each, and memory for a request's head while it has
 * one; at most half of the descriptors that the node may have. Above: they wait to be accepted. */
#define LIMIT_HTTP_DOORS 1024

/* One in so many of these is left to others than the client (an IPv4 address, an IPv6 /64) that
 * has most; not more, as all who come by a proxy are one client. Above: closed. */
#define LIMIT_HTTP_DOORS_LEFT 4

/* Memory for a request's head and for what is under way of its response, a connection:
 * LIMIT_HTTP_TARGET and LIMIT_HTTP_FIELDS, their places in a list, and a block. */
#define LIMIT_HTTP_DOOR_BYTES ((size_t)40 * 1024)

/* A response's body is copied to libmicrohttpd in blocks of this size. */
#define LIMIT_HTTP_BLOCK ((size_t)16 * 1024)

/* Bytes of a body that nobody wants, after which its connection is closed: until then it is read,
 * so that the client sees the answer and the connection can go on. */
#define LIMIT_HTTP_DISCARD ((uint64_t)256 * 1024)

/* Wrong tokens from one address within so long; more are not looked at: 429. */
#define LIMIT_HTTP_WRONG 10
#define LIMIT_HTTP_WRONG_NS ((uint64_t)10 * 1000000000)

/* A graceful leave waits this long for queued messages to be acknowledged. */
#define LIMIT_LEAVE_NS ((uint64_t)2 * 1000000000)

#endif
