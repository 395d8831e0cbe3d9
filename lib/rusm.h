/* rusm.h: the public interface of librusm, distributed Erlang for any program.
 *
 * There are three groups of functions, by who may call them:
 *
 *   rusm_node_*     own a node: make it, teach it behaviours, run it, stop it.
 *   rusm_<verb>     are what a process does. Call them only inside the init, receive, body and
 *                   stop of its behaviour, on the thread of its scheduler. That is the thread of
 *                   rusm_node_run, unless the node has several schedulers. None of them ever
 *                   blocks the thread. In a body, some make the process wait while others run.
 *   rusm_client_*   reach a running node from outside. They are in rusm_client.h, which this
 *                   header includes.
 *
 * Conventions: functions return 0 (or a count), or a negative RUSM_E* code. RUSM_BUSY means that
 * the function took nothing: the caller keeps what it passed. Text is UTF-8. Times in arguments are
 * milliseconds (_ms). Other times are nanoseconds of CLOCK_MONOTONIC (_ns). There are no globals: a
 * program may have any number of nodes and clients. One thread at a time may use each of them.
 * "Borrows" means that the function reads the data only until it returns. "Keeps" means that the
 * data must live as long as the object that keeps it.
 *
 * Stability: RUSM_ABI rises whenever a struct, a constant or a function here changes so that a
 * program compiled before no longer works. It does not rise for new functions, for new kinds of
 * messages, or for new members in the place of `reserved`. So a program must ignore the kinds that
 * it does not know, and must set an options struct to zero before it fills it. Until version 1.0,
 * RUSM_ABI may rise with each release. From then on it rises only with the first number of the
 * version. rusm_version says which library a program runs with. */
#ifndef RUSM_H
#define RUSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RUSM_VERSION "0.1.0"
#define RUSM_ABI 3 /* rises with every incompatible change of this header */

/* Limits that a caller meets. The limits.h files of the sources have all, with their reasons. */
#define RUSM_NODE_NAME_MAX 63                       /* bytes of a node's name */
#define RUSM_NAME_MAX 255                           /* bytes of a process's or spawnable's name */
#define RUSM_MESSAGE_MAX ((size_t)64 * 1024 * 1024) /* bytes of a message */
#define RUSM_REASON_MAX 1024                        /* bytes of an exit reason; longer is cut */
#define RUSM_ARGS_MAX 64                            /* arguments of a spawn */
#define RUSM_ADDRESS_MAX 320                        /* bytes of NAME@NODE or a full pid, as text */
#define RUSM_PID_TEXT_MAX 104                       /* bytes of a full pid as text, with its NUL */
#define RUSM_PACKET_MIN 1200                        /* bytes of a UDP payload, for max_packet */
#define RUSM_PACKET_MAX 65000

/* ---- errors ------------------------------------------------------------------------------ */

enum rusm_error {
    RUSM_OK = 0,
    RUSM_BUSY = -1,         /* a mailbox, a lane or a connection is full: nothing was taken */
    RUSM_EINVAL = -2,       /* an argument is not valid */
    RUSM_ENOMEM = -3,       /* no memory */
    RUSM_ENOPROC = -4,      /* there is no such process or name, or the process has ended */
    RUSM_ENOSPAWNABLE = -5, /* the node was not taught that behaviour */
    RUSM_ENOCONN = -6,      /* the node is unknown or unreachable, or the connection was lost */
    RUSM_EREFUSED = -7,     /* a certificate or a permission is missing */
    RUSM_ETIMEOUT = -8,     /* there was no answer in time; what was asked may still happen */
    RUSM_EEXIST = -9,       /* the name or file is taken */
    RUSM_ETOOLARGE = -10,   /* longer than RUSM_MESSAGE_MAX, or than the peer takes */
    RUSM_EMALFORMED = -11,  /* the bytes break the protocol or the format of a file */
    RUSM_EINIT = -12,       /* the init of the new process failed */
    RUSM_ELIMIT = -13,      /* a table is full; limits.h says which and why */
    RUSM_ECLOSED = -14,     /* the node is stopping */
    RUSM_EIO = -15,         /* the operating system refused; the text says what it refused */
};

/* Returns the RUSM_VERSION of the library that the program runs with, as constant text. The library
 * may be newer than the header that the program was compiled with. Any thread may call this. */
const char *rusm_version(void);

/* Returns a short, constant text for an error code, such as "no such process". Never NULL. */
const char *rusm_strerror(int error);

/* Tells a person why something failed, in one line without a newline, and what cures it. */
struct rusm_why {
    char text[512];
};

/* ---- pids, addresses, messages ----------------------------------------------------------- */

/* The identity of a process. It is a plain value. Compare two of them with rusm_pid_eq. */
typedef struct rusm_pid {
    uint64_t serial;      /* unique within an incarnation; 0 is no process */
    uint32_t node;        /* index of the node's name in this node's table; 0 is this node */
    uint32_t incarnation; /* of the node; every start of a node has a new one */
} rusm_pid;

static inline bool rusm_pid_eq(rusm_pid a, rusm_pid b)
{
    return a.serial == b.serial && a.node == b.node && a.incarnation == b.incarnation;
}

/* What a message is. Only SEND and CALL are messages that another process chose to send. The others
 * are answers and signals (Erlang reference manual, Processes: Signals). */
