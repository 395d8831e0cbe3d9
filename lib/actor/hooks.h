/* hooks: what leaves a runtime, as functions that its owner (the node, or a test) gives it. The
 * runtime calls them on its own thread, most of them from within a behaviour. So they must not run
 * the runtime. They may deliver, spawn and kill. */
#ifndef ACTOR_HOOKS_H
#define ACTOR_HOOKS_H

#include "rusm.h"

/* A message to another node or to a global name. Inside the runtime, also one to another scheduler.
 * All pointers are borrowed. */
struct post {
    rusm_pid from;
    uint32_t node; /* index, or RUSM_GLOBAL; the hook sees neither that nor 0 */
    rusm_pid to;   /* serial 0: by name; incarnation 0: the node's present one */
    const char *name;
    size_t name_len;
    bool global;         /* for the hook: a global name, which that node holds */
    enum rusm_kind kind; /* SEND CALL REPLY EXIT DOWN, or one of message.h */
    uint64_t ref;        /* CALL REPLY DOWN MONITOR DEMONITOR UNLINK UNLINKED */
    const void *data;
    size_t len;
    unsigned flags; /* RUSM_UNORDERED */
    bool answer;    /* inside the runtime: it answers a request that met nobody, or a limit */
    /* For a SEND of a process of scheduler 0: hooks->receipt gets this with the outcome. 0: no
     * receipt. */
    uint64_t receipt;
};

/* An event: what happens to a process, for observers. All pointers are borrowed. */
enum process_event_kind {
    PROCESS_STARTED,
    PROCESS_ENDED,
    PROCESS_RESTARTED, /* a supervisor started it in place of one that ended */
    PROCESS_NAMED,     /* it got a local name */
    PROCESS_DOWN,      /* its supervisor could not start it, or not keep it running */
    PROCESS_UNNAMED,   /* nobody has that local name any more; its holder lives on */
};
struct process_event {
    enum process_event_kind kind;
    uint64_t serial;  /* 0 for DOWN, UNNAMED */
    const char *name; /* of STARTED, ENDED, RESTARTED, DOWN: the first local name, or "" */
    size_t name_len;
    const char *behaviour; /* of STARTED, ENDED, RESTARTED, DOWN; else "" */
    const char *reason;    /* of ENDED, DOWN; else "" */
};

/* What happens to a message of a process that is traced, for tracers. All pointers are borrowed. */
enum trace_point {
    TRACE_QUEUED, /* it came into the mailbox */
    TRACE_TAKEN,  /* the process begins to handle it; again, after it held it */
    TRACE_SENT,   /* the process sent it */
    TRACE_ENDED,  /* the process ended: data is the reason. No more events follow */
};
struct trace_event {
    enum trace_point point;
    uint64_t serial;     /* the process that is traced */
    uint64_t missing;    /* events before this one that were not told, as there were too many */
    enum rusm_kind kind; /* as in struct post; 0 for ENDED */
    rusm_pid other;      /* the sender, or the target of SENT. serial 0: none, or by name */
    const char *name;    /* of SENT by name; else NULL */
    size_t name_len;
    uint64_t ref;
    int error;
    const void *data;
    size_t len;
};

struct runtime_watch; /* a descriptor that is watched for a process: the owner's */

