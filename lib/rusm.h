/* rusm.h: the public interface of librusm, distributed Erlang for any program.
 *
 * Three groups of functions, by who may call them:
 *
 *   rusm_node_*     own a node: make it, teach it behaviours, run it, stop it.
 *   rusm_<verb>     what a process does, from inside its behaviour's init, receive, body and stop
 *                   only, on the thread of its scheduler (rusm_node_run's own, unless there are
 *                   several). None of them ever blocks that; in a body some make the process wait
 *                   while others run.
 *   rusm_client_*   reach a running node from outside, as the rusm command does: synchronous,
 *                   each takes a timeout in milliseconds and may block that long.
 *
 * Conventions: functions return 0 (or a count) or a negative RUSM_E* code; RUSM_BUSY means that
 * nothing was taken and the caller keeps what it passed. Text is UTF-8. Times are milliseconds
 * in arguments (_ms) and nanoseconds of CLOCK_MONOTONIC inside (_ns). There are no globals: a
 * program may have any number of nodes and clients, each used by one thread at a time.
 * "borrows" means: the callee reads it only until it returns.
 *
 * Stability: RUSM_ABI is raised whenever a struct, a constant or a function here changes so that a
 * program that was compiled before no longer works. New functions, new kinds of messages and new
 * members in the place of `reserved` do not raise it: a program ignores the kinds it does not
 * know, and sets an options struct to zero before it fills it. Until version 1.0 RUSM_ABI may rise
 * with each release; from then on only with the first number of the version. rusm_version says
 * which library a program runs with.
 */
#ifndef RUSM_H
#define RUSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RUSM_VERSION "0.1.0"
#define RUSM_ABI 3 /* raised whenever a struct or a function here changes incompatibly */

/* Limits that a caller meets. lib/base/limits.h has all of them, each with its reason. */
#define RUSM_NODE_NAME_MAX 63                       /* bytes of a node's name */
#define RUSM_NAME_MAX 255                           /* bytes of a process's or spawnable's name */
#define RUSM_MESSAGE_MAX ((size_t)64 * 1024 * 1024) /* bytes of a message */
#define RUSM_REASON_MAX 1024                        /* bytes of an exit reason; longer is cut */
#define RUSM_ARGS_MAX 64                            /* arguments of a spawn */
#define RUSM_ADDRESS_MAX 320                        /* NAME@NODE or a full pid, as text */
#define RUSM_PID_TEXT_MAX 104                       /* a full pid, as text, and its NUL */
#define RUSM_PACKET_MIN 1200                        /* bytes of a UDP payload: max_packet below */
#define RUSM_PACKET_MAX 65000

/* ---- errors ------------------------------------------------------------------------------ */

enum rusm_error {
    RUSM_OK = 0,
    RUSM_BUSY = -1,         /* full (mailbox, lane, lanes of a connection): nothing was taken */
    RUSM_EINVAL = -2,       /* an argument is not what it must be */
    RUSM_ENOMEM = -3,       /* no memory */
    RUSM_ENOPROC = -4,      /* no such process or name, or it died */
    RUSM_ENOSPAWNABLE = -5, /* the node has not been taught that behaviour */
    RUSM_ENOCONN = -6,      /* node unknown or unreachable, or the connection was lost */
    RUSM_EREFUSED = -7,     /* certificate or permission */
    RUSM_ETIMEOUT = -8,     /* no answer in time; what was asked may still happen */
    RUSM_EEXIST = -9,       /* the name or file is taken */
    RUSM_ETOOLARGE = -10,   /* over RUSM_MESSAGE_MAX, or what the peer said it takes */
    RUSM_EMALFORMED = -11,  /* bytes that break the protocol or a file's format */
    RUSM_EINIT = -12,       /* the new process's init failed */
    RUSM_ELIMIT = -13,      /* a table is full; limits.h says which and why */
    RUSM_ECLOSED = -14,     /* the node is stopping */
    RUSM_EIO = -15,         /* the operating system refused; the text says what */
};

/* Returns RUSM_VERSION of the library that the program runs with, which may be newer than the
 * header that it was compiled with. Constant text. Any thread. */
const char *rusm_version(void);

/* A short, constant text for a code, such as "no such process". Never NULL. */
const char *rusm_strerror(int error);

/* Why something failed, for a person: one line, no newline, with the cure where there is one. */
struct rusm_why {
    char text[512];
};

/* ---- pids, addresses, messages ----------------------------------------------------------- */

/* A process's identity. Plain value; compare with rusm_pid_eq. */
typedef struct rusm_pid {
    uint64_t serial;      /* never reused within an incarnation; 0 is no process */
    uint32_t node;        /* index of the node's name in this node's table; 0 is this node */
    uint32_t incarnation; /* of that node; a new one at every start */
} rusm_pid;

static inline bool rusm_pid_eq(rusm_pid a, rusm_pid b)
{
    return a.serial == b.serial && a.node == b.node && a.incarnation == b.incarnation;
}

/* What a message is. Only SEND and CALL come from another process's will; the others are answers
 * and signals (Erlang reference manual, Processes: Signals). */
