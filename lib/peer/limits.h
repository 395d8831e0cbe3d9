/* limits: the maxima of lanes and the control stream, each with its reason and what happens when
 * it is met. `make limits` lists those of all rooms. */
#ifndef PEER_LIMITS_H
#define PEER_LIMITS_H

#include "wire/limits.h"
#include "rusm.h"

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

/* A handshake or hello that takes longer is dropped. */
#define LIMIT_HANDSHAKE_NS ((uint64_t)10 * 1000000000)

/* Silence after which a peer is lost, and how often we say something when idle. */
#define LIMIT_IDLE_TIMEOUT_NS ((uint64_t)10 * 1000000000)
#define LIMIT_KEEP_ALIVE_NS ((uint64_t)3 * 1000000000)

#endif