enum rusm_kind {
    RUSM_SEND = 0,       /* a message of rusm_send */
    RUSM_CALL = 1,       /* a request: answer it with rusm_reply or rusm_refuse */
    RUSM_REPLY = 2,      /* the reply to our request `ref` */
    RUSM_EXIT = 3,       /* a trapped exit signal (rusm_trap_exit): the data is its reason */
    RUSM_DOWN = 8,       /* a process has ended: the data is its reason, `ref` our monitor */
    RUSM_SPAWNED = 16,   /* our rusm_spawn_at `ref` succeeded: `from` is the new pid */
    RUSM_FAILED = 17,    /* our request or spawn `ref` failed: `error` says why, as does the data */
    RUSM_WRITABLE = 18,  /* a receiver that was RUSM_BUSY for us may have room again: retry */
    RUSM_NAME_LOST = 19, /* process `from` now holds our global name, which is the data */
    RUSM_TIMER = 20,     /* our rusm_timer or rusm_interval `ref` is due */
    RUSM_NODE_UP = 21,   /* node from.node connected: the data is its name (rusm_monitor_nodes) */
    RUSM_NODE_DOWN = 22, /* node from.node was lost (rusm_monitor_nodes, rusm_monitor_node) */
    RUSM_GAP = 23,       /* messages of ours may be lost (rusm_monitor_gaps) */
    RUSM_READY = 24,     /* the descriptor of our rusm_watch `ref` is ready */
};

/* A message as receive sees it. It is borrowed: valid until receive returns. */
struct rusm_message {
    enum rusm_kind kind;
    int error;           /* for RUSM_FAILED and RUSM_GAP only */
    rusm_pid from;       /* serial 0: no process sent it */
    uint64_t ref;        /* of our request, spawn, monitor or timer; RUSM_GAP: a count; else 0 */
    const uint8_t *data; /* never NULL; a 0 byte follows the last one, for convenience */
    size_t len;
};

struct rusm_process; /* the calling process, "self" */

/* ---- behaviours -------------------------------------------------------------------------- */

struct rusm_args {
    size_t count;             /* up to RUSM_ARGS_MAX */
    const char *const *value; /* NUL-terminated; valid while init runs */
};

/* What a process does. A behaviour is constant for the life of the node. All processes of one kind
 * share it. On a node with several schedulers these processes run on several threads. The state of
 * a process belongs to that process alone. Whatever else the functions use, such as `context`, must
 * be safe for several threads. */
struct rusm_behaviour {
    const char *name; /* attach shows it; lib:FILE.so:NAME finds the behaviour by it */
    /* Makes the state of the process. Returns 0, or an error, and then there is no process. Before
     * an error it may leave a text for the spawner with rusm_init_error. NULL: no state. */
    int (*init)(struct rusm_process *self, const struct rusm_args *args, void **state);
    /* Handles one message. Must not block. NULL: the behaviour has a body. */
    void (*receive)(struct rusm_process *self, void *state, const struct rusm_message *message);
    /* Frees the state. The runtime calls it exactly once after a successful init. NULL: there is
     * nothing to free. */
    void (*stop)(struct rusm_process *self, void *state, const char *reason);
    /* Belongs to the program. All processes of the behaviour share it, on the threads of all
     * schedulers. rusm_context returns it. */
    void *context;
    /* The other way to write a process, as a coroutine. A body runs on a stack of its own and takes
     * messages with rusm_receive. When it returns, the process has ended with the reason "normal".
     * When a process ends while its body waits, the runtime drops the stack as it is. So whatever
     * must be freed belongs in the state. */
    void (*body)(struct rusm_process *self, void *state);
    /* Bytes of a body's stack, at most 32 MiB [64 KiB]. They are rounded up to a power of two of at
     * least 16 KiB. */
    size_t stack_bytes;
};

/* What a shared object for lib:FILE.so defines, as
 *     const struct rusm_library rusm_library = { .abi = RUSM_ABI, .behaviours = list };
 *
 * The shared object calls functions of this header but is linked with no library of rusm's. The
 * program that loads it supplies the functions. */
struct rusm_library {
    uint32_t abi;                                   /* RUSM_ABI; checked before all else */
    const struct rusm_behaviour *const *behaviours; /* ends with NULL */
};
extern const struct rusm_library rusm_library __attribute__((visibility("default")));

/* ---- what a process can do (inside init, receive, body, stop) ------------------------------ */

#define RUSM_GLOBAL UINT32_MAX /* as a node index: the node that holds the global name */
#define RUSM_UNORDERED 1u      /* flag: needs no order; a full mailbox on another node refuses it */

rusm_pid rusm_self(const struct rusm_process *self);
const char *rusm_self_node(const struct rusm_process *self); /* the name of this node */
void *rusm_context(const struct rusm_process *self);         /* the context of its behaviour */
uint64_t rusm_now_ns(const struct rusm_process *self);       /* the time of this tick */

/* Sends a message. Borrows data and copies it. Messages from one process to one address arrive in
 * the order sent, each at most once. rusm_send does not promise delivery: monitor or call the
 * receiver to know. The other processes of the scheduler wait during the copy. That takes no time
 * for a small message, but tens of milliseconds for one of 64 MiB. If that matters, send parts.
 *
 * Returns 0 if the message is on its way, RUSM_BUSY if nothing was taken (RUSM_WRITABLE follows),
 * RUSM_ENOPROC if the name, or the pid of a process of this scheduler, does not exist, RUSM_ENOCONN
 * if there is no connection to the node, RUSM_ETOOLARGE, RUSM_EINVAL or RUSM_ENOMEM. For a missing
 * process of another scheduler it returns 0, and the node counts the message. */