enum rusm_kind {
    RUSM_SEND = 0,       /* rusm_send */
    RUSM_CALL = 1,       /* rusm_request, rusm_call: answer with rusm_reply or rusm_refuse */
    RUSM_REPLY = 2,      /* the answer to our call that gave `ref` */
    RUSM_EXIT = 3,       /* an exit signal, trapped (rusm_trap_exit): data is the reason */
    RUSM_DOWN = 8,       /* a monitored process is gone; data is its reason, `ref` the monitor */
    RUSM_SPAWNED = 16,   /* our rusm_spawn_at succeeded: `from` is the new pid, `ref` the request */
    RUSM_FAILED = 17,    /* our call or request `ref` failed: `error` says why, data is a text */
    RUSM_WRITABLE = 18,  /* someone who was RUSM_BUSY for us may take again; try */
    RUSM_NAME_LOST = 19, /* another process, `from`, holds our global name now; data is the name */
    RUSM_TIMER = 20,     /* our rusm_timer or rusm_interval that gave `ref` is due */
    RUSM_NODE_UP = 21,   /* a node is connected: from.node and data, its name; rusm_monitor_nodes */
    RUSM_NODE_DOWN = 22, /* ... is no longer; also with `ref` of rusm_monitor_node */
    RUSM_GAP = 23,       /* messages of ours may not have arrived: rusm_monitor_gaps */
    RUSM_READY = 24,     /* the descriptor of our rusm_watch that gave `ref` is ready */
};

/* A message as receive sees it. Borrowed: valid until receive returns. */
struct rusm_message {
    enum rusm_kind kind;
    int error;           /* RUSM_FAILED and RUSM_GAP only */
    rusm_pid from;       /* serial 0: from no process */
    uint64_t ref;        /* of a call, reply, monitor or request; RUSM_GAP: a count; else 0 */
    const uint8_t *data; /* never NULL; the byte after the last is 0, for convenience */
    size_t len;
};

struct rusm_process; /* the calling process: "self" */

/* ---- behaviours -------------------------------------------------------------------------- */

struct rusm_args {
    size_t count;             /* up to RUSM_ARGS_MAX */
    const char *const *value; /* NUL-terminated; borrowed during init */
};

/* What a process does. Constant for the node's life; shared by all processes of its kind. On a
 * node of several schedulers these run on several threads: a process's state is its own, but
 * whatever else its functions use, `context` for one, must bear that. */
struct rusm_behaviour {
    const char *name; /* shown by attach; also the spawnable's name by default */
    /* Makes the process's state. 0, or an error after which no process exists (a text for the
     * spawner may be left with rusm_init_error). NULL: no state. */
    int (*init)(struct rusm_process *self, const struct rusm_args *args, void **state);
    /* Handles one message. Must not block. NULL: it has a body. */
    void (*receive)(struct rusm_process *self, void *state, const struct rusm_message *message);
    /* Frees the state; called exactly once after a successful init. NULL: nothing to free. */
    void (*stop)(struct rusm_process *self, void *state, const char *reason);
    void *context; /* the program's own, for all processes of the behaviour, on all schedulers'
                      threads: rusm_context */
    /* The other way to write a process, a coroutine: runs on a stack of its own and takes messages
     * with rusm_receive. When it returns the process has ended, "normal". When it is ended where it
     * waits, its stack is dropped as it is: what must be freed belongs into the state. */
    void (*body)(struct rusm_process *self, void *state);
    size_t stack_bytes; /* of a body, to 32 MiB, a power of two from 16 KiB: rounded up [64 KiB] */
};

/* What a shared object for lib:FILE.so defines, as
 *     const struct rusm_library rusm_library = { .abi = RUSM_ABI, .behaviours = list };
 * It calls what it needs of this header and is linked with nothing of rusm's: the functions are
 * those of the program that loads it. */
struct rusm_library {
    uint32_t abi;                                   /* RUSM_ABI; looked at before all else */
    const struct rusm_behaviour *const *behaviours; /* ends with NULL */
};
extern const struct rusm_library rusm_library __attribute__((visibility("default")));

/* ---- what a process can do (inside init, receive, stop) ------------------------------------ */

#define RUSM_GLOBAL UINT32_MAX /* as a node index: wherever the global name lives */
#define RUSM_UNORDERED 1u /* flag: order means nothing to me; refused when the mailbox is full */

rusm_pid rusm_self(const struct rusm_process *self);
const char *rusm_self_node(const struct rusm_process *self); /* this node's name */
void *rusm_context(const struct rusm_process *self);         /* its behaviour's */
uint64_t rusm_now_ns(const struct rusm_process *self);       /* time of this loop tick */

/* Sends a message; borrows data. The message is on its way (delivery is not promised: monitor or
 * call to know). RUSM_BUSY: nothing taken, RUSM_WRITABLE follows. RUSM_ENOPROC: a name or a pid of
 * this scheduler that is gone (one of another scheduler is counted). RUSM_ENOCONN: no connection
 * to that node. RUSM_ETOOLARGE, RUSM_ENOMEM. Messages from one process to one address arrive in
 * order, at most once. The data is copied before it returns, while the scheduler's other processes
 * wait: nothing for small messages, tens of milliseconds for one of 64 MiB. Who cares sends
 * parts. */