struct runtime_hooks {
    /* Watches a descriptor: calls `ready` once, outside of any behaviour, when fd is readable or
     * (`writable`) can be written. Gives *out. Returns 0, or RUSM_EINVAL if fd is not open,
     * RUSM_ENOMEM. NULL: this runtime cannot watch descriptors. */
    int (*watch)(void *context, int fd, bool writable, void (*ready)(void *user), void *user,
                 struct runtime_watch **out);
    /* Takes a watch that is over or that nobody needs any longer. */
    void (*unwatch)(void *context, struct runtime_watch *watch);
    /* Sends a post to a node whose connection this scheduler has, for the processes of all
     * schedulers. Returns 0, RUSM_BUSY, RUSM_ENOCONN, RUSM_ENOPROC, RUSM_ETOOLARGE or RUSM_ENOMEM.
     * After RUSM_BUSY, runtime_writable must follow, for `from` or for all, even if `from` has
     * ended. A post that takes no room in a mailbox is RUSM_BUSY only if the node has no place for
     * one more pair. Then runtime_writable for all must follow. */
    int (*post)(void *context, const struct post *post);
    /* Ends the connection to a node that does not take its signals, or whose signals there is no
     * memory to keep. runtime_node_lost follows later. Called on the scheduler that has the
     * connection. */
    void (*give_up)(void *context, uint32_t node);
    /* Tells that a process has ended. Its names are gone, its mailbox is discarded, its monitors
     * are told. Also called for a process whose init failed, because the init may have registered
     * names. global: the process may have global names. */
    void (*exited)(void *context, rusm_pid pid, const char *reason, bool global);
    /* Register and release a global name. Return 0, RUSM_EEXIST, RUSM_ELIMIT or RUSM_ENOMEM. */
    int (*register_global)(void *context, rusm_pid pid, const char *name);
    int (*unregister_global)(void *context, rusm_pid pid, const char *name);
    /* Gives the holder of a global name, as far as this node knows. Returns 0 or RUSM_ENOPROC. */
    int (*whereis_global)(void *context, const char *name, size_t len, rusm_pid *holder);
    /* Asks a node to spawn. Unless this returns an error, RUSM_SPAWNED or RUSM_FAILED with ref must
     * be delivered to `self` later. */
    int (*spawn_at)(void *context, rusm_pid self, uint32_t node, const char *spawnable,
                    const struct rusm_args *args, uint64_t ref);
    /* Returns the time, on the clock of now_ns. The runtime calls it after each process that has
     * run, to find those that hold the scheduler too long. So it must be very cheap, and it may lag
     * some milliseconds. */
    uint64_t (*clock_ns)(void *context);
    /* Takes an event. Called only while *runtime_options.watched is true. */
    void (*event)(void *context, const struct process_event *h);
    /* Takes an event of a process that runtime_trace traces. Returns whether it is to be traced
     * any longer. */
    bool (*trace)(void *context, const struct trace_event *e);
    /* Prints one line of a process's output, without newline. */
    void (*print)(void *context, rusm_pid self, const char *line);
    /* Wakes the scheduler, which sleeps and has something for runtime_receive. Only with several
     * schedulers. Called on any of their threads. */
    void (*wake)(void *context);
    /* Gives the outcome of a record of `from` that wanted a receipt, or of a post of this node
     * (from.node 0). */
    void (*receipt)(void *context, rusm_pid from, uint64_t receipt, int error);
};

struct runtime;
struct node_name;

/* What a runtime asks of the other schedulers: lib/sched. Called on the runtime's thread. */
struct far_hooks {
    /* Takes a post for a process of another scheduler, or for a node whose connection another
     * scheduler has. Returns 0, RUSM_BUSY, RUSM_ELIMIT or RUSM_ENOMEM, as hooks->post does. */
    int (*post)(struct runtime *rt, const struct post *post);
    /* Tells that another node takes more posts of that process; serial 0: of all processes. */
    void (*writable)(struct runtime *rt, rusm_pid from);
    /* Asks another scheduler to end its connection with that node. */
    void (*give_up)(struct runtime *rt, unsigned scheduler, uint32_t node);
    /* Do what runtime_gap does for another scheduler's process, and what runtime_gaps_tell does for
     * all other schedulers. */
    void (*gap)(struct runtime *rt, unsigned scheduler, uint64_t serial, uint64_t records);
    void (*gaps_tell)(struct runtime *rt, const struct node_name *node, uint32_t incarnation,
                      int error);
    /* Tells another scheduler that its process has a global name now. Returns 0 or RUSM_ENOMEM. */
    int (*global)(struct runtime *rt, rusm_pid pid);
    /* Tell the other schedulers that a node whose connection this one has is connected, or no
     * longer connected. node_lost cannot fail, because node_up, or client_up for a client, reserves
     * what it takes. node_up and client_up return 0 or RUSM_ENOMEM. */
    int (*node_up)(struct runtime *rt, struct node_name *node, uint32_t incarnation);
    void (*node_lost)(struct runtime *rt, struct node_name *node, uint32_t incarnation);
    int (*client_up)(struct runtime *rt, struct node_name *node);
    void (*client_down)(struct runtime *rt, struct node_name *node);
    /* Sends the messages that were gathered for other schedulers. */
    void (*flush)(struct runtime *rt);
    /* Leaves the bridge at the runtime's end. All of the runtime's messages must have come home. */
    void (*leave)(struct runtime *rt);
};

#endif