int rusm_send(struct rusm_process *self, rusm_pid to, const void *data, size_t len, unsigned flags);

/* Does what rusm_send does, for the process that holds a name on the node with index `node`. 0
 * means this node. RUSM_GLOBAL means that the name is a global one. Also returns RUSM_EINVAL if the
 * name is not valid or there is no such index. */
int rusm_send_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                   size_t len, unsigned flags);

/* Does what rusm_send does, for an address in text: NAME, NAME@NODE, SERIAL@NODE or a full pid. If
 * no process of this node has the NAME, it is a global one. Also returns RUSM_EINVAL if the text is
 * not an address. */
int rusm_send_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                 unsigned flags);

#define RUSM_FOREVER UINT32_MAX /* a timeout that never ends */

/* Sends a request. Borrows data. The receiver gets a RUSM_CALL. Then self gets exactly one message
 * with *ref. It is a RUSM_REPLY, or a RUSM_FAILED with one of these errors:
 *
 *   RUSM_ENOPROC    the process that was asked has ended; the data is its exit reason
 *   RUSM_ENOCONN    its node was lost
 *   RUSM_ETIMEOUT   there was no reply within timeout_ms (RUSM_FOREVER: no limit)
 *
 * A reply that comes later is dropped and counted. A body may use rusm_call, which waits.
 *
 * Returns 0. If it returns an error, nothing was sent and no message follows: RUSM_BUSY (as
 * rusm_send), RUSM_ENOPROC, RUSM_ENOCONN, RUSM_ELIMIT if a million calls wait on this node,
 * RUSM_ETOOLARGE, RUSM_EINVAL or RUSM_ENOMEM. */
int rusm_request(struct rusm_process *self, rusm_pid to, const void *data, size_t len,
                 uint32_t timeout_ms, uint64_t *ref);
/* Do what rusm_request does, for a name on a node and for an address in text. See rusm_send_name
 * and rusm_send_to. */
int rusm_request_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                      size_t len, uint32_t timeout_ms, uint64_t *ref);
int rusm_request_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                    uint32_t timeout_ms, uint64_t *ref);
/* Sends a request to the holder of a name on each of `count` nodes. Writes refs[0] to
 * refs[count-1]. One message follows for each ref: RUSM_FAILED also for a request that could not be
 * sent. */
void rusm_request_many(struct rusm_process *self, const uint32_t *nodes, size_t count,
                       const char *name, const void *data, size_t len, uint32_t timeout_ms,
                       uint64_t *refs);
/* Gives up a request: no message follows. Returns 0, or RUSM_ENOPROC if self has no such request or
 * its outcome has come. */
int rusm_request_end(struct rusm_process *self, uint64_t ref);

/* Puts the message being handled back at the head of the mailbox. A receive calls it when a send
 * has returned RUSM_BUSY. The process sleeps until RUSM_WRITABLE. Then it receives the same message
 * again, instead of the RUSM_WRITABLE. Meanwhile it takes no messages. So its senders are held back
 * too, and their senders, up to the first one. Processes that hold for each other in a circle wait
 * for ever. In a circle, limit the messages in flight instead. If no send has returned RUSM_BUSY,
 * the process just receives the message again later. Does nothing in init, body and stop. */
void rusm_hold(struct rusm_process *self);
/* Does what rusm_hold does, for `ms` milliseconds, or until a RUSM_WRITABLE if one comes earlier.
 * It lets a process take messages at a pace of its own. Without memory for the timer, the process
 * receives the message again at once. */
void rusm_hold_for(struct rusm_process *self, uint32_t ms);

/* Answers a RUSM_CALL, now or later: the kind, from and ref of the message are enough. For a
 * RUSM_SEND it sends a plain message to the sender. Returns 0, RUSM_EINVAL if `to` is of another
 * kind, RUSM_ENOPROC if no process sent it, or an error of rusm_send. */
int rusm_reply(struct rusm_process *self, const struct rusm_message *to, const void *data,
               size_t len);
/* Answers a RUSM_CALL with a failure. The caller gets a RUSM_FAILED with this reason. Its error is
 * RUSM_ENOCONN for the reason "noconnection", RUSM_ETIMEOUT for "timeout", and RUSM_ENOPROC for any
 * other reason. Returns what rusm_reply does. */
int rusm_refuse(struct rusm_process *self, const struct rusm_message *to, const char *reason);

/* ---- links, monitors, exit signals ---------------------------------------------------------
 * They work as in Erlang (reference manual, Processes: Links, Monitors, Error Handling, Signals).
 * rusm(7) has each rule, under "Erlang's rules". Signals and messages from one process to another
 * keep their order. */

/* Asks for one RUSM_DOWN when the process ends. If there is no such process it comes at once, with
 * the reason "noproc". If the node of the process is lost, it comes with the reason "noconnection".
 * Each call makes a monitor of its own. */
int rusm_monitor(struct rusm_process *self, rusm_pid target, uint64_t *ref);
/* Does what rusm_monitor does, for the process that holds a name on the node with index `node`
 * (RUSM_GLOBAL: a global name) when the request gets there. The monitor stays with that process,
 * even if another one takes the name later. */
int rusm_monitor_name(struct rusm_process *self, uint32_t node, const char *name, uint64_t *ref);
/* Does what rusm_monitor does, for an address in text, as rusm_send_to takes it. */
int rusm_monitor_to(struct rusm_process *self, const char *address, uint64_t *ref);
/* Ends a monitor: no RUSM_DOWN or RUSM_NODE_DOWN with ref comes after this, except one that is in
 * the mailbox already. Returns 0, or RUSM_ENOPROC if self has no such monitor or its message has
 * come. */