int rusm_send(struct rusm_process *self, rusm_pid to, const void *data, size_t len, unsigned flags);

/* Does what rusm_send does, for the process that holds a name on the node with index `node` (0:
 * this node, RUSM_GLOBAL: the name is a global one). Returns RUSM_EINVAL too, if it is not a name
 * or there is no such index. */
int rusm_send_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                   size_t len, unsigned flags);

/* Does what rusm_send does, for an address in text: NAME, NAME@NODE, SERIAL@NODE or a full pid. A
 * NAME that no process of this node has is a global one. Returns RUSM_EINVAL too, if it is not an
 * address. */
int rusm_send_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                 unsigned flags);

#define RUSM_FOREVER UINT32_MAX /* as a timeout: none */

/* Sends a request; borrows data. The receiver gets a RUSM_CALL. Exactly one message with *ref
 * follows: RUSM_REPLY, or RUSM_FAILED with the error RUSM_ENOPROC (the process that was asked has
 * ended, the data is its reason), RUSM_ENOCONN (its node was lost) or RUSM_ETIMEOUT (no reply
 * within timeout_ms). A reply that comes after that is dropped and counted. A body may use
 * rusm_call, which waits. Returns 0, or, if nothing was sent and nothing follows, RUSM_BUSY (as
 * rusm_send), RUSM_ENOPROC, RUSM_ENOCONN, RUSM_ELIMIT (a million calls wait on this node),
 * RUSM_ETOOLARGE, RUSM_EINVAL or RUSM_ENOMEM. */
int rusm_request(struct rusm_process *self, rusm_pid to, const void *data, size_t len,
                 uint32_t timeout_ms, uint64_t *ref);
/* The same for a name on a node, and for an address in text, as rusm_send_name and rusm_send_to. */
int rusm_request_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                      size_t len, uint32_t timeout_ms, uint64_t *ref);
int rusm_request_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                    uint32_t timeout_ms, uint64_t *ref);
/* Sends a request to the holder of a name on each of `count` nodes; writes refs[0..count). One
 * message follows for each ref, also for a request that could not be sent. */
void rusm_request_many(struct rusm_process *self, const uint32_t *nodes, size_t count,
                       const char *name, const void *data, size_t len, uint32_t timeout_ms,
                       uint64_t *refs);
/* Gives a request up: nothing follows. Returns RUSM_ENOPROC if self has no such request, or its
 * outcome has come. */
int rusm_request_end(struct rusm_process *self, uint64_t ref);

/* For a receive whose send said RUSM_BUSY: the message being handled goes back to the head of the
 * mailbox, the process sleeps until RUSM_WRITABLE, then receives the same message again and not
 * the RUSM_WRITABLE. As it takes nothing meanwhile, those who send to it are held back in turn, to
 * the first sender. Processes that hold for each other in a circle wait for ever: in a circle,
 * bound what is in flight instead. Without a RUSM_BUSY before it, the message is merely received
 * again later. Nothing in init and stop. */
void rusm_hold(struct rusm_process *self);
/* The same for so many milliseconds, or until a RUSM_WRITABLE if one comes before: for a process
 * that works at a pace of its own. Without memory for it, the message is received again at once. */
void rusm_hold_for(struct rusm_process *self, uint32_t ms);

/* Answers a RUSM_CALL, now or later: kind, from and ref of the message are enough. For a RUSM_SEND
 * it sends a plain message to the sender, if there is one. */
int rusm_reply(struct rusm_process *self, const struct rusm_message *to, const void *data,
               size_t len);
/* Answers a RUSM_CALL with a failure: the caller gets RUSM_FAILED with this reason and RUSM_ENOPROC
 * (RUSM_ENOCONN for "noconnection", RUSM_ETIMEOUT for "timeout"). Errors as rusm_reply. */
int rusm_refuse(struct rusm_process *self, const struct rusm_message *to, const char *reason);

/* ---- links, monitors, exit signals ---------------------------------------------------------
 * As in Erlang (reference manual, Processes: Links, Monitors, Error Handling, Signals). rusm(7),
 * SIGNALS, has each rule. From one process to another they keep their order with the messages. */

/* Asks for one RUSM_DOWN when the process ends, at once (noproc) if there is none, and with
 * reason noconnection when its node is lost. Each call is a monitor of its own. */
int rusm_monitor(struct rusm_process *self, rusm_pid target, uint64_t *ref);
/* The same for the process that holds a name on the node with index `node` (RUSM_GLOBAL: a global
 * name) when the request gets there, whoever has the name later. */
int rusm_monitor_name(struct rusm_process *self, uint32_t node, const char *name, uint64_t *ref);
/* The same for an address in text, as rusm_send_to. */
int rusm_monitor_to(struct rusm_process *self, const char *address, uint64_t *ref);
/* No RUSM_DOWN (or RUSM_NODE_DOWN) for ref any more, unless it waits in the mailbox already.
 * RUSM_ENOPROC: no such monitor, or it was told. */
int rusm_demonitor(struct rusm_process *self, uint64_t ref);
/* The same, and one that waits in the mailbox is taken out. */
int rusm_demonitor_flush(struct rusm_process *self, uint64_t ref);

