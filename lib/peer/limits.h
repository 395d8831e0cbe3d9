/* limits: the maxima of lanes and the control stream, each with its reason and what happens when it
 * is met. `make limits` lists the limits of all rooms. */
#ifndef PEER_LIMITS_H
#define PEER_LIMITS_H

#include "wire/limits.h"
#include "rusm.h"

/* W, the receive window of a new lane, in bytes. It is small because a node may have 10,000 lanes.
 * A sender that has filled it waits until the receiving process takes messages. */
#define LIMIT_LANE_WINDOW ((uint64_t)16 * 1024)

/* The largest W of one lane, in bytes. A fast pair needs this much at 1 ms and 1 GB/s. A window of
 * this size grows no more. */
#define LIMIT_LANE_WINDOW_MAX ((uint64_t)1024 * 1024)

/* Growth of all windows of a node together, in bytes. It bounds what senders can make the node hold
 * beyond the first 16 KiB of each lane. One connection may use at most as much of it as remains
 * free, so a new connection always gets some. When it is met, windows stay as they are. If a
 * connection has more than twice what is left, its windows shrink as they are used. Each scheduler
 * has an equal share. */
#define LIMIT_WINDOW_BUDGET ((uint64_t)32 * 1024 * 1024)

/* All grants (G) of a node together, in bytes. Four of the largest messages can be under way at
 * once. Beyond it large records wait their turn. Each scheduler has an equal share of this budget
 * and of the budgets below, but at least room for two of the longest records of the budget. */
#define LIMIT_GRANT_BUDGET (4 * (uint64_t)LIMIT_RECORD)

/* The longest short record, the longest middle record, and the budget of each of these two classes,
 * in bytes. A few receivers that take no large message, or a few senders whose large message comes
 * slowly, must not hold up everybody's shorter records. Beyond a budget, records of its class wait
 * their turn. */
#define LIMIT_GRANT_SHORT ((uint64_t)64 * 1024)
#define LIMIT_GRANT_MIDDLE ((uint64_t)1024 * 1024)
#define LIMIT_GRANT_SHORTER_BUDGET ((uint64_t)32 * 1024 * 1024)

/* Shares in each of these budgets. A connection may hold one share, a half, so that another peer
 * finds room, whatever one peer does. Beyond its share, records of the connection wait. */
#define LIMIT_GRANT_SHARES 2

/* Time in which bytes of a granted record must come, so that a stuck sender cannot keep others from
 * sending. If none come, the record loses its grant: the receiver stops the lane with
 * STREAM_OVERFLOW. While other records wait for what it holds, a sixteenth of it must come in that
 * time. So the record is there within eight minutes (the longest at 1.2 Mbit/s), or not at all. */
#define LIMIT_GRANT_STALL_NS ((uint64_t)30 * 1000000000)
#define LIMIT_GRANT_PACE 16

/* Open lanes for each connection and direction (the QUIC stream limit). It bounds a flood of pairs.
 * When few are left, the sender ends idle lanes. When none is left, a new pair is told RUSM_BUSY.
 * Unordered messages may use half of the lanes. */
#define LIMIT_LANES ((uint64_t)16384)

/* Unacknowledged bytes in the queue of one outgoing lane. It bounds what one slow receiver makes us
 * hold. Above it rusm_send returns RUSM_BUSY. An empty queue takes one message of any size. */
#define LIMIT_LANE_QUEUE ((size_t)256 * 1024)

/* Bytes in all lane queues of one connection together. It bounds what one slow peer makes us hold.
 * Above it every send on that connection returns RUSM_BUSY. */
#define LIMIT_CONN_QUEUE ((size_t)128 * 1024 * 1024)

/* The same with signals, which may exceed the limit above because this node does not refuse them.
 * If a peer does not take even these, the node closes the connection with CLOSE_LIMIT. */
#define LIMIT_CONN_SIGNALS (LIMIT_CONN_QUEUE + (size_t)16 * 1024 * 1024)

/* Time after which an open lane without traffic is idle. Its stream can then serve another pair, so
 * the sender ends the lane. */
#define LIMIT_LANE_IDLE_NS ((uint64_t)10 * 1000000000)

/* Pairs of a connection. A pair is remembered after its lane has ended, until the peer says that it
 * has drained the lane. Above it new pairs are told RUSM_BUSY. Signals are told so only above twice
 * as many. */
#define LIMIT_PAIRS ((size_t)65536)

/* Bytes queued on the control stream for a peer that does not read them, and received bytes that
 * wait behind an ADOPT that was put off. It bounds what such a peer makes us hold. Above it the
 * node closes the connection with CLOSE_LIMIT. */
#define LIMIT_CONTROL_QUEUE ((size_t)16 * 1024 * 1024)

/* Bytes queued on the control stream above which no tables and names are added: a burst. So the
 * short frames behind them do not wait long. The rest of the tables and names waits at its
 * source. */
#define LIMIT_CONTROL_ROOM ((size_t)256 * 1024)

/* Time for the handshake, and for HELLO and ADOPT after it. A peer must not hold a connection that
 * it does not use. The node closes a connection that takes longer. */
#define LIMIT_HANDSHAKE_NS ((uint64_t)10 * 1000000000)

/* Silence after which the node counts a peer as lost and closes the connection, and the interval at
 * which an idle node sends a keep-alive so that this does not happen. */
#define LIMIT_IDLE_TIMEOUT_NS ((uint64_t)10 * 1000000000)
#define LIMIT_KEEP_ALIVE_NS ((uint64_t)3 * 1000000000)

#endif