int rusm_demonitor(struct rusm_process *self, uint64_t ref);
/* Does what rusm_demonitor does, and takes a message of the monitor out of the mailbox. Returns
 * what rusm_demonitor does. */
int rusm_demonitor_flush(struct rusm_process *self, uint64_t ref);

/* Links self with a process. When one of the two ends, the other gets an exit signal with its
 * reason, and the link is gone. Two processes have at most one link. If the process does not exist
 * or its node is not connected, the exit signal comes at once, with the reason "noproc" or
 * "noconnection". Returns 0, or RUSM_BUSY, RUSM_EINVAL, RUSM_ELIMIT or RUSM_ENOMEM, and then there
 * is no link. */
int rusm_link(struct rusm_process *self, rusm_pid pid);
/* Do what rusm_link does, for the process that holds a name now, and for an address in text. See
 * rusm_send_name and rusm_send_to. A link joins two pids, so the name must be a global one or one
 * of this node. Both return RUSM_ENOCONN for a name that only another node knows. Monitor that
 * name, or link the pid that answers. */
int rusm_link_name(struct rusm_process *self, uint32_t node, const char *name);
int rusm_link_to(struct rusm_process *self, const char *address);
/* Ends a link: no exit signal of it comes after this, except one that was trapped and is in the
 * mailbox already. Returns 0, or RUSM_ENOPROC if there was no link. */
int rusm_unlink(struct rusm_process *self, rusm_pid pid);
/* Sets whether self traps exit signals. A trapped exit signal becomes a RUSM_EXIT message. One that
 * is not trapped ends self, or has no effect if its reason is "normal". A rusm_kill with the reason
 * "kill" ends self even if it traps. Returns what was set before, false at first. */
bool rusm_trap_exit(struct rusm_process *self, bool trap);

/* Asks for one RUSM_NODE_DOWN with ref when the connection to a node ends. It comes behind
 * everything else that came from the node. If there is no connection, it comes at once. Returns 0,
 * or RUSM_EINVAL if `node` is this node or there is no such index, RUSM_ELIMIT, RUSM_ENOMEM. */
int rusm_monitor_node(struct rusm_process *self, uint32_t node, uint64_t *ref);
/* Turns messages about all nodes on or off. RUSM_NODE_UP comes for every node that connects from
 * now on, before anything else from it. RUSM_NODE_DOWN comes behind everything from it. Calls do
 * not add up: the last one counts. Returns 0 or RUSM_ENOMEM. */
int rusm_monitor_nodes(struct rusm_process *self, bool on);
/* Turns RUSM_GAP messages on or off. One comes whenever something that self has sent to another
 * node may be lost. from.node is that node, the data is its name. The error says what happened:
 *
 *   RUSM_ENOCONN     The connection ended before the node had confirmed everything. The last `ref`
 *                    messages and signals are not acknowledged: they may have arrived or not. Those
 *                    before them reached the node, but perhaps not a mailbox. The RUSM_GAP comes
 *                    before the RUSM_NODE_DOWN.
 *   RUSM_ENOPROC,    The node takes no more from a lane: there is no such process, or a large
 *   RUSM_BUSY,       message got stuck or is longer than the node takes. `ref` messages and signals
 *   RUSM_ETOOLARGE   are dropped.
 *
 * Returns 0 or RUSM_ENOMEM. */
int rusm_monitor_gaps(struct rusm_process *self, bool on);

/* Asks for one RUSM_TIMER with *ref after `ms` milliseconds.
 *
 * This holds for all timers: they count from rusm_now_ns. They are never early, and up to a
 * millisecond late. They end with their process. The functions that set one return 0, or
 * RUSM_ELIMIT if the node has 4 million timers, RUSM_ENOMEM. */
int rusm_timer(struct rusm_process *self, uint32_t ms, uint64_t *ref);
/* Asks for a RUSM_TIMER with *ref every `ms` milliseconds, without drift. The timer skips one while
 * the one before is still in the mailbox. Also returns RUSM_EINVAL if `ms` is 0. */
int rusm_interval(struct rusm_process *self, uint32_t ms, uint64_t *ref);
/* Sends a message after `ms` milliseconds, as rusm_send would then. Borrows data. If the receiver
 * has no room then, the timer tries again until it has. */
int rusm_send_after(struct rusm_process *self, uint32_t ms, rusm_pid to, const void *data,
                    size_t len, uint64_t *ref);
/* Do what rusm_send_after does, for a name and for an address in text. See rusm_send_name and
 * rusm_send_to. The process that holds the name when the time has come gets the message. */
int rusm_send_after_name(struct rusm_process *self, uint32_t ms, uint32_t node, const char *name,
                         const void *data, size_t len, uint64_t *ref);
int rusm_send_after_to(struct rusm_process *self, uint32_t ms, const char *address,
                       const void *data, size_t len, uint64_t *ref);
/* Cancels a timer of self. A RUSM_TIMER that is in the mailbox already stays there. Returns 0, or
 * RUSM_ENOPROC if self has no such timer, or it was due. */
int rusm_cancel(struct rusm_process *self, uint64_t ref);