/* Links self with a process: when one of the two ends, the other gets an exit signal with its
 * reason and the link is gone. At most one between two processes. Nobody there: the exit signal
 * comes at once, with noproc or noconnection. RUSM_BUSY, RUSM_EINVAL, RUSM_ELIMIT, RUSM_ENOMEM: no
 * link. */
int rusm_link(struct rusm_process *self, rusm_pid pid);
/* The same for the process that holds a name now, and for an address in text, as rusm_send_name
 * and rusm_send_to. A link joins two pids, so the name must be a global one or one of this node.
 * For a name that only another node knows both return RUSM_ENOCONN: monitor it, or link the pid
 * that answers. */
int rusm_link_name(struct rusm_process *self, uint32_t node, const char *name);
int rusm_link_to(struct rusm_process *self, const char *address);
/* No exit signal of that link after this, unless it was trapped and waits in the mailbox already.
 * RUSM_ENOPROC: there was no link. */
int rusm_unlink(struct rusm_process *self, rusm_pid pid);
/* Whether exit signals become RUSM_EXIT messages instead of ending this process, or being ignored
 * (normal). A rusm_kill with reason "kill" ends it nevertheless. Returns what it was; false at
 * first. */
bool rusm_trap_exit(struct rusm_process *self, bool trap);

/* One RUSM_NODE_DOWN with ref when the connection to that node ends, behind everything else that
 * came of it; at once if there is none. RUSM_EINVAL: this node, or no such index. */
int rusm_monitor_node(struct rusm_process *self, uint32_t node, uint64_t *ref);
/* RUSM_NODE_UP for every node that is connected from now on, before anything that comes from it,
 * and RUSM_NODE_DOWN, behind everything that came from it; or no longer. On or off, not counted. */
int rusm_monitor_nodes(struct rusm_process *self, bool on);
/* RUSM_GAP from now on, or no longer, whenever something that self has sent to another node may be
 * lost: from.node is that node, data its name. Error RUSM_ENOCONN: its connection has ended before
 * it said that all of it met its fate. The `ref` newest messages and signals are not acknowledged
 * and may have arrived or not; those before them had got to that node, if perhaps not into a
 * mailbox. It comes before the RUSM_NODE_DOWN. RUSM_ENOPROC, RUSM_BUSY, RUSM_ETOOLARGE: that node
 * wants no more of a lane, as there is no such process, or a large message got stuck or is over
 * its limit: `ref` of them are dropped. Returns 0 or RUSM_ENOMEM. */
int rusm_monitor_gaps(struct rusm_process *self, bool on);

/* Timers count from rusm_now_ns, are up to a millisecond late and never early, and end with their
 * process. A node takes 4 million: RUSM_ELIMIT. RUSM_ENOMEM.
 * One RUSM_TIMER with *ref after ms milliseconds. */
int rusm_timer(struct rusm_process *self, uint32_t ms, uint64_t *ref);
/* One every ms milliseconds, without drift; none while the one before waits in the mailbox still.
 * RUSM_EINVAL: 0 ms. */
int rusm_interval(struct rusm_process *self, uint32_t ms, uint64_t *ref);
/* Sends a message after ms milliseconds, as rusm_send would then; borrows data. When that is
 * RUSM_BUSY it is tried again until there is room. */
int rusm_send_after(struct rusm_process *self, uint32_t ms, rusm_pid to, const void *data,
                    size_t len, uint64_t *ref);
/* The same for a name and for an address in text, as rusm_send_name and rusm_send_to. The process
 * that holds the name when the time has come gets the message. */
int rusm_send_after_name(struct rusm_process *self, uint32_t ms, uint32_t node, const char *name,
                         const void *data, size_t len, uint64_t *ref);
int rusm_send_after_to(struct rusm_process *self, uint32_t ms, const char *address,
                       const void *data, size_t len, uint64_t *ref);
/* Takes a timer of our own back. RUSM_ENOPROC: there is none of that ref, or it was due: then its
 * message may be in the mailbox already. */
int rusm_cancel(struct rusm_process *self, uint64_t ref);

/* What rusm_watch waits for. */
enum rusm_watch_event {
    RUSM_READABLE = 1,  /* there is something to read, an end of file, or an error */
    RUSM_CAN_WRITE = 2, /* there is room to write, or an error */
};
/* Watches a file descriptor: the process gets one RUSM_READY with *ref when the event has come.
 * To be told again, call rusm_watch again, usually after reading or writing until EAGAIN; an event
 * that is still there then comes at once. The descriptor should be non-blocking and stays the
 * caller's: call rusm_unwatch before closing it if RUSM_READY has not come. The end of the process
 * ends its watches and closes nothing. Several processes may watch one descriptor. Does not block.
 * Returns 0, or RUSM_EINVAL if fd is not open or `event` is none of the two, RUSM_ELIMIT if the
 * node's processes watch too many (a million), RUSM_ENOMEM. */
int rusm_watch(struct rusm_process *self, int fd, enum rusm_watch_event event, uint64_t *ref);
/* Ends a watch of our own: no RUSM_READY of it after this, unless it waits in the mailbox already.
 * Returns 0, or RUSM_ENOPROC if there is none of that ref or its event has come. */
