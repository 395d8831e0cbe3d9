/* limits: the maxima of a node, each with its reason and what happens when it is met. `make
 * limits` lists those of all rooms. */
#ifndef NODE_LIMITS_H
#define NODE_LIMITS_H

#include "gateway/limits.h"
#include "rusm.h"

/* Listings of tables that one connection may have under way at once. An honest client has one.
 * Above: the connection is closed. */
#define LIMIT_LISTINGS 64

/* Requests without an answer on a connection: spawns of our processes, and also requests of the
 * peer. Each takes memory until its answer. Above: RUSM_ELIMIT. */
#define LIMIT_REQUESTS 4096

/* Datagrams that one scheduler has under way to other schedulers. There are next to none where the
 * kernel can deal them out. Where it cannot, this is room for a burst of one connection. Above:
 * dropped, as any datagram may be. */
#define LIMIT_FORWARDS 256

/* Messages that a program's own threads have posted and that found no room in a mailbox yet:
 * messages and bytes for one process, and bytes for all processes. One process may have as much
 * waiting as a mailbox holds, and all together one of the longest messages. Above: RUSM_BUSY. One
 * message is always taken. */
#define LIMIT_POST_MESSAGES 1024
#define LIMIT_POST_BYTES ((size_t)4 * 1024 * 1024)
#define LIMIT_POSTS_BYTES RUSM_MESSAGE_MAX

/* Messages that all processes together handle in one tick, so that the loop looks at its sockets
 * again. Above: the others wait for the next tick. */
#define LIMIT_TICK_BUDGET 4096

/* Exit signals of a connection of which one of the two copies has not come yet. Each takes memory.
 * Above: the oldest is forgotten, and such a signal acts only in its lane's order. */
#define LIMIT_EXITS 1024

/* How long a node that no --join names may be away before it is forgotten (--forget). One that ends
 * in order is not dialled anyway. One that crashed, or whose machine or network is being mended, is
 * back within a day, or has another name, as pods have. Longer: it is not dialled and not shown
 * until it comes by itself or a peer that is connected with it tells of it. */
#define LIMIT_FORGET_NS ((uint64_t)86400 * 1000000000)

/* How long an exit signal waits for its place in its lane's order, as the process may hold up the
 * lane. Longer: the copy that came past the lane acts. */
#define LIMIT_EXIT_WAIT_NS ((uint64_t)1000000000)

/* Connections in their handshake at once, as their addresses may be forged. Above: newcomers get a
 * Retry, which makes them prove their address. */
#define LIMIT_HALF_OPEN 256

/* Dials that a scheduler has under way at once to nodes known only by a peer's word or by their own
 * call. Such nodes may be made up, and must not take the connections of real ones. Above: the
 * others wait until one of these dials ends. */
#define LIMIT_DIALS 64

/* Dials that may begin within this time. A hundred nodes that start together would otherwise all
 * wait for each other's handshakes until the handshakes time out. A dial that takes longer, because
 * its address does not answer, no longer counts. Above: the next dial waits. */
#define LIMIT_DIALS_FRESH 16
#define LIMIT_DIALS_FRESH_NS ((uint64_t)2 * 1000000000)

/* Nodes that we know only by a peer's word and have never been connected to. The node dials each of
 * them until it is forgotten. Above: it ignores what peers say of other nodes. */
#define LIMIT_TOLD 1024

/* Bytes of the log, and of what processes print, that wait for a reader: some thousand lines. What
 * comes when they are full is dropped and counted, and said when there is room again. */
#define LIMIT_LOG_BYTES ((size_t)256 * 1024)
#define LIMIT_OUTPUT_BYTES ((size_t)1024 * 1024)

/* How long a node that has left waits for each of the two to be read: a reader that reads at all
 * takes a hundredth. What was not read then is lost. */
#define LIMIT_FLUSH_MS 250

/* Host names that one scheduler looks up at once, each on a thread: one that takes long holds up no
 * other. More wait in line. */
#define LIMIT_LOOKUPS 8