/* What rusm_watch waits for. */
enum rusm_watch_event {
    RUSM_READABLE = 1,  /* there is something to read, an end of file, or an error */
    RUSM_CAN_WRITE = 2, /* there is room to write, or an error */
};
/* Watches a file descriptor: the process gets one RUSM_READY with *ref when the event has come.
 * To be told again, call rusm_watch again, usually after reading or writing until EAGAIN. An event
 * that is still there then comes at once. The descriptor should be non-blocking and stays the
 * caller's: call rusm_unwatch before closing it if RUSM_READY has not come. The end of the process
 * ends its watches and closes nothing. Several processes may watch one descriptor. Does not block.
 * Returns 0, or RUSM_EINVAL if fd is not open or `event` is none of the two, RUSM_ELIMIT if the
 * node's processes watch too many (a million), RUSM_ENOMEM. */
int rusm_watch(struct rusm_process *self, int fd, enum rusm_watch_event event, uint64_t *ref);
/* Ends a watch of self: no RUSM_READY of it comes after this, unless it is in the mailbox already.
 * Returns 0, or RUSM_ENOPROC if self has no such watch or its event has come. */
int rusm_unwatch(struct rusm_process *self, uint64_t ref);

/* Starts a process on this scheduler. Returns 0, or RUSM_EINIT if its init failed, RUSM_ELIMIT if
 * there are too many processes or arguments, RUSM_EINVAL if stack_bytes is too large, RUSM_ECLOSED
 * if the node leaves, RUSM_ENOMEM. */
int rusm_spawn(struct rusm_process *self, const struct rusm_behaviour *behaviour,
               const struct rusm_args *args, rusm_pid *pid);

/* Does what rusm_spawn does, and links the process with self from the start. */
int rusm_spawn_link(struct rusm_process *self, const struct rusm_behaviour *behaviour,
                    const struct rusm_args *args, rusm_pid *pid);

/* Asks the node with that index to start one of its spawnables. 0 is this node. The node starts it
 * on its schedulers in turn. A RUSM_SPAWNED or RUSM_FAILED with *ref follows. Returns 0, or
 * RUSM_EINVAL if there is no such index, RUSM_ENOCONN, RUSM_ELIMIT, RUSM_ENOMEM, and then no
 * message follows. */
int rusm_spawn_at(struct rusm_process *self, uint32_t node, const char *spawnable,
                  const struct rusm_args *args, uint64_t *ref);

/* Gives a process of this node a name on this node. A name has one holder. A process may have any
 * number of names. Returns 0, or RUSM_EEXIST if the name is taken, RUSM_EINVAL, RUSM_ENOPROC,
 * RUSM_ELIMIT, RUSM_ENOMEM. */
int rusm_register(struct rusm_process *self, rusm_pid pid, const char *name);
/* Does what rusm_register does, with a name that is global: it has one holder in the whole
 * cluster. */
int rusm_register_global(struct rusm_process *self, rusm_pid pid, const char *name);
/* Takes a name away: a name on this node from its holder, or else a global name from self. Returns
 * 0, or RUSM_ENOPROC if there is no such name, RUSM_ENOMEM. */
int rusm_unregister(struct rusm_process *self, const char *name);
/* Finds the holder of a name on this node. Returns 0, or RUSM_ENOPROC if there is none. */
int rusm_whereis(struct rusm_process *self, const char *name, rusm_pid *pid);

/* Ends the calling process when receive returns, even if it traps exits. In a body it ends at once:
 * rusm_exit does not return. The reason "normal" ends no linked process. The first call wins. */
void rusm_exit(struct rusm_process *self, const char *reason);
/* Sends an exit signal to any process. The process ends with that reason, unless it traps exits. As
 * in Erlang, the reason "normal" ends no process but self. The reason "kill" cannot be trapped.
 * Links and monitors read it as "killed". On the way to another node, the signal keeps its place
 * behind what self has sent before. But it overtakes messages that wait for room in a full mailbox,
 * so that a stuck process can be killed. Returns 0, or RUSM_BUSY if the process traps exits and its
 * mailbox is full, or another error of rusm_send. */
int rusm_kill(struct rusm_process *self, rusm_pid pid, const char *reason);
/* Do what rusm_kill does, for the process that holds a name, and for an address in text. See
 * rusm_send_name and rusm_send_to. If only another node knows the name, the signal does not
 * overtake waiting messages. Both return RUSM_ENOPROC if nobody that this node knows of has the
 * name. */
int rusm_kill_name(struct rusm_process *self, uint32_t node, const char *name, const char *reason);
int rusm_kill_to(struct rusm_process *self, const char *address, const char *reason);

/* ---- supervisors (OTP Design Principles, Supervisor Behaviour) ----------------------------- */

enum rusm_strategy {
    RUSM_ONE_FOR_ONE,  /* restarts the child that ended */
    RUSM_ONE_FOR_ALL,  /* restarts all children; stops the others first */
    RUSM_REST_FOR_ONE, /* restarts it and those after it in the list; stops these first */
};

enum rusm_restart {
    RUSM_PERMANENT, /* is always restarted */
    RUSM_TRANSIENT, /* is restarted unless it ended with "normal" or "shutdown" */
    RUSM_TEMPORARY, /* is never restarted */
};

#define RUSM_BRUTAL (UINT32_MAX - 1) /* shutdown_ms: kill at once; RUSM_FOREVER: wait */
#define RUSM_UNLIMITED UINT32_MAX    /* max_restarts: no limit */

struct rusm_supervisor;