int rusm_unwatch(struct rusm_process *self, uint64_t ref);

/* Starts a process on this scheduler of this node. RUSM_EINIT: init failed. RUSM_ELIMIT: too many
 * processes. */
int rusm_spawn(struct rusm_process *self, const struct rusm_behaviour *behaviour,
               const struct rusm_args *args, rusm_pid *pid);

/* The same, linked with self from the start. */
int rusm_spawn_link(struct rusm_process *self, const struct rusm_behaviour *behaviour,
                    const struct rusm_args *args, rusm_pid *pid);

/* Asks the node with that index to start one of its spawnables, on the scheduler whose turn it is
 * (0: this node, too); RUSM_SPAWNED or RUSM_FAILED with *ref follows. */
int rusm_spawn_at(struct rusm_process *self, uint32_t node, const char *spawnable,
                  const struct rusm_args *args, uint64_t *ref);

/* Names on this node: one holder a name, any number of names a process. RUSM_EEXIST: taken. */
int rusm_register(struct rusm_process *self, rusm_pid pid, const char *name);
int rusm_register_global(struct rusm_process *self, rusm_pid pid, const char *name);
int rusm_unregister(struct rusm_process *self, const char *name);
int rusm_whereis(struct rusm_process *self, const char *name, rusm_pid *pid);

/* Ends the calling process when receive returns (in a body at once: it does not return), whether it
 * traps or not; reason "normal" is quiet. The first call wins. */
void rusm_exit(struct rusm_process *self, const char *reason);
/* Sends an exit signal to any process; unless trapped, it ends with that reason. As in Erlang,
 * "normal" ends no process but oneself, "kill" cannot be trapped and reads "killed" to those who
 * are told. To another node it goes behind what was sent before, but past messages that wait for
 * room in a full mailbox, so that a stuck process can be killed. RUSM_BUSY: it traps, and its
 * mailbox is full. */
int rusm_kill(struct rusm_process *self, rusm_pid pid, const char *reason);
/* The same for the process that holds a name, and for an address in text, as rusm_send_name and
 * rusm_send_to. To a name that only another node knows, the signal does not pass waiting messages.
 * Both return RUSM_ENOPROC if nobody here has the name. */
int rusm_kill_name(struct rusm_process *self, uint32_t node, const char *name, const char *reason);
int rusm_kill_to(struct rusm_process *self, const char *address, const char *reason);

/* ---- supervisors (OTP Design Principles, Supervisor Behaviour) ----------------------------- */

enum rusm_strategy {
    RUSM_ONE_FOR_ONE,  /* a child that ended is restarted */
    RUSM_ONE_FOR_ALL,  /* ... with all others, which are stopped first */
    RUSM_REST_FOR_ONE, /* ... with those after it in the list */
};

enum rusm_restart {
    RUSM_PERMANENT, /* restarted always */
    RUSM_TRANSIENT, /* unless it ended with normal or shutdown */
    RUSM_TEMPORARY, /* never */
};

#define RUSM_BRUTAL (UINT32_MAX - 1) /* shutdown_ms: killed at once; RUSM_FOREVER: waited for */
#define RUSM_UNLIMITED UINT32_MAX    /* max_restarts: never too many */

struct rusm_supervisor;

/* A child: how it is started, again and again. */
struct rusm_child {
    const struct rusm_behaviour *behaviour;   /* kept; NULL: a supervisor of its own, as follows */
    const struct rusm_supervisor *supervisor; /* copied */
    struct rusm_args args;                    /* copied */
    const char *name; /* registered for each that is started; NULL: none; copied */
    bool global;      /* a global name */
    enum rusm_restart restart;
    /* It is told to stop by the exit signal shutdown, and killed after so long [5000; a supervisor:
     * RUSM_FOREVER]. */
    uint32_t shutdown_ms;
};

struct rusm_supervisor {
    enum rusm_strategy strategy;
    uint32_t
        max_restarts; /* more than these within max_seconds [5] are too many: all children are */
    uint32_t max_seconds; /* stopped and it ends with reason shutdown. 0 restarts: the first is */
    const struct rusm_child *children; /* started in this order, stopped in reverse */
    size_t child_count;
};

/* Starts a supervisor that is linked with self, and its children. It traps exits; an exit signal
 * from self stops its children, one by one, then itself with that reason. A child that cannot be
 * restarted is tried again, which counts as a restart. RUSM_EINIT: a child could not be started,
 * none is left. RUSM_EINVAL, RUSM_ELIMIT, RUSM_ENOMEM. */
int rusm_supervise(struct rusm_process *self, const struct rusm_supervisor *supervisor,
                   rusm_pid *pid);

/* The index of a node's name, for rusm_send_name and rusm_spawn_at; and back (NULL: no such
 * index). RUSM_EINVAL: not a node's name. RUSM_ELIMIT: too many names seen. */
int rusm_node_index(struct rusm_process *self, const char *node, uint32_t *index);
const char *rusm_node_at(const struct rusm_process *self, uint32_t index);

/* A pid in full as text (17@london#5f3a1c): writes at most cap bytes with NUL, returns its length
 * as snprintf does. RUSM_PID_TEXT_MAX always fits. */