/* How long a node looks at its socket before it sleeps (--spin). If two cores sleep, a round trip
 * takes 80 us, and if they spin 9 us. Peers that answer at once do so within 20 us. Longer: it
 * sleeps. */
#define LIMIT_SPIN_NS ((uint64_t)50 * 1000)

/* How long after we hear of it we do not dial a node of our run folder that started after us (up to
 * twice as long). Such a node dials us. If a hundred nodes start together, each pair would
 * otherwise dial twice. Later: we dial it. */
#define LIMIT_NEAR_NS ((uint64_t)10 * 1000000000)

/* How long a node waits before it dials a lost peer again. A peer that stays away is dialled less
 * and less often: the wait doubles each time, with a jitter of a half. It stays at the upper
 * bound. */
#define LIMIT_BACKOFF_MIN_NS ((uint64_t)100 * 1000000)
#define LIMIT_BACKOFF_MAX_NS ((uint64_t)15 * 1000000000)

/* How long a send or call over HTTP waits while the receiver's mailbox is full, so that a burst is
 * not refused. Longer: 503. */
#define LIMIT_HTTP_BUSY_NS ((uint64_t)1000000000)

/* Bytes of events that wait in one tick for observers over HTTP: as many as may wait for one
 * observer. Above: events are left out, and the observers are told how many. */
#define LIMIT_EVENTS_BYTES LIMIT_HTTP_STREAM

/* Bytes of events that a node keeps for clients that follow it: some thousand events, so that a
 * burst finds a follower that reads. Above: the oldest are forgotten, and a follower that had not
 * seen them is told how many. */
#define LIMIT_EVENTS_KEPT ((size_t)1024 * 1024)

/* Processes that clients trace at once. More look at one node's processes one by one only by
 * mistake. Above: RUSM_ELIMIT. */
#define LIMIT_TRACERS 32

/* Bytes of events that wait for a tracer: some thousand. Above: events are left out, and the tracer
 * is told how many. */
#define LIMIT_TRACE_BYTES ((size_t)256 * 1024)

/* Bytes of a message's data that a tracer is shown: enough to tell messages apart. Longer data is
 * cut. */
#define LIMIT_TRACE_DATA 512

/* How long after its last follower is gone a node keeps its events. A follower whose connection was
 * lost comes back within this time and goes on where it was. Longer: it is told that events are
 * missing. */
#define LIMIT_EVENTS_KEPT_NS ((uint64_t)60 * 1000000000)

/* How often a node looks whether its files in the run folder are still there. Cleaners of old files
 * remove them, and nobody finds the node until it has written them again. A look costs some calls
 * of stat, on a helper thread. */
#define LIMIT_PUBLISH_NS ((uint64_t)2 * 1000000000)

/* Jobs that wait for the run folder: some for each peer that comes or goes. They pile up only if
 * its file system hangs. Above: nothing is asked of it, and the node does without the answer. */
#define LIMIT_FOLDER_JOBS 1024

/* How long the run folder may take before the log says so, and for how many seconds a node that
 * ends waits until its files are removed. Longer: they stay, and the next node removes them, as
 * nobody holds their lock. */
#define LIMIT_FOLDER_SLOW_NS ((uint64_t)10 * 1000000000)
#define LIMIT_FOLDER_CLOSE_S 1

/* How often a node looks whether it ran and whether the clock was set, and from when on either is
 * in the log. Less than that is what a busy machine does, and clocks are kept. */
#define LIMIT_PULSE_NS ((uint64_t)2 * 1000000000)
#define LIMIT_LATE_NS ((uint64_t)1 * 1000000000)
#define LIMIT_CLOCK_STEP_NS ((uint64_t)2 * 1000000000)

/* A scheduler that stood still for longer than the idle timeout, and for longer than this, throws
 * away what came meanwhile. Shorter: that a dial waited so long does little harm, and a busy
 * machine may take as long. */
#define LIMIT_STALE_NS ((uint64_t)2 * 1000000000)

/* How long a node that leaves waits for its processes to end and for queued messages to be
 * acknowledged, as a peer may take none. Longer: it closes its connections all the same. */
#define LIMIT_LEAVE_NS ((uint64_t)2 * 1000000000)

#endif