/* A child, and how the supervisor starts it, again and again. */
struct rusm_child {
    const struct rusm_behaviour *behaviour;   /* kept; NULL: the child is `supervisor` */
    const struct rusm_supervisor *supervisor; /* copied; NULL: the child is `behaviour` */
    struct rusm_args args;                    /* copied */
    const char *name;                         /* registered at every start; NULL: none; copied */
    bool global;                              /* `name` is a global one */
    enum rusm_restart restart;
    /* The supervisor stops the child with the exit signal "shutdown", and kills it after so many
     * milliseconds [5000; for a supervisor RUSM_FOREVER]. */
    uint32_t shutdown_ms;
};

struct rusm_supervisor {
    enum rusm_strategy strategy;
    /* More than max_restarts restarts within max_seconds [5] are too many: the supervisor stops all
     * children and ends with the reason "shutdown". If max_restarts is 0, the first restart is too
     * many. */
    uint32_t max_restarts;
    uint32_t max_seconds;
    const struct rusm_child *children; /* started in this order, stopped in reverse */
    size_t child_count;
};

/* Starts a supervisor that is linked with self, and its children. The supervisor traps exits. An
 * exit signal from self makes it stop its children one by one, and then end with that reason. If it
 * cannot restart a child, it tries again. Each try counts as a restart.
 *
 * Returns 0, or RUSM_EINIT if a child could not be started, RUSM_EINVAL, RUSM_ELIMIT, RUSM_ENOMEM.
 * On an error no child is left. */
int rusm_supervise(struct rusm_process *self, const struct rusm_supervisor *supervisor,
                   rusm_pid *pid);

/* Gives the index of a node's name, which rusm_send_name and rusm_spawn_at take. Returns 0, or
 * RUSM_EINVAL if it is not a node's name, RUSM_ELIMIT if this node has seen too many names,
 * RUSM_ENOMEM. */
int rusm_node_index(struct rusm_process *self, const char *node, uint32_t *index);
/* Returns the name of the node with that index, or NULL if there is none. */
const char *rusm_node_at(const struct rusm_process *self, uint32_t index);

/* Writes a full pid as text, such as 17@london#5f3a1c: at most `cap` bytes with the NUL. Returns
 * the length as snprintf does. RUSM_PID_TEXT_MAX bytes are always enough. */
int rusm_pid_format(const struct rusm_process *self, rusm_pid pid, char *text, size_t cap);
/* Reads a pid from text, in full or as SERIAL@NODE. Returns 0, or RUSM_EINVAL if the text is not a
 * pid, RUSM_ELIMIT and RUSM_ENOMEM as rusm_node_index. */
int rusm_pid_parse(struct rusm_process *self, const char *text, rusm_pid *pid);

/* Writes a line to the node's output, which is standard output unless the node is detached. The
 * greeter uses it. */
void rusm_print(struct rusm_process *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Leaves a text for the spawner. An init calls it before it returns an error. */
void rusm_init_error(struct rusm_process *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- for a body only; RUSM_EINVAL elsewhere ----
 * In a body, a function waits for room where it would return RUSM_BUSY. No RUSM_WRITABLE comes. */

/* Returns whether the body wants the message. Must only look at it. */
typedef bool rusm_match_fn(void *context, const struct rusm_message *message);
/* Waits for the first message for which `match` returns true (NULL: any message), and lends it
 * until the next rusm_receive or rusm_call. Returns 0, or RUSM_ETIMEOUT after timeout_ms (0: at
 * once, RUSM_FOREVER: never). Other messages stay in the mailbox, in order, for a later call. They
 * count in the limits of the mailbox. So a mailbox full of unwanted messages keeps senders waiting.
 * Answers and signals still come through. */
int rusm_receive(struct rusm_process *self, rusm_match_fn *match, void *context,
                 uint32_t timeout_ms, const struct rusm_message **message);
/* Sends a request as rusm_request does, and waits for its outcome. Lends *reply as rusm_receive
 * lends a message. Returns 0 if *reply is the RUSM_REPLY, or the error of the RUSM_FAILED that
 * *reply is. If the request could not be sent, returns the error of rusm_request and does not
 * change *reply. From outside, rusm_client_call does the same. */
int rusm_call(struct rusm_process *self, rusm_pid to, const void *data, size_t len,
              uint32_t timeout_ms, const struct rusm_message **reply);
/* Do what rusm_call does, for a name on a node and for an address in text. See rusm_send_name and
 * rusm_send_to. */
int rusm_call_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                   size_t len, uint32_t timeout_ms, const struct rusm_message **reply);
int rusm_call_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                 uint32_t timeout_ms, const struct rusm_message **reply);

/* ---- a node ------------------------------------------------------------------------------ */

struct rusm_node;

struct rusm_boot {
    const char *name;      /* the process gets this name */
    const char *spawnable; /* a spawnable's name or a SPEC */
    const char *const *args;
    size_t arg_count;
    bool global; /* `name` is a global one */
};

enum rusm_log_level { RUSM_LOG_ERROR, RUSM_LOG_WARN, RUSM_LOG_INFO, RUSM_LOG_DEBUG };

/* How a line of the log is written. JSON: an object with the texts time, level, node and text. */
enum rusm_log_format { RUSM_LOG_TEXT, RUSM_LOG_JSON };

/* What a node does if a booted process ends again after more than 3 restarts in 5 seconds. */
enum rusm_restarts {
    /* Tries it again, after pauses that grow from 0.1 to 15 seconds. One that cannot be started,
     * unless its init returned RUSM_EINVAL, is tried again in the same way. */
    RUSM_RESTARTS_BACKOFF,
    RUSM_RESTARTS_GIVE_UP, /* goes on without it */
    RUSM_RESTARTS_EXIT,    /* leaves: rusm_node_run returns RUSM_EINIT */
};