int rusm_pid_format(const struct rusm_process *self, rusm_pid pid, char *text, size_t cap);
int rusm_pid_parse(struct rusm_process *self, const char *text, rusm_pid *pid);

/* Writes a line to the node's output (standard output unless detached): what greeter does. */
void rusm_print(struct rusm_process *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Leaves a text for the spawner; to be called by an init that is about to fail. */
void rusm_init_error(struct rusm_process *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- for a body only; RUSM_EINVAL elsewhere ----
 * In a body whatever else could say RUSM_BUSY waits for room instead; there is no RUSM_WRITABLE. */

/* Does the body want it? Must only look at it. */
typedef bool rusm_match_fn(void *context, const struct rusm_message *message);
/* Waits for the first message that match (NULL: any) says true for, and lends it until the next
 * rusm_receive; RUSM_ETIMEOUT after timeout_ms (0: at once; RUSM_FOREVER). Others stay in the
 * mailbox, in order, for a later call; they count in its bounds, so that a full mailbox of
 * unwanted ones keeps senders waiting, while answers and signals come through. */
int rusm_receive(struct rusm_process *self, rusm_match_fn *match, void *context,
                 uint32_t timeout_ms, const struct rusm_message **message);
/* Sends a request (rusm_request) and waits for its outcome, which is lent like a message of
 * rusm_receive. Returns 0 and gives *reply, the RUSM_REPLY; or the error of the RUSM_FAILED, which
 * *reply then is; or the error of rusm_request, and leaves *reply alone. Does what
 * rusm_client_call does from outside. */
int rusm_call(struct rusm_process *self, rusm_pid to, const void *data, size_t len,
              uint32_t timeout_ms, const struct rusm_message **reply);
int rusm_call_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                   size_t len, uint32_t timeout_ms, const struct rusm_message **reply);
int rusm_call_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                 uint32_t timeout_ms, const struct rusm_message **reply);

/* ---- a node ------------------------------------------------------------------------------ */

struct rusm_node;

struct rusm_boot {
    const char *name;      /* to register */
    const char *spawnable; /* what to start: a spawnable's name or a SPEC */
    const char *const *args;
    size_t arg_count;
    bool global; /* a global name instead of a local one */
};

enum rusm_log_level { RUSM_LOG_ERROR, RUSM_LOG_WARN, RUSM_LOG_INFO, RUSM_LOG_DEBUG };

/* Takes a line of a node's log: its level and its text, without time, name and newline, and with
 * control characters escaped; borrowed. Called on any of the node's threads, perhaps on several at
 * once. It must not block, nor call a function of this header. */
typedef void rusm_log_fn(void *context, enum rusm_log_level level, const char *text);

/* All pointers are borrowed until rusm_node_new returns. Zero means the default in brackets. */
struct rusm_node_options {
    const char *name;        /* required */
    const char *listen;      /* ADDR:PORT [127.0.0.1:0, a free port] */
    const char *advertise;   /* HOST:PORT told to peers [what they see] */
    const char *rundir;      /* [$RUSM_RUNDIR, $XDG_RUNTIME_DIR/rusm, private temporary] */
    const char *identity;    /* PEM file [$RUSM_IDENTITY, ~/.config/rusm/cluster.pem] */
    const char *const *join; /* NODE@HOST:PORT to dial, for ever */
    size_t join_count;
    uint32_t mailbox_messages; /* a mailbox's limit [1024] */
    uint64_t mailbox_bytes;    /* [4 MiB] */
    uint32_t idle_timeout_ms;  /* a silent peer is lost after this [10000] */
    int32_t spin_us;     /* looks for messages so long before it sleeps [50]; negative: never */
    uint32_t max_packet; /* bytes of the longest packet tried on a path: RUSM_PACKET_MIN to
                            RUSM_PACKET_MAX [8952] */
    enum rusm_log_level log_level; /* RUSM_LOG_ERROR is 0: set it [error] */
    int log_fd;                    /* where the log goes, one line each [2, standard error] */
    int output_fd;                 /* where rusm_print goes [1, standard output] */
    bool identity_create;          /* make the identity file when there is none */
    bool http;                     /* serve HTTP/3 too, on the same port: rusm-http(7) */
    const char *http_token;        /* file: the token of HTTP clients without certificate */
    /* ADDR:PORT, or PORT of 127.0.0.1: serve HTTP/1.1 over TCP too. Needs http_token. */
    const char *http_tcp;
    /* A body that overflows its stack ends the program by SIGSEGV, as ever; but first log_fd gets
     * a line that names the process. For that, rusm_node_run handles SIGSEGV for the whole
     * program, if nobody does yet. */
    bool name_overflow;
    uint32_t schedulers; /* threads that run processes, to 64: rusm_node_run's and more [1] */
    rusm_log_fn *log;    /* takes the lines of log_level and above instead of log_fd; kept [NULL] */
    void *log_context;   /* the program's own, for log; kept */
    void *reserved[8];   /* room for later: must be zero, RUSM_EINVAL otherwise */
};

/* Makes a node: checks the identity, takes the name's lock in the run folder, binds the socket.
 * Gives *node (rusm_node_free). RUSM_EREFUSED: identity. RUSM_EEXIST: a live node has the name.
 * RUSM_EINVAL, RUSM_EIO, RUSM_ENOMEM; `why` (may be NULL) then says more. */
int rusm_node_new(struct rusm_node **node, const struct rusm_node_options *options,
                  struct rusm_why *why);

/* Teaches the node a behaviour under `name`. Before rusm_node_run. Keeps behaviour. */
int rusm_node_teach(struct rusm_node *node, const char *name,
                    const struct rusm_behaviour *behaviour);
/* Teaches it `name` by a SPEC: the name of a built-in (echo, greeter, sink, crash, relay, bounce),
 * or lib:FILE.so[:BEHAVIOUR], which loads a behaviour (struct rusm_library) and blocks for the
 * file; exec:COMMAND makes a process of any program. RUSM_EIO, RUSM_EMALFORMED (no shared object,
 * no rusm_library, another ABI), RUSM_EINVAL (one of several: which?), RUSM_ENOSPAWNABLE. */
int rusm_node_teach_spec(struct rusm_node *node, const char *name, const char *spec,
                         struct rusm_why *why);
/* Starts a process and registers it, as a permanent child of the node's supervisor (`supervisor` in
 * attach): whenever it ends it is started and registered again. More than 3 restarts in 5 seconds:
 * the node says so in its log, and goes on without it. Before or while running, on the node's
 * thread. */
int rusm_node_boot(struct rusm_node *node, const struct rusm_boot *boot, struct rusm_why *why);

/* Runs until rusm_node_stop or an error; tells peers that it leaves, then returns 0. Blocks.
 * Returns RUSM_EINVAL at once if rusm_node_start drives the node, RUSM_EIO if there is no
 * thread. */
int rusm_node_run(struct rusm_node *node);
/* Asks it to leave; a second call makes it immediate. Any thread, any signal handler. */
void rusm_node_stop(struct rusm_node *node);
/* ---- driving a node from another event loop, instead of rusm_node_run ---- */

/* Starts the node, for a program that has an event loop of its own, and gives a descriptor for
 * that loop to poll. Whenever the descriptor is readable, rusm_node_tick is due. The descriptor
 * stays the node's: poll it, do nothing else with it. The thread that calls this is the node's: it
 * makes every later call but those that any thread may make. Other schedulers have threads of
 * their own, as with rusm_node_run. Returns the descriptor, RUSM_EIO if the system refuses one or
 * a thread, or RUSM_EINVAL if the node was started before. Does not block. name_overflow has no
 * effect on this thread. */
int rusm_node_start(struct rusm_node *node);
/* Does what is due, once, and returns: reads sockets, runs processes, sends. Does not wait.
 * Returns 0, or 1 if the node has left, as rusm_node_stop asked for: then rusm_node_free is next.
 * The call that sees the stop leaves, which may block up to the 2 seconds that a leave may take (5
 * with programs). Returns RUSM_EINVAL if rusm_node_start was not called or the node has left. */
int rusm_node_tick(struct rusm_node *node);

/* ---- messages from the program's own threads ---- */

/* Sends a message to a process, from no process that answers: `from` is a process of the node's
 * own that takes no messages. Borrows data; copies it. Any thread, while the node lives; not from
 * a signal handler. Blocks for no longer than it takes to copy. The messages that one thread posts
 * to one target arrive in the order posted. A message that finds no process is counted
 * (noproc_local). Returns 0, RUSM_BUSY if 1,024 messages or 4 MiB for that target, or 64 MiB for
 * all targets, still wait for room (nothing is taken, try again later), RUSM_ETOOLARGE,
 * RUSM_EINVAL if there is no serial or data, RUSM_ECLOSED if the node leaves, or RUSM_ENOMEM. */
int rusm_node_post(struct rusm_node *node, rusm_pid to, const void *data, size_t len);
/* The same to an address in text, as rusm_send_to. Returns RUSM_EINVAL too, if it is not an
 * address. */
int rusm_node_post_to(struct rusm_node *node, const char *address, const void *data, size_t len);

void rusm_node_free(struct rusm_node *node); /* after rusm_node_run returned; NULL is fine */

const char *rusm_node_name(const struct rusm_node *node);
const char *rusm_node_address(const struct rusm_node *node);  /* ADDR:PORT, really bound */
const char *rusm_node_http_tcp(const struct rusm_node *node); /* where HTTP over TCP is; or NULL */
const char *rusm_node_rundir(const struct rusm_node *node);   /* the run folder in use */
/* Whether the identity file was made just now, and its path and fingerprint (SHA-256, hex). */
bool rusm_node_identity_made(const struct rusm_node *node);
const char *rusm_node_identity_path(const struct rusm_node *node);
const char *rusm_node_fingerprint(const struct rusm_node *node);

/* ---- tables: what a node shows, column by column ------------------------------------------- */

enum rusm_table {
    RUSM_TABLE_NODE = 0,      /* one row: name address uptime processes peers ... */
    RUSM_TABLE_PROCESSES = 1, /* pid name behaviour state mailbox received memory links age */
    RUSM_TABLE_PEERS = 2, /* node address direction state rtt_us sent received lost lanes since */
    RUSM_TABLE_NAMES = 3, /* name pid scope node */
    RUSM_TABLE_SPAWNABLES = 4, /* name behaviour */
    RUSM_TABLE_COUNTERS = 5,   /* counter value */
    RUSM_TABLE_NODES = 6,      /* local: node address state os_pid incarnation source */
};