/* Takes a line of a node's log: its level and its text, without time, name and newline, and with
 * control characters escaped. The text is borrowed. Any thread of the node may call it, several of
 * them at once. It must not block, and must not call a function of this header. */
typedef void rusm_log_fn(void *context, enum rusm_log_level level, const char *text);

/* What a program is told of its node's life. */
enum rusm_life {
    RUSM_LIFE_RUNS = 0,   /* every alive_ms, while no handler holds up a scheduler of the node */
    RUSM_LIFE_LEAVES = 1, /* once: the node begins to leave */
};
/* Is called on the node's thread, between handlers. Must not block. */
typedef void rusm_life_fn(void *context, enum rusm_life life);

/* Options of a node. All pointers are borrowed until rusm_node_new returns, except those marked
 * "kept". Zero means the default in brackets. */
struct rusm_node_options {
    const char *name;        /* required */
    const char *listen;      /* ADDR:PORT [127.0.0.1:0, a free port] */
    const char *advertise;   /* HOST:PORT that peers are told [what they see] */
    const char *rundir;      /* [$RUSM_RUNDIR, /run/rusm-UID, /tmp/rusm-UID] */
    const char *identity;    /* PEM file [$RUSM_IDENTITY, ~/.config/rusm/cluster.pem] */
    const char *const *join; /* NODE@HOST:PORT, HOST:PORT or srv:NAME, for ever */
    size_t join_count;
    uint32_t mailbox_messages; /* messages that a mailbox takes [1024] */
    uint64_t mailbox_bytes;    /* bytes that a mailbox takes [4 MiB] */
    uint32_t idle_timeout_ms;  /* a peer that is silent for so long is lost [10000] */
    int32_t spin_us;     /* it looks for messages so long before it sleeps [50]; negative: never */
    uint32_t max_packet; /* most bytes of a packet: RUSM_PACKET_MIN to RUSM_PACKET_MAX [8952] */
    enum rusm_log_level log_level; /* set it: 0 is RUSM_LOG_ERROR [error] */
    int log_fd;                    /* where log lines go [2, standard error] */
    int output_fd;                 /* where rusm_print goes [1, standard output] */
    bool identity_create;          /* make the identity file if it does not exist */
    bool http;                     /* serve HTTP/3 too, on the same port: rusm-http(7) */
    const char *http_token;        /* file with the token of HTTP clients without certificate */
    /* ADDR:PORT, or a PORT of 127.0.0.1: serve HTTP/1.1 over TCP too. Needs http_token. */
    const char *http_tcp;
    /* Names the process whose body overflows its stack. The program ends by SIGSEGV as without this
     * option, but first a line that names the process goes to log_fd. For that, rusm_node_run
     * handles SIGSEGV for the whole program, unless the program has a handler already. */
    bool name_overflow;
    uint32_t schedulers; /* threads that run processes, rusm_node_run's included: 1 to 64 [1] */
    rusm_log_fn *log;    /* gets the log lines instead of log_fd, up to log_level; kept [NULL] */
    void *log_context;   /* for log; belongs to the program; kept */
    /* NAME=VALUE and so on, then NULL: variables for programs of exec:, see rusm-port(7). */
    const char *const *env;
    uint64_t exec_descriptors;       /* their soft limit of descriptors [that of this program] */
    enum rusm_log_format log_format; /* of the lines that go to log_fd [RUSM_LOG_TEXT] */
    rusm_life_fn *life;              /* gets the node's life, as a watchdog needs it; kept [NULL] */
    void *life_context;              /* for life; belongs to the program; kept */
    uint32_t alive_ms;               /* how often life gets RUSM_LIFE_RUNS [never] */
    enum rusm_restarts restarts;     /* of a booted process that ends too often [BACKOFF] */
    uint32_t forget_ms;              /* a peer that is away for so long is forgotten [a day] */
    /* ADDRESS[/BITS]: proxies whose X-Forwarded-For names the HTTP client; borrowed until the node
     * is made. */
    const char *const *http_proxy;
    size_t http_proxy_count;
    void *reserved[6]; /* for later versions: must be zero, else RUSM_EINVAL */
};

/* Makes a node: checks the identity, takes the lock on the name in the run folder, binds the
 * socket. Gives *node, which rusm_node_free frees. Returns 0, or RUSM_EREFUSED if the identity is
 * refused, RUSM_EEXIST if a live node has the name, RUSM_EINVAL, RUSM_EIO, RUSM_ENOMEM. On an error
 * `why` says more. It may be NULL. */
int rusm_node_new(struct rusm_node **node, const struct rusm_node_options *options,
                  struct rusm_why *why);

/* Teaches the node a behaviour under `name`. Keeps behaviour. Call it before rusm_node_run. */
int rusm_node_teach(struct rusm_node *node, const char *name,
                    const struct rusm_behaviour *behaviour);
/* Teaches the node a spawnable `name` by a SPEC. A SPEC is one of these:
 *
 *   echo, greeter, sink, crash, relay, bounce   a built-in behaviour
 *   lib:FILE.so[:BEHAVIOUR]   loads a behaviour (struct rusm_library); blocks for the file
 *   exec:COMMAND              makes a process of any program
 *
 * Returns 0, or RUSM_EIO if the file cannot be read, RUSM_EMALFORMED if it is no shared object, has
 * no rusm_library or another ABI, RUSM_EINVAL if it has several behaviours and the SPEC does not
 * say which, RUSM_ENOSPAWNABLE if there is no such behaviour. */
int rusm_node_teach_spec(struct rusm_node *node, const char *name, const char *spec,
                         struct rusm_why *why);
/* Starts a process and registers it. The process is a permanent child of the node's supervisor,
 * which attach shows as `supervisor`: whenever the process ends, the supervisor starts and
 * registers it again. The node's option `restarts` says what happens if it ends too often. While
 * its global name has a holder on another node, the process does not run, and it starts when the
 * name is free. Returns 0 also if the process is to be tried again later. Call it before the node
 * runs or while it runs, on the node's thread. */
int rusm_node_boot(struct rusm_node *node, const struct rusm_boot *boot, struct rusm_why *why);

/* Runs the node for at most timeout_ms, until another node has taken it in or refused its name, or
 * none of those that it dials answers. Returns at once if it knows of no other node. What processes
 * print is held back. Call rusm_node_run or rusm_node_start afterwards, whatever this returned.
 * Returns 0, or RUSM_EEXIST if a live node of the cluster has the name: stop the node. Returns
 * RUSM_EINVAL if it was called before or rusm_node_start drives the node, RUSM_EIO as
 * rusm_node_run. `why` may be NULL. It says what was refused, or why no node was joined, or "". */
int rusm_node_settle(struct rusm_node *node, uint32_t timeout_ms, struct rusm_why *why);
/* Runs the node until rusm_node_stop, tells the peers that the node leaves, and returns 0. Blocks.
 * Returns at once with RUSM_EINVAL if rusm_node_start drives the node, or with RUSM_EIO if there is
 * no thread for a scheduler. Returns RUSM_EINIT if it has left for RUSM_RESTARTS_EXIT. */
int rusm_node_run(struct rusm_node *node);
/* Asks the node to leave; a second call, at once. Any thread and signal handler may call it. */
void rusm_node_stop(struct rusm_node *node);

/* ---- driving a node from another event loop, instead of rusm_node_run ---- */

/* Starts the node for a program that has an event loop of its own. Gives a descriptor that the loop
 * polls. Whenever the descriptor is readable, call rusm_node_tick. The descriptor belongs to the
 * node: poll it, and do nothing else with it. The thread that calls this becomes the node's thread.
 * It must make all later calls, except those that any thread may make. Other schedulers have
 * threads of their own, as with rusm_node_run. Does not block. The option name_overflow has no
 * effect on this thread. Returns the descriptor, or RUSM_EIO if the system refuses a descriptor or
 * a thread, RUSM_EINVAL if the node was started before. */
int rusm_node_start(struct rusm_node *node);
/* Does what is due, once: reads sockets, runs processes, sends. Does not wait. Returns 0, or 1 if
 * the node has left as rusm_node_stop asked. Then call rusm_node_free. The call that sees the stop
 * lets the node leave. It may block for as long as that takes: up to 2 seconds, or 5 with programs.
 * Returns RUSM_EINVAL if rusm_node_start was not called or the node has left. */
int rusm_node_tick(struct rusm_node *node);

/* ---- messages from the program's own threads to processes ---- */

/* Sends a message to a process, from outside of all processes. The `from` of the message is a
 * process of the node that takes no messages: an answer reaches nobody. Borrows data and copies it.
 * Any thread may call it while the node lives, but no signal handler. Blocks only for the copy. The
 * messages that one thread posts to one target arrive in the order posted. If there is no such
 * process, the node counts the message (noproc_local).
 *
 * Returns 0, RUSM_BUSY if too much waits for room (1,024 messages or 4 MiB for that target, or 64
 * MiB for all targets), RUSM_ETOOLARGE, RUSM_EINVAL if the pid has no serial or there is no data,
 * RUSM_ECLOSED if the node leaves, or RUSM_ENOMEM. After RUSM_BUSY, nothing was taken: try again
 * later. */
int rusm_node_post(struct rusm_node *node, rusm_pid to, const void *data, size_t len);
/* Does what rusm_node_post does, for an address in text, as rusm_send_to takes it. Also returns
 * RUSM_EINVAL if the text is not an address. */
int rusm_node_post_to(struct rusm_node *node, const char *address, const void *data, size_t len);

/* Frees the node, when rusm_node_run has returned or rusm_node_tick returned 1. NULL is fine. */
void rusm_node_free(struct rusm_node *node);

/* Writes a line of the program's own to the node's log, in the node's format: to log_fd, or to the
 * program's log function. Drops it if its level is above log_level. Borrows text and escapes it.
 * Any thread may call it while the node lives, but no signal handler. Does not block. */
void rusm_node_log(struct rusm_node *node, enum rusm_log_level level, const char *text);

const char *rusm_node_name(const struct rusm_node *node);
const char *rusm_node_address(const struct rusm_node *node);  /* the ADDR:PORT that is bound */
const char *rusm_node_http_tcp(const struct rusm_node *node); /* of HTTP over TCP, or NULL */
const char *rusm_node_rundir(const struct rusm_node *node);   /* the run folder that is used */
/* Return whether rusm_node_new made the identity file, its path, its fingerprint (SHA-256, hex). */
bool rusm_node_identity_made(const struct rusm_node *node);
const char *rusm_node_identity_path(const struct rusm_node *node);
const char *rusm_node_fingerprint(const struct rusm_node *node);

#ifdef __cplusplus
}
#endif

#include "rusm_client.h" /* the functions for programs outside of the node */

#endif