enum rusm_type {
    RUSM_TYPE_TEXT = 0,    /* text */
    RUSM_TYPE_COUNT = 1,   /* number */
    RUSM_TYPE_BYTES = 2,   /* number */
    RUSM_TYPE_SECONDS = 3, /* number: milliseconds; shown as seconds */
    RUSM_TYPE_MICROS = 4,  /* number: microseconds */
    RUSM_TYPE_PID = 5,     /* text: a full pid */
};

struct rusm_field {
    const char *column; /* lower case */
    enum rusm_type type;
    const char *text; /* for TEXT and PID; else NULL */
    uint64_t number;  /* for the others */
};

/* Called once a row; all borrowed. Non-zero stops the listing and is returned. */
typedef int rusm_row_fn(void *context, const struct rusm_field *fields, size_t count);

/* ---- a client ---------------------------------------------------------------------------- */

struct rusm_client;

struct rusm_client_options {
    const char *rundir;   /* as in rusm_node_options */
    const char *identity; /* never made here: RUSM_EREFUSED when missing */
    uint32_t timeout_ms;  /* for every call below [5000] */
    void *reserved[4];    /* room for later: must be zero, RUSM_EINVAL otherwise */
};

/* Connects to a node written NAME, NAME@HOST:PORT or HOST:PORT. Gives *client
 * (rusm_client_close). RUSM_ENOCONN (why lists the nodes known and where it looked),
 * RUSM_EREFUSED, RUSM_EINVAL, RUSM_ETIMEOUT. */
int rusm_client_open(struct rusm_client **client, const struct rusm_client_options *options,
                     const char *node, struct rusm_why *why);
void rusm_client_close(struct rusm_client *client);             /* NULL is fine */
const char *rusm_client_node(const struct rusm_client *client); /* the name it told us */

/* In these, `process` is a local name of that node, a pid in either form, or, with global set,
 * a global name that the node resolves. */

/* Hands over one message without waiting for its receipt; blocks only while too many are without
 * one. Order is kept. Failures of earlier ones may be returned here or by rusm_client_flush. */
int rusm_client_post(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, struct rusm_why *why);
/* Waits until every posted message is in its mailbox (or has failed: the first failure). */
int rusm_client_flush(struct rusm_client *client, struct rusm_why *why);

/* Sends, waits for the reply. Gives *reply (free), NUL-terminated beyond *reply_len. RUSM_ENOPROC
 * when there is no such process or it died first. */
int rusm_client_call(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, void **reply, size_t *reply_len, struct rusm_why *why);

/* Starts a spawnable there; its full pid as text goes to pid. name may be NULL. */
int rusm_client_spawn(struct rusm_client *client, const char *spawnable,
                      const struct rusm_args *args, const char *name, bool global,
                      char pid[RUSM_PID_TEXT_MAX], struct rusm_why *why);

/* Exit signal, from no process; RUSM_ENOPROC if there is none. Returns when the process has ended
 * or, if it traps exits and the reason is not kill, when it has the message. As in Erlang, normal
 * ends none. */
int rusm_client_kill(struct rusm_client *client, const char *process, bool global,
                     const char *reason, struct rusm_why *why);
/* Who owns a global name, as that node sees it. */
int rusm_client_whereis(struct rusm_client *client, const char *name, char pid[RUSM_PID_TEXT_MAX],
                        struct rusm_why *why);
/* Asks the node to leave and waits until it has. */
int rusm_client_stop(struct rusm_client *client, struct rusm_why *why);
/* One of the tables above (not RUSM_TABLE_NODES). */
int rusm_client_list(struct rusm_client *client, enum rusm_table table, rusm_row_fn *row,
                     void *context, struct rusm_why *why);

/* The nodes this machine knows of: run folder and `nodes` file (RUSM_TABLE_NODES). Blocks for
 * the files and to probe addresses of the nodes file, up to the timeout. */
int rusm_nodes_list(const struct rusm_client_options *options, rusm_row_fn *row, void *context,
                    struct rusm_why *why);

/* ---- identity ---------------------------------------------------------------------------- */

struct rusm_identity_info {
    char path[4096];
    char fingerprint[65]; /* SHA-256 of the certificate, hex */
    char subject[128];
    char not_after[32]; /* 2126-11-23 */
};

/* The path used when none is given ($RUSM_IDENTITY, else under the configuration folder). */
int rusm_identity_path(const char *given, char *path, size_t cap);
/* Makes a cluster identity (self-signed ECDSA P-256, key and certificate, mode 0600) at path,
 * never over an existing file (RUSM_EEXIST). */
int rusm_identity_new(const char *path, struct rusm_identity_info *info, struct rusm_why *why);
/* Reads one. RUSM_EREFUSED: missing, or others can read it. RUSM_EMALFORMED. */
int rusm_identity_show(const char *path, struct rusm_identity_info *info, struct rusm_why *why);

#ifdef __cplusplus
}
#endif
#endif
